/* Payload formats: an encoded frame to RTP payloads and back.
 *   H.264  RFC 6184, packetization-mode 1: single NAL unit, STAP-A for SPS and PPS, FU-A
 *   VP8    RFC 7741, with a 15-bit picture id
 *   Opus   RFC 7587: one packet, one payload
 *
 * Both directions work on complete frames: the receiver hands all payloads of one frame in order
 * (recv_stream.h sees to that). Work and memory are linear in the input.
 */
#pragma once
#include "media/frame.h"

/* A frame beyond this is refused in both directions. */
#define PAYLOAD_FRAME_MAX (4u << 20)

/* One frame being cut up. Plain data; the frame's bytes must outlive it. */
typedef struct {
  MediaCodec codec;
  const guint8 *data, *end;      /* what is not looked at yet */
  gsize max_size;                /* of a payload */
  const guint8 *unit, *unit_end; /* H.264: the NAL unit in work; NULL: no more */
  gsize fragment_size;           /* 0: the unit in work is not fragmented */
  guint8 unit_header;            /* H.264: of the fragmented unit */
  gboolean first;                /* the next payload is the first of its unit (VP8: frame) */
  guint16 picture_id;
} Packetizer;

/* max_size ≥ 64. picture_id: for VP8, low 15 bits, one more with every frame. */
void packetizer_init (Packetizer *packetizer, MediaCodec codec, const guint8 *data, gsize size,
                      gsize max_size, guint16 picture_id);
/* Writes the next payload to out (max_size bytes; for Opus the whole packet, refused when larger).
 * Returns its size, 0 at the end or when nothing in the frame can be sent. ret_last: the marker
 * bit of video belongs on this one. */
gsize packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last);

/* What a single payload shows of its frame, without its neighbours. */
typedef struct {
  gboolean start; /* first payload of a frame (VP8), of a NAL unit or aggregate (H.264) */
  gboolean key; /* shows that the frame is a key frame: SPS, IDR; VP8: only at its first payload */
  gboolean parameters; /* H.264: has an SPS */
  guint width, height; /* VP8 key frame's first payload; else 0 */
} PayloadInfo;

/* FALSE when the payload is malformed. Any bytes. */
gboolean payload_inspect (MediaCodec codec, const guint8 *payload, gsize size,
                          PayloadInfo *ret_info);

/* Puts frames together again. */
typedef struct Depacketizer Depacketizer;

Depacketizer *depacketizer_new (MediaCodec codec);
void depacketizer_free (Depacketizer *depacketizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Depacketizer, depacketizer_free)

/* The next payload of the frame. FALSE: malformed; the frame is lost, call
 * depacketizer_finish() or depacketizer_reset() before the next. */
gboolean depacketizer_add (Depacketizer *depacketizer, const guint8 *payload, gsize size);
/* The frame, transfer full, with codec, key, size of the picture (VP8 and H.264 key frames; later
 * frames inherit it), duration (Opus). NULL when something was malformed or nothing was added.
 * H.264: SPS and PPS of earlier frames are put before an IDR that came without. */
Frame *depacketizer_finish (Depacketizer *depacketizer, gint64 capture_us);
void depacketizer_reset (Depacketizer *depacketizer);

/* Duration of an Opus packet in µs by its TOC (RFC 6716 3.1), 0 when it is malformed. */
gint64 payload_opus_duration_us (const guint8 *packet, gsize size);
