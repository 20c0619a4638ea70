/* /paper/<consultation>/<kind>: minutes, referral (PDF) or prescription (JSON), made now from what
 * the record says, in a thread. That it was taken out is logged. */
#include "station/papers/papers.h"
#include "station/server_private.h"
#include "station/station.h"

#include <gio/gio.h>
#include <string.h>

typedef struct {
  Station *station;
  char *consult, *name, *user, *word;
  PaperKind kind;
  Waiting *waiting;
} Making;

static void
making_free (gpointer data)
{
  Making *making = data;
  g_free (making->consult);
  g_free (making->name);
  g_free (making->user);
  g_free (making->word);
  g_free (making);
}

static void
make_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  Making *making = data;
  GError *error = NULL;
  g_autofree char *what = g_strconcat ("paper-", making->word, NULL);
  json_auto_t *view = json_pack ("{s:s}", "what", what);
  GBytes *bytes
      = paper_make (making->station->store, making->name, making->consult, making->kind, &error);
  if (bytes != NULL
      && !store_put_sync (making->station->store, making->consult, "view", making->user, view, NULL,
                          &error))
    g_clear_pointer (&bytes, g_bytes_unref);
  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
made (GObject *source, GAsyncResult *result, gpointer data)
{
  Making *making = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);
  making->station->pending--;
  if (error != NULL)
    g_info ("papers: %s", error->message);
  http_give (making->waiting, bytes,
             g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND) ? 404
             : g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED)  ? 403
                                                                             : 500);
}

int
paper_file_answer (struct lws *wsi, Connection *connection, const char *path)
{
  Station *station = server_of (wsi)->station;
  const Session *session = media_file_session (wsi);
  g_auto (GStrv) parts = g_strsplit (path + strlen ("/paper/"), "/", 3);
  PaperKind kind;
  if (session == NULL)
    return http_answer_text (wsi, connection, 401, "sign in first\n");
  if (g_strv_length (parts) != 2 || !paper_kind_from_name (parts[1], &kind))
    return http_answer_text (wsi, connection, 404, "not found\n");
  if (station_consult (station, parts[0]) == NULL && !session->unlocked)
    return http_answer_text (wsi, connection, 403, "the record is locked\n");
  Making *making = g_new0 (Making, 1);
  *making = (Making){ .station = station,
                      .consult = g_strdup (parts[0]),
                      .name = g_strdup (station->config->station_name),
                      .user = g_strdup (session->user),
                      .word = g_strdup (parts[1]),
                      .kind = kind,
                      .waiting = http_wait (wsi, connection, paper_mime_type (kind)) };
  station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, made, NULL);
  g_task_set_task_data (task, making, making_free);
  g_task_run_in_thread (task, make_thread);
  return 0;
}
