#include "station/fetch.h"
#include "station/tls_fetch.h"

#include <gio/gio.h>

/* What came, when all of it is as it should be. wanted: media type; NULL: whatever it says. */
static GBytes *
fetch (const TlsFetch *request, const char *wanted, GError **error)
{
  g_auto (TlsAnswer) answer = { 0 };
  if (!tls_fetch (request, &answer, error))
    return NULL;
  if (answer.status != 200)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s answers with status %ld", request->url,
                 answer.status);
  else if (wanted != NULL && !g_str_equal (answer.type, wanted))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s answers with something else than %s",
                 request->url, wanted);
  else
    return g_steal_pointer (&answer.body);
  return NULL;
}

GBytes *
fetch_post (const char *url, const char *type, GBytes *body, const char *wanted, gsize largest,
            guint seconds, GError **error)
{
  const TlsFetch request
      = { .url = url, .body = body, .type = type, .largest = largest, .seconds = seconds };
  return fetch (&request, wanted, error);
}

GBytes *
fetch_json (const char *url, const char *ca_file, gsize largest, guint seconds, const gint *stop,
            GError **error)
{
  const TlsFetch request = { .url = url,
                             .ca_file = ca_file,
                             .https_only = TRUE,
                             .largest = largest,
                             .seconds = seconds,
                             .stop = stop };
  return fetch (&request, NULL, error);
}
