/* Who a guest or a specialist at a desk is, proven by a sign-in: what `identity` of a `join` or of
 * a desk's `sign-in` says, judged. Main thread.
 *
 * A proof is bound to the invitation (a desk: IDENTITIES_DESK), to the key of the browser and to
 * the certificate of its media (binding_nonce()): of no use to anybody else, nor for another
 * connection. */
#pragma once
#include "station/request.h"

/* In place of an invitation, where somebody signs in at a desk: one sign-in of the hospital's for
 * all stations. */
#define IDENTITIES_DESK "desk"

typedef struct {
  json_t *identity;  /* for pages and papers: {method, provider, issuer, subject, name} */
  json_t *proof;     /* for the record: what it was judged by */
  char *fingerprint; /* of the media's certificate, "AB:CD:…" upper case */
  char *person; /* as [level NAME] call names them: "PROVIDER:SUBJECT", "account:ID", "person:ID" */
  char *facility; /* the provider's title, or what the account says; NULL: not known */
} Proven;
void proven_clear (Proven *proven);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Proven, proven_clear)

/* proven is given for the time of the call; its members may be taken. */
typedef void (*IdentitiesDone) (Request *request, Proven *proven);
/* Judges `identity` and `fingerprint` of a join whose key (SHA-256 of the browser's public key,
 * hex) is proven. What does not hold is refused (`not-proven`, with `reason`), and done is not
 * called. */
void identities_check (Request *request, const char *invite, const char *key, IdentitiesDone done);
/* Refuses as `not-proven`, with words; ten of them end the socket. reason: of identity_words(). */
void identities_refuse (Request *request, const char *reason);
/* Refuses a specialist who has to sign in and has not. */
void identities_refuse_unproven (Request *request);

/* A row of kind "identity": who the guest is and what proves it (transfer full). */
json_t *identities_row (const char *guest, const char *invite, const char *key, json_t *browser_key,
                        const Proven *proven);
/* The certificate that a session description announces is the one that the sign-in was bound to.
 * fingerprint NULL: bound to none. */
gboolean identities_media_is_bound (const char *fingerprint, const char *sdp);
