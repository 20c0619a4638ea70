/* Reading and writing IntelliVue's big-endian structures within their bounds. */
#pragma once
#include <glib.h>

/* What is left to read. Reading beyond the end gives zeros and sets bad. */
typedef struct {
  const guint8 *at;
  gsize left;
  gboolean bad;
} IvReader;

guint8 iv_u8 (IvReader *reader);
guint16 iv_u16 (IvReader *reader);
guint32 iv_u32 (IvReader *reader);
void iv_skip (IvReader *reader, gsize length);
/* The next length bytes as a reader of their own; empty and bad when there are not so many. */
IvReader iv_part (IvReader *reader, gsize length);

/* FLOAT-Type of ISO/IEEE 11073: exponent s8, mantissa s24. FALSE: NaN, NRes, infinite or reserved.
 * ret_decimals: how many the device gives. */
gboolean iv_float (guint32 bits, double *ret_value, guint *ret_decimals);
/* String: u16 length in bytes, UTF-16 BE, usually with a final NUL. (transfer full); NULL when it
 * is empty or no text. At most 200 characters. */
char *iv_string (IvReader *reader);
/* AbsoluteTime, 8 bytes BCD, in the monitor's own zone: seconds since 1970 as if that were UTC; 0:
 * not given. */
gint64 iv_absolute_time (IvReader *reader);

void iv_put_u16 (GByteArray *out, guint value);
void iv_put_u32 (GByteArray *out, guint32 value);
