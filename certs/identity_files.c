#include "certs/identity_files.h"
#include "certs/engine_key.h"
#include "certs/peer_check.h"
#include "certs/pkcs8.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

char *
identity_file (const IdentityPlace *place, const char *name)
{
  return g_build_filename (place->state_dir, "certs", name, NULL);
}

char *
identity_key_uri (const IdentityPlace *place)
{
  return place->key_uri != NULL ? g_strdup (place->key_uri) : identity_file (place, "station.key");
}

char *
identity_certificate_path (const IdentityPlace *place)
{
  return place->certificate != NULL ? g_strdup (place->certificate)
                                    : identity_file (place, "station.crt");
}

char *
identity_chain_path (const IdentityPlace *place)
{
  return identity_file (place, "province.crt");
}

/* A passphrase that people and `openssl` can use as well: text as it stands without the line end,
 * other bytes as hex. */
static GBytes *
passphrase_of (GBytes *secret)
{
  gsize size;
  const char *data = g_bytes_get_data (secret, &size);

  while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r'))
    size--;
  if (size > 0 && g_utf8_validate_len (data, size, NULL) && memchr (data, '\n', size) == NULL
      && memchr (data, 0, size) == NULL)
    return g_bytes_new (data, size);
  g_autoptr (GString) hex = g_string_sized_new (2 * g_bytes_get_size (secret));
  data = g_bytes_get_data (secret, &size);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", (guint8)data[i]);
  GBytes *bytes = g_bytes_new (hex->str, hex->len);
  OPENSSL_cleanse (hex->str, hex->len);
  return bytes;
}

/* pem_password_cb: -1 asks nobody, so that a missing secret fails instead of waiting. */
static int
give_passphrase (char *buffer, int size, int writing, void *arg)
{
  GBytes *passphrase = arg;
  gsize length;

  if (passphrase == NULL)
    return -1;
  gconstpointer data = g_bytes_get_data (passphrase, &length);
  if (length > (gsize)size)
    return -1;
  memcpy (buffer, data, length);
  return (int)length;
}

static EVP_PKEY *
load_from_store (const char *uri, GBytes *passphrase)
{
  UI_METHOD *method = UI_UTIL_wrap_read_pem_callback (give_passphrase, 0);
  gboolean engine = engine_key_is_uri (uri);
  EVP_PKEY *key = engine ? engine_key_load (uri, method, passphrase) : NULL;
  OSSL_STORE_CTX *store = engine ? NULL : OSSL_STORE_open (uri, method, passphrase, NULL, NULL);

  if (store != NULL) {
    OSSL_STORE_expect (store, OSSL_STORE_INFO_PKEY);
    while (key == NULL && !OSSL_STORE_eof (store)) {
      OSSL_STORE_INFO *info = OSSL_STORE_load (store);
      if (info == NULL && OSSL_STORE_error (store))
        break;
      if (info != NULL && OSSL_STORE_INFO_get_type (info) == OSSL_STORE_INFO_PKEY)
        key = OSSL_STORE_INFO_get1_PKEY (info);
      OSSL_STORE_INFO_free (info);
    }
    OSSL_STORE_close (store);
  }
  UI_destroy_method (method);
  return key;
}

EVP_PKEY *
identity_load_key (const char *uri, GBytes *secret, GError **error)
{
  g_autofree char *what
      = g_strdup_printf ("private key %s cannot be opened with the secret given", uri);
  ERR_clear_error ();
  if (g_path_is_absolute (uri) && !g_file_test (uri, G_FILE_TEST_EXISTS)) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND, "private key %s is not there", uri);
    return NULL;
  }
  GBytes *passphrase = secret != NULL ? passphrase_of (secret) : NULL;
  EVP_PKEY *key = load_from_store (uri, passphrase);
  if (passphrase != NULL) {
    OPENSSL_cleanse ((gpointer)g_bytes_get_data (passphrase, NULL), g_bytes_get_size (passphrase));
    g_bytes_unref (passphrase);
  }
  if (key == NULL)
    issue_set_error (error, CERTS_ERROR_KEY, what);
  ERR_clear_error ();
  return key;
}

X509 *
identity_load_certificate (const char *path, GError **error)
{
  BIO *file = BIO_new_file (path, "r");
  X509 *certificate = file != NULL ? PEM_read_bio_X509 (file, NULL, NULL, NULL) : NULL;
  g_autofree char *what = g_strdup_printf (
      file == NULL ? "certificate %s is not there" : "%s is no PEM certificate", path);

  if (certificate == NULL) {
    ERR_clear_error ();
    g_set_error (error, CERTS_ERROR, file == NULL ? CERTS_ERROR_NOT_FOUND : CERTS_ERROR_FAILED,
                 "%s", what);
  }
  BIO_free (file);
  return certificate;
}

static gboolean
save (const char *path, BIO *pem, GError **error)
{
  char *data;
  long size = BIO_get_mem_data (pem, &data);
  return g_file_set_contents_full (
      path, data, size, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

gboolean
identity_save_key (const char *path, EVP_PKEY *key, GBytes *secret, GError **error)
{
  GBytes *passphrase = secret != NULL ? passphrase_of (secret) : NULL;
  g_autoptr (GBytes) der = pkcs8_write (key, passphrase, error);
  gsize size;

  if (passphrase != NULL) {
    OPENSSL_cleanse ((gpointer)g_bytes_get_data (passphrase, NULL), g_bytes_get_size (passphrase));
    g_bytes_unref (passphrase);
  }
  if (der == NULL)
    return FALSE;
  const unsigned char *data = g_bytes_get_data (der, &size);
  BIO *pem = BIO_new (BIO_s_secmem ());
  gboolean good = PEM_write_bio (pem, secret != NULL ? PEM_STRING_PKCS8 : PEM_STRING_PKCS8INF, "",
                                 data, (long)size)
                      > 0
                  && save (path, pem, error);
  BIO_free (pem);
  return good;
}

gboolean
identity_save_certificate (const char *path, X509 *certificate, GError **error)
{
  BIO *pem = BIO_new (BIO_s_mem ());
  gboolean good = PEM_write_bio_X509 (pem, certificate) == 1 && save (path, pem, error);
  BIO_free (pem);
  return good;
}

gboolean
identity_save_chain (const char *path, STACK_OF (X509) * chain, GError **error)
{
  BIO *pem = BIO_new (BIO_s_mem ());
  gboolean good = TRUE;
  for (int i = 0; good && i < sk_X509_num (chain); i++)
    good = PEM_write_bio_X509 (pem, sk_X509_value (chain, i)) == 1;
  good = good && save (path, pem, error);
  BIO_free (pem);
  return good;
}

STACK_OF (X509) * identity_load_chain (const char *path, GError **error)
{
  char *text = NULL;
  gsize length = 0;
  if (!g_file_test (path, G_FILE_TEST_EXISTS) || !g_file_get_contents (path, &text, &length, error))
    return NULL;
  g_autoptr (GBytes) pem = g_bytes_new_take (text, length);
  STACK_OF (X509) *chain = peer_chain_of_pem (pem, error);
  if (chain == NULL)
    g_prefix_error (error, "%s: ", path);
  return chain;
}
