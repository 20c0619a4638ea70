#include "records/attachment_file.h"
#include "records/attachment.h"
#include "records/big_endian.h"
#include "records/sealing.h"
#include "records/secure_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1
#define ALG_AES_256_GCM 1
static const char MAGIC[8] = "NHIPATT1";
enum { AT_VERSION = 8, AT_ALG = 10, AT_EPOCH = 12, AT_CHUNK = 16, AT_SIZE = 24, AT_ID = 32 };

/* ---- Names -------------------------------------------------------------------------------- */

gboolean
attachment_id_valid (const char *id)
{
  return strlen (id) == 64 && strspn (id, "0123456789abcdef") == 64;
}

static void
id_bytes (const char *id, guint8 out[32])
{
  for (guint i = 0; i < 32; i++)
    out[i] = (guint8)(g_ascii_xdigit_value (id[2 * i]) << 4 | g_ascii_xdigit_value (id[2 * i + 1]));
}

void
attachment_id (DataKey *key, const guint8 sha256[32], char ret_id[STORE_HEX])
{
  guint8 name_key[32], mac[32];
  data_key_derive (key, "nhipcau/1/attachment-name", name_key);
  sealing_mac (name_key, sha256, 32, mac);
  OPENSSL_cleanse (name_key, sizeof name_key);
  store_hex (mac, ret_id);
}

char *
attachment_path (const char *state_dir, const char *consult, const char *id)
{
  g_autofree char *name = g_strconcat (id, ATTACHMENT_SUFFIX, NULL);
  return state_dir != NULL ? g_build_filename (state_dir, ATTACHMENT_FOLDER, consult, name, NULL)
                           : g_build_filename (ATTACHMENT_FOLDER, consult, name, NULL);
}

/* ---- Cipher ------------------------------------------------------------------------------- */

struct AttachmentFile {
  int fd; /* -1 while one is written */
  char *path;
  guint8 header[ATTACHMENT_HEADER];
  guint64 size, chunks;
  guint8 *key; /* 32, secure */
  EVP_CIPHER_CTX *cipher;
  guint8 *sealed; /* room for one chunk */
};

static AttachmentFile *
file_new (int fd, const char *path, DataKey *key, const char *id)
{
  AttachmentFile *file = g_new0 (AttachmentFile, 1);
  guint8 salt[32];

  id_bytes (id, salt);
  file->fd = fd;
  file->path = g_strdup (path);
  file->key = secure_alloc (32);
  data_key_attachment (key, salt, file->key);
  file->cipher = EVP_CIPHER_CTX_new ();
  file->sealed = g_malloc (ATTACHMENT_CHUNK + ATTACHMENT_TAG);
  return file;
}

void
attachment_file_free (AttachmentFile *file)
{
  if (file == NULL)
    return;
  if (file->fd >= 0)
    close (file->fd);
  EVP_CIPHER_CTX_free (file->cipher);
  secure_free (file->key, 32);
  g_free (file->path);
  g_free (file->sealed);
  g_free (file);
}

static void
set_size (AttachmentFile *file, guint64 size)
{
  file->size = size;
  file->chunks = size == 0 ? 1 : (size + ATTACHMENT_CHUNK - 1) / ATTACHMENT_CHUNK;
}

static guint64
sealed_size (const AttachmentFile *file)
{
  return ATTACHMENT_HEADER + file->size + file->chunks * ATTACHMENT_TAG;
}

static gsize
chunk_size (const AttachmentFile *file, guint64 n)
{
  return (gsize)MIN (ATTACHMENT_CHUNK, file->size - n * ATTACHMENT_CHUNK);
}

static void
make_nonce (const AttachmentFile *file, guint64 n, guint8 nonce[12])
{
  memset (nonce, 0, 12);
  put_be (nonce, n, 8);
  nonce[11] = n + 1 == file->chunks;
}

static gboolean
seal_chunk (AttachmentFile *file, guint64 n, const guint8 *plain, gsize size)
{
  guint8 nonce[12], *tag = file->sealed + size;
  int used, last;

  make_nonce (file, n, nonce);
  return EVP_EncryptInit_ex (file->cipher, EVP_aes_256_gcm (), NULL, file->key, nonce) == 1
         && EVP_EncryptUpdate (file->cipher, NULL, &used, file->header, ATTACHMENT_HEADER) == 1
         && (size == 0
             || EVP_EncryptUpdate (file->cipher, file->sealed, &used, plain, (int)size) == 1)
         && EVP_EncryptFinal_ex (file->cipher, tag, &last) == 1
         && EVP_CIPHER_CTX_ctrl (file->cipher, EVP_CTRL_AEAD_GET_TAG, ATTACHMENT_TAG, tag) == 1;
}

static gboolean
open_chunk (AttachmentFile *file, guint64 n, guint8 *ret_plain, gsize size)
{
  guint8 nonce[12], none[16], *tag = file->sealed + size;
  int used;

  make_nonce (file, n, nonce);
  return EVP_DecryptInit_ex (file->cipher, EVP_aes_256_gcm (), NULL, file->key, nonce) == 1
         && EVP_DecryptUpdate (file->cipher, NULL, &used, file->header, ATTACHMENT_HEADER) == 1
         && (size == 0
             || EVP_DecryptUpdate (file->cipher, ret_plain, &used, file->sealed, (int)size) == 1)
         && EVP_CIPHER_CTX_ctrl (file->cipher, EVP_CTRL_AEAD_SET_TAG, ATTACHMENT_TAG, tag) == 1
         && EVP_DecryptFinal_ex (file->cipher, none, &used) == 1;
}

/* ---- Writing ------------------------------------------------------------------------------ */

static gboolean
write_all (int fd, const guint8 *bytes, gsize size, GError **error)
{
  while (size > 0) {
    gssize put = write (fd, bytes, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "the attachment cannot be written: %s",
                   g_strerror (errno));
      return FALSE;
    }
    bytes += put;
    size -= (gsize)put;
  }
  return TRUE;
}

static gboolean
write_hashed (int fd, EVP_MD_CTX *hash, const guint8 *bytes, gsize size, GError **error)
{
  EVP_DigestUpdate (hash, bytes, size);
  return write_all (fd, bytes, size, error);
}

static gboolean
write_chunks (AttachmentFile *file, int fd, GBytes *content, EVP_MD_CTX *hash, GError **error)
{
  const guint8 *plain = g_bytes_get_data (content, NULL);

  if (!write_hashed (fd, hash, file->header, ATTACHMENT_HEADER, error))
    return FALSE;
  for (guint64 n = 0; n < file->chunks; n++) {
    gsize size = chunk_size (file, n);
    if (!seal_chunk (file, n, size > 0 ? plain + n * ATTACHMENT_CHUNK : NULL, size)) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "AES-256-GCM failed to seal");
      return FALSE;
    }
    if (!write_hashed (fd, hash, file->sealed, size + ATTACHMENT_TAG, error))
      return FALSE;
  }
  if (fdatasync (fd) == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "the attachment cannot be written: %s",
               g_strerror (errno));
  return FALSE;
}

gboolean
attachment_file_write (int fd, DataKey *key, const char *id, GBytes *content, guint8 ret_sha256[32],
                       GError **error)
{
  g_autoptr (AttachmentFile) file = file_new (-1, "", key, id);
  EVP_MD_CTX *hash = EVP_MD_CTX_new ();

  set_size (file, g_bytes_get_size (content));
  memcpy (file->header, MAGIC, sizeof MAGIC);
  put_be (file->header + AT_VERSION, VERSION, 2);
  put_be (file->header + AT_ALG, ALG_AES_256_GCM, 2);
  put_be (file->header + AT_EPOCH, data_key_epoch (key), 2);
  put_be (file->header + AT_CHUNK, ATTACHMENT_CHUNK, 4);
  put_be (file->header + AT_SIZE, file->size, 8);
  id_bytes (id, file->header + AT_ID);
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  gboolean ok = write_chunks (file, fd, content, hash, error);
  EVP_DigestFinal_ex (hash, ret_sha256, NULL);
  EVP_MD_CTX_free (hash);
  return ok;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static gboolean
tampered (const AttachmentFile *file, const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s: %s", file->path, what);
  return FALSE;
}

static gboolean
read_header (AttachmentFile *file, const char *id, DataKey *key, GError **error)
{
  guint8 expected[32];
  struct stat status;
  const guint8 *header = file->header;

  id_bytes (id, expected);
  if (pread (file->fd, file->header, ATTACHMENT_HEADER, 0) != ATTACHMENT_HEADER
      || memcmp (header, MAGIC, sizeof MAGIC) != 0
      || memcmp (header + AT_ID, expected, sizeof expected) != 0)
    return tampered (file, "it does not begin as this attachment must", error);
  if (get_be (header + AT_VERSION, 2) != VERSION || get_be (header + AT_ALG, 2) != ALG_AES_256_GCM
      || get_be (header + AT_CHUNK, 4) != ATTACHMENT_CHUNK) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "%s: a newer program wrote it, or it was changed", file->path);
    return FALSE;
  }
  guint64 size = get_be (header + AT_SIZE, 8);
  if (size > ATTACHMENT_MAX || get_be (header + AT_EPOCH, 2) != data_key_epoch (key))
    return tampered (file, "its header was changed", error);
  set_size (file, size);
  if (fstat (file->fd, &status) != 0 || (guint64)status.st_size != sealed_size (file))
    return tampered (file, "it is shorter or longer than it was written", error);
  return TRUE;
}

AttachmentFile *
attachment_file_open (const char *path, DataKey *key, const char *id, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0) {
    g_set_error (error, RECORDS_ERROR,
                 errno == ENOENT ? RECORDS_ERROR_NOT_FOUND : RECORDS_ERROR_DISK, "%s: %s", path,
                 g_strerror (errno));
    return NULL;
  }
  g_autoptr (AttachmentFile) file = file_new (fd, path, key, id);
  return read_header (file, id, key, error) ? g_steal_pointer (&file) : NULL;
}

guint64
attachment_file_size (AttachmentFile *file)
{
  return file->size;
}

/* ret_plain: chunk_size() bytes. */
static gboolean
read_chunk (AttachmentFile *file, guint64 n, guint8 *ret_plain, GError **error)
{
  gsize size = chunk_size (file, n), whole = size + ATTACHMENT_TAG, done = 0;
  guint64 at = ATTACHMENT_HEADER + n * (ATTACHMENT_CHUNK + ATTACHMENT_TAG);

  while (done < whole) {
    gssize got = pread (file->fd, file->sealed + done, whole - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK,
                   "%s: the disk does not give chunk %" G_GUINT64_FORMAT, file->path, n);
      return FALSE;
    }
    done += (gsize)got;
  }
  if (open_chunk (file, n, ret_plain, size))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "%s: chunk %" G_GUINT64_FORMAT " was changed, or belongs elsewhere", file->path, n);
  return FALSE;
}

GBytes *
attachment_file_read (AttachmentFile *file, guint64 offset, gsize size, GError **error)
{
  guint64 begin = MIN (offset, file->size), end = begin + MIN (size, file->size - begin);
  guint8 *out, *chunk;
  g_autoptr (GBytes) whole = secure_bytes_blank ((gsize)(end - begin), &out);
  g_autoptr (GBytes) one = secure_bytes_blank (ATTACHMENT_CHUNK, &chunk);

  for (guint64 at = begin; at < end;) {
    guint64 n = at / ATTACHMENT_CHUNK;
    gsize skip = (gsize)(at % ATTACHMENT_CHUNK);
    if (!read_chunk (file, n, chunk, error))
      return NULL;
    gsize take = (gsize)MIN (chunk_size (file, n) - skip, end - at);
    memcpy (out + (at - begin), chunk + skip, take);
    at += take;
  }
  return g_steal_pointer (&whole);
}

gboolean
attachment_file_check (AttachmentFile *file, DataKey *key, int out, guint8 ret_sha256[32],
                       GError **error)
{
  guint8 *chunk;
  g_autoptr (GBytes) one = secure_bytes_blank (ATTACHMENT_CHUNK, &chunk);
  EVP_MD_CTX *hash = EVP_MD_CTX_new ();
  char id[STORE_HEX], header_id[STORE_HEX];
  gboolean ok = TRUE;

  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  for (guint64 n = 0; n < file->chunks && ok; n++) {
    gsize size = chunk_size (file, n);
    ok = read_chunk (file, n, chunk, error);
    if (ok)
      EVP_DigestUpdate (hash, chunk, size);
    ok = ok && (out < 0 || write_all (out, chunk, size, error));
  }
  EVP_DigestFinal_ex (hash, ret_sha256, NULL);
  EVP_MD_CTX_free (hash);
  if (!ok)
    return FALSE;
  attachment_id (key, ret_sha256, id);
  store_hex (file->header + AT_ID, header_id);
  return g_str_equal (id, header_id) || tampered (file, "its content is not what it names", error);
}
