#include "records/verify_private.h"
#include "records/wal_check.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Findings ----------------------------------------------------------------------------- */

void
verify_report (Verify *verify, VerifyVerdict verdict, const char *code, const char *where,
               const char *format, ...)
{
  va_list words;

  va_start (words, format);
  g_autofree char *what = g_strdup_vprintf (format, words);
  va_end (words);
  verify->summary.bad += verdict == VERIFY_BAD;
  verify->summary.notes += verdict == VERIFY_NOTE;
  if (verify->finding != NULL)
    verify->finding (verdict, code, where, what, verify->arg);
}

gboolean
verify_wants (const Verify *verify, const char *consult)
{
  return verify->consult == NULL || g_str_equal (verify->consult, consult);
}

static void
report_no_key (Verify *verify, const char *consult, Purpose purpose, const char *name,
               const GError *error)
{
  g_autofree char *where = g_strdup_printf ("keys.db %s", name);

  if (g_hash_table_contains (verify->shredded, name))
    verify_report (verify, VERIFY_NOTE, "key-shredded", where,
                   "the %s key of %s was destroyed on purpose; what it sealed stays closed",
                   purpose_name (purpose), consult);
  else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
    verify_report (verify, VERIFY_NOTE, "needs-key", where,
                   "what is inside %s (%s) can only be checked when the vault is open; its hashes "
                   "were checked",
                   consult, purpose_name (purpose));
  else
    verify_report (verify, VERIFY_BAD, "key-missing", where, "%s", error->message);
}

DataKey *
verify_key (Verify *verify, const char *consult, Purpose purpose)
{
  g_autofree char *name = g_strdup_printf ("%s %s", consult, purpose_name (purpose));
  g_autoptr (GError) error = NULL;
  DataKey *key = g_hash_table_lookup (verify->keys, name);

  if (key != NULL || g_hash_table_contains (verify->no_key, name))
    return key;
  if (verify->vault != NULL)
    key = vault_get_key (verify->vault, consult, purpose, &error);
  else
    g_set_error (&error, RECORDS_ERROR, RECORDS_ERROR_LOCKED, "the keys cannot be read");
  if (key != NULL) {
    g_hash_table_insert (verify->keys, g_steal_pointer (&name), key);
    return key;
  }
  report_no_key (verify, consult, purpose, name, error);
  g_hash_table_add (verify->no_key, g_steal_pointer (&name));
  return NULL;
}

/* ---- The database as a file --------------------------------------------------------------- */

/* The index of a WAL in shared memory (SQLite file format, "WAL-index"): two copies of a header,
 * then how much has gone into the database. In the machine's byte order. frames: up to the newest
 * commit. */
typedef struct {
  guint32 version, unused, change;
  guint8 is_init, big_endian;
  guint16 page_size;
  guint32 frames, pages, checksum[2];
  guint8 salt[8];
  guint32 header_checksum[2];
} WalIndexHeader;
G_STATIC_ASSERT (sizeof (WalIndexHeader) == 48);

typedef struct {
  WalIndexHeader header[2];
  guint32 backfilled;
} WalIndex;

static gboolean
index_header_good (const WalIndexHeader *header)
{
  guint32 words[G_STRUCT_OFFSET (WalIndexHeader, header_checksum) / 4], a = 0, b = 0;

  memcpy (words, header, sizeof words);
  for (guint i = 0; i < G_N_ELEMENTS (words); i += 2) {
    a += words[i] + b;
    b += words[i + 1] + a;
  }
  return header->version == 3007000 && header->is_init && a == header->header_checksum[0]
         && b == header->header_checksum[1];
}

static gboolean
read_wal_index (const char *path, WalIndex *ret_index)
{
  WalIndex index;
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && pread (fd, &index, sizeof index, 0) == sizeof index;

  if (fd >= 0)
    close (fd);
  if (!ok || !index_header_good (&index.header[0])
      || memcmp (&index.header[0], &index.header[1], sizeof index.header[0]) != 0)
    return FALSE;
  *ret_index = index;
  return TRUE;
}

static gboolean
same_salt (const char *wal, const guint8 salt[8])
{
  guint8 found[8];
  int fd = open (wal, O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && pread (fd, found, 8, 16) == 8;

  if (fd >= 0)
    close (fd);
  return !ok || memcmp (found, salt, 8) == 0;
}

/* A WAL cut at a commit looks like an older one. What a killed station left in its shared memory
 * tells how long it was. */
static void
check_wal_length (Verify *verify, const char *wal, const char *shm, const WalReport *report)
{
  WalIndex index;

  if (!read_wal_index (shm, &index) || index.header[0].frames <= report->committed
      || !same_salt (wal, index.header[0].salt))
    return;
  if (index.backfilled >= index.header[0].frames && report->committed == 0)
    return;
  verify_report (verify, VERIFY_BAD, "wal-cut", STORE_DB_NAME "-wal",
                 "%u frames were written, %" G_GUINT64_FORMAT " are there: rows are missing",
                 index.header[0].frames, report->committed);
}

/* A station killed while it wrote a frame over an older one leaves the new head before the old
 * page, which looks like damage. It is none when the newest commit that the shared memory knows is
 * the last that the WAL holds: nothing behind it was ever committed. */
static gboolean
tail_uncommitted (const char *wal, const char *shm, const WalReport *report)
{
  WalIndex index;

  return read_wal_index (shm, &index) && same_salt (wal, index.header[0].salt)
         && index.header[0].frames == report->committed;
}

static void
check_wal (Verify *verify)
{
  g_autofree char *wal = g_build_filename (verify->state_dir, STORE_DB_NAME "-wal", NULL);
  g_autofree char *shm = g_build_filename (verify->state_dir, STORE_DB_NAME "-shm", NULL);
  g_autoptr (GError) error = NULL;
  WalReport report;

  for (int tries = 0; tries < (verify->live ? 20 : 1); tries++) {
    if (!wal_check_file (wal, &report, &error)) {
      verify_report (verify, VERIFY_BAD, "wal-unreadable", STORE_DB_NAME "-wal", "%s",
                     error->message);
      return;
    }
    if (report.tail != WAL_TAIL_BAD)
      break;
    g_usleep (20 * 1000); /* a running station writes into it meanwhile */
  }
  if (report.tail == WAL_TAIL_BAD && !tail_uncommitted (wal, shm, &report))
    verify_report (verify, VERIFY_BAD, "wal-damaged", STORE_DB_NAME "-wal",
                   "damaged at byte %" G_GUINT64_FORMAT ": the rows from there on are lost",
                   report.tail_offset);
  else if (!verify->live)
    check_wal_length (verify, wal, shm, &report);
}

static gboolean
check_integrity (Verify *verify)
{
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (verify->db, "PRAGMA integrity_check", NULL);
  gboolean good = TRUE;
  int rc = SQLITE_ERROR;

  while (statement != NULL && (rc = sqlite3_step (statement)) == SQLITE_ROW) {
    const char *text = store_db_text (statement, 0);
    if (g_str_equal (text, "ok"))
      continue;
    good = FALSE;
    verify_report (verify, VERIFY_BAD, "database-damaged", STORE_DB_NAME, "%s", text);
  }
  if (rc == SQLITE_DONE)
    return good;
  verify_report (verify, VERIFY_BAD, "database-damaged", STORE_DB_NAME, "%s",
                 sqlite3_errmsg (verify->db));
  return FALSE;
}

gboolean
verify_database (Verify *verify)
{
  g_autoptr (GError) error = NULL;

  check_wal (verify);
  verify->db = store_db_open_reader (verify->state_dir, verify->live, &error);
  /* One moment of a database that may be in use. */
  if (verify->db == NULL || !store_db_exec (verify->db, "BEGIN", &error)) {
    verify_report (verify, VERIFY_BAD,
                   g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_VERSION)
                       ? "database-version"
                       : "database-damaged",
                   STORE_DB_NAME, "%s", error->message);
    return FALSE;
  }
  check_integrity (verify);
  return TRUE;
}

/* ---- The whole ---------------------------------------------------------------------------- */

static void
facts_free (gpointer data)
{
  SegmentFacts *facts = data;
  g_free (facts->consult);
  g_free (facts->stream);
  g_free (facts->state);
  g_free (facts);
}

static GHashTable *
table_of (GDestroyNotify value)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, value);
}

static void
verify_clear (Verify *verify)
{
  g_clear_pointer (&verify->db, sqlite3_close_v2);
  g_hash_table_unref (verify->shredded);
  g_hash_table_unref (verify->keys);
  g_hash_table_unref (verify->no_key);
  g_hash_table_unref (verify->escrows);
  g_hash_table_unref (verify->files);
  g_hash_table_unref (verify->segments);
  g_hash_table_unref (verify->outbox);
  g_hash_table_unref (verify->drafts);
  g_hash_table_unref (verify->index);
  g_hash_table_unref (verify->media);
}

static void
report_good (Verify *verify)
{
  const VerifySummary *sum = &verify->summary;
  guint8 root[MERKLE_HASH];
  char hex[STORE_HEX];

  if (sum->bad > 0)
    return;
  merkle_root (&verify->merkle, root);
  store_hex (root, hex);
  verify_report (
      verify, VERIFY_GOOD, "all-good", ".",
      "%" G_GUINT64_FORMAT " rows, %" G_GUINT64_FORMAT " segments with %" G_GUINT64_FORMAT
      " records and %" G_GUINT64_FORMAT
      " attachments are as they were written; the log has %" G_GUINT64_FORMAT " leaves and root %s",
      sum->rows, sum->segments, sum->media_records, sum->attachments, verify->merkle.size, hex);
}

/* Asked for by name, it must be known somewhere: to the table, or to the log if the row is gone. */
static gboolean
is_known_consult (Verify *verify)
{
  if (verify->db == NULL || verify->consult == NULL || g_str_equal (verify->consult, "station"))
    return TRUE;
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      verify->db,
      "SELECT 1 FROM consult WHERE id = ?1 UNION SELECT 1 FROM audit WHERE substr(what, 1, 4) <> "
      "'rec ' AND what >= 'consult ' || ?1 || ' ' AND what < 'consult ' || ?1 || '!'",
      NULL);
  if (find == NULL)
    return TRUE; /* a damaged table: that is what will be said */
  store_db_bind_text (find, 1, verify->consult);
  return sqlite3_step (find) != SQLITE_DONE;
}

gboolean
verify_state (const char *state_dir, Vault *vault, const char *consult, VerifyFinding finding,
              void *arg, VerifySummary *ret_summary, GError **error)
{
  if (g_access (state_dir, R_OK | X_OK) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", state_dir, g_strerror (errno));
    return FALSE;
  }
  Verify verify = { .state_dir = state_dir,
                    .vault = vault,
                    .consult = consult,
                    .finding = finding,
                    .arg = arg,
                    .live = store_lock_held (state_dir),
                    .shredded = table_of (NULL),
                    .keys = table_of ((GDestroyNotify)data_key_unref),
                    .no_key = table_of (NULL),
                    .escrows = table_of (g_free),
                    .files = table_of (g_free),
                    .segments = table_of (facts_free),
                    .outbox = table_of (g_free),
                    .drafts = table_of (g_free),
                    .index = table_of ((GDestroyNotify)g_hash_table_unref),
                    .media = table_of (NULL) };

  verify_note_media (&verify);
  gboolean readable = verify_database (&verify);
  if (!is_known_consult (&verify)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "there is no consultation “%s”; `nhipcau record list` tells which there are",
                 consult);
    verify_clear (&verify);
    return FALSE;
  }
  if (readable) {
    verify_log (&verify);
    verify_segments (&verify);
    verify_attachments (&verify);
    verify_drafts (&verify);
    verify_keys (&verify);
    verify_files (&verify);
  } else {
    verify_keys (&verify);
  }
  if (!verify.live && store_lock_held (state_dir))
    verify_report (&verify, VERIFY_BAD, "station-started", "lock",
                   "a station began to use the folder meanwhile: verify again");
  report_good (&verify);
  verify_clear (&verify);
  if (ret_summary != NULL)
    *ret_summary = verify.summary;
  return TRUE;
}
