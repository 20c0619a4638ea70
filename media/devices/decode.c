#include "media/devices/decode.h"
#include "media/devices/mllp.h"
#include "media/devices/pcd01.h"
#include <gio/gio.h>
#include <string.h>

static const char *const KINDS[] = { "hl7", NULL };

const char *const *
device_decode_kinds (void)
{
  return KINDS;
}

typedef struct {
  DecodeOut out;
  void *arg;
  GError *error; /* the first */
  guint messages;
} Decoding;

static void
decode_message (const guint8 *data, gsize length, void *arg)
{
  Decoding *decoding = arg;
  GError *error = NULL;
  decoding->messages++;
  g_autoptr (Hl7Message) message = hl7_parse (data, length, &error);
  if (message == NULL) {
    g_prefix_error (&error, "message %u: ", decoding->messages);
    if (decoding->error == NULL)
      decoding->error = error;
    else
      g_error_free (error);
    return;
  }
  if (!pcd01_is_supported (message))
    return;
  g_autoptr (GPtrArray) observations = pcd01_observations (message, g_get_real_time (), NULL);
  for (guint i = 0; i < observations->len; i++) {
    json_t *object = observation_to_json (g_ptr_array_index (observations, i));
    decoding->out (object, decoding->arg);
    json_decref (object);
  }
}

/* Where the next message begins: "MSH" at the start of a line. */
static gsize
next_header (const guint8 *data, gsize length, gsize from)
{
  for (gsize i = from; i + 3 < length; i++)
    if ((i == 0 || data[i - 1] == '\r' || data[i - 1] == '\n') && memcmp (data + i, "MSH", 3) == 0)
      return i;
  return length;
}

/* Without frames: one message, or a batch whose FHS, BHS, BTS, FTS lines carry no reading. */
static void
decode_unframed (const guint8 *data, gsize length, Decoding *decoding)
{
  gsize start = next_header (data, length, 0);
  if (start == length) {
    decode_message (data, length, decoding);
    return;
  }
  while (start < length) {
    gsize end = next_header (data, length, start + 3);
    decode_message (data + start, end - start, decoding);
    start = end;
  }
}

gboolean
device_decode (const char *kind, const guint8 *data, gsize length, DecodeOut out, void *arg,
               GError **error)
{
  if (!g_strv_contains (KINDS, kind)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no such kind: %s (known: hl7)",
                 kind);
    return FALSE;
  }
  Decoding decoding = { .out = out, .arg = arg };
  if (memchr (data, 0x0B, length) != NULL) {
    g_autoptr (Mllp) mllp = mllp_new ();
    mllp_feed (mllp, data, length, decode_message, &decoding);
  } else {
    decode_unframed (data, length, &decoding);
  }
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
