/* When pictures of a network camera were taken, on our clock.
 *
 * The camera counts time by its own clock, which runs a little faster or slower than ours and has
 * another beginning; the network adds a delay that changes. The least delayed pictures of the last
 * seconds show where the camera's clock is. The result follows slowly, so that the distance
 * between pictures stays the camera's. It is in the future only for the few pictures after a
 * late first one, since times must rise. Sans-IO.
 */
#pragma once
#include <glib.h>

typedef struct {
  gboolean begun;
  gint64 offset_us;                 /* ours - camera's */
  gint64 least_us, least_before_us; /* least seen in this window and in the one before */
  gint64 window_us;                 /* when this window began */
  gint64 last_now_us, last_in_us, last_out_us;
} Arrival;

/* camera_us: time of a picture by the camera; now_us: when it came (CLOCK_MONOTONIC). Returns the
 * capture time. Rises as long as camera_us does. Starts anew when the camera's clock jumps. */
gint64 arrival_capture_us (Arrival *arrival, gint64 camera_us, gint64 now_us);
