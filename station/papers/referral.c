#include "station/papers/referral.h"

#include <string.h>

#define DOTS "……………………………………………………"

static const SheetStyle plain = { .align = SHEET_LEFT };

/* The first facility that was consulted, or that of the first who advised. */
static const char *
destination (const Paper *paper)
{
  const json_t *facilities = json_object_get (paper->view, "facilities");
  const json_t *people = json_object_get (paper->view, "people");
  const char *name
      = case_text (json_array_get (json_object_get (facilities, "consulted"), 0), "name");
  json_t *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    if (*name == '\0' && i > 0 && g_str_equal (case_text (person, "role"), "specialist"))
      name = case_text (person, "facility");
  }
  return name;
}

/* Texts of all notes of a kind, one below the other (transfer full). */
static char *
texts_of (const Paper *paper, const char *kind)
{
  const json_t *notes = json_object_get (paper->view, "notes");
  GString *text = g_string_new (NULL);
  json_t *note;
  gsize i;
  json_array_foreach (notes, i, note)
  {
    if (g_str_equal (case_text (note, "kind"), kind))
      g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", case_text (note, "text"));
  }
  return g_string_free (text, FALSE);
}

static void
line (Sheet *sheet, const char *label, const char *text)
{
  sheet_pair (sheet, label, *text != '\0' ? text : DOTS);
}

static char *
diagnosis (const Paper *paper)
{
  const json_t *problems = json_object_get (paper->view, "problems");
  GString *text = g_string_new (NULL);
  json_t *problem;
  gsize i;
  json_array_foreach (problems, i, problem)
  {
    const char *icd10 = case_text (problem, "icd10");
    g_string_append_printf (text, "%s%s%s%s%s", i > 0 ? "; " : "", case_text (problem, "title"),
                            *icd10 != '\0' ? " (" : "", icd10, *icd10 != '\0' ? ")" : "");
  }
  if (text->len == 0)
    g_string_append (text, case_text (paper->view, "conclusion"));
  if (text->len == 0) {
    g_autofree char *noted = texts_of (paper, "conclusion");
    g_string_append (text, noted);
  }
  return g_string_free (text, FALSE);
}

static char *
drugs_used (const Paper *paper)
{
  const json_t *all = json_object_get (paper->view, "prescriptions");
  GString *text = g_string_new (NULL);
  json_t *one;
  gsize i;
  json_array_foreach (all, i, one)
  {
    g_string_append_printf (text, "%s%s %s, %s", i > 0 ? "; " : "", case_text (one, "drug"),
                            case_text (one, "strength"), case_text (one, "dose"));
  }
  return g_string_free (text, FALSE);
}

static void
draw_summary (Sheet *sheet, const Paper *paper)
{
  g_autofree char *history = texts_of (paper, "history"), *summary = texts_of (paper, "summary");
  g_autofree char *signs = texts_of (paper, "examination"), *tests = texts_of (paper, "findings");
  g_autofree char *allergies = texts_of (paper, "allergies"), *name = diagnosis (paper);
  g_autofree char *drugs = drugs_used (paper), *decision = texts_of (paper, "decision");
  g_autofree char *opinion = texts_of (paper, "opinion");
  sheet_heading (sheet, "TÓM TẮT BỆNH ÁN");
  line (sheet, "Lý do khám", case_text (paper->view, "reason"));
  sheet_pair (sheet, "Diễn biến", summary);
  sheet_pair (sheet, "Tiền sử", history);
  sheet_pair (sheet, "Dị ứng", allergies);
  line (sheet, "Dấu hiệu lâm sàng", signs);
  paper_vitals (sheet, paper);
  line (sheet, "Kết quả xét nghiệm, cận lâm sàng", tests);
  line (sheet, "Chẩn đoán", name);
  line (sheet, "Phương pháp, thủ thuật, kỹ thuật, thuốc đã sử dụng trong điều trị", drugs);
  line (sheet, "Tình trạng người bệnh lúc chuyển cơ sở khám bệnh, chữa bệnh", "");
  sheet_pair (sheet, "Ý kiến của bác sĩ chuyên khoa khi hội chẩn từ xa", opinion);
  line (sheet, "Hướng điều trị", decision);
}

void
referral_draw (Sheet *sheet, void *arg)
{
  const Paper *paper = arg;
  const char *doctor = case_text (json_object_get (paper->view, "doctor"), "name");
  const char *to = destination (paper);
  g_autofree char *begin = paper_long_time (case_text (paper->view, "started"));
  g_autofree char *from = g_strdup_printf ("Cơ sở khám bệnh, chữa bệnh: %s trân trọng giới thiệu:",
                                           paper_own_facility (paper));
  const SheetSigner signers[] = { { "NGƯỜI BỆNH / NGƯỜI ĐẠI DIỆN", "", "" },
                                  { "NGƯỜI HÀNH NGHỀ CHUYỂN NGƯỜI BỆNH", doctor, "" } };
  paper_head (sheet, paper);
  paper_title (sheet, "GIẤY CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH");
  line (sheet, "Kính gửi", to);
  sheet_text (sheet, &plain, from, 0);
  paper_patient (sheet, paper);
  line (sheet, "Đã được khám bệnh, chữa bệnh từ", begin);
  draw_summary (sheet, paper);
  sheet_heading (sheet, "Lý do chuyển cơ sở khám bệnh, chữa bệnh");
  sheet_text (
      sheet, &plain,
      "☐ 1. Phù hợp với quy định về chuyển cơ sở khám bệnh, chữa bệnh (vượt khả năng chuyên "
      "môn, kỹ thuật của cơ sở)\n☐ 2. Theo yêu cầu của người bệnh hoặc người đại diện của "
      "người bệnh",
      0);
  line (sheet, "Chuyển hồi", "…… giờ …… phút, ngày …… tháng …… năm ………");
  line (sheet, "Phương tiện vận chuyển", "");
  line (sheet, "Họ tên, chức danh người hộ tống (nếu có)", "");
  sheet_space (sheet, 3);
  sheet_signers (sheet, signers, G_N_ELEMENTS (signers));
  paper_seal (sheet, paper);
}
