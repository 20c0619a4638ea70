#include "certs/identity.h"
#include "certs/issue.h"
#include <glib/gstdio.h>
#include <gio/gio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SECRET "thirty-two bytes of boot secret\n"

static const char *const NAMES[] = { "localhost", "127.0.0.1", "::1", "tram-muong-long", NULL };

typedef struct {
  char *dir;
  IdentityPlace place;
} Fixture;

/* data: the secret's text; NULL: keys are not encrypted, which spares each test seconds of scrypt.
 */
static void
set_up (Fixture *f, gconstpointer data)
{
  const char *secret = data;
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("nhipcau-identity-XXXXXX", NULL);
  f->place
      = (IdentityPlace){ .state_dir = f->dir,
                         .secret
                         = secret != NULL ? g_bytes_new_static (secret, strlen (secret)) : NULL };
  identity_create (&f->place, "Trạm y tế xã Mường Lống", NAMES, &error);
  g_assert_no_error (error);
}

static char *
path_of (Fixture *f, const char *name)
{
  return g_build_filename (f->dir, "certs", name, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const FILES[] = { "station.key", "station.crt", "ca.key", "ca.crt", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++) {
    g_autofree char *path = path_of (f, FILES[i]);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_clear_pointer (&f->place.secret, g_bytes_unref);
  g_free (f->dir);
}

static X509 *
load (Fixture *f, const char *name)
{
  g_autofree char *path = path_of (f, name);
  BIO *file = BIO_new_file (path, "r");
  X509 *certificate = PEM_read_bio_X509 (file, NULL, NULL, NULL);
  BIO_free (file);
  g_assert_nonnull (certificate);
  return certificate;
}

static int
verify (X509 *ca, X509 *leaf, const char *host, const char *ip, int purpose)
{
  X509_STORE *store = X509_STORE_new ();
  X509_STORE_CTX *context = X509_STORE_CTX_new ();
  X509_STORE_add_cert (store, ca);
  X509_STORE_CTX_init (context, store, leaf, NULL);
  X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param (context);
  X509_VERIFY_PARAM_set_purpose (param, purpose);
  X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_X509_STRICT);
  if (host != NULL)
    X509_VERIFY_PARAM_set1_host (param, host, 0);
  if (ip != NULL)
    X509_VERIFY_PARAM_set1_ip_asc (param, ip);
  X509_verify_cert (context);
  int result = X509_STORE_CTX_get_error (context);
  X509_STORE_CTX_free (context);
  X509_STORE_free (store);
  return result;
}

static void
test_chain (Fixture *f, gconstpointer data)
{
  X509 *ca = load (f, "ca.crt"), *leaf = load (f, "station.crt");

  g_assert_cmpint (verify (ca, leaf, "localhost", NULL, X509_PURPOSE_SSL_SERVER), ==, X509_V_OK);
  g_assert_cmpint (verify (ca, leaf, "tram-muong-long", NULL, X509_PURPOSE_SSL_SERVER), ==,
                   X509_V_OK);
  g_assert_cmpint (verify (ca, leaf, NULL, "127.0.0.1", X509_PURPOSE_SSL_SERVER), ==, X509_V_OK);
  g_assert_cmpint (verify (ca, leaf, NULL, "::1", X509_PURPOSE_SSL_CLIENT), ==, X509_V_OK);
  g_assert_cmpint (verify (ca, leaf, "example.org", NULL, X509_PURPOSE_SSL_SERVER), ==,
                   X509_V_ERR_HOSTNAME_MISMATCH);
  g_assert_cmpint (X509_get_pathlen (ca), ==, 0);
  g_assert_cmpuint (X509_get_key_usage (ca), ==, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
  int days, seconds;
  ASN1_TIME_diff (&days, &seconds, X509_get0_notBefore (leaf), X509_get0_notAfter (leaf));
  g_assert_cmpint (days, <=, 90);
  ASN1_TIME_diff (&days, &seconds, X509_get0_notBefore (leaf), NULL);
  g_assert_cmpint (days, ==, 1);
  X509_free (ca);
  X509_free (leaf);
}

/* A stolen CA key vouches for nobody else. */
static void
test_constraints (Fixture *f, gconstpointer data)
{
  static const char *const BANK[] = { "bank.example.com", NULL };
  static const char *const ADDRESS[] = { "203.0.113.7", NULL };
  g_autofree char *path = path_of (f, "ca.key");
  g_autoptr (GError) error = NULL;
  const IdentityPlace ca_place
      = { .state_dir = f->dir, .key_uri = path, .secret = f->place.secret };
  g_autofree char *ca_path = path_of (f, "ca.crt");
  IdentityPlace with = ca_place;
  with.certificate = ca_path;
  g_autoptr (Identity) ca_identity = identity_open (&with, &error);
  g_assert_no_error (error);
  X509 *ca = load (f, "ca.crt");
  EVP_PKEY *key = issue_key (NULL);
  const char *const *const EVIL[] = { BANK, ADDRESS };

  for (gsize i = 0; i < G_N_ELEMENTS (EVIL); i++) {
    const IssueRequest request = { .key = key,
                                   .common_name = "x",
                                   .names = EVIL[i],
                                   .basic = "critical,CA:FALSE",
                                   .usage = "critical,digitalSignature",
                                   .extended = "serverAuth",
                                   .not_before = g_get_real_time () / G_USEC_PER_SEC - 60,
                                   .not_after = g_get_real_time () / G_USEC_PER_SEC + 3600,
                                   .issuer = ca,
                                   .issuer_key = identity_key (ca_identity) };
    X509 *evil = issue_certificate (&request, NULL);
    g_assert_cmpint (verify (ca, evil, NULL, NULL, X509_PURPOSE_SSL_SERVER), ==,
                     X509_V_ERR_PERMITTED_VIOLATION);
    X509_free (evil);
  }
  EVP_PKEY_free (key);
  X509_free (ca);
  g_assert_false (identity_renew_local (&f->place, BANK, NULL, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

static void
test_files (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  static const char *const KEYS[] = { "station.key", "ca.key" };
  for (gsize i = 0; i < G_N_ELEMENTS (KEYS); i++) {
    g_autofree char *path = path_of (f, KEYS[i]);
    g_autofree char *pem = NULL;
    GStatBuf info;
    g_assert_cmpint (g_stat (path, &info), ==, 0);
    g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
    g_assert_true (g_file_get_contents (path, &pem, NULL, NULL));
    g_assert_true (g_str_has_prefix (pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  }
  /* Stock openssl opens it with the same text. */
  g_autofree char *path = path_of (f, "station.key");
  const char *argv[] = {
    "openssl", "pkey", "-in", path, "-noout", "-passin", "pass:thirty-two bytes of boot secret",
    NULL
  };
  int status = -1;
  g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  g_assert_false (identity_create (&f->place, "again", NAMES, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

static void
test_open_refuses (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) wrong = g_bytes_new_static ("wrong", 5);
  IdentityPlace place = f->place;

  place.secret = wrong;
  g_assert_null (identity_open (&place, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  g_clear_error (&error);
  place.secret = NULL; /* must fail, not ask at a terminal */
  g_assert_null (identity_open (&place, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  g_clear_error (&error);
  place = f->place;
  g_autofree char *ca = path_of (f, "ca.key");
  place.key_uri = ca;
  g_assert_null (identity_open (&place, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  g_clear_error (&error);
  place.key_uri = "/nowhere/station.key";
  g_assert_null (identity_open (&place, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  place = f->place;
  place.certificate = "/nowhere/station.crt";
  g_assert_null (identity_open (&place, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND);
}

static void
test_renew (Fixture *f, gconstpointer data)
{
  static const char *const MORE[] = { "localhost", "192.168.7.7", NULL };
  g_autoptr (GError) error = NULL;
  gboolean renewed = TRUE;

  g_assert_true (identity_renew_local (&f->place, NAMES, &renewed, &error));
  g_assert_false (renewed);
  g_autoptr (Identity) before = identity_open (&f->place, &error);
  g_assert_true (identity_renew_local (&f->place, MORE, &renewed, &error));
  g_assert_no_error (error);
  g_assert_true (renewed);
  g_autoptr (Identity) after = identity_open (&f->place, &error);
  g_assert_no_error (error);
  g_assert_cmpint (EVP_PKEY_eq (identity_key (before), identity_key (after)), ==, 1);
  X509 *ca = load (f, "ca.crt");
  g_assert_cmpint (
      verify (ca, identity_certificate (after), NULL, "192.168.7.7", X509_PURPOSE_SSL_SERVER), ==,
      X509_V_OK);
  X509_free (ca);
  /* A signature made before the renewal still verifies: the key is the same. */
  g_autoptr (GBytes) text = g_bytes_new_static ("checkpoint", 10);
  g_autoptr (GBytes) signature = identity_sign (before, text, &error);
  g_assert_no_error (error);
  g_assert_true (identity_verify (identity_certificate (after), text, signature, &error));
  g_assert_no_error (error);
}

/* Writes a leaf of the given age in days; a leaf past two thirds of its life is renewed. */
static void
age_leaf (Fixture *f, int begin, int end)
{
  g_autofree char *ca_key = path_of (f, "ca.key");
  g_autofree char *ca_crt = path_of (f, "ca.crt");
  g_autofree char *leaf_path = path_of (f, "station.crt");
  const IdentityPlace ca_place = {
    .state_dir = f->dir, .key_uri = ca_key, .certificate = ca_crt, .secret = f->place.secret
  };
  g_autoptr (Identity) ca = identity_open (&ca_place, NULL);
  g_autoptr (Identity) station = identity_open (&f->place, NULL);
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const IssueRequest request = { .key = identity_key (station),
                                 .common_name = "Trạm",
                                 .names = NAMES,
                                 .basic = "critical,CA:FALSE",
                                 .usage = "critical,digitalSignature",
                                 .not_before = now + begin * 86400,
                                 .not_after = now + end * 86400,
                                 .issuer = identity_certificate (ca),
                                 .issuer_key = identity_key (ca) };
  X509 *leaf = issue_certificate (&request, NULL);
  FILE *file = fopen (leaf_path, "w");
  PEM_write_X509 (file, leaf);
  fclose (file);
  X509_free (leaf);
}

static void
test_renew_by_age (Fixture *f, gconstpointer data)
{
  const struct {
    int begin, end;
    gboolean renewed;
  } cases[] = { { -59, 31, FALSE }, { -61, 29, TRUE }, { -100, -10, TRUE }, { 10, 100, TRUE } };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gboolean renewed = !cases[i].renewed;
    age_leaf (f, cases[i].begin, cases[i].end);
    g_assert_true (identity_renew_local (&f->place, NAMES, &renewed, &error));
    g_assert_no_error (error);
    g_assert_cmpint (renewed, ==, cases[i].renewed);
  }
}

/* A certificate from elsewhere is left alone. */
static void
test_renew_foreign (Fixture *f, gconstpointer data)
{
  g_autoptr (Identity) station = identity_open (&f->place, NULL);
  g_autofree char *leaf_path = path_of (f, "station.crt");
  const IssueRequest request = { .key = identity_key (station),
                                 .common_name = "from the province",
                                 .basic = "critical,CA:FALSE",
                                 .usage = "critical,digitalSignature",
                                 .not_before = 0,
                                 .not_after = 1000 };
  X509 *leaf = issue_certificate (&request, NULL);
  FILE *file = fopen (leaf_path, "w");
  PEM_write_X509 (file, leaf);
  fclose (file);
  X509_free (leaf);
  gboolean renewed = TRUE;
  g_assert_true (identity_renew_local (&f->place, NAMES, &renewed, NULL));
  g_assert_false (renewed);
}

static void
test_sign (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Identity) identity = identity_open (&f->place, &error);
  g_autoptr (GBytes) text = g_bytes_new_static ("root and size", 13);
  g_autoptr (GBytes) other = g_bytes_new_static ("root and size.", 14);
  g_autoptr (GBytes) signature = identity_sign (identity, text, &error);
  X509 *certificate = identity_certificate (identity);
  gsize size;

  g_assert_no_error (error);
  g_assert_true (identity_verify (certificate, text, signature, &error));
  g_assert_no_error (error);
  g_assert_false (identity_verify (certificate, other, signature, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
  g_clear_error (&error);
  X509 *ca = load (f, "ca.crt");
  g_assert_false (identity_verify (ca, text, signature, NULL));
  X509_free (ca);
  const guint8 *der = g_bytes_get_data (signature, &size);
  const unsigned char *p = der;
  CMS_ContentInfo *cms = d2i_CMS_ContentInfo (NULL, &p, (long)size);
  CMS_SignerInfo *signer = sk_CMS_SignerInfo_value (CMS_get0_SignerInfos (cms), 0);
  g_assert_cmpint (CMS_signed_get_attr_by_NID (signer, NID_id_smime_aa_signingCertificateV2, -1),
                   >=, 0);
  CMS_ContentInfo_free (cms);
  const gsize step = g_getenv ("NHIPCAU_SLOW") != NULL ? 23 : 1;
  for (gsize length = 0; length < size; length += step) {
    g_autoptr (GBytes) cut = g_bytes_new (der, length);
    g_assert_false (identity_verify (certificate, text, cut, NULL));
  }
  /* Nobody checks the two version numbers. */
  guint passed = 0;
  for (gsize i = 0; i < size; i += step) {
    g_autofree guint8 *bad = g_memdup2 (der, size);
    bad[i] ^= 1;
    g_autoptr (GBytes) bytes = g_bytes_new (bad, size);
    passed += identity_verify (certificate, text, bytes, NULL);
    g_assert_false (identity_verify (certificate, other, bytes, NULL));
  }
  g_assert_cmpuint (passed, <=, 2);
}

static void
test_key_der (Fixture *f, gconstpointer data)
{
  g_autoptr (Identity) identity = identity_open (&f->place, NULL);
  g_autoptr (GBytes) der = identity_key_der (identity, NULL);
  gsize size;
  const unsigned char *p = g_bytes_get_data (der, &size);
  EVP_PKEY *key = d2i_AutoPrivateKey (NULL, &p, (long)size);
  g_assert_cmpint (EVP_PKEY_eq (key, identity_key (identity)), ==, 1);
  EVP_PKEY_free (key);
}

static void
test_plain_and_binary_secrets (void)
{
  static const guint8 binary[32] = { 0, 255, 10, 7 };
  g_autoptr (GBytes) secret = g_bytes_new_static (binary, sizeof binary);
  GBytes *const secrets[] = { NULL, secret };

  for (gsize i = 0; i < G_N_ELEMENTS (secrets); i++) {
    Fixture f = { .dir = g_dir_make_tmp ("nhipcau-identity-XXXXXX", NULL) };
    f.place = (IdentityPlace){ .state_dir = f.dir, .secret = secrets[i] };
    g_autoptr (GError) error = NULL;
    g_assert_true (identity_create (&f.place, "x, CN=y", NAMES, &error));
    g_assert_no_error (error);
    g_autoptr (Identity) identity = identity_open (&f.place, &error);
    g_assert_no_error (error);
    f.place.secret = NULL;
    tear_down (&f, NULL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, secret, function)                                                                \
  g_test_add ("/identity/" path, Fixture, secret, set_up, function, tear_down)
  ADD ("chain", NULL, test_chain);
  ADD ("constraints", NULL, test_constraints);
  ADD ("files", SECRET, test_files);
  ADD ("open-refuses", SECRET, test_open_refuses);
  ADD ("renew", NULL, test_renew);
  ADD ("renew-by-age", NULL, test_renew_by_age);
  ADD ("renew-foreign", NULL, test_renew_foreign);
  ADD ("sign", NULL, test_sign);
  ADD ("key-der", NULL, test_key_der);
  g_test_add_func ("/identity/plain-and-binary-secrets", test_plain_and_binary_secrets);
  return g_test_run ();
}
