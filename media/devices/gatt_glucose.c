/* Glucometers: measurement (2A18) and its context (2A34). */
#include "media/devices/gatt_private.h"

/* By the type of sample; 0 is reserved. Control solution is nobody's blood. */
#define CONTROL_SOLUTION 10
static const guint32 SAMPLE_CODES[]
    = { 160364, 160184, 160188, 160192, 160196, 160200, 160204, 160364, 160368, 160212, 160208 };
static const char *const SAMPLE_SITES[]
    = { NULL, "finger", "alternate-site", "earlobe", "control-solution" };

#define STATUS_HIGH (1u << 5)
#define STATUS_LOW (1u << 6)

static guint16
take_status (GattValue *value)
{
  static const char *const bits[]
      = { "battery-low",           "sensor-malfunction",   "sample-insufficient",
          "strip-insertion-error", "strip-type-incorrect", "above-range",
          "below-range",           "sensor-too-hot",       "sensor-too-cold",
          "strip-pulled-early",    "device-fault",         "clock-fault" };
  guint16 status = gatt_u16 (value);
  gatt_flag_bits (value, status, bits, G_N_ELEMENTS (bits));
  return status;
}

/* The result is off the device's scale: its words are kept, no number. */
static void
say_limit (Observation *o, guint16 status)
{
  if ((status & (STATUS_HIGH | STATUS_LOW)) == 0 || o == NULL)
    return;
  observation_make_absent (o, "not-available");
  g_clear_pointer (&o->absent_reason, g_free);
  o->type = OBS_TEXT;
  g_free (o->text);
  o->text = g_strdup ((status & STATUS_HIGH) != 0 ? "HI" : "LO");
}

static Observation *
take_concentration (GattValue *value, const char *unit)
{
  GattNumber number = gatt_take_sfloat (value);
  guint8 both = gatt_u8 (value);
  guint type = both & 0x0F, site = both >> 4;
  guint32 mdc = type < G_N_ELEMENTS (SAMPLE_CODES) ? SAMPLE_CODES[type] : SAMPLE_CODES[0];
  Observation *o = gatt_add_number (value, mdc, number, unit);
  if (site < G_N_ELEMENTS (SAMPLE_SITES))
    o->site = g_strdup (SAMPLE_SITES[site]);
  if (type == CONTROL_SOLUTION || site == 4) {
    value->test = TRUE;
    gatt_flag (value, "control-solution");
  }
  return o;
}

void
gatt_read_glucose (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  Observation *o = NULL;
  value->sequence = g_strdup_printf ("%u", gatt_u16 (value));
  gatt_take_time (value);
  if ((flags & 0x01) != 0) {
    gint16 minutes = (gint16)gatt_u16 (value);
    if (value->time_us != 0)
      value->time_us += minutes * G_TIME_SPAN_MINUTE;
  }
  if ((flags & 0x02) != 0)
    o = take_concentration (value, (flags & 0x04) != 0 ? "mol/L" : "kg/L");
  if ((flags & 0x08) != 0)
    say_limit (o, take_status (value));
  if ((flags & 0x10) != 0)
    gatt_flag (value, "context-follows");
}

/* ---- Context ------------------------------------------------------------------------------- */

static void
take_word (GattValue *value, const char *code, guint number, const char *const *words, guint n)
{
  const char *word = number < n ? words[number] : NULL;
  gatt_add_text (value, 0, code, word != NULL ? g_strdup (word) : g_strdup_printf ("%u", number));
}

static void
take_carbohydrate (GattValue *value)
{
  static const char *const meals[]
      = { NULL, "breakfast", "lunch", "dinner", "snack", "drink", "supper", "brunch" };
  take_word (value, "carbohydrate-meal", gatt_u8 (value), meals, G_N_ELEMENTS (meals));
  gatt_add_other (value, "carbohydrate", gatt_take_sfloat (value), "kg");
}

static void
take_people (GattValue *value)
{
  static const char *const testers[] = { NULL, "self", "professional", "laboratory" };
  static const char *const health[]
      = { NULL, "minor-issues", "major-issues", "during-menses", "under-stress", "no-issues" };
  guint8 both = gatt_u8 (value);
  take_word (value, "tester", both & 0x0F, testers, G_N_ELEMENTS (testers));
  take_word (value, "health", both >> 4, health, G_N_ELEMENTS (health));
}

static void
take_medication (GattValue *value, gboolean litres)
{
  static const char *const kinds[]
      = { NULL,           "rapid-insulin", "short-insulin", "intermediate-insulin",
          "long-insulin", "mixed-insulin" };
  take_word (value, "medication", gatt_u8 (value), kinds, G_N_ELEMENTS (kinds));
  gatt_add_other (value, "medication-amount", gatt_take_sfloat (value), litres ? "L" : "kg");
}

void
gatt_read_glucose_context (GattValue *value)
{
  static const char *const meals[]
      = { NULL, "before-meal", "after-meal", "fasting", "casual", "bedtime" };
  guint8 flags = gatt_u8 (value);
  value->sequence = g_strdup_printf ("%u", gatt_u16 (value));
  if ((flags & 0x80) != 0)
    gatt_u8 (value); /* extended flags: all reserved */
  if ((flags & 0x01) != 0)
    take_carbohydrate (value);
  if ((flags & 0x02) != 0)
    take_word (value, "meal", gatt_u8 (value), meals, G_N_ELEMENTS (meals));
  if ((flags & 0x04) != 0)
    take_people (value);
  if ((flags & 0x08) != 0) {
    GattNumber seconds = { GATT_FINITE, gatt_u16 (value), 0 };
    GattNumber intensity = { GATT_FINITE, gatt_u8 (value), 0 };
    gatt_add_other (value, "exercise", seconds, "s");
    gatt_add_other (value, "exercise-intensity", intensity, "%");
  }
  if ((flags & 0x10) != 0)
    take_medication (value, (flags & 0x20) != 0);
  if ((flags & 0x40) != 0)
    gatt_add_number (value, 160220, gatt_take_sfloat (value), "%");
}
