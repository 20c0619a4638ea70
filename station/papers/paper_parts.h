/* Parts that the papers share. view: station/case_view.h. */
#pragma once
#include "station/case_view.h"
#include "station/papers/sheet.h"

typedef struct {
  Store *store;
  const char *consult;
  const json_t *view;
} Paper;

/* "08 giờ 30, ngày 20/11/2026" and "20/11/2026 08:30", of a row's UTC in Vietnam's time (UTC+7);
 * "" when it is no time (transfer full). */
char *paper_long_time (const char *utc);
char *paper_short_time (const char *utc);
char *paper_clock_time (const char *utc);
/* "ngày … tháng … năm …" */
char *paper_date_line (const char *utc);

/* "36,6", as Vietnamese is written, whatever the program's locale (transfer full). */
char *paper_number (double value);

const char *paper_mode (const Paper *paper);
const char *paper_role (const char *role);
/* Name of the station's facility. */
const char *paper_own_facility (const Paper *paper);
gboolean paper_is_signed (const Paper *paper);

/* National header and the facility's name. */
void paper_head (Sheet *sheet, const Paper *paper);
void paper_title (Sheet *sheet, const char *title);
void paper_patient (Sheet *sheet, const Paper *paper);
void paper_vitals (Sheet *sheet, const Paper *paper);
void paper_problems (Sheet *sheet, const Paper *paper);
void paper_prescriptions (Sheet *sheet, const Paper *paper);
typedef void (*PaperHeading) (Sheet *sheet, const char *text);
/* Notes of one kind, each with its author, under a sheet_heading() or sheet_section(); NULL: none.
 * FALSE: there are no notes, and no heading. */
gboolean paper_notes (Sheet *sheet, const Paper *paper, const char *kind, PaperHeading head,
                      const char *heading);
void paper_consents (Sheet *sheet, const Paper *paper);
void paper_outages (Sheet *sheet, const Paper *paper);
void paper_pictures (Sheet *sheet, const Paper *paper);
void paper_files (Sheet *sheet, const Paper *paper);
void paper_ecgs (Sheet *sheet, const Paper *paper);
/* The hash of the signed manifest as QR and text; of a draft, that there is none. */
void paper_seal (Sheet *sheet, const Paper *paper);
