#include "media/capture/echo_delay.h"

#include <math.h>
#include <string.h>

enum {
  BLOCK = 480,
  DECIMATION = 12,
  STEP = BLOCK / DECIMATION,
  TAPS = 2000,   /* half a second */
  NEAR_TAPS = 6, /* 1.5 ms: the same place */
  SURE_BLOCKS = 40,
  SMOOTH_BLOCKS = 20,
  RECENT = 10 * STEP, /* samples */
};
/* Of a sample: below it is silence. */
#define QUIET (30.0 * 30.0)
/* A peak counts when it stands out, and the filter explains half of what is heard. */
static const double MU = 0.4, PEAK_SHARE = 0.05, EXPLAINED = 0.5;

struct EchoDelay {
  float filter[TAPS];
  float history[TAPS + STEP];        /* what was played, newest last */
  double last_played, last_captured; /* for the difference that whitens */
  double energy;                     /* of the newest TAPS of history */
  double heard, left; /* what was captured, and what of it the filter does not explain */
  guint peak, sure;   /* where it is; blocks in a row */
  gint found;
};

EchoDelay *
echo_delay_new (void)
{
  EchoDelay *d = g_new0 (EchoDelay, 1);
  d->found = ECHO_DELAY_UNKNOWN;
  return d;
}

void
echo_delay_free (EchoDelay *d)
{
  g_free (d);
}

/* To 4 kHz, and flatter than speech is. */
static void
reduce (const gint16 *samples, float *out, double *last)
{
  for (guint i = 0; i < STEP; i++) {
    double sum = 0;
    for (guint k = 0; k < DECIMATION; k++)
      sum += samples[i * DECIMATION + k];
    sum /= DECIMATION;
    out[i] = (float)(sum - 0.9 * *last);
    *last = sum;
  }
}

/* One sample; x points at the newest of TAPS samples played. Returns what the filter left of it. */
static float
adapt (EchoDelay *d, const float *x, float captured)
{
  float guess = 0;
  for (guint k = 0; k < TAPS; k++)
    guess += d->filter[k] * x[-(gint)k];
  float step = (float)(MU * (captured - guess) / (d->energy + QUIET * TAPS));
  for (guint k = 0; k < TAPS; k++)
    d->filter[k] += step * x[-(gint)k];
  return captured - guess;
}

static void
find_peak (EchoDelay *d)
{
  double total = 0, most = 0;
  guint at = 0;
  for (guint k = 0; k < TAPS; k++) {
    double square = (double)d->filter[k] * d->filter[k];
    total += square;
    if (square > most) {
      most = square;
      at = k;
    }
  }
  gboolean explains = d->left < EXPLAINED * d->heard;
  gboolean same = ABS ((gint)at - (gint)d->peak) <= NEAR_TAPS;
  d->sure = explains && same && most > PEAK_SHARE * total ? d->sure + 1 : 0;
  d->peak = at;
  if (d->sure >= SURE_BLOCKS)
    d->found = (gint)(at * DECIMATION);
}

static double
power (const float *samples, guint n)
{
  double sum = 0;
  for (guint i = 0; i < n; i++)
    sum += (double)samples[i] * samples[i];
  return sum;
}

gint
echo_delay_look (EchoDelay *d, const gint16 *played, const gint16 *captured)
{
  float near[STEP];
  memmove (d->history, d->history + STEP, TAPS * sizeof *d->history);
  reduce (played, d->history + TAPS, &d->last_played);
  reduce (captured, near, &d->last_captured);
  d->energy = power (d->history + STEP, TAPS);
  /* While only an old phrase is left in the filter's reach, its end would learn nonsense. */
  if (power (d->history + TAPS + STEP - RECENT, RECENT) < QUIET * RECENT
      || power (near, STEP) < QUIET * STEP / 100)
    return d->found;
  double left = 0;
  for (guint i = 0; i < STEP; i++) {
    float rest = adapt (d, d->history + TAPS + i, near[i]);
    left += (double)rest * rest;
  }
  d->heard += (power (near, STEP) - d->heard) / SMOOTH_BLOCKS;
  d->left += (left - d->left) / SMOOTH_BLOCKS;
  find_peak (d);
  return d->found;
}
