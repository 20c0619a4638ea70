/* Real-time sample arrays of an IntelliVue monitor: a stream for each lead. */
#pragma once
#include "media/devices/feed.h"
#include "media/devices/intellivue_bytes.h"
#include "media/devices/line_device.h"

typedef struct IvWaves IvWaves;

/* The attributes of one object, as far as they are in this reply; absent ones are empty. What does
 * not change is sent once and remembered by handle. */
typedef struct {
  guint16 handle;
  IvReader specification; /* SaSpec */
  IvReader scale;         /* ScaleRangeSpec16 */
  IvReader fixed;         /* SaFixedValSpec16: what some samples mean */
  IvReader period;        /* RelativeTime, 125 µs */
  IvReader unit;
  IvReader single, compound; /* SaObsValue, SaObsValueCmp */
} IvWaveObject;

/* output outlives it. */
IvWaves *iv_waves_new (const LineOutput *output);
void iv_waves_free (IvWaves *waves);
/* relative: the reply's time stamp, 125 µs, by which gaps are found. patient_id may be NULL. */
void iv_waves_take (IvWaves *waves, const IvWaveObject *object, guint32 relative,
                    const char *patient_id, LineTime now);
void iv_waves_lost (IvWaves *waves);
