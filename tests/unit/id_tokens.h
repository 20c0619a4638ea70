/* A provider that signs ID tokens with libjose, for the test of their check and its fuzzer. */
#pragma once
#include "certs/id_token.h"
#include "certs/jws.h"

#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <string.h>

#define TOKENS_ISSUER "https://id.example.vn/realms/hospital"
#define TOKENS_CLIENT "nhipcau"
#define TOKENS_NOW 1764000000

/* A private key (transfer full): "ES256", "RS256" … */
static inline json_t *
tokens_key (const char *algorithm, const char *kid)
{
  json_t *key = json_pack ("{s:s, s:s}", "alg", algorithm, "kid", kid);
  gboolean made = jose_jwk_gen (NULL, key);
  g_assert_true (made);
  return key;
}

/* What the provider publishes of these keys, as the station reads it (transfer full). */
static inline json_t *
tokens_set (json_t *const *keys, guint n)
{
  json_auto_t *set = json_object ();
  json_t *list = json_array ();
  for (guint i = 0; i < n; i++) {
    json_t *key = json_deep_copy (keys[i]);
    jose_jwk_pub (NULL, key);
    json_array_append_new (list, key);
  }
  json_object_set_new (set, "keys", list);
  g_autofree char *text = json_dumps (set, 0);
  return jwks_parse (text, strlen (text));
}

/* A token over these bytes; kid NULL: it names no key (transfer full). */
static inline char *
tokens_sign_bytes (const json_t *key, const char *algorithm, const char *kid, const void *payload,
                   gsize length)
{
  json_auto_t *jws = json_pack ("{s:o}", "payload", jose_b64_enc (payload, length));
  json_t *template = json_pack ("{s:{s:s, s:s*}}", "protected", "alg", algorithm, "kid", kid);
  gboolean made = jose_jws_sig (NULL, jws, template, key);
  json_decref (template);
  g_assert_true (made);
  return g_strjoin (".", json_string_value (json_object_get (jws, "protected")),
                    json_string_value (json_object_get (jws, "payload")),
                    json_string_value (json_object_get (jws, "signature")), NULL);
}

static inline char *
tokens_sign (const json_t *key, const char *algorithm, const char *kid, const json_t *claims)
{
  g_autofree char *text = json_dumps (claims, JSON_COMPACT);
  return tokens_sign_bytes (key, algorithm, kid, text, strlen (text));
}

/* Claims that are good for `nonce` (transfer full). */
static inline json_t *
tokens_claims (const char *nonce)
{
  return json_pack ("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:{s:[s, s]}}", "iss", TOKENS_ISSUER,
                    "aud", TOKENS_CLIENT, "sub", "minh.tran", "iat", (json_int_t)TOKENS_NOW - 10,
                    "exp", (json_int_t)TOKENS_NOW + 3600, "nonce", nonce, "name",
                    "BS. Trần Văn Minh", "realm_access", "roles", "offline", "telemedicine");
}
