#include "certs/jws.h"

#include <jose/b64.h>
#include <jose/jws.h>
#include <openssl/err.h>
#include <string.h>

#define RSA_SHORTEST_BITS 2048
#define RSA_LONGEST_BITS 8192

typedef struct {
  const char *name, *type, *curve; /* curve NULL: RSA */
} Algorithm;

static const Algorithm algorithms[] = {
  { "RS256", "RSA", NULL },
  { "PS256", "RSA", NULL },
  { "ES256", "EC", "P-256" },
  { "ES384", "EC", "P-384" },
};

static const char *
text_of (const json_t *object, const char *member)
{
  return json_string_value (json_object_get (object, member));
}

/* ---- Compact form -------------------------------------------------------------------------- */

static json_t *
object_of_base64 (const char *text, gsize length)
{
  gsize size = jose_b64_dec_buf (text, length, NULL, 0);
  if (size == SIZE_MAX || size > JWS_LONGEST)
    return NULL;
  g_autofree char *json = g_malloc (size + 1);
  if (jose_b64_dec_buf (text, length, json, size) != size)
    return NULL;
  json_t *object = json_loadb (json, size, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object (object))
    return object;
  json_decref (object);
  return NULL;
}

gboolean
jws_parse (const char *compact, Jws *ret)
{
  const char *first = compact != NULL ? strchr (compact, '.') : NULL;
  const char *second = first != NULL ? strchr (first + 1, '.') : NULL;
  if (second == NULL || strlen (compact) > JWS_LONGEST || strchr (second + 1, '.') != NULL)
    return FALSE;
  g_auto (Jws) jws = { 0 };
  gsize header = (gsize)(first - compact), payload = (gsize)(second - first - 1);
  jws.header = object_of_base64 (compact, header);
  jws.payload = object_of_base64 (first + 1, payload);
  if (jws.header == NULL || jws.payload == NULL || json_object_get (jws.header, "crit") != NULL)
    return FALSE;
  jws.whole = json_pack ("{s:s%, s:s%, s:s}", "protected", compact, header, "payload", first + 1,
                         payload, "signature", second + 1);
  if (jws.whole == NULL)
    return FALSE;
  *ret = jws;
  jws = (Jws){ 0 };
  return TRUE;
}

void
jws_clear (Jws *jws)
{
  json_decref (jws->whole);
  json_decref (jws->header);
  json_decref (jws->payload);
  *jws = (Jws){ 0 };
}

static const Algorithm *
algorithm_of (const Jws *jws)
{
  const char *name = text_of (jws->header, "alg");
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (algorithms); i++)
    if (g_str_equal (algorithms[i].name, name))
      return &algorithms[i];
  return NULL;
}

const char *
jws_algorithm (const Jws *jws)
{
  return algorithm_of (jws) != NULL ? text_of (jws->header, "alg") : NULL;
}

/* ---- Keys ---------------------------------------------------------------------------------- */

static gsize
bytes_of (const json_t *key, const char *member)
{
  const json_t *value = json_object_get (key, member);
  gsize size = json_is_string (value) ? jose_b64_dec (value, NULL, 0) : 0;
  return size != SIZE_MAX ? size : 0;
}

static gboolean
may_verify (const json_t *key)
{
  const char *use = text_of (key, "use");
  const json_t *operations = json_object_get (key, "key_ops"), *operation;
  gsize i;
  if (use != NULL && !g_str_equal (use, "sig"))
    return FALSE;
  if (operations == NULL)
    return TRUE;
  json_array_foreach (operations, i, operation)
  {
    if (g_strcmp0 (json_string_value (operation), "verify") == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
key_is_usable (const json_t *key)
{
  const char *type = text_of (key, "kty"), *curve = text_of (key, "crv");
  if (type == NULL || !may_verify (key))
    return FALSE;
  if (g_str_equal (type, "RSA")) {
    gsize bits = 8 * bytes_of (key, "n"), exponent = bytes_of (key, "e");
    return bits >= RSA_SHORTEST_BITS && bits <= RSA_LONGEST_BITS && exponent >= 1 && exponent <= 4;
  }
  gsize size = g_strcmp0 (curve, "P-256") == 0 ? 32 : g_strcmp0 (curve, "P-384") == 0 ? 48 : 0;
  return g_str_equal (type, "EC") && size > 0 && bytes_of (key, "x") == size
         && bytes_of (key, "y") == size;
}

static json_t *
public_part (const json_t *key)
{
  static const char *const members[] = { "kty", "crv", "x", "y", "n", "e", "kid", "alg", NULL };
  json_t *part = json_object ();
  for (guint i = 0; members[i] != NULL; i++) {
    json_t *value = json_object_get (key, members[i]);
    if (json_is_string (value))
      json_object_set (part, members[i], value);
  }
  return part;
}

json_t *
jwks_parse (const char *text, gsize length)
{
  json_auto_t *given
      = length <= JWKS_LONGEST ? json_loadb (text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
  json_t *keys = json_array (), *key;
  gsize i;
  json_array_foreach (json_object_get (given, "keys"), i, key)
  {
    if (i < JWKS_MOST && key_is_usable (key))
      json_array_append_new (keys, public_part (key));
  }
  if (json_array_size (keys) > 0)
    return json_pack ("{s:o}", "keys", keys);
  json_decref (keys);
  return NULL;
}

static gboolean
key_fits (const json_t *key, const Algorithm *algorithm)
{
  const char *alg = text_of (key, "alg");
  return g_strcmp0 (text_of (key, "kty"), algorithm->type) == 0
         && (algorithm->curve == NULL || g_strcmp0 (text_of (key, "crv"), algorithm->curve) == 0)
         && (alg == NULL || g_str_equal (alg, algorithm->name));
}

json_t *
jwks_find (const json_t *set, const Jws *jws)
{
  const Algorithm *algorithm = algorithm_of (jws);
  const char *kid = text_of (jws->header, "kid");
  json_t *found = NULL, *key;
  gsize i;
  json_array_foreach (json_object_get (set, "keys"), i, key)
  {
    if (algorithm == NULL || !key_fits (key, algorithm)
        || (kid != NULL && g_strcmp0 (text_of (key, "kid"), kid) != 0))
      continue;
    if (found != NULL)
      return NULL;
    found = key;
  }
  return found;
}

gboolean
jws_verify (const Jws *jws, const json_t *key)
{
  const Algorithm *algorithm = algorithm_of (jws);
  gboolean good = algorithm != NULL && key_is_usable (key) && key_fits (key, algorithm)
                  && jose_jws_ver (NULL, jws->whole, NULL, key, false);
  ERR_clear_error ();
  return good;
}
