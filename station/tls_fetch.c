#include "station/tls_fetch.h"

#include <curl/curl.h>
#include <gio/gio.h>
#include <openssl/ssl.h>
#include <string.h>

#define RETRY_LONGEST 86400
#define LINKS_LONGEST 8192

typedef struct {
  const TlsFetch *request;
  TlsAnswer *answer;
  GByteArray *bytes;
  char text[CURL_ERROR_SIZE];
} Exchange;

static size_t
take (char *data, size_t size, size_t count, void *arg)
{
  Exchange *exchange = arg;
  if (exchange->request->largest == 0)
    return size * count;
  if (exchange->bytes->len + size * count > exchange->request->largest)
    return 0; /* ends the transfer */
  g_byte_array_append (exchange->bytes, (const guint8 *)data, (guint)(size * count));
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

/* "Name: value" without its end; NULL: another header. (transfer full) */
static char *
header_value (const char *line, size_t length, const char *name)
{
  size_t prefix = strlen (name);
  if (length <= prefix || g_ascii_strncasecmp (line, name, prefix) != 0 || line[prefix] != ':')
    return NULL;
  return g_strstrip (g_strndup (line + prefix + 1, length - prefix - 1));
}

static void
take_text (char **target, char *value)
{
  if (value == NULL)
    return;
  g_free (*target);
  *target = value;
}

static void
take_link (TlsAnswer *answer, const char *link)
{
  if (link == NULL)
    return;
  char *links
      = answer->links != NULL ? g_strconcat (answer->links, ", ", link, NULL) : g_strdup (link);
  if (strlen (links) > LINKS_LONGEST)
    g_free (links);
  else
    take_text (&answer->links, links);
}

static size_t
take_header (char *line, size_t size, size_t count, void *arg)
{
  TlsAnswer *answer = ((Exchange *)arg)->answer;
  g_autofree char *date = header_value (line, size * count, "Date");
  g_autofree char *retry = header_value (line, size * count, "Retry-After");
  g_autofree char *link = header_value (line, size * count, "Link");
  guint64 seconds;
  take_text (&answer->location, header_value (line, size * count, "Location"));
  take_text (&answer->etag, header_value (line, size * count, "ETag"));
  take_link (answer, link);
  if (date != NULL)
    answer->date = MAX (curl_getdate (date, NULL), 0);
  if (retry != NULL && g_ascii_string_to_unsigned (retry, 10, 0, RETRY_LONGEST, &seconds, NULL))
    answer->retry_seconds = (guint)seconds;
  return size * count;
}

/* The key may live in a token or TPM, so it is handed over as it is. */
static CURLcode
set_identity (CURL *curl, void *context, void *arg)
{
  const TlsFetch *request = arg;
  if (request->any_time)
    X509_VERIFY_PARAM_set_flags (SSL_CTX_get0_param (context), X509_V_FLAG_NO_CHECK_TIME);
  STACK_OF (X509) *chain = request->identity != NULL ? identity_chain (request->identity) : NULL;
  gboolean good
      = request->identity == NULL
        || (chain != NULL && SSL_CTX_use_certificate (context, sk_X509_value (chain, 0)) == 1
            && SSL_CTX_use_PrivateKey (context, identity_key (request->identity)) == 1);
  for (int i = 1; good && i < sk_X509_num (chain); i++)
    good = SSL_CTX_add1_chain_cert (context, sk_X509_value (chain, i)) == 1;
  sk_X509_pop_free (chain, X509_free);
  return good ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static int
may_go_on (void *stop, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  return g_atomic_int_get ((gint *)stop) != 0;
}

static struct curl_slist *
add_header (struct curl_slist *headers, const char *name, const char *value)
{
  g_autofree char *line = value != NULL ? g_strdup_printf ("%s: %s", name, value) : NULL;
  return line != NULL ? curl_slist_append (headers, line) : headers;
}

static struct curl_slist *
set_body (CURL *curl, const TlsFetch *request, struct curl_slist *headers)
{
  gsize size;
  const void *data = g_bytes_get_data (request->body, &size);
  headers = add_header (headers, "Content-Type", request->type);
  headers = add_header (headers, "Content-Transfer-Encoding", request->transfer);
  headers = curl_slist_append (headers, "Expect:");
  curl_easy_setopt (curl, CURLOPT_POSTFIELDS, data);
  curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE, (long)size);
  return headers;
}

/* What goes up with the request; to be freed after it. */
static struct curl_slist *
set_headers (CURL *curl, const TlsFetch *request)
{
  g_autofree char *bearer
      = request->bearer != NULL ? g_strdup_printf ("Bearer %s", request->bearer) : NULL;
  struct curl_slist *headers = add_header (NULL, "Authorization", bearer);
  headers = add_header (headers, "If-Match", request->if_match);
  if (request->body != NULL)
    headers = set_body (curl, request, headers);
  if (headers != NULL)
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
  return headers;
}

static void
set_common (CURL *curl, Exchange *exchange)
{
  const TlsFetch *request = exchange->request;
  curl_easy_setopt (curl, CURLOPT_URL, request->url);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, request->https_only ? "https" : "http,https");
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  if (request->method != NULL)
    curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, request->method);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, (long)request->seconds);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, exchange->text);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt (curl, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt (curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (curl, CURLOPT_SSL_CTX_FUNCTION, set_identity);
  curl_easy_setopt (curl, CURLOPT_SSL_CTX_DATA, request);
  if (request->ca_file != NULL) {
    curl_easy_setopt (curl, CURLOPT_CAINFO, request->ca_file);
    curl_easy_setopt (curl, CURLOPT_CAPATH, NULL);
  }
  if (request->stop != NULL) {
    curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
    curl_easy_setopt (curl, CURLOPT_XFERINFODATA, (void *)request->stop);
  }
  if (request->user != NULL) {
    curl_easy_setopt (curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC | CURLAUTH_DIGEST);
    curl_easy_setopt (curl, CURLOPT_USERNAME, request->user);
    curl_easy_setopt (curl, CURLOPT_PASSWORD, request->password);
  }
}

void
tls_answer_clear (TlsAnswer *answer)
{
  g_clear_pointer (&answer->type, g_free);
  g_clear_pointer (&answer->body, g_bytes_unref);
  g_clear_pointer (&answer->location, g_free);
  g_clear_pointer (&answer->etag, g_free);
  g_clear_pointer (&answer->links, g_free);
}

static void
fail (CURLcode code, const Exchange *exchange, GError **error)
{
  static const struct {
    CURLcode code;
    int io;
  } known[] = { { CURLE_COULDNT_RESOLVE_HOST, G_IO_ERROR_HOST_NOT_FOUND },
                { CURLE_COULDNT_CONNECT, G_IO_ERROR_CONNECTION_REFUSED },
                { CURLE_OPERATION_TIMEDOUT, G_IO_ERROR_TIMED_OUT } };
  const char *text = *exchange->text != '\0' ? exchange->text : curl_easy_strerror (code);
  const char *url = exchange->request->url;
  int io = G_IO_ERROR_FAILED;
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i].code == code)
      io = known[i].io;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR)
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "%s: %s", url, text);
  else if (code == CURLE_SSL_CONNECT_ERROR)
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE, "%s: %s", url, text);
  else
    g_set_error (error, G_IO_ERROR, io, "%s: %s", url, text);
}

gboolean
tls_fetch (const TlsFetch *request, TlsAnswer *ret, GError **error)
{
  set_global ();
  TlsAnswer answer = { 0 };
  Exchange exchange = { request, &answer, g_byte_array_new (), "" };
  CURL *curl = curl_easy_init ();
  char *type = NULL;

  set_common (curl, &exchange);
  struct curl_slist *headers = set_headers (curl, request);
  CURLcode code = curl_easy_perform (curl);
  curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo (curl, CURLINFO_CONTENT_TYPE, &type);
  g_autofree char *bare
      = g_strndup (type != NULL ? type : "", type != NULL ? strcspn (type, "; ") : 0);
  answer.type = g_ascii_strdown (bare, -1);
  answer.body = g_byte_array_free_to_bytes (exchange.bytes);
  if (code != CURLE_OK)
    fail (code, &exchange, error);
  curl_easy_cleanup (curl);
  curl_slist_free_all (headers);
  if (code == CURLE_OK)
    *ret = answer;
  else
    tls_answer_clear (&answer);
  return code == CURLE_OK;
}
