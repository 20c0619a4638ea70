/* sim-heart FILE [BEATS]: writes heart sounds as a stethoscope hears them at the apex, as WAV
 * (48 kHz, mono, 16 bit): first and second sound, a third one (a failing heart), a systolic murmur
 * between them, and breath. Loops without a seam.
 *
 * Frequencies and times are those of textbooks: S1 and S2 below 100 Hz and about a tenth of a
 * second long, S2 split while breathing in, S3 at 25 to 45 Hz 150 ms behind S2, a murmur of
 * regurgitation at 100 to 400 Hz.
 */
#include "wav.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  double at, length; /* s: its middle in the beat, its width */
  double hz, gain;
} Knock;

static const double beat_s = 60.0 / 75, breath_beats = 5;
static const Knock knocks[] = {
  { 0.060, 0.030, 38, 0.50 }, /* mitral valve */
  { 0.082, 0.022, 62, 0.32 }, /* tricuspid valve */
  { 0.520, 0.022, 30, 0.14 }, /* S3: the ventricle fills at once */
};
static const Knock aortic = { 0.360, 0.018, 74, 0.40 }, pulmonary = { 0.372, 0.016, 66, 0.22 };

static double
knock (const Knock *k, double t)
{
  double x = (t - k->at) / k->length;
  return k->gain * exp (-x * x / 2) * sin (2 * G_PI * k->hz * (t - k->at) + 0.6);
}

/* Between the first sound and the second, loudest in the middle. */
static double
murmur_gain (double t)
{
  double x = (t - 0.11) / (0.34 - 0.11);
  return x > 0 && x < 1 ? 0.07 * sin (G_PI * x) : 0;
}

/* Second-order band pass (bilinear), of noise. */
typedef struct {
  double b, a1, a2, x1, x2, y1, y2;
} Band;

static void
band_init (Band *band, double hz, double q)
{
  double w = 2 * G_PI * hz / WAV_RATE, alpha = sin (w) / (2 * q), a0 = 1 + alpha;
  *band = (Band){ .b = alpha / a0, .a1 = -2 * cos (w) / a0, .a2 = (1 - alpha) / a0 };
}

static double
band_next (Band *band, double x)
{
  double y = band->b * (x - band->x2) - band->a1 * band->y1 - band->a2 * band->y2;
  band->x2 = band->x1;
  band->x1 = x;
  band->y2 = band->y1;
  band->y1 = y;
  return y;
}

static void
write_heart (gint16 *samples, gsize n)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  Band murmur, breath;
  band_init (&murmur, 210, 1.2);
  band_init (&breath, 350, 0.7);
  for (gsize i = 0; i < n; i++) {
    double time = (double)i / WAV_RATE, t = fmod (time, beat_s);
    double breathing = sin (2 * G_PI * time / (beat_s * breath_beats));
    Knock p2 = pulmonary;
    p2.at += 0.03 * MAX (breathing, 0);
    double sound = knock (&aortic, t) + knock (&p2, t);
    for (guint k = 0; k < G_N_ELEMENTS (knocks); k++)
      sound += knock (&knocks[k], t);
    double noise = g_rand_double_range (rand, -1, 1);
    sound += 8 * murmur_gain (t) * band_next (&murmur, noise);
    sound += 0.03 * fabs (breathing) * band_next (&breath, noise);
    samples[i] = (gint16)lrint (CLAMP (sound, -1, 1) * 24000);
  }
}

int
main (int argc, char **argv)
{
  int beats = argc > 2 ? atoi (argv[2]) : 25;
  if (argc < 2 || argc > 3 || beats < 5 || beats > 500 || beats % (int)breath_beats != 0) {
    fprintf (stderr, "usage: %s FILE [BEATS, 5 to 500, of five]\n", argv[0]);
    return 2;
  }
  gsize n = (gsize)lrint (beats * beat_s * WAV_RATE);
  g_autofree gint16 *samples = g_new (gint16, n);
  write_heart (samples, n);
  g_autoptr (GError) error = NULL;
  if (!wav_write (argv[1], samples, n, &error)) {
    fprintf (stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  return 0;
}
