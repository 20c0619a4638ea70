#include "media/devices/wcm.h"
#include "media/devices/wcm_row.h"

#include <math.h>
#include <string.h>

#define STREAMS_MAX 256 /* remembered at once */
#define SAME_KIND_MAX 8 /* "ecg", "ecg-2" … of one device at one time */
#define ECG_LIMIT_MV 300
/* What a device's clock may run off CLOCK_MONOTONIC. */
#define DRIFT_PPM 200

/* Where one stream of one device stands. */
typedef struct {
  WaveStream *stream;
  guint32 epoch;
  guint64 next;
  gint64 next_us; /* UTC at which the next sample is due; G_MININT64: by arrival */
  gint64 arrived_us;
  double drift_us;  /* how far starts have run off the count of samples, with a short memory */
  double origin_us; /* CLOCK_MONOTONIC of sample 0 of the epoch, the least that fits; NAN */
  gint64 origin_at_us;
} Track;

struct Wcm {
  GHashTable *tracks; /* "device\nid" → Track* */
};

/* Rows that are sampled together. */
typedef struct {
  char *id;
  GPtrArray *rows; /* WcmRow*, not owned */
} Group;

static void
track_free (void *data)
{
  Track *track = data;
  wave_stream_unref (track->stream);
  g_free (track);
}

Wcm *
wcm_new (void)
{
  Wcm *wcm = g_new0 (Wcm, 1);
  wcm->tracks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, track_free);
  return wcm;
}

void
wcm_free (Wcm *wcm)
{
  g_hash_table_unref (wcm->tracks);
  g_free (wcm);
}

/* ---- Rows to groups ---------------------------------------------------------------------------
 */

static void
group_free (void *data)
{
  Group *group = data;
  g_free (group->id);
  g_ptr_array_unref (group->rows);
  g_free (group);
}

static gboolean
has_lead (const Group *group, const char *name)
{
  for (guint i = 0; i < group->rows->len; i++)
    if (g_str_equal (((const WcmRow *)group->rows->pdata[i])->name, name))
      return TRUE;
  return FALSE;
}

static gboolean
same_source (const WcmRow *a, const WcmRow *b)
{
  return g_strcmp0 (a->device, b->device) == 0 && g_strcmp0 (a->patient_id, b->patient_id) == 0
         && a->start_us == b->start_us && a->order == b->order;
}

static gboolean
may_join (const Group *group, const WcmRow *row)
{
  const WcmRow *first = group->rows->pdata[0];
  gboolean same = row->count == 0
                  || (row->rate_num == first->rate_num && row->rate_den == first->rate_den
                      && row->count == first->count);
  return same && row->test == first->test && !has_lead (group, row->name)
         && group->rows->len < WAVE_LEADS_MAX;
}

static Group *
find_group (const GPtrArray *groups, const char *id, const WcmRow *row)
{
  for (guint i = groups->len; i > 0; i--) {
    Group *group = groups->pdata[i - 1];
    if (g_str_equal (group->id, id) && same_source (group->rows->pdata[0], row))
      return group;
  }
  return NULL;
}

static void
add_row (GPtrArray *groups, WcmRow *row)
{
  for (guint n = 1; n <= SAME_KIND_MAX; n++) {
    g_autofree char *id = n == 1 ? g_strdup (row->kind) : g_strdup_printf ("%s-%u", row->kind, n);
    Group *group = find_group (groups, id, row);
    if (group == NULL && row->count == 0)
      return;
    if (group == NULL) {
      group = g_new0 (Group, 1);
      group->id = g_steal_pointer (&id);
      group->rows = g_ptr_array_new ();
      g_ptr_array_add (groups, group);
    } else if (!may_join (group, row)) {
      continue;
    }
    g_ptr_array_add (group->rows, row);
    return;
  }
}

/* Rows that have samples make the groups; a lead that is off joins one. */
static GPtrArray *
group_rows (const GPtrArray *rows)
{
  GPtrArray *groups = g_ptr_array_new_with_free_func (group_free);
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < rows->len; i++) {
      WcmRow *row = rows->pdata[i];
      if ((row->count == 0) == (pass == 1))
        add_row (groups, row);
    }
  return groups;
}

/* ---- Groups to streams ------------------------------------------------------------------------
 */

/* A sample is the device's integer; of decimals and no resolution the last place is one step. */
static void
describe_lead (WaveLead *lead, const WcmRow *row)
{
  double step = pow (10, -(double)row->decimals);
  lead->mdc = row->mdc;
  lead->name = g_strdup (row->name);
  lead->bits = row->bits;
  if (row->scale != 0) {
    lead->scale = row->scale * step;
    lead->unit = g_strdup (row->scale_unit != NULL ? row->scale_unit : row->unit);
  } else if (row->unit != NULL || row->decimals > 0) {
    lead->scale = step;
    lead->unit = g_strdup (row->unit);
  }
}

static WaveStream *
describe_stream (const Group *group)
{
  const WcmRow *first = group->rows->pdata[0];
  WaveStream *stream
      = wave_stream_new (group->id, first->rate_num, first->rate_den, group->rows->len);
  stream->device = g_strdup (first->device);
  stream->patient_id = g_strdup (first->patient_id);
  stream->test = first->test;
  for (guint i = 0; i < group->rows->len; i++)
    describe_lead (&stream->leads[i], group->rows->pdata[i]);
  return stream;
}

/* A lead that is off says little about itself: then what was known of it stands. */
static gboolean
same_lead (const WaveLead *a, const WaveLead *b, const WcmRow *row)
{
  if (g_strcmp0 (a->name, b->name) != 0)
    return FALSE;
  return row->count == 0
         || (a->mdc == b->mdc && a->scale == b->scale && a->offset == b->offset
             && g_strcmp0 (a->unit, b->unit) == 0);
}

static gboolean
same_stream (const WaveStream *a, const WaveStream *b, const Group *group)
{
  if (a->rate_num != b->rate_num || a->rate_den != b->rate_den || a->lead_count != b->lead_count
      || a->test != b->test || g_strcmp0 (a->patient_id, b->patient_id) != 0)
    return FALSE;
  for (guint i = 0; i < a->lead_count; i++)
    if (!same_lead (&a->leads[i], &b->leads[i], group->rows->pdata[i]))
      return FALSE;
  return TRUE;
}

/* ---- Where a block continues ------------------------------------------------------------------
 */

static double
duration_us (const WaveStream *stream, guint64 samples)
{
  return (double)samples * G_USEC_PER_SEC * stream->rate_den / stream->rate_num;
}

/* Does a block that starts there follow the last one? Whole seconds say it to a second. */
static gboolean
follows (Track *track, const WcmRow *row, gint64 now_us)
{
  double length = duration_us (track->stream, row->count);
  if (row->start_us == G_MININT64 || track->next_us == G_MININT64)
    return now_us - track->arrived_us < 2 * length + 2 * G_USEC_PER_SEC;
  double off = (double)(row->start_us - track->next_us);
  double limit = row->coarse ? MAX (length / 2, G_USEC_PER_SEC) : length / 2;
  track->drift_us = track->drift_us * 0.99 + off;
  return fabs (off) <= limit && fabs (track->drift_us) <= 2 * limit;
}

static char *
track_key (const WcmRow *row, const char *id)
{
  return g_strconcat (row->device != NULL ? row->device : "", "\n", id, NULL);
}

static void
forget_oldest (Wcm *wcm)
{
  GHashTableIter iter;
  void *key, *value, *oldest = NULL;
  gint64 oldest_us = G_MAXINT64;
  g_hash_table_iter_init (&iter, wcm->tracks);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (((Track *)value)->arrived_us < oldest_us) {
      oldest = key;
      oldest_us = ((Track *)value)->arrived_us;
    }
  g_hash_table_remove (wcm->tracks, oldest);
}

/* Epochs of a stream go up across restarts of the station too: seconds since 2020. */
static guint32
first_epoch (gint64 now_us)
{
  const gint64 since = G_GINT64_CONSTANT (1577836800);
  gint64 seconds = now_us / G_USEC_PER_SEC - since;
  return seconds > 0 && seconds < G_MAXUINT32 ? (guint32)seconds : 1;
}

static Track *
find_track (Wcm *wcm, const Group *group, gint64 now_us)
{
  const WcmRow *first = group->rows->pdata[0];
  g_autoptr (WaveStream) stream = describe_stream (group);
  g_autofree char *key = track_key (first, group->id);
  Track *track = g_hash_table_lookup (wcm->tracks, key);
  if (track != NULL && same_stream (track->stream, stream, group) && follows (track, first, now_us))
    return track;
  if (track == NULL) {
    if (g_hash_table_size (wcm->tracks) >= STREAMS_MAX)
      forget_oldest (wcm);
    track = g_new0 (Track, 1);
    track->epoch = first_epoch (now_us);
    g_hash_table_insert (wcm->tracks, g_steal_pointer (&key), track);
  } else {
    track->epoch++;
  }
  if (track->stream == NULL || !same_stream (track->stream, stream, group)) {
    wave_stream_unref (track->stream);
    track->stream = g_steal_pointer (&stream);
  }
  track->next = 0;
  track->drift_us = 0;
  track->origin_us = NAN;
  return track;
}

/* The last sample was taken no later than its arrival: the least that this says of sample 0 is
 * kept, and let go slowly, for two clocks never run alike. */
static gint64
place_on_monotonic (Track *track, guint count, gint64 monotonic_us)
{
  if (monotonic_us == 0)
    return 0;
  double origin = (double)monotonic_us - duration_us (track->stream, track->next + count);
  double leak = (double)(monotonic_us - track->origin_at_us) * DRIFT_PPM / 1e6;
  if (isnan (track->origin_us) || origin < track->origin_us + leak)
    track->origin_us = origin;
  else
    track->origin_us += leak;
  track->origin_at_us = monotonic_us;
  return (gint64)(track->origin_us + duration_us (track->stream, track->next));
}

/* ---- Blocks -----------------------------------------------------------------------------------
 */

static void
add_flag (WaveBlock *block, const char *flag)
{
  g_autoptr (GStrvBuilder) flags = g_strv_builder_new ();
  if (block->flags != NULL && g_strv_contains ((const char *const *)block->flags, flag))
    return;
  if (block->flags != NULL)
    g_strv_builder_addv (flags, (const char **)block->flags);
  g_strv_builder_add (flags, flag);
  g_strfreev (block->flags);
  block->flags = g_strv_builder_end (flags);
}

static void
fill_lead (WaveBlock *block, guint lead, const WcmRow *row)
{
  gint32 *samples = block->samples + (gsize)lead * block->count;
  gint64 one = 1;
  for (guint i = 0; i < row->decimals; i++)
    one *= 10;
  for (guint i = 0; i < block->count; i++) {
    gint32 sample = row->invalid || row->count == 0 ? WAVE_MISSING : row->samples[i];
    if (sample != WAVE_MISSING && sample % one == 0 && wcm_row_is_none (row, sample / one))
      sample = WAVE_MISSING;
    samples[i] = sample;
  }
}

/* Beyond what any electrode can give, the offset of a bad one included. */
static gboolean
is_implausible (const WaveBlock *block, guint lead)
{
  const WaveLead *l = &block->stream->leads[lead];
  double limit = g_strcmp0 (l->unit, "uV") == 0 ? ECG_LIMIT_MV * 1000.0 : ECG_LIMIT_MV;
  gboolean volts = g_strcmp0 (l->unit, "uV") == 0 || g_strcmp0 (l->unit, "mV") == 0;
  for (guint i = 0; volts && i < block->count; i++)
    if (fabs (wave_block_value (block, lead, i)) > limit)
      return TRUE;
  return FALSE;
}

static WaveBlock *
make_block (Wcm *wcm, const Group *group, gint64 now_us, gint64 monotonic_us)
{
  const WcmRow *first = group->rows->pdata[0];
  Track *track = find_track (wcm, group, now_us);
  WaveBlock *block = wave_block_new (track->stream, track->epoch, track->next, first->count);
  double length = duration_us (track->stream, first->count);
  for (guint i = 0; i < group->rows->len; i++) {
    const WcmRow *row = group->rows->pdata[i];
    fill_lead (block, i, row);
    if (row->off)
      block->lead_off |= 1u << i;
    for (guint f = 0; row->flags[f] != NULL; f++)
      add_flag (block, row->flags[f]);
    if (is_implausible (block, i))
      add_flag (block, "implausible");
  }
  block->time_us = first->start_us != G_MININT64 ? first->start_us : now_us - (gint64)length;
  block->monotonic_us = place_on_monotonic (track, first->count, monotonic_us);
  track->next += first->count;
  track->next_us = first->start_us != G_MININT64 ? first->start_us + (gint64)length : G_MININT64;
  track->arrived_us = now_us;
  return block;
}

GPtrArray *
wcm_read (Wcm *wcm, const Hl7Message *message, const Profile *profile, gint64 now_us,
          gint64 monotonic_us, const char *sender, gboolean *taken)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  g_autoptr (GPtrArray) rows = wcm_rows (message, profile, now_us, sender, taken);
  g_autoptr (GPtrArray) groups = group_rows (rows);
  for (guint i = 0; i < groups->len; i++)
    g_ptr_array_add (blocks, make_block (wcm, groups->pdata[i], now_us, monotonic_us));
  return blocks;
}
