/* A cursor over bytes from outside. Reading past the end gives zeros and is remembered: look at
 * `failed` once, where it matters. */
#pragma once
#include <glib.h>
#include <string.h>

typedef struct {
  const guint8 *data;
  gsize length, at;
  gboolean failed;
} EcgBytes;

static inline EcgBytes
ecg_bytes (const guint8 *data, gsize length)
{
  return (EcgBytes){ .data = data != NULL ? data : (const guint8 *)"", .length = length };
}

static inline gsize
ecg_bytes_left (const EcgBytes *bytes)
{
  return bytes->length - bytes->at;
}

/* The next n bytes, NULL when there are not so many. (transfer none) */
static inline const guint8 *
ecg_bytes_take (EcgBytes *bytes, gsize n)
{
  if (bytes->failed || n > ecg_bytes_left (bytes)) {
    bytes->failed = TRUE;
    bytes->at = bytes->length;
    return NULL;
  }
  const guint8 *taken = bytes->data + bytes->at;
  bytes->at += n;
  return taken;
}

static inline guint32
ecg_bytes_le (EcgBytes *bytes, guint n)
{
  const guint8 *p = ecg_bytes_take (bytes, n);
  guint32 value = 0;
  for (guint i = 0; p != NULL && i < n; i++)
    value |= (guint32)p[i] << (8 * i);
  return value;
}

static inline guint8
ecg_bytes_u8 (EcgBytes *bytes)
{
  return (guint8)ecg_bytes_le (bytes, 1);
}

static inline guint16
ecg_bytes_u16 (EcgBytes *bytes)
{
  return (guint16)ecg_bytes_le (bytes, 2);
}

static inline gint16
ecg_bytes_i16 (EcgBytes *bytes)
{
  return (gint16)ecg_bytes_le (bytes, 2);
}

static inline guint32
ecg_bytes_u32 (EcgBytes *bytes)
{
  return ecg_bytes_le (bytes, 4);
}

/* A part of the same bytes. Empty and failed when it does not lie inside. */
static inline EcgBytes
ecg_bytes_part (const EcgBytes *bytes, gsize from, gsize length)
{
  if (from > bytes->length || length > bytes->length - from)
    return (EcgBytes){ .data = bytes->data, .failed = TRUE };
  return ecg_bytes (bytes->data + from, length);
}
