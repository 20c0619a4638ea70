/* The sealed store, measured. One JSON line on stdout.
 *
 *   bench-records rows FOLDER ROUNDS TRANSACTIONS   rows/s, 20 a transaction: sealed and plain
 * SQLite bench-records media FOLDER ROUNDS FRAGMENT      MB/s of one track, fragments of so many
 * bytes bench-records verify FOLDER ROUNDS MEGABYTES    MB/s of a processor's time
 */
#include "../unit/records_place.h"
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROWS 20                  /* a transaction */
#define BURST (60 * 1024 * 1024) /* a track may have 64 MiB waiting */

static double
seconds (void)
{
  return (double)g_get_monotonic_time () / G_USEC_PER_SEC;
}

static double
processor_seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
print_list (const char *name, const double *values, guint n)
{
  printf ("\"%s\":[", name);
  for (guint i = 0; i < n; i++)
    printf ("%s%.1f", i > 0 ? "," : "", values[i]);
  printf ("]");
}

/* ---- Rows ----------------------------------------------------------------------------------- */

/* Twenty readings as a monitor's message gives them, some 180 bytes each as text. */
static json_t *
readings (guint from)
{
  json_t *list = json_array ();
  for (guint i = 0; i < ROWS; i++)
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s, s:f, s:s, s:s, s:i}", "device",
                                            "00A0370000000001", "code", "150456", "name", "spo2",
                                            "value", 96.0 + (from + i) % 4, "unit", "%", "place",
                                            "finger of the left hand", "n", (int)(from + i)));
  return list;
}

static void
on_done (gint64 seq, const GError *error, void *arg)
{
  g_assert_no_error (error);
  *(gboolean *)arg = TRUE;
}

static double
sealed_round (Records *records, guint transactions)
{
  g_autofree char *consult = records_consult (records);
  double begin = seconds ();
  for (guint i = 0; i < transactions; i++) {
    json_auto_t *bodies = readings (i * ROWS);
    gboolean done = FALSE;
    store_put_many (records->store, consult, "observation", NULL, bodies, on_done, &done);
    while (!done)
      g_main_context_iteration (NULL, TRUE);
  }
  return transactions * ROWS / (seconds () - begin);
}

static sqlite3 *
plain_open (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "plain.db", NULL);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_exec (db,
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
                    "PRAGMA journal_size_limit=0; PRAGMA temp_store=MEMORY;"
                    "CREATE TABLE rec(id INTEGER PRIMARY KEY, consult TEXT NOT NULL, kind TEXT NOT "
                    "NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL, body TEXT NOT NULL, "
                    "UNIQUE(consult, kind, seq)) STRICT",
                    NULL, NULL, NULL),
      ==, SQLITE_OK);
  return db;
}

static void
plain_put (sqlite3_stmt *insert, const char *consult, guint seq, json_t *body)
{
  json_auto_t *whole = json_pack ("{s:{s:s, s:I, s:s, s:I}, s:O, s:n}", "at", "boot",
                                  "4d1c9c6a-9f0e-4a0b-8a52-0d7f6a0f8c11", "mono_us",
                                  (json_int_t)g_get_monotonic_time (), "trust", "ntp", "utc_us",
                                  (json_int_t)g_get_real_time (), "body", body, "user");
  char *text = json_dumps (whole, JSON_COMPACT | JSON_SORT_KEYS);
  sqlite3_bind_null (insert, 1);
  sqlite3_bind_text (insert, 2, consult, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 3, "observation", -1, SQLITE_STATIC);
  sqlite3_bind_int64 (insert, 4, seq);
  sqlite3_bind_int64 (insert, 5, 1);
  sqlite3_bind_text (insert, 6, text, -1, SQLITE_STATIC);
  g_assert_cmpint (sqlite3_step (insert), ==, SQLITE_DONE);
  sqlite3_reset (insert);
  free (text);
}

/* What somebody would write who keeps the same rows, text and time, in SQLite as it is. */
static double
plain_round (sqlite3 *db, guint transactions)
{
  g_autofree char *consult = g_uuid_string_random ();
  sqlite3_stmt *insert;
  json_t *body;
  gsize k;
  sqlite3_prepare_v2 (db, "INSERT INTO rec VALUES(?, ?, ?, ?, ?, ?)", -1, &insert, NULL);
  double begin = seconds ();
  for (guint i = 0; i < transactions; i++) {
    json_auto_t *bodies = readings (i * ROWS);
    g_assert_cmpint (sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    json_array_foreach (bodies, k, body) plain_put (insert, consult, i * ROWS + (guint)k + 1, body);
    g_assert_cmpint (sqlite3_exec (db, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  }
  double rate = transactions * ROWS / (seconds () - begin);
  sqlite3_finalize (insert);
  return rate;
}

static void
rows (Records *records, guint rounds, guint transactions)
{
  g_autofree double *sealed = g_new0 (double, rounds), *plain = g_new0 (double, rounds);
  sqlite3 *db = plain_open (records->dir);
  sealed_round (records, transactions / 4 + 1);
  plain_round (db, transactions / 4 + 1);
  for (guint i = 0; i < rounds; i++) {
    sealed[i] = sealed_round (records, transactions);
    plain[i] = plain_round (db, transactions);
  }
  sqlite3_close (db);
  printf ("{");
  print_list ("sealed", sealed, rounds);
  printf (",");
  print_list ("plain", plain, rounds);
  puts ("}");
}

/* ---- Media ---------------------------------------------------------------------------------- */

/* ret_processor: the same of the processor's time, of all threads; may be NULL. */
static double
media_round (Records *records, const char *consult, GPtrArray *fragments, gsize total,
             double *ret_processor)
{
  const TrackInfo info = { .stream = "room", .mime_type = "video/mp4" };
  g_autoptr (GError) error = NULL;
  Track *track = track_open (records->store, consult, &info, &error);
  g_assert_no_error (error);
  double begin = seconds (), processor = processor_seconds ();
  for (guint i = 0; i < fragments->len; i++)
    g_assert_true (
        track_append (track, fragments->pdata[i], i == 0 ? SEGMENT_INIT : SEGMENT_KEY, i * 1000));
  track_close (track);
  if (ret_processor != NULL)
    *ret_processor = (double)total / 1e6 / (processor_seconds () - processor);
  return (double)total / 1e6 / (seconds () - begin);
}

static GPtrArray *
make_fragments (gsize total, gsize size)
{
  GPtrArray *fragments = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (gsize done = 0; done < total; done += size) {
    guint8 *bytes = g_malloc (size);
    for (gsize i = 0; i < size; i += sizeof (guint32))
      *(guint32 *)(bytes + i) = g_random_int ();
    g_ptr_array_add (fragments, g_bytes_new_take (bytes, size));
  }
  return fragments;
}

static void
media (Records *records, guint rounds, guint size)
{
  g_autofree double *rates = g_new0 (double, rounds), *processor = g_new0 (double, rounds);
  g_autoptr (GPtrArray) fragments = make_fragments (BURST - 2 * size, size & ~3u);
  g_autofree char *consult = records_consult (records);
  gsize total = (gsize)fragments->len * (size & ~3u);
  media_round (records, consult, fragments, total, NULL);
  for (guint i = 0; i < rounds; i++)
    rates[i] = media_round (records, consult, fragments, total, &processor[i]);
  printf ("{");
  print_list ("rates", rates, rounds);
  printf (",");
  print_list ("processor", processor, rounds);
  puts ("}");
}

/* ---- Verify --------------------------------------------------------------------------------- */

static void
verify (Records *records, guint rounds, guint megabytes)
{
  g_autofree double *rates = g_new0 (double, rounds), *walls = g_new0 (double, rounds);
  g_autoptr (GPtrArray) fragments = make_fragments (BURST - 512 * 1024, 256 * 1024);
  g_autofree char *consult = records_consult (records);
  for (guint done = 0; done < megabytes; done += 60)
    media_round (records, consult, fragments, 1, NULL);
  records_close (records);
  Vault *vault = vault_open_read_only (records->dir, NULL);
  g_assert_true (vault_unlock_boot (vault, records->place.boot, NULL));
  for (guint i = 0; i < rounds; i++) {
    VerifySummary summary;
    double wall = seconds (), processor = processor_seconds ();
    g_assert_true (verify_state (records->dir, vault, NULL, NULL, NULL, &summary, NULL));
    g_assert_cmpuint (summary.bad, ==, 0);
    rates[i] = (double)summary.bytes / 1e6 / (processor_seconds () - processor);
    walls[i] = (double)summary.bytes / 1e6 / (seconds () - wall);
  }
  vault_free (vault);
  printf ("{");
  print_list ("rates", rates, rounds);
  printf (",");
  print_list ("walls", walls, rounds);
  puts ("}");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Records *records, guint rounds, guint n);
  } benches[] = { { "rows", rows }, { "media", media }, { "verify", verify } };
  Records records;

  for (guint i = 0; argc == 5 && i < G_N_ELEMENTS (benches); i++) {
    if (!g_str_equal (benches[i].name, argv[1]))
      continue;
    g_setenv ("TMPDIR", argv[2], TRUE);
    records_up (&records);
    benches[i].run (&records, (guint)atoi (argv[3]), (guint)atoi (argv[4]));
    records_down (&records);
    return 0;
  }
  fprintf (stderr, "usage: bench-records rows|media|verify FOLDER ROUNDS N\n");
  return 2;
}
