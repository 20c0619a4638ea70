#include "media/capture/shots.h"

#include <gst/video/video.h>
#include "media/capture/stage.h"
#include "media/error.h"

#define ENCODE_US (60 * G_USEC_PER_SEC)
#define JPEG "jpegenc quality=93"
#define PNG                                                                                        \
  "videoconvert n-threads=1 ! capsfilter caps=video/x-raw,format=RGB ! pngenc compression-level=6"

typedef struct {
  gboolean lossless;
  SourceTaken done;
  void *arg;
} Ask;

/* Counted: threads that encode hold a reference. */
struct Shots {
  Source *source; /* only told */
  GMainContext *owner;
  GMutex lock;       /* of everything below */
  gboolean silenced; /* written in the owner's thread only */
  GstBuffer *last;
  GstCaps *caps;
  gint64 last_us;
  GQueue asked; /* Ask */
};

/* One on its way: to the thread that encodes, and back. */
typedef struct {
  Shots *shots;
  Ask *ask;
  GstBuffer *buffer;
  GstCaps *caps;
  SourcePicture picture;
  GError *error;
} Shot;

Shots *
shots_new (Source *source)
{
  Shots *shots = g_atomic_rc_box_new0 (Shots);
  shots->source = source;
  shots->owner = g_main_context_ref_thread_default ();
  g_mutex_init (&shots->lock);
  g_queue_init (&shots->asked);
  return shots;
}

static void
shots_clear (gpointer data)
{
  Shots *shots = data;
  g_main_context_unref (shots->owner);
  g_mutex_clear (&shots->lock);
  gst_clear_buffer (&shots->last);
  gst_clear_caps (&shots->caps);
  g_queue_clear_full (&shots->asked, g_free);
}

void
shots_free (Shots *shots)
{
  g_mutex_lock (&shots->lock);
  shots->silenced = TRUE;
  g_mutex_unlock (&shots->lock);
  g_atomic_rc_box_release_full (shots, shots_clear);
}

void
shots_feed (Shots *shots, GstBuffer *buffer, GstCaps *caps)
{
  g_mutex_lock (&shots->lock);
  gst_buffer_replace (&shots->last, buffer);
  gst_caps_replace (&shots->caps, caps);
  shots->last_us = g_get_monotonic_time ();
  g_mutex_unlock (&shots->lock);
}

void
shots_ask (Shots *shots, gboolean lossless, SourceTaken done, void *arg)
{
  Ask *ask = g_new0 (Ask, 1);
  *ask = (Ask){ lossless, done, arg };
  g_mutex_lock (&shots->lock);
  g_queue_push_tail (&shots->asked, ask);
  g_mutex_unlock (&shots->lock);
}

gboolean
shots_are_asked (Shots *shots)
{
  g_mutex_lock (&shots->lock);
  gboolean asked = shots->asked.length > 0;
  g_mutex_unlock (&shots->lock);
  return asked;
}

guint64
shots_pixels (Shots *shots)
{
  GstVideoInfo info;
  g_mutex_lock (&shots->lock);
  gboolean known = shots->caps && gst_video_info_from_caps (&info, shots->caps);
  g_mutex_unlock (&shots->lock);
  return known ? (guint64)info.width * (guint64)info.height : 0;
}

/* Encoding */

typedef struct {
  GMutex lock;
  GCond changed;
  GBytes *data;
  char *reason;
} Encoding;

static void
on_output (GstSample *sample, void *arg)
{
  Encoding *encoding = arg;
  GstMapInfo map;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  if (!buffer || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_mutex_lock (&encoding->lock);
  if (!encoding->data)
    encoding->data = g_bytes_new (map.data, map.size);
  g_cond_signal (&encoding->changed);
  g_mutex_unlock (&encoding->lock);
  gst_buffer_unmap (buffer, &map);
}

static void
on_failed (const char *reason, void *arg)
{
  Encoding *encoding = arg;
  g_mutex_lock (&encoding->lock);
  encoding->reason = g_strdup (reason);
  g_cond_signal (&encoding->changed);
  g_mutex_unlock (&encoding->lock);
}

static void
wait_for_it (Encoding *encoding, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + ENCODE_US;
  gboolean late = FALSE;
  g_mutex_lock (&encoding->lock);
  while (!encoding->data && !encoding->reason && !late)
    late = !g_cond_wait_until (&encoding->changed, &encoding->lock, end_us);
  if (!encoding->data)
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "the picture cannot be encoded: %s",
                 encoding->reason ? encoding->reason : "it took too long");
  g_mutex_unlock (&encoding->lock);
}

GBytes *
shots_encode (GstBuffer *buffer, GstCaps *caps, gboolean lossless, GError **error)
{
  static const StageEvents events = { on_output, on_failed };
  Encoding encoding = { 0 };
  g_mutex_init (&encoding.lock);
  g_cond_init (&encoding.changed);
  Stage *stage = stage_new (lossless ? PNG : JPEG, STAGE_KEEP, 1, &events, &encoding, error);
  if (stage) {
    stage_push (stage, gst_buffer_ref (buffer), caps);
    wait_for_it (&encoding, error);
    stage_free (stage);
  }
  g_mutex_clear (&encoding.lock);
  g_cond_clear (&encoding.changed);
  g_free (encoding.reason);
  return encoding.data;
}

/* Answers */

static void
shot_free (gpointer data)
{
  Shot *shot = data;
  g_clear_pointer (&shot->picture.data, g_bytes_unref);
  gst_clear_buffer (&shot->buffer);
  gst_clear_caps (&shot->caps);
  g_clear_error (&shot->error);
  g_free (shot->ask);
  g_atomic_rc_box_release_full (shot->shots, shots_clear);
  g_free (shot);
}

static gboolean
tell (gpointer data)
{
  Shot *shot = data;
  if (!shot->shots->silenced)
    shot->ask->done (shot->shots->source, shot->error ? NULL : &shot->picture, shot->error,
                     shot->ask->arg);
  return G_SOURCE_REMOVE;
}

static void
tell_owner (Shot *shot)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell, shot, shot_free);
  g_source_attach (source, shot->shots->owner);
}

static gpointer
encode (gpointer data)
{
  Shot *shot = data;
  shot->picture.data = shots_encode (shot->buffer, shot->caps, shot->ask->lossless, &shot->error);
  tell_owner (shot);
  return NULL;
}

/* Under the lock. */
static void
describe (Shot *shot)
{
  GstVideoInfo info;
  shot->buffer = gst_buffer_ref (shot->shots->last);
  shot->caps = gst_caps_ref (shot->shots->caps);
  shot->picture.mime_type = shot->ask->lossless ? "image/png" : "image/jpeg";
  shot->picture.capture_us = shot->shots->last_us;
  if (gst_video_info_from_caps (&info, shot->caps)) {
    shot->picture.width = (guint)info.width;
    shot->picture.height = (guint)info.height;
  }
}

static void
answer (Shots *shots, Ask *ask, const char *reason)
{
  Shot *shot = g_new0 (Shot, 1);
  shot->shots = g_atomic_rc_box_acquire (shots);
  shot->ask = ask;
  g_mutex_lock (&shots->lock);
  gboolean there = !reason && shots->last;
  if (there)
    describe (shot);
  g_mutex_unlock (&shots->lock);
  if (there) {
    g_thread_unref (g_thread_new ("shot", encode, shot));
    return;
  }
  g_set_error (&shot->error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "there is no picture: %s",
               reason ? reason : "none has come yet");
  tell_owner (shot);
}

void
shots_answer (Shots *shots, const char *reason)
{
  for (;;) {
    g_mutex_lock (&shots->lock);
    Ask *ask = g_queue_pop_head (&shots->asked);
    g_mutex_unlock (&shots->lock);
    if (!ask)
      return;
    answer (shots, ask, reason);
  }
}
