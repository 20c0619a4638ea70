/* media.* messages, the same for the console and the join page. */
#pragma once
#include "station/request.h"

void media_start (Request *request);
void media_answer (Request *request);
void media_candidate (Request *request);
void media_renegotiate (Request *request);
void media_stop (Request *request);
void media_own (Request *request);
/* source.prefer: the console alone. */
void media_prefer (Request *request);
