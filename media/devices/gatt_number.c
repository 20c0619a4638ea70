#include "media/devices/gatt_number.h"
#include <string.h>

/* top: 2^11 or 2^23. The specials stand around the two ends of the mantissa. */
static GattNumber
number_of (gint32 mantissa, int exponent, gint32 top)
{
  GattNumber number = { GATT_FINITE, mantissa, exponent };
  if (exponent != 0)
    return number;
  if (mantissa == top - 1)
    number.kind = GATT_NAN;
  else if (mantissa == -top)
    number.kind = GATT_NRES;
  else if (mantissa == top - 2)
    number.kind = GATT_PLUS_INF;
  else if (mantissa == -top + 2)
    number.kind = GATT_MINUS_INF;
  else if (mantissa == -top + 1)
    number.kind = GATT_RESERVED;
  return number;
}

/* Two's complement of `bits` bits. */
static gint32
signed_of (guint32 raw, guint bits)
{
  guint32 sign = 1u << (bits - 1);
  return (gint32)(raw ^ sign) - (gint32)sign;
}

GattNumber
gatt_sfloat (guint16 raw)
{
  return number_of (signed_of (raw & 0x0FFF, 12), signed_of (raw >> 12, 4), 1 << 11);
}

GattNumber
gatt_float (guint32 raw)
{
  return number_of (signed_of (raw & 0xFFFFFF, 24), signed_of (raw >> 24, 8), 1 << 23);
}

/* Beyond this many zeros a number is written with its exponent. */
#define ZEROS_MAX 12

char *
gatt_number_text (GattNumber number)
{
  if (number.exponent > ZEROS_MAX || number.exponent < -ZEROS_MAX)
    return g_strdup_printf ("%de%d", number.mantissa, number.exponent);
  GString *text = g_string_new (NULL);
  g_string_printf (text, "%u", (guint)ABS (number.mantissa));
  for (int i = 0; i < number.exponent && number.mantissa != 0; i++)
    g_string_append_c (text, '0');
  gsize decimals = number.exponent < 0 ? (gsize)-number.exponent : 0;
  while (text->len <= decimals)
    g_string_prepend_c (text, '0');
  if (decimals > 0)
    g_string_insert_c (text, text->len - decimals, '.');
  if (number.mantissa < 0)
    g_string_prepend_c (text, '-');
  return g_string_free (text, FALSE);
}

double
gatt_number_value (GattNumber number)
{
  g_autofree char *text = gatt_number_text (number);
  return g_ascii_strtod (text, NULL);
}
