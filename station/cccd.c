#include "station/cccd.h"

#include <string.h>

enum { NUMBER, OLD_NUMBER, NAME, BIRTH, SEX, ADDRESS, ISSUED, WANTED = BIRTH + 1 };
#define FIELDS_MAX 16
#define FIELD_BYTES_MAX 500

static const Text no_card = {
  "Đây không phải mã QR của thẻ căn cước. Quét lại mã ở mặt trước thẻ, hoặc nhập tay.",
  "This is not the QR code of a citizen card. Scan the code on its front again, or type the data.",
};
static const Text bad_text = {
  "Máy quét gửi chữ không đọc được. Chọn bảng mã UTF-8 cho máy quét, hoặc nhập tay.",
  "The scanner sent unreadable letters. Set the scanner to UTF-8, or type the data.",
};
static const Text bad_number = {
  "Số trong mã QR không có đủ 12 chữ số. Quét lại, hoặc nhập tay số trên thẻ.",
  "The number in the QR code has not 12 digits. Scan again, or type the number on the card.",
};
static const Text bad_name = {
  "Mã QR không có họ tên đọc được. Quét lại, hoặc nhập tay.",
  "The QR code has no readable name. Scan again, or type it.",
};
static const Text bad_birth = {
  "Ngày sinh trong mã QR không đúng. Quét lại, hoặc nhập tay.",
  "The date of birth in the QR code is not one. Scan again, or type it.",
};

/* ---- Numbers ------------------------------------------------------------------------------ */

static gboolean
all_digits (const char *text, gsize count)
{
  return strlen (text) == count && strspn (text, "0123456789") == count;
}

gboolean
cccd_number_is_good (const char *number)
{
  return number != NULL && all_digits (number, 12);
}

gboolean
cccd_province_is_known (const char *number)
{
  static const guint8 codes[]
      = { 1,  2,  4,  6,  8,  10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33,
          34, 35, 36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66,
          67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96 };
  int code = (number[0] - '0') * 100 + (number[1] - '0') * 10 + number[2] - '0';
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i] == code)
      return TRUE;
  return FALSE;
}

int
cccd_birth_year (const char *number)
{
  return 1900 + (number[3] - '0') / 2 * 100 + (number[4] - '0') * 10 + number[5] - '0';
}

const char *
cccd_sex (const char *number)
{
  return (number[3] - '0') % 2 == 0 ? "male" : "female";
}

/* Classes of the insured: Decision 1351/QD-BHXH (2015), with those that older cards still bear. */
static gboolean
class_is_known (const char *card)
{
  static const char *const classes[]
      = { "DN", "HX", "CH", "NN", "TK", "HC", "XK", "HT", "TB", "NO", "CT", "XB", "TN", "CS",
          "XN", "MS", "HD", "TE", "BT", "HN", "DT", "DK", "XD", "TS", "TC", "TQ", "TA", "TY",
          "HG", "LS", "CN", "HS", "SV", "GB", "GD", "QN", "CA", "CY", "CC", "CK", "CB", "KC",
          "XV", "TG", "PV", "TV", "TD", "TU", "BA", "NU", "TH", "TL", "TX", "ND" };
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (g_ascii_strncasecmp (classes[i], card, 2) == 0)
      return TRUE;
  return FALSE;
}

const Text *
bhyt_wrong (const char *card)
{
  static const Text form = {
    "Thẻ BHYT có 10 chữ số, hoặc 15 ký tự: 2 chữ cái rồi 13 chữ số. Kiểm tra lại trên thẻ.",
    "An insurance card has 10 digits, or 15 characters: 2 letters, then 13 digits. Look at the "
    "card.",
  };
  static const Text unknown_class = {
    "Hai chữ cái đầu thẻ BHYT không phải mã đối tượng nào. Kiểm tra lại, hoặc chỉ nhập 10 số cuối.",
    "The card's first two letters are no class of the insured. Look again, or enter its last 10 "
    "digits only.",
  };
  static const Text level = {
    "Ký tự thứ ba của thẻ BHYT là mức hưởng, từ 1 đến 5. Kiểm tra lại, hoặc chỉ nhập 10 số cuối.",
    "The card's third character is the level of benefit, 1 to 5. Look again, or enter its last 10 "
    "digits only.",
  };
  if (all_digits (card, 10))
    return NULL;
  if (strlen (card) != 15 || !g_ascii_isalpha (card[0]) || !g_ascii_isalpha (card[1])
      || !all_digits (card + 2, 13))
    return &form;
  if (!class_is_known (card))
    return &unknown_class;
  return card[2] >= '1' && card[2] <= '5' ? NULL : &level;
}

/* ---- QR ----------------------------------------------------------------------------------- */

/* "03041962" or "03/04/1962" as "1962-04-03". NULL: no date. (transfer full) */
static char *
read_date (const char *text)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  for (const char *c = text; *c != '\0'; c++) {
    if (g_ascii_isdigit (*c))
      g_string_append_c (digits, *c);
    else if (strchr ("/.- ", *c) == NULL)
      return NULL;
  }
  if (digits->len != 8)
    return NULL;
  guint day = 10u * (guint)(digits->str[0] - '0') + (guint)(digits->str[1] - '0');
  guint month = 10u * (guint)(digits->str[2] - '0') + (guint)(digits->str[3] - '0');
  guint year = (guint)g_ascii_strtoull (digits->str + 4, NULL, 10);
  if (year < 1880 || !g_date_valid_dmy ((GDateDay)day, (GDateMonth)month, (GDateYear)year))
    return NULL;
  return g_strdup_printf ("%04u-%02u-%02u", year, month, day);
}

/* NFC, single spaces, no control characters. (transfer full) */
static char *
tidy (const char *text)
{
  g_autofree char *composed = g_utf8_normalize (text, -1, G_NORMALIZE_ALL_COMPOSE);
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean gap = FALSE;
  for (const char *at = composed != NULL ? composed : ""; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (g_unichar_isspace (c) || g_unichar_iscntrl (c)) {
      gap = out->len > 0;
      continue;
    }
    if (gap)
      g_string_append_c (out, ' ');
    gap = FALSE;
    g_string_append_unichar (out, c);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static const char *
read_sex (const char *text)
{
  g_autofree char *small = g_utf8_casefold (text, -1);
  g_autofree char *female = g_utf8_casefold ("Nữ", -1);
  if (g_str_equal (small, "nam"))
    return "male";
  return g_str_equal (small, female) || g_str_equal (small, "nu") ? "female" : NULL;
}

static void
warn (Cccd *cccd, const char *vi, const char *en)
{
  json_array_append_new (cccd->warnings, text_json (vi, en));
}

static void
compare (Cccd *cccd, const char *number, int year, const char *sex)
{
  if (!cccd_province_is_known (number))
    warn (cccd, "Ba số đầu của số định danh không phải mã tỉnh nào.",
          "The number's first three digits are no province's code.");
  if (cccd_birth_year (number) != year)
    warn (cccd, "Số định danh nói năm sinh khác.", "The number tells another year of birth.");
  if (sex != NULL && !g_str_equal (sex, cccd_sex (number)))
    warn (cccd, "Số định danh nói giới tính khác.", "The number tells another sex.");
}

/* Fields are UTF-8, tidied; there are at least WANTED. */
static const Text *
take_fields (char **fields, guint count, Cccd *cccd)
{
  const char *number = fields[NUMBER];
  if (!cccd_number_is_good (number))
    return &bad_number;
  glong name = g_utf8_strlen (fields[NAME], -1);
  if (name < 2 || name > 120 || strpbrk (fields[NAME], "0123456789") != NULL)
    return &bad_name;
  g_autofree char *birth = read_date (fields[BIRTH]);
  if (birth == NULL)
    return &bad_birth;
  int year = (int)g_ascii_strtoull (birth, NULL, 10);
  const char *sex = count > SEX ? read_sex (fields[SEX]) : NULL;
  json_t *patient = cccd->patient;
  json_object_set_new (patient, "unknown", json_false ());
  json_object_set_new (patient, "personal_number", json_string (number));
  json_object_set_new (patient, "name", json_string (fields[NAME]));
  json_object_set_new (patient, "birth_date", json_string (birth));
  json_object_set_new (patient, "birth_year", json_integer (year));
  json_object_set_new (patient, "sex", json_string (sex != NULL ? sex : cccd_sex (number)));
  if (count > ADDRESS && *fields[ADDRESS] != '\0')
    json_object_set_new (patient, "address", json_string (fields[ADDRESS]));
  if (all_digits (fields[OLD_NUMBER], 9))
    cccd->old_number = g_strdup (fields[OLD_NUMBER]);
  compare (cccd, number, year, sex);
  return NULL;
}

gboolean
cccd_parse (const char *text, gsize length, Cccd *ret, const Text **ret_wrong)
{
  const Text *wrong = NULL;
  *ret = (Cccd){ .patient = json_object (), .warnings = json_array () };
  if (length > CCCD_TEXT_MAX || memchr (text, '\0', length) != NULL)
    wrong = &no_card;
  else if (!g_utf8_validate (text, (gssize)length, NULL))
    wrong = &bad_text;
  if (wrong == NULL) {
    g_autofree char *copy = g_strndup (text, length);
    g_auto (GStrv) fields = g_strsplit (copy, "|", FIELDS_MAX + 1);
    guint count = g_strv_length (fields);
    for (guint i = 0; i < count; i++) {
      char *clean = tidy (fields[i]);
      g_free (fields[i]);
      fields[i] = clean;
      if (strlen (clean) > FIELD_BYTES_MAX)
        wrong = &no_card;
    }
    if (count < WANTED || count > FIELDS_MAX)
      wrong = &no_card;
    if (wrong == NULL)
      wrong = take_fields (fields, count, ret);
  }
  if (wrong == NULL)
    return TRUE;
  cccd_clear (ret);
  *ret_wrong = wrong;
  return FALSE;
}

void
cccd_clear (Cccd *cccd)
{
  g_clear_pointer (&cccd->patient, json_decref);
  g_clear_pointer (&cccd->warnings, json_decref);
  g_clear_pointer (&cccd->old_number, g_free);
}
