#include "media/capture/babble.h"

#include <math.h>

enum { FORMANTS = 4 };

typedef struct {
  double frequency[FORMANTS];
} Vowel;

/* a, ă, e, i, o, u, ơ: middle values for a grown-up's voice, Hz. */
static const Vowel vowels[] = {
  { { 780, 1250, 2550, 3500 } }, { { 660, 1400, 2500, 3500 } }, { { 430, 2050, 2650, 3600 } },
  { { 300, 2300, 3000, 3700 } }, { { 480, 850, 2450, 3400 } },  { { 330, 750, 2300, 3400 } },
  { { 500, 1300, 2400, 3450 } },
};

static const double bandwidth[FORMANTS] = { 80, 100, 140, 200 };
static const double gain[FORMANTS] = { 1.0, 0.6, 0.28, 0.14 };

/* A two-pole resonator, one per formant. */
typedef struct {
  double y1, y2;
} Resonator;

typedef struct {
  double rate;
  GRand *random;
  Resonator formant[FORMANTS];
  Resonator hiss;
  double phase; /* of the voice, 0..1 */
  double tilt;  /* low-pass memory of the glottal pulse */
  double pitch; /* Hz, follows pitch_goal */
  double now[FORMANTS];
} Voice;

typedef struct {
  double length;    /* s, vowel with its consonant */
  double consonant; /* s of noise before the vowel, 0: none */
  double hiss;      /* Hz of that noise */
  double pitch_from, pitch_to;
  double loudness;
  const Vowel *from, *to;
} Syllable;

static double
resonate (Resonator *r, double in, double frequency, double width, double rate)
{
  double radius = exp (-G_PI * width / rate);
  double turn = 2 * radius * cos (2 * G_PI * frequency / rate);
  double out = (1 - radius) * in + turn * r->y1 - radius * radius * r->y2;
  r->y2 = r->y1;
  r->y1 = out;
  return out;
}

static double
voiced (Voice *voice, const Syllable *s, double t)
{
  double along = CLAMP ((t - s->consonant) / (s->length - s->consonant), 0, 1);
  double goal = s->pitch_from + (s->pitch_to - s->pitch_from) * along;
  voice->pitch += (goal - voice->pitch) * 60 / voice->rate;
  voice->phase += voice->pitch / voice->rate;
  double pulse = 0;
  if (voice->phase >= 1) {
    voice->phase -= 1;
    pulse = 40;
  }
  pulse += g_rand_double_range (voice->random, -0.15, 0.15); /* breath */
  voice->tilt += (pulse - voice->tilt) * 0.35;
  double out = 0;
  for (guint i = 0; i < FORMANTS; i++) {
    double f = s->from->frequency[i] + (s->to->frequency[i] - s->from->frequency[i]) * along;
    voice->now[i] += (f - voice->now[i]) * 90 / voice->rate;
    out += gain[i]
           * resonate (&voice->formant[i], voice->tilt, voice->now[i], bandwidth[i], voice->rate);
  }
  return out;
}

static double
syllable_sample (Voice *voice, const Syllable *s, double t)
{
  double tone = voiced (voice, s, t);
  double rise = CLAMP ((t - s->consonant) / 0.025, 0, 1);
  double fall = CLAMP ((s->length - t) / 0.06, 0, 1);
  double out = tone * rise * fall;
  double noise = resonate (&voice->hiss, g_rand_double_range (voice->random, -1, 1), s->hiss, 900,
                           voice->rate);
  if (t < s->consonant)
    out += noise * 1.2 * sin (G_PI * t / s->consonant);
  return out * s->loudness;
}

static void
choose_syllable (Voice *voice, Syllable *s, double declination)
{
  GRand *random = voice->random;
  s->length = g_rand_double_range (random, 0.14, 0.30);
  s->consonant = g_rand_int_range (random, 0, 3) ? g_rand_double_range (random, 0.03, 0.08) : 0;
  s->hiss = g_rand_double_range (random, 1800, 5200);
  /* Level, rising, falling and dipping tones, as syllables of Vietnamese have them. */
  static const double tones[][2] = { { 1, 1 }, { 0.95, 1.3 }, { 1.1, 0.8 }, { 0.9, 0.95 } };
  const double *tone = tones[g_rand_int_range (random, 0, G_N_ELEMENTS (tones))];
  double base = 165 * declination;
  s->pitch_from = base * tone[0];
  s->pitch_to = base * tone[1];
  s->loudness = g_rand_double_range (random, 0.75, 1.0);
  s->from = &vowels[g_rand_int_range (random, 0, G_N_ELEMENTS (vowels))];
  s->to = g_rand_boolean (random) ? s->from
                                  : &vowels[g_rand_int_range (random, 0, G_N_ELEMENTS (vowels))];
}

/* One phrase of some syllables; returns the samples written. */
static gsize
phrase (Voice *voice, double *out, gsize room)
{
  guint syllables = (guint)g_rand_int_range (voice->random, 4, 11);
  gsize used = 0;
  for (guint i = 0; i < syllables; i++) {
    Syllable s;
    choose_syllable (voice, &s, 1.1 - 0.25 * i / syllables);
    gsize n = (gsize)(s.length * voice->rate);
    if (used + n > room)
      break;
    for (gsize k = 0; k < n; k++)
      out[used + k] = syllable_sample (voice, &s, (double)k / voice->rate);
    used += n;
  }
  return used;
}

static void
normalise (const double *in, gint16 *out, gsize n)
{
  double peak = 1e-9;
  for (gsize i = 0; i < n; i++)
    peak = MAX (peak, fabs (in[i]));
  for (gsize i = 0; i < n; i++)
    out[i] = (gint16)lrint (in[i] / peak * 0.6 * G_MAXINT16);
}

void
babble (gint16 *samples, gsize n, guint rate, guint32 seed)
{
  g_autofree double *sound = g_new0 (double, n);
  Voice voice = { .rate = rate, .random = g_rand_new_with_seed (seed), .pitch = 165 };
  for (guint i = 0; i < FORMANTS; i++)
    voice.now[i] = vowels[0].frequency[i];
  gsize end = n - MIN (n, rate / 5), at = MIN (end, rate / 5);
  while (at < end) {
    at += phrase (&voice, sound + at, end - at);
    at += (gsize)(g_rand_double_range (voice.random, 0.25, 0.9) * rate);
  }
  g_rand_free (voice.random);
  normalise (sound, samples, n);
}
