#include "station/papers/minutes.h"

#include <string.h>

static const SheetStyle plain = { .align = SHEET_LEFT };

static gboolean
is_case_conference (const Paper *paper)
{
  return json_integer_value (json_object_get (paper->view, "mode")) == 4;
}

const char *
minutes_title (const Paper *paper)
{
  return is_case_conference (paper) ? "BIÊN BẢN HỘI CHẨN TỪ XA"
                                    : "BIÊN BẢN KHÁM BỆNH, CHỮA BỆNH TỪ XA";
}

/* ---- When, where, who ----------------------------------------------------------------------- */

static void
add_place (GString *text, GHashTable *known, const char *name)
{
  if (*name != '\0' && g_hash_table_add (known, g_strdup (name)))
    g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", name);
}

static void
draw_places (Sheet *sheet, const Paper *paper)
{
  const json_t *facilities = json_object_get (paper->view, "facilities");
  const json_t *consulted = json_object_get (facilities, "consulted");
  const json_t *people = json_object_get (paper->view, "people");
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) others = g_string_new (NULL);
  json_t *item;
  gsize i;
  g_hash_table_add (known, g_strdup (paper_own_facility (paper)));
  json_array_foreach (consulted, i, item)
  {
    add_place (others, known, case_text (item, "name"));
  }
  json_array_foreach (people, i, item)
  {
    add_place (others, known, case_text (item, "facility"));
  }
  sheet_pair (sheet, "Điểm kết nối xin hội chẩn", paper_own_facility (paper));
  sheet_pair (sheet, "Điểm kết nối tư vấn", others->str);
}

static void
draw_general (Sheet *sheet, const Paper *paper)
{
  g_autofree char *begin = paper_long_time (case_text (paper->view, "started"));
  g_autofree char *end = paper_long_time (case_text (paper->view, "ended"));
  sheet_section (sheet, "Thông tin chung");
  sheet_pair (sheet, "Hình thức", paper_mode (paper));
  sheet_pair (sheet, "Bắt đầu", begin);
  sheet_pair (sheet, "Kết thúc", *end != '\0' ? end : "(chưa kết thúc)");
  sheet_pair (sheet, "Mã lượt khám", paper->consult);
  draw_places (sheet, paper);
  sheet_pair (sheet, "Ghi âm, ghi hình",
              json_is_true (json_object_get (paper->view, "recording"))
                  ? "có, lưu mã hóa trong hồ sơ điện tử"
                  : "không");
}

static char *
presence (const json_t *person)
{
  g_autofree char *from = paper_clock_time (case_text (person, "joined"));
  g_autofree char *to = paper_clock_time (case_text (person, "left"));
  return g_strdup_printf ("%s – %s", from, to);
}

/* Who proved it by a sign-in, and where. */
static char *
name_of (const json_t *person)
{
  const json_t *identity = json_object_get (person, "identity");
  const char *name = case_text (person, "name"), *provider = case_text (identity, "provider");
  return *provider != '\0' ? g_strdup_printf ("%s (đã xác thực: %s)", name, provider)
                           : g_strdup (name);
}

/* "BS. Minh: đường dẫn mời, mã PIN, … do BS. Lan nhận vào" (transfer full); NULL: nothing is known.
 */
static char *
identity_of (const json_t *person)
{
  static const char *const words[][2] = { { "link", "đường dẫn mời" },
                                          { "pin", "mã PIN báo riêng" },
                                          { "browser-key", "khóa của trình duyệt đã gắn" } };
  const json_t *proven = json_object_get (person, "proven");
  g_autoptr (GString) text = g_string_new (case_text (person, "name"));
  json_t *word;
  gsize i;
  if (json_array_size (proven) == 0)
    return NULL;
  if (g_str_equal (case_text (person, "as"), "representative"))
    g_string_append_printf (text, " (người đại diện: %s)", case_text (person, "relation"));
  g_string_append (text, ":");
  json_array_foreach (proven, i, word)
  {
    for (guint w = 0; w < G_N_ELEMENTS (words); w++)
      if (g_strcmp0 (json_string_value (word), words[w][0]) == 0)
        g_string_append_printf (text, "%s %s", i > 0 ? "," : "", words[w][1]);
  }
  g_string_append_printf (text, "; do %s nhận vào", case_text (person, "admitted_by"));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
draw_identities (Sheet *sheet, const json_t *people)
{
  gboolean first = TRUE;
  json_t *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    g_autofree char *text = identity_of (person);
    if (text == NULL)
      continue;
    if (first)
      sheet_heading (sheet, "Cách xác thực danh tính người tham gia từ xa");
    first = FALSE;
    sheet_text (sheet, &plain, text, 0);
  }
}

static void
draw_people (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.06, 0.30, 0.20, 0.26, 0.18 };
  static const char *const head[] = { "TT", "Họ và tên", "Vai trò", "Cơ sở", "Thời gian" };
  const json_t *people = json_object_get (paper->view, "people");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  json_t *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    g_ptr_array_add (cells, g_strdup_printf ("%zu", i + 1));
    g_ptr_array_add (cells, name_of (person));
    g_ptr_array_add (cells,
                     g_strdup (paper_role (g_str_equal (case_text (person, "as"), "representative")
                                               ? "representative"
                                               : case_text (person, "role"))));
    g_ptr_array_add (cells, g_strdup (case_text (person, "facility")));
    g_ptr_array_add (cells, presence (person));
  }
  sheet_section (sheet, "Thành phần tham gia");
  sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
  draw_identities (sheet, people);
}

/* ---- Content -------------------------------------------------------------------------------- */

static void
draw_case (Sheet *sheet, const Paper *paper)
{
  sheet_section (sheet, "Người bệnh");
  paper_patient (sheet, paper);
  sheet_section (sheet, "Lý do khám và tóm tắt bệnh án");
  sheet_pair (sheet, "Lý do", case_text (paper->view, "reason"));
  paper_notes (sheet, paper, "summary", NULL, NULL);
  paper_notes (sheet, paper, "history", sheet_heading, "Tiền sử");
  paper_notes (sheet, paper, "allergies", sheet_heading, "Dị ứng");
  paper_notes (sheet, paper, "examination", sheet_heading, "Khám lâm sàng");
  paper_vitals (sheet, paper);
  paper_notes (sheet, paper, "findings", sheet_heading, "Cận lâm sàng");
  paper_notes (sheet, paper, "note", sheet_heading, "Ghi chú trong buổi khám");
}

static void
draw_outcome (Sheet *sheet, const Paper *paper)
{
  const char *conclusion = case_text (paper->view, "conclusion");
  paper_notes (sheet, paper, "question", sheet_section, "Câu hỏi xin ý kiến");
  if (!paper_notes (sheet, paper, "opinion", sheet_section, "Ý kiến chuyên môn")) {
    sheet_section (sheet, "Ý kiến chuyên môn");
    sheet_text (sheet, &plain, "Không có ý kiến nào được ghi.", 0);
  }
  sheet_section (sheet, "Kết luận");
  paper_problems (sheet, paper);
  gboolean noted = paper_notes (sheet, paper, "conclusion", NULL, NULL);
  if (*conclusion != '\0')
    sheet_text (sheet, &plain, conclusion, 0);
  else if (!noted && json_array_size (json_object_get (paper->view, "problems")) == 0)
    sheet_text (sheet, &plain, "(chưa có kết luận)", 0);
  paper_notes (sheet, paper, "decision", sheet_section, "Quyết định của cơ sở trực tiếp điều trị");
  paper_prescriptions (sheet, paper);
  paper_notes (sheet, paper, "follow-up", sheet_section, "Hẹn khám lại");
}

/* ---- Signatures ----------------------------------------------------------------------------- */

/* What holds of the signature of who is called so (transfer full). */
static char *
signed_by (const Paper *paper, const char *name)
{
  const json_t *signatures = json_object_get (paper->view, "signatures");
  json_t *signature;
  gsize i;
  json_array_foreach (signatures, i, signature)
  {
    if (*name == '\0' || !g_str_equal (case_text (signature, "name"), name))
      continue;
    g_autofree char *at = paper_short_time (case_text (signature, "at"));
    return g_strdup_printf ("Đã xác nhận điện tử %s", at);
  }
  return g_strdup ("");
}

static const char *
method_word (const char *method)
{
  static const char *const words[][2] = { { "sign-in", "xác nhận khi đăng nhập" },
                                          { "key", "chữ ký số" },
                                          { "upload", "chữ ký số, tệp .p7s" },
                                          { "remote", "chữ ký số từ xa" },
                                          { "confirmation", "xác nhận tại chỗ" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], method))
      return words[i][1];
  return method;
}

static void
draw_confirmations (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.34, 0.30, 0.20, 0.16 };
  static const char *const head[] = { "Người ký", "Cách ký", "Thời điểm", "Bản kê (SHA-256)" };
  const json_t *signatures = json_object_get (paper->view, "signatures");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  json_t *signature;
  gsize i;
  json_array_foreach (signatures, i, signature)
  {
    const char *role = paper_role (case_text (signature, "role"));
    g_ptr_array_add (cells, g_strdup_printf ("%s%s%s", case_text (signature, "name"),
                                             *role != '\0' ? "\n" : "", role));
    g_ptr_array_add (cells, g_strdup (method_word (case_text (signature, "method"))));
    g_ptr_array_add (cells, paper_short_time (case_text (signature, "at")));
    g_ptr_array_add (cells, g_strdup_printf ("%.12s…", case_text (signature, "sha256")));
  }
  if (cells->len > 0)
    sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
}

/* Who signed in a role, "" when nobody did yet: the box is for a hand then. */
static const char *
signer_of_role (const Paper *paper, const char *role)
{
  const json_t *signatures = json_object_get (paper->view, "signatures");
  json_t *signature;
  gsize i;
  json_array_foreach (signatures, i, signature)
  {
    if (g_str_equal (case_text (signature, "role"), role))
      return case_text (signature, "name");
  }
  return "";
}

static SheetSigner
signer_in_role (const Paper *paper, const char *title, const char *role, GPtrArray *notes)
{
  const char *name = signer_of_role (paper, role);
  char *note = signed_by (paper, name);
  g_ptr_array_add (notes, note);
  return (SheetSigner){ title, name, note };
}

static void
draw_signatures (Sheet *sheet, const Paper *paper)
{
  const json_t *people = json_object_get (paper->view, "people");
  SheetSigner signers[16] = { 0 };
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;
  json_t *person;
  gsize i;
  if (is_case_conference (paper)) {
    signers[n++] = signer_in_role (paper, "CHỦ TỌA", "chair", notes);
    signers[n++] = signer_in_role (paper, "THƯ KÝ", "secretary", notes);
  }
  json_array_foreach (people, i, person)
  {
    const char *role = case_text (person, "role"), *name = case_text (person, "name");
    if (g_str_equal (role, "observer") || n + 1 >= G_N_ELEMENTS (signers))
      continue;
    char *note = signed_by (paper, name);
    g_ptr_array_add (notes, note);
    if (!g_str_equal (role, "patient"))
      signers[n++] = (SheetSigner){ i == 0 ? "NGƯỜI HÀNH NGHỀ TẠI CƠ SỞ" : "BÁC SĨ CHUYÊN KHOA",
                                    name, note };
  }
  gboolean represented = *signer_of_role (paper, "representative") != '\0';
  signers[n++] = signer_in_role (paper, "NGƯỜI BỆNH / NGƯỜI ĐẠI DIỆN",
                                 represented ? "representative" : "patient", notes);
  sheet_need (sheet, 60);
  sheet_section (sheet, "Ký xác nhận");
  draw_confirmations (sheet, paper);
  sheet_signers (sheet, signers, n);
  paper_seal (sheet, paper);
}

void
minutes_draw (Sheet *sheet, void *arg)
{
  const Paper *paper = arg;
  paper_head (sheet, paper);
  paper_title (sheet, minutes_title (paper));
  draw_general (sheet, paper);
  draw_people (sheet, paper);
  draw_case (sheet, paper);
  draw_outcome (sheet, paper);
  paper_consents (sheet, paper);
  paper_outages (sheet, paper);
  paper_files (sheet, paper);
  paper_pictures (sheet, paper);
  paper_ecgs (sheet, paper);
  draw_signatures (sheet, paper);
}
