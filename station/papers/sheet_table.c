/* Tables, and boxes to sign in. */
#include "station/papers/sheet_private.h"

#include <string.h>

#define PAD 1.2
/* Letters of a cell: a row is never taller than a page. */
#define CELL_MAX 600

static const SheetStyle cell_style = { .size = 10 };
static const SheetStyle head_style = { .size = 10, .bold = TRUE };

/* The first letters of a text, and a sign where it was longer (transfer full). */
static char *
shortened (const char *text)
{
  if (g_utf8_strlen (text, -1) <= CELL_MAX)
    return g_strdup (text);
  g_autofree char *begin = g_utf8_substring (text, 0, CELL_MAX);
  return g_strconcat (begin, "…", NULL);
}

typedef struct {
  PangoLayout *layouts[SHEET_COLUMNS_MAX];
  double height;
} Row;

static void
row_make (Sheet *sheet, const double *widths, const char *const *cells, guint columns,
          const SheetStyle *style, Row *row)
{
  row->height = 0;
  for (guint i = 0; i < columns; i++) {
    g_autofree char *text = shortened (cells[i]);
    row->layouts[i] = sheet_layout (sheet, style, text, widths[i] * sheet_width (sheet) - 2 * PAD);
    row->height = MAX (row->height, sheet_layout_height (row->layouts[i]) + 2 * PAD);
  }
}

static void
row_draw (Sheet *sheet, const double *widths, guint columns, Row *row)
{
  double x = SHEET_LEFT_EDGE;
  cairo_set_line_width (sheet->cairo, 0.4);
  for (guint i = 0; i < columns; i++) {
    double width = widths[i] * sheet_width (sheet);
    cairo_rectangle (sheet->cairo, x * SHEET_MM, sheet->y * SHEET_MM, width * SHEET_MM,
                     row->height * SHEET_MM);
    cairo_stroke (sheet->cairo);
    sheet_show_layout (sheet, row->layouts[i], x + PAD, sheet->y + PAD);
    x += width;
  }
  sheet->y += row->height;
}

static void
row_clear (Row *row, guint columns)
{
  for (guint i = 0; i < columns; i++)
    g_object_unref (row->layouts[i]);
}

void
sheet_table (Sheet *sheet, const double *widths, const char *const *head, guint columns,
             GPtrArray *cells)
{
  Row title;
  row_make (sheet, widths, head, columns, &head_style, &title);
  for (guint at = 0; at + columns <= cells->len; at += columns) {
    Row row;
    row_make (sheet, widths, (const char *const *)cells->pdata + at, columns, &cell_style, &row);
    double height = row.height + (at == 0 ? title.height : 0);
    gboolean breaks = sheet->y + height > sheet_bottom () && sheet->y > SHEET_TOP_EDGE;
    if (breaks)
      sheet_new_page (sheet);
    if (breaks || at == 0)
      row_draw (sheet, widths, columns, &title);
    row_draw (sheet, widths, columns, &row);
    row_clear (&row, columns);
  }
  row_clear (&title, columns);
  sheet_space (sheet, 1.5);
}

/* ---- Signatures ----------------------------------------------------------------------------- */

#define BOX_HEIGHT 34.0

static double
draw_centered (Sheet *sheet, const SheetStyle *style, const char *text, double x, double y,
               double width)
{
  g_autofree char *some = shortened (text);
  g_autoptr (PangoLayout) layout = sheet_layout_lines (sheet, style, some, width, 2);
  sheet_show_layout (sheet, layout, x, y);
  return sheet_layout_height (layout);
}

static void
draw_signer (Sheet *sheet, const SheetSigner *signer, double x, double width)
{
  static const SheetStyle role = { .size = 11, .bold = TRUE, .align = SHEET_CENTER };
  static const SheetStyle small = { .size = 9, .italic = TRUE, .align = SHEET_CENTER };
  static const SheetStyle name = { .size = 11, .bold = TRUE, .align = SHEET_CENTER };
  double y = sheet->y + 1;
  y += draw_centered (sheet, &role, signer->role, x, y, width);
  draw_centered (sheet, &small, *signer->note != '\0' ? signer->note : "(ký, ghi rõ họ tên)", x, y,
                 width);
  draw_centered (sheet, &name, signer->name, x, sheet->y + BOX_HEIGHT - 12, width);
}

void
sheet_signers (Sheet *sheet, const SheetSigner *signers, guint count)
{
  double half = sheet_width (sheet) / 2;
  for (guint i = 0; i < count; i += 2) {
    sheet_need (sheet, BOX_HEIGHT);
    draw_signer (sheet, &signers[i], SHEET_LEFT_EDGE, half - 4);
    if (i + 1 < count)
      draw_signer (sheet, &signers[i + 1], SHEET_LEFT_EDGE + half + 4, half - 4);
    sheet->y += BOX_HEIGHT;
  }
}
