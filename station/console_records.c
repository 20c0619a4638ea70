/* The console's messages about records, and what `check` says. */
#include "station/check.h"
#include "station/console_private.h"
#include "station/record_view.h"
#include "station/station.h"

#include <gio/gio.h>

#define OBSERVATIONS_MAX 600

/* Work on the store, off the main loop. */
typedef struct {
  Station *station;
  char *text; /* an id; NULL: none */
  char *user;
  guint limit;
  gint64 after; /* seq */
  gboolean unlocked;
  json_t *result;
} Job;

static void
job_free (void *data)
{
  Job *job = data;
  g_free (job->text);
  g_free (job->user);
  json_decref (job->result);
  g_free (job);
}

static void
job_done (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  Job *job = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    request_failed (request, error);
  else
    request_ok (request, g_steal_pointer (&job->result));
}

static void
job_start (Request *request, const char *text, guint limit, gint64 after, GTaskThreadFunc work)
{
  Job *job = g_new0 (Job, 1);
  const Session *session = request->client->session;
  job->station = request->station;
  job->text = g_strdup (text);
  job->user = g_strdup (request->user);
  job->limit = limit;
  job->after = after;
  job->unlocked = session != NULL && session->unlocked;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, job_done, request_ref (request));
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, work);
}

/* ---- record.list
 * ------------------------------------------------------------------------------------ */

static void
list_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  Store *store = job->station->store;
  g_autoptr (GPtrArray) ids = store_list_some (store, job->text, job->limit, &error);
  if (ids == NULL) {
    g_task_return_error (task, error);
    return;
  }
  json_t *records = json_array ();
  for (guint i = 0; i < ids->len; i++)
    json_array_append_new (records, record_view_line (store, ids->pdata[i], job->unlocked));
  job->result = json_pack ("{s:o}", "records", records);
  g_task_return_boolean (task, TRUE);
}

void
console_record_list (Request *request)
{
  const char *before;
  gint64 limit = 50;
  if (!request_id (request, "before", OPTIONAL, &before))
    return;
  if (json_object_get (request->message, "limit") != NULL
      && !request_number (request, "limit", 1, 100, &limit))
    return;
  job_start (request, before, (guint)limit, 0, list_thread);
}

/* ---- record.open
 * ------------------------------------------------------------------------------------ */

static gboolean
may_open (const Job *job, GError **error)
{
  g_autofree char *state = record_view_state (job->station->store, job->text, error);
  if (state == NULL)
    return FALSE;
  if (job->unlocked || (!g_str_equal (state, "signed") && !g_str_equal (state, "cancelled")))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED, "the vault is closed");
  return FALSE;
}

static void
open_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  json_t *record = NULL;
  if (may_open (job, &error))
    record = record_view_whole (job->station->store, job->text, OBSERVATIONS_MAX, &error);
  if (record == NULL) {
    g_task_return_error (task, error);
    return;
  }
  job->result = json_pack ("{s:o}", "record", record);
  json_auto_t *view = json_pack ("{s:s}", "what", "record");
  if (!store_put_sync (job->station->store, job->text, "view", job->user, view, NULL, &error))
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

void
console_record_open (Request *request)
{
  const char *id;
  if (!request_id (request, "consultation", REQUIRED, &id))
    return;
  job_start (request, id, 0, 0, open_thread);
}

/* ---- record.waves
 * ----------------------------------------------------------------------------------- */

static void
waves_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  if (may_open (job, &error))
    job->result
        = record_view_waves (job->station->store, job->text, job->after, job->limit, &error);
  if (job->result == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

void
console_record_waves (Request *request)
{
  const char *id;
  gint64 after, limit;
  if (!request_id (request, "consultation", REQUIRED, &id)
      || !request_number (request, "after", 0, G_MAXINT32, &after)
      || !request_number (request, "limit", 1, 60, &limit))
    return;
  job_start (request, id, (guint)limit, after, waves_thread);
}

/* ---- check
 * -------------------------------------------------------------------------------------------- */

static void
check_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Job *job = data;
  g_autoptr (GPtrArray) findings = check_machine (job->station->config, CHECK_RUNNING);
  check_vault (job->station->vault, findings);
  job->result = json_pack ("{s:o}", "findings", check_to_json (findings));
  g_task_return_boolean (task, TRUE);
}

void
console_check (Request *request)
{
  job_start (request, NULL, 0, 0, check_thread);
}
