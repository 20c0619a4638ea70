/* One file of keys (keys.db or keys-copy.db) as it stands on the disk, and its replacement as a
 * whole. Reading takes no lock and writes nothing: the file and its log are read into memory,
 * the log is checked and applied there, and SQLite opens the result. So it works beside a
 * running station, after a kill, and on read-only media.
 */
#pragma once
#include "records/vault_table.h"

#define KEYS_MAIN "keys.db"
#define KEYS_COPY "keys-copy.db"
#define KEYS_SCHEMA_VERSION 2 /* 1 is read too, and gets its index when opened for writing */

typedef struct {
  char *name; /* KEYS_MAIN or KEYS_COPY */
  gboolean missing;
  gboolean newer;      /* of a later schema: not for this program to touch */
  gboolean torn_log;   /* its log ends in frames that do not hold; stands in problems, too */
  sqlite3 *db;         /* in memory; NULL when it cannot be read at all */
  GBytes *image;       /* of db */
  guint64 generation;  /* 0 when unknown */
  GPtrArray *problems; /* of char*; empty: sound */
} KeyFile;

#define KEY_FILE_APPLICATION 0x4e43766bu /* "NCvk" */
/* Version 2. The few keys of what is unfinished are found without reading all others. */
#define KEY_FILE_BOOT_INDEX                                                                        \
  "CREATE INDEX consult_boot ON consult_key (consult, purpose) WHERE boot IS NOT NULL"
/* Of the schema, in order; NULL: there are no more. */
const char *key_file_statement (guint i);

/* Never fails: what is wrong stands in problems. */
KeyFile *key_file_read (const char *state_dir, const char *name);
void key_file_free (KeyFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KeyFile, key_file_free)
gboolean key_file_sound (const KeyFile *file);

/* TRUE when all rows are the same in both. */
gboolean key_file_equal (const KeyFile *a, const KeyFile *b);
/* TRUE when each key that can be read in small is in large as well. */
gboolean key_file_covers (const KeyFile *large, const KeyFile *small);

/* Two files that are open for writing: schema, generation and all tables but the keys' own are
 * sound and the same. The keys' rows are not looked at. */
gboolean key_files_agree (sqlite3 *main, sqlite3 *copy);

/* A new, empty database in memory with the tables; and its bytes. */
sqlite3 *key_file_new (GError **error);
GBytes *key_file_serialize (sqlite3 *db, GError **error);

/* Puts image in the place of the file, durable, with the old log removed. */
gboolean key_file_replace (const char *state_dir, const char *name, GBytes *image, GError **error);
/* The read-write connection: WAL, synchronous=FULL, secure_delete, exclusive. */
sqlite3 *key_file_open (const char *state_dir, const char *name, GError **error);
/* Moves the log into the file and cuts it to nothing. */
gboolean key_file_checkpoint (sqlite3 *db, GError **error);

/* ---- Between vault_file.c and vault_file_check.c ------------------------------------------- */

void key_file_problem (KeyFile *file, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* One number; -1: it cannot be had. */
gint64 key_file_pragma (sqlite3 *db, const char *sql);
/* Everything that can be told without a key, into problems. FALSE: these are no tables of ours. */
gboolean key_file_check (KeyFile *file);
