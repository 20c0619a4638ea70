#include "media/devices/intellivue_frame.h"

#define BEGIN 0xC0
#define END 0xC1
#define ESCAPE 0x7D
#define ESCAPE_XOR 0x20
#define HEADER 4
#define FCS 2
#define PROTOCOL 0x11
#define MESSAGE 0x01

guint16
iv_fcs (const guint8 *data, gsize length)
{
  guint fcs = 0xFFFF;
  for (gsize i = 0; i < length; i++) {
    fcs ^= data[i];
    for (guint bit = 0; bit < 8; bit++)
      fcs = fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1;
  }
  return (guint16)~fcs;
}

static void
end_frame (IvDeframer *d, IvPayload out, void *arg)
{
  const guint8 *b = d->bytes;
  if (d->n == 0) /* some send C1 C1 or C0 C0 between frames */
    return;
  gboolean good = d->n >= HEADER + FCS && !d->escaped && b[0] == PROTOCOL && b[1] == MESSAGE
                  && (gsize)(b[2] << 8 | b[3]) == d->n - HEADER - FCS
                  && iv_fcs (b, d->n - FCS) == (b[d->n - 2] | b[d->n - 1] << 8);
  if (good)
    out (b + HEADER, d->n - HEADER - FCS, arg);
  else
    d->broken++;
}

static void
take_byte (IvDeframer *d, guint8 byte)
{
  if (byte == ESCAPE && !d->escaped) {
    d->escaped = TRUE;
    return;
  }
  if (d->n == sizeof d->bytes) {
    d->inside = FALSE;
    d->broken++;
    return;
  }
  d->bytes[d->n++] = d->escaped ? byte ^ ESCAPE_XOR : byte;
  d->escaped = FALSE;
}

void
iv_deframer_feed (IvDeframer *d, const guint8 *data, gsize length, IvPayload out, void *arg)
{
  for (gsize i = 0; i < length; i++) {
    if (data[i] == BEGIN) {
      if (d->inside && d->n > 0)
        d->broken++;
      d->inside = TRUE;
      d->escaped = FALSE;
      d->n = 0;
    } else if (d->inside && data[i] == END) {
      d->inside = FALSE;
      end_frame (d, out, arg);
    } else if (d->inside) {
      take_byte (d, data[i]);
    }
  }
}

static void
put (GByteArray *frame, guint8 byte)
{
  if (byte == BEGIN || byte == END || byte == ESCAPE) {
    const guint8 pair[] = { ESCAPE, byte ^ ESCAPE_XOR };
    g_byte_array_append (frame, pair, 2);
  } else {
    g_byte_array_append (frame, &byte, 1);
  }
}

GByteArray *
iv_frame (const guint8 *payload, gsize length)
{
  static const guint8 begin = BEGIN, end = END;
  const guint8 header[] = { PROTOCOL, MESSAGE, (guint8)(length >> 8), (guint8)length };
  g_autoptr (GByteArray) whole = g_byte_array_sized_new ((guint)length + HEADER);
  GByteArray *frame = g_byte_array_sized_new ((guint)length + 16);
  g_byte_array_append (whole, header, HEADER);
  g_byte_array_append (whole, payload, (guint)length);
  guint16 fcs = iv_fcs (whole->data, whole->len);
  g_byte_array_append (frame, &begin, 1);
  for (guint i = 0; i < whole->len; i++)
    put (frame, whole->data[i]);
  put (frame, (guint8)fcs);
  put (frame, (guint8)(fcs >> 8));
  g_byte_array_append (frame, &end, 1);
  return frame;
}
