/* Bluetooth LE health devices: values of GATT characteristics become observations.
 *
 * Sans-IO: the bytes of one characteristic value and the time of their arrival go in. Everything is
 * little-endian. Layouts: Bluetooth SIG, GATT Specification Supplement, by the characteristic's
 * 16-bit UUID. A value that ends early is refused whole; bytes behind the known fields are left
 * alone (later versions of a profile append).
 *
 * Units become UCUM ones of the table of codes: kPa → mm[Hg], °F → Cel, lb → kg, m and in → cm,
 * kg/L → mg/dL, mol/L → mmol/L; what the device wrote stays in device_value. Statuses become flags
 * (docs/devices.md lists them).
 */
#pragma once
#include "media/devices/observation.h"

#define GATT_ERROR (gatt_error_quark ())
GQuark gatt_error_quark (void);
typedef enum { GATT_ERROR_SHORT, GATT_ERROR_UUID, GATT_ERROR_HEX } GattError;

enum {
  GATT_DATE_TIME = 0x2A08,
  GATT_BATTERY = 0x2A19,
  GATT_TEMPERATURE = 0x2A1C,
  GATT_GLUCOSE = 0x2A18,
  GATT_SYSTEM_ID = 0x2A23,
  GATT_MODEL = 0x2A24,
  GATT_SERIAL = 0x2A25,
  GATT_FIRMWARE = 0x2A26,
  GATT_HARDWARE = 0x2A27,
  GATT_SOFTWARE = 0x2A28,
  GATT_MANUFACTURER = 0x2A29,
  GATT_CURRENT_TIME = 0x2A2B,
  GATT_GLUCOSE_CONTEXT = 0x2A34,
  GATT_BLOOD_PRESSURE = 0x2A35,
  GATT_HEART_RATE = 0x2A37,
  GATT_PNP_ID = 0x2A50,
  GATT_RACP = 0x2A52,
  GATT_PLX_SPOT = 0x2A5E,
  GATT_PLX_CONTINUOUS = 0x2A5F,
  GATT_WEIGHT = 0x2A9D,
  /* Of makers, with UUIDs of their own: known here by numbers that are no service's and no
   * characteristic's (0001 to 00FF are protocols). */
  GATT_NONIN_SERVICE = 0x0001,
  GATT_NONIN_OXIMETRY = 0x0002,
};

typedef struct {
  gint64 now_us;       /* UTC at which the bytes came, µs since 1970 */
  const char *device;  /* for Observation.device; NULL: not known */
  GTimeZone *zone;     /* in which the device's clock runs; NULL: the station's */
  gint64 clock_off_us; /* station's clock minus device's, where both were read; 0: not known, or
                        * the same */
  gint64 clock_off_until_us; /* by the device's clock, when it was set right: what it dated before
                              * is off; 0: is off still */
  gboolean stored;           /* comes from the device's memory, by request */
} GattContext;

/* Adds what the value says to out (of Observation*): several for a blood pressure, none for an
 * answer that carries no reading. FALSE: uuid is not known here, or the value ends early; out is
 * unchanged. */
gboolean gatt_read (guint16 uuid, const guint8 *data, gsize length, const GattContext *context,
                    GPtrArray *out, GError **error);
/* "2A35", the long form "00002a35-0000-1000-8000-00805f9b34fb", or a maker's own that is known
 * here. 0: none of these. */
guint16 gatt_uuid (const char *text);
/* TRUE when gatt_read() knows it. */
gboolean gatt_is_known (guint16 uuid);

/* ---- What a device is ---------------------------------------------------------------------- */

/* "bp" "thermometer" "oximeter" "glucose" "scale" "heart-rate" by the 16-bit UUID of a service;
 * NULL: none of ours. */
const char *gatt_kind_of_service (guint16 uuid);
/* The long forms of those services' UUIDs, NULL-terminated. */
const char *const *gatt_service_uuids (void);
/* As it stands in an advertisement, least significant byte first: 2 bytes, or 16 of a maker's own.
 * text: one of those. Returns the length. */
#define GATT_ADVERTISED_MAX 16
gsize gatt_service_advertised (const char *text, guint8 out[GATT_ADVERTISED_MAX]);

/* ---- Battery and clock --------------------------------------------------------------------- */

/* Percent; -1: not known. */
int gatt_battery (const guint8 *data, gsize length);
#define GATT_CURRENT_TIME_LENGTH 10
#define GATT_DATE_TIME_LENGTH 7
/* The station's local time, to be written to a device whose clock is not set. */
void gatt_write_current_time (GDateTime *now, guint8 out[GATT_CURRENT_TIME_LENGTH]);
void gatt_write_date_time (GDateTime *now, guint8 out[GATT_DATE_TIME_LENGTH]);
/* What a device's 2A2B or 2A08 says, in µs since 1970; FALSE: it has no usable time. zone as in
 * GattContext. */
gboolean gatt_clock (const guint8 *data, gsize length, GTimeZone *zone, gint64 *ret_us);
