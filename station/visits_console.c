/* The console's messages about appointments. */
#include "station/clock.h"
#include "station/console_private.h"
#include "station/forms.h"
#include "station/guests.h"
#include "station/patient_find.h"
#include "station/qr.h"
#include "station/text.h"
#include "station/visits.h"

#include <string.h>

#define REASON_MAX 2000
#define YEAR_US (366 * G_TIME_SPAN_DAY)

/* ---- What the answers say ---------------------------------------------------------------------
 */

/* Link, QR code, text for the phone, and the PIN, which is told apart. */
static json_t *
card (Station *station, Consult *consult)
{
  const Invite *invite = visit_invite (consult);
  if (invite == NULL)
    return json_pack ("{s:s}", "appointment", consult->id);
  g_autofree char *link = invite_link (station, invite);
  g_autofree char *qr = qr_svg (link), *message = visit_message (station, consult, invite);
  return json_pack ("{s:s, s:s, s:s, s:s?, s:s, s:s, s:b}", "appointment", consult->id, "invite",
                    invite->id, "link", link, "qr", qr, "pin", invite->pin, "message", message,
                    "gateway", station->config->visits.url != NULL);
}

static void
answer_card (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL)
    request_failed (request, error);
  else if (consult == NULL)
    request_refuse (request, "no-such");
  else
    request_ok (request, card (station, consult));
}

/* The planned consultation that the message names; NULL: it has been refused. */
static Consult *
planned_of (Request *request)
{
  const char *id;
  if (!request_id (request, "appointment", REQUIRED, &id))
    return NULL;
  Consult *consult = station_consult (request->station, id);
  if (consult == NULL || consult->appointment == NULL) {
    request_refuse (request, "no-such");
    return NULL;
  }
  if (!consult_is_planned (consult) || consult->busy) {
    request_refuse_with (request, "out-of-place", "Cuộc hẹn này đã bắt đầu rồi.",
                         "This appointment has begun already.", NULL);
    return NULL;
  }
  return consult;
}

/* ---- "appointment.create" ---------------------------------------------------------------------
 */

typedef struct {
  gint64 at_us, minutes, mode;
  const char *reason, *phone;
  json_t *patient, *representative;
} Wanted;

static gboolean
take_representative (Request *request, json_t **ret)
{
  json_t *value = json_object_get (request->message, "representative");
  const char *name = json_string_value (json_object_get (value, "name"));
  const char *relation = json_string_value (json_object_get (value, "relation"));
  *ret = json_is_object (value) ? value : NULL;
  if (*ret == NULL
      || (name != NULL && *name != '\0' && text_is_clean (name, 100) && relation != NULL
          && text_is_clean (relation, 100)))
    return TRUE;
  request_bad (request, "representative", "wants a name and a relation");
  return FALSE;
}

/* at_us: not more than a day ago, since a clock may be wrong; within a year. */
static gboolean
take_time (Request *request, gint64 *ret_at_us, gint64 *ret_minutes)
{
  gint64 now_us = g_get_real_time ();
  return request_number (request, "at_us", now_us - G_TIME_SPAN_DAY, now_us + YEAR_US, ret_at_us)
         && request_number (request, "minutes", 5, VISIT_MINUTES_MAX, ret_minutes);
}

static gboolean
take_wanted (Request *request, Wanted *ret)
{
  ret->patient = json_object_get (request->message, "patient");
  if (!take_time (request, &ret->at_us, &ret->minutes)
      || !request_number (request, "mode", 1, 4, &ret->mode)
      || !request_text (request, "reason", OPTIONAL, REASON_MAX, &ret->reason)
      || !request_text (request, "phone", OPTIONAL, 30, &ret->phone)
      || !take_representative (request, &ret->representative)
      || !console_patient_is_good (request, ret->patient))
    return FALSE;
  if (ret->phone == NULL || *ret->phone == '\0')
    ret->phone = json_string_value (json_object_get (ret->patient, "phone"));
  return TRUE;
}

static guint
planned_count (const Station *station)
{
  guint count = 0;
  for (guint i = 0; i < station->consults->len; i++)
    count += consult_is_planned (station->consults->pdata[i]);
  return count;
}

static json_t *
appointment_body (gint64 at_us, gint64 minutes, const char *invite, const json_t *phone,
                  const json_t *representative)
{
  return json_pack ("{s:I, s:I, s:s, s:O*, s:O*}", "at_us", (json_int_t)at_us, "minutes",
                    (json_int_t)minutes, "invite", invite, "phone", phone, "representative",
                    representative);
}

/* A fresh invitation of the patient. Returns its id (transfer full). */
static char *
write_invite (Station *station, const char *consult, const char *user, const char *name)
{
  g_autofree char *secret = session_random_text (24), *pin = visit_new_pin ();
  char *id = invite_new_id (TRUE);
  const Invite invite = { .id = id,
                          .role = (char *)"patient",
                          .name = (char *)(name != NULL ? name : ""),
                          .secret = secret,
                          .pin = pin };
  station_write (station, consult, "invite", user, invite_body (&invite, "created", 0), NULL, NULL);
  return id;
}

/* The row of kind `appointment` comes last: without it nothing was planned (visit_is_whole()). */
static void
write_rows (Request *request, const Wanted *wanted, const char *id)
{
  Station *station = request->station;
  const char *user = request->user;
  const char *name = json_string_value (json_object_get (wanted->patient, "name"));
  json_auto_t *phone = wanted->phone != NULL ? json_string (wanted->phone) : NULL;
  station_event (station, id, user, "planned", NULL);
  station_write (station, id, "facilities", user, forms_own_facility (station->config), NULL, NULL);
  patient_index_row (station, id, wanted->patient);
  station_write (station, id, "patient", user, json_deep_copy (wanted->patient), NULL, NULL);
  g_autofree char *invite = write_invite (station, id, user, name);
  station_write (
      station, id, "appointment", user,
      appointment_body (wanted->at_us, wanted->minutes, invite, phone, wanted->representative),
      answer_card, request_ref (request));
}

void
visits_create (Request *request)
{
  Station *station = request->station;
  g_autoptr (GError) error = NULL;
  Wanted wanted = { 0 };
  if (!take_wanted (request, &wanted))
    return;
  if (planned_count (station) >= VISITS_MAX) {
    request_refuse_with (
        request, "not-allowed", "Danh sách hẹn đã đầy (300). Hãy hủy các cuộc hẹn đã qua.",
        "The list of appointments is full (300). Cancel those that are past.", NULL);
    return;
  }
  json_auto_t *body = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:b}", "state", "scheduled", "mode",
                                 (int)wanted.mode, "reason", wanted.reason ? wanted.reason : "",
                                 "conclusion", "", "doctor", request->user, "parked", FALSE);
  g_autofree char *id = store_create_consult (station->store, request->user, body, &error);
  Consult *consult = id != NULL ? station_load_consult (station, id, &error) : NULL;
  if (consult == NULL) {
    g_warning ("visits: no appointment: %s", error->message);
    request_failed (request, error);
    return;
  }
  g_ptr_array_add (station->consults, consult);
  write_rows (request, &wanted, id);
}

/* ---- Move, renew, cancel ----------------------------------------------------------------------
 */

void
visits_move (Request *request)
{
  gint64 at_us, minutes;
  Consult *consult = planned_of (request);
  if (consult == NULL || !take_time (request, &at_us, &minutes))
    return;
  const json_t *row = consult->appointment;
  station_event (request->station, consult->id, request->user, "moved", NULL);
  station_write (
      request->station, consult->id, "appointment", request->user,
      appointment_body (at_us, minutes, json_string_value (json_object_get (row, "invite")),
                        json_object_get (row, "phone"), json_object_get (row, "representative")),
      answer_card, request_ref (request));
}

static void
revoke_link (Request *request, Consult *consult)
{
  const Invite *invite = visit_invite (consult);
  if (invite == NULL)
    return;
  guests_dismiss_all (request->station, consult, "revoked");
  station_write (request->station, consult->id, "invite", request->user,
                 invite_body (invite, "revoked", invite->wrong), NULL, NULL);
}

/* Another link and PIN: the old ones were burnt, lost, or seen by somebody. */
void
visits_renew (Request *request)
{
  Consult *consult = planned_of (request);
  if (consult == NULL)
    return;
  const json_t *row = consult->appointment;
  if (consult->invites->len >= CONSULT_INVITES_MAX) {
    request_refuse (request, "not-allowed");
    return;
  }
  revoke_link (request, consult);
  g_autofree char *invite
      = write_invite (request->station, consult->id, request->user, consult_patient_name (consult));
  station_event (request->station, consult->id, request->user, "link-renewed", NULL);
  station_write (request->station, consult->id, "appointment", request->user,
                 appointment_body (json_integer_value (json_object_get (row, "at_us")),
                                   json_integer_value (json_object_get (row, "minutes")), invite,
                                   json_object_get (row, "phone"),
                                   json_object_get (row, "representative")),
                 answer_card, request_ref (request));
}

static void
cancelled (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (consult != NULL)
    consult->busy = FALSE;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL) {
    visits_are_over (station, consult, "cancelled");
    guests_dismiss_all (station, consult, "cancelled");
    station_forget (station, consult);
  }
  request_ok (request, NULL);
}

void
visits_cancel (Request *request)
{
  const char *reason;
  Consult *consult = planned_of (request);
  if (consult == NULL || !request_text (request, "reason", OPTIONAL, REASON_MAX, &reason))
    return;
  consult->busy = TRUE;
  json_t *body = consult_body (consult, CONSULT_CANCELLED);
  json_object_set_new (body, "why", json_string (reason != NULL ? reason : ""));
  station_write (request->station, consult->id, "consultation", request->user, body, cancelled,
                 request_ref (request));
}

void
visits_card (Request *request)
{
  Consult *consult = planned_of (request);
  if (consult != NULL)
    request_ok (request, card (request->station, consult));
}

/* ---- "appointment.start" ----------------------------------------------------------------------
 */

static void
let_in (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL)
    request_failed (request, error);
  else
    request_ok (request, json_pack ("{s:s}", "consultation", consult != NULL ? consult->id : ""));
}

/* Whom the doctor clicked may be gone meanwhile: the consultation has begun all the same. */
static void
started (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  const char *id = json_string_value (json_object_get (request->message, "guest"));
  if (consult != NULL)
    consult->busy = FALSE;
  if (error == NULL && consult != NULL) {
    Guest *guest = id != NULL ? consult_guest (consult, id) : NULL;
    station_show (station, consult);
    if (guest != NULL && guest->state == GUEST_LOBBY) {
      guest_let_in (station, consult, guest, request->user, let_in, request);
      return;
    }
  }
  let_in (station, consult, seq, error, request);
}

void
visits_start (Request *request)
{
  const char *guest;
  Station *station = request->station;
  Consult *consult = planned_of (request);
  if (consult == NULL || !request_id (request, "guest", OPTIONAL, &guest))
    return;
  if (station->screen != NULL && station->screen->busy) {
    request_refuse (request, "busy");
    return;
  }
  if (station->screen != NULL)
    console_park_screen (station, request->user);
  json_t *body = consult_body (consult, CONSULT_LIVE);
  json_object_set_new (body, "doctor", json_string (request->user));
  consult->busy = TRUE; /* a second click */
  station_event (station, consult->id, request->user, "started", NULL);
  station_write (station, consult->id, "consultation", request->user, body, started,
                 request_ref (request));
}
