/* Why a conference's server did not do what it was asked, in words for people. */
#pragma once
#include "station/text.h"

typedef struct {
  const char *code; /* a word for machines: "unauthorized" */
  Text text;        /* what is wrong, and what to do */
} WhipWords;

/* Of an HTTP status that is no success; never NULL. */
const WhipWords *whip_words_status (long status);
/* Of an error of tls_fetch(). */
const WhipWords *whip_words_error (const GError *error);
/* "redirected", "description", "no-session", "no-path", "lost", "gone", "restart"; never NULL. */
const WhipWords *whip_words_code (const char *code);
