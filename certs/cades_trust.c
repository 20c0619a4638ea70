#include "certs/cades_private.h"
#include "certs/issue.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

/* Of one PEM file; other things in it are skipped. */
static gboolean
load (const char *file, STACK_OF (X509) * certificates, STACK_OF (X509_CRL) * crls, GError **error)
{
  if (file == NULL)
    return TRUE;
  BIO *bio = BIO_new_file (file, "r");
  STACK_OF (X509_INFO) *infos = bio != NULL ? PEM_X509_INFO_read_bio (bio, NULL, NULL, NULL) : NULL;
  gboolean any = FALSE;
  for (int i = 0; i < sk_X509_INFO_num (infos); i++) {
    X509_INFO *info = sk_X509_INFO_value (infos, i);
    if (certificates != NULL && info->x509 != NULL) {
      any = TRUE;
      sk_X509_push (certificates, info->x509);
      info->x509 = NULL;
    } else if (crls != NULL && info->crl != NULL) {
      any = TRUE;
      sk_X509_CRL_push (crls, info->crl);
      info->crl = NULL;
    }
  }
  sk_X509_INFO_pop_free (infos, X509_INFO_free);
  BIO_free (bio);
  ERR_clear_error ();
  if (!any)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND, "%s: no %s (PEM) is there", file,
                 certificates != NULL ? "certificate" : "revocation list");
  return any;
}

CadesTrust *
cades_trust_load (const char *people, const char *authorities, const char *crls, GError **error)
{
  g_autoptr (CadesTrust) trust = g_new0 (CadesTrust, 1);
  trust->people = sk_X509_new_null ();
  trust->authorities = sk_X509_new_null ();
  trust->crls = sk_X509_CRL_new_null ();
  if (!load (people, trust->people, NULL, error)
      || !load (authorities, trust->authorities, NULL, error)
      || !load (crls, NULL, trust->crls, error))
    return NULL;
  return g_steal_pointer (&trust);
}

void
cades_trust_add (CadesTrust *trust, X509 *root)
{
  if (X509_up_ref (root) == 1)
    sk_X509_push (trust->people, root);
}

void
cades_trust_free (CadesTrust *trust)
{
  if (trust == NULL)
    return;
  sk_X509_pop_free (trust->people, X509_free);
  sk_X509_pop_free (trust->authorities, X509_free);
  sk_X509_CRL_pop_free (trust->crls, X509_CRL_free);
  g_free (trust);
}

X509_STORE *
cades_store_at (STACK_OF (X509) * roots, gint64 time)
{
  X509_STORE *store = X509_STORE_new ();
  for (int i = 0; i < sk_X509_num (roots); i++)
    X509_STORE_add_cert (store, sk_X509_value (roots, i));
  X509_VERIFY_PARAM_set_time (X509_STORE_get0_param (store), (time_t)time);
  return store;
}

gint64
cades_time (const ASN1_TIME *time)
{
  struct tm parts;
  if (time == NULL || ASN1_TIME_to_tm (time, &parts) != 1)
    return 0;
  return (gint64)timegm (&parts);
}

char *
cades_name (const X509_NAME *name)
{
  int at = X509_NAME_get_index_by_NID (name, NID_commonName, -1);
  unsigned char *utf8 = NULL;
  int length
      = at >= 0
            ? ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (name, at)))
            : -1;
  if (length < 0) {
    char *whole = X509_NAME_oneline (name, NULL, 0);
    char *copy = g_utf8_make_valid (whole != NULL ? whole : "", -1);
    OPENSSL_free (whole);
    return copy;
  }
  char *text = g_utf8_make_valid ((const char *)utf8, length);
  OPENSSL_free (utf8);
  return text;
}

gboolean
cades_digest_is_strong (int nid)
{
  return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 || nid == NID_sha3_256
         || nid == NID_sha3_384 || nid == NID_sha3_512;
}
