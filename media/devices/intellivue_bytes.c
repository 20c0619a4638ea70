#include "media/devices/intellivue_bytes.h"

#include <math.h>

#define TEXT_MAX 200

static const guint8 *
take (IvReader *reader, gsize length)
{
  const guint8 *at = reader->at;
  if (reader->bad || reader->left < length) {
    reader->bad = TRUE;
    reader->left = 0;
    return NULL;
  }
  reader->at += length;
  reader->left -= length;
  return at;
}

guint8
iv_u8 (IvReader *reader)
{
  const guint8 *b = take (reader, 1);
  return b != NULL ? b[0] : 0;
}

guint16
iv_u16 (IvReader *reader)
{
  const guint8 *b = take (reader, 2);
  return b != NULL ? (guint16)(b[0] << 8 | b[1]) : 0;
}

guint32
iv_u32 (IvReader *reader)
{
  guint32 high = iv_u16 (reader);
  return high << 16 | iv_u16 (reader);
}

void
iv_skip (IvReader *reader, gsize length)
{
  take (reader, length);
}

IvReader
iv_part (IvReader *reader, gsize length)
{
  const guint8 *at = take (reader, length);
  return at != NULL ? (IvReader){ .at = at, .left = length } : (IvReader){ .bad = TRUE };
}

gboolean
iv_float (guint32 bits, double *ret_value, guint *ret_decimals)
{
  gint32 exponent = (gint8)(bits >> 24);
  gint32 mantissa = (gint32)(bits << 8) >> 8;
  guint32 special = bits & 0xFFFFFF;
  if (special >= 0x7FFFFE && special <= 0x800002)
    return FALSE;
  *ret_value = mantissa * pow (10, exponent);
  *ret_decimals = exponent < 0 ? (guint)-exponent : 0;
  return isfinite (*ret_value);
}

char *
iv_string (IvReader *reader)
{
  IvReader part = iv_part (reader, iv_u16 (reader));
  g_autofree char *text = part.left >= 2 && !part.bad
                              ? g_convert ((const char *)part.at, (gssize)(part.left & ~(gsize)1),
                                           "UTF-8", "UTF-16BE", NULL, NULL, NULL)
                              : NULL;
  if (text == NULL)
    return NULL;
  if (g_utf8_strlen (text, -1) > TEXT_MAX)
    *g_utf8_offset_to_pointer (text, TEXT_MAX) = '\0';
  g_strstrip (text);
  return *text != '\0' ? g_utf8_normalize (text, -1, G_NORMALIZE_NFC) : NULL;
}

static int
bcd (IvReader *reader)
{
  guint8 byte = iv_u8 (reader);
  return byte >> 4 <= 9 && (byte & 15) <= 9 ? (byte >> 4) * 10 + (byte & 15) : -1;
}

gint64
iv_absolute_time (IvReader *reader)
{
  int field[8];
  for (guint i = 0; i < G_N_ELEMENTS (field); i++)
    field[i] = bcd (reader);
  for (guint i = 0; i < 7; i++)
    if (field[i] < 0)
      return 0;
  g_autoptr (GDateTime) time = g_date_time_new_utc (field[0] * 100 + field[1], field[2], field[3],
                                                    field[4], field[5], field[6]);
  return time != NULL && field[0] * 100 + field[1] >= 1990 ? g_date_time_to_unix (time) : 0;
}

void
iv_put_u16 (GByteArray *out, guint value)
{
  const guint8 bytes[] = { (guint8)(value >> 8), (guint8)value };
  g_byte_array_append (out, bytes, sizeof bytes);
}

void
iv_put_u32 (GByteArray *out, guint32 value)
{
  iv_put_u16 (out, value >> 16);
  iv_put_u16 (out, value & 0xFFFF);
}
