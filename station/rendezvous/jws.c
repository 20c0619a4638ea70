/* Signed by the station: compact JWS (RFC 7515 §7.1), ES256 (RFC 7518 §3.4). */
#include "station/rendezvous/jose_private.h"

#include <jose/jose.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

#define PAYLOAD_MAX (16 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ECDSA_SIG, ECDSA_SIG_free)

/* OpenSSL signs in DER, JWS wants r|s. */
static gboolean
sign_raw (EVP_PKEY *key, const char *text, guint8 ret[2 * JOSE_KEY])
{
  guint8 der[256];
  gsize size = sizeof der;
  const guint8 *at = der;
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  if (EVP_DigestSignInit (context, NULL, EVP_sha256 (), NULL, key) != 1
      || EVP_DigestSign (context, der, &size, (const guint8 *)text, strlen (text)) != 1)
    return FALSE;
  g_autoptr (ECDSA_SIG) signature = d2i_ECDSA_SIG (NULL, &at, (long)size);
  return signature != NULL && BN_bn2binpad (ECDSA_SIG_get0_r (signature), ret, JOSE_KEY) == JOSE_KEY
         && BN_bn2binpad (ECDSA_SIG_get0_s (signature), ret + JOSE_KEY, JOSE_KEY) == JOSE_KEY;
}

static char *
encode_object (const json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT | JSON_SORT_KEYS);
  char *encoded = jose_base64url (text, strlen (text));
  free (text);
  return encoded;
}

char *
jose_sign (EVP_PKEY *key, const char *typ, const json_t *payload, GError **error)
{
  guint8 raw[2 * JOSE_KEY];
  json_t *jwk = jose_from_evp (key, error);
  if (jwk == NULL)
    return NULL;
  json_auto_t *header = json_pack ("{s:s, s:s, s:o}", "alg", "ES256", "typ", typ, "jwk", jwk);
  g_autofree char *first = encode_object (header);
  g_autofree char *second = encode_object (payload);
  g_autofree char *text = g_strdup_printf ("%s.%s", first, second);
  if (!sign_raw (key, text, raw)) {
    char reason[200];
    ERR_error_string_n (ERR_get_error (), reason, sizeof reason);
    ERR_clear_error ();
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "the station's key does not sign: %s",
                 reason);
    return NULL;
  }
  g_autofree char *third = jose_base64url (raw, sizeof raw);
  return g_strdup_printf ("%s.%s", text, third);
}

static gboolean
header_fits (const json_t *header, const char *typ)
{
  static const char *const known[] = { "alg", "typ", "jwk", NULL };
  static const char *const parts[] = { "kty", "crv", "x", "y", NULL };
  const char *alg = json_string_value (json_object_get (header, "alg"));
  const char *said = json_string_value (json_object_get (header, "typ"));
  const json_t *jwk = json_object_get (header, "jwk");
  return jose_only_has (header, known) && g_strcmp0 (alg, "ES256") == 0
         && g_strcmp0 (said, typ) == 0 && json_is_object (jwk) && jose_only_has (jwk, parts)
         && jose_is_public_key (jwk);
}

json_t *
jose_verify (const char *jws, gsize length, const char *typ, char **ret_thumbprint, GError **error)
{
  g_autofree char *text = g_strndup (jws, MIN (length, PAYLOAD_MAX * 2));
  g_auto (GStrv) parts = g_strsplit (text, ".", 4);
  if (length > PAYLOAD_MAX || g_strv_length (parts) != 3)
    return jose_form_error (error, "is no compact JWS"), NULL;
  json_auto_t *header = jose_decode_object (parts[0], JOSE_HEADER_MAX);
  json_auto_t *payload = jose_decode_object (parts[1], PAYLOAD_MAX);
  guint8 raw[2 * JOSE_KEY];
  if (header == NULL || payload == NULL || !header_fits (header, typ)
      || !jose_from_base64url (parts[2], raw, sizeof raw))
    return jose_form_error (error, "is no JWS of the kind that is wanted"), NULL;
  json_auto_t *whole = json_pack ("{s:s, s:s, s:s}", "protected", parts[0], "payload", parts[1],
                                  "signature", parts[2]);
  const json_t *jwk = json_object_get (header, "jwk");
  gboolean good = jose_jws_ver (NULL, whole, NULL, jwk, false);
  ERR_clear_error ();
  if (!good) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_SEAL, "is not signed by the key that it names");
    return NULL;
  }
  *ret_thumbprint = jose_thumbprint (jwk);
  return json_incref (payload);
}
