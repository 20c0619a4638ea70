#include "media/transport/peer.h"
#include "media/transport/peer_private.h"
#include <openssl/rand.h>
#include <string.h>

#define WAVE_LIFETIME_MS 1500

typedef struct {
  DeferredKind kind;
  char *text;
  guint number;
} Deferred;

void
peer_log (Peer *peer, const char *event, const char *detail)
{
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_INFO, "NHIPCAU_TOPIC", "transport", "NHIPCAU_EVENT",
                    event, "NHIPCAU_PEER", peer->name, "MESSAGE", "peer %s: %s%s%s", peer->name,
                    event, detail ? ": " : "", detail ? detail : "");
}

/* ---- events that wait for the loop ---- */

static void
deferred_free (gpointer data)
{
  Deferred *deferred = data;
  g_free (deferred->text);
  g_free (deferred);
}

void
peer_defer (Peer *peer, DeferredKind kind, const char *text, guint number)
{
  Deferred *deferred = g_new (Deferred, 1);
  *deferred = (Deferred){ kind, g_strdup (text), number };
  g_queue_push_tail (&peer->deferred, deferred);
  timer_wake (peer->defer);
}

static void
tell (Peer *peer, const Deferred *deferred)
{
  const PeerEvents *events = &peer->events;
  switch (deferred->kind) {
  case DEFERRED_CANDIDATE:
    if (events->candidate)
      events->candidate (peer, deferred->text, peer->arg);
    break;
  case DEFERRED_STATE:
    if (events->state)
      events->state (peer, (PeerState)deferred->number, deferred->text, peer->arg);
    break;
  case DEFERRED_KEYFRAME:
    if (events->keyframe)
      events->keyframe (peer, deferred->text, peer->arg);
    break;
  case DEFERRED_ESTIMATE:
    if (events->estimate)
      events->estimate (peer, deferred->number, peer->arg);
    break;
  case DEFERRED_TRACK:
    if (events->track)
      events->track (peer, deferred->text, deferred->number != 0, peer->arg);
    break;
  }
}

static void
on_defer (void *arg)
{
  Peer *peer = arg;
  while (!peer->closed && !g_queue_is_empty (&peer->deferred)) {
    Deferred *deferred = g_queue_pop_head (&peer->deferred);
    tell (peer, deferred);
    deferred_free (deferred);
  }
}

/* ---- state ---- */

static void
set_state (Peer *peer, PeerState state, const char *reason)
{
  static const char *const names[]
      = { "new", "connecting", "connected", "paused", "failed", "closed" };
  if (peer->state == state)
    return;
  peer->state = state;
  g_autofree char *detail
      = g_strdup_printf ("%s%s%s", names[state], reason ? ", " : "", reason ? reason : "");
  peer_log (peer, "state", detail);
  peer_media_set_flowing (peer, state == PEER_CONNECTED);
  peer_defer (peer, DEFERRED_STATE, reason, state);
}

void
peer_end (Peer *peer, PeerState state, gboolean final, const char *reason)
{
  if (peer->final || peer->closed)
    return;
  set_state (peer, state, reason);
  peer->final = final;
}

void
peer_update_state (Peer *peer)
{
  if (peer->final || peer->closed)
    return;
  gboolean path = ice_state (peer->ice) == ICE_CONNECTED;
  dtls_set_writable (peer->dtls, path);
  peer_try_dtls (peer);
  if (peer->final)
    return;
  gboolean back = path && peer->state == PEER_PAUSED;
  if (dtls_state (peer->dtls) == DTLS_CONNECTED)
    set_state (peer, path ? PEER_CONNECTED : PEER_PAUSED,
               path ? NULL : "path: the other side does not answer any more");
  else if (peer->has_remote && (path || peer->state == PEER_NEW))
    set_state (peer, PEER_CONNECTING, NULL);
  if (back && peer->sctp)
    sctp_path_back (peer->sctp);
}

/* ---- channels ---- */

static void
on_sctp_send (Sctp *sctp, const guint8 *packet, gsize size, void *arg)
{
  Peer *peer = arg;
  dtls_send (peer->dtls, packet, size);
}

static void
on_sctp_up (Sctp *sctp, void *arg)
{
  Peer *peer = arg;
  if (peer->answerer)
    return;
  channels_open (peer->channels, "data", FALSE, 0);
  channels_open (peer->channels, "wave", TRUE, WAVE_LIFETIME_MS);
  channels_open (peer->channels, "still", TRUE, 0);
  channels_open (peer->channels, "file", TRUE, 0);
}

static void
on_sctp_down (Sctp *sctp, void *arg)
{
  Peer *peer = arg;
  channels_down (peer->channels);
}

static void
on_sctp_message (Sctp *sctp, guint16 stream, guint32 ppid, GBytes *data, void *arg)
{
  Peer *peer = arg;
  channels_receive (peer->channels, stream, ppid, data);
}

static void
on_sctp_reset (Sctp *sctp, guint16 stream, void *arg)
{
  Peer *peer = arg;
  channels_reset (peer->channels, stream);
}

static void
on_channel_change (Channels *channels, const char *label, gboolean open, void *arg)
{
  Peer *peer = arg;
  on_defer (peer); /* "connected" first */
  if (!peer->closed && peer->events.channel)
    peer->events.channel (peer, label, open, peer->arg);
}

static void
on_channel_message (Channels *channels, const char *label, gboolean text, GBytes *data, void *arg)
{
  Peer *peer = arg;
  if (!peer->closed && peer->events.message)
    peer->events.message (peer, label, text, data, peer->arg);
}

static const SctpEvents sctp_events = { .send = on_sctp_send,
                                        .up = on_sctp_up,
                                        .down = on_sctp_down,
                                        .message = on_sctp_message,
                                        .reset = on_sctp_reset };
static const ChannelEvents channel_events
    = { .change = on_channel_change, .message = on_channel_message };

static void
try_channels (Peer *peer)
{
  g_autoptr (GError) error = NULL;
  if (peer->sctp || peer->sctp_port == 0 || dtls_state (peer->dtls) != DTLS_CONNECTED)
    return;
  peer->sctp = sctp_new (peer->context, peer->sctp_port, DTLS_MTU - DTLS_OVERHEAD, &sctp_events,
                         peer, &error);
  if (!peer->sctp) {
    peer_log (peer, "no-channels", error->message);
    peer->sctp_port = 0;
    return;
  }
  peer->channels
      = channels_new (peer->sctp, peer->dtls_client, peer->max_message_size, &channel_events, peer);
}

/* ---- DTLS ---- */

static void
on_dtls_send (Dtls *dtls, const guint8 *datagram, gsize size, void *arg)
{
  Peer *peer = arg;
  peer_path_send (peer, &(UdpDatagram){ (guint8 *)datagram, size }, 1);
  if (peer->rtp)
    rtp_session_sent_beside (peer->rtp, size, g_get_monotonic_time ());
}

static void
on_dtls_data (Dtls *dtls, const guint8 *data, gsize size, void *arg)
{
  Peer *peer = arg;
  peer_path_heard (peer);
  if (peer->sctp && !peer->closed)
    sctp_receive (peer->sctp, data, size);
}

static void
on_dtls_connected (Peer *peer)
{
  g_autoptr (GError) error = NULL;
  if (!peer_media_keys (peer, &error)) {
    g_autofree char *reason = g_strdup_printf ("dtls: %s", error->message);
    dtls_close (peer->dtls);
    peer_end (peer, PEER_FAILED, TRUE, reason);
    return;
  }
  try_channels (peer);
  peer_update_state (peer);
}

static void
on_dtls_state (Dtls *dtls, DtlsState state, const char *reason, void *arg)
{
  Peer *peer = arg;
  switch (state) {
  case DTLS_NEW:
  case DTLS_HANDSHAKE:
    break;
  case DTLS_CONNECTED:
    on_dtls_connected (peer);
    break;
  case DTLS_CLOSED:
    if (peer->channels)
      channels_down (peer->channels);
    peer_end (peer, PEER_CLOSED, TRUE, reason);
    break;
  case DTLS_FAILED:
    peer_end (peer, PEER_FAILED, TRUE, reason);
    break;
  }
}

static const DtlsEvents dtls_events
    = { .send = on_dtls_send, .data = on_dtls_data, .state = on_dtls_state };

void
peer_try_dtls (Peer *peer)
{
  if (peer->has_remote && ice_state (peer->ice) == ICE_CONNECTED
      && dtls_state (peer->dtls) == DTLS_NEW)
    dtls_start (peer->dtls, peer->dtls_client, peer->fingerprint);
}

/* ---- life ---- */

/* RFC 8834 §4.9 with RFC 7022: the same for all streams, new for each peer. */
static char *
random_cname (void)
{
  guint8 bytes[12];
  RAND_bytes (bytes, sizeof bytes);
  return g_base64_encode (bytes, sizeof bytes);
}

Peer *
peer_new (const PeerConfig *config, SessionCert *cert, const PeerEvents *events, void *arg,
          GError **error)
{
  g_autoptr (Peer) peer = g_new0 (Peer, 1);
  peer->context = g_main_context_ref (config->context);
  peer->name = g_strdup (config->name);
  peer->events = *events;
  peer->arg = arg;
  peer->answerer = config->answerer;
  peer->start_bps = config->start_bps;
  peer->cert = cert;
  peer->cname = random_cname ();
  g_queue_init (&peer->deferred);
  peer->defer = timer_new (peer->context, on_defer, peer);
  peer_media_init (peer);
  peer->dtls = dtls_new (peer->context, cert, DTLS_MTU, &dtls_events, peer, error);
  if (!peer->dtls || !peer_path_init (peer, config, error))
    return NULL;
  return g_steal_pointer (&peer);
}

void
peer_close (Peer *peer)
{
  if (peer->closed)
    return;
  peer_media_bye (peer);
  peer->closed = TRUE;
  if (peer->sctp)
    sctp_close (peer->sctp);
  if (peer->dtls)
    dtls_close (peer->dtls);
  peer->state = PEER_CLOSED;
}

void
peer_free (Peer *peer)
{
  if (!peer)
    return;
  peer_close (peer);
  g_clear_pointer (&peer->channels, channels_free);
  g_clear_pointer (&peer->sctp, sctp_free);
  peer_media_clear (peer);
  g_clear_pointer (&peer->dtls, dtls_free);
  peer_path_clear (peer);
  timer_free (peer->defer);
  g_queue_clear_full (&peer->deferred, deferred_free);
  session_cert_free (peer->cert);
  g_main_context_unref (peer->context);
  g_free (peer->fingerprint);
  g_free (peer->cname);
  g_free (peer->name);
  g_free (peer);
}

PeerState
peer_state (Peer *peer)
{
  return peer->state;
}

void
peer_local (Peer *peer, PeerLocal *ret_local)
{
  Ice *ice = peer_path_newest (peer);
  *ret_local = (PeerLocal){ .ufrag = ice_ufrag (ice),
                            .pwd = ice_pwd (ice),
                            .fingerprint = peer->cert->fingerprint,
                            .cname = peer->cname,
                            .max_message_size = SCTP_MAX_MESSAGE };
}

/* ---- the answer ---- */

static gboolean
check_remote (Peer *peer, const PeerRemote *remote, GError **error)
{
  const char *what = NULL;
  gboolean client = remote->setup != SDP_SETUP_ACTIVE;
  if (peer->closed)
    what = "the peer is closed";
  else if (!remote->fingerprint || strlen (remote->fingerprint) != 95)
    what = "no SHA-256 fingerprint";
  else if (peer->has_remote && !fingerprint_equal (remote->fingerprint, peer->fingerprint))
    what = "the DTLS fingerprint changed in a running session";
  else if (remote->setup == SDP_SETUP_NONE
           || (remote->setup == SDP_SETUP_ACTPASS && !peer->answerer))
    what = "no DTLS role: a=setup must be active or passive";
  else if (peer->has_remote && client != peer->dtls_client)
    what = "the DTLS role changed in a running session";
  if (!what)
    return TRUE;
  g_set_error_literal (error, PEER_ERROR, PEER_ERROR_REMOTE, what);
  return FALSE;
}

gboolean
peer_set_remote (Peer *peer, const PeerRemote *remote, GError **error)
{
  if (!check_remote (peer, remote, error)
      || !peer_path_set_remote (peer, remote->ufrag, remote->pwd, error))
    return FALSE;
  if (!peer->has_remote) {
    peer->fingerprint = g_strdup (remote->fingerprint);
    peer->dtls_client = remote->setup != SDP_SETUP_ACTIVE;
    peer->has_remote = TRUE;
  }
  if (!peer->sctp) {
    peer->sctp_port = remote->sctp_port;
    peer->max_message_size = remote->max_message_size;
  }
  try_channels (peer);
  peer_update_state (peer);
  return TRUE;
}

gboolean
peer_send (Peer *peer, const char *label, gboolean text, GBytes *data, GError **error)
{
  if (peer->closed || !peer->channels) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_CHANNEL, "channel \"%s\" is not open", label);
    return FALSE;
  }
  return channels_send (peer->channels, label, text, data, error);
}

guint
peer_outstanding (Peer *peer)
{
  return peer->sctp ? sctp_outstanding (peer->sctp) : 0;
}
