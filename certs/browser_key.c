#include "certs/browser_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define COORDINATE 32

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ECDSA_SIG, ECDSA_SIG_free)

static gboolean
decode (const char *text, guint8 *ret, gsize length)
{
  if (text == NULL || strlen (text) > 2 * length)
    return FALSE;
  g_autofree char *padded
      = g_strdup_printf ("%s%.*s", text, (int)(3 - (strlen (text) + 3) % 4), "==");
  gsize got = 0;
  g_strdelimit (padded, "-", '+');
  g_strdelimit (padded, "_", '/');
  g_autofree guint8 *bytes = g_base64_decode (padded, &got);
  if (got != length)
    return FALSE;
  memcpy (ret, bytes, length);
  return TRUE;
}

static gboolean
read_point (const json_t *key, guint8 point[1 + 2 * COORDINATE])
{
  const char *kty = json_string_value (json_object_get (key, "kty"));
  const char *curve = json_string_value (json_object_get (key, "crv"));
  point[0] = 4; /* uncompressed, SEC 1 §2.3.3 */
  return g_strcmp0 (kty, "EC") == 0 && g_strcmp0 (curve, "P-256") == 0
         && decode (json_string_value (json_object_get (key, "x")), point + 1, COORDINATE)
         && decode (json_string_value (json_object_get (key, "y")), point + 1 + COORDINATE,
                    COORDINATE);
}

static EVP_PKEY *
make_key (guint8 point[1 + 2 * COORDINATE])
{
  g_autoptr (EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  EVP_PKEY *key = NULL;
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
    OSSL_PARAM_construct_octet_string (OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * COORDINATE),
    OSSL_PARAM_END,
  };
  if (context == NULL || EVP_PKEY_fromdata_init (context) != 1
      || EVP_PKEY_fromdata (context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return NULL;
  return key;
}

/* P1363 → DER, which is what OpenSSL verifies. */
static guint8 *
signature_der (const guint8 raw[2 * COORDINATE], int *ret_length)
{
  g_autoptr (ECDSA_SIG) signature = ECDSA_SIG_new ();
  guint8 *der = NULL;
  if (!ECDSA_SIG_set0 (signature, BN_bin2bn (raw, COORDINATE, NULL),
                       BN_bin2bn (raw + COORDINATE, COORDINATE, NULL)))
    return NULL;
  *ret_length = i2d_ECDSA_SIG (signature, &der);
  return der;
}

gboolean
browser_key_check (const json_t *jwk, const char *signature, const char *text, char **ret_key)
{
  guint8 point[1 + 2 * COORDINATE], raw[2 * COORDINATE];
  int der_length = 0;
  if (!read_point (jwk, point) || !decode (signature, raw, sizeof raw))
    return FALSE;
  g_autoptr (EVP_PKEY) key = make_key (point);
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  guint8 *der = signature_der (raw, &der_length);
  gboolean good
      = key != NULL && der != NULL && der_length > 0
        && EVP_DigestVerifyInit (context, NULL, EVP_sha256 (), NULL, key) == 1
        && EVP_DigestVerify (context, der, (gsize)der_length, (const guint8 *)text, strlen (text))
               == 1;
  OPENSSL_free (der);
  ERR_clear_error ();
  if (good)
    *ret_key = g_compute_checksum_for_data (G_CHECKSUM_SHA256, point, sizeof point);
  return good;
}

char *
browser_key_hash (const json_t *jwk)
{
  guint8 point[1 + 2 * COORDINATE];
  return read_point (jwk, point)
             ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, point, sizeof point)
             : NULL;
}

char *
browser_key_opinion (const char *consult, const char *note, const char *text_sha256)
{
  return g_strjoin ("\n", "nhipcau-opinion-1", consult, note, text_sha256, NULL);
}
