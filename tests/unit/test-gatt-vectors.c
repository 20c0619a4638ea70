/* Every vector of ../shared/data/gatt gives what it says. */
#include "gatt_values.h"
#include <string.h>

#define VECTORS "../shared/data/gatt/vectors.json"

static void
expect_number (const GPtrArray *found, const char *name, const char *unit, double wanted,
               double within)
{
  const Observation *o = find (found, name);
  g_assert_cmpint (o->type, ==, OBS_NUMBER);
  g_assert_cmpstr (o->unit, ==, unit);
  g_assert_cmpfloat_with_epsilon (o->number, wanted, within);
}

/* What the device wrote before its unit was converted. */
static void
expect_written (const GPtrArray *found, const char *name, double wanted, const char *unit)
{
  const Observation *o = find (found, name);
  char *end = NULL;
  g_assert_nonnull (o->device_value);
  g_assert_cmpfloat (g_ascii_strtod (o->device_value, &end), ==, wanted);
  g_assert_cmpstr (end + 1, ==, unit);
}

static void
expect_flags (const Observation *o, json_t *names)
{
  size_t i;
  json_t *name;
  json_array_foreach (names, i, name)
  {
    g_autofree char *flag = g_strdelimit (g_strdup (json_string_value (name)), "_", '-');
    if (!observation_has_flag (o, flag))
      g_test_message ("flag %s is missing", flag);
    g_assert_true (observation_has_flag (o, flag));
  }
}

static void
expect_intervals (const GPtrArray *found, json_t *wanted)
{
  guint at = 0;
  for (guint i = 0; i < found->len; i++) {
    const Observation *o = found->pdata[i];
    if (o->mdc == 147240) {
      double ms = json_number_value (json_array_get (wanted, at++));
      g_assert_cmpfloat_with_epsilon (o->number, ms, 0.03);
      g_assert_true (observation_has_flag (o, "implausible") == (ms < 200 || ms > 3000));
    }
  }
  g_assert_cmpuint (at, ==, json_array_size (wanted));
}

static void
expect_time (const Observation *o, const char *wanted)
{
  if (strchr (wanted, '?') != NULL) {
    g_assert_cmpstr (o->device_time, ==, wanted);
    g_assert_cmpint (o->time_source, ==, OBS_TIME_STATION);
    g_assert_cmpint (o->time_us, ==, NOW_US);
    g_assert_true (observation_has_flag (o, "clock-incomplete"));
    return;
  }
  g_autofree char *zoned = g_strconcat (wanted, "Z", NULL);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (zoned, NULL);
  g_assert_cmpint (o->time_source, ==, OBS_TIME_DEVICE_LOCAL);
  g_assert_cmpint (o->time_us, ==, g_date_time_to_unix (time) * G_USEC_PER_SEC);
}

static void
expect_glucose_status (const Observation *o, json_int_t status)
{
  static const char *const names[]
      = { "battery-low",           "sensor-malfunction",   "sample-insufficient",
          "strip-insertion-error", "strip-type-incorrect", "above-range",
          "below-range",           "sensor-too-hot",       "sensor-too-cold",
          "strip-pulled-early",    "device-fault",         "clock-fault" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_true (observation_has_flag (o, names[i]) == ((status >> i & 1) != 0));
}

/* Types of samples by their codes, sites by their words. */
static void
expect_sample (const Observation *o, const char *key, json_int_t number)
{
  static const guint32 codes[] = { 0, 160184, 160188 };
  if (g_str_equal (key, "type"))
    g_assert_cmpuint (o->mdc, ==, codes[number]);
  else
    g_assert_cmpstr (o->site, ==, number == 1 ? "finger" : "another");
}

static const struct {
  const char *key, *name, *unit;
} NUMBERS[] = {
  { "sys", "nibp-sys", "mm[Hg]" },
  { "dia", "nibp-dia", "mm[Hg]" },
  { "map", "nibp-mean", "mm[Hg]" },
  { "sys_mmhg", "nibp-sys", "mm[Hg]" },
  { "pulse", "pulse", "/min" },
  { "temp_c", "temp", "Cel" },
  { "hr", "hr", "/min" },
  { "energy_kj", "energy-expended", "kJ" },
  { "spo2", "spo2", "%" },
  { "kg", "weight", "kg" },
  { "mmol_l", "glucose", "mmol/L" },
};

static const struct {
  const char *key, *name, *unit;
} WRITTEN[] = {
  { "sys_kpa", "nibp-sys", "kPa" },
  { "dia_kpa", "nibp-dia", "kPa" },
  { "map_kpa", "nibp-mean", "kPa" },
  { "conc_kg_per_l", "glucose", "kg/L" },
};

/* FALSE: no number of ours. */
static gboolean
expect_one_number (const GPtrArray *found, const char *key, json_t *wanted)
{
  double number = json_number_value (wanted);
  for (guint i = 0; i < G_N_ELEMENTS (NUMBERS); i++)
    if (g_str_equal (NUMBERS[i].key, key)) {
      gboolean rounded = g_str_has_suffix (key, "_mmhg");
      expect_number (found, NUMBERS[i].name, NUMBERS[i].unit, number, rounded ? 0.05 : 1e-9);
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (WRITTEN); i++)
    if (g_str_equal (WRITTEN[i].key, key)) {
      expect_written (found, WRITTEN[i].name, number, WRITTEN[i].unit);
      return TRUE;
    }
  return FALSE;
}

static void
expect_one (const GPtrArray *found, const char *key, json_t *wanted)
{
  const Observation *first = found->pdata[0];
  const char *text = json_string_value (wanted);
  if (expect_one_number (found, key, wanted))
    return;
  if (g_str_equal (key, "unit"))
    g_assert_cmpstr (text, ==, "mmHg"); /* said in UCUM with each number */
  else if (g_str_equal (key, "time"))
    expect_time (first, text);
  else if (g_str_equal (key, "user"))
    g_assert_cmpint (g_ascii_strtoll (first->device_user, NULL, 10), ==,
                     json_integer_value (wanted));
  else if (g_str_equal (key, "status") && json_is_array (wanted))
    expect_flags (first, wanted);
  else if (g_str_equal (key, "status"))
    expect_glucose_status (first, json_integer_value (wanted));
  else if (g_str_equal (key, "site") && text != NULL)
    g_assert_cmpstr (first->site, ==, text);
  else if (g_str_equal (key, "contact"))
    g_assert_true (observation_has_flag (first, "contact") == json_is_true (wanted));
  else if (g_str_equal (key, "rr_ms"))
    expect_intervals (found, wanted);
  else if (g_str_equal (key, "seq"))
    g_assert_cmpint (g_ascii_strtoll (first->message_id, NULL, 10), ==,
                     json_integer_value (wanted));
  else if (g_str_equal (key, "type") || g_str_equal (key, "site"))
    expect_sample (first, key, json_integer_value (wanted));
  else if (g_str_equal (key, "context"))
    g_assert_true (observation_has_flag (first, "context-follows") == json_is_true (wanted));
  else if (g_str_equal (key, "plausible"))
    g_assert_true (observation_has_flag (first, "implausible") != json_is_true (wanted));
  else
    g_error ("the test does not know what '%s' means", key);
}

static void
check_vector (json_t *vector)
{
  const char *key, *hex = json_string_value (json_object_get (vector, "hex"));
  const char *uuid = json_string_value (json_object_get (vector, "uuid"));
  json_t *wanted, *expected = json_object_get (vector, "expect");
  g_autoptr (GPtrArray) found = read_now (gatt_uuid (uuid), hex);
  g_autoptr (GString) said = g_string_new (NULL);
  json_object_foreach (expected, key, wanted) expect_one (found, key, wanted);
  for (guint i = 0; i < found->len; i++) {
    const Observation *o = found->pdata[i];
    g_string_append_printf (said, "%s%s %s %s", i > 0 ? ", " : "",
                            o->vital != NULL ? o->vital : o->code,
                            o->number_text != NULL ? o->number_text : "-", o->unit);
  }
  g_test_message ("%-55s %s -> %s", json_string_value (json_object_get (vector, "name")), uuid,
                  said->str);
}

static void
test_vectors (void)
{
  if (!g_file_test (VECTORS, G_FILE_TEST_EXISTS)) {
    g_test_skip ("../shared/data is not here");
    return;
  }
  json_error_t wrong;
  json_auto_t *vectors = json_load_file (VECTORS, 0, &wrong);
  size_t i;
  json_t *vector;
  g_assert_cmpuint (json_array_size (vectors), >=, 8);
  json_array_foreach (vectors, i, vector) check_vector (vector);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatt/vectors", test_vectors);
  return g_test_run ();
}
