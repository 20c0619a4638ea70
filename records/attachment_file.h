/* The sealed file of one attachment (attachment.h, docs/records.md).
 *
 *     0  magic "NHIPATT1"     16  chunk u32 = 1 MiB     32  id 32
 *     8  version u16 = 1      20  zero 4                64  chunks: ciphertext | tag 16
 *    10  alg u16 = 1          24  size u64                                 all integers BE
 *    12  epoch u16, zero 2
 *
 *   key    HKDF-SHA256(DEK, salt = id, info = "nhipcau/1/attachment")
 *   id     HMAC-SHA256(HKDF-SHA256(DEK, info = "nhipcau/1/attachment-name"), SHA-256(content))
 *   nonce  number of the chunk u64 | 000000 | 1 in the last chunk, else 0;   AAD = the 64 bytes
 *
 * Key and nonce come from the content, so the same content gives the same file, and no nonce is
 * ever used for anything else. There is one chunk at least, of an empty content an empty one.
 */
#pragma once
#include "records/store_private.h"

#define ATTACHMENT_HEADER 64
#define ATTACHMENT_TAG 16
#define ATTACHMENT_CHUNK (1024 * 1024)
#define ATTACHMENT_FOLDER "attachments"
#define ATTACHMENT_SUFFIX ".att"
#define ATTACHMENT_KIND "attachment" /* of its row */

/* The id of a content, 64 hex digits. sha256: of the content. */
void attachment_id (DataKey *key, const guint8 sha256[32], char ret_id[STORE_HEX]);
/* 64 lower-case hex digits. */
gboolean attachment_id_valid (const char *id);
/* STATE/attachments/CONSULT/ID.att, or without state_dir (NULL) its name in the log. */
char *attachment_path (const char *state_dir, const char *consult, const char *id);

/* Writes the sealed content to fd, durable (fdatasync). ret_sha256: of the sealed bytes. */
gboolean attachment_file_write (int fd, DataKey *key, const char *id, GBytes *content,
                                guint8 ret_sha256[32], GError **error);

typedef struct AttachmentFile AttachmentFile;
/* NOT_FOUND, DISK, VERSION, or TAMPERED when header or length cannot be. */
AttachmentFile *attachment_file_open (const char *path, DataKey *key, const char *id,
                                      GError **error);
void attachment_file_free (AttachmentFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AttachmentFile, attachment_file_free)
guint64 attachment_file_size (AttachmentFile *file); /* of the content */
/* As attachment_read(). */
GBytes *attachment_file_read (AttachmentFile *file, guint64 offset, gsize size, GError **error);
/* Opens every chunk and compares the content with the id. out: a descriptor that gets the content,
 * -1: none. */
gboolean attachment_file_check (AttachmentFile *file, DataKey *key, int out, guint8 ret_sha256[32],
                                GError **error);
