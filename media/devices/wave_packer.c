#include "media/devices/wave_packer.h"

#include <string.h>

/* Samples without a gap, of one stream and epoch. */
typedef struct {
  WavePacket head; /* samples NULL, count as gathered */
  guint n;         /* leads that are here */
  GArray *samples; /* gint32, sample after sample: the leads of the first, of the second … */
} Run;

struct WavePacker {
  gsize size_max;
  GPtrArray *runs; /* Run* */
};

static void
run_free (void *data)
{
  Run *run = data;
  g_array_unref (run->samples);
  g_free (run);
}

WavePacker *
wave_packer_new (gsize size_max)
{
  WavePacker *packer = g_new0 (WavePacker, 1);
  packer->size_max = size_max;
  packer->runs = g_ptr_array_new_with_free_func (run_free);
  return packer;
}

void
wave_packer_free (WavePacker *packer)
{
  if (packer == NULL)
    return;
  g_ptr_array_unref (packer->runs);
  g_free (packer);
}

gboolean
wave_packer_is_empty (const WavePacker *packer)
{
  return packer->runs->len == 0;
}

/* The run that the block goes on with: the newest of its stream, if it fits. */
static Run *
find_run (WavePacker *packer, const WavePacket *head)
{
  for (guint i = packer->runs->len; i > 0; i--) {
    Run *run = packer->runs->pdata[i - 1];
    const WavePacket *it = &run->head;
    if (it->stream == head->stream)
      return it->epoch == head->epoch && it->first + it->count == head->first
                     && it->leads == head->leads && it->lead_off == head->lead_off
                 ? run
                 : NULL;
  }
  return NULL;
}

static Run *
run_new (WavePacker *packer, const WavePacket *head)
{
  Run *run = g_new0 (Run, 1);
  run->head = *head;
  run->n = (guint)__builtin_popcount (head->leads);
  run->samples = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_ptr_array_add (packer->runs, run);
  return run;
}

void
wave_packer_push (WavePacker *packer, guint32 stream, guint32 epoch, const WaveBlock *block,
                  guint32 leads)
{
  WavePacket head = { .stream = stream,
                      .epoch = epoch,
                      .first = block->first,
                      .leads = leads,
                      .lead_off = block->lead_off };
  if (block->count == 0 || leads == 0)
    return;
  Run *run = find_run (packer, &head);
  if (run == NULL)
    run = run_new (packer, &head);
  for (guint i = 0; i < block->count; i++)
    for (guint lead = 0; lead < block->stream->lead_count; lead++)
      if (leads >> lead & 1)
        g_array_append_val (run->samples, block->samples[(gsize)lead * block->count + i]);
  run->head.count += block->count;
}

/* ---- Messages -----------------------------------------------------------------------------------
 */

typedef struct {
  gsize size_max;
  GByteArray *message; /* under way; NULL: none */
  GPtrArray *done;
} Taking;

static void
finish_message (Taking *taking)
{
  if (taking->message != NULL)
    g_ptr_array_add (taking->done, g_byte_array_free_to_bytes (taking->message));
  taking->message = NULL;
}

static void
write_part (GByteArray *message, const Run *run, guint from, guint count)
{
  g_autofree gint32 *samples = g_new (gint32, (gsize)count * run->n);
  const gint32 *all = (const gint32 *)(void *)run->samples->data + (gsize)from * run->n;
  for (guint lead = 0; lead < run->n; lead++)
    for (guint i = 0; i < count; i++)
      samples[(gsize)lead * count + i] = all[(gsize)i * run->n + lead];
  WavePacket packet = run->head;
  packet.first += from;
  packet.count = count;
  packet.samples = samples;
  wave_codec_write (message, &packet);
}

/* Halved until it fits: the next message is begun for it, if need be. */
static void
take_part (Taking *taking, const Run *run, guint from, guint count)
{
  if (count <= WAVE_CODEC_COUNT_MAX) {
    g_autoptr (GByteArray) part = g_byte_array_new ();
    write_part (part, run, from, count);
    gsize gathered = taking->message != NULL ? taking->message->len : 1;
    if (count == 1 || gathered + part->len <= taking->size_max
        || 1 + part->len <= taking->size_max) {
      if (gathered + part->len > taking->size_max)
        finish_message (taking);
      if (taking->message == NULL)
        taking->message = wave_codec_message ();
      g_byte_array_append (taking->message, part->data, part->len);
      return;
    }
  }
  take_part (taking, run, from, count / 2);
  take_part (taking, run, from + count / 2, count - count / 2);
}

static void
bytes_destroy (void *data)
{
  g_bytes_unref (data);
}

GPtrArray *
wave_packer_take (WavePacker *packer)
{
  Taking taking
      = { .size_max = packer->size_max, .done = g_ptr_array_new_with_free_func (bytes_destroy) };
  for (guint i = 0; i < packer->runs->len; i++) {
    const Run *run = packer->runs->pdata[i];
    take_part (&taking, run, 0, run->head.count);
  }
  finish_message (&taking);
  g_ptr_array_set_size (packer->runs, 0);
  return taking.done;
}
