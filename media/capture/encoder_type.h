/* Which encoder element this machine uses for a codec, and how it is set.
 *
 * Order per codec: hardware that has proved itself on a few frames, then x264, then openh264.
 */
#pragma once
#include <gst/gst.h>
#include "media/frame.h"

typedef enum {
  ENCODER_LIVE,   /* no delay, rate held, changed at any time */
  ENCODER_RECORD, /* quality first, the rate is only a ceiling */
} EncoderPurpose;

typedef struct {
  MediaCodec codec;
  const char *element;
  gboolean hardware;
  const char *common; /* settings, in gst-launch notation */
  const char *live;
  const char *record;
  const char *quick;    /* with live's; NULL: nothing */
  const char *thorough; /* in place of quick for few and small pictures: RUNG_THOROUGH_PIXELS */
  const char *faithful; /* in place of either where nothing may be left out; NULL: as they are */
  const char *gop;      /* property: frames between key frames, NULL for none */
  const char *bitrate;  /* property */
  guint bitrate_unit;   /* bit/s; 0: it has no rate */
  gboolean change_costs_key; /* it answers a new rate with a key frame */
  gboolean counts_frames;    /* holds its rate by the caps' frame rate and not by timestamps */
  const char *after;         /* what follows it in the stage, NULL for nothing */
} EncoderType;

/* NULL when the machine has none. The first call tries hardware and may take some 100 ms; the
 * answer is kept. Any thread. */
const EncoderType *encoder_type_for (MediaCodec codec);

/* Sets the target. The encoder takes it with the next frame. */
void encoder_type_set_bitrate (const EncoderType *type, GstElement *encoder, guint bitrate);
/* Sound: what listeners lose, per cent, which the codec's own FEC is made for; 0: none is made. */
void encoder_type_set_loss (const EncoderType *type, GstElement *encoder, guint percent);
void encoder_type_set_gop (const EncoderType *type, GstElement *encoder, guint frames);
