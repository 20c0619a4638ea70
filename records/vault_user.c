#include "certs/pkcs8.h"
#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define PASSPHRASE_SHORTEST 10  /* characters */
#define PASSPHRASE_LONGEST 1024 /* bytes */
#define USER_LONGEST 128

gboolean
user_check_passphrase (const char *user, const char *passphrase, GError **error)
{
  if (user == NULL || *user == '\0' || strlen (user) > USER_LONGEST
      || !g_utf8_validate (user, -1, NULL) || strchr (user, '/') != NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "a user's id is UTF-8 of 1 to %d bytes without '/'", USER_LONGEST);
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

/* Vietnamese keyboards send composed or decomposed letters: both must open. */
static GBytes *
normalize (const char *passphrase)
{
  char *composed = g_utf8_normalize (passphrase, -1, G_NORMALIZE_NFC);
  if (composed == NULL)
    return NULL;
  gsize size = strlen (composed);
  GBytes *bytes = secure_bytes_new (composed, size);
  OPENSSL_cleanse (composed, size);
  g_free (composed);
  return bytes;
}

GBytes *
user_wrap (EVP_PKEY *vk, const char *passphrase, GError **error)
{
  g_autoptr (GBytes) secret = normalize (passphrase);
  g_autoptr (GError) local = NULL;
  GBytes *pkcs8 = pkcs8_write (vk, secret, &local);

  if (pkcs8 == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the vault key: %s", local->message);
  return pkcs8;
}

EVP_PKEY *
user_unwrap (GBytes *pkcs8, const char *passphrase, GError **error)
{
  g_autoptr (GBytes) secret
      = strlen (passphrase) <= PASSPHRASE_LONGEST ? normalize (passphrase) : NULL;
  g_autoptr (GError) local = NULL;
  EVP_PKEY *key = secret != NULL ? pkcs8_read (pkcs8, secret, &local) : NULL;

  if (key != NULL)
    return key;
  if (g_error_matches (local, CERTS_ERROR, CERTS_ERROR_FAILED))
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the user's key is damaged");
  else
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "the passphrase is wrong");
  return NULL;
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
