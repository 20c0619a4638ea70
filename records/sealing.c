#include "records/sealing.h"
#include "records/data_key.h"
#include "records/secure_memory.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_KDF, EVP_KDF_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_KDF_CTX, EVP_KDF_CTX_free)

void
sealing_derive (const guint8 *key, gsize key_size, const guint8 *salt, gsize salt_size,
                const char *info, guint8 out[32])
{
  g_autoptr (EVP_KDF) kdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  g_autoptr (EVP_KDF_CTX) context = kdf != NULL ? EVP_KDF_CTX_new (kdf) : NULL;
  OSSL_PARAM params[5], *next = params;

  *next++ = OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
  *next++ = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, (void *)key, key_size);
  if (salt != NULL)
    *next++ = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SALT, (void *)salt, salt_size);
  *next++ = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_INFO, (void *)info, strlen (info));
  *next = OSSL_PARAM_construct_end ();
  if (context == NULL || EVP_KDF_derive (context, out, 32, params) != 1)
    g_error ("HKDF-SHA256 is not available: libcrypto has no working provider");
}

void
sealing_add_part (GByteArray *parts, gconstpointer data, gsize size)
{
  guint32 length = GUINT32_TO_BE ((guint32)size);
  g_byte_array_append (parts, (const guint8 *)&length, sizeof length);
  if (size > 0)
    g_byte_array_append (parts, data, (guint)size);
}

void
sealing_mac (const guint8 key[32], const guint8 *data, gsize size, guint8 ret_mac[32])
{
  gsize length = 0;
  if (EVP_Q_mac (NULL, "HMAC", NULL, "SHA256", NULL, key, 32, data, size, ret_mac, 32, &length)
          == NULL
      || length != 32)
    g_error ("HMAC-SHA256 is not available: libcrypto has no working provider");
}

GBytes *
sealing_seal (const guint8 key[SEALING_KEY], const guint8 *head, gsize head_size, GBytes *aad,
              GBytes *plain, GError **error)
{
  g_autoptr (EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new ();
  gsize size, aad_size;
  const guint8 *text = g_bytes_get_data (plain, &size);
  const guint8 *bound = g_bytes_get_data (aad, &aad_size);
  int n = 0, last = 0;

  if (size > SEALING_MAX) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "%" G_GSIZE_FORMAT " bytes are too much for one sealed value (at most %d)", size,
                 SEALING_MAX);
    return NULL;
  }
  gsize total = head_size + SEALING_OVERHEAD + size;
  g_autofree guint8 *out = g_malloc (total);
  guint8 *nonce = out + head_size, *ct = nonce + SEALING_NONCE;
  if (head_size > 0)
    memcpy (out, head, head_size);
  if (RAND_bytes (nonce, SEALING_NONCE) != 1
      || EVP_EncryptInit_ex (cipher, EVP_aes_256_gcm (), NULL, key, nonce) != 1
      || EVP_EncryptUpdate (cipher, NULL, &n, bound, (int)aad_size) != 1
      || (size > 0 && EVP_EncryptUpdate (cipher, ct, &n, text, (int)size) != 1)
      || EVP_EncryptFinal_ex (cipher, ct + size, &last) != 1
      || EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_GET_TAG, SEALING_TAG, ct + size) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "AES-256-GCM failed to seal");
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&out), total);
}

GBytes *
sealing_open (const guint8 key[SEALING_KEY], gsize head_size, GBytes *aad, GBytes *sealed,
              GError **error)
{
  g_autoptr (EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new ();
  gsize total, aad_size;
  const guint8 *in = g_bytes_get_data (sealed, &total);
  const guint8 *bound = g_bytes_get_data (aad, &aad_size);
  int n = 0, last = 0;

  if (total < head_size + SEALING_OVERHEAD
      || total > head_size + SEALING_OVERHEAD + (gsize)SEALING_MAX) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "%" G_GSIZE_FORMAT " bytes cannot be a sealed value", total);
    return NULL;
  }
  gsize size = total - head_size - SEALING_OVERHEAD;
  const guint8 *nonce = in + head_size, *ct = nonce + SEALING_NONCE;
  guint8 *text;
  g_autoptr (GBytes) plain = secure_bytes_blank (size, &text);
  if (EVP_DecryptInit_ex (cipher, EVP_aes_256_gcm (), NULL, key, nonce) != 1
      || EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_SET_TAG, SEALING_TAG, (void *)(ct + size)) != 1
      || EVP_DecryptUpdate (cipher, NULL, &n, bound, (int)aad_size) != 1
      || (size > 0 && EVP_DecryptUpdate (cipher, text, &n, ct, (int)size) != 1)
      || EVP_DecryptFinal_ex (cipher, text + size, &last) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "the value was changed, or belongs elsewhere");
    return NULL;
  }
  return g_steal_pointer (&plain);
}
