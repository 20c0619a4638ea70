/* The comparison code: six digits by which two people find out, by voice, that nobody stands
 * between their machines. Both ends compute it from what they saw themselves: the fingerprints of
 * both DTLS certificates, both identities, and a nonce of each.
 *
 * The station is bound to its nonce first (the commitment goes with the offer), the page answers
 * with its own, the station reveals. Who stands between has to choose what it passes on before it
 * knows what the code will be: one guess in a million for each call, nothing to be ground
 * (RFC 6189 §4.4.1.1 has the reasoning). Any thread; no secrets.
 */
#pragma once
#include <glib.h>

#define COMPARISON_NONCE_MIN 16 /* characters of a nonce, base64url */
#define COMPARISON_NONCE_MAX 64

/* A nonce from the other end: base64url within the bounds. Hostile. */
gboolean comparison_nonce_is_good (const char *nonce);
/* SHA-256 over the nonce, hex (transfer full). */
char *comparison_commitment (const char *nonce);
/* All certificates' fingerprints that a session description names ("a=fingerprint:", RFC 8122 §5),
 * each once, in upper case and in order of the alphabet, commas between them (transfer full); NULL:
 * none, or more than eight. Hostile. */
char *comparison_fingerprints (const char *sdp);

typedef struct {
  const char *station_nonce, *page_nonce;
  const char *station_fingerprints, *page_fingerprints; /* of comparison_fingerprints() */
  const char *station;                                  /* the station's identity: its id */
  const char *page; /* the page's identity: SHA-256 of its public key, hex */
} Comparison;

/* "042871" (transfer full). */
char *comparison_code (const Comparison *comparison);
