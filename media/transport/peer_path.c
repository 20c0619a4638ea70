/* The path of a peer: one ICE agent, or more while a restart or a move is under way. */
#include "media/transport/candidate.h"
#include "media/transport/peer_private.h"

enum {
  RETIRE_US = 2 * G_USEC_PER_SEC,   /* packets under way on the old path */
  NO_PATH_US = 30 * G_USEC_PER_SEC, /* until a peer that never connected is told as failed */
  MOVE_SILENCE_US = 700000,         /* a path that was heard of since may well outlive the change */
};

/* RFC 7983 §7 */
static gboolean
is_dtls (guint8 first)
{
  return first >= 20 && first <= 63;
}

static gboolean
is_rtp (guint8 first)
{
  return first >= 128 && first <= 191;
}

static void
on_receive (Ice *ice, guint8 *datagram, gsize size, void *arg)
{
  Peer *peer = arg;
  if (peer->closed || size == 0)
    return;
  peer->packets_received++;
  peer->receiving = ice;
  if (is_rtp (datagram[0]))
    peer_media_receive (peer, datagram, size);
  else if (is_dtls (datagram[0]))
    dtls_receive (peer->dtls, datagram, size);
  peer->receiving = NULL;
}

static void
on_candidate (Ice *ice, const char *line, void *arg)
{
  Peer *peer = arg;
  if (peer->closed)
    return;
  if (ice == peer_path_newest (peer))
    peer_defer (peer, DEFERRED_CANDIDATE, line, 0);
  else if (ice == peer->moving_ice && line && !peer->next_ice)
    peer_defer (peer, DEFERRED_CANDIDATE, line, 0);
}

/* ---- restart ---- */

static void
on_retire (void *arg)
{
  Peer *peer = arg;
  g_ptr_array_set_size (peer->retired, 0);
}

/* Never frees at once: the agent may be the one whose callback runs now. */
static void
retire (Peer *peer, Ice *ice)
{
  /* The first one's time counts for all: restarts without end keep no agent alive. */
  if (peer->retired->len == 0)
    timer_at (peer->retire, g_get_monotonic_time () + RETIRE_US);
  g_ptr_array_add (peer->retired, ice);
}

/* A move that is overtaken by a restart has no session to take over any more. */
static void
end_move (Peer *peer)
{
  if (peer->moving_ice)
    retire (peer, g_steal_pointer (&peer->moving_ice));
}

static void
cut_over (Peer *peer, Ice **ice, const char *event)
{
  retire (peer, peer->ice);
  peer->ice = g_steal_pointer (ice);
  end_move (peer);
  peer_media_path_changed (peer);
  peer_log (peer, event, NULL);
}

static void
on_state (Ice *ice, IceState state, void *arg)
{
  Peer *peer = arg;
  if (peer->closed)
    return;
  if (ice == peer->next_ice && state == ICE_CONNECTED)
    cut_over (peer, &peer->next_ice, "ice-restarted");
  else if (ice == peer->moving_ice && state == ICE_CONNECTED)
    cut_over (peer, &peer->moving_ice, "ice-moved");
  if (ice == peer->ice)
    peer_update_state (peer);
}

static const IceEvents ice_events
    = { .candidate = on_candidate, .state = on_state, .receive = on_receive };

static void
on_no_path (void *arg)
{
  Peer *peer = arg;
  if (peer->state == PEER_CONNECTING && ice_state (peer->ice) != ICE_CONNECTED)
    peer_end (peer, PEER_FAILED, FALSE, "no-path: no way through the network was found in 30 s");
}

/* ---- for peer.c ---- */

static void
copy_config (PeerConfig *to, const PeerConfig *from)
{
  *to = *from;
  to->stun_server = g_strdup (from->stun_server);
  to->name = NULL;
}

gboolean
peer_path_init (Peer *peer, const PeerConfig *config, GError **error)
{
  copy_config (&peer->ice_config, config);
  peer->retired = g_ptr_array_new_with_free_func ((GDestroyNotify)ice_free);
  peer->early_candidates = g_ptr_array_new_with_free_func (g_free);
  peer->retire = timer_new (peer->context, on_retire, peer);
  peer->no_path = timer_new (peer->context, on_no_path, peer);
  peer->ice = ice_new (&peer->ice_config, &ice_events, peer, error);
  return peer->ice != NULL;
}

void
peer_path_clear (Peer *peer)
{
  g_clear_pointer (&peer->ice, ice_free);
  g_clear_pointer (&peer->next_ice, ice_free);
  g_clear_pointer (&peer->moving_ice, ice_free);
  g_clear_pointer (&peer->retired, g_ptr_array_unref);
  g_clear_pointer (&peer->early_candidates, g_ptr_array_unref);
  g_clear_pointer (&peer->retire, timer_free);
  g_clear_pointer (&peer->no_path, timer_free);
  g_free ((char *)peer->ice_config.stun_server);
}

void
peer_path_send (Peer *peer, const UdpDatagram *datagrams, guint n)
{
  peer->packets_sent += ice_send (peer->ice, datagrams, n);
}

void
peer_path_heard (Peer *peer)
{
  if (peer->receiving == peer->ice)
    ice_heard (peer->ice);
}

Ice *
peer_path_newest (Peer *peer)
{
  return peer->next_ice ? peer->next_ice : peer->ice;
}

/* The agent that a candidate of this generation belongs to; NULL while its answer is not there. */
static Ice *
agent_of (Peer *peer, const char *ufrag)
{
  Ice *newest = peer_path_newest (peer);
  if (*ufrag && g_strcmp0 (ufrag, ice_remote_ufrag (peer->ice)) == 0)
    return peer->ice;
  return ice_remote_ufrag (newest) ? newest : NULL;
}

static void
give_early_candidates (Peer *peer)
{
  g_autoptr (GPtrArray) lines = g_steal_pointer (&peer->early_candidates);
  peer->early_candidates = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < lines->len; i++)
    peer_add_candidate (peer, g_ptr_array_index (lines, i));
}

gboolean
peer_path_set_remote (Peer *peer, const char *ufrag, const char *pwd, GError **error)
{
  gboolean known = g_strcmp0 (ufrag, ice_remote_ufrag (peer->ice)) == 0;
  if (ice_remote_ufrag (peer->ice) && !known && !peer->next_ice) {
    g_set_error_literal (error, PEER_ERROR, PEER_ERROR_REMOTE,
                         "the ICE credentials changed without a restart of ours");
    return FALSE;
  }
  /* A browser that had not understood the restart answers with its old credentials. */
  Ice *ice = known || !peer->next_ice ? peer->ice : peer->next_ice;
  if (!ice_set_remote (ice, ufrag, pwd)) {
    g_set_error_literal (error, PEER_ERROR, PEER_ERROR_REMOTE,
                         "ICE credentials not of the form of RFC 8839 §5.4, or changed");
    return FALSE;
  }
  if (!known && ice == peer->ice)
    timer_at (peer->no_path, g_get_monotonic_time () + NO_PATH_US);
  give_early_candidates (peer);
  return TRUE;
}

/* ---- public ---- */

void
peer_start (Peer *peer)
{
  if (peer->closed || peer->started)
    return;
  peer->started = TRUE;
  ice_start (peer->ice);
}

void
peer_add_candidate (Peer *peer, const char *line)
{
  Candidate candidate = { 0 };
  if (peer->closed || (line && *line && !candidate_parse (line, &candidate)))
    return;
  Ice *ice = agent_of (peer, candidate.ufrag);
  if (ice)
    ice_add_candidate (ice, line);
  else if (peer->early_candidates->len < PEER_MAX_EARLY_CANDIDATES)
    g_ptr_array_add (peer->early_candidates, g_strdup (line ? line : ""));
}

gboolean
peer_network_changed (Peer *peer)
{
  if (peer->closed || !peer->started || !ice_remote_ufrag (peer->ice))
    return FALSE;
  if (ice_is_at_home (peer->ice) && ice_silence_us (peer->ice) < MOVE_SILENCE_US)
    return FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (Ice) ice = ice_new (&peer->ice_config, &ice_events, peer, &error);
  end_move (peer);
  if (!ice) {
    peer_log (peer, "move-failed", error->message);
    return FALSE;
  }
  peer->moving_ice = ice;
  if (!ice_take_over (ice, peer->ice)) {
    peer->moving_ice = NULL;
    return FALSE;
  }
  g_steal_pointer (&ice);
  return TRUE;
}

gboolean
peer_has_path (Peer *peer)
{
  return !peer->closed && ice_state (peer->ice) == ICE_CONNECTED
         && ice_silence_us (peer->ice) < G_USEC_PER_SEC;
}

gboolean
peer_restart_ice (Peer *peer, GError **error)
{
  if (peer->closed || !peer->started) {
    g_set_error_literal (error, PEER_ERROR, PEER_ERROR_FAILED, "there is no path to restart yet");
    return FALSE;
  }
  Ice *ice = ice_new (&peer->ice_config, &ice_events, peer, error);
  if (!ice)
    return FALSE;
  if (peer->next_ice)
    retire (peer, peer->next_ice);
  peer->next_ice = ice;
  g_ptr_array_set_size (peer->early_candidates, 0);
  ice_start (ice);
  return TRUE;
}
