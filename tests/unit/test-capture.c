/* Captures: sealed, in order, whole up to where they were cut, and nothing of them in plain. */
#include "records/capture.h"
#include "vault_place.h"

#define SECRET "BN 0100123 Vàng Thị Mỷ"

static Place place;
static Vault *vault;

static char *
path_of (const char *name)
{
  return g_build_filename (place.dir, name, NULL);
}

/* Not to the disk: hundreds of times. */
static void
put_file (const char *path, const char *bytes, gssize length)
{
  g_unlink (path);
  g_assert_true (
      g_file_set_contents_full (path, bytes, length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* Three records of each direction, and an end when whole. */
static char *
make_capture (const char *name, gboolean whole)
{
  g_autoptr (GError) error = NULL;
  char *path = path_of (name);
  json_auto_t *about = json_pack ("{s:s, s:s}", "device", SECRET, "kind", "contec");
  CaptureWriter *writer = capture_create (path, vault, about, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *text = g_strdup_printf ("%u %s", i, SECRET);
    g_assert_true (capture_write (writer, CAPTURE_FROM_DEVICE, 1000 + i, 2000 + i,
                                  (const guint8 *)text, strlen (text), &error));
    g_assert_true (capture_write (writer, CAPTURE_TO_DEVICE, 1000 + i, 2000 + i,
                                  (const guint8 *)"?", 1, &error));
  }
  g_assert_cmpuint (capture_size (writer), >, 6 * 40);
  if (whole) {
    capture_close (writer);
    return path;
  }
  /* As a kill leaves it: what was written is there, nothing is ended. */
  g_autofree char *bytes = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  capture_close (writer);
  put_file (path, bytes, (gssize)length);
  return path;
}

/* Records that can be read; how it ends. */
static guint
count (CaptureReader *reader, CaptureRead *ret_end)
{
  for (guint n = 0;; n++) {
    CaptureRecord record = { 0 };
    g_autoptr (GError) error = NULL;
    *ret_end = capture_read (reader, &record, &error);
    g_assert_cmpint (error != NULL, ==, *ret_end == CAPTURE_BROKEN);
    if (*ret_end != CAPTURE_GOT)
      return n;
    g_bytes_unref (record.data);
  }
}

static void
test_round_trip (void)
{
  g_autofree char *path = make_capture ("whole.cap", TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (CaptureReader) reader = capture_open (path, vault, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_string_value (json_object_get (capture_about (reader), "kind")), ==,
                   "contec");
  for (guint i = 0; i < 6; i++) {
    CaptureRecord record = { 0 };
    g_autofree char *text = g_strdup_printf ("%u %s", i / 2, SECRET);
    const char *expected = i % 2 == 0 ? text : "?";
    g_assert_cmpint (capture_read (reader, &record, &error), ==, CAPTURE_GOT);
    g_assert_cmpint (record.kind, ==, i % 2 == 0 ? CAPTURE_FROM_DEVICE : CAPTURE_TO_DEVICE);
    g_assert_cmpint (record.monotonic_us, ==, 1000 + i / 2);
    g_assert_cmpint (record.utc_us, ==, 2000 + i / 2);
    g_assert_cmpmem (g_bytes_get_data (record.data, NULL), g_bytes_get_size (record.data), expected,
                     strlen (expected));
    g_bytes_unref (record.data);
  }
  CaptureRecord record;
  g_assert_cmpint (capture_read (reader, &record, &error), ==, CAPTURE_WHOLE);
}

static void
test_nothing_in_plain (void)
{
  g_autofree char *path = make_capture ("plain.cap", TRUE), *bytes = NULL;
  gsize length = 0;
  GStatBuf status;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  static const char *const words[] = { "0100123", "Vàng", "contec", "device", "Mỷ" };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_null (memmem (bytes, length, words[i], strlen (words[i])));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

/* A longer read than a record holds. */
static void
test_long (void)
{
  g_autofree char *path = path_of ("long.cap");
  g_autofree guint8 *data = g_malloc0 (CAPTURE_BYTES_MAX * 2 + 5);
  g_autoptr (GError) error = NULL;
  json_auto_t *about = json_object ();
  CaptureWriter *writer = capture_create (path, vault, about, &error);
  g_assert_true (
      capture_write (writer, CAPTURE_FROM_DEVICE, 1, 1, data, CAPTURE_BYTES_MAX * 2 + 5, &error));
  capture_close (writer);
  g_autoptr (CaptureReader) reader = capture_open (path, vault, &error);
  CaptureRead end;
  g_assert_cmpuint (count (reader, &end), ==, 3);
  g_assert_cmpint (end, ==, CAPTURE_WHOLE);
}

/* Killed between any two bytes: whole records stay, nothing else comes out. */
static void
test_cut_anywhere (void)
{
  g_autofree char *path = make_capture ("killed.cap", FALSE), *bytes = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  guint best = 0;
  for (gsize cut = 0; cut <= length; cut++) {
    g_autoptr (GError) error = NULL;
    CaptureRead end = CAPTURE_CUT;
    put_file (path, bytes, (gssize)cut);
    g_autoptr (CaptureReader) reader = capture_open (path, vault, &error);
    g_assert_true ((reader == NULL) == (error != NULL));
    guint n = reader != NULL ? count (reader, &end) : 0;
    g_assert_cmpint (end, ==, CAPTURE_CUT);
    g_assert_cmpuint (n, >=, best);
    best = n;
  }
  g_assert_cmpuint (best, ==, 6);
}

/* Any changed byte is found. */
static void
test_changed_anywhere (void)
{
  g_autofree char *path = make_capture ("changed.cap", TRUE), *bytes = NULL;
  gsize length = 0, step = place_is_slow () ? 37 : 1;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (gsize at = 0; at < length; at += step) {
    g_autoptr (GError) error = NULL;
    CaptureRead end = CAPTURE_BROKEN;
    bytes[at] ^= 0x20;
    put_file (path, bytes, (gssize)length);
    bytes[at] ^= 0x20;
    g_autoptr (CaptureReader) reader = capture_open (path, vault, &error);
    if (reader != NULL)
      count (reader, &end);
    g_assert_cmpint (end, !=, CAPTURE_WHOLE);
  }
}

/* With a recovery key and nothing else, as at home; not with another key. */
static void
test_recovery (void)
{
  g_autofree char *path = make_capture ("home.cap", TRUE);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    CaptureRead end;
    g_autoptr (CaptureReader) reader
        = capture_open_recovery (path, place.keys[i], place.certificates[i], &error);
    g_assert_no_error (error);
    g_assert_cmpuint (count (reader, &end), ==, 6);
    g_assert_cmpint (end, ==, CAPTURE_WHOLE);
  }
  g_autoptr (GError) error = NULL;
  EVP_PKEY *stranger = EVP_EC_gen ("P-384");
  g_assert_null (capture_open_recovery (path, stranger, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  EVP_PKEY_free (stranger);
}

static void
test_refusals (void)
{
  g_autofree char *path = make_capture ("there.cap", TRUE), *none = path_of ("none.cap");
  g_autoptr (GError) exists = NULL, absent = NULL, strange = NULL;
  json_auto_t *about = json_object ();
  g_assert_null (capture_create (path, vault, about, &exists));
  g_assert_error (exists, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  g_assert_null (capture_open (none, vault, &absent));
  g_assert_error (absent, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  put_file (none, "not a capture, but long enough for a head", -1);
  g_assert_null (capture_open (none, vault, &strange));
  g_assert_error (strange, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_init (&place);
  place_create (&place);
  vault = place_open (&place);
  g_assert_true (vault_unlock_boot (vault, place.boot, NULL));
  g_test_add_func ("/capture/round-trip", test_round_trip);
  g_test_add_func ("/capture/nothing-in-plain", test_nothing_in_plain);
  g_test_add_func ("/capture/long", test_long);
  g_test_add_func ("/capture/cut-anywhere", test_cut_anywhere);
  g_test_add_func ("/capture/changed-anywhere", test_changed_anywhere);
  g_test_add_func ("/capture/recovery", test_recovery);
  g_test_add_func ("/capture/refusals", test_refusals);
  int result = g_test_run ();
  vault_free (vault);
  place_clear (&place);
  return result;
}
