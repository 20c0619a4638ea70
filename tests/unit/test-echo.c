/* The room's echo canceller in a simulated room: impulse response, drift of the cards' clocks,
 * jitter of their times, a card that hides its delay; single talk, double talk, pauses. */
#include <gst/gst.h>
#include <math.h>
#include "media/capture/babble.h"
#include "media/capture/echo.h"
#include "room.h"

enum { RATE = ECHO_RATE, BLOCK = ECHO_BLOCK, START_US = 5000000 };

typedef struct {
  const char *name;
  RoomShape shape;
  gint64 hidden_us; /* delay of the cards that nobody tells of */
  gint64 jitter_us; /* of the times of blocks */
  double near_gain;
  double near_down; /* so much, dB, near speech may lose in double talk */
} Case;

typedef struct {
  gsize n;
  gint16 *far, *near, *out;
  float *echo; /* of the far sound, as the microphone hears it */
} Talk;

static void
talk_clear (Talk *t)
{
  g_free (t->far);
  g_free (t->near);
  g_free (t->out);
  g_free (t->echo);
}

static double
power_db (double sum, gsize n)
{
  return n ? 10 * log10 (sum / (double)n + 1e-9) : -90;
}

static gint64
jittery (GRand *rand, const Case *c, gint64 us)
{
  return us + (c->jitter_us ? g_rand_int_range (rand, 0, (gint32)c->jitter_us) : 0);
}

/* near: from near_from_s on. */
static void
run (Talk *t, const Case *c, guint seconds, guint near_from_s)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Echo) echo = echo_new (&error);
  g_assert_no_error (error);
  g_autoptr (RoomSim) room = room_sim_new (&c->shape, RATE, 5);
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  double ratio = 1 + c->shape.drift_ppm / 1e6;
  gsize hidden = (gsize)(c->hidden_us * RATE / G_USEC_PER_SEC);
  *t = (Talk){ .n = (gsize)seconds * RATE };
  gsize n_far = t->n + RATE;
  t->far = g_new0 (gint16, n_far);
  t->near = g_new0 (gint16, t->n);
  t->out = g_new0 (gint16, t->n);
  t->echo = g_new0 (float, t->n);
  babble (t->far, n_far, RATE, 21);
  babble (t->near, t->n, RATE, 99);
  room_sim_hear (room, t->far, n_far, t->echo + hidden, t->n - hidden);
  gsize told = 0;
  for (gsize at = 0; at + BLOCK <= t->n; at += BLOCK) {
    gint64 now_us = START_US + (gint64)(at * G_USEC_PER_SEC / RATE);
    /* the loudspeaker is 60 ms ahead, by its own clock */
    while (told + BLOCK <= n_far && (double)told / ratio < (double)at + 0.06 * RATE) {
      gint64 heard_us = START_US + (gint64)((double)told / ratio * G_USEC_PER_SEC / RATE);
      echo_played (echo, t->far + told, BLOCK, jittery (rand, c, heard_us));
      told += BLOCK;
    }
    for (gsize i = 0; i < BLOCK; i++) {
      double near = at / RATE >= near_from_s ? c->near_gain * t->near[at + i] : 0;
      t->near[at + i] = (gint16)near;
      double noise = g_rand_double_range (rand, -4, 4);
      t->out[at + i] = (gint16)CLAMP (lrint (t->echo[at + i] + near + noise), -32768, 32767);
    }
    echo_clean (echo, t->out + at, jittery (rand, c, now_us));
  }
}

typedef struct {
  double echo_db, near_db, out_db;
} Levels;

/* Over the blocks from a second on in which `loud` (0: the echo, 1: near speech) is heard. */
static Levels
levels (const Talk *t, guint from_s, guint to_s, gboolean near)
{
  double echo = 0, speech = 0, out = 0;
  gsize n = 0;
  for (gsize at = (gsize)from_s * RATE; at + BLOCK <= (gsize)to_s * RATE; at += BLOCK) {
    double e = 0, s = 0, o = 0;
    for (gsize i = at; i < at + BLOCK; i++) {
      e += (double)t->echo[i] * t->echo[i];
      s += (double)t->near[i] * t->near[i];
      o += (double)t->out[i] * t->out[i];
    }
    if (power_db (near ? s : e, BLOCK) < 40) /* a pause */
      continue;
    echo += e;
    speech += s;
    out += o;
    n += BLOCK;
  }
  return (Levels){ power_db (echo, n), power_db (speech, n), power_db (out, n) };
}

static const Case cases[] = {
  { "100 ppm", { 100, 0.25, 0.8, 0.4 }, 0, 0, 1, 6 },
  { "-100 ppm, times jitter by 8 ms", { -100, 0.25, 0.8, 0.4 }, 0, 8000, 1, 6 },
  { "100 ppm, 90 ms hidden", { 100, 0.25, 0.8, 0.4 }, 90000, 2000, 1, 6 },
  { "100 ppm, 300 ms hidden", { 100, 0.25, 0.8, 0.4 }, 300000, 2000, 1, 6 },
  { "100 ppm, as loud as the speaker", { 100, 0.25, 0.8, 0.4 }, 10000, 2000, 0.3, 6 },
  { "100 ppm, reverberant, louder", { 100, 0.45, 1.5, 0.8 }, 30000, 2000, 0.5, 8 },
};

static void
test_echo (gconstpointer data)
{
  const Case *c = data;
  Talk t;
  gint64 begun = g_get_monotonic_time ();
  run (&t, c, 22, 14);
  Levels first = levels (&t, 0, 5, FALSE), single = levels (&t, 5, 14, FALSE),
         both = levels (&t, 14, 22, TRUE);
  g_test_message ("%s: echo %.1f dB down in the first 5 s, %.1f dB after; near speech %.1f dB down "
                  "in double talk (echo at %+.1f dB of it); %.1f s",
                  c->name, first.echo_db - first.out_db, single.echo_db - single.out_db,
                  both.near_db - both.out_db, both.echo_db - both.near_db,
                  (double)(g_get_monotonic_time () - begun) / G_USEC_PER_SEC);
  g_assert_cmpfloat (single.echo_db - single.out_db, >=, 30);
  g_assert_cmpfloat (both.near_db - both.out_db, <, c->near_down);
  talk_clear (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = g_strdup_printf ("/echo/room/%u", i);
    g_test_add_data_func (name, &cases[i], test_echo);
  }
  return g_test_run ();
}
