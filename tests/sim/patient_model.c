#include "patient_model.h"

#include <math.h>
#include <string.h>

#define BEATS 64
#define PULSE_DELAY 0.2
/* Every so often an electrode is off for some seconds, and the patient moves. */
#define OFF_EVERY 97.0
#define OFF_SECONDS 6.0
#define MOVE_EVERY 41.0
#define MOVE_SECONDS 2.5

const char *const PATIENT_LEAD_NAMES[PATIENT_LEADS]
    = { "I", "II", "V1", "V2", "V3", "V4", "V5", "V6" };

/* A wave of a beat: where from R, how wide, how high in each lead (mV). */
typedef struct {
  double at, width;
  double height[PATIENT_LEADS];
} Hump;

static const Hump NORMAL[] = {
  { -0.160, 0.022, { 0.08, 0.14, 0.06, 0.07, 0.07, 0.07, 0.07, 0.06 } },       /* P */
  { -0.032, 0.009, { -0.06, -0.08, 0, 0, -0.03, -0.06, -0.08, -0.08 } },       /* Q */
  { 0.000, 0.011, { 0.65, 1.10, 0.22, 0.35, 0.70, 1.35, 1.20, 0.90 } },        /* R */
  { 0.030, 0.012, { -0.12, -0.20, -0.85, -1.20, -0.80, -0.45, -0.22, -0.1 } }, /* S */
};
static const Hump T_WAVE = { 0.270, 0.055, { 0.20, 0.30, -0.05, 0.35, 0.42, 0.38, 0.30, 0.24 } };

/* From a ventricle: no P, wide, T against it. */
static const Hump VENTRICULAR[] = {
  { 0.000, 0.038, { 0.75, 1.45, -0.90, -1.30, -0.80, 0.90, 1.30, 1.10 } },
  { 0.075, 0.032, { -0.30, -0.55, 0.40, 0.50, 0.35, -0.30, -0.45, -0.40 } },
  { 0.260, 0.070, { -0.25, -0.45, 0.35, 0.45, 0.30, -0.28, -0.40, -0.35 } },
};

typedef struct {
  double at, rr; /* R wave; time since the one before */
  gboolean ventricular;
} Beat;

struct Patient {
  GRand *rand;
  Rhythm rhythm;
  double now;
  Beat beats[BEATS];               /* a ring, the newest may lie ahead of now */
  guint count;                     /* of all beats so far */
  double spo2, temp, resp, breath; /* breath: phase, in breaths */
  double breath_at;
  double next_cuff, sys, dia;
  gboolean cuff;
};

gboolean
rhythm_from_name (const char *name, Rhythm *ret)
{
  static const char *const NAMES[] = { "sinus", "brady", "tachy", "afib", "pvc", "vt", "asystole" };
  for (guint i = 0; i < G_N_ELEMENTS (NAMES); i++)
    if (g_str_equal (NAMES[i], name)) {
      *ret = (Rhythm)i;
      return TRUE;
    }
  return FALSE;
}

Patient *
patient_new (guint32 seed, Rhythm rhythm)
{
  Patient *p = g_new0 (Patient, 1);
  p->rand = g_rand_new_with_seed (seed);
  p->rhythm = rhythm;
  p->spo2 = 95.5;
  p->temp = 37.1;
  p->resp = 18;
  p->next_cuff = 2;
  return p;
}

void
patient_free (Patient *p)
{
  g_rand_free (p->rand);
  g_free (p);
}

/* ---- Beats ------------------------------------------------------------------------------------
 */

static double
rate_of (const Patient *p)
{
  switch (p->rhythm) {
  case RHYTHM_BRADY:
    return 38;
  case RHYTHM_TACHY:
    return 148;
  case RHYTHM_VT:
    return 182;
  case RHYTHM_AFIB:
    return 104;
  case RHYTHM_SINUS:
  case RHYTHM_PVC:
  case RHYTHM_ASYSTOLE:
    break;
  }
  return 84 + 6 * sin (p->now / 47.0);
}

static Beat
next_beat (const Patient *p)
{
  const Beat *last = &p->beats[(p->count + BEATS - 1) % BEATS];
  double rr = 60.0 / rate_of (p);
  Beat beat = { .ventricular = p->rhythm == RHYTHM_VT };
  if (p->rhythm == RHYTHM_AFIB)
    rr *= g_rand_double_range (p->rand, 0.6, 1.5);
  else if (p->rhythm != RHYTHM_VT)
    rr *= 1 - 0.03 * sin (2 * G_PI * p->breath) + g_rand_double_range (p->rand, -0.01, 0.01);
  if (p->rhythm == RHYTHM_PVC && p->count % 6 == 5) {
    beat.ventricular = TRUE;
    rr *= 0.6;
  } else if (p->rhythm == RHYTHM_PVC && p->count % 6 == 0 && p->count > 0) {
    rr *= 1.4;
  }
  beat.rr = rr;
  beat.at = (p->count > 0 ? last->at : 0) + rr;
  return beat;
}

static double
drift (double value, double towards, double strength, double noise, GRand *rand)
{
  return value + (towards - value) * strength + g_rand_double_range (rand, -noise, noise);
}

static void
advance_body (Patient *p, double dt, double cuff_seconds)
{
  double effort = 6 * sin (p->now / 47.0); /* slow waves of unrest */
  double share = fmin (1, dt);
  p->breath += dt * p->resp / 60;
  p->breath_at = p->now;
  p->resp = drift (p->resp, 18 + effort / 4, 0.05 * share, 0.2 * share, p->rand);
  p->spo2 = fmin (100, drift (p->spo2, 95.5 - effort / 8, 0.03 * share, 0.25 * share, p->rand));
  p->temp = drift (p->temp, 37.1, 0.01 * share, 0.01 * share, p->rand);
  if (cuff_seconds > 0 && p->now >= p->next_cuff) {
    p->cuff = TRUE;
    p->sys = 138 + effort + g_rand_double_range (p->rand, -5, 5);
    p->dia = 84 + effort / 2 + g_rand_double_range (p->rand, -3, 3);
    p->next_cuff = p->now + cuff_seconds;
  }
}

void
patient_advance (Patient *p, double seconds, double cuff_seconds)
{
  p->cuff = FALSE;
  advance_body (p, seconds - p->now, cuff_seconds);
  p->now = seconds;
  if (p->rhythm == RHYTHM_ASYSTOLE)
    return;
  /* One beat ahead, so that its P wave is seen in time. */
  while (p->count == 0 || p->beats[(p->count + BEATS - 1) % BEATS].at < seconds + 1.5) {
    p->beats[p->count % BEATS] = next_beat (p);
    p->count++;
  }
}

/* ---- Waves ------------------------------------------------------------------------------------
 */

static double
hump (const Hump *h, double at, double stretch, guint lead)
{
  double x = (at - h->at * stretch) / h->width;
  return fabs (x) < 6 ? h->height[lead] * exp (-x * x / 2) : 0;
}

static double
beat_ecg (const Patient *p, const Beat *beat, double at, guint lead)
{
  double x = at - beat->at, sum = 0;
  /* T comes later when the heart is slow. */
  double stretch = sqrt (fmax (0.35, fmin (1.4, beat->rr)) / 0.7);
  if (beat->ventricular) {
    for (guint i = 0; i < G_N_ELEMENTS (VENTRICULAR); i++)
      sum += hump (&VENTRICULAR[i], x, 1, lead);
    return sum;
  }
  for (guint i = p->rhythm == RHYTHM_AFIB ? 1 : 0; i < G_N_ELEMENTS (NORMAL); i++)
    sum += hump (&NORMAL[i], x, 1, lead);
  return sum + hump (&T_WAVE, x, stretch, lead);
}

static gboolean
is_within (double at, double every, double seconds)
{
  return fmod (at, every) >= every - seconds;
}

/* The same noise for the same time, whoever asks. */
static double
noise (double at, guint lead)
{
  double x = sin (at * 12345.678 + lead * 78.233) * 43758.5453;
  return (x - floor (x)) * 2 - 1;
}

static double
breath_phase (const Patient *p, double at)
{
  return p->breath + (at - p->breath_at) * p->resp / 60;
}

double
patient_ecg (const Patient *p, double at, guint lead)
{
  double sum = 0.06 * sin (2 * G_PI * breath_phase (p, at)) * (lead < 2 ? 1 : 0.6);
  for (guint i = 0; i < MIN (p->count, BEATS); i++) {
    const Beat *beat = &p->beats[i];
    if (fabs (beat->at - at) < 1.2)
      sum += beat_ecg (p, beat, at, lead);
  }
  if (p->rhythm == RHYTHM_AFIB)
    sum += 0.05 * sin (2 * G_PI * 5.7 * at) + 0.03 * sin (2 * G_PI * 7.3 * at + lead);
  sum += 0.008 * noise (at, lead) + 0.006 * sin (2 * G_PI * 50 * at);
  if (is_within (at, MOVE_EVERY, MOVE_SECONDS))
    sum += 0.12 * noise (at, lead + 20) + 0.35 * sin (2 * G_PI * 0.8 * at);
  return sum;
}

double
patient_pleth (const Patient *p, double at)
{
  double sum = 0.12 + 0.02 * sin (2 * G_PI * breath_phase (p, at));
  for (guint i = 0; i < MIN (p->count, BEATS); i++) {
    const Beat *beat = &p->beats[i];
    double x = at - beat->at - PULSE_DELAY;
    if (x < -0.4 || x > 1.2)
      continue;
    double height = beat->ventricular ? 0.3 : 0.7;
    double rise = (x - 0.12) / 0.06, notch = (x - 0.36) / 0.07;
    sum += height * (exp (-rise * rise / 2) + 0.35 * exp (-notch * notch / 2));
  }
  if (is_within (at, MOVE_EVERY, MOVE_SECONDS))
    sum += 0.25 * sin (2 * G_PI * 1.7 * at);
  return fmax (0, fmin (1, sum));
}

/* In quicker than out. */
double
patient_resp (const Patient *p, double at)
{
  double phase = breath_phase (p, at);
  phase -= floor (phase);
  return phase < 0.4 ? sin (phase / 0.4 * G_PI - G_PI / 2) : cos ((phase - 0.4) / 0.6 * G_PI);
}

gboolean
patient_lead_is_off (const Patient *p, double at, guint lead)
{
  return lead == 5 && is_within (at, OFF_EVERY, OFF_SECONDS);
}

/* ---- Numbers ----------------------------------------------------------------------------------
 */

PatientNumbers
patient_numbers (const Patient *p)
{
  double total = 0;
  guint n = 0;
  for (guint i = 0; i < MIN (p->count, BEATS); i++)
    if (p->beats[i].at <= p->now && p->beats[i].at > p->now - 8) {
      total += p->beats[i].rr;
      n++;
    }
  double hr = n > 0 ? 60.0 * n / total : 0;
  return (PatientNumbers){ .hr = hr,
                           .pulse = hr,
                           .spo2 = p->spo2,
                           .resp = p->resp,
                           .temp = p->temp,
                           .sys = p->sys,
                           .dia = p->dia,
                           .mean = p->dia + (p->sys - p->dia) / 3,
                           .cuff = p->cuff };
}
