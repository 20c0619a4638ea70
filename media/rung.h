/* Rungs: the few steps of size, frame rate and bits in which a source is encoded live. A rung has
 * one encoder for all its viewers, running only while there are any; which viewer gets which is
 * media/congestion/allocation.h's business. The record knows no rungs.
 *
 *   H.264  the whole picture; at most 640×480; 480×360 at 15 a second; 320×240 at 8 a second
 *   VP8    one, at most 640×480: it is the second codec, for who has no H.264
 *          RUNG_MOTION   the whole picture; 640×480 at 30; 480×360 at 30; 320×240 at 25 a second
 *          RUNG_DETAIL   the whole picture; it at 15 a second; 960×720 at 8; 640×480 at 3
 *   Opus   packets of 20 ms; of 60 ms and fewer bits, since headers cost as much as sound
 *   JPEG   stills: at most 640×480; 320×240
 *
 * The ranges of neighbours overlap: who climbs has shown on the lower rung that its link carries
 * the upper one.
 */
#pragma once
#include "media/frame.h"

enum { RUNG_MAX = 4 };

/* What is kept while bits become fewer. Every ladder of a codec has as many rungs. */
typedef enum {
  RUNG_BALANCED,
  RUNG_MOTION,   /* pictures: the frame rate, before the size (ultrasound) */
  RUNG_DETAIL,   /* pictures: the size, before the frame rate (skin, an eardrum) */
  RUNG_FAITHFUL, /* sound of which nothing is taken out (a stethoscope): 64 kbit/s in any rung */
} RungPrefer;

typedef struct {
  guint max_width, max_height; /* the picture fits in there, shape kept; 0: as the source is set */
  guint max_rate;              /* pictures a second; 0: as the source is set */
  guint min_bps;               /* of the encoder; below it the next rung looks better */
  guint max_bps;               /* more is not repaid; 0: by size */
  guint frame_ms;              /* Opus: of one packet */
  guint rung;                  /* of a step: the number of its rung */
} Rung;

/* How many rungs a codec has; rung 0 is the best. */
guint rung_count (MediaCodec codec);
/* rung < rung_count (codec). Any thread. */
const Rung *rung_get (RungPrefer prefer, MediaCodec codec, guint rung);
/* The steps for a whole picture of that size (0: not known yet) that comes `rate` times a second
 * (0: 30), best first, with their ranges, which fall with the pixels that a step has to show;
 * rung_count() of them. Where the whole picture is no larger than the next rung allows, both steps
 * are one rung. */
void rung_fit (RungPrefer prefer, MediaCodec codec, guint width, guint height, guint rate,
               Rung steps[RUNG_MAX]);
/* Pictures that have no more pixels than that in a second are encoded with three times the work: they
 * are of the rungs with few bits, and a sixth of these more is what it is worth (docs/transport.md). */
#define RUNG_THOROUGH_PIXELS 2000000
/* What an encoder of that rung takes of one core of this kind of machine, in thousandths. */
guint rung_cost (RungPrefer prefer, MediaCodec codec, guint rung, guint width, guint height);
