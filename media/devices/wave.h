/* Waves of medical devices: ECG, plethysmogram, respiration, pressure.
 *
 * A WaveStream is one signal source of a device: leads that are sampled together, at one rate. A
 * WaveBlock is a run of its samples. Time is the sample index: within one epoch sample i was taken
 * i * rate_den / rate_num seconds after sample 0. Whenever the device lost its place (a gap of
 * unknown length, a restart, a changed setting) a new epoch begins, at index 0.
 *
 * Samples are the device's own integers, never filtered, filled or resampled. What the device
 * marked as no measurement is WAVE_MISSING, never a number. Physical value = sample * scale +
 * offset, in the lead's unit.
 *
 * Streams are immutable and counted (only a missing device is filled in, once, by the feed that
 * gets the first block); a block owns its samples and a reference to its stream. Both may be passed
 * between threads.
 */
#pragma once
#include <glib.h>
#include <jansson.h>

#define WAVE_LEADS_MAX 32
#define WAVE_MISSING G_MININT32

typedef struct {
  guint32 mdc;   /* IEEE 11073-10101; 0: unmapped */
  char *name;    /* "I", "V1", "pleth", or the vendor's own word */
  char *unit;    /* UCUM: "mV", "uV", "mm[Hg]", "1"; NULL: the device gave none */
  double scale;  /* of one step, in unit; 0: not known, samples are bare numbers */
  double offset; /* physical value of sample 0 */
  guint bits;    /* resolution of the samples; 0: not known */
} WaveLead;

typedef struct {
  gint ref_count;           /* atomic */
  char *id;                 /* [a-z0-9-]{1,32}, of one device: "ecg", "pleth", "resp" */
  char *device;             /* as Observation.device; NULL: unknown */
  guint rate_num, rate_den; /* samples a second and lead: a rational, 62.5 Hz is 125/2 */
  guint lead_count;         /* 1 to WAVE_LEADS_MAX */
  WaveLead *leads;
  char *patient_id; /* as the device knows the patient; NULL when it sent none */
  gboolean test;    /* DEMO, TEST or calibration: never patient data */
} WaveStream;

/* leads are to be filled in before the stream is shared: name and unit by g_strdup(). */
WaveStream *wave_stream_new (const char *id, guint rate_num, guint rate_den, guint lead_count);
WaveStream *wave_stream_ref (WaveStream *stream);
void wave_stream_unref (WaveStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WaveStream, wave_stream_unref)

typedef struct {
  WaveStream *stream;
  guint32 epoch;
  guint64 first;    /* index of the first sample */
  guint count;      /* samples of each lead */
  gint32 *samples;  /* lead after lead: samples[lead * count + i] */
  guint32 lead_off; /* bit i: lead i is not connected, by the device's own word */
  gint64 time_us;   /* UTC of sample `first`, µs since 1970, by the device's clock or the station's
                     * time of arrival; 0: not known */
  gint64 monotonic_us; /* CLOCK_MONOTONIC at which sample `first` was taken, estimated; 0: not
                        * live */
  GStrv flags;         /* as Observation.flags; NULL: none */
  char *raw; /* as Observation.raw: which message it is of; NULL: nobody will send it again */
} WaveBlock;

/* (transfer full) Samples are to be filled in. stream: a reference is taken. */
WaveBlock *wave_block_new (WaveStream *stream, guint32 epoch, guint64 first, guint count);
void wave_block_free (WaveBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WaveBlock, wave_block_free)

/* NAN where nothing was measured, or lead's scale is not known. */
double wave_block_value (const WaveBlock *block, guint lead, guint index);
/* (transfer full) The JSON object of docs/devices.md, with all samples; missing ones are null. */
json_t *wave_block_to_json (const WaveBlock *block);
