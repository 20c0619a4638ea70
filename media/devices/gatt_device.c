/* What a device says of itself: battery, clock, Device Information Service. */
#include "media/devices/gatt_private.h"
#include <string.h>

int
gatt_battery (const guint8 *data, gsize length)
{
  return length >= 1 && data[0] <= 100 ? data[0] : -1;
}

void
gatt_read_battery (GattValue *value)
{
  GattNumber percent = { GATT_FINITE, gatt_u8 (value), 0 };
  gatt_add_number (value, 67996, percent, "%");
}

void
gatt_read_clock (GattValue *value)
{
  gatt_take_time (value);
  if (!value->short_of)
    gatt_add_text (value, 67975, "MDC_ATTR_TIME_ABS", g_strdup (value->device_time));
}

#define WORDS_MAX 200

/* Some end in NUL, some are no UTF-8. */
void
gatt_read_words (GattValue *value)
{
  gsize length = strnlen ((const char *)value->data, MIN (value->length, WORDS_MAX));
  char *text = g_utf8_make_valid ((const char *)value->data, (gssize)length);
  for (char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  gatt_add_text (value, 0, NULL, g_strstrip (text));
}

void
gatt_read_pnp_id (GattValue *value)
{
  guint8 source = gatt_u8 (value);
  guint16 vendor = gatt_u16 (value), product = gatt_u16 (value), version = gatt_u16 (value);
  gatt_add_text (value, 0, NULL,
                 g_strdup_printf ("%s:v%04Xp%04Xd%04X", source == 2 ? "usb" : "bluetooth", vendor,
                                  product, version));
}

/* EUI-64: manufacturer's 40 bits first on the wire, least significant byte first. */
void
gatt_read_system_id (GattValue *value)
{
  guint32 low = gatt_u32 (value), high = gatt_u32 (value);
  gatt_add_text (value, 0, NULL, g_strdup_printf ("%08X%08X", high, low));
}
