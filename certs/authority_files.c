#include "certs/authority_private.h"
#include "certs/cades_private.h"
#include "certs/identity_files.h"
#include "certs/issue.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ROOT_BEGIN_AHEAD 86400
#define INDEX_LONGEST (64 * 1024 * 1024)

static const char stock_config[]
    = "# So that stock openssl can go on with this authority, in this folder:\n"
      "#   openssl ca -config openssl.cnf -gencrl -out crl.pem\n"
      "[ca]\ndefault_ca = nhipcau\n[nhipcau]\ndatabase = index.txt\nnew_certs_dir = issued\n"
      "certificate = root.crt\nprivate_key = root.key\ncrlnumber = crlnumber\nrand_serial = yes\n"
      "default_md = sha384\ndefault_days = 90\ndefault_crl_days = 35\nunique_subject = no\n"
      "policy = any\nutf8 = yes\nstring_mask = utf8only\n[any]\norganizationName = "
      "optional\ncommonName = supplied\n";

char *
authority_file (const Authority *authority, const char *name)
{
  return g_build_filename (authority->folder, name, NULL);
}

gboolean
authority_write (const Authority *authority, const char *name, const void *data, gsize length,
                 GError **error)
{
  g_autofree char *path = authority_file (authority, name);
  return g_file_set_contents_full (path, data, (gssize)length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}

static gboolean
write_bio (const Authority *authority, const char *name, BIO *bio, GError **error)
{
  char *data;
  long length = BIO_get_mem_data (bio, &data);
  return length >= 0 && authority_write (authority, name, data, (gsize)length, error);
}

gboolean
authority_write_certificate (const Authority *authority, const char *name, X509 *certificate,
                             GError **error)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  gboolean good
      = PEM_write_bio_X509 (bio, certificate) == 1 && write_bio (authority, name, bio, error);
  BIO_free (bio);
  return good;
}

gboolean
authority_save_index (const Authority *authority, GError **error)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  gboolean good
      = TXT_DB_write (bio, authority->index) >= 0 && write_bio (authority, "index.txt", bio, error);
  BIO_free (bio);
  return good;
}

/* ---- Times and rows
 * ------------------------------------------------------------------------------ */

char *
authority_time_text (gint64 time)
{
  ASN1_TIME *parsed = ASN1_TIME_set (NULL, (time_t)time);
  char *text = parsed != NULL ? g_strndup ((const char *)ASN1_STRING_get0_data (parsed),
                                           (gsize)ASN1_STRING_length (parsed))
                              : g_strdup ("");
  ASN1_TIME_free (parsed);
  return text;
}

gint64
authority_time_of (const char *text)
{
  /* A revocation is "TIME,reason". */
  g_autofree char *only = g_strndup (text, strcspn (text, ","));
  ASN1_TIME *time = ASN1_TIME_new ();
  gint64 seconds = ASN1_TIME_set_string (time, only) == 1 ? cades_time (time) : 0;
  ASN1_TIME_free (time);
  return seconds;
}

char *
authority_serial_of (X509 *certificate)
{
  BIGNUM *number = ASN1_INTEGER_to_BN (X509_get0_serialNumber (certificate), NULL);
  char *hex = number != NULL ? BN_bn2hex (number) : NULL;
  char *copy = g_strdup (hex != NULL ? hex : "");
  OPENSSL_free (hex);
  BN_free (number);
  return copy;
}

gboolean
authority_add_row (Authority *authority, X509 *certificate, const char *serial)
{
  g_autofree char *until = authority_time_text (cades_time (X509_get0_notAfter (certificate)));
  char *name = X509_NAME_oneline (X509_get_subject_name (certificate), NULL, 0);
  char **row = OPENSSL_zalloc ((INDEX_COLUMNS + 1) * sizeof *row);
  row[INDEX_TYPE] = OPENSSL_strdup ("V");
  row[INDEX_UNTIL] = OPENSSL_strdup (until);
  row[INDEX_REVOKED] = OPENSSL_strdup ("");
  row[INDEX_SERIAL] = OPENSSL_strdup (serial);
  row[INDEX_FILE] = OPENSSL_strdup ("unknown");
  row[INDEX_NAME] = name;
  return TXT_DB_insert (authority->index, row) == 1;
}

/* ---- Opening
 * ------------------------------------------------------------------------------------ */

void
authority_free (Authority *authority)
{
  if (authority == NULL)
    return;
  if (authority->lock >= 0)
    close (authority->lock);
  X509_free (authority->certificate);
  EVP_PKEY_free (authority->key);
  TXT_DB_free (authority->index);
  g_free (authority->crl_url);
  g_free (authority->folder);
  g_free (authority);
}

static gboolean
take_lock (Authority *authority, GError **error)
{
  g_autofree char *path = authority_file (authority, "root.crt");
  authority->lock = open (path, O_RDONLY | O_CLOEXEC);
  if (authority->lock < 0) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND,
                 "%s: there is no authority; nhipcau ca init makes one", authority->folder);
    return FALSE;
  }
  if (flock (authority->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s: another nhipcau ca works on it",
               authority->folder);
  return FALSE;
}

static gboolean
read_index (Authority *authority, GError **error)
{
  g_autofree char *path = authority_file (authority, "index.txt"), *text = NULL;
  gsize length;
  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;
  if (length <= INDEX_LONGEST) {
    BIO *bio = BIO_new_mem_buf (length > 0 ? text : "", (int)length);
    authority->index = TXT_DB_read (bio, INDEX_COLUMNS);
    BIO_free (bio);
  }
  ERR_clear_error ();
  if (authority->index != NULL)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s: damaged; take it from the second stick",
               path);
  return FALSE;
}

static void
read_settings (Authority *authority)
{
  g_autofree char *path = authority_file (authority, "authority.conf");
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  if (g_key_file_load_from_file (keys, path, G_KEY_FILE_NONE, NULL))
    authority->crl_url = g_key_file_get_string (keys, "authority", "crl-url", NULL);
}

static gboolean
read_key (Authority *authority, GBytes *passphrase, GError **error)
{
  g_autofree char *path = authority_file (authority, "root.key");
  authority->key = identity_load_key (path, passphrase, error);
  if (authority->key == NULL)
    return FALSE;
  if (EVP_PKEY_eq (authority->key, X509_get0_pubkey (authority->certificate)) == 1)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "%s is not the key of root.crt", path);
  return FALSE;
}

Authority *
authority_open (const char *folder, GBytes *passphrase, GError **error)
{
  g_autoptr (Authority) authority = g_new0 (Authority, 1);
  authority->lock = -1;
  authority->folder = g_canonicalize_filename (folder, NULL);
  g_autofree char *root = authority_file (authority, "root.crt");
  if (!take_lock (authority, error))
    return NULL;
  authority->certificate = identity_load_certificate (root, error);
  if (authority->certificate == NULL || !read_index (authority, error)
      || (passphrase != NULL && !read_key (authority, passphrase, error)))
    return NULL;
  read_settings (authority);
  return g_steal_pointer (&authority);
}

X509 *
authority_certificate (Authority *authority)
{
  return authority->certificate;
}

/* ---- A new one
 * ---------------------------------------------------------------------------------- */

static gboolean
make_folders (const Authority *authority, GError **error)
{
  g_autofree char *issued = authority_file (authority, "issued");
  g_autoptr (GDir) dir = g_dir_open (authority->folder, 0, NULL);
  if (dir != NULL && g_dir_read_name (dir) != NULL) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "%s: is not empty; an authority is made once, in a folder of its own",
                 authority->folder);
    return FALSE;
  }
  if (g_mkdir_with_parents (issued, 0700) == 0 && g_chmod (authority->folder, 0700) == 0)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s: %s", issued, g_strerror (errno));
  return FALSE;
}

static X509 *
make_root (const AuthoritySetup *setup, EVP_PKEY *key, gint64 now, GError **error)
{
  g_autofree char *constraints = issue_private_constraints (setup->domains);
  const IssueRequest request = { .key = key,
                                 .common_name = setup->name,
                                 .basic = "critical,CA:TRUE,pathlen:0",
                                 .usage = "critical,keyCertSign,cRLSign",
                                 .constraints = constraints,
                                 .not_before = now - ROOT_BEGIN_AHEAD,
                                 .not_after = now + (gint64)setup->years * 365 * 86400 + 86400 };
  return issue_certificate (&request, error);
}

static gboolean
save_settings (const Authority *authority, const char *crl_url, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  gsize length;
  g_key_file_set_string (keys, "authority", "crl-url", crl_url != NULL ? crl_url : "");
  if (crl_url == NULL)
    g_key_file_remove_key (keys, "authority", "crl-url", NULL);
  g_autofree char *text = g_key_file_to_data (keys, &length, NULL);
  return authority_write (authority, "authority.conf", text, length, error);
}

static gboolean
names_good (const AuthoritySetup *setup, GError **error)
{
  for (gsize i = 0; setup->domains != NULL && setup->domains[i] != NULL; i++)
    if (!issue_name_is_valid (setup->domains[i])) {
      g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                   "“%s” is neither a host name nor an address", setup->domains[i]);
      return FALSE;
    }
  if (setup->crl_url == NULL || g_str_has_prefix (setup->crl_url, "http://"))
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "“%s”: a list is published at http://… (it is signed; https would ask for itself)",
               setup->crl_url);
  return FALSE;
}

gboolean
authority_create (const AuthoritySetup *setup, gint64 now, GError **error)
{
  g_autoptr (Authority) authority = g_new0 (Authority, 1);
  authority->lock = -1;
  authority->folder = g_canonicalize_filename (setup->folder, NULL);
  g_autofree char *key_file = authority_file (authority, "root.key");
  if (!names_good (setup, error) || !make_folders (authority, error))
    return FALSE;
  authority->key = issue_key_of ("P-384", error);
  if (authority->key != NULL)
    authority->certificate = make_root (setup, authority->key, now, error);
  /* root.crt last: without it nothing takes the folder for an authority. */
  return authority->certificate != NULL
         && identity_save_key (key_file, authority->key, setup->passphrase, error)
         && authority_write (authority, "index.txt", "", 0, error)
         && authority_write (authority, "crlnumber", "01\n", 3, error)
         && authority_write (authority, "openssl.cnf", stock_config, strlen (stock_config), error)
         && save_settings (authority, setup->crl_url, error)
         && authority_write_certificate (authority, "root.crt", authority->certificate, error);
}
