#include "media/devices/wave_codec.h"

#include <string.h>

enum {
  ORDERS = 4,     /* differences of order 0 to 3 */
  ORDER_BITS = 2, //
  K_BITS = 5,
  K_MAX = 31,
  ESCAPE = 20,     /* so many ones, and the value follows as it is */
  LENGTH_BITS = 6, /* of the first sample */
};

/* ---- Bits, the most significant first ---------------------------------------------------------
 */

typedef struct {
  GByteArray *out;
  guint64 bits; /* not written yet, in the low end */
  guint n;
} BitWriter;

static void
put_bits (BitWriter *writer, guint32 value, guint n)
{
  writer->bits = writer->bits << n | value;
  writer->n += n;
  while (writer->n >= 8) {
    guint8 byte = (guint8)(writer->bits >> (writer->n - 8));
    g_byte_array_append (writer->out, &byte, 1);
    writer->n -= 8;
  }
}

static void
flush_bits (BitWriter *writer)
{
  if (writer->n > 0)
    put_bits (writer, 0, 8 - writer->n);
}

typedef struct {
  const guint8 *at, *end;
  guint64 bits;
  guint n;
  gboolean bad; /* read beyond the end */
} BitReader;

/* n ≤ 32 */
static guint32
get_bits (BitReader *reader, guint n)
{
  while (reader->n < n) {
    if (reader->at == reader->end) {
      reader->bad = TRUE;
      return 0;
    }
    reader->bits = reader->bits << 8 | *reader->at++;
    reader->n += 8;
  }
  reader->n -= n;
  return (guint32)(reader->bits >> reader->n & ((G_GUINT64_CONSTANT (1) << n) - 1));
}

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

/* Small numbers of either sign become small ones without. */
static guint32
fold (guint32 value)
{
  return value << 1 ^ (guint32) - (gint32)(value >> 31);
}

static guint32
unfold (guint32 value)
{
  return value >> 1 ^ (0u - (value & 1));
}

static guint
length_of (guint32 value)
{
  return value == 0 ? 0 : (guint)g_bit_storage (value);
}

static void
put_length (BitWriter *writer, guint32 value)
{
  guint n = length_of (value);
  put_bits (writer, n, LENGTH_BITS);
  if (n > 0)
    put_bits (writer, value, n);
}

static guint32
get_length (BitReader *reader)
{
  guint n = get_bits (reader, LENGTH_BITS);
  if (n > 32)
    reader->bad = TRUE;
  return n > 0 && n <= 32 ? get_bits (reader, n) : 0;
}

static guint
rice_cost (guint32 value, guint k)
{
  guint32 ones = value >> k;
  return ones < ESCAPE ? ones + 1 + k : ESCAPE + 32;
}

static void
put_rice (BitWriter *writer, guint32 value, guint k)
{
  guint32 ones = value >> k;
  if (ones >= ESCAPE) {
    put_bits (writer, (1u << ESCAPE) - 1, ESCAPE);
    put_bits (writer, value, 32);
    return;
  }
  put_bits (writer, ((1u << ones) - 1) << 1, ones + 1);
  if (k > 0)
    put_bits (writer, value & ((1u << k) - 1), k);
}

static guint32
get_rice (BitReader *reader, guint k)
{
  guint32 ones = 0;
  while (ones < ESCAPE && get_bits (reader, 1) == 1)
    ones++;
  if (ones == ESCAPE)
    return get_bits (reader, 32);
  return ones << k | (k > 0 ? get_bits (reader, k) : 0);
}

/* ---- A lead -------------------------------------------------------------------------------------
 */

/* What the samples before say of sample i: the polynomial of that order through them; of a lower
 * order where they are too few. Wraps. */
static guint32
predict (const guint32 *x, guint i, guint order)
{
  switch (MIN (i, order)) {
  case 0:
    return 0;
  case 1:
    return x[i - 1];
  case 2:
    return 2 * x[i - 1] - x[i - 2];
  default:
    return 3 * (x[i - 1] - x[i - 2]) + x[i - 3];
  }
}

static guint64
cost_of (const guint32 *residuals, guint n, guint k)
{
  guint64 cost = 0;
  for (guint i = 1; i < n; i++)
    cost += rice_cost (residuals[i], k);
  return cost;
}

/* The best k lies beside the logarithm of the mean. */
static guint64
choose_k (const guint32 *residuals, guint n, guint *ret_k)
{
  guint64 sum = 0, best = G_MAXUINT64;
  for (guint i = 1; i < n; i++)
    sum += residuals[i];
  guint middle = n > 1 ? length_of ((guint32)(sum / (n - 1))) : 0;
  for (guint k = middle > 2 ? middle - 2 : 0; k <= MIN (middle + 1, K_MAX); k++) {
    guint64 cost = cost_of (residuals, n, k);
    if (cost < best) {
      best = cost;
      *ret_k = k;
    }
  }
  return best;
}

static void
put_samples (BitWriter *writer, const guint32 *x, guint n)
{
  g_autofree guint32 *residuals = g_new (guint32, n);
  guint64 best = G_MAXUINT64;
  guint order = 0, k = 0;
  for (guint o = 0; o < ORDERS; o++) {
    guint its_k = 0;
    for (guint i = 1; i < n; i++)
      residuals[i] = fold (x[i] - predict (x, i, o));
    guint64 cost = choose_k (residuals, n, &its_k);
    if (cost < best) {
      best = cost;
      order = o;
      k = its_k;
    }
  }
  put_bits (writer, order, ORDER_BITS);
  put_bits (writer, k, K_BITS);
  put_length (writer, fold (x[0]));
  for (guint i = 1; i < n; i++)
    put_rice (writer, fold (x[i] - predict (x, i, order)), k);
}

static void
get_samples (BitReader *reader, guint32 *x, guint n)
{
  guint order = get_bits (reader, ORDER_BITS);
  guint k = get_bits (reader, K_BITS);
  x[0] = unfold (get_length (reader));
  for (guint i = 1; i < n && !reader->bad; i++)
    x[i] = predict (x, i, order) + unfold (get_rice (reader, k));
}

/* Runs of samples that are there and that are not, in turn, the first of them there (maybe none).
 */
static void
put_runs (BitWriter *writer, const gint32 *samples, guint n)
{
  gboolean missing = FALSE;
  for (guint i = 0; i < n; missing = !missing) {
    guint run = 0;
    while (i + run < n && (samples[i + run] == WAVE_MISSING) == missing)
      run++;
    put_length (writer, run);
    i += run;
  }
}

static void
put_lead (BitWriter *writer, const gint32 *samples, guint n)
{
  g_autofree guint32 *present = g_new (guint32, n);
  guint count = 0;
  for (guint i = 0; i < n; i++)
    if (samples[i] != WAVE_MISSING)
      present[count++] = (guint32)samples[i];
  put_bits (writer, count < n, 1);
  if (count < n)
    put_runs (writer, samples, n);
  if (count > 0)
    put_samples (writer, present, count);
}

/* Marks the missing ones; gives how many are there. */
static guint
get_runs (BitReader *reader, gint32 *samples, guint n)
{
  guint count = 0;
  gboolean missing = FALSE;
  for (guint i = 0; i < n && !reader->bad; missing = !missing) {
    guint32 run = get_length (reader);
    if (run > n - i || (run == 0 && i > 0)) {
      reader->bad = TRUE;
      return 0;
    }
    for (guint j = 0; j < run; j++)
      samples[i++] = missing ? WAVE_MISSING : 0;
    count += missing ? 0 : run;
  }
  return count;
}

static void
get_lead (BitReader *reader, gint32 *samples, guint n)
{
  guint count = n;
  g_autofree guint32 *present = g_new0 (guint32, n);
  if (get_bits (reader, 1) == 1)
    count = get_runs (reader, samples, n);
  else
    memset (samples, 0, n * sizeof *samples);
  if (count > 0 && !reader->bad)
    get_samples (reader, present, count);
  for (guint i = 0, j = 0; i < n; i++)
    if (samples[i] != WAVE_MISSING)
      samples[i] = (gint32)present[j++];
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
  BitWriter writer = { .out = block };
  put_varint (block, packet->stream);
  put_varint (block, packet->epoch);
  put_varint (block, packet->first);
  put_varint (block, packet->count);
  put_varint (block, packet->leads);
  put_varint (block, packet->lead_off);
  for (guint i = 0; i < count_leads (packet->leads); i++)
    put_lead (&writer, packet->samples + (gsize)i * packet->count, packet->count);
  flush_bits (&writer);
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
  BitReader reader = { .at = at, .end = end };
  packet->samples = g_new0 (gint32, (gsize)leads * packet->count);
  for (guint i = 0; i < leads && !reader.bad; i++)
    get_lead (&reader, packet->samples + (gsize)i * packet->count, packet->count);
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
