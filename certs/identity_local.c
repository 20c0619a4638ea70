/* The station's local CA: for browsers on the station's own machine and its network, never for
 * the internet. Its name constraints (RFC 5280 §4.2.1.10) hold whoever steals its key to the
 * names of set-up, private address ranges and local domains. */
#include "certs/identity_files.h"
#include <errno.h>
#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_S ((gint64)24 * 60 * 60)
#define LEAF_DAYS 90
/* Thirty years: a clock that is ten years ahead must not find it expired. */
#define CA_DAYS 10957
/* 2000-01-01: a machine whose clock fell back to its factory date still trusts its own CA; a new
 * leaf is made for whatever day it believes in. */
#define CA_BEGIN 946684800

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static gboolean
names_good (const char *const *names, GError **error)
{
  for (gsize i = 0; names != NULL && names[i] != NULL; i++) {
    if (!issue_name_is_valid (names[i])) {
      g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                   "“%s” is neither a host name nor an address", names[i]);
      return FALSE;
    }
  }
  if (names != NULL && names[0] != NULL)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "a certificate needs at least one name");
  return FALSE;
}

static X509 *
issue_ca (EVP_PKEY *key, const char *station_name, const char *const *names, GError **error)
{
  g_autofree char *constraints = issue_private_constraints (names);
  /* 64 characters for the whole: the station's name gives way, the words behind it stay. */
  g_autofree char *valid = g_utf8_make_valid (station_name, -1);
  g_autofree char *short_name = g_utf8_substring (valid, 0, MIN (g_utf8_strlen (valid, -1), 45));
  g_autofree char *name = g_strdup_printf ("Nhịp Cầu %s local CA", short_name);
  const IssueRequest request = { .key = key,
                                 .common_name = name,
                                 .basic = "critical,CA:TRUE,pathlen:0",
                                 .usage = "critical,keyCertSign,cRLSign",
                                 .constraints = constraints,
                                 .not_before = CA_BEGIN,
                                 .not_after = now_s () + CA_DAYS * DAY_S };
  return issue_certificate (&request, error);
}

typedef struct {
  X509 *certificate;
  EVP_PKEY *key;
} LocalCa;

static X509 *
issue_leaf (const LocalCa *ca, EVP_PKEY *key, const char *common_name, const char *const *names,
            GError **error)
{
  const gint64 begin = now_s () - DAY_S;
  struct tm end_tm;
  gint64 end = begin + LEAF_DAYS * DAY_S;

  if (ASN1_TIME_to_tm (X509_get0_notAfter (ca->certificate), &end_tm) == 1)
    end = MIN (end, (gint64)timegm (&end_tm));
  if (end <= now_s ()) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_EXPIRED,
                 "the local CA has expired, or the clock is wrong; make a new CA or install a "
                 "certificate of the province");
    return NULL;
  }
  const IssueRequest request = { .key = key,
                                 .common_name = common_name,
                                 .names = names,
                                 .basic = "critical,CA:FALSE",
                                 .usage = "critical,digitalSignature",
                                 .extended = "serverAuth,clientAuth",
                                 .not_before = begin,
                                 .not_after = end,
                                 .issuer = ca->certificate,
                                 .issuer_key = ca->key };
  X509 *leaf = issue_certificate (&request, error);
  if (leaf == NULL || issue_permits (ca->certificate, leaf))
    return leaf;
  X509_free (leaf);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "the local CA may not vouch for these names: it was made for those of set-up, "
               "private addresses and .local, .lan, .internal, .home.arpa; install a certificate "
               "of the province for others");
  return NULL;
}

static gboolean
make_folder (const IdentityPlace *place, GError **error)
{
  g_autofree char *folder = g_build_filename (place->state_dir, "certs", NULL);
  g_autofree char *key = identity_file (place, "station.key");
  g_autofree char *ca_key = identity_file (place, "ca.key");

  if (g_file_test (key, G_FILE_TEST_EXISTS) || g_file_test (ca_key, G_FILE_TEST_EXISTS)) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "%s holds an identity already: it is not overwritten", folder);
    return FALSE;
  }
  if (g_mkdir_with_parents (folder, 0700) == 0)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "folder %s cannot be made: %s", folder,
               g_strerror (errno));
  return FALSE;
}

/* station.key is written last: without it nothing takes the folder for a finished identity. */
static gboolean
save_all (const IdentityPlace *place, const LocalCa *ca, EVP_PKEY *key, X509 *leaf, GError **error)
{
  g_autofree char *ca_key = identity_file (place, "ca.key");
  g_autofree char *ca_certificate = identity_file (place, "ca.crt");
  g_autofree char *certificate = identity_file (place, "station.crt");
  g_autofree char *station_key = identity_file (place, "station.key");

  return identity_save_certificate (ca_certificate, ca->certificate, error)
         && identity_save_certificate (certificate, leaf, error)
         && identity_save_key (ca_key, ca->key, place->secret, error)
         && (place->key_uri != NULL || identity_save_key (station_key, key, place->secret, error));
}

gboolean
identity_create (const IdentityPlace *place, const char *station_name, const char *const *names,
                 GError **error)
{
  LocalCa ca = { 0 };
  X509 *leaf = NULL;
  EVP_PKEY *key = NULL;
  gboolean good = FALSE;

  if (!names_good (names, error) || !make_folder (place, error))
    return FALSE;
  key = place->key_uri != NULL ? identity_load_key (place->key_uri, place->secret, error)
                               : issue_key (error);
  ca.key = key != NULL ? issue_key (error) : NULL;
  if (ca.key != NULL)
    ca.certificate = issue_ca (ca.key, station_name, names, error);
  if (ca.certificate != NULL)
    leaf = issue_leaf (&ca, key, station_name, names, error);
  if (leaf != NULL)
    good = save_all (place, &ca, key, leaf, error);
  X509_free (leaf);
  X509_free (ca.certificate);
  EVP_PKEY_free (ca.key);
  EVP_PKEY_free (key);
  return good;
}

/* Two thirds of its life are over, it begins in the future (the clock went back), or its names
 * are others. */
static gboolean
is_due (X509 *leaf, const char *const *names)
{
  struct tm from, to;

  if (ASN1_TIME_to_tm (X509_get0_notBefore (leaf), &from) != 1
      || ASN1_TIME_to_tm (X509_get0_notAfter (leaf), &to) != 1)
    return TRUE;
  gint64 begin = timegm (&from), end = timegm (&to);
  return now_s () < begin || now_s () >= begin + (end - begin) * 2 / 3
         || !issue_has_names (leaf, names);
}

static char *
common_name_of (X509 *leaf)
{
  char name[256] = "";
  X509_NAME *subject = X509_get_subject_name (leaf);
  int at = X509_NAME_get_index_by_NID (subject, NID_commonName, -1);
  unsigned char *utf8 = NULL;

  if (at >= 0
      && ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at)))
             >= 0)
    g_strlcpy (name, (char *)utf8, sizeof name);
  OPENSSL_free (utf8);
  return g_utf8_make_valid (name, -1);
}

static gboolean
renew (const IdentityPlace *place, LocalCa *ca, X509 *leaf, const char *const *names,
       GError **error)
{
  g_autofree char *ca_key = identity_file (place, "ca.key");
  g_autofree char *path = identity_file (place, "station.crt");
  g_autofree char *key_uri = identity_key_uri (place);
  g_autofree char *common_name = common_name_of (leaf);
  X509 *fresh = NULL;

  EVP_PKEY *key = identity_load_key (key_uri, place->secret, error);
  if (key != NULL)
    ca->key = identity_load_key (ca_key, place->secret, error);
  if (ca->key != NULL)
    fresh = issue_leaf (ca, key, common_name, names, error);
  gboolean good = fresh != NULL && identity_save_certificate (path, fresh, error);
  X509_free (fresh);
  EVP_PKEY_free (key);
  return good;
}

gboolean
identity_renew_local (const IdentityPlace *place, const char *const *names, gboolean *ret_renewed,
                      GError **error)
{
  g_autofree char *path = identity_file (place, "station.crt");
  g_autofree char *ca_path = identity_file (place, "ca.crt");
  LocalCa ca = { 0 };
  gboolean good = TRUE, due = FALSE;

  if (!names_good (names, error))
    return FALSE;
  X509 *leaf = NULL;
  if (place->certificate == NULL && g_file_test (ca_path, G_FILE_TEST_EXISTS)) {
    leaf = identity_load_certificate (path, error);
    ca.certificate = leaf != NULL ? identity_load_certificate (ca_path, error) : NULL;
    good = ca.certificate != NULL;
    due = good && X509_verify (leaf, X509_get0_pubkey (ca.certificate)) == 1
          && is_due (leaf, names);
  }
  ERR_clear_error ();
  if (due)
    good = renew (place, &ca, leaf, names, error);
  X509_free (leaf);
  X509_free (ca.certificate);
  EVP_PKEY_free (ca.key);
  if (good && ret_renewed != NULL)
    *ret_renewed = due;
  return good;
}
