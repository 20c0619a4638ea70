/* The console's messages about the consultation on screen. */
#include "station/calls/calls.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/console_private.h"
#include "station/forms.h"
#include "station/guests.h"
#include "station/patient_find.h"
#include "station/recording.h"
#include "station/roles.h"
#include "station/station.h"
#include "station/visits.h"

#include <string.h>

#define REASON_MAX 2000

/* ---- Start ------------------------------------------------------------------------------------
 */

typedef struct {
  Request *request;
  char *consult;
} Starting;

static void
started (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Starting *starting = arg;
  if (error != NULL)
    request_failed (starting->request, error);
  else
    request_ok (starting->request, json_pack ("{s:s}", "consultation", starting->consult));
  request_unref (starting->request);
  g_free (starting->consult);
  g_free (starting);
}

/* Whose consultation it is: the doctor's who acts; what a helper prepares is nobody's yet. */
static const char *
doctor_of (const Request *request, const char *before)
{
  gboolean acts = (roles_of (request->station, request->user) & ROLE_DOCTOR) != 0;
  return acts && *before == '\0' ? request->user : before;
}

static void
start_with (Request *request, int mode, const char *reason, json_t *patient)
{
  Station *station = request->station;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  json_auto_t *body
      = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:b}", "state", "live", "mode", mode, "reason",
                   reason, "conclusion", "", "doctor", doctor_of (request, ""), "parked", FALSE);
  id = store_create_consult (station->store, request->user, body, &error);
  if (id == NULL) {
    g_warning ("console: no consultation: %s", error->message);
    request_failed (request, error);
    return;
  }
  Consult *consult = station_load_consult (station, id, &error);
  if (consult == NULL) {
    request_failed (request, error);
    return;
  }
  g_ptr_array_add (station->consults, consult);
  station_event (station, id, request->user, "started", NULL);
  station_write (station, id, "facilities", request->user, forms_own_facility (station->config),
                 NULL, NULL);
  patient_index_row (station, id, patient);
  Starting *starting = g_new0 (Starting, 1);
  starting->request = request_ref (request);
  starting->consult = g_strdup (id);
  station_write (station, id, "patient", request->user, json_deep_copy (patient), started,
                 starting);
  station_show (station, consult);
}

void
console_consultation_start (Request *request)
{
  gint64 mode;
  const char *reason;
  json_t *patient = json_object_get (request->message, "patient");
  if (!request_number (request, "mode", 1, 4, &mode)
      || !request_text (request, "reason", OPTIONAL, REASON_MAX, &reason)
      || !console_patient_is_good (request, patient))
    return;
  if (request->station->screen != NULL)
    request_refuse_with (request, "out-of-place",
                         "Còn một lượt khám trên màn hình: hãy tạm gác hoặc kết thúc trước.",
                         "A consultation is on screen: park or conclude it first.", NULL);
  else
    start_with (request, (int)mode, reason != NULL ? reason : "", patient);
}

/* ---- Park and open ------------------------------------------------------------------------------
 */

static void
put_parked (Station *station, Consult *consult, const char *user, gboolean parked, WriteDone then,
            void *arg)
{
  json_t *body = consult_body (consult, consult->state);
  json_object_set_new (body, "parked", json_boolean (parked));
  station_event (station, consult->id, user, parked ? "parked" : "opened", NULL);
  station_write (station, consult->id, "consultation", user, body, then, arg);
}

void
console_park_screen (Station *station, const char *user)
{
  put_parked (station, station->screen, user, TRUE, NULL, NULL);
}

static void
parked (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  if (error == NULL && consult != NULL && station->screen == consult)
    station_show (station, NULL);
  request_stored (seq, error, arg);
}

void
console_consultation_park (Request *request)
{
  put_parked (request->station, request->station->screen, request->user, TRUE, parked,
              request_ref (request));
}

static void
opened (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  if (error == NULL && consult != NULL) {
    station_show (station, consult);
    station_returned (station, ((Request *)arg)->user);
  }
  request_stored (seq, error, arg);
}

void
console_consultation_open (Request *request)
{
  const char *id;
  Station *station = request->station;
  if (!request_id (request, "consultation", REQUIRED, &id))
    return;
  Consult *consult = station_consult (station, id);
  if (consult == NULL || consult_is_planned (consult)) {
    request_refuse (request, "no-such");
    return;
  }
  if (consult->busy || (station->screen != NULL && station->screen->busy)) {
    request_refuse (request, "busy");
    return;
  }
  if (consult == station->screen) {
    request_ok (request, NULL);
    return;
  }
  if (station->screen != NULL)
    console_park_screen (station, request->user);
  put_parked (station, consult, request->user, FALSE, opened, request_ref (request));
}

/* ---- Conclude, reopen, cancel
 * --------------------------------------------------------------------- */

static void
concluded (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  if (error == NULL && consult != NULL) {
    station_event (station, consult->id, request->user, "concluded", NULL);
    recording_follow (station);
    visits_are_over (station, consult, "used");
    guests_dismiss_all (station, consult, "concluded");
    calls_concluded (station, consult, request->user);
  }
  request_stored (seq, error, arg);
}

void
console_consultation_conclude (Request *request)
{
  const char *conclusion;
  Station *station = request->station;
  if (!request_text (request, "conclusion", OPTIONAL, 20000, &conclusion))
    return;
  json_t *body = consult_body (station->screen, CONSULT_CONCLUDING);
  if (conclusion != NULL)
    json_object_set_new (body, "conclusion", json_string (conclusion));
  const char *doctor = station->screen->doctor;
  json_object_set_new (body, "doctor",
                       json_string (doctor_of (request, doctor != NULL ? doctor : "")));
  station_write (station, station->screen->id, "consultation", request->user, body, concluded,
                 request_ref (request));
}

static void
reopened (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  if (error == NULL && consult != NULL) {
    station_event (station, consult->id, request->user, "reopened", NULL);
    recording_follow (station);
  }
  request_stored (seq, error, arg);
}

void
console_consultation_reopen (Request *request)
{
  Consult *consult = request->station->screen;
  if (consult->state != CONSULT_CONCLUDING) {
    request_refuse (request, "out-of-place");
    return;
  }
  station_set_state (request->station, consult, request->user, CONSULT_LIVE, reopened,
                     request_ref (request));
}

static void
cancelled (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  if (error == NULL && consult != NULL) {
    guests_dismiss_all (station, consult, "concluded");
    station_forget (station, consult);
  }
  request_stored (seq, error, arg);
}

void
console_consultation_cancel (Request *request)
{
  const char *reason;
  Consult *consult = request->station->screen;
  if (!request_text (request, "reason", REQUIRED, REASON_MAX, &reason))
    return;
  if (!consult_may_become (consult->state, CONSULT_CANCELLED)) {
    request_refuse_with (
        request, "out-of-place", "Lượt khám đã bắt đầu thì không hủy được: hãy kết luận và ký.",
        "A consultation that has begun cannot be cancelled: conclude and sign it.", NULL);
    return;
  }
  json_t *body = consult_body (consult, CONSULT_CANCELLED);
  json_object_set_new (body, "why", json_string (reason));
  station_write (request->station, consult->id, "consultation", request->user, body, cancelled,
                 request_ref (request));
}

/* ---- Patient, consent, note
 * ------------------------------------------------------------------------ */

static void
patient_saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  if (error == NULL && consult != NULL)
    patient_index_row (station, consult->id, consult->patient);
  if (error == NULL && consult != NULL && consult_patient_name (consult) != NULL
      && json_is_true (json_object_get (request->message, "identified")))
    station_event (station, consult->id, request->user, "patient-identified", NULL);
  request_stored (seq, error, arg);
}

void
console_patient_save (Request *request)
{
  Station *station = request->station;
  json_t *patient = json_object_get (request->message, "patient");
  if (!console_patient_is_good (request, patient))
    return;
  gboolean was_unknown = consult_patient_name (station->screen) == NULL;
  json_object_set_new (request->message, "identified", json_boolean (was_unknown));
  station_write (station, station->screen->id, "patient", request->user, json_deep_copy (patient),
                 patient_saved, request_ref (request));
}

static gboolean
purposes_are_good (const json_t *purposes)
{
  static const char *const words[] = { "treatment", "recording", "teaching", NULL };
  gsize i;
  json_t *value;
  if (purposes == NULL)
    return TRUE;
  if (!json_is_array (purposes) || json_array_size (purposes) > 3)
    return FALSE;
  json_array_foreach (purposes, i, value)
  {
    if (!json_is_string (value) || !g_strv_contains (words, json_string_value (value)))
      return FALSE;
  }
  return TRUE;
}

static void
consent_saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  if (error == NULL && consult != NULL) {
    station_event (station, consult->id, request->user, "consent",
                   json_string_value (json_object_get (request->message, "kind")));
    recording_follow (station);
  }
  request_stored (seq, error, arg);
}

/* Who, when, which purpose; by a representative: who and in which relation; impossible: why. */
void
console_consent_save (Request *request)
{
  static const char *const kinds[] = { "given", "representative", "impossible", "withdrawn", NULL };
  const char *kind, *by, *relation, *reason;
  json_t *purposes = json_object_get (request->message, "purposes");
  if (!request_word (request, "kind", REQUIRED, kinds, &kind)
      || !request_text (request, "by", g_str_equal (kind, "representative") ? REQUIRED : OPTIONAL,
                        200, &by)
      || !request_text (request, "relation", OPTIONAL, 200, &relation)
      || !request_text (request, "reason", g_str_equal (kind, "impossible") ? REQUIRED : OPTIONAL,
                        REASON_MAX, &reason))
    return;
  if (!purposes_are_good (purposes)) {
    request_bad (request, "purposes", "wants a list of treatment, recording, teaching");
    return;
  }
  station_write (request->station, request->station->screen->id, "consent", request->user,
                 json_pack ("{s:s, s:o, s:s, s:s, s:s}", "kind", kind, "purposes",
                            purposes != NULL ? json_deep_copy (purposes) : json_array (), "by",
                            by ? by : "", "relation", relation ? relation : "", "reason",
                            reason ? reason : ""),
                 consent_saved, request_ref (request));
}

static void
note_saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL && consult == station->screen)
    channel_send_note_of (station, consult,
                          json_string_value (json_object_get (request->message, "note")));
  request_ok (request, json_pack ("{s:I}", "seq", (json_int_t)seq));
}

void
console_note_save (Request *request)
{
  const char *wrong = NULL;
  Station *station = request->station;
  if (!roles_allow_note (request))
    return;
  if (!channel_save_note (station, station->screen, request->user,
                          users_name (station->users, request->user), request->message, note_saved,
                          request, &wrong))
    request_bad (request, wrong, "is not as it must be, or is another's");
  else
    request_ref (request);
}
