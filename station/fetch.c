#include "station/fetch.h"

#include <curl/curl.h>
#include <gio/gio.h>
#include <string.h>

typedef struct {
  GByteArray *bytes;
  gsize largest;
} Answer;

static size_t
take (char *data, size_t size, size_t count, void *arg)
{
  Answer *answer = arg;
  if (answer->bytes->len + size * count > answer->largest)
    return 0; /* ends the transfer */
  g_byte_array_append (answer->bytes, (const guint8 *)data, (guint)(size * count));
  return size * count;
}

static void
set_global (void)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    curl_global_init (CURL_GLOBAL_DEFAULT);
    g_once_init_leave (&once, 1);
  }
}

static gboolean
type_is (const char *type, const char *wanted)
{
  gsize length = strlen (wanted);
  return type != NULL && g_ascii_strncasecmp (type, wanted, length) == 0
         && (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
}

GBytes *
fetch_post (const char *url, const char *type, GBytes *body, const char *wanted, gsize largest,
            guint seconds, GError **error)
{
  set_global ();
  Answer answer = { g_byte_array_new (), largest };
  g_autofree char *header = g_strdup_printf ("Content-Type: %s", type);
  struct curl_slist *headers = curl_slist_append (NULL, header);
  CURL *curl = curl_easy_init ();
  gsize size;
  const void *data = g_bytes_get_data (body, &size);
  long status = 0;
  char *given = NULL;

  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, (long)seconds);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt (curl, CURLOPT_POSTFIELDS, data);
  curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE, (long)size);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, &answer);
  CURLcode code = curl_easy_perform (curl);
  curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (curl, CURLINFO_CONTENT_TYPE, &given);
  if (code != CURLE_OK)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", url, curl_easy_strerror (code));
  else if (status != 200)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s answers with status %ld", url, status);
  else if (!type_is (given, wanted)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s answers with something else than %s",
                 url, wanted);
    code = CURLE_WEIRD_SERVER_REPLY;
  }
  curl_easy_cleanup (curl);
  curl_slist_free_all (headers);
  GBytes *bytes = g_byte_array_free_to_bytes (answer.bytes);
  if (code == CURLE_OK && status == 200)
    return bytes;
  g_bytes_unref (bytes);
  return NULL;
}
