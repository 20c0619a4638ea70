#include "station/whip/whip_client.h"
#include "station/whip/whip_fragment.h"
#include "station/whip/whip_wire.h"

#include <gio/gio.h>
#include <string.h>

enum { WAITING_MAX = 64 };

struct WhipClient {
  gatomicrefcount references;
  char *url, *token, *ca_file;
  GStrv hosts;
  guint *pending;
  WhipEvents events;
  void *arg;
  gint stop; /* atomic: requests are given up */
  gboolean running, ended, over;
  WhipAsk asked; /* what runs */
  GQueue jobs;   /* WhipJob */
  char *resource, *etag;
  char *description;  /* the server's, as it holds now */
  GPtrArray *waiting; /* char *: candidates that have not been sent */
  gboolean all_told, no_trickle;
};

static void run_next (WhipClient *client);

static void
client_unref (WhipClient *client)
{
  if (!g_atomic_ref_count_dec (&client->references))
    return;
  g_free (client->url);
  g_free (client->token);
  g_free (client->ca_file);
  g_strfreev (client->hosts);
  g_free (client->resource);
  g_free (client->etag);
  g_free (client->description);
  g_ptr_array_unref (client->waiting);
  g_free (client);
}

static void
job_free (gpointer data)
{
  WhipJob *job = data;
  client_unref (job->client);
  whip_job_clear (job);
  g_free (job);
}

/* ---- What came --------------------------------------------------------------------------------
 */

static void
fail (WhipClient *client, const WhipWords *why)
{
  if (client->ended || client->over)
    return;
  client->over = TRUE;
  client->events.failed (client, why, client->arg);
}

/* A description in the body (transfer full); NULL: there is none. */
static char *
text_of (const WhipJob *job)
{
  gsize size;
  const char *data = g_bytes_get_data (job->answer.body, &size);
  return size > 0 && memchr (data, '\0', size) == NULL ? g_strndup (data, size) : NULL;
}

static void
keep_etag (WhipClient *client, const WhipJob *job)
{
  if (job->answer.etag == NULL)
    return;
  g_free (client->etag);
  client->etag = g_strdup (job->answer.etag);
}

static void
take_options (WhipClient *client, const WhipJob *job)
{
  gboolean good = job->answer.status >= 200 && job->answer.status <= 299;
  g_autoptr (WhipServers) servers
      = whip_links_parse (good ? job->answer.links : NULL, client->ca_file);
  client->events.ready (client, servers, client->arg);
}

static void flush_candidates (WhipClient *client);

static void
take_description (WhipClient *client, const WhipJob *job, gboolean counter)
{
  g_autofree char *sdp = text_of (job);
  keep_etag (client, job);
  if (sdp == NULL) {
    fail (client, whip_words_code ("description"));
    return;
  }
  g_free (client->description);
  client->description = g_strdup (sdp);
  if (counter)
    g_ptr_array_set_size (client->waiting, 0);
  if (counter)
    client->events.counter (client, sdp, client->arg);
  else
    client->events.answer (client, sdp, client->arg);
  flush_candidates (client);
}

static void
take_offered (WhipClient *client, const WhipJob *job)
{
  long status = job->answer.status;
  gboolean made = status == 201 || status == 200;
  gboolean counter = status == 406 && g_str_equal (job->answer.type, WHIP_SDP_TYPE);
  if (!made && !counter) {
    fail (client, whip_words_status (status));
    return;
  }
  client->resource
      = whip_resolve (job->url, job->answer.location, (const char *const *)client->hosts);
  if (client->ended)
    return;
  if (client->resource == NULL)
    fail (client, whip_words_code ("no-session"));
  else if (!g_str_equal (job->answer.type, WHIP_SDP_TYPE))
    fail (client, whip_words_code ("description"));
  else
    take_description (client, job, counter);
}

/* Without trickle what was in the offer has to do; the server's checks find the rest. */
static void
take_trickled (WhipClient *client, const WhipJob *job)
{
  keep_etag (client, job);
  if (job->answer.status == 404 || job->answer.status == 410)
    fail (client, whip_words_code ("gone"));
  else if (job->answer.status > 299) {
    g_info ("whip: candidates are not taken (%ld)", job->answer.status);
    client->no_trickle = TRUE;
  }
}

static void
take_restarted (WhipClient *client, const WhipJob *job)
{
  g_autofree char *text = text_of (job);
  g_autoptr (WhipFragment) fragment
      = job->answer.status == 200 && text != NULL ? whip_fragment_parse (text, NULL) : NULL;
  if (fragment == NULL || fragment->ufrag == NULL || client->description == NULL) {
    fail (client, whip_words_code ("restart"));
    return;
  }
  keep_etag (client, job);
  char *sdp = whip_fragment_apply (client->description, fragment);
  g_free (client->description);
  client->description = sdp;
  client->events.answer (client, sdp, client->arg);
  flush_candidates (client);
}

static void
take (WhipClient *client, const WhipJob *job)
{
  if (job->astray) {
    fail (client, whip_words_code ("redirected"));
    return;
  }
  if (client->ended && job->ask != WHIP_OFFER)
    return;
  switch (job->ask) {
  case WHIP_OPTIONS:
    take_options (client, job);
    break;
  case WHIP_OFFER:
    take_offered (client, job);
    break;
  case WHIP_TRICKLE:
    take_trickled (client, job);
    break;
  case WHIP_RESTART:
    take_restarted (client, job);
    break;
  case WHIP_ANSWER:
    if (job->answer.status > 299)
      fail (client, whip_words_status (job->answer.status));
    break;
  case WHIP_DELETE:
    break;
  }
}

static void
done (GObject *source, GAsyncResult *result, gpointer data)
{
  const WhipJob *job = g_task_get_task_data (G_TASK (result));
  WhipClient *client = job->client;
  g_autoptr (GError) error = NULL;
  client->running = FALSE;
  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    g_message ("whip: %s %s: %ld", whip_method (job->ask), job->url, job->answer.status);
    take (client, job);
  } else {
    g_warning ("whip: %s: %s", whip_method (job->ask), error->message);
    if (job->ask != WHIP_TRICKLE)
      fail (client, whip_words_error (error));
  }
  run_next (client);
  (*client->pending)--;
}

/* ---- One after the other ----------------------------------------------------------------------
 */

/* What is known by now goes with it. */
static void
complete (WhipClient *client, WhipJob *job)
{
  gboolean at_session = job->ask != WHIP_OPTIONS && job->ask != WHIP_OFFER;
  job->url = g_strdup (at_session ? client->resource : client->url);
  job->token = g_strdup (client->token);
  job->ca_file = g_strdup (client->ca_file);
  job->hosts = g_strdupv (client->hosts);
  /* RFC 9725 §4.3: a restart matches whatever is there. */
  if (job->ask == WHIP_RESTART)
    job->etag = g_strdup (client->etag != NULL ? "*" : NULL);
  else if (job->ask == WHIP_TRICKLE)
    job->etag = g_strdup (client->etag);
}

static void
run_next (WhipClient *client)
{
  while (!client->running && !g_queue_is_empty (&client->jobs)) {
    WhipJob *job = g_queue_pop_head (&client->jobs);
    complete (client, job);
    if (job->url == NULL || (client->over && job->ask != WHIP_DELETE)) {
      job_free (job);
      continue;
    }
    client->running = TRUE;
    client->asked = job->ask;
    (*client->pending)++;
    g_autoptr (GTask) task = g_task_new (NULL, NULL, done, NULL);
    g_task_set_task_data (task, job, job_free);
    g_task_run_in_thread (task, whip_wire_thread);
  }
}

static void
ask (WhipClient *client, WhipAsk what, const char *text)
{
  WhipJob *job = g_new0 (WhipJob, 1);
  job->client = client;
  job->stop = &client->stop;
  g_atomic_ref_count_inc (&client->references);
  job->ask = what;
  if (text != NULL)
    job->body = g_bytes_new (text, strlen (text));
  g_queue_push_tail (&client->jobs, job);
  run_next (client);
}

/* ---- Candidates -------------------------------------------------------------------------------
 */

static gboolean
is_waiting (const WhipClient *client, WhipAsk what)
{
  for (GList *l = client->jobs.head; l != NULL; l = l->next)
    if (((WhipJob *)l->data)->ask == what)
      return TRUE;
  return FALSE;
}

static void
flush_candidates (WhipClient *client)
{
  if (client->resource == NULL || client->no_trickle || client->ended || client->over
      || is_waiting (client, WHIP_RESTART) || (client->waiting->len == 0 && !client->all_told))
    return;
  WhipFragment fragment = { .candidates = client->waiting, .end = client->all_told };
  g_autofree char *text = whip_fragment_write (&fragment);
  ask (client, WHIP_TRICKLE, text);
  g_ptr_array_set_size (client->waiting, 0);
  client->all_told = FALSE;
}

void
whip_client_candidate (WhipClient *client, const char *line)
{
  if (line == NULL)
    client->all_told = TRUE;
  else if (client->waiting->len < WAITING_MAX)
    g_ptr_array_add (client->waiting, g_strdup (line));
  flush_candidates (client);
}

/* ---- Life -------------------------------------------------------------------------------------
 */

WhipClient *
whip_client_new (const WhipServer *server, const WhipEvents *events, void *arg)
{
  WhipClient *client = g_new0 (WhipClient, 1);
  g_atomic_ref_count_init (&client->references);
  client->url = g_strdup (server->url);
  client->token = g_strdup (server->token);
  client->ca_file = g_strdup (server->ca_file);
  client->hosts = g_strdupv ((char **)server->hosts);
  client->pending = server->pending;
  client->events = *events;
  client->arg = arg;
  client->waiting = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&client->jobs);
  ask (client, WHIP_OPTIONS, NULL);
  return client;
}

void
whip_client_offer (WhipClient *client, const char *sdp)
{
  ask (client, WHIP_OFFER, sdp);
}

void
whip_client_answer (WhipClient *client, const char *sdp)
{
  ask (client, WHIP_ANSWER, sdp);
}

void
whip_client_restart (WhipClient *client, const char *sdp)
{
  g_autoptr (WhipFragment) fragment = whip_fragment_parse (sdp, NULL);
  if (fragment == NULL || client->resource == NULL) {
    fail (client, whip_words_code ("restart"));
    return;
  }
  /* Of the generation before. */
  g_ptr_array_set_size (client->waiting, 0);
  client->all_told = FALSE;
  g_autofree char *text = whip_fragment_write (fragment);
  ask (client, WHIP_RESTART, text);
}

void
whip_client_end (WhipClient *client)
{
  client->ended = client->over = TRUE;
  /* An offer on its way may make a session that has to be deleted. */
  if (!client->running || client->asked != WHIP_OFFER)
    g_atomic_int_set (&client->stop, 1);
  ask (client, WHIP_DELETE, NULL);
  client_unref (client);
}
