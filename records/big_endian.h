/* Whole numbers in files of the record: 1 to 8 bytes, the highest first. */
#pragma once
#include <glib.h>

static inline void
put_be (guint8 *out, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++)
    out[i] = (guint8)(value >> 8 * (bytes - 1 - i));
}

static inline guint64
get_be (const guint8 *in, guint bytes)
{
  guint64 value = 0;
  for (guint i = 0; i < bytes; i++)
    value = value << 8 | in[i];
  return value;
}
