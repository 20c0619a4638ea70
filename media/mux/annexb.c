#include "media/mux/annexb.h"
#include <string.h>

/* Offset of the next 00 00 01 at or after `from`; size when there is none. */
static gsize
find_start_code (const guint8 *data, gsize size, gsize from)
{
  while (from + 3 <= size) {
    const guint8 *one = memchr (data + from + 2, 1, size - from - 2);
    if (one == NULL)
      return size;
    if (one[-1] == 0 && one[-2] == 0)
      return one - 2 - data;
    from = one - data - 1;
  }
  return size;
}

gboolean
annexb_next (const guint8 *data, gsize size, gsize *position, const guint8 **ret_nal,
             gsize *ret_size)
{
  for (;;) {
    gsize start = find_start_code (data, size, *position);
    if (start == size)
      return FALSE;
    start += 3;
    gsize end = find_start_code (data, size, start);
    *position = end;
    while (end > start && data[end - 1] == 0)
      end--;
    if (end == start)
      continue;
    *ret_nal = data + start;
    *ret_size = end - start;
    return TRUE;
  }
}
