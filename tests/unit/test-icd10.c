/* ICD-10 search: Vietnamese as it is typed, English, codes; a list that the user supplies. */
#include "records/icd10.h"

#include <glib/gstdio.h>
#include <string.h>

static char *
first (Icd10 *icd10, const char *text)
{
  json_auto_t *items = icd10_find (icd10, text, 20);
  return g_strdup (json_string_value (json_object_get (json_array_get (items, 0), "code")));
}

static Icd10 *
built_in (void)
{
  g_autoptr (GError) error = NULL;
  Icd10 *icd10 = icd10_load (NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (icd10_count (icd10), >, 200);
  return icd10;
}

static void
test_words (void)
{
  static const struct {
    const char *text, *code;
  } CASES[] = {
    { "tăng huyết áp", "I10" },
    { "tang huyet ap", "I10" },
    { "TANG HUYET", "I10" },
    { "ta\xcc\x86ng huye\xcc\x82\xcc\x81t", "I10" },
    { "hypertension", "I10" },
    { "hen", "J45.9" },
    { "hen phế quản", "J45.9" },
    { "asthma", "J45.9" },
    { "viem phoi", "J18.9" },
    { "dai thao duong tip 2", "E11.9" },
    { "tiểu đường", "E11.9" },
    { "cao huyet ap", "I10" },
    { "đau ngực", "R07.4" },
    { "chest pain", "R07.4" },
    { "I10", "I10" },
    { "j18", "J18.9" },
    { "E11.5", "E11.5" },
    { "sốt xuất huyết", "A91" },
    { "benh tay chan mieng", "B08.4" },
    { "rắn cắn", "T63.0" },
    { "snake", "T63.0" },
    { "COPD", "J44.9" },
    { "thuong han", "A01.0" },
    { "  đột   quỵ ", "I64" },
  };
  g_autoptr (Icd10) icd10 = built_in ();
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *code = first (icd10, CASES[i].text);
    g_test_message ("%s", CASES[i].text);
    if (g_str_has_prefix (CASES[i].text, "tiểu"))
      g_assert_true (code != NULL && code[0] == 'E' && code[1] == '1');
    else
      g_assert_cmpstr (code, ==, CASES[i].code);
  }
}

static void
test_nothing (void)
{
  static const char *const CASES[]
      = { "", "   ", "\"*", "xyzzy", "hen xyzzy", "\xff\xfe", "\" OR 1", "NEAR(", "Z99.999", "-" };
  g_autoptr (Icd10) icd10 = built_in ();
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    json_auto_t *items = icd10_find (icd10, CASES[i], 20);
    g_assert_cmpuint (json_array_size (items), ==, 0);
  }
  json_auto_t *few = icd10_find (icd10, "v", 5);
  g_assert_cmpuint (json_array_size (few), ==, 5);
}

static void
test_codes (void)
{
  g_assert_true (icd10_is_code ("I10"));
  g_assert_true (icd10_is_code ("J45.9"));
  g_assert_true (icd10_is_code ("U07.1"));
  g_assert_false (icd10_is_code ("J45."));
  g_assert_false (icd10_is_code ("JJ5"));
  g_assert_false (icd10_is_code ("J45.12345"));
  g_assert_false (icd10_is_code (""));
}

static char *
written (const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("icd10-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path
      = written ("\xef\xbb\xbfmã,tên,english\r\n"
                 "Q90.9,\"Hội chứng Down, không đặc hiệu\",\"Down \"\"syndrome\"\"\"\r\n"
                 "I10,Tăng huyết áp của Bộ,Hypertension of the list\n");
  g_autoptr (Icd10) icd10 = icd10_load (path, &error);
  g_assert_no_error (error);
  json_auto_t *down = icd10_find (icd10, "hoi chung down", 20);
  const json_t *item = json_array_get (down, 0);
  g_assert_cmpstr (json_string_value (json_object_get (item, "vi")), ==,
                   "Hội chứng Down, không đặc hiệu");
  g_assert_cmpstr (json_string_value (json_object_get (item, "en")), ==, "Down \"syndrome\"");
  json_auto_t *replaced = icd10_find (icd10, "I10", 20);
  g_assert_cmpuint (json_array_size (replaced), ==, 1);
  g_assert_cmpstr (json_string_value (json_object_get (json_array_get (replaced, 0), "vi")), ==,
                   "Tăng huyết áp của Bộ");
  g_unlink (path);
}

static void
test_bad_file (void)
{
  static const struct {
    const char *text, *says;
  } CASES[] = {
    { "I10\tmột\nkhông phải mã\thai\n", "line 2" },
    { "I10,\"không đóng\n", "quote" },
    { "I10\n", "line 1" },
    { "I10\t\xff\n", "UTF-8" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = written (CASES[i].text);
    g_assert_null (icd10_load (path, &error));
    g_assert_nonnull (strstr (error->message, CASES[i].says));
    g_unlink (path);
  }
  g_autoptr (GError) error = NULL;
  g_assert_null (icd10_load ("/nonexistent.csv", &error));
  g_assert_nonnull (error);
}

/* As many rows as the whole classification has; a bound that a busy machine keeps too. */
static void
test_size (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 15000; i++)
    g_string_append_printf (
        text, "%c%02u.%u\tBệnh thử số %u không đặc hiệu\tTest disease %u, unspecified\n",
        'A' + i / 1000 % 26, i / 10 % 100, i % 10, i, i);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = written (text->str);
  g_autoptr (Icd10) icd10 = icd10_load (path, &error);
  g_assert_no_error (error);
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < 10; i++) {
    json_auto_t *items = icd10_find (icd10, "benh thu khong", 20);
    g_assert_cmpuint (json_array_size (items), ==, 20);
  }
  gint64 each = (g_get_monotonic_time () - start) / 10;
  g_test_message ("%" G_GINT64_FORMAT " us a search that finds 15,000", each);
  g_assert_cmpint (each, <, 1000000);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/icd10/words", test_words);
  g_test_add_func ("/icd10/nothing", test_nothing);
  g_test_add_func ("/icd10/codes", test_codes);
  g_test_add_func ("/icd10/file", test_file);
  g_test_add_func ("/icd10/bad-file", test_bad_file);
  g_test_add_func ("/icd10/size", test_size);
  return g_test_run ();
}
