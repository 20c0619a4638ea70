#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#define PASSPHRASE_SHORTEST 10  /* characters */
#define PASSPHRASE_LONGEST 1024 /* bytes */
#define USER_LONGEST 128
/* `openssl pkcs8 -scrypt` fails above N = 16384; p makes it 0.23 s. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5

gboolean
user_check_passphrase (const char *user, const char *passphrase, GError **error)
{
  if (user == NULL || *user == '\0' || strlen (user) > USER_LONGEST
      || !g_utf8_validate (user, -1, NULL)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "a user's id is UTF-8 of 1 to %d bytes", USER_LONGEST);
    return FALSE;
  }
  if (passphrase == NULL || !g_utf8_validate (passphrase, -1, NULL)
      || strlen (passphrase) > PASSPHRASE_LONGEST
      || g_utf8_strlen (passphrase, -1) < PASSPHRASE_SHORTEST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "a passphrase has at least %d characters: four words are good and easy to keep",
                 PASSPHRASE_SHORTEST);
    return FALSE;
  }
  return TRUE;
}

/* Vietnamese keyboards send composed or decomposed letters: both must open. Ends in NUL. */
static GBytes *
normalize (const char *passphrase)
{
  char *composed = g_utf8_normalize (passphrase, -1, G_NORMALIZE_NFC);
  if (composed == NULL)
    return NULL;
  gsize size = strlen (composed) + 1;
  GBytes *bytes = secure_bytes_new (composed, size);
  OPENSSL_cleanse (composed, size);
  g_free (composed);
  return bytes;
}

GBytes *
user_wrap (EVP_PKEY *vk, const char *passphrase, GError **error)
{
  g_autoptr (GBytes) secret = normalize (passphrase);
  PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8 (vk);
  X509_ALGOR *algorithm
      = PKCS5_pbe2_set_scrypt (EVP_aes_256_cbc (), NULL, 16, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
  X509_SIG *sealed = NULL;
  unsigned char *der = NULL;
  int size = 0;
  GBytes *bytes = NULL;

  if (secret != NULL && plain != NULL && algorithm != NULL) {
    sealed = PKCS8_set0_pbe (g_bytes_get_data (secret, NULL), (int)g_bytes_get_size (secret) - 1,
                             plain, algorithm);
    if (sealed != NULL)
      algorithm = NULL; /* belongs to it */
  }
  if (sealed != NULL && (size = i2d_X509_SIG (sealed, &der)) > 0)
    bytes = g_bytes_new (der, (gsize)size);
  else
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the vault key cannot be encrypted");
  OPENSSL_free (der);
  X509_SIG_free (sealed);
  X509_ALGOR_free (algorithm);
  PKCS8_PRIV_KEY_INFO_free (plain);
  ERR_clear_error ();
  return bytes;
}

EVP_PKEY *
user_unwrap (GBytes *pkcs8, const char *passphrase, GError **error)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (pkcs8, &size);
  g_autoptr (GBytes) secret
      = strlen (passphrase) <= PASSPHRASE_LONGEST ? normalize (passphrase) : NULL;
  X509_SIG *sealed = d2i_X509_SIG (NULL, &der, (long)size);
  PKCS8_PRIV_KEY_INFO *plain = NULL;
  EVP_PKEY *key = NULL;

  if (sealed != NULL && secret != NULL)
    plain = PKCS8_decrypt (sealed, g_bytes_get_data (secret, NULL),
                           (int)g_bytes_get_size (secret) - 1);
  if (plain != NULL)
    key = EVP_PKCS82PKEY (plain);
  if (sealed == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the user's key is damaged");
  else if (key == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "the passphrase is wrong");
  PKCS8_PRIV_KEY_INFO_free (plain);
  X509_SIG_free (sealed);
  ERR_clear_error ();
  return key;
}

GBytes *
certificate_der (X509 *certificate)
{
  unsigned char *der = NULL;
  int size = i2d_X509 (certificate, &der);
  if (size <= 0)
    return NULL;
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return bytes;
}

static GByteArray *
anchor_parts (GBytes *vault_id, const char *label, X509 *certificate, GBytes *station_commit)
{
  GByteArray *parts = g_byte_array_new ();
  g_autoptr (GBytes) der = certificate_der (certificate);

  sealing_add_part (parts, "nhipcau/1/anchor", 16);
  sealing_add_part (parts, g_bytes_get_data (vault_id, NULL), g_bytes_get_size (vault_id));
  sealing_add_part (parts, label, strlen (label));
  sealing_add_part (parts, g_bytes_get_data (der, NULL), g_bytes_get_size (der));
  sealing_add_part (parts, g_bytes_get_data (station_commit, NULL),
                    g_bytes_get_size (station_commit));
  return parts;
}

GBytes *
anchor_sign (EVP_PKEY *vk, GBytes *vault_id, const char *label, X509 *certificate,
             GBytes *station_commit, GError **error)
{
  g_autoptr (GByteArray) parts = anchor_parts (vault_id, label, certificate, station_commit);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  guint8 signature[256];
  size_t size = sizeof signature;
  gboolean good = EVP_DigestSignInit_ex (context, NULL, "SHA256", NULL, NULL, vk, NULL) == 1
                  && EVP_DigestSign (context, signature, &size, parts->data, parts->len) == 1;

  EVP_MD_CTX_free (context);
  if (good)
    return g_bytes_new (signature, size);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the vault key cannot sign");
  return NULL;
}

gboolean
anchor_good (EVP_PKEY *vk, GBytes *vault_id, const char *label, X509 *certificate,
             GBytes *station_commit, GBytes *signature)
{
  g_autoptr (GByteArray) parts = anchor_parts (vault_id, label, certificate, station_commit);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  gboolean good = EVP_DigestVerifyInit_ex (context, NULL, "SHA256", NULL, NULL, vk, NULL) == 1
                  && EVP_DigestVerify (context, g_bytes_get_data (signature, NULL),
                                       g_bytes_get_size (signature), parts->data, parts->len)
                         == 1;

  EVP_MD_CTX_free (context);
  ERR_clear_error ();
  return good;
}
