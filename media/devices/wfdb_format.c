#include "media/devices/wfdb_format.h"

guint64
wfdb_format_samples (guint format, gsize bytes)
{
  static const guint8 packed_310[] = { 0, 0, 1, 1 }, packed_311[] = { 0, 0, 1, 2 },
                      packed_212[] = { 0, 0, 1 };
  switch (format) {
  case 16:
  case 61:
  case 160:
    return bytes / 2;
  case 24:
    return bytes / 3;
  case 32:
    return bytes / 4;
  case 212:
    return (guint64)(bytes / 3) * 2 + packed_212[bytes % 3];
  case 310:
    return (guint64)(bytes / 4) * 3 + packed_310[bytes % 4];
  case 311:
    return (guint64)(bytes / 4) * 3 + packed_311[bytes % 4];
  default:
    return bytes;
  }
}

static gint32
extended (guint32 value, guint bits)
{
  guint32 sign = 1u << (bits - 1);
  return (gint32)((value ^ sign) - sign);
}

/* Two of 12 bits in three bytes: the middle one has the upper bits of both. */
static gint32
sample_212 (const guint8 *data, guint64 index)
{
  const guint8 *pair = data + index / 2 * 3;
  return index % 2 == 0 ? extended (pair[0] | (guint32)(pair[1] & 0x0F) << 8, 12)
                        : extended (pair[2] | (guint32)(pair[1] & 0xF0) << 4, 12);
}

static guint32
le16 (const guint8 *data)
{
  return data[0] | (guint32)data[1] << 8;
}

/* Three of 10 bits in two words of 16: the third's halves are the upper bits of both words. */
static gint32
sample_310 (const guint8 *data, guint64 index)
{
  const guint8 *words = data + index / 3 * 4;
  if (index % 3 < 2)
    return extended (le16 (words + 2 * (index % 3)) >> 1 & 0x3FF, 10);
  return extended ((le16 (words) >> 11) | (le16 (words + 2) >> 11) << 5, 10);
}

/* Three of 10 bits in one word of 32, the first lowest. The last word may be cut short. */
static gint32
sample_311 (const guint8 *data, guint64 index)
{
  const guint8 *word = data + index / 3 * 4;
  guint shift = (guint)(index % 3) * 10;
  guint byte = shift / 8;
  return extended (le16 (word + byte) >> (shift % 8) & 0x3FF, 10);
}

gint32
wfdb_format_sample (guint format, const guint8 *data, guint64 index)
{
  const guint8 *at = data + index * (format == 24 ? 3 : format == 32 ? 4 : 2);
  switch (format) {
  case 8:
    return (gint8)data[index];
  case 16:
    return (gint16)le16 (at);
  case 24:
    return extended (le16 (at) | (guint32)at[2] << 16, 24);
  case 32:
    return (gint32)(le16 (at) | le16 (at + 2) << 16);
  case 61:
    return (gint16)((guint32)at[0] << 8 | at[1]);
  case 80:
    return (gint32)data[index] - 128;
  case 160:
    return (gint32)le16 (at) - 32768;
  case 212:
    return sample_212 (data, index);
  case 310:
    return sample_310 (data, index);
  default:
    return sample_311 (data, index);
  }
}

gint32
wfdb_format_missing (guint format)
{
  switch (format) {
  case 16:
  case 61:
  case 160:
    return G_MININT16;
  case 24:
    return -(1 << 23);
  case 32:
    return G_MININT32;
  case 80:
    return -128;
  case 212:
    return -2048;
  case 310:
  case 311:
    return -512;
  default:
    return 0;
  }
}
