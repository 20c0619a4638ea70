/* "appointment.send": the link to the province's gateway for text messages ([visits] gateway). It
 * carries a telephone number, the link and the words around it: no name, no reason, and never the
 * PIN. */
#include "station/guests.h"
#include "station/tls_fetch.h"
#include "station/visits.h"

#include <gio/gio.h>
#include <string.h>

#define SECONDS 20

typedef struct {
  Request *request;
  char *consult;
  char *url, *token, *ca_file;
  GBytes *body;
} Sending;

static void
sending_free (void *data)
{
  Sending *sending = data;
  g_free (sending->consult);
  g_free (sending->url);
  g_free (sending->token);
  g_free (sending->ca_file);
  g_bytes_unref (sending->body);
  g_free (sending);
}

/* ---- The wire, in a worker thread -------------------------------------------------------------
 */

/* Any status from 200 to 299 will do; what the gateway says besides is thrown away. */
static gboolean
post (const Sending *sending, GError **error)
{
  g_auto (TlsAnswer) answer = { 0 };
  const TlsFetch request = { .url = sending->url,
                             .body = sending->body,
                             .type = "application/json",
                             .bearer = sending->token,
                             .ca_file = sending->ca_file,
                             .seconds = SECONDS };
  if (!tls_fetch (&request, &answer, error))
    return FALSE;
  if (answer.status >= 200 && answer.status <= 299)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s answers with status %ld", sending->url,
               answer.status);
  return FALSE;
}

static void
send_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Sending *sending = data;
  GError *error = NULL;
  if (post (sending, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* ---- "appointment.send" -----------------------------------------------------------------------
 */

static void
sent (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  const Sending *sending = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    if (station_consult (request->station, sending->consult) != NULL)
      station_event (request->station, sending->consult, request->user, "link-sent", NULL);
    request_ok (request, NULL);
    return;
  }
  g_warning ("visits: the gateway for messages: %s", error->message);
  request_refuse_with (request, "failed",
                       "Cổng tin nhắn không nhận. Hãy chép nội dung và tự gửi; nhật ký của trạm có "
                       "lý do.",
                       "The message gateway did not take it. Copy the text and send it yourself; "
                       "the station's log has the reason.",
                       NULL);
}

static GBytes *
body_of (Station *station, const Consult *consult, const Invite *invite, const char *phone)
{
  g_autofree char *text = visit_message (station, consult, invite);
  g_autofree char *link = invite_link (station, invite);
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s}", "id", invite->id, "to", phone, "text",
                                 text, "link", link);
  char *bytes = json_dumps (body, JSON_COMPACT);
  return g_bytes_new_with_free_func (bytes, strlen (bytes), free, bytes);
}

/* NULL: it has been refused. */
static const char *
phone_of (Request *request, const Consult *consult)
{
  const char *phone = json_string_value (json_object_get (consult->appointment, "phone"));
  if (phone != NULL && *phone != '\0')
    return phone;
  request_refuse_with (request, "not-allowed", "Cuộc hẹn này chưa có số điện thoại.",
                       "This appointment has no telephone number.", NULL);
  return NULL;
}

void
visits_send (Request *request)
{
  const char *id, *phone;
  Station *station = request->station;
  const ConfigVisits *config = &station->config->visits;
  if (!request_id (request, "appointment", REQUIRED, &id))
    return;
  Consult *consult = station_consult (station, id);
  const Invite *invite = consult != NULL ? visit_invite (consult) : NULL;
  if (invite == NULL || config->url == NULL) {
    request_refuse (request, config->url == NULL ? "out-of-place" : "no-such");
    return;
  }
  if ((phone = phone_of (request, consult)) == NULL)
    return;
  Sending *sending = g_new0 (Sending, 1);
  *sending = (Sending){ .consult = g_strdup (id),
                        .url = g_strdup (config->url),
                        .token = g_strdup (config->token),
                        .ca_file = g_strdup (config->ca_file),
                        .body = body_of (station, consult, invite, phone) };
  station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, sent, request_ref (request));
  g_task_set_task_data (task, sending, sending_free);
  g_task_run_in_thread (task, send_thread);
}
