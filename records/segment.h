/* Media segments: the recording of one track, sealed as it is written, in STATE/media.
 *
 *   header 4096 B, all authenticated: magic "NHIPSEG1" | version | alg | consult 16 | stream name |
 *     segment id 16 | sha256 of the previous segment | mime type | epoch_us | zero padding
 *   record: len u32 | flags u32 | seq u64 | pts u64 (all BE) | ct | tag 16, padded to 16 B
 *     nonce = seq u64 BE | 000000 | final u8;  AAD = record header | SHA-256(header)
 *
 * A new key per segment (data_key.h). A torn segment is never resumed: its valid prefix stays,
 * is marked, and the next one opens. One writer thread for all tracks; a record is
 * acknowledged after fdatasync (at most every 500 ms), so a kill costs at most 2 s.
 * docs/records.md has the layout byte by byte.
 */
#pragma once
#include "records/store.h"

typedef enum {
  SEGMENT_FINAL = 1 << 0, /* last record of a segment that was closed in good order */
  SEGMENT_INIT = 1 << 1,
  SEGMENT_KEY = 1 << 2,
} SegmentFlags;

typedef struct Track Track;

typedef struct {
  const char *stream;    /* "room", "microphone", "peer-video-7f3a"; [A-Za-z0-9-]{1,48} */
  const char *mime_type; /* for MediaSource, as mux_mime_type() gives it */
  gint64 epoch_us;       /* capture time of media time 0, CLOCK_MONOTONIC µs */
  const char *label;     /* for people: camera's or participant's name; sealed, never plain */
} TrackInfo;

/* Opens the recording key of the consultation when it is the first track. A stream that was
 * recorded before goes on with new segments. EXISTS while it is open already. */
Track *track_open (Store *store, const char *consult, const TrackInfo *info, GError **error);
/* Queues one fragment. Any thread, one at a time. The first fragment must be SEGMENT_INIT; each
 * new one begins a segment, as does a full one (64 MiB), which repeats the init.
 * Returns FALSE when the disk ran short and recording has stopped (see track_failed). */
gboolean track_append (Track *track, GBytes *fragment, SegmentFlags flags, gint64 pts_us);
/* NULL while all is well, else why nothing more is written (transfer full). */
char *track_failed (Track *track);
/* Writes what is queued, marks the segment closed. Waits. */
void track_close (Track *track);

/* ---- Reading ---------------------------------------------------------------------------- */

/* JSON of all tracks of a consultation for playback:
 * [{stream, label, mime, epoch_us, segments:[{id, state, bytes, mime, epoch_us, epoch,
 *    records:[{seq, flags, pts_us, size}]}]}]  state: open, closed, torn
 * epoch: UTC of media time 0 ("…Z"), null when nothing tells it. A track's mime and epoch_us are
 * those of its first segment. The index of a closed segment is authenticated; that of another is
 * what its records claim until they are read. Any thread. */
json_t *recording_index (Store *store, const char *consult, GError **error);
/* Whether any segment was begun, whatever became of its key; needs none. */
gboolean recording_exists (Store *store, const char *consult);
/* Plain bytes of one record (transfer full). */
GBytes *recording_read (Store *store, const char *consult, const char *segment, guint64 seq,
                        GError **error);

/* A stretch of one track. */
typedef struct {
  const char *stream;
  gint64 from_us, until_us; /* CLOCK_MONOTONIC of the media, both of the same boot */
  guint64 max_bytes;        /* more is refused */
} RecordingClip;
/* The stretch as a file that players take: the init and the fragments from the last key frame
 * before `from_us` on, as they were recorded (transfer full). ret_mime: its media type with codecs
 * (transfer full); ret_start_us: time of its first fragment. It never goes over a change of codec
 * or size: then it begins there. NOT_FOUND: nothing of it is durable. Any thread. */
GBytes *recording_clip (Store *store, const char *consult, const RecordingClip *clip,
                        char **ret_mime, gint64 *ret_start_us, GError **error);

/* Bytes of the file system that recording leaves free (64 MiB unless told): when less is left all
 * tracks end in good order and track_failed() says so. */
void recording_set_floor (Store *store, guint64 bytes);

/* ---- Space ------------------------------------------------------------------------------- */

/* Preallocated reserve (STATE/reserve), so that notes and signing always finish: the store
 * releases it by itself when the disk is full. */
gboolean reserve_ensure (const char *state_dir, guint64 bytes, GError **error);
void reserve_release (const char *state_dir);
/* Bytes of the file system that recording may still use: free minus keep; never negative. */
guint64 space_for_recording (const char *state_dir, guint64 keep);
/* Bytes a second that the newest recording of this folder takes, all its tracks together, each at
 * its most: from the files' sizes and times, so that every process sees the same. 0: nothing was
 * recorded for at least ten seconds, or the file system does not tell when a file was made. */
guint64 recording_measured_rate (const char *state_dir);
