#include "station/papers/ecg_strip.h"
#include "station/papers/sheet_private.h"

#include <math.h>

#define SECONDS 6.0
#define MM_PER_SECOND 25.0
#define MM_PER_MV 10.0
#define PULSE_MM 10.0 /* 5 before, 200 ms of pulse; its end is the trace's begin */
#define HEIGHT_MIN 20.0
#define HEIGHT_MAX 50.0
#define LABEL 4.0

typedef struct {
  double low, high; /* mV, of what is shown */
  double height;    /* mm */
  double zero;      /* mm from the strip's top */
  gboolean is_cut;
} Strip;

static guint
shown (const CaseEcgLead *lead)
{
  return MIN (lead->count, (guint)(lead->rate * SECONDS));
}

static gboolean
measure (const CaseEcgLead *lead, Strip *strip)
{
  strip->low = strip->high = NAN;
  for (guint i = 0; i < shown (lead); i++) {
    double mv = case_ecg_mv (lead, i);
    if (isnan (mv))
      continue;
    strip->low = fmin (strip->low, mv);
    strip->high = fmax (strip->high, mv);
  }
  if (isnan (strip->low) || fabs (strip->low) > 1e4 || fabs (strip->high) > 1e4)
    return FALSE;
  /* The pulse of 1 mV stands on the trace's middle of zero where that is in sight. */
  double need = (strip->high - strip->low) * MM_PER_MV + 4;
  strip->height = 5 * ceil (CLAMP (need, HEIGHT_MIN, HEIGHT_MAX) / 5);
  strip->is_cut = need > HEIGHT_MAX;
  strip->zero = strip->height / 2 + (strip->high + strip->low) / 2 * MM_PER_MV;
  return TRUE;
}

/* ---- Drawing -------------------------------------------------------------------------------- */

static void
draw_lines (Sheet *sheet, double x, double y, double width, double height, double step, double line)
{
  cairo_t *cairo = sheet->cairo;
  for (double at = 0; at <= width + 0.01; at += step) {
    cairo_move_to (cairo, (x + at) * SHEET_MM, y * SHEET_MM);
    cairo_rel_line_to (cairo, 0, height * SHEET_MM);
  }
  for (double at = 0; at <= height + 0.01; at += step) {
    cairo_move_to (cairo, x * SHEET_MM, (y + at) * SHEET_MM);
    cairo_rel_line_to (cairo, width * SHEET_MM, 0);
  }
  cairo_set_line_width (cairo, line);
  cairo_stroke (cairo);
}

static void
draw_grid (Sheet *sheet, double x, double y, double width, double height)
{
  cairo_set_source_rgb (sheet->cairo, 0.98, 0.80, 0.80);
  draw_lines (sheet, x, y, width, height, 1, 0.2);
  cairo_set_source_rgb (sheet->cairo, 0.93, 0.60, 0.60);
  draw_lines (sheet, x, y, width, height, 5, 0.4);
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
}

/* 1 mV, 200 ms, around the middle of the strip. */
static void
draw_pulse (Sheet *sheet, double x, double y, const Strip *strip)
{
  cairo_t *cairo = sheet->cairo;
  double base = y + strip->height / 2 + MM_PER_MV / 2;
  cairo_move_to (cairo, (x + 1) * SHEET_MM, base * SHEET_MM);
  cairo_rel_line_to (cairo, 1.5 * SHEET_MM, 0);
  cairo_rel_line_to (cairo, 0, -MM_PER_MV * SHEET_MM);
  cairo_rel_line_to (cairo, 5 * SHEET_MM, 0);
  cairo_rel_line_to (cairo, 0, MM_PER_MV * SHEET_MM);
  cairo_rel_line_to (cairo, 1.5 * SHEET_MM, 0);
  cairo_set_line_width (cairo, 0.6);
  cairo_stroke (cairo);
}

/* More than 40 samples a millimetre look as their lowest and highest do. */
static void
draw_trace (Sheet *sheet, const CaseEcgLead *lead, double x, double y, const Strip *strip)
{
  cairo_t *cairo = sheet->cairo;
  guint step = MAX (1u, (guint)(lead->rate / 1000));
  gboolean is_down = FALSE;
  cairo_save (cairo);
  cairo_rectangle (cairo, x * SHEET_MM, y * SHEET_MM, SECONDS * MM_PER_SECOND * SHEET_MM,
                   strip->height * SHEET_MM);
  cairo_clip (cairo);
  for (guint i = 0; i < shown (lead); i += step) {
    double low = NAN, high = NAN;
    for (guint k = i; k < MIN (i + step, shown (lead)); k++) {
      low = fmin (low, case_ecg_mv (lead, k));
      high = fmax (high, case_ecg_mv (lead, k));
    }
    if (isnan (low)) {
      is_down = FALSE;
      continue;
    }
    double at = (x + i / lead->rate * MM_PER_SECOND) * SHEET_MM, top = y + strip->zero;
    if (is_down)
      cairo_line_to (cairo, at, (top - low * MM_PER_MV) * SHEET_MM);
    else
      cairo_move_to (cairo, at, (top - low * MM_PER_MV) * SHEET_MM);
    if (high > low)
      cairo_line_to (cairo, at, (top - high * MM_PER_MV) * SHEET_MM);
    is_down = TRUE;
  }
  cairo_set_line_width (cairo, 0.7);
  cairo_set_line_join (cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (cairo);
  cairo_restore (cairo);
}

static void
draw_lead (Sheet *sheet, const CaseEcgLead *lead)
{
  static const SheetStyle style = { .size = 9, .bold = TRUE };
  Strip strip;
  gboolean is_drawn = measure (lead, &strip);
  g_autofree char *name
      = g_strdup_printf ("%s%s", lead->name,
                         !is_drawn ? " – không có thang đo hoặc không có số liệu; xem tệp gốc"
                         : strip.is_cut ? " – phần vượt khung bị cắt; xem tệp gốc"
                                        : "");
  g_autoptr (PangoLayout) label = sheet_layout_lines (sheet, &style, name, sheet_width (sheet), 1);
  double width = PULSE_MM + SECONDS * MM_PER_SECOND;
  sheet_need (sheet, LABEL + (is_drawn ? strip.height + 1 : 1));
  sheet_show_layout (sheet, label, SHEET_LEFT_EDGE, sheet->y);
  sheet->y += LABEL;
  if (!is_drawn)
    return;
  draw_grid (sheet, SHEET_LEFT_EDGE, sheet->y, width, strip.height);
  draw_pulse (sheet, SHEET_LEFT_EDGE, sheet->y, &strip);
  draw_trace (sheet, lead, SHEET_LEFT_EDGE + PULSE_MM, sheet->y, &strip);
  sheet->y += strip.height + 1;
}

void
ecg_strip (Sheet *sheet, const CaseEcg *ecg)
{
  static const SheetStyle small = { .size = 9, .italic = TRUE };
  for (guint i = 0; i < ecg->leads->len; i++)
    draw_lead (sheet, ecg->leads->pdata[i]);
  sheet_text (sheet, &small,
              "25 mm/s, 10 mm/mV, xung chuẩn 1 mV – 200 ms, không lọc; lưới 1 mm và 5 mm. "
              "In đúng tỉ lệ 100 %.",
              0);
}
