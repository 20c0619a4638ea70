/* A browser's key, for tests: its JWK, and what it signs (IEEE P1363). */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <string.h>

static inline json_t *
jwk_of (EVP_PKEY *key)
{
  guint8 *point = NULL;
  gsize length = EVP_PKEY_get1_encoded_public_key (key, &point);
  g_assert_cmpuint (length, ==, 65);
  g_autofree char *x = g_base64_encode (point + 1, 32), *y = g_base64_encode (point + 33, 32);
  OPENSSL_free (point);
  g_strdelimit (g_strdelimit (x, "+", '-'), "/", '_');
  g_strdelimit (g_strdelimit (y, "+", '-'), "/", '_');
  x[43] = y[43] = '\0';
  return json_pack ("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", x, "y", y);
}

static inline char *
sign_p1363 (EVP_PKEY *key, const char *text)
{
  guint8 der[128], raw[64];
  gsize length = sizeof der;
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  EVP_DigestSignInit (context, NULL, EVP_sha256 (), NULL, key);
  EVP_DigestSign (context, der, &length, (const guint8 *)text, strlen (text));
  EVP_MD_CTX_free (context);
  const guint8 *p = der;
  ECDSA_SIG *signature = d2i_ECDSA_SIG (NULL, &p, (long)length);
  BN_bn2binpad (ECDSA_SIG_get0_r (signature), raw, 32);
  BN_bn2binpad (ECDSA_SIG_get0_s (signature), raw + 32, 32);
  ECDSA_SIG_free (signature);
  char *encoded = g_base64_encode (raw, sizeof raw);
  g_strdelimit (g_strdelimit (encoded, "+", '-'), "/", '_');
  encoded[strcspn (encoded, "=")] = '\0';
  return encoded;
}
