#include "media/transport/relay_connect.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

enum {
  TIMEOUT_S = 8,
  /* What waits here for a slow link is delay; the sender shall notice and send less. */
  BUFFER_BYTES = 64 * 1024,
  UNSENT_BYTES = 16 * 1024,
  DEAD_MS = 10000, /* bytes without an acknowledgement */
};

typedef struct {
  RelayConnected callback;
  gpointer data;
  char *ca_file; /* NULL: the system's trust */
  GTlsCertificateFlags wrong;
} Attempt;

static void
attempt_free (Attempt *attempt)
{
  g_free (attempt->ca_file);
  g_free (attempt);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Attempt, attempt_free)

void
relay_report_from_error (const GError *error, RelayReport *ret_report)
{
  RelayOutcome outcome = RELAY_UNREACHABLE;
  if (error->domain == G_RESOLVER_ERROR)
    outcome = RELAY_NO_NAME;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    outcome = RELAY_SILENT;
  else if (error->domain == G_TLS_ERROR)
    outcome = RELAY_NO_TLS;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)
           || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    outcome = RELAY_BROKEN;
  *ret_report = (RelayReport){ outcome, 0, g_strdup (error->message) };
}

static RelayOutcome
certificate_outcome (GTlsCertificateFlags wrong)
{
  if (wrong & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return RELAY_UNTRUSTED;
  if (wrong & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return RELAY_OTHER_NAME;
  if (wrong & (G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_NOT_ACTIVATED))
    return RELAY_EXPIRED;
  return RELAY_NO_TLS;
}

static gboolean
on_certificate (GTlsConnection *connection, GTlsCertificate *certificate,
                GTlsCertificateFlags wrong, gpointer data)
{
  Attempt *attempt = data;
  attempt->wrong = wrong;
  return FALSE;
}

/* A CA file that cannot be read must not fall back to the system's trust: an empty database trusts
 * nobody, and the certificate is told as untrusted. */
static void
use_ca_file (GTlsConnection *connection, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) trust = g_tls_file_database_new (file, &error);
  if (trust == NULL)
    g_warning ("event=relay-ca-unreadable file=%s reason=%s", file, error->message);
  g_tls_connection_set_database (connection, trust);
}

static void
on_event (GSocketClient *client, GSocketClientEvent event, GSocketConnectable *to,
          GIOStream *stream, gpointer data)
{
  const Attempt *attempt = data;
  if (event != G_SOCKET_CLIENT_TLS_HANDSHAKING)
    return;
  g_signal_connect (stream, "accept-certificate", G_CALLBACK (on_certificate), data);
  if (attempt->ca_file != NULL)
    use_ca_file (G_TLS_CONNECTION (stream), attempt->ca_file);
}

static void
tune (GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_socket_set_timeout (socket, 0);
  if (g_socket_get_socket_type (socket) != G_SOCKET_TYPE_STREAM)
    return;
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_MS, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, 5, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, 2, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, 3, NULL);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Attempt) attempt = data;
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection
      = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);
  if (connection != NULL) {
    tune (connection);
    attempt->callback (connection, NULL, attempt->data);
    return;
  }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    attempt->callback (NULL, NULL, attempt->data);
    return;
  }
  RelayReport report;
  relay_report_from_error (error, &report);
  if (attempt->wrong != 0)
    report.outcome = certificate_outcome (attempt->wrong);
  attempt->callback (NULL, &report, attempt->data);
  relay_report_clear (&report);
}

void
relay_connect (const Relay *relay, GCancellable *cancellable, RelayConnected callback,
               gpointer data)
{
  Attempt *attempt = g_new0 (Attempt, 1);
  attempt->callback = callback;
  attempt->data = data;
  attempt->ca_file = g_strdup (relay->ca_file);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) to = g_network_address_new (relay->host, relay->port);
  g_socket_client_set_timeout (client, TIMEOUT_S);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_tls (client, relay->transport == RELAY_TLS);
  if (relay->transport == RELAY_UDP)
    g_socket_client_set_socket_type (client, G_SOCKET_TYPE_DATAGRAM);
  g_signal_connect (client, "event", G_CALLBACK (on_event), attempt);
  g_socket_client_connect_async (client, to, cancellable, on_connected, attempt);
}
