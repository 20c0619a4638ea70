/* Proof that a browser holds the key that an invitation is bound to. */
#pragma once
#include <glib.h>
#include <jansson.h>

/* key: JWK of an ECDSA P-256 public key (RFC 7517, RFC 7518 §6.2); signature: base64url of r|s
 * (IEEE P1363) over text, SHA-256. On TRUE ret_key is the SHA-256 of the public point, hex
 * (transfer full). Hostile input, no error detail: a proof holds or it does not. */
gboolean proof_check (const json_t *key, const char *signature, const char *text, char **ret_key);
/* Equal secrets, by their SHA-256 in constant time. */
gboolean proof_secret_equal (const char *a, const char *b);
