/* JWS and JWE (RFC 7515, 7516) as docs/rendezvous.md uses them: ES256; ECDH-ES and dir with
 * A256GCM. Everything that is read is hostile: its header must name exactly these algorithms and
 * none of the parameters that change what is read (zip, crit, b64), before a key is touched.
 *
 * libjose does the work; only signing is OpenSSL's directly, since the station's key may live in a
 * token or TPM, where no JWK can be had. No state: any thread.
 */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <openssl/evp.h>

#define JOSE_ERROR (jose_error_quark ())
GQuark jose_error_quark (void);
typedef enum {
  JOSE_ERROR_FORM,  /* not of the form that is wanted */
  JOSE_ERROR_SEAL,  /* the form is right, but it does not open, or is not signed by that key */
  JOSE_ERROR_FAILED /* the library refused to make something */
} JoseError;

enum {
  JOSE_KEY = 32,             /* bytes of a symmetric key */
  JOSE_THUMBPRINT = 43,      /* characters of a thumbprint */
  JOSE_LARGEST = 384 * 1024, /* bytes of a token, read or made */
};

/* ---- Keys ---------------------------------------------------------------------------------- */

/* A fresh P-256 key for ECDH (transfer full), or NULL. */
json_t *jose_ecdh_key_new (GError **error);
/* {kty, crv, x, y} of it (transfer full). */
json_t *jose_public_part (const json_t *jwk);
/* The same of a P-256 key of OpenSSL, also of one in a token (transfer full). */
json_t *jose_from_evp (EVP_PKEY *key, GError **error);
/* TRUE: {kty "EC", crv "P-256", x, y}, a point of the curve; other members do not matter. */
gboolean jose_is_public_key (const json_t *jwk);
/* RFC 7638, SHA-256, base64url (transfer full); NULL: no public key. */
char *jose_thumbprint (const json_t *jwk);
/* HKDF-SHA256 (RFC 5869) of JOSE_KEY bytes. */
gboolean jose_hkdf (GBytes *ikm, const guint8 salt[32], const char *info, guint8 ret[JOSE_KEY]);

/* ---- Base64url ----------------------------------------------------------------------------- */

char *jose_base64url (const void *data, gsize length); /* (transfer full) */
/* Exactly length bytes; FALSE: it is not that. */
gboolean jose_from_base64url (const char *text, guint8 *ret, gsize length);

/* ---- JWS ----------------------------------------------------------------------------------- */

/* Compact JWS of payload by key, with its public part as `jwk` (transfer full). Waits for a token.
 */
char *jose_sign (EVP_PKEY *key, const char *typ, const json_t *payload, GError **error);
/* The payload (an object, transfer full) when it is of that typ and by the `jwk` that it names;
 * ret_thumbprint (transfer full) is that key's. Whether the key is the right one is the caller's
 * question. */
json_t *jose_verify (const char *jws, gsize length, const char *typ, char **ret_thumbprint,
                     GError **error);

/* ---- JWE ----------------------------------------------------------------------------------- */

/* A JWE that has been looked at and not yet opened. */
typedef struct {
  json_t *jwe;    /* flattened form */
  json_t *header; /* protected header, decoded */
} JoseSealed;
void jose_sealed_clear (JoseSealed *sealed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JoseSealed, jose_sealed_clear)

/* Compact or flattened JSON. alg "dir" or "ECDH-ES"; typ NULL: the header has none. */
gboolean jose_read (const char *text, gsize length, const char *alg, const char *typ,
                    JoseSealed *ret, GError **error);
/* The same of a JSON object that stands in another message (transfer none). */
gboolean jose_read_object (const json_t *object, const char *alg, const char *typ, JoseSealed *ret,
                           GError **error);
/* A text of the protected header, "" when it is none. */
const char *jose_sealed_text (const JoseSealed *sealed, const char *name);
/* A number of the protected header in 0 … 2⁵³−1; FALSE when it is none. */
gboolean jose_sealed_number (const JoseSealed *sealed, const char *name, guint64 *ret);
/* dir: the plaintext, with a 0 byte behind that does not count (transfer full). */
GBytes *jose_open_dir (const JoseSealed *sealed, const guint8 key[JOSE_KEY], GError **error);
/* ECDH-ES, by a private key of jose_ecdh_key_new(). */
GBytes *jose_open_ecdh (const JoseSealed *sealed, const json_t *jwk, GError **error);

/* Compact (transfer full). header: further members, (transfer none); alg and enc are added. */
char *jose_seal_dir (const guint8 key[JOSE_KEY], const json_t *header, const void *plain,
                     gsize length, GError **error);
/* Flattened JSON object (transfer full) to a public key. */
json_t *jose_seal_ecdh (const json_t *jwk, const json_t *header, const void *plain, gsize length,
                        GError **error);
