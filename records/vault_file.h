/* One file of keys (keys.db or keys-copy.db) as it stands on the disk, and its replacement as a
 * whole. Reading takes no lock and writes nothing: the file and its log are read into memory,
 * the log is checked and applied there, and SQLite opens the result. So it works beside a
 * running station, after a kill, and on read-only media.
 */
#pragma once
#include "records/vault_table.h"

#define KEYS_MAIN "keys.db"
#define KEYS_COPY "keys-copy.db"
#define KEYS_SCHEMA_VERSION 1

typedef struct {
  char *name; /* KEYS_MAIN or KEYS_COPY */
  gboolean missing;
  gboolean newer;      /* of a later schema: not for this program to touch */
  sqlite3 *db;         /* in memory; NULL when it cannot be read at all */
  GBytes *image;       /* of db */
  guint64 generation;  /* 0 when unknown */
  GPtrArray *problems; /* of char*; empty: sound */
} KeyFile;

/* Never fails: what is wrong stands in problems. */
KeyFile *key_file_read (const char *state_dir, const char *name);
void key_file_free (KeyFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KeyFile, key_file_free)
gboolean key_file_sound (const KeyFile *file);

/* TRUE when all rows are the same in both. */
gboolean key_file_equal (const KeyFile *a, const KeyFile *b);
/* TRUE when each key that can be read in small is in large as well. */
gboolean key_file_covers (const KeyFile *large, const KeyFile *small);

/* A new, empty database in memory with the tables; and its bytes. */
sqlite3 *key_file_new (GError **error);
GBytes *key_file_serialize (sqlite3 *db, GError **error);

/* Puts image in the place of the file, durable, with the old log removed. */
gboolean key_file_replace (const char *state_dir, const char *name, GBytes *image, GError **error);
/* The read-write connection: WAL, synchronous=FULL, secure_delete, exclusive. */
sqlite3 *key_file_open (const char *state_dir, const char *name, GError **error);
/* Moves the log into the file and cuts it to nothing. */
gboolean key_file_checkpoint (sqlite3 *db, GError **error);
