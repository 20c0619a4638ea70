/* Peers that are a conference's server, or publish to us: one description is exchanged over HTTP,
 * and no other follows but for a restart of ICE. */
#include "media/transport/hub_private.h"
#include "media/error.h"
#include <string.h>

enum { RESTART_GATHER_MS = 1000 };

/* ---- what the other side offers ---- */

RtpExtIds
hub_server_ext (const Sdp *offer)
{
  RtpExtIds ids = { 0 };
  for (guint i = 0; i < offer->media->len; i++) {
    const SdpMedia *media = offer->media->pdata[i];
    ids.mid = ids.mid != 0 ? ids.mid : media->ext_mid;
    ids.twcc = ids.twcc != 0 ? ids.twcc : media->ext_twcc;
    ids.abs_send_time = ids.abs_send_time != 0 ? ids.abs_send_time : media->ext_abs_send_time;
  }
  return ids;
}

gboolean
hub_server_read (HubPeer *peer, const HubPeerConfig *config, GError **error)
{
  if (peer->way != HUB_WAY_ANSWER)
    return TRUE;
  peer->theirs = sdp_parse (config->offer, error);
  if (peer->theirs != NULL)
    peer->answer = sdp_answer (peer->theirs, &peer->agreement, error);
  return peer->answer != NULL;
}

/* ---- lines ---- */

static HubSource *
find_source (const Hub *hub, const char *name, MediaKind kind)
{
  for (guint i = 0; i < hub->sources->len; i++) {
    HubSource *source = hub->sources->pdata[i];
    if (source->kind == kind && g_strcmp0 (source->name, name) == 0)
      return source;
  }
  return NULL;
}

static gboolean
add_source_line (HubPeer *peer, MediaKind kind, const char *name, const char *mid)
{
  HubSource *source = find_source (peer->hub, name, kind);
  if (source == NULL)
    return TRUE;
  HubLine *line = hub_peer_add_line (peer, LINE_SOURCE, kind, mid);
  line->source = source;
  line->codec = kind == MEDIA_AUDIO ? MEDIA_OPUS : MEDIA_H264;
  return peer_add_send_line (peer->peer, mid, kind, &line->stream);
}

static void
add_own_line (HubPeer *peer, MediaKind kind, const char *mid)
{
  HubLine *line = hub_peer_add_line (peer, LINE_OWN, kind,
                                     mid != NULL           ? mid
                                     : kind == MEDIA_AUDIO ? "no-sound"
                                                           : "no-picture");
  line->unsaid = mid == NULL;
  line->codec = kind == MEDIA_AUDIO ? MEDIA_OPUS : MEDIA_VP8;
  peer->own[kind] = line;
}

/* The mid of the line that was agreed on for this kind; NULL: none. */
static const char *
agreed_mid (const HubPeer *peer, SdpType type)
{
  for (guint i = 0; i < peer->answer->media->len; i++) {
    const SdpMedia *media = peer->answer->media->pdata[i];
    if (media->type == type && !media->rejected)
      return media->mid;
  }
  return NULL;
}

gboolean
hub_server_add_lines (HubPeer *peer, const HubPeerConfig *config, GError **error)
{
  gboolean reads = peer->way == HUB_WAY_READ, answers = peer->way == HUB_WAY_ANSWER;
  peer->data_index = G_MAXUINT;
  if (peer->way == HUB_WAY_PUBLISH
      && (!add_source_line (peer, MEDIA_AUDIO, config->voice, "0")
          || !add_source_line (peer, MEDIA_VIDEO, config->camera, "1") || peer->lines->len == 0)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG, "there is nothing to be published");
    return FALSE;
  }
  add_own_line (peer, MEDIA_AUDIO, reads ? "0" : answers ? agreed_mid (peer, SDP_AUDIO) : NULL);
  add_own_line (peer, MEDIA_VIDEO, reads ? "1" : answers ? agreed_mid (peer, SDP_VIDEO) : NULL);
  return TRUE;
}

/* ---- ANSWER ---- */

static gboolean
take_lines (HubPeer *peer, GError **error)
{
  for (guint i = 0; i < peer->agreement->lines->len; i++) {
    const SdpAgreedLine *agreed = peer->agreement->lines->pdata[i];
    const SdpMedia *media = peer->answer->media->pdata[i];
    if (agreed->rejected)
      continue;
    HubLine *own = peer->own[media->type == SDP_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO];
    own->receiving = TRUE;
    own->codec = agreed->codec.codec;
    if (!peer_set_line (peer->peer, own->mid, agreed, error))
      return FALSE;
  }
  return TRUE;
}

static PeerRemote
remote_of (const HubPeer *peer, const char *ufrag, const char *pwd)
{
  gboolean passive = peer->answer->setup == SDP_SETUP_PASSIVE;
  return (PeerRemote){ .ufrag = ufrag,
                       .pwd = pwd,
                       .fingerprint = peer->theirs->fingerprint,
                       .setup = passive ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE };
}

gboolean
hub_server_begin (HubPeer *peer, GError **error)
{
  PeerRemote remote = remote_of (peer, peer->theirs->ufrag, peer->theirs->pwd);
  if (!peer_set_remote (peer->peer, &remote, error) || !take_lines (peer, error))
    return FALSE;
  for (guint i = 0; i < peer->theirs->candidates->len; i++)
    peer_add_candidate (peer->peer, ((SdpCandidate *)peer->theirs->candidates->pdata[i])->line);
  if (peer->theirs->end_of_candidates)
    peer_add_candidate (peer->peer, NULL);
  peer->answered = TRUE;
  return TRUE;
}

static void
put (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

void
hub_server_tell (HubPeer *peer)
{
  PeerLocal local;
  Sdp *answer = peer->answer;
  peer_local (peer->peer, &local);
  answer->session_id = peer->session_id;
  answer->version = ++peer->version;
  put (&answer->cname, local.cname);
  put (&answer->ufrag, local.ufrag);
  put (&answer->pwd, local.pwd);
  put (&answer->fingerprint, local.fingerprint);
  g_ptr_array_set_size (answer->candidates, 0);
  hub_offer_add_gathered (peer, answer);
  answer->end_of_candidates = TRUE;
  g_autofree char *text = sdp_write (answer);
  hub_emit_offer (peer, text);
}

void
hub_server_restart (HubPeer *peer, const char *ufrag, const char *pwd)
{
  g_autoptr (GError) error = NULL;
  PeerRemote remote = remote_of (peer, ufrag, pwd);
  if (peer->closed)
    return;
  /* What answered the restart before is no longer of use. */
  g_clear_pointer (&peer->gathered, g_ptr_array_unref);
  peer->gathered = g_ptr_array_new_with_free_func (g_free);
  if (!peer_restart_ice (peer->peer, &error) || !peer_set_remote (peer->peer, &remote, &error)) {
    g_warning ("event=restart-failed peer=%s reason=%s", peer->id, error->message);
    hub_peer_give_up (peer, "restart");
    return;
  }
  hub_offer_arm (peer, RESTART_GATHER_MS);
}
