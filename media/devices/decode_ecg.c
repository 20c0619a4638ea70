#include "media/devices/decode_kinds.h"
#include "media/devices/ecg_file.h"

static gboolean
decode (const char *kind, const guint8 *data, gsize length, DecodeFind find, void *find_arg,
        DecodeOut out, void *arg, GError **error)
{
  g_autoptr (EcgRecording) recording = ecg_file_read (kind, data, length, find, find_arg, error);
  if (recording == NULL)
    return FALSE;
  ecg_recording_each (recording, out, arg);
  return TRUE;
}

gboolean
decode_scp (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
            GError **error)
{
  return decode ("scp", data, length, NULL, NULL, out, arg, error);
}

gboolean
decode_aecg (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
             GError **error)
{
  return decode ("aecg", data, length, NULL, NULL, out, arg, error);
}

gboolean
decode_edf (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
            GError **error)
{
  return decode ("edf", data, length, NULL, NULL, out, arg, error);
}

gboolean
decode_dicom_ecg (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                  GError **error)
{
  return decode ("dicom", data, length, NULL, NULL, out, arg, error);
}

gboolean
decode_wfdb (const guint8 *data, gsize length, DecodeFind find, void *find_arg, DecodeOut out,
             DecodeNote note, void *arg, GError **error)
{
  return decode ("wfdb", data, length, find, find_arg, out, arg, error);
}
