/* The recorder: encoded frames in from every source and peer, sealed tracks out.
 *
 * One thread muxes and appends, fed by a queue, so that neither the packet loop nor a capture
 * thread ever waits for a disk or a database. All functions may be called from any thread,
 * except new and free. When more than RECORDER_QUEUE_BYTES wait, frames are dropped and the
 * track goes on at its next key frame.
 */
#pragma once
#include "media/frame.h"
#include "records/store.h"

typedef struct Recorder Recorder;

#define RECORDER_QUEUE_BYTES (48u << 20)

/* A track cannot be written any more: why, in English. In the main context. */
typedef void (*RecorderFailed) (const char *stream, const char *why, void *arg);

Recorder *recorder_new (Store *store, RecorderFailed failed, void *arg);
/* Closes all tracks and waits. */
void recorder_free (Recorder *recorder);

/* Records into this consultation from now on; media time 0 is epoch_us. */
void recorder_start (Recorder *recorder, const char *consult, gint64 epoch_us);
/* Closes all tracks; what was pushed before is written. */
void recorder_stop (Recorder *recorder);
/* recorder_stop() and waits until everything is on the disk. */
void recorder_finish (Recorder *recorder);
/* Video is dropped while not allowed (disk shortage); its tracks are closed. */
void recorder_allow_video (Recorder *recorder, gboolean allowed);
/* Name of a stream for people, for tracks opened from now on. */
void recorder_name (Recorder *recorder, const char *stream, const char *label);

/* stream: [A-Za-z0-9-]{1,48}. Cheap while nothing is recorded. */
void recorder_push (Recorder *recorder, const char *stream, Frame *frame);

gboolean recorder_is_on (Recorder *recorder);
/* Tracks open now. */
guint recorder_tracks (Recorder *recorder);
