/* Passkeys (WebAuthn Level 2), registered and verified by libfido2. Whatever a page sends is
 * hostile. No attestation is looked at: which make an authenticator is does not matter here. Any
 * thread. */
#pragma once
#include <glib.h>
#include <jansson.h>

/* What an answer of an authenticator must be about. */
typedef struct {
  const char *rp_id;     /* host name of the pages */
  const char *challenge; /* base64url, as `challenge` of clientDataJSON gives it */
  /* Is this origin ("https://name:port") one of our pages? */
  gboolean (*origin_allowed) (const char *origin, const void *arg);
  const void *arg;
} PasskeyExpected;

typedef struct {
  char *id;      /* base64url */
  int algorithm; /* COSE: -7 (ES256), -257 (RS256), -8 (EdDSA) */
  char *key;     /* public key as libfido2 has it, base64 */
  guint32 count; /* signature counter; 0: the authenticator keeps none */
} Passkey;
void passkey_clear (Passkey *passkey);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passkey, passkey_clear)

/* A new one, of what navigator.credentials.create() gave: {client_data, authenticator_data,
 * algorithm}, bytes as base64url. FALSE: it is not for us, or its person was not verified. */
gboolean passkey_register (const json_t *created, const PasskeyExpected *expected, Passkey *ret);
/* What navigator.credentials.get() gave: {id, client_data, authenticator_data, signature}. TRUE:
 * signed by this passkey, for us, the person verified, and its counter has gone on; ret_count is
 * the new one. */
gboolean passkey_verify (const json_t *given, const PasskeyExpected *expected,
                         const Passkey *passkey, guint32 *ret_count);

/* For rows: {id, algorithm, key, count} (transfer full), and back. */
json_t *passkey_to_json (const Passkey *passkey);
gboolean passkey_from_json (const json_t *object, Passkey *ret);
