/* Referral sheet (giấy chuyển cơ sở khám bệnh, chữa bệnh), from the consultation's own data. What
 * the record does not know is a dotted line to be filled in by hand. */
#pragma once
#include "station/papers/paper_parts.h"

/* A SheetDraw; arg: Paper. */
void referral_draw (Sheet *sheet, void *arg);
