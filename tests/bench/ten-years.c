/* The folder of a station after ten years, and what it is like to work with.
 *
 *   bench-ten-years make PARENT CONSULTATIONS   prints the folder
 *   bench-ten-years measure FOLDER              one JSON line
 *   bench-ten-years remove FOLDER
 *
 * Every consultation has its own key with all wraps, its rows sealed and in the log, its patient in
 * the blind index; every fifth was recorded (its key: the files themselves matter to nobody who
 * opens, lists or searches). One patient in ten came back. */
#include "../unit/records_place.h"
#include "records/patient_index.h"
#include "records/store_private.h"
#include "records/vault_private.h"
#include "station/record_view.h"
#include "station/station.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 1000
#define NOTES 8
#define KEY_SECRET "0123456789abcdef0123456789abcdef"

static double
milliseconds (void)
{
  return (double)g_get_monotonic_time () / 1000;
}

/* ---- Making it ------------------------------------------------------------------------------ */

typedef struct {
  char *id, *day;
  guint n;
  KeyRow *clinical, *recording; /* recording may be NULL */
  DataKey *key, *recording_key;
} One;

static void
one_free (gpointer data)
{
  One *one = data;
  g_free (one->id);
  g_free (one->day);
  key_row_free (one->clinical);
  key_row_free (one->recording);
  g_clear_pointer (&one->key, data_key_unref);
  g_clear_pointer (&one->recording_key, data_key_unref);
  g_free (one);
}

/* What the measurement opens: the newest, one in the middle, those that are searched for. */
static guint in_all;

static gboolean
is_opened (guint n)
{
  return n + 100 > in_all || n % 5000 == 0 || (n + 3 > in_all / 2 && n < in_all / 2 + 3);
}

/* Signed long ago: no boot wrap. Two wraps take milliseconds, so keys that nobody opens here have
 * those of another: as long, with a checksum and a mac of their own. */
static KeyRow *
make_key (Vault *vault, const One *one, Purpose purpose, DataKey **ret_key)
{
  static KeyRow *like;
  const KeyMaking making = { vault->label, vault->id, vault->certificate, vault->recipients, NULL };
  g_autoptr (DataKey) other = NULL;
  guint8 dek[DATA_KEY_SIZE], commit[32];
  if (like == NULL)
    like = key_make (&making, one->id, purpose, &other, NULL);
  KeyRow *row = is_opened (one->n) ? key_make (&making, one->id, purpose, ret_key, NULL) : NULL;
  if (row == NULL) {
    g_assert_cmpint (RAND_bytes (dek, sizeof dek), ==, 1);
    *ret_key = data_key_new (dek, KEY_EPOCH);
    data_key_commitment (*ret_key, commit);
    row = g_new0 (KeyRow, 1);
    row->consult = g_strdup (one->id);
    row->purpose = purpose;
    row->epoch = KEY_EPOCH;
    row->commit = g_bytes_new (commit, sizeof commit);
    row->vk_cms = g_bytes_ref (like->vk_cms);
    row->recovery_cms = g_bytes_ref (like->recovery_cms);
  }
  row->finished = TRUE;
  return row;
}

static void
make_keys (One *one, Vault *vault)
{
  one->clinical = make_key (vault, one, PURPOSE_CLINICAL, &one->key);
  if (one->n % 5 == 0)
    one->recording = make_key (vault, one, PURPOSE_RECORDING, &one->recording_key);
}

/* The rows of a batch are sealed under keys that are in memory. */
static void
remember (Vault *vault, GPtrArray *batch)
{
  g_hash_table_remove_all (vault->cache);
  for (guint i = 0; i < batch->len; i++) {
    const One *one = batch->pdata[i];
    CachedKey *cached = g_new (CachedKey, 1);
    *cached = (CachedKey){ data_key_ref (one->key), FALSE };
    g_hash_table_insert (vault->cache, g_strdup_printf ("%s/clinical", one->id), cached);
  }
}

static gboolean
insert_keys (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  GPtrArray *batch = arg;
  *ret_keys = 0;
  for (guint i = 0; i < batch->len; i++) {
    const One *one = batch->pdata[i];
    if (!key_row_write (db, one->clinical, vault->mac_key, error)
        || (one->recording != NULL && !key_row_write (db, one->recording, vault->mac_key, error)))
      return FALSE;
    *ret_keys += one->recording != NULL ? 2 : 1;
  }
  return TRUE;
}

static gboolean
put_row (StoreWrite *write, Vault *vault, const One *one, const char *kind, json_t *body,
         GError **error)
{
  const StoreRowContent row
      = { .consult = one->id, .kind = kind, .at = store_time_now ("ntp"), .user = "lan" };
  json_auto_t *bodies = json_pack ("[o]", body);
  gint64 seq;
  return store_write_rows (write, vault, &row, bodies, &seq, error);
}

static json_t *
patient_of (guint n)
{
  guint who = n % 10 == 0 ? n / 2 : n;
  g_autofree char *name = g_strdup_printf ("LÒ THỊ LAN %u", who);
  g_autofree char *number = g_strdup_printf ("0380%08u", who);
  return json_pack ("{s:s, s:s, s:i}", "name", name, "personal_number", number, "birth_year", 1962);
}

static gboolean
put_rows (StoreWrite *write, Vault *vault, const One *one, GError **error)
{
  static const char *const states[] = { "live", "ended", "signed" };
  gboolean ok = put_row (write, vault, one, "patient", patient_of (one->n), error);
  for (guint i = 0; ok && i < G_N_ELEMENTS (states); i++)
    ok = put_row (write, vault, one, "consultation",
                  json_pack ("{s:s, s:i, s:s, s:s}", "state", states[i], "mode", 3, "doctor",
                             "BS. Lan", "reason", "đau ngực từ sáng"),
                  error);
  for (guint i = 0; ok && i < NOTES; i++)
    ok = put_row (write, vault, one, "note",
                  json_pack ("{s:s, s:s, s:i}", "kind", "note", "text",
                             "đau đầu ba ngày, không sốt, đã uống thuốc hạ áp", "n", (int)i),
                  error);
  return ok;
}

static gboolean
leaf_of_key (StoreWrite *write, const KeyRow *row, GError **error)
{
  char commit[STORE_HEX], cms[STORE_HEX];
  guint8 hash[32];
  store_hex (g_bytes_get_data (row->commit, NULL), commit);
  store_sha256 (g_bytes_get_data (row->recovery_cms, NULL), g_bytes_get_size (row->recovery_cms),
                hash);
  store_hex (hash, cms);
  return store_log_append (&write->log, error, "key %s %s %u %s %s", row->consult,
                           purpose_name (row->purpose), row->epoch, commit, cms);
}

static gboolean
run_batch (StoreWrite *write, gpointer data, GError **error)
{
  GPtrArray *batch = ((gpointer *)data)[0];
  Vault *vault = ((gpointer *)data)[1];
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      write->db, "INSERT INTO consult(idx, id, created_day) VALUES(?, ?, ?)", error);
  for (guint i = 0; i < batch->len; i++) {
    const One *one = batch->pdata[i];
    sqlite3_bind_int64 (insert, 1, (gint64)store_log_next (&write->log));
    store_db_bind_text (insert, 2, one->id);
    store_db_bind_text (insert, 3, one->day);
    if (!store_db_run (insert, error)
        || !store_log_append (&write->log, error, "consult %s %s", one->id, one->day)
        || !leaf_of_key (write, one->clinical, error)
        || (one->recording != NULL && !leaf_of_key (write, one->recording, error))
        || !put_rows (write, vault, one, error))
      return FALSE;
  }
  return TRUE;
}

static void
index_batch (Records *records, GPtrArray *batch)
{
  g_autoptr (GPtrArray) consults = g_ptr_array_new (), lists = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < batch->len; i++) {
    const One *one = batch->pdata[i];
    json_auto_t *patient = patient_of (one->n);
    const char *number = json_string_value (json_object_get (patient, "personal_number"));
    char **list = g_new0 (char *, 3);
    list[0] = g_strconcat ("n:", number, NULL);
    list[1] = g_strconcat ("m:lo thi lan ", number, NULL);
    g_ptr_array_add (consults, one->id);
    g_ptr_array_add (lists, list);
  }
  patient_index_put_all (records->store, consults, lists, &error);
  g_assert_no_error (error);
  g_ptr_array_foreach (lists, (GFunc)(void (*) (void))g_strfreev, NULL);
}

static void
make_batch (Records *records, guint from, guint count)
{
  g_autoptr (GPtrArray) batch = g_ptr_array_new_with_free_func (one_free);
  g_autoptr (GDateTime) first = g_date_time_new_utc (2016, 1, 1, 8, 0, 0);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < count; i++) {
    One *one = g_new0 (One, 1);
    one->n = from + i;
    one->id = store_uuid_new ();
    g_autoptr (GDateTime) day = g_date_time_add_days (first, (gint)(one->n / 14));
    one->day = g_date_time_format (day, "%Y-%m-%d");
    g_ptr_array_add (batch, one);
    make_keys (one, records->vault);
  }
  g_mutex_lock (&records->vault->lock);
  vault_change (records->vault, insert_keys, batch, &error); /* one transaction a batch */
  remember (records->vault, batch);
  g_mutex_unlock (&records->vault->lock);
  g_assert_no_error (error);
  gpointer data[] = { batch, records->vault };
  store_writer_call (records->store->writer, run_batch, data, &error);
  g_assert_no_error (error);
  index_batch (records, batch);
}

static void
make (const char *parent, guint consultations)
{
  Records records;
  g_setenv ("TMPDIR", parent, TRUE);
  records_set_up (&records);
  records.vault = NULL;
  records_open (&records);
  records_register (&records);
  g_assert_true (vault_unlock (records.vault, PLACE_USER, PLACE_PASSPHRASE,
                               NULL)); /* to open what is signed */
  in_all = consultations;
  for (guint from = 0; from < consultations; from += BATCH)
    make_batch (&records, from, MIN (BATCH, consultations - from));
  records_close (&records);
  puts (records.dir);
}

/* ---- Working with it ------------------------------------------------------------------------ */

typedef struct {
  double vault, store, station, check, list, search, open, begin;
  guint listed, found, rows;
} Times;

static void
start (const char *folder, Vault **ret_vault, Store **ret_store, Times *times)
{
  g_autoptr (GBytes) boot = g_bytes_new_static (KEY_SECRET, 32);
  g_autoptr (GError) error = NULL;
  double begin = milliseconds ();
  Vault *vault = vault_open (folder, &error);
  g_assert_no_error (error);
  g_assert_true (vault_unlock_boot (vault, boot, NULL));
  double opened = milliseconds ();
  Store *store = store_open (folder, vault, NULL, STORE_READ_WRITE, &error);
  g_assert_no_error (error);
  times->vault = opened - begin;
  times->store = milliseconds () - opened;
  *ret_vault = vault;
  *ret_store = store;
}

/* What the program itself reads before it serves: users, sessions, what is unfinished or waits. */
static void
station (const char *folder, Vault *vault, Store *store, Times *times)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Config) config = config_parse ("", "bench", NULL, &error);
  g_assert_no_error (error);
  config->state = g_strdup (folder);
  double begin = milliseconds ();
  g_autoptr (Station) one = station_new (config, vault, store, NULL, &error);
  g_assert_no_error (error);
  times->station = milliseconds () - begin;
}

/* The first page of the list, as record.list gives it. */
static char *
list_page (Store *store, Times *times)
{
  double begin = milliseconds ();
  g_autoptr (GPtrArray) ids = store_list_some (store, NULL, 50, NULL);
  for (guint i = 0; i < ids->len; i++) {
    json_auto_t *line = record_view_line (store, ids->pdata[i], TRUE);
    times->listed += json_object_get (line, "patient") != NULL;
  }
  times->list = milliseconds () - begin;
  g_autoptr (GPtrArray) all = store_list_consults (store, NULL);
  return g_strdup (all->pdata[all->len / 2]);
}

/* By number, as patient.find does: entries, in the list's order, then what the rows say. */
static void
search (Store *store, Times *times, guint who)
{
  g_autofree char *number = g_strdup_printf ("n:0380%08u", who);
  const char *const wanted[] = { number, NULL };
  double begin = milliseconds ();
  g_autoptr (GPtrArray) found = patient_index_find (store, wanted, NULL);
  for (guint i = 0; i < found->len; i++) {
    json_auto_t *line = record_view_line (store, found->pdata[i], TRUE);
    times->found += json_object_get (line, "patient") != NULL;
  }
  times->search = milliseconds () - begin;
}

static void
open_and_begin (Store *store, const char *consult, Times *times)
{
  g_autoptr (GError) error = NULL;
  double begin = milliseconds ();
  json_auto_t *whole = record_view_whole (store, consult, 600, &error);
  g_assert_no_error (error);
  times->open = milliseconds () - begin;
  times->rows = (guint)json_array_size (json_object_get (whole, "notes"));
  json_auto_t *body = json_pack ("{s:s, s:i}", "state", "live", "mode", 3);
  begin = milliseconds ();
  g_free (store_create_consult (store, "lan", body, &error));
  g_assert_no_error (error);
  times->begin = milliseconds () - begin;
}

static void
measure (const char *folder)
{
  Times times = { 0 };
  Vault *vault;
  Store *store;
  start (folder, &vault, &store, &times);
  station (folder, vault, store, &times);
  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_autofree char *some = list_page (store, &times);
  search (store, &times, 5000);
  open_and_begin (store, some, &times);
  double begin = milliseconds ();
  g_assert_true (vault_check (vault, NULL) && store_check_keys (store, NULL));
  times.check = milliseconds () - begin;
  store_free (store);
  vault_free (vault);
  printf ("{\"vault\":%.1f,\"store\":%.1f,\"station\":%.1f,\"check\":%.1f,\"list\":%.1f,\"search\":"
          "%.1f,\"record\":%.1f,"
          "\"begin\":%.1f,\"listed\":%u,\"found\":%u,\"notes\":%u}\n",
          times.vault, times.store, times.station, times.check, times.list, times.search,
          times.open, times.begin, times.listed, times.found, times.rows);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "make"))
    make (argv[2], (guint)atoi (argv[3]));
  else if (argc == 3 && g_str_equal (argv[1], "measure"))
    measure (argv[2]);
  else if (argc == 3 && g_str_equal (argv[1], "remove"))
    records_remove (argv[2]);
  else {
    fprintf (stderr, "usage: bench-ten-years make PARENT N | measure FOLDER | remove FOLDER\n");
    return 2;
  }
  return 0;
}
