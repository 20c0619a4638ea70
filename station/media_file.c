/* /media/<consultation>/<segment>/<seq>: one record of a recording, for the page's player. */
#include "records/segment.h"
#include "station/roles.h"
#include "station/server_private.h"

#include <string.h>

const Session *
media_file_session (struct lws *wsi)
{
  g_autofree char *header = server_header (wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  if (header == NULL || !g_str_has_prefix (header, "Bearer "))
    return NULL;
  Station *station = server_of (wsi)->station;
  const Session *session = sessions_find (station->sessions, header + strlen ("Bearer "));
  return session != NULL && (roles_of (station, session->user) & ROLE_CLINIC) ? session : NULL;
}

static gboolean
is_id (const char *text)
{
  gsize length = strlen (text);
  return length >= 1 && length <= 64 && strspn (text, "0123456789abcdefABCDEF-") == length;
}

void
media_file_log_view (Station *station, const Session *session, const char *consult)
{
  if (!g_hash_table_add (session->viewed, g_strdup (consult)))
    return;
  station_write (station, consult, "view", session->user, json_pack ("{s:s}", "what", "recording"),
                 NULL, NULL);
}

static unsigned
status_of (const GError *error)
{
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
    return 403;
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    return 404;
  return 500;
}

int
media_file_answer (struct lws *wsi, Connection *connection, const char *path)
{
  Station *station = server_of (wsi)->station;
  const Session *session = media_file_session (wsi);
  g_auto (GStrv) parts = g_strsplit (path + strlen ("/media/"), "/", 4);
  g_autoptr (GError) error = NULL;
  guint64 seq;
  if (session == NULL)
    return http_answer_text (wsi, connection, 401, "sign in first\n");
  if (g_strv_length (parts) != 3 || !is_id (parts[0]) || !is_id (parts[1])
      || !g_ascii_string_to_unsigned (parts[2], 10, 0, G_MAXINT64, &seq, NULL))
    return http_answer_text (wsi, connection, 404, "not found\n");
  if (station_consult (station, parts[0]) == NULL && !session->unlocked)
    return http_answer_text (wsi, connection, 403, "the record is locked\n");
  GBytes *bytes = recording_read (station->store, parts[0], parts[1], seq, &error);
  if (bytes == NULL) {
    g_info ("media: %s", error->message);
    return http_answer_text (wsi, connection, status_of (error), "this record does not open\n");
  }
  media_file_log_view (station, session, parts[0]);
  Answer answer
      = { .status = 200, .mime = "application/octet-stream", .cache = "no-store", .body = bytes };
  return http_answer (wsi, connection, &answer);
}
