/* By libcurl. */
#include "station/fhir_rest.h"
#include "station/cli.h"
#include "station/deliver.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_S 20L
#define WHOLE_S (20 * 60L)
#define SLOW_BYTES 50L /* per second, over SLOW_S: given up */
#define SLOW_S 60L

struct FhirRest {
  const ConfigDeliver *to;
  const gint *stop;
  CURL *curl;
  char *secret;
  /* Of the call. */
  struct curl_slist *headers;
  char *url;
  GByteArray *answer;
  gsize most;
  char text[CURL_ERROR_SIZE];
};

static size_t
take_answer (char *data, size_t size, size_t n, void *arg)
{
  FhirRest *rest = arg;
  size_t bytes = size * n;
  if (bytes > rest->most - rest->answer->len)
    return 0;
  g_byte_array_append (rest->answer, (const guint8 *)data, (guint)bytes);
  return bytes;
}

static int
may_go_on (void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  return g_atomic_int_get (((FhirRest *)arg)->stop);
}

static void
set_identity (FhirRest *rest)
{
  const ConfigDeliver *to = rest->to;
  CURL *curl = rest->curl;

  curl_easy_setopt (curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (curl, CURLOPT_SSLCERT, to->certificate);
  curl_easy_setopt (curl, CURLOPT_SSLKEY, to->key);
  if (rest->secret != NULL)
    curl_easy_setopt (curl, CURLOPT_KEYPASSWD, rest->secret);
  if (to->ca_file != NULL) {
    curl_easy_setopt (curl, CURLOPT_CAINFO, to->ca_file);
    curl_easy_setopt (curl, CURLOPT_CAPATH, NULL);
  }
}

static void
begin_call (FhirRest *rest, const char *path, gsize most)
{
  CURL *curl = rest->curl;

  curl_easy_reset (curl);
  g_free (rest->url);
  rest->url = g_strdup_printf ("%s/%s", rest->to->to, path);
  rest->most = most;
  rest->text[0] = '\0';
  g_byte_array_set_size (rest->answer, 0);
  curl_slist_free_all (rest->headers);
  rest->headers = curl_slist_append (NULL, "Expect:");
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt (curl, CURLOPT_URL, rest->url);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, rest->text);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, WHOLE_S);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, SLOW_S);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, rest);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, rest);
  if (rest->to->rate > 0) {
    curl_off_t rate = (curl_off_t)rest->to->rate * 1000 / 8;
    curl_easy_setopt (curl, CURLOPT_MAX_SEND_SPEED_LARGE, rate);
    curl_easy_setopt (curl, CURLOPT_MAX_RECV_SPEED_LARGE, rate);
  }
  set_identity (rest);
}

static void
add_header (FhirRest *rest, const char *name, const char *value)
{
  g_autofree char *line = g_strdup_printf ("%s: %s", name, value);
  rest->headers = curl_slist_append (rest->headers, line);
}

FhirRest *
fhir_rest_open (const ConfigDeliver *to, const gint *stop, GError **error)
{
  static gsize prepared;
  if (g_once_init_enter (&prepared))
    g_once_init_leave (&prepared, curl_global_init (CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);

  g_autoptr (FhirRest) rest = g_new0 (FhirRest, 1);
  rest->to = to;
  rest->stop = stop;
  rest->answer = g_byte_array_new ();
  if (to->key_secret_file != NULL) {
    rest->secret = cli_read_secret (to->key_secret_file, error);
    if (rest->secret == NULL)
      return NULL;
  }
  rest->curl = curl_easy_init ();
  if (rest->curl != NULL)
    return g_steal_pointer (&rest);
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_TROUBLE, "no memory for a connection");
  return NULL;
}

void
fhir_rest_free (FhirRest *rest)
{
  if (rest == NULL)
    return;
  if (rest->curl != NULL)
    curl_easy_cleanup (rest->curl);
  curl_slist_free_all (rest->headers);
  cli_secret_free (rest->secret);
  g_free (rest->url);
  g_byte_array_unref (rest->answer);
  g_free (rest);
}

/* A server that does not take our certificate says so by an alert after the handshake (TLS 1.3). */
static DeliverError
error_of (CURLcode code, const char *text)
{
  if (code == CURLE_RECV_ERROR && strstr (text, "alert") != NULL)
    return DELIVER_ERROR_IDENTITY;
  switch (code) {
  case CURLE_ABORTED_BY_CALLBACK:
    return DELIVER_ERROR_STOPPED;
  case CURLE_WRITE_ERROR: /* more than what was sent can be */
    return DELIVER_ERROR_DIFFERENT;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_ISSUER_ERROR:
    return DELIVER_ERROR_IDENTITY;
  default:
    return DELIVER_ERROR_UNREACHABLE;
  }
}

/* ret_status: of HTTP. */
static gboolean
perform (FhirRest *rest, long *ret_status, GError **error)
{
  curl_easy_setopt (rest->curl, CURLOPT_HTTPHEADER, rest->headers);
  CURLcode code = curl_easy_perform (rest->curl);
  if (code != CURLE_OK) {
    g_set_error (error, DELIVER_ERROR, error_of (code, rest->text), "%s: %s", rest->url,
                 rest->text[0] != '\0' ? rest->text : curl_easy_strerror (code));
    return FALSE;
  }
  curl_easy_getinfo (rest->curl, CURLINFO_RESPONSE_CODE, ret_status);
  return TRUE;
}

gboolean
fhir_rest_put (FhirRest *rest, const char *path, const char *type, GBytes *bytes, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  long status;

  begin_call (rest, path, 2 * size + (1 << 20));
  add_header (rest, "Content-Type", type);
  add_header (rest, "Accept", FHIR_JSON);
  curl_easy_setopt (rest->curl, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt (rest->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
  curl_easy_setopt (rest->curl, CURLOPT_POSTFIELDS, data != NULL ? data : "");
  if (!perform (rest, &status, error))
    return FALSE;
  if (status == 200 || status == 201)
    return TRUE;
  /* 408, 409 (a version of its own making), 423, 429 pass; others say no for good. */
  gboolean passes
      = status >= 500 || status == 408 || status == 409 || status == 423 || status == 429;
  g_set_error (error, DELIVER_ERROR, passes ? DELIVER_ERROR_TROUBLE : DELIVER_ERROR_REFUSED,
               "%s: HTTP status %ld", rest->url, status);
  return FALSE;
}

GBytes *
fhir_rest_get (FhirRest *rest, const char *path, const char *accept, gsize most, GError **error)
{
  long status;

  begin_call (rest, path, most);
  add_header (rest, "Accept", accept);
  if (!perform (rest, &status, error))
    return NULL;
  if (status == 200)
    return g_bytes_new (rest->answer->data, rest->answer->len);
  gboolean lost = status == 404 || status == 410;
  g_set_error (error, DELIVER_ERROR, lost ? DELIVER_ERROR_LOST : DELIVER_ERROR_TROUBLE,
               "%s: HTTP status %ld", rest->url, status);
  return NULL;
}

gboolean
fhir_rest_kept (FhirRest *rest, const char *path, GBytes *bundle, GError **error)
{
  gsize size;
  g_autoptr (GBytes) kept
      = fhir_rest_get (rest, path, FHIR_JSON, 2 * g_bytes_get_size (bundle) + (1 << 20), error);
  if (kept == NULL)
    return FALSE;
  const char *theirs = g_bytes_get_data (kept, &size);
  if (deliver_same_bundle (bundle, theirs, size))
    return TRUE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DIFFERENT, "%s: not what was sent", path);
  return FALSE;
}
