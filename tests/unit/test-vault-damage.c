/* Damage, tampering, kills: what happens to the key files must be found, or change nothing. */
#include "vault_place.h"
#include "records/secure_memory.h"
#include "records/vault_private.h"
#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSULT "6d8f0c1e-0000-4000-8000-000000000001"
#define OTHER "6d8f0c1e-0000-4000-8000-000000000002"

/* A repair is logged; g_test would take the warning for a failure. */
static guint warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  return G_LOG_WRITER_HANDLED;
}

/* A vault in use with three keys, one of them of a finished consultation; closed. */
static void
place_up (Place *place, gconstpointer data)
{
  place_init (place);
  place_create (place);
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (DataKey) a = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (DataKey) b = vault_create_key (vault, CONSULT, PURPOSE_RECORDING, NULL);
  g_autoptr (DataKey) c = vault_create_key (vault, OTHER, PURPOSE_CLINICAL, NULL);
  g_assert_true (vault_finish (vault, OTHER, NULL));
}

static void
place_down (Place *place, gconstpointer data)
{
  place_clear (place);
}

static guint
problems_of (Vault *vault)
{
  g_autoptr (GPtrArray) problems = vault_verify (vault, NULL);
  for (guint i = 0; i < problems->len && g_test_verbose (); i++)
    g_test_message ("%s", (char *)g_ptr_array_index (problems, i));
  return problems->len;
}

/* All values of all tables as one text, read by plain SQLite; NULL when it cannot. */
static char *
dump (GBytes *image)
{
  static const char *const QUERIES[] = {
    "SELECT quote(name)||quote(value)||quote(mac)||quote(sum) FROM meta",
    "SELECT idx||quote(certificate)||quote(challenge)||quote(code_sha256)||quote(mac)||quote(sum) "
    "FROM recipient",
    "SELECT idx||quote(code)||quote(mac)||quote(sum) FROM answer",
    "SELECT quote(user)||quote(pkcs8)||quote(mac)||quote(sum) FROM passphrase",
    "SELECT quote(consult)||quote(purpose)||epoch||quote(commitment)||finished||quote(vk_cms)"
    "||quote(boot)||quote(recovery_cms)||quote(mac)||quote(sum) FROM consult_key",
  };
  g_autoptr (GString) text = g_string_new (NULL);
  gsize size;
  guint8 *data = (guint8 *)g_bytes_get_data (image, &size);
  sqlite3 *db = NULL;
  gboolean good = sqlite3_open (":memory:", &db) == SQLITE_OK
                  && sqlite3_deserialize (db, "main", data, (sqlite3_int64)size,
                                          (sqlite3_int64)size, SQLITE_DESERIALIZE_READONLY)
                         == SQLITE_OK;
  for (gsize i = 0; good && i < G_N_ELEMENTS (QUERIES); i++) {
    g_autoptr (sqlite3_stmt) row = table_prepare (db, QUERIES[i], NULL);
    int step = SQLITE_ERROR;
    while (row != NULL && (step = sqlite3_step (row)) == SQLITE_ROW)
      g_string_append_printf (text, "%s\n", table_text (row, 0));
    good = step == SQLITE_DONE;
  }
  sqlite3_close (db);
  return good ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static char *
dump_file (Place *place, const char *name)
{
  g_autoptr (KeyFile) file = key_file_read (place->dir, name);
  return file->image != NULL ? dump (file->image) : NULL;
}

/* Would a start or a verification notice? The whole path for some of the flips, its core, the
 * reading and judging of both files, for all. */
static gboolean
noticed (Place *place, gsize i)
{
  g_autoptr (KeyFile) main = NULL, copy = NULL;
  g_autofree char *why = NULL;

  if (i % 53 == 0) {
    g_autoptr (Vault) vault = vault_open_read_only (place->dir, NULL);
    return vault == NULL || problems_of (vault) > 0;
  }
  main = key_file_read (place->dir, KEYS_MAIN);
  copy = key_file_read (place->dir, KEYS_COPY);
  keys_judge (main, copy, &why);
  return why != NULL;
}

static gboolean
is_long (void)
{
  return g_test_slow () || g_getenv ("NHIPCAU_LONG") != NULL;
}

/* Flips one bit in every byte (every step-th, but for the long form); insists that flips which
 * nobody notices change no value. */
static void
flip_all (Place *place, const char *name)
{
  g_autoptr (GBytes) good = place_read (place, name);
  g_autofree char *before = dump_file (place, KEYS_MAIN);
  gsize size, step = is_long () ? 1 : place_is_slow () ? 397 : 61;
  const guint8 *data = g_bytes_get_data (good, &size);
  guint silent = 0, tried = 0;

  g_assert_nonnull (before);
  for (gsize i = 0; i < size; i += i < 100 && step < 397 ? 1 : step, tried++) {
    g_autofree guint8 *bad = g_memdup2 (data, size);
    bad[i] ^= (guint8)(1 << (i % 8));
    g_autoptr (GBytes) bytes = g_bytes_new (bad, size);
    place_write (place, name, bytes);
    if (noticed (place, i))
      continue;
    g_autofree char *after
        = dump_file (place, g_str_has_prefix (name, KEYS_COPY) ? name : KEYS_MAIN);
    if (g_strcmp0 (before, after) != 0)
      g_error ("%s: flipped byte %" G_GSIZE_FORMAT " changed a value and was not found", name, i);
    silent++;
  }
  place_write (place, name, good);
  g_test_message ("%s: %u of %u flips changed nothing, the others were found", name, silent, tried);
}

static void
test_every_byte_main (Place *place, gconstpointer data)
{
  flip_all (place, KEYS_MAIN);
}

static void
test_every_byte_copy (Place *place, gconstpointer data)
{
  flip_all (place, KEYS_COPY);
}

/* Killed after the commit, before the log was moved into the file. */
static void
leave_log (Place *place)
{
  sqlite3 *db = key_file_open (place->dir, KEYS_MAIN, NULL);
  const guint8 any[32] = { 1 };
  g_autoptr (GBytes) label = meta_get (db, "label");
  g_autoptr (KeyFile) file = key_file_read (place->dir, KEYS_MAIN);

  g_assert_true (table_exec (db, "BEGIN", NULL));
  g_assert_true (meta_set (db, "label", "another", 7, any, NULL));
  g_assert_true (meta_set_generation (db, file->generation + 1, NULL));
  g_assert_true (table_exec (db, "COMMIT", NULL));
  g_autoptr (GBytes) database = place_read (place, KEYS_MAIN);
  g_autoptr (GBytes) log = place_read (place, KEYS_MAIN "-wal");
  g_assert_cmpuint (g_bytes_get_size (log), >, 0);
  sqlite3_close (db);
  place_write (place, KEYS_MAIN, database);
  place_write (place, KEYS_MAIN "-wal", log);
}

static void
test_every_byte_log (Place *place, gconstpointer data)
{
  g_autoptr (GBytes) label = NULL;

  leave_log (place);
  flip_all (place, KEYS_MAIN "-wal");
  g_autoptr (KeyFile) file = key_file_read (place->dir, KEYS_MAIN);
  g_assert_true (key_file_sound (file));
  label = meta_get (file->db, "label"); /* the log is read */
  g_assert_cmpmem ("another", 7, g_bytes_get_data (label, NULL), g_bytes_get_size (label));
  /* The copy is one behind: completed at the next start, no damage. */
  g_autoptr (Vault) vault = place_open (place);
  g_clear_pointer (&vault, vault_free);
  g_autofree char *main = dump_file (place, KEYS_MAIN), *copy = dump_file (place, KEYS_COPY);
  g_assert_cmpstr (main, ==, copy);
}

static void
test_every_length (Place *place, gconstpointer data)
{
  g_autoptr (GBytes) good = place_read (place, KEYS_MAIN);
  gsize size, step = is_long () ? 1 : place_is_slow () ? 4099 : 509;
  const guint8 *bytes = g_bytes_get_data (good, &size);

  for (gsize length = 0; length < size; length += step) {
    g_autoptr (GBytes) cut = g_bytes_new (bytes, length);
    place_write (place, KEYS_MAIN, cut);
    g_autoptr (Vault) vault = vault_open_read_only (place->dir, NULL);
    g_assert_true (vault == NULL || problems_of (vault) > 0);
  }
}

/* ---- Two files ---------------------------------------------------------------------------- */

static void
expect_repair (Place *place, const char *want)
{
  g_autofree char *note = g_build_filename (place->dir, KEYS_DAMAGE_NOTE, NULL);
  const guint warned = warnings;
  g_autoptr (Vault) vault = place_open (place);
  g_assert_cmpuint (warnings, ==, warned + 1);
  g_autofree char *main = dump_file (place, KEYS_MAIN), *copy = dump_file (place, KEYS_COPY);
  g_assert_cmpstr (main, ==, want);
  g_assert_cmpstr (copy, ==, want);
  g_assert_cmpuint (problems_of (vault), ==, 1); /* the note, until somebody deletes it */
  g_assert_cmpint (g_unlink (note), ==, 0);
  g_assert_cmpuint (problems_of (vault), ==, 0);
}

static void
expect_refusal (Place *place, gint code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) main = place_read (place, KEYS_MAIN), copy = place_read (place, KEYS_COPY);
  g_assert_null (vault_open (place->dir, &error));
  g_assert_error (error, RECORDS_ERROR, code);
  g_test_message ("%s", error->message);
  /* Nothing was touched. */
  g_autoptr (GBytes) main2 = place_read (place, KEYS_MAIN), copy2 = place_read (place, KEYS_COPY);
  g_assert_true (main == NULL ? main2 == NULL : g_bytes_equal (main, main2));
  g_assert_true (copy == NULL ? copy2 == NULL : g_bytes_equal (copy, copy2));
}

static void
damage (Place *place, const char *name)
{
  g_autoptr (GBytes) good = place_read (place, name);
  gsize size;
  g_autofree guint8 *bad = g_memdup2 (g_bytes_get_data (good, &size), g_bytes_get_size (good));
  guint8 *at = memmem (bad, size, CONSULT, strlen (CONSULT));
  g_assert_nonnull (at);
  at[3] ^= 1;
  g_autoptr (GBytes) bytes = g_bytes_new (bad, size);
  place_write (place, name, bytes);
}

static void
test_repair (Place *place, gconstpointer data)
{
  g_autofree char *want = dump_file (place, KEYS_MAIN);
  static const char *const FILES[] = { KEYS_MAIN, KEYS_COPY };

  for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++) {
    g_autofree char *path = g_build_filename (place->dir, FILES[i], NULL);
    damage (place, FILES[i]);
    expect_repair (place, want);
    g_assert_cmpint (g_unlink (path), ==, 0);
    expect_repair (place, want);
    g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
    place_write (place, FILES[i], nothing);
    expect_repair (place, want);
  }
  damage (place, KEYS_MAIN);
  damage (place, KEYS_COPY);
  expect_refusal (place, RECORDS_ERROR_TAMPERED);
}

static void
test_older_files (Place *place, gconstpointer data)
{
  g_autoptr (GBytes) old = place_read (place, KEYS_MAIN);
  g_autofree char *before = dump_file (place, KEYS_MAIN);
  g_autofree char *third = NULL;
  {
    g_autoptr (Vault) vault = place_open (place);
    g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
    for (guint i = 3; i < 5; i++) {
      g_autofree char *consult = g_strdup_printf ("6d8f0c1e-0000-4000-8000-00000000000%u", i);
      g_autoptr (DataKey) key = vault_create_key (vault, consult, PURPOSE_CLINICAL, NULL);
      g_assert_nonnull (key);
    }
  }
  g_autoptr (GBytes) now = place_read (place, KEYS_MAIN);
  g_autofree char *want = dump_file (place, KEYS_MAIN);
  g_assert_cmpstr (before, !=, want);
  /* The newer one covers the older: no key is lost, but it is told. */
  place_write (place, KEYS_COPY, old);
  expect_repair (place, want);
  place_write (place, KEYS_MAIN, old);
  expect_repair (place, want);
  /* Destroyed keys do not come back from an old file: neither file covers the other. */
  {
    g_autoptr (Vault) vault = place_open (place);
    g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
    for (Purpose purpose = PURPOSE_CLINICAL; purpose <= PURPOSE_RECORDING; purpose++)
      g_assert_true (vault_destroy_key (vault, CONSULT, purpose, NULL));
  }
  place_write (place, KEYS_COPY, now);
  expect_refusal (place, RECORDS_ERROR_TAMPERED);
}

/* Same generation, other content, checksums right: no accident. */
static void
forge (Place *place, const char *name, const char *table, const Value *values, guint n,
       const char *sql)
{
  const guint8 any[32] = { 42 };
  sqlite3 *db = key_file_open (place->dir, name, NULL);
  g_assert_true (values == NULL || table_write (db, table, values, n, any, NULL));
  g_assert_true (sql == NULL || table_exec (db, sql, NULL));
  g_assert_true (key_file_checkpoint (db, NULL));
  sqlite3_close (db);
}

static void
test_disagree (Place *place, gconstpointer data)
{
  g_autoptr (GBytes) label = g_bytes_new_static ("Trạm khác", 10);
  const Value values[] = { VALUE_OF_TEXT ("label"), VALUE_OF_BLOB (label) };
  g_autoptr (GBytes) good = place_read (place, KEYS_COPY);

  forge (place, KEYS_COPY, "meta", values, 2, NULL);
  expect_refusal (place, RECORDS_ERROR_TAMPERED);
  g_autoptr (Vault) reader = vault_open_read_only (place->dir, NULL);
  g_assert_cmpuint (problems_of (reader), >, 0);
}

/* ---- The seal of the last whole check ------------------------------------------------------- */

/* As some time after the last change: until then a seal is not written, or does not count. */
static void
seal (Place *place)
{
  while (!keys_seal_good (place->dir)) {
    keys_seal_write (place->dir);
    g_usleep (10 * 1000);
  }
}

/* A value of CONSULT's recording key, as a bit that fell over: no time of the file tells. */
static void
rot (Place *place, const char *name)
{
  g_autoptr (GBytes) good = place_read (place, name);
  g_autofree guint8 *bytes = g_memdup2 (g_bytes_get_data (good, NULL), g_bytes_get_size (good));
  g_autoptr (KeyFile) file = key_file_read (place->dir, name);
  g_autoptr (sqlite3_stmt) row = table_prepare (
      file->db, "SELECT commitment FROM consult_key WHERE purpose = 'recording'", NULL);
  g_assert_cmpint (sqlite3_step (row), ==, SQLITE_ROW);
  guint8 *at = memmem (bytes, g_bytes_get_size (good), sqlite3_column_blob (row, 0), 32);
  g_assert_nonnull (at);
  at[7] ^= 4;
  g_autoptr (GBytes) bad = g_bytes_new (bytes, g_bytes_get_size (good));
  place_write (place, name, bad);
  seal (place);
}

/* Nothing was written since: the keys' rows are not read again. What was written is, whoever did.
 */
static void
test_seal (Place *place, gconstpointer data)
{
  seal (place);
  {
    g_autoptr (Vault) vault = place_open (place);
    g_assert_false (vault_is_checked (vault));
    g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
    g_autoptr (DataKey) key = vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
    g_assert_nonnull (key);
    g_assert_true (vault_check (vault, NULL));
    g_assert_true (vault_is_checked (vault));
    g_autoptr (DataKey) other
        = vault_create_key (vault, "6d8f0c1e-0000-4000-8000-000000000009", PURPOSE_CLINICAL, NULL);
    g_assert_nonnull (other);
    g_assert_false (keys_seal_good (place->dir));
  }
  seal (place);
  damage (place, KEYS_COPY);
  g_assert_false (keys_seal_good (place->dir));
  g_autoptr (Vault) vault = place_open (place);
  g_assert_true (vault_is_checked (vault));
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  /* Repaired, and told: problems are not those of the files. */
  g_autoptr (KeyFile) main = key_file_read (place->dir, KEYS_MAIN);
  g_autoptr (KeyFile) copy = key_file_read (place->dir, KEYS_COPY);
  g_assert_true (key_file_sound (copy) && key_file_equal (main, copy));
}

static void
test_rot (Place *place, gconstpointer name)
{
  rot (place, name);
  g_autoptr (Vault) vault = place_open (place);
  g_autoptr (GError) error = NULL;
  g_assert_false (vault_is_checked (vault));
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  /* Who uses it before the check hears of it. */
  g_autoptr (DataKey) early = vault_get_key (vault, CONSULT, PURPOSE_RECORDING, &error);
  if (g_str_equal (name, KEYS_MAIN))
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  else
    g_assert_nonnull (early);
  guint before = warnings;
  g_assert_true (vault_check (vault, NULL));
  g_assert_cmpuint (warnings, >, before);
  g_assert_true (vault_check (vault, NULL));
  g_autoptr (DataKey) key = vault_get_key (vault, CONSULT, PURPOSE_RECORDING, NULL);
  g_assert_nonnull (key);
  g_autoptr (DataKey) other
      = vault_create_key (vault, "6d8f0c1e-0000-4000-8000-000000000009", PURPOSE_CLINICAL, NULL);
  g_assert_nonnull (other);
  g_autofree char *note = g_build_filename (place->dir, KEYS_DAMAGE_NOTE, NULL);
  g_assert_true (g_file_test (note, G_FILE_TEST_EXISTS));
}

/* The same generation and another row of a key: found by the check, and from then on nothing is
 * changed any more, while what is right is still given out. */
static void
test_late_disagreement (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) any = g_bytes_new_static ("01234567890123456789012345678901", 32);
  const Value values[] = { VALUE_OF_TEXT (OTHER),  VALUE_OF_TEXT ("teaching"), VALUE_OF_INTEGER (1),
                           VALUE_OF_BLOB (any),    VALUE_OF_INTEGER (1),       VALUE_OF_BLOB (any),
                           { .type = VALUE_NULL }, VALUE_OF_BLOB (any) };
  forge (place, KEYS_COPY, "consult_key", values, G_N_ELEMENTS (values), NULL);
  seal (place);
  g_autoptr (Vault) vault = place_open (place);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  g_assert_false (vault_check (vault, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_autoptr (DataKey) key = vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_assert_nonnull (key);
  g_clear_error (&error);
  g_assert_null (
      vault_create_key (vault, "6d8f0c1e-0000-4000-8000-000000000009", PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_clear_pointer (&vault, vault_free);
  /* Not sealed as sound: the next start refuses. */
  g_autofree char *path = g_build_filename (place->dir, KEYS_SEAL, NULL);
  g_unlink (path);
  expect_refusal (place, RECORDS_ERROR_TAMPERED);
}

/* A file of a program that had no index of unfinished consultations. */
static void
test_version_1 (Place *place, gconstpointer data)
{
  const char *const files[] = { KEYS_MAIN, KEYS_COPY };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (place->dir, files[i], NULL);
    sqlite3 *db;
    g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
    g_assert_true (table_exec (db, "DROP INDEX consult_boot; PRAGMA user_version=1", NULL));
    sqlite3_close (db);
  }
  g_autoptr (Vault) reader = vault_open_read_only (place->dir, NULL);
  g_assert_cmpuint (problems_of (reader), ==, 0);
  g_autoptr (Vault) vault = place_open (place);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  g_autoptr (DataKey) key = vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_assert_nonnull (key);
  g_assert_cmpuint (problems_of (vault), ==, 0);
  g_autoptr (sqlite3_stmt) version = table_prepare (vault->copy, "PRAGMA user_version", NULL);
  g_assert_cmpint (sqlite3_step (version), ==, SQLITE_ROW);
  g_assert_cmpint (sqlite3_column_int (version, 0), ==, 2);
}

/* ---- Somebody who can write files, but opens nothing ---------------------------------------- */

static void
expect_tampered (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = place_open (place);
  g_assert_false (vault_unlock_boot (vault, place->boot, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_clear_error (&error);
  g_assert_false (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  g_assert_false (vault_is_open (vault));
}

static void
forge_both (Place *place, const char *table, const Value *values, guint n, const char *sql)
{
  forge (place, KEYS_MAIN, table, values, n, sql);
  forge (place, KEYS_COPY, table, values, n, sql);
}

/* A recipient of his own would get every new key. */
static void
test_foreign_recipient (Place *place, gconstpointer data)
{
  EVP_PKEY *key = EVP_EC_gen ("P-384");
  X509 *certificate = place_certificate (key, "Khóa tỉnh", -86400, 86400);
  g_autoptr (GBytes) der = certificate_der (certificate);
  g_autoptr (GBytes) hash = g_bytes_new_static ("01234567890123456789012345678901", 32);
  const Value values[]
      = { VALUE_OF_INTEGER (0), VALUE_OF_BLOB (der), VALUE_OF_BLOB (der), VALUE_OF_BLOB (hash) };

  forge_both (place, "recipient", values, 4, NULL);
  expect_tampered (place);
  X509_free (certificate);
  EVP_PKEY_free (key);
}

static void
test_removed_rows (Place *place, gconstpointer data)
{
  forge_both (place, NULL, NULL, 0, "DELETE FROM recipient WHERE idx = 1");
  expect_tampered (place);
}

/* VK's certificate replaced by his own: new keys would be wrapped to him. */
static void
test_foreign_vault_key (Place *place, gconstpointer data)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *certificate = place_certificate (key, "vault", -86400, 86400);
  g_autoptr (GBytes) der = certificate_der (certificate);
  const Value values[] = { VALUE_OF_TEXT ("vk_certificate"), VALUE_OF_BLOB (der) };

  forge_both (place, "meta", values, 2, NULL);
  expect_tampered (place);
  X509_free (certificate);
  EVP_PKEY_free (key);
}

/* Wraps of one key put into the row of another, checksums right. */
static void
test_swapped_wraps (Place *place, gconstpointer data)
{
  static const char *const COLUMNS[] = { "vk_cms", "boot", "recovery_cms", "commitment" };

  for (gsize i = 0; i < G_N_ELEMENTS (COLUMNS); i++) {
    Place other;
    place_init (&other);
    g_autoptr (GBytes) main = place_read (place, KEYS_MAIN);
    place_write (&other, KEYS_MAIN, main);
    place_write (&other, KEYS_COPY, main);
    g_autoptr (KeyFile) file = key_file_read (other.dir, KEYS_MAIN);
    g_autoptr (KeyRow) to = NULL, from = NULL;
    g_autoptr (sqlite3_stmt) row = table_prepare (file->db, "SELECT * FROM consult_key", NULL);
    while (sqlite3_step (row) == SQLITE_ROW) {
      g_autoptr (KeyRow) key = key_row_read (row);
      if (g_str_equal (key->consult, CONSULT) && key->purpose == PURPOSE_CLINICAL)
        to = g_steal_pointer (&key);
      else if (g_str_equal (key->consult, CONSULT))
        from = g_steal_pointer (&key);
    }
    GBytes **const fields[] = { &to->vk_cms, &to->boot, &to->recovery_cms, &to->commit };
    GBytes *const values[] = { from->vk_cms, from->boot, from->recovery_cms, from->commit };
    g_bytes_unref (*fields[i]);
    *fields[i] = g_bytes_ref (values[i]);
    static const char *const FILES[] = { KEYS_MAIN, KEYS_COPY };
    for (gsize k = 0; k < 2; k++) {
      const guint8 any[32] = { 9 };
      sqlite3 *db = key_file_open (other.dir, FILES[k], NULL);
      g_assert_true (key_row_write (db, to, any, NULL));
      g_assert_true (key_file_checkpoint (db, NULL));
      sqlite3_close (db);
    }
    g_autoptr (GError) error = NULL;
    g_autoptr (Vault) vault = place_open (&other);
    g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
    g_assert_null (vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, &error));
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
    g_assert_cmpuint (problems_of (vault), >, 0);
    /* And without the mac: the wraps themselves know where they belong. */
    if (i != 2) {
      g_clear_error (&error);
      g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
      GBytes *boot = i == 0 ? NULL : to->boot;
      KeyRow bare = *to;
      bare.boot = boot;
      g_assert_null (key_unwrap (&bare, vault->id, vault->boot_key, i == 1 ? NULL : vault->vk,
                                 vault->certificate, &error));
      g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
    }
    g_clear_pointer (&vault, vault_free);
    place_clear (&other);
  }
}

/* ---- What must be gone --------------------------------------------------------------------- */

static gboolean
folder_contains (Place *place, GBytes *what)
{
  g_autoptr (GDir) dir = g_dir_open (place->dir, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autoptr (GBytes) bytes = place_read (place, name);
    if (memmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                g_bytes_get_data (what, NULL), g_bytes_get_size (what))
        != NULL)
      return TRUE;
  }
  return FALSE;
}

static void
test_no_residue (Place *place, gconstpointer data)
{
  const guint n = place_is_slow () ? 8 : g_test_slow () ? 60 : 20;
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (Vault) vault = place_open (place);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));

  for (guint i = 0; i < n; i++) {
    g_autofree char *consult = g_strdup_printf ("6d8f0c1e-0001-4000-8000-%012u", i * 7919 % 1000);
    for (Purpose purpose = PURPOSE_CLINICAL; purpose <= PURPOSE_RECORDING; purpose++) {
      g_autoptr (DataKey) key = vault_create_key (vault, consult, purpose, NULL);
      g_assert_nonnull (key);
    }
  }
  for (guint i = 0; i < n; i++) {
    g_autofree char *consult
        = g_strdup_printf ("6d8f0c1e-0001-4000-8000-%012u", (i * 31 % n) * 7919 % 1000);
    g_autoptr (KeyRow) clinical = vault_find_key (vault, consult, PURPOSE_CLINICAL, NULL);
    g_autoptr (KeyRow) recording = vault_find_key (vault, consult, PURPOSE_RECORDING, NULL);
    g_assert_true (folder_contains (place, clinical->boot)); /* the search itself works */
    g_ptr_array_add (gone, g_bytes_ref (clinical->boot));
    g_assert_true (vault_finish (vault, consult, NULL));
    g_assert_true (vault_destroy_key (vault, consult, PURPOSE_RECORDING, NULL));
    g_ptr_array_add (gone, g_bytes_ref (recording->boot));
    g_ptr_array_add (gone, g_bytes_ref (recording->recovery_cms));
    g_ptr_array_add (gone, g_bytes_ref (recording->vk_cms));
    g_assert_true (folder_contains (place, clinical->recovery_cms));
  }
  for (guint i = 0; i < gone->len; i++)
    g_assert_false (folder_contains (place, g_ptr_array_index (gone, i)));
  g_assert_cmpuint (problems_of (vault), ==, 0);
}

/* ---- Kills and a full disk ------------------------------------------------------------------ */

static gint
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* Name, size and content of every file of the folder. */
static char *
fingerprint (Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->dir, 0, NULL);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autoptr (GBytes) bytes = place_read (place, name);
    g_autofree char *hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
    g_ptr_array_add (lines, g_strconcat (name, " ", hash, NULL));
  }
  g_ptr_array_sort (lines, by_text);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **)lines->pdata);
}

/* The child: makes keys, finishes every third consultation, destroys every fifth; tells each
 * success. */
G_NORETURN static void
work_until_killed (Place *place, int tell, guint round)
{
  g_autoptr (Vault) vault = vault_open (place->dir, NULL);
  if (vault == NULL || !vault_unlock_boot (vault, place->boot, NULL))
    _exit (1);
  for (guint i = 0;; i++) {
    g_autofree char *consult = g_strdup_printf ("%08u-0002-4000-8000-%012u", round, i);
    g_autoptr (DataKey) key = vault_create_key (vault, consult, PURPOSE_CLINICAL, NULL);
    char state = 'c';
    if (key == NULL)
      _exit (2);
    if (write (tell, &state, 1) != 1)
      _exit (3);
    if (i % 3 == 0 && !vault_finish (vault, consult, NULL))
      _exit (4);
    if (i % 5 == 0 && !vault_destroy_key (vault, consult, PURPOSE_CLINICAL, NULL))
      _exit (5);
    state = 'e';
    if (write (tell, &state, 1) != 1)
      _exit (3);
  }
}

static void
check_after_kill (Place *place, guint round, guint created, guint ended)
{
  g_autofree char *before = fingerprint (place);
  g_autoptr (Vault) reader = vault_open_read_only (place->dir, NULL);
  g_assert_nonnull (reader);
  g_assert_true (vault_unlock_boot (reader, place->boot, NULL));
  g_assert_cmpuint (problems_of (reader), ==, 0);
  g_autofree char *after = fingerprint (place);
  g_assert_cmpstr (before, ==, after); /* looking wrote nothing */

  g_autoptr (Vault) vault = place_open (place);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  for (guint i = 0; i < created; i++) {
    g_autofree char *consult = g_strdup_printf ("%08u-0002-4000-8000-%012u", round, i);
    g_autoptr (GError) error = NULL;
    g_autoptr (DataKey) key = vault_get_key (vault, consult, PURPOSE_CLINICAL, &error);
    if (i < ended && i % 5 == 0)
      g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
    else if (i < ended && i % 3 == 0)
      g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
    else if (i < ended || i % 15 != 0) /* the last may have been ended without a word */
      g_assert_true (key != NULL || (i >= ended && (i % 3 == 0 || i % 5 == 0)));
  }
  g_assert_cmpuint (problems_of (vault), ==, 0);
  g_autofree char *main = dump_file (place, KEYS_MAIN), *copy = dump_file (place, KEYS_COPY);
  g_assert_cmpstr (main, ==, copy);
}

static void
test_kill (Place *place, gconstpointer data)
{
  const guint rounds = place_is_slow () ? 3 : is_long () ? 200 : 12;

  for (guint round = 0; round < rounds; round++) {
    int pipe_fds[2];
    guint created = 0, ended = 0;
    char state;
    g_assert_cmpint (pipe (pipe_fds), ==, 0);
    pid_t child = fork ();
    if (child == 0) {
      close (pipe_fds[0]);
      work_until_killed (place, pipe_fds[1], round);
    }
    close (pipe_fds[1]);
    guint stop_at = (guint)g_test_rand_int_range (1, 8);
    while (created + ended < stop_at && read (pipe_fds[0], &state, 1) == 1)
      state == 'c' ? created++ : ended++;
    g_usleep ((gulong)g_test_rand_int_range (0, 15000)); /* the point of the kill is random */
    kill (child, SIGKILL);
    int status;
    waitpid (child, &status, 0);
    g_assert_true (WIFSIGNALED (status));
    while (read (pipe_fds[0], &state, 1) == 1)
      state == 'c' ? created++ : ended++;
    close (pipe_fds[0]);
    check_after_kill (place, round, created, ended);
  }
}

/* What a power cut leaves of the log's first frame. */
static void
tear_log (Place *place, const char *name)
{
  static const guint8 TORN[8192] = { 0x37, 0x7f, 0x06, 0x82, 0x55 };
  g_autoptr (GBytes) log = g_bytes_new_static (TORN, sizeof TORN);
  place_write (place, name, log);
}

/* Exactly between the two files, for each kind of change; with data, while the second was being
 * written. */
static void
test_between_copies (Place *place, gconstpointer data)
{
  for (guint kind = 0; kind < 3; kind++) {
    g_autoptr (GBytes) old = place_read (place, KEYS_COPY);
    g_autoptr (Vault) vault = place_open (place);
    g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
    g_autoptr (KeyRow) row = vault_find_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
    if (kind == 0) {
      g_autoptr (DataKey) key = vault_create_key (vault, CONSULT, PURPOSE_TEACHING, NULL);
      g_assert_nonnull (key);
    } else if (kind == 1) {
      g_assert_true (vault_finish (vault, CONSULT, NULL));
    } else {
      g_assert_true (vault_destroy_key (vault, CONSULT, PURPOSE_CLINICAL, NULL));
    }
    g_clear_pointer (&vault, vault_free);
    place_write (place, KEYS_COPY, old);
    if (data != NULL)
      tear_log (place, KEYS_COPY "-wal");
    g_autofree char *want = dump_file (place, KEYS_MAIN);
    g_autoptr (Vault) reader = vault_open_read_only (place->dir, NULL);
    g_assert_cmpuint (problems_of (reader), ==, data != NULL ? 1 : 0);
    vault = place_open (place);
    g_assert_cmpuint (problems_of (vault), ==, 0);
    g_autofree char *copy = dump_file (place, KEYS_COPY);
    g_assert_cmpstr (copy, ==, want);
    if (kind == 1)
      g_assert_false (folder_contains (place, row->boot));
    if (kind == 2)
      g_assert_false (folder_contains (place, row->vk_cms));
  }
}

/* A key that could not be written to both files is not given out. */
static void
test_full_disk (Place *place, gconstpointer data)
{
  struct rlimit before, limit;
  g_autoptr (Vault) vault = place_open (place);
  guint failed = 0, made = 0;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  for (guint i = 0; i < 40; i++) {
    g_autofree char *consult = g_strdup_printf ("6d8f0c1e-0003-4000-8000-%012u", i);
    g_autoptr (GError) error = NULL;
    limit = before;
    limit.rlim_cur = (rlim_t)(i * 3000); /* from hopeless to enough */
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
    g_autoptr (DataKey) key = vault_create_key (vault, consult, PURPOSE_CLINICAL, &error);
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
    if (key == NULL) {
      g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK);
      failed++;
    } else {
      made++;
    }
    g_autoptr (DataKey) again = vault_get_key (vault, consult, PURPOSE_CLINICAL, NULL);
    g_assert_true (key == NULL || again != NULL);
    g_autofree char *main = dump_file (place, KEYS_MAIN), *copy = dump_file (place, KEYS_COPY);
    g_assert_cmpstr (main, ==, copy); /* vault_get_key() has mended the copy */
  }
  g_assert_cmpuint (failed, >, 0);
  g_assert_cmpuint (made, >, 0);
  g_clear_pointer (&vault, vault_free);
  vault = place_open (place);
  g_assert_cmpuint (problems_of (vault), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  secure_memory_init (NULL);
#define ADD(path, function)                                                                        \
  g_test_add ("/vault-damage/" path, Place, NULL, place_up, function, place_down)
  ADD ("every-byte-main", test_every_byte_main);
  ADD ("every-byte-copy", test_every_byte_copy);
  ADD ("every-byte-log", test_every_byte_log);
  ADD ("every-length", test_every_length);
  ADD ("repair", test_repair);
  ADD ("older-files", test_older_files);
  ADD ("disagree", test_disagree);
  ADD ("seal", test_seal);
  g_test_add ("/vault-damage/rot-main", Place, KEYS_MAIN, place_up, test_rot, place_down);
  g_test_add ("/vault-damage/rot-copy", Place, KEYS_COPY, place_up, test_rot, place_down);
  ADD ("late-disagreement", test_late_disagreement);
  ADD ("version-1", test_version_1);
  ADD ("foreign-recipient", test_foreign_recipient);
  ADD ("removed-rows", test_removed_rows);
  ADD ("foreign-vault-key", test_foreign_vault_key);
  ADD ("swapped-wraps", test_swapped_wraps);
  ADD ("no-residue", test_no_residue);
  ADD ("kill", test_kill);
  ADD ("between-copies", test_between_copies);
  g_test_add ("/vault-damage/in-the-copy", Place, "torn", place_up, test_between_copies,
              place_down);
  ADD ("full-disk", test_full_disk);
  return g_test_run ();
}
