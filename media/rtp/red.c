#include "media/rtp/red.h"
#include "media/rtp/rtp.h"

#include <string.h>

enum { HEADER = 4, PRIMARY_HEADER = 1, MORE = 0x80 };

/* Headers first: F(1) PT(7) offset(14) length(10) each, F(1)=0 PT(7) for the primary block. */
guint
red_parse (const guint8 *payload, gsize size, RedBlock blocks[RED_MAX_BLOCKS])
{
  const guint8 *p = payload, *end = payload + size;
  guint n = 0;
  gsize redundant = 0;
  while (p < end && p[0] & MORE) {
    if (end - p < HEADER || n + 1 >= RED_MAX_BLOCKS)
      return 0;
    guint32 rest = rtp_get24 (p + 1);
    blocks[n] = (RedBlock){ p[0] & 127, (guint16)(rest >> 10), NULL, rest & RED_BLOCK_MAX };
    redundant += blocks[n++].size;
    p += HEADER;
  }
  if (p == end || redundant > (gsize)(end - p) - PRIMARY_HEADER)
    return 0;
  blocks[n] = (RedBlock){ p[0], 0, NULL, (gsize)(end - p) - PRIMARY_HEADER - redundant };
  p += PRIMARY_HEADER;
  for (guint i = 0; i <= n; i++) {
    blocks[i].data = p;
    p += blocks[i].size;
  }
  return n + 1;
}

gsize
red_write (guint8 *out, gsize room, const RedBlock *blocks, guint n)
{
  gsize size = HEADER * (n - 1) + PRIMARY_HEADER;
  for (guint i = 0; i < n; i++) {
    gboolean redundant = i + 1 < n;
    if (redundant && (blocks[i].size > RED_BLOCK_MAX || blocks[i].offset > RED_OFFSET_MAX))
      return 0;
    size += blocks[i].size;
  }
  if (size > room)
    return 0;
  guint8 *p = out;
  for (guint i = 0; i + 1 < n; i++, p += HEADER) {
    p[0] = MORE | blocks[i].payload_type;
    rtp_put24 (p + 1, (guint32)blocks[i].offset << 10 | (guint32)blocks[i].size);
  }
  *p++ = blocks[n - 1].payload_type & 127;
  for (guint i = 0; i < n; i++) {
    if (blocks[i].size > 0)
      memcpy (p, blocks[i].data, blocks[i].size);
    p += blocks[i].size;
  }
  return size;
}
