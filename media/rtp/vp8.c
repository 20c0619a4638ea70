#include "media/rtp/vp8.h"
#include "media/rtp/rtp.h"

#include <string.h>

enum {
  DESCRIPTOR_SIZE = 4, /* ours: X, I, 15-bit picture id */
  DESCRIPTOR_X = 0x80,
  DESCRIPTOR_S = 0x10,
  DESCRIPTOR_PID = 0x07,
  EXTENDED_I = 0x80,
  EXTENDED_L = 0x40,
  EXTENDED_T = 0x20,
  EXTENDED_K = 0x10,
  PICTURE_ID_M = 0x80,
};

void
vp8_packetizer_start (Packetizer *z)
{
  gsize size = (gsize)(z->end - z->data), most = z->max_size - DESCRIPTOR_SIZE;
  gsize n = MAX (1, (size + most - 1) / most);
  z->fragment_size = (size + n - 1) / n;
  z->first = TRUE;
}

gsize
vp8_packetizer_next (Packetizer *z, guint8 *out, gboolean *ret_last)
{
  if (z->data == z->end)
    return 0;
  gsize size = MIN (z->fragment_size, (gsize)(z->end - z->data));
  out[0] = DESCRIPTOR_X | (z->first ? DESCRIPTOR_S : 0);
  out[1] = EXTENDED_I;
  rtp_put16 (out + 2, (guint32)PICTURE_ID_M << 8 | (z->picture_id & 0x7fff));
  memcpy (out + DESCRIPTOR_SIZE, z->data, size);
  z->data += size;
  z->first = FALSE;
  *ret_last = z->data == z->end;
  return DESCRIPTOR_SIZE + size;
}

gsize
vp8_descriptor_size (const guint8 *payload, gsize size, gboolean *ret_start)
{
  if (size < 2)
    return 0;
  gsize n = 1;
  if (payload[0] & DESCRIPTOR_X) {
    guint8 extended = payload[n++];
    if (extended & EXTENDED_I)
      n += n < size && payload[n] & PICTURE_ID_M ? 2 : 1;
    if (extended & EXTENDED_L)
      n++;
    if (extended & (EXTENDED_T | EXTENDED_K))
      n++;
  }
  if (n >= size)
    return 0;
  *ret_start = payload[0] & DESCRIPTOR_S && (payload[0] & DESCRIPTOR_PID) == 0;
  return n;
}

gboolean
vp8_inspect (const guint8 *payload, gsize size, PayloadInfo *ret_info)
{
  PayloadInfo info = { 0 };
  gsize skip = vp8_descriptor_size (payload, size, &info.start);
  if (skip == 0)
    return FALSE;
  const guint8 *p = payload + skip;
  gsize left = size - skip;
  info.key = info.start && (p[0] & 1) == 0;
  if (info.key) {
    /* RFC 6386 9.1: tag, start code, two bytes each of width and height with a scale on top */
    if (left < 10 || p[3] != 0x9d || p[4] != 0x01 || p[5] != 0x2a)
      return FALSE;
    info.width = (p[6] | (guint)p[7] << 8) & 0x3fff;
    info.height = (p[8] | (guint)p[9] << 8) & 0x3fff;
  }
  *ret_info = info;
  return TRUE;
}

/* Where the fields stand; 0: absent. */
typedef struct {
  gsize picture, tl0;
  gboolean long_picture;
} Places;

static Places
find_places (const guint8 *payload, gsize size)
{
  Places places = { 0 };
  gboolean start;
  if (vp8_descriptor_size (payload, size, &start) == 0 || !(payload[0] & DESCRIPTOR_X))
    return places;
  gsize n = 2;
  if (payload[1] & EXTENDED_I) {
    places.picture = n;
    places.long_picture = (payload[n] & PICTURE_ID_M) != 0;
    n += places.long_picture ? 2 : 1;
  }
  if (payload[1] & EXTENDED_L)
    places.tl0 = n;
  return places;
}

void
vp8_numbers_switch (Vp8Numbers *numbers)
{
  numbers->begins = TRUE;
}

static guint16
renumber_picture (Vp8Numbers *numbers, guint16 picture)
{
  if (numbers->begins)
    numbers->picture_offset = numbers->on ? numbers->picture + 1 - picture : 0;
  guint16 own = (picture + numbers->picture_offset) & 0x7fff;
  gboolean newer = ((own - numbers->picture) & 0x7fff) < 0x4000;
  if (newer || !numbers->on)
    numbers->picture = own;
  return own;
}

static guint8
renumber_tl0 (Vp8Numbers *numbers, guint8 tl0)
{
  if (numbers->begins)
    numbers->tl0_offset = numbers->on ? numbers->tl0 + 1 - tl0 : 0;
  guint8 own = tl0 + numbers->tl0_offset;
  if ((gint8)(own - numbers->tl0) > 0 || !numbers->on)
    numbers->tl0 = own;
  return own;
}

void
vp8_renumber (Vp8Numbers *numbers, guint8 *payload, gsize size)
{
  Places places = find_places (payload, size);
  if (places.picture == 0)
    return;
  guint8 *p = payload + places.picture;
  guint16 picture = places.long_picture ? rtp_get16 (p) & 0x7fff : p[0];
  picture = renumber_picture (numbers, picture);
  if (places.long_picture)
    rtp_put16 (p, (guint32)PICTURE_ID_M << 8 | picture);
  else
    p[0] = picture & 0x7f;
  if (places.tl0 != 0)
    payload[places.tl0] = renumber_tl0 (numbers, payload[places.tl0]);
  numbers->on = TRUE;
  numbers->begins = FALSE;
}
