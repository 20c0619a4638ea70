/* A peer whose media goes through a relay: a direct way is sought again, by a restart of ICE beside
 * the path in use, ever more rarely. Within one agent libnice prefers the direct pair by itself;
 * but once its checks have failed it does not try them again (RFC 8445 §8.1.2), nor does the
 * browser. */
#include "media/transport/hub_private.h"

enum { FIRST_S = 10, MAX_DOUBLINGS = 6 }; /* 10 s, 20 s, … 640 s */

void
hub_direct_look (HubPeer *peer, gint64 now_us)
{
  if (peer->state != HUB_PEER_CONNECTED || !peer->figures.relayed || peer->way != HUB_WAY_PAGE) {
    peer->direct_next_us = 0;
    if (peer->state == HUB_PEER_CONNECTED)
      peer->direct_tries = 0;
    return;
  }
  if (peer->direct_next_us == 0)
    peer->direct_next_us = now_us + ((gint64)FIRST_S * G_USEC_PER_SEC << peer->direct_tries);
  if (now_us < peer->direct_next_us)
    return;
  peer->direct_next_us = 0;
  peer->direct_tries = MIN (peer->direct_tries + 1, MAX_DOUBLINGS);
  g_info ("event=direct-sought peer=%s tries=%u", peer->id, peer->direct_tries);
  hub_offer_request (peer, TRUE, FALSE);
}
