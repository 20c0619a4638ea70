/* Input of fuzz-rtp and fuzz-rtcp: datagrams with the time between them. A record is one byte of
 * time (its square times 10 µs; 255: 5 s), two bytes of length, the datagram. */
#pragma once
#include <glib.h>

typedef struct {
  const guint8 *data;
  gsize left;
  gint64 now_us;
} Records;

/* The datagram is a copy of its own, freed by the caller, so that the sanitizer sees a read beyond
 * its end. */
static inline gboolean
records_next (Records *records, guint8 **ret_data, gsize *ret_size)
{
  if (records->left < 3)
    return FALSE;
  const guint8 *p = records->data;
  gsize size = MIN ((gsize)p[1] << 8 | p[2], records->left - 3);
  records->now_us += p[0] == 255 ? 5000000 : (gint64)p[0] * p[0] * 10;
  *ret_data = g_memdup2 (p + 3, size);
  *ret_size = size;
  records->data += 3 + size;
  records->left -= 3 + size;
  return TRUE;
}
