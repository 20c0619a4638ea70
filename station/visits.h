/* Visits: scheduled checkups of patients, at home or elsewhere, who join by a link and a PIN.
 *
 * An appointment is a consultation in state `scheduled`, with its patient, one invitation with a
 * PIN, and a row of kind `appointment`, of which the newest counts:
 *
 *   {at_us, minutes, invite, phone, representative: {name, relation} or null}
 *
 * It is sealed under its own key, which the boot credential opens: the list is there again after a
 * power cut. Begun, it is a consultation like all others.
 *
 * The link opens from `early` minutes before the time to `late` minutes after the planned end
 * ([visits] of station.conf), and while the consultation goes on. With a clock that nobody vouches
 * for nothing is too early or too late: everybody waits for the doctor in any case.
 *
 * Who opens the link later is told why it is over. For that the station keeps in rows of its own
 * (kind `visit-over-YYYY-MM`) {invite, secret, why: "used" | "cancelled"}; those of this
 * month and the two before are known. Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

enum { VISITS_MAX = 300, VISIT_MINUTES_MAX = 240, VISIT_PIN_DIGITS = 6 };

/* Links that are over, from the rows of the last months. */
Visits *visits_new (Station *station, GError **error);
void visits_free (Visits *visits);

typedef enum { VISIT_EARLY, VISIT_OPEN, VISIT_LATE } VisitTime;
const char *visit_time_name (VisitTime time); /* "early" "open" "late" */
/* When a link of an appointment (its row's body) opens nothing yet, and no longer. Times: UTC, µs.
 */
void visit_window (const json_t *appointment, guint early_minutes, guint late_minutes,
                   gint64 *ret_opens_us, gint64 *ret_closes_us);
/* Now, as far as the clock can be trusted. */
VisitTime visit_time (Station *station, const Consult *consult);

/* Six random digits (transfer full). */
char *visit_new_pin (void);
/* The appointment's invitation; NULL: it is none, or it was revoked. */
Invite *visit_invite (Consult *consult);
/* Nothing of a half-written appointment is kept: it was never confirmed. TRUE: it is whole. */
gboolean visit_is_whole (Consult *consult);

/* The invitations of this consultation are over from now on; why: "used", "cancelled". */
void visits_are_over (Station *station, Consult *consult, const char *why);
/* Why a link whose consultation is not at hand opens nothing: the code of a refusal. */
const char *visits_over_code (Station *station, const char *invite, const char *secret);

/* The secret of such a link, for a carrier that seals by it; NULL: nothing is known (transfer
 * none). */
const char *visits_over_secret (Station *station, const char *invite);

/* "08:30 ngày 20/11/2026", in Vietnam's time (transfer full). */
char *visit_when (gint64 at_us);
/* The text that goes to the patient's phone: when, where, the link; no name, no reason, no PIN
 * (transfer full). */
char *visit_message (Station *station, const Consult *consult, const Invite *invite);

/* [{appointment, at, minutes, opens, closes, time, clock, reason, mode, patient, phone,
 * representative, invite, state, tries_left, bound, guests}] of those not begun, the next one first
 * (transfer full). */
json_t *visits_view (Station *station);

/* The console's messages: appointment.* */
void visits_create (Request *request);
void visits_move (Request *request);
void visits_cancel (Request *request);
void visits_card (Request *request);
void visits_renew (Request *request);
void visits_send (Request *request);
void visits_start (Request *request);
