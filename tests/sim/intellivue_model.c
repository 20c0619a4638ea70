#include "intellivue_model.h"

#include <math.h>
#include <string.h>

#define ALIVE_US (10 * G_USEC_PER_SEC)
#define ARRAY_US 256000
#define ECG_ARRAY 128
#define PLETH_ARRAY 32
#define ECG_STEP 0.005 /* mV */
#define ECG_ZERO 8192

IntellivueModel *
intellivue_model_new (void (*send) (const guint8 *, gsize, void *), void *arg)
{
  IntellivueModel *model = g_new0 (IntellivueModel, 1);
  model->send = send;
  model->arg = arg;
  model->heart_rate = 72;
  model->spo2 = 97;
  model->spo2_on = TRUE;
  model->spo2_low = 90;
  model->systolic = 118;
  model->diastolic = 76;
  model->mean = 90;
  model->pressure_time = G_GUINT64_CONSTANT (0x2026112008550000);
  model->patient_id = "0100123";
  return model;
}

double
intellivue_model_ecg (const IntellivueModel *model, guint64 sample)
{
  double phase = fmod (sample * model->heart_rate / 60 / 500, 1);
  double p = (phase - 0.15) / 0.025, r = (phase - 0.30) / 0.010, t = (phase - 0.55) / 0.05;
  return 0.12 * exp (-p * p / 2) + 1.1 * exp (-r * r / 2) + 0.28 * exp (-t * t / 2);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void
u8 (GByteArray *out, guint value)
{
  const guint8 byte = (guint8)value;
  g_byte_array_append (out, &byte, 1);
}

static void
u16 (GByteArray *out, guint value)
{
  u8 (out, value >> 8);
  u8 (out, value & 0xFF);
}

static void
u32 (GByteArray *out, guint32 value)
{
  u16 (out, value >> 16);
  u16 (out, value & 0xFFFF);
}

static void
u64 (GByteArray *out, guint64 value)
{
  u32 (out, (guint32)(value >> 32));
  u32 (out, (guint32)value);
}

/* Appends count and length of list, and the list, which is freed. */
static void
counted (GByteArray *out, guint count, GByteArray *list)
{
  u16 (out, count);
  u16 (out, list->len);
  g_byte_array_append (out, list->data, list->len);
  g_byte_array_unref (list);
}

static void
attribute (GByteArray *list, guint id, GByteArray *value)
{
  u16 (list, id);
  u16 (list, value->len);
  g_byte_array_append (list, value->data, value->len);
  g_byte_array_unref (value);
}

static GByteArray *
text (const char *utf8)
{
  gsize length = 0;
  g_autofree char *wide = g_convert (utf8, -1, "UTF-16BE", "UTF-8", NULL, &length, NULL);
  GByteArray *out = g_byte_array_new ();
  u16 (out, (guint)length + 2);
  g_byte_array_append (out, (const guint8 *)wide, (guint)length);
  u16 (out, 0);
  return out;
}

static void
transmit (IntellivueModel *model, const GByteArray *payload)
{
  g_autoptr (GByteArray) frame = iv_frame (payload->data, payload->len);
  model->send (frame->data, frame->len, model->arg);
}

static guint32
ticks (const IntellivueModel *model)
{
  return (guint32)(model->now_us / 125);
}

/* ---- Association ----------------------------------------------------------------------------- */

static void
accept_association (IntellivueModel *model)
{
  static const guint8 head[] = { 0x0E, 0x40, 0x05, 0x08, 0x13, 0x01, 0x00, 0x16,
                                 0x01, 0x02, 0x80, 0x00, 0x14, 0x02, 0x00, 0x02 };
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_byte_array_append (out, head, sizeof head);
  u32 (out, 1u << 16 | 0x28); /* poll profile: revision, period of 1 s … */
  u32 (out, 0x80000000);
  u32 (out, 8000);
  u32 (out, 1000);
  u32 (out, 1000);
  u32 (out, 0xFFFFFFFF);
  u32 (out, 0x60000000);
  u32 (out, 0);
  transmit (model, out);
}

static void
send_create_event (IntellivueModel *model)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  u32 (out, 0xE1000002);
  u32 (out, 1u << 16 | (6 + 14 + 10));
  u32 (out, 77u << 16 | 1);
  u16 (out, 14 + 10);
  u16 (out, 0x21); /* MDS object */
  u32 (out, 0);
  u32 (out, ticks (model));
  u16 (out, 0x0D06);
  u16 (out, 10);
  u16 (out, 0x21);
  u32 (out, 0);
  u32 (out, 0);
  transmit (model, out);
}

static void
send_word (IntellivueModel *model, guint8 word)
{
  const guint8 bytes[] = { word, 0x00 };
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_byte_array_append (out, bytes, sizeof bytes);
  transmit (model, out);
}

/* ---- Polls ----------------------------------------------------------------------------------- */

/* FLOAT with so many decimals. */
static void
number (GByteArray *out, double value, guint decimals)
{
  gint32 mantissa = (gint32)lround (value * pow (10, decimals));
  u32 (out, (guint32)(guint8) - (int)decimals << 24 | ((guint32)mantissa & 0xFFFFFF));
}

static void
observed (const IntellivueModel *model, GByteArray *out, guint physio, gboolean on, guint unit,
          double value, guint decimals)
{
  u16 (out, physio);
  u16 (out, (on ? 0 : 0x8000) | (model->demo ? 0x0400 : 0));
  u16 (out, unit);
  if (on)
    number (out, value, decimals);
  else
    u32 (out, 0x007FFFFF);
}

static void
object (GByteArray *objects, guint handle, guint count, GByteArray *attributes)
{
  u16 (objects, handle);
  counted (objects, count, attributes);
}

static void
numeric (const IntellivueModel *model, GByteArray *objects, guint handle, guint physio, gboolean on,
         guint unit, double value, guint decimals)
{
  GByteArray *attributes = g_byte_array_new (), *observation = g_byte_array_new ();
  observed (model, observation, physio, on, unit, value, decimals);
  attribute (attributes, 0x0950, observation);
  object (objects, handle, 1, attributes);
}

static guint
numerics (const IntellivueModel *model, GByteArray *objects)
{
  GByteArray *attributes = g_byte_array_new (), *list = g_byte_array_new (),
             *compound = g_byte_array_new (), *stamp = g_byte_array_new ();
  numeric (model, objects, 10, 16770, TRUE, 2720, model->heart_rate, 0);
  numeric (model, objects, 11, 19384, model->spo2_on, 544, model->spo2, 1);
  numeric (model, objects, 12, 18466, model->spo2_on, 2720, model->heart_rate, 0);
  numeric (model, objects, 13, 20490, TRUE, 2784, 16, 0);
  observed (model, list, 18949, TRUE, 3872, model->systolic, 0);
  observed (model, list, 18950, TRUE, 3872, model->diastolic, 0);
  observed (model, list, 18951, TRUE, 3872, model->mean, 0);
  counted (compound, 3, list);
  attribute (attributes, 0x094B, compound);
  u64 (stamp, model->pressure_time);
  attribute (attributes, 0x0990, stamp);
  object (objects, 14, 2, attributes);
  return 5;
}

static guint
demographics (const IntellivueModel *model, GByteArray *objects)
{
  GByteArray *attributes = g_byte_array_new ();
  if (model->patient_id == NULL) {
    g_byte_array_unref (attributes);
    return 0;
  }
  attribute (attributes, 0x095A, text (model->patient_id));
  attribute (attributes, 0x095C, text ("Vàng"));
  attribute (attributes, 0x095D, text ("Thị Mỷ"));
  object (objects, 1, 3, attributes);
  return 1;
}

static void
stand (const IntellivueModel *model, GByteArray *list, guint source, guint code, guint type,
       const char *words)
{
  GByteArray *info = g_byte_array_new (), *string = text (words);
  u16 (list, source);
  u16 (list, code);
  u16 (list, type);
  u16 (list, (model->silenced ? 0x1000 : 0x0008) | (model->demo ? 0x0100 : 0));
  u16 (list, 6); /* the numeric that it is about */
  u16 (list, 0);
  u16 (list, 11);
  u16 (list, 516);
  u16 (info, 1); /* instance */
  u32 (info, 0);
  u16 (info, 0);
  u16 (info, 0);
  g_byte_array_append (info, string->data, string->len);
  g_byte_array_unref (string);
  u16 (list, info->len);
  g_byte_array_append (list, info->data, info->len);
  g_byte_array_unref (info);
}

/* What stands: the alert monitor's two lists, of the patient and of the equipment. */
static guint
alarms (const IntellivueModel *model, GByteArray *objects)
{
  GByteArray *attributes = g_byte_array_new (), *list = g_byte_array_new (),
             *value = g_byte_array_new ();
  gboolean low = model->spo2_on && model->spo2 < model->spo2_low;
  if (low)
    stand (model, list, 19384, 62, 512, "** SpO₂ LOW");
  counted (value, low, list);
  attribute (attributes, 0x0902, value);
  list = g_byte_array_new ();
  value = g_byte_array_new ();
  if (!model->spo2_on)
    stand (model, list, 19384, 22, 1, "SpO₂ NO SENSOR");
  counted (value, !model->spo2_on, list);
  attribute (attributes, 0x0904, value);
  object (objects, 2, 2, attributes);
  return 1;
}

/* What it cannot do: error 1, "no such object class". */
static void
refuse (IntellivueModel *model, guint id)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  u32 (out, 0xE1000002);
  model->refused++;
  u32 (out, 3u << 16 | 6);
  u16 (out, id);
  u16 (out, 0);
  u16 (out, 0);
  transmit (model, out);
}

/* A lead with all that describes it. */
static void
wave (const IntellivueModel *model, GByteArray *objects, guint handle, guint physio, gboolean ecg)
{
  guint count = ecg ? ECG_ARRAY : PLETH_ARRAY;
  GByteArray *attributes = g_byte_array_new (), *shape = g_byte_array_new (),
             *scale = g_byte_array_new (), *period = g_byte_array_new (),
             *unit = g_byte_array_new (), *value = g_byte_array_new ();
  u16 (shape, count);
  u8 (shape, 16);
  u8 (shape, 14);
  u16 (shape, 0);
  number (scale, ecg ? -40.96 : 0, 2);
  number (scale, ecg ? 40.95 : 1, 2);
  u16 (scale, 0);
  u16 (scale, ecg ? 16382 : 4000);
  u32 (period, ecg ? 16 : 64);
  u16 (unit, ecg ? 4274 : 512); /* mV, dimensionless */
  u16 (value, physio);
  u16 (value, model->demo ? 0x0400 : 0);
  u16 (value, count * 2);
  for (guint i = 0; i < count; i++) {
    double mv = intellivue_model_ecg (model, model->sample + i);
    double volume = 2000 + 1500 * sin ((model->sample / 4 + i) * 2 * G_PI * 1.2 / 125);
    u16 (value, ecg ? (guint)(ECG_ZERO + lround (mv / ECG_STEP)) : (guint)volume);
  }
  attribute (attributes, 0x096D, shape);
  attribute (attributes, 0x096F, scale);
  attribute (attributes, 0x098D, period);
  attribute (attributes, 0x0996, unit);
  attribute (attributes, 0x096E, value);
  object (objects, handle, 5, attributes);
}

/* (transfer full) objects. */
static void
answer (IntellivueModel *model, guint id, gboolean extended, guint class, guint count,
        GByteArray *objects)
{
  GByteArray *context = g_byte_array_new ();
  g_autoptr (GByteArray) reply = g_byte_array_new (), out = g_byte_array_new ();
  u16 (reply, id);
  if (extended)
    u16 (reply, ++model->sequence);
  u32 (reply, ticks (model));
  u64 (reply, G_GUINT64_CONSTANT (0x2026112009000000));
  u16 (reply, 1);
  u16 (reply, class);
  u16 (reply, 0x0803);
  u16 (context, 0);
  counted (context, count, objects);
  counted (reply, 1, context);
  u32 (out, 0xE1000002);
  u32 (out, 2u << 16 | (6 + 10 + reply->len));
  u32 (out, id << 16 | 7);
  u16 (out, 10 + reply->len);
  u16 (out, 0x21);
  u32 (out, 0);
  u16 (out, extended ? 0xF13B : 0x0C16);
  u16 (out, reply->len);
  g_byte_array_append (out, reply->data, reply->len);
  transmit (model, out);
}

static guint
be16 (const guint8 *at)
{
  return (guint)at[0] << 8 | at[1];
}

static void
hear_poll (IntellivueModel *model, const guint8 *p, gsize length)
{
  guint id = be16 (p + 8), class = be16 (p + 32);
  GByteArray *objects = g_byte_array_new ();
  if (be16 (p + 24) == 0xF13B && length >= 48) {
    guint32 period = (guint32)be16 (p + 44) << 16 | be16 (p + 46);
    if (model->waves_until_us < model->now_us)
      model->wave_us = model->now_us;
    model->waves_until_us = model->now_us + (gint64)period * 125;
    g_byte_array_unref (objects);
  } else if (class == 0x2A) {
    guint count = demographics (model, objects);
    answer (model, id, FALSE, class, count, objects);
  } else if (class == 0x36 && !model->no_alerts) {
    guint count = alarms (model, objects);
    answer (model, id, FALSE, class, count, objects);
  } else if (class == 0x06) {
    guint count = numerics (model, objects);
    answer (model, id, FALSE, class, count, objects);
  } else {
    g_byte_array_unref (objects);
    refuse (model, id);
  }
}

static void
hear_request (IntellivueModel *model)
{
  if (model->associated) /* deaf until the old one is aborted */
    return;
  if (model->refuses) {
    send_word (model, 0x0C);
    return;
  }
  model->associated = TRUE;
  model->associations++;
  accept_association (model);
  send_create_event (model);
}

static void
hear_payload (const guint8 *p, gsize length, void *arg)
{
  IntellivueModel *model = arg;
  if (length > 0 && p[0] == 0x0D)
    hear_request (model);
  else if (length > 0 && (p[0] == 0x19 || p[0] == 0x09))
    model->associated = model->created = FALSE;
  if (!model->associated)
    return;
  model->heard_us = model->now_us;
  if (length >= 14 && p[0] == 0xE1 && be16 (p + 4) == 2)
    model->created = TRUE;
  else if (length >= 36 && p[0] == 0xE1 && be16 (p + 4) == 1 && be16 (p + 10) == 7
           && model->created)
    hear_poll (model, p, length);
}

void
intellivue_model_hear (IntellivueModel *model, const guint8 *data, gsize length, gint64 now_us)
{
  model->now_us = now_us;
  iv_deframer_feed (&model->deframer, data, length, hear_payload, model);
}

void
intellivue_model_tick (IntellivueModel *model, gint64 now_us)
{
  model->now_us = now_us;
  if (model->associated && now_us - model->heard_us > ALIVE_US) {
    model->associated = model->created = FALSE;
    model->waves_until_us = 0;
    model->aborted++;
    send_word (model, 0x19);
  }
  while (model->associated && model->wave_us + ARRAY_US <= now_us
         && model->wave_us < model->waves_until_us) {
    GByteArray *objects = g_byte_array_new ();
    model->wave_us += ARRAY_US;
    model->now_us = model->wave_us;
    wave (model, objects, 20, 258, TRUE);
    wave (model, objects, 21, 19380, FALSE);
    answer (model, 3, TRUE, 9, 2, objects);
    model->sample += ECG_ARRAY;
    model->now_us = now_us;
  }
}
