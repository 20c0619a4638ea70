/* Drawing into an I420 picture: smooth discs, lines, boxes and letters made of strokes. For the
 * test camera only, so that it needs no drawing library. Coordinates are pixels from the top left;
 * what lies outside the picture is cut off.
 */
#pragma once
#include <glib.h>

typedef struct {
  guint8 *y, *u, *v;
  guint width, height; /* width a multiple of 16, height even; lines follow without padding */
} Picture;

typedef struct {
  guint8 y, u, v;
  double alpha;
} Ink;

#define PICTURE_SIZE(width, height) ((gsize)(width) * (height)*3 / 2)

Picture picture_of (guint8 *i420, guint width, guint height);
Ink ink (guint32 rgb, double alpha); /* 0xrrggbb, BT.601 */

/* Lines from..to shade from one colour to the other. */
void picture_shade (Picture *picture, double from, double to, guint32 top, guint32 bottom);
/* Everything below edge[x], one value per column. */
void picture_ground (Picture *picture, const double *edge, guint32 rgb);
void picture_disc (Picture *picture, double x, double y, double radius, Ink ink);
void picture_box (Picture *picture, double x, double y, double width, double height, double radius,
                  Ink ink);
void picture_line (Picture *picture, double x0, double y0, double x1, double y1, double thickness,
                   Ink ink);
/* Letters of that height, their top left at x, y: A-Z, 0-9 and ". : # -"; small ones become
 * capitals. Returns the width. */
double picture_text (Picture *picture, double x, double y, double height, const char *text,
                     Ink ink);
double picture_text_width (double height, const char *text);
