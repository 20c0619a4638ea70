#include "media/transport/sctp_library.h"
#include <errno.h>
#include <stdlib.h>
#include <usrsctp.h>

enum {
  WINDOW = 1024 * 1024, /* both directions; more than half of it is one message at most */
  RTO_INITIAL_MS = 500,
  RTO_MIN_MS = 250,
  RTO_MAX_MS = 2000, /* a link that comes back must not wait for the back-off */
  DELAYED_SACK_MS = 20,
  HEARTBEAT_MS = 15000,
  NEVER_GIVE_UP = 0xffff, /* retransmissions */
  SHORTEST_TICK_US = 5000,
};

typedef struct {
  void *object;
  const SctpLibraryEvents *events;
} Entry;

/* Held while a callback runs, so that removal waits for it. Taken inside the library's locks. */
static GMutex table_lock;
static GHashTable *table;
static guint last_id;

static GMutex tick_lock;
static gint64 last_tick_us;

/* ---- callbacks of usrsctp ---- */

static int
on_output (void *id, void *packet, size_t size, uint8_t tos, uint8_t dont_fragment)
{
  g_mutex_lock (&table_lock);
  Entry *entry = g_hash_table_lookup (table, id);
  if (entry)
    entry->events->output (entry->object, packet, size);
  g_mutex_unlock (&table_lock);
  return 0;
}

/* data is malloc()ed by the library and ours to free; NULL: the socket ended. */
static int
on_input (struct socket *socket, union sctp_sockstore address, void *data, size_t size,
          struct sctp_rcvinfo info, int flags, void *id)
{
  g_mutex_lock (&table_lock);
  Entry *entry = data ? g_hash_table_lookup (table, id) : NULL;
  if (entry && (flags & MSG_NOTIFICATION))
    entry->events->notification (entry->object, data, size);
  else if (entry)
    entry->events->input (entry->object, info.rcv_sid, g_ntohl (info.rcv_ppid),
                          (flags & MSG_EOR) != 0, data, size);
  g_mutex_unlock (&table_lock);
  free (data);
  return 1;
}

static int
on_writable (struct socket *socket, uint32_t free_bytes, void *id)
{
  g_mutex_lock (&table_lock);
  Entry *entry = g_hash_table_lookup (table, id);
  if (entry)
    entry->events->writable (entry->object);
  g_mutex_unlock (&table_lock);
  return 1;
}

/* ---- set-up ---- */

static void
library_init (void)
{
  usrsctp_init_nothreads (0, on_output, NULL);
  usrsctp_sysctl_set_sctp_sendspace (WINDOW);
  usrsctp_sysctl_set_sctp_recvspace (WINDOW);
  usrsctp_sysctl_set_sctp_ecn_enable (0);
  usrsctp_sysctl_set_sctp_asconf_enable (0);
  usrsctp_sysctl_set_sctp_auto_asconf (0);
  usrsctp_sysctl_set_sctp_auth_enable (0);
  usrsctp_sysctl_set_sctp_pr_enable (1);
  usrsctp_sysctl_set_sctp_reconfig_enable (1);
  usrsctp_sysctl_set_sctp_delayed_sack_time_default (DELAYED_SACK_MS);
  usrsctp_sysctl_set_sctp_heartbeat_interval_default (HEARTBEAT_MS);
  usrsctp_sysctl_set_sctp_rto_initial_default (RTO_INITIAL_MS);
  usrsctp_sysctl_set_sctp_rto_min_default (RTO_MIN_MS);
  usrsctp_sysctl_set_sctp_rto_max_default (RTO_MAX_MS);
  usrsctp_sysctl_set_sctp_init_rto_max_default (RTO_MAX_MS);
  /* Else a chunk that goes again every RTO_MAX_MS ends the association after a minute without link. */
  usrsctp_sysctl_set_sctp_max_retran_chunk (0);
  table = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  last_tick_us = g_get_monotonic_time ();
}

guint
sctp_library_add (void *object, const SctpLibraryEvents *events)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    library_init ();
    g_once_init_leave (&once, 1);
  }
  Entry *entry = g_new (Entry, 1);
  *entry = (Entry){ object, events };
  g_mutex_lock (&table_lock);
  guint id = ++last_id ? last_id : ++last_id;
  g_hash_table_insert (table, GUINT_TO_POINTER (id), entry);
  g_mutex_unlock (&table_lock);
  usrsctp_register_address (GUINT_TO_POINTER (id));
  return id;
}

void
sctp_library_remove (guint id)
{
  usrsctp_deregister_address (GUINT_TO_POINTER (id));
  g_mutex_lock (&table_lock);
  g_hash_table_remove (table, GUINT_TO_POINTER (id));
  g_mutex_unlock (&table_lock);
}

static gboolean
set (struct socket *socket, int level, int name, const void *value, socklen_t size)
{
  return usrsctp_setsockopt (socket, level, name, value, size) == 0;
}

static gboolean
configure (struct socket *socket, guint mtu)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  int on = 1, point = WINDOW / 2;
  struct sctp_assoc_value reset = { .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ };
  struct sctp_initmsg init = { .sinit_num_ostreams = SCTP_MAX_STREAMS,
                               .sinit_max_instreams = SCTP_MAX_STREAMS,
                               .sinit_max_attempts = NEVER_GIVE_UP,
                               .sinit_max_init_timeo = RTO_MAX_MS };
  struct sctp_assocparams association = { .sasoc_asocmaxrxt = NEVER_GIVE_UP };
  /* The library counts what is behind the common header. */
  mtu = (mtu - (guint)sizeof (struct sctp_common_header)) & ~3u;
  struct sctp_paddrparams path
      = { .spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = mtu, .spp_pathmaxrxt = NEVER_GIVE_UP };
  static const uint16_t events[] = { SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT };
  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    struct sctp_event event = { .se_assoc_id = SCTP_ALL_ASSOC, .se_type = events[i], .se_on = 1 };
    if (!set (socket, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event))
      return FALSE;
  }
  return set (socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger)
         && set (socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on)
         && set (socket, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &reset, sizeof reset)
         && set (socket, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init)
         && set (socket, IPPROTO_SCTP, SCTP_ASSOCINFO, &association, sizeof association)
         && set (socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path)
         /* Whole messages only: what is larger than we announced comes in pieces and is dropped. */
         && set (socket, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &point, sizeof point);
}

struct socket *
sctp_library_connect (guint id, guint16 remote_port, guint mtu)
{
  struct socket *socket = usrsctp_socket (AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_input, on_writable,
                                          WINDOW / 4, GUINT_TO_POINTER (id));
  if (!socket)
    return NULL;
  struct sockaddr_conn address = { .sconn_family = AF_CONN,
                                   .sconn_port = g_htons (SCTP_PORT),
                                   .sconn_addr = GUINT_TO_POINTER (id) };
  if (usrsctp_set_non_blocking (socket, 1) == 0 && configure (socket, mtu)
      && usrsctp_bind (socket, (struct sockaddr *)&address, sizeof address) == 0) {
    address.sconn_port = g_htons (remote_port);
    if (usrsctp_connect (socket, (struct sockaddr *)&address, sizeof address) == 0
        || errno == EINPROGRESS)
      return socket;
  }
  int error = errno;
  usrsctp_close (socket);
  errno = error;
  return NULL;
}

void
sctp_library_tick (gint64 now_us)
{
  if (!g_mutex_trylock (&tick_lock))
    return;
  gint64 passed_us = now_us - last_tick_us;
  if (passed_us >= SHORTEST_TICK_US) {
    last_tick_us += passed_us / 1000 * 1000;
    usrsctp_handle_timers ((uint32_t)(passed_us / 1000));
  }
  g_mutex_unlock (&tick_lock);
}
