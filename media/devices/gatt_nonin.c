/* Nonin's own continuous oximetry, which some firmwares (3230, 3231) have instead of the profile:
 * service 46A970E0-0D5F-11E2-8B5E-0002A5D5C51B, characteristic
 * 0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B, one value a second, big-endian:
 *
 *   0 length (10)   1 status   2 battery, 0.1 V   3-4 PAI, 0.01 %   5-6 counter
 *   7 SpO2 (7F: none)   8-9 pulse (01FF: none)
 */
#include "media/devices/gatt_private.h"

#define SPO2 150456
#define PULSE 149530
#define PERFUSION 150448

#define LENGTH 10
#define NO_SPO2 0x7F
#define NO_PULSE 0x1FF
#define NO_PAI 0xFFFF

enum {
  STATUS_WEAK = 0x02,
  STATUS_SMART_POINT = 0x04, /* the numbers passed its check of quality */
  STATUS_SEARCHING = 0x08,
  STATUS_FINGER = 0x10,
  STATUS_BATTERY_LOW = 0x20,
};

static guint16
take_u16 (GattValue *value)
{
  guint high = gatt_u8 (value);
  return (guint16)(high << 8 | gatt_u8 (value));
}

static GattNumber
number_or_none (guint raw, guint none, int exponent)
{
  return raw == none || raw == 0 ? (GattNumber){ GATT_NAN, 0, 0 }
                                 : (GattNumber){ GATT_FINITE, (gint32)raw, exponent };
}

void
gatt_read_nonin (GattValue *value)
{
  guint8 length = gatt_u8 (value), status = gatt_u8 (value);
  gatt_u8 (value);
  guint16 perfusion = take_u16 (value);
  take_u16 (value);
  guint8 spo2 = gatt_u8 (value);
  guint16 pulse = take_u16 (value);
  if (length < LENGTH || length > value->length)
    value->short_of = TRUE;
  gatt_add_number (value, SPO2, number_or_none (spo2, NO_SPO2, 0), "%");
  gatt_add_number (value, PULSE, number_or_none (pulse, NO_PULSE, 0), "/min");
  if (perfusion != NO_PAI && perfusion != 0)
    gatt_add_number (value, PERFUSION, number_or_none (perfusion, NO_PAI, -2), "%");
  if ((status & STATUS_WEAK) != 0)
    gatt_flag (value, "low-perfusion");
  if ((status & STATUS_BATTERY_LOW) != 0)
    gatt_flag (value, "battery-low");
  if ((status & STATUS_SEARCHING) != 0)
    gatt_flag (value, "searching");
  else if ((status & STATUS_FINGER) != 0 && (status & STATUS_SMART_POINT) == 0)
    gatt_flag (value, "QUES");
  if ((status & STATUS_FINGER) == 0) {
    gatt_flag (value, "no-finger");
    value->absent = "not-measured";
  }
}
