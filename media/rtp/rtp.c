#include "media/rtp/rtp.h"

#include <string.h>

enum {
  EXT_ONE_BYTE = 0xbede, /* RFC 8285 4.2 */
  EXT_STOP = 15,
};

gboolean
rtp_is_rtcp (const guint8 *data, gsize size)
{
  return size >= 2 && data[1] >= 192 && data[1] <= 223;
}

static void
read_name (const guint8 *p, gsize size, char name[RTP_MID_MAX + 1])
{
  if (size > RTP_MID_MAX)
    return;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isgraph (p[i]))
      return;
  memcpy (name, p, size);
  name[size] = 0;
}

static void
read_element (guint8 id, const guint8 *p, gsize size, const RtpExtIds *ids, RtpView *view)
{
  if (id == ids->twcc && size >= 2) {
    view->has_twcc = TRUE;
    view->twcc_seq = rtp_get16 (p);
  } else if (id == ids->mid) {
    read_name (p, size, view->mid);
  } else if (id == ids->rid || id == ids->repaired_rid) {
    read_name (p, size, view->rid);
  } else if (id == ids->abs_send_time && size == 3) {
    view->has_abs_send_time = TRUE;
    view->abs_send_time = rtp_get24 (p);
  }
}

static void
read_extensions (const guint8 *p, gsize size, const RtpExtIds *ids, RtpView *view)
{
  const guint8 *end = p + size;
  while (p < end) {
    guint8 id = *p >> 4;
    if (id == 0) { /* padding */
      p++;
      continue;
    }
    gsize length = (*p & 15u) + 1;
    if (id == EXT_STOP || length > (gsize)(end - p - 1))
      return;
    read_element (id, p + 1, length, ids, view);
    p += 1 + length;
  }
}

gboolean
rtp_parse (const guint8 *data, gsize size, const RtpExtIds *ids, RtpView *ret_view)
{
  if (size < RTP_HEADER_SIZE || data[0] >> 6 != 2 || size > G_MAXUINT16)
    return FALSE;
  RtpView view = {
    .marker = data[1] >> 7,
    .payload_type = data[1] & 127,
    .seq = rtp_get16 (data + 2),
    .timestamp = rtp_get32 (data + 4),
    .ssrc = rtp_get32 (data + 8),
    .size = size,
  };
  gsize offset = RTP_HEADER_SIZE + 4u * (data[0] & 15);
  if (data[0] & 0x10) {
    if (size < offset + 4)
      return FALSE;
    gsize ext_size = 4u * rtp_get16 (data + offset + 2);
    if (size < offset + 4 + ext_size)
      return FALSE;
    if (rtp_get16 (data + offset) == EXT_ONE_BYTE)
      read_extensions (data + offset + 4, ext_size, ids, &view);
    offset += 4 + ext_size;
  }
  if (size < offset)
    return FALSE;
  gsize padding = 0;
  if (data[0] & 0x20) {
    padding = size > offset ? data[size - 1] : 0;
    if (padding == 0 || padding > size - offset)
      return FALSE;
  }
  view.payload = data + offset;
  view.payload_size = size - offset - padding;
  *ret_view = view;
  return TRUE;
}

static gsize
write_element (guint8 *p, guint8 id, const void *value, gsize size)
{
  p[0] = (guint8)(id << 4 | (size - 1));
  if (value)
    memcpy (p + 1, value, size);
  else
    memset (p + 1, 0, size);
  return 1 + size;
}

gsize
rtp_write_header (guint8 *out, const RtpHeader *header, const RtpExtIds *ids, RtpSlots *ret_slots)
{
  static const gsize ext = RTP_HEADER_SIZE + 4;
  gsize size = ext;
  *ret_slots = (RtpSlots){ 0 };
  if (ids->abs_send_time) {
    ret_slots->abs_send_time = (guint16)(size + 1);
    size += write_element (out + size, ids->abs_send_time, NULL, 3);
  }
  if (ids->playout_delay) {
    guint8 range[3]; /* least and most, 12 bits each, 10 ms */
    rtp_put24 (range, RTP_PLAYOUT_MOST_MS / 10);
    size += write_element (out + size, ids->playout_delay, range, sizeof range);
  }
  if (ids->twcc) {
    ret_slots->twcc = (guint16)(size + 1);
    size += write_element (out + size, ids->twcc, NULL, 2);
  }
  gsize mid = header->mid ? strlen (header->mid) : 0;
  if (ids->mid && mid > 0 && mid <= RTP_MID_MAX)
    size += write_element (out + size, ids->mid, header->mid, mid);
  gboolean extended = size > ext;
  if (!extended)
    size = RTP_HEADER_SIZE;
  while (size % 4)
    out[size++] = 0;
  out[0] = extended ? 0x90 : 0x80;
  out[1] = (guint8)((header->marker ? 0x80 : 0) | header->payload_type);
  rtp_put16 (out + 2, header->seq);
  rtp_put32 (out + 4, header->timestamp);
  rtp_put32 (out + 8, header->ssrc);
  if (extended) {
    rtp_put16 (out + 12, EXT_ONE_BYTE);
    rtp_put16 (out + 14, (guint32)(size - ext) / 4);
  }
  return size;
}

gboolean
rtp_unwrap_rtx (const RtpView *rtx, guint8 payload_type, guint32 ssrc, RtpView *ret_view)
{
  if (rtx->payload_size <= 2)
    return FALSE;
  RtpView view = *rtx;
  view.payload_type = payload_type;
  view.ssrc = ssrc;
  view.seq = rtp_get16 (rtx->payload);
  view.payload += 2;
  view.payload_size -= 2;
  *ret_view = view;
  return TRUE;
}
