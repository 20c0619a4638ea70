#include "media/devices/decode_kinds.h"
#include "media/devices/hl7_content.h"
#include "media/devices/mllp.h"
#include <string.h>

typedef struct {
  DecodeOut out;
  DecodeNote note;
  void *arg;
  Wcm *wcm;
  const Profile *profile;
  GError *error; /* the first */
  guint messages;
} Decoding;

static void
say_note (const Decoding *decoding, const char *what)
{
  g_autofree char *text = g_strdup_printf ("message %u: %s", decoding->messages, what);
  if (decoding->note != NULL)
    decoding->note (text, decoding->arg);
}

static void
hand_out (const Decoding *decoding, json_t *object)
{
  decoding->out (object, decoding->arg);
  json_decref (object);
}

static void
decode_message (const guint8 *data, gsize length, void *arg)
{
  Decoding *decoding = arg;
  GError *error = NULL;
  decoding->messages++;
  const Profile *profile = decoding->profile;
  g_autoptr (Hl7Message) message
      = hl7_parse (data, length, profile != NULL ? profile_charset (profile) : NULL, &error);
  if (message == NULL) {
    g_prefix_error (&error, "message %u: ", decoding->messages);
    if (decoding->error == NULL)
      decoding->error = error;
    else
      g_error_free (error);
    return;
  }
  if (!hl7_content_is_supported (message)) {
    g_autofree char *type = hl7_get_plain (message, 0, 9, 0);
    g_autofree char *text = g_strdup_printf (
        "%s is not supported (ORU^R01, ORU^R40, QRY and QBP^Q22 are): nothing of it is stored, "
        "its sender gets AR",
        type != NULL ? type : "a message without type");
    say_note (decoding, text);
    return;
  }
  g_autoptr (Hl7Content) content
      = hl7_content_read (message, profile, decoding->wcm, g_get_real_time (), 0, NULL);
  for (guint i = 0; i < content->observations->len; i++)
    hand_out (decoding, observation_to_json (content->observations->pdata[i]));
  for (guint i = 0; i < content->waves->len; i++)
    hand_out (decoding, wave_block_to_json (content->waves->pdata[i]));
  for (guint i = 0; i < content->alarms->len; i++)
    hand_out (decoding, device_alarm_to_json (content->alarms->pdata[i]));
  if (content->query)
    say_note (decoding, "asks who the patient is: nothing of it is stored, a station answers");
}

static void
decode_frame (const guint8 *data, gsize length, void *arg)
{
  hl7_split (data, length, decode_message, arg);
}

/* A frame's first byte stands before any message. */
static gboolean
is_framed (const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if (data[i] == 0x0B)
      return TRUE;
    if (data[i] == 'M' && length - i >= 3 && memcmp (data + i, "MSH", 3) == 0)
      return FALSE;
  }
  return FALSE;
}

static void
decode_stream (const guint8 *data, gsize length, Decoding *decoding)
{
  g_autoptr (Mllp) mllp = mllp_new ();
  mllp_feed (mllp, data, length, decode_frame, decoding);
  if (decoding->error == NULL && mllp_inside (mllp))
    decoding->error = g_error_new_literal (
        HL7_ERROR, HL7_ERROR_NO_MSH,
        "the file ends inside a message: its last frame has no end (1C), a station would wait");
}

gboolean
decode_hl7 (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
            GError **error)
{
  return device_decode_hl7 (NULL, data, length, out, note, arg, error);
}

gboolean
device_decode_hl7 (const Profile *profile, const guint8 *data, gsize length, DecodeOut out,
                   DecodeNote note, void *arg, GError **error)
{
  g_autoptr (Wcm) wcm = wcm_new ();
  Decoding decoding = { .out = out, .note = note, .arg = arg, .wcm = wcm, .profile = profile };
  if (is_framed (data, length))
    decode_stream (data, length, &decoding);
  else
    decode_frame (data, length, &decoding);
  if (decoding.error != NULL) {
    g_propagate_error (error, decoding.error);
    return FALSE;
  }
  if (decoding.messages == 0) {
    g_set_error_literal (error, HL7_ERROR, HL7_ERROR_NO_MSH, "no complete message in the file");
    return FALSE;
  }
  return TRUE;
}
