/* A phone: a browser's key, and messages that prove it, as the join page makes them. */
#pragma once
#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <string.h>

typedef struct {
  EVP_PKEY *key;
} Phone;

static inline Phone *
phone_new (void)
{
  Phone *phone = g_new0 (Phone, 1);
  phone->key = EVP_EC_gen ("P-256");
  g_assert_nonnull (phone->key);
  return phone;
}

static inline void
phone_free (Phone *phone)
{
  EVP_PKEY_free (phone->key);
  g_free (phone);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Phone, phone_free)

static inline char *
phone_base64url (const guint8 *bytes, gsize length)
{
  char *text = g_base64_encode (bytes, length);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

static inline char *
phone_sign (Phone *phone, const char *text)
{
  guint8 der[128], raw[64];
  size_t length = sizeof der;
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  g_assert_cmpint (EVP_DigestSignInit (context, NULL, EVP_sha256 (), NULL, phone->key), ==, 1);
  g_assert_cmpint (EVP_DigestSign (context, der, &length, (const guint8 *)text, strlen (text)), ==,
                   1);
  const guint8 *p = der;
  ECDSA_SIG *signature = d2i_ECDSA_SIG (NULL, &p, (long)length);
  BN_bn2binpad (ECDSA_SIG_get0_r (signature), raw, 32);
  BN_bn2binpad (ECDSA_SIG_get0_s (signature), raw + 32, 32);
  ECDSA_SIG_free (signature);
  EVP_MD_CTX_free (context);
  return phone_base64url (raw, sizeof raw);
}

/* A frame of `type` with the invitation and the proof; more: further fields, with a comma before
 * them (transfer full). */
static inline char *
phone_frame (Phone *phone, const char *nonce, const char *type, const char *invite,
             const char *secret, const char *more)
{
  guint8 point[65];
  size_t length = 0;
  g_assert_cmpint (EVP_PKEY_get_octet_string_param (phone->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                    sizeof point, &length),
                   ==, 1);
  g_autofree char *text = g_strdup_printf ("nhipcau-join-1\n%s\n%s", nonce, invite);
  g_autofree char *signature = phone_sign (phone, text);
  g_autofree char *x = phone_base64url (point + 1, 32), *y = phone_base64url (point + 33, 32);
  return g_strdup_printf ("{\"type\":\"%s\",\"id\":7,\"invite\":\"%s\",\"secret\":\"%s\",\"key\":{"
                          "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"},"
                          "\"signature\":\"%s\"%s}",
                          type, invite, secret, x, y, signature, more);
}
