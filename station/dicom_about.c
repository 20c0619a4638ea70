#include "station/dicom_about.h"
#include "station/request.h"

#include <math.h>
#include <string.h>

#define TEXT_MAX 200
#define LIST_MAX 16
#define LUTS_MAX 8
#define LUT_NAME_MAX 64

static void
copy_text (json_t *to, const json_t *from, const char *key)
{
  const char *text = json_string_value (json_object_get (from, key));
  if (text != NULL && *text != '\0' && text_is_clean (text, TEXT_MAX))
    json_object_set_new (to, key, json_string (text));
}

static void
copy_number (json_t *to, const json_t *from, const char *key, double low, double high)
{
  const json_t *value = json_object_get (from, key);
  double number = json_number_value (value);
  if (json_is_number (value) && number >= low && number <= high)
    json_object_set_new (to, key,
                         json_is_integer (value) ? json_integer (json_integer_value (value))
                                                 : json_real (number));
}

static void
copy_flag (json_t *to, const json_t *from, const char *key)
{
  json_object_set_new (to, key, json_boolean (json_is_true (json_object_get (from, key))));
}

/* An array of objects of numbers. */
static void
copy_list (json_t *to, const json_t *from, const char *key, const char *const *fields, guint n,
           double low, double high)
{
  json_t *list = json_array (), *item;
  gsize i;
  json_array_foreach (json_object_get (from, key), i, item)
  {
    json_t *copy = json_object ();
    for (guint j = 0; j < n; j++)
      copy_number (copy, item, fields[j], low, high);
    if (json_object_size (copy) == n && json_array_size (list) < LIST_MAX)
      json_array_append_new (list, copy);
    else
      json_decref (copy);
  }
  json_object_set_new (to, key, list);
}

/* [{"name"}]; a table without a usable name has an empty one. */
static void
copy_luts (json_t *to, const json_t *from)
{
  json_t *list = json_array (), *item;
  gsize i;
  json_array_foreach (json_object_get (from, "luts"), i, item)
  {
    const char *name = json_string_value (json_object_get (item, "name"));
    if (json_array_size (list) < LUTS_MAX)
      json_array_append_new (
          list, json_pack ("{s:s}", "name",
                           name != NULL && text_is_clean (name, LUT_NAME_MAX) ? name : ""));
  }
  json_object_set_new (to, "luts", list);
}

static void
copy_spacing (json_t *to, const json_t *from)
{
  const json_t *spacing = json_object_get (from, "spacing");
  json_t *copy = json_object ();
  copy_number (copy, spacing, "row_mm", 1e-6, 1000);
  copy_number (copy, spacing, "column_mm", 1e-6, 1000);
  copy_text (copy, spacing, "where");
  if (json_object_size (copy) == 3)
    json_object_set (to, "spacing", copy);
  json_decref (copy);
}

static json_t *
clean_picture (const json_t *said)
{
  static const char *const window[] = { "center", "width" };
  static const char *const region[] = { "x0", "y0", "x1", "y1", "dx_mm", "dy_mm" };
  json_t *picture = json_object ();
  copy_flag (picture, said, "shown");
  copy_flag (picture, said, "grey");
  copy_flag (picture, said, "invert");
  copy_flag (picture, said, "signed");
  copy_flag (picture, said, "lossy");
  copy_text (picture, said, "reason");
  copy_text (picture, said, "unit");
  copy_number (picture, said, "rows", 1, 65535);
  copy_number (picture, said, "columns", 1, 65535);
  copy_number (picture, said, "frames", 1, 5000);
  copy_number (picture, said, "bits", 1, 16);
  copy_number (picture, said, "slope", -1e9, 1e9);
  copy_number (picture, said, "intercept", -1e9, 1e9);
  copy_number (picture, said, "frame_ms", 1, 60000);
  copy_list (picture, said, "windows", window, G_N_ELEMENTS (window), -1e9, 1e9);
  copy_list (picture, said, "regions", region, G_N_ELEMENTS (region), 0, 1e6);
  copy_luts (picture, said);
  copy_spacing (picture, said);
  if (json_object_get (picture, "rows") == NULL || json_object_get (picture, "columns") == NULL
      || json_object_get (picture, "frames") == NULL || json_object_get (picture, "bits") == NULL)
    json_object_set_new (picture, "shown", json_false ());
  return picture;
}

json_t *
dicom_about_clean (const json_t *said)
{
  static const char *const texts[] = { "sop_class",
                                       "sop_instance",
                                       "study",
                                       "series",
                                       "modality",
                                       "study_description",
                                       "series_description",
                                       "series_number",
                                       "instance_number",
                                       "body_part",
                                       "manufacturer",
                                       "model",
                                       "study_date",
                                       "study_time",
                                       "date",
                                       "time",
                                       "accession" };
  static const char *const persons[] = { "id", "name", "birth_date", "sex" };
  if (!json_is_object (said))
    return NULL;
  json_t *about = json_object (), *patient = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    copy_text (about, said, texts[i]);
  for (guint i = 0; i < G_N_ELEMENTS (persons); i++)
    copy_text (patient, json_object_get (said, "patient"), persons[i]);
  json_object_set_new (about, "patient", patient);
  json_object_set_new (about, "picture", clean_picture (json_object_get (said, "picture")));
  return about;
}

const char *
dicom_about_text (const json_t *about, const char *key)
{
  const char *text = json_string_value (json_object_get (about, key));
  return text != NULL ? text : "";
}

const char *
dicom_about_patient (const json_t *about, const char *key)
{
  return dicom_about_text (json_object_get (about, "patient"), key);
}

static int
compare_words (const void *one, const void *other)
{
  return strcmp (*(const char *const *)one, *(const char *const *)other);
}

/* Letters without their marks, in lower case; everything else is a space. (transfer full) */
static char *
bare_letters (const char *name)
{
  g_autofree char *apart = g_utf8_normalize (name, -1, G_NORMALIZE_NFKD);
  GString *bare = g_string_new (NULL);
  for (const char *at = apart; at != NULL && *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (g_unichar_ismark (c))
      continue;
    if (c == 0x110 || c == 0x111) /* đ has no parts */
      c = 'd';
    g_string_append_unichar (bare, g_unichar_isalnum (c) ? g_unichar_tolower (c) : ' ');
  }
  return g_string_free (bare, FALSE);
}

/* "Nguyễn  Văn-An" → "an nguyen van" (transfer full) */
static char *
words_of (const char *name)
{
  g_autofree char *bare = bare_letters (name);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_auto (GStrv) parts = g_strsplit (bare, " ", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      g_ptr_array_add (words, parts[i]);
  if (words->len > 0)
    qsort (words->pdata, words->len, sizeof (gpointer), compare_words);
  g_ptr_array_add (words, NULL);
  return g_strjoinv (" ", (char **)words->pdata);
}

gboolean
dicom_names_agree (const char *one, const char *other)
{
  g_autofree char *a = words_of (one), *b = words_of (other);
  return *a == '\0' || *b == '\0' || g_str_equal (a, b);
}
