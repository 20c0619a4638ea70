/* What the files behind verify.h share: one walk over a state folder. */
#pragma once
#include "records/segment_file.h"
#include "records/verify.h"

/* What the log says of one segment. */
typedef struct {
  char *consult, *stream;
  gint64 idx;
  guint64 leaf;
  guint8 header_sha256[32];
  guint64 mark; /* bytes known to be durable, 0: none told */
  guint8 mark_sha256[32];
  char *state; /* "open", "closed", "torn" */
  guint64 bytes, tail;
  guint8 sha256[32];
  gboolean is_met; /* its row was there */
} SegmentFacts;

/* The newest leaf of a draft. */
typedef struct {
  guint64 leaf;
  char sha256[STORE_HEX]; /* of what was sealed then; empty: of an older program, which did not tell
                           */
} DraftFacts;

typedef struct {
  const char *state_dir;
  Vault *vault;
  const char *consult; /* NULL: all */
  VerifyFinding finding;
  void *arg;
  VerifySummary summary;
  gboolean live; /* a station has the folder open */

  sqlite3 *db;
  Merkle merkle;
  gboolean log_broken;  /* said already: roots cannot fit any more */
  GHashTable *shredded; /* "CONSULT PURPOSE", said anywhere in the log */
  GHashTable *keys;     /* "CONSULT PURPOSE" → DataKey, as far as they could be had */
  GHashTable *no_key;   /* the same, said already that it could not */
  GHashTable *escrows;  /* "CONSULT PURPOSE" → "EPOCH COMMIT CMS_SHA256" */
  GHashTable *files;    /* path → SHA-256 in hex */
  GHashTable *segments; /* id → SegmentFacts */
  GHashTable *outbox;   /* uuid → "CONSULT TARGET ITEM STATE" */
  GHashTable *drafts;   /* "CONSULT NOTE", begun and not yet saved → DraftFacts */
  GHashTable *index;    /* consultation → tags (a set) of its entries in the blind index */
  GHashTable *media;    /* live: names of segments that had a record before the log was read */
  guint64 consults, recs, checkpoints, signers; /* leaves of each */
} Verify;

void verify_report (Verify *verify, VerifyVerdict verdict, const char *code, const char *where,
                    const char *format, ...) G_GNUC_PRINTF (5, 6);
/* Whether the caller asked for this consultation. */
gboolean verify_wants (const Verify *verify, const char *consult);
/* NULL when the key cannot be had now: said once per consultation and purpose. */
DataKey *verify_key (Verify *verify, const char *consult, Purpose purpose);

/* The whole of records.db; FALSE: too damaged to go on with what it lists. */
gboolean verify_database (Verify *verify);
void verify_log (Verify *verify);
void verify_segments (Verify *verify);
void verify_attachments (Verify *verify);
/* Drafts, of which the log tells that they are there, and the blind index, of which it does not. */
void verify_drafts (Verify *verify);
/* Whether a name of the log's is an attachment's; ret_consult and ret_id (transfer full). */
gboolean verify_attachment_name (const char *name, char **ret_consult, char **ret_id);
/* SHA-256 of a file in hex, without following a link. */
gboolean verify_hash_file (const char *path, guint64 *ret_bytes, gboolean *ret_zero,
                           char ret_hex[STORE_HEX]);
void verify_keys (Verify *verify);
/* Before the log is read, of a folder that is in use: what is begun afterwards is in no log yet. */
void verify_note_media (Verify *verify);
void verify_files (Verify *verify);
