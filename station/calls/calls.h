/* The station's calls for specialists: what consultations hold of them (call.h), kept in their rows
 * of kind `call`, rung at desks (desk.h), shown at the console. docs/desk.md tells the whole.
 *
 * Acts come one after the other: each is judged, written with its lines of the log, and only when
 * it is on the disk told to anybody; the next one follows then. Main thread.
 */
#pragma once
#include "station/calls/call.h"
#include "station/request.h"
#include "station/station.h"

enum { CALLS_PER_CONSULT_MAX = 20, CALL_FILES_MAX = 40 };

Calls *calls_new (Station *station);
/* When no write of the station is under way. NULL is fine. */
void calls_free (Calls *calls);
/* After the consultations were read back: who was rung is rung again. */
void calls_restored (Calls *calls);

/* A row of kind `call` changes the picture. */
void calls_apply (Consult *consult, const StoreRow *row);
/* NULL: none of this id. */
Call *calls_find (const Consult *consult, const char *id);

/* What is to happen to a call. Everything is copied. key: of an ACCEPT, SHA-256 of the browser's
 * key by which it comes in, NULL: none (a case); about: desk_about() of who accepts, or NULL. user:
 * as rows have it. done (may be NULL) with code NULL when it is durable, else why not: a code of
 * docs/protocol.md. */
typedef void (*CallDone) (Station *station, const char *code, void *arg);
typedef struct {
  CallInput input;
  const char *consult, *call, *user, *key;
  const json_t *about;
  CallDone done;
  void *arg;
} CallAct;
void calls_act (Calls *calls, const CallAct *act);

/* Who is on duty, or what a desk may see, has changed: desks and consoles hear of it. */
void calls_changed (Station *station);
/* Who is on duty now, each once (transfer full; CallPerson*). */
GPtrArray *calls_duty (Station *station);
/* Which calls ring at a hospital's desk: [{call, since}], for who carries that (transfer full). */
json_t *calls_ringing_at (Station *station, const char *desk);
/* Tells of a hospital's desk what rings there now, whenever it may have changed; NULL: nobody
 * carries it. calls is the caller's. */
typedef void (*CallsRing) (const char *desk, const json_t *calls, void *arg);
void calls_set_ring (Calls *calls, CallsRing ring, void *arg);
gboolean calls_far (const Station *station);
/* Some level of the station's list is called at a hospital's desk. */
gboolean calls_desks (const Station *station);
/* The consultation has been concluded: what rings is given up, what runs is ended. */
void calls_concluded (Station *station, const Consult *consult, const char *user);
/* A case of it waits for an answer. */
gboolean calls_case_waits (const Consult *consult);

/* For the console: calls of a consultation, the newest last, and who is on duty (transfer full). */
json_t *calls_view (Station *station, const Consult *consult);
json_t *calls_view_duty (Station *station);
/* "waiting" "answered" or NULL: what a list of parked consultations says of its cases. */
const char *calls_case_word (const Consult *consult);
/* For one person at a desk: the calls that concern them (transfer full). */
json_t *calls_view_desk (Station *station, const CallPerson *person);
/* The consultation and call of this id, when it concerns the person; NULL else. */
Call *calls_of_person (Station *station, const CallPerson *person, const char *id,
                       Consult **ret_consult);

/* The console's messages. */
void calls_preview (Request *request);
void calls_request (Request *request);
void calls_escalate (Request *request);
void calls_again (Request *request);
void calls_later (Request *request);
void calls_cancel (Request *request);
void calls_end (Request *request);
