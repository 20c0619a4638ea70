#include "certs/cades_remote.h"
#include "certs/cades_private.h"
#include "certs/issue.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

#define CHAIN_MOST 8
#define VALUE_MOST 2048 /* bytes */
#define RSA_LEAST 2048  /* bits */

STACK_OF (X509) * cades_remote_chain (GBytes *file, GError **error)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (file, &size), *at = data;
  STACK_OF (X509) *chain = sk_X509_new_null ();
  X509 *one;

  if (size > 0 && size <= CADES_LONGEST) {
    BIO *in = BIO_new_mem_buf (data, (int)size);
    while (sk_X509_num (chain) < CHAIN_MOST
           && (one = PEM_read_bio_X509 (in, NULL, NULL, NULL)) != NULL)
      sk_X509_push (chain, one);
    BIO_free (in);
    if (sk_X509_num (chain) == 0 && (one = d2i_X509 (NULL, &at, (long)size)) != NULL)
      sk_X509_push (chain, one);
  }
  ERR_clear_error ();
  if (sk_X509_num (chain) > 0)
    return chain;
  sk_X509_free (chain);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "this file has no certificate (PEM, or DER of one)");
  return NULL;
}

/* ---- Out ---------------------------------------------------------------------------------- */

static gboolean
key_is_fit (X509 *certificate, GError **error)
{
  EVP_PKEY *key = X509_get0_pubkey (certificate);
  int type = key != NULL ? EVP_PKEY_get_base_id (key) : EVP_PKEY_NONE;
  if (type == EVP_PKEY_EC || (type == EVP_PKEY_RSA && EVP_PKEY_get_bits (key) >= RSA_LEAST))
    return TRUE;
  ERR_clear_error ();
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
               "the certificate's key is neither RSA of 2048 bits and more nor EC");
  return FALSE;
}

/* What CMS_final() would do, but for the value: contentType, messageDigest, signingTime (RFC 5652
 * §11); the signing certificate is there (CMS_CADES). */
static gboolean
add_attributes (CMS_SignerInfo *signer, GBytes *content, gint64 now)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  gsize size;
  const void *data = g_bytes_get_data (content, &size);
  ASN1_TIME *time = ASN1_TIME_adj (NULL, (time_t)now, 0, 0);
  gboolean good
      = time != NULL && EVP_Digest (data, size, digest, &length, EVP_sha256 (), NULL) == 1
        && CMS_signed_add1_attr_by_NID (signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                        OBJ_nid2obj (NID_pkcs7_data), -1)
               == 1
        && CMS_signed_add1_attr_by_NID (signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
                                        digest, (int)length)
               == 1
        && CMS_signed_add1_attr_by_NID (signer, NID_pkcs9_signingTime, time->type, time, -1) == 1;
  ASN1_TIME_free (time);
  return good;
}

static CMS_ContentInfo *
unsigned_cms (STACK_OF (X509) * chain, STACK_OF (X509_CRL) * crls, GBytes *content, gint64 now)
{
  const unsigned flags = CMS_PARTIAL | CMS_DETACHED | CMS_BINARY;
  X509 *own = sk_X509_value (chain, 0);
  g_autoptr (CMS_ContentInfo) cms = CMS_sign (NULL, NULL, NULL, NULL, flags);
  /* The public half stands for the key: nothing is signed here. */
  CMS_SignerInfo *signer = cms != NULL
                               ? CMS_add1_signer (cms, own, X509_get0_pubkey (own), EVP_sha256 (),
                                                  flags | CMS_CADES | CMS_NOSMIMECAP)
                               : NULL;
  gboolean good = signer != NULL && add_attributes (signer, content, now);
  for (int i = 1; good && i < sk_X509_num (chain); i++)
    good = CMS_add1_cert (cms, sk_X509_value (chain, i)) == 1;
  for (int i = 0; good && crls != NULL && i < sk_X509_CRL_num (crls); i++)
    good = CMS_add1_crl (cms, sk_X509_CRL_value (crls, i)) == 1;
  return good ? g_steal_pointer (&cms) : NULL;
}

GBytes *
cades_remote_prepare (STACK_OF (X509) * chain, STACK_OF (X509_CRL) * crls, GBytes *content,
                      gint64 now, GBytes **ret_hash, GError **error)
{
  ERR_clear_error ();
  if (!key_is_fit (sk_X509_value (chain, 0), error))
    return NULL;
  g_autoptr (CMS_ContentInfo) cms = unsigned_cms (chain, crls, content, now);
  g_autoptr (GBytes) der = cms != NULL ? cades_der (cms) : NULL;
  g_autoptr (GBytes) attributes = der != NULL ? cades_signed_attributes (der) : NULL;
  if (attributes == NULL) {
    issue_set_error (error, CERTS_ERROR_FAILED, "this signature cannot be prepared");
    return NULL;
  }
  gsize size;
  const void *data = g_bytes_get_data (attributes, &size);
  guint8 hash[32];
  EVP_Digest (data, size, hash, NULL, EVP_sha256 (), NULL);
  *ret_hash = g_bytes_new (hash, sizeof hash);
  return g_steal_pointer (&der);
}

/* ---- In ----------------------------------------------------------------------------------- */

/* r and s side by side, as some providers give them. NULL: they are not. */
static GBytes *
der_of_pair (const guint8 *data, gsize size)
{
  if (size == 0 || size % 2 != 0)
    return NULL;
  ECDSA_SIG *pair = ECDSA_SIG_new ();
  BIGNUM *r = BN_bin2bn (data, (int)(size / 2), NULL),
         *s = BN_bin2bn (data + size / 2, (int)(size / 2), NULL);
  unsigned char *der = NULL;
  ECDSA_SIG_set0 (pair, r, s);
  int length = i2d_ECDSA_SIG (pair, &der);
  GBytes *bytes = length > 0 ? g_bytes_new (der, (gsize)length) : NULL;
  OPENSSL_free (der);
  ECDSA_SIG_free (pair);
  return bytes;
}

static gboolean
fits (EVP_PKEY *key, GBytes *attributes, GBytes *value)
{
  gsize size, length;
  const void *data = g_bytes_get_data (attributes, &size);
  const guint8 *signature = g_bytes_get_data (value, &length);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  gboolean good = EVP_DigestVerifyInit (context, NULL, EVP_sha256 (), NULL, key) == 1
                  && EVP_DigestVerify (context, signature, length, data, size) == 1;
  EVP_MD_CTX_free (context);
  ERR_clear_error ();
  return good;
}

/* The value in the form that CMS wants; NULL: it is not of this key over these attributes. */
static GBytes *
value_of (EVP_PKEY *key, GBytes *attributes, GBytes *given)
{
  if (fits (key, attributes, given))
    return g_bytes_ref (given);
  if (EVP_PKEY_get_base_id (key) != EVP_PKEY_EC)
    return NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (given, &size);
  g_autoptr (GBytes) pair = der_of_pair (data, size);
  return pair != NULL && fits (key, attributes, pair) ? g_steal_pointer (&pair) : NULL;
}

/* The first certificate that the signer names, of those inside. */
static X509 *
own_of (CMS_ContentInfo *cms, CMS_SignerInfo *signer)
{
  STACK_OF (X509) *all = CMS_get1_certs (cms);
  X509 *own = NULL;
  for (int i = 0; own == NULL && i < sk_X509_num (all); i++)
    if (CMS_SignerInfo_cert_cmp (signer, sk_X509_value (all, i)) == 0) {
      own = sk_X509_value (all, i);
      X509_up_ref (own);
    }
  sk_X509_pop_free (all, X509_free);
  return own;
}

static GBytes *
put_value (CMS_ContentInfo *cms, CMS_SignerInfo *signer, GBytes *prepared, GBytes *given)
{
  g_autoptr (GBytes) attributes = cades_signed_attributes (prepared);
  X509 *own = own_of (cms, signer);
  g_autoptr (GBytes) value = attributes != NULL && own != NULL && X509_get0_pubkey (own) != NULL
                                 ? value_of (X509_get0_pubkey (own), attributes, given)
                                 : NULL;
  gsize size = 0;
  const guint8 *data = value != NULL ? g_bytes_get_data (value, &size) : NULL;
  X509_free (own);
  if (data == NULL
      || ASN1_STRING_set (CMS_SignerInfo_get0_signature (signer), data, (int)size) != 1)
    return NULL;
  return cades_der (cms);
}

GBytes *
cades_remote_finish (GBytes *prepared, GBytes *value, GError **error)
{
  gsize length = g_bytes_get_size (value);
  g_autoptr (CMS_ContentInfo) cms = cades_parse (prepared);
  STACK_OF (CMS_SignerInfo) *signers = cms != NULL ? CMS_get0_SignerInfos (cms) : NULL;
  g_autoptr (GBytes) whole
      = sk_CMS_SignerInfo_num (signers) == 1 && length > 0 && length <= VALUE_MOST
            ? put_value (cms, sk_CMS_SignerInfo_value (signers, 0), prepared, value)
            : NULL;
  ERR_clear_error ();
  if (whole != NULL)
    return g_steal_pointer (&whole);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "this value is not the signature of that certificate's key over that hash");
  return NULL;
}
