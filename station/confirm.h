/* A specialist who has signed in confirms an opinion of theirs, as it stands in the record. */
#pragma once
#include "station/request.h"

/* "opinion.confirm" of a join page: signed by the browser's key, which the sign-in is bound to; a
 * row of kind "confirmation". */
void opinion_confirm (Request *request);
