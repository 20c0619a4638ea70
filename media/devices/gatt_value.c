/* The pieces of which values are made: bytes, times, users, numbers with their units. */
#include "media/devices/codes.h"
#include "media/devices/gatt_private.h"
#include <string.h>

static guint32
take (GattValue *value, guint bytes)
{
  guint32 number = 0;
  if (value->length - value->at < bytes) {
    value->short_of = TRUE;
    value->at = value->length;
    return 0;
  }
  for (guint i = 0; i < bytes; i++)
    number |= (guint32)value->data[value->at++] << (8 * i);
  return number;
}

guint8
gatt_u8 (GattValue *value)
{
  return (guint8)take (value, 1);
}

guint16
gatt_u16 (GattValue *value)
{
  return (guint16)take (value, 2);
}

guint32
gatt_u24 (GattValue *value)
{
  return take (value, 3);
}

guint32
gatt_u32 (GattValue *value)
{
  return take (value, 4);
}

GattNumber
gatt_take_sfloat (GattValue *value)
{
  return gatt_sfloat (gatt_u16 (value));
}

void
gatt_flag (GattValue *value, const char *flag)
{
  g_ptr_array_add (value->flags, (char *)flag);
}

void
gatt_flag_bits (GattValue *value, guint32 status, const char *const *names, guint n)
{
  for (guint i = 0; i < n; i++)
    if ((status >> i & 1) != 0 && names[i] != NULL)
      gatt_flag (value, names[i]);
}

void
gatt_take_user (GattValue *value)
{
  guint8 user = gatt_u8 (value);
  if (user != 0xFF && value->user == NULL)
    value->user = g_strdup_printf ("%u", user);
}

/* ---- Time ---------------------------------------------------------------------------------- */

/* Health devices of Bluetooth LE exist since 2011: an earlier date is a clock that nobody set. */
#define FIRST_YEAR 2011

typedef struct {
  guint year, month, day, hour, minute, second;
} DateTime;

static DateTime
date_time_of (GattValue *value)
{
  DateTime t = { .year = gatt_u16 (value) };
  t.month = gatt_u8 (value);
  t.day = gatt_u8 (value);
  t.hour = gatt_u8 (value);
  t.minute = gatt_u8 (value);
  t.second = gatt_u8 (value);
  return t;
}

/* What is 0 in a date the device does not know. */
static char *
date_time_text (const DateTime *t)
{
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, t->year != 0 ? "%04u" : "????", t->year);
  g_string_append_printf (text, t->month != 0 ? "-%02u" : "-??", t->month);
  g_string_append_printf (text, t->day != 0 ? "-%02u" : "-??", t->day);
  g_string_append_printf (text, "T%02u:%02u:%02u", t->hour, t->minute, t->second);
  return g_string_free (text, FALSE);
}

/* NULL, and why in *ret_flag, when it is no moment. */
static GDateTime *
moment_of (const DateTime *t, GTimeZone *zone, const char **ret_flag)
{
  g_autoptr (GTimeZone) local = zone != NULL ? g_time_zone_ref (zone) : g_time_zone_new_local ();
  *ret_flag = "clock-incomplete";
  if (t->year == 0 || t->month == 0 || t->day == 0)
    return NULL;
  *ret_flag = "clock-not-set";
  if (t->year < FIRST_YEAR)
    return NULL;
  *ret_flag = "clock-invalid";
  if (t->year > 9999)
    return NULL;
  return g_date_time_new (local, (gint)t->year, (gint)t->month, (gint)t->day, (gint)t->hour,
                          (gint)t->minute, t->second);
}

void
gatt_take_time (GattValue *value)
{
  const char *flag;
  DateTime t = date_time_of (value);
  if (value->short_of)
    return;
  g_autoptr (GDateTime) moment = moment_of (&t, value->context->zone, &flag);
  g_free (value->device_time);
  value->device_time = date_time_text (&t);
  if (moment != NULL)
    value->time_us = g_date_time_to_unix (moment) * G_USEC_PER_SEC;
  else
    gatt_flag (value, flag);
}

gboolean
gatt_clock (const guint8 *data, gsize length, GTimeZone *zone, gint64 *ret_us)
{
  const char *flag;
  GattValue value = { .data = data, .length = length };
  DateTime t = date_time_of (&value);
  if (value.short_of)
    return FALSE;
  g_autoptr (GDateTime) moment = moment_of (&t, zone, &flag);
  if (moment == NULL)
    return FALSE;
  *ret_us = g_date_time_to_unix (moment) * G_USEC_PER_SEC;
  return TRUE;
}

void
gatt_write_date_time (GDateTime *now, guint8 out[GATT_DATE_TIME_LENGTH])
{
  gint year = g_date_time_get_year (now);
  out[0] = (guint8)(year & 0xFF);
  out[1] = (guint8)(year >> 8);
  out[2] = (guint8)g_date_time_get_month (now);
  out[3] = (guint8)g_date_time_get_day_of_month (now);
  out[4] = (guint8)g_date_time_get_hour (now);
  out[5] = (guint8)g_date_time_get_minute (now);
  out[6] = (guint8)g_date_time_get_second (now);
}

void
gatt_write_current_time (GDateTime *now, guint8 out[GATT_CURRENT_TIME_LENGTH])
{
  gatt_write_date_time (now, out);
  out[7] = (guint8)g_date_time_get_day_of_week (now);
  out[8] = (guint8)(g_date_time_get_microsecond (now) * 256 / G_USEC_PER_SEC);
  out[9] = 1; /* adjust reason: manual time update */
}

/* ---- Numbers ------------------------------------------------------------------------------- */

static void
make_special (Observation *o, GattNumberKind kind)
{
  static const char *const reasons[] = { [GATT_NAN] = "not-measured",
                                         [GATT_NRES] = "not-available",
                                         [GATT_PLUS_INF] = "not-available",
                                         [GATT_MINUS_INF] = "not-available",
                                         [GATT_RESERVED] = "invalid" };
  observation_make_absent (o, reasons[kind]);
  if (kind == GATT_PLUS_INF)
    observation_add_flag (o, "above-range");
  if (kind == GATT_MINUS_INF)
    observation_add_flag (o, "below-range");
}

static guint
decimals_of (GattNumber number)
{
  return number.exponent < 0 ? (guint)MIN (-number.exponent, 6) : 0;
}

/* Powers of ten only: every digit stays. */
static gboolean
shift_unit (GattNumber *number, const char *ucum, const char **ret_ucum)
{
  static const struct {
    const char *from, *to;
    int shift;
  } SHIFTS[] = { { "kg/L", "mg/dL", 5 }, { "mol/L", "mmol/L", 3 }, { "m", "cm", 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (SHIFTS); i++)
    if (g_str_equal (SHIFTS[i].from, ucum)) {
      number->exponent += SHIFTS[i].shift;
      *ret_ucum = SHIFTS[i].to;
      return TRUE;
    }
  *ret_ucum = ucum;
  return FALSE;
}

/* Glucose stays in the unit of its profile's choice: people read either. */
static gboolean
is_kept_in (const char *ucum)
{
  return g_str_equal (ucum, "mmol/L") || g_str_equal (ucum, "mg/dL");
}

static char *
fixed_text (double number, guint decimals)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE + 64];
  g_autofree char *format = g_strdup_printf ("%%.%uf", decimals);
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, format, number));
}

static void
take_finite (Observation *o, GattNumber number, const char *ucum)
{
  GattNumber shifted = number;
  const char *unit_name;
  gboolean converted = shift_unit (&shifted, ucum, &unit_name);
  const UnitEntry *unit = unit_by_ucum (unit_name);
  o->type = OBS_NUMBER;
  o->number = gatt_number_value (shifted);
  o->number_text = gatt_number_text (shifted);
  if (unit != NULL && !is_kept_in (unit_name) && !g_str_equal (unit->base, unit->ucum)) {
    converted = TRUE;
    o->number = unit_to_base (unit, o->number);
    g_free (o->number_text);
    o->number_text = fixed_text (o->number, MAX (decimals_of (shifted), 1));
    unit_name = unit->base;
  }
  if (converted) {
    g_autofree char *written = gatt_number_text (number);
    o->device_value = g_strdup_printf ("%s %s", written, ucum);
  }
  g_free (o->unit);
  o->unit = g_strdup (unit_name);
}

static void
judge (Observation *o, const CodeEntry *entry)
{
  const UnitEntry *unit = unit_by_ucum (o->unit);
  double value = unit != NULL ? unit_to_base (unit, o->number) : o->number;
  if (value == 0 && entry->zero_absent) {
    g_autofree char *written = g_strdup (o->number_text);
    observation_make_absent (o, "not-measured");
    o->text = g_steal_pointer (&written);
  } else if (entry->low < entry->high && (value < entry->low || value > entry->high))
    observation_add_flag (o, "implausible");
}

static Observation *
add (GattValue *value)
{
  Observation *o = observation_new ();
  g_ptr_array_add (value->found, o);
  return o;
}

static void
take_number (Observation *o, GattNumber number, const char *ucum)
{
  GattNumber shifted = number;
  const char *unit_name;
  if (number.kind == GATT_FINITE) {
    take_finite (o, number, ucum);
    return;
  }
  shift_unit (&shifted, ucum, &unit_name);
  const UnitEntry *unit = unit_by_ucum (unit_name);
  o->unit = g_strdup (unit != NULL && !is_kept_in (unit_name) ? unit->base : unit_name);
  make_special (o, number.kind);
}

Observation *
gatt_add_number (GattValue *value, guint32 mdc, GattNumber number, const char *ucum)
{
  const CodeEntry *entry = code_by_mdc (mdc);
  Observation *o = add (value);
  o->mdc = mdc;
  o->code = g_strdup (entry->name);
  o->loinc = g_strdup (entry->loinc);
  o->vital = g_strdup (entry->vital);
  take_number (o, number, ucum);
  if (g_strcmp0 (o->loinc, "41653-7") == 0 && g_strcmp0 (o->unit, "mmol/L") == 0) {
    g_free (o->loinc);
    o->loinc = g_strdup ("14743-9");
  }
  if (o->type == OBS_NUMBER)
    judge (o, entry);
  return o;
}

Observation *
gatt_add_other (GattValue *value, const char *code, GattNumber number, const char *ucum)
{
  Observation *o = add (value);
  o->code = g_strdup (code);
  take_number (o, number, ucum);
  return o;
}

Observation *
gatt_add_text (GattValue *value, guint32 mdc, const char *code, char *text)
{
  Observation *o = add (value);
  o->mdc = mdc;
  o->code = g_strdup (code);
  o->type = OBS_TEXT;
  o->text = text;
  return o;
}
