/* Head, patient, notes, conclusions. */
#include "station/papers/paper_parts.h"

#include <string.h>

static const SheetStyle plain = { .align = SHEET_LEFT };

void
paper_head (Sheet *sheet, const Paper *paper)
{
  const json_t *own = json_object_get (json_object_get (paper->view, "facilities"), "own");
  g_autofree char *code = *case_text (own, "code") != '\0'
                              ? g_strdup_printf ("Mã cơ sở KCB: %s", case_text (own, "code"))
                              : g_strdup ("CƠ SỞ KHÁM BỆNH, CHỮA BỆNH");
  g_autofree char *name = g_utf8_strup (paper_own_facility (paper), -1);
  const SheetBlock left = { code, name, FALSE };
  const SheetBlock right
      = { "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", TRUE };
  static const SheetStyle small = { .size = 10.5, .italic = TRUE, .align = SHEET_RIGHT };
  g_autofree char *date = paper_date_line (case_text (paper->view, "written"));
  sheet_two_blocks (sheet, &left, &right);
  sheet_space (sheet, 1);
  sheet_text (sheet, &small, date, 0);
}

void
paper_title (Sheet *sheet, const char *title)
{
  static const SheetStyle style = { .size = 15, .bold = TRUE, .align = SHEET_CENTER };
  sheet_space (sheet, 4);
  sheet_text (sheet, &style, title, 0);
  sheet_space (sheet, 2);
}

/* ---- Patient -------------------------------------------------------------------------------- */

static void
pair_of (Sheet *sheet, const json_t *object, const char *member, const char *label)
{
  sheet_pair (sheet, label, case_text (object, member));
}

static char *
birth_of (const json_t *patient)
{
  const char *date = case_text (patient, "birth_date");
  const json_t *year = json_object_get (patient, "birth_year");
  if (strlen (date) == 10)
    return g_strdup_printf ("%.2s/%.2s/%.4s", date + 8, date + 5, date);
  if (json_is_integer (year))
    return g_strdup_printf ("%" JSON_INTEGER_FORMAT, json_integer_value (year));
  return g_strdup ("");
}

void
paper_patient (Sheet *sheet, const Paper *paper)
{
  const json_t *patient = json_object_get (paper->view, "patient");
  const char *sex = case_text (patient, "sex"), *name = case_text (patient, "name");
  g_autofree char *birth = birth_of (patient);
  g_autofree char *upper = g_utf8_strup (name, -1);
  sheet_pair (sheet, "Họ và tên", *upper != '\0' ? upper : "(chưa rõ danh tính)");
  sheet_pair (sheet, "Ngày (năm) sinh", birth);
  sheet_pair (sheet, "Giới tính",
              g_str_equal (sex, "male")     ? "Nam"
              : g_str_equal (sex, "female") ? "Nữ"
              : g_str_equal (sex, "other")  ? "Khác"
                                            : "");
  pair_of (sheet, patient, "personal_number", "Số định danh cá nhân");
  pair_of (sheet, patient, "insurance", "Thẻ BHYT");
  pair_of (sheet, patient, "address", "Địa chỉ");
  pair_of (sheet, patient, "phone", "Điện thoại");
}

/* ---- Notes ---------------------------------------------------------------------------------- */

gboolean
paper_notes (Sheet *sheet, const Paper *paper, const char *kind, PaperHeading head,
             const char *heading)
{
  const json_t *notes = json_object_get (paper->view, "notes");
  gboolean found = FALSE;
  json_t *note;
  gsize i;
  json_array_foreach (notes, i, note)
  {
    if (!g_str_equal (case_text (note, "kind"), kind))
      continue;
    if (!found && head != NULL)
      head (sheet, heading);
    found = TRUE;
    g_autofree char *at = paper_short_time (case_text (note, "at"));
    gboolean telephone = g_str_equal (case_text (note, "via"), "telephone");
    gboolean confirmed = *case_text (note, "confirmed") != '\0';
    g_autofree char *author = g_strdup_printf ("%s (%s%s%s):", case_text (note, "author"), at,
                                               telephone ? ", qua điện thoại" : "",
                                               confirmed ? ", đã xác nhận điện tử" : "");
    g_autofree char *text = g_strdup_printf ("%s %s", author, case_text (note, "text"));
    sheet_text (sheet, &plain, text, strlen (author));
  }
  return found;
}

void
paper_problems (Sheet *sheet, const Paper *paper)
{
  const json_t *problems = json_object_get (paper->view, "problems");
  json_t *problem;
  gsize i;
  json_array_foreach (problems, i, problem)
  {
    const char *icd10 = case_text (problem, "icd10");
    g_autofree char *title
        = g_strdup_printf ("%zu. %s%s%s%s", i + 1, case_text (problem, "title"),
                           *icd10 != '\0' ? " (ICD-10: " : "", icd10, *icd10 != '\0' ? ")" : "");
    g_autofree char *text = g_strdup_printf ("%s\n%s", title, case_text (problem, "text"));
    sheet_text (sheet, &plain, g_strchomp (text), strlen (title));
  }
}

/* ---- Prescription --------------------------------------------------------------------------- */

/* What a form's field holds, text or number (transfer full). */
static char *
field_text (const json_t *object, const char *member)
{
  const json_t *value = json_object_get (object, member);
  if (json_is_number (value))
    return paper_number (json_number_value (value));
  return g_strdup (case_text (object, member));
}

void
paper_prescriptions (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.06, 0.30, 0.30, 0.12, 0.22 };
  static const char *const head[]
      = { "TT", "Thuốc, hàm lượng", "Liều dùng, cách dùng", "Số ngày", "Số lượng" };
  const json_t *all = json_object_get (paper->view, "prescriptions");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  json_t *one;
  gsize i;
  if (json_array_size (all) == 0)
    return;
  json_array_foreach (all, i, one)
  {
    g_autofree char *quantity = field_text (one, "quantity");
    g_autofree char *amount = g_strdup_printf ("%s %s", quantity, case_text (one, "unit"));
    g_ptr_array_add (cells, g_strdup_printf ("%zu", i + 1));
    g_ptr_array_add (
        cells, g_strdup_printf ("%s %s", case_text (one, "drug"), case_text (one, "strength")));
    g_ptr_array_add (cells, g_strdup (case_text (one, "dose")));
    g_ptr_array_add (cells, field_text (one, "days"));
    g_ptr_array_add (cells, g_strdup (amount));
  }
  sheet_section (sheet, "Đơn thuốc");
  sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
}
