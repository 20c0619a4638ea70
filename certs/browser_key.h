/* The key of a browser: by it a guest is known again, and by it a guest's word is signed. It cannot
 * be taken out of the browser (WebCrypto, ECDSA P-256). Any thread. */
#pragma once
#include <glib.h>
#include <jansson.h>

/* key: JWK of the public key (RFC 7517, RFC 7518 §6.2); signature: base64url of r|s (IEEE P1363)
 * over text, SHA-256. On TRUE ret_key is the SHA-256 of the public point, hex (transfer full).
 * Hostile input, no error detail: a signature holds or it does not. */
gboolean browser_key_check (const json_t *key, const char *signature, const char *text,
                            char **ret_key);
/* SHA-256 of the public point, hex (transfer full); NULL: it is no such key. */
char *browser_key_hash (const json_t *key);

/* What a specialist signs to confirm a note: a line each of "nhipcau-opinion-1", consultation,
 * note, SHA-256 (hex) of the note's text in UTF-8 (transfer full). */
char *browser_key_opinion (const char *consult, const char *note, const char *text_sha256);
