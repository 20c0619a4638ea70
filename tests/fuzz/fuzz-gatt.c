/* Values of GATT characteristics, and files of them, to observations as JSON. */
#include "media/devices/decode.h"
#include "media/devices/gatt.h"
#include "media/devices/gatt_racp.h"
#include <math.h>

static const guint16 UUIDS[]
    = { GATT_BLOOD_PRESSURE, GATT_TEMPERATURE, GATT_PLX_SPOT,  GATT_PLX_CONTINUOUS,
        GATT_GLUCOSE,        GATT_RACP,        GATT_WEIGHT,    GATT_GLUCOSE_CONTEXT,
        GATT_HEART_RATE,     GATT_BATTERY,     GATT_DATE_TIME, GATT_CURRENT_TIME,
        GATT_MANUFACTURER,   GATT_PNP_ID,      GATT_SYSTEM_ID, GATT_MODEL,
        GATT_NONIN_OXIMETRY };

static void
print (json_t *object, void *arg)
{
  g_autofree char *text = json_dumps (object, JSON_COMPACT);
  /* Whatever was sent, what is kept is valid UTF-8, hence valid JSON. */
  if (text == NULL)
    g_error ("an observation that cannot be written");
}

static void
check (const Observation *o)
{
  if ((o->type == OBS_NUMBER) != (o->number_text != NULL) || !isfinite (o->number))
    g_error ("a number that is none");
  if (o->type == OBS_NONE && o->absent_reason == NULL)
    g_error ("no value and no reason");
}

static void
read_value (guint16 uuid, const guint8 *data, gsize size)
{
  const GattContext context = { .now_us = G_USEC_PER_SEC, .clock_off_us = (gint64)size << 30 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  gboolean good = gatt_read (uuid, data, size, &context, found, &error);
  if (good != (error == NULL) || (!good && found->len > 0))
    g_error ("a refused value that gives something");
  for (guint i = 0; i < found->len; i++) {
    json_auto_t *object = observation_to_json (found->pdata[i]);
    check (found->pdata[i]);
    print (object, NULL);
  }
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  RacpAnswer answer;
  gint64 time_us;
  if (size < 1)
    return 0;
  /* The first byte chooses the characteristic, and whether it is a file of them. */
  guint16 uuid = UUIDS[(data[0] & 0x7F) % G_N_ELEMENTS (UUIDS)];
  if ((data[0] & 0x80) == 0) {
    read_value (uuid, data + 1, size - 1);
    racp_read (data + 1, size - 1, &answer);
    gatt_clock (data + 1, size - 1, NULL, &time_us);
    return 0;
  }
  g_autoptr (GError) error = NULL;
  g_autofree char *kind = g_strdup_printf ("gatt:%04X", uuid);
  device_decode (kind, data + 1, size - 1, print, NULL, NULL, &error);
  return 0;
}
