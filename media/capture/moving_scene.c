#include "media/capture/moving_scene.h"

#include <math.h>
#include <string.h>
#include "media/capture/picture.h"
#include "media/capture/test_scene.h"

/* A texture is larger than what is cut out of it. */
typedef struct {
  guint8 *y;
  guint width, height;
} Texture;

struct MovingScene {
  guint width, height, rate;
  guint8 *room; /* I420 */
  Texture cloth, skin;
};

typedef struct {
  double x, y, radius_x, radius_y;
  const Texture *texture;
  guint8 u, v;
} Shape;

/* A number for each point of a lattice, the same in every run. */
static double
lattice (guint x, guint y, guint seed)
{
  guint32 h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
  h = (h ^ h >> 15) * 0x2c1b3c6du;
  h = (h ^ h >> 12) * 0x297a2d39u;
  return (double)(h ^ h >> 15) / G_MAXUINT32 - 0.5;
}

static double
noise (double x, double y, guint seed)
{
  guint ix = (guint)x, iy = (guint)y;
  double fx = x - ix, fy = y - iy;
  double top = lattice (ix, iy, seed) * (1 - fx) + lattice (ix + 1, iy, seed) * fx;
  double bottom = lattice (ix, iy + 1, seed) * (1 - fx) + lattice (ix + 1, iy + 1, seed) * fx;
  return top * (1 - fy) + bottom * fy;
}

/* Octaves of noise from coarse to fine around a level. */
static void
fill (guint8 *luma, guint width, guint height, guint seed, double level, double contrast)
{
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      double sum = 0, cell = height / 4.0;
      for (guint octave = 0; octave < 6 && cell >= 2; octave++, cell /= 2)
        sum += noise (x / cell, y / cell, seed + octave) * pow (0.7, octave);
      luma[(gsize)y * width + x] = (guint8)CLAMP (level + sum * contrast, 16, 235);
    }
}

static Texture
texture_new (guint width, guint height, guint seed, double level, double contrast)
{
  Texture texture = { g_malloc ((gsize)width * height), width, height };
  fill (texture.y, width, height, seed, level, contrast);
  return texture;
}

MovingScene *
moving_scene_new (guint width, guint height, guint rate)
{
  MovingScene *scene = g_new0 (MovingScene, 1);
  scene->width = width;
  scene->height = height;
  scene->rate = MAX (rate, 1);
  scene->room = g_malloc (PICTURE_SIZE (width, height));
  memset (scene->room, 128, PICTURE_SIZE (width, height));
  fill (scene->room, width, height, 1, 120, 110);
  scene->cloth = texture_new (width, height, 20, 150, 170);
  scene->skin = texture_new (width / 2, height / 2, 40, 180, 90);
  return scene;
}

void
moving_scene_free (MovingScene *scene)
{
  g_free (scene->room);
  g_free (scene->cloth.y);
  g_free (scene->skin.y);
  g_free (scene);
}

guint
moving_scene_index (const MovingScene *scene, gint64 unix_ms)
{
  return (guint)(unix_ms * scene->rate / 1000 % MOVING_SCENE_PERIOD);
}

/* A row of an ellipse, its texture going with it. */
static void
draw_row (Picture *picture, const Shape *shape, int y)
{
  double dy = (y - shape->y) / shape->radius_y;
  int half = (int)(shape->radius_x * sqrt (MAX (0, 1 - dy * dy)));
  int x = (int)shape->x, from = MAX (x - half, 0), to = MIN (x + half, (int)picture->width);
  const Texture *texture = shape->texture;
  int row = y - (int)shape->y + (int)texture->height / 2;
  int shift = (int)texture->width / 2 - x;
  from = MAX (from, -shift);
  to = MIN (to, (int)texture->width - shift);
  if (row < 0 || row >= (int)texture->height || from >= to)
    return;
  memcpy (picture->y + (gsize)y * picture->width + from,
          texture->y + (gsize)row * texture->width + from + shift, (gsize)(to - from));
  if (y % 2 == 0) {
    gsize at = (gsize)(y / 2) * (picture->width / 2) + (gsize)from / 2;
    memset (picture->u + at, shape->u, (gsize)(to - from) / 2);
    memset (picture->v + at, shape->v, (gsize)(to - from) / 2);
  }
}

static void
draw_shape (Picture *picture, const Shape *shape)
{
  int top = MAX ((int)(shape->y - shape->radius_y), 0);
  int bottom = MIN ((int)(shape->y + shape->radius_y), (int)picture->height);
  for (int y = top; y < bottom; y++)
    draw_row (picture, shape, y);
}

void
moving_scene_draw_index (MovingScene *scene, guint index, guint8 *i420, gsize size)
{
  if (size < PICTURE_SIZE (scene->width, scene->height))
    return;
  memcpy (i420, scene->room, PICTURE_SIZE (scene->width, scene->height));
  Picture picture = picture_of (i420, scene->width, scene->height);
  double w = scene->width, h = scene->height;
  double turn = 2 * G_PI * index / MOVING_SCENE_PERIOD;
  double x = w * (0.45 + 0.12 * sin (turn) + 0.03 * sin (3 * turn)),
         y = h * (0.5 + 0.02 * sin (4 * turn));
  const Shape shapes[] = {
    { x, y + h * 0.42, w * 0.22, h * 0.36, &scene->cloth, 140, 118 },
    { x + w * 0.01 * sin (5 * turn), y - h * 0.12, h * 0.17, h * 0.22, &scene->skin, 116, 142 },
    { x + w * 0.24 + w * 0.06 * sin (7 * turn), y + h * (0.1 + 0.14 * cos (7 * turn)), h * 0.09,
      h * 0.09, &scene->skin, 116, 142 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    draw_shape (&picture, &shapes[i]);
}

void
moving_scene_draw (MovingScene *scene, gint64 unix_ms, guint8 *i420, gsize size)
{
  moving_scene_draw_index (scene, moving_scene_index (scene, unix_ms), i420, size);
  if (size >= PICTURE_SIZE (scene->width, scene->height))
    test_scene_draw_number (i420, scene->width, scene->height, (guint32)(unix_ms & 0xffffff));
}
