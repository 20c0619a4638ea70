/* Backup of a state folder to another folder (a removable disk, a share), and back. docs/records.md
 * has the form of the folder.
 *
 * What is copied is sealed already, so a backup tells a thief what the station's disk tells.
 * Incremental: files are kept in pieces by SHA-256; what is there is not written again. A backup
 * may be made beside a running station, whose database is read through a read-only connection in
 * one transaction. It counts when its list stands under its name; killed, unplugged or out of room
 * before that, all earlier ones are untouched and the next run goes on with the pieces that are
 * there.
 *
 * Keys are kept once, the newest: what was shredded on the station is gone from the backup after
 * the next run, and no older backup brings it back. Any thread, blocking.
 */
#pragma once
#include "records/store.h"

/* How many backups a folder keeps when nobody says otherwise. */
#define BACKUP_KEEP 30

typedef struct {
  guint64 number;     /* of this backup: 1, 2, … */
  guint64 files;      /* in it */
  guint64 bytes;      /* of them */
  guint64 new_bytes;  /* that were not in the folder before */
  guint64 log_size;   /* leaves of the log */
  char root[65];      /* of them, hex */
  guint64 known_size; /* log of the newest backup before; 0: none */
  char known_root[65];
  gboolean behind;     /* this log does not go on from that one: the state was put back */
  GPtrArray *problems; /* char*: what is damaged in the state, kept as it is; in words */
} BackupReport;
void backup_report_clear (BackupReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BackupReport, backup_report_clear)

/* dir exists, and is empty or a backup of the same vault (EXISTS otherwise; also when another
 * process works in it). keep: how many backups stay, at least 1. Each written piece is read back
 * from the disk. whole: all older pieces as well; damaged ones are made anew. DISK: full,
 * unplugged. */
gboolean backup_make (const char *state_dir, const char *dir, guint keep, gboolean whole,
                      BackupReport *ret_report, GError **error);

typedef struct {
  const char *dir;
  guint64 number;         /* 0: the newest */
  const char *state_dir;  /* not there yet, or empty */
  EVP_PKEY *recovery_key; /* NULL: none; then nothing is opened, whoever has a passphrase can */
  X509 *certificate;      /* of recovery_key */
  const char *user, *passphrase; /* with recovery_key: a new first user of the keys; NULL: none */
  const char *erasures; /* folder of certificates of destruction, obeyed as well; NULL: none */
} RestoreRequest;

typedef struct {
  guint64 number, files, bytes, keys; /* keys: that the recovery key opened */
  guint64 erased;                     /* keys that were shredded since and stay so */
} RestoreReport;

/* Each piece is compared with its hash. Erasures that the folder knows of, and those of `erasures`
 * that this station has signed, are replayed before a key is opened: into the log, and out of the
 * keys. The state folder appears under its name when
 * everything is in it and durable. NOT_FOUND: no such backup; TAMPERED: a piece is missing or
 * damaged, named; CREDENTIAL: the key is no recipient. */
gboolean backup_restore (const RestoreRequest *request, RestoreReport *ret_report, GError **error);
