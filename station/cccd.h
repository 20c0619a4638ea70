/* The text of a Vietnamese citizen card's QR code, and the structure of the numbers on such cards.
 * Hostile until parsed; bounded; no state, any thread.
 *
 *   number|old number|name|birth ddmmyyyy|sex|address|issued ddmmyyyy[|further fields of newer
 * cards]
 *
 * The old number (9 digits) may be empty, and so may all from the birth's end on. A scanner that
 * types may leave line ends, and some write dates as dd/mm/yyyy.
 * Number (Decree 137/2015/ND-CP, article 13; Circular 59/2021/TT-BCA): 3 digits of the province of
 * birth registration, 1 of century and sex, 2 of the year, 6 random.
 */
#pragma once
#include "station/text.h"

#define CCCD_TEXT_MAX 2000 /* bytes */

typedef struct {
  json_t *patient;  /* as docs/protocol.md's `patient` */
  char *old_number; /* NULL: none */
  json_t *warnings; /* array of {vi, en} */
} Cccd;

/* FALSE: a text for people of what is wrong and what to do. */
gboolean cccd_parse (const char *text, gsize length, Cccd *ret, const Text **ret_wrong);
void cccd_clear (Cccd *cccd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cccd, cccd_clear)

/* 12 digits. */
gboolean cccd_number_is_good (const char *number);
/* The first three digits are those of a province or city of birth registration. */
gboolean cccd_province_is_known (const char *number);
/* What the number says: year of birth, and "male" or "female". */
int cccd_birth_year (const char *number);
const char *cccd_sex (const char *number);

/* A BHYT card: 10 digits (the social insurance number), or 15 characters: class of the insured (2
 * letters), level of benefit (1 to 5), 2 digits of the province, and those 10 digits. NULL: good.
 */
const Text *bhyt_wrong (const char *card);
