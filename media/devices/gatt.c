#include "media/devices/gatt_private.h"
#include "media/devices/utc.h"
#include <string.h>

G_DEFINE_QUARK (nhipcau - gatt - error, gatt_error)

static const struct {
  guint16 uuid;
  void (*read) (GattValue *value);
  const char *code; /* of a text about the device */
} READERS[] = {
  { GATT_BLOOD_PRESSURE, gatt_read_blood_pressure, NULL },
  { GATT_TEMPERATURE, gatt_read_temperature, NULL },
  { GATT_PLX_SPOT, gatt_read_plx_spot, NULL },
  { GATT_PLX_CONTINUOUS, gatt_read_plx_continuous, NULL },
  { GATT_NONIN_OXIMETRY, gatt_read_nonin, NULL },
  { GATT_GLUCOSE, gatt_read_glucose, NULL },
  { GATT_GLUCOSE_CONTEXT, gatt_read_glucose_context, NULL },
  { GATT_RACP, gatt_read_racp, NULL },
  { GATT_WEIGHT, gatt_read_weight, NULL },
  { GATT_HEART_RATE, gatt_read_heart_rate, NULL },
  { GATT_BATTERY, gatt_read_battery, NULL },
  { GATT_CURRENT_TIME, gatt_read_clock, NULL },
  { GATT_DATE_TIME, gatt_read_clock, NULL },
  { GATT_MANUFACTURER, gatt_read_words, "manufacturer" },
  { GATT_MODEL, gatt_read_words, "model" },
  { GATT_SERIAL, gatt_read_words, "serial-number" },
  { GATT_FIRMWARE, gatt_read_words, "firmware" },
  { GATT_HARDWARE, gatt_read_words, "hardware" },
  { GATT_SOFTWARE, gatt_read_words, "software" },
  { GATT_PNP_ID, gatt_read_pnp_id, "pnp-id" },
  { GATT_SYSTEM_ID, gatt_read_system_id, "system-id" },
};

static int
reader_of (guint16 uuid)
{
  for (guint i = 0; i < G_N_ELEMENTS (READERS); i++)
    if (READERS[i].uuid == uuid)
      return (int)i;
  return -1;
}

gboolean
gatt_is_known (guint16 uuid)
{
  return reader_of (uuid) >= 0;
}

/* ---- Names --------------------------------------------------------------------------------- */

#define BASE_UUID "-0000-1000-8000-00805f9b34fb"

#define NONIN_SERVICE "46a970e0-0d5f-11e2-8b5e-0002a5d5c51b"
#define NONIN_OXIMETRY "0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b"

guint16
gatt_uuid (const char *text)
{
  if (g_ascii_strcasecmp (text, NONIN_SERVICE) == 0)
    return GATT_NONIN_SERVICE;
  if (g_ascii_strcasecmp (text, NONIN_OXIMETRY) == 0)
    return GATT_NONIN_OXIMETRY;
  g_autofree char *digits = NULL;
  guint64 number;
  if (strlen (text) == 36 && g_str_has_prefix (text, "0000")
      && g_ascii_strcasecmp (text + 8, BASE_UUID) == 0)
    digits = g_strndup (text + 4, 4);
  else if (strlen (text) == 4)
    digits = g_strdup (text);
  if (digits == NULL || !g_ascii_string_to_unsigned (digits, 16, 1, G_MAXUINT16, &number, NULL))
    return 0;
  return (guint16)number;
}

static const struct {
  guint16 uuid;
  const char *kind, *text;
} SERVICES[] = {
  { 0x1810, "bp", "00001810" BASE_UUID },
  { 0x1809, "thermometer", "00001809" BASE_UUID },
  { 0x1822, "oximeter", "00001822" BASE_UUID },
  { 0x1808, "glucose", "00001808" BASE_UUID },
  { 0x181D, "scale", "0000181d" BASE_UUID },
  { 0x180D, "heart-rate", "0000180d" BASE_UUID },
  { GATT_NONIN_SERVICE, "oximeter", NONIN_SERVICE },
};

const char *
gatt_kind_of_service (guint16 uuid)
{
  for (guint i = 0; i < G_N_ELEMENTS (SERVICES); i++)
    if (SERVICES[i].uuid == uuid)
      return SERVICES[i].kind;
  return NULL;
}

const char *const *
gatt_service_uuids (void)
{
  static const char *texts[G_N_ELEMENTS (SERVICES) + 1];
  for (guint i = 0; i < G_N_ELEMENTS (SERVICES); i++)
    texts[i] = SERVICES[i].text;
  return texts;
}

gsize
gatt_service_advertised (const char *text, guint8 out[GATT_ADVERTISED_MAX])
{
  guint16 uuid = gatt_uuid (text);
  if (g_str_has_suffix (text, BASE_UUID)) {
    out[0] = (guint8)(uuid & 0xFF);
    out[1] = (guint8)(uuid >> 8);
    return 2;
  }
  gsize left = GATT_ADVERTISED_MAX;
  for (const char *c = text; left > 0 && c[0] != '\0' && c[1] != '\0';) {
    if (*c == '-') {
      c++;
      continue;
    }
    out[--left] = (guint8)(g_ascii_xdigit_value (c[0]) << 4 | g_ascii_xdigit_value (c[1]));
    c += 2;
  }
  return GATT_ADVERTISED_MAX;
}

/* ---- A whole value ------------------------------------------------------------------------- */

/* A reading that was taken longer ago than this is not what the doctor sees being taken. */
#define LIVE_US (10 * G_TIME_SPAN_MINUTE)
/* Clocks that differ less are alike. */
#define CLOCK_NEAR_US (2 * G_TIME_SPAN_MINUTE)

/* After its clock was set a device still has what it dated before. Where the clock was ahead, only
 * dates in the future tell. */
static gboolean
is_off (const GattContext *context, gint64 time_us)
{
  if (ABS (context->clock_off_us) <= CLOCK_NEAR_US)
    return FALSE;
  if (context->clock_off_until_us == 0)
    return TRUE;
  return context->clock_off_us > 0 ? time_us <= context->clock_off_until_us
                                   : time_us > context->now_us;
}

static void
put_time (Observation *o, GattValue *value)
{
  const GattContext *context = value->context;
  o->device_time = g_strdup (value->device_time);
  o->time_us = context->now_us;
  o->time_source = OBS_TIME_STATION;
  if (value->time_us == 0)
    return;
  o->time_us = value->time_us;
  o->time_source = OBS_TIME_DEVICE_LOCAL;
  if (is_off (context, value->time_us)) {
    o->time_us += context->clock_off_us;
    observation_add_flag (o, "clock-corrected");
  }
  if (!value->stored && o->time_us < context->now_us - LIVE_US)
    observation_add_flag (o, "clock-behind");
}

/* What the measurement says of itself belongs to each of its parts. */
static void
finish (Observation *o, GattValue *value)
{
  put_time (o, value);
  o->device = g_strdup (value->context->device);
  o->device_user = g_strdup (value->user);
  o->message_id = g_strdup (value->sequence);
  for (guint i = 0; i < value->flags->len; i++)
    observation_add_flag (o, value->flags->pdata[i]);
  if (value->stored)
    observation_add_flag (o, "stored");
  if (value->test)
    o->test = TRUE;
  if (value->absent == NULL || o->type == OBS_NONE)
    return;
  char *written = g_strdup (o->type == OBS_NUMBER ? o->number_text : o->text);
  observation_make_absent (o, value->absent);
  g_free (o->text);
  o->text = written;
}

static void
value_clear (GattValue *value)
{
  g_ptr_array_unref (value->found);
  g_ptr_array_unref (value->flags);
  g_free (value->device_time);
  g_free (value->user);
  g_free (value->sequence);
}

gboolean
gatt_read (guint16 uuid, const guint8 *data, gsize length, const GattContext *context,
           GPtrArray *out, GError **error)
{
  int reader = reader_of (uuid);
  if (reader < 0) {
    g_set_error (error, GATT_ERROR, GATT_ERROR_UUID, "%04X is no characteristic that is read here",
                 uuid);
    return FALSE;
  }
  GattValue value = { .data = data, .length = length, .context = context };
  value.stored = context->stored;
  value.found = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  value.flags = g_ptr_array_new ();
  READERS[reader].read (&value);
  if (value.short_of)
    g_set_error (error, GATT_ERROR, GATT_ERROR_SHORT,
                 "%04X: the value ends early: it has %" G_GSIZE_FORMAT " bytes", uuid, length);
  for (guint i = 0; !value.short_of && i < value.found->len; i++) {
    Observation *o = g_steal_pointer (&value.found->pdata[i]);
    if (READERS[reader].code != NULL && o->code == NULL)
      o->code = g_strdup (READERS[reader].code);
    finish (o, &value);
    g_ptr_array_add (out, o);
  }
  if (!value.short_of)
    g_ptr_array_set_free_func (value.found, NULL);
  value_clear (&value);
  return !value.short_of;
}
