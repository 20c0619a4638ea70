#include "media/transport/hub_private.h"

enum {
  GATHER_MS = 20,
  SERVER_GATHER_MS = 1000, /* a server is sent one description */
  OWN_ADDRESSES_MS = 2,
  MAX_EARLY = 32,
  RESTART_MS = 500, /* between two restarts, however often a page asks */
  LOST_MS = 3000,   /* an offer without an answer for so long did not arrive, if the page asks */
  MAX_MISFITS = 2,
};

/* Writing */

static HubSource *
first_source (const Hub *hub, MediaKind kind)
{
  for (guint i = 0; i < hub->sources->len; i++) {
    HubSource *source = hub->sources->pdata[i];
    if (source->kind == kind && !source->voice && !hub_source_is_stethoscope (source))
      return source;
  }
  return NULL;
}

/* The first microphone is the room's: its voices belong to the first camera's picture. */
static const HubSource *
picture_beside (const HubSource *source)
{
  if (source->kind != MEDIA_AUDIO || source != first_source (source->hub, MEDIA_AUDIO))
    return NULL;
  return first_source (source->hub, MEDIA_VIDEO);
}

static void
describe_source (const HubLine *line, SdpMedia *media)
{
  if (line->kind == MEDIA_AUDIO) {
    sdp_add_codec (media, MEDIA_OPUS);
  } else {
    sdp_add_codec (media, MEDIA_H264);
    sdp_add_codec (media, MEDIA_VP8);
  }
  /* RFC 9725 §4.4.2: all of one stream; what it is called here is nobody's business. */
  g_autofree char *stream = line->peer->way == HUB_WAY_PUBLISH
                                ? g_strdup ("consultation")
                                : g_strconcat ("source-", line->source->name, NULL);
  sdp_set_msid (media, stream, line->peer->way == HUB_WAY_PUBLISH ? line->mid : line->source->name);
  const HubSource *picture = line->peer->way == HUB_WAY_PAGE ? picture_beside (line->source) : NULL;
  if (picture != NULL) {
    g_autofree char *beside = g_strconcat ("source-", picture->name, NULL);
    sdp_set_beside (media, beside);
  }
  sdp_add_stream (media, line->stream.ssrc, line->stream.rtx_ssrc);
  if (line->peer->way == HUB_WAY_PAGE && line->stream.fec_ssrc != 0)
    sdp_add_fec (media, line->stream.fec_ssrc);
}

/* Browsers send VP8 and Opus only, so that they can be forwarded to everybody; a server sends what
 * it has. */
static void
describe_peers_media (const HubLine *line, SdpMedia *media)
{
  gboolean reads = line->role == LINE_OWN && line->peer->way == HUB_WAY_READ;
  if (line->from != NULL)
    sdp_add_codec (media, line->codec);
  else
    sdp_add_codec (media, line->kind == MEDIA_AUDIO ? MEDIA_OPUS : MEDIA_VP8);
  if (reads && line->kind == MEDIA_VIDEO) {
    sdp_add_codec (media, MEDIA_H264);
    return;
  }
  media->prefer_red = line->role == LINE_OWN && line->peer->red_wanted;
  if (line->role == LINE_OWN && line->kind == MEDIA_AUDIO)
    media->ptime = line->peer->voice_ms;
  if (line->role == LINE_OWN && line->kind == MEDIA_VIDEO) {
    sdp_add_rid (media, "l");
    sdp_add_rid (media, "h");
  }
  if (line->from == NULL)
    return;
  g_autofree char *stream = g_strconcat ("peer-", line->from->peer->label, NULL);
  sdp_set_msid (media, stream, line->from->mid);
  sdp_add_stream (media, line->stream.ssrc, line->stream.rtx_ssrc);
}

static SdpDirection
direction_of (const HubLine *line)
{
  if (line->role == LINE_OWN)
    return SDP_RECVONLY;
  return line->role == LINE_SOURCE || line->from != NULL ? SDP_SENDONLY : SDP_INACTIVE;
}

static void
describe_line (const HubLine *line, Sdp *sdp)
{
  SdpType type = line->kind == MEDIA_AUDIO ? SDP_AUDIO : SDP_VIDEO;
  SdpMedia *media = sdp_add_media (sdp, type, line->mid, direction_of (line));
  media->rejected = line->rejected;
  if (line->role == LINE_SOURCE)
    describe_source (line, media);
  else
    describe_peers_media (line, media);
}

static Sdp *
describe (HubPeer *peer)
{
  PeerLocal local;
  peer_local (peer->peer, &local);
  Sdp *sdp = sdp_new ();
  sdp->session_id = peer->session_id;
  sdp->version = ++peer->version;
  sdp->cname = g_strdup (local.cname);
  sdp->ufrag = g_strdup (local.ufrag);
  sdp->pwd = g_strdup (local.pwd);
  sdp->fingerprint = g_strdup (local.fingerprint);
  sdp->setup = SDP_SETUP_ACTPASS;
  for (guint i = 0; i < peer->lines->len; i++) {
    if (i == peer->data_index)
      sdp_add_media (sdp, SDP_APPLICATION, "data", SDP_SENDRECV)->max_message_size
          = local.max_message_size;
    if (!((HubLine *)peer->lines->pdata[i])->unsaid)
      describe_line (peer->lines->pdata[i], sdp);
  }
  if (peer->data_index == peer->lines->len)
    sdp_add_media (sdp, SDP_APPLICATION, "data", SDP_SENDRECV)->max_message_size
        = local.max_message_size;
  return sdp;
}

/* mid of the line that carries the transport */
static const char *
transport_mid (HubPeer *peer)
{
  return ((HubLine *)peer->lines->pdata[0])->mid;
}

void
hub_offer_add_gathered (HubPeer *peer, Sdp *sdp)
{
  sdp->end_of_candidates = peer->all_gathered;
  for (guint i = 0; peer->gathered != NULL && i < peer->gathered->len; i++) {
    SdpCandidate *candidate = g_new0 (SdpCandidate, 1);
    candidate->line = g_strdup (peer->gathered->pdata[i]);
    g_ptr_array_add (sdp->candidates, candidate);
  }
  g_clear_pointer (&peer->gathered, g_ptr_array_unref);
}

/* Offers: one at a time */

static void
restart_if_wanted (HubPeer *peer)
{
  if (!peer->restart_wanted)
    return;
  peer->restart_wanted = FALSE;
  peer->restarted_us = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  if (peer_restart_ice (peer->peer, &error))
    peer->restart_offered = TRUE;
  else
    g_warning ("event=restart-failed peer=%s reason=%s", peer->id, error->message);
}

static gboolean
offer_now (gpointer data)
{
  HubPeer *peer = data;
  hub_timer_clear (&peer->offer_source);
  if (peer->closed)
    return G_SOURCE_REMOVE;
  if (peer->way == HUB_WAY_ANSWER) {
    hub_server_tell (peer);
    return G_SOURCE_REMOVE;
  }
  restart_if_wanted (peer);
  sdp_free (peer->offer);
  peer->offer = describe (peer);
  hub_offer_add_gathered (peer, peer->offer);
  peer->offered_us = g_get_monotonic_time ();
  peer->offer_wanted = FALSE;
  g_autofree char *text = sdp_write (peer->offer);
  hub_emit_offer (peer, text);
  return G_SOURCE_REMOVE;
}

void
hub_offer_arm (HubPeer *peer, guint ms)
{
  hub_timer_clear (&peer->offer_source);
  peer->offer_source = hub_timer (peer->hub, ms, offer_now, peer);
}

/* The first offer waits for our own addresses, which take a few milliseconds: in it they cost no
 * message and no turn of the page's own. Servers take longer, their candidates come alone. */
void
hub_offer_gathered (HubPeer *peer, const char *line)
{
  if (peer->gathered != NULL && line != NULL) {
    g_ptr_array_add (peer->gathered, g_strdup (line));
    return;
  }
  if (peer->gathered != NULL) {
    peer->all_gathered = peer->way != HUB_WAY_PAGE;
    offer_now (peer);
    if (peer->all_gathered)
      return;
  }
  hub_emit_candidate (peer, transport_mid (peer), line);
}

void
hub_offer_later (HubPeer *peer)
{
  gboolean page = peer->way == HUB_WAY_PAGE;
  if (!page && peer->version > 0)
    return; /* nothing but ICE can be negotiated anew */
  peer->offer_wanted = TRUE;
  if (peer->offer == NULL && peer->offer_source == NULL)
    hub_offer_arm (peer, peer->gathered == NULL ? 0 : page ? GATHER_MS : SERVER_GATHER_MS);
}

void
hub_offer_after_gathering (HubPeer *peer)
{
  peer->offer_wanted = TRUE;
  if (peer->offer == NULL)
    hub_offer_arm (peer, OWN_ADDRESSES_MS);
}

static guint
ms_until (gint64 at_us)
{
  gint64 now_us = g_get_monotonic_time ();
  return at_us > now_us ? (guint)((at_us - now_us) / 1000) : 0;
}

/* The page asks: it may have lost the offer under way, or its answer may be on the way. After
 * LOST_MS without one it counts as lost; at once when the page has another socket now. */
void
hub_offer_request (HubPeer *peer, gboolean ice_restart, gboolean lost)
{
  if (peer->way == HUB_WAY_ANSWER || (peer->way != HUB_WAY_PAGE && !ice_restart))
    return;
  peer->all_gathered = FALSE;
  peer->offer_wanted = TRUE;
  peer->restart_wanted |= ice_restart;
  guint wait_ms = ice_restart ? ms_until (peer->restarted_us + RESTART_MS * 1000) : 0;
  if (peer->offer != NULL && !lost)
    wait_ms = MAX (wait_ms, ms_until (peer->offered_us + LOST_MS * 1000));
  else if (peer->offer == NULL && peer->gathered != NULL)
    wait_ms = MAX (wait_ms, GATHER_MS);
  hub_offer_arm (peer, wait_ms);
}

/* Answers */

static gboolean
apply_source_line (HubLine *line, const SdpAgreedLine *agreed, GError **error)
{
  gboolean sends = agreed->direction & SDP_SENDONLY;
  line->codec = sends ? agreed->codec.codec : MEDIA_CODEC_NONE;
  line->agreed = TRUE;
  return peer_set_line (line->peer->peer, line->mid, agreed, error);
}

static gboolean
apply_own_line (HubLine *line, const SdpAgreedLine *agreed, GError **error)
{
  line->receiving = agreed->direction & SDP_RECVONLY;
  if (line->receiving)
    line->codec = agreed->codec.codec;
  return peer_set_line (line->peer->peer, line->mid, agreed, error);
}

/* A line that was taken back since the offer was written does not exist at the peer any more; one
 * that was given to another since will be agreed on with the next offer. */
static gboolean
apply_forward_line (HubLine *line, const SdpMedia *offered, const SdpAgreedLine *agreed,
                    GError **error)
{
  gboolean same = line->from != NULL && offered->streams->len == 1
                  && g_array_index (offered->streams, SdpStream, 0).ssrc == line->stream.ssrc;
  if (!same)
    return TRUE;
  if (!peer_set_line (line->peer->peer, line->mid, agreed, error))
    return FALSE;
  if (line->kind == MEDIA_VIDEO)
    peer_request_keyframe (line->from->peer->peer, line->from->mid);
  return TRUE;
}

static gboolean
apply_line (HubLine *line, const SdpMedia *offered, const SdpAgreedLine *agreed, GError **error)
{
  line->rejected |= agreed->rejected;
  switch (line->role) {
  case LINE_SOURCE:
    return apply_source_line (line, agreed, error);
  case LINE_OWN:
    return apply_own_line (line, agreed, error);
  case LINE_FORWARD:
    return apply_forward_line (line, offered, agreed, error);
  }
  return TRUE;
}

static gboolean
apply_lines (HubPeer *peer, const SdpAgreement *agreement, GError **error)
{
  guint next = 0;
  for (guint i = 0; i < agreement->lines->len; i++) {
    const SdpMedia *offered = peer->offer->media->pdata[i];
    if (offered->type == SDP_APPLICATION)
      continue;
    while (((HubLine *)peer->lines->pdata[next])->unsaid)
      next++;
    if (!apply_line (peer->lines->pdata[next++], offered, agreement->lines->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
apply_remote (HubPeer *peer, const Sdp *answer, const SdpAgreement *agreement, GError **error)
{
  static const SdpAgreedLine none = { .rejected = TRUE };
  const SdpAgreedLine *data = peer->data_index < agreement->lines->len
                                  ? agreement->lines->pdata[peer->data_index]
                                  : &none;
  PeerRemote remote = {
    .ufrag = answer->ufrag,
    .pwd = answer->pwd,
    .fingerprint = answer->fingerprint,
    .setup = answer->setup,
    .sctp_port = data->rejected ? 0 : data->sctp_port,
    .max_message_size = data->max_message_size,
  };
  return peer_set_remote (peer->peer, &remote, error);
}

static void
add_candidates (HubPeer *peer, const Sdp *answer)
{
  for (guint i = 0; i < answer->candidates->len; i++)
    peer_add_candidate (peer->peer, ((SdpCandidate *)answer->candidates->pdata[i])->line);
  for (guint i = 0; i < peer->early->len; i++)
    peer_add_candidate (peer->peer, peer->early->pdata[i]);
  g_ptr_array_set_size (peer->early, 0);
  if (answer->end_of_candidates)
    peer_add_candidate (peer->peer, NULL);
}

static gboolean
apply_answer (HubPeer *peer, const char *text, GError **error)
{
  g_autoptr (Sdp) answer = sdp_parse (text, error);
  if (answer == NULL)
    return FALSE;
  g_autoptr (SdpAgreement) agreement = sdp_agree (peer->offer, answer, error);
  if (agreement == NULL || !apply_remote (peer, answer, agreement, error)
      || !apply_lines (peer, agreement, error))
    return FALSE;
  g_clear_pointer (&peer->offer, sdp_free);
  peer->answered = TRUE;
  peer->restart_offered = FALSE;
  peer->misfits = 0;
  add_candidates (peer, answer);
  hub_allocate (peer->hub);
  hub_peer_prepare_views (peer);
  hub_forward_update (peer->hub);
  return TRUE;
}

/* The first answer must fit. A later one may belong to an offer that was taken for lost: the page
 * is offered the present state once more before it is given up. */
static void
refuse (HubPeer *peer, const GError *error)
{
  g_warning ("event=answer-refused peer=%s reason=%s", peer->id, error->message);
  g_clear_pointer (&peer->offer, sdp_free);
  if (peer->answered && peer->way == HUB_WAY_PAGE && ++peer->misfits < MAX_MISFITS) {
    hub_offer_later (peer);
    return;
  }
  g_autofree char *reason = g_strconcat ("answer: ", error->message, NULL);
  hub_peer_give_up (peer, reason);
}

void
hub_offer_answer (HubPeer *peer, const char *sdp)
{
  if (peer->offer == NULL || peer->closed) {
    g_info ("event=answer-ignored peer=%s reason=no offer is under way", peer->id);
    return;
  }
  g_autoptr (GError) error = NULL;
  if (!apply_answer (peer, sdp, &error)) {
    refuse (peer, error);
    return;
  }
  hub_timer_clear (&peer->offer_source);
  if (peer->offer_wanted || peer->restart_wanted)
    hub_offer_arm (peer, 0);
}

/* Candidates may overtake the answer whose credentials they need. */
void
hub_offer_candidate (HubPeer *peer, const char *line)
{
  gboolean too_early = !peer->answered || (peer->offer != NULL && peer->restart_offered);
  if (!too_early)
    peer_add_candidate (peer->peer, line);
  else if (line != NULL && line[0] != '\0' && peer->early->len < MAX_EARLY)
    g_ptr_array_add (peer->early, g_strdup (line));
}
