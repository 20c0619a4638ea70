/* Real logs, written by SQLite and left behind by a connection that is still open. */
#include "records/wal_check.h"
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

typedef struct {
  char *dir, *path, *wal_path;
  sqlite3 *db;
} Fixture;

static void
run (sqlite3 *db, const char *sql)
{
  char *message = NULL;
  if (sqlite3_exec (db, sql, NULL, NULL, &message) != SQLITE_OK)
    g_error ("%s: %s", sql, message);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("nhipcau-wal-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "x.db", NULL);
  f->wal_path = g_strconcat (f->path, "-wal", NULL);
  g_assert_cmpint (sqlite3_open (f->path, &f->db), ==, SQLITE_OK);
  run (f->db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
              "CREATE TABLE t (x BLOB); INSERT INTO t VALUES (randomblob(5000));");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sqlite3_close (f->db);
  g_autofree char *shm = g_strconcat (f->path, "-shm", NULL);
  g_unlink (f->path);
  g_unlink (f->wal_path);
  g_unlink (shm);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->path);
  g_free (f->wal_path);
}

static guint8 *
read_wal (Fixture *f, gsize *size)
{
  char *wal;
  g_assert_true (g_file_get_contents (f->wal_path, &wal, size, NULL));
  return (guint8 *)wal;
}

static void
test_good (Fixture *f, gconstpointer data)
{
  WalReport report;
  gsize size;
  g_autofree guint8 *wal = read_wal (f, &size);

  wal_check (wal, size, &report);
  g_assert_cmpint (report.tail, ==, WAL_TAIL_NONE);
  g_assert_cmpuint (report.frames, >, 2);
  g_assert_cmpuint (report.committed, ==, report.frames);
  g_assert_cmpuint (report.tail_offset, ==, size);
  g_autofree char *missing = g_build_filename (f->dir, "none-wal", NULL);
  g_assert_true (wal_check_file (missing, &report, NULL));
  g_assert_cmpuint (report.frames, ==, 0);
  g_assert_cmpint (report.tail, ==, WAL_TAIL_NONE);
}

static void
test_every_byte (Fixture *f, gconstpointer data)
{
  WalReport report;
  gsize size;
  g_autofree guint8 *wal = read_wal (f, &size);

  for (gsize i = 0; i < size; i++) {
    wal[i] ^= (guint8)(1 << (i % 8));
    wal_check (wal, size, &report);
    wal[i] ^= (guint8)(1 << (i % 8));
    if (report.tail != WAL_TAIL_BAD)
      g_error ("flipped byte %" G_GSIZE_FORMAT " not found", i);
  }
}

static void
test_every_length (Fixture *f, gconstpointer data)
{
  WalReport report, whole;
  gsize size;
  g_autofree guint8 *wal = read_wal (f, &size);

  wal_check (wal, size, &whole);
  for (gsize length = 0; length < size; length++) {
    wal_check (wal, length, &report);
    g_assert_cmpint (report.tail, !=, WAL_TAIL_BAD);
    g_assert_cmpuint (report.frames, <, whole.frames);
  }
}

/* After a reset the log is written from its start; what stays behind is of the earlier use. */
static void
test_old_frames (Fixture *f, gconstpointer data)
{
  WalReport report;
  gsize size;

  run (f->db, "PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES (1);");
  g_autofree guint8 *wal = read_wal (f, &size);
  wal_check (wal, size, &report);
  g_assert_cmpint (report.tail, ==, WAL_TAIL_OLD);
  g_assert_cmpuint (report.committed, >=, 1);
  /* Damage in the present part is still damage. */
  wal[32 + 24 + 100] ^= 1;
  wal_check (wal, size, &report);
  g_assert_cmpint (report.tail, ==, WAL_TAIL_BAD);
}

static void
test_apply (Fixture *f, gconstpointer data)
{
  WalReport report;
  gsize size, db_size;
  g_autofree guint8 *wal = read_wal (f, &size);
  g_autofree char *db = NULL, *after = NULL;

  g_assert_true (g_file_get_contents (f->path, &db, &db_size, NULL));
  g_autoptr (GByteArray) image = g_byte_array_new ();
  g_byte_array_append (image, (guint8 *)db, (guint)db_size);
  wal_check (wal, size, &report);
  g_assert_true (wal_apply (wal, &report, image));
  run (f->db, "PRAGMA wal_checkpoint(TRUNCATE);");
  g_assert_true (g_file_get_contents (f->path, &after, &db_size, NULL));
  g_assert_cmpmem (image->data, image->len, after, db_size);
  report.db_pages = G_MAXUINT32;
  g_assert_false (wal_apply (wal, &report, image));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/wal-check/good", Fixture, NULL, set_up, test_good, tear_down);
  g_test_add ("/wal-check/every-byte", Fixture, NULL, set_up, test_every_byte, tear_down);
  g_test_add ("/wal-check/every-length", Fixture, NULL, set_up, test_every_length, tear_down);
  g_test_add ("/wal-check/old-frames", Fixture, NULL, set_up, test_old_frames, tear_down);
  g_test_add ("/wal-check/apply", Fixture, NULL, set_up, test_apply, tear_down);
  return g_test_run ();
}
