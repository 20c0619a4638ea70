/* What a finding about a signature means, in plain words. Any thread. */
#pragma once
#include "station/text.h"

/* Never NULL: a code nobody knows is told as such. */
const Text *signature_words (const char *code);
/* Adds "text" {vi, en} to each finding of signatures_report(). */
void signature_words_add (json_t *report);
/* The report for people, in the language of the program (transfer full). */
char *signature_words_tell (const json_t *report);
