/* Tables and lists: vital signs, consents, outages, pictures, files, ECGs, the seal. */
#include "station/papers/paper_parts.h"
#include "records/attachment.h"
#include "station/papers/ecg_strip.h"

#include <string.h>

#define PICTURES_MAX 60
#define PICTURE_BYTES_MAX (16u << 20)
#define ROWS_MAX 400

static const SheetStyle plain = { .align = SHEET_LEFT };

/* ---- Vital signs ---------------------------------------------------------------------------- */

static const struct {
  const char *vital, *word;
} VITALS[] = { { "pulse", "Mạch" },
               { "hr", "Nhịp tim" },
               { "nibp-sys", "Huyết áp tâm thu" },
               { "nibp-dia", "Huyết áp tâm trương" },
               { "nibp-mean", "Huyết áp trung bình" },
               { "spo2", "Độ bão hòa oxy (SpO₂)" },
               { "temp", "Nhiệt độ" },
               { "resp", "Nhịp thở" },
               { "glucose", "Đường huyết" },
               { "weight", "Cân nặng" },
               { "height", "Chiều cao" } };

static const char *
unit_word (const char *ucum)
{
  static const char *const words[][2]
      = { { "/min", "lần/phút" }, { "mm[Hg]", "mmHg" }, { "Cel", "°C" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], ucum))
      return words[i][1];
  return ucum;
}

static char *
value_word (const json_t *reading)
{
  const char *written = case_text (reading, "value_text");
  const json_t *value = json_object_get (reading, "value");
  if (json_is_number (value))
    return paper_number (json_number_value (value));
  return g_strdup (json_is_string (value) ? json_string_value (value) : written);
}

static const char *
source_word (const json_t *reading)
{
  if (g_str_equal (case_text (reading, "source"), "manual"))
    return "nhập tay";
  const char *device = case_text (reading, "device");
  return *device != '\0' ? device : case_text (reading, "sender");
}

static const char *
flags_word (const json_t *reading)
{
  const json_t *flags = json_object_get (reading, "flags");
  json_t *flag;
  gsize i;
  json_array_foreach (flags, i, flag)
  {
    if (g_strcmp0 (json_string_value (flag), "implausible") == 0)
      return "giá trị bất thường, cần đo lại";
    if (g_strcmp0 (json_string_value (flag), "H") == 0)
      return "cao";
    if (g_strcmp0 (json_string_value (flag), "L") == 0)
      return "thấp";
  }
  return "";
}

void
paper_vitals (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.23, 0.11, 0.12, 0.18, 0.22, 0.14 };
  static const char *const head[]
      = { "Chỉ số", "Giá trị", "Đơn vị", "Thời điểm", "Nguồn", "Ghi chú" };
  const json_t *readings = json_object_get (paper->view, "readings");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < G_N_ELEMENTS (VITALS); i++) {
    const json_t *reading = json_object_get (readings, VITALS[i].vital);
    if (reading == NULL)
      continue;
    g_ptr_array_add (cells, g_strdup (VITALS[i].word));
    g_ptr_array_add (cells, value_word (reading));
    g_ptr_array_add (cells, g_strdup (unit_word (case_text (reading, "unit"))));
    g_ptr_array_add (cells, paper_short_time (case_text (reading, "time")));
    g_ptr_array_add (cells, g_strdup (source_word (reading)));
    g_ptr_array_add (cells, g_strdup (flags_word (reading)));
  }
  if (cells->len == 0)
    return;
  sheet_heading (sheet, "Dấu hiệu sinh tồn (số đo gần nhất)");
  sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
}

/* ---- Consent -------------------------------------------------------------------------------- */

static void
add_purposes (GString *text, const json_t *purposes)
{
  static const char *const words[][2] = { { "treatment", "khám bệnh, chữa bệnh từ xa" },
                                          { "recording", "ghi âm, ghi hình" },
                                          { "teaching", "đào tạo, nghiên cứu" } };
  json_t *purpose;
  gsize i;
  json_array_foreach (purposes, i, purpose)
  {
    const char *word = json_string_value (purpose);
    for (guint w = 0; w < G_N_ELEMENTS (words); w++)
      if (g_strcmp0 (words[w][0], word) == 0)
        word = words[w][1];
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : ": ", word != NULL ? word : "");
  }
}

static void
add_if (GString *text, const char *before, const char *what)
{
  if (*what != '\0')
    g_string_append_printf (text, "%s%s", before, what);
}

void
paper_consents (Sheet *sheet, const Paper *paper)
{
  static const char *const kinds[][2] = { { "given", "Người bệnh đồng ý" },
                                          { "representative", "Người đại diện đồng ý" },
                                          { "impossible", "Không thể lấy ý kiến" },
                                          { "withdrawn", "Rút lại đồng ý" } };
  const json_t *consents = json_object_get (paper->view, "consents");
  json_t *consent;
  gsize i;
  sheet_section (sheet, "Thông tin cho người bệnh và sự đồng ý");
  if (json_array_size (consents) == 0)
    sheet_text (sheet, &plain, "Chưa ghi nhận sự đồng ý nào.", 0);
  json_array_foreach (consents, i, consent)
  {
    const char *kind = case_text (consent, "kind");
    g_autofree char *at = paper_short_time (case_text (consent, "at"));
    g_autoptr (GString) text = g_string_new (at);
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      if (g_str_equal (kinds[k][0], kind))
        kind = kinds[k][1];
    g_string_append_printf (text, " – %s", kind);
    add_purposes (text, json_object_get (consent, "purposes"));
    add_if (text, "; người đồng ý: ", case_text (consent, "by"));
    add_if (text, ", quan hệ: ", case_text (consent, "relation"));
    add_if (text, "; lý do: ", case_text (consent, "reason"));
    add_if (text, "; ghi nhận bởi ", case_text (consent, "user"));
    sheet_text (sheet, &plain, text->str, 0);
  }
}

/* ---- Outages -------------------------------------------------------------------------------- */

static const char *
outage_word (const char *what)
{
  static const char *const words[][2]
      = { { "interrupted", "Buổi khám gián đoạn" }, { "guest-away", "Mất kết nối với" },
          { "source-lost", "Mất tín hiệu từ" },     { "relay-failed", "Mất máy chủ chuyển tiếp" },
          { "device-lost", "Mất thiết bị" },        { "recording-paused", "Tạm dừng ghi hình" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], what))
      return words[i][1];
  return what;
}

void
paper_outages (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.2, 0.2, 0.6 };
  static const char *const head[] = { "Từ", "Đến", "Sự việc" };
  const json_t *outages = json_object_get (paper->view, "outages");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  json_t *outage;
  gsize i;
  sheet_section (sheet, "Gián đoạn trong buổi khám");
  if (json_array_size (outages) == 0) {
    sheet_text (sheet, &plain, "Không có gián đoạn nào được ghi nhận.", 0);
    return;
  }
  json_array_foreach (outages, i, outage)
  {
    if (i >= ROWS_MAX)
      break;
    char *end = paper_clock_time (case_text (outage, "to"));
    g_ptr_array_add (cells, paper_clock_time (case_text (outage, "from")));
    g_ptr_array_add (cells, *end != '\0' ? end : (g_free (end), g_strdup ("(đến hết buổi)")));
    g_ptr_array_add (cells, g_strdup_printf ("%s %s", outage_word (case_text (outage, "what")),
                                             case_text (outage, "detail")));
  }
  sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
  if (json_array_size (outages) > ROWS_MAX)
    sheet_text (sheet, &plain, "Các gián đoạn sau đó xem trong hồ sơ.", 0);
}

/* ---- Pictures and files --------------------------------------------------------------------- */

static char *
caption_of (const json_t *attachment, guint number)
{
  const json_t *about = json_object_get (attachment, "about");
  const char *taken = case_text (about, "taken"), *source = case_text (about, "source");
  g_autofree char *at
      = paper_short_time (case_time (taken) != 0 ? taken : case_text (attachment, "at"));
  if (g_str_has_prefix (source, "source-"))
    source += strlen ("source-");
  return g_strdup_printf ("Ảnh %u: %s %s%s%s", number, source, at,
                          *case_text (about, "by") != '\0' ? ", " : "", case_text (about, "by"));
}

static void
load_picture (const Paper *paper, const json_t *attachment, guint number, SheetPicture *picture)
{
  g_autoptr (GError) error = NULL;
  const json_t *size = json_object_get (attachment, "size");
  picture->mime = case_text (attachment, "mime");
  picture->caption = caption_of (attachment, number);
  if (json_integer_value (size) > PICTURE_BYTES_MAX)
    return;
  picture->bytes = attachment_read (paper->store, paper->consult, case_text (attachment, "id"), 0,
                                    PICTURE_BYTES_MAX, &error);
  if (picture->bytes == NULL)
    g_message ("papers: a picture is left out: %s", error->message);
}

/* Two at a time: sixty pictures of a camera would be much in memory. */
static void
show_pair (Sheet *sheet, const Paper *paper, const GPtrArray *stills, guint at)
{
  SheetPicture pair[2] = { 0 };
  guint n = MIN (2, stills->len - at);
  for (guint i = 0; i < n; i++)
    load_picture (paper, stills->pdata[at + i], at + i + 1, &pair[i]);
  sheet_pictures (sheet, pair, n);
  for (guint i = 0; i < n; i++) {
    g_clear_pointer (&pair[i].bytes, g_bytes_unref);
    g_free ((char *)pair[i].caption);
  }
}

void
paper_pictures (Sheet *sheet, const Paper *paper)
{
  const json_t *attachments = json_object_get (paper->view, "attachments");
  g_autoptr (GPtrArray) stills = g_ptr_array_new ();
  json_t *attachment;
  guint total = 0;
  gsize i;
  json_array_foreach (attachments, i, attachment)
  {
    if (!g_str_equal (case_text (attachment, "kind"), "still"))
      continue;
    total++;
    if (stills->len < PICTURES_MAX)
      g_ptr_array_add (stills, attachment);
  }
  if (total == 0)
    return;
  sheet_need (sheet, 90); /* the heading stays with the first of them */
  sheet_section (sheet, "Ảnh chụp");
  for (guint at = 0; at < stills->len; at += 2)
    show_pair (sheet, paper, stills, at);
  if (total > stills->len) {
    g_autofree char *more
        = g_strdup_printf ("Còn %u ảnh nữa trong hồ sơ điện tử.", total - stills->len);
    sheet_text (sheet, &plain, more, 0);
  }
}

void
paper_files (Sheet *sheet, const Paper *paper)
{
  static const double widths[] = { 0.36, 0.16, 0.48 };
  static const char *const head[] = { "Tệp", "Kích thước", "SHA-256" };
  const json_t *attachments = json_object_get (paper->view, "attachments");
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  json_t *attachment;
  gsize i;
  json_array_foreach (attachments, i, attachment)
  {
    if (g_str_equal (case_text (attachment, "kind"), "still") || cells->len >= 3 * ROWS_MAX)
      continue;
    json_int_t size = json_integer_value (json_object_get (attachment, "size"));
    g_ptr_array_add (cells, g_strdup (case_text (attachment, "name")));
    g_ptr_array_add (cells, g_strdup_printf ("%" JSON_INTEGER_FORMAT " KB", (size + 1023) / 1024));
    g_ptr_array_add (cells, g_strdup (case_text (attachment, "sha256")));
  }
  if (cells->len == 0)
    return;
  sheet_section (sheet, "Tệp kèm theo trong hồ sơ điện tử");
  sheet_table (sheet, widths, head, G_N_ELEMENTS (head), cells);
}

void
paper_ecgs (Sheet *sheet, const Paper *paper)
{
  g_autoptr (GPtrArray) ecgs = case_ecgs (paper->store, paper->consult, paper->view);
  for (guint i = 0; i < ecgs->len; i++) {
    const CaseEcg *ecg = ecgs->pdata[i];
    if (ecg->leads->len == 0)
      continue;
    g_autofree char *at = paper_short_time (ecg->time);
    g_autofree char *title = g_strdup_printf (
        "Điện tim%s%s %s", *ecg->title != '\0' ? " – " : " (từ máy theo dõi)", ecg->title, at);
    sheet_need (sheet, 60);
    sheet_section (sheet, g_strchomp (title));
    for (guint k = 0; k < ecg->interpretation->len; k++)
      sheet_pair (sheet, "Máy ghi", ecg->interpretation->pdata[k]);
    ecg_strip (sheet, ecg);
  }
}

/* ---- Seal ----------------------------------------------------------------------------------- */

void
paper_seal (Sheet *sheet, const Paper *paper)
{
  const char *manifest = case_text (paper->view, "manifest");
  if (*manifest == '\0') {
    sheet_text (sheet, &plain,
                "Bản nháp: hồ sơ chưa ký, chưa có mã băm của bản kê. Mã lượt khám: ", 0);
    sheet_text (sheet, &plain, paper->consult, 0);
    return;
  }
  g_autofree char *text = g_strdup_printf ("nhipcau:1:%s:sha256:%s", paper->consult, manifest);
  g_autofree char *beside = g_strdup_printf (
      "Mã lượt khám: %s\nMã băm SHA-256 của bản kê hồ sơ đã ký:\n%.32s\n%s\nMã QR chứa hai mã "
      "này. Kiểm tra tại trạm: nhipcau record verify %s",
      paper->consult, manifest, strlen (manifest) > 32 ? manifest + 32 : "", paper->consult);
  sheet_space (sheet, 3);
  sheet_qr (sheet, text, beside);
}
