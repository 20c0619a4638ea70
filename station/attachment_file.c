/* /attachment/<consultation>/<id>: an attachment as it came.
 * /attachment/<consultation>/<id>/<frame>/<form>: a picture of a DICOM object (dicom_read.h).
 * Both are had from elsewhere while the connection waits. */
#include "records/attachment.h"
#include "station/dicom.h"
#include "station/server_private.h"

#include <gio/gio.h>

#include <string.h>

#define WAIT_SECONDS 90

static const char *
mime_of (const char *form)
{
  static const char *const pictures[] = { "thumb", "small", NULL };
  return g_strv_contains (pictures, form) ? "image/jpeg" : "application/octet-stream";
}

/* ---- Waiting ------------------------------------------------------------------------------ */

struct Waiting {
  Connection *connection; /* NULL: it is gone */
  DicomAsk *ask;
  const char *mime;
  GBytes *bytes; /* NULL: not here, status and why tell */
  unsigned status;
  gboolean is_ready;
};

static unsigned
status_of (const char *why)
{
  static const struct {
    const char *why;
    unsigned status;
  } known[] = { { "locked", 403 },     { "no-such", 404 }, { "undecodable", 422 },
                { "unreadable", 422 }, { "busy", 503 },    { "slow", 503 } };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_strcmp0 (known[i].why, why) == 0)
      return known[i].status;
  return 500;
}

void
http_give (Waiting *waiting, GBytes *bytes, unsigned status)
{
  Connection *connection = waiting->connection;
  waiting->ask = NULL;
  if (connection == NULL) {
    g_free (waiting);
    return;
  }
  waiting->bytes = bytes != NULL ? g_bytes_ref (bytes) : NULL;
  waiting->status = bytes != NULL ? 200 : status;
  waiting->is_ready = TRUE;
  lws_callback_on_writable (connection->wsi);
}

int
attachment_file_ready (struct lws *wsi, Connection *connection)
{
  Waiting *waiting = connection->waiting;
  if (!waiting->is_ready)
    return 0;
  connection->waiting = NULL;
  Answer answer
      = { .status = 200, .mime = waiting->mime, .cache = "no-store", .body = waiting->bytes };
  unsigned status = waiting->status;
  g_free (waiting);
  return answer.body != NULL ? http_answer (wsi, connection, &answer)
                             : http_answer_text (wsi, connection, status, "not to be had\n");
}

void
attachment_file_gone (Connection *connection)
{
  Waiting *waiting = connection->waiting;
  connection->waiting = NULL;
  if (waiting == NULL)
    return;
  waiting->connection = NULL;
  if (waiting->ask != NULL)
    dicom_ask_cancel (waiting->ask);
  else if (!waiting->is_ready)
    return; /* a thread reads for it, and frees it */
  g_clear_pointer (&waiting->bytes, g_bytes_unref);
  g_free (waiting);
}

Waiting *
http_wait (struct lws *wsi, Connection *connection, const char *mime)
{
  Waiting *waiting = g_new0 (Waiting, 1);
  waiting->connection = connection;
  waiting->mime = mime;
  connection->waiting = waiting;
  connection->wsi = wsi;
  lws_set_timeout (wsi, PENDING_TIMEOUT_HTTP_CONTENT, WAIT_SECONDS);
  return waiting;
}

/* ---- A picture ---------------------------------------------------------------------------- */

static void
pictured (GBytes *bytes, const char *why, void *arg)
{
  http_give (arg, bytes, status_of (why));
}

static int
answer_picture (struct lws *wsi, Connection *connection, char **parts)
{
  Station *station = server_of (wsi)->station;
  guint64 frame;
  if (!g_ascii_string_to_unsigned (parts[2], 10, 0, 4999, &frame, NULL)
      || !dicom_form_is_known (parts[3]))
    return http_answer_text (wsi, connection, 404, "not found\n");
  Waiting *waiting = http_wait (wsi, connection, mime_of (parts[3]));
  waiting->ask = dicom_picture (dicom_reader (station->dicom), parts[0], parts[1], (guint)frame,
                                parts[3], pictured, waiting);
  return 0;
}

/* ---- The whole ---------------------------------------------------------------------------- */

typedef struct {
  Station *station;
  char *consult, *id;
  Waiting *waiting;
} Whole;

static void
whole_free (gpointer data)
{
  Whole *whole = data;
  g_free (whole->consult);
  g_free (whole->id);
  g_free (whole);
}

static void
whole_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  Whole *whole = data;
  GError *error = NULL;
  GBytes *bytes = attachment_read (whole->station->store, whole->consult, whole->id, 0,
                                   ATTACHMENT_MAX, &error);
  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
whole_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Whole *whole = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);
  whole->station->pending--;
  http_give (whole->waiting, bytes,
         g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND) ? 404 : 500);
}

static int
answer_whole (struct lws *wsi, Connection *connection, char **parts)
{
  Whole *whole = g_new0 (Whole, 1);
  *whole = (Whole){ server_of (wsi)->station, g_strdup (parts[0]), g_strdup (parts[1]),
                    http_wait (wsi, connection, "application/octet-stream") };
  whole->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, whole_done, NULL);
  g_task_set_task_data (task, whole, whole_free);
  g_task_run_in_thread (task, whole_thread);
  return 0;
}

int
attachment_file_answer (struct lws *wsi, Connection *connection, const char *path)
{
  Station *station = server_of (wsi)->station;
  const Session *session = media_file_session (wsi);
  g_auto (GStrv) parts = g_strsplit (path + strlen ("/attachment/"), "/", 5);
  guint n = g_strv_length (parts);
  if (session == NULL)
    return http_answer_text (wsi, connection, 401, "sign in first\n");
  if (n != 2 && n != 4)
    return http_answer_text (wsi, connection, 404, "not found\n");
  if (station_consult (station, parts[0]) == NULL && !session->unlocked)
    return http_answer_text (wsi, connection, 403, "the record is locked\n");
  media_file_log_view (station, session, parts[0]);
  return n == 4 ? answer_picture (wsi, connection, parts) : answer_whole (wsi, connection, parts);
}
