/* Values of one characteristic: "gatt:2A35". A file is either one value, raw, or text: one value in
 * hexadecimal digits a line, blanks between bytes as one likes, "#" before a comment. */
#include "media/devices/decode_kinds.h"
#include "media/devices/gatt.h"
#include <string.h>

#define LINES_MAX 100000
#define RAW_MAX 512 /* the longest value of a characteristic (Core, Vol 3 Part F 3.2.9) */

static gboolean
is_hex_text (const guint8 *data, gsize length)
{
  gsize digits = 0;
  gboolean comment = FALSE;
  for (gsize i = 0; i < length; i++) {
    if (data[i] == '\n')
      comment = FALSE;
    else if (data[i] == '#')
      comment = TRUE;
    if (comment || g_ascii_isspace (data[i]))
      continue;
    if (!g_ascii_isxdigit (data[i]))
      return FALSE;
    digits++;
  }
  return digits >= 2;
}

static GByteArray *
bytes_of (const char *line)
{
  GByteArray *bytes = g_byte_array_new ();
  int high = -1;
  for (; *line != '\0' && *line != '#'; line++) {
    int digit = g_ascii_xdigit_value (*line);
    if (digit < 0)
      continue;
    guint8 byte = (guint8)(high * 16 + digit);
    if (high >= 0)
      g_byte_array_append (bytes, &byte, 1);
    high = high >= 0 ? -1 : digit;
  }
  if (high >= 0)
    g_clear_pointer (&bytes, g_byte_array_unref);
  return bytes;
}

static gboolean
decode_value (guint16 uuid, const guint8 *data, gsize length, DecodeOut out, void *arg,
              GError **error)
{
  const GattContext context = { .now_us = g_get_real_time () };
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  if (!gatt_read (uuid, data, length, &context, found, error))
    return FALSE;
  for (guint i = 0; i < found->len; i++) {
    json_auto_t *object = observation_to_json (found->pdata[i]);
    out (object, arg);
  }
  return TRUE;
}

static gboolean
decode_lines (guint16 uuid, const guint8 *data, gsize length, DecodeOut out, void *arg,
              GError **error)
{
  g_autofree char *text = g_strndup ((const char *)data, length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", LINES_MAX);
  GError *first = NULL;
  for (guint i = 0; lines[i] != NULL; i++) {
    GError *wrong = NULL;
    g_autoptr (GByteArray) bytes = bytes_of (lines[i]);
    if (bytes == NULL)
      g_set_error (&wrong, GATT_ERROR, GATT_ERROR_HEX, "an odd number of hexadecimal digits");
    else if (bytes->len > 0)
      decode_value (uuid, bytes->data, bytes->len, out, arg, &wrong);
    if (wrong == NULL)
      continue;
    g_prefix_error (&wrong, "line %u: ", i + 1);
    if (first == NULL)
      first = wrong;
    else
      g_error_free (wrong);
  }
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, first);
  return FALSE;
}

gboolean
decode_gatt (const char *uuid_text, const guint8 *data, gsize length, DecodeOut out,
             DecodeNote note, void *arg, GError **error)
{
  guint16 uuid = gatt_uuid (uuid_text);
  if (uuid == 0 || !gatt_is_known (uuid)) {
    g_set_error (error, GATT_ERROR, GATT_ERROR_UUID,
                 "'%.40s' is no characteristic that is read here; 2A35 is a blood pressure, "
                 "docs/devices.md has the others",
                 uuid_text);
    return FALSE;
  }
  if (is_hex_text (data, length))
    return decode_lines (uuid, data, length, out, arg, error);
  if (length > RAW_MAX) {
    g_set_error (error, GATT_ERROR, GATT_ERROR_HEX,
                 "has %" G_GSIZE_FORMAT " bytes: one value has %u at most; several go into a file "
                 "of hexadecimal digits, one a line",
                 length, RAW_MAX);
    return FALSE;
  }
  return decode_value (uuid, data, length, out, arg, error);
}
