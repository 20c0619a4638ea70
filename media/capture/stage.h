/* A stage: a small GStreamer pipeline of its own, appsrc ! elements ! appsink.
 *
 * Decoders and encoders run as stages beside a source's pipeline instead of as branches of it. A
 * stage that fails, blocks or is taken away can so never stop the source, which matters because
 * one failing branch stops a whole pipeline. Stages share the clock and the base time 0 of the
 * sources: timestamps pass through unchanged.
 */
#pragma once
#include <gst/gst.h>

typedef struct Stage Stage;

typedef struct {
  /* One sample of output, valid during the call. Streaming thread of the stage. */
  void (*output) (GstSample *sample, void *arg);
  /* The stage is dead; it must be freed, but not from here. Any thread, once. */
  void (*failed) (const char *reason, void *arg);
} StageEvents;

typedef enum {
  STAGE_DROP_OLDEST, /* for live: when the stage lags, the oldest waiting buffer goes */
  STAGE_KEEP,        /* for streams that cannot miss a buffer: stage_push() refuses */
} StagePolicy;

/* Elements in gst-launch notation with one open pad at each end. The stage runs at once.
 * Errors: MEDIA_ERROR_UNSUPPORTED (an element is missing), MEDIA_ERROR_FAILED. */
Stage *stage_new (const char *elements, StagePolicy policy, guint max_buffers,
                  const StageEvents *events, void *arg, GError **error);
/* Waits until no event is running or will come. */
void stage_free (Stage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stage, stage_free)

/* Never blocks. (transfer full) buffer. FALSE: not taken, the stage is full (STAGE_KEEP) or dead.
 * Calls must not overlap. */
gboolean stage_push (Stage *stage, GstBuffer *buffer, GstCaps *caps);

/* The element with that name= in the description. (transfer none) */
GstElement *stage_element (Stage *stage, const char *name);

/* All pipelines of this folder run on the shared monotonic clock with base time 0, so that a
 * running time is CLOCK_MONOTONIC. */
void stage_share_clock (GstElement *pipeline);
/* Capture time of a buffer in µs of CLOCK_MONOTONIC; now when it has no timestamp. */
gint64 stage_capture_us (const GstSegment *segment, GstBuffer *buffer);
/* "word: text" as SourceEvents.state gives it, from an error message of an element. `unopened` is
 * the word for what cannot be opened: "unreachable" in a network, "not-found" in this machine. */
char *stage_reason (GstMessage *message, const char *unopened);
