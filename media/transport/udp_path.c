#include "media/transport/udp_path.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

enum { MAX_RUN = 60000 /* bytes in one datagram that is cut */ };

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

/* How many of the datagrams the kernel can cut out of one (udp(7), UDP_SEGMENT): all but the last
 * of the same size. The fragments of a frame are. */
static guint
run_of (const UdpPath *path, const UdpDatagram *datagrams, guint n)
{
  guint run = 1;
  gsize total = datagrams[0].size;
  while (!path->no_segments && run < n && datagrams[run - 1].size == datagrams[0].size
         && datagrams[run].size <= datagrams[0].size && datagrams[run].size > 0
         && total + datagrams[run].size <= MAX_RUN)
    total += datagrams[run++].size;
  return run;
}

typedef union {
  char room[CMSG_SPACE (sizeof (guint16))];
  struct cmsghdr align;
} Control;

static void
add_segment_size (struct msghdr *message, Control *control, gsize size)
{
  message->msg_control = control->room;
  message->msg_controllen = sizeof control->room;
  struct cmsghdr *header = CMSG_FIRSTHDR (message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN (sizeof (guint16));
  memcpy (CMSG_DATA (header), &(guint16){ (guint16)size }, sizeof (guint16));
}

/* One call of the kernel; returns how many datagrams left, 0 with errno when the first did not. */
static guint
send_runs (const UdpPath *path, const UdpDatagram *datagrams, guint n)
{
  struct mmsghdr messages[UDP_PATH_MAX_DATAGRAMS];
  struct iovec vectors[UDP_PATH_MAX_DATAGRAMS];
  Control controls[UDP_PATH_MAX_DATAGRAMS];
  guint n_messages = 0;
  for (guint i = 0, run; i < n; i += run) {
    run = run_of (path, datagrams + i, n - i);
    for (guint j = i; j < i + run; j++)
      vectors[j] = (struct iovec){ datagrams[j].data, datagrams[j].size };
    struct msghdr *message = &messages[n_messages].msg_hdr;
    *message = (struct msghdr){ .msg_name = (void *)&path->to,
                                .msg_namelen = path->to_size,
                                .msg_iov = &vectors[i],
                                .msg_iovlen = run };
    if (run > 1)
      add_segment_size (message, &controls[n_messages], datagrams[i].size);
    n_messages++;
  }
  int sent = sendmmsg (g_socket_get_fd (path->socket), messages, n_messages,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
  guint left = 0;
  for (int i = 0; i < sent; i++)
    left += (guint)messages[i].msg_hdr.msg_iovlen;
  return left;
}

guint
udp_path_send (UdpPath *path, const UdpDatagram *datagrams, guint n)
{
  n = MIN (n, UDP_PATH_MAX_DATAGRAMS);
  if (!path->socket || n == 0)
    return 0;
  errno = 0;
  guint left = send_runs (path, datagrams, n);
  /* A device without checksums of its own (EIO) or with a small MTU (EINVAL, EMSGSIZE) has each
   * datagram sent by itself. */
  if (left < n && !path->no_segments
      && (errno == EIO || errno == EINVAL || errno == EMSGSIZE || errno == ENOPROTOOPT)) {
    path->no_segments = TRUE;
    left += send_runs (path, datagrams + left, n - left);
  }
  return left;
}
