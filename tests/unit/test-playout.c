/* Remote voices: loss, lateness, clocks that differ, nonsense; and the loudspeaker they go to. */
#include <math.h>
#include <opus/opus.h>
#include <string.h>
#include "media/capture/babble.h"
#include "media/capture/playout.h"
#include "media/capture/voice.h"

enum { RATE = VOICE_RATE, FRAME = RATE / 50, BLOCK = RATE / 100, SECONDS = 20 };

/* Speech as Opus frames, made once. */
static GPtrArray *frames;
static gint16 *speech;

static void
make_frames (void)
{
  int error;
  OpusEncoder *encoder = opus_encoder_create (RATE, 1, OPUS_APPLICATION_VOIP, &error);
  opus_encoder_ctl (encoder, OPUS_SET_BITRATE (32000));
  opus_encoder_ctl (encoder, OPUS_SET_INBAND_FEC (1));
  opus_encoder_ctl (encoder, OPUS_SET_PACKET_LOSS_PERC (10));
  speech = g_new (gint16, RATE * SECONDS);
  babble (speech, RATE * SECONDS, RATE, 3);
  frames = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  for (guint i = 0; i < SECONDS * 50; i++) {
    guint8 packet[1500];
    opus_int32 size = opus_encode (encoder, speech + i * FRAME, FRAME, packet, sizeof packet);
    g_assert_cmpint (size, >, 0);
    g_autoptr (GBytes) data = g_bytes_new (packet, (gsize)size);
    g_ptr_array_add (frames, frame_new (MEDIA_OPUS, TRUE, 1 + i * 20000, 20000, data));
  }
  opus_encoder_destroy (encoder);
}

static void
put (Voice *voice, guint i, guint missed)
{
  const Frame *made = frames->pdata[i % frames->len];
  g_autoptr (Frame) frame
      = frame_new (made->codec, TRUE, made->capture_us, made->duration_us, made->data);
  frame->missed = missed;
  voice_put (voice, frame);
}

/* How much of b is a, 1 at best, at the delay where it is most. */
static double
alike (const float *a, const gint16 *b, guint n)
{
  double best = 0;
  for (guint delay = 0; delay < FRAME * 4; delay += 1) {
    double ab = 0, aa = 1e-9, bb = 1e-9;
    for (guint i = 0; i + delay < n; i += 7) {
      ab += (double)a[i + delay] * b[i];
      aa += (double)a[i + delay] * a[i + delay];
      bb += (double)b[i] * b[i];
    }
    best = MAX (best, ab / sqrt (aa * bb));
  }
  return best;
}

static void
test_clean (void)
{
  g_autoptr (Voice) voice = voice_new ();
  g_autofree float *heard = g_new0 (float, RATE * 10);
  guint silent = 0;
  for (guint at = 0; at < 10 * 100; at++) {
    if (at % 2 == 0)
      put (voice, at / 2, 0);
    silent += !voice_mix (voice, heard + at * BLOCK, BLOCK);
  }
  VoiceStats stats;
  voice_stats (voice, &stats);
  g_assert_cmpuint (silent, <=, 4);
  g_assert_cmpuint (stats.concealed + stats.recovered + stats.dropped + stats.shortened, ==, 0);
  g_assert_cmpfloat (alike (heard, speech, RATE * 10), >, 0.85);
}

/* One in ten lost: the codec's own FEC brings them back, nothing runs dry. */
static void
test_lost (void)
{
  g_autoptr (Voice) voice = voice_new ();
  g_autofree float *heard = g_new0 (float, RATE * 10);
  guint lost = 0, silent = 0;
  for (guint at = 0; at < 10 * 100; at++) {
    guint i = at / 2;
    if (at % 2 == 0 && i % 10 == 5)
      lost++;
    else if (at % 2 == 0)
      put (voice, i, i % 10 == 6);
    silent += !voice_mix (voice, heard + at * BLOCK, BLOCK);
  }
  VoiceStats stats;
  voice_stats (voice, &stats);
  g_test_message ("%u lost, %" G_GUINT64_FORMAT " asked of the codec, %.0f ms guessed, alike %.3f",
                  lost, stats.recovered, (double)stats.concealed * 1000 / RATE,
                  alike (heard, speech, RATE * 10));
  g_assert_cmpuint (silent, <=, 4);
  g_assert_cmpuint (stats.recovered, >=, lost * 8 / 10);
  g_assert_cmpuint (stats.concealed, <=, lost * FRAME / 2);
  g_assert_cmpfloat (alike (heard, speech, RATE * 10), >, 0.75);
}

/* Nothing for 80 ms, then all at once: guessed meanwhile, and the delay that it leaves goes. */
static void
test_late (void)
{
  g_autoptr (Voice) voice = voice_new ();
  float heard[BLOCK];
  guint next = 0, silent = 0, deepest = 0;
  VoiceStats stats;
  for (guint at = 0; at < 60 * 100; at++) {
    gboolean blocked = at % 1500 > 1000 && at % 1500 < 1009;
    while (!blocked && next <= at / 2)
      put (voice, next++, 0);
    silent += !voice_mix (voice, heard, BLOCK);
    voice_stats (voice, &stats);
    deepest = MAX (deepest, stats.depth);
  }
  g_test_message ("deepest %.0f ms, at the end %.0f ms", (double)deepest * 1000 / RATE,
                  (double)stats.depth * 1000 / RATE);
  g_assert_cmpuint (silent, <=, 4);
  g_assert_cmpuint (stats.concealed, >, 0);
  g_assert_cmpuint (stats.dropped, ==, 0);
  g_assert_cmpuint (deepest, <, RATE / 4);
  g_assert_cmpuint (stats.depth, <=, RATE * 8 / 100 + FRAME);
}

/* A speaker goes away for a second: silence, and a fresh start afterwards. */
static void
test_pause (void)
{
  g_autoptr (Voice) voice = voice_new ();
  float heard[BLOCK];
  guint silent = 0;
  for (guint at = 0; at < 600; at++) {
    if (at % 2 == 0 && (at < 200 || at >= 300))
      put (voice, at / 2, at == 300 ? 50 : 0);
    silent += !voice_mix (voice, heard, BLOCK);
  }
  VoiceStats stats;
  voice_stats (voice, &stats);
  g_assert_cmpuint (silent, >=, 80);
  g_assert_cmpuint (silent, <=, 100);
  g_assert_cmpuint (stats.concealed, <=, RATE / 10 + FRAME);
  g_assert_cmpuint (stats.recovered, ==, 0);
}

/* Clocks that differ by 200 ppm, each way, for ten minutes. */
static void
test_drift (gconstpointer data)
{
  double ratio = 1 + GPOINTER_TO_INT (data) / 1e6;
  g_autoptr (Voice) voice = voice_new ();
  float heard[BLOCK];
  guint next = 0, silent = 0, deepest = 0;
  VoiceStats stats;
  for (guint at = 0; at < 600 * 100; at++) {
    while (next * 20.0 <= at * 10.0 * ratio)
      put (voice, next++, 0);
    silent += !voice_mix (voice, heard, BLOCK);
    voice_stats (voice, &stats);
    deepest = MAX (deepest, stats.depth);
  }
  g_test_message ("%+d ppm: deepest %.0f ms, shortened by %.0f ms, guessed %.0f ms, silent %u",
                  GPOINTER_TO_INT (data), (double)deepest * 1000 / RATE,
                  (double)stats.shortened * 1000 / RATE, (double)stats.concealed * 1000 / RATE,
                  silent);
  g_assert_cmpuint (deepest, <, RATE * 12 / 100);
  g_assert_cmpuint (stats.dropped, ==, 0);
  g_assert_cmpuint (silent, <=, 4);
  g_assert_cmpuint (stats.concealed, <, RATE / 2);
}

static void
test_nonsense (void)
{
  g_autoptr (Voice) voice = voice_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  float heard[BLOCK] = { 0 };
  for (guint i = 0; i < 3000; i++) {
    guint8 bytes[64];
    for (guint k = 0; k < sizeof bytes; k++)
      bytes[k] = (guint8)g_rand_int (rand);
    g_autoptr (GBytes) data = g_bytes_new (bytes, (gsize)g_rand_int_range (rand, 0, sizeof bytes));
    g_autoptr (Frame) frame = frame_new (i % 50 ? MEDIA_OPUS : MEDIA_VP8, TRUE, 1, 0, data);
    frame->missed = (guint)g_rand_int_range (rand, 0, 8) * (i % 3 == 0);
    voice_put (voice, frame);
    voice_mix (voice, heard, BLOCK);
  }
  VoiceStats stats;
  voice_stats (voice, &stats);
  g_assert_cmpuint (stats.dropped, >, 50);
  g_assert_cmpuint (stats.depth, <=, RATE / 2 + 3 * RATE * 12 / 100);
}

/* The loudspeaker */

typedef struct {
  GMutex lock;
  double energy;
  guint blocks;
  gint64 last_us;
  gboolean even; /* blocks are 10 ms apart */
  SourceState state;
  char *reason;
} Heard;

static void
on_played (Playout *playout, const gint16 *samples, guint n, gint64 heard_us, void *arg)
{
  Heard *h = arg;
  g_mutex_lock (&h->lock);
  h->even &= h->blocks == 0 || heard_us - h->last_us == 10000;
  h->last_us = heard_us;
  h->blocks++;
  for (guint i = 0; i < n; i++)
    h->energy += (double)samples[i] * samples[i];
  g_mutex_unlock (&h->lock);
}

static void
on_state (Playout *playout, SourceState state, const char *reason, void *arg)
{
  Heard *h = arg;
  h->state = state;
  g_free (h->reason);
  h->reason = g_strdup (reason);
}

static const PlayoutEvents events = { on_played, on_state };

static double
energy (Heard *h)
{
  g_mutex_lock (&h->lock);
  double energy = h->energy;
  g_mutex_unlock (&h->lock);
  return energy;
}

/* Two voices as from a hub, 20 ms apart, until the condition holds. */
#define TALK_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 begun_ = g_get_monotonic_time ();                                                       \
    for (guint i_ = 0; !(condition);) {                                                            \
      gint64 since_ = g_get_monotonic_time () - begun_;                                            \
      g_assert_cmpint (since_, <, 30 * G_USEC_PER_SEC);                                            \
      for (; i_ * 20000 <= since_; i_++) {                                                         \
        playout_frame (playout, "a", frames->pdata[i_ % frames->len]);                             \
        playout_frame (playout, "b", frames->pdata[(i_ + 300) % frames->len]);                     \
      }                                                                                            \
      g_main_context_iteration (NULL, FALSE);                                                      \
      g_usleep (2000);                                                                             \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static void
test_loudspeaker (void)
{
  Heard heard = { .even = TRUE };
  g_autoptr (GError) error = NULL;
  Playout *playout = playout_new ("test:", &events, &heard, &error);
  g_assert_no_error (error);
  playout_frame (playout, "a", frames->pdata[0]); /* not wanted yet */
  g_assert_false (playout_is_on (playout));
  playout_set_on (playout, TRUE);
  TALK_UNTIL (heard.state == SOURCE_RUNNING && energy (&heard) > 1e9);
  g_assert_true (heard.even);
  playout_set_on (playout, FALSE);
  TALK_UNTIL (heard.state == SOURCE_STARTING);
  guint blocks = heard.blocks;
  gint64 rested_us = g_get_monotonic_time () + 300000;
  TALK_UNTIL (g_get_monotonic_time () > rested_us);
  g_assert_cmpuint (heard.blocks, ==, blocks);
  heard.even = TRUE;
  heard.blocks = 0;
  heard.energy = 0;
  playout_set_on (playout, TRUE);
  TALK_UNTIL (energy (&heard) > 1e9);
  playout_free (playout);
  g_free (heard.reason);
}

static void
test_no_loudspeaker (void)
{
  static const char *const bad[]
      = { "", "file:/tmp/a.wav", "v4l2:/dev/video0", "speaker", "alsa:" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (playout_new (bad[i], &events, NULL, &error));
    g_assert_nonnull (strstr (error->message, "alsa:DEVICE"));
  }
  Heard heard = { 0 };
  Playout *playout = playout_new ("alsa:nhipcau-none", &events, &heard, NULL);
  playout_set_on (playout, TRUE);
  TALK_UNTIL (heard.state == SOURCE_MISSING);
  g_test_message ("%s", heard.reason);
  g_assert_nonnull (strchr (heard.reason, ':'));
  playout_free (playout);
  g_free (heard.reason);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  make_frames ();
  g_test_add_func ("/playout/voice/clean", test_clean);
  g_test_add_func ("/playout/voice/lost", test_lost);
  g_test_add_func ("/playout/voice/late", test_late);
  g_test_add_func ("/playout/voice/pause", test_pause);
  g_test_add_data_func ("/playout/voice/drift/fast", GINT_TO_POINTER (200), test_drift);
  g_test_add_data_func ("/playout/voice/drift/slow", GINT_TO_POINTER (-200), test_drift);
  g_test_add_func ("/playout/voice/nonsense", test_nonsense);
  g_test_add_func ("/playout/loudspeaker", test_loudspeaker);
  g_test_add_func ("/playout/no-loudspeaker", test_no_loudspeaker);
  int failed = g_test_run ();
  g_ptr_array_unref (frames);
  g_free (speech);
  return failed;
}
