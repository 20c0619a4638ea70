#include "media/capture/voice.h"

#include <math.h>
#include <opus/opus.h>
#include <string.h>

enum {
  LONGEST = VOICE_RATE * 120 / 1000, /* RFC 6716 2.1.4 */
  USUAL = VOICE_RATE / 50,
  WAITING_MAX = VOICE_RATE / 2,
  START = VOICE_RATE * 40 / 1000, /* waits before it is heard */
  DEEP = VOICE_RATE * 80 / 1000,  /* what waits all the time beyond this is shortened */
  WATCH = VOICE_RATE,             /* over so long */
  CONCEAL_MAX = VOICE_RATE / 10,
  MISSED_MAX = 5, /* frames; more is a pause */
  /* shortening: a piece of 2.5 to 10 ms, crossfaded over 5 ms */
  PIECE_MIN = 120,
  PIECE_MAX = 480,
  FADE = 240,
};

struct Voice {
  OpusDecoder *decoder;
  GQueue frames; /* Frame */
  guint waiting; /* samples in them */
  gboolean heard;
  guint guessed; /* samples in a row */
  guint frame_size;
  float pcm[2 * LONGEST]; /* decoded and not yet taken */
  guint n_pcm;
  guint watched, least; /* samples since the watch began; least depth since */
  VoiceStats stats;
};

Voice *
voice_new (void)
{
  Voice *v = g_new0 (Voice, 1);
  int error = 0;
  v->decoder = opus_decoder_create (VOICE_RATE, 1, &error);
  if (v->decoder == NULL)
    g_error ("no memory for a decoder"); /* the only error there is */
  g_queue_init (&v->frames);
  v->frame_size = USUAL;
  v->least = G_MAXUINT;
  return v;
}

void
voice_free (Voice *v)
{
  opus_decoder_destroy (v->decoder);
  g_queue_clear_full (&v->frames, (GDestroyNotify)frame_unref);
  g_free (v);
}

static int
samples_of (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  return size > 0 ? opus_packet_get_nb_samples (data, (opus_int32)size, VOICE_RATE) : -1;
}

static Frame *
take_frame (Voice *v)
{
  Frame *frame = g_queue_pop_head (&v->frames);
  v->waiting -= (guint)samples_of (frame);
  return frame;
}

void
voice_put (Voice *v, Frame *frame)
{
  int n = samples_of (frame);
  if (frame->codec != MEDIA_OPUS || n <= 0 || n > LONGEST) {
    v->stats.dropped++;
    return;
  }
  while (v->waiting + (guint)n > WAITING_MAX) {
    frame_unref (take_frame (v));
    v->stats.dropped++;
  }
  g_queue_push_tail (&v->frames, frame_ref (frame));
  v->waiting += (guint)n;
}

/* data NULL: a guess. */
static gboolean
decode (Voice *v, const guint8 *data, gsize size, guint n, gboolean fec)
{
  int got = opus_decode_float (v->decoder, data, (opus_int32)size, v->pcm + v->n_pcm, (int)n, fec);
  if (got <= 0)
    return FALSE;
  v->n_pcm += (guint)got;
  return TRUE;
}

static void
guess (Voice *v, guint n)
{
  decode (v, NULL, 0, n, FALSE);
  v->guessed += n;
  v->stats.concealed += n;
}

/* What was lost before this frame and has not been guessed while the loudspeaker waited for it.
 * The last of it may be in the frame itself. One at a time, so that pcm does not overflow. */
static gboolean
fill_gap (Voice *v, Frame *frame, guint n)
{
  guint missing = frame->missed <= MISSED_MAX ? frame->missed * n : 0;
  if (missing < v->guessed + n)
    return FALSE;
  if (missing >= v->guessed + 2 * n) {
    guess (v, n);
    return TRUE;
  }
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  if (!decode (v, data, size, n, TRUE))
    return FALSE;
  v->guessed += n; /* it is no longer missing */
  v->stats.recovered++;
  return TRUE;
}

static void
decode_next (Voice *v)
{
  Frame *head = g_queue_peek_head (&v->frames);
  guint n = (guint)samples_of (head);
  if (fill_gap (v, head, n))
    return;
  g_autoptr (Frame) frame = take_frame (v);
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  v->frame_size = n;
  v->guessed = 0;
  if (decode (v, data, size, LONGEST, FALSE))
    v->stats.frames++;
  else
    v->stats.dropped++;
}

static double
likeness (const float *a, const float *b)
{
  double ab = 0, aa = 1e-9, bb = 1e-9;
  for (guint i = 0; i < FADE; i++) {
    ab += (double)a[i] * b[i];
    aa += (double)a[i] * a[i];
    bb += (double)b[i] * b[i];
  }
  return ab / sqrt (aa * bb);
}

/* Leaves out the piece after which the sound goes on most like at its begin: a pitch period, or
 * silence (as WSOLA does, Verhelst and Roelands 1993). */
static void
shorten (Voice *v)
{
  while (v->n_pcm < PIECE_MAX + FADE && !g_queue_is_empty (&v->frames))
    decode_next (v);
  if (v->n_pcm < PIECE_MAX + FADE)
    return;
  guint best = 0;
  double most = -1;
  for (guint piece = PIECE_MIN; piece <= PIECE_MAX; piece += 4) {
    double like = likeness (v->pcm, v->pcm + piece);
    if (like > most) {
      most = like;
      best = piece;
    }
  }
  for (guint i = 0; i < FADE; i++) {
    float in = (float)i / FADE;
    v->pcm[i] = v->pcm[i] * (1 - in) + v->pcm[best + i] * in;
  }
  memmove (v->pcm + FADE, v->pcm + best + FADE, (v->n_pcm - best - FADE) * sizeof *v->pcm);
  v->n_pcm -= best;
  v->stats.shortened += best;
}

/* Too much has been waiting for a whole second. */
static void
watch_depth (Voice *v, guint n)
{
  v->least = MIN (v->least, v->waiting + v->n_pcm);
  v->watched += n;
  if (v->watched < WATCH)
    return;
  if (v->least > DEEP)
    shorten (v);
  /* Much too deep: at once again, until it is right. */
  v->watched = v->least > 2 * DEEP ? WATCH : 0;
  v->least = G_MAXUINT;
}

/* FALSE: silence. */
static gboolean
provide (Voice *v, guint n)
{
  if (!v->heard && v->waiting < START)
    return FALSE;
  v->heard = TRUE;
  while (v->n_pcm < n) {
    if (!g_queue_is_empty (&v->frames))
      decode_next (v);
    else if (v->guessed < CONCEAL_MAX)
      guess (v, v->frame_size);
    else {
      v->heard = v->n_pcm > 0;
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
voice_mix (Voice *v, float *out, guint n)
{
  if (!provide (v, n))
    return FALSE;
  for (guint i = 0; i < n; i++)
    out[i] += v->pcm[i];
  v->n_pcm -= n;
  memmove (v->pcm, v->pcm + n, v->n_pcm * sizeof *v->pcm);
  watch_depth (v, n);
  return TRUE;
}

void
voice_stats (const Voice *v, VoiceStats *ret_stats)
{
  *ret_stats = v->stats;
  ret_stats->depth = v->waiting + v->n_pcm;
}
