#include "media/rtp/h264.h"
#include "media/rtp/rtp.h"

#include <string.h>

/* 00 00 01. A frame is searched for each of its viewers: by the byte that is rare. */
static const guint8 *
find_start_code (const guint8 *p, const guint8 *end)
{
  for (const guint8 *one = p + 2; one < end; one++) {
    one = memchr (one, 1, (gsize)(end - one));
    if (one == NULL)
      return NULL;
    if (one[-1] == 0 && one[-2] == 0)
      return one - 2;
  }
  return NULL;
}

/* Takes the next NAL unit that is worth sending into unit .. unit_end. */
static void
next_unit (Packetizer *z)
{
  z->unit = NULL;
  z->fragment_size = 0;
  while (z->data) {
    const guint8 *unit = z->data;
    const guint8 *next = find_start_code (unit, z->end);
    const guint8 *end = next ? next : z->end;
    z->data = next ? next + 3 : NULL;
    while (end > unit && end[-1] == 0) /* trailing_zero_8bits, and the four-byte start code */
      end--;
    guint type = end > unit ? *unit & 31 : 0;
    if (type == 0 || type >= H264_NAL_STAP_A)
      continue;
    if (type >= H264_NAL_AUD && type <= H264_NAL_FILLER) /* delimiters and filler */
      continue;
    z->unit = unit;
    z->unit_end = end;
    return;
  }
}

void
h264_packetizer_start (Packetizer *z)
{
  const guint8 *code = find_start_code (z->data, z->end);
  z->data = code ? code + 3 : NULL;
  next_unit (z);
}

static gboolean
is_parameter_set (const guint8 *unit)
{
  return (*unit & 31) == H264_NAL_SPS || (*unit & 31) == H264_NAL_PPS;
}

/* Parameter sets that follow one another go into one STAP-A (RFC 6184 5.7.1), as far as they fit;
 * 0 when the unit in work has no such neighbour. */
static gsize
aggregate (Packetizer *z, guint8 *out)
{
  gsize size = 1, n = 0;
  guint8 nri = 0;
  Packetizer before = *z;
  while (z->unit && is_parameter_set (z->unit)) {
    gsize unit_size = (gsize)(z->unit_end - z->unit);
    if (unit_size > G_MAXUINT16 || size + 2 + unit_size > z->max_size)
      break;
    rtp_put16 (out + size, (guint32)unit_size);
    memcpy (out + size + 2, z->unit, unit_size);
    size += 2 + unit_size;
    nri = MAX (nri, *z->unit & 0x60);
    n++;
    next_unit (z);
  }
  if (n < 2) {
    *z = before;
    return 0;
  }
  out[0] = nri | H264_NAL_STAP_A;
  return size;
}

static gsize
fragment (Packetizer *z, guint8 *out)
{
  if (z->fragment_size == 0) {
    z->unit_header = *z->unit++;
    gsize size = (gsize)(z->unit_end - z->unit), most = z->max_size - 2;
    gsize n = (size + most - 1) / most;
    z->fragment_size = (size + n - 1) / n; /* all alike, no crumb at the end */
    z->first = TRUE;
  }
  gsize size = MIN (z->fragment_size, (gsize)(z->unit_end - z->unit));
  gboolean last = z->unit + size == z->unit_end;
  out[0] = (z->unit_header & 0x60) | H264_NAL_FU_A;
  out[1] = (guint8)((z->first ? 0x80 : 0) | (last ? 0x40 : 0) | (z->unit_header & 31));
  memcpy (out + 2, z->unit, size);
  z->unit += size;
  z->first = FALSE;
  if (last)
    next_unit (z);
  return 2 + size;
}

gsize
h264_packetizer_next (Packetizer *z, guint8 *out, gboolean *ret_last)
{
  if (!z->unit)
    return 0;
  gsize size = 0;
  if (z->fragment_size == 0 && is_parameter_set (z->unit))
    size = aggregate (z, out);
  if (size == 0) {
    gsize unit_size = (gsize)(z->unit_end - z->unit);
    if (z->fragment_size > 0 || unit_size > z->max_size) {
      size = fragment (z, out);
    } else {
      memcpy (out, z->unit, unit_size);
      size = unit_size;
      next_unit (z);
    }
  }
  *ret_last = z->unit == NULL;
  return size;
}

gboolean
h264_each_aggregated (const guint8 *payload, gsize size, H264Unit unit, void *arg)
{
  gsize i = 1;
  while (i < size) {
    if (size - i < 3)
      return FALSE;
    gsize unit_size = rtp_get16 (payload + i);
    i += 2;
    if (unit_size == 0 || unit_size > size - i || !unit (payload + i, unit_size, arg))
      return FALSE;
    i += unit_size;
  }
  return size > 1;
}

static gboolean
inspect_unit (const guint8 *unit, gsize size, void *arg)
{
  PayloadInfo *info = arg;
  guint type = *unit & 31;
  if (type == H264_NAL_SPS)
    info->parameters = TRUE;
  if (type == H264_NAL_SPS || type == H264_NAL_IDR)
    info->key = TRUE;
  return TRUE;
}

gboolean
h264_inspect (const guint8 *payload, gsize size, PayloadInfo *ret_info)
{
  if (size < 1)
    return FALSE;
  PayloadInfo info = { .start = TRUE };
  guint type = payload[0] & 31;
  if (type == 0 || (type > H264_NAL_STAP_A && type != H264_NAL_FU_A))
    return FALSE; /* STAP-B, MTAP, FU-B: interleaved mode only */
  if (type == H264_NAL_STAP_A) {
    if (!h264_each_aggregated (payload, size, inspect_unit, &info))
      return FALSE;
  } else if (type == H264_NAL_FU_A) {
    if (size < 3)
      return FALSE;
    info.start = payload[1] >> 7;
    guint8 header = payload[1] & 31;
    inspect_unit (&header, 1, &info);
  } else {
    inspect_unit (payload, size, &info);
  }
  *ret_info = info;
  return TRUE;
}
