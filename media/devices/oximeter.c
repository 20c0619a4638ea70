#include "media/devices/oximeter.h"
#include "media/devices/reading.h"

#include <math.h>
#include <string.h>

#define SPO2 150456  /* MDC_PULS_OXIM_SAT_O2 */
#define PULSE 149530 /* MDC_PULS_OXIM_PULS_RATE */
#define PLETH 150452 /* MDC_PULS_OXIM_PLETH */

/* A second, less the jitter of frames: else every third packet of a Nonin would come too early. */
#define EVERY_US (G_USEC_PER_SEC * 19 / 20)
#define CHANGE_US (G_USEC_PER_SEC / 4)
#define BLOCK_SAMPLES 3 /* 50 ms at 60 Hz, 40 ms at 75 Hz */
/* A pause this long is a gap, whatever the bytes say. */
#define PAUSE_US (G_USEC_PER_SEC / 2)

struct Oximeter {
  const FeedSink *sink;
  guint confirm;

  OximeterState seen; /* the newest moment, and how often in a row */
  guint seen_count;
  gboolean said_any;
  OximeterState said; /* as the newest observations tell */
  gint64 said_us;

  WaveStream *stream;
  guint32 epoch;
  gboolean in_epoch;
  guint64 next; /* index of the sample after those given out or gathered */
  gint32 samples[BLOCK_SAMPLES];
  guint count;
  gint64 sample_us; /* arrival of the newest sample */
  LineTime first;   /* of the gathered samples */
};

Oximeter *
oximeter_new (const LineOutput *output, guint rate, guint bits, guint confirm)
{
  Oximeter *oximeter = g_new0 (Oximeter, 1);
  oximeter->sink = output->sink;
  oximeter->confirm = confirm;
  oximeter->stream = wave_stream_new ("pleth", rate, 1, 1);
  oximeter->stream->device = g_strdup (output->device);
  oximeter->stream->leads[0].mdc = PLETH;
  oximeter->stream->leads[0].name = g_strdup ("pleth");
  oximeter->stream->leads[0].unit = g_strdup ("1");
  oximeter->stream->leads[0].scale = 1.0 / ((1u << bits) - 1);
  oximeter->stream->leads[0].bits = bits;
  return oximeter;
}

void
oximeter_free (Oximeter *oximeter)
{
  wave_stream_unref (oximeter->stream);
  g_free (oximeter);
}

/* ---- Readings -------------------------------------------------------------------------------- */

static void
add_flags (Observation *observation, guint flags)
{
  static const char *const names[]
      = { "no-finger", "sensor-off", "searching", "artifact", "low-perfusion" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (flags >> i & 1)
      observation_add_flag (observation, names[i]);
}

static void
say_one (Oximeter *oximeter, guint32 mdc, int value, const OximeterState *state, LineTime now)
{
  Observation *observation = reading_new (mdc, now.utc_us);
  if (value >= 0)
    reading_set (observation, value, 0, NULL);
  add_flags (observation, state->flags);
  feed_observation (oximeter->sink, observation);
}

static void
say (Oximeter *oximeter, const OximeterState *state, LineTime now)
{
  say_one (oximeter, SPO2, state->spo2, state, now);
  say_one (oximeter, PULSE, state->pulse, state, now);
  oximeter->said = *state;
  oximeter->said_us = now.monotonic_us;
  oximeter->said_any = TRUE;
}

static gboolean
is_same (const OximeterState *a, const OximeterState *b)
{
  return a->spo2 == b->spo2 && a->pulse == b->pulse && a->flags == b->flags;
}

/* Another state, not merely another number. */
static gboolean
has_changed (const OximeterState *a, const OximeterState *b)
{
  return a->flags != b->flags || (a->spo2 < 0) != (b->spo2 < 0) || (a->pulse < 0) != (b->pulse < 0);
}

void
oximeter_state (Oximeter *oximeter, const OximeterState *state, LineTime now)
{
  OximeterState kept = *state;
  /* Without a finger there is no number, whatever stands in its place. */
  if (kept.flags & (OXIMETER_NO_FINGER | OXIMETER_SENSOR_OFF | OXIMETER_SEARCHING))
    kept.spo2 = kept.pulse = -1;
  oximeter->seen_count = is_same (&kept, &oximeter->seen) ? oximeter->seen_count + 1 : 1;
  oximeter->seen = kept;
  if (oximeter->seen_count < oximeter->confirm)
    return;
  gint64 since = now.monotonic_us - oximeter->said_us;
  gboolean measured = kept.spo2 >= 0 || kept.pulse >= 0;
  if (!oximeter->said_any || (has_changed (&kept, &oximeter->said) && since >= CHANGE_US)
      || (measured && since >= EVERY_US))
    say (oximeter, &kept, now);
}

/* ---- Plethysmogram --------------------------------------------------------------------------- */

static void
give_block (Oximeter *oximeter)
{
  if (oximeter->count == 0)
    return;
  WaveBlock *block = wave_block_new (oximeter->stream, oximeter->epoch,
                                     oximeter->next - oximeter->count, oximeter->count);
  memcpy (block->samples, oximeter->samples, oximeter->count * sizeof *block->samples);
  block->time_us = oximeter->first.utc_us;
  block->monotonic_us = oximeter->first.monotonic_us;
  oximeter->count = 0;
  feed_wave (oximeter->sink, block);
}

void
oximeter_gap (Oximeter *oximeter)
{
  give_block (oximeter);
  oximeter->in_epoch = FALSE;
  oximeter->seen_count = 0;
}

void
oximeter_sample (Oximeter *oximeter, gint32 sample, LineTime now)
{
  if (oximeter->in_epoch
      && (sample == WAVE_MISSING || now.monotonic_us - oximeter->sample_us > PAUSE_US)) {
    give_block (oximeter);
    oximeter->in_epoch = FALSE;
  }
  oximeter->sample_us = now.monotonic_us;
  if (sample == WAVE_MISSING)
    return;
  if (!oximeter->in_epoch) {
    oximeter->in_epoch = TRUE;
    oximeter->epoch++;
    oximeter->next = 0;
  }
  if (oximeter->count == 0)
    oximeter->first = now;
  oximeter->samples[oximeter->count++] = sample;
  oximeter->next++;
  if (oximeter->count == BLOCK_SAMPLES)
    give_block (oximeter);
}

void
oximeter_lost (Oximeter *oximeter, LineTime now)
{
  const OximeterState nothing = { .spo2 = -1, .pulse = -1 };
  oximeter_gap (oximeter);
  if (oximeter->said_any && has_changed (&nothing, &oximeter->said))
    say (oximeter, &nothing, now);
}
