/* What a scanner types: the text of a citizen card's QR code, an insurance card's number, and the
 * search for a patient by either. */
#include "station/cccd.h"
#include "station/patient_find.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const Text *wrong = NULL;
  Cccd card = { 0 };
  if (cccd_parse ((const char *)data, size, &card, &wrong)) {
    g_assert_true (cccd_number_is_good (
        json_string_value (json_object_get (card.patient, "personal_number"))));
    g_auto (GStrv) identifiers = patient_identifiers (card.patient);
    g_assert_cmpuint (g_strv_length (identifiers), >, 0);
    cccd_clear (&card);
  } else
    g_assert_true (wrong != NULL && card.patient == NULL);
  if (size > CCCD_TEXT_MAX)
    return 0;
  g_autofree char *text = g_strndup ((const char *)data, size);
  bhyt_wrong (text);
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  g_auto (GStrv) meant = patient_identifiers_of_text (text);
  return 0;
}
