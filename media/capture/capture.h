/* One run of a device: from opening it until it dies or is closed. source.c makes a new one each
 * time it tries again.
 */
#pragma once
#include <gst/gst.h>
#include "media/capture/source.h"

typedef struct Capture Capture;

typedef struct {
  /* Pictures as I420, sound as S16 mono 48 kHz; timestamps are CLOCK_MONOTONIC in ns. Buffer and
   * caps are lent. One streaming thread. */
  void (*raw) (GstBuffer *buffer, GstCaps *caps, void *arg);
  /* The device's own H.264 in the shape of Frame, one streaming thread; frame is lent. */
  void (*encoded) (Frame *frame, void *arg);
  /* The device's own stream turned out not to fit Frame (it reorders pictures): no encoded()
   * follows. Streaming thread. */
  void (*unfit) (void *arg);
  /* The run is over; it must be freed, but not from here. Any thread; maybe more than once. */
  void (*failed) (const char *reason, void *arg);
} CaptureEvents;

/* Builds what config->address asks for. `attempt` counts the runs without data before this one:
 * what can be tried in several ways is tried in another. `quit` becomes non-zero when waiting must
 * end (atomic). Errors: any MEDIA_ERROR; nothing is running then. May take as long as opening a
 * file. */
Capture *capture_new (const SourceConfig *config, const CaptureEvents *events, void *arg,
                      guint attempt, const gint *quit, GError **error);
/* FALSE and a reason as SourceEvents.state gives it. */
gboolean capture_start (Capture *capture, char **ret_reason);
/* Waits until no event is running or will come. */
void capture_free (Capture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Capture, capture_free)

/* Between the files of this folder: a capture under construction. */
GstElement *capture_pipeline (Capture *capture);
/* Ends the chain at `last`: what leaves there goes to raw(). FALSE when it cannot be linked. */
gboolean capture_end_raw (Capture *capture, GstElement *last);
/* Ends the chain at an H.264 parser: goes to encoded() and to a decoder, then to raw(). */
gboolean capture_end_encoded (Capture *capture, GstElement *last);
/* Elements in gst-launch notation, added to the pipeline as one bin. NULL and error. */
GstElement *capture_add (Capture *capture, const char *elements, GError **error);
void capture_fail (Capture *capture, const char *reason);
/* Keeps `data` as long as the capture. */
void capture_keep (Capture *capture, gpointer data, GDestroyNotify destroy);
gboolean camera_build (Capture *capture, const SourceConfig *config, guint attempt, GError **error);
gboolean camera_build_rtsp (Capture *capture, const SourceConfig *config, guint attempt,
                            GError **error);
gboolean microphone_build (Capture *capture, const SourceConfig *config, const gint *quit,
                           GError **error);
