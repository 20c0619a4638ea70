/* Signing by a PKCS#11 token, in a process of its own: stock `openssl cms -sign`. The engine keeps
 * a token logged in for as long as its process lives, and would let the next user sign without the
 * PIN; and a vendor's module that crashes must not take the station with it. */
#pragma once
#include "certs/error.h"

/* Detached CAdES-BES, DER. file: PEM, the token's certificate first. secret: the PIN, or NULL; it
 * goes through a pipe. At most a minute. CERTS_ERROR_KEY: the token is not there or refuses. */
GBytes *token_sign (const char *uri, const char *file, GBytes *secret, GBytes *content,
                    GError **error);
