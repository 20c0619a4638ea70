/* The socket and the address of an ICE pair, for sending without a detour through libnice: many
 * datagrams with one call of the kernel, and those of one size as one that the kernel cuts, and
 * also after libnice has given up the pair (ice.h). Plain data; one thread. Not for relayed pairs,
 * whose packets are wrapped.
 */
#pragma once
#include <gio/gio.h>
#include <sys/socket.h>

typedef struct {
  GSocket *socket; /* NULL: no such path */
  struct sockaddr_storage to;
  socklen_t to_size;
  gboolean no_segments; /* the way there does not cut datagrams */
} UdpPath;

typedef struct {
  guint8 *data;
  gsize size;
} UdpDatagram;

enum { UDP_PATH_MAX_DATAGRAMS = 32 /* in one call */ };

/* socket: (transfer full) (nullable). */
void udp_path_set (UdpPath *path, GSocket *socket, const struct sockaddr *to);
void udp_path_clear (UdpPath *path);
/* Returns how many left; what the kernel has no room for is dropped, as on any link. */
guint udp_path_send (UdpPath *path, const UdpDatagram *datagrams, guint n);
