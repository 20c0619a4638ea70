/* Every HL7 file of ../shared/data, what becomes of it, and what its EXPECT.json says should: a
 * table in the test's output. Skips when the data is not there. */
#include "media/devices/decode.h"
#include <string.h>

#define DATA "../shared/data"

typedef struct {
  GPtrArray *readings; /* json_t* */
  guint notes;
} Result;

static void
take (json_t *object, void *arg)
{
  g_ptr_array_add (((Result *)arg)->readings, json_incref (object));
}

static void
take_note (const char *text, void *arg)
{
  ((Result *)arg)->notes++;
}

static void
free_json (void *object)
{
  json_decref (object);
}

static const json_t *
reading_of (const Result *result, const char *vital)
{
  for (guint i = 0; i < result->readings->len; i++) {
    const json_t *o = result->readings->pdata[i];
    if (g_strcmp0 (json_string_value (json_object_get (o, "vital")), vital) == 0
        && json_object_get (o, "value") != NULL)
      return o;
  }
  return NULL;
}

/* EXPECT.json's word for a vital sign, as ours. */
static const char *
vital_of (const char *word)
{
  static const char *const WORDS[][2] = { { "nibp_sys", "nibp-sys" },
                                          { "nibp_dia", "nibp-dia" },
                                          { "nibp_mean", "nibp-mean" },
                                          { "temp_c", "temp" },
                                          { "rr", "resp" } };
  for (guint i = 0; i < G_N_ELEMENTS (WORDS); i++)
    if (g_str_equal (WORDS[i][0], word))
      return WORDS[i][1];
  return word;
}

/* (transfer full) "spo2 96, pulse 78": the numbers that a page would show. */
static char *
summary (const Result *result)
{
  GString *text = g_string_new (NULL);
  guint other = 0;
  for (guint i = 0; i < result->readings->len; i++) {
    const json_t *o = result->readings->pdata[i];
    const char *vital = json_string_value (json_object_get (o, "vital"));
    const char *written = json_string_value (json_object_get (o, "value_text"));
    if (vital != NULL && json_object_get (o, "value") != NULL)
      g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", vital, written);
    else
      other++;
  }
  if (other > 0)
    g_string_append_printf (text, "%s%u as written only", text->len > 0 ? ", " : "", other);
  if (result->notes > 0)
    g_string_append_printf (text, "%s%u refused (AR)", text->len > 0 ? ", " : "", result->notes);
  return g_string_free (text, FALSE);
}

static void
check_numbers (const Result *result, const json_t *expected, const char *name)
{
  const char *word;
  json_t *number;
  guint shown = 0;
  json_object_foreach (json_object_get (expected, "obs"), word, number)
  {
    const json_t *o = reading_of (result, vital_of (word));
    if (o == NULL)
      g_error ("%s: no %s", name, word);
    g_assert_cmpfloat_with_epsilon (json_number_value (json_object_get (o, "value")),
                                    json_number_value (number), 1e-9);
  }
  /* And nothing that was not expected: an empty list means that nothing may be shown. */
  for (guint i = 0; i < result->readings->len; i++) {
    const json_t *o = result->readings->pdata[i];
    shown += json_object_get (o, "vital") != NULL && json_object_get (o, "value") != NULL;
  }
  if (json_object_get (expected, "obs") != NULL)
    g_assert_cmpuint (shown, ==, json_object_size (json_object_get (expected, "obs")));
}

static void
check_patient (const Result *result, const json_t *expected)
{
  const char *member;
  json_t *text;
  json_object_foreach (json_object_get (expected, "patient"), member, text)
  {
    const json_t *patient = json_object_get (result->readings->pdata[0], "patient");
    g_assert_cmpstr (json_string_value (json_object_get (patient, member)), ==,
                     json_string_value (text));
  }
}

static void
check_series (const Result *result, const json_t *expected)
{
  gsize i;
  json_t *number;
  json_array_foreach (json_object_get (expected, "spo2"), i, number)
  {
    const json_t *value = json_object_get (result->readings->pdata[i], "value");
    g_assert_cmpfloat (json_number_value (value), ==, json_number_value (number));
  }
}

static void
check_file (const char *folder, const char *name, const json_t *all)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (DATA, folder, name, NULL);
  g_autofree char *data = NULL;
  gsize length = 0;
  Result result = { .readings = g_ptr_array_new_with_free_func (free_json) };
  const json_t *expected = json_object_get (all, name);
  g_assert_true (g_file_get_contents (path, &data, &length, &error));
  gboolean good
      = device_decode ("hl7", (const guint8 *)data, length, take, take_note, &result, &error);
  g_autofree char *text = summary (&result);
  if (expected != NULL) {
    g_assert_true (good);
    check_numbers (&result, expected, name);
    check_patient (&result, expected);
    check_series (&result, expected);
  }
  g_test_message ("| %s/%s | %s | %s |", folder, name,
                  good ? (*text != '\0' ? text : "nothing in it") : error->message,
                  expected != NULL ? "as EXPECT.json says" : "no expectation given");
  g_ptr_array_unref (result.readings);
}

static void
test_folder (const void *data)
{
  const char *folder = data, *name;
  g_autofree char *path = g_build_filename (DATA, folder, NULL);
  g_autofree char *expect = g_build_filename (path, "EXPECT.json", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  json_auto_t *all = json_load_file (expect, 0, NULL);
  guint files = 0, expected = 0;
  if (dir == NULL) {
    g_test_skip ("no ../shared/data");
    return;
  }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!g_str_has_suffix (name, "LICENCE.txt") && !g_str_has_suffix (name, "PROVENANCE.txt")
        && !g_str_has_suffix (name, ".json")) {
      check_file (folder, name, all);
      expected += json_object_get (all, name) != NULL;
      files++;
    }
  g_assert_cmpuint (files, >, 0);
  g_assert_cmpuint (expected, ==, json_object_size (all));
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "Asia/Ho_Chi_Minh", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/hl7-files/hl7v2-own", "hl7v2-own", test_folder);
  g_test_add_data_func ("/hl7-files/hl7v2", "hl7v2", test_folder);
  return g_test_run ();
}
