#include "station/cli.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

static int
give_passphrase (char *buffer, int size, int writing, void *arg)
{
  const char *passphrase = arg;
  if (passphrase == NULL || strlen (passphrase) > (gsize)size)
    return -1;
  memcpy (buffer, passphrase, strlen (passphrase));
  return (int)strlen (passphrase);
}

EVP_PKEY *
cli_read_private_key (const char *file, const char *passphrase_file, GError **error)
{
  char *passphrase = passphrase_file != NULL ? cli_read_secret (passphrase_file, error) : NULL;
  if (passphrase_file != NULL && passphrase == NULL)
    return NULL;
  g_autoptr (BIO) bio = BIO_new_file (file, "r");
  EVP_PKEY *key
      = bio != NULL ? PEM_read_bio_PrivateKey (bio, NULL, give_passphrase, passphrase) : NULL;
  ERR_clear_error ();
  cli_secret_free (passphrase);
  if (key == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
                 "%s: no private key, or its passphrase is wrong (--key-passphrase-file)", file);
  return key;
}

X509 *
cli_read_certificate (const char *file, GError **error)
{
  g_autoptr (BIO) bio = BIO_new_file (file, "r");
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
  ERR_clear_error ();
  if (certificate == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND, "%s: no certificate (PEM)", file);
  return certificate;
}
