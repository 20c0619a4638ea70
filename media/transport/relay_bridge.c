#include "media/transport/relay_bridge.h"
#include "media/transport/relay_connect.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER_BYTES = 64 * 1024, N_FAMILIES = 2 };

/* Outlives the bridge while its last callbacks are under way. */
struct RelayBridge {
  gatomicrefcount users;
  Relay *relay;
  GCancellable *end;
  GSocketListener *listeners[N_FAMILIES];
  guint16 ports[N_FAMILIES];
  guint connections;
};

typedef struct {
  RelayBridge *bridge;
  GSocketConnection *local;
} Passage;

static void accept_next (RelayBridge *bridge, GSocketListener *listener);

static void
bridge_unref (RelayBridge *bridge)
{
  if (!g_atomic_ref_count_dec (&bridge->users))
    return;
  relay_free (bridge->relay);
  g_object_unref (bridge->end);
  g_free (bridge);
}

static void
passage_free (Passage *passage)
{
  passage->bridge->connections--;
  g_object_unref (passage->local);
  bridge_unref (passage->bridge);
  g_free (passage);
}

/* ---- whose connection is it? ---- */

static gboolean
same_end (const struct sockaddr_storage *a, socklen_t size, GSocketAddress *b)
{
  struct sockaddr_storage native;
  gssize native_size = g_socket_address_get_native_size (b);
  if (native_size != (gssize)size || !g_socket_address_to_native (b, &native, sizeof native, NULL))
    return FALSE;
  if (a->ss_family != native.ss_family)
    return FALSE;
  if (a->ss_family == AF_INET) {
    const struct sockaddr_in *x = (const struct sockaddr_in *)a;
    const struct sockaddr_in *y = (const struct sockaddr_in *)&native;
    return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
  }
  const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)a;
  const struct sockaddr_in6 *y = (const struct sockaddr_in6 *)&native;
  return x->sin6_port == y->sin6_port && IN6_ARE_ADDR_EQUAL (&x->sin6_addr, &y->sin6_addr);
}

static gboolean
is_other_end (int fd, GSocketAddress *theirs, GSocketAddress *ours)
{
  struct sockaddr_storage own = { 0 }, peer = { 0 };
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  return getsockname (fd, (struct sockaddr *)&own, &own_size) == 0
         && getpeername (fd, (struct sockaddr *)&peer, &peer_size) == 0
         && same_end (&own, own_size, theirs) && same_end (&peer, peer_size, ours);
}

/* A pair of addresses and ports names one connection; so the one end is a descriptor of ours if and
 * only if the other connected from within this process. */
static gboolean
is_ours (GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) theirs = g_socket_connection_get_remote_address (connection, NULL);
  g_autoptr (GSocketAddress) ours = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GDir) descriptors = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  if (theirs == NULL || ours == NULL || descriptors == NULL)
    return FALSE;
  while ((name = g_dir_read_name (descriptors)) != NULL)
    if (is_other_end (atoi (name), theirs, ours))
      return TRUE;
  return FALSE;
}

/* ---- passing on ---- */

static void
on_passed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_io_stream_splice_finish (result, &error);
  passage_free (data);
}

static void
on_relay (GSocketConnection *remote, const RelayReport *report, gpointer data)
{
  Passage *passage = data;
  if (report != NULL)
    g_info ("event=relay-unreachable relay=%s reason=%s detail=%s", passage->bridge->relay->url,
            relay_outcome_name (report->outcome), report->detail);
  if (remote == NULL) {
    g_io_stream_close (G_IO_STREAM (passage->local), NULL, NULL);
    passage_free (passage);
    return;
  }
  g_io_stream_splice_async (G_IO_STREAM (passage->local), G_IO_STREAM (remote),
                            G_IO_STREAM_SPLICE_CLOSE_STREAM1 | G_IO_STREAM_SPLICE_CLOSE_STREAM2,
                            G_PRIORITY_DEFAULT, passage->bridge->end, on_passed, passage);
  g_object_unref (remote);
}

static void
take (RelayBridge *bridge, GSocketConnection *local)
{
  if (bridge->connections >= RELAY_BRIDGE_MAX_CONNECTIONS || !is_ours (local)) {
    g_warning ("event=relay-bridge-refused relay=%s", bridge->relay->url);
    g_io_stream_close (G_IO_STREAM (local), NULL, NULL);
    return;
  }
  GSocket *socket = g_socket_connection_get_socket (local);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES, NULL);
  Passage *passage = g_new0 (Passage, 1);
  passage->bridge = bridge;
  passage->local = g_object_ref (local);
  bridge->connections++;
  g_atomic_ref_count_inc (&bridge->users);
  relay_connect (bridge->relay, bridge->end, on_relay, passage);
}

static void
on_accepted (GObject *source, GAsyncResult *result, gpointer data)
{
  RelayBridge *bridge = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) local
      = g_socket_listener_accept_finish (G_SOCKET_LISTENER (source), result, NULL, &error);
  if (!g_cancellable_is_cancelled (bridge->end)) {
    if (local != NULL)
      take (bridge, local);
    accept_next (bridge, G_SOCKET_LISTENER (source));
  }
  bridge_unref (bridge);
}

static void
accept_next (RelayBridge *bridge, GSocketListener *listener)
{
  g_atomic_ref_count_inc (&bridge->users);
  g_socket_listener_accept_async (listener, bridge->end, on_accepted, bridge);
}

/* ---- life ---- */

static void
listen_on (RelayBridge *bridge, guint place, GSocketFamily family)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (family);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  if (!g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &effective, NULL))
    return;
  bridge->ports[place] = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  bridge->listeners[place] = g_steal_pointer (&listener);
  accept_next (bridge, bridge->listeners[place]);
}

RelayBridge *
relay_bridge_new (const Relay *relay)
{
  RelayBridge *bridge = g_new0 (RelayBridge, 1);
  g_atomic_ref_count_init (&bridge->users);
  bridge->relay = relay_copy (relay);
  bridge->end = g_cancellable_new ();
  listen_on (bridge, 0, G_SOCKET_FAMILY_IPV4);
  listen_on (bridge, 1, G_SOCKET_FAMILY_IPV6);
  return bridge;
}

void
relay_bridge_free (RelayBridge *bridge)
{
  if (bridge == NULL)
    return;
  g_cancellable_cancel (bridge->end);
  for (guint i = 0; i < N_FAMILIES; i++)
    if (bridge->listeners[i] != NULL) {
      g_socket_listener_close (bridge->listeners[i]);
      g_clear_object (&bridge->listeners[i]);
    }
  bridge_unref (bridge);
}

guint16
relay_bridge_port (const RelayBridge *bridge, GSocketFamily family)
{
  return bridge->ports[family == G_SOCKET_FAMILY_IPV6 ? 1 : 0];
}

guint
relay_bridge_connections (const RelayBridge *bridge)
{
  return bridge->connections;
}
