#include "media/transport/candidate.h"
#include "media/transport/peer.h"
#include <gio/gio.h>
#include <string.h>

/* Two whole peers in one loop, over the loopback interface. Between them stands a link of the
 * test's own, which can lose packets or be cut: each side is told the link's address in place of
 * the other's. */

typedef struct Side Side;

typedef struct {
  GSocket *socket; /* stands for `owner` towards the other side */
  GSource *source;
  GSocketAddress *owner;
  guint port;
} Gate;

typedef struct {
  Gate gates[2];
  gboolean cut, deaf; /* deaf: the first side gets no answers to its checks */
  guint lose_rtp_every, n_rtp, lost;
} Link;

struct Side {
  Peer *peer;
  Side *other;
  guint index;
  SessionCert *cert;
  Link *link;        /* of the newest ICE generation */
  GPtrArray *states; /* char * */
  GString *channels;
  GPtrArray *messages; /* GBytes */
  GPtrArray *frames;   /* Frame */
  GString *tracks;
  guint keyframes, candidates, estimates, packets;
  gboolean gathered, want_key;
  Peer *forward_to;
  guint forward_refused;
};

/* ---- the link ---- */

static gboolean
on_gate (GSocket *socket, GIOCondition condition, gpointer data)
{
  Link *link = data;
  guint i = link->gates[0].socket == socket ? 0 : 1;
  char buffer[2048];
  gssize size;
  while ((size = g_socket_receive (socket, buffer, sizeof buffer, NULL, NULL)) > 0) {
    gboolean rtp = ((guint8)buffer[0] & 0xc0) == 0x80;
    if (rtp && link->lose_rtp_every && ++link->n_rtp % link->lose_rtp_every == 0) {
      link->lost++;
      continue;
    }
    if (link->deaf && i == 0 && buffer[0] == 1 && buffer[1] == 1) /* STUN success response */
      continue;
    if (!link->cut && link->gates[i].owner)
      g_socket_send_to (link->gates[1 - i].socket, link->gates[i].owner, buffer, (gsize)size, NULL,
                        NULL);
  }
  return G_SOURCE_CONTINUE;
}

static Link *
link_new (void)
{
  Link *link = g_new0 (Link, 1);
  for (guint i = 0; i < 2; i++) {
    Gate *gate = &link->gates[i];
    g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
    gate->socket
        = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_assert_true (g_socket_bind (gate->socket, any, FALSE, NULL));
    g_socket_set_blocking (gate->socket, FALSE);
    g_autoptr (GSocketAddress) local = g_socket_get_local_address (gate->socket, NULL);
    gate->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
    gate->source = g_socket_create_source (gate->socket, G_IO_IN, NULL);
    g_source_set_callback (gate->source, G_SOURCE_FUNC (on_gate), link, NULL);
    g_source_attach (gate->source, NULL);
  }
  return link;
}

static void
link_free (Link *link)
{
  for (guint i = 0; i < 2; i++) {
    g_source_destroy (link->gates[i].source);
    g_source_unref (link->gates[i].source);
    g_clear_object (&link->gates[i].owner);
    g_object_unref (link->gates[i].socket);
  }
  g_free (link);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_free)

/* ---- events ---- */

static void
on_candidate (Peer *peer, const char *line, void *arg)
{
  Side *side = arg;
  Candidate candidate;
  side->candidates++;
  if (!line) {
    side->gathered = TRUE;
    peer_add_candidate (side->other->peer, NULL);
    return;
  }
  g_assert_true (candidate_parse (line, &candidate));
  if (strcmp (candidate.address, "127.0.0.1") != 0)
    return;
  Gate *gate = &side->link->gates[side->index];
  g_set_object (&gate->owner, NULL);
  gate->owner = g_inet_socket_address_new_from_string ("127.0.0.1", candidate.port);
  g_autofree char *told = g_strdup_printf ("candidate:1 1 UDP %u 127.0.0.1 %u typ host ufrag %s",
                                           candidate.priority, gate->port, candidate.ufrag);
  peer_add_candidate (side->other->peer, told);
}

static void
on_state (Peer *peer, PeerState state, const char *reason, void *arg)
{
  Side *side = arg;
  g_assert_cmpint (peer_state (peer), >=, PEER_NEW);
  g_ptr_array_add (side->states, g_strdup_printf ("%d %s", state, reason ? reason : ""));
}

static void
on_channel (Peer *peer, const char *label, gboolean open, void *arg)
{
  Side *side = arg;
  g_string_append_printf (side->channels, "%c%s ", open ? '+' : '-', label);
}

static void
on_message (Peer *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  Side *side = arg;
  g_ptr_array_add (side->messages, g_bytes_ref (data));
}

static void
on_frame (Peer *peer, const char *mid, Frame *frame, void *arg)
{
  Side *side = arg;
  g_ptr_array_add (side->frames, frame_ref (frame));
}

static void
on_packet (Peer *peer, const char *mid, guint32 source, const RtpIncoming *packet, void *arg)
{
  Side *side = arg;
  side->packets++;
  if (side->forward_to && !peer_forward (side->forward_to, "f0", source, packet)) {
    side->forward_refused++;
    peer_request_keyframe (peer, mid);
  }
}

static void
on_track (Peer *peer, const char *mid, gboolean on, void *arg)
{
  Side *side = arg;
  g_string_append_printf (side->tracks, "%c%s ", on ? '+' : '-', mid);
}

static void
on_keyframe (Peer *peer, const char *mid, void *arg)
{
  Side *side = arg;
  side->keyframes++;
  side->want_key = TRUE;
}

static void
on_estimate (Peer *peer, guint bps, void *arg)
{
  Side *side = arg;
  side->estimates++;
}

static const PeerEvents events = { .candidate = on_candidate,
                                   .state = on_state,
                                   .channel = on_channel,
                                   .message = on_message,
                                   .frame = on_frame,
                                   .packet = on_packet,
                                   .track = on_track,
                                   .keyframe = on_keyframe,
                                   .estimate = on_estimate };

/* ---- two sides ---- */

static void
side_init (Side *side, Side *other, guint index, Link *link)
{
  g_autoptr (GError) error = NULL;
  *side = (Side){ .other = other,
                  .index = index,
                  .link = link,
                  .states = g_ptr_array_new_with_free_func (g_free),
                  .channels = g_string_new (NULL),
                  .tracks = g_string_new (NULL),
                  .messages = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref),
                  .frames = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref) };
  PeerConfig config = { .context = g_main_context_default (),
                        .name = index ? "page" : "station",
                        .answerer = index == 1,
                        .loopback = TRUE };
  SessionCert *cert = session_cert_new (&error);
  g_assert_no_error (error);
  side->peer = peer_new (&config, cert, &events, side, &error);
  g_assert_no_error (error);
}

static void
side_clear (Side *side)
{
  g_clear_pointer (&side->peer, peer_free);
  g_ptr_array_unref (side->states);
  g_string_free (side->channels, TRUE);
  g_string_free (side->tracks, TRUE);
  g_ptr_array_unref (side->messages);
  g_ptr_array_unref (side->frames);
}

static void
tell_remote (Side *side, SdpSetup setup, const char *fingerprint)
{
  PeerLocal local;
  g_autoptr (GError) error = NULL;
  peer_local (side->other->peer, &local);
  PeerRemote remote = { .ufrag = local.ufrag,
                        .pwd = local.pwd,
                        .fingerprint = fingerprint ? fingerprint : local.fingerprint,
                        .setup = setup,
                        .sctp_port = 5000,
                        .max_message_size = local.max_message_size };
  peer_set_remote (side->peer, &remote, &error);
  g_assert_no_error (error);
}

static void
set_line (Side *side, const char *mid, MediaCodec codec, SdpDirection direction, SdpStream *stream)
{
  g_autoptr (GError) error = NULL;
  SdpCodec sdp = { .codec = codec, .nack = TRUE, .nack_pli = TRUE };
  sdp.pt = codec == MEDIA_H264 ? SDP_PT_H264 : codec == MEDIA_VP8 ? SDP_PT_VP8 : SDP_PT_OPUS;
  sdp.rtx_pt = codec == MEDIA_OPUS ? 0 : sdp.pt + 1;
  g_autoptr (GArray) receive = g_array_new (FALSE, FALSE, sizeof (SdpCodec));
  g_autoptr (GArray) streams = g_array_new (FALSE, FALSE, sizeof (SdpStream));
  g_array_append_val (receive, sdp);
  if (stream)
    g_array_append_val (streams, *stream);
  SdpAgreedLine line = { .direction = direction,
                         .codec = sdp,
                         .receive = receive,
                         .streams = streams,
                         .ext_mid = SDP_EXT_MID,
                         .ext_twcc = SDP_EXT_TWCC,
                         .ext_abs_send_time = SDP_EXT_ABS_SEND_TIME };
  g_assert_true (peer_set_line (side->peer, mid, &line, &error));
  g_assert_no_error (error);
}

/* A line from `from` to the other side. */
static void
add_line (Side *from, const char *mid, MediaCodec codec, gboolean tell_ssrc)
{
  SdpStream stream;
  g_assert_true (peer_add_send_line (from->peer, mid, media_codec_kind (codec), &stream));
  set_line (from, mid, codec, SDP_SENDONLY, NULL);
  set_line (from->other, mid, codec, SDP_RECVONLY, tell_ssrc ? &stream : NULL);
}

/* Under valgrind everything takes longer: NHIPCAU_PATIENCE=10 multiplies the limits. */
static gint64
deadline_us (double seconds)
{
  const char *patience = g_getenv ("NHIPCAU_PATIENCE");
  return g_get_monotonic_time ()
         + (gint64)(seconds * 1e6 * (patience ? g_ascii_strtod (patience, NULL) : 1));
}

#define RUN_UNTIL(seconds, condition)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end_us_ = deadline_us (seconds);                                                        \
    while (!(condition)) {                                                                         \
      g_assert_cmpint (g_get_monotonic_time (), <, end_us_);                                       \
      run_a_little ();                                                                             \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static gboolean
on_timeout (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* One turn of the loop, 20 ms at most. */
static void
run_a_little (void)
{
  gboolean over = FALSE;
  guint id = g_timeout_add (20, on_timeout, &over);
  g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (id);
}

static void
connect_both (Side *a, Side *b)
{
  peer_start (a->peer);
  peer_start (b->peer);
  tell_remote (b, SDP_SETUP_ACTPASS, NULL);
  tell_remote (a, SDP_SETUP_ACTIVE, NULL);
  RUN_UNTIL (10, peer_state (a->peer) == PEER_CONNECTED && peer_state (b->peer) == PEER_CONNECTED);
}

/* ---- frames ---- */

static Frame *
make_frame (MediaCodec codec, gboolean key, gsize size, guint number)
{
  static const guint8 h264_head[]
      = { 0x00, 0x00, 0x00, 0x01, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0xc0,
          0x5a, 0x83, 0x03, 0x03, 0x52, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00,
          0x1e, 0x47, 0x8b, 0x17, 0x50, 0x00, 0x00, 0x00, 0x01, 0x68, 0xce, 0x3c, 0x80 };
  GByteArray *bytes = g_byte_array_new ();
  switch (codec) {
  case MEDIA_H264:
    if (key)
      g_byte_array_append (bytes, h264_head, sizeof h264_head);
    g_byte_array_append (bytes, (const guint8[]){ 0, 0, 0, 1, key ? 0x65 : 0x41 }, 5);
    break;
  case MEDIA_VP8:
    g_byte_array_append (bytes, (const guint8[]){ key ? 0x10 : 0x11, 0, 0 }, 3);
    if (key)
      g_byte_array_append (bytes, (const guint8[]){ 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01 }, 7);
    break;
  default:
    g_byte_array_append (bytes, (const guint8[]){ 0xfc }, 1);
    break;
  }
  for (gsize i = 0; i < size; i++) {
    guint8 byte = (guint8)(1 + (i * 7 + i / 200 + number * 13) % 250);
    g_byte_array_append (bytes, &byte, 1);
  }
  g_autoptr (GBytes) data = g_byte_array_free_to_bytes (bytes);
  return frame_new (codec, key, g_get_monotonic_time (), 20000, data);
}

typedef struct {
  Side *from;
  const char *mid;
  MediaCodec codec;
  gsize size;
  guint n, key_every;
  GPtrArray *sent; /* Frame */
  GSource *source;
} Feeder;

static gboolean
on_feed (gpointer data)
{
  Feeder *feeder = data;
  gboolean video = feeder->codec != MEDIA_OPUS;
  gboolean key = !video || feeder->n % feeder->key_every == 0 || feeder->from->want_key;
  if (video)
    feeder->from->want_key = FALSE;
  Frame *frame = make_frame (feeder->codec, key, feeder->size, feeder->n++);
  peer_send_frame (feeder->from->peer, feeder->mid, frame);
  g_ptr_array_add (feeder->sent, frame);
  return G_SOURCE_CONTINUE;
}

static Feeder *
feeder_new (Side *from, const char *mid, MediaCodec codec, gsize size)
{
  Feeder *feeder = g_new0 (Feeder, 1);
  *feeder = (Feeder){ .from = from, .mid = mid, .codec = codec, .size = size, .key_every = 25 };
  feeder->sent = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  feeder->source = g_timeout_source_new (20);
  g_source_set_callback (feeder->source, on_feed, feeder, NULL);
  g_source_attach (feeder->source, NULL);
  return feeder;
}

static void
feeder_free (Feeder *feeder)
{
  g_source_destroy (feeder->source);
  g_source_unref (feeder->source);
  g_ptr_array_unref (feeder->sent);
  g_free (feeder);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Feeder, feeder_free)

static guint
count_frames (Side *side, MediaCodec codec)
{
  guint n = 0;
  for (guint i = 0; i < side->frames->len; i++)
    n += ((Frame *)g_ptr_array_index (side->frames, i))->codec == codec ? 1 : 0;
  return n;
}

/* What came is what was sent, in order; gaps are allowed. Returns how many were matched. */
static guint
check_frames (Side *side, Feeder *feeder)
{
  guint at = 0, matched = 0;
  for (guint i = 0; i < side->frames->len; i++) {
    Frame *got = g_ptr_array_index (side->frames, i);
    if (got->codec != feeder->codec)
      continue;
    while (at < feeder->sent->len
           && !g_bytes_equal (((Frame *)g_ptr_array_index (feeder->sent, at))->data, got->data))
      at++;
    g_assert_cmpuint (at, <, feeder->sent->len);
    Frame *sent = g_ptr_array_index (feeder->sent, at++);
    g_assert_cmpint (got->key, ==, sent->key);
    matched++;
  }
  return matched;
}

/* ---- tests ---- */

static void
test_media (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_H264, TRUE);
  add_line (&a, "s1", MEDIA_OPUS, TRUE);
  add_line (&b, "mic", MEDIA_OPUS, FALSE); /* found by its mid extension */
  add_line (&b, "cam", MEDIA_VP8, FALSE);
  g_assert_cmpint (peer_send_codec (a.peer, "s0"), ==, MEDIA_H264);
  gint64 start_us = g_get_monotonic_time ();
  connect_both (&a, &b);
  g_test_message ("connected after %d ms", (int)((g_get_monotonic_time () - start_us) / 1000));
  {
    g_autoptr (Feeder) room = feeder_new (&a, "s0", MEDIA_H264, 5000);
    g_autoptr (Feeder) sound = feeder_new (&a, "s1", MEDIA_OPUS, 80);
    g_autoptr (Feeder) mic = feeder_new (&b, "mic", MEDIA_OPUS, 80);
    g_autoptr (Feeder) cam = feeder_new (&b, "cam", MEDIA_VP8, 3000);
    RUN_UNTIL (10, count_frames (&b, MEDIA_H264) >= 60 && count_frames (&b, MEDIA_OPUS) >= 60
                       && count_frames (&a, MEDIA_OPUS) >= 60
                       && count_frames (&a, MEDIA_VP8) >= 60);
    g_assert_cmpuint (check_frames (&b, room), >=, 60);
    g_assert_cmpuint (check_frames (&b, sound), >=, 60);
    g_assert_cmpuint (check_frames (&a, mic), >=, 60);
    g_assert_cmpuint (check_frames (&a, cam), >=, 60);
  }
  Frame *first = NULL;
  for (guint i = 0; i < b.frames->len && !first; i++)
    if (((Frame *)g_ptr_array_index (b.frames, i))->codec == MEDIA_H264)
      first = g_ptr_array_index (b.frames, i);
  g_assert_true (first->key);
  RUN_UNTIL (5, strstr (b.tracks->str, "-s0") && strstr (b.tracks->str, "-s1"));
  g_assert_nonnull (strstr (b.tracks->str, "+s0"));

  PeerStats stats;
  peer_stats (a.peer, &stats);
  g_assert_cmpuint (stats.srtp_errors, ==, 0);
  g_assert_false (stats.relayed);
  g_assert_cmpfloat (stats.rtt_ms, >=, 0);
  g_assert_cmpfloat (stats.rtt_ms, <, 1000);
  g_assert_cmpfloat (stats.loss, ==, 0);
  side_clear (&a);
  side_clear (&b);
}

static void
test_loss (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_VP8, TRUE);
  connect_both (&a, &b);
  link->lose_rtp_every = 17;
  {
    g_autoptr (Feeder) room = feeder_new (&a, "s0", MEDIA_VP8, 4000);
    room->key_every = 1000;
    RUN_UNTIL (15, count_frames (&b, MEDIA_VP8) >= 150);
    g_assert_cmpuint (link->lost, >, 10);
    /* Retransmission fills all gaps: nothing is left out. */
    g_assert_cmpuint (check_frames (&b, room), >=, 150);
    guint first = 0;
    while (!g_bytes_equal (((Frame *)g_ptr_array_index (room->sent, first))->data,
                           ((Frame *)g_ptr_array_index (b.frames, 0))->data))
      first++;
    for (guint i = 0; i < 150; i++)
      g_assert_true (g_bytes_equal (((Frame *)g_ptr_array_index (room->sent, first + i))->data,
                                    ((Frame *)g_ptr_array_index (b.frames, i))->data));
  }
  PeerStats stats;
  peer_stats (a.peer, &stats);
  g_assert_cmpuint (stats.nacks, >, 0);
  g_assert_cmpuint (stats.retransmitted, >, 0);
  g_assert_cmpuint (stats.srtp_errors, ==, 0);
  side_clear (&a);
  side_clear (&b);
}

static void
test_forward (void)
{
  Side a, b, c, d;
  g_autoptr (Link) ab = link_new ();
  g_autoptr (Link) cd = link_new ();
  side_init (&a, &b, 0, ab); /* station towards b */
  side_init (&b, &a, 1, ab);
  side_init (&c, &d, 0, cd); /* station towards d */
  side_init (&d, &c, 1, cd);
  add_line (&b, "cam", MEDIA_VP8, TRUE);
  add_line (&c, "f0", MEDIA_VP8, TRUE);
  connect_both (&a, &b);
  connect_both (&c, &d);
  a.forward_to = c.peer;
  {
    g_autoptr (Feeder) cam = feeder_new (&b, "cam", MEDIA_VP8, 3000);
    cam->key_every = 50;
    RUN_UNTIL (10, d.frames->len >= 60);
    g_assert_cmpuint (check_frames (&d, cam), >=, 60);
    /* A viewer that lost its thread asks, and the wish reaches the camera's side. */
    guint before = b.keyframes;
    peer_request_keyframe (d.peer, "f0");
    RUN_UNTIL (5, c.keyframes > 0);
    peer_request_keyframe (a.peer, "cam");
    RUN_UNTIL (5, b.keyframes > before);
  }
  side_clear (&a);
  side_clear (&b);
  side_clear (&c);
  side_clear (&d);
}

static void
test_channels (void)
{
  Side a, b;
  g_autoptr (GError) error = NULL;
  g_autoptr (Link) link = link_new ();
  g_autoptr (GBytes) text = g_bytes_new_static ("{}", 2);
  g_autofree char *long_text = g_strnfill (200 * 1024, 'x');
  g_autoptr (GBytes) large = g_bytes_new (long_text, strlen (long_text));
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  g_assert_false (peer_send (a.peer, "data", TRUE, text, &error));
  g_assert_error (error, PEER_ERROR, PEER_ERROR_CHANNEL);
  connect_both (&a, &b);
  RUN_UNTIL (10, a.channels->len >= 12 && b.channels->len >= 12);
  g_assert_cmpstr (a.channels->str, ==, "+data +wave +still +file ");
  for (guint i = 0; i < 10; i++) {
    g_assert_true (peer_send (a.peer, "data", TRUE, large, NULL));
    g_assert_true (peer_send (b.peer, "data", TRUE, large, NULL));
  }
  RUN_UNTIL (60, a.messages->len == 10 && b.messages->len == 10);
  /* Not while others wait: it would have outlived its 1.5 s on a slow machine. */
  g_assert_true (peer_send (a.peer, "wave", FALSE, text, NULL));
  RUN_UNTIL (5, b.messages->len == 11);
  side_clear (&a);
  RUN_UNTIL (5, peer_state (b.peer) == PEER_CLOSED);
  g_assert_nonnull (strstr (b.channels->str, "-data "));
  side_clear (&b);
}

static void
test_wrong_fingerprint (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  g_autoptr (SessionCert) other = session_cert_new (NULL);
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_H264, TRUE);
  peer_start (a.peer);
  peer_start (b.peer);
  tell_remote (&b, SDP_SETUP_ACTPASS, NULL);
  tell_remote (&a, SDP_SETUP_ACTIVE, other->fingerprint);
  RUN_UNTIL (10, a.states->len > 0 && peer_state (a.peer) == PEER_FAILED);
  RUN_UNTIL (1,
             g_str_has_prefix (g_ptr_array_index (a.states, a.states->len - 1), "4 fingerprint: "));
  g_assert_cmpuint (b.frames->len, ==, 0);
  side_clear (&a);
  side_clear (&b);
}

static void
test_bad_remote (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  g_autoptr (GError) error = NULL;
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  PeerLocal local;
  peer_local (b.peer, &local);
  PeerRemote good = { .ufrag = local.ufrag,
                      .pwd = local.pwd,
                      .fingerprint = local.fingerprint,
                      .setup = SDP_SETUP_ACTIVE };
  PeerRemote bad = good;
  bad.fingerprint = "AB:CD";
  g_assert_false (peer_set_remote (a.peer, &bad, &error));
  g_assert_error (error, PEER_ERROR, PEER_ERROR_REMOTE);
  g_clear_error (&error);
  bad = good;
  bad.setup = SDP_SETUP_ACTPASS;
  g_assert_false (peer_set_remote (a.peer, &bad, NULL));
  bad = good;
  bad.pwd = "short";
  g_assert_false (peer_set_remote (a.peer, &bad, NULL));
  g_assert_cmpint (peer_state (a.peer), ==, PEER_NEW);
  g_assert_true (peer_set_remote (a.peer, &good, NULL));
  bad = good;
  bad.ufrag = "anotherUfrag";
  g_assert_false (peer_set_remote (a.peer, &bad, NULL));
  peer_add_candidate (a.peer, "candidate:1 1 TCP 1 127.0.0.1 9 typ host");
  peer_add_candidate (a.peer, "rubbish");
  for (guint i = 0; i < 200; i++)
    peer_add_candidate (a.peer, "candidate:1 1 UDP 5 10.255.255.1 9 typ host");
  side_clear (&a);
  side_clear (&b);

  PeerConfig config = { .context = g_main_context_default (), .name = "x" };
  config.stun_server = "example.org:70000";
  g_assert_null (peer_new (&config, session_cert_new (NULL), &events, NULL, &error));
  g_assert_error (error, PEER_ERROR, PEER_ERROR_CONFIG);
}

/* The old path is dead before the new one is sought; keys, channels and streams stay. */
static void
test_restart (gconstpointer data)
{
  gboolean cut = GPOINTER_TO_INT (data);
  Side a, b;
  g_autoptr (GError) error = NULL;
  g_autoptr (Link) link = link_new ();
  g_autoptr (Link) other_link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_VP8, TRUE);
  connect_both (&a, &b);
  RUN_UNTIL (10, b.channels->len >= 12);
  {
    g_autoptr (Feeder) room = feeder_new (&a, "s0", MEDIA_VP8, 2000);
    RUN_UNTIL (10, b.frames->len >= 20);
    link->cut = cut;
    guint before = b.frames->len;
    gint64 start_us = g_get_monotonic_time ();
    a.link = b.link = other_link;
    g_assert_true (peer_restart_ice (a.peer, &error));
    g_assert_true (peer_restart_ice (b.peer, &error));
    tell_remote (&b, SDP_SETUP_ACTPASS, NULL);
    tell_remote (&a, SDP_SETUP_ACTIVE, NULL);
    RUN_UNTIL (10, b.frames->len >= before + 20);
    gint64 took_us = g_get_monotonic_time () - start_us;
    g_test_message ("20 frames of 20 ms after %d ms", (int)(took_us / 1000));
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us (3) - took_us);
    /* The old path goes away for good and is not missed. */
    link->cut = TRUE;
    before = b.frames->len;
    RUN_UNTIL (10, b.frames->len >= before + 150);
    g_assert_cmpuint (check_frames (&b, room), >=, 40);
  }
  g_assert_cmpint (peer_state (a.peer), ==, PEER_CONNECTED);
  g_autoptr (GBytes) text = g_bytes_new_static ("{}", 2);
  g_assert_true (peer_send (a.peer, "data", TRUE, text, NULL));
  RUN_UNTIL (5, b.messages->len == 1);
  PeerStats stats;
  peer_stats (b.peer, &stats);
  g_assert_cmpuint (stats.srtp_errors, ==, 0);
  side_clear (&a);
  side_clear (&b);
}

/* Consent runs out, the peer pauses and stays; the link comes back, and so does the picture. */
static void
test_pause (void)
{
  Side a, b;
  g_autoptr (GError) error = NULL;
  g_autoptr (Link) link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_VP8, TRUE);
  connect_both (&a, &b);
  {
    g_autoptr (Feeder) room = feeder_new (&a, "s0", MEDIA_VP8, 2000);
    room->key_every = G_MAXUINT;
    RUN_UNTIL (10, b.frames->len >= 10);
    link->cut = TRUE;
    gint64 start_us = g_get_monotonic_time ();
    RUN_UNTIL (40, peer_state (a.peer) == PEER_PAUSED);
    g_test_message ("paused after %d ms", (int)((g_get_monotonic_time () - start_us) / 1000));
    guint keyframes = a.keyframes, before = b.frames->len;
    link->cut = FALSE;
    g_assert_true (peer_restart_ice (a.peer, &error));
    g_assert_true (peer_restart_ice (b.peer, &error));
    tell_remote (&b, SDP_SETUP_ACTPASS, NULL);
    tell_remote (&a, SDP_SETUP_ACTIVE, NULL);
    RUN_UNTIL (10, b.frames->len > before + 10);
    g_assert_cmpuint (a.keyframes, >, keyframes);
  }
  g_assert_cmpint (peer_state (a.peer), ==, PEER_CONNECTED);
  side_clear (&a);
  side_clear (&b);
}

/* Consent is lost on our side alone; the other side's packets bring the path back to life. */
static void
test_revive (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_VP8, TRUE);
  add_line (&b, "mic", MEDIA_OPUS, TRUE);
  connect_both (&a, &b);
  g_autoptr (Feeder) mic = feeder_new (&b, "mic", MEDIA_OPUS, 80);
  link->deaf = TRUE;
  RUN_UNTIL (40, peer_state (a.peer) == PEER_PAUSED);
  link->deaf = FALSE;
  RUN_UNTIL (5, peer_state (a.peer) == PEER_CONNECTED);
  {
    g_autoptr (Feeder) room = feeder_new (&a, "s0", MEDIA_VP8, 2000);
    RUN_UNTIL (10, b.frames->len >= 10);
  }
  g_clear_pointer (&mic, feeder_free);
  /* libnice has nothing more to say about this path: we notice ourselves when it falls silent. */
  link->cut = TRUE;
  RUN_UNTIL (20, peer_state (a.peer) == PEER_PAUSED);
  side_clear (&a);
  side_clear (&b);
}

static void
test_close (void)
{
  Side a, b;
  g_autoptr (Link) link = link_new ();
  side_init (&a, &b, 0, link);
  side_init (&b, &a, 1, link);
  add_line (&a, "s0", MEDIA_VP8, TRUE);
  connect_both (&a, &b);
  peer_close (b.peer);
  peer_close (b.peer);
  RUN_UNTIL (2, peer_state (a.peer) == PEER_CLOSED);
  RUN_UNTIL (1, g_str_has_prefix (g_ptr_array_index (a.states, a.states->len - 1), "5 "));
  g_autoptr (GBytes) text = g_bytes_new_static ("{}", 2);
  g_assert_false (peer_send (a.peer, "data", TRUE, text, NULL));
  g_autoptr (Frame) frame = make_frame (MEDIA_VP8, TRUE, 100, 0);
  peer_send_frame (a.peer, "s0", frame);
  peer_send_frame (b.peer, "s0", frame);
  side_clear (&a);
  side_clear (&b);
}

static void
test_candidate (void)
{
  Candidate c;
  g_assert_true (
      candidate_parse ("candidate:842163049 1 udp 1677729535 203.0.113.5 46154 typ srflx "
                       "raddr 0.0.0.0 rport 0 generation 0 ufrag EsAw network-cost 999",
                       &c));
  g_assert_cmpstr (c.address, ==, "203.0.113.5");
  g_assert_cmpuint (c.port, ==, 46154);
  g_assert_cmpstr (c.ufrag, ==, "EsAw");
  g_assert_cmpint (c.type, ==, CANDIDATE_SERVER_REFLEXIVE);
  static const char *const bad[] = {
    "candidate:1 1 udp 0 203.0.113.5 1 typ host",
    "candidate:1 2 udp 5 203.0.113.5 1 typ host",
    "candidate:1 1 tcp 5 203.0.113.5 1 typ host tcptype active",
    "candidate:1 1 udp 5 0e1a-b.local 1 typ host",
    "candidate:1 1 udp 5 203.0.113.5 0 typ host",
    "candidate:1 1 udp 5 203.0.113.5 65536 typ host",
    "candidate:1 1 udp 5 0.0.0.0 1 typ host",
    "candidate:1 1 udp 5 224.0.0.1 1 typ host",
    "candidate:1 1 udp 5 203.0.113.5 1 typ",
    "candidate: 1 udp 5 203.0.113.5 1 typ host",
    "",
    "candidate:",
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (candidate_parse (bad[i], &c));
  g_assert_true (candidate_parse ("candidate:1 1 udp 5 ::ffff:127.0.0.1 1 typ host", &c));
  g_assert_true (candidate_is_loopback (&c));
  g_assert_true (candidate_parse ("candidate:1 1 udp 5 2001:db8::1 1 typ host", &c));
  g_assert_false (candidate_is_loopback (&c));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peer/candidate", test_candidate);
  g_test_add_func ("/peer/bad-remote", test_bad_remote);
  g_test_add_func ("/peer/media", test_media);
  g_test_add_func ("/peer/loss", test_loss);
  g_test_add_func ("/peer/forward", test_forward);
  g_test_add_func ("/peer/channels", test_channels);
  g_test_add_func ("/peer/wrong-fingerprint", test_wrong_fingerprint);
  g_test_add_data_func ("/peer/restart/live", GINT_TO_POINTER (FALSE), test_restart);
  g_test_add_data_func ("/peer/restart/cut", GINT_TO_POINTER (TRUE), test_restart);
  g_test_add_func ("/peer/close", test_close);
  g_test_add_func ("/peer/pause", test_pause);
  g_test_add_func ("/peer/revive", test_revive);
  return g_test_run ();
}
