/* An IntelliVue monitor on the line: hostile bytes, and hostile payloads in good frames, for hardly
 * any mutation has a right FCS. */
#include "line_stream.h"
#include "media/devices/intellivue_frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

/* length u16 BE | payload … becomes frames. */
static GByteArray *
framed (const guint8 *data, gsize size)
{
  GByteArray *out = g_byte_array_new ();
  static const guint8 pieces = 255;
  g_byte_array_append (out, &pieces, 1);
  for (gsize at = 0; at + 2 <= size;) {
    gsize length = MIN ((gsize)(data[at] << 8 | data[at + 1]), size - at - 2);
    g_autoptr (GByteArray) frame = iv_frame (data + at + 2, length);
    g_byte_array_append (out, frame->data, frame->len);
    at += 2 + length;
  }
  return out;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size < 2)
    return 0;
  if (data[0] & 1) {
    line_stream (&line_kind_intellivue, data + 1, size - 1, 300000);
    return 0;
  }
  g_autoptr (GByteArray) stream = framed (data + 1, size - 1);
  line_stream (&line_kind_intellivue, stream->data, stream->len, 300000);
  return 0;
}
