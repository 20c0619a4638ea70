#include "station/waves.h"
#include "station/readings.h"
#include "station/wave_claim.h"
#include "station/wave_link.h"
#include "station/wave_record.h"

#include <string.h>

/* Of all devices; who brings more takes the place of the one that has been silent longest, of those
 * that are nobody's first. */
#define TRACKS_MAX 32
#define TICK_MS 500
/* Clocks are told every so many ticks, and at once when an epoch begins. */
#define CLOCK_TICKS 4
/* A stream that gives nothing for so long is no longer told of. */
#define LIVE_US (5 * G_USEC_PER_SEC)
#define SILENT_US (60 * G_USEC_PER_SEC)

/* So long a message waits for what shares its row, at most; and no longer than half of what it
 * brings, since who sends one by one must not fall behind. */
#define HOLD_US (200 * 1000)

struct Waves {
  Station *station;
  GPtrArray *tracks; /* WaveTrack* */
  guint numbers;
  WaveLink *link;
  WaveRecord *record;
  WaveClaims *claims;
  guint timer, ticks;
  guint hurry; /* rows for which somebody waits are written then */
};

static void
track_free (void *data)
{
  WaveTrack *track = data;
  wave_stream_unref (track->stream);
  wave_clock_free (track->clock);
  wave_packer_free (track->row);
  g_ptr_array_unref (track->row_notes);
  g_free (track->device);
  g_free (track->consult);
  g_free (track);
}

static WaveTrack *
find_track (Waves *waves, const char *device, const WaveStream *stream)
{
  for (guint i = 0; i < waves->tracks->len; i++) {
    WaveTrack *track = waves->tracks->pdata[i];
    if (strcmp (track->stream->id, stream->id) == 0 && strcmp (track->device, device) == 0)
      return track;
  }
  return NULL;
}

static gboolean
same_lead (const WaveLead *a, const WaveLead *b)
{
  return a->mdc == b->mdc && g_strcmp0 (a->name, b->name) == 0 && g_strcmp0 (a->unit, b->unit) == 0
         && a->scale == b->scale && a->offset == b->offset;
}

static gboolean
same_stream (const WaveStream *a, const WaveStream *b)
{
  if (a == b)
    return TRUE;
  gboolean same = a->rate_num == b->rate_num && a->rate_den == b->rate_den && a->test == b->test
                  && a->lead_count == b->lead_count;
  for (guint i = 0; same && i < a->lead_count; i++)
    same = same_lead (&a->leads[i], &b->leads[i]);
  return same;
}

static const char *
on_screen (const Waves *waves)
{
  return waves->station->screen != NULL ? waves->station->screen->id : NULL;
}

static void
tell_all (Waves *waves)
{
  wave_link_tell (waves->link, waves->tracks, on_screen (waves), NULL);
}

static void
tell_clocks (Waves *waves)
{
  wave_link_clocks (waves->link, waves->tracks, on_screen (waves), NULL);
}

static void
end_track (Waves *waves, WaveTrack *track)
{
  wave_record_flush (waves->record, track);
  g_ptr_array_remove (waves->tracks, track);
}

static void
end_most_silent (Waves *waves)
{
  WaveTrack *silent = NULL;
  for (guint i = 0; i < waves->tracks->len; i++) {
    WaveTrack *track = waves->tracks->pdata[i];
    if (silent == NULL || track->is_held > silent->is_held
        || (track->is_held == silent->is_held && track->seen_us < silent->seen_us))
      silent = track;
  }
  end_track (waves, silent);
}

static WaveTrack *
begin_track (Waves *waves, const char *device, WaveStream *stream, const char *consult)
{
  if (waves->tracks->len >= TRACKS_MAX)
    end_most_silent (waves);
  WaveTrack *track = g_new0 (WaveTrack, 1);
  track->number = ++waves->numbers;
  track->stream = wave_stream_ref (stream);
  track->device = g_strdup (device);
  track->consult = g_strdup (consult);
  track->clock = wave_clock_new (stream->rate_num, stream->rate_den);
  track->row = wave_packer_new (G_MAXSIZE);
  track->row_notes = g_ptr_array_new ();
  g_ptr_array_add (waves->tracks, track);
  return track;
}

static void
begin_epoch (Waves *waves, WaveTrack *track, const WaveBlock *block)
{
  wave_record_flush (waves->record, track);
  track->epoch = wave_record_next_epoch (waves->record, track->consult);
  track->its_epoch = block->epoch;
  track->next = block->first;
  track->epoch_is_new = TRUE;
  wave_clock_reset (track->clock);
}

/* The track for a block that is kept under this id. */
static WaveTrack *
track_for (Waves *waves, const char *device, const WaveBlock *block, const char *home)
{
  WaveTrack *track = find_track (waves, device, block->stream);
  if (track != NULL
      && (!same_stream (track->stream, block->stream) || strcmp (track->consult, home) != 0)) {
    end_track (waves, track);
    track = NULL;
  }
  gboolean begins = track == NULL;
  if (begins)
    track = begin_track (waves, device, block->stream, home);
  /* Of a new epoch alone pages hear by its samples. */
  if (begins || block->epoch != track->its_epoch || block->first < track->next)
    begin_epoch (waves, track, block);
  if (begins)
    tell_all (waves);
  return track;
}

static void
take_for (Waves *waves, const char *device, WaveBlock *block, const char *home, gboolean is_held,
          WaveReceipt *receipt)
{
  WaveTrack *track = track_for (waves, device, block, home);
  gint64 now_us = g_get_monotonic_time ();
  if (block->monotonic_us > 0)
    wave_clock_add (track->clock, block->first, block->monotonic_us);
  else
    wave_clock_add (track->clock, block->first + block->count, now_us);
  track->seen_us = now_us;
  track->is_held = is_held;
  track->next = block->first + block->count;
  if (track->epoch_is_new)
    tell_clocks (waves);
  track->epoch_is_new = FALSE;
  wave_record_push (waves->record, track, block, receipt);
  if (g_strcmp0 (home, on_screen (waves)) == 0)
    wave_link_push (waves->link, track, block);
}

/* TRUE for what was sent before: it is there, or its receipt waits until it is. */
static gboolean
is_repeated (Waves *waves, const char *device, const WaveBlock *block, WaveReceipt *receipt)
{
  KeptState state = kept_state (readings_kept (waves->station->readings), block->raw);
  if (state == KEPT_COMING && receipt != NULL) {
    WaveTrack *track = find_track (waves, device, block->stream);
    if (track != NULL)
      wave_record_flush (waves->record, track);
    wave_record_await (waves->record, block->raw, receipt);
  }
  return state != KEPT_NEW;
}

/* Where a block of nobody's is kept (transfer full); NULL: it is let go, and who waits is told when
 * that is because nothing can be sealed. */
static char *
home_of_nobody (Waves *waves, WaveReceipt *receipt)
{
  g_autoptr (GError) error = NULL;
  char *home = wave_claims_home (waves->claims, &error);
  if (error != NULL && receipt != NULL)
    wave_receipt_end (wave_receipt_wait (receipt), error);
  return home;
}

static void
take (Waves *waves, const char *device, const char *sender, WaveBlock *block, WaveReceipt *receipt)
{
  Station *station = waves->station;
  const WaveStream *stream = block->stream;
  const Consult *owner = NULL;
  g_autofree char *home = NULL;
  if (stream->device != NULL)
    device = stream->device;
  if (!station->stopping && block->count > 0
      && block->first <= WAVE_CODEC_FIRST_MAX - block->count) {
    owner = readings_owner (station->readings, device, sender, stream->patient_id);
    home = owner != NULL ? g_strdup (owner->id) : home_of_nobody (waves, receipt);
  }
  WaveTrack *track = home == NULL ? find_track (waves, device, stream) : NULL;
  if (home != NULL && !is_repeated (waves, device, block, receipt))
    take_for (waves, device, block, home, owner == NULL, receipt);
  else if (track != NULL) {
    end_track (waves, track);
    tell_all (waves);
  }
  wave_block_free (block);
}

void
waves_take (Waves *waves, const char *device, const char *sender, WaveBlock *block)
{
  take (waves, device, sender, block, NULL);
}

static gboolean
write_awaited (void *data)
{
  Waves *waves = data;
  waves->hurry = 0;
  for (guint i = 0; i < waves->tracks->len; i++)
    if (wave_record_is_awaited (waves->tracks->pdata[i]))
      wave_record_flush (waves->record, waves->tracks->pdata[i]);
  return G_SOURCE_REMOVE;
}

static gint64
longest_us (const GPtrArray *blocks)
{
  gint64 longest = 0;
  for (guint i = 0; i < blocks->len; i++) {
    const WaveBlock *block = blocks->pdata[i];
    longest = MAX (longest, (gint64)((guint64)block->count * G_USEC_PER_SEC
                                     * block->stream->rate_den / block->stream->rate_num));
  }
  return longest;
}

void
waves_take_all (Waves *waves, const char *device, const char *sender, GPtrArray *blocks,
                WavesDone done, void *arg)
{
  WaveReceipt *receipt = done != NULL ? wave_receipt_new (done, arg) : NULL;
  gint64 hold_us = MIN (longest_us (blocks) / 2, HOLD_US);
  if (receipt != NULL && blocks->len > 0 && waves->hurry == 0)
    waves->hurry = g_timeout_add ((guint)(hold_us / 1000), write_awaited, waves);
  while (blocks->len > 0)
    take (waves, device, sender, g_ptr_array_steal_index (blocks, 0), receipt);
  wave_receipt_end (receipt, NULL);
}

void
waves_flush (Waves *waves, const char *consult)
{
  for (guint i = 0; i < waves->tracks->len; i++) {
    WaveTrack *track = waves->tracks->pdata[i];
    if (consult == NULL || strcmp (track->consult, consult) == 0)
      wave_record_flush (waves->record, track);
  }
}

void
waves_claim (Waves *waves, const char *device, const Consult *consult, const char *user,
             gint64 from_us)
{
  for (guint i = waves->tracks->len; i > 0; i--) {
    WaveTrack *track = waves->tracks->pdata[i - 1];
    if (track->is_held && strcmp (track->device, device) == 0)
      end_track (waves, track);
  }
  wave_claims_take (waves->claims, device, consult, user, from_us);
}

void
waves_shown (Waves *waves)
{
  wave_link_forget (waves->link);
  tell_all (waves);
}

void
waves_tell (Waves *waves, const char *label)
{
  wave_link_tell (waves->link, waves->tracks, on_screen (waves), label);
  wave_link_clocks (waves->link, waves->tracks, on_screen (waves), label);
}

void
waves_peer_open (Waves *waves, const char *label, gboolean open)
{
  wave_link_set_open (waves->link, label, open);
}

void
waves_peer_way (Waves *waves, const char *label, int step)
{
  if (wave_link_set_way (waves->link, label, step))
    waves_tell (waves, label);
}

void
waves_peer_gone (Waves *waves, const char *label)
{
  wave_link_gone (waves->link, label);
}

void
waves_fill (Waves *waves, const char *label, const json_t *message)
{
  if (on_screen (waves) != NULL)
    wave_link_fill (waves->link, label, message);
}

static gboolean
tick (void *data)
{
  Waves *waves = data;
  gint64 now_us = g_get_monotonic_time ();
  gboolean live = FALSE;
  for (guint i = waves->tracks->len; i > 0; i--) {
    WaveTrack *track = waves->tracks->pdata[i - 1];
    live |= now_us - track->seen_us < LIVE_US;
    wave_record_tick (waves->record, track, now_us);
    if (now_us - track->seen_us > SILENT_US) {
      end_track (waves, track);
      tell_all (waves);
    }
  }
  wave_link_tell_falls (waves->link, waves->tracks, on_screen (waves));
  if (++waves->ticks % CLOCK_TICKS == 0 && live)
    tell_clocks (waves);
  return G_SOURCE_CONTINUE;
}

Waves *
waves_new (Station *station)
{
  Waves *waves = g_new0 (Waves, 1);
  waves->station = station;
  waves->tracks = g_ptr_array_new_with_free_func (track_free);
  waves->record = wave_record_new (station);
  waves->link = wave_link_new (station, waves->record);
  waves->claims = wave_claims_new (station, waves->record);
  waves->timer = g_timeout_add (TICK_MS, tick, waves);
  return waves;
}

void
waves_free (Waves *waves)
{
  while (waves->tracks->len > 0)
    end_track (waves, waves->tracks->pdata[0]);
  g_source_remove (waves->timer);
  g_clear_handle_id (&waves->hurry, g_source_remove);
  wave_claims_free (waves->claims);
  wave_link_free (waves->link);
  wave_record_free (waves->record);
  g_ptr_array_unref (waves->tracks);
  g_free (waves);
}
