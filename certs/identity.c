#include "certs/identity.h"
#include "certs/identity_files.h"
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/pem.h>

#define SIGNATURE_LONGEST (1024 * 1024)

struct Identity {
  EVP_PKEY *key;
  char *key_uri, *certificate_file, *chain_file;
  GMutex lock; /* of all below */
  X509 *certificate;
  STACK_OF (X509) * chain; /* NULL: none */
  GPtrArray *retired;      /* X509* that callers may still look at */
};

static gboolean
belongs (Identity *identity, X509 *certificate, const char *file, GError **error)
{
  EVP_PKEY *key = X509_get0_pubkey (certificate);
  if (key != NULL && EVP_PKEY_eq (identity->key, key) == 1)
    return TRUE;
  ERR_clear_error ();
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
               "key %s and certificate %s do not belong together", identity->key_uri, file);
  return FALSE;
}

/* NULL without error: none is installed. */
static STACK_OF (X509) * load_chain (Identity *identity, GError **error)
{
  STACK_OF (X509) *chain = identity_load_chain (identity->chain_file, error);
  if (chain == NULL || belongs (identity, sk_X509_value (chain, 0), identity->chain_file, error))
    return chain;
  sk_X509_pop_free (chain, X509_free);
  return NULL;
}

/* A station records without it, and says so; a damaged file must not keep it from opening. */
static void
try_chain (Identity *identity)
{
  g_autoptr (GError) error = NULL;
  identity->chain = load_chain (identity, &error);
  if (error != NULL)
    g_warning ("identity: %s", error->message);
}

Identity *
identity_open (const IdentityPlace *place, GError **error)
{
  g_autoptr (Identity) identity = g_new0 (Identity, 1);
  g_mutex_init (&identity->lock);
  identity->retired = g_ptr_array_new_with_free_func ((GDestroyNotify)X509_free);
  identity->key_uri = identity_key_uri (place);
  identity->chain_file = identity_chain_path (place);
  identity->certificate_file = identity_certificate_path (place);
  identity->certificate = identity_load_certificate (identity->certificate_file, error);
  if (identity->certificate == NULL)
    return NULL;
  identity->key = identity_load_key (identity->key_uri, place->secret, error);
  if (identity->key == NULL
      || !belongs (identity, identity->certificate, identity->certificate_file, error))
    return NULL;
  /* Not an error: the clock may be wrong, and a station with an old certificate still records. */
  if (X509_cmp_current_time (X509_get0_notAfter (identity->certificate)) <= 0)
    g_warning ("identity: the certificate %s has expired, or the clock is wrong",
               identity->certificate_file);
  try_chain (identity);
  return g_steal_pointer (&identity);
}

void
identity_free (Identity *identity)
{
  if (identity == NULL)
    return;
  EVP_PKEY_free (identity->key);
  X509_free (identity->certificate);
  sk_X509_pop_free (identity->chain, X509_free);
  g_ptr_array_unref (identity->retired);
  g_mutex_clear (&identity->lock);
  g_free (identity->key_uri);
  g_free (identity->certificate_file);
  g_free (identity->chain_file);
  g_free (identity);
}

EVP_PKEY *
identity_key (Identity *identity)
{
  return identity->key;
}

X509 *
identity_certificate (Identity *identity)
{
  g_mutex_lock (&identity->lock);
  X509 *certificate = identity->certificate;
  g_mutex_unlock (&identity->lock);
  return certificate;
}

STACK_OF (X509) * identity_chain (Identity *identity)
{
  g_mutex_lock (&identity->lock);
  STACK_OF (X509) *chain = identity->chain != NULL ? X509_chain_up_ref (identity->chain) : NULL;
  g_mutex_unlock (&identity->lock);
  return chain;
}

static gboolean
same_chain (STACK_OF (X509) * a, STACK_OF (X509) * b)
{
  if (a == NULL || b == NULL)
    return a == b;
  gboolean same = sk_X509_num (a) == sk_X509_num (b);
  for (int i = 0; same && i < sk_X509_num (a); i++)
    same = X509_cmp (sk_X509_value (a, i), sk_X509_value (b, i)) == 0;
  return same;
}

/* Takes both. */
static gboolean
replace (Identity *identity, X509 *certificate, STACK_OF (X509) * chain)
{
  gboolean changed = FALSE;
  g_mutex_lock (&identity->lock);
  if (X509_cmp (identity->certificate, certificate) != 0) {
    g_ptr_array_add (identity->retired, identity->certificate);
    identity->certificate = g_steal_pointer (&certificate);
    changed = TRUE;
  }
  if (!same_chain (identity->chain, chain)) {
    sk_X509_pop_free (identity->chain, X509_free);
    identity->chain = g_steal_pointer (&chain);
    changed = TRUE;
  }
  g_mutex_unlock (&identity->lock);
  X509_free (certificate);
  sk_X509_pop_free (chain, X509_free);
  return changed;
}

gboolean
identity_reload (Identity *identity, gboolean *ret_changed, GError **error)
{
  GError *wrong = NULL;
  X509 *certificate = identity_load_certificate (identity->certificate_file, &wrong);
  STACK_OF (X509) *chain = NULL;
  if (certificate != NULL && belongs (identity, certificate, identity->certificate_file, &wrong))
    chain = load_chain (identity, &wrong);
  if (wrong != NULL) {
    X509_free (certificate);
    g_propagate_error (error, wrong);
    return FALSE;
  }
  gboolean changed = replace (identity, certificate, chain);
  if (ret_changed != NULL)
    *ret_changed = changed;
  return TRUE;
}

const char *
identity_certificate_file (Identity *identity)
{
  return identity->certificate_file;
}

GBytes *
identity_key_der (Identity *identity, GError **error)
{
  unsigned char *der = NULL;
  int size = i2d_PrivateKey (identity->key, &der);

  if (size <= 0) {
    ERR_clear_error ();
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
                 "the private key does not leave its device: give the key itself to the server");
    return NULL;
  }
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_clear_free (der, (gsize)size);
  return bytes;
}

static BIO *
bio_of (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return BIO_new_mem_buf (size > 0 ? data : "", (int)size);
}

GBytes *
identity_sign (Identity *identity, GBytes *data, GError **error)
{
  BIO *in = bio_of (data);
  unsigned char *der = NULL;

  ERR_clear_error ();
  CMS_ContentInfo *cms = CMS_sign (identity_certificate (identity), identity->key, NULL, in,
                                   CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP);
  int size = cms != NULL ? i2d_CMS_ContentInfo (cms, &der) : 0;
  CMS_ContentInfo_free (cms);
  BIO_free (in);
  if (size <= 0) {
    issue_set_error (error, CERTS_ERROR_FAILED, "the station's key cannot sign");
    return NULL;
  }
  GBytes *signature = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return signature;
}

/* The signing-certificate attribute (RFC 5035), which is signed, must name this certificate. */
static gboolean
names_certificate (CMS_SignerInfo *signer, X509 *certificate)
{
  ASN1_STRING *value = CMS_signed_get0_data_by_OBJ (
      signer, OBJ_nid2obj (NID_id_smime_aa_signingCertificateV2), -3, V_ASN1_SEQUENCE);
  const unsigned char *der = value != NULL ? ASN1_STRING_get0_data (value) : NULL;
  ESS_SIGNING_CERT_V2 *attribute
      = der != NULL ? d2i_ESS_SIGNING_CERT_V2 (NULL, &der, ASN1_STRING_length (value)) : NULL;
  STACK_OF (X509) *chain = sk_X509_new_null ();
  gboolean good = attribute != NULL && sk_X509_push (chain, certificate) > 0
                  && OSSL_ESS_check_signing_certs (NULL, attribute, chain, 1) == 1;

  sk_X509_free (chain);
  ESS_SIGNING_CERT_V2_free (attribute);
  return good;
}

/* What stands beside the signed part and nothing else would check. */
static gboolean
algorithms_good (CMS_ContentInfo *cms, CMS_SignerInfo *signer, X509 *certificate)
{
  X509_ALGOR *algorithm = NULL;

  CMS_SignerInfo_get0_algs (signer, NULL, NULL, NULL, &algorithm);
  return OBJ_obj2nid (CMS_get0_eContentType (cms)) == NID_pkcs7_data && algorithm != NULL
         && (!EVP_PKEY_is_a (X509_get0_pubkey (certificate), "EC")
             || OBJ_obj2nid (algorithm->algorithm) == NID_ecdsa_with_SHA256);
}

/* The key counts, not the serial number: renewed certificates keep the key. The copy of the
 * certificate inside is not signed itself, hence the attribute. */
static gboolean
signed_by (CMS_ContentInfo *cms, X509 *certificate, GBytes *data)
{
  STACK_OF (CMS_SignerInfo) *signers = CMS_get0_SignerInfos (cms);
  STACK_OF (X509) *copies = CMS_get1_certs (cms);
  gboolean good = FALSE;

  if (sk_CMS_SignerInfo_num (signers) == 1 && sk_X509_num (copies) == 1) {
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value (signers, 0);
    X509 *copy = sk_X509_value (copies, 0);
    /* OpenSSL 3.0 loses a memory BIO's copy when the signature is not good; a filter it leaves. */
    BIO *in = BIO_push (BIO_new (BIO_f_null ()), bio_of (data));
    good = CMS_SignerInfo_cert_cmp (signer, copy) == 0 && algorithms_good (cms, signer, copy)
           && EVP_PKEY_eq (X509_get0_pubkey (copy), X509_get0_pubkey (certificate)) == 1
           && CMS_verify (cms, NULL, NULL, in, NULL,
                          CMS_DETACHED | CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY)
                  == 1
           && names_certificate (signer, copy);
    BIO_free_all (in);
  }
  sk_X509_pop_free (copies, X509_free);
  return good;
}

gboolean
identity_verify (X509 *certificate, GBytes *data, GBytes *signature, GError **error)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (signature, &size), *end = der;
  CMS_ContentInfo *cms = NULL;
  gboolean good = FALSE;

  ERR_clear_error ();
  if (size > 0 && size <= SIGNATURE_LONGEST)
    cms = d2i_CMS_ContentInfo (NULL, &end, (long)size);
  if (cms != NULL && end == der + size && OBJ_obj2nid (CMS_get0_type (cms)) == NID_pkcs7_signed
      && CMS_is_detached (cms) == 1)
    good = signed_by (cms, certificate, data);
  CMS_ContentInfo_free (cms);
  if (!good)
    issue_set_error (error, CERTS_ERROR_FAILED, "the signature is not of this key over this text");
  ERR_clear_error ();
  return good;
}
