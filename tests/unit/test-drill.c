#include "records/drill.h"
#include "records_place.h"

#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

/* The code that recipient i finds in a challenge, by stock openssl. */
static char *
code_of (Records *records, guint i, GBytes *challenge)
{
  g_autofree char *text = place_openssl_decrypt (&records->place, i, challenge);
  g_auto (GStrv) parts = g_strsplit (text, "recovery key: ", 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  return g_strndup (parts[1], 19);
}

static GBytes *
challenge (Records *records, guint i)
{
  g_autoptr (GError) error = NULL;
  GBytes *der = drill_challenge (records->store, i, "lan", &error);
  g_assert_no_error (error);
  return der;
}

static gint64
last_of (Records *records, guint i)
{
  g_autoptr (GError) error = NULL;
  gint64 set_up_us;
  g_autoptr (GArray) times = drill_times (records->store, &set_up_us, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (times->len, ==, 2);
  return g_array_index (times, gint64, i);
}

static void
refused (Records *records, const char *code)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (drill_confirm (records->store, code, "lan", NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
}

/* A code counts once, for the newest challenge of its recipient, and nobody else's. */
static void
test_challenge (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  guint which = 99;
  records_up (&records);
  g_assert_cmpint (last_of (&records, 1), ==, 0);

  g_autoptr (GBytes) first = challenge (&records, 1), newest = challenge (&records, 1);
  g_autofree char *old = code_of (&records, 1, first), *code = code_of (&records, 1, newest);
  refused (&records, "");
  refused (&records, "0000-0000-0000-0000");
  refused (&records, old);
  g_autofree char *small = g_ascii_strdown (code, -1);
  g_assert_true (drill_confirm (records.store, small, "lan", &which, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (which, ==, 1);
  g_assert_cmpint (last_of (&records, 1), >, 0);
  g_assert_cmpint (last_of (&records, 0), ==, 0);
  refused (&records, code);

  /* It survives a restart, and stands in the log. */
  g_autoptr (GBytes) third = challenge (&records, 0);
  records_close (&records);
  records_open (&records);
  g_autofree char *third_code = code_of (&records, 0, third);
  g_assert_true (drill_confirm (records.store, third_code, NULL, &which, &error));
  g_assert_cmpuint (which, ==, 0);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
drill_with (Records *records, guint key, guint certificate, DrillReport *report)
{
  g_autoptr (GError) error = NULL;
  guint which = 99;
  drill_escrows (records->vault, records->place.keys[key], records->place.certificates[certificate],
                 &which, report, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (which, ==, certificate);
}

static void
test_escrows (void)
{
  Records records;
  g_auto (DrillReport) good = { 0 }, bad = { 0 }, none = { 0 };
  g_autoptr (GError) error = NULL;
  guint which;
  records_up (&records);
  g_autofree char *consult = records_consult (&records), *other = records_consult (&records);

  drill_with (&records, 1, 1, &good);
  g_assert_cmpuint (good.keys, ==, 3); /* two consultations, and the station's own */
  g_assert_cmpuint (good.opened, ==, 3);
  g_assert_null (good.problem);
  g_assert_true (drill_log_escrows (records.store, 1, good.opened, "lan", &error));
  g_assert_cmpint (last_of (&records, 1), >, 0);

  /* A key that does not fit its certificate opens nothing, and says of which. */
  drill_with (&records, 0, 1, &bad);
  g_assert_cmpuint (bad.opened, ==, 0);
  g_assert_nonnull (bad.problem);

  EVP_PKEY *stranger = EVP_EC_gen ("P-384");
  X509 *certificate = place_certificate (stranger, "Người lạ", -86400, 86400);
  g_assert_false (drill_escrows (records.vault, stranger, certificate, &which, &none, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  X509_free (certificate);
  EVP_PKEY_free (stranger);
  records_down (&records);
}

static void
test_due (void)
{
  gint64 now = 1000 * DAY_US;
  g_assert_false (drill_is_due (0, now - DAY_US, now));
  g_assert_true (drill_is_due (0, now - 32 * DAY_US, now));
  g_assert_false (drill_is_due (now - 30 * DAY_US, now - 900 * DAY_US, now));
  g_assert_true (drill_is_due (now - 32 * DAY_US, now - 900 * DAY_US, now));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/drill/challenge", test_challenge);
  g_test_add_func ("/drill/escrows", test_escrows);
  g_test_add_func ("/drill/due", test_due);
  return g_test_run ();
}
