#include "media/transport/hub_private.h"

enum { MAX_FORWARDED = 24 }; /* lines of one peer; m-lines cannot be taken back, only re-used */

static gboolean
is_sending (const HubLine *own)
{
  return own->receiving && hub_peer_is_alive (own->peer);
}

static gboolean
attach (HubLine *line, HubLine *own)
{
  if (!peer_add_send_line (line->peer->peer, line->mid, line->kind, &line->stream))
    return FALSE;
  line->from = own;
  line->layer = 0;
  line->wanted = 0;
  line->broken = FALSE;
  line->codec = own->codec;
  g_ptr_array_add (own->followers, line);
  return TRUE;
}

void
hub_forward_detach (HubLine *line)
{
  if (line->from == NULL)
    return;
  g_ptr_array_remove_fast (line->from->followers, line);
  hub_allocate_forget_line (line);
  line->from = NULL;
  line->codec = MEDIA_CODEC_NONE;
  peer_remove_line (line->peer->peer, line->mid);
}

static HubLine *
free_line (HubPeer *peer, MediaKind kind)
{
  guint n = 0;
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->role != LINE_FORWARD)
      continue;
    n++;
    if (line->from == NULL && line->kind == kind && !line->rejected)
      return line;
  }
  if (n >= MAX_FORWARDED)
    return NULL;
  g_autofree char *mid = g_strdup_printf ("f%u", n);
  return hub_peer_add_line (peer, LINE_FORWARD, kind, mid);
}

static gboolean
follows (const HubPeer *peer, const HubLine *own)
{
  for (guint i = 0; i < own->followers->len; i++) {
    const HubLine *line = own->followers->pdata[i];
    if (line->peer == peer)
      return TRUE;
  }
  return FALSE;
}

/* Lines whose sender ended. */
static gboolean
take_back (HubPeer *peer)
{
  gboolean changed = FALSE;
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->role != LINE_FORWARD || line->from == NULL
        || (is_sending (line->from) && hub_peer_is_alive (peer)))
      continue;
    hub_forward_detach (line);
    changed = TRUE;
  }
  return changed;
}

static gboolean
follow_all (HubPeer *peer, HubPeer *sender)
{
  gboolean changed = FALSE;
  for (guint kind = 0; kind < G_N_ELEMENTS (sender->own); kind++) {
    HubLine *own = sender->own[kind], *line;
    if (!is_sending (own) || follows (peer, own) || (line = free_line (peer, kind)) == NULL)
      continue;
    changed |= attach (line, own);
  }
  return changed;
}

static void
update_peer (HubPeer *peer)
{
  if (peer->reserved || peer->way != HUB_WAY_PAGE)
    return;
  gboolean changed = take_back (peer);
  GHashTableIter iter;
  gpointer other;
  g_hash_table_iter_init (&iter, peer->hub->peers);
  while (hub_peer_is_alive (peer) && g_hash_table_iter_next (&iter, NULL, &other))
    if (other != peer)
      changed |= follow_all (peer, other);
  if (!changed)
    return;
  hub_allocate_soon (peer->hub);
  if (hub_peer_is_alive (peer))
    hub_offer_later (peer);
}

void
hub_forward_update (Hub *hub)
{
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    update_peer (peer);
}

/* What is left out for want of bits, or is another layer than the one in use, is no loss: nothing
 * is asked for. FALSE: a key frame is. */
static gboolean
forward_picture (HubLine *line, guint32 source, const RtpIncoming *packet)
{
  if (line->wanted == ALLOCATION_NONE) {
    line->broken = TRUE;
    return TRUE;
  }
  if (packet->layer == (guint)line->wanted && packet->key_start)
    line->layer = packet->layer;
  if (packet->layer != line->layer)
    return TRUE;
  if (line->broken)
    peer_break_forward (line->peer->peer, line->mid);
  line->broken = FALSE;
  return peer_forward (line->peer->peer, line->mid, source, packet);
}

static void
forward_sound (HubLine *line, guint32 source, const RtpIncoming *packet)
{
  if (line->from->peer->muted)
    return;
  peer_forward (line->peer->peer, line->mid, source, packet);
}

/* What is left out is no loss: whoever hears it again begins anew. */
void
hub_forward_mute (HubPeer *peer, gboolean muted)
{
  const HubLine *own = peer->own[MEDIA_AUDIO];
  if (peer->muted == muted)
    return;
  peer->muted = muted;
  for (guint i = 0; muted && own != NULL && i < own->followers->len; i++) {
    const HubLine *line = own->followers->pdata[i];
    peer_break_forward (line->peer->peer, line->mid);
  }
  hub_allocate_soon (peer->hub);
}

static void
note_packet (HubLine *own, const RtpIncoming *packet)
{
  HubLayer *layer = &own->layers[MIN (packet->layer, LAYERS_MAX - 1)];
  if (layer->seen_us == 0)
    hub_allocate_soon (own->peer->hub);
  layer->bytes += packet->view.payload_size + HUB_HEADER_BYTES;
  layer->seen_us = packet->arrived_us;
}

void
hub_forward_packet (HubLine *own, guint32 source, const RtpIncoming *packet)
{
  gboolean key_wanted = FALSE;
  note_packet (own, packet);
  for (guint i = 0; i < own->followers->len; i++) {
    HubLine *line = own->followers->pdata[i];
    if (line->peer->state != HUB_PEER_CONNECTED)
      continue;
    if (own->kind == MEDIA_AUDIO)
      forward_sound (line, source, packet);
    else if (!forward_picture (line, source, packet))
      key_wanted = TRUE;
  }
  if (key_wanted)
    peer_pass_keyframe_request (own->peer->peer, own->mid);
}
