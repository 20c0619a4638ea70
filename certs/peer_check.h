/* Who is at the other end, by certificate: "is this the chain of station X, or of person Y, at time
 * T?" For signalling (x5c of a JWS, RFC 7515 §4.1.6), for TLS, and for the station's own
 * certificate when it is installed.
 *
 * Only pinned issuers count, never the system's list; each vouches for the ids that it was pinned
 * for and no others. The id stands as a URI in the subjectAltName (RFC 5280 §4.2.1.6):
 *
 *   nhipcau:station:muong-mau        nhipcau:person:minh@bvtw.example.vn
 *
 * Nobody is let in without a fresh revocation list of the issuer while the clock is trusted. A call
 * that goes on is not asked again. While the clock is not trusted nothing is expired and nothing is
 * early: who has a key that was seen under this id before is let in, others are for the doctor to
 * confirm; revoked ones stay out.
 *
 * PeerTrust is counted and locks itself: any thread. What comes in is hostile: chains over
 * PEER_CHAIN_MOST certificates or PEER_CERTIFICATE_LONGEST bytes each are refused before they are
 * parsed.
 */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#define PEER_CHAIN_MOST 6
#define PEER_CERTIFICATE_LONGEST 16384
#define PEER_CRL_LONGEST (4 * 1024 * 1024)

typedef enum { PEER_STATION, PEER_PERSON } PeerKind;

/* ---- Names --------------------------------------------------------------------------------- */

/* Stations: a to z, 0 to 9, -; a letter first; 32 at most. People: a to z, 0 to 9, . _ @ -; a
 * letter or digit first; 64 at most. */
gboolean peer_id_is_valid (PeerKind kind, const char *id);
/* "nhipcau:station:ID" (transfer full). */
char *peer_uri (PeerKind kind, const char *id);
/* The kind and id of a URI; FALSE: it is none of ours, or malformed. ret_id (transfer full). */
gboolean peer_uri_parse (const char *uri, PeerKind *ret_kind, char **ret_id);
/* The one name of ours in a certificate's subjectAltName; FALSE: none, several, or malformed. */
gboolean peer_name_of (X509 *certificate, PeerKind *ret_kind, char **ret_id);
/* SHA-256 of the SubjectPublicKeyInfo, 64 hex digits in lower case (transfer full). */
char *peer_key_hash (const EVP_PKEY *key);

/* ---- Trust --------------------------------------------------------------------------------- */

typedef struct PeerTrust PeerTrust;
PeerTrust *peer_trust_new (void);
PeerTrust *peer_trust_ref (PeerTrust *trust);
void peer_trust_unref (PeerTrust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PeerTrust, peer_trust_unref)

/* Pins the certificates of a PEM file (an authority that issues, not a root above it) under a name.
 * stations, people: patterns of ids with * and ?, NULL-terminated; NULL: none at all. */
gboolean peer_trust_add_issuer (PeerTrust *trust, const char *name, const char *file,
                                const char *const *stations, const char *const *people,
                                GError **error);
/* The certificate that `name` pins first (transfer full); NULL: no such issuer. */
X509 *peer_trust_issuer (PeerTrust *trust, const char *name);
/* Whose pinned key has signed this certificate (transfer full); NULL: nobody's. */
char *peer_trust_issuer_of (PeerTrust *trust, X509 *certificate);

/* A revocation list of the issuer, DER or PEM. Taken only when its signature holds, it has an end,
 * it is complete (no delta, no scope of its own), and it is not older than the one that is there.
 * CERTS_ERROR_FAILED says what is wrong. A list that is out of date is taken: it may revoke, and
 * does not admit. */
gboolean peer_trust_set_crl (PeerTrust *trust, const char *name, GBytes *crl, GError **error);
/* When the issuer's list was made, and when it is out of date; s, UTC. FALSE: there is none. */
gboolean peer_trust_crl_times (PeerTrust *trust, const char *name, gint64 *ret_made,
                               gint64 *ret_until);
/* Is this serial number on the issuer's list? FALSE too when there is none. */
gboolean peer_trust_revokes (PeerTrust *trust, const char *name, X509 *certificate);

/* A key that was seen under this id: 64 hex digits of peer_key_hash(). The newest stays. */
void peer_trust_know (PeerTrust *trust, PeerKind kind, const char *id, const char *key_hash);
gboolean peer_trust_knows (PeerTrust *trust, PeerKind kind, const char *id, const char *key_hash);
/* All of them in a key file, replaced as a whole and durable; and back. A file that is not there is
 * an empty one; bad lines are left out. */
gboolean peer_trust_save_known (PeerTrust *trust, const char *file, GError **error);
gboolean peer_trust_load_known (PeerTrust *trust, const char *file, GError **error);

/* ---- The question -------------------------------------------------------------------------- */

typedef struct {
  gint64 now;       /* s, UTC */
  gboolean trusted; /* something keeps the clock right */
} PeerTime;

typedef enum { PEER_ADMIT, PEER_CONFIRM, PEER_REFUSE } PeerVerdict;

/* All static. Words say what is wrong and what to do.
 *   admit    good known-key (the clock is not trusted)
 *   confirm  clock-untrusted
 *   refuse   chain-missing chain-broken algorithm-weak issuer-unknown issuer-other issuer-expired
 *            name-missing name-other kind-other purpose-other certificate-early
 *            certificate-expired certificate-revoked revocation-unknown revocation-old */
typedef struct {
  PeerVerdict verdict;
  const char *code, *vi, *en;
} PeerAnswer;

/* chain: leaf first; NULL and empty are refused. A good answer at a trusted time makes the key
 * known. */
PeerAnswer peer_check (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind, const char *id,
                       PeerTime time);
/* The same for a certificate that is being installed: that there is no list, or an old one, does
 * not matter, being on one does; nothing becomes known. */
PeerAnswer peer_check_without_lists (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind,
                                     const char *id, PeerTime time);
/* The answer of a code; "chain-broken" for a code that is none. */
PeerAnswer peer_answer (const char *code);

/* Certificates in DER, leaf first, as x5c gives them once base64 is off; of a PEM text. NULL: one
 * is none, has bytes behind its end, or they are too many or too long. Free with sk_X509_pop_free
 * (chain, X509_free). */
STACK_OF (X509) * peer_chain_of_der (GBytes *const *certificates, gsize n, GError **error);
STACK_OF (X509) * peer_chain_of_pem (GBytes *pem, GError **error);
