#include "records/segment_format.h"
#include "records/big_endian.h"
#include "records/secure_memory.h"
#include "records/store_log.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static const char magic[8] = "NHIPSEG1";

enum {
  AT_VERSION = 8,
  AT_ALG = 10,
  AT_CONSULT = 12,
  AT_STREAM = 28,
  AT_ID = 76,
  AT_PREVIOUS = 92,
  AT_MIME = 124,
  AT_EPOCH = 252,
  AT_ZERO = 260,
};

static gboolean
all_zero (const guint8 *bytes, gsize size)
{
  guint8 any = 0;
  for (gsize i = 0; i < size; i++)
    any |= bytes[i];
  return any == 0;
}

/* ---- Header ------------------------------------------------------------------------------- */

void
segment_header_write (const SegmentHeader *header, guint8 out[SEGMENT_HEADER])
{
  memset (out, 0, SEGMENT_HEADER);
  memcpy (out, magic, sizeof magic);
  put_be (out + AT_VERSION, 1, 2);
  put_be (out + AT_ALG, 1, 2);
  memcpy (out + AT_CONSULT, header->consult, 16);
  memcpy (out + AT_STREAM, header->stream, strlen (header->stream));
  memcpy (out + AT_ID, header->id, 16);
  memcpy (out + AT_PREVIOUS, header->previous, 32);
  memcpy (out + AT_MIME, header->mime, strlen (header->mime));
  put_be (out + AT_EPOCH, (guint64)header->epoch_us, 8);
}

/* Text, then nothing but NUL. */
static gboolean
padded_text (const guint8 *in, gsize width, char *ret_text)
{
  gsize size = strnlen ((const char *)in, width);
  if (size == 0 || !all_zero (in + size, width - size))
    return FALSE;
  memcpy (ret_text, in, size);
  ret_text[size] = '\0';
  return TRUE;
}

gboolean
segment_header_read (const guint8 bytes[SEGMENT_HEADER], SegmentHeader *ret_header, GError **error)
{
  SegmentHeader header;

  if (memcmp (bytes, magic, sizeof magic) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "does not begin as a segment does");
    return FALSE;
  }
  if (get_be (bytes + AT_VERSION, 2) != 1 || get_be (bytes + AT_ALG, 2) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "the segment has version %u and algorithm %u, this program reads 1 and 1",
                 (guint)get_be (bytes + AT_VERSION, 2), (guint)get_be (bytes + AT_ALG, 2));
    return FALSE;
  }
  if (!padded_text (bytes + AT_STREAM, SEGMENT_STREAM, header.stream)
      || !padded_text (bytes + AT_MIME, SEGMENT_MIME, header.mime)
      || !all_zero (bytes + AT_ZERO, SEGMENT_HEADER - AT_ZERO)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the segment's header was changed");
    return FALSE;
  }
  memcpy (header.consult, bytes + AT_CONSULT, 16);
  memcpy (header.id, bytes + AT_ID, 16);
  memcpy (header.previous, bytes + AT_PREVIOUS, 32);
  header.epoch_us = (gint64)get_be (bytes + AT_EPOCH, 8);
  *ret_header = header;
  return TRUE;
}

/* ---- Records ------------------------------------------------------------------------------ */

void
segment_record_write (const SegmentRecord *record, guint8 out[SEGMENT_RECORD_HEAD])
{
  put_be (out, record->size, 4);
  put_be (out + 4, record->flags, 4);
  put_be (out + 8, record->seq, 8);
  put_be (out + 16, (guint64)record->pts_us, 8);
}

gboolean
segment_record_read (const guint8 bytes[SEGMENT_RECORD_HEAD], guint64 seq,
                     SegmentRecord *ret_record)
{
  const SegmentRecord record = { .size = (guint32)get_be (bytes, 4),
                                 .flags = (guint32)get_be (bytes + 4, 4),
                                 .seq = get_be (bytes + 8, 8),
                                 .pts_us = (gint64)get_be (bytes + 16, 8) };
  if (record.size > SEGMENT_RECORD_MAX || (record.flags & ~SEGMENT_FLAGS) != 0 || record.seq != seq)
    return FALSE;
  *ret_record = record;
  return TRUE;
}

gsize
segment_record_span (guint32 size)
{
  return ((gsize)SEGMENT_RECORD_HEAD + size + SEGMENT_TAG + 15) & ~(gsize)15;
}

/* ---- Cipher ------------------------------------------------------------------------------- */

struct SegmentCipher {
  EVP_CIPHER_CTX *seal, *open;
  guint8 *key; /* 32, secure */
  guint8 header_sha256[32];
};

SegmentCipher *
segment_cipher_new (DataKey *key, const guint8 segment_id[16], const guint8 header[SEGMENT_HEADER])
{
  SegmentCipher *cipher = g_new0 (SegmentCipher, 1);
  cipher->key = secure_alloc (32);
  data_key_segment (key, segment_id, cipher->key);
  store_sha256 (header, SEGMENT_HEADER, cipher->header_sha256);
  return cipher;
}

void
segment_cipher_free (SegmentCipher *cipher)
{
  EVP_CIPHER_CTX_free (cipher->seal);
  EVP_CIPHER_CTX_free (cipher->open);
  secure_free (cipher->key, 32);
  g_free (cipher);
}

static void
make_nonce (const SegmentRecord *record, guint8 nonce[12])
{
  memset (nonce, 0, 12);
  put_be (nonce, record->seq, 8);
  nonce[11] = (record->flags & SEGMENT_FINAL) != 0;
}

gboolean
segment_cipher_seal (SegmentCipher *cipher, const SegmentRecord *record, const guint8 *plain,
                     guint8 *out, GError **error)
{
  guint8 nonce[12];
  guint8 *ct = out + SEGMENT_RECORD_HEAD, *tag = ct + record->size;
  gsize span = segment_record_span (record->size);
  int n, last;

  make_nonce (record, nonce);
  segment_record_write (record, out);
  memset (tag, 0, span - SEGMENT_RECORD_HEAD - record->size);
  gboolean first = cipher->seal == NULL;
  if (first)
    cipher->seal = EVP_CIPHER_CTX_new ();
  if (EVP_EncryptInit_ex (cipher->seal, first ? EVP_aes_256_gcm () : NULL, NULL,
                          first ? cipher->key : NULL, nonce)
          == 1
      && EVP_EncryptUpdate (cipher->seal, NULL, &n, out, SEGMENT_RECORD_HEAD) == 1
      && EVP_EncryptUpdate (cipher->seal, NULL, &n, cipher->header_sha256, 32) == 1
      && (record->size == 0
          || EVP_EncryptUpdate (cipher->seal, ct, &n, plain, (int)record->size) == 1)
      && EVP_EncryptFinal_ex (cipher->seal, tag, &last) == 1
      && EVP_CIPHER_CTX_ctrl (cipher->seal, EVP_CTRL_AEAD_GET_TAG, SEGMENT_TAG, tag) == 1)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "AES-256-GCM failed to seal");
  return FALSE;
}

gboolean
segment_cipher_open (SegmentCipher *cipher, const SegmentRecord *record, const guint8 *whole,
                     guint8 *out)
{
  guint8 nonce[12], dummy[16];
  const guint8 *ct = whole + SEGMENT_RECORD_HEAD, *tag = ct + record->size;
  gsize used = (gsize)SEGMENT_RECORD_HEAD + record->size + SEGMENT_TAG;
  g_autofree guint8 *scratch = out == NULL && record->size > 0 ? g_malloc (record->size) : NULL;
  guint8 *plain = out != NULL ? out : scratch;
  int n;

  if (!all_zero (whole + used, segment_record_span (record->size) - used))
    return FALSE;
  make_nonce (record, nonce);
  gboolean first = cipher->open == NULL;
  if (first)
    cipher->open = EVP_CIPHER_CTX_new ();
  return EVP_DecryptInit_ex (cipher->open, first ? EVP_aes_256_gcm () : NULL, NULL,
                             first ? cipher->key : NULL, nonce)
             == 1
         && EVP_DecryptUpdate (cipher->open, NULL, &n, whole, SEGMENT_RECORD_HEAD) == 1
         && EVP_DecryptUpdate (cipher->open, NULL, &n, cipher->header_sha256, 32) == 1
         && (record->size == 0
             || EVP_DecryptUpdate (cipher->open, plain, &n, ct, (int)record->size) == 1)
         && EVP_CIPHER_CTX_ctrl (cipher->open, EVP_CTRL_AEAD_SET_TAG, SEGMENT_TAG, (void *)tag) == 1
         && EVP_DecryptFinal_ex (cipher->open, dummy, &n) == 1;
}
