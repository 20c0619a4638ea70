#include "certs/pkcs8.h"
#include "certs/issue.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_SIZE 16

typedef struct {
  unsigned char *der;
  gsize size;
} Der;

static void
der_free (gpointer data)
{
  Der *der = data;
  OPENSSL_clear_free (der->der, der->size);
  g_free (der);
}

static GBytes *
take_der (unsigned char *data, int size)
{
  if (size <= 0)
    return NULL;
  Der *der = g_new (Der, 1);
  der->der = data;
  der->size = (gsize)size;
  return g_bytes_new_with_free_func (data, der->size, der_free, der);
}

static X509_SIG *
encrypt (PKCS8_PRIV_KEY_INFO *plain, GBytes *secret)
{
  X509_ALGOR *algorithm = PKCS5_pbe2_set_scrypt (EVP_aes_256_cbc (), NULL, SALT_SIZE, NULL,
                                                 SCRYPT_N, SCRYPT_R, SCRYPT_P);
  X509_SIG *sealed = NULL;

  if (algorithm != NULL)
    sealed = PKCS8_set0_pbe (g_bytes_get_data (secret, NULL), (int)g_bytes_get_size (secret), plain,
                             algorithm);
  if (sealed == NULL)
    X509_ALGOR_free (algorithm);
  return sealed;
}

GBytes *
pkcs8_write (EVP_PKEY *key, GBytes *secret, GError **error)
{
  unsigned char *data = NULL;
  GBytes *der = NULL;

  ERR_clear_error ();
  PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8 (key);
  if (plain != NULL && secret == NULL) {
    int size = i2d_PKCS8_PRIV_KEY_INFO (plain, &data);
    der = take_der (data, size);
  }
  if (plain != NULL && secret != NULL) {
    X509_SIG *sealed = encrypt (plain, secret);
    int size = sealed != NULL ? i2d_X509_SIG (sealed, &data) : 0;
    der = take_der (data, size);
    X509_SIG_free (sealed);
  }
  PKCS8_PRIV_KEY_INFO_free (plain);
  if (der == NULL)
    issue_set_error (error, CERTS_ERROR_FAILED, "the private key cannot be encrypted");
  return der;
}

EVP_PKEY *
pkcs8_read (GBytes *der, GBytes *secret, GError **error)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (der, &size);
  X509_SIG *sealed = d2i_X509_SIG (NULL, &data, (long)size);
  PKCS8_PRIV_KEY_INFO *plain = NULL;
  EVP_PKEY *key = NULL;

  if (sealed != NULL)
    plain = PKCS8_decrypt (sealed, g_bytes_get_data (secret, NULL), (int)g_bytes_get_size (secret));
  if (plain != NULL)
    key = EVP_PKCS82PKEY (plain);
  ERR_clear_error ();
  if (sealed == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "it is no encrypted PKCS#8 key");
  else if (key == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "its secret is wrong");
  PKCS8_PRIV_KEY_INFO_free (plain);
  X509_SIG_free (sealed);
  return key;
}
