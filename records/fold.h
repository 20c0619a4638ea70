/* Text as people search for it: small letters, no diacritics, single spaces. Any thread. */
#pragma once
#include <glib.h>

/* NFD, marks dropped, "đ" as "d", small letters, every run of anything but letters and digits one
 * space, none at the ends. NULL when text is not UTF-8. (transfer full) */
char *fold_text (const char *text);
/* NFC, small letters, diacritics kept, spaces squeezed. NULL when text is not UTF-8. */
char *fold_case (const char *text);
