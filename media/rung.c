#include "media/rung.h"
#include <math.h>

enum {
  WHOLE_MIN_BPS = 700000,  /* 720p */
  WHOLE_MAX_BPS = 1000000, /* size of the picture not known yet */
  CEILING_BPS = 4000000,
  USUAL_RATE = 30,
  /* 720p at 30 a second, thousandths of a core, measured: docs/transport.md */
  H264_COST = 190,
  VP8_COST = 460,
  THOROUGH_TIMES = 3,
  COST_PIXELS = 1280 * 720,
};

static const Rung h264[] = {
  { .min_bps = G_MAXUINT },
  { .max_width = 640, .max_height = 480, .max_rate = 30, .min_bps = 250000, .max_bps = 900000 },
  { .max_width = 480, .max_height = 360, .max_rate = 15, .min_bps = 110000, .max_bps = 320000 },
  { .max_width = 320, .max_height = 240, .max_rate = 12, .min_bps = 45000, .max_bps = 140000 },
};
/* A quick picture of few pixels: what moves is judged by its motion. */
static const Rung h264_motion[] = {
  { .min_bps = G_MAXUINT },
  { .max_width = 640, .max_height = 480, .max_rate = 30, .min_bps = 250000, .max_bps = 900000 },
  { .max_width = 480, .max_height = 360, .max_rate = 30, .min_bps = 130000, .max_bps = 400000 },
  { .max_width = 320, .max_height = 240, .max_rate = 25, .min_bps = 60000, .max_bps = 200000 },
};
/* A sharp picture now and then: what is held still is judged by its outline and colour. */
static const Rung h264_detail[] = {
  { .min_bps = G_MAXUINT },
  { .max_width = 1920, .max_height = 1080, .max_rate = 15, .min_bps = 350000, .max_bps = 1200000 },
  { .max_width = 960, .max_height = 720, .max_rate = 8, .min_bps = 150000, .max_bps = 500000 },
  { .max_width = 640, .max_height = 480, .max_rate = 3, .min_bps = 45000, .max_bps = 200000 },
};
static const Rung vp8[] = {
  { .max_width = 640, .max_height = 480, .max_rate = 30, .min_bps = 90000, .max_bps = 900000 }
};
static const Rung opus[] = { { .min_bps = 32000, .max_bps = 32000, .frame_ms = 20 },
                             { .min_bps = 16000, .max_bps = 16000, .frame_ms = 60 } };
/* Of a heart nothing may be left out: only what its headers cost is saved. */
static const Rung opus_faithful[] = { { .min_bps = 64000, .max_bps = 64000, .frame_ms = 20 },
                                      { .min_bps = 64000, .max_bps = 64000, .frame_ms = 60 } };
static const Rung jpeg[]
    = { { .max_width = 640, .max_height = 480, .max_rate = 1, .min_bps = 0, .max_bps = 0 },
        { .max_width = 320, .max_height = 240, .max_rate = 1, .min_bps = 0, .max_bps = 0 } };

static const struct {
  const Rung *rungs;
  guint n;
} ladders[][MEDIA_JPEG + 1] = {
  [RUNG_BALANCED] = {
  [MEDIA_H264] = { h264, G_N_ELEMENTS (h264) },
  [MEDIA_VP8] = { vp8, G_N_ELEMENTS (vp8) },
  [MEDIA_OPUS] = { opus, G_N_ELEMENTS (opus) },
  [MEDIA_JPEG] = { jpeg, G_N_ELEMENTS (jpeg) },
  },
  [RUNG_MOTION] = { [MEDIA_H264] = { h264_motion, G_N_ELEMENTS (h264_motion) } },
  [RUNG_DETAIL] = { [MEDIA_H264] = { h264_detail, G_N_ELEMENTS (h264_detail) } },
  [RUNG_FAITHFUL] = { [MEDIA_OPUS] = { opus_faithful, G_N_ELEMENTS (opus_faithful) } },
};
G_STATIC_ASSERT (G_N_ELEMENTS (h264_motion) == G_N_ELEMENTS (h264));
G_STATIC_ASSERT (G_N_ELEMENTS (h264_detail) == G_N_ELEMENTS (h264));
G_STATIC_ASSERT (G_N_ELEMENTS (opus_faithful) == G_N_ELEMENTS (opus));

guint
rung_count (MediaCodec codec)
{
  return (guint)codec < G_N_ELEMENTS (ladders[0]) ? ladders[RUNG_BALANCED][codec].n : 0;
}

const Rung *
rung_get (RungPrefer prefer, MediaCodec codec, guint rung)
{
  g_return_val_if_fail (rung < rung_count (codec), NULL);
  const Rung *rungs = ladders[prefer][codec].rungs;
  return &(rungs != NULL ? rungs : ladders[RUNG_BALANCED][codec].rungs)[rung];
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

/* Fewer pixels want fewer bits, but not in proportion. */
static const double PIXELS_POWER = 0.75;

/* What the step's picture has of the pixels that its range is meant for. */
static double
filling (const Rung *rung, guint width, guint height, guint rate)
{
  double shrink = MIN (1, MIN ((double)rung->max_width / width, (double)rung->max_height / height));
  double pixels = width * height * shrink * shrink / ((double)rung->max_width * rung->max_height);
  return MIN (1, pixels) * MIN (1, (double)rate / rung->max_rate);
}

static void
fit_range (Rung *step, guint width, guint height, guint rate)
{
  double share = pow (filling (step, width, height, rate), PIXELS_POWER);
  step->min_bps = (guint)(step->min_bps * share);
  step->max_bps = (guint)(step->max_bps * share);
}

static gboolean
holds (const Rung *rung, guint width, guint height)
{
  return width > 0 && width <= rung->max_width && height <= rung->max_height;
}

void
rung_fit (RungPrefer prefer, MediaCodec codec, guint width, guint height, guint rate,
          Rung steps[RUNG_MAX])
{
  guint64 pixels = (guint64)width * height;
  rate = rate == 0 ? USUAL_RATE : MIN (rate, USUAL_RATE);
  for (guint i = 0; i < rung_count (codec); i++) {
    steps[i] = *rung_get (prefer, codec, i);
    steps[i].rung = i;
    if (codec == MEDIA_H264 && i > 0 && pixels > 0)
      fit_range (&steps[i], width, height, rate);
  }
  if (codec != MEDIA_H264)
    return;
  steps[0].min_bps = (guint)(floor_of (pixels) * pow ((double)rate / USUAL_RATE, PIXELS_POWER));
  steps[0].max_bps = ceiling (pixels);
  guint least_percent = prefer == RUNG_DETAIL ? 66 : 90; /* of the step above */
  for (guint i = 1; i < rung_count (codec); i++) {
    steps[i].min_bps = MIN (steps[i].min_bps, steps[i - 1].min_bps / 100 * least_percent);
    steps[i].max_bps = MIN (steps[i].max_bps, steps[i - 1].max_bps);
  }
  if (steps[1].max_rate >= USUAL_RATE && holds (&steps[1], width, height)) {
    steps[0].min_bps = (steps[1].min_bps + steps[0].max_bps) / 2;
    steps[1].max_bps = steps[0].max_bps;
    steps[1].rung = 0;
  }
}

guint
rung_cost (RungPrefer prefer, MediaCodec codec, guint rung, guint width, guint height)
{
  if (codec != MEDIA_H264 && codec != MEDIA_VP8)
    return 0;
  const Rung *r = rung_get (prefer, codec, rung);
  guint64 pixels = width > 0 ? (guint64)width * height : COST_PIXELS;
  if (r->max_width > 0)
    pixels = MIN (pixels, (guint64)r->max_width * r->max_height);
  guint rate = r->max_rate > 0 ? r->max_rate : USUAL_RATE;
  guint64 whole = codec == MEDIA_H264 ? H264_COST : VP8_COST;
  if (codec == MEDIA_H264 && pixels * rate <= RUNG_THOROUGH_PIXELS)
    whole *= THOROUGH_TIMES;
  return (guint)(whole * pixels * rate / ((guint64)COST_PIXELS * USUAL_RATE));
}
