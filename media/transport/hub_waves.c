#include "media/transport/hub_private.h"

/* Its share of what is sent to this peer. */
void
hub_waves_ask (HubPeer *peer)
{
  const Hub *hub = peer->hub;
  if (hub->n_waves == 0) {
    if (peer->waves != NULL)
      allocation_remove_stream (peer->share, peer->waves);
    peer->waves = NULL;
    return;
  }
  if (peer->waves == NULL)
    peer->waves = allocation_add_stream (peer->share, ALLOCATION_WAVES);
  allocation_set_steps (peer->waves, hub->waves, hub->n_waves);
}

void
hub_waves_give (HubPeer *peer)
{
  int step = peer->waves != NULL ? allocation_step (peer->waves) : ALLOCATION_NONE;
  guint given = step == ALLOCATION_NONE ? 0 : (guint)step + 1;
  if (given == peer->wave_steps)
    return;
  peer->wave_steps = given;
  hub_emit_waves (peer);
}

void
hub_waves_set (Hub *hub, const guint *bps, guint n)
{
  gboolean begins = (hub->n_waves == 0) != (n == 0);
  hub->n_waves = MIN (n, HUB_WAVE_STEPS);
  for (guint i = 0; i < hub->n_waves; i++)
    hub->waves[i] = (AllocationStep){ bps[i], bps[i] };
  if (begins)
    hub_allocate (hub);
}
