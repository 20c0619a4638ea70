/* Between fault_disk.c (the journal), fault_disk_calls.c (what writes it) and fault_disk_rebuild.c
 * (what reads it). */
#pragma once
#include "fault_disk.h"
#include <pthread.h>

#define FAULT_FDS 4096

typedef enum {
  FAULT_OP_CREATE,
  FAULT_OP_WRITE,
  FAULT_OP_TRUNCATE, /* to size, shorter or longer */
  FAULT_OP_SYNC,
  FAULT_OP_UNLINK,
  FAULT_OP_RENAME,
  FAULT_OP_MKDIR,
  FAULT_OP_SYNC_FOLDER,
} FaultOpKind;

typedef struct {
  FaultOpKind kind;
  guint file;       /* from 1; 0: of a folder */
  char *path, *to;  /* relative; of names */
  guint64 at, size; /* bytes */
  guint8 *bytes;    /* of a write */
} FaultOp;

typedef struct {
  GPtrArray *ops;    /* FaultOp* */
  GPtrArray *files;  /* char*: path when watching began; NULL: made since. File n at n - 1 */
  GPtrArray *called; /* char*: the newest name of each file */
  GHashTable *names; /* path → file, now */
} FaultJournal;
extern FaultJournal fault_journal;

/* What a descriptor is open on, while watching. */
typedef struct {
  guint file;
  char *folder;
} FaultOpen;
extern FaultOpen fault_fds[FAULT_FDS];

/* Everything below under this lock. */
extern pthread_mutex_t fault_lock;
gboolean fault_is_watching (int fd);
/* Relative to the folder; NULL when it lies elsewhere. "" is the folder itself. */
const char *fault_inside (const char *path);
FaultOp *fault_add (FaultOpKind kind, guint file);
guint fault_new_file (const char *path, gboolean is_base);
/* 0: none of that name. */
guint fault_file_of (const char *path);
/* The error number that this operation is to end with; 0: none. */
int fault_fails (gboolean takes_room);
