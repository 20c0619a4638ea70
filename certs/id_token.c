#include "certs/id_token.h"
#include "certs/jws.h"

#include <jose/b64.h>
#include <openssl/sha.h>
#include <string.h>

#define TEXT_LONGEST 255 /* of `sub`: Core 1.0 §2 */

const char *
id_token_verdict_name (IdTokenVerdict verdict)
{
  static const char *const names[]
      = { "good",     "malformed", "algorithm", "issuer", "key", "signature",
          "audience", "expired",   "early",     "nonce",  "role" };
  G_STATIC_ASSERT (G_N_ELEMENTS (names) == ID_TOKEN_VERDICTS);
  return names[verdict];
}

static const char *
text_of (const json_t *object, const char *member)
{
  return json_string_value (json_object_get (object, member));
}

/* ---- Claims -------------------------------------------------------------------------------- */

static gboolean
is_one_of (const json_t *value, const char *text)
{
  gsize i;
  json_t *item;
  if (json_is_string (value))
    return g_str_equal (json_string_value (value), text);
  json_array_foreach (value, i, item)
  {
    if (g_strcmp0 (json_string_value (item), text) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Core 1.0 §3.1.3.7, 3 to 5: for us, and asked for by us. */
static gboolean
audience_is_good (const json_t *claims, const char *client_id)
{
  const json_t *audience = json_object_get (claims, "aud");
  const json_t *party = json_object_get (claims, "azp");
  if (!is_one_of (audience, client_id))
    return FALSE;
  if (party == NULL)
    return json_array_size (audience) <= 1;
  return g_strcmp0 (json_string_value (party), client_id) == 0;
}

static gboolean
role_is_good (const json_t *claims, const IdTokenTrust *trust)
{
  if (trust->roles_claim == NULL || trust->roles == NULL || trust->roles[0] == NULL)
    return TRUE;
  /* A claim whose name has dots itself ("https://example/roles") is found first. */
  const json_t *value = json_object_get (claims, trust->roles_claim);
  if (value == NULL) {
    g_auto (GStrv) path = g_strsplit (trust->roles_claim, ".", 8);
    value = claims;
    for (guint i = 0; path[i] != NULL; i++)
      value = json_object_get (value, path[i]);
  }
  for (guint i = 0; trust->roles[i] != NULL; i++)
    if (is_one_of (value, trust->roles[i]))
      return TRUE;
  return FALSE;
}

/* Seconds of a NumericDate (RFC 7519 §2); FALSE: absent, or no number that is a time. */
static gboolean
time_of (const json_t *claims, const char *member, gint64 *ret)
{
  const json_t *value = json_object_get (claims, member);
  double seconds = json_is_number (value) ? json_number_value (value) : -1;
  if (!(seconds >= 0 && seconds < 1e11))
    return FALSE;
  *ret = (gint64)seconds;
  return TRUE;
}

static IdTokenVerdict
judge_times (const json_t *claims, gint64 now_s, IdToken *ret)
{
  gint64 before = 0;
  if (!time_of (claims, "exp", &ret->expires_s) || !time_of (claims, "iat", &ret->issued_s)
      || (json_object_get (claims, "nbf") != NULL && !time_of (claims, "nbf", &before)))
    return ID_TOKEN_MALFORMED;
  if (ret->expires_s + ID_TOKEN_LEEWAY_S <= now_s
      || ret->issued_s + ID_TOKEN_AGE_S + ID_TOKEN_LEEWAY_S <= now_s)
    return ID_TOKEN_EXPIRED;
  if (MAX (ret->issued_s, before) > now_s + ID_TOKEN_LEEWAY_S)
    return ID_TOKEN_EARLY;
  return ID_TOKEN_GOOD;
}

static gboolean
text_is_good (const char *text)
{
  if (text == NULL || *text == '\0' || strlen (text) > TEXT_LONGEST)
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

static IdTokenVerdict
judge_claims (const json_t *claims, const IdTokenTrust *trust, const char *nonce, gint64 now_s,
              IdToken *ret)
{
  const char *given = text_of (claims, "nonce"), *subject = text_of (claims, "sub");
  if (!text_is_good (subject))
    return ID_TOKEN_MALFORMED;
  if (!audience_is_good (claims, trust->client_id))
    return ID_TOKEN_AUDIENCE;
  IdTokenVerdict verdict = judge_times (claims, now_s, ret);
  if (verdict != ID_TOKEN_GOOD)
    return verdict;
  if (given == NULL || !g_str_equal (given, nonce))
    return ID_TOKEN_NONCE;
  return role_is_good (claims, trust) ? ID_TOKEN_GOOD : ID_TOKEN_ROLE;
}

static void
take_names (const json_t *claims, IdToken *ret)
{
  const char *name = text_of (claims, "name"), *user = text_of (claims, "preferred_username");
  ret->issuer = g_strdup (text_of (claims, "iss"));
  ret->subject = g_strdup (text_of (claims, "sub"));
  ret->name = g_strdup (text_is_good (name) ? name : text_is_good (user) ? user : ret->subject);
}

IdTokenVerdict
id_token_check (const char *token, const IdTokenTrust *trust, const char *nonce, gint64 now_s,
                IdToken *ret)
{
  g_auto (Jws) jws = { 0 };
  IdToken found = { 0 };
  if (!jws_parse (token, &jws))
    return ID_TOKEN_MALFORMED;
  if (jws_algorithm (&jws) == NULL)
    return ID_TOKEN_ALGORITHM;
  if (g_strcmp0 (text_of (jws.payload, "iss"), trust->issuer) != 0)
    return ID_TOKEN_ISSUER;
  json_t *key = jwks_find (trust->keys, &jws);
  if (key == NULL)
    return ID_TOKEN_KEY;
  if (!jws_verify (&jws, key))
    return ID_TOKEN_SIGNATURE;
  IdTokenVerdict verdict = judge_claims (jws.payload, trust, nonce, now_s, &found);
  if (verdict != ID_TOKEN_GOOD)
    return verdict;
  take_names (jws.payload, &found);
  found.key = json_incref (key);
  *ret = found;
  return ID_TOKEN_GOOD;
}

void
id_token_clear (IdToken *token)
{
  g_free (token->issuer);
  g_free (token->subject);
  g_free (token->name);
  json_decref (token->key);
  *token = (IdToken){ 0 };
}

char *
id_token_issuer (const char *token)
{
  g_auto (Jws) jws = { 0 };
  return jws_parse (token, &jws) ? g_strdup (text_of (jws.payload, "iss")) : NULL;
}

/* ---- Binding ------------------------------------------------------------------------------- */

static char *
hash_of (const char *text)
{
  guint8 hash[SHA256_DIGEST_LENGTH];
  SHA256 ((const guint8 *)text, strlen (text), hash);
  char *encoded = g_malloc0 (44);
  jose_b64_enc_buf (hash, sizeof hash, encoded, 43);
  return encoded;
}

char *
binding_nonce (const char *invite, const char *key, const char *fingerprint)
{
  g_autofree char *upper = g_ascii_strup (fingerprint, -1);
  g_autofree char *text = g_strjoin ("\n", "nhipcau-identity-1", invite, key, upper, NULL);
  return hash_of (text);
}

char *
binding_passkey_challenge (const char *socket_nonce, const char *binding)
{
  g_autofree char *text = g_strjoin ("\n", "nhipcau-passkey-1", socket_nonce, binding, NULL);
  return hash_of (text);
}
