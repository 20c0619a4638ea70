/* JSON Web Signatures in compact form (RFC 7515 §3.1) and the key sets that verify them (RFC 7517),
 * by libjose. All of it comes from outside: sizes are bounded before anything is decoded, keys
 * twice in an object are refused. Any thread. */
#pragma once
#include <glib.h>
#include <jansson.h>

#define JWS_LONGEST (16 * 1024)
#define JWKS_LONGEST (128 * 1024)
#define JWKS_MOST 64 /* keys of a set that are looked at */

typedef struct {
  json_t *whole;   /* flattened JSON serialization, as libjose wants it */
  json_t *header;  /* object */
  json_t *payload; /* object */
} Jws;

/* Takes a JWS apart; nothing is verified by it. FALSE: it is none, its payload is no JSON object,
 * or it has extensions that must be understood ("crit", RFC 7515 §4.1.11). */
gboolean jws_parse (const char *compact, Jws *ret);
void jws_clear (Jws *jws);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Jws, jws_clear)

/* The algorithm of the header when it is one of ours (RS256 PS256 ES256 ES384: RFC 7518 §3.1), else
 * NULL: "none" and those of a shared secret never are. Owned by the header. */
const char *jws_algorithm (const Jws *jws);

/* {"keys": [...]} with the keys that can verify one of these algorithms: RSA of 2048 to 8192 bits,
 * EC of P-256 and P-384, not meant for encryption, public members alone. NULL: not one (transfer
 * full). */
json_t *jwks_parse (const char *text, gsize length);
/* The key of a set from jwks_parse() that the header means: the one with its `kid`, or without
 * `kid` the only one that fits the algorithm. NULL: there is none, or more than one. Owned by the
 * set. */
json_t *jwks_find (const json_t *set, const Jws *jws);
/* key: of jwks_find(). FALSE too when key and algorithm do not go together. */
gboolean jws_verify (const Jws *jws, const json_t *key);
