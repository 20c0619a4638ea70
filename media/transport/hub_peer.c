#include "media/transport/hub_private.h"
#include "media/error.h"
#include <string.h>

enum {
  WARN_INTERVAL_US = 10 * G_USEC_PER_SEC,
  LOOPBACK_START_BPS = 4000000,
  KEYS_IN_A_ROW = 4,
  KEY_EVERY_US = 1500000,
};

/* Lines */

static void
line_free (gpointer data)
{
  HubLine *line = data;
  if (line->followers != NULL)
    g_ptr_array_unref (line->followers);
  g_free (line->mid);
  g_free (line);
}

HubLine *
hub_peer_add_line (HubPeer *peer, HubLineRole role, MediaKind kind, const char *mid)
{
  HubLine *line = g_new0 (HubLine, 1);
  line->peer = peer;
  line->role = role;
  line->kind = kind;
  line->mid = g_strdup (mid);
  if (role == LINE_OWN)
    line->followers = g_ptr_array_new ();
  g_ptr_array_add (peer->lines, line);
  return line;
}

static HubLine *
find_line (HubPeer *peer, const char *mid)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (strcmp (line->mid, mid) == 0)
      return line;
  }
  return NULL;
}

/* Until the answer tells, H.264 is expected: its encoder starts while the page still reads the
 * offer. */
static gboolean
add_source_lines (HubPeer *peer)
{
  for (guint i = 0; i < peer->hub->sources->len; i++) {
    HubSource *source = peer->hub->sources->pdata[i];
    if (source->voice)
      continue;
    g_autofree char *mid = g_strdup_printf ("s%u", i);
    HubLine *line = hub_peer_add_line (peer, LINE_SOURCE, source->kind, mid);
    line->source = source;
    line->codec = source->kind == MEDIA_AUDIO ? MEDIA_OPUS : MEDIA_H264;
    if (!peer_add_send_line (peer->peer, mid, source->kind, &line->stream))
      return FALSE;
  }
  return TRUE;
}

void
hub_peer_prepare_views (HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->viewing == NULL || line->started)
      continue;
    if (peer->state == HUB_PEER_CONNECTED)
      hub_outlet_begin (line->viewing, line);
    else
      hub_outlet_prepare (line->viewing);
  }
}

/* State */

gboolean
hub_peer_is_alive (const HubPeer *peer)
{
  return peer->state != HUB_PEER_FAILED && peer->state != HUB_PEER_CLOSED;
}

static void
begin_views (HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->viewing != NULL)
      hub_outlet_begin (line->viewing, line);
    if (line->role == LINE_FORWARD && line->from != NULL && line->kind == MEDIA_VIDEO)
      peer_request_keyframe (line->from->peer->peer, line->from->mid);
  }
}

void
hub_peer_set_state (HubPeer *peer, HubPeerState state, const char *reason)
{
  if (peer->state == state)
    return;
  peer->state = state;
  peer->closed |= state == HUB_PEER_CLOSED;
  g_info ("event=state peer=%s state=%d reason=%s", peer->id, state, reason != NULL ? reason : "");
  hub_emit_state (peer, reason);
  hub_allocate (peer->hub);
  if (state == HUB_PEER_CONNECTED)
    begin_views (peer);
  hub_network_state (peer);
  hub_forward_update (peer->hub);
}

void
hub_peer_give_up (HubPeer *peer, const char *reason)
{
  peer->closed = TRUE;
  peer_close (peer->peer);
  hub_peer_set_state (peer, HUB_PEER_FAILED, reason);
}

/* Events of the peer */

static void
on_candidate (Peer *self, const char *line, void *arg)
{
  hub_offer_gathered (arg, line);
}

static void
on_state (Peer *self, PeerState state, const char *reason, void *arg)
{
  static const HubPeerState states[] = {
    [PEER_NEW] = HUB_PEER_NEW,
    [PEER_CONNECTING] = HUB_PEER_CONNECTING,
    [PEER_CONNECTED] = HUB_PEER_CONNECTED,
    [PEER_PAUSED] = HUB_PEER_PAUSED,
    [PEER_FAILED] = HUB_PEER_FAILED,
    [PEER_CLOSED] = HUB_PEER_CLOSED,
  };
  hub_peer_set_state (arg, states[state], reason);
}

static void
on_channel (Peer *self, const char *label, gboolean open, void *arg)
{
  HubPeer *peer = arg;
  if (open)
    g_hash_table_add (peer->open, g_strdup (label));
  else
    g_hash_table_remove (peer->open, label);
  hub_emit_channel (peer, label, open);
}

static void
on_message (Peer *self, const char *label, gboolean text, GBytes *data, void *arg)
{
  hub_emit_message (arg, label, text, data);
}

static HubLine *
own_line (HubPeer *peer, const char *mid)
{
  for (guint kind = 0; kind < G_N_ELEMENTS (peer->own); kind++)
    if (strcmp (peer->own[kind]->mid, mid) == 0)
      return peer->own[kind];
  return NULL;
}

static void
on_frame (Peer *self, const char *mid, Frame *frame, void *arg)
{
  HubPeer *peer = arg;
  HubLine *own = own_line (peer, mid);
  if (own != NULL && peer->hub->events.frame != NULL)
    peer->hub->events.frame (peer->hub, peer->id, peer->label, own->kind, frame, peer->hub->arg);
}

static void
on_packet (Peer *self, const char *mid, guint32 source, const RtpIncoming *packet, void *arg)
{
  HubLine *own = own_line (arg, mid);
  if (own != NULL)
    hub_forward_packet (own, source, packet);
}

static void
on_track (Peer *self, const char *mid, gboolean on, void *arg)
{
  HubLine *own = own_line (arg, mid);
  if (own != NULL)
    hub_emit_track (arg, own->kind, on);
}

/* The outlet bounds what key frames cost all together. One viewer alone shall not keep it at that
 * bound, which the others would pay for: some in a row, then fewer. Requests that one under way
 * will answer are free; a browser that still wants one asks again. */
static gboolean
may_ask_for_key (HubLine *line)
{
  if (line->viewing->key_wanted_us != 0)
    return TRUE;
  gint64 now_us = g_get_monotonic_time ();
  gint64 credit_us = line->key_counted_us == 0
                         ? KEYS_IN_A_ROW * KEY_EVERY_US
                         : line->key_credit_us + (now_us - line->key_counted_us);
  line->key_counted_us = now_us;
  line->key_credit_us = MIN (credit_us, KEYS_IN_A_ROW * KEY_EVERY_US);
  if (line->key_credit_us < KEY_EVERY_US)
    return FALSE;
  line->key_credit_us -= KEY_EVERY_US;
  return TRUE;
}

static void
on_keyframe (Peer *self, const char *mid, void *arg)
{
  HubLine *line = find_line (arg, mid);
  if (line == NULL)
    return;
  if (line->viewing != NULL) {
    if (may_ask_for_key (line))
      hub_outlet_want_keyframe (line->viewing);
  } else if (line->from != NULL)
    peer_pass_keyframe_request (line->from->peer->peer, line->from->mid);
}

static void
on_estimate (Peer *self, guint bps, void *arg)
{
  HubPeer *peer = arg;
  peer->estimate_bps = bps;
  g_debug ("event=estimate peer=%s bps=%u", peer->id, bps);
  hub_allocate (peer->hub);
}

static const PeerEvents PEER_EVENTS = {
  .candidate = on_candidate,
  .state = on_state,
  .channel = on_channel,
  .message = on_message,
  .frame = on_frame,
  .packet = on_packet,
  .track = on_track,
  .keyframe = on_keyframe,
  .estimate = on_estimate,
};

/* Life */

static Peer *
make_peer (HubPeer *peer, const HubPeerConfig *from, GError **error)
{
  Hub *hub = peer->hub;
  const char *stun = from->stun_server != NULL ? from->stun_server : hub->stun_server;
  if (from->relays != NULL && from->relays->len > 0 && !peer->loopback)
    peer->relays = relays_new (from->relays, NULL, NULL);
  PeerConfig config = {
    .context = hub->context,
    .name = peer->id,
    .loopback = peer->loopback,
    .answerer = peer->way == HUB_WAY_ANSWER,
    .hide_host = !from->trusts_host,
    .port_min = hub->port_min,
    .port_max = hub->port_max,
    .stun_server = peer->loopback ? NULL : stun,
    .relays = peer->loopback         ? NULL
              : peer->relays != NULL ? peer->relays
                                     : hub->relays,
    .start_bps = peer->local ? LOOPBACK_START_BPS : 0,
  };
  if (peer->theirs != NULL)
    config.ext = hub_server_ext (peer->theirs);
  SessionCert *cert = hub_take_cert (hub, error);
  return cert != NULL ? peer_new (&config, cert, &PEER_EVENTS, peer, error) : NULL;
}

/* The label becomes part of an SDP text. */
static char *
clean_label (const char *label)
{
  char *clean = g_ascii_strdown (label, 48);
  for (char *c = clean; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c))
      *c = '-';
  return clean;
}

static void
add_first_lines (HubPeer *peer)
{
  peer->own[MEDIA_AUDIO] = hub_peer_add_line (peer, LINE_OWN, MEDIA_AUDIO, "mic");
  peer->own[MEDIA_VIDEO] = hub_peer_add_line (peer, LINE_OWN, MEDIA_VIDEO, "cam");
  peer->own[MEDIA_AUDIO]->codec = MEDIA_OPUS;
  peer->own[MEDIA_VIDEO]->codec = MEDIA_VP8;
  peer->data_index = peer->lines->len;
}

/* Of a page: what it gets, what it sends. */
static gboolean
add_page_lines (HubPeer *peer, GError **error)
{
  if (peer->known && !add_source_lines (peer)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "a line of the offer is taken twice");
    return FALSE;
  }
  add_first_lines (peer);
  return TRUE;
}

static gboolean
begin (HubPeer *peer, const HubPeerConfig *config, GError **error)
{
  if (!hub_server_read (peer, config, error))
    return FALSE;
  peer->peer = make_peer (peer, config, error);
  if (peer->peer == NULL
      || !(peer->way == HUB_WAY_PAGE ? add_page_lines (peer, error)
                                     : hub_server_add_lines (peer, config, error)))
    return FALSE;
  if (!peer->reserved)
    peer_start (peer->peer);
  return peer->way != HUB_WAY_ANSWER || hub_server_begin (peer, error);
}

static void
set_label (HubPeer *peer, const char *label)
{
  g_free (peer->label);
  peer->label = clean_label (label != NULL && label[0] != '\0' ? label : peer->id);
}

HubPeer *
hub_peer_new (Hub *hub, const char *id, const HubPeerConfig *config, GError **error)
{
  HubPeer *peer = g_new0 (HubPeer, 1);
  peer->hub = hub;
  peer->id = g_strdup (id);
  set_label (peer, config->label);
  peer->way = config->way;
  peer->loopback = config->loopback;
  peer->local = config->local;
  peer->reserved = config->reserved;
  peer->known = config->known || !config->reserved;
  peer->lines = g_ptr_array_new_with_free_func (line_free);
  peer->gathered = peer->reserved ? NULL : g_ptr_array_new_with_free_func (g_free);
  peer->early = g_ptr_array_new_with_free_func (g_free);
  peer->open = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  peer->born_us = g_get_monotonic_time ();
  /* RFC 8829 §5.2.1: below 2^63 */
  peer->session_id = (guint64)g_random_int () << 31 | g_random_int () >> 1;
  if (!begin (peer, config, error)) {
    hub_peer_free (peer);
    return NULL;
  }
  return peer;
}

void
hub_peer_open (HubPeer *peer, const char *label, const char *answer)
{
  peer->reserved = FALSE;
  peer->born_us = g_get_monotonic_time ();
  set_label (peer, label);
  if (!peer->known && !add_source_lines (peer)) {
    hub_peer_give_up (peer, "a line of the offer is taken twice");
    return;
  }
  hub_allocate (peer->hub);
  hub_peer_prepare_views (peer);
  peer_start (peer->peer);
  hub_offer_answer (peer, answer);
  if (!peer->known)
    hub_offer_after_gathering (peer);
}

static void
let_go (HubPeer *peer)
{
  hub_still_show (peer, NULL);
  hub_file_end (peer);
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    hub_line_view (line, NULL);
    if (line->role == LINE_FORWARD)
      hub_forward_detach (line);
    while (line->role == LINE_OWN && line->followers->len > 0) {
      HubLine *follower = line->followers->pdata[0];
      hub_forward_detach (follower);
      hub_offer_later (follower->peer);
    }
  }
  hub_allocate_forget (peer);
}

void
hub_peer_free (HubPeer *peer)
{
  let_go (peer);
  hub_timer_clear (&peer->offer_source);
  hub_timer_clear (&peer->move_source);
  g_clear_pointer (&peer->peer, peer_free);
  g_clear_pointer (&peer->relays, relays_free);
  g_clear_pointer (&peer->agreement, sdp_agreement_free);
  sdp_free (peer->theirs);
  sdp_free (peer->answer);
  g_ptr_array_unref (peer->lines);
  g_ptr_array_unref (peer->early);
  g_clear_pointer (&peer->gathered, g_ptr_array_unref);
  g_hash_table_unref (peer->open);
  g_strfreev (peer->looks);
  sdp_free (peer->offer);
  g_free (peer->id);
  g_free (peer->label);
  g_free (peer);
}

/* Messages for a channel that is not open are dropped: who opens it is told everything anew. */
void
hub_peer_send (HubPeer *peer, const char *label, gboolean text, GBytes *data)
{
  g_autoptr (GError) error = NULL;
  if (!g_hash_table_contains (peer->open, label)
      || peer_send (peer->peer, label, text, data, &error))
    return;
  gint64 now_us = g_get_monotonic_time ();
  if (now_us - peer->warned_us < WARN_INTERVAL_US)
    return;
  peer->warned_us = now_us;
  g_warning ("event=message-dropped peer=%s channel=%s reason=%s", peer->id, label, error->message);
}
