#include "records/backup.h"
#include "records/erasure.h"
#include "records_place.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A backup beside a store that is open; what comes back is compared, and verified. */

#define ROUNDS 12
#define ROUNDS_LONG 500

typedef struct {
  Records records;
  char *dir, *to, *consult;
} Fixture;

static void
up (Fixture *f)
{
  records_up (&f->records);
  f->dir = g_dir_make_tmp ("nhipcau-backup-XXXXXX", NULL);
  g_autofree char *name = g_strdup_printf ("%s-restored", f->dir);
  f->to = g_steal_pointer (&name);
  f->consult = records_consult (&f->records);
  records_note (&f->records, f->consult, "Ho ba ngày");
}

static void
down (Fixture *f)
{
  records_down (&f->records);
  records_remove (f->dir);
  records_remove (f->to);
  g_free (f->dir);
  g_free (f->to);
  g_free (f->consult);
}

static BackupReport
make (Fixture *f, gboolean whole)
{
  BackupReport report;
  g_autoptr (GError) error = NULL;
  backup_make (f->records.dir, f->dir, 30, whole, &report, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < report.problems->len; i++)
    g_test_message ("%s", (char *)report.problems->pdata[i]);
  g_assert_cmpuint (report.problems->len, ==, 0);
  return report;
}

static RestoreReport
restore (Fixture *f, guint64 number)
{
  const RestoreRequest request = { .dir = f->dir, .number = number, .state_dir = f->to };
  RestoreReport report;
  g_autoptr (GError) error = NULL;
  records_remove (f->to);
  backup_restore (&request, &report, &error);
  g_assert_no_error (error);
  return report;
}

static void
check_good (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Vault *vault = vault_open_read_only (f->to, &error);
  g_assert_no_error (error);
  vault_unlock_boot (vault, f->records.place.boot, &error);
  g_assert_no_error (error);
  assert_good (f->to, vault);
  vault_free (vault);
}

/* Texts of all notes of the restored state, one a line. */
static char *
notes_of (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Vault *vault = vault_open_read_only (f->to, &error);
  vault_unlock_boot (vault, f->records.place.boot, &error);
  g_assert_no_error (error);
  Store *store = store_open (f->to, vault, NULL, STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) rows = store_read (store, f->consult, "note", 0, &error);
  g_assert_no_error (error);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < rows->len; i++)
    g_string_append_printf (
        text, "%s\n",
        json_string_value (json_object_get (((StoreRow *)rows->pdata[i])->body, "text")));
  store_free (store);
  vault_free (vault);
  return g_string_free (text, FALSE);
}

static void
record_some (Fixture *f)
{
  const TrackInfo info = { .stream = "room", .mime_type = "video/mp4", .epoch_us = 1 };
  g_autoptr (GError) error = NULL;
  Track *track = track_open (f->records.store, f->consult, &info, &error);
  g_assert_no_error (error);
  for (guint n = 0; n < 50; n++) {
    g_autofree guint8 *data = g_malloc (20000);
    for (guint i = 0; i < 20000; i++)
      data[i] = (guint8)g_test_rand_int ();
    g_autoptr (GBytes) bytes = g_bytes_new (data, 20000);
    track_append (track, bytes, n == 0 ? SEGMENT_INIT : SEGMENT_KEY, n * 40000);
  }
  track_close (track);
}

/* ---- What comes back ---------------------------------------------------------------------- */

static void
test_back (void)
{
  Fixture f;
  up (&f);
  record_some (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  g_assert_cmpuint (first.number, ==, 1);
  g_assert_cmpuint (first.new_bytes, >, 1000 * 1000);
  g_assert_cmpuint (restore (&f, 0).number, ==, 1);
  check_good (&f);
  g_autofree char *notes = notes_of (&f);
  g_assert_cmpstr (notes, ==, "Ho ba ngày\n");

  records_note (&f.records, f.consult, "Sốt cao");
  g_auto (BackupReport) second = make (&f, FALSE);
  g_assert_cmpuint (second.new_bytes, <, 700 * 1000); /* not the recording again */
  g_assert_cmpuint (second.known_size, ==, first.log_size);
  g_assert_false (second.behind);
  restore (&f, 0);
  check_good (&f);
  g_autofree char *more = notes_of (&f);
  g_assert_cmpstr (more, ==, "Ho ba ngày\nSốt cao\n");
  restore (&f, 1);
  check_good (&f);
  g_autofree char *old = notes_of (&f);
  g_assert_cmpstr (old, ==, "Ho ba ngày\n");
  down (&f);
}

static void
test_nothing_is_overwritten (void)
{
  Fixture f;
  RestoreReport report;
  g_autoptr (GError) error = NULL;
  up (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  const RestoreRequest request = { .dir = f.dir, .state_dir = f.records.dir };
  g_assert_false (backup_restore (&request, &report, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  g_clear_error (&error);

  Fixture other;
  BackupReport none;
  up (&other);
  /* Another vault, though the templates of the tests are the same: another folder's mark. */
  g_autofree char *mark = g_build_filename (f.dir, "backup.json", NULL);
  g_file_set_contents (mark,
                       "{\"format\":\"nhipcau-backup\",\"vault\":"
                       "\"00112233445566778899aabbccddeeff\",\"version\":1}",
                       -1, NULL);
  g_assert_false (backup_make (f.records.dir, f.dir, 30, FALSE, &none, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  backup_report_clear (&none);
  down (&other);
  down (&f);
}

/* ---- Erasure ------------------------------------------------------------------------------ */

static gboolean
folder_has (const char *path, GBytes *needle)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  gboolean found = FALSE;
  while (!found && dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL), *text = NULL;
    gsize size, wanted;
    gconstpointer data = g_bytes_get_data (needle, &wanted);
    if (g_file_test (inner, G_FILE_TEST_IS_DIR))
      found = folder_has (inner, needle);
    else if (g_file_get_contents (inner, &text, &size, NULL))
      found = memmem (text, size, data, wanted) != NULL;
  }
  return found;
}

static GBytes *
escrow_of (Fixture *f, Purpose purpose)
{
  g_autoptr (GPtrArray) keys = vault_list_keys (f->records.vault, NULL);
  for (guint i = 0; i < keys->len; i++) {
    const VaultKeyRow *key = keys->pdata[i];
    if (key->purpose == purpose && g_str_equal (key->consult, f->consult))
      return g_bytes_new (g_bytes_get_data (key->recovery_cms, NULL), 200);
  }
  return NULL;
}

static void
test_erasure (void)
{
  Fixture f;
  g_autoptr (GError) error = NULL;
  up (&f);
  record_some (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  g_autoptr (GBytes) escrow = escrow_of (&f, PURPOSE_RECORDING);
  g_assert_true (folder_has (f.dir, escrow));
  store_destroy_key (f.records.store, f.consult, PURPOSE_RECORDING, &error);
  g_assert_no_error (error);
  g_auto (BackupReport) second = make (&f, FALSE);
  g_assert_false (folder_has (f.dir, escrow));

  RestoreReport report = restore (&f, 1); /* of before the erasure */
  g_assert_cmpuint (report.erased, ==, 1);
  g_assert_false (folder_has (f.to, escrow));
  check_good (&f);
  g_autofree char *notes = notes_of (&f);
  g_assert_cmpstr (notes, ==, "Ho ba ngày\n");
  down (&f);
}

/* A certificate that the backup does not know of, from a newer copy of the folder. */
static void
test_certificates (void)
{
  Fixture f;
  g_autoptr (GError) error = NULL;
  up (&f);
  record_some (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  g_autoptr (GBytes) escrow = escrow_of (&f, PURPOSE_RECORDING);
  const Erasure erasure = {
    .consult = f.consult, .purposes = 1u << PURPOSE_RECORDING, .why = ERASURE_CONSENT, .user = "lan"
  };
  store_checkpoint (f.records.store, &error);
  g_assert_no_error (error);
  g_auto (BackupReport) second = make (&f, FALSE); /* knows who signs */
  erasure_run (f.records.store, f.records.identity, &erasure, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *certificates = g_build_filename (f.records.dir, ERASURE_FOLDER, NULL);
  g_autofree char *forged
      = g_build_filename (certificates, "6d8f0c1e-0000-4000-8000-000000000000.json", NULL);
  g_assert_true (
      g_file_set_contents (forged, "{\"statement\":\"{}\",\"signature\":\"\"}", -1, NULL));

  RestoreReport without = restore (&f, 2);
  g_assert_cmpuint (without.erased, ==, 0);
  g_assert_true (folder_has (f.to, escrow));
  records_remove (f.to);
  const RestoreRequest request
      = { .dir = f.dir, .number = 2, .state_dir = f.to, .erasures = certificates };
  RestoreReport with;
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK); /* it warns of the forged one */
  backup_restore (&request, &with, &error);
  g_log_set_always_fatal (fatal);
  g_assert_no_error (error);
  g_assert_cmpuint (with.erased, ==, 1);
  g_unlink (forged);
  Records restored = f.records; /* starts there: what the log tells to be destroyed is */
  restored.dir = restored.place.dir = f.to;
  restored.store = NULL;
  records_open (&restored);
  g_assert_true (erasure_done (restored.store, f.consult, PURPOSE_RECORDING));
  records_close (&restored);
  g_assert_false (folder_has (f.to, escrow));
  check_good (&f);
  g_autofree char *notes = notes_of (&f);
  g_assert_cmpstr (notes, ==, "Ho ba ngày\n");

  records_remove (f.to);
  const RestoreRequest nowhere
      = { .dir = f.dir, .number = 2, .state_dir = f.to, .erasures = "/nonexistent" };
  g_assert_false (backup_restore (&nowhere, &with, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  down (&f);
}

/* ---- The recovery key alone --------------------------------------------------------------- */

static void
test_recovery_key (void)
{
  Fixture f;
  RestoreReport report;
  g_autoptr (GError) error = NULL;
  up (&f);
  record_some (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  RestoreRequest request = { .dir = f.dir,
                             .state_dir = f.to,
                             .recovery_key = f.records.place.keys[1],
                             .certificate = f.records.place.certificates[1],
                             .user = "hung",
                             .passphrase = "một mật khẩu mới" };
  backup_restore (&request, &report, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report.keys, ==, 3); /* the station's, notes, recording */
  Vault *vault = vault_open (f.to, &error);
  g_assert_no_error (error);
  g_assert_false (vault_unlock_boot (vault, f.records.place.boot, NULL));
  g_assert_false (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  vault_unlock (vault, "hung", "một mật khẩu mới", &error);
  g_assert_no_error (error);
  assert_good (f.to, vault);
  Store *store = store_open (f.to, vault, NULL, STORE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) rows = store_read (store, f.consult, "note", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 1);
  /* A recovery recipient was confirmed, and still is: consultations can be begun. */
  json_auto_t *body = json_pack ("{s:s}", "state", "live");
  g_autofree char *next = store_create_consult (store, "hung", body, &error);
  g_assert_no_error (error);
  store_free (store);
  assert_good (f.to, vault);
  vault_free (vault);

  /* Nobody's key. */
  records_remove (f.to);
  EVP_PKEY *stranger = EVP_EC_gen ("P-384");
  request.recovery_key = stranger;
  request.certificate = place_certificate (stranger, "Người lạ", -1000, 1000);
  g_assert_false (backup_restore (&request, &report, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_assert_false (g_file_test (f.to, G_FILE_TEST_EXISTS));
  X509_free (request.certificate);
  EVP_PKEY_free (stranger);
  down (&f);
}

/* ---- A state that was put back ------------------------------------------------------------ */

static void
test_rollback (void)
{
  Fixture f;
  up (&f);
  g_autofree char *old = records_copy (f.records.dir);
  records_note (&f.records, f.consult, "Sốt cao");
  g_auto (BackupReport) first = make (&f, FALSE);
  records_close (&f.records);
  records_remove (f.records.dir);
  g_assert_cmpint (g_rename (old, f.records.dir), ==, 0);
  g_auto (BackupReport) shorter = make (&f, FALSE);
  g_assert_true (shorter.behind);

  records_open (&f.records);
  for (guint i = 0; i < 10; i++)
    records_note (&f.records, f.consult, "Khác");
  g_auto (BackupReport) longer = make (&f, FALSE);
  g_assert_false (longer.behind); /* goes on from the newest that the folder has */
  /* Both histories are there. */
  restore (&f, 1);
  check_good (&f);
  g_autofree char *notes = notes_of (&f);
  g_assert_cmpstr (notes, ==, "Ho ba ngày\nSốt cao\n");
  restore (&f, 0);
  check_good (&f);
  down (&f);
}

/* ---- Damage ------------------------------------------------------------------------------- */

static void
damage_pieces (const char *path, guint *ret_files)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL), *text = NULL;
    gsize size;
    if (g_file_test (inner, G_FILE_TEST_IS_DIR)) {
      damage_pieces (inner, ret_files);
    } else if (g_file_get_contents (inner, &text, &size, NULL) && size > 0) {
      text[size / 2] ^= 1;
      g_file_set_contents (inner, text, (gssize)size, NULL);
      (*ret_files)++;
    }
  }
}

static void
test_damage (void)
{
  Fixture f;
  RestoreReport report;
  guint damaged = 0;
  g_autoptr (GError) error = NULL;
  up (&f);
  record_some (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  g_autofree char *pieces = g_build_filename (f.dir, "pieces", NULL);
  damage_pieces (pieces, &damaged);
  g_assert_cmpuint (damaged, >, 5);
  const RestoreRequest request = { .dir = f.dir, .state_dir = f.to };
  g_assert_false (backup_restore (&request, &report, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_assert_false (g_file_test (f.to, G_FILE_TEST_EXISTS));
  g_auto (BackupReport) healed = make (&f, TRUE);
  restore (&f, 0);
  check_good (&f);
  restore (&f, 1);
  check_good (&f);
  down (&f);
}

/* In a child whose files may not grow: what a full disk does. */
static void
test_full_disk (void)
{
  Fixture f;
  int status;
  up (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  record_some (&f);
  records_close (&f.records);
  pid_t pid = fork ();
  if (pid == 0) {
    const struct rlimit limit = { 100 * 1000, 100 * 1000 };
    BackupReport report;
    g_autoptr (GError) error = NULL;
    signal (SIGXFSZ, SIG_IGN);
    setrlimit (RLIMIT_FSIZE, &limit);
    gboolean ok = backup_make (f.records.dir, f.dir, 30, FALSE, &report, &error);
    _exit (!ok && g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_DISK) ? 0 : 1);
  }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpuint (restore (&f, 0).number, ==, 1);
  check_good (&f);
  down (&f);
}

/* ---- Killed at any point ------------------------------------------------------------------ */

static void
test_kill_loop (void)
{
  Fixture f;
  guint rounds = g_getenv ("NHIPCAU_LONG") != NULL ? ROUNDS_LONG : records_slow () ? 2 : ROUNDS;
  guint64 newest = 0;
  guint killed = 0;
  up (&f);
  g_auto (BackupReport) first = make (&f, FALSE);
  for (guint round = 0; round < rounds; round++) {
    int status;
    records_note (&f.records, f.consult, "Thêm");
    record_some (&f);
    records_close (&f.records);
    pid_t pid = fork ();
    if (pid == 0) {
      BackupReport report;
      for (;;)
        backup_make (f.records.dir, f.dir, 3, FALSE, &report, NULL);
    }
    g_usleep ((gulong)g_test_rand_int_range (1, 250 * 1000));
    kill (pid, SIGKILL);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    killed += WIFSIGNALED (status);
    RestoreReport report = restore (&f, 0);
    g_assert_cmpuint (report.number, >=, newest);
    newest = report.number;
    check_good (&f);
    records_open (&f.records);
  }
  g_auto (BackupReport) last = make (&f, FALSE);
  g_assert_cmpuint (restore (&f, 0).number, ==, last.number);
  check_good (&f);
  g_test_message ("%u kills, backup %" G_GUINT64_FORMAT " restored", killed, last.number);
  g_assert_cmpuint (killed, ==, rounds);
  down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/backup/back", test_back);
  g_test_add_func ("/backup/nothing-is-overwritten", test_nothing_is_overwritten);
  g_test_add_func ("/backup/erasure", test_erasure);
  g_test_add_func ("/backup/certificates", test_certificates);
  g_test_add_func ("/backup/recovery-key", test_recovery_key);
  g_test_add_func ("/backup/rollback", test_rollback);
  g_test_add_func ("/backup/damage", test_damage);
  g_test_add_func ("/backup/full-disk", test_full_disk);
  g_test_add_func ("/backup/kill-loop", test_kill_loop);
  return g_test_run ();
}
