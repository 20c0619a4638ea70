#include "media/capture/source.h"

#include <string.h>
#include "media/capture/address.h"
#include "media/capture/camera.h"
#include "media/capture/capture.h"
#include "media/capture/echo.h"
#include "media/capture/record.h"
#include "media/capture/shots.h"
#include "media/capture/status.h"
#include "media/error.h"

#define BACKOFF_FIRST_US (1 * G_USEC_PER_SEC)
#define BACKOFF_LAST_US (15 * G_USEC_PER_SEC)
#define WATCH_US (500 * 1000)
#define SILENCE_US (4 * G_USEC_PER_SEC)
#define OPENING_US (8 * G_USEC_PER_SEC)
/* What network cameras send of themselves when nobody set them otherwise. */
#define CAMERA_USUAL_BITS 4000000u
/* A run as long as this was a good one: the next failure starts the back-off anew. */
#define GOOD_RUN_US (10 * G_USEC_PER_SEC)

/* Of a run at the sensor's size: till exposure and white balance have settled. */
enum { NATIVE_SETTLES = 4, NATIVE_LARGEST = 8192, NATIVE_RATE = 5 };
#define NATIVE_US (5 * G_USEC_PER_SEC)

enum { LIVE_WIDTH = 1280, LIVE_HEIGHT = 720, LIVE_RATE = 30 };

struct Source {
  SourceConfig config; /* strings owned */
  SourceEvents events;
  void *arg;
  Status *status;

  GThread *worker;
  GMainLoop *loop;
  GSource *pulse; /* runs work() on the worker at its ready time */
  gint quit;      /* atomic */
  gint data_seen; /* atomic: data came since the watchdog looked */
  gint announced; /* atomic: data came in this run */

  GMutex lock; /* of these, and of changing pulse */
  gboolean woken;
  char *failure; /* why the run is over, NULL while it is not */

  /* The worker's own. */
  Capture *capture;
  guint attempt;
  gint64 retry_us, backoff_us, begun_us, data_us;
  gboolean had_data;
  gint64 native_end_us;  /* a picture at the sensor's size is waited for till then */
  guint64 live_pixels;   /* before that run */
  gboolean is_full_size; /* it was seen to capture at the sensor's size anyway */

  Shots *shots;       /* of a camera */
  gint native;        /* atomic: this run is for a picture at the sensor's own size */
  gint native_frames; /* atomic: that came in it */

  /* By codec and rung, NULL for those of the other kind. */
  Outlet *live[MEDIA_JPEG + 1][RUNG_MAX];
  Record *record;
};

enum { N_LIVE = (MEDIA_JPEG + 1) * RUNG_MAX };

static Outlet *
live_at (Source *source, guint i)
{
  return source->live[i / RUNG_MAX][i % RUNG_MAX];
}

static void
wake (void *arg)
{
  Source *source = arg;
  g_mutex_lock (&source->lock);
  source->woken = TRUE;
  if (source->pulse)
    g_source_set_ready_time (source->pulse, 0);
  g_mutex_unlock (&source->lock);
}

/* --- what the device brings, on its streaming threads --- */

static void
note_data (Source *source)
{
  g_atomic_int_set (&source->data_seen, TRUE);
  if (g_atomic_int_compare_and_exchange (&source->announced, FALSE, TRUE))
    wake (source);
}

static void
on_native (Source *source, GstBuffer *buffer, GstCaps *caps)
{
  if (g_atomic_int_add (&source->native_frames, 1) + 1 < NATIVE_SETTLES)
    return;
  shots_feed (source->shots, buffer, caps);
  wake (source);
}

static void
on_raw (GstBuffer *buffer, GstCaps *caps, void *arg)
{
  Source *source = arg;
  if (g_atomic_int_get (&source->native)) {
    on_native (source, buffer, caps);
    return;
  }
  if (source->shots)
    shots_feed (source->shots, buffer, caps);
  note_data (source);
  g_autoptr (GstBuffer) clean
      = source->config.echo ? echo_filter (source->config.echo, buffer) : gst_buffer_ref (buffer);
  if (!clean)
    return;
  for (guint i = 0; i < N_LIVE; i++)
    if (live_at (source, i))
      outlet_feed (live_at (source, i), clean, caps);
  record_feed_raw (source->record, clean, caps);
}

static void
on_encoded (Frame *frame, void *arg)
{
  Source *source = arg;
  if (g_atomic_int_get (&source->native))
    return;
  note_data (source);
  record_feed_encoded (source->record, frame);
}

static void
on_unfit (void *arg)
{
  Source *source = arg;
  g_warning ("capture: source=%s event=reordered: the camera sends B-frames, so the record is "
             "encoded anew; switch them off in the camera's settings",
             source->config.name);
  record_unfit (source->record);
}

static void
on_failed (const char *reason, void *arg)
{
  Source *source = arg;
  g_mutex_lock (&source->lock);
  if (!source->failure) /* the first says most: what follows is its consequence */
    source->failure = g_strdup (reason);
  g_mutex_unlock (&source->lock);
  wake (source);
}

static void
on_live_frame (Frame *frame, void *arg)
{
  Source *source = arg;
  if (source->events.live_frame)
    source->events.live_frame (source, frame, source->arg);
}

static void
on_record_frame (Frame *frame, void *arg)
{
  Source *source = arg;
  if (source->events.record_frame)
    source->events.record_frame (source, frame, source->arg);
}

/* --- the worker --- */

static void
close_capture (Source *source)
{
  g_clear_pointer (&source->capture, capture_free);
  for (guint i = 0; i < N_LIVE; i++)
    if (live_at (source, i))
      outlet_reset (live_at (source, i));
  record_reset (source->record);
  g_mutex_lock (&source->lock);
  g_clear_pointer (&source->failure, g_free);
  g_mutex_unlock (&source->lock);
  g_atomic_int_set (&source->announced, FALSE);
}

static void
lose (Source *source, const char *reason, gint64 now_us)
{
  g_autofree char *text = g_strdup (reason); /* may be source->failure */
  gboolean good = source->had_data && now_us - source->begun_us >= GOOD_RUN_US;
  if (!source->had_data)
    source->attempt++;
  close_capture (source);
  if (good || !source->backoff_us)
    source->backoff_us = BACKOFF_FIRST_US;
  else
    source->backoff_us = MIN (source->backoff_us * 2, BACKOFF_LAST_US);
  /* Cameras lock an account after a few wrong passwords. */
  if (g_str_has_prefix (text, "refused:"))
    source->backoff_us = BACKOFF_LAST_US;
  source->retry_us = now_us + source->backoff_us;
  status_set (source->status, SOURCE_MISSING, text);
}

static const char *
word_of (const GError *error)
{
  if (error->domain != MEDIA_ERROR)
    return "failed";
  switch (error->code) {
  case MEDIA_ERROR_NOT_FOUND:
    return "not-found";
  case MEDIA_ERROR_REFUSED:
    return "refused";
  case MEDIA_ERROR_UNREACHABLE:
    return "unreachable";
  case MEDIA_ERROR_UNSUPPORTED:
  case MEDIA_ERROR_ADDRESS:
    return "unsupported";
  default:
    return "failed";
  }
}

static void
open_capture (Source *source, gint64 now_us)
{
  static const CaptureEvents events = { on_raw, on_encoded, on_unfit, on_failed };
  g_autoptr (GError) error = NULL;
  source->had_data = FALSE;
  source->begun_us = source->data_us = now_us;
  source->capture
      = capture_new (&source->config, &events, source, source->attempt, &source->quit, &error);
  if (!source->capture) {
    g_autofree char *reason = g_strdup_printf ("%s: %s", word_of (error), error->message);
    lose (source, reason, g_get_monotonic_time ());
    return;
  }
  g_autofree char *reason = NULL;
  if (!capture_start (source->capture, &reason))
    on_failed (reason, source);
}

static void
watch (Source *source, gint64 now_us)
{
  if (g_atomic_int_compare_and_exchange (&source->data_seen, TRUE, FALSE))
    source->data_us = now_us;
  gint64 silence_us = now_us - source->data_us;
  if (silence_us < (source->had_data ? SILENCE_US : OPENING_US))
    return;
  g_autofree char *reason = g_strdup_printf ("no-data: nothing came for %" G_GINT64_FORMAT " s",
                                             silence_us / G_USEC_PER_SEC);
  lose (source, reason, now_us);
}

static void
check_run (Source *source, gint64 now_us)
{
  if (!source->had_data && g_atomic_int_get (&source->announced)) {
    source->had_data = TRUE;
    source->data_us = now_us;
    status_set (source->status, SOURCE_RUNNING, NULL);
  }
  g_mutex_lock (&source->lock);
  g_autofree char *failure = g_strdup (source->failure);
  g_mutex_unlock (&source->lock);
  if (failure)
    lose (source, failure, now_us);
  else
    watch (source, now_us);
}

static gboolean
open_native (Source *source)
{
  static const CaptureEvents events = { on_raw, on_encoded, on_unfit, on_failed };
  g_autoptr (GError) error = NULL;
  SourceConfig config = source->config;
  config.width = config.height = NATIVE_LARGEST;
  config.frame_rate = NATIVE_RATE;
  source->capture = capture_new (&config, &events, source, 0, &source->quit, &error);
  g_autofree char *reason = NULL;
  return source->capture && capture_start (source->capture, &reason);
}

static void
end_native (Source *source, gint64 now_us)
{
  gboolean came = g_atomic_int_get (&source->native_frames) >= NATIVE_SETTLES;
  source->is_full_size = came && shots_pixels (source->shots) <= source->live_pixels;
  close_capture (source);
  g_atomic_int_set (&source->native, FALSE);
  shots_answer (source->shots, NULL); /* what was there before, if nothing came */
  open_capture (source, now_us);
}

static void
begin_native (Source *source, gint64 now_us)
{
  source->live_pixels = shots_pixels (source->shots);
  close_capture (source);
  g_atomic_int_set (&source->native_frames, 0);
  g_atomic_int_set (&source->native, TRUE);
  source->native_end_us = now_us + NATIVE_US;
  if (!open_native (source))
    end_native (source, now_us);
}

static void
work_native (Source *source, gint64 now_us)
{
  g_mutex_lock (&source->lock);
  gboolean failed = source->failure != NULL;
  g_mutex_unlock (&source->lock);
  if (g_atomic_int_get (&source->native_frames) >= NATIVE_SETTLES || failed
      || now_us >= source->native_end_us)
    end_native (source, now_us);
}

static void
take_shots (Source *source, gint64 now_us)
{
  if (!source->shots || g_atomic_int_get (&source->native) || !shots_are_asked (source->shots))
    return;
  if (!source->capture)
    shots_answer (source->shots, "the camera is not there");
  else if (!source->had_data)
    return; /* soon */
  else if (source->is_full_size || !camera_may_be_larger (&source->config))
    shots_answer (source->shots, NULL);
  else
    begin_native (source, now_us);
}

static gint64
work_outlets (Source *source, gint64 now_us)
{
  gint64 due = record_work (source->record, now_us);
  for (guint i = 0; i < N_LIVE; i++)
    if (live_at (source, i))
      due = MIN (due, outlet_work (live_at (source, i), now_us));
  return due;
}

static gboolean
work (gpointer data)
{
  Source *source = data;
  if (g_atomic_int_get (&source->quit)) {
    g_main_loop_quit (source->loop);
    return G_SOURCE_REMOVE;
  }
  g_mutex_lock (&source->lock);
  source->woken = FALSE;
  g_mutex_unlock (&source->lock);
  gint64 now_us = g_get_monotonic_time ();
  if (g_atomic_int_get (&source->native))
    work_native (source, now_us);
  else if (source->capture)
    check_run (source, now_us);
  else if (now_us >= source->retry_us)
    open_capture (source, now_us);
  take_shots (source, now_us);
  gint64 due
      = source->capture ? MIN (now_us + WATCH_US, work_outlets (source, now_us)) : source->retry_us;
  g_mutex_lock (&source->lock);
  g_source_set_ready_time (source->pulse, source->woken ? 0 : due);
  g_mutex_unlock (&source->lock);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_pulse (GSource *pulse, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static gpointer
run_worker (gpointer data)
{
  Source *source = data;
  GMainContext *context = g_main_loop_get_context (source->loop);
  g_main_context_push_thread_default (context);
  g_main_loop_run (source->loop);
  close_capture (source);
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* --- life --- */

static gboolean
start_gstreamer (GError **error)
{
  g_autoptr (GError) why = NULL;
  if (gst_init_check (NULL, NULL, &why))
    return TRUE;
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "GStreamer does not start: %s",
               why ? why->message : "no reason given");
  return FALSE;
}

static gboolean
check_config (const SourceConfig *config, GError **error)
{
  if (!config->name
      || !g_regex_match_simple ("^[a-z][a-z0-9-]{0,31}$", config->name, G_REGEX_DOLLAR_ENDONLY,
                                0)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG,
                 "a source's name is a letter a-z and then letters, digits or -, 32 at most");
    return FALSE;
  }
  if (config->width > 8192 || config->height > 8192 || config->frame_rate > 240) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG,
                 "source %s: width and height are at most 8192, the frame rate 240", config->name);
    return FALSE;
  }
  if (config->echo && config->prefer == RUNG_FAITHFUL) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG,
                 "source %s: nothing may be taken out of a stethoscope's sound", config->name);
    return FALSE;
  }
  return address_parse (config->kind, config->address, NULL, error);
}

static guint
bounded (guint wanted, guint bound)
{
  return bound ? MIN (wanted, bound) : wanted;
}

/* Of a picture, as the camera and its rung are set. */
static void
set_bounds (const SourceConfig *config, RungPrefer prefer, EncoderConfig *encoder)
{
  const Rung *rung = rung_get (prefer, encoder->codec, encoder->rung);
  encoder->max_width = bounded (config->width ? config->width : LIVE_WIDTH, rung->max_width);
  encoder->max_height = bounded (config->height ? config->height : LIVE_HEIGHT, rung->max_height);
  encoder->max_rate = bounded (config->frame_rate ? config->frame_rate : LIVE_RATE, rung->max_rate);
}

static Outlet *
new_live (Source *source, MediaCodec codec, guint number)
{
  static const OutletEvents events = { on_live_frame, wake };
  const SourceConfig *config = &source->config;
  const Rung *rung = rung_get (config->prefer, codec, number);
  EncoderConfig encoder = { .codec = codec,
                            .purpose = ENCODER_LIVE,
                            .bitrate = config->prefer == RUNG_FAITHFUL
                                           ? rung->max_bps
                                           : bounded (config->live_bitrate, rung->max_bps),
                            .frame_ms = rung->frame_ms,
                            .faithful = config->prefer == RUNG_FAITHFUL,
                            .rung = number };
  if (number > 0 && !encoder.bitrate) /* till somebody tells: not by size, it is a slow link */
    encoder.bitrate = (rung->min_bps + rung->max_bps) / 2;
  if (config->kind == MEDIA_VIDEO)
    set_bounds (config, config->prefer, &encoder);
  return outlet_new (config->name, &encoder, &events, source);
}

static void
add_live (Source *source)
{
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_JPEG; codec++)
    for (guint rung = 0; rung < rung_count (codec); rung++)
      if (media_codec_kind (codec) == source->config.kind)
        source->live[codec][rung] = new_live (source, codec, rung);
}

static MediaCodec
record_codec (const SourceConfig *config)
{
  if (config->kind == MEDIA_AUDIO)
    return config->prefer == RUNG_FAITHFUL ? MEDIA_FLAC : MEDIA_OPUS;
  return encoder_type_for (MEDIA_H264) || !encoder_type_for (MEDIA_VP8) ? MEDIA_H264 : MEDIA_VP8;
}

static void
on_status (SourceState state, const char *reason, void *arg)
{
  Source *source = arg;
  source->events.state (source, state, reason, source->arg);
}

Source *
source_new (const SourceConfig *config, const SourceEvents *events, void *arg, GError **error)
{
  if (!check_config (config, error) || !start_gstreamer (error))
    return NULL;
  Source *source = g_new0 (Source, 1);
  source->config = *config;
  source->config.name = g_strdup (config->name);
  source->config.address = g_strdup (config->address);
  source->config.user = g_strdup (config->user);
  source->config.password = g_strdup (config->password);
  source->events = *events;
  source->arg = arg;
  if (config->kind == MEDIA_VIDEO)
    source->shots = shots_new (source);
  source->status = status_new (config->name, events->state ? on_status : NULL, source);
  g_mutex_init (&source->lock);
  add_live (source);
  static const OutletEvents record_events = { on_record_frame, wake };
  source->record = record_new (config->name, record_codec (config), &record_events, source);
  return source;
}

void
source_start (Source *source)
{
  static GSourceFuncs pulse_funcs = { .dispatch = dispatch_pulse };
  if (source->worker)
    return;
  source->attempt = 0;
  g_atomic_int_set (&source->native, FALSE);
  source->retry_us = source->backoff_us = 0;
  g_atomic_int_set (&source->quit, FALSE);
  status_set (source->status, SOURCE_STARTING, NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  source->loop = g_main_loop_new (context, FALSE);
  GSource *pulse = g_source_new (&pulse_funcs, sizeof (GSource));
  g_source_set_callback (pulse, work, source, NULL);
  g_source_set_ready_time (pulse, 0);
  g_source_attach (pulse, context);
  g_mutex_lock (&source->lock);
  source->pulse = pulse;
  g_mutex_unlock (&source->lock);
  g_autofree char *name = g_strdup_printf ("src-%.11s", source->config.name);
  source->worker = g_thread_new (name, run_worker, source);
}

void
source_stop (Source *source)
{
  if (!source->worker)
    return;
  g_atomic_int_set (&source->quit, TRUE);
  wake (source);
  g_thread_join (g_steal_pointer (&source->worker));
  g_mutex_lock (&source->lock);
  GSource *pulse = g_steal_pointer (&source->pulse);
  g_mutex_unlock (&source->lock);
  status_silence (source->status);
  g_source_destroy (pulse);
  g_source_unref (pulse);
  g_clear_pointer (&source->loop, g_main_loop_unref);
}

void
source_free (Source *source)
{
  source_stop (source);
  status_free (source->status);
  for (guint i = 0; i < N_LIVE; i++)
    if (live_at (source, i))
      outlet_free (live_at (source, i));
  record_free (source->record);
  g_clear_pointer (&source->shots, shots_free);
  g_mutex_clear (&source->lock);
  g_free ((char *)source->config.name);
  g_free ((char *)source->config.address);
  g_free ((char *)source->config.user);
  g_free ((char *)source->config.password);
  g_free (source->failure);
  g_free (source);
}

const char *
source_name (Source *source)
{
  return source->config.name;
}

MediaKind
source_kind (Source *source)
{
  return source->config.kind;
}

SourceState
source_state (Source *source)
{
  return status_get (source->status);
}

static Outlet *
live_of (Source *source, MediaCodec codec, guint rung)
{
  return rung < rung_count (codec) ? source->live[codec][rung] : NULL;
}

void
source_set_recording (Source *source, gboolean on)
{
  record_set (source->record, on);
}

void
source_set_live (Source *source, MediaCodec codec, guint rung, gboolean on)
{
  Outlet *outlet = live_of (source, codec, rung);
  if (outlet)
    outlet_want (outlet, !!on);
}

void
source_set_live_bitrate (Source *source, MediaCodec codec, guint rung, guint bitrate)
{
  Outlet *outlet = live_of (source, codec, rung);
  if (outlet)
    outlet_set_bitrate (outlet, bitrate);
}

void
source_set_live_loss (Source *source, MediaCodec codec, guint rung, guint percent)
{
  Outlet *outlet = live_of (source, codec, rung);
  if (outlet)
    outlet_set_loss (outlet, percent);
}

void
source_set_prefer (Source *source, RungPrefer prefer)
{
  if (source->config.kind != MEDIA_VIDEO)
    return;
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_JPEG; codec++)
    for (guint rung = 0; rung < rung_count (codec); rung++) {
      EncoderConfig encoder = { .codec = codec, .rung = rung };
      if (!source->live[codec][rung])
        continue;
      set_bounds (&source->config, prefer, &encoder);
      outlet_set_bounds (source->live[codec][rung], &encoder);
    }
}

void
source_request_keyframe (Source *source, MediaCodec codec, guint rung)
{
  Outlet *outlet = live_of (source, codec, rung);
  if (outlet)
    outlet_request_key (outlet);
}

void
source_take (Source *source, gboolean lossless, SourceTaken done, void *arg)
{
  g_return_if_fail (source->shots);
  shots_ask (source->shots, lossless, done, arg);
  wake (source);
}

const char *
source_encoder_name (MediaCodec codec)
{
  const EncoderType *type = start_gstreamer (NULL) ? encoder_type_for (codec) : NULL;
  return type ? type->element : NULL;
}

gboolean
source_check_address (MediaKind kind, const char *address, GError **error)
{
  return address_parse (kind, address, NULL, error);
}

guint
source_record_bitrate (const char *address, guint width, guint height)
{
  if (g_ascii_strncasecmp (address, "rtsp", 4) == 0)
    return CAMERA_USUAL_BITS;
  return encoder_default_bitrate (width ? width : LIVE_WIDTH, height ? height : LIVE_HEIGHT,
                                  ENCODER_RECORD);
}
