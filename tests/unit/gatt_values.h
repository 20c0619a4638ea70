/* Values of GATT characteristics in hexadecimal digits, and what they say. */
#pragma once
#include "media/devices/gatt.h"

#define NOW_US (G_GINT64_CONSTANT (1795140000) * G_USEC_PER_SEC) /* 2026-11-20T02:00:00Z */

static inline GByteArray *
bytes_of (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();
  for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
    guint8 byte = (guint8)(g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]));
    g_byte_array_append (bytes, &byte, 1);
  }
  return bytes;
}

static inline GPtrArray *
read_with (guint16 uuid, const char *hex, const GattContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = bytes_of (hex);
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  gatt_read (uuid, bytes->data, bytes->len, context, found, &error);
  g_assert_no_error (error);
  return found;
}

static inline GPtrArray *
read_now (guint16 uuid, const char *hex)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  const GattContext context = { .now_us = NOW_US, .zone = utc };
  return read_with (uuid, hex, &context);
}

static inline const Observation *
find (const GPtrArray *found, const char *name)
{
  for (guint i = 0; i < found->len; i++) {
    const Observation *o = found->pdata[i];
    if (g_strcmp0 (o->vital, name) == 0 || g_strcmp0 (o->code, name) == 0)
      return o;
  }
  g_test_message ("there is no %s", name);
  g_test_fail ();
  return found->pdata[0];
}
