/* SCP-ECG: every way in which samples may be packed, and every byte that may be wrong. */
#include "ecg_check.h"

static const struct {
  ScpCoding coding;
  guint difference;
} WAYS[] = { { SCP_PLAIN, 0 },         { SCP_PLAIN, 2 },         { SCP_DEFAULT_TABLE, 0 },
             { SCP_DEFAULT_TABLE, 1 }, { SCP_DEFAULT_TABLE, 2 }, { SCP_OWN_TABLES, 0 },
             { SCP_OWN_TABLES, 1 },    { SCP_OWN_TABLES, 2 } };

static GByteArray *
make (const EcgMade *made, ScpCoding coding, guint difference, gboolean reduced)
{
  ScpMake how = { coding, difference, reduced, "0100123", "Nguyễn", "Văn A" };
  return ecg_make_scp (made, &how);
}

static void
test_ways (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 2000);
  for (gsize i = 0; i < G_N_ELEMENTS (WAYS); i++) {
    g_autoptr (GByteArray) file = make (made, WAYS[i].coding, WAYS[i].difference, FALSE);
    g_autoptr (EcgRecording) recording = check_read ("scp", file);
    check_whole (recording, made, "uV", 2.5);
    g_assert_cmpuint (recording->notes->len, ==, 0);
  }
}

/* Outside of the QRS a flat line, which comes back from the means; inside all samples do. */
static void
test_reduced (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 5000);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
    for (guint i = 0; i < made->count; i++) {
      guint at = i * 1000 / made->rate * 72 % 60000 / 72; /* ms into the beat */
      if (at < 250 || at > 430 || i > 4700)
        made->lead[lead][i] = 7;
    }
  for (gsize i = 2; i < G_N_ELEMENTS (WAYS); i++) {
    g_autoptr (GByteArray) file = make (made, WAYS[i].coding, WAYS[i].difference, TRUE);
    g_autoptr (EcgRecording) recording = check_read ("scp", file);
    check_whole (recording, made, "uV", 2.5);
    g_assert_cmpuint (recording->notes->len, ==, 1);
  }
}

static void
test_words (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 500);
  g_autoptr (GByteArray) file = make (made, SCP_DEFAULT_TABLE, 2, FALSE);
  g_autoptr (EcgRecording) recording = check_read ("scp", file);
  g_assert_cmpstr (recording->patient_id, ==, "0100123");
  g_assert_cmpstr (recording->patient_name, ==, "Nguyễn Văn A");
  g_assert_cmpstr (recording->patient_birth, ==, "1959-05-08");
  g_assert_cmpstr (recording->patient_sex, ==, "female");
  /* 09:03:12 at UTC+7, which the file says. */
  g_assert_cmpint (recording->time_us, ==, G_GINT64_CONSTANT (1795140192) * G_USEC_PER_SEC);
  g_assert_cmpint (recording->time_source, ==, OBS_TIME_DEVICE);
  g_assert_cmpuint (recording->interpretation->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (recording->interpretation, 0), ==, "Nhịp xoang");
}

/* A byte that is another is always found: that is what the checksums are for. */
static void
test_damage (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 200);
  g_autoptr (GByteArray) file = make (made, SCP_DEFAULT_TABLE, 2, FALSE);
  check_cut ("scp", file, TRUE);
  for (guint i = 0; i < file->len; i++) {
    file->data[i] ^= 0x10;
    check_refused ("scp", file->data, file->len, i >= 6 ? "checksum" : NULL);
    file->data[i] ^= 0x10;
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ecg-scp/ways", test_ways);
  g_test_add_func ("/ecg-scp/reduced", test_reduced);
  g_test_add_func ("/ecg-scp/words", test_words);
  g_test_add_func ("/ecg-scp/damage", test_damage);
  return g_test_run ();
}
