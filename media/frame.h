/* An encoded frame: what capture hands to everybody else (transport, mux).
 *
 * Immutable after creation, counted atomically, so that one frame can wait in the queues of
 * several peers and of the recorder without a copy.
 *
 * Shapes by codec:
 *   H.264  one access unit, Annex B byte stream, SPS and PPS before every IDR, no B-frames
 *   VP8    one frame as in RFC 6386
 *   Opus   one packet as in RFC 6716, 48 kHz clock
 *   JPEG   a still, ITU-T T.81 baseline; never over RTP
 *   FLAC   one frame as in RFC 9639 §9, 48 kHz, 16 bit, of FLAC_BLOCK samples; never over RTP
 */
#pragma once
#include <glib.h>

typedef enum {
  MEDIA_CODEC_NONE,
  MEDIA_H264,
  MEDIA_VP8,
  MEDIA_OPUS,
  MEDIA_JPEG,
  MEDIA_FLAC,
} MediaCodec;

/* Samples of a FLAC frame: 80 ms (RFC 9639 §7: at most 4608 in a stream that can be read anywhere).
 */
enum { FLAC_BLOCK = 3840 };

typedef enum { MEDIA_AUDIO, MEDIA_VIDEO } MediaKind;

typedef struct Frame {
  MediaCodec codec;
  gboolean key;        /* decodable alone: IDR, VP8 key frame, any sound */
  gint64 capture_us;   /* CLOCK_MONOTONIC of the capture, µs */
  gint64 duration_us;  /* 0 when unknown */
  guint missed;        /* of what came from a peer, Opus: packets lost just before this one */
  guint width, height; /* pixels, video only; 0 when unknown */
  guint rung;          /* of a live outlet (media/rung.h); else 0 */
  GBytes *data;
} Frame;

/* A new frame with one reference. Takes a reference on data. Any thread. */
Frame *frame_new (MediaCodec codec, gboolean key, gint64 capture_us, gint64 duration_us,
                  GBytes *data);
Frame *frame_ref (Frame *frame);
void frame_unref (Frame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Frame, frame_unref)

/* "h264", "vp8", "opus", "jpeg", "flac"; NULL for MEDIA_CODEC_NONE. */
const char *media_codec_name (MediaCodec codec);
MediaCodec media_codec_from_name (const char *name);
MediaKind media_codec_kind (MediaCodec codec);
/* RTP clock rate in Hz: 90000 for video, 48000 for sound. */
guint media_codec_clock_rate (MediaCodec codec);
