/* A finger oximeter and the finger in it, sans-IO: the bytes that a Contec or Nonin device sends.
 */
#pragma once
#include <glib.h>

typedef enum { MODEL_CONTEC, MODEL_CONTEC_OLD, MODEL_NONIN } OximeterFormat;

typedef struct {
  OximeterFormat format;
  double pulse, spo2; /* of the patient */
  gboolean finger;
  guint searching;      /* frames until the pulse is found again */
  double phase;         /* of the beat, 0 to 1 */
  guint place;          /* frame of a Nonin packet, 0 to 24 */
  gboolean started;     /* a newer Contec sends only when asked, */
  gint64 kept_alive_us; /* and only as long as it hears from the computer */
} OximeterModel;

void oximeter_model_init (OximeterModel *model, OximeterFormat format);
guint oximeter_model_rate (const OximeterModel *model); /* frames a second */
/* Appends the next frame; nothing while the device is silent. */
void oximeter_model_frame (OximeterModel *model, gint64 now_us, GByteArray *out);
/* Bytes from the computer. */
void oximeter_model_hear (OximeterModel *model, const guint8 *data, gsize length, gint64 now_us);
void oximeter_model_set_finger (OximeterModel *model, gboolean finger);
