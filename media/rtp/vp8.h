/* VP8 payloads (RFC 7741), used by payload.c, depacketizer.c and send_stream.c. */
#pragma once
#include "media/rtp/payload.h"

void vp8_packetizer_start (Packetizer *packetizer);
gsize vp8_packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last);

/* Size of the payload descriptor (RFC 7741 4.2); 0 when it is malformed or nothing follows it.
 * ret_start: the payload is the first of its frame. */
gsize vp8_descriptor_size (const guint8 *payload, gsize size, gboolean *ret_start);
gboolean vp8_inspect (const guint8 *payload, gsize size, PayloadInfo *ret_info);

/* Picture ids and TL0PICIDX of a stream that is put together from several: a receiver takes an id
 * that falls behind for an old frame. Zero at first. */
typedef struct {
  gboolean on, begins;
  guint16 picture, picture_offset; /* newest that was written; what is added */
  guint8 tl0, tl0_offset;
} Vp8Numbers;

/* What comes next is of another source: its numbers go on behind the last. */
void vp8_numbers_switch (Vp8Numbers *numbers);
/* Rewrites them in place; a payload without, or malformed, stays as it is. */
void vp8_renumber (Vp8Numbers *numbers, guint8 *payload, gsize size);
