/* Light viewers for benches: peers of the answering role that take what a sender offers, reassemble
 * it, send reports, feedback and NACKs as a browser does, and decode nothing. All in one process,
 * so that the sender's processor time can be told from theirs.
 *
 * Lines of JSON. In:  {"viewer":"a","offer":"…"}  {"viewer":"a","candidate":"candidate:…"}
 *                     {"do":"stats"}
 *               Out: {"viewer":"a","answer":"…"}  {"viewer":"a","candidate":"…"}
 *                     {"connected":n,"packets":n,"frames":n}
 * Ends when stdin does. */
#include "json_lines.h"
#include "media/transport/peer.h"
#include <string.h>

typedef struct {
  char *id;
  Peer *peer;
  guint64 frames;
} Viewer;

static GHashTable *viewers; /* id -> Viewer */

static void
on_candidate (Peer *peer, const char *line, void *arg)
{
  const Viewer *viewer = arg;
  if (line != NULL)
    json_lines_say (json_pack ("{s:s, s:s}", "viewer", viewer->id, "candidate", line));
}

static void
on_frame (Peer *peer, const char *mid, Frame *frame, void *arg)
{
  ((Viewer *)arg)->frames++;
}

static void
viewer_free (gpointer data)
{
  Viewer *viewer = data;
  peer_free (viewer->peer);
  g_free (viewer->id);
  g_free (viewer);
}

static Viewer *
viewer_new (const char *id)
{
  static const PeerEvents events = { .candidate = on_candidate, .frame = on_frame };
  g_autoptr (GError) error = NULL;
  PeerConfig config
      = { .context = g_main_context_default (), .name = id, .answerer = TRUE, .loopback = TRUE };
  Viewer *viewer = g_new0 (Viewer, 1);
  viewer->id = g_strdup (id);
  SessionCert *cert = session_cert_new (&error);
  viewer->peer = cert != NULL ? peer_new (&config, cert, &events, viewer, &error) : NULL;
  if (viewer->peer == NULL)
    g_error ("viewer: %s", error->message);
  g_hash_table_insert (viewers, viewer->id, viewer);
  return viewer;
}

static Sdp *
answer_of (Viewer *viewer, const Sdp *offer)
{
  PeerLocal local;
  peer_local (viewer->peer, &local);
  Sdp *answer = sdp_new ();
  answer->ufrag = g_strdup (local.ufrag);
  answer->pwd = g_strdup (local.pwd);
  answer->fingerprint = g_strdup (local.fingerprint);
  answer->setup = SDP_SETUP_ACTIVE;
  for (guint i = 0; i < offer->media->len; i++) {
    const SdpMedia *theirs = offer->media->pdata[i];
    SdpDirection direction = theirs->direction & SDP_SENDONLY ? SDP_RECVONLY : SDP_INACTIVE;
    SdpMedia *mine = sdp_add_media (answer, theirs->type, theirs->mid, direction);
    for (guint c = 0; c < theirs->codecs->len; c++)
      sdp_add_codec (mine, g_array_index (theirs->codecs, SdpCodec, c).codec);
  }
  return answer;
}

/* The offer, read as if it were the answer to ours. */
static void
apply (Viewer *viewer, Sdp *offer, const Sdp *answer)
{
  g_autoptr (GError) error = NULL;
  offer->setup = SDP_SETUP_PASSIVE;
  g_autoptr (SdpAgreement) agreement = sdp_agree (answer, offer, &error);
  PeerRemote remote = { .ufrag = offer->ufrag,
                        .pwd = offer->pwd,
                        .fingerprint = offer->fingerprint,
                        .setup = SDP_SETUP_ACTPASS,
                        .sctp_port = 5000,
                        .max_message_size = 65536 };
  if (agreement == NULL || !peer_set_remote (viewer->peer, &remote, &error))
    g_error ("viewer: %s", error->message);
  for (guint i = 0; i < agreement->lines->len; i++) {
    const SdpMedia *theirs = offer->media->pdata[i];
    if (theirs->type != SDP_APPLICATION)
      peer_set_line (viewer->peer, theirs->mid, agreement->lines->pdata[i], NULL);
  }
  for (guint i = 0; i < offer->candidates->len; i++)
    peer_add_candidate (viewer->peer, ((SdpCandidate *)offer->candidates->pdata[i])->line);
}

static void
take_offer (Viewer *viewer, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Sdp) offer = sdp_parse (text, &error);
  if (offer == NULL)
    g_error ("viewer: the offer: %s", error->message);
  g_autoptr (Sdp) answer = answer_of (viewer, offer);
  apply (viewer, offer, answer);
  g_autofree char *answer_text = sdp_write (answer);
  json_lines_say (json_pack ("{s:s, s:s}", "viewer", viewer->id, "answer", answer_text));
  peer_start (viewer->peer);
}

static void
tell_stats (void)
{
  GHashTableIter iter;
  gpointer value;
  guint connected = 0;
  guint64 packets = 0, frames = 0;
  g_hash_table_iter_init (&iter, viewers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Viewer *viewer = value;
    PeerStats stats;
    peer_stats (viewer->peer, &stats);
    connected += peer_state (viewer->peer) == PEER_CONNECTED;
    packets += stats.packets_received;
    frames += viewer->frames;
  }
  json_lines_say (json_pack ("{s:i, s:I, s:I}", "connected", (int)connected, "packets",
                             (json_int_t)packets, "frames", (json_int_t)frames));
}

static void
obey (json_t *message, void *arg)
{
  const char *id = json_string_value (json_object_get (message, "viewer"));
  const char *offer = json_string_value (json_object_get (message, "offer"));
  const char *candidate = json_string_value (json_object_get (message, "candidate"));
  Viewer *viewer = id != NULL ? g_hash_table_lookup (viewers, id) : NULL;
  if (id == NULL)
    tell_stats ();
  else if (offer != NULL)
    take_offer (viewer != NULL ? viewer : viewer_new (id), offer);
  else if (candidate != NULL && viewer != NULL)
    peer_add_candidate (viewer->peer, candidate);
}

int
main (void)
{
  viewers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, viewer_free);
  json_lines_run (obey, NULL);
  g_hash_table_unref (viewers);
  return 0;
}
