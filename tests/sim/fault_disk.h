/* A disk that loses its power, fails or is full, for tests of what is written to a folder.
 *
 * The program that links this has open(), pwrite(), fdatasync() and their like replaced, for itself
 * and for the libraries that it uses: SQLite's files, segments and attachments stand in one order
 * in one journal. From the journal the folder can be rebuilt as a power cut after any operation
 * might have left it, by these rules:
 *
 *   - what was written to a file before its last fsync or fdatasync is there;
 *   - of what was written after that, any part may be there, down to single sectors of 512 bytes,
 * in any order; a length may have grown without the bytes (zeros), or not at all;
 *   - names (files made, renamed, taken away, folders) are there once their folder was synced; of
 *     later ones those up to some moment, as a journaling file system keeps them in order.
 *     That a file was synced does not make its name durable;
 *   - shared memory (…-shm) is gone.
 *
 * Paths are absolute. Any thread; one folder at a time. */
#pragma once
#include <glib.h>

/* Begins: all that is in the folder now counts as durable. */
void fault_disk_watch (const char *folder);
void fault_disk_stop (void);
/* Operations in the journal so far: a moment, for fault_disk_rebuild(). */
guint fault_disk_now (void);
/* The folder after `cut` operations of the journal, into an empty folder. base: a copy of the
 * folder as it was when watching began. The seed decides what of the rest is there; 0: nothing. */
void fault_disk_rebuild (guint cut, guint32 seed, const char *base, const char *out);
/* Size of a file (path relative to the folder) at its last sync before `cut`; 0: never. */
guint64 fault_disk_synced_size (guint cut, const char *path);
/* The operation with that number was one on a file of that name's ending ("keys.db-wal"). */
gboolean fault_disk_touches (guint n, const char *suffix);

typedef enum {
  FAULT_NONE,
  FAULT_IO,    /* EIO from anything */
  FAULT_SPACE, /* ENOSPC from what takes room */
} FaultKind;
/* From now on the nth operation (from 1) that can fail so does; for_good: all after it, too.
 * nth 0: only counts. */
void fault_disk_fail (FaultKind kind, guint nth, gboolean for_good);
/* Operations since then that could have failed so. */
guint fault_disk_counted (void);
