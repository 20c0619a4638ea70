#include "media/transport/hub_private.h"

/* A change of this machine's addresses is first answered without a word to the other side
 * (peer_network_changed()): its answer is one round trip away, and the way that a description would
 * go may be down as well. A browser that does not take it gets an offer with new credentials. */
enum { MOVE_MS = 1100 }; /* Chromium looks at a new pair every 480 ms while it trusts the old one */

static gboolean
on_not_moved (gpointer data)
{
  HubPeer *peer = data;
  peer->move_source = NULL;
  if (hub_peer_is_alive (peer) && !peer_has_path (peer->peer))
    hub_offer_request (peer, TRUE, FALSE);
  return G_SOURCE_REMOVE;
}

static void
move (HubPeer *peer)
{
  if (peer->loopback || peer->reserved || !hub_peer_is_alive (peer)
      || !peer_network_changed (peer->peer))
    return;
  g_info ("event=network-changed peer=%s", peer->id);
  hub_timer_clear (&peer->move_source);
  peer->move_source = hub_timer (peer->hub, MOVE_MS, on_not_moved, peer);
}

static void
on_changed (void *arg)
{
  Hub *hub = arg;
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    move (peer);
}

void
hub_network_watch (Hub *hub)
{
  g_autoptr (GError) error = NULL;
  hub->network = network_monitor_new (hub->context, on_changed, hub, &error);
  if (hub->network == NULL)
    g_warning ("event=no-network-monitor reason=%s", error->message);
}

void
hub_network_state (HubPeer *peer)
{
  if (peer->state == HUB_PEER_PAUSED)
    hub_offer_request (peer, TRUE, FALSE);
}
