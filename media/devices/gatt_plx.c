/* Pulse oximeters: spot check (2A5E) and continuous (2A5F). */
#include "media/devices/gatt_private.h"

#define SPO2 150456
#define PULSE 149530
#define PERFUSION 150448

/* Measurement Status. DEMO, TEST and CAL are no patient's. */
#define STATUS_STORED (1u << 9)
#define STATUS_NO_PATIENT (1u << 10 | 1u << 11 | 1u << 12)
#define STATUS_UNAVAILABLE (1u << 13)
#define STATUS_INVALID (1u << 15)

static void
take_measurement_status (GattValue *value)
{
  static const char *const bits[]
      = { NULL, NULL,   NULL,   NULL,  NULL, "ongoing", "EARLY", "validated", "fully-qualified",
          NULL, "DEMO", "TEST", "CAL", NULL, "QUES",    "INV" };
  guint16 status = gatt_u16 (value);
  gatt_flag_bits (value, status, bits, G_N_ELEMENTS (bits));
  if ((status & STATUS_STORED) != 0)
    value->stored = TRUE;
  if ((status & STATUS_NO_PATIENT) != 0)
    value->test = TRUE;
  if ((status & STATUS_UNAVAILABLE) != 0)
    value->absent = "not-available";
  if ((status & STATUS_INVALID) != 0)
    value->absent = "invalid";
}

/* Device and Sensor Status; with the sensor off the finger there is no reading. */
#define SENSOR_OFF (1u << 11 | 1u << 15)

static void
take_sensor_status (GattValue *value)
{
  static const char *const bits[] = {
    "display-updating",   "equipment-malfunction", "signal-irregular",    "signal-inadequate",
    "signal-poor",        "low-perfusion",         "signal-erratic",      "signal-nonpulsatile",
    "pulse-questionable", "signal-analysis",       "sensor-interference", "sensor-unconnected",
    "sensor-unknown",     "sensor-displaced",      "sensor-malfunction",  "sensor-disconnected"
  };
  guint32 status = gatt_u24 (value);
  gatt_flag_bits (value, status, bits, G_N_ELEMENTS (bits));
  if ((status & SENSOR_OFF) != 0 && value->absent == NULL)
    value->absent = "not-measured";
}

void
gatt_read_plx_spot (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  gatt_add_number (value, SPO2, gatt_take_sfloat (value), "%");
  gatt_add_number (value, PULSE, gatt_take_sfloat (value), "/min");
  if ((flags & 0x01) != 0)
    gatt_take_time (value);
  if ((flags & 0x02) != 0)
    take_measurement_status (value);
  if ((flags & 0x04) != 0)
    take_sensor_status (value);
  if ((flags & 0x08) != 0)
    gatt_add_number (value, PERFUSION, gatt_take_sfloat (value), "%");
  if ((flags & 0x10) != 0) {
    gatt_flag (value, "clock-not-set");
    value->time_us = 0;
  }
}

/* Averages over other lengths of time: never shown as the reading itself. */
static void
take_averages (GattValue *value, const char *spo2, const char *pulse)
{
  gatt_add_other (value, spo2, gatt_take_sfloat (value), "%");
  gatt_add_other (value, pulse, gatt_take_sfloat (value), "/min");
}

void
gatt_read_plx_continuous (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  gatt_add_number (value, SPO2, gatt_take_sfloat (value), "%");
  gatt_add_number (value, PULSE, gatt_take_sfloat (value), "/min");
  if ((flags & 0x01) != 0)
    take_averages (value, "spo2-fast", "pulse-fast");
  if ((flags & 0x02) != 0)
    take_averages (value, "spo2-slow", "pulse-slow");
  if ((flags & 0x04) != 0)
    take_measurement_status (value);
  if ((flags & 0x08) != 0)
    take_sensor_status (value);
  if ((flags & 0x10) != 0)
    gatt_add_number (value, PERFUSION, gatt_take_sfloat (value), "%");
}
