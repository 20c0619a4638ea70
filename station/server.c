#include "station/enrolment.h"
#include "station/server_private.h"

#include <gio/gio.h>

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#define FDS_MAX (CROWD_LOCAL + CROWD_ELSEWHERE + 64) /* listeners and the loop's own, too */
#define HEADER_SECONDS 10

static const struct lws_protocols protocols[] = {
  { "http", http_callback, sizeof (Connection), 0, 0, NULL, 0 },
  { SERVER_SUBPROTOCOL, websocket_callback, sizeof (Connection), 64 * 1024, 0, NULL, 0 },
  { NULL, NULL, 0, 0, 0, NULL, 0 },
};

/* A page that says nothing is pinged, and given up when it does not answer. */
static const lws_retry_bo_t keep_alive
    = { .secs_since_valid_ping = 20, .secs_since_valid_hangup = 45 };

Server *
server_of (struct lws *wsi)
{
  return lws_context_user (lws_get_context (wsi));
}

char *
server_header (struct lws *wsi, enum lws_token_indexes token)
{
  int length = lws_hdr_total_length (wsi, token);
  if (length <= 0 || length > 2048)
    return NULL;
  char *text = g_malloc (length + 1);
  if (lws_hdr_copy (wsi, text, length + 1, token) < 0)
    g_clear_pointer (&text, g_free);
  return text;
}

static void
log_line (int level, const char *line)
{
  g_autofree char *text = g_strchomp (g_strdup (line));
  if (level & LLL_ERR)
    g_warning ("server: %s", text);
  else if (level & LLL_WARN)
    g_info ("server: %s", text);
  else
    g_debug ("server: %s", text);
}

/* ---- TLS --------------------------------------------------------------------------------------
 */

/* The key is opened by certs/identity (file, PKCS#11, TPM) and handed over as it is: it never
 * passes through a file or a buffer of the server. Called by http_callback. */
static gboolean
use_certificate (Server *server, SSL_CTX *context)
{
  const char *chain = identity_certificate_file (server->identity);
  if (SSL_CTX_use_certificate_chain_file (context, chain) != 1
      || SSL_CTX_use_PrivateKey (context, identity_key (server->identity)) != 1
      || SSL_CTX_check_private_key (context) != 1) {
    char reason[256];
    ERR_error_string_n (ERR_get_error (), reason, sizeof reason);
    g_warning ("server: certificate %s does not do: %s", chain, reason);
    return FALSE;
  }
  return TRUE;
}

int
server_load_certificate (struct lws *wsi, SSL_CTX *context)
{
  Server *server = server_of (wsi);
  SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION);
  if (!use_certificate (server, context))
    return 1;
  if (SSL_CTX_up_ref (context) == 1)
    g_ptr_array_add (server->tls, context);
  return 0;
}

/* Connections that are there keep what they have. */
static void
certificate_changed (void *data)
{
  Server *server = data;
  for (guint i = 0; i < server->tls->len; i++)
    use_certificate (server, server->tls->pdata[i]);
}

/* ---- Listening
 * ----------------------------------------------------------------------------------- */

static void
drop (void *who, void *arg)
{
  lws_set_timeout (who, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static gboolean
is_known (void *who, void *arg)
{
  const Connection *connection = lws_wsi_user (who);
  const Client *client = connection != NULL ? connection->client : NULL;
  return client != NULL
         && (client->session != NULL || client->desk != NULL || client->guest != NULL
             || client->opened);
}

static const CrowdEvents crowd_events = { .drop = drop, .is_known = is_known };

static gboolean
listen_at (Server *server, const ConfigListen *listen, guint16 port, GError **error)
{
  gboolean v6 = strchr (listen->address, ':') != NULL;
  struct lws_context_creation_info info = { 0 };
  info.vhost_name = listen->address;
  info.iface = listen->address;
  info.port = port;
  info.protocols = protocols;
  info.alpn = "http/1.1";
  info.timeout_secs = HEADER_SECONDS;
  info.keepalive_timeout = 30;
  info.retry_and_idle_policy = &keep_alive;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX
                 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND
                 | (v6 ? LWS_SERVER_OPTION_IPV6_V6ONLY_MODIFY | LWS_SERVER_OPTION_IPV6_V6ONLY_VALUE
                       : LWS_SERVER_OPTION_DISABLE_IPV6);
  info.tls1_3_plus_cipher_list = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                 "TLS_CHACHA20_POLY1305_SHA256";
  info.ssl_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";
  struct lws_vhost *vhost = lws_create_vhost (server->context, &info);
  if (vhost == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 "cannot listen at %s port %u: is another station running, or the port taken?",
                 listen->address, port);
    return FALSE;
  }
  return TRUE;
}

Server *
server_new (Station *station, Identity *identity, GMainLoop *loop, GError **error)
{
  g_autoptr (Server) server = g_new0 (Server, 1);
  void *loops[] = { loop };
  struct lws_context_creation_info info = { 0 };
  const Config *config = station->config;
  guint listening = 0;
  lws_set_log_level (LLL_ERR | LLL_WARN, log_line);
  server->station = station;
  server->identity = identity;
  server->crowd = crowd_new (&crowd_events, server);
  server->tls = g_ptr_array_new_with_free_func ((GDestroyNotify)SSL_CTX_free);
  info.options = LWS_SERVER_OPTION_GLIB | LWS_SERVER_OPTION_EXPLICIT_VHOSTS
                 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.foreign_loops = loops;
  info.user = server;
  info.fd_limit_per_thread = FDS_MAX;
  info.timeout_secs = HEADER_SECONDS;
  info.max_http_header_data = 8192;
  info.server_string = "nhipcau";
  info.pcontext = NULL;
  server->context = lws_create_context (&info);
  if (server->context == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the web server does not start");
    return NULL;
  }
  for (guint i = 0; i < config->listen->len; i++) {
    const ConfigListen *listen = config->listen->pdata[i];
    g_autoptr (GError) one = NULL;
    if (listen_at (server, listen, listen->port != 0 ? listen->port : config->http_port, &one))
      listening++;
    else if (!g_str_equal (listen->address, "::1") || listening == 0) {
      g_propagate_error (error, g_steal_pointer (&one));
      return NULL;
    } else {
      /* A machine without IPv6 still has localhost. */
      g_info ("server: %s", one->message);
    }
  }
  if (station->enrolment != NULL)
    enrolment_on_change (station->enrolment, certificate_changed, server);
  return g_steal_pointer (&server);
}

void
server_free (Server *server)
{
  if (server->context != NULL)
    lws_context_destroy (server->context);
  g_clear_pointer (&server->crowd, crowd_free);
  g_ptr_array_unref (server->tls);
  g_free (server);
}

/* ---- Who may come in --------------------------------------------------------------------------
 */

/* Once a minute for each reason: a log that strangers can fill is a weapon, too. */
static void
say_refused (Server *server, CrowdAnswer why, const char *address)
{
  static const char *const words[] = { NULL, "there is no room for any more connections; none of",
                                       "has enough connections;", "connects too often;" };
  gint64 now = g_get_monotonic_time ();
  server->unsaid[why]++;
  if (server->said_us[why] != 0 && now - server->said_us[why] < 60 * G_USEC_PER_SEC)
    return;
  if (why == CROWD_FULL)
    g_message ("server: %s %s is taken (%u refused)", words[why], address, server->unsaid[why]);
  else
    g_message ("server: %s %s it is refused (%u refused)", address, words[why],
               server->unsaid[why]);
  server->said_us[why] = now;
  server->unsaid[why] = 0;
}

int
server_filter (struct lws *listener, const struct lws_filter_network_conn_args *from)
{
  Server *server = server_of (listener);
  char address[64] = "";
  if (getnameinfo ((const struct sockaddr *)&from->cli_addr, from->clilen, address, sizeof address,
                   NULL, 0, NI_NUMERICHOST)
      != 0)
    return -1;
  CrowdAnswer answer = crowd_may_enter (server->crowd, address, g_get_monotonic_time ());
  if (answer != CROWD_WELCOME)
    say_refused (server, answer, address);
  return answer == CROWD_WELCOME ? 0 : -1;
}

void
server_entered (struct lws *wsi)
{
  char address[64] = "";
  lws_get_peer_simple (wsi, address, sizeof address);
  lws_set_opaque_user_data (
      wsi, crowd_enter (server_of (wsi)->crowd, address, wsi, g_get_monotonic_time ()));
}

void
server_left (struct lws *wsi)
{
  CrowdMember *member = lws_get_opaque_user_data (wsi);
  lws_set_opaque_user_data (wsi, NULL);
  if (member != NULL)
    crowd_leave (member);
}

void
server_use (struct lws *wsi, CrowdUse use)
{
  CrowdMember *member = lws_get_opaque_user_data (wsi);
  if (member != NULL)
    crowd_use (member, use, g_get_monotonic_time ());
}

gboolean
server_may_ask (struct lws *wsi)
{
  CrowdMember *member = lws_get_opaque_user_data (wsi);
  return member == NULL || crowd_may_ask (member, g_get_monotonic_time ());
}

gboolean
server_is_local (struct lws *wsi)
{
  const CrowdMember *member = lws_get_opaque_user_data (wsi);
  return member != NULL && crowd_is_local (member);
}

void
server_figures (const Server *server, CrowdFigures *ret)
{
  crowd_figures (server->crowd, ret);
}
