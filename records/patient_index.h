/* The blind index: which consultations were of whom, without the database being able to tell.
 * docs/records.md (Blind index) has the table and what it does and does not hide.
 *
 * Identifiers are texts that the caller has normalised ("n:012345678901"). Each is kept as 16 bytes
 * of HMAC-SHA256 under a key of the station's own; a caller compares what it finds with the sealed
 * patient, since entries are outside of the log. RECORDS_ERROR_LOCKED while neither BOOT nor VK is
 * open. Any thread.
 */
#pragma once
#include "records/store.h"

#define PATIENT_INDEX_SIZE 16

/* Adds entries of one consultation (and the one that says that it has been seen to); returns at
 * once, on the disk within 100 ms. */
gboolean patient_index_put (Store *store, const char *consult, const char *const *identifiers,
                            GError **error);
/* The same, several consultations in one transaction, and waits: consults and lists in step. */
gboolean patient_index_put_all (Store *store, const GPtrArray *consults, const GPtrArray *lists,
                                GError **error);
/* Consultations that have one of these identifiers (NULL-terminated): array of char* (transfer
 * full), each once, the newest first, as store_list_consults() has them. */
GPtrArray *patient_index_find (Store *store, const char *const *identifiers, GError **error);
/* Of one entry, as the log tells it (leaf "index"): a tag under the consultation's clinical key,
 * which says nothing any more once that is destroyed. */
#define PATIENT_INDEX_TAG 8
void patient_index_tag (DataKey *key, const guint8 bidx[PATIENT_INDEX_SIZE],
                        char ret_hex[2 * PATIENT_INDEX_TAG + 1]);
/* Consultations that have no entry at all, `limit` at most: of an older program, or whose entries a
 * kill prevented. */
GPtrArray *patient_index_missing (Store *store, guint limit, GError **error);
