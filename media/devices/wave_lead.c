#include "media/devices/wave_lead.h"

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

static void
put_bits (WaveBitWriter *writer, guint32 value, guint n)
{
  writer->bits = writer->bits << n | value;
  writer->n += n;
  while (writer->n >= 8) {
    guint8 byte = (guint8)(writer->bits >> (writer->n - 8));
    g_byte_array_append (writer->out, &byte, 1);
    writer->n -= 8;
  }
}

void
wave_lead_flush (WaveBitWriter *writer)
{
  if (writer->n > 0)
    put_bits (writer, 0, 8 - writer->n);
}

/* n ≤ 32 */
static guint32
get_bits (WaveBitReader *reader, guint n)
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
put_length (WaveBitWriter *writer, guint32 value)
{
  guint n = length_of (value);
  put_bits (writer, n, LENGTH_BITS);
  if (n > 0)
    put_bits (writer, value, n);
}

static guint32
get_length (WaveBitReader *reader)
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
put_rice (WaveBitWriter *writer, guint32 value, guint k)
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
get_rice (WaveBitReader *reader, guint k)
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
put_samples (WaveBitWriter *writer, const guint32 *x, guint n)
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
get_samples (WaveBitReader *reader, guint32 *x, guint n)
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
put_runs (WaveBitWriter *writer, const gint32 *samples, guint n)
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

void
wave_lead_write (WaveBitWriter *writer, const gint32 *samples, guint n)
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
get_runs (WaveBitReader *reader, gint32 *samples, guint n)
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

void
wave_lead_read (WaveBitReader *reader, gint32 *samples, guint n)
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
