#include "media/transport/network_monitor.h"
#include "media/error.h"
#include "media/transport/timer.h"
#include <errno.h>
#include <glib-unix.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BUFFER_SIZE = 32768,
  READS = 16,       /* of one wake-up */
  BURST_US = 20000, /* an old address goes and a new one comes: told once */
};

struct NetworkMonitor {
  NetworkChanged changed;
  void *arg;
  int fd;
  GSource *source;
  GHashTable *usable;  /* char *: "interface address" */
  GHashTable *running; /* interfaces with a carrier, by index */
  Timer *burst;
};

static void
on_burst (void *arg)
{
  NetworkMonitor *monitor = arg;
  monitor->changed (monitor->arg);
}

static void
note (NetworkMonitor *monitor, gboolean changed)
{
  if (changed)
    timer_at (monitor->burst, g_get_monotonic_time () + BURST_US);
}

/* NULL: not one that a path could begin at */
static char *
key_of (const struct ifaddrmsg *message, guint size)
{
  const guint8 *address = NULL;
  gsize length = message->ifa_family == AF_INET ? 4 : 16;
  if (message->ifa_scope != RT_SCOPE_UNIVERSE && message->ifa_scope != RT_SCOPE_SITE)
    return NULL;
  for (const struct rtattr *a = IFA_RTA (message); RTA_OK (a, size); a = RTA_NEXT (a, size))
    if ((a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && address == NULL))
        && RTA_PAYLOAD (a) == length)
      address = RTA_DATA (a);
  if (address == NULL)
    return NULL;
  GString *key = g_string_new (NULL);
  g_string_printf (key, "%u ", message->ifa_index);
  for (gsize i = 0; i < length; i++)
    g_string_append_printf (key, "%02x", address[i]);
  return g_string_free (key, FALSE);
}

static void
read_address (NetworkMonitor *monitor, const struct nlmsghdr *header)
{
  const struct ifaddrmsg *message = NLMSG_DATA (header);
  if (header->nlmsg_len < NLMSG_LENGTH (sizeof *message)
      || (message->ifa_family != AF_INET && message->ifa_family != AF_INET6))
    return;
  g_autofree char *key = key_of (message, IFA_PAYLOAD (header));
  if (key == NULL)
    return;
  if (header->nlmsg_type == RTM_DELADDR)
    note (monitor, g_hash_table_remove (monitor->usable, key));
  else if ((message->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0)
    note (monitor, g_hash_table_add (monitor->usable, g_steal_pointer (&key)));
}

static void
read_link (NetworkMonitor *monitor, const struct nlmsghdr *header)
{
  const struct ifinfomsg *message = NLMSG_DATA (header);
  if (header->nlmsg_len < NLMSG_LENGTH (sizeof *message) || message->ifi_flags & IFF_LOOPBACK)
    return;
  gpointer index = GINT_TO_POINTER (message->ifi_index);
  if (header->nlmsg_type == RTM_NEWLINK && message->ifi_flags & IFF_RUNNING)
    note (monitor, g_hash_table_add (monitor->running, index));
  else
    g_hash_table_remove (monitor->running, index);
}

static void
read_messages (NetworkMonitor *monitor, const struct nlmsghdr *header, guint size)
{
  for (; NLMSG_OK (header, size); header = NLMSG_NEXT (header, size))
    switch (header->nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR:
      read_address (monitor, header);
      break;
    case RTM_NEWLINK:
    case RTM_DELLINK:
      read_link (monitor, header);
      break;
    default:
      break;
    }
}

/* What is there already. type: RTM_GETADDR, RTM_GETLINK */
static gboolean
ask (NetworkMonitor *monitor, guint16 type)
{
  struct {
    struct nlmsghdr header;
    struct rtgenmsg body;
  } request = { .header = { .nlmsg_len = sizeof request,
                            .nlmsg_type = type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
  return send (monitor->fd, &request, sizeof request, MSG_NOSIGNAL) == (gssize)sizeof request;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  NetworkMonitor *monitor = data;
  union {
    struct nlmsghdr header; /* for its alignment */
    char bytes[BUFFER_SIZE];
  } buffer;
  for (guint i = 0; i < READS; i++) {
    gssize n = recv (fd, buffer.bytes, sizeof buffer.bytes, MSG_DONTWAIT);
    if (n > 0)
      read_messages (monitor, &buffer.header, (guint)n);
    else if (n < 0 && errno == ENOBUFS)
      note (monitor, TRUE); /* something was missed */
    else
      break;
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
open_socket (NetworkMonitor *monitor)
{
  struct sockaddr_nl address
      = { .nl_family = AF_NETLINK,
          .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
  monitor->fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  return monitor->fd >= 0 && bind (monitor->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* The first reading is no change. */
static void
read_present (NetworkMonitor *monitor)
{
  static const guint16 types[] = { RTM_GETLINK, RTM_GETADDR };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (ask (monitor, types[i]))
      on_readable (monitor->fd, G_IO_IN, monitor);
  timer_stop (monitor->burst);
}

NetworkMonitor *
network_monitor_new (GMainContext *context, NetworkChanged changed, void *arg, GError **error)
{
  g_autoptr (NetworkMonitor) monitor = g_new0 (NetworkMonitor, 1);
  monitor->changed = changed;
  monitor->arg = arg;
  monitor->usable = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  monitor->running = g_hash_table_new (NULL, NULL);
  monitor->burst = timer_new (context, on_burst, monitor);
  if (!open_socket (monitor)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED,
                 "changes of the network are not seen (netlink: %s)", g_strerror (errno));
    return NULL;
  }
  read_present (monitor);
  monitor->source = g_unix_fd_source_new (monitor->fd, G_IO_IN);
  g_source_set_callback (monitor->source, G_SOURCE_FUNC (on_readable), monitor, NULL);
  g_source_attach (monitor->source, context);
  return g_steal_pointer (&monitor);
}

void
network_monitor_free (NetworkMonitor *monitor)
{
  if (monitor == NULL)
    return;
  if (monitor->source != NULL) {
    g_source_destroy (monitor->source);
    g_source_unref (monitor->source);
  }
  if (monitor->fd > 0)
    close (monitor->fd);
  timer_free (monitor->burst);
  g_hash_table_unref (monitor->usable);
  g_hash_table_unref (monitor->running);
  g_free (monitor);
}
