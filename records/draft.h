/* Drafts in the writer's thread (store.h has what others call): table `draft`, docs/records.md. */
#pragma once
#include "records/store_private.h"

gboolean draft_write (StoreWrite *write, Vault *vault, const char *consult, const char *note,
                      const char *user, gint64 utc_us, json_t *body, GError **error);
gboolean draft_drop (StoreWrite *write, const char *consult, const char *note, GError **error);
/* The log tells of what was typed last, where it does not yet. Before a checkpoint. */
gboolean draft_tell_all (StoreWrite *write, GError **error);
/* All of a consultation (erasure). */
gboolean draft_drop_all (StoreWrite *write, const char *consult, GError **error);

/* Opens one row of the table. RECORDS_ERROR_TAMPERED when it is not what was written. */
StoreDraft *draft_open (DataKey *key, const char *consult, const char *note, GBytes *sealed,
                        GError **error);
void draft_free (StoreDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoreDraft, draft_free)

/* `sum` of a row of a table outside of the log: SHA-256 over its name and columns, each as u32 BE
 * length and bytes. Blobs and texts alike. */
void draft_sum (const char *table, sqlite3_stmt *row, guint columns, guint8 ret_sum[32]);

/* All entries of a consultation in the blind index (patient_index.h; erasure). */
gboolean patient_index_forget (StoreWrite *write, const char *consult, GError **error);
