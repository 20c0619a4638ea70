#include "records/vault_table.h"
#include "records/sealing.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define MAC_SIZE 32
#define SUM_SIZE 32

void
table_set_error (sqlite3 *db, const char *what, GError **error)
{
  int code = sqlite3_errcode (db);
  gint kind = RECORDS_ERROR_FAILED;

  if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN
      || code == SQLITE_READONLY)
    kind = RECORDS_ERROR_DISK;
  else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    kind = RECORDS_ERROR_TAMPERED;
  else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    kind = RECORDS_ERROR_EXISTS;
  g_set_error (error, RECORDS_ERROR, kind, "%s: %s (sqlite %d)", what, sqlite3_errmsg (db),
               sqlite3_extended_errcode (db));
}

gboolean
table_failed (sqlite3 *db, const char *what, GError **error)
{
  int code = sqlite3_errcode (db);
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
    return FALSE;
  table_set_error (db, what, error);
  return TRUE;
}

sqlite3_stmt *
table_prepare (sqlite3 *db, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    table_set_error (db, "keys", error);
  return statement;
}

gboolean
table_exec (sqlite3 *db, const char *sql, GError **error)
{
  if (sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  table_set_error (db, "keys", error);
  return FALSE;
}

GBytes *
table_blob (sqlite3_stmt *row, int column)
{
  if (sqlite3_column_type (row, column) == SQLITE_NULL)
    return NULL;
  gconstpointer data = sqlite3_column_blob (row, column);
  return g_bytes_new (data, (gsize)sqlite3_column_bytes (row, column));
}

const char *
table_text (sqlite3_stmt *row, int column)
{
  const char *text = (const char *)sqlite3_column_text (row, column);
  return text != NULL ? text : "";
}

static void
add_value (GByteArray *parts, char type, gconstpointer data, gsize size)
{
  g_autoptr (GByteArray) part = g_byte_array_new ();
  g_byte_array_append (part, (const guint8 *)&type, 1);
  if (size > 0)
    g_byte_array_append (part, data, (guint)size);
  sealing_add_part (parts, part->data, part->len);
}

static void
add_integer (GByteArray *parts, gint64 integer)
{
  guint64 big = GUINT64_TO_BE ((guint64)integer);
  add_value (parts, 'i', &big, sizeof big);
}

static GByteArray *
parts_of_values (const char *table, const Value *values, guint n)
{
  GByteArray *parts = g_byte_array_new ();

  add_value (parts, 't', table, strlen (table));
  for (guint i = 0; i < n; i++) {
    if (values[i].type == VALUE_INTEGER)
      add_integer (parts, values[i].integer);
    else if (values[i].type == VALUE_TEXT)
      add_value (parts, 't', values[i].text, strlen (values[i].text));
    else if (values[i].type == VALUE_BLOB && values[i].blob != NULL)
      add_value (parts, 'b', g_bytes_get_data (values[i].blob, NULL),
                 g_bytes_get_size (values[i].blob));
    else
      add_value (parts, 'n', NULL, 0);
  }
  return parts;
}

static GByteArray *
parts_of_row (const char *table, sqlite3_stmt *row, int n)
{
  GByteArray *parts = g_byte_array_new ();

  add_value (parts, 't', table, strlen (table));
  for (int i = 0; i < n; i++) {
    int type = sqlite3_column_type (row, i);
    if (type == SQLITE_INTEGER) {
      add_integer (parts, sqlite3_column_int64 (row, i));
    } else if (type == SQLITE_NULL) {
      add_value (parts, 'n', NULL, 0);
    } else {
      gconstpointer data = sqlite3_column_blob (row, i);
      add_value (parts, type == SQLITE_TEXT ? 't' : 'b', data,
                 (gsize)sqlite3_column_bytes (row, i));
    }
  }
  return parts;
}

/* The mac's own part closes the input of the sum. */
static void
finish_sum (GByteArray *parts, const guint8 *mac, guint8 ret_sum[SUM_SIZE])
{
  gsize length = 0;

  add_value (parts, mac != NULL ? 'b' : 'n', mac, mac != NULL ? MAC_SIZE : 0);
  if (EVP_Q_digest (NULL, "SHA256", NULL, parts->data, parts->len, ret_sum, &length) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
}

static void
bind_value (sqlite3_stmt *statement, int at, const Value *value)
{
  if (value->type == VALUE_INTEGER)
    sqlite3_bind_int64 (statement, at, value->integer);
  else if (value->type == VALUE_TEXT)
    sqlite3_bind_text (statement, at, value->text, -1, SQLITE_TRANSIENT);
  else if (value->type == VALUE_BLOB && value->blob != NULL)
    sqlite3_bind_blob64 (statement, at, g_bytes_get_data (value->blob, NULL),
                         g_bytes_get_size (value->blob), SQLITE_TRANSIENT);
  else
    sqlite3_bind_null (statement, at);
}

gboolean
table_write (sqlite3 *db, const char *table, const Value *values, guint n, const guint8 *mac_key,
             GError **error)
{
  g_autoptr (GByteArray) parts = parts_of_values (table, values, n);
  g_autoptr (GString) sql = g_string_new (NULL);
  guint8 mac[MAC_SIZE], sum[SUM_SIZE];

  g_string_printf (sql, "INSERT OR REPLACE INTO %s VALUES (", table);
  for (guint i = 0; i < n; i++)
    g_string_append (sql, "?,");
  g_string_append (sql, "?,?)");
  g_autoptr (sqlite3_stmt) statement = table_prepare (db, sql->str, error);
  if (statement == NULL)
    return FALSE;
  if (mac_key != NULL)
    sealing_mac (mac_key, parts->data, parts->len, mac);
  finish_sum (parts, mac_key != NULL ? mac : NULL, sum);
  for (guint i = 0; i < n; i++)
    bind_value (statement, (int)i + 1, &values[i]);
  if (mac_key != NULL)
    sqlite3_bind_blob (statement, (int)n + 1, mac, MAC_SIZE, SQLITE_TRANSIENT);
  sqlite3_bind_blob (statement, (int)n + 2, sum, SUM_SIZE, SQLITE_TRANSIENT);
  if (sqlite3_step (statement) == SQLITE_DONE)
    return TRUE;
  table_set_error (db, table, error);
  return FALSE;
}

static const guint8 *
column_of_size (sqlite3_stmt *row, int column, int size)
{
  if (sqlite3_column_type (row, column) != SQLITE_BLOB)
    return NULL;
  const guint8 *data = sqlite3_column_blob (row, column);
  return sqlite3_column_bytes (row, column) == size ? data : NULL;
}

gboolean
table_has_mac (sqlite3_stmt *row)
{
  return sqlite3_column_type (row, sqlite3_column_count (row) - 2) != SQLITE_NULL;
}

gboolean
table_sum_good (const char *table, sqlite3_stmt *row)
{
  int n = sqlite3_column_count (row) - 2;
  const guint8 *mac = column_of_size (row, n, MAC_SIZE), *sum;
  guint8 expected[SUM_SIZE];

  if (mac == NULL && table_has_mac (row))
    return FALSE;
  g_autoptr (GByteArray) parts = parts_of_row (table, row, n);
  finish_sum (parts, mac, expected);
  sum = column_of_size (row, n + 1, SUM_SIZE);
  return sum != NULL && CRYPTO_memcmp (sum, expected, SUM_SIZE) == 0;
}

gboolean
table_mac_good (const char *table, sqlite3_stmt *row, const guint8 mac_key[32])
{
  int n = sqlite3_column_count (row) - 2;
  const guint8 *mac = column_of_size (row, n, MAC_SIZE);
  guint8 expected[MAC_SIZE];

  if (mac == NULL)
    return FALSE;
  g_autoptr (GByteArray) parts = parts_of_row (table, row, n);
  sealing_mac (mac_key, parts->data, parts->len, expected);
  return CRYPTO_memcmp (mac, expected, MAC_SIZE) == 0;
}
