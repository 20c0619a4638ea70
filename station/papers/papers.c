#include "station/papers/papers.h"
#include "station/papers/minutes.h"
#include "station/papers/referral.h"
#include "station/prescription.h"

#include <string.h>

static const char *const kind_names[] = { "minutes", "referral", "prescription" };

gboolean
paper_kind_from_name (const char *name, PaperKind *ret)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (g_strcmp0 (kind_names[i], name) == 0) {
      *ret = (PaperKind)i;
      return TRUE;
    }
  return FALSE;
}

const char *
paper_mime_type (PaperKind kind)
{
  return kind == PAPER_PRESCRIPTION ? "application/json" : "application/pdf";
}

char *
paper_file_name (PaperKind kind, const char *day, const char *consult)
{
  static const char *const words[] = { "bien-ban", "giay-chuyen", "don-thuoc" };
  return g_strdup_printf ("%s-%s-%.8s.%s", words[kind], day, consult,
                          kind == PAPER_PRESCRIPTION ? "json" : "pdf");
}

/* Metadata goes into viewers' title bars and lists of files: no name of a patient. */
static GBytes *
render (const Paper *paper, PaperKind kind, GError **error)
{
  const char *author = paper_own_facility (paper);
  const char *manifest = case_text (paper->view, "manifest");
  const char *title
      = kind == PAPER_REFERRAL ? "GIẤY CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH" : minutes_title (paper);
  g_autofree char *keywords
      = g_strdup_printf ("%s%s%s", paper->consult, *manifest != '\0' ? ", sha256:" : "", manifest);
  g_autofree char *seconds = g_strdup_printf ("%.19sZ", case_text (paper->view, "written"));
  g_autofree char *footer = g_strdup_printf ("%s · %s · Nhịp Cầu", author, paper->consult);
  const SheetInfo info = { .title = title,
                           .subject = paper_mode (paper),
                           .author = author,
                           .keywords = keywords,
                           .created = seconds,
                           .footer = footer,
                           .is_draft = !paper_is_signed (paper) };
  return sheet_render (&info, kind == PAPER_REFERRAL ? referral_draw : minutes_draw, (void *)paper,
                       error);
}

GBytes *
paper_make (Store *store, const char *station_name, const char *consult, PaperKind kind,
            GError **error)
{
  json_auto_t *view = case_view (store, station_name, consult, error);
  if (view == NULL)
    return NULL;
  const Paper paper = { store, consult, view };
  return kind == PAPER_PRESCRIPTION ? prescription_file (view, error)
                                    : render (&paper, kind, error);
}
