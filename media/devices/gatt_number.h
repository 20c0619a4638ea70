/* Numbers of IEEE 11073-20601: SFLOAT (16 bits) and FLOAT (32 bits), decimal floating point with
 * five values that are no numbers. */
#pragma once
#include <glib.h>

typedef enum {
  GATT_FINITE,
  GATT_NAN,
  GATT_NRES, /* not at this resolution */
  GATT_PLUS_INF,
  GATT_MINUS_INF,
  GATT_RESERVED,
} GattNumberKind;

/* mantissa * 10^exponent */
typedef struct {
  GattNumberKind kind;
  gint32 mantissa;
  int exponent;
} GattNumber;

/* The specials are such only with exponent 0. */
GattNumber gatt_sfloat (guint16 raw);
GattNumber gatt_float (guint32 raw);
/* All digits that the device wrote, zeros behind the point included: "37.60" (transfer full).
 * Finite numbers only. */
char *gatt_number_text (GattNumber number);
/* The nearest double. */
double gatt_number_value (GattNumber number);
