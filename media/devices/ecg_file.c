#include "media/devices/ecg_file.h"
#include "media/devices/ecg_aecg.h"
#include "media/devices/ecg_dicom.h"
#include "media/devices/ecg_edf.h"
#include "media/devices/ecg_scp.h"
#include "media/error.h"

#include <string.h>

/* Of text in UTF-16 too: its zeros are passed over. */
static gboolean
has_word (const guint8 *data, gsize length, const char *word)
{
  gsize matched = 0, wanted = strlen (word);
  for (gsize i = 0; i < MIN (length, 16384) && matched < wanted; i++)
    if (data[i] != 0)
      matched = data[i] == (guint8)word[matched] ? matched + 1 : data[i] == (guint8)word[0];
  return matched == wanted;
}

const char *
ecg_file_kind (const char *name, const guint8 *data, gsize length)
{
  if (length >= 132 && memcmp (data + 128, "DICM", 4) == 0)
    return "dicom";
  if (length >= 256 && (memcmp (data, "0       ", 8) == 0 || memcmp (data, "\377BIOSEMI", 8) == 0))
    return "edf";
  if (has_word (data, length, "<AnnotatedECG"))
    return "aecg";
  if (name != NULL && g_str_has_suffix (name, ".hea"))
    return "wfdb";
  /* A CRC, the length, then section 0, whose number is 0. */
  if (length >= 22
      && (memcmp (data + 16, "SCPECG", 6) == 0
          || (name != NULL && g_str_has_suffix (name, ".scp"))))
    return "scp";
  return NULL;
}

EcgRecording *
ecg_file_read (const char *kind, const guint8 *data, gsize length, EcgFind find, void *find_arg,
               GError **error)
{
  if (length == 0) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "the file is empty");
    return NULL;
  }
  if (g_str_equal (kind, "scp"))
    return ecg_scp_read (data, length, error);
  if (g_str_equal (kind, "aecg"))
    return ecg_aecg_read (data, length, error);
  if (g_str_equal (kind, "edf"))
    return ecg_edf_read (data, length, error);
  if (g_str_equal (kind, "wfdb"))
    return ecg_wfdb_read (data, length, find, find_arg, error);
  if (g_str_equal (kind, "dicom"))
    return ecg_dicom_read (data, length, error);
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "no such kind of ECG file: %s", kind);
  return NULL;
}
