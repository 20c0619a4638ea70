/* sim-link: a mobile link between two interfaces of its network namespace, frame by frame; what
 * tests/sim/link and tests/lib/link.mjs put between a clinic and a hospital.
 *
 *   sim-link --clinic IFACE --hospital IFACE [--profile NAME] [--seed N]
 *
 * Each direction is a virtual_link.h of its own, driven by the monotonic clock: the numbers are the
 * same as in virtual time, and the n-th packet of a direction is lost or not by the seed alone.
 * tbf, nftables' numgen and a forwarder beside them would do it too, but in three places, without a
 * seed, and a queue that tbf counts in bytes of its own.
 *
 * Counted on the wire: IP packets, without Ethernet's header. ARP, neighbour discovery and
 * multicast listeners pass at once, also in a blackout: they belong to the routers on either side,
 * which do not know what the radio between them does.
 *
 * JSON objects, one a line; first {"profile":{…}} on stdout, then an answer to each command:
 *
 *   {"do":"set","way":"up","rate":500000,"delay":60,"jitter":0,"loss":0.02,"burst":1,"queue":500}
 *        bit/s, ms, ms (uniform, order kept), 0..1, packets, ms at the rate; what is left out
 *        stays; a queue whose rate alone changes keeps its bytes
 *   {"do":"profile","name":"fibre"}      both ways as in that profile, answered as at the start
 *   {"do":"cut","way":"up"}  {"do":"restore"}     without a way: both
 *   {"do":"stats"}     per way: packets and bytes that came through, dropped by the queue ("full"),
 *                      by chance ("lost"), in a blackout ("cut"), what waits; "first": when
 *                      "udp 10.77.0.2" was seen first, ms of the wall clock; "at": its clock,
 *                      "late": the longest that it was behind its own time, ms
 *
 * {"ok":true}, {"error":"…"} or the figures. Ends when stdin does.
 */
#include "json_lines.h"
#include "link_profile.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define PROFILES "a profile is fibre, mountain-4g, village-3g or bufferbloat"

enum {
  MAX_SOURCES = 64,
  NAME_SERVER = 53,
  FRAME_MAX = 65550,
  SOCKET_BUFFER = 8 * 1024 * 1024,
  LINE_MAX_BYTES = 4096
};

typedef struct {
  VirtualLink *link;
  int in, out; /* packet sockets */
  guint64 packets, bytes;
  GHashTable *first; /* source address -> gint64, µs of the wall clock: its first packet here */
} Way;

typedef struct {
  Way up, down;
  gint64 late_us;
  GString *input;
  const LinkProfile *profile;
  gboolean ended;
} Program;

static struct {
  char *clinic, *hospital, *profile;
  int seed;
} options = { .seed = 1 };

/* ---- packets ---- */

static int
open_interface (const char *name, GError **error)
{
  guint index = if_nametoindex (name);
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_ll address
      = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL), .sll_ifindex = (int)index };
  int yes = 1, size = SOCKET_BUFFER;
  if (index && fd >= 0
      && setsockopt (fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) == 0) {
    if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
      setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind (fd, (struct sockaddr *)&address, sizeof address) == 0)
      return fd;
  }
  int why = errno;
  if (fd >= 0)
    close (fd);
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (why),
               "interface %s: %s; it must exist in this network namespace, and root is needed",
               name, g_strerror (why));
  return -1;
}

/* What the routers on either side say to their own network. */
static gboolean
is_local (const guint8 *frame, gsize size)
{
  guint16 type = (guint16)(frame[12] << 8 | frame[13]);
  if (type == ETHERTYPE_ARP)
    return TRUE;
  if (type != ETHERTYPE_IPV6)
    return type != ETHERTYPE_IP;
  gsize at = ETHER_HDR_LEN + sizeof (struct ip6_hdr);
  guint8 next = size > at ? frame[ETHER_HDR_LEN + 6] : 0;
  if (next == IPPROTO_HOPOPTS && size > at + 8) { /* a listener's report carries a router alert */
    next = frame[at];
    at += 8 + frame[at + 1] * 8u;
  }
  return next == IPPROTO_ICMPV6 && size > at
         && ((frame[at] >= ND_ROUTER_SOLICIT && frame[at] <= ND_REDIRECT)
             || (frame[at] >= MLD_LISTENER_QUERY && frame[at] <= MLD_LISTENER_REDUCTION)
             || frame[at] == 143 /* RFC 3810 §5.2 */);
}

/* "tcp 10.77.0.2"; nothing of what is for everybody, or for a name server */
static char *
source_of (const guint8 *frame, gsize size)
{
  gboolean v4 = (frame[12] << 8 | frame[13]) == ETHERTYPE_IP;
  gsize length = v4 ? 4 : 16, at = ETHER_HDR_LEN + (v4 ? 12 : 8);
  guint8 protocol = size > at ? frame[ETHER_HDR_LEN + (v4 ? 9 : 6)] : 0;
  char text[INET6_ADDRSTRLEN];
  gsize port
      = ETHER_HDR_LEN + (v4 ? (frame[ETHER_HDR_LEN] & 15) * 4u : sizeof (struct ip6_hdr)) + 2;
  if (size < at + length || size < port + 2 || frame[0] & 1
      || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
      || (frame[port] << 8 | frame[port + 1]) == NAME_SERVER)
    return NULL;
  inet_ntop (v4 ? AF_INET : AF_INET6, frame + at, text, sizeof text);
  return g_strconcat (protocol == IPPROTO_TCP ? "tcp " : "udp ", text, NULL);
}

static void
note_source (Way *way, const guint8 *frame, gsize size)
{
  g_autofree char *source = source_of (frame, size);
  if (source == NULL || g_hash_table_size (way->first) >= MAX_SOURCES
      || g_hash_table_contains (way->first, source))
    return;
  gint64 now = g_get_real_time ();
  g_hash_table_insert (way->first, g_steal_pointer (&source), g_memdup2 (&now, sizeof now));
}

static json_t *
first_of (Way *way)
{
  GHashTableIter iter;
  gpointer address, at;
  json_t *first = json_object ();
  g_hash_table_iter_init (&iter, way->first);
  while (g_hash_table_iter_next (&iter, &address, &at))
    json_object_set_new (first, address, json_real ((double)*(gint64 *)at / 1000));
  return first;
}

static void
take_in (Way *way)
{
  static guint8 frame[FRAME_MAX];
  for (;;) {
    gssize size = recv (way->in, frame, sizeof frame, 0);
    if (size < 0)
      return;
    if (size < ETHER_HDR_LEN)
      continue;
    if (is_local (frame, (gsize)size))
      (void)!send (way->out, frame, (gsize)size, 0);
    else {
      note_source (way, frame, (gsize)size);
      virtual_link_send (way->link, 0, frame, (gsize)size, -ETHER_HDR_LEN, g_get_monotonic_time ());
    }
  }
}

static void
let_out (Program *program, Way *way)
{
  VirtualPacket packet;
  gint64 now = g_get_monotonic_time ();
  while (virtual_link_take (way->link, now, &packet)) {
    program->late_us = MAX (program->late_us, now - packet.at_us);
    way->packets++;
    way->bytes += packet.wire;
    (void)!send (way->out, packet.data, packet.size, 0);
    g_free (packet.data);
  }
}

/* ---- commands ---- */

static json_t *
describe_way (const VirtualLinkConfig *c)
{
  double queue_ms = c->bps ? c->queue_bytes * 8000.0 / c->bps : 0;
  return json_pack ("{s:i,s:f,s:f,s:f,s:f,s:f}", "rate", (int)c->bps, "delay",
                    (double)c->delay_us / 1000, "jitter", (double)c->jitter_us / 1000, "loss",
                    c->loss, "burst", c->burst, "queue", queue_ms);
}

static json_t *
describe_profile (const LinkProfile *profile)
{
  json_t *events = json_array ();
  for (guint i = 0; i < profile->n_events; i++)
    json_array_append_new (events, json_pack ("{s:i,s:s}", "at", (int)profile->events[i].at_s,
                                              "what", link_event_name (profile->events[i].kind)));
  return json_pack ("{s:{s:s,s:o,s:o,s:o}}", "profile", "name", profile->name, "up",
                    describe_way (&profile->up), "down", describe_way (&profile->down), "events",
                    events);
}

static json_t *
figures_of (Way *way, gint64 now)
{
  VirtualLinkStats stats;
  virtual_link_stats (way->link, &stats);
  return json_pack ("{s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:f}", "first", first_of (way), "sent",
                    (json_int_t)stats.sent, "packets", (json_int_t)way->packets, "bytes",
                    (json_int_t)way->bytes, "full", (json_int_t)stats.full, "lost",
                    (json_int_t)stats.lost, "cut", (json_int_t)stats.cut, "queue_bytes",
                    (int)virtual_link_queue_bytes (way->link, now), "queue_ms",
                    (double)virtual_link_queue_us (way->link, now) / 1000);
}

static json_t *
stats (Program *program)
{
  gint64 now = g_get_monotonic_time ();
  return json_pack ("{s:o,s:o,s:f,s:f}", "up", figures_of (&program->up, now), "down",
                    figures_of (&program->down, now), "at", (double)now / 1000, "late",
                    (double)program->late_us / 1000);
}

static json_t *
wrong (const char *why)
{
  return json_pack ("{s:s}", "error", why);
}

/* A number in its bounds; absent: untouched. */
static gboolean
number (json_t *command, const char *key, double least, double most, double *value)
{
  json_t *given = json_object_get (command, key);
  if (!given)
    return TRUE;
  if (!json_is_number (given) || json_number_value (given) < least
      || json_number_value (given) > most)
    return FALSE;
  *value = json_number_value (given);
  return TRUE;
}

static json_t *
set (Way *way, json_t *command)
{
  VirtualLinkConfig c = *virtual_link_config (way->link);
  double rate = c.bps, delay = (double)c.delay_us / 1000, jitter = (double)c.jitter_us / 1000;
  double queue = -1;
  if (!number (command, "rate", 1000, 1e9, &rate) || !number (command, "delay", 0, 60000, &delay)
      || !number (command, "jitter", 0, 60000, &jitter) || !number (command, "loss", 0, 1, &c.loss)
      || !number (command, "burst", 0, 1000, &c.burst)
      || !number (command, "queue", 1, 60000, &queue))
    return wrong ("set takes rate (bit/s from 1000), delay and jitter (ms), loss (0..1), burst "
                  "(packets), queue (ms from 1)");
  c.bps = (guint)rate;
  c.delay_us = llrint (delay * 1000);
  c.jitter_us = llrint (jitter * 1000);
  if (queue > 0)
    c.queue_bytes = (guint)MIN (queue * rate / 8000, 1e9);
  virtual_link_set (way->link, &c, g_get_monotonic_time ());
  return json_pack ("{s:b}", "ok", 1);
}

static json_t *
change_profile (Program *program, const char *name)
{
  const LinkProfile *profile = link_profile_by_name (name);
  if (!profile)
    return wrong (PROFILES);
  gint64 now = g_get_monotonic_time ();
  virtual_link_set (program->up.link, &profile->up, now);
  virtual_link_set (program->down.link, &profile->down, now);
  return describe_profile (profile);
}

static json_t *
cut (Way *ways[], gboolean on)
{
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < 2; i++)
    if (ways[i])
      virtual_link_cut (ways[i]->link, on ? G_MAXINT64 : now, now);
  return json_pack ("{s:b}", "ok", 1);
}

static json_t *
obey (Program *program, const char *line)
{
  json_t *command = json_loads (line, 0, NULL);
  const char *what = json_string_value (json_object_get (command, "do"));
  const char *way = json_string_value (json_object_get (command, "way"));
  gboolean up = g_strcmp0 (way, "up") == 0, down = g_strcmp0 (way, "down") == 0;
  Way *both[] = { down ? NULL : &program->up, up ? NULL : &program->down };
  json_t *answer = NULL;
  if (json_object_get (command, "way") && !up && !down)
    answer = wrong ("way is up or down");
  else if (g_strcmp0 (what, "set") == 0)
    answer = way ? set (up ? &program->up : &program->down, command) : wrong ("set needs a way");
  else if (g_strcmp0 (what, "cut") == 0 || g_strcmp0 (what, "restore") == 0)
    answer = cut (both, g_strcmp0 (what, "cut") == 0);
  else if (g_strcmp0 (what, "profile") == 0)
    answer = change_profile (program, json_string_value (json_object_get (command, "name")));
  else if (g_strcmp0 (what, "stats") == 0)
    answer = stats (program);
  else
    answer = wrong ("do is set, profile, cut, restore or stats");
  json_decref (command);
  return answer;
}

static void
read_commands (Program *program)
{
  char text[LINE_MAX_BYTES];
  gssize size = read (STDIN_FILENO, text, sizeof text);
  if (size <= 0 || program->input->len > LINE_MAX_BYTES) {
    program->ended = size == 0 || errno != EAGAIN;
    return;
  }
  g_string_append_len (program->input, text, size);
  for (char *end; (end = strchr (program->input->str, '\n'));) {
    *end = '\0';
    json_lines_say (obey (program, program->input->str));
    g_string_erase (program->input, 0, end - program->input->str + 1);
  }
}

/* ---- running ---- */

/* A cable does not wait for a processor: before everything else when that is allowed, and woken to
 * the microsecond. */
static void
hurry (void)
{
  struct sched_param first = { .sched_priority = 10 };
  (void)!sched_setscheduler (0, SCHED_FIFO, &first);
  prctl (PR_SET_TIMERSLACK, 1);
}

static void
run (Program *program)
{
  struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                          { .fd = program->up.in, .events = POLLIN },
                          { .fd = program->down.in, .events = POLLIN } };
  while (!program->ended) {
    gint64 next
        = MIN (virtual_link_next_us (program->up.link), virtual_link_next_us (program->down.link));
    gint64 until = next - g_get_monotonic_time ();
    gint64 wait = CLAMP (until, 0, G_USEC_PER_SEC);
    struct timespec timeout = { .tv_nsec = wait * 1000 % 1000000000, .tv_sec = wait / 1000000 };
    if (ppoll (fds, G_N_ELEMENTS (fds), &timeout, NULL) < 0 && errno != EINTR)
      g_error ("ppoll: %s", g_strerror (errno));
    take_in (&program->up);
    take_in (&program->down);
    let_out (program, &program->up);
    let_out (program, &program->down);
    if (fds[0].revents)
      read_commands (program);
  }
}

static gboolean
set_up (Program *program, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "clinic", 0, 0, G_OPTION_ARG_STRING, &options.clinic, "the clinic's side", "IFACE" },
    { "hospital", 0, 0, G_OPTION_ARG_STRING, &options.hospital, "the other side", "IFACE" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &options.profile, "fibre", "NAME" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed, "of chance, 1", "N" },
    { 0 },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  program->profile = link_profile_by_name (options.profile ? options.profile : "fibre");
  if (!options.clinic || !options.hospital || !program->profile) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s",
                 program->profile ? "--clinic and --hospital name interfaces" : PROFILES);
    return FALSE;
  }
  int clinic = open_interface (options.clinic, error);
  int hospital = clinic < 0 ? -1 : open_interface (options.hospital, error);
  program->up
      = (Way){ virtual_link_new (&program->profile->up, (guint32)options.seed), clinic, hospital };
  program->down = (Way){ virtual_link_new (&program->profile->down, (guint32)options.seed + 1),
                         hospital, clinic };
  program->up.first = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  program->down.first = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  program->input = g_string_new (NULL);
  return hospital >= 0;
}

int
main (int argc, char **argv)
{
  Program program = { 0 };
  g_autoptr (GError) error = NULL;
  if (!set_up (&program, argc, argv, &error)
      || !g_unix_set_fd_nonblocking (STDIN_FILENO, TRUE, &error)) {
    g_printerr ("sim-link: %s\n", error->message);
    return 2;
  }
  hurry ();
  json_lines_say (describe_profile (program.profile));
  run (&program);
  g_hash_table_unref (program.up.first);
  g_hash_table_unref (program.down.first);
  virtual_link_free (program.up.link);
  virtual_link_free (program.down.link);
  g_string_free (program.input, TRUE);
  return 0;
}
