/* Muxers for the record: encoded frames in, self-contained fragments out.
 *
 * H.264 and FLAC go into fragmented MP4 (ISO/IEC 14496-12, -15; FLAC's own mapping), VP8 and
 * Opus into WebM (Matroska, RFC 9559): MSE takes no VP8 in MP4 and no FLAC in WebM. One track per
 * muxer. The caller stores each fragment as one record of a segment; init + any run of fragments
 * that begins at a key fragment plays in a browser's SourceBuffer.
 *
 * Sans-IO, one thread at a time. A change of parameter sets or of size ends the fragment and
 * emits a new init.
 */
#pragma once
#include "media/frame.h"

typedef struct Mux Mux;

typedef enum {
  MUX_INIT = 1 << 0, /* header (ftyp+moov, or EBML+Segment+Tracks): precedes all fragments */
  MUX_KEY = 1 << 1,  /* the fragment starts with a key frame */
} MuxFlags;

/* pts_us: capture time of the fragment's first frame (CLOCK_MONOTONIC µs); for MUX_INIT the
 * coming fragment's. */
typedef void (*MuxOut) (GBytes *fragment, MuxFlags flags, gint64 pts_us, void *arg);

/* A fragment ends at a key frame or when it holds fragment_us (500 ms is usual, 1 s at most).
 * Media time inside the file is capture_us - epoch_us, so tracks of one consultation that share
 * epoch_us line up. */
Mux *mux_new (MediaCodec codec, gint64 epoch_us, gint64 fragment_us, MuxOut out, void *arg);
void mux_push (Mux *mux, Frame *frame);
/* Ends the fragment under way. */
void mux_flush (Mux *mux);
void mux_free (Mux *mux); /* flushes first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mux, mux_free)

/* MIME type with codecs parameter for MediaSource.addSourceBuffer, known after the first
 * MUX_INIT: "video/mp4; codecs=\"avc1.42c01f\"", "video/webm; codecs=\"vp8\"",
 * "audio/webm; codecs=\"opus\"", "audio/mp4; codecs=\"flac\"". NULL before. */
const char *mux_mime_type (Mux *mux);
