/* Encrypted private keys (PKCS#8, RFC 5958) under scrypt N=16384 r=8 p=5 and AES-256-CBC: about
 * 0.23 s. (`openssl pkcs8 -scrypt` fails above that N.) Any thread. */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>

/* secret NULL: plain PKCS#8. DER, wiped when freed. */
GBytes *pkcs8_write (EVP_PKEY *key, GBytes *secret, GError **error);
/* Encrypted DER. CERTS_ERROR_KEY: the secret is wrong; CERTS_ERROR_FAILED: no PKCS#8 at all. */
EVP_PKEY *pkcs8_read (GBytes *der, GBytes *secret, GError **error);
