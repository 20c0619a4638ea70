#include "media/capture/playout.h"

#include <gst/app/app.h>
#include <math.h>
#include "media/capture/address.h"
#include "media/capture/echo.h"
#include "media/capture/stage.h"
#include "media/capture/status.h"
#include "media/capture/voice.h"
#include "media/error.h"

enum {
  RATE = VOICE_RATE,
  BLOCK = RATE / 100,
  VOICES_MAX = 16,
  LETTERS_MAX = 256,
  FORGET_US = 30 * G_USEC_PER_SEC,
  RETRY_US = 2 * G_USEC_PER_SEC,
  BUFFER_US = 60000, /* in the card */
};

typedef struct {
  Voice *voice;
  gint64 frame_us; /* its last frame came */
} Speaker;

/* A frame on its way to the streaming thread: who pushes it waits for no decoder. */
typedef struct {
  char *voice;
  Frame *frame;
} Letter;

struct Playout {
  char *address;
  PlayoutEvents events;
  void *arg;
  Status *status;

  GAsyncQueue *letters;
  gint wanted; /* atomic */

  GThread *worker; /* opens and closes */
  GMutex lock;     /* of these, and of changing wanted */
  GCond changed;
  gboolean quit;
  char *failure; /* the pipeline's; NULL: none */

  GstElement *pipeline; /* the worker's */
  /* The streaming thread's, the worker's while there is none. */
  GHashTable *speakers; /* name -> Speaker */
  gint64 n_blocks, begun_us;
  gboolean timed; /* what is played is heard by its timestamp */
};

static void
speaker_free (gpointer data)
{
  Speaker *speaker = data;
  voice_free (speaker->voice);
  g_free (speaker);
}

static void
letter_free (gpointer data)
{
  Letter *letter = data;
  frame_unref (letter->frame);
  g_free (letter->voice);
  g_free (letter);
}

/* --- what is played, on the streaming thread --- */

static gboolean
is_forgotten (gpointer name, gpointer data, gpointer now_us)
{
  return *(gint64 *)now_us - ((Speaker *)data)->frame_us > FORGET_US;
}

/* NULL: too many. */
static Speaker *
find_speaker (Playout *p, const char *name, gint64 now_us)
{
  Speaker *speaker = g_hash_table_lookup (p->speakers, name);
  if (speaker)
    return speaker;
  g_hash_table_foreach_remove (p->speakers, is_forgotten, &now_us);
  if (g_hash_table_size (p->speakers) >= VOICES_MAX)
    return NULL;
  speaker = g_new0 (Speaker, 1);
  speaker->voice = voice_new ();
  g_hash_table_insert (p->speakers, g_strdup (name), speaker);
  return speaker;
}

static void
read_letters (Playout *p)
{
  gint64 now_us = g_get_monotonic_time ();
  Letter *letter;
  while ((letter = g_async_queue_try_pop (p->letters)) != NULL) {
    Speaker *speaker = find_speaker (p, letter->voice, now_us);
    if (speaker) {
      speaker->frame_us = now_us;
      voice_put (speaker->voice, letter->frame);
    }
    letter_free (letter);
  }
}

static void
mix (Playout *p, gint16 *out)
{
  float sum[BLOCK] = { 0 };
  GHashTableIter iter;
  gpointer speaker;
  read_letters (p);
  g_hash_table_iter_init (&iter, p->speakers);
  while (g_hash_table_iter_next (&iter, NULL, &speaker))
    voice_mix (((Speaker *)speaker)->voice, sum, BLOCK);
  for (guint i = 0; i < BLOCK; i++)
    out[i] = (gint16)CLAMP (lrintf (sum[i] * 32767), G_MININT16, G_MAXINT16);
}

static void
on_need_data (GstAppSrc *in, guint length, gpointer arg)
{
  Playout *p = arg;
  gint16 samples[BLOCK];
  gint64 now_us = g_get_monotonic_time ();
  if (p->n_blocks == 0)
    p->begun_us = now_us;
  gint64 at_us = p->begun_us + p->n_blocks++ * (BLOCK * G_USEC_PER_SEC / RATE);
  mix (p, samples);
  /* A card plays what it is given after what it holds; less is told, since the canceller finds a
   * delay that it was not told of, but not the opposite. */
  gint64 heard_us = p->timed ? at_us : now_us + BUFFER_US / 2;
  if (p->events.played)
    p->events.played (p, samples, BLOCK, heard_us, p->arg);
  GstBuffer *buffer = gst_buffer_new_memdup (samples, sizeof samples);
  GST_BUFFER_PTS (buffer) = (GstClockTime)at_us * GST_USECOND;
  GST_BUFFER_DURATION (buffer) = 10 * GST_MSECOND;
  gst_app_src_push_buffer (in, buffer);
}

/* --- the worker --- */

static void
fail (Playout *p, const char *reason)
{
  g_mutex_lock (&p->lock);
  if (!p->failure)
    p->failure = g_strdup (reason);
  g_cond_signal (&p->changed);
  g_mutex_unlock (&p->lock);
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer arg)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autofree char *reason = stage_reason (message, "not-found");
    fail (arg, reason);
  }
  return GST_BUS_DROP;
}

static char *
describe (const Address *address)
{
  const char *sink = "fakesink name=sink sync=true";
  if (address->scheme == ADDRESS_ALSA)
    sink = "alsasink name=sink sync=false provide-clock=false latency-time=10000 "
           "buffer-time=60000";
  if (address->scheme == ADDRESS_PIPEWIRE)
    sink = "pipewiresink name=sink sync=false";
  return g_strdup_printf ("appsrc name=in format=time is-live=true max-bytes=960 "
                          "caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved "
                          "! audioconvert ! audioresample ! %s",
                          sink);
}

static void
aim (GstElement *pipeline, const Address *address)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (*address->target)
    g_object_set (sink, address->scheme == ADDRESS_ALSA ? "device" : "target-object",
                  address->target, NULL);
}

/* What was said while nothing was played is not said later. */
static void
forget_voices (Playout *p)
{
  Letter *letter;
  while ((letter = g_async_queue_try_pop (p->letters)) != NULL)
    letter_free (letter);
  g_hash_table_remove_all (p->speakers);
}

static void
open_loudspeaker (Playout *p)
{
  Address address;
  g_autoptr (GError) error = NULL;
  if (!address_parse (MEDIA_AUDIO, p->address, &address, NULL)) /* was checked */
    return;
  g_autofree char *text = describe (&address);
  p->timed = address.scheme == ADDRESS_TEST;
  p->n_blocks = 0;
  forget_voices (p);
  p->pipeline = gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!p->pipeline) {
    g_autofree char *reason = g_strdup_printf ("unsupported: %s", error->message);
    fail (p, reason);
    return;
  }
  gst_object_ref_sink (p->pipeline);
  aim (p->pipeline, &address);
  stage_share_clock (p->pipeline);
  g_autoptr (GstBus) bus = gst_element_get_bus (p->pipeline);
  gst_bus_set_sync_handler (bus, on_message, p, NULL);
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (p->pipeline), "in");
  GstAppSrcCallbacks callbacks = { .need_data = on_need_data };
  gst_app_src_set_callbacks (GST_APP_SRC (in), &callbacks, p, NULL);
  if (gst_element_set_state (p->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    fail (p, "failed: the loudspeaker does not start");
  else
    status_set (p->status, SOURCE_RUNNING, NULL);
}

static void
close_loudspeaker (Playout *p)
{
  if (!p->pipeline)
    return;
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (p->pipeline);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  g_clear_pointer (&p->pipeline, gst_object_unref);
}

/* Under the lock, which it lets go while it works. Returns when to look again, 0: when told. */
static gint64
follow (Playout *p)
{
  g_autofree char *failure = g_steal_pointer (&p->failure);
  gboolean on = g_atomic_int_get (&p->wanted), running = p->pipeline != NULL;
  g_mutex_unlock (&p->lock);
  if (failure || !on)
    close_loudspeaker (p);
  if (failure)
    status_set (p->status, SOURCE_MISSING, failure);
  else if (on && !running)
    open_loudspeaker (p);
  else if (!on && running)
    status_set (p->status, SOURCE_STARTING, NULL);
  g_mutex_lock (&p->lock);
  return failure && on ? g_get_monotonic_time () + RETRY_US : 0;
}

static gpointer
run (gpointer data)
{
  Playout *p = data;
  g_mutex_lock (&p->lock);
  while (!p->quit) {
    gint64 retry_us = follow (p);
    gboolean running = p->pipeline != NULL;
    while (
        !p->quit && !p->failure
        && (retry_us ? g_atomic_int_get (&p->wanted) : g_atomic_int_get (&p->wanted) == running)) {
      if (retry_us == 0)
        g_cond_wait (&p->changed, &p->lock);
      else if (!g_cond_wait_until (&p->changed, &p->lock, retry_us))
        break;
    }
  }
  g_mutex_unlock (&p->lock);
  close_loudspeaker (p);
  return NULL;
}

/* --- life --- */

gboolean
playout_check_address (const char *address, GError **error)
{
  Address parsed;
  if (address_parse (MEDIA_AUDIO, address, &parsed, NULL) && parsed.scheme != ADDRESS_FILE)
    return TRUE;
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS,
               "a loudspeaker is pipewire:, pipewire:TARGET, alsa:DEVICE or test:");
  return FALSE;
}

static void
on_status (SourceState state, const char *reason, void *arg)
{
  Playout *p = arg;
  p->events.state (p, state, reason, p->arg);
}

Playout *
playout_new (const char *address, const PlayoutEvents *events, void *arg, GError **error)
{
  if (!playout_check_address (address, error))
    return NULL;
  if (!gst_init_check (NULL, NULL, NULL)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "GStreamer does not start");
    return NULL;
  }
  Playout *p = g_new0 (Playout, 1);
  p->address = g_strdup (address);
  p->events = *events;
  p->arg = arg;
  p->status = status_new ("loudspeaker", events->state ? on_status : NULL, p);
  p->letters = g_async_queue_new_full (letter_free);
  p->speakers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, speaker_free);
  g_mutex_init (&p->lock);
  g_cond_init (&p->changed);
  p->worker = g_thread_new ("playout", run, p);
  return p;
}

void
playout_free (Playout *p)
{
  g_mutex_lock (&p->lock);
  p->quit = TRUE;
  g_cond_signal (&p->changed);
  g_mutex_unlock (&p->lock);
  g_thread_join (p->worker);
  status_free (p->status);
  g_hash_table_unref (p->speakers);
  g_async_queue_unref (p->letters);
  g_mutex_clear (&p->lock);
  g_cond_clear (&p->changed);
  g_free (p->failure);
  g_free (p->address);
  g_free (p);
}

void
playout_set_on (Playout *p, gboolean on)
{
  g_mutex_lock (&p->lock);
  g_atomic_int_set (&p->wanted, !!on);
  g_cond_signal (&p->changed);
  g_mutex_unlock (&p->lock);
}

gboolean
playout_is_on (Playout *p)
{
  return g_atomic_int_get (&p->wanted);
}

void
playout_frame (Playout *p, const char *voice, Frame *frame)
{
  if (!g_atomic_int_get (&p->wanted) || g_async_queue_length (p->letters) >= LETTERS_MAX)
    return;
  Letter *letter = g_new (Letter, 1);
  *letter = (Letter){ g_strdup (voice), frame_ref (frame) };
  g_async_queue_push (p->letters, letter);
}
