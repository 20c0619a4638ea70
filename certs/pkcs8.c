#include "certs/pkcs8.h"
#include "certs/issue.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_SIZE 16

typedef struct {
  unsigned char *der;
  gsize size;
} Der;

static void
der_free (gpointer data)
{
  Der *der = data;
  OPENSSL_clear_free (der->der, der->size);
  g_free (der);
}

static GBytes *
take_der (unsigned char *data, int size)
{
  if (size <= 0)
    return NULL;
  Der *der = g_new (Der, 1);
  der->der = data;
  der->size = (gsize)size;
  return g_bytes_new_with_free_func (data, der->size, der_free, der);
}

static X509_SIG *
encrypt (PKCS8_PRIV_KEY_INFO *plain, GBytes *secret)
{
  X509_ALGOR *algorithm = PKCS5_pbe2_set_scrypt (EVP_aes_256_cbc (), NULL, SALT_SIZE, NULL,
                                                 SCRYPT_N, SCRYPT_R, SCRYPT_P);
  X509_SIG *sealed = NULL;

  if (algorithm != NULL)
    sealed = PKCS8_set0_pbe (g_bytes_get_data (secret, NULL), (int)g_bytes_get_size (secret), plain,
                             algorithm);
  if (sealed == NULL)
    X509_ALGOR_free (algorithm);
  return sealed;
}

GBytes *
pkcs8_write (EVP_PKEY *key, GBytes *secret, GError **error)
{
  unsigned char *data = NULL;
  GBytes *der = NULL;

  ERR_clear_error ();
  PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8 (key);
  if (plain != NULL && secret == NULL) {
    int size = i2d_PKCS8_PRIV_KEY_INFO (plain, &data);
    der = take_der (data, size);
  }
  if (plain != NULL && secret != NULL) {
    X509_SIG *sealed = encrypt (plain, secret);
    int size = sealed != NULL ? i2d_X509_SIG (sealed, &data) : 0;
    der = take_der (data, size);
    X509_SIG_free (sealed);
  }
  PKCS8_PRIV_KEY_INFO_free (plain);
  if (der == NULL)
    issue_set_error (error, CERTS_ERROR_FAILED, "the private key cannot be encrypted");
  return der;
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* The next element of DER, of this tag; *bytes moves behind it. FALSE: it is another, or cut. */
static gboolean
take_element (const unsigned char **bytes, long *left, int tag, const unsigned char **ret,
              long *ret_length)
{
  const unsigned char *at = *bytes;
  int found, class;
  if (*left <= 0 || (ASN1_get_object (&at, ret_length, &found, &class, *left) & 0x80) != 0
      || found != tag)
    return FALSE;
  *ret = at;
  *left -= (at - *bytes) + *ret_length;
  *bytes = at + *ret_length;
  return TRUE;
}

typedef struct {
  const char *group;
  const unsigned char *number, *point; /* inside the DER */
  long number_length, point_length;
} EcParts;

/* ECPrivateKey (RFC 5915 §3) with its public key, the curve by name. */
static gboolean
take_ec (const PKCS8_PRIV_KEY_INFO *plain, EcParts *ret)
{
  const X509_ALGOR *algorithm;
  const ASN1_OBJECT *kind;
  const void *curve;
  const unsigned char *bytes, *inside, *skipped;
  long left, length;
  int curve_type, size;
  if (!PKCS8_pkey_get0 (NULL, &bytes, &size, &algorithm, plain))
    return FALSE;
  X509_ALGOR_get0 (&kind, &curve_type, &curve, algorithm);
  if (OBJ_obj2nid (kind) != NID_X9_62_id_ecPublicKey || curve_type != V_ASN1_OBJECT)
    return FALSE;
  ret->group = OBJ_nid2sn (OBJ_obj2nid (curve));
  left = size;
  if (!take_element (&bytes, &left, V_ASN1_SEQUENCE, &inside, &length)
      || !take_element (&inside, &length, V_ASN1_INTEGER, &skipped, &left)
      || !take_element (&inside, &length, V_ASN1_OCTET_STRING, &ret->number, &ret->number_length))
    return FALSE;
  take_element (&inside, &length, 0, &skipped, &left); /* the curve once more, or not */
  return take_element (&inside, &length, 1, &bytes, &left)
         && take_element (&bytes, &left, V_ASN1_BIT_STRING, &ret->point, &ret->point_length)
         && ret->point_length > 1 && *ret->point == 0;
}

/* EVP_PKCS82PKEY() of OpenSSL 3.0 writes the key out once more and frees that without wiping it:
 * the number of VK would stay in memory until something else takes the place. So a key on a curve
 * is taken apart here; its number is never outside of secure memory and of what `plain` wipes. */
static EVP_PKEY *
ec_key (const EcParts *parts)
{
  BIGNUM *number = BN_secure_new ();
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new ();
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  OSSL_PARAM *params = NULL;
  EVP_PKEY *key = NULL;

  if (number != NULL && builder != NULL && context != NULL
      && BN_bin2bn (parts->number, (int)parts->number_length, number) != NULL
      && OSSL_PARAM_BLD_push_utf8_string (builder, OSSL_PKEY_PARAM_GROUP_NAME, parts->group, 0)
      && OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_PRIV_KEY, number)
      && OSSL_PARAM_BLD_push_octet_string (builder, OSSL_PKEY_PARAM_PUB_KEY, parts->point + 1,
                                           (size_t)parts->point_length - 1))
    params = OSSL_PARAM_BLD_to_param (builder);
  if (params != NULL && EVP_PKEY_fromdata_init (context) == 1)
    EVP_PKEY_fromdata (context, &key, EVP_PKEY_KEYPAIR, params);
  OSSL_PARAM_free (params);
  OSSL_PARAM_BLD_free (builder);
  EVP_PKEY_CTX_free (context);
  BN_clear_free (number);
  return key;
}

static EVP_PKEY *
key_of (const PKCS8_PRIV_KEY_INFO *plain)
{
  EcParts parts;
  return take_ec (plain, &parts) ? ec_key (&parts) : EVP_PKCS82PKEY (plain);
}

EVP_PKEY *
pkcs8_read (GBytes *der, GBytes *secret, GError **error)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (der, &size);
  X509_SIG *sealed = d2i_X509_SIG (NULL, &data, (long)size);
  PKCS8_PRIV_KEY_INFO *plain = NULL;
  EVP_PKEY *key = NULL;

  if (sealed != NULL)
    plain = PKCS8_decrypt (sealed, g_bytes_get_data (secret, NULL), (int)g_bytes_get_size (secret));
  if (plain != NULL)
    key = key_of (plain);
  ERR_clear_error ();
  if (sealed == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "it is no encrypted PKCS#8 key");
  else if (key == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "its secret is wrong");
  PKCS8_PRIV_KEY_INFO_free (plain);
  X509_SIG_free (sealed);
  return key;
}
