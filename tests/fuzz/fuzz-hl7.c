/* HL7 over MLLP, from raw bytes of a socket to the observations and the acknowledgement. */
#include "media/devices/hl7_ack.h"
#include "media/devices/mllp.h"
#include "media/devices/pcd01.h"

static void
on_message (const guint8 *data, gsize length, void *arg)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Hl7Message) message = hl7_parse (data, length, &error);
  if (message == NULL) {
    g_autoptr (GPtrArray) replies = hl7_reject (data, length, error, 0);
    return;
  }
  g_autoptr (GPtrArray) observations = pcd01_observations (message, 0, "127.0.0.1");
  for (guint i = 0; i < observations->len; i++) {
    json_t *object = observation_to_json (g_ptr_array_index (observations, i));
    g_autofree char *text = json_dumps (object, JSON_COMPACT);
    /* Whatever was sent, what is kept is valid UTF-8, hence valid JSON. */
    if (text == NULL)
      g_error ("an observation that cannot be written");
    json_decref (object);
  }
  g_autoptr (GPtrArray) replies = hl7_acknowledge (message, error, 0);
}

static void
on_frame (const guint8 *data, gsize length, void *arg)
{
  hl7_split (data, length, on_message, arg);
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  /* The first byte chooses: a stream of frames cut into pieces, or one bare message. */
  if (size < 1)
    return 0;
  if (data[0] & 1) {
    on_message (data + 1, size - 1, NULL);
    return 0;
  }
  g_autoptr (Mllp) mllp = mllp_new ();
  gsize step = 1 + (data[0] >> 1);
  for (gsize at = 1; at < size; at += step)
    mllp_feed (mllp, data + at, MIN (step, size - at), on_frame, NULL);
  return 0;
}
