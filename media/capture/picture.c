#include "media/capture/picture.h"

#include <math.h>
#include <string.h>

/* A shape is the set of points whose distance to a box (maybe without extent, maybe turned) is at
 * most `radius`. That covers discs, rounded boxes and lines with round ends. */
typedef struct {
  double x, y;       /* centre of the box */
  double ux, uy;     /* direction of its first axis, length 1 */
  double half, wide; /* extents along and across */
  double radius;
} Shape;

Picture
picture_of (guint8 *i420, guint width, guint height)
{
  gsize luma = (gsize)width * height;
  return (Picture){ i420, i420 + luma, i420 + luma + luma / 4, width, height };
}

Ink
ink (guint32 rgb, double alpha)
{
  double r = (rgb >> 16 & 255) / 255.0, g = (rgb >> 8 & 255) / 255.0, b = (rgb & 255) / 255.0;
  double luma = 0.299 * r + 0.587 * g + 0.114 * b;
  return (Ink){ (guint8)lrint (16 + 219 * luma),
                (guint8)lrint (128 + 224 * 0.5 * (b - luma) / (1 - 0.114)),
                (guint8)lrint (128 + 224 * 0.5 * (r - luma) / (1 - 0.299)), alpha };
}

static double
distance (const Shape *s, double x, double y)
{
  double dx = x - s->x, dy = y - s->y;
  double along = fabs (dx * s->ux + dy * s->uy) - s->half;
  double across = fabs (dy * s->ux - dx * s->uy) - s->wide;
  if (along <= 0 && across <= 0)
    return MAX (along, across) - s->radius;
  along = MAX (along, 0);
  across = MAX (across, 0);
  return sqrt (along * along + across * across) - s->radius;
}

static void
blend (guint8 *out, guint8 colour, double cover)
{
  if (cover > 0)
    *out = (guint8)(*out + (colour - *out) * MIN (cover, 1) + 0.5);
}

/* One plane; `step` pixels of the picture lie under one of its samples. */
static void
fill_plane (guint8 *plane, guint width, guint height, guint step, const Shape *s, guint8 colour,
            double alpha)
{
  double rx = fabs (s->ux) * s->half + fabs (s->uy) * s->wide + s->radius + step;
  double ry = fabs (s->uy) * s->half + fabs (s->ux) * s->wide + s->radius + step;
  int left = MAX ((int)floor ((s->x - rx) / step), 0);
  int right = MIN ((int)ceil ((s->x + rx) / step), (int)width);
  int top = MAX ((int)floor ((s->y - ry) / step), 0);
  int bottom = MIN ((int)ceil ((s->y + ry) / step), (int)height);
  for (int y = top; y < bottom; y++)
    for (int x = left; x < right; x++) {
      double cover = 0.5 - distance (s, (x + 0.5) * step, (y + 0.5) * step) / step;
      blend (&plane[(gsize)y * width + x], colour, MIN (cover, 1) * alpha);
    }
}

static void
fill (Picture *p, const Shape *s, Ink colour)
{
  fill_plane (p->y, p->width, p->height, 1, s, colour.y, colour.alpha);
  fill_plane (p->u, p->width / 2, p->height / 2, 2, s, colour.u, colour.alpha);
  fill_plane (p->v, p->width / 2, p->height / 2, 2, s, colour.v, colour.alpha);
}

void
picture_disc (Picture *picture, double x, double y, double radius, Ink colour)
{
  Shape shape = { x, y, 1, 0, 0, 0, radius };
  fill (picture, &shape, colour);
}

void
picture_box (Picture *picture, double x, double y, double width, double height, double radius,
             Ink colour)
{
  Shape shape
      = { x + width / 2, y + height / 2, 1, 0, width / 2 - radius, height / 2 - radius, radius };
  fill (picture, &shape, colour);
}

void
picture_line (Picture *picture, double x0, double y0, double x1, double y1, double thickness,
              Ink colour)
{
  double length = hypot (x1 - x0, y1 - y0);
  double ux = length > 0 ? (x1 - x0) / length : 1, uy = length > 0 ? (y1 - y0) / length : 0;
  Shape shape = { (x0 + x1) / 2, (y0 + y1) / 2, ux, uy, length / 2, 0, thickness / 2 };
  fill (picture, &shape, colour);
}

static void
fill_row (Picture *p, guint row, Ink colour)
{
  memset (p->y + (gsize)row * p->width, colour.y, p->width);
  if (row % 2)
    return;
  memset (p->u + (gsize)row / 2 * (p->width / 2), colour.u, p->width / 2);
  memset (p->v + (gsize)row / 2 * (p->width / 2), colour.v, p->width / 2);
}

static guint32
mix (guint32 a, guint32 b, double share)
{
  guint32 out = 0;
  for (int shift = 0; shift <= 16; shift += 8) {
    double from = a >> shift & 255, to = b >> shift & 255;
    out |= (guint32)lrint (from + (to - from) * share) << shift;
  }
  return out;
}

void
picture_shade (Picture *picture, double from, double to, guint32 top, guint32 bottom)
{
  for (int row = MAX ((int)from, 0); row < MIN (to, (double)picture->height); row++)
    fill_row (picture, (guint)row, ink (mix (top, bottom, (row - from) / (to - from)), 1));
}

void
picture_ground (Picture *picture, const double *edge, guint32 rgb)
{
  Ink colour = ink (rgb, 1);
  for (guint x = 0; x < picture->width; x++)
    for (guint y = (guint)MAX (edge[x] - 1, 0); y < picture->height; y++) {
      double cover = CLAMP (y + 1 - edge[x], 0, 1);
      blend (&picture->y[(gsize)y * picture->width + x], colour.y, cover);
      if (x % 2 == 0 && y % 2 == 0) {
        gsize at = (gsize)y / 2 * (picture->width / 2) + x / 2;
        blend (&picture->u[at], colour.u, cover);
        blend (&picture->v[at], colour.v, cover);
      }
    }
}

/* Letters as strokes on a grid 4 wide and 6 high: pairs of digits x y, | lifts the pen. */
static const char *const letters[] = {
  "062046|1434",               /* A */
  "06003041423303|3344453606", /* B */
  "4130100105163645",          /* C */
  "00204244260600",            /* D */
  "40000646|0333",             /* E */
  "400006|0333",               /* F */
  "41301001051636454323",      /* G */
  "0006|4046|0343",            /* H */
  "2026|1030|1636",            /* I */
  "4045361605",                /* J */
  "0006|400346",               /* K */
  "000646",                    /* L */
  "0600234046",                /* M */
  "06004640",                  /* N */
  "103041453616050110",        /* O */
  "06003041423303",            /* P */
  "103041453616050110|3446",   /* Q */
  "06003041423303|2346",       /* R */
  "413010010213334445361605",  /* S */
  "0040|2026",                 /* T */
  "000516364540",              /* U */
  "002640",                    /* V */
  "0016233640",                /* W */
  "0046|4006",                 /* X */
  "002340|2326",               /* Y */
  "00400646",                  /* Z */
};

static const char *const digits[] = {
  "103041453616050110",          "112026|1636", "01103041420646",
  "01103041423313|334445361605", "36300444",    "400002324345361605",
  "4130100105163645443303",      "004016",      "103041423313020110|1304051636454433",
  "4313020110304145361605",
};

static const char *
strokes (char c)
{
  c = g_ascii_toupper (c);
  if (g_ascii_isupper (c))
    return letters[c - 'A'];
  if (g_ascii_isdigit (c))
    return digits[c - '0'];
  switch (c) {
  case ':':
    return "2222|2525";
  case '.':
    return "2626";
  case '#':
    return "1016|3036|0242|0444";
  case '-':
    return "1333";
  default:
    return "";
  }
}

static void
draw_letter (Picture *picture, double x, double y, double unit, const char *path, Ink colour)
{
  double thickness = unit * 0.95;
  for (const char *at = path; at[0] && at[1]; at += 2) {
    if (*at == '|') {
      at--; /* the pen is lifted: the next pair begins after one character */
      continue;
    }
    gboolean ends = !at[2] || at[2] == '|';
    gboolean alone = at == path || at[-1] == '|';
    if (ends && !alone)
      continue;
    const char *to = ends ? at : at + 2;
    picture_line (picture, x + (at[0] - '0') * unit, y + (at[1] - '0') * unit,
                  x + (to[0] - '0') * unit, y + (to[1] - '0') * unit, thickness, colour);
  }
}

static double
advance (double unit, char c)
{
  return unit * (c == ':' || c == '.' ? 4.4 : 6);
}

double
picture_text_width (double height, const char *text)
{
  double width = 0;
  for (; *text; text++)
    width += advance (height / 7, *text);
  return width;
}

double
picture_text (Picture *picture, double x, double y, double height, const char *text, Ink colour)
{
  double unit = height / 7, at = x;
  for (; *text; text++) {
    double shift = *text == ':' || *text == '.' ? -0.8 * unit : 0;
    draw_letter (picture, at + unit / 2 + shift, y + unit / 2, unit, strokes (*text), colour);
    at += advance (unit, *text);
  }
  return at - x;
}
