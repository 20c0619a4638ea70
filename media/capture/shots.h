/* Pictures taken one by one of what a source captures: the latest raw picture, encoded at its whole
 * size in a thread of its own, so that neither live pictures nor the record wait for it.
 */
#pragma once
#include <gst/gst.h>
#include "media/capture/source.h"

typedef struct Shots Shots;

/* Answers come in the GMainContext that is the thread default now. */
Shots *shots_new (Source *source);
/* No answer comes afterwards, given that this is the answers' thread. */
void shots_free (Shots *shots);

/* Streaming thread of the source; lent. */
void shots_feed (Shots *shots, GstBuffer *buffer, GstCaps *caps);
/* Any thread. */
void shots_ask (Shots *shots, gboolean lossless, SourceTaken done, void *arg);
gboolean shots_are_asked (Shots *shots);
/* Pixels of the latest picture; 0: none has come. */
guint64 shots_pixels (Shots *shots);
/* The source's worker: answers all that was asked with the latest picture, or refuses with this
 * reason (NULL: none). */
void shots_answer (Shots *shots, const char *reason);

/* The picture as JPEG (ITU-T T.81), or without loss as PNG. Blocks for as long as it takes; errors:
 * MEDIA_ERROR_UNSUPPORTED, MEDIA_ERROR_FAILED. */
GBytes *shots_encode (GstBuffer *buffer, GstCaps *caps, gboolean lossless, GError **error);
