/* An outlet: an encoder that runs only while somebody wants it. It is fed all the time, keeps the
 * latest picture, and so has its first key frame out without waiting for the camera.
 */
#pragma once
#include <gst/gst.h>
#include "media/capture/encoder.h"

typedef struct Outlet Outlet;

typedef struct {
  void (*frame) (Frame *frame, void *arg); /* streaming thread of the encoder; frame is lent */
  void (*wake) (void *arg);                /* outlet_work() has something to do; any thread */
} OutletEvents;

Outlet *outlet_new (const char *source, const EncoderConfig *config, const OutletEvents *events,
                    void *arg);
void outlet_free (Outlet *outlet);

/* Any thread. */
void outlet_want (Outlet *outlet, gboolean on);
void outlet_set_bitrate (Outlet *outlet, guint bitrate);
void outlet_set_loss (Outlet *outlet, guint percent);
/* Size and rate of its pictures, of bounds; an encoder that runs with others begins anew. */
void outlet_set_bounds (Outlet *outlet, const EncoderConfig *bounds);
void outlet_request_key (Outlet *outlet);

/* Streaming thread of the source; never blocks. Both are lent. */
void outlet_feed (Outlet *outlet, GstBuffer *buffer, GstCaps *caps);

/* The source's worker: starts and stops the encoder, makes delayed key frames. Returns when to
 * call again, G_MAXINT64 for never. */
gint64 outlet_work (Outlet *outlet, gint64 now_us);
/* The source's worker: the device is gone. What is wanted stays wanted. */
void outlet_reset (Outlet *outlet);
