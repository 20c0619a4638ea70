#include "media/transport/ice.h"
#include "media/transport/candidate.h"
#include "media/transport/ice_path.h"
#include "media/transport/relays.h"
#include "media/transport/timer.h"
#include <gio/gio.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nice/agent.h>
#include <string.h>
#include <unistd.h>

enum {
  COMPONENT = 1,
  MAX_LOCAL_ADDRESSES = 12,
  PACING_MS = 10,    /* Ta; RFC 8445 §14.2 allows 5 */
  GIVE_UP_MS = 5000, /* FAILED when nothing is in progress for so long; libnice ticks till then */
  STUN_INITIAL_MS = 300,           /* first retransmission towards a STUN or TURN server */
  SILENT_US = 10 * G_USEC_PER_SEC, /* a revived path is lost again after so long without a word */
  DEFAULT_STUN_PORT = 3478,
  GIVE_BACK_TRIES = 3, /* 1.2 s at most */
};

struct Ice {
  const IceEvents *events;
  void *arg;
  GMainContext *context;
  NiceAgent *agent;
  guint stream;
  gboolean loopback, hide_host;
  Relays *relays;     /* NULL: none */
  gboolean has_relay; /* a relay gave us an address */
  char *ufrag, *pwd, *remote_ufrag, *remote_pwd;
  guint n_remote;
  IceState state;
  gboolean failed; /* libnice has said so last */
  IcePath *path;   /* of the selected pair */
  Timer *silence;
};

/* "host", "host:port", "[v6]:port" */
static gboolean
parse_server (const char *text, char **ret_host, guint16 *ret_port, GError **error)
{
  g_autoptr (GSocketConnectable) address = g_network_address_parse (text, DEFAULT_STUN_PORT, error);
  if (!address) {
    g_prefix_error (error, "server address \"%s\": ", text);
    (*error)->domain = PEER_ERROR;
    (*error)->code = PEER_ERROR_CONFIG;
    return FALSE;
  }
  *ret_host = g_strdup (g_network_address_get_hostname (G_NETWORK_ADDRESS (address)));
  *ret_port = g_network_address_get_port (G_NETWORK_ADDRESS (address));
  return TRUE;
}

static gboolean
set_stun (Ice *ice, const char *server, GError **error)
{
  g_autofree char *host = NULL;
  guint16 port;
  if (!parse_server (server, &host, &port, error))
    return FALSE;
  g_object_set (ice->agent, "stun-server", host, "stun-server-port", (guint)port, NULL);
  return TRUE;
}

static void
add_relays (Ice *ice, gboolean ipv4)
{
  if (!ice->relays)
    return;
  g_autoptr (GPtrArray) doors = relays_doors (ice->relays, ipv4);
  for (guint i = 0; i < doors->len; i++) {
    const RelayDoor *door = doors->pdata[i];
    nice_agent_set_relay_info (ice->agent, ice->stream, COMPONENT, door->host, door->port,
                               door->user, door->password,
                               door->stream ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP);
  }
}

/* ---- events of libnice ---- */

/* RFC 8839 §5.1: who hides the related address writes zeros. libnice writes " raddr A rport P", the
 * pair's own address behind NAT. */
static char *
without_related (const char *text)
{
  const char *related = strstr (text, " raddr ");
  const char *rest = related ? strstr (related, " rport ") : NULL;
  if (!rest)
    return g_strdup (text);
  gboolean ipv4 = memchr (related, '.', (gsize)(rest - related)) != NULL;
  rest += strlen (" rport ");
  rest += strspn (rest, "0123456789");
  return g_strdup_printf ("%.*s raddr %s rport 0%s", (int)(related - text), text,
                          ipv4 ? "0.0.0.0" : "::", rest);
}

static void
on_candidate (NiceAgent *agent, NiceCandidate *candidate, gpointer data)
{
  Ice *ice = data;
  if (ice->hide_host && candidate->type == NICE_CANDIDATE_TYPE_HOST)
    return;
  g_autofree char *text = nice_agent_generate_local_candidate_sdp (agent, candidate);
  if (!text || !g_str_has_prefix (text, "a="))
    return;
  ice->has_relay |= candidate->type == NICE_CANDIDATE_TYPE_RELAYED;
  g_autofree char *told = ice->hide_host ? without_related (text + 2) : g_strdup (text + 2);
  /* The ufrag tells the generation when candidates and a restart cross on the way. */
  g_autofree char *line = g_strdup_printf ("%s ufrag %s", told, ice->ufrag);
  ice->events->candidate (ice, line, ice->arg);
}

static void
on_gathered (NiceAgent *agent, guint stream, gpointer data)
{
  Ice *ice = data;
  if (ice->relays && !ice->has_relay)
    relays_check (ice->relays);
  ice->events->candidate (ice, NULL, ice->arg);
}

static void
set_state (Ice *ice, IceState state)
{
  if (state == ice->state)
    return;
  ice->state = state;
  ice->events->state (ice, state, ice->arg);
}

/* The selected pair changed; a relayed one has no socket of its own. */
static void
on_pair (NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
         NiceCandidate *remote, gpointer data)
{
  Ice *ice = data;
  struct sockaddr_storage to;
  GSocket *socket = nice_agent_get_selected_socket (agent, stream, component);
  nice_address_copy_to_sockaddr (&remote->addr, (struct sockaddr *)&to);
  ice_path_set (ice->path, socket, (struct sockaddr *)&to);
}

/* The address that the kernel would send from. */
static gboolean
route_towards (const struct sockaddr *to, socklen_t size, NiceAddress *ret_from)
{
  struct sockaddr_storage from;
  socklen_t from_size = sizeof from;
  int probe = socket (to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean found = probe >= 0 && connect (probe, to, size) == 0
                   && getsockname (probe, (struct sockaddr *)&from, &from_size) == 0;
  if (probe >= 0)
    close (probe);
  if (found)
    nice_address_set_from_sockaddr (ret_from, (struct sockaddr *)&from);
  return found;
}

/* The agent's socket that leads to an address, (transfer full); NULL: none. */
static GSocket *
socket_towards (Ice *ice, const NiceAddress *remote)
{
  struct sockaddr_storage to;
  NiceAddress from, own;
  GSocket *found = NULL;
  nice_address_copy_to_sockaddr (remote, (struct sockaddr *)&to);
  socklen_t size
      = to.ss_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
  if (!route_towards ((struct sockaddr *)&to, size, &from))
    return NULL;
  g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (ice->agent, ice->stream, COMPONENT);
  for (guint i = 0; i < sockets->len && found == NULL; i++) {
    GSocket *socket = sockets->pdata[i];
    g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);
    struct sockaddr_storage native;
    if (g_socket_get_socket_type (socket) != G_SOCKET_TYPE_DATAGRAM || address == NULL
        || !g_socket_address_to_native (address, &native, sizeof native, NULL))
      continue;
    nice_address_set_from_sockaddr (&own, (struct sockaddr *)&native);
    if (nice_address_equal_no_port (&own, &from))
      found = g_object_ref (socket);
  }
  return found;
}

/* A check from an address that was not among the other side's candidates: libnice has compared its
 * password. It would keep to the selected pair all the same. */
static void
on_remote (NiceAgent *agent, NiceCandidate *candidate, gpointer data)
{
  Ice *ice = data;
  struct sockaddr_storage from;
  nice_address_copy_to_sockaddr (&candidate->addr, (struct sockaddr *)&from);
  gboolean same = ice_path_is_family (ice->path, from.ss_family);
  g_autoptr (GSocket) socket = same ? NULL : socket_towards (ice, &candidate->addr);
  if (same || socket != NULL)
    ice_path_seen (ice->path, socket, (struct sockaddr *)&from);
}

/* Only runs while libnice thinks that the path is lost. */
static void
on_silence (void *arg)
{
  Ice *ice = arg;
  if (!ice->failed)
    return;
  gint64 end_us = ice_path_heard_us (ice->path) + SILENT_US;
  if (end_us > g_get_monotonic_time ())
    timer_at (ice->silence, end_us);
  else
    set_state (ice, ICE_LOST);
}

static IceState
next_state (IceState state, NiceComponentState nice_state)
{
  switch (nice_state) {
  case NICE_COMPONENT_STATE_CONNECTED:
  case NICE_COMPONENT_STATE_READY:
    return ICE_CONNECTED;
  case NICE_COMPONENT_STATE_FAILED:
    return ICE_LOST;
  case NICE_COMPONENT_STATE_DISCONNECTED:
    return state == ICE_CONNECTED ? ICE_LOST : state;
  case NICE_COMPONENT_STATE_GATHERING:
  case NICE_COMPONENT_STATE_CONNECTING:
    return state == ICE_NEW || state == ICE_LOST ? ICE_CONNECTING : state;
  case NICE_COMPONENT_STATE_LAST:
    break;
  }
  return state;
}

static void
on_state (NiceAgent *agent, guint stream, guint component, guint nice_state, gpointer data)
{
  Ice *ice = data;
  ice->failed = nice_state == NICE_COMPONENT_STATE_FAILED;
  set_state (ice, next_state (ice->state, nice_state));
}

static void
on_receive (NiceAgent *agent, guint stream, guint component, guint size, char *data, gpointer arg)
{
  Ice *ice = arg;
  ice->events->receive (ice, (guint8 *)data, size, ice->arg);
}

/* ---- life ---- */

static gboolean
make_agent (Ice *ice, const PeerConfig *config)
{
  ice->agent
      = nice_agent_new_full (config->context, NICE_COMPATIBILITY_RFC5245,
                             NICE_AGENT_OPTION_ICE_TRICKLE | NICE_AGENT_OPTION_CONSENT_FRESHNESS);
  g_object_set (ice->agent, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode", !config->answerer,
                "stun-pacing-timer", PACING_MS, "stun-initial-timeout", STUN_INITIAL_MS,
                "idle-timeout", GIVE_UP_MS, NULL);
  nice_agent_set_software (ice->agent, NULL);
  ice->stream = nice_agent_add_stream (ice->agent, COMPONENT);
  if (ice->stream == 0)
    return FALSE;
  if (config->port_min && config->port_max >= config->port_min)
    nice_agent_set_port_range (ice->agent, ice->stream, COMPONENT, config->port_min,
                               config->port_max);
  return nice_agent_get_local_credentials (ice->agent, ice->stream, &ice->ufrag, &ice->pwd);
}

Ice *
ice_new (const PeerConfig *config, const IceEvents *events, void *arg, GError **error)
{
  g_autoptr (Ice) ice = g_new0 (Ice, 1);
  ice->events = events;
  ice->arg = arg;
  ice->context = g_main_context_ref (config->context);
  ice->silence = timer_new (ice->context, on_silence, ice);
  ice->path = ice_path_new (ice->context);
  ice->loopback = config->loopback;
  ice->hide_host = config->hide_host;
  ice->relays = config->relays;
  if (!make_agent (ice, config)) {
    g_set_error_literal (error, PEER_ERROR, PEER_ERROR_FAILED, "libnice made no stream");
    return NULL;
  }
  if (config->stun_server && !set_stun (ice, config->stun_server, error))
    return NULL;

  g_signal_connect (ice->agent, "new-candidate-full", G_CALLBACK (on_candidate), ice);
  g_signal_connect (ice->agent, "candidate-gathering-done", G_CALLBACK (on_gathered), ice);
  g_signal_connect (ice->agent, "component-state-changed", G_CALLBACK (on_state), ice);
  g_signal_connect (ice->agent, "new-selected-pair-full", G_CALLBACK (on_pair), ice);
  g_signal_connect (ice->agent, "new-remote-candidate-full", G_CALLBACK (on_remote), ice);
  nice_agent_attach_recv (ice->agent, ice->stream, COMPONENT, ice->context, on_receive, ice);
  return g_steal_pointer (&ice);
}

/* Agents of this thread that still give their relays' addresses back. */
static _Thread_local guint n_closing;

guint
ice_closing (void)
{
  return n_closing;
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer data)
{
  n_closing--;
  g_object_unref (agent);
}

static void
drop (NiceAgent *agent, guint stream, guint component, guint size, char *data, gpointer arg)
{
}

/* A relay keeps an address for ten minutes unless it is given back, and may count them per user.
 * libnice must go on reading for the relay's answer, asks again, and must not be let go before. */
static void
give_back (Ice *ice)
{
  nice_agent_attach_recv (ice->agent, ice->stream, COMPONENT, ice->context, drop, NULL);
  g_object_set (ice->agent, "stun-max-retransmissions", GIVE_BACK_TRIES, NULL);
  n_closing++;
  nice_agent_close_async (ice->agent, on_closed, NULL);
}

static void
close_agent (Ice *ice)
{
  g_signal_handlers_disconnect_by_data (ice->agent, ice);
  if (ice->stream && ice->relays) {
    give_back (ice);
    return;
  }
  if (ice->stream) {
    nice_agent_attach_recv (ice->agent, ice->stream, COMPONENT, ice->context, NULL, NULL);
    nice_agent_remove_stream (ice->agent, ice->stream);
  }
  g_object_unref (ice->agent);
}

void
ice_free (Ice *ice)
{
  if (!ice)
    return;
  if (ice->agent)
    close_agent (ice);
  timer_free (ice->silence);
  ice_path_free (ice->path);
  g_main_context_unref (ice->context);
  g_free (ice->ufrag);
  g_free (ice->pwd);
  g_free (ice->remote_ufrag);
  g_free (ice->remote_pwd);
  g_free (ice);
}

/* Link-local addresses need a zone that the other side cannot know. */
static gboolean
is_usable (const struct ifaddrs *interface, gboolean loopback)
{
  if (!interface->ifa_addr || !(interface->ifa_flags & IFF_UP))
    return FALSE;
  if ((interface->ifa_flags & IFF_LOOPBACK) && !loopback)
    return FALSE;
  switch (interface->ifa_addr->sa_family) {
  case AF_INET:
    return TRUE;
  case AF_INET6:
    return !IN6_IS_ADDR_LINKLOCAL (&((struct sockaddr_in6 *)interface->ifa_addr)->sin6_addr);
  default:
    return FALSE;
  }
}

static guint
add_local_addresses (Ice *ice, gboolean *ret_ipv4)
{
  struct ifaddrs *list = NULL;
  guint n = 0;
  if (getifaddrs (&list) != 0)
    return 0;
  for (struct ifaddrs *i = list; i && n < MAX_LOCAL_ADDRESSES; i = i->ifa_next) {
    if (!is_usable (i, ice->loopback))
      continue;
    NiceAddress address;
    nice_address_init (&address);
    nice_address_set_from_sockaddr (&address, i->ifa_addr);
    nice_address_set_port (&address, 0);
    if (!nice_agent_add_local_address (ice->agent, &address))
      continue;
    n++;
    *ret_ipv4 |= i->ifa_addr->sa_family == AF_INET;
  }
  freeifaddrs (list);
  return n;
}

gboolean
ice_take_over (Ice *ice, Ice *from)
{
  if (from->remote_ufrag == NULL
      || !nice_agent_set_local_credentials (ice->agent, ice->stream, from->ufrag, from->pwd))
    return FALSE;
  g_free (ice->ufrag);
  g_free (ice->pwd);
  ice->ufrag = g_strdup (from->ufrag);
  ice->pwd = g_strdup (from->pwd);
  ice_start (ice);
  if (!ice_set_remote (ice, from->remote_ufrag, from->remote_pwd))
    return FALSE;
  GSList *known = nice_agent_get_remote_candidates (from->agent, from->stream, COMPONENT);
  nice_agent_set_remote_candidates (ice->agent, ice->stream, COMPONENT, known);
  g_slist_free_full (known, (GDestroyNotify)nice_candidate_free);
  return TRUE;
}

gboolean
ice_is_at_home (Ice *ice)
{
  NiceCandidate *local = NULL, *remote = NULL;
  struct ifaddrs *list = NULL;
  if (!nice_agent_get_selected_pair (ice->agent, ice->stream, COMPONENT, &local, &remote)
      || local->type == NICE_CANDIDATE_TYPE_RELAYED || getifaddrs (&list) != 0)
    return TRUE;
  gboolean found = FALSE;
  for (struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
    NiceAddress address;
    if (!is_usable (i, TRUE))
      continue;
    nice_address_init (&address);
    nice_address_set_from_sockaddr (&address, i->ifa_addr);
    found = nice_address_equal_no_port (&address, &local->base_addr);
  }
  freeifaddrs (list);
  return found;
}

void
ice_start (Ice *ice)
{
  gboolean ipv4 = FALSE;
  guint addresses = add_local_addresses (ice, &ipv4);
  add_relays (ice, ipv4);
  /* Without an address of its own libnice would look for some in its way. */
  if (addresses == 0 || !nice_agent_gather_candidates (ice->agent, ice->stream)) {
    g_warning ("ice: no address to gather on; a restart is needed when the network is back");
    ice->events->candidate (ice, NULL, ice->arg);
  }
}

const char *
ice_ufrag (Ice *ice)
{
  return ice->ufrag;
}

const char *
ice_pwd (Ice *ice)
{
  return ice->pwd;
}

gboolean
ice_set_remote (Ice *ice, const char *ufrag, const char *pwd)
{
  if (!candidate_check_ufrag (ufrag) || !candidate_check_pwd (pwd))
    return FALSE;
  if (g_strcmp0 (ufrag, ice->remote_ufrag) == 0)
    return TRUE;
  g_free (ice->remote_ufrag);
  ice->remote_ufrag = g_strdup (ufrag);
  g_free (ice->remote_pwd);
  ice->remote_pwd = g_strdup (pwd);
  ice_path_set_credentials (ice->path, ice->ufrag, ufrag, pwd);
  return nice_agent_set_remote_credentials (ice->agent, ice->stream, ufrag, pwd);
}

const char *
ice_remote_ufrag (Ice *ice)
{
  return ice->remote_ufrag;
}

static NiceCandidate *
to_nice (Ice *ice, const Candidate *candidate)
{
  static const NiceCandidateType types[] = {
    [CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
    [CANDIDATE_SERVER_REFLEXIVE] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
    [CANDIDATE_PEER_REFLEXIVE] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
    [CANDIDATE_RELAYED] = NICE_CANDIDATE_TYPE_RELAYED,
  };
  NiceAddress address;
  nice_address_init (&address);
  if (!nice_address_set_from_string (&address, candidate->address))
    return NULL;
  nice_address_set_port (&address, candidate->port);
  NiceCandidate *nice = nice_candidate_new (types[candidate->type]);
  nice->transport = NICE_CANDIDATE_TRANSPORT_UDP;
  nice->addr = address;
  nice->priority = candidate->priority;
  nice->stream_id = ice->stream;
  nice->component_id = COMPONENT;
  g_strlcpy (nice->foundation, candidate->foundation, sizeof nice->foundation);
  return nice;
}

void
ice_add_candidate (Ice *ice, const char *line)
{
  if (!line || !*line) {
    nice_agent_peer_candidate_gathering_done (ice->agent, ice->stream);
    return;
  }
  Candidate candidate;
  if (ice->n_remote >= ICE_MAX_REMOTE_CANDIDATES || !candidate_parse (line, &candidate))
    return;
  /* Nobody outside shall make the station knock on its own ports. */
  if (!ice->loopback && candidate_is_loopback (&candidate))
    return;
  NiceCandidate *nice = to_nice (ice, &candidate);
  if (!nice)
    return;
  ice->n_remote++;
  GSList list = { .data = nice };
  nice_agent_set_remote_candidates (ice->agent, ice->stream, COMPONENT, &list);
  nice_candidate_free (nice);
}

IceState
ice_state (Ice *ice)
{
  return ice->state;
}

guint
ice_send (Ice *ice, const UdpDatagram *datagrams, guint n)
{
  if (ice->state != ICE_CONNECTED)
    return 0;
  if (ice_path_is_direct (ice->path))
    return ice_path_send (ice->path, datagrams, n);
  guint sent = 0;
  for (guint i = 0; i < n; i++)
    if (nice_agent_send (ice->agent, ice->stream, COMPONENT, (guint)datagrams[i].size,
                         (const char *)datagrams[i].data)
        == (int)datagrams[i].size)
      sent++;
  return sent;
}

void
ice_heard (Ice *ice)
{
  gint64 now_us = g_get_monotonic_time ();
  ice_path_heard (ice->path, now_us);
  if (!ice->failed || !ice_path_is_direct (ice->path) || ice->state == ICE_CONNECTED)
    return;
  timer_at (ice->silence, now_us + SILENT_US);
  set_state (ice, ICE_CONNECTED);
}

gint64
ice_silence_us (Ice *ice)
{
  gint64 heard_us = ice_path_heard_us (ice->path);
  return heard_us == 0 ? G_MAXINT64 : g_get_monotonic_time () - heard_us;
}

static CandidateType
type_of (const NiceCandidate *candidate)
{
  switch (candidate->type) {
  case NICE_CANDIDATE_TYPE_HOST:
    return CANDIDATE_HOST;
  case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
    return CANDIDATE_SERVER_REFLEXIVE;
  case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
    return CANDIDATE_PEER_REFLEXIVE;
  case NICE_CANDIDATE_TYPE_RELAYED:
    return CANDIDATE_RELAYED;
  }
  return CANDIDATE_HOST;
}

gboolean
ice_route (Ice *ice, IceRoute *ret_route)
{
  NiceCandidate *local = NULL, *remote = NULL;
  if (!nice_agent_get_selected_pair (ice->agent, ice->stream, COMPONENT, &local, &remote))
    return FALSE;
  *ret_route = (IceRoute){ .local = type_of (local),
                           .remote = type_of (remote),
                           .ipv6 = nice_address_ip_version (&remote->addr) == 6 };
  return TRUE;
}
