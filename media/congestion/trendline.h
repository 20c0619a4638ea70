/* Whether the queue in the network grows: slope of the one-way delay over the last groups, compared
 * with a threshold that adapts.
 *
 * Trendline filter in the place of the Kalman filter of draft-ietf-rmcat-gcc-02 5.3; threshold and
 * over-use detector: 5.4 there, and Carlucci, De Cicco, Holmer, Mascolo, "Analysis and Design of
 * the Google Congestion Control for Web Real-time Communication", MMSys 2016, 3.4 and 3.5. Beside
 * it, since smoothing costs a quarter of a second: a delay that climbs steeply, frame by frame and
 * far above the usual change between frames, is over-use at once.
 *
 * Plain data; trendline_reset() to begin with.
 */
#pragma once
#include <glib.h>

/* STEEP: over-use beyond doubt, the capacity has fallen. */
typedef enum { LINK_NORMAL, LINK_OVER, LINK_STEEP, LINK_UNDER } LinkUse;

enum { TRENDLINE_WINDOW = 20, TRENDLINE_STEEP = 4 };

typedef struct {
  double at_ms[TRENDLINE_WINDOW], delay_ms[TRENDLINE_WINDOW];
  guint n, next; /* samples held; place of the next */
  guint seen;    /* groups since the reset */
  gint64 zero_us, zero_delay_us;
  gint64 last_sent_us, last_arrived_us;
  double smoothed_ms, slope;
  double threshold_ms;
  double least_ms[TRENDLINE_STEEP]; /* of each of the last frame intervals, the newest last */
  double interval_ms;               /* least of the interval under way */
  gint64 interval_us;               /* departure of its first group */
  guint intervals;
  double noise_ms; /* mean change from interval to interval */
  double over_ms;  /* how long it has been above the threshold */
  guint over_count;
  double last_slope;
  LinkUse use;
} Trendline;

void trendline_reset (Trendline *trend);
/* A group's first departure, arrival and delay (any zero). Returns the state of the link. */
LinkUse trendline_update (Trendline *trend, gint64 sent_us, gint64 arrived_us, gint64 delay_us);
