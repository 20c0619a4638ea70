/* When a live encoder makes a key frame that was asked for. Requests are merged by delaying, never
 * dropped: key frames are ordered KEY_PACE_US apart. The first request after a start is free, since
 * a viewer's transport is ready shortly after the encoder it made start. Sans-IO.
 */
#pragma once
#include <glib.h>

#define KEY_PACE_US 300000
/* One that has not come by then does not come: the encoder or the camera lost it. */
#define KEY_LOST_US 1000000

typedef struct {
  gint64 ordered_us;
  gboolean coming; /* ordered and not yet out: it serves every request until then */
  gboolean free;
  gboolean pending;
} KeyPace;

void key_pace_start (KeyPace *pace, gint64 now_us); /* an encoder starts: its first frame is key */
/* TRUE: order one now. */
gboolean key_pace_request (KeyPace *pace, gint64 now_us);
gboolean key_pace_tick (KeyPace *pace, gint64 now_us);
void key_pace_out (KeyPace *pace);         /* a key frame has left the encoder */
gint64 key_pace_due (const KeyPace *pace); /* when to tick, G_MAXINT64 for never */
