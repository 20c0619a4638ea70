#include "media/capture/outlet.h"

#include "media/capture/key_pace.h"

#define RETRY_US (2 * G_USEC_PER_SEC)

struct Outlet {
  char *source;
  OutletEvents events;
  void *arg;
  gint wanted;  /* atomic */
  gint bitrate; /* atomic: bit/s, 0 for by size */
  gint loss;    /* atomic: per cent, of sound; -1: not told */
  GMutex lock;  /* of everything below */
  EncoderConfig config;
  Encoder *encoder;
  GstCaps *encoder_caps;
  gint encoder_loss; /* as told to this encoder, -1: not */
  gboolean encoder_failed;
  gboolean encoder_old; /* it has other bounds than are wanted now */
  gint64 retry_us;      /* no new encoder before, after one failed */
  KeyPace pace;
  GstCaps *caps;   /* of what is fed */
  GstBuffer *last; /* the latest picture */
  gint64 last_us;  /* when it came */
};

Outlet *
outlet_new (const char *source, const EncoderConfig *config, const OutletEvents *events, void *arg)
{
  Outlet *outlet = g_new0 (Outlet, 1);
  outlet->source = g_strdup (source);
  outlet->config = *config;
  outlet->bitrate = (gint)config->bitrate;
  outlet->loss = -1;
  outlet->events = *events;
  outlet->arg = arg;
  g_mutex_init (&outlet->lock);
  return outlet;
}

void
outlet_free (Outlet *outlet)
{
  outlet_reset (outlet);
  g_mutex_clear (&outlet->lock);
  g_free (outlet->source);
  g_free (outlet);
}

static gboolean
same_bounds (const EncoderConfig *a, const EncoderConfig *b)
{
  return a->max_width == b->max_width && a->max_height == b->max_height
         && a->max_rate == b->max_rate;
}

static gboolean
is_picture (const Outlet *outlet)
{
  return media_codec_kind (outlet->config.codec) == MEDIA_VIDEO;
}

static void
on_frame (Encoder *encoder, Frame *frame, void *arg)
{
  Outlet *outlet = arg;
  if (frame->key && media_codec_kind (frame->codec) == MEDIA_VIDEO) {
    g_mutex_lock (&outlet->lock);
    key_pace_out (&outlet->pace);
    g_mutex_unlock (&outlet->lock);
  }
  if (g_atomic_int_get (&outlet->wanted))
    outlet->events.frame (frame, outlet->arg);
}

static void
on_failed (Encoder *encoder, const char *reason, void *arg)
{
  Outlet *outlet = arg;
  g_warning ("capture: source=%s event=encoder-failed codec=%s reason=\"%s\"", outlet->source,
             media_codec_name (outlet->config.codec), reason);
  g_mutex_lock (&outlet->lock);
  outlet->encoder_failed = TRUE;
  g_mutex_unlock (&outlet->lock);
  outlet->events.wake (outlet->arg);
}

/* Under the lock. The latest picture once more, dated now, so that a key frame need not wait for
 * the next one: at 15 frames/s that would take 33 ms on average. */
static void
repeat_last (Outlet *outlet, gint64 now_us)
{
  if (outlet->last)
    encoder_push_again (outlet->encoder, outlet->last, MAX (now_us - outlet->last_us, 0));
}

static void
order_key (Outlet *outlet, gint64 now_us)
{
  encoder_force_key (outlet->encoder);
  repeat_last (outlet, now_us);
}

void
outlet_want (Outlet *outlet, gboolean on)
{
  if (g_atomic_int_exchange (&outlet->wanted, on) != on)
    outlet->events.wake (outlet->arg);
}

void
outlet_set_bitrate (Outlet *outlet, guint bitrate)
{
  g_atomic_int_set (&outlet->bitrate, (gint)MIN (bitrate, G_MAXINT));
}

void
outlet_set_loss (Outlet *outlet, guint percent)
{
  g_atomic_int_set (&outlet->loss, (gint)MIN (percent, 100));
}

void
outlet_set_bounds (Outlet *outlet, const EncoderConfig *bounds)
{
  g_mutex_lock (&outlet->lock);
  EncoderConfig *config = &outlet->config;
  gboolean same = same_bounds (config, bounds);
  config->max_width = bounds->max_width;
  config->max_height = bounds->max_height;
  config->max_rate = bounds->max_rate;
  outlet->encoder_old |= outlet->encoder && !same;
  g_mutex_unlock (&outlet->lock);
  if (!same)
    outlet->events.wake (outlet->arg);
}

void
outlet_request_key (Outlet *outlet)
{
  gint64 now_us = g_get_monotonic_time ();
  g_mutex_lock (&outlet->lock);
  /* Without an encoder the first frame to come is a key frame by itself. */
  gboolean running = outlet->encoder && is_picture (outlet);
  if (running && key_pace_request (&outlet->pace, now_us))
    order_key (outlet, now_us);
  gboolean later = running && outlet->pace.pending;
  g_mutex_unlock (&outlet->lock);
  if (later)
    outlet->events.wake (outlet->arg);
}

void
outlet_feed (Outlet *outlet, GstBuffer *buffer, GstCaps *caps)
{
  g_mutex_lock (&outlet->lock);
  gboolean changed = !outlet->caps || !gst_caps_is_equal (outlet->caps, caps);
  if (changed)
    gst_caps_replace (&outlet->caps, caps);
  if (is_picture (outlet)) {
    gst_buffer_replace (&outlet->last, buffer);
    outlet->last_us = g_get_monotonic_time ();
  }
  if (outlet->encoder && !changed) {
    gint bitrate = g_atomic_int_get (&outlet->bitrate);
    if (bitrate)
      encoder_set_bitrate (outlet->encoder, (guint)bitrate);
    gint loss = g_atomic_int_get (&outlet->loss);
    if (loss != outlet->encoder_loss)
      encoder_set_loss (outlet->encoder, (guint)loss);
    outlet->encoder_loss = loss;
    encoder_push (outlet->encoder, gst_buffer_ref (buffer));
  }
  g_mutex_unlock (&outlet->lock);
  if (changed)
    outlet->events.wake (outlet->arg);
}

/* Under the lock. */
static gboolean
encoder_is_right (Outlet *outlet)
{
  return g_atomic_int_get (&outlet->wanted) && !outlet->encoder_failed && !outlet->encoder_old
         && outlet->caps && gst_caps_is_equal (outlet->encoder_caps, outlet->caps);
}

static void
drop_encoder (Outlet *outlet)
{
  g_mutex_lock (&outlet->lock);
  Encoder *old = g_steal_pointer (&outlet->encoder);
  g_clear_pointer (&outlet->encoder_caps, gst_caps_unref);
  if (outlet->encoder_old) /* it showed the latest picture already */
    gst_clear_buffer (&outlet->last);
  outlet->encoder_failed = outlet->encoder_old = FALSE;
  g_mutex_unlock (&outlet->lock);
  if (old) /* its last frame may be on its way and wants the lock */
    encoder_free (old);
}

static void
start_encoder (Outlet *outlet, const EncoderConfig *config, GstCaps *caps, gint64 now_us)
{
  static const EncoderEvents events = { on_frame, on_failed };
  g_autoptr (GError) error = NULL;
  Encoder *encoder = encoder_new (config, caps, &events, outlet, &error);
  g_mutex_lock (&outlet->lock);
  outlet->retry_us = now_us + RETRY_US;
  if (encoder) {
    outlet->encoder = encoder;
    outlet->encoder_caps = gst_caps_ref (caps);
    outlet->encoder_loss = -1;
    outlet->encoder_old = !same_bounds (config, &outlet->config);
    key_pace_start (&outlet->pace, now_us);
    /* The record starts with what comes next: not with what was seen before it was wanted. */
    if (config->purpose == ENCODER_LIVE && outlet->last && gst_caps_is_equal (outlet->caps, caps))
      encoder_push (encoder, gst_buffer_ref (outlet->last));
  }
  g_mutex_unlock (&outlet->lock);
  if (error)
    g_warning ("capture: source=%s event=encoder-missing codec=%s reason=\"%s\"", outlet->source,
               media_codec_name (config->codec), error->message);
}

gint64
outlet_work (Outlet *outlet, gint64 now_us)
{
  g_mutex_lock (&outlet->lock);
  gboolean wrong = outlet->encoder && !encoder_is_right (outlet);
  gboolean failed = outlet->encoder_failed;
  g_mutex_unlock (&outlet->lock);
  if (wrong)
    drop_encoder (outlet);

  g_mutex_lock (&outlet->lock);
  if (wrong && !failed)
    outlet->retry_us = 0;
  gboolean missing = g_atomic_int_get (&outlet->wanted) && !outlet->encoder && outlet->caps;
  gboolean start = missing && now_us >= outlet->retry_us;
  EncoderConfig config = outlet->config;
  config.bitrate = (guint)g_atomic_int_get (&outlet->bitrate);
  g_autoptr (GstCaps) caps = outlet->caps ? gst_caps_ref (outlet->caps) : NULL;
  if (outlet->encoder && key_pace_tick (&outlet->pace, now_us))
    order_key (outlet, now_us);
  g_mutex_unlock (&outlet->lock);
  if (start)
    start_encoder (outlet, &config, caps, now_us);

  g_mutex_lock (&outlet->lock);
  gint64 due = G_MAXINT64;
  if (outlet->encoder)
    due = key_pace_due (&outlet->pace);
  else if (missing)
    due = outlet->retry_us;
  g_mutex_unlock (&outlet->lock);
  return due;
}

void
outlet_reset (Outlet *outlet)
{
  drop_encoder (outlet);
  g_mutex_lock (&outlet->lock);
  gst_clear_caps (&outlet->caps);
  gst_clear_buffer (&outlet->last);
  outlet->retry_us = 0;
  g_mutex_unlock (&outlet->lock);
}
