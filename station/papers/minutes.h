/* Minutes of a consultation (biên bản hội chẩn; Circular 49/2017, Decree 96/2023). */
#pragma once
#include "station/papers/paper_parts.h"

/* A SheetDraw; arg: Paper. */
void minutes_draw (Sheet *sheet, void *arg);
const char *minutes_title (const Paper *paper);
