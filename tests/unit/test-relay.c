/* Relays without a network: what the configuration may say, credentials, whose connection the
 * bridge takes, how a look at a relay ends. coturn itself stands in tests/scenario/turn. */
#include "media/transport/relay_bridge.h"
#include "media/transport/relay_probe.h"
#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_address (void)
{
  static const struct {
    const char *url, *full; /* NULL: refused */
  } cases[] = {
    { "turn:a.example", "turn:a.example:3478?transport=udp" },
    { "turn:a.example:5000?transport=udp", "turn:a.example:5000?transport=udp" },
    { "turn:10.0.0.1?transport=tcp", "turn:10.0.0.1:3478?transport=tcp" },
    { "turns:a.example", "turns:a.example:5349?transport=tcp" },
    { "turns:[fd00::1]:443?transport=tcp", "turns:[fd00::1]:443?transport=tcp" },
    { "turns:a.example?transport=udp", NULL },
    { "turn:a.example?transport=sctp", NULL },
    { "turn:a.example?transport=tcp&x", NULL },
    { "turn:", NULL },
    { "turn", NULL },
    { "", NULL },
    { "stun:a.example", NULL },
    { "turn:a.example:70000", NULL },
    { "turn:a.example:0", NULL },
    { "turn://a.example", NULL },
    { "turn:user@a.example", NULL },
    { "turn:a b", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Relay) relay = relay_new (cases[i].url, &error);
    g_test_message ("%s", cases[i].url);
    g_assert_cmpstr (relay != NULL ? relay->url : NULL, ==, cases[i].full);
    g_assert_true (relay != NULL || strstr (error->message, "is no relay: give") != NULL);
  }
}

/* Expected by Python's hmac and base64. */
static void
test_credentials (void)
{
  g_autoptr (Relay) relay = relay_new ("turn:a.example", NULL);
  g_autofree char *user = NULL, *password = NULL, *named = NULL, *its = NULL, *lasting = NULL,
                  *kept = NULL;
  relay->secret = g_strdup ("a secret");
  relay_credentials (relay, 1700000000, &user, &password);
  g_assert_cmpstr (user, ==, "1700014400:nhipcau");
  g_assert_cmpstr (password, ==, "rDEFhem6KQwGByVoGV8lS070W5A=");
  relay->user = g_strdup ("tram");
  relay_credentials (relay, 1700000000, &named, &its);
  g_assert_cmpstr (named, ==, "1700014400:tram");
  g_assert_cmpstr (its, ==, "kzRJtTK5q+JwqI/DGzolBzyZ+rU=");
  g_clear_pointer (&relay->secret, g_free);
  relay->password = g_strdup ("lasting");
  relay_credentials (relay, 1700000000, &lasting, &kept);
  g_assert_cmpstr (lasting, ==, "tram");
  g_assert_cmpstr (kept, ==, "lasting");
}

/* ---- the bridge ---- */

/* A server that sends back what it gets, once per connection. */
typedef struct {
  GSocketService *service;
  guint16 port;
  guint connections;
} Echo;

static void
on_echoed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_output_stream_splice_finish (G_OUTPUT_STREAM (source), result, NULL);
  g_object_unref (data);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  Echo *echo = data;
  echo->connections++;
  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                                g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                                G_OUTPUT_STREAM_SPLICE_NONE, 0, NULL, on_echoed,
                                g_object_ref (connection));
  return TRUE;
}

static void
echo_init (Echo *echo)
{
  *echo = (Echo){ .service = g_socket_service_new () };
  echo->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (echo->service), NULL, NULL);
  g_signal_connect (echo->service, "incoming", G_CALLBACK (on_incoming), echo);
}

static void
echo_clear (Echo *echo)
{
  g_socket_service_stop (echo->service);
  g_socket_listener_close (G_SOCKET_LISTENER (echo->service));
  g_object_unref (echo->service);
}

static Relay *
relay_at (const char *scheme, guint16 port, const char *query)
{
  g_autofree char *url = g_strdup_printf ("%s:127.0.0.1:%u%s", scheme, port, query);
  Relay *relay = relay_new (url, NULL);
  relay->user = g_strdup ("u");
  relay->password = g_strdup ("p");
  return relay;
}

static gboolean
on_late (gpointer data)
{
  g_assert_not_reached ();
  return G_SOURCE_REMOVE;
}

/* Runs the loop until what is asked for holds. */
static void
run_until (gboolean (*holds) (gpointer data), gpointer data)
{
  guint late = g_timeout_add_seconds (30, on_late, NULL);
  while (!holds (data))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (late);
}

typedef struct {
  GSocket *socket;
  gssize received; /* -2: nothing yet */
} Reader;

static gboolean
has_received (gpointer data)
{
  Reader *reader = data;
  char buffer[16];
  g_autoptr (GError) error = NULL;
  gssize n = g_socket_receive (reader->socket, buffer, sizeof buffer, NULL, &error);
  reader->received = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? -2 : n;
  return reader->received != -2;
}

static gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static GSocket *
connect_to (guint16 port)
{
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  GSocket *socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_assert_true (g_socket_connect (socket, to, NULL, NULL));
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

static void
test_bridge (void)
{
  Echo echo;
  echo_init (&echo);
  guint ticker = g_timeout_add (10, tick, NULL);
  g_autoptr (Relay) relay = relay_at ("turn", echo.port, "?transport=tcp");
  RelayBridge *bridge = relay_bridge_new (relay);
  Reader reader = { connect_to (relay_bridge_port (bridge, G_SOCKET_FAMILY_IPV4)), -2 };
  g_assert_cmpint (g_socket_send (reader.socket, "hello", 5, NULL, NULL), ==, 5);
  run_until (has_received, &reader);
  g_assert_cmpint (reader.received, ==, 5);
  g_assert_cmpuint (relay_bridge_connections (bridge), ==, 1);
  /* Its end cuts what passes. */
  relay_bridge_free (bridge);
  run_until (has_received, &reader);
  g_assert_cmpint (reader.received, <=, 0);
  g_object_unref (reader.socket);
  g_source_remove (ticker);
  echo_clear (&echo);
}

/* Another process: tells by its status whether anything came back. */
static int
stranger (guint16 port)
{
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons (port) };
  to.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  char buffer[16];
  if (fd < 0 || connect (fd, (struct sockaddr *)&to, sizeof to) != 0)
    return 2;
  if (write (fd, "hello", 5) < 0)
    return 0;
  return read (fd, buffer, sizeof buffer) > 0 ? 1 : 0;
}

typedef struct {
  pid_t pid;
  int status;
} Child;

static gboolean
has_ended (gpointer data)
{
  Child *child = data;
  return waitpid (child->pid, &child->status, WNOHANG) == child->pid;
}

static void
test_stranger (void)
{
  Echo echo;
  echo_init (&echo);
  guint ticker = g_timeout_add (10, tick, NULL);
  g_autoptr (Relay) relay = relay_at ("turn", echo.port, "?transport=tcp");
  RelayBridge *bridge = relay_bridge_new (relay);
  guint16 port = relay_bridge_port (bridge, G_SOCKET_FAMILY_IPV4);
  Child child = { fork (), 0 };
  if (child.pid == 0) {
    int status = stranger (port);
    if (status == 0)
      raise (SIGKILL); /* an exit would have valgrind look for what the parent has not freed yet */
    _exit (status);
  }
  run_until (has_ended, &child);
  g_assert_true (WIFSIGNALED (child.status));
  g_assert_cmpuint (echo.connections, ==, 0);
  g_assert_cmpuint (relay_bridge_connections (bridge), ==, 0);
  relay_bridge_free (bridge);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_source_remove (ticker);
  echo_clear (&echo);
}

/* ---- a look at a relay ---- */

typedef struct {
  RelayProbe *probe;
  gboolean done;
  RelayOutcome outcome;
} Look;

static void
on_probed (const Relay *relay, const RelayReport *report, gpointer data)
{
  Look *look = data;
  g_test_message ("%s: %s %u %s", relay->url, relay_outcome_name (report->outcome), report->code,
                  report->detail != NULL ? report->detail : "");
  look->outcome = report->outcome;
  look->done = TRUE;
  g_clear_pointer (&look->probe, relay_probe_free);
}

static gboolean
is_done (gpointer data)
{
  return ((Look *)data)->done;
}

static RelayOutcome
look_at (const Relay *relay)
{
  Look look = { 0 };
  look.probe = relay_probe_new (relay, on_probed, &look);
  run_until (is_done, &look);
  return look.outcome;
}

/* Nobody listens; a server that is no relay: the request comes back as it went. */
static void
test_probe (void)
{
  Echo echo;
  echo_init (&echo);
  g_autoptr (Relay) closed_tcp = relay_at ("turn", 1, "?transport=tcp");
  g_autoptr (Relay) closed_udp = relay_at ("turn", 1, "");
  g_autoptr (Relay) no_tls = relay_at ("turns", echo.port, "");
  g_autoptr (Relay) no_name = relay_new ("turn:no-such-name.invalid", NULL);
  g_assert_cmpint (look_at (closed_tcp), ==, RELAY_UNREACHABLE);
  g_assert_cmpint (look_at (closed_udp), ==, RELAY_UNREACHABLE);
  g_assert_cmpint (look_at (no_tls), ==, RELAY_NO_TLS);
  /* glibc's resolver keeps some bytes of each thread, which valgrind would tell. */
  if (g_getenv ("NHIPCAU_SLOW") == NULL)
    g_assert_cmpint (look_at (no_name), ==, RELAY_NO_NAME);
  g_autoptr (Relay) mute = relay_at ("turn", echo.port, "?transport=tcp");
  g_assert_cmpint (look_at (mute), ==, RELAY_SILENT);
  /* Let go before its end. */
  relay_probe_free (relay_probe_new (mute, on_probed, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  echo_clear (&echo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR); /* refusals are logged as warnings */
  g_test_add_func ("/relay/address", test_address);
  g_test_add_func ("/relay/credentials", test_credentials);
  g_test_add_func ("/relay/bridge", test_bridge);
  g_test_add_func ("/relay/stranger", test_stranger);
  g_test_add_func ("/relay/probe", test_probe);
  return g_test_run ();
}
