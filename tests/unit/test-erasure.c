#include "records/patient_index.h"
#include "records/attachment.h"
#include "records/erasure.h"
#include "records/retention.h"
#include "records/vault_private.h"
#include "records_place.h"

#define SECRET "đau bụng dữ dội từ hôm qua"
#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

static void
record_something (Records *records, const char *consult)
{
  const TrackInfo info
      = { .stream = "camera", .mime_type = "video/mp4; codecs=\"avc1.42c01e\"", .label = "Camera" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("moof mdat moof mdat", 19);
  Track *track = track_open (records->store, consult, &info, &error);
  g_assert_no_error (error);
  g_assert_true (track_append (track, bytes, SEGMENT_INIT, 0));
  track_close (track);
}

static void
attach_something (Records *records, const char *consult)
{
  g_autoptr (GBytes) content = g_bytes_new_static (SECRET, strlen (SECRET));
  const AttachmentInfo info = { "still", "a.png", "image/png", NULL };
  g_autoptr (GError) error = NULL;
  Attachment attachment;
  attachment_put_sync (records->store, consult, "lan", &info, content, &attachment, &error);
  g_assert_no_error (error);
}

/* A consultation with a note, an attachment and a recording. */
static char *
whole_consult (Records *records)
{
  char *consult = records_consult (records);
  records_note (records, consult, SECRET);
  attach_something (records, consult);
  record_something (records, consult);
  return consult;
}

static gboolean
erase (Records *records, const char *consult, guint purposes, ErasureWhy why, GError **error)
{
  json_auto_t *copies = json_pack ("[{s:s, s:s}]", "where", "backup", "what", "usb-1");
  const Erasure erasure = { .consult = consult,
                            .purposes = purposes,
                            .why = why,
                            .reason = "người bệnh rút lại đồng ý",
                            .user = "lan",
                            .copies = copies };
  return erasure_run (records->store, records->identity, &erasure, NULL, error);
}

static guint
files_in (Records *records, const char *folder, const char *consult)
{
  g_autofree char *path = g_build_filename (records->dir, folder, consult, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* How often bytes stand in any file below path. */
static guint
count_hits (const char *path, gconstpointer bytes, gsize size)
{
  guint hits = 0;
  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      hits += count_hits (inner, bytes, size);
    }
    return hits;
  }
  g_autofree char *data = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &data, &length, NULL))
    return 0;
  for (const char *at = data; (at = memmem (at, length - (gsize)(at - data), bytes, size)) != NULL;
       at++)
    hits++;
  return hits;
}

/* The last bytes of a wrap: ciphertext and tag, found nowhere but in this wrap. */
static GBytes *
tail_of (GBytes *wrap)
{
  gsize size = g_bytes_get_size (wrap);
  return g_bytes_new (((const guint8 *)g_bytes_get_data (wrap, NULL)) + size - 40, 40);
}

static GPtrArray *
tails_of_key (Records *records, const char *consult, Purpose purpose)
{
  GPtrArray *tails = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (KeyRow) row = vault_find_key (records->vault, consult, purpose, &error);
  g_assert_no_error (error);
  g_ptr_array_add (tails, tail_of (row->vk_cms));
  g_ptr_array_add (tails, tail_of (row->recovery_cms));
  g_ptr_array_add (tails, tail_of (row->boot));
  return tails;
}

static guint
hits_of (Records *records, GPtrArray *tails)
{
  guint hits = 0;
  for (guint i = 0; i < tails->len; i++) {
    gsize size;
    gconstpointer data = g_bytes_get_data (tails->pdata[i], &size);
    hits += count_hits (records->dir, data, size);
  }
  return hits;
}

/* ---- Erasure ------------------------------------------------------------------------------ */

static void
test_recording_goes_minutes_stay (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);

  g_assert_cmpuint (files_in (&records, "media", consult), ==, 1);
  erase (&records, consult, 1u << PURPOSE_RECORDING | 1u << PURPOSE_TEACHING, ERASURE_CONSENT,
         &error);
  g_assert_no_error (error);
  g_assert_cmpuint (files_in (&records, "media", consult), ==, 0);
  g_assert_cmpuint (files_in (&records, "attachments", consult), ==, 1);
  g_assert_true (erasure_done (records.store, consult, PURPOSE_RECORDING));
  g_assert_false (erasure_done (records.store, consult, PURPOSE_CLINICAL));

  StoreRow *note = store_latest (records.store, consult, "note", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_string_value (json_object_get (note->body, "text")), ==, SECRET);
  store_row_free (note);
  json_auto_t *tracks = recording_index (records.store, consult, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_size (tracks), ==, 0);
  assert_good (records.dir, records.vault);

  /* Twice is once too often, and the same recording does not begin again under a new key. */
  g_assert_false (erase (&records, consult, 1u << PURPOSE_RECORDING, ERASURE_CONSENT, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  const TrackInfo info = { .stream = "camera", .mime_type = "video/mp4", .label = "Camera" };
  g_assert_null (track_open (records.store, consult, &info, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  records_down (&records);
}

static void
test_certificate (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);

  erase (&records, consult, 1u << PURPOSE_RECORDING, ERASURE_CONSENT, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) list = erasure_list (records.store, &error);
  g_assert_cmpuint (list->len, ==, 1);
  const ErasureCertificate *certificate = list->pdata[0];
  g_assert_cmpstr (certificate->consult, ==, consult);
  g_assert_cmpstr (certificate->why, ==, "consent-withdrawn");
  g_assert_cmpuint (certificate->purposes, ==, 1u << PURPOSE_RECORDING);
  g_assert_true (certificate->is_signed);
  g_assert_cmpuint (json_array_size (certificate->copies), ==, 1);

  /* What people wrote stands nowhere in the clear. */
  g_assert_cmpuint (count_hits (records.dir, "rút lại", strlen ("rút lại")), ==, 0);
  /* One changed byte is found by verify, and is no signature any more. */
  g_autofree char *path = g_build_filename (records.dir, certificate->file, NULL);
  g_autofree char *text = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  char *why = strstr (text, "consent");
  g_assert_nonnull (why);
  char *at = strstr (text, "20");
  *at = '3';
  g_assert_true (g_file_set_contents (path, text, (gssize)size, NULL));
  g_autoptr (GPtrArray) forged = erasure_list (records.store, &error);
  for (guint i = 0; i < forged->len; i++)
    g_assert_false (((ErasureCertificate *)forged->pdata[i])->is_signed);
  assert_bad (records.dir, records.vault, "file-changed", certificate->file);
  records_down (&records);
}

/* Consultations of a patient, by the blind index. */
static guint
found_of (Records *records, const char *identifier)
{
  g_autoptr (GError) error = NULL;
  store_put_sync (records->store, "station", "sync", NULL, json_object (), NULL, NULL);
  const char *const identifiers[] = { identifier, NULL };
  g_autoptr (GPtrArray) ids = patient_index_find (records->store, identifiers, &error);
  g_assert_no_error (error);
  return ids->len;
}

static void
test_no_residue (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);
  g_autofree char *other = whole_consult (&records);
  g_autoptr (GPtrArray) clinical = tails_of_key (&records, consult, PURPOSE_CLINICAL);
  g_autoptr (GPtrArray) recording = tails_of_key (&records, consult, PURPOSE_RECORDING);
  g_autoptr (GPtrArray) kept = tails_of_key (&records, other, PURPOSE_CLINICAL);

  /* The search finds what is there: each wrap once in either key file. */
  g_assert_cmpuint (hits_of (&records, clinical), ==, 6);
  g_assert_cmpuint (hits_of (&records, recording), ==, 6);
  static const char *const whose[] = { "n:011162000123", NULL };
  g_assert_true (patient_index_put (records.store, consult, whose, &error));
  g_assert_cmpuint (found_of (&records, whose[0]), ==, 1);
  erase (&records, consult, 1u << PURPOSE_CLINICAL | 1u << PURPOSE_RECORDING, ERASURE_RETENTION,
         &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found_of (&records, whose[0]), ==, 0);
  g_assert_cmpuint (hits_of (&records, clinical), ==, 0);
  g_assert_cmpuint (hits_of (&records, recording), ==, 0);
  g_assert_cmpuint (hits_of (&records, kept), ==, 6);
  g_assert_cmpuint (files_in (&records, "attachments", consult), ==, 0);
  g_assert_null (store_latest (records.store, consult, "note", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  assert_good (records.dir, records.vault);
  records_close (&records);
  records_open (&records);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* A kill after the word and before the deed: the folder as it was when the log had told. */
static void
test_kill_between (void)
{
  Records records, after;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);
  records_close (&records);
  g_autofree char *before = records_copy (records.dir);
  records_open (&records);
  erase (&records, consult, 1u << PURPOSE_RECORDING, ERASURE_CONSENT, &error);
  g_assert_no_error (error);
  records_close (&records);

  after = records;
  after.dir = after.place.dir = records_copy (records.dir);
  static const char *const files[] = { "keys.db", "keys-copy.db", "media" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *from = g_build_filename (before, files[i], NULL);
    const char *argv[] = { "cp", "-a", from, after.dir, NULL };
    g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                  &error);
    g_assert_no_error (error);
  }
  g_assert_cmpuint (files_in (&after, "media", consult), ==, 1);
  records_open (&after);
  g_assert_cmpuint (files_in (&after, "media", consult), ==, 0);
  g_autoptr (DataKey) key = vault_get_key (after.vault, consult, PURPOSE_RECORDING, &error);
  g_assert_null (key);
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  assert_good (after.dir, after.vault);
  records_down (&after);
  records_remove (before);
  records_open (&records);
  records_down (&records);
}

/* An old backup is put back; the list of the newer one destroys what was erased since. */
static void
test_replay (void)
{
  Records records, old;
  g_autoptr (GError) error = NULL;
  guint keys = 99;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);
  records_close (&records);
  old = records;
  old.dir = old.place.dir = records_copy (records.dir);
  records_open (&records);
  erase (&records, consult, 1u << PURPOSE_RECORDING, ERASURE_CONSENT, &error);
  g_assert_no_error (error);

  records_open (&old);
  g_autofree char *list = g_build_filename (records.dir, ERASURE_FOLDER, NULL);
  g_assert_true (erasure_replay (old.store, list, &keys, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (keys, ==, 1);
  g_assert_cmpuint (files_in (&old, "media", consult), ==, 0);
  g_assert_true (erasure_replay (old.store, list, &keys, &error));
  g_assert_cmpuint (keys, ==, 0);
  g_autoptr (GPtrArray) certificates = erasure_list (old.store, &error);
  g_assert_cmpuint (certificates->len, ==, 1);
  assert_good (old.dir, old.vault);
  records_down (&old);
  records_down (&records);
}

/* Another station's certificate about this key destroys nothing. */
static void
test_replay_forged (void)
{
  Records records, stranger;
  g_autoptr (GError) error = NULL;
  guint keys = 99;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);
  store_checkpoint (records.store, &error);
  records_close (&records);
  stranger = records;
  stranger.dir = stranger.place.dir = records_copy (records.dir);
  g_autofree char *certs = g_build_filename (stranger.dir, "certs", NULL);
  records_remove (certs);
  static const char *const names[] = { "localhost", NULL };
  const IdentityPlace where = records_identity_place (&stranger);
  identity_create (&where, "Kẻ lạ", names, &error);
  g_assert_no_error (error);
  records_open (&stranger);
  erase (&stranger, consult, 1u << PURPOSE_RECORDING, ERASURE_CONSENT, &error);
  g_assert_no_error (error);

  records_open (&records);
  g_autofree char *list = g_build_filename (stranger.dir, ERASURE_FOLDER, NULL);
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK); /* it warns */
  g_assert_true (erasure_replay (records.store, list, &keys, &error));
  g_log_set_always_fatal (fatal);
  g_assert_cmpuint (keys, ==, 0);
  g_assert_false (erasure_done (records.store, consult, PURPOSE_RECORDING));
  records_down (&stranger);
  records_down (&records);
}

/* ---- Retention ---------------------------------------------------------------------------- */

static void
test_classes (void)
{
  static const struct {
    const char *code;
    RetentionClass class;
    guint years;
  } CASES[] = {
    { "I21.9", RETENTION_ORDINARY, 10 },    { "F20", RETENTION_PSYCHIATRIC, 20 },
    { "S72.0", RETENTION_ACCIDENT, 20 },    { "W19", RETENTION_ACCIDENT, 20 },
    { "R99", RETENTION_DEATH, 30 },         { "R94", RETENTION_ORDINARY, 10 },
    { "f32.1", RETENTION_PSYCHIATRIC, 20 }, { "", RETENTION_ORDINARY, 10 },
    { NULL, RETENTION_ORDINARY, 10 },       { "F", RETENTION_ORDINARY, 10 },
    { "Fxx", RETENTION_ORDINARY, 10 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_assert_cmpint (retention_class_of_code (CASES[i].code), ==, CASES[i].class);
    g_assert_cmpuint (retention_years (CASES[i].class), ==, CASES[i].years);
  }
  g_assert_cmpint (retention_longer (RETENTION_ACCIDENT, RETENTION_DEATH), ==, RETENTION_DEATH);
  g_assert_cmpint (retention_longer (RETENTION_ACCIDENT, RETENTION_ORDINARY), ==,
                   RETENTION_ACCIDENT);
}

static gboolean
allowed (Records *records, const char *consult, guint purposes, ErasureWhy why, gint64 days,
         gboolean trusted)
{
  const RetentionClock clock = { g_get_real_time () + days * DAY_US, trusted };
  const Erasure erasure = { .consult = consult, .purposes = purposes, .why = why };
  g_autoptr (GError) error = NULL;
  gboolean good = retention_allows (records->store, &erasure, &clock, &error);
  g_assert_true (good == (error == NULL));
  return good;
}

static void
test_rules (void)
{
  const guint clinical = 1u << PURPOSE_CLINICAL, recording = 1u << PURPOSE_RECORDING;
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = whole_consult (&records);
  const gint64 ten = 3653, twenty = 7306;

  g_assert_false (allowed (&records, consult, clinical, ERASURE_RETENTION, 0, TRUE));
  g_assert_false (allowed (&records, consult, clinical, ERASURE_RETENTION, ten - 10, TRUE));
  g_assert_true (allowed (&records, consult, clinical, ERASURE_RETENTION, ten + 1, TRUE));
  /* A clock that nobody vouches for destroys nothing, however late it says it is. */
  g_assert_false (allowed (&records, consult, clinical, ERASURE_RETENTION, 20000, FALSE));
  g_assert_false (allowed (&records, consult, recording, ERASURE_RETENTION, 20000, FALSE));
  /* The minutes stay, whoever withdraws; the recording may go. */
  g_assert_false (allowed (&records, consult, clinical, ERASURE_CONSENT, ten + 1, TRUE));
  g_assert_false (allowed (&records, consult, clinical | recording, ERASURE_DISK, 0, TRUE));
  g_assert_true (allowed (&records, consult, recording, ERASURE_CONSENT, 0, FALSE));

  retention_set_class (records.store, consult, RETENTION_ACCIDENT, "lan", "ngã", &error);
  g_assert_no_error (error);
  g_assert_false (allowed (&records, consult, clinical, ERASURE_RETENTION, ten + 1, TRUE));
  g_assert_true (allowed (&records, consult, clinical, ERASURE_RETENTION, twenty + 1, TRUE));

  g_assert_false (retention_set_hold (records.store, consult, TRUE, "lan", "", &error));
  g_clear_error (&error);
  retention_set_hold (records.store, consult, TRUE, "lan", "thanh tra", &error);
  g_assert_no_error (error);
  g_assert_false (allowed (&records, consult, clinical, ERASURE_RETENTION, twenty + 1, TRUE));
  g_assert_false (allowed (&records, consult, recording, ERASURE_CONSENT, 0, TRUE));
  retention_set_hold (records.store, consult, FALSE, "lan", NULL, &error);
  g_assert_no_error (error);

  /* Nothing of it is lost over a restart. */
  records_close (&records);
  records_open (&records);
  const RetentionClock now = { g_get_real_time (), TRUE };
  RetentionLine *line = retention_of (records.store, consult, &now, &error);
  g_assert_no_error (error);
  g_assert_cmpint (line->class, ==, RETENTION_ACCIDENT);
  g_assert_false (line->hold);
  retention_line_free (line);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/erasure/recording-goes-minutes-stay", test_recording_goes_minutes_stay);
  g_test_add_func ("/erasure/certificate", test_certificate);
  g_test_add_func ("/erasure/no-residue", test_no_residue);
  g_test_add_func ("/erasure/kill-between", test_kill_between);
  g_test_add_func ("/erasure/replay", test_replay);
  g_test_add_func ("/erasure/replay-forged", test_replay_forged);
  g_test_add_func ("/retention/classes", test_classes);
  g_test_add_func ("/retention/rules", test_rules);
  return g_test_run ();
}
