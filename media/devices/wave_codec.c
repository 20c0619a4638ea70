#include "media/devices/wave_codec.h"
#include "media/devices/wave_lead.h"

#include <string.h>

/* ---- Numbers ------------------------------------------------------------------------------------
 */

static void
put_varint (GByteArray *out, guint64 value)
{
  do {
    guint8 byte = (guint8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    g_byte_array_append (out, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static gboolean
get_varint (const guint8 **at, const guint8 *end, guint64 most, guint64 *ret_value)
{
  guint64 value = 0;
  for (guint shift = 0; shift < 63; shift += 7) {
    if (*at == end)
      return FALSE;
    guint8 byte = *(*at)++;
    value |= (guint64)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *ret_value = value;
      return value <= most;
    }
  }
  return FALSE;
}

/* ---- A message ----------------------------------------------------------------------------------
 */

GByteArray *
wave_codec_message (void)
{
  static const guint8 version = WAVE_CODEC_VERSION;
  return g_byte_array_append (g_byte_array_new (), &version, 1);
}

static guint
count_leads (guint32 mask)
{
  return (guint)__builtin_popcount (mask);
}

void
wave_codec_write (GByteArray *message, const WavePacket *packet)
{
  g_autoptr (GByteArray) block = g_byte_array_new ();
  WaveBitWriter writer = { .out = block };
  put_varint (block, packet->stream);
  put_varint (block, packet->epoch);
  put_varint (block, packet->first);
  put_varint (block, packet->count);
  put_varint (block, packet->leads);
  put_varint (block, packet->lead_off);
  for (guint i = 0; i < count_leads (packet->leads); i++)
    wave_lead_write (&writer, packet->samples + (gsize)i * packet->count, packet->count);
  wave_lead_flush (&writer);
  put_varint (message, block->len);
  g_byte_array_append (message, block->data, block->len);
}

void
wave_codec_write_block (GByteArray *message, guint32 stream, guint32 epoch, const WaveBlock *block,
                        guint from, guint count, guint32 leads)
{
  g_autofree gint32 *samples = g_new (gint32, (gsize)count * count_leads (leads));
  WavePacket packet = { .stream = stream,
                        .epoch = epoch,
                        .first = block->first + from,
                        .count = count,
                        .leads = leads,
                        .lead_off = block->lead_off,
                        .samples = samples };
  for (guint lead = 0, i = 0; lead < block->stream->lead_count; lead++)
    if (leads >> lead & 1)
      memcpy (samples + (gsize)count * i++, block->samples + (gsize)lead * block->count + from,
              count * sizeof *samples);
  wave_codec_write (message, &packet);
}

static gboolean
read_head (WavePacket *packet, const guint8 **at, const guint8 *end)
{
  guint64 stream, epoch, count, leads, lead_off;
  if (!get_varint (at, end, G_MAXUINT32, &stream) || !get_varint (at, end, G_MAXUINT32, &epoch)
      || !get_varint (at, end, WAVE_CODEC_FIRST_MAX, &packet->first)
      || !get_varint (at, end, WAVE_CODEC_COUNT_MAX, &count) || count == 0
      || !get_varint (at, end, G_MAXUINT32, &leads) || leads == 0
      || !get_varint (at, end, G_MAXUINT32, &lead_off))
    return FALSE;
  packet->stream = (guint32)stream;
  packet->epoch = (guint32)epoch;
  packet->count = (guint)count;
  packet->leads = (guint32)leads;
  packet->lead_off = (guint32)lead_off;
  return TRUE;
}

/* room: for so many samples, less what is taken. */
static WavePacket *
read_block (const guint8 *at, const guint8 *end, guint *room)
{
  WavePacket *packet = g_new0 (WavePacket, 1);
  gboolean good = read_head (packet, &at, end);
  guint leads = count_leads (packet->leads);
  if (!good || leads * packet->count > *room) {
    wave_packet_free (packet);
    return NULL;
  }
  *room -= leads * packet->count;
  WaveBitReader reader = { .at = at, .end = end };
  packet->samples = g_new0 (gint32, (gsize)leads * packet->count);
  for (guint i = 0; i < leads && !reader.bad; i++)
    wave_lead_read (&reader, packet->samples + (gsize)i * packet->count, packet->count);
  if (reader.bad)
    g_clear_pointer (&packet, wave_packet_free);
  return packet;
}

static void
packet_destroy (void *data)
{
  wave_packet_free (data);
}

GPtrArray *
wave_codec_read (const guint8 *message, gsize size)
{
  g_autoptr (GPtrArray) packets = g_ptr_array_new_with_free_func (packet_destroy);
  const guint8 *at = message + 1, *end = message + size;
  guint room = WAVE_CODEC_SAMPLES_MAX;
  if (size < 1 || message[0] != WAVE_CODEC_VERSION)
    return NULL;
  while (at < end) {
    guint64 length;
    if (!get_varint (&at, end, (guint64)(end - at), &length) || length > (guint64)(end - at))
      return NULL;
    WavePacket *packet = read_block (at, at + length, &room);
    if (packet == NULL)
      return NULL;
    g_ptr_array_add (packets, packet);
    at += length;
  }
  return g_steal_pointer (&packets);
}

void
wave_packet_free (WavePacket *packet)
{
  if (packet == NULL)
    return;
  g_free (packet->samples);
  g_free (packet);
}
