#include "records/outbox.h"
#include "records/witness.h"
#include "records_place.h"

/* Each kind of witness against a folder that was put back, and the outbox beside it. */

static gboolean
known (Records *records, const char *source, const WitnessPoint *point)
{
  g_autoptr (GError) error = NULL;
  gboolean is_known;
  witness_check (records->store, source, point->size, point->root, &is_known, &error);
  g_assert_no_error (error);
  return is_known;
}

static WitnessPoint
point_now (Records *records)
{
  WitnessPoint point;
  g_autoptr (GError) error = NULL;
  witness_point (records->store, &point, &error);
  g_assert_no_error (error);
  return point;
}

static guint
forks (Records *records)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = witness_forks (records->store, &error);
  g_assert_no_error (error);
  return list->len;
}

static void
put_back (Records *records, char *old)
{
  records_close (records);
  records_remove (records->dir);
  g_assert_cmpint (g_rename (old, records->dir), ==, 0);
  records_open (records);
}

static void
test_points (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  WitnessPoint early = point_now (&records);
  store_checkpoint (records.store, NULL);
  g_autofree char *old = records_copy (records.dir);
  records_note (&records, consult, "sau");
  WitnessPoint late = point_now (&records);
  g_assert_true (known (&records, "browser", &early));
  g_assert_true (known (&records, "browser", &late));
  g_assert_cmpuint (forks (&records), ==, 0);

  put_back (&records, old);
  g_assert_true (known (&records, "browser", &early));
  g_assert_false (known (&records, "browser", &late)); /* our log is shorter */
  g_assert_false (known (&records, "browser", &late));
  g_assert_cmpuint (forks (&records), ==, 1); /* said once */
  for (guint i = 0; i < 5; i++)
    records_note (&records, consult, "khác");
  g_assert_false (known (&records, "receipt", &late)); /* and when it is longer again */
  g_assert_cmpuint (forks (&records), ==, 2);
  assert_good (records.dir, records.vault); /* work continues */
  records_down (&records);
}

static void
sign (Records *records, const char *consult, const char *sha256)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *body = json_pack ("{s:s}", "sha256", sha256);
  store_put_sync (records->store, consult, "signature", "lan", body, NULL, &error);
  g_assert_no_error (error);
}

static void
test_paper (void)
{
  static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  Records records;
  g_autoptr (GError) error = NULL;
  gboolean is_known, locked;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_autofree char *old = records_copy (records.dir);
  sign (&records, consult, hash);
  witness_check_paper (records.store, hash, &is_known, &locked, &error);
  g_assert_no_error (error);
  g_assert_true (is_known);
  g_assert_false (witness_check_paper (records.store, "12", &is_known, &locked, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);

  put_back (&records, old);
  /* Left by another program, taken by the one that writes. */
  guint unknown;
  witness_leave (records.dir, "paper", 0, hash, &error);
  g_assert_no_error (error);
  witness_take (records.store, &unknown, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unknown, ==, 1);
  g_assert_cmpuint (forks (&records), ==, 1);
  witness_take (records.store, &unknown, &error);
  g_assert_cmpuint (unknown, ==, 0);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
test_rubbish_left (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  guint unknown;
  records_up (&records);
  g_autofree char *path = g_build_filename (records.dir, WITNESS_TOLD, NULL);
  g_file_set_contents (
      path,
      "x\n\nbackup -1 zz\nbackup 99999999999999999999 ab\nBAD 1 ab\nbackup 4 ab\n\xff\xfe 1 2", -1,
      NULL);
  witness_take (records.store, &unknown, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unknown, ==, 0);
  g_assert_cmpuint (forks (&records), ==, 0);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- The outbox --------------------------------------------------------------------------- */

static OutboxItem *
due (const char *target, const char *item)
{
  OutboxItem *one = g_new0 (OutboxItem, 1);
  one->target = g_strdup (target);
  one->item = g_strdup (item);
  return one;
}

static void
queue_two (Records *records, const char *consult)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify)outbox_item_free);
  json_auto_t *body = json_pack ("{s:s}", "state", "signed");
  g_ptr_array_add (items, due ("province", "record"));
  g_ptr_array_add (items, due ("disk", "record"));
  outbox_put_sync (records->store, consult, "consultation", "lan", body, items, NULL, &error);
  g_assert_no_error (error);
}

static GPtrArray *
waiting (Records *records)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *items = outbox_list (records->store, FALSE, &error);
  g_assert_no_error (error);
  return items;
}

static void
test_outbox (void)
{
  static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000aa";
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  queue_two (&records, consult);
  queue_two (&records, consult); /* signed again after a kill: nothing twice */
  g_autoptr (GPtrArray) items = waiting (&records);
  g_assert_cmpuint (items->len, ==, 2);
  const OutboxItem *first = items->pdata[0];
  g_assert_cmpstr (first->target, ==, "province");
  outbox_fail (records.store, first->uuid, "unreachable", &error);
  g_assert_no_error (error);
  outbox_advance (records.store, first, OUTBOX_SENT, hash, NULL, &error);
  g_assert_no_error (error);
  json_auto_t *body = json_pack ("{s:s}", "target", "province");
  outbox_advance (records.store, first, OUTBOX_CONFIRMED, hash, body, &error);
  g_assert_no_error (error);
  outbox_advance (records.store, first, OUTBOX_SENT, hash, NULL, &error); /* never backwards */
  g_assert_no_error (error);

  records_close (&records);
  records_open (&records);
  g_autoptr (GPtrArray) left = waiting (&records);
  g_assert_cmpuint (left->len, ==, 1);
  g_assert_cmpstr (((OutboxItem *)left->pdata[0])->target, ==, "disk");
  g_autoptr (GPtrArray) rows = store_read (records.store, consult, "delivery", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 1);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
tamper (Records *records, const char *sql)
{
  g_autofree char *path = g_build_filename (records->dir, "records.db", NULL);
  const char *argv[] = { "sqlite3", path, sql, NULL };
  int status = -1;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                NULL);
  g_assert_cmpint (status, ==, 0);
}

static void
test_outbox_tampered (void)
{
  static const char *const changes[][2]
      = { { "UPDATE outbox SET state='confirmed' WHERE target='disk'", "outbox-tampered" },
          { "UPDATE outbox SET target='other' WHERE target='disk'", "outbox-tampered" },
          { "DELETE FROM outbox WHERE target='disk'", "outbox-deleted" } };
  g_autofree char *sqlite = g_find_program_in_path ("sqlite3");
  if (sqlite == NULL) {
    g_test_skip ("sqlite3 is not installed");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    Records records;
    records_up (&records);
    g_autofree char *consult = records_consult (&records);
    queue_two (&records, consult);
    records_close (&records);
    tamper (&records, changes[i][0]);
    records.vault = vault_open_read_only (records.dir, NULL);
    vault_unlock_boot (records.vault, records.place.boot, NULL);
    assert_bad (records.dir, records.vault, changes[i][1], "records.db outbox");
    records_down (&records);
  }
}

/* ---- Recordings in the outbox ------------------------------------------------------------- */

static gboolean
is_delivered (Records *records, const char *consult)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) ids = outbox_delivered (records->store, "recording", &error);
  g_assert_no_error (error);
  return g_hash_table_contains (ids, consult);
}

static void
queue_recording (Records *records, const char *consult)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify)outbox_item_free);
  g_ptr_array_add (items, due ("province", "recording"));
  g_ptr_array_add (items, due ("disk", "recording"));
  outbox_queue_sync (records->store, consult, items, &error);
  g_assert_no_error (error);
}

/* Where the record went says nothing of the recording; that counts when it is everywhere. */
static void
test_recordings (void)
{
  static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000aa";
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  queue_two (&records, consult);
  g_autoptr (GPtrArray) two = waiting (&records);
  for (guint i = 0; i < two->len; i++)
    g_assert_true (
        outbox_advance (records.store, two->pdata[i], OUTBOX_CONFIRMED, hash, NULL, NULL));
  g_assert_true (outbox_is_confirmed (records.store, consult, "record"));
  g_assert_false (is_delivered (&records, consult));
  queue_recording (&records, consult);
  queue_recording (&records, consult); /* nothing twice */
  g_autoptr (GPtrArray) both = waiting (&records);
  g_assert_cmpuint (both->len, ==, 2);
  g_assert_true (
      outbox_advance (records.store, both->pdata[0], OUTBOX_CONFIRMED, hash, NULL, &error));
  g_assert_true (outbox_is_confirmed (records.store, consult, "recording"));
  g_assert_false (is_delivered (&records, consult));
  g_assert_true (
      outbox_advance (records.store, both->pdata[1], OUTBOX_CONFIRMED, hash, NULL, &error));
  g_assert_true (is_delivered (&records, consult));

  g_autofree char *other = records_consult (&records);
  queue_recording (&records, other);
  g_autoptr (GPtrArray) gone = waiting (&records);
  for (guint i = 0; i < gone->len; i++)
    g_assert_true (
        outbox_advance (records.store, gone->pdata[i], OUTBOX_WITHDRAWN, hash, NULL, NULL));
  g_autoptr (GPtrArray) none = waiting (&records);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_false (is_delivered (&records, other));
  g_autoptr (GPtrArray) done = outbox_list_done (records.store, 100, &error);
  g_assert_cmpuint (done->len, ==, 6);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/witness/points", test_points);
  g_test_add_func ("/witness/paper", test_paper);
  g_test_add_func ("/witness/rubbish-left", test_rubbish_left);
  g_test_add_func ("/outbox/states", test_outbox);
  g_test_add_func ("/outbox/tampered", test_outbox_tampered);
  g_test_add_func ("/outbox/recordings", test_recordings);
  return g_test_run ();
}
