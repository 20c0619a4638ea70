/* A small jitter buffer for Opus packets: restores their order, holds each for the measured jitter,
 * drops what comes later. Used by recv_stream.c. */
#pragma once
#include "media/rtp/packet_ring.h"
#include "media/rtp/video_buffer.h"

typedef struct {
  PacketRing ring;
  gint64 min_delay_us, max_delay_us;
  gboolean started;
  gint64 delay_us;  /* target now */
  double peak_us;   /* of the transit above its base, decaying */
  double base_us;   /* smallest transit (arrival - RTP time), creeping up */
  gint64 last_time; /* extended RTP timestamp seen last */
  Depacketizer *depacketizer;
  gint64 last_capture_us;
  guint64 frames, frames_lost, late;
  FrameOut out;
  void *arg;
} AudioBuffer;

void audio_buffer_init (AudioBuffer *buffer, RtpPacketPool *pool, gint64 min_delay_us,
                        gint64 max_delay_us, FrameOut out, void *arg);
void audio_buffer_clear (AudioBuffer *buffer);
void audio_buffer_restart (AudioBuffer *buffer);
void audio_buffer_put (AudioBuffer *buffer, const RtpIncoming *incoming);
/* Calls out for every packet whose time has come. */
void audio_buffer_poll (AudioBuffer *buffer, gint64 now_us);
gint64 audio_buffer_next_us (AudioBuffer *buffer);
