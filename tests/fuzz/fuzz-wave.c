/* A message of the channel `wave`: what is read can be written and read again, the same. */
#include "media/devices/wave_codec.h"
#include <string.h>

static void
compare (const WavePacket *a, const WavePacket *b)
{
  gsize bytes = (gsize)__builtin_popcount (a->leads) * a->count * sizeof (gint32);
  if (a->stream != b->stream || a->epoch != b->epoch || a->first != b->first || a->count != b->count
      || a->leads != b->leads || a->lead_off != b->lead_off
      || memcmp (a->samples, b->samples, bytes) != 0)
    g_error ("what was written is read as something else");
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GPtrArray) packets = wave_codec_read (data, size);
  if (packets == NULL)
    return 0;
  g_autoptr (GByteArray) message = wave_codec_message ();
  for (guint i = 0; i < packets->len; i++)
    wave_codec_write (message, packets->pdata[i]);
  g_autoptr (GPtrArray) again = wave_codec_read (message->data, message->len);
  if (again == NULL || again->len != packets->len)
    g_error ("what was written is not read");
  for (guint i = 0; i < packets->len; i++)
    compare (packets->pdata[i], again->pdata[i]);
  return 0;
}
