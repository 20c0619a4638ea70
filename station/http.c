/* HTTP: pages, records of recordings, and who may ask. */
#include "station/metrics.h"
#include "station/providers.h"
#include "station/server_private.h"

#include <string.h>

#define CHUNK (32 * 1024)
/* A client that takes nothing for so long is gone. As long as it takes something it may be as slow
 * as its link is. */
#define STALLED_SECONDS 60

static gboolean
add_header (struct lws *wsi, const char *name, const char *value, guint8 **p, guint8 *end)
{
  return lws_add_http_header_by_name (wsi, (const guint8 *)name, (const guint8 *)value,
                                      (int)strlen (value), p, end)
         == 0;
}

/* value NULL: not said. */
static gboolean
add_optional (struct lws *wsi, const char *name, const char *value, guint8 **p, guint8 *end)
{
  return value == NULL || add_header (wsi, name, value, p, end);
}

/* connect-src names the WebSocket's origin: not every browser counts wss: as 'self'. It names also
 * where a page asks for a token. */
static char *
content_security_policy (const char *host, const char *providers)
{
  return g_strdup_printf ("default-src 'none'; script-src 'self'; style-src 'self'; "
                          "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; "
                          "connect-src 'self' wss://%s%s; manifest-src 'self'; worker-src 'self'; "
                          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                          host, providers);
}

static gboolean
add_safety_headers (struct lws *wsi, const char *host, guint8 **p, guint8 *end)
{
  Providers *providers = server_of (wsi)->station->providers;
  g_autofree char *policy = content_security_policy (host, providers_origins (providers));
  return add_header (wsi, "content-security-policy:", policy, p, end)
         && add_header (wsi, "x-content-type-options:", "nosniff", p, end)
         && add_header (wsi, "referrer-policy:", "no-referrer", p, end)
         && add_header (wsi, "cross-origin-opener-policy:", "same-origin", p, end)
         && add_header (wsi, "cross-origin-resource-policy:", "same-origin", p, end)
         && add_header (wsi,
                        "permissions-policy:", "camera=(self), microphone=(self), geolocation=()",
                        p, end);
}

int
http_answer (struct lws *wsi, Connection *connection, const Answer *answer)
{
  guint8 buffer[LWS_PRE + 4096], *start = buffer + LWS_PRE, *p = start,
                                 *end = buffer + sizeof buffer - 1;
  Server *server = server_of (wsi);
  g_autofree char *host = server_header (wsi, WSI_TOKEN_HOST);
  gsize length = g_bytes_get_size (answer->body);
  gboolean known = host != NULL && config_host_allowed (server->station->config, host);
  g_clear_pointer (&connection->body, g_bytes_unref);
  connection->body = answer->body;
  connection->sent = 0;
  if (lws_add_http_common_headers (wsi, answer->status, answer->mime, length, &p, end) != 0
      || !add_header (wsi, "cache-control:", answer->cache, &p, end)
      || !add_optional (wsi, "location:", answer->location, &p, end)
      || !add_optional (wsi, "etag:", answer->etag, &p, end)
      || !add_optional (wsi, "accept-patch:", answer->accept_patch, &p, end)
      || !add_optional (wsi, "accept-post:", answer->accept_post, &p, end)
      || (answer->brotli && !add_header (wsi, "content-encoding:", "br", &p, end))
      || !add_safety_headers (wsi, known ? host : "localhost", &p, end)
      || lws_finalize_write_http_header (wsi, start, &p, end) != 0)
    return -1;
  lws_set_timeout (wsi, PENDING_TIMEOUT_HTTP_CONTENT, STALLED_SECONDS);
  lws_callback_on_writable (wsi);
  return 0;
}

int
http_answer_text (struct lws *wsi, Connection *connection, unsigned status, const char *text)
{
  Answer answer = { .status = status,
                    .mime = "text/plain; charset=utf-8",
                    .cache = "no-store",
                    .body = g_bytes_new (text, strlen (text)) };
  return http_answer (wsi, connection, &answer);
}

static int
write_body (struct lws *wsi, Connection *connection)
{
  guint8 buffer[LWS_PRE + CHUNK];
  gsize size;
  if (connection->body == NULL)
    return 0;
  const guint8 *data = g_bytes_get_data (connection->body, &size);
  gsize length = MIN (size - connection->sent, CHUNK);
  gboolean last = connection->sent + length == size;
  if (length > 0)
    memcpy (buffer + LWS_PRE, data + connection->sent, length);
  if (lws_write (wsi, buffer + LWS_PRE, length, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)
      < (int)length)
    return -1;
  connection->sent += length;
  if (!last) {
    lws_set_timeout (wsi, PENDING_TIMEOUT_HTTP_CONTENT, STALLED_SECONDS);
    lws_callback_on_writable (wsi);
    return 0;
  }
  g_clear_pointer (&connection->body, g_bytes_unref);
  server_use (wsi, CROWD_IDLE);
  return connection->last || lws_http_transaction_completed (wsi) ? -1 : 0;
}

/* ---- Who may ask
 * --------------------------------------------------------------------------------- */

static gboolean
host_is_good (struct lws *wsi)
{
  g_autofree char *host = server_header (wsi, WSI_TOKEN_HOST);
  return host != NULL && config_host_allowed (server_of (wsi)->station->config, host);
}

/* A browser always says where the page came from; a program that is none cannot be misused by a
 * page, so that its silence is no danger. */
static gboolean
origin_is_good (struct lws *wsi)
{
  g_autofree char *origin = server_header (wsi, WSI_TOKEN_ORIGIN);
  if (lws_hdr_total_length (wsi, WSI_TOKEN_ORIGIN) <= 0)
    return TRUE;
  return origin != NULL && g_str_has_prefix (origin, "https://")
         && config_origin_allowed (server_of (wsi)->station->config, origin);
}

/* Before a connection becomes a WebSocket: > 0 when it has been refused by an answer. */
static int
confirm_upgrade (struct lws *wsi, Connection *connection)
{
  g_autofree char *path = server_header (wsi, WSI_TOKEN_GET_URI);
  g_autofree char *protocol = server_header (wsi, WSI_TOKEN_PROTOCOL);
  unsigned status = 0;
  if (!server_may_ask (wsi))
    status = 429;
  else if (!host_is_good (wsi))
    status = 421;
  else if (!origin_is_good (wsi))
    status = 403;
  else if (g_strcmp0 (path, "/ws/console") != 0 && g_strcmp0 (path, "/ws/join") != 0
           && g_strcmp0 (path, "/ws/desk") != 0)
    status = 404;
  else if (g_strcmp0 (protocol, SERVER_SUBPROTOCOL) != 0)
    status = 400;
  if (status == 0)
    return 0;
  g_info ("server: WebSocket refused with %u", status);
  return lws_return_http_status (wsi, status, NULL) < 0 ? -1 : 1;
}

/* What a browser can take: every one that these pages run in takes Brotli. */
static gboolean
takes_brotli (struct lws *wsi)
{
  g_autofree char *accepted = server_header (wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
  g_auto (GStrv) codings = accepted != NULL ? g_strsplit (accepted, ",", 16) : NULL;
  for (guint i = 0; codings != NULL && codings[i] != NULL; i++)
    if (g_str_equal (g_strstrip (codings[i]), "br"))
      return TRUE;
  return FALSE;
}

static int
answer_page (struct lws *wsi, Connection *connection, const char *path)
{
  const Page *page = pages_find (path);
  if (page == NULL)
    return http_answer_text (wsi, connection, 404, "not found\n");
  gboolean brotli = page->brotli != NULL && takes_brotli (wsi);
  Answer answer = { .status = 200,
                    .mime = page->mime,
                    .cache = page->immutable ? "public, max-age=31536000, immutable" : "no-store",
                    .brotli = brotli,
                    .body = g_bytes_ref (brotli ? page->brotli : page->body) };
  return http_answer (wsi, connection, &answer);
}

static int
answer_metrics (struct lws *wsi, Connection *connection)
{
  Station *station = server_of (wsi)->station;
  g_autofree char *authorization = server_header (wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  if (station->config->metrics_token == NULL)
    return http_answer_text (wsi, connection, 404, "not found\n");
  if (!metrics_allowed (station->config, authorization))
    return http_answer_text (wsi, connection, 401, "wants Authorization: Bearer TOKEN\n");
  CrowdFigures web;
  server_figures (server_of (wsi), &web);
  char *text = metrics_text (station, &web);
  Answer answer = { .status = 200,
                    .mime = METRICS_TYPE,
                    .cache = "no-store",
                    .body = g_bytes_new_take (text, strlen (text)) };
  return http_answer (wsi, connection, &answer);
}

static int
answer_request (struct lws *wsi, Connection *connection, const char *path)
{
  server_use (wsi, CROWD_ASKING);
  if (!server_may_ask (wsi))
    return http_answer_text (wsi, connection, 429,
                             "Quá nhiều yêu cầu từ địa chỉ này. Chờ một phút rồi tải lại trang.\n"
                             "Too many requests from this address. Wait a minute, then load the "
                             "page again.\n");
  if (!host_is_good (wsi))
    return http_answer_text (wsi, connection, 421, "this station has another name\n");
  if (g_str_equal (path, "/whip") || g_str_has_prefix (path, "/whip/"))
    return whip_http_answer (wsi, connection, path);
  if (lws_hdr_total_length (wsi, WSI_TOKEN_GET_URI) <= 0)
    return http_answer_text (wsi, connection, 405, "only GET\n");
  if (g_str_equal (path, "/healthz"))
    return http_answer_text (wsi, connection, 200, "ok\n");
  if (g_str_equal (path, "/metrics"))
    return answer_metrics (wsi, connection);
  if (g_str_has_prefix (path, "/media/"))
    return media_file_answer (wsi, connection, path);
  if (g_str_has_prefix (path, "/attachment/"))
    return attachment_file_answer (wsi, connection, path);
  if (g_str_has_prefix (path, "/paper/"))
    return paper_file_answer (wsi, connection, path);
  if (g_str_has_prefix (path, "/slip/"))
    return slip_file_answer (wsi, connection, path);
  return answer_page (wsi, connection, path);
}

int
http_callback (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
               size_t length)
{
  Connection *connection = user;
  switch (reason) {
  case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
    return server_load_certificate (wsi, user);
  case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    return server_filter (wsi, user);
  case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
    server_entered (wsi);
    return 0;
  case LWS_CALLBACK_WSI_DESTROY:
    server_left (wsi);
    return 0;
  case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    return confirm_upgrade (wsi, connection);
  case LWS_CALLBACK_HTTP:
    return answer_request (wsi, connection, in);
  case LWS_CALLBACK_HTTP_WRITEABLE:
    if (connection->whip != NULL)
      return whip_http_ready (wsi, connection);
    return connection->waiting != NULL ? attachment_file_ready (wsi, connection)
                                       : write_body (wsi, connection);
  case LWS_CALLBACK_CLOSED_HTTP:
  case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    if (connection != NULL) {
      attachment_file_gone (connection);
      whip_http_gone (connection);
      g_clear_pointer (&connection->body, g_bytes_unref);
    }
    return 0;
  case LWS_CALLBACK_HTTP_BODY:
    return whip_http_body (connection, in, length);
  case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    return whip_http_complete (wsi, connection);
  case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    return -1;
  default:
    return 0;
  }
}
