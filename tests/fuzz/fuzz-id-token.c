/* ID tokens and key sets as hostile pages and providers send them. The first byte of the input
 * chooses: a token and, behind a line feed, a key set; or the claims of a token that is really
 * signed, so that what is behind the signature is reached. */
#include "../unit/id_tokens.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static json_t *key, *keys;
static const char *const roles[] = { "telemedicine", NULL };

static void
check (const char *token, const json_t *set)
{
  IdTokenTrust trust = { .issuer = TOKENS_ISSUER,
                         .client_id = TOKENS_CLIENT,
                         .roles_claim = "realm_access.roles",
                         .roles = roles,
                         .keys = set };
  g_auto (IdToken) found = { 0 };
  g_autofree char *issuer = id_token_issuer (token);
  IdTokenVerdict verdict = id_token_check (token, &trust, "nonce", TOKENS_NOW, &found);
  g_assert_true (verdict < ID_TOKEN_VERDICTS);
  g_assert_true ((found.subject != NULL) == (verdict == ID_TOKEN_GOOD));
  if (verdict == ID_TOKEN_GOOD)
    g_assert_true (g_utf8_validate (found.name, -1, NULL) && strlen (found.subject) <= 255
                   && g_strcmp0 (issuer, TOKENS_ISSUER) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (key == NULL) {
    key = tokens_key ("ES256", "one");
    keys = tokens_set (&key, 1);
  }
  if (size == 0)
    return 0;
  const char *text = (const char *)data + 1;
  if (data[0] == 's') {
    g_autofree char *token = tokens_sign_bytes (key, "ES256", "one", text, size - 1);
    check (token, keys);
    return 0;
  }
  const char *end = memchr (text, '\n', size - 1);
  gsize length = end != NULL ? (gsize)(end - text) : size - 1;
  g_autofree char *token = g_strndup (text, length);
  json_auto_t *set = end != NULL ? jwks_parse (end + 1, size - 2 - length) : NULL;
  check (token, set != NULL ? set : keys);
  return 0;
}
