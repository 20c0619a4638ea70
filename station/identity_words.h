/* Why a sign-in was refused, and what to do, for people. */
#pragma once
#include "station/text.h"

/* reason: id_token_verdict_name(), "wanted" or "unbound"; an unknown one has general words. */
const Text *identity_words (const char *reason);
