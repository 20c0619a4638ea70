/* Inside of media/mux: what mux.c asks of the two container formats. */
#pragma once
#include "media/mux/mux.h"

/* What the header says of the one track. */
typedef struct {
  MediaCodec codec;
  guint width, height;  /* video */
  guint channels;       /* audio */
  GPtrArray *sps, *pps; /* H.264: GBytes, NAL units without start code */
} MuxTrack;

/* Times are media time, µs ≥ 0. */
typedef struct {
  Frame *frame;
  gint64 time_us, duration_us;
} MuxSample;

/* H.264 and FLAC. ISO/IEC 14496-12: ftyp + moov; moof + mdat. sequence counts fragments from 1. */
GBytes *mp4_init (const MuxTrack *track);
GBytes *mp4_fragment (const MuxSample *samples, guint n, guint32 sequence);

/* RFC 9559: EBML + Segment of unknown size + Info + Tracks; one Cluster. */
GBytes *webm_init (const MuxTrack *track);
GBytes *webm_fragment (const MuxSample *samples, guint n);
