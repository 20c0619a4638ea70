/* `check`: each broker is asked for a connection, and for its certificate. */
#include "station/broker_words.h"
#include "station/check_private.h"
#include "station/text.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_S 6

static CheckLevel
level_of (BrokerTrouble trouble)
{
  switch (trouble) {
  case BROKER_GOOD:
    return CHECK_GOOD;
  case BROKER_UNTRUSTED:
  case BROKER_OTHER_NAME:
  case BROKER_EXPIRED:
  case BROKER_NO_TLS:
    return CHECK_BAD;
  default: /* the network of the day */
    return CHECK_WARN;
  }
}

/* A handshake without a certificate of ours: whether the broker takes that one, only a connection
 * of the running station tells. */
static BrokerTrouble
shake_hands (int fd, SSL_CTX *tls, char **ret_why)
{
  const struct timeval patience = { .tv_sec = ANSWER_S };
  BrokerTrouble trouble = BROKER_GOOD;
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  SSL *ssl = SSL_new (tls);
  ERR_clear_error ();
  errno = 0;
  if (ssl == NULL || SSL_set_fd (ssl, fd) != 1 || SSL_connect (ssl) != 1) {
    int number = errno;
    trouble = broker_tls_trouble (tls, ret_why);
    if (trouble == BROKER_GOOD)
      trouble = number == EAGAIN ? BROKER_SILENT : BROKER_NO_TLS;
  }
  SSL_free (ssl);
  /* It wants our certificate: then it is there, and is what it says. */
  if (trouble == BROKER_STRANGER) {
    g_clear_pointer (ret_why, g_free);
    trouble = BROKER_GOOD;
  }
  return trouble;
}

static BrokerTrouble
try_broker (const ConfigBroker *broker, const char *ca_file, char **ret_why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_timeout (client, ANSWER_S);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, broker->host, broker->port, NULL, &error);
  if (connection == NULL) {
    *ret_why = g_strdup (error->message);
    return error->domain == G_RESOLVER_ERROR ? BROKER_NO_NAME
           : g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
               ? BROKER_REFUSED
               : BROKER_UNREACHABLE;
  }
  if (!broker->tls)
    return BROKER_GOOD;
  SSL_CTX *tls = broker_tls_new (broker->host, ca_file, NULL, NULL, &error);
  if (tls == NULL) {
    *ret_why = g_strdup (error->message);
    return BROKER_UNTRUSTED;
  }
  int fd = g_socket_get_fd (g_socket_connection_get_socket (connection));
  g_unix_set_fd_nonblocking (fd, FALSE, NULL);
  BrokerTrouble trouble = shake_hands (fd, tls, ret_why);
  SSL_CTX_free (tls);
  return trouble;
}

void
check_brokers (const Config *config, GPtrArray *findings)
{
  const GPtrArray *brokers = config->rendezvous.brokers;
  for (guint i = 0; brokers != NULL && i < brokers->len; i++) {
    const ConfigBroker *broker = brokers->pdata[i];
    g_autofree char *why = NULL;
    char *vi, *en;
    BrokerTrouble trouble = try_broker (broker, config->rendezvous.ca_file, &why);
    broker_words (broker->address, trouble, why, &vi, &en);
    check_add (findings, level_of (trouble),
               trouble == BROKER_GOOD ? "broker" : "broker-unreachable", vi, en);
  }
}
