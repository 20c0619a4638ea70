/* To a FHIR server (hl7.org/fhir/R4/http.html#update), by libcurl. */
#include "station/cli.h"
#include "station/deliver.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_S 20L
#define WHOLE_S (20 * 60L)
#define SLOW_BYTES 50L /* per second, over SLOW_S: given up */
#define SLOW_S 60L

typedef struct {
  const Delivery *delivery;
  CURL *curl;
  struct curl_slist *headers;
  char *secret, *url;
  GByteArray *answer;
  gsize most;
  char text[CURL_ERROR_SIZE];
} Exchange;

static size_t
take_answer (char *data, size_t size, size_t n, void *arg)
{
  Exchange *exchange = arg;
  size_t bytes = size * n;
  if (bytes > exchange->most - exchange->answer->len)
    return 0;
  g_byte_array_append (exchange->answer, (const guint8 *)data, (guint)bytes);
  return bytes;
}

static int
may_go_on (void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  const Exchange *exchange = arg;
  return g_atomic_int_get (exchange->delivery->stop);
}

static void
set_identity (Exchange *exchange)
{
  const ConfigDeliver *to = exchange->delivery->to;
  CURL *curl = exchange->curl;

  curl_easy_setopt (curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (curl, CURLOPT_SSLCERT, to->certificate);
  curl_easy_setopt (curl, CURLOPT_SSLKEY, to->key);
  if (exchange->secret != NULL)
    curl_easy_setopt (curl, CURLOPT_KEYPASSWD, exchange->secret);
  if (to->ca_file != NULL) {
    curl_easy_setopt (curl, CURLOPT_CAINFO, to->ca_file);
    curl_easy_setopt (curl, CURLOPT_CAPATH, NULL);
  }
}

static void
set_common (Exchange *exchange)
{
  CURL *curl = exchange->curl;

  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt (curl, CURLOPT_URL, exchange->url);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, exchange->text);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, WHOLE_S);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, SLOW_S);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, exchange);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, exchange->headers);
  set_identity (exchange);
}

static gboolean
exchange_open (Exchange *exchange, GError **error)
{
  const ConfigDeliver *to = exchange->delivery->to;

  exchange->most = 2 * g_bytes_get_size (exchange->delivery->bytes) + (1 << 20);
  exchange->answer = g_byte_array_new ();
  exchange->url = g_strdup_printf ("%s/Bundle/%s", to->to, exchange->delivery->id);
  exchange->headers = curl_slist_append (NULL, "Content-Type: application/fhir+json");
  exchange->headers = curl_slist_append (exchange->headers, "Accept: application/fhir+json");
  exchange->headers = curl_slist_append (exchange->headers, "Expect:");
  if (to->key_secret_file != NULL) {
    exchange->secret = cli_read_secret (to->key_secret_file, error);
    if (exchange->secret == NULL)
      return FALSE;
  }
  exchange->curl = curl_easy_init ();
  if (exchange->curl != NULL)
    return TRUE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_TROUBLE, "no memory for a connection");
  return FALSE;
}

static void
exchange_clear (Exchange *exchange)
{
  if (exchange->curl != NULL)
    curl_easy_cleanup (exchange->curl);
  curl_slist_free_all (exchange->headers);
  cli_secret_free (exchange->secret);
  g_free (exchange->url);
  if (exchange->answer != NULL)
    g_byte_array_unref (exchange->answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exchange, exchange_clear)

/* A server that does not take our certificate says so by an alert after the handshake (TLS 1.3). */
static DeliverError
error_of (CURLcode code, const char *text)
{
  if (code == CURLE_RECV_ERROR && strstr (text, "alert") != NULL)
    return DELIVER_ERROR_IDENTITY;
  switch (code) {
  case CURLE_ABORTED_BY_CALLBACK:
    return DELIVER_ERROR_STOPPED;
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
perform (Exchange *exchange, long *ret_status, GError **error)
{
  g_byte_array_set_size (exchange->answer, 0);
  exchange->text[0] = '\0';
  CURLcode code = curl_easy_perform (exchange->curl);
  if (code != CURLE_OK) {
    g_set_error (error, DELIVER_ERROR, error_of (code, exchange->text), "%s: %s", exchange->url,
                 exchange->text[0] != '\0' ? exchange->text : curl_easy_strerror (code));
    return FALSE;
  }
  curl_easy_getinfo (exchange->curl, CURLINFO_RESPONSE_CODE, ret_status);
  return TRUE;
}

static gboolean
put (Exchange *exchange, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (exchange->delivery->bytes, &size);
  long status;

  set_common (exchange);
  curl_easy_setopt (exchange->curl, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt (exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
  curl_easy_setopt (exchange->curl, CURLOPT_POSTFIELDS, data);
  if (!perform (exchange, &status, error))
    return FALSE;
  if (status == 200 || status == 201)
    return TRUE;
  /* 408, 409 (a version of its own making), 423, 429 pass; others say no for good. */
  gboolean passes
      = status >= 500 || status == 408 || status == 409 || status == 423 || status == 429;
  g_set_error (error, DELIVER_ERROR, passes ? DELIVER_ERROR_TROUBLE : DELIVER_ERROR_REFUSED,
               "%s: HTTP status %ld", exchange->url, status);
  return FALSE;
}

static gboolean
read_back (Exchange *exchange, GError **error)
{
  long status;

  curl_easy_reset (exchange->curl);
  set_common (exchange);
  if (!perform (exchange, &status, error))
    return FALSE;
  if (status == 404 || status == 410) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_LOST, "%s: HTTP status %ld after it was kept",
                 exchange->url, status);
    return FALSE;
  }
  if (status != 200) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_TROUBLE, "%s: HTTP status %ld", exchange->url,
                 status);
    return FALSE;
  }
  if (deliver_same_bundle (exchange->delivery->bytes, (const char *)exchange->answer->data,
                           exchange->answer->len))
    return TRUE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DIFFERENT, "%s: not what was sent",
               exchange->url);
  return FALSE;
}

gboolean
deliver_fhir (const Delivery *delivery, GError **error)
{
  static gsize prepared;
  g_auto (Exchange) exchange = { .delivery = delivery };

  if (g_once_init_enter (&prepared))
    g_once_init_leave (&prepared, curl_global_init (CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
  return exchange_open (&exchange, error) && delivery->advance (OUTBOX_SENT, delivery->arg, error)
         && put (&exchange, error) && delivery->advance (OUTBOX_RECEIPTED, delivery->arg, error)
         && read_back (&exchange, error)
         && delivery->advance (OUTBOX_CONFIRMED, delivery->arg, error);
}
