/* The station's certificates while it runs: renewed at two thirds of their life, revocation lists
 * fetched, ends told months ahead; sessions from then on get the new ones, those that go on keep
 * what they have. One worker at a time for what waits for the network. Main thread.
 */
#pragma once
#include "certs/peer_check.h"
#include "station/station.h"

/* Always one; *error when station.conf's issuers cannot be read. */
Enrolment *enrolment_new (Station *station, GError **error);
void enrolment_free (Enrolment *enrolment);

/* Whom to let in (any thread; transfer none). For peer_check() with enrolment_time(). */
PeerTrust *enrolment_trust (Enrolment *enrolment);
PeerTime enrolment_time (Enrolment *enrolment);
/* peer_check() now. A key that becomes known so is kept in the state folder. */
PeerAnswer enrolment_check_peer (Enrolment *enrolment, STACK_OF (X509) * chain, PeerKind kind,
                                 const char *id);
/* May this station show its own certificate to others now? What peer_check() says of it. */
PeerAnswer enrolment_own (Enrolment *enrolment);

/* `nhipcau cert` has put something into the state folder (SIGUSR1): reads it, and looks what is
 * due. */
void enrolment_wake (Enrolment *enrolment);
/* Called on the main loop when certificate or chain of the identity is another: for servers and
 * carriers that show it. */
typedef void (*EnrolmentChanged) (void *arg);
void enrolment_on_change (Enrolment *enrolment, EnrolmentChanged changed, void *arg);

/* For the console; for Prometheus. enrolment may be NULL. */
void enrolment_add_problems (Enrolment *enrolment, json_t *list);
const GPtrArray *enrolment_expiries (Enrolment *enrolment); /* Expiry* */
