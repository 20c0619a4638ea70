#include "record_dump.h"
#include "records_full.h"
#include <fcntl.h>
#include <sqlite3.h>

/* A small record in which everything is there: rows, a closed recording, one that a kill leaves
 * open, registered files, checkpoints, a reserve. */
typedef struct {
  Records records;
  char *stopped; /* folder after an orderly end */
  char *killed;  /* as a kill left it */
  char *consult, *other;
} Sample;

static Track *
record (Records *records, const char *consult, const char *stream)
{
  const TrackInfo info = { .stream = stream, .mime_type = "video/webm", .label = "Camera" };
  g_autoptr (GError) error = NULL;
  Track *track = track_open (records->store, consult, &info, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *text = g_strdup_printf ("fragment %u of %s", i, stream);
    g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
    g_assert_true (track_append (track, bytes, i == 0 ? SEGMENT_INIT : SEGMENT_KEY, i * 1000));
  }
  return track;
}

static gsize
records_in_file (Records *records, const char *consult, gsize track)
{
  json_t *index = recording_index (records->store, consult, NULL);
  json_t *segments = json_object_get (json_array_get (index, track), "segments");
  gsize n = json_array_size (json_object_get (json_array_get (segments, 0), "records"));
  json_decref (index);
  return n;
}

static void
sample_up (Sample *sample)
{
  Records *records = &sample->records;
  g_autoptr (GError) error = NULL;

  records_up (records);
  sample->consult = records_consult (records);
  sample->other = records_consult (records);
  records_note (records, sample->consult, "đau đầu ba ngày");
  records_note (records, sample->other, "ho khan");
  records_note (records, sample->consult, "đã đỡ");
  track_close (record (records, sample->consult, "room"));
  full_fill (records, sample->consult, sample->other);
  g_assert_true (store_checkpoint (records->store, &error));
  g_assert_true (reserve_ensure (records->dir, 4096, &error));
  Track *track = record (records, sample->consult, "microphone");
  while (records_in_file (records, sample->consult, 1) < 3)
    g_usleep (1000);
  records_note (records, sample->consult, "tái khám");
  sample->killed = records_copy (records->dir);
  track_close (track);
  records_close (records);
  sample->stopped = g_strdup (records->dir);
}

static void
sample_down (Sample *sample)
{
  records_remove (sample->killed);
  records_down (&sample->records);
  g_free (sample->stopped);
  g_free (sample->killed);
  g_free (sample->consult);
  g_free (sample->other);
}

static Vault *
open_vault (const char *dir, GBytes *boot)
{
  Vault *vault = vault_open_read_only (dir, NULL);
  if (vault != NULL && !vault_unlock_boot (vault, boot, NULL))
    g_clear_pointer (&vault, vault_free);
  return vault;
}

/* NULL when something cannot be read. */
static char *
dump (const char *dir, GBytes *boot)
{
  g_autoptr (Vault) vault = open_vault (dir, boot);
  return vault != NULL ? record_dump (dir, vault) : NULL;
}

/* ---- Every byte, every length ------------------------------------------------------------- */

/* A note more than there were counts, too: behind the last mark of a segment that a kill left open,
 * a length that was changed reads as a record cut short, which is told as such, with its place. */
static gboolean
found (const char *dir, Vault *vault, guint notes)
{
  VerifySummary summary;
  g_autoptr (GError) error = NULL;
  return !verify_state (dir, vault, NULL, NULL, NULL, &summary, &error) || summary.bad > 0
         || summary.notes > notes;
}

static void
files_of (const char *root, const char *folder, GPtrArray *out)
{
  g_autofree char *path = g_build_filename (root, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (root, folder, name, NULL);
    char *relative = folder[0] != '\0' ? g_build_filename (folder, name, NULL) : g_strdup (name);
    if (g_file_test (inner, G_FILE_TEST_IS_DIR)) {
      files_of (root, relative, out);
      g_free (relative);
    } else {
      g_ptr_array_add (out, relative);
    }
  }
}

typedef struct {
  const char *dir;
  Vault *vault;
  GBytes *boot;
  char *content; /* untouched */
  guint notes;   /* untouched */
  guint tried, found, harmless;
} Damage;

/* After a change: either somebody is told, or all reads back as before. */
static void
judge (Damage *damage, const char *name, const char *what, gsize where)
{
  damage->tried++;
  if (found (damage->dir, damage->vault, damage->notes)) {
    damage->found++;
    return;
  }
  g_autofree char *now = dump (damage->dir, damage->boot);
  if (g_strcmp0 (now, damage->content) != 0)
    g_error ("%s: %s %" G_GSIZE_FORMAT " was not found, and what is read is another", name, what,
             where);
  damage->harmless++;
}

/* Of size places about n, always the first and the last; all when asked for. */
static gsize
step (gsize size, guint n)
{
  if (g_getenv ("NHIPCAU_LONG") != NULL || size <= n)
    return 1;
  return (gsize)g_test_rand_int_range (1, (gint32)(2 * size / n));
}

static void
flip_all (Damage *damage, const char *name, guint samples)
{
  g_autofree char *path = g_build_filename (damage->dir, name, NULL);
  int fd = open (path, O_RDWR);
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  for (gsize at = 0; at < (gsize)status.st_size; at += step ((gsize)status.st_size, samples)) {
    guint8 byte, other;
    g_assert_cmpint (pread (fd, &byte, 1, (off_t)at), ==, 1);
    other = byte ^ (guint8)(1 << g_test_rand_int_range (0, 8));
    g_assert_cmpint (pwrite (fd, &other, 1, (off_t)at), ==, 1);
    judge (damage, name, "byte", at);
    g_assert_cmpint (pwrite (fd, &byte, 1, (off_t)at), ==, 1);
  }
  close (fd);
}

static void
cut_all (Damage *damage, const char *name, guint samples)
{
  g_autofree char *path = g_build_filename (damage->dir, name, NULL);
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  for (gsize at = 0; at < size; at += step (size, samples)) {
    g_assert_cmpint (truncate (path, (off_t)at), ==, 0);
    judge (damage, name, "length", at);
    int fd = open (path, O_WRONLY);
    g_assert_cmpint (pwrite (fd, content + at, size - at, (off_t)at), ==, (gssize)(size - at));
    close (fd);
  }
}

/* Those of the vault have a test of their own. Shared memory and lock carry nothing. A segment
 * that a kill left open may end anywhere behind what the log tells of it. */
static gboolean
is_judged (const char *dir, const char *name, gboolean cut)
{
  g_autofree char *wal = g_build_filename (dir, "records.db-wal", NULL);
  gboolean killed = g_file_test (wal, G_FILE_TEST_EXISTS);

  if (g_str_has_prefix (name, "keys") || (killed && cut && g_str_has_prefix (name, "media/")))
    return FALSE;
  if (!cut)
    return TRUE;
  return !g_str_equal (name, "lock") && !g_str_has_suffix (name, "-shm")
         && !g_str_equal (name, "reserve");
}

static void
damage_folder (const char *dir, GBytes *boot, gboolean cut)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  Damage damage = { .dir = dir, .vault = open_vault (dir, boot), .boot = boot };
  guint samples = records_slow () ? 3 : 40;

  damage.content = dump (dir, boot);
  g_assert_nonnull (damage.content);
  assert_good (dir, damage.vault);
  VerifySummary summary;
  g_assert_true (verify_state (dir, damage.vault, NULL, NULL, NULL, &summary, NULL));
  damage.notes = summary.notes;
  files_of (dir, "", files);
  for (guint i = 0; i < files->len; i++) {
    const char *name = files->pdata[i];
    if (!is_judged (dir, name, cut))
      continue;
    guint found_before = damage.found, tried_before = damage.tried;
    (cut ? cut_all : flip_all) (&damage, name, samples);
    g_test_message ("%s: %u of %u %s found", name, damage.found - found_before,
                    damage.tried - tried_before, cut ? "lengths" : "bytes");
  }
  assert_good (dir, damage.vault);
  g_free (damage.content);
  vault_free (damage.vault);
}

static void
test_every_byte (void)
{
  Sample sample;
  sample_up (&sample);
  damage_folder (sample.stopped, sample.records.place.boot, FALSE);
  damage_folder (sample.killed, sample.records.place.boot, FALSE);
  sample_down (&sample);
}

static void
test_every_length (void)
{
  Sample sample;
  sample_up (&sample);
  damage_folder (sample.stopped, sample.records.place.boot, TRUE);
  damage_folder (sample.killed, sample.records.place.boot, TRUE);
  sample_down (&sample);
}

/* Killed while it wrote a frame over one of an earlier use of the file: the head is new, the page
 * old. Nothing was committed there; damage before it is still damage. */
static void
test_torn_frame (void)
{
  Sample sample;
  guint8 header[32], frame[24 + 4096], byte;
  GStatBuf status;

  sample_up (&sample);
  g_autofree char *wal = g_build_filename (sample.killed, "records.db-wal", NULL);
  int fd = open (wal, O_RDWR);
  g_assert_cmpint (pread (fd, header, sizeof header, 0), ==, sizeof header);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  memset (frame, 7, sizeof frame);
  memcpy (frame + 8, header + 16, 8);
  g_assert_cmpint (pwrite (fd, frame, sizeof frame, status.st_size), ==, sizeof frame);
  Vault *vault = open_vault (sample.killed, sample.records.place.boot);
  assert_good (sample.killed, vault);

  g_assert_cmpint (pread (fd, &byte, 1, status.st_size - 1), ==, 1);
  byte ^= 1;
  g_assert_cmpint (pwrite (fd, &byte, 1, status.st_size - 1), ==, 1);
  assert_bad (sample.killed, vault, "wal-damaged", "records.db-wal");
  close (fd);
  vault_free (vault);
  sample_down (&sample);
}

/* ---- Somebody who knows SQLite ------------------------------------------------------------ */

/* Changes of the copy of a stopped folder; what is BAD then. */
static void
tamper (const char *sql, const char *code, const char *where)
{
  Sample sample;
  char *message = NULL;
  sqlite3 *db;

  sample_up (&sample);
  g_autofree char *path = g_build_filename (sample.stopped, "records.db", NULL);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_auto (GStrv) parts = g_strsplit (sql, "CONSULT", -1);
  g_autofree char *first = g_strjoinv (sample.consult, parts);
  g_auto (GStrv) others = g_strsplit (first, "OTHER", -1);
  g_autofree char *whole = g_strjoinv (sample.other, others);
  sqlite3_exec (db, whole, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  sqlite3_close (db);
  Vault *vault = open_vault (sample.stopped, sample.records.place.boot);
  g_auto (GStrv) place = g_strsplit (where, "CONSULT", -1);
  g_autofree char *expected = g_strjoinv (sample.consult, place);
  assert_bad (sample.stopped, vault, code, expected);
  vault_free (vault);
  sample_down (&sample);
}

static void
test_rows (void)
{
  tamper ("UPDATE rec SET sealed = (SELECT sealed FROM rec WHERE consult = 'CONSULT' AND kind = "
          "'note' AND seq = 2) WHERE consult = 'CONSULT' AND kind = 'note' AND seq = 1",
          "row-tampered", "records.db rec CONSULT/note/1");
  tamper ("DELETE FROM rec WHERE consult = 'CONSULT' AND kind = 'note' AND seq = 2", "row-deleted",
          "records.db rec CONSULT/note/2");
  tamper ("UPDATE rec SET kind = 'consent' WHERE consult = 'CONSULT' AND kind = 'note' "
          "AND seq = 2",
          "row-moved", "records.db rec CONSULT/note/2");
  tamper ("UPDATE rec SET consult = 'OTHER', seq = 9 WHERE consult = 'CONSULT' AND kind = 'note' "
          "AND seq = 2",
          "row-moved", "records.db rec CONSULT/note/2");
  tamper ("INSERT INTO rec SELECT 100000, 'OTHER', kind, 9, schema, sealed FROM rec "
          "WHERE consult = 'CONSULT' AND kind = 'note' AND seq = 2",
          "row-unlogged", "records.db rec");
  tamper ("UPDATE consult SET created_day = '2020-01-01' WHERE id = 'CONSULT'", "consult-tampered",
          "records.db consult CONSULT");
  tamper ("DELETE FROM consult WHERE id = 'CONSULT'", "consult-deleted",
          "records.db consult CONSULT");
}

static void
test_log (void)
{
  tamper ("UPDATE audit SET what = what || ' ' WHERE idx = 3", "leaf-tampered",
          "records.db audit 3");
  tamper ("UPDATE audit SET leaf_hash = x'00' WHERE idx = 3", "leaf-tampered",
          "records.db audit 3");
  tamper ("DELETE FROM audit WHERE idx = 3", "leaf-deleted", "records.db audit 4");
  tamper ("UPDATE checkpoint SET sig = x'00'", "checkpoint-tampered", "records.db checkpoint");
  tamper ("DELETE FROM checkpoint", "checkpoint-deleted", "records.db checkpoint");
  tamper ("UPDATE signer SET certificate = x'3000'", "signer-tampered", "records.db signer");
  tamper ("DELETE FROM signer", "signer-deleted", "records.db signer");
  tamper ("INSERT INTO checkpoint SELECT 1000, root, peaks, signer, sig FROM checkpoint LIMIT 1",
          "checkpoint-unlogged", "records.db checkpoint");
  tamper ("CREATE TRIGGER t AFTER INSERT ON rec BEGIN DELETE FROM rec; END", "database-damaged",
          "records.db");
  tamper ("DROP INDEX audit_other", "database-damaged", "records.db");
  tamper ("PRAGMA user_version = 99", "database-version", "records.db");
}

/* Takes a row with its leaf out of the middle and closes the gap, hashes and all; drops what the
 * station signed since. Only who could open the rows could hide that. */
static void
test_rewritten_log (void)
{
  Sample sample;
  sqlite3 *db;
  sqlite3_stmt *find;
  char *message = NULL;

  sample_up (&sample);
  g_autofree char *path = g_build_filename (sample.stopped, "records.db", NULL);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_autofree char *sql = g_strdup_printf (
      "SELECT id FROM rec WHERE consult = '%s' AND kind = 'note' AND seq = 1", sample.consult);
  sqlite3_prepare_v2 (db, sql, -1, &find, NULL);
  g_assert_cmpint (sqlite3_step (find), ==, SQLITE_ROW);
  gint64 gone = sqlite3_column_int64 (find, 0);
  sqlite3_finalize (find);
  g_autofree char *change = g_strdup_printf (
      "DELETE FROM rec WHERE id = %1$" G_GINT64_FORMAT "; DELETE FROM audit WHERE idx = "
      "%1$" G_GINT64_FORMAT "; DELETE FROM checkpoint; DELETE FROM signer; "
      "UPDATE rec SET id = id - 1 WHERE id > %1$" G_GINT64_FORMAT "; "
      "UPDATE consult SET idx = idx - 1 WHERE idx > %1$" G_GINT64_FORMAT "; "
      "UPDATE segment SET leaf = leaf - 1 WHERE leaf > %1$" G_GINT64_FORMAT "; "
      "UPDATE audit SET idx = idx - 1 WHERE idx > %1$" G_GINT64_FORMAT,
      gone);
  sqlite3_exec (db, change, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  sqlite3_close (db);
  Vault *vault = open_vault (sample.stopped, sample.records.place.boot);
  assert_bad (sample.stopped, vault, "row-moved", "records.db rec");
  vault_free (vault);
  sample_down (&sample);
}

/* ---- Files -------------------------------------------------------------------------------- */

static char *
first_segment (const char *dir, const char *consult)
{
  g_autofree char *folder = g_build_filename (dir, "media", consult, NULL);
  g_autoptr (GDir) entries = g_dir_open (folder, 0, NULL);
  return g_build_filename (folder, g_dir_read_name (entries), NULL);
}

static void
test_files (void)
{
  Sample sample;
  sample_up (&sample);
  const char *dir = sample.stopped;
  Vault *vault = open_vault (dir, sample.records.place.boot);
  g_autofree char *segment = first_segment (dir, sample.consult);
  g_autofree char *aside = g_strconcat (sample.killed, "/aside", NULL);
  g_autofree char *certificate = g_build_filename (dir, "certs/station.crt", NULL);
  g_autofree char *reserve = g_build_filename (dir, "reserve", NULL);
  g_autofree char *foreign = g_build_filename (dir, "note.txt", NULL);
  g_autofree char *copy = g_strconcat (segment, "~.seg", NULL);
  g_autofree char *content = NULL;
  gsize size;

  g_assert_cmpint (g_rename (segment, aside), ==, 0);
  assert_bad (dir, vault, "segment-missing", "media/");
  g_assert_true (g_file_get_contents (aside, &content, &size, NULL));
  g_assert_true (g_file_set_contents (copy, content, (gssize)size, NULL));
  assert_bad (dir, vault, "segment-unlogged", "media/");
  g_unlink (copy);
  g_assert_cmpint (g_rename (aside, segment), ==, 0);
  assert_good (dir, vault);

  g_assert_cmpint (g_rename (certificate, aside), ==, 0);
  assert_bad (dir, vault, "file-missing", "certs/station.crt");
  g_assert_true (g_file_set_contents (certificate, "other", -1, NULL));
  assert_bad (dir, vault, "file-changed", "certs/station.crt");
  g_assert_cmpint (g_rename (aside, certificate), ==, 0);

  g_assert_true (g_file_set_contents (reserve, "\0\0\1", 3, NULL));
  assert_bad (dir, vault, "file-changed", "reserve");
  g_unlink (reserve);
  assert_good (dir, vault);

  Verdict verdict;
  g_assert_true (g_file_set_contents (foreign, "x", -1, NULL));
  verdict_of (&verdict, dir, vault, NULL);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_assert_nonnull (strstr (verdict.text->str, "note file-unknown: note.txt"));
  verdict_clear (&verdict);
  vault_free (vault);
  sample_down (&sample);
}

/* Two segments of the same size changed places, and two of the same stream. */
static void
test_swapped_segments (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  track_close (record (&records, consult, "room"));
  track_close (record (&records, consult, "room"));
  records_close (&records);
  g_autofree char *folder = g_build_filename (records.dir, "media", consult, NULL);
  g_autoptr (GDir) entries = g_dir_open (folder, 0, NULL);
  g_autofree char *a = g_build_filename (folder, g_dir_read_name (entries), NULL);
  g_autofree char *b = g_build_filename (folder, g_dir_read_name (entries), NULL);
  g_autofree char *c = g_build_filename (folder, "c", NULL);
  Vault *vault = open_vault (records.dir, records.place.boot);

  assert_good (records.dir, vault);
  g_assert_cmpint (g_rename (a, c), ==, 0);
  g_assert_cmpint (g_rename (b, a), ==, 0);
  g_assert_cmpint (g_rename (c, b), ==, 0);
  assert_bad (records.dir, vault, "segment-tampered", "media/");
  vault_free (vault);
  records_down (&records);
}

/* ---- Without a key ------------------------------------------------------------------------ */

static void
test_without_key (void)
{
  Sample sample;
  sample_up (&sample);
  const char *dir = sample.stopped;
  g_autoptr (Vault) vault = vault_open_read_only (dir, NULL);
  Verdict verdict;

  verdict_of (&verdict, dir, vault, NULL);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_auto (GStrv) parts = g_strsplit (verdict.text->str, "note needs-key", -1);
  g_assert_cmpuint (g_strv_length (parts) - 1, ==,
                    4); /* two clinical, one recording, the station's own */
  verdict_clear (&verdict);
  g_autofree char *segment = first_segment (dir, sample.consult);
  int fd = open (segment, O_RDWR);
  g_assert_cmpint (pwrite (fd, "x", 1, 4096 + 30), ==, 1);
  close (fd);
  assert_bad (dir, vault, "segment-tampered", "media/");
  sample_down (&sample);
}

static void
test_one_consultation (void)
{
  Sample sample;
  sample_up (&sample);
  Vault *vault = open_vault (sample.stopped, sample.records.place.boot);
  Verdict verdict;

  verdict_of (&verdict, sample.stopped, vault, sample.other);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_assert_cmpuint (verdict.summary.rows, ==, 4);
  g_assert_cmpuint (verdict.summary.segments, ==, 0);
  verdict_clear (&verdict);
  verdict_of (&verdict, sample.stopped, vault, sample.consult);
  g_assert_cmpuint (verdict.summary.segments, ==, 2);
  g_assert_cmpuint (verdict.summary.media_records, ==, 8);
  verdict_clear (&verdict);
  vault_free (vault);
  sample_down (&sample);
}

/* ---- Keys --------------------------------------------------------------------------------- */

static void
test_shredded_key (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  Verdict verdict;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  track_close (record (&records, consult, "room"));
  g_assert_true (store_destroy_key (records.store, consult, PURPOSE_RECORDING, &error));
  json_auto_t *none = recording_index (records.store, consult, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_size (none), ==, 0);
  verdict_of (&verdict, records.dir, records.vault, NULL);
  g_test_message ("%s", verdict.text->str);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_assert_nonnull (strstr (verdict.text->str, "note key-shredded"));
  verdict_clear (&verdict);

  /* Without a word in the log it is damage. */
  g_assert_true (vault_destroy_key (records.vault, consult, PURPOSE_CLINICAL, &error));
  assert_bad (records.dir, records.vault, "key-deleted", "keys.db");
  records_down (&records);
}

int
main (int argc, char **argv)
{
  if (g_access ("/dev/shm", W_OK) == 0)
    g_setenv ("TMPDIR", "/dev/shm", FALSE); /* thousands of small writes */
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/verify/every-byte", test_every_byte);
  g_test_add_func ("/verify/every-length", test_every_length);
  g_test_add_func ("/verify/torn-frame", test_torn_frame);
  g_test_add_func ("/verify/rows", test_rows);
  g_test_add_func ("/verify/log", test_log);
  g_test_add_func ("/verify/rewritten-log", test_rewritten_log);
  g_test_add_func ("/verify/files", test_files);
  g_test_add_func ("/verify/swapped-segments", test_swapped_segments);
  g_test_add_func ("/verify/without-key", test_without_key);
  g_test_add_func ("/verify/one-consultation", test_one_consultation);
  g_test_add_func ("/verify/shredded-key", test_shredded_key);
  return g_test_run ();
}
