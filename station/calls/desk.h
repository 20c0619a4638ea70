/* A specialist's desk, as the station sees it: who sits there, whether they are on duty, what they
 * are told and what they do (docs/protocol.md, Desk).
 *
 * A desk is a Client of kind CLIENT_DESK, whatever carries its frames: the station's own WebSocket
 * or a broker. A specialist signs in with a PIN of this station, or proves who they are as guests
 * do (identities.h); that proof goes into the record of each call that they accept. Main thread.
 */
#pragma once
#include "station/calls/call_plan.h"
#include "station/request.h"
#include "station/station.h"

/* Authors of rows and holders of sessions that sit at a desk: "desk:" and the person's id. They are
 * nobody at the console. */
#define DESK_USER_PREFIX "desk:"

typedef struct Desk Desk;

/* The greeting of a page (transfer full). is_far: without the names of who may sign in. */
json_t *desk_hello (Station *station, const char *nonce, gboolean is_far);
/* A parsed message of a desk's page. */
void desk_receive (Client *client, json_t *body);
/* Its socket is gone. */
void desk_gone (Client *client);

/* A carrier knows who it is: from here on all messages but those of signing in are in place. The
 * person is copied. NULL: nobody any more. */
void desk_identify (Client *client, const CallPerson *person);

/* What a proven sign-in left: {identity, proof, key, browser_key, fingerprint, facility,
 * checked_s}; NULL: nobody has signed in so. */
const json_t *desk_about (const Desk *desk);
/* A row of kind "identity" of a guest who has signed in at a desk (transfer full). */
json_t *desk_identity_row (const json_t *about, const char *guest, const char *invite);

/* Who sits there; NULL: nobody yet. */
const CallPerson *desk_person (const Desk *desk);
gboolean desk_on_duty (const Desk *desk);

/* To every desk: its calls, when they differ from what it was told last. */
void desks_tell (Station *station);
