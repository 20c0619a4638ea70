#include "station/papers/sheet_private.h"

#include <fontconfig/fontconfig.h>
#include <gio/gio.h>
#include <pango/pangofc-fontmap.h>
#include <string.h>

#define FAMILY "Liberation Serif, DejaVu Serif, DejaVu Sans"

/* ---- Fonts ----------------------------------------------------------------------------------
 */

/* The fonts of two packages and no others, so that a machine's own collection changes nothing. */
static void *
make_fonts (void *unused)
{
  static const char *const files[] = { "liberation2/LiberationSerif-Regular.ttf",
                                       "liberation2/LiberationSerif-Bold.ttf",
                                       "liberation2/LiberationSerif-Italic.ttf",
                                       "liberation2/LiberationSerif-BoldItalic.ttf",
                                       "dejavu/DejaVuSerif.ttf",
                                       "dejavu/DejaVuSerif-Bold.ttf",
                                       "dejavu/DejaVuSans.ttf",
                                       "dejavu/DejaVuSans-Bold.ttf" };
  FcConfig *fonts = FcConfigCreate ();
  guint found = 0;
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename ("/usr/share/fonts/truetype", files[i], NULL);
    if (g_file_test (path, G_FILE_TEST_IS_REGULAR)
        && FcConfigAppFontAddFile (fonts, (const FcChar8 *)path))
      found++;
  }
  if (found > 0)
    return fonts;
  g_warning ("papers: neither fonts-liberation2 nor fonts-dejavu-core is installed");
  FcConfigDestroy (fonts);
  return FcConfigReference (NULL);
}

static PangoContext *
make_pango (void)
{
  static GOnce once = G_ONCE_INIT;
  g_once (&once, make_fonts, NULL);
  PangoFontMap *map = pango_cairo_font_map_new_for_font_type (CAIRO_FONT_TYPE_FT);
  pango_fc_font_map_set_config (PANGO_FC_FONT_MAP (map), once.retval);
  pango_cairo_font_map_set_resolution (PANGO_CAIRO_FONT_MAP (map), 72);
  PangoContext *context = pango_font_map_create_context (map);
  cairo_font_options_t *options = cairo_font_options_create ();
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);
  pango_context_set_language (context, pango_language_from_string ("vi"));
  pango_context_set_base_dir (context, PANGO_DIRECTION_LTR);
  pango_context_set_round_glyph_positions (context, FALSE);
  g_object_unref (map);
  return context;
}

/* ---- Pages ----------------------------------------------------------------------------------
 */

double
sheet_bottom (void)
{
  return SHEET_PAGE_HEIGHT - SHEET_BOTTOM_EDGE;
}

double
sheet_width (const Sheet *sheet)
{
  return SHEET_PAGE_WIDTH - SHEET_LEFT_EDGE - SHEET_RIGHT_EDGE;
}

static void
draw_foot (Sheet *sheet)
{
  static const SheetStyle small = { .size = 8 }, right = { .size = 8, .align = SHEET_RIGHT };
  double y = sheet_bottom () + 5, width = sheet_width (sheet);
  g_autofree char *number = g_strdup_printf ("Trang %u/%u", sheet->page, sheet->pages);
  g_autoptr (PangoLayout) foot
      = sheet_layout_lines (sheet, &small, sheet->info->footer, width - 30, 2);
  g_autoptr (PangoLayout) page = sheet_layout (sheet, &right, number, width);
  cairo_set_line_width (sheet->cairo, 0.4);
  cairo_move_to (sheet->cairo, SHEET_LEFT_EDGE * SHEET_MM, (y - 1.5) * SHEET_MM);
  cairo_rel_line_to (sheet->cairo, width * SHEET_MM, 0);
  cairo_stroke (sheet->cairo);
  sheet_show_layout (sheet, foot, SHEET_LEFT_EDGE, y);
  sheet_show_layout (sheet, page, SHEET_LEFT_EDGE, y);
}

/* At the top, so that it hides nothing. */
static void
draw_draft (Sheet *sheet)
{
  static const SheetStyle style = { .size = 9, .bold = TRUE, .align = SHEET_CENTER };
  g_autoptr (PangoLayout) layout = sheet_layout (
      sheet, &style, "BẢN NHÁP – CHƯA KÝ, KHÔNG CÓ GIÁ TRỊ THAY BIÊN BẢN", sheet_width (sheet));
  cairo_set_source_rgb (sheet->cairo, 0.7, 0, 0);
  sheet_show_layout (sheet, layout, SHEET_LEFT_EDGE, 8);
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
}

static void
begin_page (Sheet *sheet)
{
  sheet->page++;
  sheet->y = SHEET_TOP_EDGE;
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
  if (sheet->info->is_draft)
    draw_draft (sheet);
  draw_foot (sheet);
}

void
sheet_new_page (Sheet *sheet)
{
  cairo_show_page (sheet->cairo);
  begin_page (sheet);
}

void
sheet_need (Sheet *sheet, double height)
{
  if (sheet->y + height > sheet_bottom () && sheet->y > SHEET_TOP_EDGE)
    sheet_new_page (sheet);
}

void
sheet_space (Sheet *sheet, double height)
{
  if (sheet->y > SHEET_TOP_EDGE)
    sheet->y += height;
}

/* ---- The whole ------------------------------------------------------------------------------
 */

static cairo_status_t
append (void *bytes, const guchar *data, guint length)
{
  if (bytes != NULL)
    g_byte_array_append (bytes, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static void
set_metadata (cairo_surface_t *surface, const SheetInfo *info)
{
  const struct {
    cairo_pdf_metadata_t what;
    const char *text;
  } all[] = { { CAIRO_PDF_METADATA_TITLE, info->title },
              { CAIRO_PDF_METADATA_SUBJECT, info->subject },
              { CAIRO_PDF_METADATA_AUTHOR, info->author },
              { CAIRO_PDF_METADATA_KEYWORDS, info->keywords },
              { CAIRO_PDF_METADATA_CREATOR, "Nhịp Cầu" },
              { CAIRO_PDF_METADATA_CREATE_DATE, info->created },
              { CAIRO_PDF_METADATA_MOD_DATE, info->created } };
  cairo_pdf_surface_restrict_to_version (surface, CAIRO_PDF_VERSION_1_5);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].text != NULL && *all[i].text != '\0')
      cairo_pdf_surface_set_metadata (surface, all[i].what, all[i].text);
}

/* pages 0: counts them. Returns how many there were; 0 with error when cairo gave up. */
static guint
run (const SheetInfo *info, SheetDraw draw, void *arg, guint pages, GByteArray *bytes,
     GError **error)
{
  Sheet sheet = { .info = info, .pages = pages, .is_counting = pages == 0 };
  sheet.surface = cairo_pdf_surface_create_for_stream (append, bytes, SHEET_PAGE_WIDTH * SHEET_MM,
                                                       SHEET_PAGE_HEIGHT * SHEET_MM);
  set_metadata (sheet.surface, info);
  sheet.cairo = cairo_create (sheet.surface);
  sheet.pango = make_pango ();
  pango_cairo_update_context (sheet.cairo, sheet.pango);
  begin_page (&sheet);
  draw (&sheet, arg);
  cairo_show_page (sheet.cairo);
  cairo_status_t status = cairo_status (sheet.cairo);
  cairo_destroy (sheet.cairo);
  cairo_surface_finish (sheet.surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (sheet.surface);
  cairo_surface_destroy (sheet.surface);
  g_object_unref (sheet.pango);
  if (status == CAIRO_STATUS_SUCCESS)
    return sheet.page;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "PDF: %s", cairo_status_to_string (status));
  return 0;
}

GBytes *
sheet_render (const SheetInfo *info, SheetDraw draw, void *arg, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint pages = run (info, draw, arg, 0, NULL, error);
  if (pages == 0 || run (info, draw, arg, pages, bytes, error) == 0)
    return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

/* ---- Text -----------------------------------------------------------------------------------
 */

static void
set_align (PangoLayout *layout, SheetAlign align)
{
  pango_layout_set_justify (layout, align == SHEET_JUSTIFIED);
  pango_layout_set_alignment (layout, align == SHEET_CENTER  ? PANGO_ALIGN_CENTER
                                      : align == SHEET_RIGHT ? PANGO_ALIGN_RIGHT
                                                             : PANGO_ALIGN_LEFT);
}

PangoLayout *
sheet_layout (Sheet *sheet, const SheetStyle *style, const char *text, double width)
{
  PangoLayout *layout = pango_layout_new (sheet->pango);
  PangoFontDescription *font = pango_font_description_from_string (FAMILY);
  pango_font_description_set_absolute_size (font, (style->size > 0 ? style->size : SHEET_TEXT_SIZE)
                                                      * PANGO_SCALE);
  if (style->bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  if (style->italic)
    pango_font_description_set_style (font, PANGO_STYLE_ITALIC);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_auto_dir (layout, FALSE);
  pango_layout_set_width (layout, (int)(width * SHEET_MM * PANGO_SCALE));
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_line_spacing (layout, 1.1f);
  set_align (layout, style->align);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

PangoLayout *
sheet_layout_lines (Sheet *sheet, const SheetStyle *style, const char *text, double width,
                    int lines)
{
  g_autofree char *one = g_strdelimit (g_strdup (text), "\n\t", ' ');
  PangoLayout *layout = sheet_layout (sheet, style, one, width);
  pango_layout_set_height (layout, -lines);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  return layout;
}

double
sheet_layout_height (PangoLayout *layout)
{
  int width, height;
  pango_layout_get_size (layout, &width, &height);
  return height / (double)PANGO_SCALE / SHEET_MM;
}

void
sheet_show_layout (Sheet *sheet, PangoLayout *layout, double x, double y)
{
  cairo_move_to (sheet->cairo, x * SHEET_MM, y * SHEET_MM);
  pango_cairo_show_layout (sheet->cairo, layout);
}

/* Line by line, so that it goes on on the next page. */
static void
flow (Sheet *sheet, PangoLayout *layout, double x)
{
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  do {
    PangoRectangle rectangle;
    int top, bottom;
    pango_layout_iter_get_line_extents (iter, NULL, &rectangle);
    pango_layout_iter_get_line_yrange (iter, &top, &bottom);
    double height = (bottom - top) / (double)PANGO_SCALE / SHEET_MM;
    if (sheet->y + height > sheet_bottom ())
      sheet_new_page (sheet);
    double base = (pango_layout_iter_get_baseline (iter) - top) / (double)PANGO_SCALE;
    cairo_move_to (sheet->cairo, x * SHEET_MM + rectangle.x / (double)PANGO_SCALE,
                   sheet->y * SHEET_MM + base);
    pango_cairo_show_layout_line (sheet->cairo, pango_layout_iter_get_line_readonly (iter));
    sheet->y += height;
  } while (pango_layout_iter_next_line (iter));
  pango_layout_iter_free (iter);
}

void
sheet_text (Sheet *sheet, const SheetStyle *style, const char *text, gsize bold_bytes)
{
  double width = sheet_width (sheet) - style->indent;
  g_autoptr (PangoLayout) layout = sheet_layout (sheet, style, text, width);
  if (bold_bytes > 0) {
    PangoAttrList *attributes = pango_attr_list_new ();
    PangoAttribute *bold = pango_attr_weight_new (PANGO_WEIGHT_BOLD);
    bold->end_index = (guint)bold_bytes;
    pango_attr_list_insert (attributes, bold);
    pango_layout_set_attributes (layout, attributes);
    pango_attr_list_unref (attributes);
  }
  flow (sheet, layout, SHEET_LEFT_EDGE + style->indent);
  sheet_space (sheet, 0.8);
}

void
sheet_pair (Sheet *sheet, const char *label, const char *value)
{
  static const SheetStyle style = { .align = SHEET_LEFT };
  if (*value == '\0')
    return;
  g_autofree char *text = g_strconcat (label, ": ", value, NULL);
  sheet_text (sheet, &style, text, strlen (label) + 1);
}

void
sheet_heading (Sheet *sheet, const char *text)
{
  static const SheetStyle style = { .size = 12, .bold = TRUE };
  sheet_space (sheet, 2);
  sheet_need (sheet, 18);
  if (!sheet->is_counting) {
    g_autofree char *place = g_strdup_printf ("page=%u pos=[%.1f %.1f]", sheet->page,
                                              SHEET_LEFT_EDGE * SHEET_MM, sheet->y * SHEET_MM);
    cairo_pdf_surface_add_outline (sheet->surface, CAIRO_PDF_OUTLINE_ROOT, text, place, 0);
  }
  sheet_text (sheet, &style, text, 0);
}

void
sheet_section (Sheet *sheet, const char *text)
{
  static const char *const numbers[]
      = { "I",  "II",  "III",  "IV",  "V",  "VI",  "VII",  "VIII",  "IX",  "X",
          "XI", "XII", "XIII", "XIV", "XV", "XVI", "XVII", "XVIII", "XIX", "XX" };
  guint n = MIN (sheet->sections, (guint)G_N_ELEMENTS (numbers) - 1);
  sheet->sections++;
  g_autofree char *numbered = g_strdup_printf ("%s. %s", numbers[n], text);
  sheet_heading (sheet, numbered);
}

/* ---- Head ----------------------------------------------------------------------------------- */

static double
show_block (Sheet *sheet, const SheetBlock *block, double x, double width)
{
  static const SheetStyle plain = { .size = 11.5, .align = SHEET_CENTER };
  static const SheetStyle bold = { .size = 11.5, .bold = TRUE, .align = SHEET_CENTER };
  g_autoptr (PangoLayout) first
      = sheet_layout_lines (sheet, block->underline ? &bold : &plain, block->first, width, 2);
  g_autoptr (PangoLayout) second = sheet_layout_lines (sheet, &bold, block->second, width, 4);
  int line, unused;
  double y = sheet->y;
  sheet_show_layout (sheet, first, x, y);
  y += *block->first != '\0' ? sheet_layout_height (first) : 0;
  sheet_show_layout (sheet, second, x, y);
  y += sheet_layout_height (second);
  pango_layout_get_size (second, &line, &unused);
  double length = MIN (line / (double)PANGO_SCALE / SHEET_MM, width) * (block->underline ? 1 : 0.5);
  PangoRectangle ink;
  pango_layout_get_extents (second, NULL, &ink);
  length = MIN (length, ink.width / (double)PANGO_SCALE / SHEET_MM);
  cairo_set_line_width (sheet->cairo, 0.6);
  cairo_move_to (sheet->cairo, (x + (width - length) / 2) * SHEET_MM, (y + 0.8) * SHEET_MM);
  cairo_rel_line_to (sheet->cairo, length * SHEET_MM, 0);
  cairo_stroke (sheet->cairo);
  return y + 2 - sheet->y;
}

void
sheet_two_blocks (Sheet *sheet, const SheetBlock *left, const SheetBlock *right)
{
  double width = sheet_width (sheet), part = width * 0.4;
  double a = show_block (sheet, left, SHEET_LEFT_EDGE, part);
  double b = show_block (sheet, right, SHEET_LEFT_EDGE + part + 2, width - part - 2);
  sheet->y += MAX (a, b);
}
