/* What a confined child may say of a DICOM object, once hostile bytes have taken it over: JSON to
 * what pages and the record get. */
#include "station/dicom_about.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  json_auto_t *said = json_loadb ((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
  json_auto_t *about = dicom_about_clean (said);
  if (about == NULL)
    return 0;
  g_assert_true (json_is_object (json_object_get (about, "patient")));
  g_assert_cmpuint (json_object_size (about), <=, 19);
  char *text = json_dumps (about, JSON_COMPACT);
  g_assert_nonnull (text);
  g_assert_cmpuint (strlen (text), <, 32 * 1024);
  free (text);
  dicom_names_agree (dicom_about_patient (about, "name"), dicom_about_text (about, "modality"));
  /* What is clean stays as it is. */
  json_auto_t *again = dicom_about_clean (about);
  g_assert_true (json_equal (about, again));
  return 0;
}
