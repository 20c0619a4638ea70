#include "media/rung.h"

enum {
  WHOLE_MIN_BPS = 700000,  /* 720p */
  WHOLE_MAX_BPS = 1000000, /* size of the picture not known yet */
  CEILING_BPS = 4000000,
  USUAL_RATE = 30,
  /* 720p at 30 a second, thousandths of a core, measured: docs/transport.md */
  H264_COST = 190,
  VP8_COST = 460,
  COST_PIXELS = 1280 * 720,
};

static const Rung h264[] = {
  { .min_bps = G_MAXUINT },
  { .max_width = 640, .max_height = 480, .max_rate = 30, .min_bps = 250000, .max_bps = 900000 },
  { .max_width = 480, .max_height = 360, .max_rate = 15, .min_bps = 110000, .max_bps = 320000 },
  { .max_width = 320, .max_height = 240, .max_rate = 8, .min_bps = 45000, .max_bps = 140000 },
};
static const Rung vp8[] = {
  { .max_width = 640, .max_height = 480, .max_rate = 30, .min_bps = 90000, .max_bps = 900000 }
};
static const Rung opus[] = { { .min_bps = 32000, .max_bps = 32000, .frame_ms = 20 },
                             { .min_bps = 16000, .max_bps = 16000, .frame_ms = 60 } };
static const Rung jpeg[]
    = { { .max_width = 640, .max_height = 480, .max_rate = 1, .min_bps = 0, .max_bps = 0 },
        { .max_width = 320, .max_height = 240, .max_rate = 1, .min_bps = 0, .max_bps = 0 } };

static const struct {
  const Rung *rungs;
  guint n;
} ladders[] = {
  [MEDIA_H264] = { h264, G_N_ELEMENTS (h264) },
  [MEDIA_VP8] = { vp8, G_N_ELEMENTS (vp8) },
  [MEDIA_OPUS] = { opus, G_N_ELEMENTS (opus) },
  [MEDIA_JPEG] = { jpeg, G_N_ELEMENTS (jpeg) },
};

guint
rung_count (MediaCodec codec)
{
  return (guint)codec < G_N_ELEMENTS (ladders) ? ladders[codec].n : 0;
}

const Rung *
rung_get (MediaCodec codec, guint rung)
{
  g_return_val_if_fail (rung < rung_count (codec), NULL);
  return &ladders[codec].rungs[rung];
}

/* More bits than this a picture of that size does not repay: 0.6 Mbit/s at 640×360, 2.3 at 720p. */
static guint
ceiling (guint64 pixels)
{
  return pixels == 0 ? WHOLE_MAX_BPS : (guint)CLAMP (pixels * 5 / 2, 300000, CEILING_BPS);
}

static guint
floor_of (guint64 pixels)
{
  return pixels == 0 ? WHOLE_MIN_BPS : (guint)MAX (pixels * 3 / 4, 250000);
}

static gboolean
holds (const Rung *rung, guint width, guint height)
{
  return width > 0 && width <= rung->max_width && height <= rung->max_height;
}

void
rung_fit (MediaCodec codec, guint width, guint height, Rung steps[RUNG_MAX])
{
  guint64 pixels = (guint64)width * height;
  for (guint i = 0; i < rung_count (codec); i++) {
    steps[i] = *rung_get (codec, i);
    steps[i].rung = i;
  }
  if (codec != MEDIA_H264)
    return;
  steps[0].min_bps = floor_of (pixels);
  steps[0].max_bps = ceiling (pixels);
  if (holds (&steps[1], width, height)) {
    steps[0].min_bps = (steps[1].min_bps + steps[0].max_bps) / 2;
    steps[1].max_bps = steps[0].max_bps;
    steps[1].rung = 0;
  }
}

guint
rung_cost (MediaCodec codec, guint rung, guint width, guint height)
{
  if (codec != MEDIA_H264 && codec != MEDIA_VP8)
    return 0;
  const Rung *r = rung_get (codec, rung);
  guint64 pixels = width > 0 ? (guint64)width * height : COST_PIXELS;
  if (r->max_width > 0)
    pixels = MIN (pixels, (guint64)r->max_width * r->max_height);
  guint rate = r->max_rate > 0 ? r->max_rate : USUAL_RATE;
  guint64 whole = codec == MEDIA_H264 ? H264_COST : VP8_COST;
  return (guint)(whole * pixels * rate / ((guint64)COST_PIXELS * USUAL_RATE));
}
