/* Between the files that draw on a sheet; cairo and pango stay among them. */
#pragma once
#include "station/papers/sheet.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#define SHEET_MM (72 / 25.4)
#define SHEET_TEXT_SIZE 11.5
#define SHEET_LEFT_EDGE 25.0
#define SHEET_TOP_EDGE 17.0
#define SHEET_RIGHT_EDGE 17.0
#define SHEET_BOTTOM_EDGE 20.0
#define SHEET_PAGE_WIDTH 210.0
#define SHEET_PAGE_HEIGHT 297.0

struct Sheet {
  const SheetInfo *info;
  cairo_surface_t *surface;
  cairo_t *cairo;
  PangoContext *pango;
  double y; /* where the next thing begins, from the page's top */
  guint page, pages;
  guint sections; /* so far */
  gboolean is_counting;
};

/* A layout of so many millimetres' width, at the text's size or style's (transfer full). */
PangoLayout *sheet_layout (Sheet *sheet, const SheetStyle *style, const char *text, double width);
/* The same as one paragraph of so many lines at most, with a sign where it was longer. */
PangoLayout *sheet_layout_lines (Sheet *sheet, const SheetStyle *style, const char *text,
                                 double width, int lines);
double sheet_layout_height (PangoLayout *layout);
/* Draws it with its upper left corner there, in millimetres. */
void sheet_show_layout (Sheet *sheet, PangoLayout *layout, double x, double y);
void sheet_new_page (Sheet *sheet);
/* y of the lowest line of text. */
double sheet_bottom (void);
/* Width and height of a picture from its first bytes; FALSE when it is no whole JPEG or PNG of a
 * sensible size. Bounded. */
gboolean sheet_picture_size (const guint8 *data, gsize length, const char *mime, guint *ret_width,
                             guint *ret_height);
