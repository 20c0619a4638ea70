/* Pictures and QR codes on a sheet. A JPEG goes into the PDF as it is, undecoded; a PNG is drawn
 * smaller where it has more pixels than paper shows. */
#include "station/papers/sheet_private.h"

#include <math.h>
#include <qrencode.h>
#include <string.h>

#define SIDE_MAX 16384
#define PIXELS_MAX (50u * 1000 * 1000)
#define PNG_SIDE_MAX 1000 /* pixels of a column's width: 300 an inch */
#define PICTURE_HEIGHT 62.0
#define BOX_HEIGHT 30.0
#define CAPTION_HEIGHT 9.0
#define GAP 6.0

/* ---- Size ----------------------------------------------------------------------------------- */

static gboolean
png_size (const guint8 *data, gsize length, guint *ret_width, guint *ret_height)
{
  static const guint8 magic[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0, 0, 0, 13 };
  if (length < 33 || memcmp (data, magic, sizeof magic) != 0 || memcmp (data + 12, "IHDR", 4) != 0)
    return FALSE;
  *ret_width = (guint)data[16] << 24 | data[17] << 16 | data[18] << 8 | data[19];
  *ret_height = (guint)data[20] << 24 | data[21] << 16 | data[22] << 8 | data[23];
  return TRUE;
}

/* ITU-T T.81, B.1.1: markers with their lengths, up to the frame header. Arithmetic coding,
 * lossless and hierarchical frames are none that PDF knows. */
static gboolean
jpeg_size (const guint8 *data, gsize length, guint *ret_width, guint *ret_height)
{
  gsize at = 2;
  if (length < 4 || data[0] != 0xFF || data[1] != 0xD8 || data[length - 2] != 0xFF
      || data[length - 1] != 0xD9)
    return FALSE;
  while (at + 9 < length) {
    if (data[at] != 0xFF)
      return FALSE;
    guint8 marker = data[at + 1];
    guint size = (guint)data[at + 2] << 8 | data[at + 3];
    if (marker == 0xFF) {
      at++;
      continue;
    }
    if (marker == 0xDA || size < 2)
      return FALSE;
    if (marker >= 0xC0 && marker <= 0xC2) {
      *ret_height = (guint)data[at + 5] << 8 | data[at + 6];
      *ret_width = (guint)data[at + 7] << 8 | data[at + 8];
      return data[at + 4] == 8 && (data[at + 9] == 1 || data[at + 9] == 3);
    }
    at += 2 + size;
  }
  return FALSE;
}

gboolean
sheet_picture_size (const guint8 *data, gsize length, const char *mime, guint *ret_width,
                    guint *ret_height)
{
  gboolean known = g_str_equal (mime, "image/png") ? png_size (data, length, ret_width, ret_height)
                   : g_str_equal (mime, "image/jpeg")
                       ? jpeg_size (data, length, ret_width, ret_height)
                       : FALSE;
  return known && *ret_width > 0 && *ret_height > 0 && *ret_width <= SIDE_MAX
         && *ret_height <= SIDE_MAX && (guint64)*ret_width * *ret_height <= PIXELS_MAX;
}

/* ---- Surfaces ------------------------------------------------------------------------------- */

typedef struct {
  const guint8 *at, *end;
} Bytes;

static cairo_status_t
read_bytes (void *arg, guchar *data, guint length)
{
  Bytes *bytes = arg;
  if ((gsize)(bytes->end - bytes->at) < length)
    return CAIRO_STATUS_READ_ERROR;
  memcpy (data, bytes->at, length);
  bytes->at += length;
  return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *
png_surface (const guint8 *data, gsize length)
{
  Bytes bytes = { data, data + length };
  cairo_surface_t *whole = cairo_image_surface_create_from_png_stream (read_bytes, &bytes);
  if (cairo_surface_status (whole) != CAIRO_STATUS_SUCCESS)
    return whole;
  int width = cairo_image_surface_get_width (whole),
      height = cairo_image_surface_get_height (whole);
  double scale = MIN (1.0, PNG_SIDE_MAX / (double)MAX (width, height));
  if (scale >= 1)
    return whole;
  cairo_surface_t *small = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, MAX (1, (int)(width * scale)), MAX (1, (int)(height * scale)));
  cairo_t *cairo = cairo_create (small);
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_scale (cairo, scale, scale);
  cairo_set_source_surface (cairo, whole, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cairo), CAIRO_FILTER_GOOD);
  cairo_paint (cairo);
  cairo_destroy (cairo);
  cairo_surface_destroy (whole);
  return small;
}

static void
release (void *bytes)
{
  g_bytes_unref (bytes);
}

/* cairo asks an image's size of the surface and takes the pixels from the data: the surface may
 * stay empty, its memory is never touched. */
static cairo_surface_t *
jpeg_surface (GBytes *bytes, guint width, guint height)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  cairo_surface_t *surface
      = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
  cairo_surface_set_mime_data (surface, CAIRO_MIME_TYPE_JPEG, data, length, release,
                               g_bytes_ref (bytes));
  return surface;
}

/* NULL: it cannot be shown. */
static cairo_surface_t *
surface_of (const SheetPicture *picture)
{
  gsize length = 0;
  guint width = 0, height = 0;
  const guint8 *data = picture->bytes != NULL ? g_bytes_get_data (picture->bytes, &length) : NULL;
  if (data == NULL || !sheet_picture_size (data, length, picture->mime, &width, &height))
    return NULL;
  cairo_surface_t *surface = g_str_equal (picture->mime, "image/png")
                                 ? png_surface (data, length)
                                 : jpeg_surface (picture->bytes, width, height);
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS)
    return surface;
  cairo_surface_destroy (surface);
  return NULL;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

/* As high as it becomes in that width; what cannot be shown has a box. */
static double
shown_height (const SheetPicture *picture, double width)
{
  gsize length = 0;
  guint w = 0, h = 0;
  const guint8 *data = picture->bytes != NULL ? g_bytes_get_data (picture->bytes, &length) : NULL;
  if (data == NULL || !sheet_picture_size (data, length, picture->mime, &w, &h))
    return BOX_HEIGHT;
  return MIN (PICTURE_HEIGHT, width * h / w);
}

static void
draw_surface (Sheet *sheet, cairo_surface_t *surface, double x, double width)
{
  double w = cairo_image_surface_get_width (surface), h = cairo_image_surface_get_height (surface);
  double scale = MIN (width / w, PICTURE_HEIGHT / h);
  cairo_save (sheet->cairo);
  cairo_translate (sheet->cairo, (x + (width - w * scale) / 2) * SHEET_MM, sheet->y * SHEET_MM);
  cairo_scale (sheet->cairo, scale * SHEET_MM, scale * SHEET_MM);
  cairo_set_source_surface (sheet->cairo, surface, 0, 0);
  cairo_paint (sheet->cairo);
  cairo_restore (sheet->cairo);
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
}

static void
draw_missing (Sheet *sheet, double x, double width)
{
  static const SheetStyle style = { .size = 10, .italic = TRUE, .align = SHEET_CENTER };
  g_autoptr (PangoLayout) layout
      = sheet_layout (sheet, &style, "(không hiển thị được ảnh này)", width);
  cairo_set_line_width (sheet->cairo, 0.4);
  cairo_rectangle (sheet->cairo, x * SHEET_MM, sheet->y * SHEET_MM, width * SHEET_MM,
                   BOX_HEIGHT * SHEET_MM);
  cairo_stroke (sheet->cairo);
  sheet_show_layout (sheet, layout, x, sheet->y + BOX_HEIGHT / 2 - 3);
}

static void
draw_picture (Sheet *sheet, const SheetPicture *picture, double x, double width, double height)
{
  static const SheetStyle style = { .size = 9, .italic = TRUE, .align = SHEET_CENTER };
  g_autoptr (PangoLayout) caption = sheet_layout_lines (sheet, &style, picture->caption, width, 2);
  /* Sizes are known without it while pages are counted. */
  cairo_surface_t *surface = sheet->is_counting ? NULL : surface_of (picture);
  if (surface != NULL) {
    draw_surface (sheet, surface, x, width);
    cairo_surface_destroy (surface);
  } else {
    draw_missing (sheet, x, width);
  }
  sheet_show_layout (sheet, caption, x, sheet->y + height + 0.5);
}

void
sheet_pictures (Sheet *sheet, const SheetPicture *pictures, guint count)
{
  double width = (sheet_width (sheet) - GAP) / 2;
  for (guint i = 0; i < count; i += 2) {
    double height = shown_height (&pictures[i], width);
    if (i + 1 < count)
      height = MAX (height, shown_height (&pictures[i + 1], width));
    sheet_need (sheet, height + CAPTION_HEIGHT);
    draw_picture (sheet, &pictures[i], SHEET_LEFT_EDGE, width, height);
    if (i + 1 < count)
      draw_picture (sheet, &pictures[i + 1], SHEET_LEFT_EDGE + width + GAP, width, height);
    sheet->y += height + CAPTION_HEIGHT;
  }
}

/* ---- QR ------------------------------------------------------------------------------------- */

#define QR_SIDE 28.0

void
sheet_qr (Sheet *sheet, const char *text, const char *beside)
{
  sheet_qr_wide (sheet, QR_SIDE, text, beside);
}

void
sheet_qr_wide (Sheet *sheet, double side, const char *text, const char *beside)
{
  static const SheetStyle style = { .size = 9.5 };
  QRcode *code = QRcode_encodeString8bit (text, 0, QR_ECLEVEL_M);
  double x = side + 6;
  g_autoptr (PangoLayout) lines = sheet_layout (sheet, &style, beside, sheet_width (sheet) - x);
  double height = MAX (side, sheet_layout_height (lines));
  sheet_need (sheet, height);
  sheet_show_layout (sheet, lines, SHEET_LEFT_EDGE + x, sheet->y);
  for (int i = 0; code != NULL && i < code->width * code->width; i++)
    if (code->data[i] & 1) {
      double module = side / code->width * SHEET_MM;
      cairo_rectangle (sheet->cairo, SHEET_LEFT_EDGE * SHEET_MM + (i % code->width) * module,
                       sheet->y * SHEET_MM + (i / code->width) * module, module, module);
    }
  cairo_save (sheet->cairo);
  cairo_set_antialias (sheet->cairo, CAIRO_ANTIALIAS_NONE);
  cairo_fill (sheet->cairo);
  cairo_restore (sheet->cairo);
  QRcode_free (code);
  sheet->y += height + 2;
}
