#include "station/rendezvous/jose_private.h"

#include <jose/jose.h>
#include <jose/openssl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define POINT (1 + 2 * JOSE_KEY) /* uncompressed, SEC 1 §2.3.3 */

G_DEFINE_QUARK (nhipcau - jose - error, jose_error)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_KDF, EVP_KDF_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_KDF_CTX, EVP_KDF_CTX_free)

/* ---- Base64url --------------------------------------------------------------------------------
 */

gboolean
jose_base64url_is_strict (const char *text, gsize length)
{
  static const char alphabet[] = JOSE_B64_MAP;
  for (gsize i = 0; i < length; i++)
    if (text[i] == '\0' || strchr (alphabet, text[i]) == NULL)
      return FALSE;
  if (length % 4 == 0)
    return TRUE;
  if (length % 4 == 1)
    return FALSE;
  /* Bits behind the last byte: with others there would be several texts of one token. */
  gsize last = strchr (alphabet, text[length - 1]) - alphabet;
  return (last & (length % 4 == 2 ? 15 : 3)) == 0;
}

char *
jose_base64url (const void *data, gsize length)
{
  gsize size = jose_b64_enc_buf (NULL, length, NULL, 0);
  char *text = g_malloc0 (size + 1);
  jose_b64_enc_buf (data, length, text, size);
  return text;
}

gboolean
jose_from_base64url (const char *text, guint8 *ret, gsize length)
{
  gsize size = text != NULL ? strlen (text) : 0;
  return text != NULL && size <= 2 * length + 2 && jose_base64url_is_strict (text, size)
         && jose_b64_dec_buf (NULL, size, NULL, 0) == length
         && jose_b64_dec_buf (text, size, ret, length) == length;
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

json_t *
jose_ecdh_key_new (GError **error)
{
  json_t *key = json_pack ("{s:s, s:s}", "kty", "EC", "crv", "P-256");
  if (jose_jwk_gen (NULL, key))
    return key;
  json_decref (key);
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "a key cannot be made");
  return NULL;
}

json_t *
jose_public_part (const json_t *jwk)
{
  json_t *part = json_object ();
  static const char *const names[] = { "kty", "crv", "x", "y" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    json_object_set (part, names[i], json_object_get (jwk, names[i]));
  return part;
}

json_t *
jose_from_evp (EVP_PKEY *key, GError **error)
{
  guint8 *point = NULL;
  json_t *jwk = NULL;
  if (EVP_PKEY_get1_encoded_public_key (key, &point) == POINT && point[0] == 4) {
    g_autofree char *x = jose_base64url (point + 1, JOSE_KEY);
    g_autofree char *y = jose_base64url (point + 1 + JOSE_KEY, JOSE_KEY);
    jwk = json_pack ("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", x, "y", y);
  }
  OPENSSL_free (point);
  ERR_clear_error ();
  if (jose_is_public_key (jwk))
    return jwk;
  json_decref (jwk);
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "the station's key is no P-256 key");
  return NULL;
}

static const char *
member (const json_t *jwk, const char *name)
{
  const char *text = json_string_value (json_object_get (jwk, name));
  return text != NULL ? text : "";
}

gboolean
jose_is_public_key (const json_t *jwk)
{
  guint8 half[JOSE_KEY];
  if (!g_str_equal (member (jwk, "kty"), "EC") || !g_str_equal (member (jwk, "crv"), "P-256")
      || !jose_from_base64url (member (jwk, "x"), half, sizeof half)
      || !jose_from_base64url (member (jwk, "y"), half, sizeof half))
    return FALSE;
  json_auto_t *part = jose_public_part (jwk);
  EVP_PKEY *key = jose_openssl_jwk_to_EVP_PKEY (NULL, part);
  EVP_PKEY_free (key);
  ERR_clear_error ();
  return key != NULL;
}

char *
jose_thumbprint (const json_t *jwk)
{
  guint8 hash[32];
  if (jose_jwk_thp_buf (NULL, jwk, "S256", hash, sizeof hash) != sizeof hash)
    return NULL;
  return jose_base64url (hash, sizeof hash);
}

gboolean
jose_hkdf (GBytes *ikm, const guint8 salt[32], const char *info, guint8 ret[JOSE_KEY])
{
  gsize size;
  void *bytes = (void *)g_bytes_get_data (ikm, &size);
  g_autoptr (EVP_KDF) kdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  g_autoptr (EVP_KDF_CTX) context = EVP_KDF_CTX_new (kdf);
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, bytes, size),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SALT, (void *)salt, 32),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_INFO, (void *)info, strlen (info)),
    OSSL_PARAM_construct_end (),
  };
  return context != NULL && EVP_KDF_derive (context, ret, JOSE_KEY, params) == 1;
}

/* ---- Headers ----------------------------------------------------------------------------------
 */

gboolean
jose_form_error (GError **error, const char *what)
{
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FORM, "%s", what);
  return FALSE;
}

json_t *
jose_decode_object (const char *text, gsize largest)
{
  gsize length = text != NULL ? strlen (text) : 0;
  gsize size = jose_b64_dec_buf (NULL, length, NULL, 0);
  if (length == 0 || length > 2 * largest || size == SIZE_MAX || size > largest
      || !jose_base64url_is_strict (text, length))
    return NULL;
  g_autofree char *bytes = g_malloc (size + 1);
  jose_b64_dec_buf (text, length, bytes, size);
  json_t *object = json_loadb (bytes, size, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object (object))
    return object;
  json_decref (object);
  return NULL;
}

gboolean
jose_only_has (const json_t *object, const char *const *names)
{
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *)object, name, value)
  {
    if (!g_strv_contains (names, name))
      return FALSE;
  }
  return TRUE;
}
