/* ID tokens of OpenID Connect (Core 1.0 §3.1.3.7), checked with the keys that are at hand: no
 * network here. A token is bound to one browser and its media by `nonce` (binding_nonce()). Any
 * thread. */
#pragma once
#include <glib.h>
#include <jansson.h>

#define ID_TOKEN_LEEWAY_S 120 /* a clock of ours that is a little wrong refuses nobody */
#define ID_TOKEN_AGE_S (12 * 3600)

typedef enum {
  ID_TOKEN_GOOD,
  ID_TOKEN_MALFORMED,
  ID_TOKEN_ALGORITHM, /* unsigned, by a shared secret, or one we do not take */
  ID_TOKEN_ISSUER,
  ID_TOKEN_KEY, /* no such key in the set: fetch it anew, it may be a new one */
  ID_TOKEN_SIGNATURE,
  ID_TOKEN_AUDIENCE,
  ID_TOKEN_EXPIRED, /* or issued more than ID_TOKEN_AGE_S ago */
  ID_TOKEN_EARLY,   /* nbf or iat in the future */
  ID_TOKEN_NONCE,   /* made for another browser, another invitation, another connection */
  ID_TOKEN_ROLE,    /* nobody whom the configuration lets in */
  ID_TOKEN_VERDICTS
} IdTokenVerdict;
/* "good", "malformed", "algorithm" … as the protocol and the log name it. */
const char *id_token_verdict_name (IdTokenVerdict verdict);

/* Whom to believe. */
typedef struct {
  const char *issuer, *client_id;
  const char *roles_claim;  /* "roles", or "realm_access.roles"; NULL: everybody of this issuer */
  const char *const *roles; /* one of these must be there; NULL or empty as roles_claim NULL */
  const json_t *keys;       /* of jwks_parse() */
} IdTokenTrust;

typedef struct {
  char *issuer, *subject, *name; /* name: of `name`, else `preferred_username`, else subject */
  json_t *key;                   /* by which it was verified: JWK */
  gint64 issued_s, expires_s;
} IdToken;

/* now_s: UTC. ret is filled when the verdict is GOOD. */
IdTokenVerdict id_token_check (const char *token, const IdTokenTrust *trust, const char *nonce,
                               gint64 now_s, IdToken *ret);
void id_token_clear (IdToken *token);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (IdToken, id_token_clear)
/* Which issuer a token names, unverified (transfer full); NULL: none. */
char *id_token_issuer (const char *token);

/* What a sign-in is bound to: base64url of SHA-256 over "nhipcau-identity-1", the invitation, the
 * SHA-256 (hex) of the browser's public key (station/proof.h) and its DTLS fingerprint
 * ("AB:CD:…", SHA-256), a line feed between them (transfer full). */
char *binding_nonce (const char *invite, const char *key, const char *fingerprint);
/* What a passkey signs when it is used: the same of "nhipcau-passkey-1", the nonce of the page's
 * socket and the binding. Nothing can be played again (transfer full). */
char *binding_passkey_challenge (const char *socket_nonce, const char *binding);
