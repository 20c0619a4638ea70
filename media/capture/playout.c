#include "media/capture/playout.h"

#include <gst/app/app.h>
#include "media/capture/address.h"
#include "media/capture/echo.h"
#include "media/capture/stage.h"
#include "media/capture/status.h"
#include "media/capture/voices.h"
#include "media/error.h"

enum {
  RATE = VOICE_RATE,
  BLOCK = RATE / 100,
  RETRY_US = 2 * G_USEC_PER_SEC,
  BUFFER_US = 60000, /* in the card */
};

struct Playout {
  char *address;
  PlayoutEvents events;
  void *arg;
  Status *status;

  Voices *voices; /* taken by the streaming thread, by the worker while there is none */
  gint wanted;    /* atomic */

  GThread *worker; /* opens and closes */
  GMutex lock;     /* of these, and of changing wanted */
  GCond changed;
  gboolean quit;
  char *failure; /* the pipeline's; NULL: none */

  GstElement *pipeline; /* the worker's */
  /* The streaming thread's, the worker's while there is none. */
  gint64 n_blocks, begun_us;
  gboolean timed; /* what is played is heard by its timestamp */
};

/* --- what is played, on the streaming thread --- */

static void
on_need_data (GstAppSrc *in, guint length, gpointer arg)
{
  Playout *p = arg;
  gint16 samples[BLOCK];
  gint64 now_us = g_get_monotonic_time ();
  if (p->n_blocks == 0)
    p->begun_us = now_us;
  gint64 at_us = p->begun_us + p->n_blocks++ * (BLOCK * G_USEC_PER_SEC / RATE);
  voices_take (p->voices, samples, BLOCK);
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
  voices_forget (p->voices); /* what was said while nothing was played is not said later */
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
  p->voices = voices_new ();
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
  voices_free (p->voices);
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
  if (g_atomic_int_get (&p->wanted))
    voices_put (p->voices, voice, frame);
}
