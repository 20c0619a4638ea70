#include "station/whip/whip_wire.h"
#include "station/whip/whip_fragment.h"

#include <string.h>

enum {
  SECONDS = 20,
  DELETE_SECONDS = 5,
  REDIRECTIONS = 3,
  ANSWER_MAX = 128 * 1024,
};

void
whip_job_clear (WhipJob *job)
{
  g_free (job->url);
  g_free (job->token);
  g_free (job->ca_file);
  g_free (job->etag);
  g_strfreev (job->hosts);
  g_clear_pointer (&job->body, g_bytes_unref);
  tls_answer_clear (&job->answer);
}

/* ---- Where it may go --------------------------------------------------------------------------
 */

gboolean
whip_may_go (const char *from, const char *to, const char *const *hosts)
{
  g_autoptr (GUri) a = g_uri_parse (from, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GUri) b = g_uri_parse (to, G_URI_FLAGS_NONE, NULL);
  const char *host = b != NULL ? g_uri_get_host (b) : NULL;
  if (a == NULL || host == NULL || *host == '\0' || g_uri_get_userinfo (b) != NULL)
    return FALSE;
  gboolean safe = g_str_equal (g_uri_get_scheme (b), "https")
                  || (g_str_equal (g_uri_get_scheme (b), "http")
                      && g_str_equal (g_uri_get_scheme (a), "http"));
  gboolean same = g_ascii_strcasecmp (g_uri_get_host (a), host) == 0;
  return safe && (same || (hosts != NULL && g_strv_contains (hosts, host)));
}

char *
whip_resolve (const char *base, const char *location, const char *const *hosts)
{
  char *url = location != NULL ? g_uri_resolve_relative (base, location, G_URI_FLAGS_ENCODED, NULL)
                               : NULL;
  if (url != NULL && !whip_may_go (base, url, hosts))
    g_clear_pointer (&url, g_free);
  return url;
}

/* ---- The wire, in a worker thread -------------------------------------------------------------
 */

const char *
whip_method (WhipAsk ask)
{
  static const char *const methods[] = { "OPTIONS", "POST", "PATCH", "PATCH", "PATCH", "DELETE" };
  return methods[ask];
}

static const char *
type_of (WhipAsk ask)
{
  return ask == WHIP_TRICKLE || ask == WHIP_RESTART ? WHIP_FRAGMENT_TYPE : WHIP_SDP_TYPE;
}

static gboolean
ask_once (WhipJob *job, GError **error)
{
  gboolean deletes = job->ask == WHIP_DELETE;
  const TlsFetch request = { .url = job->url,
                             .method = whip_method (job->ask),
                             .body = job->body,
                             .type = type_of (job->ask),
                             .if_match = job->etag,
                             .bearer = job->token,
                             .ca_file = job->ca_file,
                             .largest = ANSWER_MAX,
                             .seconds = deletes ? DELETE_SECONDS : SECONDS,
                             .stop = deletes ? NULL : job->stop };
  return tls_fetch (&request, &job->answer, error);
}

static gboolean
is_redirection (const WhipJob *job)
{
  return job->answer.status == 307 || job->answer.status == 308;
}

void
whip_wire_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  WhipJob *job = data;
  GError *error = NULL;
  for (guint i = 0; i <= REDIRECTIONS; i++) {
    tls_answer_clear (&job->answer);
    if (!ask_once (job, &error)) {
      g_task_return_error (task, error);
      return;
    }
    if (!is_redirection (job))
      break;
    char *next = whip_resolve (job->url, job->answer.location, (const char *const *)job->hosts);
    job->astray = next == NULL || i == REDIRECTIONS;
    if (next == NULL)
      break;
    g_free (job->url);
    job->url = next;
  }
  g_task_return_boolean (task, TRUE);
}
