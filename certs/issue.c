#include "certs/issue.h"
#include <gio/gio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define COMMON_NAME_LONGEST 64
#define NO_END "99991231235959Z"

void
issue_set_error (GError **error, CertsError code, const char *what)
{
  char reason[160];
  unsigned long top = ERR_peek_last_error ();

  if (top == 0) {
    g_set_error (error, CERTS_ERROR, code, "%s", what);
    return;
  }
  ERR_error_string_n (top, reason, sizeof reason);
  ERR_clear_error ();
  g_set_error (error, CERTS_ERROR, code, "%s (%s)", what, reason);
}

EVP_PKEY *
issue_key_of (const char *curve, GError **error)
{
  EVP_PKEY *key = EVP_EC_gen (curve);
  if (key == NULL)
    issue_set_error (error, CERTS_ERROR_FAILED, "a key cannot be made");
  return key;
}

EVP_PKEY *
issue_key (GError **error)
{
  return issue_key_of ("P-256", error);
}

const EVP_MD *
issue_digest (EVP_PKEY *key)
{
  return EVP_PKEY_is_a (key, "EC") && EVP_PKEY_get_bits (key) > 256 ? EVP_sha384 () : EVP_sha256 ();
}

static gboolean
set_serial (X509 *certificate)
{
  guint8 bytes[16];
  BIGNUM *number;

  if (RAND_bytes (bytes, sizeof bytes) != 1)
    return FALSE;
  bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and never of varying length */
  number = BN_bin2bn (bytes, sizeof bytes, NULL);
  gboolean good
      = number != NULL && BN_to_ASN1_INTEGER (number, X509_get_serialNumber (certificate)) != NULL;
  BN_free (number);
  return good;
}

static gboolean
set_dates (X509 *certificate, const IssueRequest *request)
{
  if (ASN1_TIME_set (X509_getm_notBefore (certificate), (time_t)request->not_before) == NULL)
    return FALSE;
  if (request->not_after == 0)
    return ASN1_TIME_set_string_X509 (X509_getm_notAfter (certificate), NO_END) == 1;
  return ASN1_TIME_set (X509_getm_notAfter (certificate), (time_t)request->not_after) != NULL;
}

static gboolean
add_part (X509_NAME *subject, const char *part, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  if (g_utf8_strlen (valid, -1) > COMMON_NAME_LONGEST)
    *g_utf8_offset_to_pointer (valid, COMMON_NAME_LONGEST) = '\0';
  return X509_NAME_add_entry_by_txt (subject, part, MBSTRING_UTF8, (const unsigned char *)valid, -1,
                                     -1, 0)
         == 1;
}

gboolean
issue_set_subject (X509_NAME *subject, const char *organization, const char *common_name)
{
  return (organization == NULL || add_part (subject, "O", organization))
         && add_part (subject, "CN", common_name);
}

static gboolean
add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;

  X509V3_set_ctx_nodb (&context);
  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  gboolean good = extension != NULL && X509_add_ext (certificate, extension, -1) == 1;
  X509_EXTENSION_free (extension);
  return good;
}

/* Built as objects, not as a text of OpenSSL's little language: a name with a comma in it must
 * not become two. */
static gboolean
push_name (GENERAL_NAMES *all, int type, const char *text)
{
  GENERAL_NAME *name = a2i_GENERAL_NAME (NULL, NULL, NULL, type, text, 0);
  gboolean good = name != NULL && sk_GENERAL_NAME_push (all, name) > 0;
  if (!good)
    GENERAL_NAME_free (name);
  return good;
}

GENERAL_NAMES *
issue_names (const char *const *names, const char *uri)
{
  GENERAL_NAMES *all = GENERAL_NAMES_new ();
  gboolean good = all != NULL && (uri == NULL || push_name (all, GEN_URI, uri));

  for (gsize i = 0; good && names != NULL && names[i] != NULL; i++)
    good = push_name (all, g_hostname_is_ip_address (names[i]) ? GEN_IPADD : GEN_DNS, names[i]);
  if (!good)
    g_clear_pointer (&all, GENERAL_NAMES_free);
  return all;
}

static gboolean
add_names (X509 *certificate, const char *const *names, const char *uri)
{
  GENERAL_NAMES *all = issue_names (names, uri);
  gboolean good
      = all != NULL
        && X509_add1_ext_i2d (certificate, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1;
  GENERAL_NAMES_free (all);
  return good;
}

gboolean
issue_has_names (X509 *certificate, const char *const *names)
{
  GENERAL_NAMES *want = issue_names (names, NULL);
  GENERAL_NAMES *have = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  unsigned char *a = NULL, *b = NULL;
  int a_size = want != NULL ? i2d_GENERAL_NAMES (want, &a) : -1;
  int b_size = have != NULL ? i2d_GENERAL_NAMES (have, &b) : -1;
  gboolean same = a_size > 0 && a_size == b_size && memcmp (a, b, (gsize)a_size) == 0;

  OPENSSL_free (a);
  OPENSSL_free (b);
  GENERAL_NAMES_free (want);
  GENERAL_NAMES_free (have);
  return same;
}

/* Built as an object too: commas in an address are part of it. */
static gboolean
add_crl_place (X509 *certificate, const char *url)
{
  CRL_DIST_POINTS *points = sk_DIST_POINT_new_null ();
  DIST_POINT *point = DIST_POINT_new ();
  point->distpoint = DIST_POINT_NAME_new ();
  point->distpoint->type = 0;
  point->distpoint->name.fullname = issue_names (NULL, url);
  gboolean good = point->distpoint->name.fullname != NULL && sk_DIST_POINT_push (points, point) > 0
                  && X509_add1_ext_i2d (certificate, NID_crl_distribution_points, points, 0,
                                        X509V3_ADD_DEFAULT)
                         == 1;
  CRL_DIST_POINTS_free (points);
  return good;
}

static gboolean
fill (X509 *certificate, const IssueRequest *request)
{
  X509 *issuer = request->issuer != NULL ? request->issuer : certificate;
  EVP_PKEY *signer = request->issuer_key != NULL ? request->issuer_key : request->key;

  return X509_set_version (certificate, X509_VERSION_3) == 1 && set_serial (certificate)
         && set_dates (certificate, request)
         && issue_set_subject (X509_get_subject_name (certificate), request->organization,
                               request->common_name)
         && X509_set_issuer_name (certificate, X509_get_subject_name (issuer)) == 1
         && X509_set_pubkey (certificate, request->key) == 1
         && add_extension (certificate, issuer, NID_basic_constraints, request->basic)
         && add_extension (certificate, issuer, NID_key_usage, request->usage)
         && add_extension (certificate, issuer, NID_subject_key_identifier, "hash")
         && add_extension (certificate, issuer, NID_authority_key_identifier, "keyid:always")
         && (request->extended == NULL
             || add_extension (certificate, issuer, NID_ext_key_usage, request->extended))
         && (request->constraints == NULL
             || add_extension (certificate, issuer, NID_name_constraints, request->constraints))
         && (request->crl_url == NULL || add_crl_place (certificate, request->crl_url))
         && ((request->names == NULL && request->uri == NULL)
             || add_names (certificate, request->names, request->uri))
         && X509_sign (certificate, signer, issue_digest (signer)) > 0;
}

X509 *
issue_certificate (const IssueRequest *request, GError **error)
{
  ERR_clear_error ();
  X509 *certificate = X509_new ();

  if (certificate != NULL && fill (certificate, request))
    return certificate;
  issue_set_error (error, CERTS_ERROR_FAILED, "the certificate cannot be made");
  X509_free (certificate);
  return NULL;
}
