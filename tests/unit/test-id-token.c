/* ID tokens: what a provider signs is taken, and nothing else is. */
#include "id_tokens.h"

static json_t *good_key, *other_key, *new_key, *rsa_key, *keys;
static char *nonce;
static const char *const roles[] = { "telemedicine", NULL };

static const IdTokenTrust *
trust (void)
{
  static IdTokenTrust whom;
  whom = (IdTokenTrust){ .issuer = TOKENS_ISSUER,
                         .client_id = TOKENS_CLIENT,
                         .roles_claim = "realm_access.roles",
                         .roles = roles,
                         .keys = keys };
  return &whom;
}

static IdTokenVerdict
check (const char *token)
{
  g_auto (IdToken) found = { 0 };
  IdTokenVerdict verdict = id_token_check (token, trust (), nonce, TOKENS_NOW, &found);
  g_assert_cmpint (found.subject != NULL, ==, verdict == ID_TOKEN_GOOD);
  return verdict;
}

static void
assert_token (const char *token, IdTokenVerdict expected)
{
  g_assert_cmpstr (id_token_verdict_name (check (token)), ==, id_token_verdict_name (expected));
}

/* Good claims with one of them another. value NULL: it is missing (transfer full). */
static void
assert_claim (const char *name, json_t *value, IdTokenVerdict expected)
{
  json_auto_t *claims = tokens_claims (nonce);
  if (value != NULL)
    json_object_set_new (claims, name, value);
  else
    json_object_del (claims, name);
  g_autofree char *token = tokens_sign (good_key, "ES256", "one", claims);
  assert_token (token, expected);
}

static void
test_good (void)
{
  json_auto_t *claims = tokens_claims (nonce);
  g_autofree char *ec = tokens_sign (good_key, "ES256", "one", claims);
  g_autofree char *rsa = tokens_sign (rsa_key, "RS256", "rsa", claims);
  g_autofree char *nameless = tokens_sign (good_key, "ES256", NULL, claims);
  g_auto (IdToken) token = { 0 };
  g_assert_cmpint (id_token_check (ec, trust (), nonce, TOKENS_NOW, &token), ==, ID_TOKEN_GOOD);
  g_assert_cmpstr (token.subject, ==, "minh.tran");
  g_assert_cmpstr (token.name, ==, "BS. Trần Văn Minh");
  g_assert_cmpstr (token.issuer, ==, TOKENS_ISSUER);
  g_assert_null (json_object_get (token.key, "d"));
  assert_token (rsa, ID_TOKEN_GOOD);
  assert_token (nameless, ID_TOKEN_GOOD); /* the only key of its kind */
  g_autofree char *issuer = id_token_issuer (ec);
  g_assert_cmpstr (issuer, ==, TOKENS_ISSUER);
}

static void
test_claims (void)
{
  const json_int_t now = TOKENS_NOW, leeway = ID_TOKEN_LEEWAY_S;
  assert_claim ("iss", json_string ("https://id.example.vn/realms/other"), ID_TOKEN_ISSUER);
  assert_claim ("iss", json_string (TOKENS_ISSUER "/"), ID_TOKEN_ISSUER);
  assert_claim ("iss", NULL, ID_TOKEN_ISSUER);
  assert_claim ("aud", json_string ("other"), ID_TOKEN_AUDIENCE);
  assert_claim ("aud", json_pack ("[s]", TOKENS_CLIENT), ID_TOKEN_GOOD);
  assert_claim ("aud", json_pack ("[s, s]", TOKENS_CLIENT, "other"), ID_TOKEN_AUDIENCE);
  assert_claim ("aud", NULL, ID_TOKEN_AUDIENCE);
  assert_claim ("azp", json_string ("other"), ID_TOKEN_AUDIENCE);
  assert_claim ("azp", json_string (TOKENS_CLIENT), ID_TOKEN_GOOD);
  assert_claim ("nonce", json_string ("other"), ID_TOKEN_NONCE);
  assert_claim ("nonce", NULL, ID_TOKEN_NONCE);
  assert_claim ("exp", json_integer (now - leeway - 1), ID_TOKEN_EXPIRED);
  assert_claim ("exp", json_integer (now - leeway + 1), ID_TOKEN_GOOD);
  assert_claim ("exp", NULL, ID_TOKEN_MALFORMED);
  assert_claim ("exp", json_string ("never"), ID_TOKEN_MALFORMED);
  assert_claim ("exp", json_real (1e300), ID_TOKEN_MALFORMED);
  assert_claim ("exp", json_integer (-1), ID_TOKEN_MALFORMED);
  assert_claim ("nbf", json_integer (now + leeway + 60), ID_TOKEN_EARLY);
  assert_claim ("nbf", json_integer (now + leeway - 60), ID_TOKEN_GOOD);
  assert_claim ("nbf", json_string ("soon"), ID_TOKEN_MALFORMED);
  assert_claim ("iat", json_integer (now + leeway + 60), ID_TOKEN_EARLY);
  assert_claim ("iat", json_integer (now - ID_TOKEN_AGE_S - leeway - 1), ID_TOKEN_EXPIRED);
  assert_claim ("sub", NULL, ID_TOKEN_MALFORMED);
  assert_claim ("sub", json_string (""), ID_TOKEN_MALFORMED);
  assert_claim ("sub", json_string ("a\nb"), ID_TOKEN_MALFORMED);
  assert_claim ("realm_access", NULL, ID_TOKEN_ROLE);
  assert_claim ("realm_access", json_string ("telemedicine"), ID_TOKEN_ROLE);
  assert_claim ("realm_access", json_pack ("{s:s}", "roles", "telemedicine"), ID_TOKEN_GOOD);
}

/* A header and a payload with whatever signature. */
static char *
compact (const char *header, const json_t *claims, const char *signature)
{
  g_autofree char *payload = json_dumps (claims, JSON_COMPACT);
  json_auto_t *first = jose_b64_enc (header, strlen (header));
  json_auto_t *second = jose_b64_enc (payload, strlen (payload));
  return g_strjoin (".", json_string_value (first), json_string_value (second), signature, NULL);
}

static void
test_unsigned (void)
{
  static const char *const headers[]
      = { "{\"alg\":\"none\"}",  "{\"alg\":\"None\",\"kid\":\"one\"}",
          "{\"alg\":\"HS256\"}", "{\"typ\":\"JWT\"}",
          "{\"alg\":null}",      "{\"alg\":[\"ES256\"]}" };
  json_auto_t *claims = tokens_claims (nonce);
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autofree char *bare = compact (headers[i], claims, "");
    g_autofree char *filled = compact (headers[i], claims, "AAAA");
    assert_token (bare, ID_TOKEN_ALGORITHM);
    assert_token (filled, ID_TOKEN_ALGORITHM);
  }
}

/* The public key taken as if it were a shared secret. */
static void
test_confused (void)
{
  json_auto_t *claims = tokens_claims (nonce);
  json_t *published = json_array_get (json_object_get (keys, "keys"), 0);
  g_autofree char *text = json_dumps (published, JSON_COMPACT);
  const char *const secrets[] = { text, json_string_value (json_object_get (published, "x")) };
  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++) {
    json_auto_t *secret = json_pack ("{s:s, s:o}", "kty", "oct", "k",
                                     jose_b64_enc (secrets[i], strlen (secrets[i])));
    g_autofree char *token = tokens_sign (secret, "HS256", "one", claims);
    assert_token (token, ID_TOKEN_ALGORITHM);
  }
}

static void
test_keys (void)
{
  json_auto_t *claims = tokens_claims (nonce);
  g_autofree char *other = tokens_sign (other_key, "ES256", "one", claims);
  g_autofree char *fresh = tokens_sign (new_key, "ES256", "two", claims);
  g_autofree char *mixed = tokens_sign (good_key, "ES256", "rsa", claims);
  g_autofree char *changed = tokens_sign (good_key, "ES256", "one", claims);
  assert_token (other, ID_TOKEN_SIGNATURE);
  assert_token (fresh, ID_TOKEN_KEY);
  assert_token (mixed, ID_TOKEN_KEY);
  changed[strlen (changed) - 8] = changed[strlen (changed) - 8] == 'A' ? 'B' : 'A';
  assert_token (changed, ID_TOKEN_SIGNATURE);

  /* The provider changes its keys: the new one counts, the old one no longer. */
  json_auto_t *before = keys;
  g_autofree char *old = tokens_sign (good_key, "ES256", "one", claims);
  keys = tokens_set (&new_key, 1);
  assert_token (fresh, ID_TOKEN_GOOD);
  assert_token (old, ID_TOKEN_KEY);
  json_decref (keys);
  keys = NULL;
  assert_token (fresh, ID_TOKEN_KEY);
  keys = json_incref (before);
}

/* Each byte of a good token changed: none is taken but where the change changes nothing. */
static void
test_every_byte (void)
{
  json_auto_t *claims = tokens_claims (nonce);
  g_autofree char *token = tokens_sign (good_key, "ES256", "one", claims);
  guint taken = 0;
  for (gsize i = 0; token[i] != '\0'; i++) {
    char kept = token[i];
    for (const char *other = "A._-0"; *other != '\0'; other++) {
      token[i] = *other;
      taken += *other != kept && check (token) == ID_TOKEN_GOOD;
    }
    token[i] = '\0';
    g_assert_cmpint (check (token), !=, ID_TOKEN_GOOD);
    token[i] = kept;
  }
  g_assert_cmpuint (taken, ==, 0);
  assert_token (token, ID_TOKEN_GOOD);
}

static void
test_malformed (void)
{
  static const char *const tokens[] = { "",
                                        ".",
                                        "..",
                                        "...",
                                        "a.b",
                                        "a.b.c.d",
                                        "e30.e30.",
                                        "e30.e30.e30",
                                        "bnVsbA.bnVsbA.AAAA",
                                        "W10.W10.AAAA",
                                        "eyJhbGciOiJFUzI1NiIsImFsZyI6IkVTMjU2In0.e30.AAAA" };
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    g_assert_cmpint (check (tokens[i]), !=, ID_TOKEN_GOOD);
  json_auto_t *claims = tokens_claims (nonce);
  g_autofree char *critical
      = compact ("{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", claims, "AAAA");
  assert_token (critical, ID_TOKEN_MALFORMED);
  g_autofree char *large = g_strnfill (JWS_LONGEST + 1, 'A');
  large[10] = large[20] = '.';
  assert_token (large, ID_TOKEN_MALFORMED);
  g_assert_null (id_token_issuer ("e30.e30."));
}

static void
test_sets (void)
{
  static const char *const none[]
      = { "",
          "{}",
          "[]",
          "{\"keys\":{}}",
          "{\"keys\":[]}",
          "{\"keys\":[null,1,\"x\",{}]}",
          "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
          "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
          "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}" };
  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    g_assert_null (jwks_parse (none[i], strlen (none[i])));
  /* One for encryption alone, and one with its private half: the first is left, the half dropped.
   */
  json_auto_t *secret = json_deep_copy (good_key);
  json_auto_t *sealing = json_deep_copy (other_key);
  json_object_set_new (sealing, "use", json_string ("enc"));
  json_auto_t *set = json_pack ("{s:[O, O]}", "keys", sealing, secret);
  g_autofree char *text = json_dumps (set, 0);
  json_auto_t *parsed = jwks_parse (text, strlen (text));
  g_assert_cmpuint (json_array_size (json_object_get (parsed, "keys")), ==, 1);
  g_assert_null (json_object_get (json_array_get (json_object_get (parsed, "keys"), 0), "d"));
}

/* As a page computes it: docs/protocol.md, Sign-in. */
static void
test_binding (void)
{
  g_autofree char *key = g_strnfill (64, 'a'), *other = g_strnfill (64, 'b');
  g_autofree char *a = binding_nonce ("invite", key, "AB:CD"),
                  *b = binding_nonce ("invite", key, "ab:cd");
  g_autofree char *c = binding_nonce ("invite", other, "AB:CD"),
                  *d = binding_nonce ("other", key, "AB:CD");
  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, !=, c);
  g_assert_cmpstr (a, !=, d);
  g_assert_cmpuint (strlen (a), ==, 43);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *hash = g_strnfill (64, 'c');
  nonce = binding_nonce ("invite", hash, "AB:CD");
  good_key = tokens_key ("ES256", "one");
  other_key = tokens_key ("ES256", "one");
  new_key = tokens_key ("ES256", "two");
  rsa_key = tokens_key ("RS256", "rsa");
  keys = tokens_set ((json_t *[]){ good_key, rsa_key }, 2);
  g_test_add_func ("/id-token/good", test_good);
  g_test_add_func ("/id-token/claims", test_claims);
  g_test_add_func ("/id-token/unsigned", test_unsigned);
  g_test_add_func ("/id-token/confused", test_confused);
  g_test_add_func ("/id-token/keys", test_keys);
  g_test_add_func ("/id-token/every-byte", test_every_byte);
  g_test_add_func ("/id-token/malformed", test_malformed);
  g_test_add_func ("/id-token/sets", test_sets);
  g_test_add_func ("/id-token/binding", test_binding);
  int result = g_test_run ();
  json_t *const all[] = { good_key, other_key, new_key, rsa_key, keys };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    json_decref (all[i]);
  g_free (nonce);
  return result;
}
