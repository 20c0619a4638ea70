/* The record outlet: a camera's own H.264 untouched, else a recording encoder. */
#pragma once
#include <gst/gst.h>
#include "media/capture/outlet.h"

typedef struct Record Record;

/* codec: of the recording encoder. */
Record *record_new (const char *source, MediaCodec codec, const OutletEvents *events, void *arg);
void record_free (Record *record);

void record_set (Record *record, gboolean on); /* any thread */
/* Streaming threads of the source; lent. */
void record_feed_raw (Record *record, GstBuffer *buffer, GstCaps *caps);
void record_feed_encoded (Record *record, Frame *frame);
/* The device's own stream does not fit: it is encoded anew from here on. */
void record_unfit (Record *record);
/* As outlet_work() and outlet_reset(). */
gint64 record_work (Record *record, gint64 now_us);
void record_reset (Record *record);
