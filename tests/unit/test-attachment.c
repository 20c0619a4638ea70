#include "records/attachment.h"
#include "records/attachment_file.h"
#include "records_place.h"
#include <fcntl.h>

#define MIB (1024 * 1024)

/* Bytes that differ from place to place and from seed to seed. */
static GBytes *
content_of (guint32 seed, gsize size)
{
  guint8 *bytes = g_malloc (MAX (size, 1));
  guint32 state = seed * 2654435761u + 99;
  for (gsize i = 0; i < size; i++) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = (guint8)(state >> 24);
  }
  return g_bytes_new_take (bytes, size);
}

static Attachment
put (Records *records, const char *consult, GBytes *content)
{
  json_t *about = json_pack ("{s:s}", "series", "1.2.3");
  const AttachmentInfo info = {
    .kind = "dicom", .name = "Siêu âm tim.dcm", .mime_type = "application/dicom", .about = about
  };
  g_autoptr (GError) error = NULL;
  Attachment attachment;
  attachment_put_sync (records->store, consult, "lan", &info, content, &attachment, &error);
  g_assert_no_error (error);
  json_decref (about);
  return attachment;
}

static guint
rows_of (Records *records, const char *consult)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = store_read (records->store, consult, "attachment", 0, &error);
  g_assert_no_error (error);
  return rows->len;
}

/* ---- Round trip --------------------------------------------------------------------------- */

static void
assert_part (Records *records, const char *consult, const Attachment *attachment, GBytes *content,
             guint64 offset, gsize size)
{
  g_autoptr (GError) error = NULL;
  gsize whole = g_bytes_get_size (content), from = MIN (offset, whole);
  g_autoptr (GBytes) read
      = attachment_read (records->store, consult, attachment->id, offset, size, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (read, NULL), g_bytes_get_size (read),
                   (const guint8 *)g_bytes_get_data (content, NULL) + from,
                   MIN (size, whole - from));
}

static void
test_round_trip (void)
{
  static const gsize sizes[] = { 0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5 };
  Records records;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) content = content_of (i, sizes[i]);
    Attachment attachment = put (&records, consult, content);
    guint64 size;
    g_assert_true (attachment.is_new);
    g_assert_cmpint (attachment.seq, ==, i + 1);
    g_assert_true (attachment_size (records.store, consult, attachment.id, &size, NULL));
    g_assert_cmpuint (size, ==, sizes[i]);
    assert_part (&records, consult, &attachment, content, 0, sizes[i]);
    assert_part (&records, consult, &attachment, content, 0, G_MAXSIZE);
    assert_part (&records, consult, &attachment, content, MIB - 3, 7);
    assert_part (&records, consult, &attachment, content, sizes[i], 10);
    assert_part (&records, consult, &attachment, content, G_MAXUINT64, 10);
  }
  assert_good (records.dir, records.vault);
  Verdict verdict;
  verdict_of (&verdict, records.dir, records.vault, consult);
  g_assert_cmpuint (verdict.summary.attachments, ==, G_N_ELEMENTS (sizes));
  verdict_clear (&verdict);
  records_down (&records);
}

/* The same content again, with a station killed in between: one file, one row. */
static void
test_once (void)
{
  Records records;
  g_autoptr (GBytes) content = content_of (1, MIB + 10);

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_autofree char *other = records_consult (&records);
  Attachment first = put (&records, consult, content);
  records_close (&records);
  records_open (&records);
  Attachment again = put (&records, consult, content), elsewhere = put (&records, other, content);
  g_assert_true (first.is_new);
  g_assert_false (again.is_new);
  g_assert_cmpstr (first.id, ==, again.id);
  g_assert_cmpuint (rows_of (&records, consult), ==, 1);
  /* Under another key it has another name: nobody can tell that it is the same file. */
  g_assert_true (elsewhere.is_new);
  g_assert_cmpstr (first.id, !=, elsewhere.id);
  g_assert_cmpstr (first.sha256, ==, elsewhere.sha256);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* Nothing of the content or its names is plain on the disk. */
static void
test_sealed (void)
{
  static const char *const plain[] = { "NGUYEN VAN A", "tim.dcm", "application/dicom" };
  Records records;
  g_autoptr (GBytes) content = g_bytes_new_static ("NGUYEN VAN A NGUYEN VAN A", 25);

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  put (&records, consult, content);
  records_close (&records);
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++) {
    const char *argv[] = { "grep", "-rlaF", "--", plain[i], records.dir, NULL };
    g_autofree char *found = NULL;
    g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &found, NULL, NULL,
                  NULL);
    g_assert_cmpstr (found, ==, "");
  }
  records_down (&records);
}

/* ---- Without waiting ---------------------------------------------------------------------- */

typedef struct {
  guint left, new, failed;
} Puts;

static void
count_put (const Attachment *attachment, const GError *error, void *arg)
{
  Puts *puts = arg;
  g_assert_true ((attachment == NULL) == (error != NULL));
  puts->left--;
  puts->new += attachment != NULL && attachment->is_new;
  puts->failed += error != NULL;
}

static void
test_async (void)
{
  const AttachmentInfo info = { .kind = "still" }, wrong = { .kind = "Not A Kind" };
  Puts puts = { .left = 9 };
  Records records;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  for (guint i = 0; i < 8; i++) {
    g_autoptr (GBytes) content = content_of (i / 2, 70000);
    attachment_put (records.store, consult, NULL, &info, content, count_put, &puts);
  }
  g_autoptr (GBytes) content = content_of (1, 1);
  attachment_put (records.store, consult, NULL, &wrong, content, count_put, &puts);
  while (puts.left > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (puts.new, ==, 4);
  g_assert_cmpuint (puts.failed, ==, 1);
  /* What is queued at the end is still kept. */
  for (guint i = 10; i < 14; i++) {
    g_autoptr (GBytes) late = content_of (i, 70000);
    attachment_put (records.store, consult, NULL, &info, late, NULL, NULL);
  }
  records_close (&records);
  records_open (&records);
  g_assert_cmpuint (rows_of (&records, consult), ==, 8);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- Held at the station, then claimed ---------------------------------------------------- */

static void
test_claim (void)
{
  Records records;
  g_autoptr (GBytes) content = content_of (1, 5000);
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Attachment held = put (&records, "station", content);
  Attachment claimed = put (&records, consult, content);
  g_assert_true (attachment_remove (records.store, "station", held.id, NULL));
  g_assert_true (attachment_remove (records.store, "station", held.id, NULL)); /* and again */
  assert_part (&records, consult, &claimed, content, 0, 5000);
  g_assert_null (attachment_read (records.store, "station", held.id, 0, 1, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  assert_good (records.dir, records.vault);
  g_assert_true (put (&records, "station", content).is_new); /* sent once more */
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- What goes wrong ---------------------------------------------------------------------- */

static void
test_refused (void)
{
  Records records;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  static const char *const ids[]
      = { "", "../../../../etc/passwd", "0000",
          "00000000000000000000000000000000000000000000000000000000000000ZZ",
          "0000000000000000000000000000000000000000000000000000000000000000" };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (attachment_read (records.store, consult, ids[i], 0, 1, &error));
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  }
  g_autoptr (GError) error = NULL;
  g_assert_null (attachment_read (records.store, "..", ids[4], 0, 1, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  records_down (&records);
}

static void
spoil (const char *path, goffset at)
{
  guint8 byte;
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pread (fd, &byte, 1, at), ==, 1);
  byte ^= 0x40;
  g_assert_cmpint (pwrite (fd, &byte, 1, at), ==, 1);
  close (fd);
}

/* Every byte of the header, and some of each chunk and tag: reading refuses, verify tells, with
 * the key and without. */
static void
test_damage (void)
{
  Records records;
  g_autoptr (GBytes) content = content_of (1, MIB + 10);

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Attachment attachment = put (&records, consult, content);
  g_autofree char *path = attachment_path (records.dir, consult, attachment.id);
  g_autofree char *name = attachment_path (NULL, consult, attachment.id);
  const goffset end = ATTACHMENT_HEADER + MIB + 10 + 2 * ATTACHMENT_TAG;
  for (goffset at = 0; at < end; at += at < ATTACHMENT_HEADER ? 1 : 65521) {
    spoil (path, at);
    g_assert_null (attachment_read (records.store, consult, attachment.id, 0, G_MAXSIZE, NULL));
    spoil (path, at);
  }
  assert_good (records.dir, records.vault);
  spoil (path, end - 1);
  assert_bad (records.dir, records.vault, "attachment-tampered", name);
  assert_bad (records.dir, NULL, "attachment-tampered", name);
  spoil (path, end - 1);
  g_assert_cmpint (truncate (path, end - 1), ==, 0);
  g_assert_null (attachment_read (records.store, consult, attachment.id, 0, 1, NULL));
  g_unlink (path);
  assert_bad (records.dir, records.vault, "attachment-missing", name);
  /* Sent again it is whole again. */
  g_assert_false (put (&records, consult, content).is_new);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* A kill between the file and its row: a note, not an alarm; what was half written is removed. */
static void
test_killed (void)
{
  Records records;
  g_autoptr (GBytes) content = content_of (1, 5000);

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Attachment attachment = put (&records, consult, content);
  g_autofree char *path = attachment_path (records.dir, consult, attachment.id);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *half = g_build_filename (folder, "new-AbCdEf", NULL);
  g_autofree char *unlogged = g_strdup (path);
  unlogged[strlen (unlogged) - 5] ^= 1;
  g_assert_true (g_file_set_contents (half, "x", 1, NULL));
  g_assert_true (g_file_set_contents (unlogged, "x", 1, NULL));
  records_close (&records);
  /* A station that was killed leaves its number there. */
  g_autofree char *lock = g_build_filename (records.dir, "lock", NULL);
  g_assert_true (g_file_set_contents (lock, "1234\n", -1, NULL));
  records_open (&records);
  g_assert_false (g_file_test (half, G_FILE_TEST_EXISTS));
  Verdict verdict;
  verdict_of (&verdict, records.dir, records.vault, NULL);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_assert_nonnull (strstr (verdict.text->str, "attachment-unlogged"));
  verdict_clear (&verdict);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attachment/round-trip", test_round_trip);
  g_test_add_func ("/attachment/once", test_once);
  g_test_add_func ("/attachment/sealed", test_sealed);
  g_test_add_func ("/attachment/async", test_async);
  g_test_add_func ("/attachment/claim", test_claim);
  g_test_add_func ("/attachment/refused", test_refused);
  g_test_add_func ("/attachment/damage", test_damage);
  g_test_add_func ("/attachment/killed", test_killed);
  return g_test_run ();
}
