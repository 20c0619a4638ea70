/* Attachments among what a recovery key opens (verify.h, recover_records()). */
#pragma once
#include "records/attachment_file.h"

/* Writes the content of the attachment that row tells of into folder, as attachment-SEQ.EXT.
 * Returns its entry of record.json (transfer full):
 *   {file, id, kind, name, mime, size, sha256}
 * NULL without error: it was taken away again. NULL with error: what is there cannot be opened. */
json_t *attachment_recover (sqlite3 *db, const char *state_dir, const StoreRow *row, DataKey *key,
                            const char *folder, GError **error);
