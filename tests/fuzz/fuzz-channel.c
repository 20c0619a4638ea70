/* Messages of a page on its streams: opening, acknowledging, data, resets.
 * Input: records of stream, kind, length (two bytes), content. */
#include "media/transport/channel.h"
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static guint n_open;

static void
on_send (Sctp *sctp, const guint8 *packet, gsize size, void *arg)
{
}

static void
on_change (Channels *channels, const char *label, gboolean open, void *arg)
{
  g_assert_true (g_utf8_validate (label, -1, NULL));
  g_assert_cmpuint (strlen (label), <=, CHANNEL_MAX_LABEL);
  n_open += open ? 1 : -1;
  g_assert_cmpuint (n_open, <=, CHANNEL_MAX_COUNT);
}

static void
on_message (Channels *channels, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  g_assert_true (!text || size == 0 || g_utf8_validate_len (bytes, size, NULL));
}

static void
one_record (Channels *channels, guint8 stream, guint8 kind, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);
  if (kind == 0)
    channels_reset (channels, stream);
  else
    channels_receive (channels, stream, 48 + kind % 16, message);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const SctpEvents sctp_events = { .send = on_send };
  static const ChannelEvents events = { .change = on_change, .message = on_message };
  /* Never connected: what we would say waits in its queue, which is bounded. */
  g_autoptr (Sctp) sctp = sctp_new (NULL, SCTP_PORT, 1160, &sctp_events, NULL, NULL);
  g_autoptr (Channels) channels = channels_new (sctp, FALSE, 0, &events, NULL);
  n_open = 0;
  channels_open (channels, "data", FALSE, 0);
  while (size >= 4) {
    gsize length = MIN ((gsize)data[2] << 8 | data[3], size - 4);
    one_record (channels, data[0], data[1], data + 4, length);
    data += 4 + length;
    size -= 4 + length;
  }
  channels_down (channels);
  g_assert_cmpuint (n_open, ==, 0);
  return 0;
}
