/* Rows of keys.db: every table ends in the columns mac and sum, and every value of a row stands
 * under both.
 *
 *   sum  SHA-256 over table, values and mac: finds damage without any key
 *   mac  HMAC-SHA256 over table and values under the station's key (data_key.h): finds whoever
 *        can write files but opens nothing. NULL where a value proves itself.
 *
 * Canonical: each part as u32 BE length and bytes; a value's part is a type letter
 * (n i t b) and its bytes, integers as u64 BE.
 */
#pragma once
#include "records/data_key.h"
#include "records/statement.h"

typedef enum { VALUE_NULL, VALUE_INTEGER, VALUE_TEXT, VALUE_BLOB } ValueType;

typedef struct {
  ValueType type;
  gint64 integer;
  const char *text; /* not owned */
  GBytes *blob;     /* not owned; a NULL pointer is written as NULL */
} Value;

#define VALUE_OF_INTEGER(v)                                                                        \
  {                                                                                                \
    .type = VALUE_INTEGER, .integer = (v)                                                          \
  }
#define VALUE_OF_TEXT(v)                                                                           \
  {                                                                                                \
    .type = VALUE_TEXT, .text = (v)                                                                \
  }
#define VALUE_OF_BLOB(v)                                                                           \
  {                                                                                                \
    .type = VALUE_BLOB, .blob = (v)                                                                \
  }

/* INSERT OR REPLACE of a whole row; mac_key NULL: mac is NULL. */
gboolean table_write (sqlite3 *db, const char *table, const Value *values, guint n,
                      const guint8 *mac_key, GError **error);

/* Of the statement's present row, made by "SELECT * FROM table". */
gboolean table_sum_good (const char *table, sqlite3_stmt *row);
gboolean table_mac_good (const char *table, sqlite3_stmt *row, const guint8 mac_key[32]);
gboolean table_has_mac (sqlite3_stmt *row);

/* Statements with text and blob arguments; NULL with error. The statement is finalized by
 * sqlite3_finalize (g_autoptr works). */
sqlite3_stmt *table_prepare (sqlite3 *db, const char *sql, GError **error);
gboolean table_exec (sqlite3 *db, const char *sql, GError **error);
void table_set_error (sqlite3 *db, const char *what, GError **error);
/* TRUE with error when what was last asked of db failed, rather than found nothing. */
gboolean table_failed (sqlite3 *db, const char *what, GError **error);

GBytes *table_blob (sqlite3_stmt *row, int column);     /* (transfer full); NULL for NULL */
const char *table_text (sqlite3_stmt *row, int column); /* never NULL; lives until the next step */
