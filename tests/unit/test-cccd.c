/* Citizen cards: the QR text as scanners type it, the structure of numbers; insurance cards. */
#include "station/cccd.h"

#include <string.h>

/* ret is the caller's; NULL: refused. */
static json_t *
read_card (const char *text, char **ret_old, guint *ret_warnings)
{
  const Text *wrong = NULL;
  g_auto (Cccd) card = { 0 };
  if (!cccd_parse (text, strlen (text), &card, &wrong)) {
    g_assert_nonnull (wrong);
    g_assert_null (card.patient);
    return NULL;
  }
  if (ret_old != NULL)
    *ret_old = g_strdup (card.old_number);
  if (ret_warnings != NULL)
    *ret_warnings = (guint)json_array_size (card.warnings);
  return json_incref (card.patient);
}

static void
assert_field (const json_t *patient, const char *key, const char *value)
{
  g_assert_cmpstr (json_string_value (json_object_get (patient, key)), ==, value);
}

static void
test_layouts (void)
{
  g_autofree char *old = NULL;
  guint warnings = 9;
  json_auto_t *card
      = read_card ("011162000123|012345678|Lò Thị Lan|03041962|Nữ|Bản Mẫu, Mường Mẫu, "
                   "Điện Biên|25122021",
                   &old, &warnings);
  assert_field (card, "personal_number", "011162000123");
  assert_field (card, "name", "Lò Thị Lan");
  assert_field (card, "birth_date", "1962-04-03");
  assert_field (card, "sex", "female");
  assert_field (card, "address", "Bản Mẫu, Mường Mẫu, Điện Biên");
  g_assert_cmpint (json_integer_value (json_object_get (card, "birth_year")), ==, 1962);
  g_assert_cmpstr (old, ==, "012345678");
  g_assert_cmpuint (warnings, ==, 0);

  /* No old number, dates with strokes, a line end of the scanner, fields of newer cards behind. */
  json_auto_t *newer = read_card (
      "001201009876||VÀNG A PÁO|05/09/2001|Nam|Hà Nội|01/07/2024|VÀNG A SÚA|GIÀNG THỊ MỶ\r\n", NULL,
      &warnings);
  assert_field (newer, "birth_date", "2001-09-05");
  assert_field (newer, "sex", "male");
  g_assert_cmpuint (warnings, ==, 0);

  /* Decomposed letters become composed ones. */
  json_auto_t *nfd = read_card ("011162000123||Lo\xcc\x80 Thi\xcc\xa3 Lan|03041962", NULL, NULL);
  assert_field (nfd, "name", "Lò Thị Lan");
  assert_field (nfd, "sex", "female"); /* by the number */
}

static void
test_doubts (void)
{
  static const struct {
    const char *text;
    guint warnings;
  } CASES[] = {
    { "011162000123||Lò Thị Lan|03041963|Nữ", 1 },  /* another year */
    { "011162000123||Lò Thị Lan|03041962|Nam", 1 }, /* another sex */
    { "003162000123||Lò Thị Lan|03041962|Nữ", 1 },  /* no province 003 */
    { "003062000123||Lò Thị Lan|03041961|Nữ", 3 },  { "011262000123||Lò Văn Lan|03042062|Nam", 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    guint warnings = 99;
    json_auto_t *card = read_card (CASES[i].text, NULL, &warnings);
    g_assert_nonnull (card);
    g_assert_cmpuint (warnings, ==, CASES[i].warnings);
  }
}

static void
test_refused (void)
{
  static const char *const CASES[] = {
    "",
    "|",
    "||||",
    "https://example.vn/x",
    "011162000123",
    "01116200012||Lò Thị Lan|03041962|Nữ",
    "0111620001234||Lò Thị Lan|03041962|Nữ",
    "01116200012x||Lò Thị Lan|03041962|Nữ",
    "011162000123|||03041962|Nữ",
    "011162000123||Lò Thị 7|03041962|Nữ",
    "011162000123||Lò Thị Lan|31021962|Nữ",
    "011162000123||Lò Thị Lan|1962|Nữ",
    "011162000123||Lò Thị Lan|03041962x|Nữ",
    "011162000123||L\xff Lan|03041962|Nữ",
    "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18",
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++)
    g_assert_null (read_card (CASES[i], NULL, NULL));
  g_autofree char *long_name = g_strnfill (CCCD_TEXT_MAX, 'a');
  g_autofree char *text = g_strdup_printf ("011162000123||%s|03041962", long_name);
  g_assert_null (read_card (text, NULL, NULL));
  const Text *wrong = NULL;
  g_auto (Cccd) card = { 0 };
  static const char nul[] = "011162000123||Lò\0Lan|03041962|Nữ";
  g_assert_false (cccd_parse (nul, sizeof nul - 1, &card, &wrong));
}

static void
test_numbers (void)
{
  g_assert_cmpint (cccd_birth_year ("011162000123"), ==, 1962);
  g_assert_cmpint (cccd_birth_year ("001201009876"), ==, 2001);
  g_assert_cmpstr (cccd_sex ("011162000123"), ==, "female");
  g_assert_cmpstr (cccd_sex ("001201009876"), ==, "male");
  g_assert_true (cccd_province_is_known ("096162000123"));
  g_assert_false (cccd_province_is_known ("097162000123"));
  g_assert_false (cccd_number_is_good ("01116200012"));
  g_assert_false (cccd_number_is_good (NULL));
}

static void
test_insurance (void)
{
  static const struct {
    const char *card;
    gboolean good;
  } CASES[]
      = { { "0123456789", TRUE },       { "012345678", FALSE },       { "DT2110123456789", TRUE },
          { "dt2110123456789", TRUE },  { "QQ2110123456789", FALSE }, { "DT7110123456789", FALSE },
          { "DT211012345678", FALSE },  { "DT21101234567x9", FALSE }, { "", FALSE },
          { "0123456789012345", FALSE } };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    const Text *wrong = bhyt_wrong (CASES[i].card);
    g_assert_true ((wrong == NULL) == CASES[i].good);
    if (wrong != NULL)
      g_assert_cmpuint (strlen (wrong->vi), >, 30);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cccd/layouts", test_layouts);
  g_test_add_func ("/cccd/doubts", test_doubts);
  g_test_add_func ("/cccd/refused", test_refused);
  g_test_add_func ("/cccd/numbers", test_numbers);
  g_test_add_func ("/cccd/insurance", test_insurance);
  return g_test_run ();
}
