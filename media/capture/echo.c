#include "media/capture/echo.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include "media/capture/echo_delay.h"
#include "media/capture/timeline.h"
#include "media/error.h"

enum {
  KEPT = 1 << 17,    /* samples of what was played, 2.7 s */
  LEAD_US = 20000,   /* the reference runs ahead by this, so that it is never behind the echo */
  QUIET_BLOCKS = 50, /* so long after the last sound played the canceller rests */
  BESIDE
  = ECHO_RATE * 12 / 1000,     /* where in the canceller's filter the echo's strongest way lies */
  MOVE = ECHO_RATE * 6 / 1000, /* it may be off by so much */
  CORRECT_US = 5000,           /* a reference that is off by more jumps, by less it glides */
};
/* How fast it glides: samples a sample. */
static const double GLIDE = 0.0005;

struct Echo {
  GstElement *dsp, *probe;
  GstPad *near_pad, *far_pad, *out_pad, *played_pad;
  GstBuffer *out; /* what the canceller made of the last block */
  Timeline captured;
  double at;      /* number of the played sample that lies beside the next block */
  gboolean begun; /* `at` is valid */
  guint quiet;    /* blocks without anything played */
  EchoDelay *delay;
  gint shift;         /* samples by which the canceller's reference is held back */
  gint16 *references; /* a ring of them, sample i at i % KEPT */
  gint64 n_references;
  GArray *rest; /* gint16: of echo_filter(), less than a block */

  GMutex lock; /* of these */
  Timeline played;
  gint16 *kept; /* sample i at i % KEPT */
};

static GstFlowReturn
on_cleaned (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Echo *echo = g_object_get_data (G_OBJECT (pad), "echo");
  gst_buffer_replace (&echo->out, buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_probed (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

/* A pad of ours at an element's: no pipeline, no thread, each push is done when it returns. */
static GstPad *
join (Echo *echo, GstElement *element, const char *name, GstPadChainFunction chain)
{
  g_autoptr (GstPad) theirs = gst_element_get_static_pad (element, name);
  GstPad *ours = gst_object_ref_sink (gst_pad_new (NULL, chain ? GST_PAD_SINK : GST_PAD_SRC));
  g_object_set_data (G_OBJECT (ours), "echo", echo);
  if (chain) {
    gst_pad_set_chain_function (ours, chain);
    gst_pad_set_event_function (ours, take_event);
    gst_pad_link (theirs, ours);
  } else {
    gst_pad_link (ours, theirs);
  }
  gst_pad_set_active (ours, TRUE);
  return ours;
}

static void
begin_stream (GstPad *pad, const char *id)
{
  g_autoptr (GstCaps) caps = gst_caps_new_simple (
      "audio/x-raw", "format", G_TYPE_STRING, "S16LE", "rate", G_TYPE_INT, ECHO_RATE, "channels",
      G_TYPE_INT, 1, "layout", G_TYPE_STRING, "interleaved", NULL);
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start (id));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static GstElement *
make (const char *factory, const char *name, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, name);
  if (element)
    return gst_object_ref_sink (element);
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
               "there is no %s: install gstreamer1.0-plugins-bad, or take the loudspeaker out of "
               "the configuration",
               factory);
  return NULL;
}

static void
let_go (GstElement **element, GstPad **pad, GstPad **other)
{
  if (*element)
    gst_element_set_state (*element, GST_STATE_NULL);
  g_clear_object (pad);
  g_clear_object (other);
  g_clear_object (element);
}

void
echo_free (Echo *echo)
{
  let_go (&echo->dsp, &echo->near_pad, &echo->out_pad);
  let_go (&echo->probe, &echo->far_pad, &echo->played_pad);
  gst_clear_buffer (&echo->out);
  g_mutex_clear (&echo->lock);
  g_free (echo->kept);
  g_free (echo->references);
  echo_delay_free (echo->delay);
  g_array_unref (echo->rest);
  g_free (echo);
}

Echo *
echo_new (GError **error)
{
  static gint serial;
  g_autoptr (Echo) echo = g_new0 (Echo, 1);
  g_autofree char *name = g_strdup_printf ("echo-%d", g_atomic_int_add (&serial, 1));
  g_mutex_init (&echo->lock);
  echo->kept = g_new0 (gint16, KEPT);
  echo->references = g_new0 (gint16, KEPT);
  echo->delay = echo_delay_new ();
  echo->rest = g_array_new (FALSE, FALSE, sizeof (gint16));
  timeline_init (&echo->played, ECHO_RATE);
  timeline_init (&echo->captured, ECHO_RATE);
  echo->probe = make ("webrtcechoprobe", name, error);
  echo->dsp = echo->probe ? make ("webrtcdsp", NULL, error) : NULL;
  if (!echo->dsp)
    return NULL;
  gst_util_set_object_arg (G_OBJECT (echo->dsp), "echo-suppression-level", "low");
  g_object_set (echo->dsp, "probe", name, "echo-cancel", TRUE, "delay-agnostic", TRUE,
                "extended-filter", TRUE, "gain-control", FALSE, "noise-suppression", FALSE,
                "high-pass-filter", TRUE, NULL);
  echo->far_pad = join (echo, echo->probe, "sink", NULL);
  echo->played_pad = join (echo, echo->probe, "src", on_probed);
  echo->near_pad = join (echo, echo->dsp, "sink", NULL);
  echo->out_pad = join (echo, echo->dsp, "src", on_cleaned);
  gst_element_set_state (echo->probe, GST_STATE_PLAYING);
  gst_element_set_state (echo->dsp, GST_STATE_PLAYING);
  begin_stream (echo->far_pad, "far");
  begin_stream (echo->near_pad, "near");
  /* Without a latency the probe gives nothing. */
  gst_pad_push_event (echo->played_pad, gst_event_new_latency (0));
  return g_steal_pointer (&echo);
}

void
echo_played (Echo *echo, const gint16 *samples, guint n, gint64 heard_us)
{
  g_mutex_lock (&echo->lock);
  gint64 first = echo->played.samples;
  timeline_add (&echo->played, n, heard_us);
  for (guint i = 0; i < n; i++)
    echo->kept[(first + i) % KEPT] = samples[i];
  g_mutex_unlock (&echo->lock);
}

static GstBuffer *
block (const gint16 *samples)
{
  GstBuffer *buffer = gst_buffer_new_memdup (samples, ECHO_BLOCK * sizeof *samples);
  GST_BUFFER_PTS (buffer) = 0; /* the canceller goes by order alone */
  return buffer;
}

/* Under the lock. Sample between samples, by cubic interpolation (Catmull and Rom). */
static double
sample_at (const Echo *echo, double position)
{
  gint64 i = (gint64)floor (position);
  if (i < MAX (echo->played.begun, echo->played.samples - KEPT) + 1
      || i + 2 >= echo->played.samples)
    return 0;
  double a = echo->kept[(i - 1) % KEPT], b = echo->kept[i % KEPT], c = echo->kept[(i + 1) % KEPT],
         d = echo->kept[(i + 2) % KEPT], f = position - (double)i;
  return b + f / 2 * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}

/* The played samples that lie beside the next captured block. FALSE: nothing is played. */
static gboolean
reference (Echo *echo, gint16 *out)
{
  double from_us = echo->captured.at_us - ECHO_BLOCK * echo->captured.period_us + LEAD_US;
  g_mutex_lock (&echo->lock);
  double due = timeline_sample (&echo->played, from_us);
  double step = echo->captured.period_us / echo->played.period_us;
  gboolean playing = echo->played.started && due < (double)echo->played.samples;
  double off = due - echo->at;
  if (!echo->begun || fabs (off) > (double)CORRECT_US * ECHO_RATE / G_USEC_PER_SEC)
    echo->at = due;
  else
    step += CLAMP (off / (4 * ECHO_RATE), -GLIDE, GLIDE);
  echo->begun = playing;
  for (guint i = 0; i < ECHO_BLOCK; i++)
    out[i] = (gint16)CLAMP (lrint (sample_at (echo, echo->at + i * step)), G_MININT16, G_MAXINT16);
  echo->at += ECHO_BLOCK * step;
  g_mutex_unlock (&echo->lock);
  return playing;
}

/* Holds the reference back so that the echo lies where the canceller looks for it. */
static void
hold_back (Echo *echo, gint16 *far, const gint16 *near)
{
  gint found = echo_delay_look (echo->delay, far, near);
  gint wanted = MAX (found - BESIDE, 0);
  if (found != ECHO_DELAY_UNKNOWN && ABS (wanted - echo->shift) > MOVE) {
    g_info ("capture: event=echo-delay ms=%d", found * 1000 / ECHO_RATE);
    echo->shift = wanted;
  }
  for (guint i = 0; i < ECHO_BLOCK; i++)
    echo->references[echo->n_references++ % KEPT] = far[i];
  for (guint i = 0; i < ECHO_BLOCK; i++) {
    gint64 from = echo->n_references - ECHO_BLOCK + i - echo->shift;
    far[i] = from < 0 ? 0 : echo->references[from % KEPT];
  }
}

void
echo_clean (Echo *echo, gint16 *samples, gint64 captured_us)
{
  gint16 far[ECHO_BLOCK];
  timeline_add (&echo->captured, ECHO_BLOCK, captured_us);
  echo->quiet = reference (echo, far) ? 0 : MIN (echo->quiet + 1, QUIET_BLOCKS);
  if (echo->quiet == QUIET_BLOCKS)
    return;
  hold_back (echo, far, samples);
  gst_pad_push (echo->far_pad, block (far));
  gst_pad_push (echo->near_pad, block (samples));
  GstMapInfo map;
  if (!echo->out || !gst_buffer_map (echo->out, &map, GST_MAP_READ))
    return;
  if (map.size == ECHO_BLOCK * sizeof *samples)
    memcpy (samples, map.data, map.size);
  gst_buffer_unmap (echo->out, &map);
  gst_clear_buffer (&echo->out);
}

GstBuffer *
echo_filter (Echo *echo, GstBuffer *buffer)
{
  GstMapInfo map;
  if (!GST_BUFFER_PTS_IS_VALID (buffer) || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return gst_buffer_ref (buffer);
  gint64 first_us = (gint64)(GST_BUFFER_PTS (buffer) / GST_USECOND)
                    - (gint64)echo->rest->len * G_USEC_PER_SEC / ECHO_RATE;
  g_array_append_vals (echo->rest, map.data, (guint)(map.size / sizeof (gint16)));
  gst_buffer_unmap (buffer, &map);
  guint n = echo->rest->len / ECHO_BLOCK * ECHO_BLOCK;
  if (n == 0)
    return NULL;
  gint16 *samples = (gint16 *)echo->rest->data;
  for (guint at = 0; at < n; at += ECHO_BLOCK)
    echo_clean (echo, samples + at, first_us + (gint64)at * G_USEC_PER_SEC / ECHO_RATE);
  GstBuffer *out = gst_buffer_new_memdup (samples, n * sizeof *samples);
  GST_BUFFER_PTS (out) = (GstClockTime)MAX (first_us, 0) * GST_USECOND;
  GST_BUFFER_DURATION (out) = gst_util_uint64_scale (n, GST_SECOND, ECHO_RATE);
  g_array_remove_range (echo->rest, 0, n);
  return out;
}
