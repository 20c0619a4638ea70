#include "station/recorder.h"
#include "media/mux/mux.h"
#include "records/segment.h"

#include <string.h>

#define FRAGMENT_US 500000
#define RETRY_US (10 * G_USEC_PER_SEC)

typedef enum {
  ITEM_FRAME,
  ITEM_START,
  ITEM_STOP,
  ITEM_VIDEO,
  ITEM_NAME,
  ITEM_SYNC,
  ITEM_END
} ItemType;

typedef struct {
  ItemType type;
  char *text, *label; /* stream, or consultation */
  Frame *frame;
  gint64 epoch_us;
  gboolean flag;
} Item;

/* One stream under way. Recorder thread. */
typedef struct {
  Recorder *recorder;
  char *stream;
  MediaCodec codec;
  Mux *mux;
  Track *track;     /* NULL before the first init fragment */
  gboolean started; /* a key frame has come */
  gint64 retry_us;  /* after a failure: not before */
  gint drops;       /* recorder's count when the last frame was taken */
} Stream;

struct Recorder {
  Store *store;
  RecorderFailed failed;
  void *arg;
  GAsyncQueue *queue;
  GThread *thread;

  gint on, video_allowed; /* atomic */
  gint tracks;            /* atomic */
  gint waiting_bytes;     /* atomic: payload in the queue */
  gint drops;             /* atomic: frames that found the queue full */
  gint failures;          /* atomic: told to the main loop, not yet heard */

  /* Recorder thread. */
  char *consult;
  gint64 epoch_us;
  GHashTable *streams; /* name → Stream* */
  GHashTable *names;   /* stream → label */

  GMutex mutex; /* synced, for recorder_finish() */
  GCond cond;
  guint64 sync_asked, sync_done;
};

static void
item_free (void *data)
{
  Item *item = data;
  g_free (item->text);
  g_free (item->label);
  if (item->frame != NULL)
    frame_unref (item->frame);
  g_free (item);
}

static void
post (Recorder *recorder, ItemType type, const char *text, const char *label)
{
  Item *item = g_new0 (Item, 1);
  item->type = type;
  item->text = g_strdup (text);
  item->label = g_strdup (label);
  g_async_queue_push (recorder->queue, item);
}

/* ---- Recorder thread ------------------------------------------------------------------------- */

typedef struct {
  Recorder *recorder;
  char *stream, *why;
} Failure;

static gboolean
tell_failure (void *data)
{
  Failure *failure = data;
  failure->recorder->failed (failure->stream, failure->why, failure->recorder->arg);
  g_atomic_int_add (&failure->recorder->failures, -1);
  g_free (failure->stream);
  g_free (failure->why);
  g_free (failure);
  return G_SOURCE_REMOVE;
}

static void
close_track (Stream *stream)
{
  if (stream->track == NULL)
    return;
  track_close (g_steal_pointer (&stream->track));
  g_atomic_int_add (&stream->recorder->tracks, -1);
}

static void
stream_fail (Stream *stream, const char *why)
{
  Failure *failure = g_new0 (Failure, 1);
  failure->recorder = stream->recorder;
  failure->stream = g_strdup (stream->stream);
  failure->why = g_strdup (why);
  close_track (stream);
  stream->retry_us = g_get_monotonic_time () + RETRY_US;
  g_atomic_int_inc (&stream->recorder->failures);
  g_idle_add (tell_failure, failure);
}

static gboolean
open_track (Stream *stream)
{
  Recorder *recorder = stream->recorder;
  const char *label = g_hash_table_lookup (recorder->names, stream->stream);
  g_autoptr (GError) error = NULL;
  TrackInfo info = { .stream = stream->stream,
                     .mime_type = mux_mime_type (stream->mux),
                     .epoch_us = recorder->epoch_us,
                     .label = label != NULL ? label : stream->stream };
  stream->track = track_open (recorder->store, recorder->consult, &info, &error);
  if (stream->track == NULL) {
    stream_fail (stream, error->message);
    return FALSE;
  }
  g_atomic_int_inc (&recorder->tracks);
  return TRUE;
}

static void
fragment_out (GBytes *fragment, MuxFlags flags, gint64 pts_us, void *arg)
{
  Stream *stream = arg;
  SegmentFlags kept = 0;
  if (stream->retry_us != 0)
    return;
  if (stream->track == NULL && (!(flags & MUX_INIT) || !open_track (stream)))
    return;
  if (flags & MUX_INIT)
    kept |= SEGMENT_INIT;
  if (flags & MUX_KEY)
    kept |= SEGMENT_KEY;
  if (!track_append (stream->track, fragment, kept, pts_us)) {
    g_autofree char *why = track_failed (stream->track);
    stream_fail (stream, why != NULL ? why : "the disk is short");
    return;
  }
}

static void
stream_free (void *data)
{
  Stream *stream = data;
  if (stream->mux != NULL)
    mux_free (stream->mux);
  close_track (stream);
  g_free (stream->stream);
  g_free (stream);
}

static Stream *
stream_new (Recorder *recorder, const char *name, MediaCodec codec)
{
  Stream *stream = g_new0 (Stream, 1);
  stream->recorder = recorder;
  stream->stream = g_strdup (name);
  stream->codec = codec;
  stream->mux = mux_new (codec, recorder->epoch_us, FRAGMENT_US, fragment_out, stream);
  return stream;
}

/* After a failure everything begins anew: a new mux gives a new init fragment. */
static gboolean
stream_may_go_on (Stream *stream)
{
  if (stream->retry_us == 0)
    return TRUE;
  if (g_get_monotonic_time () < stream->retry_us)
    return FALSE;
  mux_free (stream->mux);
  stream->retry_us = 0;
  stream->started = FALSE;
  stream->mux
      = mux_new (stream->codec, stream->recorder->epoch_us, FRAGMENT_US, fragment_out, stream);
  return TRUE;
}

static void
take_frame (Recorder *recorder, const char *name, Frame *frame)
{
  Stream *stream = g_hash_table_lookup (recorder->streams, name);
  gboolean video = media_codec_kind (frame->codec) == MEDIA_VIDEO;
  g_atomic_int_add (&recorder->waiting_bytes, -(gint)g_bytes_get_size (frame->data));
  if (recorder->consult == NULL || (video && !g_atomic_int_get (&recorder->video_allowed)))
    return;
  if (stream != NULL && stream->codec != frame->codec) {
    g_hash_table_remove (recorder->streams, name);
    stream = NULL;
  }
  if (stream == NULL) {
    stream = stream_new (recorder, name, frame->codec);
    g_hash_table_insert (recorder->streams, stream->stream, stream);
  }
  /* Something is missing: what refers to it cannot be shown before the next key frame. */
  if (stream->drops != g_atomic_int_get (&recorder->drops)) {
    stream->drops = g_atomic_int_get (&recorder->drops);
    stream->started = FALSE;
  }
  if (!stream_may_go_on (stream) || (!stream->started && !frame->key)
      || frame->capture_us < recorder->epoch_us)
    return;
  stream->started = TRUE;
  mux_push (stream->mux, frame);
}

static gboolean
is_video (void *key, void *value, void *arg)
{
  return media_codec_kind (((Stream *)value)->codec) == MEDIA_VIDEO;
}

static void
take_start (Recorder *recorder, const Item *item)
{
  g_hash_table_remove_all (recorder->streams);
  g_free (recorder->consult);
  recorder->consult = g_strdup (item->text);
  recorder->epoch_us = item->epoch_us;
}

static void
take_stop (Recorder *recorder)
{
  g_hash_table_remove_all (recorder->streams);
  g_clear_pointer (&recorder->consult, g_free);
}

static void
take_sync (Recorder *recorder)
{
  g_mutex_lock (&recorder->mutex);
  recorder->sync_done++;
  g_cond_broadcast (&recorder->cond);
  g_mutex_unlock (&recorder->mutex);
}

static void
take_item (Recorder *recorder, const Item *item)
{
  switch (item->type) {
  case ITEM_FRAME:
    take_frame (recorder, item->text, item->frame);
    break;
  case ITEM_START:
    take_start (recorder, item);
    break;
  case ITEM_STOP:
    take_stop (recorder);
    break;
  case ITEM_VIDEO:
    if (!item->flag)
      g_hash_table_foreach_remove (recorder->streams, is_video, NULL);
    break;
  case ITEM_NAME:
    g_hash_table_replace (recorder->names, g_strdup (item->text), g_strdup (item->label));
    break;
  case ITEM_SYNC:
    take_sync (recorder);
    break;
  case ITEM_END:
    break;
  }
}

static void *
recorder_thread (void *data)
{
  Recorder *recorder = data;
  gboolean running = TRUE;
  while (running) {
    Item *item = g_async_queue_pop (recorder->queue);
    running = item->type != ITEM_END;
    take_item (recorder, item);
    item_free (item);
  }
  take_stop (recorder);
  return NULL;
}

/* ---- Any thread ---------------------------------------------------------------------------------
 */

Recorder *
recorder_new (Store *store, RecorderFailed failed, void *arg)
{
  Recorder *recorder = g_new0 (Recorder, 1);
  recorder->store = store;
  recorder->failed = failed;
  recorder->arg = arg;
  recorder->video_allowed = TRUE;
  recorder->queue = g_async_queue_new_full (item_free);
  recorder->streams = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, stream_free);
  recorder->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&recorder->mutex);
  g_cond_init (&recorder->cond);
  recorder->thread = g_thread_new ("recorder", recorder_thread, recorder);
  return recorder;
}

void
recorder_free (Recorder *recorder)
{
  post (recorder, ITEM_END, NULL, NULL);
  g_thread_join (recorder->thread);
  while (g_atomic_int_get (&recorder->failures) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_hash_table_unref (recorder->streams);
  g_hash_table_unref (recorder->names);
  g_async_queue_unref (recorder->queue);
  g_mutex_clear (&recorder->mutex);
  g_cond_clear (&recorder->cond);
  g_free (recorder->consult);
  g_free (recorder);
}

void
recorder_start (Recorder *recorder, const char *consult, gint64 epoch_us)
{
  Item *item = g_new0 (Item, 1);
  item->type = ITEM_START;
  item->text = g_strdup (consult);
  item->epoch_us = epoch_us;
  g_async_queue_push (recorder->queue, item);
  g_atomic_int_set (&recorder->on, TRUE);
}

void
recorder_stop (Recorder *recorder)
{
  g_atomic_int_set (&recorder->on, FALSE);
  post (recorder, ITEM_STOP, NULL, NULL);
}

void
recorder_finish (Recorder *recorder)
{
  recorder_stop (recorder);
  g_mutex_lock (&recorder->mutex);
  guint64 mine = ++recorder->sync_asked;
  post (recorder, ITEM_SYNC, NULL, NULL);
  while (recorder->sync_done < mine)
    g_cond_wait (&recorder->cond, &recorder->mutex);
  g_mutex_unlock (&recorder->mutex);
}

void
recorder_allow_video (Recorder *recorder, gboolean allowed)
{
  Item *item = g_new0 (Item, 1);
  g_atomic_int_set (&recorder->video_allowed, allowed);
  item->type = ITEM_VIDEO;
  item->flag = allowed;
  g_async_queue_push (recorder->queue, item);
}

void
recorder_name (Recorder *recorder, const char *stream, const char *label)
{
  post (recorder, ITEM_NAME, stream, label);
}

void
recorder_push (Recorder *recorder, const char *stream, Frame *frame)
{
  if (!g_atomic_int_get (&recorder->on))
    return;
  gint bytes = (gint)g_bytes_get_size (frame->data);
  if (g_atomic_int_add (&recorder->waiting_bytes, bytes) > (gint)RECORDER_QUEUE_BYTES) {
    g_atomic_int_add (&recorder->waiting_bytes, -bytes);
    g_atomic_int_inc (&recorder->drops);
    return;
  }
  Item *item = g_new0 (Item, 1);
  item->type = ITEM_FRAME;
  item->text = g_strdup (stream);
  item->frame = frame_ref (frame);
  g_async_queue_push (recorder->queue, item);
}

gboolean
recorder_is_on (Recorder *recorder)
{
  return g_atomic_int_get (&recorder->on);
}

guint
recorder_tracks (Recorder *recorder)
{
  return (guint)g_atomic_int_get (&recorder->tracks);
}
