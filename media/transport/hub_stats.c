#include "media/transport/hub_private.h"

static HubPeerStats
read_stats (HubPeer *peer)
{
  PeerStats from;
  peer_stats (peer->peer, &from);
  return (HubPeerStats){
    .rtt_ms = from.rtt_ms,
    .loss = from.loss,
    .estimate_bps = from.estimate_bps,
    .sent_bps = from.sent_bps,
    .received_bps = from.received_bps,
    .relayed = from.relayed,
    .has_path = from.has_path,
    .local = from.local,
    .remote = from.remote,
    .ipv6 = from.ipv6,
    .nacks = from.nacks,
    .retransmitted = from.retransmitted,
    .plis = from.plis,
    .packets_sent = from.packets_sent,
    .packets_received = from.packets_received,
    .srtp_errors = from.srtp_errors,
  };
}

void
hub_stats_update (Hub *hub)
{
  gint64 now_us = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPeer *peer = value;
    HubPeerStats stats = read_stats (peer);
    hub_direct_look (peer, &stats, now_us);
    char *id = g_strdup (peer->id);
    HubPeerStats *copy = g_memdup2 (&stats, sizeof stats);
    pthread_mutex_lock (&hub->stats_lock);
    g_hash_table_insert (hub->stats, id, copy);
    pthread_mutex_unlock (&hub->stats_lock);
  }
}

void
hub_stats_remove (Hub *hub, const char *id)
{
  pthread_mutex_lock (&hub->stats_lock);
  g_hash_table_remove (hub->stats, id);
  pthread_mutex_unlock (&hub->stats_lock);
}

gboolean
hub_stats (Hub *hub, const char *peer, HubPeerStats *ret_stats)
{
  pthread_mutex_lock (&hub->stats_lock);
  const HubPeerStats *stats = g_hash_table_lookup (hub->stats, peer);
  if (stats != NULL)
    *ret_stats = *stats;
  pthread_mutex_unlock (&hub->stats_lock);
  return stats != NULL;
}
