#include "media/transport/ice_path.h"
#include "media/transport/stun_ping.h"
#include "media/transport/timer.h"
#include <netinet/in.h>
#include <string.h>

enum {
  QUIET_US = 500000,     /* until another address is tried */
  PING_US = 1000000,     /* until checks are sent */
  TRIAL_US = 1000000,    /* for a new address to prove itself */
  UNDER_WAY_US = 300000, /* what comes so soon may have left before the trial */
  TICK_US = 250000,
  LONG_US = 2 * 60 * G_USEC_PER_SEC, /* from then on rarely */
  LONG_TICK_US = 2000000,
};

struct IcePath {
  UdpPath path;
  char *local_ufrag, *remote_ufrag, *remote_pwd;
  guint64 tie;
  gint64 heard_us, since_us; /* since: the pair was selected */
  Timer *watch;
  UdpPath seen;    /* to be tried */
  UdpPath former;  /* while another is on trial */
  gint64 trial_us; /* its beginning */
};

static void
copy_path (UdpPath *to, const UdpPath *from)
{
  udp_path_set (to, g_object_ref (from->socket), (const struct sockaddr *)&from->to);
}

static void
try_seen (IcePath *path, gint64 now_us)
{
  copy_path (&path->former, &path->path);
  copy_path (&path->path, &path->seen);
  udp_path_clear (&path->seen);
  path->trial_us = now_us;
}

static void
end_trial (IcePath *path)
{
  if (path->heard_us < path->trial_us + UNDER_WAY_US)
    copy_path (&path->path, &path->former);
  udp_path_clear (&path->former);
}

static void
ping (IcePath *path)
{
  guint8 datagram[STUN_PING_CAPACITY];
  if (path->remote_pwd == NULL)
    return;
  gsize size = stun_ping_write (path->local_ufrag, path->remote_ufrag, path->remote_pwd, path->tie,
                                datagram);
  if (size > 0)
    udp_path_send (&path->path, &(UdpDatagram){ datagram, size }, 1);
}

static void
on_watch (void *arg)
{
  IcePath *path = arg;
  gint64 now_us = g_get_monotonic_time ();
  gint64 silent_us = now_us - MAX (path->heard_us, path->since_us);
  if (!ice_path_is_direct (path))
    return;
  if (path->former.socket && now_us - path->trial_us >= TRIAL_US)
    end_trial (path);
  if (silent_us < QUIET_US) {
    timer_at (path->watch, now_us - silent_us + QUIET_US);
    return;
  }
  if (path->seen.socket && !path->former.socket)
    try_seen (path, now_us);
  if (silent_us >= PING_US)
    ping (path);
  timer_at (path->watch, now_us + (silent_us < LONG_US ? TICK_US : LONG_TICK_US));
}

IcePath *
ice_path_new (GMainContext *context)
{
  IcePath *path = g_new0 (IcePath, 1);
  path->watch = timer_new (context, on_watch, path);
  path->tie = (guint64)g_random_int () << 32 | g_random_int ();
  return path;
}

static void
clear_credentials (IcePath *path)
{
  g_clear_pointer (&path->local_ufrag, g_free);
  g_clear_pointer (&path->remote_ufrag, g_free);
  g_clear_pointer (&path->remote_pwd, g_free);
}

void
ice_path_free (IcePath *path)
{
  if (path == NULL)
    return;
  timer_free (path->watch);
  udp_path_clear (&path->path);
  udp_path_clear (&path->seen);
  udp_path_clear (&path->former);
  clear_credentials (path);
  g_free (path);
}

void
ice_path_set_credentials (IcePath *path, const char *local_ufrag, const char *remote_ufrag,
                          const char *remote_pwd)
{
  clear_credentials (path);
  path->local_ufrag = g_strdup (local_ufrag);
  path->remote_ufrag = g_strdup (remote_ufrag);
  path->remote_pwd = g_strdup (remote_pwd);
}

void
ice_path_set (IcePath *path, GSocket *socket, const struct sockaddr *to)
{
  udp_path_clear (&path->seen);
  udp_path_clear (&path->former);
  udp_path_clear (&path->path);
  timer_stop (path->watch);
  if (socket == NULL)
    return;
  udp_path_set (&path->path, socket, to);
  path->since_us = g_get_monotonic_time ();
  timer_at (path->watch, path->since_us + QUIET_US);
}

void
ice_path_seen (IcePath *path, GSocket *socket, const struct sockaddr *from)
{
  if (!ice_path_is_direct (path))
    return;
  udp_path_set (&path->seen, g_object_ref (socket != NULL ? socket : path->path.socket), from);
  if (path->seen.to_size == path->path.to_size
      && memcmp (&path->seen.to, &path->path.to, path->path.to_size) == 0)
    udp_path_clear (&path->seen);
}

gboolean
ice_path_is_family (const IcePath *path, int family)
{
  return path->path.socket != NULL && path->path.to.ss_family == family;
}

gboolean
ice_path_is_direct (const IcePath *path)
{
  return path->path.socket != NULL;
}

guint
ice_path_send (IcePath *path, const UdpDatagram *datagrams, guint n)
{
  return udp_path_send (&path->path, datagrams, n);
}

void
ice_path_heard (IcePath *path, gint64 now_us)
{
  path->heard_us = now_us;
}

gint64
ice_path_heard_us (const IcePath *path)
{
  return path->heard_us;
}
