/* The papers of a consultation, as PDF: minutes (biên bản hội chẩn) and referral (giấy chuyển cơ
 * sở khám bệnh, chữa bệnh). Made offline from the record alone (station/case_view.h); in
 * Vietnamese, whatever language the program speaks, since they are documents of the law.
 *
 * A signed record gives the same bytes each time on the same release of the libraries. What is not
 * signed says "BẢN NHÁP" on each page and has no hash.
 */
#pragma once
#include "records/store.h"

typedef enum { PAPER_MINUTES, PAPER_REFERRAL, PAPER_PRESCRIPTION } PaperKind;

/* "minutes", "referral", "prescription". FALSE: another word. */
gboolean paper_kind_from_name (const char *name, PaperKind *ret);

/* PDF, of PAPER_PRESCRIPTION the hand-off file (station/prescription.h, JSON). (transfer full)
 * NULL with error: NOT_FOUND, LOCKED, or what cairo says. Any thread; half a second for each
 * hundred pages. */
GBytes *paper_make (Store *store, const char *station_name, const char *consult, PaperKind kind,
                    GError **error);
/* "bien-ban-2026-11-20-6d8f0c1e.pdf": a file name without a patient's name (transfer full). */
char *paper_file_name (PaperKind kind, const char *day, const char *consult);
const char *paper_mime_type (PaperKind kind);
