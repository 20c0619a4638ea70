/* Between the files of erasure.h. */
#pragma once
#include "records/erasure.h"
#include "records/store_private.h"

/* A certificate as it lies on the disk, and what it says. */
typedef struct {
  char *id;     /* UUID, the file's name without its suffix */
  GBytes *file; /* the whole file */
  json_t *said; /* the statement */
  GBytes *statement, *signature;
} ErasurePaper;
void erasure_paper_free (ErasurePaper *paper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ErasurePaper, erasure_paper_free)

/* Signs a statement about these keys (VaultKeyRow*). */
ErasurePaper *erasure_paper_new (Store *store, Identity *signer, const Erasure *erasure,
                                 GPtrArray *keys, GError **error);
/* NULL with TAMPERED when the bytes are no certificate of this form. id: NULL when unknown. */
ErasurePaper *erasure_paper_parse (const char *id, GBytes *file, GError **error);
/* The name below STATE (transfer full). */
char *erasure_paper_name (const ErasurePaper *paper);
gboolean erasure_paper_tells (const ErasurePaper *paper, const VaultKeyRow *key);
/* Durable below STATE; the same bytes again change nothing. */
gboolean erasure_paper_write (Store *store, const ErasurePaper *paper, GError **error);
/* Signed by one of the certificates that the log keeps. */
gboolean erasure_paper_is_signed (Store *store, const ErasurePaper *paper);
/* The same of a database without a store. */
gboolean erasure_paper_is_signed_in (sqlite3 *db, const ErasurePaper *paper);
/* Every certificate of a folder: array of ErasurePaper*. A folder that is not there has none; a
 * file that is none is left out, with a warning. */
GPtrArray *erasure_papers_in (const char *folder);

/* The steps after the certificate is on the disk: log, keys, files. keys: VaultKeyRow* to destroy.
 * row: body for the station's row "erasure" (transfer none). */
gboolean erasure_deed (Store *store, const ErasurePaper *paper, GPtrArray *keys, const char *user,
                       json_t *row, GError **error);

/* erasure_done() of a database without a store. */
gboolean erasure_db_done (sqlite3 *db, const char *consult, Purpose purpose);
