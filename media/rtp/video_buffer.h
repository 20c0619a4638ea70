/* Puts video frames together in order, waiting for retransmissions; skips to the next key frame
 * when it waited too long. Used by recv_stream.c. */
#pragma once
#include "media/rtp/packet_ring.h"
#include "media/rtp/payload.h"

typedef void (*FrameOut) (Frame *frame, void *arg);

typedef struct {
  PacketRing ring;
  gint64 max_wait_us;
  gboolean started;
  gboolean need_key; /* nothing can be shown before a key frame begins */
  gint64 scan;       /* the frame in work is whole up to here (exclusive) */
  gint64 blocked_us; /* since when newer packets wait behind a gap; 0: they do not */
  Depacketizer *depacketizer;
  MediaCodec codec; /* of the depacketizer */
  gint64 last_capture_us;
  guint64 frames, frames_lost, late;
  FrameOut out;
  void *arg;
} VideoBuffer;

void video_buffer_init (VideoBuffer *buffer, RtpPacketPool *pool, gint64 max_wait_us, FrameOut out,
                        void *arg);
void video_buffer_clear (VideoBuffer *buffer);
/* Forgets everything: the sender began anew. */
void video_buffer_restart (VideoBuffer *buffer);
/* Calls out for every frame that is whole now. */
void video_buffer_put (VideoBuffer *buffer, const RtpIncoming *incoming);
/* Gives up what waited too long. */
void video_buffer_poll (VideoBuffer *buffer, gint64 now_us);
/* The packet will never come (NACK given up): do not wait for the time limit. */
void video_buffer_give_up (VideoBuffer *buffer, gint64 now_us);
gint64 video_buffer_next_us (const VideoBuffer *buffer);
