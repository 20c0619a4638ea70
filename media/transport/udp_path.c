#include "media/transport/udp_path.h"
#include <netinet/in.h>
#include <string.h>

void
udp_path_set (UdpPath *path, GSocket *socket, const struct sockaddr *to)
{
  udp_path_clear (path);
  path->socket = socket;
  path->to_size
      = to->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
  memcpy (&path->to, to, path->to_size);
}

void
udp_path_clear (UdpPath *path)
{
  g_clear_object (&path->socket);
}

guint
udp_path_send (UdpPath *path, const UdpDatagram *datagrams, guint n)
{
  struct mmsghdr messages[UDP_PATH_MAX_DATAGRAMS];
  struct iovec vectors[UDP_PATH_MAX_DATAGRAMS];
  n = MIN (n, UDP_PATH_MAX_DATAGRAMS);
  if (!path->socket)
    return 0;
  for (guint i = 0; i < n; i++) {
    vectors[i] = (struct iovec){ datagrams[i].data, datagrams[i].size };
    messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &path->to,
                                                 .msg_namelen = path->to_size,
                                                 .msg_iov = &vectors[i],
                                                 .msg_iovlen = 1 } };
  }
  int sent = sendmmsg (g_socket_get_fd (path->socket), messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : (guint)sent;
}
