/* Paper: A4 pages of flowing text, tables, pictures and ECG strips, as PDF 1.5 (cairo, pango).
 *
 * A paper is drawn by a function that is called twice: once to learn how many pages there are,
 * once for good. The same calls give the same bytes on the same release of cairo, pango and fonts:
 * fonts are those of Debian's fonts-liberation2 and fonts-dejavu-core alone, whatever else is
 * installed, and all dates are given.
 *
 * Lengths are millimetres. Text is UTF-8, fit for paper (case_clean()). Whatever its length, it
 * flows; nothing is drawn over anything else. A sheet belongs to one thread.
 */
#pragma once
#include <glib.h>

typedef struct Sheet Sheet;

typedef struct {
  const char *title, *subject, *author; /* metadata; "" is left out */
  const char *keywords;
  const char *created; /* "2026-11-20T02:03:12Z" */
  const char *footer;  /* one line, beside the page's number */
  gboolean is_draft;   /* every page says so */
} SheetInfo;

typedef void (*SheetDraw) (Sheet *sheet, void *arg);

/* (transfer full) NULL with error (G_IO_ERROR_FAILED): cairo's word. */
GBytes *sheet_render (const SheetInfo *info, SheetDraw draw, void *arg, GError **error);

typedef enum { SHEET_LEFT, SHEET_CENTER, SHEET_RIGHT, SHEET_JUSTIFIED } SheetAlign;

typedef struct {
  double size; /* points; 0: that of the text */
  gboolean bold, italic;
  SheetAlign align;
  double indent; /* of the whole from the left */
} SheetStyle;

/* Paragraphs; a line that is too wide is broken, within a word where it must be. bold_bytes: so
 * much of its begin is bold. */
void sheet_text (Sheet *sheet, const SheetStyle *style, const char *text, gsize bold_bytes);
/* "Label: value"; nothing when the value is "". */
void sheet_pair (Sheet *sheet, const char *label, const char *value);
/* Begins a section: never the last line of a page. Also an entry of the outline. */
void sheet_heading (Sheet *sheet, const char *text);
/* The same with the next Roman number before it. */
void sheet_section (Sheet *sheet, const char *text);
/* Two blocks beside each other, lines centred, the first line plain, the second bold; underlined
 * when underline. */
typedef struct {
  const char *first, *second;
  gboolean underline;
} SheetBlock;
void sheet_two_blocks (Sheet *sheet, const SheetBlock *left, const SheetBlock *right);

void sheet_space (Sheet *sheet, double height);
/* A new page, unless there is so much room. */
void sheet_need (Sheet *sheet, double height);
/* Width of the text. */
double sheet_width (const Sheet *sheet);

#define SHEET_COLUMNS_MAX 8
/* A table: widths are shares of the sheet's; its head is repeated on every page. cells: row after
 * row, `columns` of each, NULL-terminated. A cell shows a few hundred characters at most. */
void sheet_table (Sheet *sheet, const double *widths, const char *const *head, guint columns,
                  GPtrArray *cells);

typedef struct {
  GBytes *bytes;
  const char *mime; /* "image/jpeg", "image/png" */
  const char *caption;
} SheetPicture;
/* Pictures in two columns, each with its caption; what cannot be shown says so. */
void sheet_pictures (Sheet *sheet, const SheetPicture *pictures, guint count);

/* Boxes to sign in, two in a row: lines of text, "" is a place for a signature by hand. */
typedef struct {
  const char *role, *name, *note;
} SheetSigner;
void sheet_signers (Sheet *sheet, const SheetSigner *signers, guint count);

/* A QR code of text, and lines beside it. */
void sheet_qr (Sheet *sheet, const char *text, const char *beside);
/* The same so many millimetres wide: a long text wants 60 to be read by a telephone. */
void sheet_qr_wide (Sheet *sheet, double side, const char *text, const char *beside);
