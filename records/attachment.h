/* Attachments: whole files kept with a consultation, or with the station until somebody claims
 * them (consult "station"): a DICOM object, an ECG file, a still. Each is sealed in chunks of
 * 1 MiB in STATE/attachments/CONSULT/ID.att, so that any part can be read alone; the log has a leaf
 * "file PATH SHA256" of the sealed bytes, and a row of kind "attachment" tells what it is:
 *
 *   {"id", "kind", "name", "mime", "size", "sha256", "about": {…}}
 *
 * Content-addressed: ID is a MAC of the content's SHA-256 under the consultation's clinical key
 * (it tells nobody without that key which file it is). The same content put twice into the same
 * consultation is one attachment and one row. docs/records.md has the layout byte by byte.
 */
#pragma once
#include "records/store.h"

#define ATTACHMENT_MAX (1024u * 1024 * 1024) /* bytes of one attachment */

typedef struct {
  const char *kind;      /* "dicom", "ecg", "still"; [a-z0-9-]{1,48}; sealed */
  const char *name;      /* for people, as a file name; sealed; NULL: "" */
  const char *mime_type; /* sealed; NULL: "application/octet-stream" */
  json_t *about;         /* (transfer none) object, what the kind wants kept beside it; NULL: {} */
} AttachmentInfo;

typedef struct {
  char id[65];     /* 64 hex digits */
  char sha256[65]; /* of the content, hex */
  guint64 size;    /* of the content, bytes */
  gboolean is_new; /* FALSE: it was there already, no row was written */
  gint64 seq;      /* of the row; 0 when it was there already */
} Attachment;

/* Keeps content and its row. done comes in the caller's thread-default GMainContext when both are
 * durable, or not: attachment is NULL and error says why (LOCKED, DISK, FAILED). The work is done
 * in a thread of the store's own, one attachment at a time. user NULL: the station itself.
 * content is held until then and must not change meanwhile (no mapping of a file that another
 * process can write). done may be NULL. */
typedef void (*AttachmentDone) (const Attachment *attachment, const GError *error, void *arg);
void attachment_put (Store *store, const char *consult, const char *user,
                     const AttachmentInfo *info, GBytes *content, AttachmentDone done, void *arg);
/* The same, waiting. Any thread. */
gboolean attachment_put_sync (Store *store, const char *consult, const char *user,
                              const AttachmentInfo *info, GBytes *content,
                              Attachment *ret_attachment, GError **error);

/* Bytes of the content of an attachment. NOT_FOUND: there is none with this id (or it is no id). */
gboolean attachment_size (Store *store, const char *consult, const char *id, guint64 *ret_size,
                          GError **error);
/* size bytes of the content from offset, fewer at its end; authenticated, wiped when freed
 * (transfer full). Only the chunks that hold them are read: 1 MiB costs about 1 ms. Any thread. */
GBytes *attachment_read (Store *store, const char *consult, const char *id, guint64 offset,
                         gsize size, GError **error);

/* Takes one away for good, said in the log ("file PATH gone"): what was held at the station and now
 * lies in a consultation. Its row stays. Waits. */
gboolean attachment_remove (Store *store, const char *consult, const char *id, GError **error);
