/* The picture of the test camera: a landscape with a ball that bounces over it, the source's name,
 * a running clock and the number of the frame, also as a barcode that survives encoding, so that
 * a frame seen anywhere can be told from every other.
 */
#pragma once
#include <glib.h>

typedef struct TestScene TestScene;

/* width: a multiple of 16 from 160, height: even from 120. Different names look different. */
TestScene *test_scene_new (const char *name, guint width, guint height, guint rate);
void test_scene_free (TestScene *scene);
/* Draws the next frame. i420: size bytes, lines without padding. Too small: nothing is drawn. */
void test_scene_draw (TestScene *scene, guint8 *i420, gsize size);

/* The barcode alone, over the lowest lines of an I420 picture of PICTURE_SIZE() bytes (picture.h).
 */
void test_scene_draw_number (guint8 *i420, guint width, guint height, guint32 number);

/* The frame's number (modulo 2^24) from the luma plane of a picture of any size that shows a whole
 * scene. FALSE when there is no intact barcode. */
gboolean test_scene_number (const guint8 *luma, guint width, guint height, guint stride,
                            guint32 *ret_number);
