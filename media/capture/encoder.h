/* One encoder at work: raw pictures or sound in, Frames out. */
#pragma once
#include <gst/gst.h>
#include "media/capture/encoder_type.h"

typedef struct Encoder Encoder;

typedef struct {
  void (*frame) (Encoder *encoder, Frame *frame, void *arg); /* streaming thread; frame is lent */
  void (*failed) (Encoder *encoder, const char *reason, void *arg); /* any thread, once */
} EncoderEvents;

typedef struct {
  MediaCodec codec;
  EncoderPurpose purpose;
  guint bitrate;               /* bit/s; 0: by size */
  guint max_width, max_height; /* pictures larger than this are scaled down, shape kept; 0: none */
  guint max_rate;              /* frames/s, 0: no bound */
  guint frame_ms;              /* Opus: of one packet; 0: 20 */
  gboolean faithful;           /* sound: nothing is left out or made up, whatever it is */
  guint rung;                  /* written into the frames */
} EncoderConfig;

/* input: caps of what encoder_push() will bring, I420 pictures or S16 mono 48 kHz. Pictures of
 * another size need a new encoder. Errors: MEDIA_ERROR_UNSUPPORTED, MEDIA_ERROR_FAILED. */
Encoder *encoder_new (const EncoderConfig *config, GstCaps *input, const EncoderEvents *events,
                      void *arg, GError **error);
/* Waits until no event is running or will come. */
void encoder_free (Encoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encoder, encoder_free)

/* Never blocks; timestamps are made strictly increasing. A recording encoder makes a key frame
 * every 2 s by itself. Calls of these two must not overlap. (transfer full) buffer. */
void encoder_push (Encoder *encoder, GstBuffer *buffer);
/* A picture that was pushed before, dated later. (transfer none) */
void encoder_push_again (Encoder *encoder, GstBuffer *picture, gint64 later_us);
/* Takes effect with the next picture. Never blocks, any thread. */
void encoder_set_bitrate (Encoder *encoder, guint bitrate);
/* Sound: what listeners lose, per cent. Any thread. */
void encoder_set_loss (Encoder *encoder, guint percent);
/* The next picture pushed becomes a key frame. Any thread. */
void encoder_force_key (Encoder *encoder);

/* The size that fits into the bounds, even numbers, shape kept. */
void encoder_fit (guint *width, guint *height, guint max_width, guint max_height);
/* A sensible rate for a picture of that size when nobody knows better. */
guint encoder_default_bitrate (guint width, guint height, EncoderPurpose purpose);
