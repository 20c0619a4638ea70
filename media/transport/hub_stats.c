#include "media/transport/hub_private.h"

gboolean
hub_is_heard_by_the_weak (const HubPeer *peer)
{
  const GPtrArray *followers = peer->own[MEDIA_AUDIO]->followers;
  for (guint i = 0; i < followers->len; i++)
    if (((const HubLine *)followers->pdata[i])->peer->sight == HUB_SIGHT_STILLS)
      return TRUE;
  return FALSE;
}

static HubPeerStats
stats_of (const HubPeer *peer)
{
  const PeerStats from = peer->figures;
  return (HubPeerStats){
    .rtt_ms = from.rtt_ms,
    .loss = from.loss,
    .heard_loss = from.heard_loss,
    .redundant = from.redundant,
    .parity = from.parity,
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
    .sight = peer->sight,
    .layers = peer->own[MEDIA_VIDEO]->followers->len > 1 ? 2 : 1,
    .lean = hub_is_heard_by_the_weak (peer),
    .machine = peer->hub->best > 0,
  };
}

static HubStreamStats
read_stream (const HubLine *line)
{
  HubStreamStats stream = { .kind = line->kind,
                            .codec = line->codec,
                            .rung = -1,
                            .bps = line->share != NULL ? allocation_bps (line->share) : 0,
                            .looked_at = line->looked_at };
  g_autofree char *name = hub_line_name (line);
  g_strlcpy (stream.name, name, sizeof stream.name);
  peer_frame_clock (line->peer->peer, line->mid, &stream.timestamp, &stream.timestamp_us);
  if (line->role == LINE_FORWARD)
    stream.rung = line->wanted == ALLOCATION_NONE ? -1 : (int)line->layer;
  if (line->viewing == NULL)
    return stream;
  stream.rung = (int)line->viewing->rung;
  stream.width = line->viewing->width;
  stream.height = line->viewing->height;
  return stream;
}

static GArray *
read_streams (const HubPeer *peer)
{
  GArray *streams = g_array_new (FALSE, FALSE, sizeof (HubStreamStats));
  for (guint i = 0; i < peer->lines->len; i++) {
    const HubLine *line = peer->lines->pdata[i];
    if (line->share == NULL)
      continue;
    HubStreamStats stream = read_stream (line);
    g_array_append_val (streams, stream);
  }
  return streams;
}

void
hub_figures_update (Hub *hub)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPeer *peer = value;
    peer_stats (peer->peer, &peer->figures);
  }
}

void
hub_stats_update (Hub *hub)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPeer *peer = value;
    HubPeerStats stats = stats_of (peer);
    GArray *streams = read_streams (peer);
    char *id = g_strdup (peer->id), *of = g_strdup (peer->id);
    HubPeerStats *copy = g_memdup2 (&stats, sizeof stats);
    pthread_mutex_lock (&hub->stats_lock);
    g_hash_table_insert (hub->stats, id, copy);
    g_hash_table_insert (hub->streams, of, streams);
    pthread_mutex_unlock (&hub->stats_lock);
  }
}

void
hub_stats_remove (Hub *hub, const char *id)
{
  pthread_mutex_lock (&hub->stats_lock);
  g_hash_table_remove (hub->stats, id);
  g_hash_table_remove (hub->streams, id);
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

GArray *
hub_stream_stats (Hub *hub, const char *peer)
{
  pthread_mutex_lock (&hub->stats_lock);
  const GArray *streams = g_hash_table_lookup (hub->streams, peer);
  GArray *copy = g_array_new (FALSE, FALSE, sizeof (HubStreamStats));
  if (streams != NULL)
    g_array_append_vals (copy, streams->data, streams->len);
  pthread_mutex_unlock (&hub->stats_lock);
  return copy;
}
