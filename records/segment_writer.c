#include "records/erasure.h"
#include "records/segment_output.h"
#include <string.h>

#define SYNC_US (500 * 1000)
/* A segment is ended at a key frame when it is nearly full, so that the next begins with one. */
#define NEARLY_FULL (8 * 1024 * 1024)
/* What one track may have waiting: many seconds of a camera. */
#define QUEUE_BYTES (64 * 1024 * 1024)
#define FLOOR_DEFAULT (G_GUINT64_CONSTANT (64) * 1024 * 1024)

struct SegmentWriter {
  Store *store;
  GThread *thread;
  GPtrArray *tracks;   /* the thread's: those with an open segment */
  gint64 sync_us;      /* the thread's: next round of fdatasync */
  guint64 floor_bytes; /* under lock */
  GMutex lock;
  GCond wake, closed;
  GQueue queue;      /* of Item* */
  GHashTable *names; /* "consult/stream" of tracks that are open */
  gboolean stop;
};

struct Track {
  SegmentWriter *writer;
  char *consult, *stream, *mime, *name;
  gint64 epoch_us;
  DataKey *key;
  /* the thread's */
  SegmentOutput *output;
  GBytes *init;
  /* under the writer's lock */
  gsize waiting;
  char *failed;
  gboolean is_closed;
};

typedef struct {
  Track *track;
  GBytes *fragment; /* NULL: the track closes */
  SegmentFlags flags;
  gint64 pts_us;
} Item;

/* ---- Writing, in the thread --------------------------------------------------------------- */

static void
track_end_segment (Track *track)
{
  g_autoptr (GError) error = NULL;
  SegmentOutput *output = g_steal_pointer (&track->output);

  if (output == NULL)
    return;
  g_ptr_array_remove_fast (track->writer->tracks, track);
  if (!segment_output_close (output, &error))
    g_warning ("segment: a segment of %s could not be closed in good order: %s", track->stream,
               error->message);
}

static void
track_fail (Track *track, const char *reason)
{
  SegmentWriter *writer = track->writer;

  track_end_segment (track);
  g_mutex_lock (&writer->lock);
  gboolean first = track->failed == NULL;
  if (first)
    track->failed = g_strdup (reason);
  g_mutex_unlock (&writer->lock);
  if (first)
    g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "TOPIC", "segment", "EVENT",
                      "recording-stopped", "MESSAGE", "segment: recording of %s has stopped: %s",
                      track->stream, reason);
}

static gboolean
track_begin_segment (Track *track, GError **error)
{
  const SegmentPlan plan
      = { track->consult, track->stream, track->mime, track->epoch_us, track->key };
  track->output = segment_output_open (track->writer->store, &plan, error);
  if (track->output == NULL)
    return FALSE;
  g_ptr_array_add (track->writer->tracks, track);
  return TRUE;
}

static gboolean
is_full (Track *track, const Item *item)
{
  gsize size = g_bytes_get_size (item->fragment);
  return segment_output_full (track->output, size)
         || ((item->flags & SEGMENT_KEY)
             && segment_output_full (track->output, size + NEARLY_FULL));
}

static gboolean
track_write (Track *track, const Item *item, GError **error)
{
  if (item->flags & SEGMENT_INIT) {
    g_clear_pointer (&track->init, g_bytes_unref);
    track->init = g_bytes_ref (item->fragment);
    track_end_segment (track);
  } else if (track->init == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the first fragment of a track must be its init");
    return FALSE;
  } else if (track->output != NULL && is_full (track, item)) {
    track_end_segment (track);
  }
  if (track->output == NULL) {
    if (!track_begin_segment (track, error)
        || !segment_output_append (track->output, track->init, SEGMENT_INIT, item->pts_us, error))
      return FALSE;
    if (item->flags & SEGMENT_INIT)
      return TRUE;
  }
  return segment_output_append (track->output, item->fragment, item->flags, item->pts_us, error);
}

static gboolean
has_failed (Track *track)
{
  g_mutex_lock (&track->writer->lock);
  gboolean failed = track->failed != NULL;
  g_mutex_unlock (&track->writer->lock);
  return failed;
}

static void
process (Item *item)
{
  Track *track = item->track;
  SegmentWriter *writer = track->writer;
  g_autoptr (GError) error = NULL;

  if (item->fragment == NULL)
    track_end_segment (track);
  else if (!has_failed (track) && !track_write (track, item, &error))
    track_fail (track, error->message);
  g_mutex_lock (&writer->lock);
  if (item->fragment != NULL)
    track->waiting -= g_bytes_get_size (item->fragment);
  else
    track->is_closed = TRUE;
  g_cond_broadcast (&writer->closed);
  g_mutex_unlock (&writer->lock);
  g_clear_pointer (&item->fragment, g_bytes_unref);
  g_free (item);
}

/* Recording stops while the last segments can still be closed in good order. */
static void
stop_when_short (SegmentWriter *writer)
{
  g_mutex_lock (&writer->lock);
  guint64 floor_bytes = writer->floor_bytes;
  g_mutex_unlock (&writer->lock);
  if (writer->tracks->len == 0 || space_for_recording (writer->store->state_dir, floor_bytes) > 0)
    return;
  g_autofree char *reason = g_strdup_printf ("the disk has less than %" G_GUINT64_FORMAT
                                             " MiB left: make room, then start again",
                                             floor_bytes >> 20);
  while (writer->tracks->len > 0)
    track_fail (writer->tracks->pdata[0], reason);
}

static void
sync_tracks (SegmentWriter *writer)
{
  g_autoptr (GPtrArray) tracks = g_ptr_array_copy (writer->tracks, NULL, NULL);

  for (guint i = 0; i < tracks->len; i++) {
    Track *track = tracks->pdata[i];
    g_autoptr (GError) error = NULL;
    if (track->output != NULL && !segment_output_sync (track->output, &error))
      track_fail (track, error->message);
  }
  stop_when_short (writer);
}

/* NULL when it is time to sync, or to end. */
static Item *
next_item (SegmentWriter *writer, gboolean *ret_stop)
{
  g_mutex_lock (&writer->lock);
  while (g_queue_is_empty (&writer->queue) && !writer->stop)
    if (writer->tracks->len == 0)
      g_cond_wait (&writer->wake, &writer->lock);
    else if (!g_cond_wait_until (&writer->wake, &writer->lock, writer->sync_us))
      break;
  Item *item = g_queue_pop_head (&writer->queue);
  *ret_stop = writer->stop && item == NULL;
  g_mutex_unlock (&writer->lock);
  return item;
}

static gpointer
writer_main (gpointer data)
{
  SegmentWriter *writer = data;
  gboolean stop = FALSE;

  while (!stop) {
    Item *item = next_item (writer, &stop);
    if (item != NULL)
      process (item);
    gint64 now = g_get_monotonic_time ();
    if (now < writer->sync_us)
      continue;
    sync_tracks (writer);
    writer->sync_us = now + SYNC_US;
  }
  return NULL;
}

/* ---- The writer --------------------------------------------------------------------------- */

static SegmentWriter *
writer_new (Store *store)
{
  SegmentWriter *writer = g_new0 (SegmentWriter, 1);
  writer->store = store;
  writer->tracks = g_ptr_array_new ();
  writer->names = g_hash_table_new (g_str_hash, g_str_equal);
  writer->floor_bytes = FLOOR_DEFAULT;
  g_mutex_init (&writer->lock);
  g_cond_init (&writer->wake);
  g_cond_init (&writer->closed);
  g_queue_init (&writer->queue);
  writer->thread = g_thread_new ("segments", writer_main, writer);
  return writer;
}

void
segment_writer_free (SegmentWriter *writer)
{
  g_mutex_lock (&writer->lock);
  writer->stop = TRUE;
  g_cond_signal (&writer->wake);
  g_mutex_unlock (&writer->lock);
  g_thread_join (writer->thread);
  g_ptr_array_unref (writer->tracks);
  g_hash_table_unref (writer->names);
  g_mutex_clear (&writer->lock);
  g_cond_clear (&writer->wake);
  g_cond_clear (&writer->closed);
  g_free (writer);
}

static SegmentWriter *
writer_of (Store *store)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->segments_lock);
  if (store->segments == NULL)
    store->segments = writer_new (store);
  return store->segments;
}

void
recording_set_floor (Store *store, guint64 bytes)
{
  SegmentWriter *writer = writer_of (store);
  g_mutex_lock (&writer->lock);
  writer->floor_bytes = bytes;
  g_mutex_unlock (&writer->lock);
}

/* ---- Tracks ------------------------------------------------------------------------------- */

static gboolean
check_info (const char *consult, const TrackInfo *info, GError **error)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  gsize size = strlen (info->stream);
  gsize mime = strlen (info->mime_type);
  guint8 id[16];

  if (store_uuid_parse (consult, id) && size > 0 && size <= SEGMENT_STREAM
      && strspn (info->stream, allowed) == size && mime > 0 && mime <= SEGMENT_MIME)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "no track can be kept under consultation \"%s\", stream \"%s\", type \"%s\"",
               consult, info->stream, info->mime_type);
  return FALSE;
}

static gboolean
run_key (StoreWrite *write, gpointer key, GError **error)
{
  return store_write_key (write, key, error);
}

/* What the log calls destroyed stays so: the next start would destroy a key of the same name. */
static DataKey *
new_recording_key (Store *store, const char *consult, GError **error)
{
  if (!erasure_done (store, consult, PURPOSE_RECORDING))
    return vault_create_key (store->vault, consult, PURPOSE_RECORDING, error);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "the recording of consultation %s was erased: it cannot be recorded again", consult);
  return NULL;
}

static DataKey *
recording_key (Store *store, const char *consult, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = vault_get_key (store->vault, consult, PURPOSE_RECORDING, &local);

  if (key == NULL && g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_clear_error (&local);
    key = new_recording_key (store, consult, &local);
    VaultKeyRow *row
        = key != NULL ? vault_key_row (store->vault, consult, PURPOSE_RECORDING, &local) : NULL;
    if (row == NULL || !store_writer_call (store->writer, run_key, row, &local))
      g_clear_pointer (&key, data_key_unref);
    g_clear_pointer (&row, vault_key_row_free);
  }
  if (key == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return g_steal_pointer (&key);
}

/* What people call it, and how its clock stands to theirs: the row has both times. */
static gboolean
put_track (Store *store, const char *consult, const TrackInfo *info, GError **error)
{
  json_t *body = json_pack ("{s:s, s:s?, s:s, s:I}", "stream", info->stream, "label", info->label,
                            "mime", info->mime_type, "epoch_us", (json_int_t)info->epoch_us);
  if (body == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the track's label is not UTF-8");
    return FALSE;
  }
  gboolean ok = store_put_sync (store, consult, "track", NULL, body, NULL, error);
  json_decref (body);
  return ok;
}

static gboolean
take_name (SegmentWriter *writer, char *name, GError **error)
{
  g_mutex_lock (&writer->lock);
  gboolean taken = !g_hash_table_contains (writer->names, name);
  if (taken)
    g_hash_table_add (writer->names, name);
  g_mutex_unlock (&writer->lock);
  if (!taken)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS, "track %s is being recorded already",
                 name);
  return taken;
}

static void
track_free (Track *track)
{
  g_clear_pointer (&track->key, data_key_unref);
  g_clear_pointer (&track->init, g_bytes_unref);
  g_free (track->consult);
  g_free (track->stream);
  g_free (track->mime);
  g_free (track->name);
  g_free (track->failed);
  g_free (track);
}

static void
leave_name (Track *track)
{
  g_mutex_lock (&track->writer->lock);
  g_hash_table_remove (track->writer->names, track->name);
  g_mutex_unlock (&track->writer->lock);
}

Track *
track_open (Store *store, const char *consult, const TrackInfo *info, GError **error)
{
  if (!store_writable (store, error) || !check_info (consult, info, error))
    return NULL;
  Track *track = g_new0 (Track, 1);
  track->writer = writer_of (store);
  track->consult = g_strdup (consult);
  track->stream = g_strdup (info->stream);
  track->mime = g_strdup (info->mime_type);
  track->epoch_us = info->epoch_us;
  track->name = g_strconcat (consult, "/", info->stream, NULL);
  if (!take_name (track->writer, track->name, error)) {
    track_free (track);
    return NULL;
  }
  track->key = recording_key (store, consult, error);
  if (track->key != NULL && store_repair_consult (store, consult, error)
      && put_track (store, consult, info, error))
    return track;
  leave_name (track);
  track_free (track);
  return NULL;
}

static void
push (Track *track, GBytes *fragment, SegmentFlags flags, gint64 pts_us)
{
  Item *item = g_new0 (Item, 1);
  *item = (Item){ track, fragment != NULL ? g_bytes_ref (fragment) : NULL, flags, pts_us };
  g_queue_push_tail (&track->writer->queue, item);
  g_cond_signal (&track->writer->wake);
}

gboolean
track_append (Track *track, GBytes *fragment, SegmentFlags flags, gint64 pts_us)
{
  SegmentWriter *writer = track->writer;
  gsize size = g_bytes_get_size (fragment);

  g_mutex_lock (&writer->lock);
  if (track->failed == NULL && track->waiting + size > QUEUE_BYTES)
    track->failed = g_strdup ("the disk does not keep up with the recording");
  gboolean ok = track->failed == NULL;
  if (ok) {
    track->waiting += size;
    push (track, fragment, flags & (SEGMENT_INIT | SEGMENT_KEY), pts_us);
  }
  g_mutex_unlock (&writer->lock);
  return ok;
}

char *
track_failed (Track *track)
{
  g_mutex_lock (&track->writer->lock);
  char *failed = g_strdup (track->failed);
  g_mutex_unlock (&track->writer->lock);
  return failed;
}

void
track_close (Track *track)
{
  SegmentWriter *writer = track->writer;

  g_mutex_lock (&writer->lock);
  push (track, NULL, 0, 0);
  while (!track->is_closed)
    g_cond_wait (&writer->closed, &writer->lock);
  g_mutex_unlock (&writer->lock);
  leave_name (track);
  track_free (track);
}
