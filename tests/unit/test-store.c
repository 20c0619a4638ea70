#include "records_place.h"
#include <signal.h>
#include <sys/resource.h>

/* ---- Round trips -------------------------------------------------------------------------- */

static void
test_round_trip (void)
{
  Records records;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  store_set_clock_trust (records.store, "ntp");
  g_autofree char *first = records_consult (&records);
  g_autofree char *second = records_consult (&records);
  for (int i = 1; i <= 5; i++) {
    g_autofree char *text = g_strdup_printf ("Ghi chú thứ %d: đau ngực, khó thở", i);
    g_assert_cmpint (records_note (&records, first, text), ==, i);
  }
  g_assert_cmpint (records_note (&records, second, "khác"), ==, 1);
  records_close (&records);
  records_open (&records);

  g_autoptr (GPtrArray) rows = store_read (records.store, first, "note", 2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 3);
  const StoreRow *row = rows->pdata[0];
  g_assert_cmpint (row->seq, ==, 3);
  g_assert_cmpstr (row->user, ==, "lan");
  g_assert_cmpstr (row->trust, ==, "ntp");
  g_assert_cmpuint (strlen (row->boot), ==, 36);
  g_assert_cmpint (ABS (row->utc_us - g_get_real_time ()), <, 60 * G_USEC_PER_SEC);
  g_assert_cmpstr (json_string_value (json_object_get (row->body, "text")), ==,
                   "Ghi chú thứ 3: đau ngực, khó thở");

  g_autoptr (GPtrArray) all = store_read (records.store, first, NULL, 0, &error);
  g_assert_cmpuint (all->len, ==, 6);
  g_assert_cmpstr (((StoreRow *)all->pdata[0])->kind, ==, "consultation");
  StoreRow *latest = store_latest (records.store, first, "note", &error);
  g_assert_cmpint (latest->seq, ==, 5);
  store_row_free (latest);
  g_assert_null (store_latest (records.store, first, "consent", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);

  g_autoptr (GPtrArray) consults = store_list_consults (records.store, NULL);
  g_assert_cmpuint (consults->len, ==, 2);
  g_assert_cmpstr (consults->pdata[0], ==, second);
  g_autofree char *day = store_consult_day (records.store, first, NULL);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *today = g_date_time_format (now, "%Y-%m-%d");
  g_assert_cmpstr (day, ==, today);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- Many consultations ------------------------------------------------------------------- */

static void
test_pages (void)
{
  Records records;
  g_autoptr (GPtrArray) made = g_ptr_array_new_with_free_func (g_free);

  records_up (&records);
  for (guint i = 0; i < 5; i++)
    g_ptr_array_add (made, records_consult (&records));
  g_autoptr (GPtrArray) newest = store_list_some (records.store, NULL, 2, NULL);
  g_assert_cmpuint (newest->len, ==, 2);
  g_assert_cmpstr (newest->pdata[0], ==, made->pdata[4]);
  g_assert_cmpstr (newest->pdata[1], ==, made->pdata[3]);
  g_autoptr (GPtrArray) next = store_list_some (records.store, newest->pdata[1], 9, NULL);
  g_assert_cmpuint (next->len, ==, 3);
  g_assert_cmpstr (next->pdata[0], ==, made->pdata[2]);
  g_autoptr (GPtrArray) none = store_list_some (records.store, "no-such", 9, NULL);
  g_assert_cmpuint (none->len, ==, 0);
  records_down (&records);
}

static void
count_unlogged (VerifyVerdict verdict, const char *code, const char *where, const char *what,
                void *arg)
{
  *(guint *)arg += g_str_equal (code, "key-unlogged");
}

static guint
unlogged (Records *records)
{
  guint found = 0;
  g_autoptr (GError) error = NULL;
  verify_state (records->dir, records->vault, NULL, count_unlogged, &found, NULL, &error);
  g_assert_no_error (error);
  return found;
}

/* A start looks at the newest keys; one of before, of which the log does not know, is told later.
 */
static void
test_late_keys (void)
{
  Records records;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autoptr (DataKey) late = vault_create_key (
      records.vault, "6d8f0c1e-0000-4000-8000-00000000000a", PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 70; i++)
    g_free (records_consult (&records));
  g_autoptr (DataKey) cut_off = vault_create_key (
      records.vault, "6d8f0c1e-0000-4000-8000-00000000000b", PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unlogged (&records), ==, 2);
  records_close (&records);
  records_open (&records);
  g_assert_cmpuint (unlogged (&records), ==, 1);
  store_check_keys (records.store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unlogged (&records), ==, 0);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- Threads ------------------------------------------------------------------------------ */

typedef struct {
  GMainLoop *loop;
  GThread *thread;
  guint left, failed;
  gint64 newest;
} Wait;

static void
count_done (gint64 seq, const GError *error, void *arg)
{
  Wait *wait = arg;
  g_assert_true (g_thread_self () == wait->thread);
  wait->failed += error != NULL;
  if (error == NULL) {
    g_assert_cmpint (seq, >, wait->newest);
    wait->newest = seq;
  }
  if (--wait->left == 0)
    g_main_loop_quit (wait->loop);
}

static void
test_callbacks_come_where_asked (void)
{
  Records records;
  g_autoptr (GMainContext) context = g_main_context_new ();
  Wait wait = { .loop = g_main_loop_new (context, FALSE), .thread = g_thread_self (), .left = 101 };

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_main_context_push_thread_default (context);
  json_t *bodies = json_array ();
  for (int i = 0; i < 100; i++) {
    json_t *body = json_pack ("{s:i}", "n", i);
    store_put (records.store, consult, "observation", NULL, body, count_done, &wait);
    json_object_set_new (body, "n", json_integer (-1)); /* the store keeps its own */
    json_array_append_new (bodies, body);
  }
  store_put_many (records.store, consult, "observation", NULL, bodies, count_done, &wait);
  json_decref (bodies);
  g_main_loop_run (wait.loop);
  g_assert_cmpuint (wait.failed, ==, 0);
  g_assert_cmpint (wait.newest, ==, 200);
  g_autoptr (GPtrArray) rows = store_read (records.store, consult, "observation", 0, NULL);
  g_assert_cmpuint (rows->len, ==, 200);
  const StoreRow *row = rows->pdata[42];
  g_assert_cmpint (json_integer_value (json_object_get (row->body, "n")), ==, 42);
  g_assert_null (row->user);

  /* One that cannot be kept harms nobody else. */
  wait.left = 3;
  json_t *body = json_object ();
  store_put (records.store, consult, "observation", NULL, body, count_done, &wait);
  store_put (records.store, consult, "Not A Kind", NULL, body, count_done, &wait);
  store_put (records.store, consult, "observation", NULL, body, count_done, &wait);
  json_decref (body);
  g_main_loop_run (wait.loop);
  g_assert_cmpuint (wait.failed, ==, 1);
  g_assert_cmpint (wait.newest, ==, 202);
  g_main_context_pop_thread_default (context);
  g_main_loop_unref (wait.loop);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
test_lazy_rows_become_durable (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  json_t *body = json_object ();
  gint64 begin = g_get_monotonic_time ();
  guint n = 0;

  store_put (records.store, consult, "observation", NULL, body, NULL, NULL);
  json_decref (body);
  while (n == 0) {
    g_autoptr (GPtrArray) rows = store_read (records.store, consult, "observation", 0, NULL);
    n = rows->len;
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_USEC_PER_SEC);
  }
  records_down (&records);
}

static void
test_refusals (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  json_t *body = json_object ();

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_assert_false (store_put_sync (records.store, "6d8f0c1e-0000-4000-8000-00000000000f", "note",
                                  "lan", body, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (store_put_sync (records.store, "../etc", "note", "lan", body, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (store_put_sync (records.store, consult, "note", "\xff\xfe", body, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (store_register_file (records.store, "../outside", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);

  g_autofree char *pid = g_strdup_printf ("process %d", (int)getpid ());
  g_assert_null (store_open (records.dir, records.vault, NULL, STORE_READ_WRITE, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, pid));
  g_clear_error (&error);

  g_autoptr (Store) reader = store_open (records.dir, records.vault, NULL, STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_assert_false (store_put_sync (reader, consult, "note", "lan", body, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  json_decref (body);
  g_clear_pointer (&reader, store_free);
  records_down (&records);
}

static void
test_lost_database (void)
{
  Records records;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_autofree char *path = g_build_filename (records.dir, "records.db", NULL);
  g_clear_pointer (&records.store, store_free);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_null (
      store_open (records.dir, records.vault, records.identity, STORE_READ_WRITE, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_null (
      store_open (records.dir, records.vault, records.identity, STORE_READ_WRITE, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  records_down (&records);
}

/* ---- Readers during writes ---------------------------------------------------------------- */

typedef struct {
  Store *store;
  const char *consult;
  gint stop;
  guint64 reads;
} Reader;

static gpointer
read_all_the_time (gpointer data)
{
  Reader *reader = data;
  guint before = 0;

  while (!g_atomic_int_get (&reader->stop)) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) rows = store_read (reader->store, reader->consult, "wave", 0, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (rows->len, >=, before);
    for (guint i = 0; i < rows->len; i++)
      g_assert_cmpint (((StoreRow *)rows->pdata[i])->seq, ==, (gint64)i + 1);
    before = rows->len;
    reader->reads++;
  }
  return NULL;
}

static void
test_readers_during_writes (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Reader readers[3];
  GThread *threads[3];
  json_t *body = json_pack ("{s:s}", "text", "mạch 72");

  for (guint i = 0; i < 3; i++) {
    readers[i] = (Reader){ .store = records.store, .consult = consult };
    threads[i] = g_thread_new ("reader", read_all_the_time, &readers[i]);
  }
  for (guint i = 0; i < 300; i++)
    if (i % 10 == 0)
      g_assert_true (store_put_sync (records.store, consult, "wave", NULL, body, NULL, NULL));
    else
      store_put (records.store, consult, "wave", NULL, body, NULL, NULL);
  json_decref (body);
  for (guint i = 0; i < 3; i++) {
    g_atomic_int_set (&readers[i].stop, 1);
    g_thread_join (threads[i]);
    g_assert_cmpuint (readers[i].reads, >, 0);
  }
  records_close (&records);
  records_open (&records);
  g_autoptr (GPtrArray) rows = store_read (records.store, consult, "wave", 0, NULL);
  g_assert_cmpuint (rows->len, ==, 300);
  records_down (&records);
}

/* ---- Reading leaves no trace -------------------------------------------------------------- */

static int
by_text (const void *a, const void *b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* Not the time of the inode's change: run by root, SQLite states a WAL's owner anew. */
static char *
listing (const char *dir)
{
  const char *argv[] = { "find", dir, "-printf", "%P %s %T@\\n", NULL };
  char *text = NULL;
  int status;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL, &status,
                NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_free (text);
  qsort (lines, g_strv_length (lines), sizeof *lines, by_text);
  return g_strjoinv ("\n", lines);
}

static void
read_without_trace (const char *dir, GBytes *boot, const char *consult)
{
  g_autofree char *before = listing (dir);
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = vault_open_read_only (dir, &error);

  g_assert_no_error (error);
  vault_unlock_boot (vault, boot, &error);
  g_assert_no_error (error);
  Store *store = store_open (dir, vault, NULL, STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) rows = store_read (store, consult, "note", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 1);
  g_autoptr (GBytes) manifest = store_manifest (store, consult, &error);
  g_assert_no_error (error);
  store_free (store);
  assert_good (dir, vault);
  g_autofree char *after = listing (dir);
  g_assert_cmpstr (before, ==, after);
}

static void
test_reading_leaves_no_trace (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  records_note (&records, consult, "một");
  g_autofree char *killed = records_copy (records.dir);
  g_autofree char *wal = g_build_filename (killed, "records.db-wal", NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (wal, &status), ==, 0);
  g_assert_cmpint (status.st_size, >, 0);
  read_without_trace (killed, records.place.boot, consult);
  records_close (&records);
  read_without_trace (records.dir, records.place.boot, consult);
  g_autofree char *lock = g_build_filename (records.dir, "lock", NULL);
  g_assert_cmpint (g_stat (lock, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 0);
  records_remove (killed);
  records_down (&records);
}

static void
test_after_a_kill (void)
{
  Records records, again;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  records_note (&records, consult, "một");
  again = records;
  again.dir = again.place.dir = records_copy (records.dir);
  records_close (&records);

  records_open (&again);
  g_autoptr (GPtrArray) rows = store_read (again.store, consult, "note", 0, NULL);
  g_assert_cmpuint (rows->len, ==, 1);
  StoreRow *recovered = store_latest (again.store, "station", "recovered", NULL);
  g_assert_nonnull (recovered);
  g_assert_cmpint (json_integer_value (json_object_get (recovered->body, "wal_bytes")), >, 0);
  store_row_free (recovered);
  assert_good (again.dir, again.vault);
  records_close (&again);
  records_remove (again.dir);
  g_free (again.place.dir);
  records_down (&records);
}

/* ---- The log ------------------------------------------------------------------------------ */

static void
test_manifest (void)
{
  Records records;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  records_note (&records, consult, "một");
  g_assert_true (store_checkpoint (records.store, &error));
  g_assert_true (store_checkpoint (records.store, &error)); /* nothing new: nothing happens */
  g_autoptr (GBytes) bytes = store_manifest (records.store, consult, &error);
  g_assert_no_error (error);
  json_t *manifest = json_loadb (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 0, NULL);
  g_assert_cmpint (json_integer_value (json_object_get (manifest, "version")), ==, 1);
  g_assert_cmpuint (json_array_size (json_object_get (manifest, "records")), ==, 2);
  g_assert_cmpuint (json_array_size (json_object_get (manifest, "cms_sha256")), ==, 1);
  g_autofree char *root = g_strdup (json_string_value (json_object_get (manifest, "root")));
  g_assert_cmpuint (strlen (root), ==, 64);
  json_decref (manifest);
  g_autoptr (GBytes) same = store_manifest (records.store, consult, &error);
  g_assert_true (g_bytes_equal (bytes, same));
  records_note (&records, consult, "hai");
  g_autoptr (GBytes) other = store_manifest (records.store, consult, &error);
  g_assert_false (g_bytes_equal (bytes, other));
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- Nothing readable --------------------------------------------------------------------- */

static void
search (const char *dir, const guint8 *needle, gsize size)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (entries)) != NULL) {
    g_autofree char *path = g_build_filename (dir, name, NULL);
    g_autofree char *content = NULL;
    gsize length;
    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      search (path, needle, size);
    else if (g_file_get_contents (path, &content, &length, NULL))
      g_assert_null (memmem (content, length, needle, size));
  }
}

static void
search_all_forms (const char *dir, const char *text)
{
  static const char *const forms[] = { "UTF-8", "UTF-16LE", "UTF-16BE" };
  g_autofree char *composed = g_utf8_normalize (text, -1, G_NORMALIZE_NFC);
  g_autofree char *apart = g_utf8_normalize (text, -1, G_NORMALIZE_NFD);

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    gsize a, b;
    g_autofree char *first = g_convert (composed, -1, forms[i], "UTF-8", NULL, &a, NULL);
    g_autofree char *second = g_convert (apart, -1, forms[i], "UTF-8", NULL, &b, NULL);
    search (dir, (const guint8 *)first, a);
    search (dir, (const guint8 *)second, b);
  }
}

static void
test_nothing_readable (void)
{
  static const char *const secrets[] = { "Nguyễn Thị Hường", "038199012345", "đau thắt ngực trái",
                                         "Camera phòng khám số 2", "bs.hoa.rieng" };
  Records records;
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  json_t *body = json_pack ("{s:s, s:s, s:s}", "name", secrets[0], "personal_number", secrets[1],
                            "reason", secrets[2]);
  store_put_sync (records.store, consult, "patient", secrets[4], body, NULL, &error);
  json_decref (body);
  const TrackInfo info = { .stream = "room", .mime_type = "video/mp4", .label = secrets[3] };
  Track *track = track_open (records.store, consult, &info, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) fragment = g_bytes_new_static (secrets[2], strlen (secrets[2]));
  g_assert_true (track_append (track, fragment, SEGMENT_INIT, 0));
  track_close (track);
  g_autofree char *killed = records_copy (records.dir);
  records_close (&records);
  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++) {
    search_all_forms (killed, secrets[i]);
    search_all_forms (records.dir, secrets[i]);
  }
  records_remove (killed);
  records_down (&records);
}

/* ---- A disk that ends --------------------------------------------------------------------- */

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_full_disk (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  guint kept = 0, lost = 0;

  signal (SIGXFSZ, SIG_IGN);
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_assert_true (reserve_ensure (records.dir, 100000, &error));
  g_autofree char *big = g_strnfill (20000, 'x');
  json_t *body = json_pack ("{s:s}", "text", big);
  limit_files (400 * 1024);
  for (int i = 0; i < 60; i++) {
    g_clear_error (&error);
    if (store_put_sync (records.store, consult, "note", "lan", body, NULL, &error)) {
      kept++;
      continue;
    }
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK);
    lost++;
  }
  limit_files (RLIM_INFINITY);
  g_assert_cmpuint (kept, >, 0);
  g_assert_cmpuint (lost, >, 0);
  g_autofree char *reserve = g_build_filename (records.dir, "reserve", NULL);
  g_assert_false (g_file_test (reserve, G_FILE_TEST_EXISTS)); /* it was given up for the notes */

  g_clear_error (&error);
  g_assert_true (store_put_sync (records.store, consult, "note", "lan", body, NULL, &error));
  json_decref (body);
  g_autoptr (GPtrArray) rows = store_read (records.store, consult, "note", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, kept + 1);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
test_reserve (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  records_up (&records);
  g_autofree char *path = g_build_filename (records.dir, "reserve", NULL);
  g_assert_true (reserve_ensure (records.dir, 3 << 20, &error));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 3 << 20);
  g_assert_cmpint (status.st_blocks * 512, >=, 3 << 20);
  g_assert_true (reserve_ensure (records.dir, 1 << 20, &error));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 1 << 20);
  guint64 all = space_for_recording (records.dir, 0);
  g_assert_cmpuint (all, >, 0);
  g_assert_cmpuint (space_for_recording (records.dir, 1 << 20), <, all);
  g_assert_cmpuint (space_for_recording (records.dir, G_MAXUINT64), ==, 0);
  g_assert_cmpuint (space_for_recording ("/nowhere", 0), ==, 0);
  assert_good (records.dir, records.vault);
  reserve_release (records.dir);
  reserve_release (records.dir);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A disk that ends is worth a warning, and a test. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/store/round-trip", test_round_trip);
  g_test_add_func ("/store/callbacks-come-where-asked", test_callbacks_come_where_asked);
  g_test_add_func ("/store/lazy-rows-become-durable", test_lazy_rows_become_durable);
  g_test_add_func ("/store/refusals", test_refusals);
  g_test_add_func ("/store/lost-database", test_lost_database);
  g_test_add_func ("/store/readers-during-writes", test_readers_during_writes);
  g_test_add_func ("/store/reading-leaves-no-trace", test_reading_leaves_no_trace);
  g_test_add_func ("/store/after-a-kill", test_after_a_kill);
  g_test_add_func ("/store/pages", test_pages);
  g_test_add_func ("/store/late-keys", test_late_keys);
  g_test_add_func ("/store/manifest", test_manifest);
  g_test_add_func ("/store/nothing-readable", test_nothing_readable);
  g_test_add_func ("/store/full-disk", test_full_disk);
  g_test_add_func ("/store/reserve", test_reserve);
  return g_test_run ();
}
