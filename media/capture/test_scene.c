#include "media/capture/test_scene.h"

#include <math.h>
#include <string.h>
#include "media/capture/picture.h"

/* The barcode is the lowest 1/36 of the picture: 24 bits of number, 8 of check, most significant
 * first, white is 1. */
enum { BITS = 32, BAR_SHARE = 36 };

struct TestScene {
  guint width, height, rate;
  guint32 number, ball;
  guint8 *background;
  double *ground; /* edge of the nearest hill, per column */
};

typedef struct {
  guint32 sky_top, sky_bottom, sun, hills[3], ball, roof;
} Palette;

static const Palette palettes[] = {
  { 0x3d7ebf, 0xcfe6f5, 0xfff3c4, { 0x8fb3c9, 0x5f9277, 0x3f7350 }, 0xd9482b, 0xa8442f },
  { 0x2c4a78, 0xf3b28a, 0xffe2a0, { 0x8a7fa3, 0x5c6f86, 0x38525f }, 0xf0a531, 0x7c3b2c },
  { 0x1f6f78, 0xd8efe0, 0xfffbe0, { 0x9cc7b5, 0x63a184, 0x2f7a55 }, 0xc33a5a, 0x8a4b2a },
  { 0x1b2440, 0x5b6a99, 0xe8ecff, { 0x47547d, 0x323f63, 0x222c49 }, 0x6fd0c8, 0x51323a },
};

static void
draw_hills (TestScene *scene, Picture *picture, const Palette *palette, guint seed)
{
  double h = scene->height, w = scene->width;
  for (guint i = 0; i < G_N_ELEMENTS (palette->hills); i++) {
    double base = h * (0.46 + 0.13 * i), swing = h * (0.10 - 0.025 * i);
    for (guint x = 0; x < scene->width; x++) {
      double t = x / w * 2 * G_PI;
      scene->ground[x] = base
                         - swing
                               * (0.6 * sin (t * (1.1 + 0.4 * i) + seed + 1.7 * i)
                                  + 0.4 * sin (t * (2.3 + 0.7 * i) + seed * 2.0));
    }
    picture_ground (picture, scene->ground, palette->hills[i]);
  }
}

static void
draw_house (TestScene *scene, Picture *picture, const Palette *palette)
{
  double unit = scene->height / 36.0;
  double x = scene->width * 0.72, y = scene->ground[(guint)x] + unit * 0.6;
  picture_box (picture, x - 3 * unit, y - 3.2 * unit, 6 * unit, 3.6 * unit, 1, ink (0xf1e8d6, 1));
  for (int side = -1; side <= 1; side += 2)
    picture_line (picture, x, y - 5.2 * unit, x + side * 3.8 * unit, y - 3 * unit, unit,
                  ink (palette->roof, 1));
  picture_box (picture, x - 0.7 * unit, y - 2 * unit, 1.4 * unit, 2.4 * unit, 0, ink (0x6b4a35, 1));
  for (int side = -1; side <= 1; side += 2)
    picture_box (picture, x + side * 1.9 * unit - 0.5 * unit, y - 2.2 * unit, unit, unit, 0,
                 ink (0xffd87a, 1));
}

static void
draw_background (TestScene *scene, const char *name)
{
  guint seed = 0;
  for (const char *at = name; *at; at++)
    seed += (guchar)*at;
  const Palette *palette = &palettes[seed % G_N_ELEMENTS (palettes)];
  scene->ball = palette->ball;
  Picture picture = picture_of (scene->background, scene->width, scene->height);
  double h = scene->height, w = scene->width;
  picture_shade (&picture, 0, h, palette->sky_top, palette->sky_bottom);
  double sun_x = w * (0.55 + 0.05 * (seed % 7)), sun_y = h * 0.24;
  for (int ring = 4; ring >= 0; ring--)
    picture_disc (&picture, sun_x, sun_y, h * (0.07 + 0.035 * ring),
                  ink (palette->sun, ring ? 0.12 : 1));
  draw_hills (scene, &picture, palette, seed);
  draw_house (scene, &picture, palette);

  double size = h / 11;
  picture_box (&picture, h / 24, h / 24, picture_text_width (size, name) + size, size * 1.8,
               size * 0.35, ink (0x0b1a26, 0.62));
  picture_text (&picture, h / 24 + size / 2, h / 24 + size * 0.4, size, name, ink (0xffffff, 1));
}

TestScene *
test_scene_new (const char *name, guint width, guint height, guint rate)
{
  TestScene *scene = g_new0 (TestScene, 1);
  scene->width = width;
  scene->height = height;
  scene->rate = MAX (rate, 1);
  scene->background = g_malloc (PICTURE_SIZE (width, height));
  scene->ground = g_new (double, width);
  draw_background (scene, name);
  return scene;
}

void
test_scene_free (TestScene *scene)
{
  g_free (scene->background);
  g_free (scene->ground);
  g_free (scene);
}

static void
draw_ball (TestScene *scene, Picture *picture)
{
  double seconds = (double)scene->number / scene->rate, h = scene->height;
  double radius = h / 22, across = fmod (seconds / 9, 2);
  double x = radius * 2 + (across < 1 ? across : 2 - across) * (scene->width - radius * 4);
  double floor_y = scene->ground[(guint)x];
  double hop = fabs (sin (seconds * 2.2));
  double y = floor_y - radius - hop * h * 0.22;
  picture_box (picture, x - radius * 1.1, floor_y - radius * 0.2, radius * 2.2, radius * 0.4,
               radius * 0.2, ink (0x000000, 0.30 - 0.2 * hop));
  picture_disc (picture, x, y, radius, ink (scene->ball, 1));
  picture_disc (picture, x - radius * 0.3, y - radius * 0.35, radius * 0.3, ink (0xffffff, 0.55));
}

static void
draw_clouds (TestScene *scene, Picture *picture)
{
  double seconds = (double)scene->number / scene->rate, h = scene->height, w = scene->width;
  static const double clouds[][3] = { { 0.05, 0.36, 1.0 }, { 0.62, 0.14, 0.8 } };
  for (guint i = 0; i < G_N_ELEMENTS (clouds); i++) {
    double r = h / 18 * clouds[i][2], y = h * clouds[i][1];
    double x = fmod (clouds[i][0] * w + seconds * h / 45, w + 6 * r) - 3 * r;
    Ink white = ink (0xe9eef4, 1);
    picture_box (picture, x - 2.6 * r, y, 5.2 * r, r, r / 2, white);
    picture_disc (picture, x - 0.7 * r, y + 0.1 * r, 0.9 * r, white);
    picture_disc (picture, x + 0.6 * r, y + 0.3 * r, 0.7 * r, white);
  }
}

static void
draw_clock (TestScene *scene, Picture *picture)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *seconds = g_date_time_format (now, "%H:%M:%S");
  g_autofree char *clock
      = g_strdup_printf ("%s.%d", seconds, g_date_time_get_microsecond (now) / 100000);
  g_autofree char *count = g_strdup_printf ("#%06u", scene->number % 1000000);
  double h = scene->height, size = h / 13, margin = h / 24;
  double y = h - h / BAR_SHARE - margin - size * 1.7;
  double clock_width = picture_text_width (size, clock) + size;
  double count_width = picture_text_width (size, count) + size;
  Ink plate = ink (0x0b1a26, 0.62), white = ink (0xffffff, 1);
  picture_box (picture, margin, y, clock_width, size * 1.7, size * 0.3, plate);
  picture_text (picture, margin + size / 2, y + size * 0.35, size, clock, white);
  double x = scene->width - margin - count_width;
  picture_box (picture, x, y, count_width, size * 1.7, size * 0.3, plate);
  picture_text (picture, x + size / 2, y + size * 0.35, size, count, ink (0xffd87a, 1));
}

static guint32
with_check (guint32 number)
{
  number &= 0xffffff;
  guint32 check = (number * 0x9e3779b1u) >> 24; /* spreads every bit over the check */
  return number << 8 | check;
}

void
test_scene_draw_number (guint8 *i420, guint width, guint height, guint32 number)
{
  Picture picture = picture_of (i420, width, height);
  guint32 code = with_check (number);
  guint top = (height - height / BAR_SHARE) & ~1u;
  for (guint y = top; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint bit = x * BITS / width;
      picture.y[(gsize)y * width + x] = code >> (BITS - 1 - bit) & 1 ? 220 : 30;
    }
  gsize from = (gsize)top / 2 * (width / 2);
  gsize count = (gsize)(height - top) / 2 * (width / 2);
  memset (picture.u + from, 128, count);
  memset (picture.v + from, 128, count);
}

void
test_scene_draw (TestScene *scene, guint8 *i420, gsize size)
{
  gsize needed = PICTURE_SIZE (scene->width, scene->height);
  if (size < needed)
    return;
  memcpy (i420, scene->background, needed);
  Picture picture = picture_of (i420, scene->width, scene->height);
  draw_clouds (scene, &picture);
  draw_ball (scene, &picture);
  draw_clock (scene, &picture);
  test_scene_draw_number (i420, scene->width, scene->height, scene->number);
  scene->number++;
}

gboolean
test_scene_number (const guint8 *luma, guint width, guint height, guint stride, guint32 *ret_number)
{
  if (width < BITS || height < BAR_SHARE)
    return FALSE;
  guint row = height - height / BAR_SHARE / 2 - 1;
  guint32 code = 0;
  for (guint bit = 0; bit < BITS; bit++) {
    guint x = (2 * bit + 1) * width / (2 * BITS);
    code = code << 1 | (luma[(gsize)row * stride + x] > 125);
  }
  if (with_check (code >> 8) != code)
    return FALSE;
  *ret_number = code >> 8;
  return TRUE;
}
