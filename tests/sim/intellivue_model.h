/* A Philips IntelliVue monitor at the end of a serial line, sans-IO: associates, answers polls,
 * sends waves every 256 ms, lists its alarms, and aborts when it is not polled. */
#pragma once
#include "media/devices/intellivue_frame.h"

typedef struct IntellivueModel IntellivueModel;

struct IntellivueModel {
  double heart_rate, spo2;
  gboolean spo2_on, demo; /* sensor connected; demonstration mode */
  double spo2_low;        /* below it the alarm stands */
  gboolean silenced;      /* by the key at the monitor */
  gboolean no_alerts;     /* an old release: polls for alarms fail */
  int systolic, diastolic, mean;
  guint64 pressure_time;  /* BCD of when it was taken */
  const char *patient_id; /* NULL: nobody is admitted */
  gboolean refuses;       /* associations */

  void (*send) (const guint8 *data, gsize length, void *arg);
  void *arg;

  IvDeframer deframer;
  gboolean associated, created;
  gint64 heard_us, waves_until_us, wave_us, now_us;
  guint16 sequence;
  guint64 sample; /* of the ECG */
  guint aborted, associations, refused;
};

IntellivueModel *intellivue_model_new (void (*send) (const guint8 *, gsize, void *), void *arg);
void intellivue_model_hear (IntellivueModel *model, const guint8 *data, gsize length,
                            gint64 now_us);
void intellivue_model_tick (IntellivueModel *model, gint64 now_us);
/* mV at a sample of the ECG's 500 a second. */
double intellivue_model_ecg (const IntellivueModel *model, guint64 sample);
