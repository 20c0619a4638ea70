/* A simulated patient: what a monitor would measure, from heart beats up.
 *
 * Beats come one after the other by the rhythm; each gives P, QRS and T in eight leads, and a pulse
 * wave a fifth of a second later. Breathing moves the baseline and the heart rate. Numbers that a
 * monitor shows are counted from those beats, so waves and numbers never contradict each other.
 * Time is seconds since the patient began; it may be asked for any time of the last ten seconds
 * and must be moved on by patient_advance(). One seed gives the same patient.
 */
#pragma once
#include <glib.h>

typedef enum {
  RHYTHM_SINUS,
  RHYTHM_BRADY,
  RHYTHM_TACHY,
  RHYTHM_AFIB,     /* no P, irregular, fibrillatory waves */
  RHYTHM_PVC,      /* every sixth beat from a ventricle, with its pause */
  RHYTHM_VT,       /* ventricular tachycardia: wide, fast, no P */
  RHYTHM_ASYSTOLE, /* a breathing baseline */
} Rhythm;
/* "sinus", "brady" …; FALSE: no such. */
gboolean rhythm_from_name (const char *name, Rhythm *ret);

enum { PATIENT_LEADS = 8 }; /* I, II, V1 to V6 */
extern const char *const PATIENT_LEAD_NAMES[PATIENT_LEADS];

typedef struct Patient Patient;

Patient *patient_new (guint32 seed, Rhythm rhythm);
void patient_free (Patient *patient);
/* To this time; cuff_seconds: between two measurements of the cuff, 0: none. */
void patient_advance (Patient *patient, double seconds, double cuff_seconds);

double patient_ecg (const Patient *patient, double at, guint lead); /* mV */
double patient_pleth (const Patient *patient, double at);           /* 0 to 1 */
double patient_resp (const Patient *patient, double at);            /* ohm around 0 */
/* The electrode of V4 comes off now and then. */
gboolean patient_lead_is_off (const Patient *patient, double at, guint lead);

typedef struct {
  double hr, pulse, spo2, resp, temp; /* hr 0: no beat in four seconds */
  double sys, dia, mean;
  gboolean cuff; /* measured since the last patient_advance() */
} PatientNumbers;
PatientNumbers patient_numbers (const Patient *patient);
