/* One consultation, as its rows tell it.
 *
 * Everything in here is the sum of rows: consult_apply() takes one row and changes the picture.
 * The same function serves a row that has just become durable and the rows of a consultation
 * that is read back after a power cut, so that both come to the same state. Nothing is changed
 * before the row is on the disk. Main thread.
 *
 * kind          body
 * consultation  {state, mode, reason, conclusion, doctor, started_us, parked}
 * patient       {name, birth_year, …} (docs/protocol.md)
 * consent       {kind, purposes, by, relation, reason}
 * recording     {on, reason}
 * note          {note, kind, text, author, via}
 * problem, proposal, facilities, mark: forms.h
 * alarm         docs/devices.md, and sender, received
 * observation   docs/devices.md, and sender; by hand: vital, value, unit, source "manual"
 * invite        {invite, role, name, secret, state, wrong, pin, bound}
 * guest         {guest, invite, name, facility, role, key, state: admitted | removed, identity,
 *                fingerprint, as, relation, proven}
 * identity      identities.h; written before the guest is admitted
 * appointment   visits.h
 * event         {what, detail}
 * attachment    records/attachment.h
 * view          {what}
 * confirmation  {guest, note, sha256, signature, method}: confirm.h
 * call          calls/call.h
 * signature     {method, sha256, cms}
 */
#pragma once
#include "records/store.h"
#include "station/client.h"

typedef enum {
  CONSULT_SCHEDULED,
  CONSULT_WAITING,
  CONSULT_LIVE,
  CONSULT_INTERRUPTED,
  CONSULT_CONCLUDING,
  CONSULT_SIGNED,
  CONSULT_DELIVERED,
  CONSULT_CANCELLED,
} ConsultState;

const char *consult_state_name (ConsultState state);
gboolean consult_state_from_name (const char *name, ConsultState *ret);
/* May a consultation go from one state to the other? */
gboolean consult_may_become (ConsultState from, ConsultState to);

typedef enum {
  GUEST_LOBBY,
  GUEST_ADMITTED,
  GUEST_LIVE, /* media flows */
  GUEST_AWAY, /* admitted, and not here now */
  GUEST_REMOVED,
} GuestState;
const char *guest_state_name (GuestState state);

/* Who came through an invitation. Lobby, live and away live in memory; admission is a row. */
typedef struct {
  char *id; /* "g" and hex digits: also the label of its media */
  char *invite, *name, *facility, *role;
  char *key;         /* SHA-256 of the browser's public key, hex */
  json_t *identity;  /* proven by a sign-in (identities.h); NULL: not */
  json_t *proof;     /* the row that says so, till it is written; NULL: there is none to write */
  char *fingerprint; /* of the only certificate that its media may have; NULL: any */
  GuestState state;
  gboolean other; /* another phone than the one that the invitation is bound to */
  gboolean told;  /* its page was told that somebody sits before the console */
  json_t *about;  /* what a patient's page says of itself (visits_join.c); NULL: nothing */
  json_t *proven; /* how its identity is proven: words; NULL: not yet admitted */
  Client *client; /* NULL: no page here now */
} Guest;

typedef enum {
  INVITE_CREATED,
  INVITE_ARMED, /* opened in a browser */
  INVITE_LOBBY,
  INVITE_ADMITTED, /* bound to a browser */
  INVITE_LIVE,
  INVITE_ENDED,
  INVITE_REVOKED,
  INVITE_BURNT,
  INVITE_EXPIRED,
} InviteState;
const char *invite_state_name (InviteState state);

typedef struct {
  char *id, *role, *name, *secret;
  InviteState state; /* created, admitted, ended, revoked, burnt: as on disk */
  guint wrong;       /* wrong secrets and PINs so far */
  char *pin;         /* six digits, told apart from the link; NULL: the link alone */
  char *bound;       /* key of the browser that showed the PIN; NULL: none yet */
} Invite;

typedef struct {
  char *id;
  ConsultState state;
  int mode;
  char *reason, *conclusion, *doctor;
  gint64 started_us; /* UTC */
  gint64 started_mono_us;
  char *started_boot; /* boot id in which started_mono_us holds */
  gint64 changed_us;  /* UTC of the newest "consultation" row */
  gboolean parked;

  json_t *patient;
  json_t *consents;    /* array, as in `state` */
  json_t *notes;       /* array, newest version of each */
  json_t *problems;    /* array: conclusions per problem, newest version of each */
  json_t *proposals;   /* array: what specialists propose, and nobody has taken over */
  json_t *facilities;  /* NULL: no row yet */
  json_t *marks;       /* array */
  json_t *events;      /* array, the newest CONSULT_EVENTS_MAX */
  json_t *attachments; /* array, as in a record (records/attachment.h), with at and user */
  json_t *alarms;      /* what stands (alarms.h) */
  json_t *readings;    /* {vital: observation}, the newest of each */
  gboolean recording;  /* on, as the rows say */
  gint64 recording_since_us;
  gboolean signature;  /* a signature row is there */
  json_t *appointment; /* newest row of it (visits.h); NULL: it was never one */
  gboolean sfu;        /* media go through a conference server that can see them */

  GPtrArray *invites; /* Invite* */
  GPtrArray *guests;  /* Guest* */
  GPtrArray *calls;   /* Call* (calls/call.h), in the order of asking */

  gboolean busy; /* being signed: no change from anybody else */
} Consult;

#define CONSULT_EVENTS_MAX 200
#define CONSULT_GUESTS_MAX 12
#define CONSULT_INVITES_MAX 50
#define INVITE_WRONG_MAX 5 /* the last of which burns it */

Consult *consult_new (const char *id);
void consult_free (Consult *consult);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Consult, consult_free)

/* One row. user_name: what people call its author. */
void consult_apply (Consult *consult, const StoreRow *row, const char *user_name);

/* What a row says, with `at` and `user` of it (transfer full). */
json_t *consult_row_copy (const StoreRow *row, const char *user_name);

/* Body of the next "consultation" row, as things stand (transfer full). */
json_t *consult_body (const Consult *consult, ConsultState state);

gboolean consult_recording_allowed (const Consult *consult);
/* Planned, not begun. */
gboolean consult_is_planned (const Consult *consult);
/* From "live" to "concluding": open for notes and readings. */
gboolean consult_is_open (const Consult *consult);
/* A name for lists: the patient's, or NULL when unknown. */
const char *consult_patient_name (const Consult *consult);

Invite *consult_invite (Consult *consult, const char *id);
Guest *consult_guest (Consult *consult, const char *id);
Guest *consult_guest_by_key (Consult *consult, const char *invite, const char *key);
/* A guest in the lobby; NULL when there are too many. */
Guest *consult_add_guest (Consult *consult, const char *invite, const char *role, const char *key,
                          const char *name, const char *facility);
void consult_drop_guest (Consult *consult, Guest *guest);
/* What the doctor's list shows: the invitation's own state, or where its guest is. */
InviteState consult_invite_state (Consult *consult, const Invite *invite);

/* µs of CLOCK_MONOTONIC at which this consultation began, also in a later boot: by UTC then. */
gint64 consult_epoch (const Consult *consult, const char *boot_now, gint64 mono_now_us,
                      gint64 utc_now_us);

typedef enum {
  PATIENT_OTHER,
  PATIENT_MAYBE, /* nothing is known of this patient to compare with */
  PATIENT_SAME,
} PatientMatch;
/* Does a device's patient id mean this patient? */
PatientMatch consult_match_patient (const Consult *consult, const char *patient_id);
/* Under which id a device that asks is told of this patient (transfer full): one that a device
 * has used, else one of the station's making; never a number of the state's or the insurance's. */
char *consult_device_id (const Consult *consult);
