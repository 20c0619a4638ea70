/* What finger oximeters have in common: 60 or 75 moments a second become readings and a
 * plethysmogram.
 *
 * Readings: one a second at most for each vital sign; at once when the state changes (a value
 * appears or goes, a flag changes), 250 ms after the one before at the soonest. While nothing is
 * measured nothing is repeated. Plethysmogram: blocks of about 40 ms; where the device measured
 * nothing, or bytes were lost, the epoch ends.
 */
#pragma once
#include "media/devices/line_device.h"

typedef enum {
  OXIMETER_NO_FINGER = 1 << 0,
  OXIMETER_SENSOR_OFF = 1 << 1, /* probe unplugged or broken */
  OXIMETER_SEARCHING = 1 << 2,  /* for the pulse */
  OXIMETER_ARTIFACT = 1 << 3,
  OXIMETER_LOW_PERFUSION = 1 << 4,
} OximeterFlags;

typedef struct {
  int spo2;  /* %, -1: not measured */
  int pulse; /* /min, -1: not measured */
  guint flags;
} OximeterState;

typedef struct Oximeter Oximeter;

/* confirm: how many moments in a row must say the same before it counts; 2 for protocols without a
 * checksum. */
Oximeter *oximeter_new (const LineOutput *output, guint rate, guint bits, guint confirm);
void oximeter_free (Oximeter *oximeter);

void oximeter_state (Oximeter *oximeter, const OximeterState *state, LineTime now);
/* One sample of the plethysmogram; WAVE_MISSING where there is none. */
void oximeter_sample (Oximeter *oximeter, gint32 sample, LineTime now);
/* Bytes were lost: the next sample begins an epoch. What was gathered is given out. */
void oximeter_gap (Oximeter *oximeter);
/* The line is gone: as a gap, and values become absent. */
void oximeter_lost (Oximeter *oximeter, LineTime now);
