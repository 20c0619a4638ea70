#include "station/server_private.h"

#include <gio/gio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#define FDS_MAX 600
#define PER_ADDRESS 64
#define PER_ADDRESS_LOCAL 256
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
int
server_load_certificate (struct lws *wsi, SSL_CTX *context)
{
  Server *server = server_of (wsi);
  const char *chain = identity_certificate_file (server->identity);
  SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file (context, chain) != 1
      || SSL_CTX_use_PrivateKey (context, identity_key (server->identity)) != 1
      || SSL_CTX_check_private_key (context) != 1) {
    char reason[256];
    ERR_error_string_n (ERR_get_error (), reason, sizeof reason);
    g_warning ("server: certificate %s does not do: %s", chain, reason);
    return 1;
  }
  return 0;
}

/* ---- Listening
 * ----------------------------------------------------------------------------------- */

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
  server->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  info.options = LWS_SERVER_OPTION_GLIB | LWS_SERVER_OPTION_EXPLICIT_VHOSTS
                 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.foreign_loops = loops;
  info.user = server;
  info.fd_limit_per_thread = FDS_MAX;
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
  return g_steal_pointer (&server);
}

void
server_free (Server *server)
{
  if (server->context != NULL)
    lws_context_destroy (server->context);
  g_hash_table_unref (server->addresses);
  g_free (server);
}

/* ---- Connections per address
 * ------------------------------------------------------------------------ */

static gboolean
is_local (const char *address)
{
  return g_str_equal (address, "127.0.0.1") || g_str_equal (address, "::1");
}

/* FALSE: this address has enough already. */
gboolean
server_count (struct lws *wsi)
{
  Server *server = server_of (wsi);
  char address[64] = "";
  lws_get_peer_simple (wsi, address, sizeof address);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (server->addresses, address)) + 1;
  g_hash_table_insert (server->addresses, g_strdup (address), GUINT_TO_POINTER (count));
  lws_set_opaque_user_data (wsi, g_strdup (address));
  return count <= (is_local (address) ? PER_ADDRESS_LOCAL : PER_ADDRESS);
}

void
server_uncount (struct lws *wsi)
{
  Server *server = server_of (wsi);
  char *address = lws_get_opaque_user_data (wsi);
  if (address == NULL)
    return;
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (server->addresses, address));
  if (count > 1)
    g_hash_table_insert (server->addresses, g_strdup (address), GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (server->addresses, address);
  lws_set_opaque_user_data (wsi, NULL);
  g_free (address);
}

gboolean
server_is_local (struct lws *wsi)
{
  const char *address = lws_get_opaque_user_data (wsi);
  return address != NULL && is_local (address);
}
