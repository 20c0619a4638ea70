/* The folder of backups: pieces, lists, keys. docs/records.md has the form.
 *
 *   backup.json                   {"format", "vault", "version"}
 *   pieces/ab/<sha256>            at most 4 MiB each
 *   lists/NUMBER-<sha256>.json    one backup; the hash is of the list's own bytes
 *   keys/NUMBER.db                keys.db as of backup NUMBER, for it and those before
 *   erased                        "CONSULT PURPOSE" per line: keys that were shredded
 *   part/                         what is being made
 */
#pragma once
#include "records/backup.h"
#include "records/store_log.h"
#include "records/vault_file.h"

#define BACKUP_PIECE (4 * 1024 * 1024)
/* Pages of the database change here and there: smaller pieces are kept longer. */
#define BACKUP_PIECE_DB (256 * 1024)

typedef struct {
  char *path;
  int lock;            /* of the folder */
  GHashTable *trusted; /* char*: pieces that a durable list names */
  GHashTable *fresh;   /* char*: written or read back in this run */
  gboolean whole;      /* read old pieces back as well */
  guint64 new_bytes;
} BackupFolder;

/* vault: hex; NULL: whichever it is. create: begin in an empty folder. */
BackupFolder *backup_folder_open (const char *path, const char *vault, gboolean create,
                                  GError **error);
void backup_folder_free (BackupFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BackupFolder, backup_folder_free)

/* ret_hex: its name. Not durable yet. */
gboolean backup_piece_put (BackupFolder *folder, gconstpointer data, gsize size,
                           char ret_hex[STORE_HEX], GError **error);
/* NULL: missing, unreadable, or its bytes are not those of its name. */
GBytes *backup_piece_get (BackupFolder *folder, const char *hex, GError **error);
gboolean backup_piece_there (BackupFolder *folder, const char *hex);
/* Everything written so far is on the disk and was read back from there. */
gboolean backup_folder_settle (BackupFolder *folder, GError **error);

/* Small files of the folder: durable under their name. */
gboolean backup_file_put (const char *path, gconstpointer data, gsize size, GError **error);
/* For people: DISK with the path and errno. */
gboolean backup_disk_error (const char *path, int code, GError **error);

/* ---- Lists -------------------------------------------------------------------------------- */

/* {"erased": […], "files": [{"bytes", "path", "pieces": […], "sha256"}], "log": {"root", "size"},
 *  "made", "number", "version"} */
/* Numbers of all lists, ascending (guint64). */
GArray *backup_lists (BackupFolder *folder, GError **error);
/* (transfer full); TAMPERED when its bytes are not those of its name. */
json_t *backup_list_get (BackupFolder *folder, guint64 number, GError **error);
gboolean backup_list_put (BackupFolder *folder, json_t *list, GError **error);
/* Lists but the newest keep go, and pieces that none of those that stay names. */
gboolean backup_prune (BackupFolder *folder, guint keep, GError **error);

/* ---- Keys --------------------------------------------------------------------------------- */

/* For backup number: durable; those of older backups go where the new ones have all of their keys
 * but the erased ones (a set of "CONSULT PURPOSE"). */
gboolean backup_keys_put (BackupFolder *folder, guint64 number, KeyFile *keys, GHashTable *erased,
                          GError **error);
/* The bytes of those that serve backup number. */
GBytes *backup_keys_get (BackupFolder *folder, guint64 number, GError **error);
/* The set of all that was ever shredded; and adding to it, durable. */
GHashTable *backup_erased_get (BackupFolder *folder, GError **error);
gboolean backup_erased_put (BackupFolder *folder, GHashTable *erased, GError **error);

/* ---- The log of a copy -------------------------------------------------------------------- */

typedef struct {
  guint64 size;
  char root[STORE_HEX];
  char known_root[STORE_HEX]; /* at known_size; empty when the log is shorter */
  GHashTable *keys;           /* "CONSULT PURPOSE" that must be there */
  GHashTable *erased;         /* the same, shredded */
  GHashTable *files;          /* path → SHA-256 hex, of what never changes */
} BackupLog;
/* Every leaf against its hash. known_size: 0: none. */
BackupLog *backup_log_read (sqlite3 *db, guint64 known_size, GError **error);
void backup_log_free (BackupLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BackupLog, backup_log_free)

/* backup_erasures.c: every certificate of a folder that one of the log's signers has signed and
 * that tells of a key which the log has: that key's name ("CONSULT PURPOSE") goes into erased, the
 * file to place, its leaf into the log. In a transaction of the caller's. */
gboolean backup_take_certificates (const char *from, const char *place, sqlite3 *db, StoreLog *log,
                                   GHashTable *erased, GError **error);
