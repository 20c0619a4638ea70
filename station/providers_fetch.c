#include "station/providers_fetch.h"
#include "certs/jws.h"
#include "station/fetch.h"

#include <string.h>

#define FETCH_SECONDS 5
#define DISCOVERY_LONGEST (64 * 1024)

typedef struct {
  char *issuer, *ca_file;
  const gint *stop;
  json_t *body;
} Fetching;

static void
fetching_free (void *data)
{
  Fetching *fetching = data;
  g_free (fetching->issuer);
  g_free (fetching->ca_file);
  json_decref (fetching->body);
  g_free (fetching);
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", what);
  return FALSE;
}

char *
providers_origin_of (const char *url)
{
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  if (host == NULL || *host == '\0' || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0
      || strspn (host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:")
             != strlen (host))
    return NULL;
  g_autofree char *shown
      = strchr (host, ':') != NULL ? g_strdup_printf ("[%s]", host) : g_strdup (host);
  return g_uri_get_port (uri) > 0 ? g_strdup_printf ("https://%s:%d", shown, g_uri_get_port (uri))
                                  : g_strdup_printf ("https://%s", shown);
}

/* OpenID Connect Discovery 1.0 §4. */
static json_t *
discover (const Fetching *fetching, GError **error)
{
  gsize length = strlen (fetching->issuer);
  g_autofree char *base
      = g_strndup (fetching->issuer, fetching->issuer[length - 1] == '/' ? length - 1 : length);
  g_autofree char *url = g_strconcat (base, "/.well-known/openid-configuration", NULL);
  g_autoptr (GBytes) bytes = fetch_json (url, fetching->ca_file, DISCOVERY_LONGEST, FETCH_SECONDS,
                                         fetching->stop, error);
  if (bytes == NULL)
    return NULL;
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  json_t *about = json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
  const char *issuer = json_string_value (json_object_get (about, "issuer"));
  if (g_strcmp0 (issuer, fetching->issuer) == 0)
    return about;
  fail (error, issuer == NULL ? "the answer of .well-known/openid-configuration is none"
                              : "the provider calls itself by another issuer than station.conf");
  json_decref (about);
  return NULL;
}

static gboolean
fetch_keys (Fetching *fetching, GError **error)
{
  json_auto_t *about = discover (fetching, error);
  if (about == NULL)
    return FALSE;
  const char *url = json_string_value (json_object_get (about, "jwks_uri"));
  g_autofree char *origin
      = providers_origin_of (json_string_value (json_object_get (about, "token_endpoint")));
  if (url == NULL || origin == NULL)
    return fail (error, "the provider names no jwks_uri or no token_endpoint by https");
  g_autoptr (GBytes) bytes
      = fetch_json (url, fetching->ca_file, JWKS_LONGEST, FETCH_SECONDS, fetching->stop, error);
  if (bytes == NULL)
    return FALSE;
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  json_t *keys = jwks_parse (text, size);
  if (keys == NULL)
    return fail (error, "the provider's key set has no key that is understood");
  fetching->body = json_pack ("{s:s, s:o, s:[s], s:I}", "issuer", fetching->issuer, "keys", keys,
                              "origins", origin, "fetched_us", (json_int_t)g_get_real_time ());
  return TRUE;
}

static void
fetch_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  GError *error = NULL;
  if (fetch_keys (data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
providers_fetch (const ConfigProvider *provider, const gint *stop, GAsyncReadyCallback done,
                 void *arg)
{
  Fetching *fetching = g_new0 (Fetching, 1);
  fetching->issuer = g_strdup (provider->issuer);
  fetching->ca_file = g_strdup (provider->ca_file);
  fetching->stop = stop;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done, arg);
  g_task_set_task_data (task, fetching, fetching_free);
  g_task_run_in_thread (task, fetch_thread);
}

json_t *
providers_fetched (GAsyncResult *result, GError **error)
{
  Fetching *fetching = g_task_get_task_data (G_TASK (result));
  return g_task_propagate_boolean (G_TASK (result), error) ? json_incref (fetching->body) : NULL;
}
