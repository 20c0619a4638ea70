/* The picture that quality on a link is judged by: a room, and somebody in front of it who sways
 * and waves, all of them with a texture that costs bits. What it shows depends on the time alone,
 * and the time is in its barcode: whoever sees a frame knows when it was taken, and can draw what
 * should be seen now.
 */
#pragma once
#include <glib.h>

typedef struct MovingScene MovingScene;

/* After so many frames the picture begins again. */
enum { MOVING_SCENE_PERIOD = 150 };

/* width: a multiple of 16 from 160, height: even from 120. */
MovingScene *moving_scene_new (guint width, guint height, guint rate);
void moving_scene_free (MovingScene *scene);
/* The index of the frame that is seen at that time, ms since 1970. */
guint moving_scene_index (const MovingScene *scene, gint64 unix_ms);
/* Frame index (below the period), without a barcode. i420: size bytes, lines without padding. Too
 * small: nothing is drawn. */
void moving_scene_draw_index (MovingScene *scene, guint index, guint8 *i420, gsize size);
/* The frame of that time; its barcode (test_scene.h) is the time modulo 2^24. */
void moving_scene_draw (MovingScene *scene, gint64 unix_ms, guint8 *i420, gsize size);
