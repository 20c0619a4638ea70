/* Sealed: JWE (RFC 7516) in compact or flattened JSON form; dir (RFC 7518 §4.5) and ECDH-ES
 * (§4.6), A256GCM (§5.3). */
#include "station/rendezvous/jose_private.h"

#include <jose/jose.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#define NONCE_TEXT 16 /* 12 bytes */
#define TAG_TEXT 22   /* 16 bytes */

void
jose_sealed_clear (JoseSealed *sealed)
{
  g_clear_pointer (&sealed->jwe, json_decref);
  g_clear_pointer (&sealed->header, json_decref);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static json_t *
from_compact (const char *text, gsize length)
{
  const char *parts[5];
  gsize sizes[5], at = 0;
  for (guint i = 0; i < 5; i++) {
    const char *dot = memchr (text + at, '.', length - at);
    gsize end = dot != NULL ? (gsize)(dot - text) : length;
    if ((dot == NULL) != (i == 4))
      return NULL;
    parts[i] = text + at;
    sizes[i] = end - at;
    at = end + 1;
  }
  if (sizes[1] != 0)
    return NULL;
  return json_pack ("{s:s%, s:s%, s:s%, s:s%}", "protected", parts[0], sizes[0], "iv", parts[2],
                    sizes[2], "ciphertext", parts[3], sizes[3], "tag", parts[4], sizes[4]);
}

static gboolean
is_strict (const json_t *jwe, const char *name, gsize length)
{
  const json_t *part = json_object_get (jwe, name);
  return json_is_string (part) && (length == 0 || json_string_length (part) == length)
         && jose_base64url_is_strict (json_string_value (part), json_string_length (part));
}

static gboolean
parts_fit (const json_t *jwe)
{
  static const char *const known[] = { "protected", "header", "iv", "ciphertext", "tag", NULL };
  return jose_only_has (jwe, known) && is_strict (jwe, "protected", 0)
         && is_strict (jwe, "iv", NONCE_TEXT) && is_strict (jwe, "ciphertext", 0)
         && is_strict (jwe, "tag", TAG_TEXT);
}

static gboolean
text_is (const json_t *header, const char *name, const char *wanted)
{
  return g_strcmp0 (json_string_value (json_object_get (header, name)), wanted) == 0;
}

/* The page's ephemeral key stands in one of two places. */
static gboolean
ephemeral_fits (const json_t *jwe, const json_t *header, gboolean wanted)
{
  static const char *const only[] = { "epk", NULL };
  static const char *const parts[] = { "kty", "crv", "x", "y", NULL };
  const json_t *beside = json_object_get (jwe, "header");
  const json_t *inside = json_object_get (header, "epk");
  if (!wanted)
    return beside == NULL && inside == NULL;
  if ((beside != NULL) == (inside != NULL) || (beside != NULL && !json_is_object (beside)))
    return FALSE;
  const json_t *key = beside != NULL ? json_object_get (beside, "epk") : inside;
  return (beside == NULL || jose_only_has (beside, only)) && json_is_object (key)
         && jose_only_has (key, parts) && jose_is_public_key (key);
}

static gboolean
take (json_t *jwe, const char *alg, const char *typ, JoseSealed *ret, GError **error)
{
  static const char *const known[] = { "alg", "enc", "typ", "kid", "epk", "f", "n", "a", NULL };
  ret->jwe = jwe;
  if (!json_is_object (jwe) || !parts_fit (jwe))
    return jose_form_error (error, "is no JWE");
  ret->header = jose_decode_object (json_string_value (json_object_get (jwe, "protected")),
                                    JOSE_HEADER_MAX);
  if (ret->header == NULL || !jose_only_has (ret->header, known)
      || !text_is (ret->header, "alg", alg) || !text_is (ret->header, "enc", "A256GCM")
      || !text_is (ret->header, "typ", typ)
      || !ephemeral_fits (jwe, ret->header, g_str_equal (alg, "ECDH-ES")))
    return jose_form_error (error, "is no JWE of the kind that is wanted");
  return TRUE;
}

gboolean
jose_read (const char *text, gsize length, const char *alg, const char *typ, JoseSealed *ret,
           GError **error)
{
  json_t *jwe = NULL;
  if (length == 0 || length > JOSE_LARGEST || !g_utf8_validate_len (text, length, NULL))
    return jose_form_error (error, "is empty, too large, or no text");
  if (text[0] == '{')
    jwe = json_loadb (text, length, JSON_REJECT_DUPLICATES, NULL);
  else
    jwe = from_compact (text, length);
  return take (jwe, alg, typ, ret, error);
}

gboolean
jose_read_object (const json_t *object, const char *alg, const char *typ, JoseSealed *ret,
                  GError **error)
{
  return take (json_incref ((json_t *)object), alg, typ, ret, error);
}

const char *
jose_sealed_text (const JoseSealed *sealed, const char *name)
{
  const char *text = json_string_value (json_object_get (sealed->header, name));
  return text != NULL ? text : "";
}

gboolean
jose_sealed_number (const JoseSealed *sealed, const char *name, guint64 *ret)
{
  const json_t *value = json_object_get (sealed->header, name);
  json_int_t number = json_integer_value (value);
  if (!json_is_integer (value) || number < 0 || number >= (G_GINT64_CONSTANT (1) << 53))
    return FALSE;
  *ret = (guint64)number;
  return TRUE;
}

/* ---- Opening ----------------------------------------------------------------------------------
 */

static json_t *
as_jwk (const guint8 key[JOSE_KEY])
{
  g_autofree char *text = jose_base64url (key, JOSE_KEY);
  json_t *jwk = json_pack ("{s:s, s:s}", "kty", "oct", "k", text);
  OPENSSL_cleanse (text, strlen (text));
  return jwk;
}

/* What libjose gave, with a 0 behind. */
static GBytes *
opened (void *plain, gsize length, GError **error)
{
  ERR_clear_error ();
  if (plain == NULL) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_SEAL, "does not open");
    return NULL;
  }
  char *text = g_malloc (length + 1);
  memcpy (text, plain, length);
  text[length] = '\0';
  OPENSSL_cleanse (plain, length);
  free (plain);
  g_autoptr (GBytes) whole = g_bytes_new_take (text, length + 1);
  return g_bytes_new_from_bytes (whole, 0, length);
}

GBytes *
jose_open_dir (const JoseSealed *sealed, const guint8 key[JOSE_KEY], GError **error)
{
  gsize length = 0;
  json_auto_t *jwk = as_jwk (key);
  void *plain = jose_jwe_dec_cek (NULL, sealed->jwe, jwk, &length);
  return opened (plain, length, error);
}

GBytes *
jose_open_ecdh (const JoseSealed *sealed, const json_t *jwk, GError **error)
{
  gsize length = 0;
  void *plain = jose_jwe_dec (NULL, sealed->jwe, NULL, jwk, &length);
  return opened (plain, length, error);
}

/* ---- Sealing ----------------------------------------------------------------------------------
 */

static json_t *
begin (const char *alg, const json_t *header)
{
  json_t *whole = json_pack ("{s:s, s:s}", "alg", alg, "enc", "A256GCM");
  json_object_update (whole, (json_t *)header);
  return json_pack ("{s:o}", "protected", whole);
}

static const char *
part (const json_t *jwe, const char *name)
{
  return json_string_value (json_object_get (jwe, name));
}

char *
jose_seal_dir (const guint8 key[JOSE_KEY], const json_t *header, const void *plain, gsize length,
               GError **error)
{
  json_auto_t *jwe = begin ("dir", header);
  json_auto_t *jwk = as_jwk (key);
  if (!jose_jwe_enc_cek (NULL, jwe, jwk, plain, length)) {
    ERR_clear_error ();
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "sealing failed");
    return NULL;
  }
  return g_strdup_printf ("%s..%s.%s.%s", part (jwe, "protected"), part (jwe, "iv"),
                          part (jwe, "ciphertext"), part (jwe, "tag"));
}

json_t *
jose_seal_ecdh (const json_t *jwk, const json_t *header, const void *plain, gsize length,
                GError **error)
{
  json_t *jwe = begin ("ECDH-ES", header);
  if (jose_jwe_enc (NULL, jwe, NULL, jwk, plain, length)) {
    json_object_del (jwe, "encrypted_key");
    return jwe;
  }
  ERR_clear_error ();
  json_decref (jwe);
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "sealing to a key failed");
  return NULL;
}
