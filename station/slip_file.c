/* /slip/<consultation>/<invitation>/<link|pin>: a slip for the patient, made now (papers/slip.h).
 */
#include "station/clock.h"
#include "station/guests.h"
#include "station/papers/slip.h"
#include "station/server_private.h"
#include "station/visits.h"

#include <string.h>

static GBytes *
make (Station *station, const Consult *consult, const Invite *invite, gboolean pin, GError **error)
{
  gint64 at_us = json_integer_value (json_object_get (consult->appointment, "at_us"));
  const Config *config = station->config;
  g_autofree char *when = at_us > 0 ? visit_when (at_us) : NULL;
  g_autofree char *link = pin ? NULL : invite_link (station, invite);
  g_autofree char *now = clock_text (g_get_real_time ());
  g_autofree char *created = g_strdup_printf ("%.19sZ", now);
  const Slip slip = { .station = config->station_name,
                      .address = config->facility_address,
                      .phone = config->facility_phone,
                      .patient = consult_patient_name (consult),
                      .when = when,
                      .link = link,
                      .pin = pin ? invite->pin : NULL,
                      .created = created };
  return slip_make (&slip, error);
}

int
slip_file_answer (struct lws *wsi, Connection *connection, const char *path)
{
  Station *station = server_of (wsi)->station;
  g_auto (GStrv) parts = g_strsplit (path + strlen ("/slip/"), "/", 4);
  g_autoptr (GError) error = NULL;
  if (media_file_session (wsi) == NULL)
    return http_answer_text (wsi, connection, 401, "sign in first\n");
  gboolean whole = g_strv_length (parts) == 3
                   && (g_str_equal (parts[2], "link") || g_str_equal (parts[2], "pin"));
  Consult *consult = whole ? station_consult (station, parts[0]) : NULL;
  const Invite *invite = consult != NULL ? consult_invite (consult, parts[1]) : NULL;
  if (invite == NULL || invite->pin == NULL || invite->state == INVITE_REVOKED)
    return http_answer_text (wsi, connection, 404, "not found\n");
  GBytes *bytes = make (station, consult, invite, g_str_equal (parts[2], "pin"), &error);
  if (bytes == NULL) {
    g_warning ("slip: %s", error->message);
    return http_answer_text (wsi, connection, 500, "the slip cannot be made\n");
  }
  Answer answer = { .status = 200, .mime = "application/pdf", .cache = "no-store", .body = bytes };
  return http_answer (wsi, connection, &answer);
}
