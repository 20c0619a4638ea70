/* PIN verifiers: "$scrypt$ln=14,r=8,p=1$<salt>$<hash>" (PHC string, standard base64). Slow on
 * purpose, about 60 ms; the attempts are counted by whoever asks. */
#include "records/secure_memory.h"
#include "records/vault_private.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#define PREFIX "$scrypt$ln=14,r=8,p=1$"
#define SALT_SIZE 16
#define HASH_SIZE 32
#define PIN_LONGEST 256

static gboolean
scrypt (const char *pin, const guint8 salt[SALT_SIZE], guint8 ret_hash[HASH_SIZE])
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "SCRYPT", NULL);
  EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new (kdf) : NULL;
  guint64 n = 16384;
  guint32 r = 8, p = 1;
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_PASSWORD, (void *)pin, strlen (pin)),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SALT, (void *)salt, SALT_SIZE),
    OSSL_PARAM_construct_uint64 (OSSL_KDF_PARAM_SCRYPT_N, &n),
    OSSL_PARAM_construct_uint32 (OSSL_KDF_PARAM_SCRYPT_R, &r),
    OSSL_PARAM_construct_uint32 (OSSL_KDF_PARAM_SCRYPT_P, &p),
    OSSL_PARAM_construct_end (),
  };
  gboolean good = context != NULL && EVP_KDF_derive (context, ret_hash, HASH_SIZE, params) == 1;

  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
  return good;
}

char *
vault_hash_pin (const char *pin, GError **error)
{
  guint8 salt[SALT_SIZE], hash[HASH_SIZE];
  gsize length = strlen (pin);

  if (length < 4 || length > PIN_LONGEST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "a PIN has 4 to %d characters",
                 PIN_LONGEST);
    return NULL;
  }
  if (RAND_bytes (salt, sizeof salt) != 1 || !scrypt (pin, salt, hash)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "scrypt is not available");
    return NULL;
  }
  g_autofree char *salt_text = g_base64_encode (salt, sizeof salt);
  g_autofree char *hash_text = g_base64_encode (hash, sizeof hash);
  OPENSSL_cleanse (hash, sizeof hash);
  return g_strconcat (PREFIX, salt_text, "$", hash_text, NULL);
}

gboolean
vault_check_pin (const char *hash, const char *pin)
{
  guint8 found[HASH_SIZE];

  if (hash == NULL || pin == NULL || !g_str_has_prefix (hash, PREFIX) || strlen (pin) > PIN_LONGEST)
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (hash + strlen (PREFIX), "$", 3);
  if (g_strv_length (parts) != 2)
    return FALSE;
  gsize salt_size = 0, want_size = 0;
  g_autofree guint8 *salt = g_base64_decode (parts[0], &salt_size);
  g_autofree guint8 *want = g_base64_decode (parts[1], &want_size);
  gboolean good = salt_size == SALT_SIZE && want_size == HASH_SIZE && scrypt (pin, salt, found)
                  && CRYPTO_memcmp (found, want, HASH_SIZE) == 0;
  OPENSSL_cleanse (found, sizeof found);
  return good;
}
