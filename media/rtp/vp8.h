/* VP8 payloads (RFC 7741), used by payload.c and depacketizer.c only. */
#pragma once
#include "media/rtp/payload.h"

void vp8_packetizer_start (Packetizer *packetizer);
gsize vp8_packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last);

/* Size of the payload descriptor (RFC 7741 4.2); 0 when it is malformed or nothing follows it.
 * ret_start: the payload is the first of its frame. */
gsize vp8_descriptor_size (const guint8 *payload, gsize size, gboolean *ret_start);
gboolean vp8_inspect (const guint8 *payload, gsize size, PayloadInfo *ret_info);
