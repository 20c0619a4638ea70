/* Which recording may go to make room, how long a consultation is kept, what who joins late is
 * told. */
#include "station/catch_up.h"
#include "station/disk_policy.h"
#include "station/keep_class.h"

#define RECORDING (1u << PURPOSE_RECORDING)
#define CLINICAL (1u << PURPOSE_CLINICAL)
#define TODAY "2026-11-27"

typedef struct {
  const char *consult, *day;
  guint purposes;
  gboolean hold, delivered;
} Line;

static char *
choose (const Line *lines, guint n, guint age)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)retention_line_free);
  g_autoptr (GHashTable) delivered = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++) {
    RetentionLine *line = g_new0 (RetentionLine, 1);
    line->consult = g_strdup (lines[i].consult);
    line->day = g_strdup (lines[i].day);
    line->purposes = lines[i].purposes;
    line->hold = lines[i].hold;
    g_ptr_array_add (all, line);
    if (lines[i].delivered)
      g_hash_table_add (delivered, (void *)lines[i].consult);
  }
  return disk_policy_choose (all, delivered, age, TODAY);
}

static void
test_choose (void)
{
  static const Line lines[] = {
    { "held", "2026-01-01", RECORDING | CLINICAL, TRUE, TRUE },
    { "not-delivered", "2026-01-02", RECORDING | CLINICAL, FALSE, FALSE },
    { "gone", "2026-01-03", CLINICAL, FALSE, TRUE },
    { "no-day", NULL, RECORDING, FALSE, TRUE },
    { "good", "2026-10-01", RECORDING | CLINICAL, FALSE, TRUE },
    { "younger", "2026-11-20", RECORDING | CLINICAL, FALSE, TRUE },
  };
  g_autofree char *oldest = choose (lines, G_N_ELEMENTS (lines), 30);
  g_assert_cmpstr (oldest, ==, "good");
  g_autofree char *young = choose (lines + 5, 1, 30);
  g_assert_cmpstr (young, ==, NULL);
  g_autofree char *old_enough = choose (lines + 5, 1, 7);
  g_assert_cmpstr (old_enough, ==, "younger");
  /* A day that is yet to come was written by a clock that was ahead. */
  static const Line ahead[] = { { "ahead", "2027-01-01", RECORDING, FALSE, TRUE } };
  g_autofree char *none = choose (ahead, 1, 0);
  g_assert_cmpstr (none, ==, NULL);
}

static RetentionClass
class_of (const char *const *codes, const char *because)
{
  g_autoptr (Consult) consult = consult_new ("6d8f0c1e-0000-4000-8000-000000000000");
  const char *code;
  for (; *codes != NULL; codes++)
    json_array_append_new (consult->problems, json_pack ("{s:s, s:s?}", "problem", *codes, "icd10",
                                                         **codes != '\0' ? *codes : NULL));
  RetentionClass class = keep_class_propose (consult, &code);
  g_assert_cmpstr (code, ==, because);
  return class;
}

static void
test_class (void)
{
  static const char *const none[] = { NULL }, *const plain[] = { "I21.9", "", NULL };
  static const char *const two[] = { "I10", "S72.0", "F20", NULL };
  static const char *const dead[] = { "S06.9", "R99", NULL };
  g_assert_cmpint (class_of (none, NULL), ==, RETENTION_ORDINARY);
  g_assert_cmpint (class_of (plain, NULL), ==, RETENTION_ORDINARY);
  g_assert_cmpint (class_of (two, "S72.0"), ==, RETENTION_ACCIDENT);
  g_assert_cmpint (class_of (dead, "R99"), ==, RETENTION_DEATH);
}

/* ---- The minute before somebody came ------------------------------------------------------- */

static void
add_row (GPtrArray *rows, gint64 utc_us, const char *body)
{
  StoreRow *row = g_new0 (StoreRow, 1);
  row->consult = g_strdup ("x");
  row->kind = g_strdup ("observation");
  row->utc_us = utc_us;
  row->body = json_loads (body, 0, NULL);
  g_assert_nonnull (row->body);
  g_ptr_array_add (rows, row);
}

static void
test_catch_up (void)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)store_row_free);
  const gint64 now = G_GINT64_CONSTANT (1795123456000000), s = G_USEC_PER_SEC;
  add_row (rows, now - 61 * s, "{\"vital\":\"spo2\",\"value\":70}");
  add_row (rows, now - 60 * s, "{\"vital\":\"spo2\",\"value\":97}");
  add_row (rows, now - 59 * s, "{\"vital\":\"spo2\",\"value\":96}"); /* too soon after it */
  add_row (rows, now - 30 * s, "{\"vital\":\"spo2\",\"value\":88,\"test\":true}");
  add_row (rows, now - 30 * s, "{\"vital\":\"spo2\",\"value\":88,\"absent\":\"lead off\"}");
  add_row (rows, now - 30 * s, "{\"vital\":\"spo2\",\"value\":88,\"flags\":[\"stored\"]}");
  add_row (rows, now - 30 * s, "{\"vital\":\"hr\",\"value_text\":\"x\"}");
  add_row (rows, now - 20 * s, "{\"value\":1}");
  add_row (rows, now - 10 * s, "{\"vital\":\"spo2\",\"value\":91.5}");
  add_row (rows, now + 10 * s, "{\"vital\":\"spo2\",\"value\":10}");
  json_auto_t *curves = catch_up_curves (rows, now);
  json_auto_t *want = json_loads ("{\"spo2\":[[-60.0,97],[-10.0,91.5]]}", 0, NULL);
  g_assert_true (json_equal (curves, want));

  /* Ten a second of very many kinds stay a small message. */
  g_ptr_array_set_size (rows, 0);
  for (guint i = 0; i < 600; i++) {
    g_autofree char *body = g_strdup_printf ("{\"vital\":\"v%u\",\"value\":%u}", i % 60, i);
    add_row (rows, now - 60 * s + i * (s / 10), body);
  }
  json_auto_t *many = catch_up_curves (rows, now);
  g_assert_cmpuint (json_object_size (many), <=, 24);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keeping/choose", test_choose);
  g_test_add_func ("/keeping/class", test_class);
  g_test_add_func ("/keeping/catch-up", test_catch_up);
  return g_test_run ();
}
