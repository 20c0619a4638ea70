#include "media/devices/intellivue_wave.h"
#include "media/devices/codes.h"

#define OBJECTS_MAX 64
#define SAMPLES_MAX 1024
#define TICKS_PER_SECOND 8000 /* RelativeTime */
#define PARTITION_SCADA (2u << 16)
#define PARTITION_UNITS (4u << 16)

/* MeasurementState */
#define STATE_NONE 0xA000 /* invalid, unavailable */
#define STATE_TEST 0x1C00 /* calibration, test data, demo data */

#define FIXED_INVALID_MASK 1

/* A lead: physio id of an object. */
typedef struct {
  WaveStream *stream;
  guint32 epoch;
  gboolean in_epoch;
  guint64 next;
  guint32 expected; /* relative time of the next array */
} Lead;

/* What an object has told of its arrays. */
typedef struct {
  guint16 size; /* samples of an array */
  guint8 bytes, bits;
  guint32 period;
  gboolean has_scale;
  double scale, offset;
  guint16 unit;
  guint16 invalid_mask;
} Shape;

struct IvWaves {
  const LineOutput *output;
  GHashTable *shapes; /* handle → Shape* */
  GHashTable *leads;  /* handle << 16 | physio id → Lead* */
};

static void
lead_free (void *data)
{
  Lead *lead = data;
  wave_stream_unref (lead->stream);
  g_free (lead);
}

IvWaves *
iv_waves_new (const LineOutput *output)
{
  IvWaves *waves = g_new0 (IvWaves, 1);
  waves->output = output;
  waves->shapes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  waves->leads = g_hash_table_new_full (NULL, NULL, NULL, lead_free);
  return waves;
}

void
iv_waves_free (IvWaves *waves)
{
  g_hash_table_unref (waves->shapes);
  g_hash_table_unref (waves->leads);
  g_free (waves);
}

void
iv_waves_lost (IvWaves *waves)
{
  g_hash_table_remove_all (waves->shapes);
  GHashTableIter iter;
  void *lead;
  g_hash_table_iter_init (&iter, waves->leads);
  while (g_hash_table_iter_next (&iter, NULL, &lead))
    ((Lead *)lead)->in_epoch = FALSE;
}

/* ---- Shape ----------------------------------------------------------------------------------- */

static void
read_scale (Shape *shape, IvReader scale)
{
  double low, high;
  guint decimals;
  guint32 low_bits = iv_u32 (&scale), high_bits = iv_u32 (&scale);
  guint16 low_sample = iv_u16 (&scale), high_sample = iv_u16 (&scale);
  if (scale.bad || low_sample == high_sample || !iv_float (low_bits, &low, &decimals)
      || !iv_float (high_bits, &high, &decimals))
    return;
  shape->has_scale = TRUE;
  shape->scale = (high - low) / ((double)high_sample - low_sample);
  shape->offset = low - low_sample * shape->scale;
}

static void
read_fixed (Shape *shape, IvReader fixed)
{
  guint count = iv_u16 (&fixed);
  IvReader list = iv_part (&fixed, iv_u16 (&fixed));
  for (guint i = 0; i < count && !list.bad; i++) {
    guint16 id = iv_u16 (&list), value = iv_u16 (&list);
    if (id == FIXED_INVALID_MASK && !list.bad)
      shape->invalid_mask = value;
  }
}

static Shape *
learn_shape (IvWaves *waves, const IvWaveObject *object)
{
  void *key = GUINT_TO_POINTER (object->handle);
  Shape *shape = g_hash_table_lookup (waves->shapes, key);
  IvReader specification = object->specification, period = object->period, unit = object->unit;
  if (shape == NULL && g_hash_table_size (waves->shapes) >= OBJECTS_MAX)
    return NULL;
  if (shape == NULL) {
    shape = g_new0 (Shape, 1);
    g_hash_table_insert (waves->shapes, key, shape);
  }
  if (specification.left >= 4) {
    shape->size = iv_u16 (&specification);
    shape->bytes = iv_u8 (&specification) / 8;
    shape->bits = iv_u8 (&specification);
  }
  if (period.left >= 4)
    shape->period = iv_u32 (&period);
  if (unit.left >= 2)
    shape->unit = iv_u16 (&unit);
  if (object->scale.left >= 12)
    read_scale (shape, object->scale);
  if (object->fixed.left >= 4)
    read_fixed (shape, object->fixed);
  return shape;
}

static gboolean
is_whole (const Shape *shape)
{
  return (shape->bytes == 1 || shape->bytes == 2) && shape->bits >= 1
         && shape->bits <= shape->bytes * 8 && shape->size >= 1 && shape->size <= SAMPLES_MAX
         && shape->period >= 1 && shape->period <= TICKS_PER_SECOND * 60;
}

/* ---- Leads ----------------------------------------------------------------------------------- */

static const struct {
  guint16 physio;
  const char *id, *name;
} KNOWN[] = {
  { 257, "ecg-i", "I" },     { 258, "ecg-ii", "II" },   { 259, "ecg-v1", "V1" },
  { 260, "ecg-v2", "V2" },   { 261, "ecg-v3", "V3" },   { 262, "ecg-v4", "V4" },
  { 263, "ecg-v5", "V5" },   { 264, "ecg-v6", "V6" },   { 317, "ecg-iii", "III" },
  { 318, "ecg-avr", "aVR" }, { 319, "ecg-avl", "aVL" }, { 320, "ecg-avf", "aVF" },
  { 323, "ecg-v", "V" },     { 256, "ecg", "ECG" },     { 19380, "pleth", "pleth" },
  { 20480, "resp", "resp" }, { 18960, "art", "ART" },   { 18964, "abp", "ABP" },
  { 19012, "cvp", "CVP" },   { 20628, "co2", "CO2" },
};

static guint
common_divisor (guint a, guint b)
{
  while (b != 0) {
    guint rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static WaveStream *
make_stream (const char *device, const Shape *shape, guint16 physio, const char *patient_id,
             gboolean test)
{
  g_autofree char *id = g_strdup_printf ("wave-%u", physio), *name = g_strdup_printf ("%u", physio);
  const UnitEntry *unit = unit_by_mdc (PARTITION_UNITS | shape->unit);
  guint divisor = common_divisor (TICKS_PER_SECOND, shape->period);
  for (guint i = 0; i < G_N_ELEMENTS (KNOWN); i++)
    if (KNOWN[i].physio == physio) {
      g_free (id);
      g_free (name);
      id = g_strdup (KNOWN[i].id);
      name = g_strdup (KNOWN[i].name);
    }
  WaveStream *stream = wave_stream_new (id, TICKS_PER_SECOND / divisor, shape->period / divisor, 1);
  stream->device = g_strdup (device);
  stream->patient_id = g_strdup (patient_id);
  stream->test = test;
  stream->leads[0] = (WaveLead){ .mdc = physio < 0xF000 ? PARTITION_SCADA | physio : 0,
                                 .name = g_steal_pointer (&name),
                                 .unit = unit != NULL ? g_strdup (unit->ucum) : NULL,
                                 .scale = shape->has_scale ? shape->scale : 0,
                                 .offset = shape->has_scale ? shape->offset : 0,
                                 .bits = shape->bits };
  return stream;
}

static gboolean
stream_fits (const WaveStream *stream, const WaveStream *wanted)
{
  const WaveLead *a = &stream->leads[0], *b = &wanted->leads[0];
  return stream->rate_num == wanted->rate_num && stream->rate_den == wanted->rate_den
         && stream->test == wanted->test && a->scale == b->scale && a->offset == b->offset
         && a->bits == b->bits && g_strcmp0 (a->unit, b->unit) == 0
         && g_strcmp0 (stream->patient_id, wanted->patient_id) == 0;
}

/* The lead's stream; another patient, scale or rate is another stream, and another epoch. */
static Lead *
find_lead (IvWaves *waves, guint16 handle, guint16 physio, const Shape *shape,
           const char *patient_id, gboolean test)
{
  void *key = GUINT_TO_POINTER ((guint)handle << 16 | physio);
  Lead *lead = g_hash_table_lookup (waves->leads, key);
  g_autoptr (WaveStream) wanted
      = make_stream (waves->output->device, shape, physio, patient_id, test);
  if (lead == NULL) {
    if (g_hash_table_size (waves->leads) >= OBJECTS_MAX)
      return NULL;
    lead = g_new0 (Lead, 1);
    g_hash_table_insert (waves->leads, key, lead);
  }
  if (lead->stream == NULL || !stream_fits (lead->stream, wanted)) {
    wave_stream_unref (lead->stream);
    lead->stream = g_steal_pointer (&wanted);
    lead->in_epoch = FALSE;
  }
  return lead;
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* The monitor's clock and its arrays drift by less than half an array between two replies. */
static void
keep_place (Lead *lead, const Shape *shape, guint count, guint32 relative)
{
  gint32 off = (gint32)(relative - lead->expected);
  guint32 span = count * shape->period;
  if (lead->in_epoch && (guint32)ABS ((gint64)off) > span / 2)
    lead->in_epoch = FALSE;
  if (!lead->in_epoch) {
    lead->in_epoch = TRUE;
    lead->epoch++;
    lead->next = 0;
  }
  lead->expected = relative + span;
}

static void
take_value (IvWaves *waves, const IvWaveObject *object, const Shape *shape, IvReader *value,
            guint32 relative, const char *patient_id, LineTime now)
{
  guint16 physio = iv_u16 (value), state = iv_u16 (value);
  IvReader samples = iv_part (value, iv_u16 (value));
  guint count = (guint)(samples.left / shape->bytes);
  if (samples.bad || count == 0 || count > SAMPLES_MAX)
    return;
  Lead *lead
      = find_lead (waves, object->handle, physio, shape, patient_id, (state & STATE_TEST) != 0);
  if (lead == NULL)
    return;
  if (state & STATE_NONE) {
    lead->in_epoch = FALSE;
    return;
  }
  keep_place (lead, shape, count, relative);
  gint64 span_us = (gint64)count * shape->period * 125;
  WaveBlock *block = wave_block_new (lead->stream, lead->epoch, lead->next, count);
  for (guint i = 0; i < count; i++) {
    guint raw = shape->bytes == 2 ? iv_u16 (&samples) : iv_u8 (&samples);
    gboolean invalid = shape->invalid_mask != 0 && (raw & shape->invalid_mask) != 0;
    block->samples[i] = invalid ? WAVE_MISSING : (gint32)(raw & ((1u << shape->bits) - 1));
  }
  block->time_us = now.utc_us - span_us;
  block->monotonic_us = MAX (now.monotonic_us - span_us, 1);
  lead->next += count;
  feed_wave (waves->output->sink, block);
}

void
iv_waves_take (IvWaves *waves, const IvWaveObject *object, guint32 relative, const char *patient_id,
               LineTime now)
{
  Shape *shape = learn_shape (waves, object);
  IvReader single = object->single, compound = object->compound;
  if (shape == NULL || !is_whole (shape))
    return;
  if (single.left > 0)
    take_value (waves, object, shape, &single, relative, patient_id, now);
  if (compound.left >= 4) {
    guint count = iv_u16 (&compound);
    IvReader list = iv_part (&compound, iv_u16 (&compound));
    for (guint i = 0; i < count && !list.bad && list.left > 0; i++)
      take_value (waves, object, shape, &list, relative, patient_id, now);
  }
}
