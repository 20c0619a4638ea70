/* Sound against loss, beyond what retransmission does: browsers are asked for RED once they lose,
 * encoders are told what their listeners lose. What is sent to a peer as RED is decided in its own
 * session (redundancy.h). */
#include "media/transport/hub_private.h"

/* Retransmission alone brings back what is lost now and then. */
static const double RED_FROM = 0.01;

enum { SHORT_MS = 20, LONG_MS = 60 };
#define LONG_FOR_US (30 * G_USEC_PER_SEC) /* after the link was weak */

/* For good: what it costs is the browser's to weigh against its picture, and each change is an
 * offer. */
static void
ask_for_red (HubPeer *peer)
{
  if (peer->red_wanted || peer->state != HUB_PEER_CONNECTED || peer->figures.heard_loss < RED_FROM
      || !peer_receives_red (peer->peer, peer->own[MEDIA_AUDIO]->mid))
    return;
  g_info ("event=red-wanted peer=%s loss=%.3f", peer->id, peer->figures.heard_loss);
  peer->red_wanted = TRUE;
  hub_offer_later (peer);
}

/* In packets of 20 ms the headers are half of a voice: on a link for little more than sound they
 * take what stills and vital signs need. Another length is an offer, which costs nothing only to a
 * page on this machine, the doctor's, who talks most. */
static void
ask_for_length (HubPeer *peer, gint64 now_us)
{
  if (!peer->local || peer->state != HUB_PEER_CONNECTED)
    return;
  if (hub_is_heard_by_the_weak (peer))
    peer->weak_us = now_us;
  gboolean weak = peer->weak_us != 0 && now_us - peer->weak_us < LONG_FOR_US;
  guint wanted = weak ? LONG_MS : peer->voice_ms == 0 ? 0 : SHORT_MS;
  if (wanted == peer->voice_ms)
    return;
  peer->voice_ms = wanted;
  hub_offer_later (peer);
}

/* Few steps, so that an encoder is not told every half second. */
static guint
in_steps (double loss)
{
  static const guint steps[] = { 0, 2, 5, 10, 20 };
  guint step = G_N_ELEMENTS (steps) - 1;
  while (step > 0 && loss * 100 < (steps[step - 1] + steps[step]) / 2.0)
    step--;
  return steps[step];
}

static void
tell_loss (HubOutlet *outlet)
{
  double loss = 0;
  gboolean known = FALSE;
  for (guint i = 0; i < outlet->viewers->len; i++) {
    const PeerStats *figures = &((const HubLine *)outlet->viewers->pdata[i])->peer->figures;
    known |= figures->rtt_ms >= 0;
    loss = MAX (loss, figures->recent_loss);
  }
  guint percent = in_steps (loss);
  if (!outlet->live || !known || percent == outlet->loss)
    return;
  outlet->loss = percent;
  hub_emit_want_loss (outlet);
}

void
hub_sound_update (Hub *hub)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    ask_for_red (value);
    ask_for_length (value, g_get_monotonic_time ());
  }
  for (guint i = 0; i < hub->sources->len; i++) {
    HubSource *source = hub->sources->pdata[i];
    if (source->kind == MEDIA_AUDIO)
      for (guint rung = 0; rung < rung_count (MEDIA_OPUS); rung++)
        tell_loss (&source->outlets[MEDIA_OPUS][rung]);
  }
}
