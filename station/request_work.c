#include "station/request_work.h"

#include <gio/gio.h>

typedef struct {
  RequestJob job; /* message and user are the request's, which done() holds */
  RequestWork work;
  RequestRefuse refuse;
} Work;

static void
work_free (void *data)
{
  Work *work = data;
  json_decref (work->job.result);
  g_free (work);
}

static void
thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Work *work = data;
  GError *error = NULL;
  if (work->work (&work->job, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
done (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  Work *work = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    request_ok (request, g_steal_pointer (&work->job.result));
  else if (work->refuse != NULL)
    work->refuse (request, error);
  else
    request_failed (request, error);
}

void
request_work (Request *request, RequestWork work, RequestRefuse refuse)
{
  const Session *session = request->client->session;
  Work *one = g_new0 (Work, 1);
  one->job = (RequestJob){ .station = request->station,
                           .message = request->message,
                           .user = request->user,
                           .unlocked = session != NULL && session->unlocked };
  one->work = work;
  one->refuse = refuse;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done, request_ref (request));
  g_task_set_task_data (task, one, work_free);
  g_task_run_in_thread (task, thread);
}

const char *
request_job_text (const RequestJob *job, const char *field)
{
  return json_string_value (json_object_get (job->message, field));
}
