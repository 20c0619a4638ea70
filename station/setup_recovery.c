/* A recovery pair for a station that has nobody else to hold one. */
#include "station/setup.h"
#include "certs/session_cert.h"
#include "station/papers/recovery_sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

#define YEARS 20

static gboolean
fail (GError **error, const char *what)
{
  char reason[256];
  ERR_error_string_n (ERR_get_error (), reason, sizeof reason);
  ERR_clear_error ();
  g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", what, reason);
  return FALSE;
}

static gboolean
add_extension (X509 *certificate, int nid, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx_nodb (&context);
  X509V3_set_ctx (&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  gboolean good = extension != NULL && X509_add_ext (certificate, extension, -1) == 1;
  X509_EXTENSION_free (extension);
  return good;
}

/* Self-signed, P-384, for key agreement only. */
static X509 *
make_certificate (EVP_PKEY *key, const char *label)
{
  g_autoptr (X509) certificate = X509_new ();
  guint8 serial[16];
  X509_NAME *name = X509_get_subject_name (certificate);
  RAND_bytes (serial, sizeof serial);
  serial[0] &= 0x7f;
  g_autofree char *common = g_strdup_printf ("Khóa khôi phục: %s", label);
  BIGNUM *number = BN_bin2bn (serial, sizeof serial, NULL);
  gboolean good
      = number != NULL && X509_set_version (certificate, X509_VERSION_3) == 1
        && BN_to_ASN1_INTEGER (number, X509_get_serialNumber (certificate)) != NULL
        && X509_gmtime_adj (X509_getm_notBefore (certificate), 0) != NULL
        && X509_time_adj_ex (X509_getm_notAfter (certificate), YEARS * 365, 0, NULL) != NULL
        && X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_UTF8, (const guint8 *)common,
                                       (int)MIN (strlen (common), 64), -1, 0)
               == 1
        && X509_set_issuer_name (certificate, name) == 1 && X509_set_pubkey (certificate, key) == 1
        && add_extension (certificate, NID_key_usage, "critical,keyAgreement")
        && add_extension (certificate, NID_subject_key_identifier, "hash")
        && X509_sign (certificate, key, EVP_sha384 ()) > 0;
  BN_free (number);
  return good ? g_steal_pointer (&certificate) : NULL;
}

static gboolean
write_bio (const char *file, BIO *bio, GError **error)
{
  char *data = NULL;
  long length = BIO_get_mem_data (bio, &data);
  int fd = g_open (file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 && write (fd, data, (gsize)length) == length && fsync (fd) == 0;
  int saved = errno;
  if (fd >= 0)
    close (fd);
  if (!good)
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", file, g_strerror (saved));
  return good;
}

static gboolean
write_key (const char *file, EVP_PKEY *key, const char *passphrase, GError **error)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  if (PEM_write_bio_PKCS8PrivateKey (bio, key, EVP_aes_256_cbc (), passphrase,
                                     (int)strlen (passphrase), NULL, NULL)
      != 1)
    return fail (error, file);
  return write_bio (file, bio, error);
}

/* What cannot be read back from the medium does not exist. */
static gboolean
read_back (const char *file, EVP_PKEY *key, const char *passphrase, GError **error)
{
  g_autoptr (BIO) bio = BIO_new_file (file, "r");
  g_autoptr (EVP_PKEY) again
      = bio != NULL ? PEM_read_bio_PrivateKey (bio, NULL, NULL, (void *)passphrase) : NULL;
  if (again == NULL || EVP_PKEY_eq (key, again) != 1)
    return fail (error, file);
  return TRUE;
}

static gboolean
check_place (const char *dir, const char *state, GError **error)
{
  g_autofree char *inner = g_canonicalize_filename (dir, NULL);
  g_autofree char *outer = state != NULL ? g_canonicalize_filename (state, NULL) : NULL;
  if (outer != NULL && g_str_has_prefix (inner, outer)) {
    g_set_error (
        error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
        "%s: lies in the state folder; a recovery key belongs elsewhere, on removable media", dir);
    return FALSE;
  }
  if (g_mkdir_with_parents (dir, 0700) != 0) {
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", dir, g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

/* The same on paper: the encrypted key as a QR code, for when the medium fails. */
static gboolean
write_sheet (const char *dir, const char *key_file, X509 *certificate, const char *label,
             GError **error)
{
  g_autofree char *file = g_build_filename (dir, "recovery.pdf", NULL), *pem = NULL;
  g_autofree char *print = fingerprint_sha256 (certificate);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *today = g_date_time_format (now, "%Y-%m-%d");
  struct tm end = { 0 };
  char until[16] = "?";
  gsize size;
  if (!g_file_get_contents (key_file, &pem, NULL, error))
    return FALSE;
  if (ASN1_TIME_to_tm (X509_get0_notAfter (certificate), &end) == 1)
    strftime (until, sizeof until, "%Y-%m-%d", &end);
  const RecoveryHolder holder = { 1, label, print, until, NULL, FALSE };
  const RecoverySheet facts
      = { .station = label, .made = today, .holders = &holder, .count = 1, .key_pem = pem };
  g_autoptr (GBytes) pdf = recovery_sheet_make (&facts, error);
  if (pdf == NULL)
    return FALSE;
  const char *data = g_bytes_get_data (pdf, &size);
  return g_file_set_contents_full (file, data, (gssize)size,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}

gboolean
setup_make_recovery (const char *dir, const char *state, const char *passphrase, const char *label,
                     GError **error)
{
  g_autofree char *key_file = g_build_filename (dir, "recovery.key", NULL);
  g_autofree char *certificate_file = g_build_filename (dir, "recovery.crt", NULL);
  if (!check_place (dir, state, error))
    return FALSE;
  g_autoptr (EVP_PKEY) key = EVP_EC_gen ("P-384");
  g_autoptr (X509) certificate = key != NULL ? make_certificate (key, label) : NULL;
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  if (certificate == NULL || PEM_write_bio_X509 (bio, certificate) != 1)
    return fail (error, "recovery pair");
  return write_key (key_file, key, passphrase, error)
         && read_back (key_file, key, passphrase, error) && write_bio (certificate_file, bio, error)
         && write_sheet (dir, key_file, certificate, label, error);
}
