/* The simulated patient: its waves and its numbers are of one heart. */
#include "tests/sim/patient_model.h"
#include <math.h>

#define RATE 500
/* Between two of its movements. */
#define FROM 41.5
#define SECONDS 36

/* R peaks of lead II, as a simple counter finds them: above 0.8 mV, 200 ms apart. */
static guint
count_peaks (Patient *patient, double from, double *ret_variation)
{
  double last = -1, first_rr = 0, least = 10, most = 0;
  guint peaks = 0;
  for (guint i = 0; i < SECONDS * RATE; i++) {
    double at = from + (double)i / RATE;
    if (i % RATE == 0)
      patient_advance (patient, at + 1, 0);
    double value = patient_ecg (patient, at, 1);
    if (value < 0.8 || at - last < 0.2 || value < patient_ecg (patient, at + 0.002, 1))
      continue;
    if (last > 0) {
      first_rr = at - last;
      least = fmin (least, first_rr);
      most = fmax (most, first_rr);
    }
    last = at;
    peaks++;
  }
  *ret_variation = most - least;
  return peaks;
}

static void
test_rate (void)
{
  static const struct {
    const char *rhythm;
    guint least, most;           /* beats a minute */
    double steadier, unsteadier; /* than so many seconds between the shortest and longest RR */
  } CASES[] = {
    { "sinus", 74, 94, 0.35, 0 },  { "brady", 34, 42, 0.4, 0 }, { "tachy", 138, 156, 0.25, 0 },
    { "afib", 85, 125, 1, 0.3 },   { "pvc", 74, 96, 1, 0.3 },   { "vt", 175, 190, 0.1, 0 },
    { "asystole", 0, 0, 20, -20 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    Rhythm rhythm;
    double variation;
    g_assert_true (rhythm_from_name (CASES[i].rhythm, &rhythm));
    Patient *patient = patient_new (7, rhythm);
    patient_advance (patient, FROM, 0);
    double peaks = count_peaks (patient, FROM, &variation) * 60.0 / SECONDS;
    g_test_message ("%s: %.0f beats, %.2f s", CASES[i].rhythm, peaks, variation);
    g_assert_cmpfloat (peaks, >=, CASES[i].least);
    g_assert_cmpfloat (peaks, <=, CASES[i].most);
    g_assert_cmpfloat (variation, <, CASES[i].steadier);
    g_assert_cmpfloat (variation, >, CASES[i].unsteadier);
    g_assert_cmpfloat (fabs (patient_numbers (patient).hr - peaks), <, 14);
    patient_free (patient);
  }
}

/* Before each R of a sinus rhythm there is a P, and none of a fibrillating atrium's; after it a T,
 * and a pulse. */
static void
test_shape (void)
{
  Patient *patient = patient_new (3, RHYTHM_SINUS);
  patient_advance (patient, 15, 0);
  double peak = 12, best = -10;
  for (double at = 12; at < 13; at += 0.001)
    if (patient_ecg (patient, at, 1) > best) {
      best = patient_ecg (patient, at, 1);
      peak = at;
    }
  double p = patient_ecg (patient, peak - 0.16, 1), before = patient_ecg (patient, peak - 0.09, 1);
  double t = patient_ecg (patient, peak + 0.27, 1), after = patient_ecg (patient, peak + 0.1, 1);
  g_assert_cmpfloat (best, >, 0.9);
  g_assert_cmpfloat (p - before, >, 0.06);
  g_assert_cmpfloat (t - after, >, 0.15);
  g_assert_cmpfloat (patient_ecg (patient, peak + 0.03, 2), <, -0.5); /* S of V1 */
  g_assert_cmpfloat (patient_pleth (patient, peak + 0.32) - patient_pleth (patient, peak + 0.1), >,
                     0.4);
  patient_free (patient);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/patient-model/rate", test_rate);
  g_test_add_func ("/patient-model/shape", test_shape);
  return g_test_run ();
}
