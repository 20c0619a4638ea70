/* Changes of this machine's addresses, in a network namespace of the test's own; and a path whose
 * other side falls silent, moves, or is only claimed to have moved. */
#include "media/transport/ice_path.h"
#include "media/transport/network_monitor.h"
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gint64
patience_us (void)
{
  const char *times = g_getenv ("NHIPCAU_PATIENCE");
  return 5 * G_USEC_PER_SEC * (times != NULL ? MAX (atoi (times), 1) : 1);
}

/* ---- addresses ---- */

static guint changes;

static void
on_changed (void *arg)
{
  changes++;
}

static void
run (const char *command)
{
  int status = 0;
  g_autoptr (GError) error = NULL;
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
}

/* Whether anything was told until a change that surely is. */
static guint
changes_until_told (const char *command)
{
  changes = 0;
  run (command);
  gint64 end_us = g_get_monotonic_time () + patience_us ();
  while (changes == 0 && g_get_monotonic_time () < end_us)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  return changes;
}

static void
test_monitor (void)
{
  if (unshare (CLONE_NEWNET) != 0) {
    g_test_skip ("a network namespace needs root");
    return;
  }
  run ("ip link set lo up"); /* for the tests that follow */
  run ("ip link add one type veth peer name other");
  run ("ip link set one up");
  run ("ip link set other up");
  run ("ip address add 192.0.2.1/24 dev one");
  g_autoptr (GError) error = NULL;
  g_autoptr (NetworkMonitor) monitor = network_monitor_new (NULL, on_changed, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (monitor);

  /* What is no use to a path is not told: the next change comes alone. */
  changes = 0;
  run ("ip address add 127.0.0.9/8 dev lo");
  run ("ip address add fe80::9/64 dev one nodad");
  g_assert_cmpuint (changes_until_told ("ip address add 192.0.2.2/24 dev one"), ==, 1);
  /* A burst is told once. */
  g_assert_cmpuint (changes_until_told ("sh -c 'ip address delete 192.0.2.1/24 dev one; "
                                        "ip address add 192.0.2.3/24 dev one'"),
                    ==, 1);
  g_assert_cmpuint (changes_until_told ("ip address add fd00::1/64 dev one nodad"), ==, 1);
  /* An address that is still being checked for duplicates becomes one later, and is told then. */
  g_assert_cmpuint (changes_until_told ("ip address add fd00::2/64 dev one"), ==, 1);
  /* A carrier that is lost helps nobody; one that is back does. */
  run ("ip link set other down");
  g_assert_cmpuint (changes_until_told ("ip link set other up"), ==, 1);
}

/* ---- silence ---- */

typedef struct {
  GSocket *socket;
  struct sockaddr_storage address;
} Place;

static Place
place_new (void)
{
  Place place = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  place.socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, 0, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (place.socket, any, FALSE, &error));
  g_autoptr (GSocketAddress) own = g_socket_get_local_address (place.socket, &error);
  g_assert_true (g_socket_address_to_native (own, &place.address, sizeof place.address, &error));
  g_socket_set_blocking (place.socket, FALSE);
  return place;
}

static gboolean
read_one (const Place *place, guint8 buffer[2048], gssize *ret_size)
{
  *ret_size = g_socket_receive (place->socket, (char *)buffer, 2048, NULL, NULL);
  return *ret_size > 0;
}

/* Waits for a datagram that begins with `first`; FALSE when none comes. */
static gboolean
wait_for (const Place *place, guint8 first, gint64 within_us)
{
  guint8 buffer[2048];
  gssize size;
  gint64 end_us = g_get_monotonic_time () + within_us;
  while (g_get_monotonic_time () < end_us) {
    while (read_one (place, buffer, &size))
      if (buffer[0] == first)
        return TRUE;
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  }
  return FALSE;
}

/* Which of two places a packet goes to, tried until it is `there`. */
static gboolean
goes_to (IcePath *path, const Place *there, gint64 within_us)
{
  guint8 packet[] = { 0x80, 1, 2, 3 };
  gint64 end_us = g_get_monotonic_time () + within_us;
  while (g_get_monotonic_time () < end_us) {
    ice_path_send (path, &(UdpDatagram){ packet, sizeof packet }, 1);
    if (wait_for (there, 0x80, 10000))
      return TRUE;
  }
  return FALSE;
}

static void
drain (const Place *place)
{
  while (wait_for (place, 0x80, 20000))
    continue;
}

static void
place_clear (Place *place)
{
  g_clear_object (&place->socket);
}

typedef struct {
  Place here, old, new;
  IcePath *path;
} Scene;

static void
set_up (Scene *scene, gconstpointer data)
{
  *scene = (Scene){ place_new (), place_new (), place_new (), ice_path_new (NULL) };
  ice_path_set_credentials (scene->path, "aaaa", "bbbb", "0123456789012345678901");
  ice_path_set (scene->path, g_object_ref (scene->here.socket),
                (struct sockaddr *)&scene->old.address);
}

static void
tear_down (Scene *scene, gconstpointer data)
{
  ice_path_free (scene->path);
  place_clear (&scene->here);
  place_clear (&scene->old);
  place_clear (&scene->new);
}

/* RFC 8445 §7.2.2: a Binding request (0x0001) */
static void
test_silence (Scene *scene, gconstpointer data)
{
  g_assert_true (goes_to (scene->path, &scene->old, patience_us ()));
  g_assert_true (wait_for (&scene->old, 0x00, patience_us ()));
  g_assert_true (wait_for (&scene->old, 0x00, patience_us ()));
}

static void
test_moved (Scene *scene, gconstpointer data)
{
  ice_path_heard (scene->path, g_get_monotonic_time ());
  ice_path_seen (scene->path, NULL, (struct sockaddr *)&scene->new.address);
  /* Nobody fell silent: nothing changes. */
  g_assert_true (goes_to (scene->path, &scene->old, 100000));
  g_assert_true (goes_to (scene->path, &scene->new, patience_us ()));
  gint64 end_us = g_get_monotonic_time () + 1500000;
  while (g_get_monotonic_time () < end_us) { /* longer than a trial lasts */
    ice_path_heard (scene->path, g_get_monotonic_time ());
    wait_for (&scene->here, 0, 50000);
  }
  drain (&scene->old);
  g_assert_true (goes_to (scene->path, &scene->new, 100000));
  g_assert_false (wait_for (&scene->old, 0x80, 100000));
}

/* Somebody repeated a check from an address that is not the other side's. */
static void
test_claimed (Scene *scene, gconstpointer data)
{
  ice_path_seen (scene->path, NULL, (struct sockaddr *)&scene->new.address);
  g_assert_true (goes_to (scene->path, &scene->new, patience_us ()));
  drain (&scene->old);
  g_assert_true (goes_to (scene->path, &scene->old, patience_us ()));
  drain (&scene->new);
  g_assert_false (goes_to (scene->path, &scene->new, 300000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/network/path/silence", Scene, NULL, set_up, test_silence, tear_down);
  g_test_add ("/network/path/moved", Scene, NULL, set_up, test_moved, tear_down);
  g_test_add ("/network/path/claimed", Scene, NULL, set_up, test_claimed, tear_down);
  g_test_add_func ("/network/addresses", test_monitor);
  return g_test_run ();
}
