#include "oximeter_model.h"

#include <math.h>
#include <string.h>

#define KEEP_ALIVE_US (5 * G_USEC_PER_SEC)
#define FIND_PULSE_S 1

void
oximeter_model_init (OximeterModel *model, OximeterFormat format)
{
  *model = (OximeterModel){ .format = format, .pulse = 72, .spo2 = 97, .finger = TRUE };
  model->started = format != MODEL_CONTEC;
}

guint
oximeter_model_rate (const OximeterModel *model)
{
  return model->format == MODEL_NONIN ? 75 : 60;
}

void
oximeter_model_set_finger (OximeterModel *model, gboolean finger)
{
  if (finger && !model->finger)
    model->searching = FIND_PULSE_S * oximeter_model_rate (model);
  model->finger = finger;
}

/* Systole and the dicrotic wave after it; 0 to 1. */
static double
pleth (double phase)
{
  double systole = (phase - 0.22) / 0.10, wave = (phase - 0.52) / 0.13;
  return 0.05 + 0.85 * exp (-systole * systole / 2) + 0.3 * exp (-wave * wave / 2);
}

static gboolean
has_pulse (const OximeterModel *model)
{
  return model->finger && model->searching == 0;
}

static void
contec_frame (const OximeterModel *model, guint8 height, GByteArray *out)
{
  gboolean good = has_pulse (model);
  const guint8 real[7] = {
    (guint8)((good ? 8 : 0) | (model->finger ? 0 : 0x10)),
    (guint8)((good ? height : 0) | (model->searching > 0 ? 0x80 : 0)),
    (guint8)(height / 9),
    good ? (guint8)model->pulse : 0xFF,
    good ? (guint8)model->spo2 : 0x7F,
    0xFF,
    0xFF,
  };
  guint8 frame[9] = { 0x01, 0x80 };
  for (guint i = 0; i < 7; i++) {
    frame[1] |= (guint8)(real[i] >> 7 << i);
    frame[2 + i] = 0x80 | real[i];
  }
  g_byte_array_append (out, frame, sizeof frame);
}

static void
old_frame (const OximeterModel *model, guint8 height, GByteArray *out)
{
  gboolean good = has_pulse (model);
  guint8 pulse = good ? (guint8)model->pulse : 0xFF;
  const guint8 frame[5] = {
    (guint8)(0x80 | (good ? 8 : 0) | (model->finger ? 0 : 0x10)),
    good ? height : 0,
    (guint8)(height / 9 | (model->searching > 0 ? 0x20 : 0) | (pulse & 0x80) >> 1),
    pulse & 0x7F,
    good ? (guint8)model->spo2 : 0x7F,
  };
  g_byte_array_append (out, frame, sizeof frame);
}

static guint8
nonin_value (const OximeterModel *model, guint place)
{
  guint pulse = has_pulse (model) ? (guint)model->pulse : 0x1FF;
  guint spo2 = has_pulse (model) ? (guint)model->spo2 : 0x7F;
  switch (place) {
  case 0:
  case 13:
  case 19:
  case 21:
    return (guint8)(pulse >> 7);
  case 1:
  case 14:
  case 20:
  case 22:
    return pulse & 0x7F;
  case 2:
  case 8:
  case 9:
  case 10:
  case 15:
    return (guint8)spo2;
  case 3:
    return 48;
  default:
    return 0;
  }
}

static void
nonin_frame (OximeterModel *model, guint8 height, GByteArray *out)
{
  guint8 frame[5] = { 0x01, 0x80, has_pulse (model) ? (guint8)(height * 2) : 0 };
  frame[1] |= model->place == 0 ? 0x01 : 0;
  frame[1] |= !model->finger ? 0x08 : model->searching > 0 ? 0x10 : 0x02;
  frame[3] = nonin_value (model, model->place);
  frame[4] = (guint8)(frame[0] + frame[1] + frame[2] + frame[3]);
  model->place = (model->place + 1) % 25;
  g_byte_array_append (out, frame, sizeof frame);
}

void
oximeter_model_frame (OximeterModel *model, gint64 now_us, GByteArray *out)
{
  guint8 height = (guint8)(pleth (model->phase) * 100);
  model->phase += model->pulse / 60 / oximeter_model_rate (model);
  model->phase -= floor (model->phase);
  if (model->searching > 0)
    model->searching--;
  if (model->format == MODEL_CONTEC && now_us - model->kept_alive_us > KEEP_ALIVE_US)
    model->started = FALSE;
  if (!model->started)
    return;
  if (model->format == MODEL_CONTEC)
    contec_frame (model, height, out);
  else if (model->format == MODEL_CONTEC_OLD)
    old_frame (model, height, out);
  else
    nonin_frame (model, height, out);
}

void
oximeter_model_hear (OximeterModel *model, const guint8 *data, gsize length, gint64 now_us)
{
  for (gsize i = 0; i + 2 < length; i++) {
    if (model->format != MODEL_CONTEC || data[i] != 0x7D || data[i + 1] != 0x81)
      continue;
    if (data[i + 2] == 0xA1)
      model->started = TRUE;
    if (data[i + 2] == 0xA7)
      model->started = FALSE;
    model->kept_alive_us = now_us;
  }
}
