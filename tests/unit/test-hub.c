#include "media/transport/hub.h"
#include "media/transport/peer_private.h"
#include <gio/gio.h>
#include <string.h>

/* A hub, and pages that are peers of the other role: they answer the hub's offers through real
 * SDP texts, over the loopback interface. */

typedef struct Clinic Clinic;

typedef struct {
  Clinic *clinic;
  char *id;
  Peer *peer; /* made at the first offer */
  guint64 session;
  gboolean vp8_only, sends, silent; /* silent: answers no offer */
  Sdp *offer;                       /* the last */
  guint offers, keyframes;
  GPtrArray *frames; /* Frame, of all lines */
  GPtrArray *mids;   /* char *, of which line each frame was */
  GString *channels, *messages;
} Page;

struct Clinic {
  Hub *hub;
  GHashTable *pages;  /* id -> Page */
  GHashTable *states; /* id -> char *: all states, in order */
  GString *wants;     /* "+room/h264 -room/h264 " */
  GString *tracks;    /* "+a/audio " */
  GString *channels;  /* "+a/data " */
  GString *messages;  /* "a/data:text " */
  guint keyframes_wanted, bitrates;
  guint last_bitrate;
  gint own_audio, own_video; /* of hub's frame event; atomic */
};

/* The hub's events */

static void
read_offer (Page *page, const char *sdp)
{
  g_autoptr (GError) error = NULL;
  sdp_free (page->offer);
  page->offer = sdp_parse (sdp, &error);
  g_assert_no_error (error);
  page->offers++;
}

static void
add_codecs (Page *page, const SdpMedia *offered, SdpMedia *mine)
{
  for (guint i = 0; i < offered->codecs->len; i++) {
    MediaCodec codec = g_array_index (offered->codecs, SdpCodec, i).codec;
    if (codec != MEDIA_H264 || !page->vp8_only)
      sdp_add_codec (mine, codec);
  }
}

static SdpDirection
mirrored (const Page *page, const SdpMedia *offered)
{
  if (offered->direction == SDP_RECVONLY)
    return page->sends ? SDP_SENDONLY : SDP_INACTIVE;
  return offered->direction == SDP_SENDONLY ? SDP_RECVONLY : SDP_INACTIVE;
}

static Sdp *
answer_of (Page *page)
{
  PeerLocal local;
  peer_local (page->peer, &local);
  Sdp *answer = sdp_new ();
  answer->ufrag = g_strdup (local.ufrag);
  answer->pwd = g_strdup (local.pwd);
  answer->fingerprint = g_strdup (local.fingerprint);
  answer->setup = SDP_SETUP_ACTIVE;
  for (guint i = 0; i < page->offer->media->len; i++) {
    const SdpMedia *offered = page->offer->media->pdata[i];
    SdpMedia *mine = sdp_add_media (answer, offered->type, offered->mid, mirrored (page, offered));
    add_codecs (page, offered, mine);
    SdpStream stream;
    if (mine->direction & SDP_SENDONLY) {
      MediaKind kind = offered->type == SDP_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO;
      if (peer_add_send_line (page->peer, offered->mid, kind, &stream))
        sdp_add_stream (mine, stream.ssrc, stream.rtx_ssrc);
    }
  }
  return answer;
}

/* The offer read as if it were the answer to ours: what both agree on from the page's side. */
static void
apply_offer (Page *page, const Sdp *answer)
{
  g_autoptr (GError) error = NULL;
  page->offer->setup = SDP_SETUP_PASSIVE;
  g_autoptr (SdpAgreement) agreement = sdp_agree (answer, page->offer, &error);
  g_assert_no_error (error);
  PeerRemote remote = { .ufrag = page->offer->ufrag,
                        .pwd = page->offer->pwd,
                        .fingerprint = page->offer->fingerprint,
                        .setup = SDP_SETUP_ACTPASS,
                        .sctp_port = 5000,
                        .max_message_size = 65536 };
  g_assert_true (peer_set_remote (page->peer, &remote, &error));
  for (guint i = 0; i < agreement->lines->len; i++) {
    const SdpMedia *offered = page->offer->media->pdata[i];
    if (offered->type != SDP_APPLICATION)
      peer_set_line (page->peer, offered->mid, agreement->lines->pdata[i], NULL);
  }
  for (guint i = 0; i < page->offer->candidates->len; i++)
    peer_add_candidate (page->peer, ((SdpCandidate *)page->offer->candidates->pdata[i])->line);
}

static void page_make_peer (Page *page);

static void
on_offer (Hub *hub, const char *peer, const char *sdp, void *arg)
{
  Page *page = g_hash_table_lookup (((Clinic *)arg)->pages, peer);
  if (page == NULL)
    return;
  g_autofree char *old_ufrag = g_strdup (page->offer != NULL ? page->offer->ufrag : NULL);
  read_offer (page, sdp);
  if (page->silent)
    return;
  gboolean first = page->peer == NULL;
  if (first)
    page_make_peer (page);
  else if (g_strcmp0 (old_ufrag, page->offer->ufrag) != 0)
    peer_restart_ice (page->peer, NULL);
  g_autoptr (Sdp) answer = answer_of (page);
  apply_offer (page, answer);
  g_autofree char *text = sdp_write (answer);
  hub_answer (hub, peer, text);
  if (first)
    peer_start (page->peer);
}

static void
on_candidate (Hub *hub, const char *peer, const char *mid, const char *line, void *arg)
{
  Page *page = g_hash_table_lookup (((Clinic *)arg)->pages, peer);
  g_assert_true (g_str_equal (mid, "s0") || g_str_equal (mid, "mic"));
  if (page != NULL && page->peer != NULL)
    peer_add_candidate (page->peer, line);
}

static void
on_state (Hub *hub, const char *peer, HubPeerState state, const char *reason, void *arg)
{
  Clinic *clinic = arg;
  const char *old = g_hash_table_lookup (clinic->states, peer);
  g_hash_table_insert (
      clinic->states, g_strdup (peer),
      g_strdup_printf ("%s%d:%s ", old != NULL ? old : "", state, reason != NULL ? reason : ""));
}

static void
on_channel (Hub *hub, const char *peer, const char *label, gboolean open, void *arg)
{
  g_string_append_printf (((Clinic *)arg)->channels, "%c%s/%s ", open ? '+' : '-', peer, label);
}

static void
on_message (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  g_string_append_printf (((Clinic *)arg)->messages, "%s/%s:%.*s ", peer, label, (int)size, bytes);
}

static void
on_track (Hub *hub, const char *peer, MediaKind kind, gboolean on, void *arg)
{
  g_string_append_printf (((Clinic *)arg)->tracks, "%c%s/%s ", on ? '+' : '-', peer,
                          kind == MEDIA_AUDIO ? "audio" : "video");
}

static void
on_want_live (Hub *hub, const char *source, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  g_autofree char *number = rung > 0 ? g_strdup_printf (":%u", rung) : g_strdup ("");
  g_string_append_printf (((Clinic *)arg)->wants, "%c%s/%s%s ", on ? '+' : '-', source,
                          media_codec_name (codec), number);
}

static void
on_want_keyframe (Hub *hub, const char *source, MediaCodec codec, guint rung, void *arg)
{
  ((Clinic *)arg)->keyframes_wanted++;
}

static void
on_want_bitrate (Hub *hub, const char *source, MediaCodec codec, guint rung, guint bps, void *arg)
{
  ((Clinic *)arg)->bitrates++;
  ((Clinic *)arg)->last_bitrate = bps;
}

static void
on_frame (Hub *hub, const char *peer, const char *label, MediaKind kind, Frame *frame, void *arg)
{
  Clinic *clinic = arg;
  __atomic_add_fetch (kind == MEDIA_AUDIO ? &clinic->own_audio : &clinic->own_video, 1,
                      __ATOMIC_SEQ_CST);
}

/* Pages */

static void
on_page_candidate (Peer *peer, const char *line, void *arg)
{
  Page *page = arg;
  hub_candidate (page->clinic->hub, page->id, "s0", line);
}

static void
on_page_frame (Peer *peer, const char *mid, Frame *frame, void *arg)
{
  Page *page = arg;
  g_ptr_array_add (page->frames, frame_ref (frame));
  g_ptr_array_add (page->mids, g_strdup (mid));
}

static void
on_page_keyframe (Peer *peer, const char *mid, void *arg)
{
  ((Page *)arg)->keyframes++;
}

static void
on_page_channel (Peer *peer, const char *label, gboolean open, void *arg)
{
  g_string_append_printf (((Page *)arg)->channels, "%c%s ", open ? '+' : '-', label);
}

static void
on_page_message (Peer *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  g_string_append_printf (((Page *)arg)->messages, "%s:%.*s ", label, (int)size, bytes);
}

static void
page_make_peer (Page *page)
{
  static const PeerEvents events = { .candidate = on_page_candidate,
                                     .frame = on_page_frame,
                                     .keyframe = on_page_keyframe,
                                     .channel = on_page_channel,
                                     .message = on_page_message };
  g_autoptr (GError) error = NULL;
  PeerConfig config = {
    .context = g_main_context_default (), .name = page->id, .answerer = TRUE, .loopback = TRUE
  };
  page->peer = peer_new (&config, session_cert_new (NULL), &events, page, &error);
  g_assert_no_error (error);
}

static void
page_free (gpointer data)
{
  Page *page = data;
  g_clear_pointer (&page->peer, peer_free);
  sdp_free (page->offer);
  g_ptr_array_unref (page->frames);
  g_ptr_array_unref (page->mids);
  g_string_free (page->channels, TRUE);
  g_string_free (page->messages, TRUE);
  g_free (page->id);
  g_free (page);
}

static Page *
page_new (Clinic *clinic, const char *id, gboolean sends)
{
  Page *page = g_new0 (Page, 1);
  page->clinic = clinic;
  page->id = g_strdup (id);
  page->sends = sends;
  page->frames = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  page->mids = g_ptr_array_new_with_free_func (g_free);
  page->channels = g_string_new (NULL);
  page->messages = g_string_new (NULL);
  g_hash_table_insert (clinic->pages, page->id, page);
  return page;
}

static void
page_join (Page *page)
{
  HubPeerConfig config
      = { .loopback = TRUE, .local = TRUE, .trusts_host = TRUE, .label = page->id };
  hub_add_peer (page->clinic->hub, page->id, &config);
}

/* Frames that came on a line. */
static guint
page_frames (const Page *page, const char *mid)
{
  guint n = 0;
  for (guint i = 0; i < page->mids->len; i++)
    n += strcmp (page->mids->pdata[i], mid) == 0;
  return n;
}

/* The clinic */

static void
clinic_init_with (Clinic *clinic, const HubConfig *config)
{
  static const HubEvents events = { .offer = on_offer,
                                    .candidate = on_candidate,
                                    .state = on_state,
                                    .channel = on_channel,
                                    .message = on_message,
                                    .track = on_track,
                                    .want_live = on_want_live,
                                    .want_keyframe = on_want_keyframe,
                                    .want_bitrate = on_want_bitrate,
                                    .frame = on_frame };
  *clinic = (Clinic){ .pages = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, page_free),
                      .states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
                      .wants = g_string_new (NULL),
                      .tracks = g_string_new (NULL),
                      .channels = g_string_new (NULL),
                      .messages = g_string_new (NULL) };
  g_autoptr (GError) error = NULL;
  clinic->hub = hub_new (config, NULL, &events, clinic, &error);
  g_assert_no_error (error);
  hub_add_source (clinic->hub, "room", MEDIA_VIDEO);
  hub_add_source (clinic->hub, "microphone", MEDIA_AUDIO);
}

static void
clinic_init (Clinic *clinic)
{
  clinic_init_with (clinic, &(HubConfig){ 0 });
}

static void
clinic_clear (Clinic *clinic)
{
  hub_free (clinic->hub);
  g_hash_table_unref (clinic->pages);
  g_hash_table_unref (clinic->states);
  g_string_free (clinic->wants, TRUE);
  g_string_free (clinic->tracks, TRUE);
  g_string_free (clinic->channels, TRUE);
  g_string_free (clinic->messages, TRUE);
}

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
run_for (guint ms)
{
  gint64 end_us = g_get_monotonic_time () + ms * 1000;
  while (g_get_monotonic_time () < end_us)
    run_a_little ();
}

#define RUN_UNTIL(condition)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end_us_ = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;                                \
    while (!(condition)) {                                                                         \
      g_assert_cmpint (g_get_monotonic_time (), <, end_us_);                                       \
      run_a_little ();                                                                             \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static gboolean
in_state (Clinic *clinic, const char *id, HubPeerState state)
{
  const char *states = g_hash_table_lookup (clinic->states, id);
  g_autofree char *wanted = g_strdup_printf ("%d:", state);
  return states != NULL && strstr (states, wanted) != NULL;
}

/* Frames with a shape that packetizers accept */

static Frame *
make_frame (MediaCodec codec, gboolean key)
{
  static const guint8 h264_key[]
      = { 0,    0,    0,    1,    0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0xc0,
          0x5a, 0x83, 0x03, 0x03, 0x52, 0x80, 0,    0,    0,    1,    0x68, 0xce, 0x3c,
          0x80, 0,    0,    0,    1,    0x65, 0x88, 1,    2,    3,    4,    5 };
  static const guint8 h264_delta[] = { 0, 0, 0, 1, 0x41, 0x9a, 1, 2, 3, 4, 5, 6, 7, 8 };
  static const guint8 vp8_key[] = { 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, 1, 2, 3, 4, 5 };
  static const guint8 vp8_delta[] = { 0x11, 0, 0, 1, 2, 3, 4, 5 };
  static const guint8 opus[] = { 0x78, 1, 2, 3, 4, 5, 6, 7 };
  g_autoptr (GBytes) data = NULL;
  if (codec == MEDIA_OPUS)
    data = g_bytes_new_static (opus, sizeof opus);
  else if (codec == MEDIA_H264)
    data = key ? g_bytes_new_static (h264_key, sizeof h264_key)
               : g_bytes_new_static (h264_delta, sizeof h264_delta);
  else
    data = key ? g_bytes_new_static (vp8_key, sizeof vp8_key)
               : g_bytes_new_static (vp8_delta, sizeof vp8_delta);
  return frame_new (codec, key || codec == MEDIA_OPUS, g_get_monotonic_time (), 0, data);
}

static void
push_rung (Clinic *clinic, const char *source, MediaCodec codec, guint rung, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  frame->rung = rung;
  hub_push_frame (clinic->hub, source, frame);
}

static void
push (Clinic *clinic, const char *source, MediaCodec codec, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  hub_push_frame (clinic->hub, source, frame);
}

static void
page_push (Page *page, const char *mid, MediaCodec codec, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  peer_send_frame (page->peer, mid, frame);
}

/* Tests */

static void
test_view (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  g_assert_cmpstr (clinic.wants->str, ==, "+room/h264 +microphone/opus ");
  push (&clinic, "room", MEDIA_H264, FALSE); /* of no use before a key frame */
  push (&clinic, "room", MEDIA_H264, TRUE);
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (page_frames (page, "s0") < 11 || page_frames (page, "s1") < 8) {
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    push (&clinic, "room", MEDIA_H264, FALSE);
    push (&clinic, "microphone", MEDIA_OPUS, TRUE);
    run_for (20);
  }
  g_assert_true (((Frame *)page->frames->pdata[0])->key);
  HubPeerStats stats;
  RUN_UNTIL (hub_stats (clinic.hub, "a", &stats) && stats.sent_bps > 0);
  g_assert_false (hub_stats (clinic.hub, "nobody", &stats));
  hub_remove_peer (clinic.hub, "a");
  RUN_UNTIL (!hub_stats (clinic.hub, "a", &stats));
  RUN_UNTIL (strstr (clinic.wants->str, "-microphone/opus ") != NULL
             && strstr (clinic.wants->str, "-room/h264 ") != NULL);
  clinic_clear (&clinic);
}

/* The current group of pictures is there at once for who comes later; its times are young. */
static void
test_late_viewer_gets_the_group (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *first = page_new (&clinic, "a", FALSE);
  page_join (first);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  for (guint i = 0; i < 4; i++)
    push (&clinic, "room", MEDIA_H264, FALSE);
  RUN_UNTIL (page_frames (first, "s0") == 5);
  guint wanted = clinic.keyframes_wanted;
  Page *late = page_new (&clinic, "b", FALSE);
  page_join (late);
  RUN_UNTIL (page_frames (late, "s0") == 5);
  g_assert_true (((Frame *)late->frames->pdata[0])->key);
  g_assert_cmpuint (clinic.keyframes_wanted, ==, wanted);
  gint64 span_us = ((Frame *)late->frames->pdata[4])->capture_us
                   - ((Frame *)late->frames->pdata[0])->capture_us;
  g_assert_cmpint (span_us, <, 20000);
  push (&clinic, "room", MEDIA_H264, FALSE);
  RUN_UNTIL (page_frames (late, "s0") == 6 && page_frames (first, "s0") == 6);
  clinic_clear (&clinic);
}

/* A long group is not sent: a key frame is asked for while the newcomer connects. */
static void
test_long_group_asks_for_key (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *first = page_new (&clinic, "a", FALSE);
  page_join (first);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  for (guint i = 0; i < 40; i++)
    push (&clinic, "room", MEDIA_H264, FALSE);
  RUN_UNTIL (page_frames (first, "s0") == 41);
  Page *late = page_new (&clinic, "b", FALSE);
  page_join (late);
  RUN_UNTIL (clinic.keyframes_wanted >= 1);
  RUN_UNTIL (in_state (&clinic, "b", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, FALSE);
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (late, "s0") >= 1);
  g_assert_true (((Frame *)late->frames->pdata[0])->key);
  clinic_clear (&clinic);
}

static void
test_vp8_only (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page->vp8_only = TRUE;
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  RUN_UNTIL (strstr (clinic.wants->str, "+room/vp8 ") != NULL);
  push (&clinic, "room", MEDIA_H264, TRUE);
  push (&clinic, "room", MEDIA_VP8, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 1);
  g_assert_cmpint (((Frame *)page->frames->pdata[0])->codec, ==, MEDIA_VP8);
  RUN_UNTIL (strstr (clinic.wants->str, "-room/h264 ") != NULL);
  clinic_clear (&clinic);
}

/* Both connected: "a" and "b". */
static void
two_viewers (Clinic *clinic, Page *pages[2])
{
  static const char *const ids[] = { "a", "b" };
  for (guint i = 0; i < 2; i++) {
    pages[i] = page_new (clinic, ids[i], FALSE);
    page_join (pages[i]);
  }
  RUN_UNTIL (in_state (clinic, "a", HUB_PEER_CONNECTED)
             && in_state (clinic, "b", HUB_PEER_CONNECTED));
}

/* Many wishes become one question, and one more later when nobody answered. */
static void
test_keyframes_are_merged (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *pages[2];
  two_viewers (&clinic, pages);
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (pages[0], "s0") == 1 && page_frames (pages[1], "s0") == 1);
  run_for (100); /* beyond the age at which a key frame answers a later wish */
  for (guint i = 0; i < 2; i++)
    peer_request_keyframe (pages[i]->peer, "s0");
  RUN_UNTIL (clinic.keyframes_wanted == 1);
  gint64 first_us = g_get_monotonic_time ();
  RUN_UNTIL (clinic.keyframes_wanted == 2);
  g_assert_cmpint (g_get_monotonic_time () - first_us, >=, 250000);
  /* the second one answers wishes that were on their way when the first left */
  for (guint n = 2; n <= 3; n++) {
    push (&clinic, "room", MEDIA_H264, TRUE);
    RUN_UNTIL (page_frames (pages[0], "s0") == n && page_frames (pages[1], "s0") == n);
  }
  guint asked = clinic.keyframes_wanted;
  run_for (700);
  g_assert_cmpuint (clinic.keyframes_wanted, ==, asked);
  clinic_clear (&clinic);
}

/* Viewers that ask without end: key frames as often as they may cost, and each wish is answered. */
static void
test_keyframe_storm (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *pages[2];
  two_viewers (&clinic, pages);
  g_autoptr (Frame) small = make_frame (MEDIA_H264, TRUE);
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, g_bytes_get_data (small->data, NULL),
                       (guint)g_bytes_get_size (small->data));
  guint8 filling[24000];
  memset (filling, 0x55, sizeof filling);
  g_byte_array_append (bytes, filling, sizeof filling);
  g_autoptr (GBytes) data = g_byte_array_free_to_bytes (bytes);
  gint64 begun_us = g_get_monotonic_time (), end_us = begun_us + 5 * G_USEC_PER_SEC;
  guint answered = 0, made = 0;
  /* 24 kB at 0.58 Mbit/s take 0.33 s: one a second */
  for (gint64 now_us = begun_us; now_us < end_us; now_us = g_get_monotonic_time ()) {
    if (made == 0 || clinic.keyframes_wanted > answered) {
      answered = clinic.keyframes_wanted;
      made++;
      g_autoptr (Frame) key = frame_new (MEDIA_H264, TRUE, now_us, 0, data);
      key->width = 640;
      key->height = 360;
      hub_push_frame (clinic.hub, "room", key);
    }
    for (guint i = 0; i < 2; i++)
      peer_request_keyframe (pages[i]->peer, "s0");
    run_for (50);
  }
  double seconds = (double)(g_get_monotonic_time () - begun_us) / G_USEC_PER_SEC;
  g_test_message ("%u key frames in %.1f s", made, seconds);
  g_assert_cmpuint (made, >=, 3);
  g_assert_cmpfloat (made, <=, seconds + 3);
  clinic_clear (&clinic);
}

static const SdpMedia *
offered_line (const Page *page, const char *mid)
{
  for (guint i = 0; i < page->offer->media->len; i++) {
    const SdpMedia *media = page->offer->media->pdata[i];
    if (g_strcmp0 (media->mid, mid) == 0)
      return media;
  }
  return NULL;
}

static gboolean
is_offered (const Page *page, const char *mid, const char *stream)
{
  const SdpMedia *media = page->offer != NULL ? offered_line (page, mid) : NULL;
  return media != NULL && media->direction == SDP_SENDONLY
         && g_strcmp0 (media->stream, stream) == 0;
}

static void
test_forward (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *a = page_new (&clinic, "a", TRUE), *b = page_new (&clinic, "b", TRUE);
  page_join (a);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  g_assert_cmpuint (a->offers, ==, 1);
  page_join (b);
  RUN_UNTIL (in_state (&clinic, "b", HUB_PEER_CONNECTED));
  RUN_UNTIL (is_offered (a, "f0", "peer-b") && is_offered (a, "f1", "peer-b"));
  g_assert_true (is_offered (b, "f0", "peer-a") && is_offered (b, "f1", "peer-a"));
  g_assert_cmpuint (b->offers, ==, 1);
  g_assert_cmpint (offered_line (b, "f0")->type, ==, SDP_AUDIO);
  for (guint i = 0; i < 40 && page_frames (b, "f1") < 5; i++) {
    page_push (a, "cam", MEDIA_VP8, i == 0 || a->keyframes > 0);
    page_push (a, "mic", MEDIA_OPUS, TRUE);
    a->keyframes = 0;
    run_for (30);
  }
  RUN_UNTIL (page_frames (b, "f1") >= 5 && page_frames (b, "f0") >= 5);
  RUN_UNTIL (__atomic_load_n (&clinic.own_video, __ATOMIC_SEQ_CST) >= 5
             && __atomic_load_n (&clinic.own_audio, __ATOMIC_SEQ_CST) >= 4);
  g_assert_nonnull (strstr (clinic.tracks->str, "+a/audio "));
  g_assert_nonnull (strstr (clinic.tracks->str, "+a/video "));
  /* a key frame is asked for where it is made */
  peer_request_keyframe (b->peer, "f1");
  RUN_UNTIL (a->keyframes > 0);
  /* who goes leaves lines at rest, who comes uses them again */
  hub_remove_peer (clinic.hub, "b");
  RUN_UNTIL (offered_line (a, "f0")->direction == SDP_INACTIVE
             && offered_line (a, "f1")->direction == SDP_INACTIVE);
  Page *c = page_new (&clinic, "c", TRUE);
  page_join (c);
  RUN_UNTIL (is_offered (a, "f0", "peer-c") && is_offered (a, "f1", "peer-c"));
  g_assert_null (offered_line (a, "f2"));
  g_assert_cmpuint (a->offer->session_id, !=, c->offer->session_id);
  clinic_clear (&clinic);
}

static void
test_channels (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (strstr (page->channels->str, "+data ") && strstr (page->channels->str, "+wave "));
  RUN_UNTIL (strstr (clinic.channels->str, "+a/data ")
             && strstr (clinic.channels->str, "+a/wave "));
  g_autoptr (GBytes) text = g_bytes_new_static ("one", 3);
  hub_send (clinic.hub, "a", "data", TRUE, text);
  hub_send (clinic.hub, NULL, "wave", TRUE, text);
  hub_send (clinic.hub, "nobody", "data", TRUE, text);
  RUN_UNTIL (strstr (page->messages->str, "data:one ")
             && strstr (page->messages->str, "wave:one "));
  g_assert_true (peer_send (page->peer, "data", TRUE, text, NULL));
  RUN_UNTIL (strcmp (clinic.messages->str, "a/data:one ") == 0);
  clinic_clear (&clinic);
}

static void
test_mute (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 1);
  hub_mute_source (clinic.hub, "room", TRUE);
  push (&clinic, "room", MEDIA_H264, FALSE);
  hub_mute_source (clinic.hub, "room", FALSE);
  push (&clinic, "room", MEDIA_H264, FALSE); /* refers to what was not sent */
  RUN_UNTIL (clinic.keyframes_wanted > 0);
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 2);
  g_assert_true (((Frame *)page->frames->pdata[1])->key);
  clinic_clear (&clinic);
}

static void
test_bitrate (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  g_assert_cmpuint (clinic.last_bitrate, ==, 1000000); /* size unknown */
  g_autoptr (Frame) frame = make_frame (MEDIA_H264, TRUE);
  frame->width = 640;
  frame->height = 360;
  hub_push_frame (clinic.hub, "room", frame);
  RUN_UNTIL (clinic.last_bitrate == 640 * 360 * 5 / 2);
  clinic_clear (&clinic);
}

static gboolean
gets (Clinic *clinic, const char *peer, const char *stream, int rung)
{
  g_autoptr (GArray) streams = hub_stream_stats (clinic->hub, peer);
  for (guint i = 0; i < streams->len; i++) {
    const HubStreamStats *s = &g_array_index (streams, HubStreamStats, i);
    if (strcmp (s->name, stream) == 0 && s->rung == rung)
      return TRUE;
  }
  return FALSE;
}

static const char *const nothing[] = { NULL };
static const char *const room[] = { "source-room", NULL };

/* Who does not look gets a thumbnail; the other keeps his picture. Each goes on with what it has
 * until the key frame of what it shall have, on the same line. */
static void
test_rungs (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *a = page_new (&clinic, "a", FALSE), *b = page_new (&clinic, "b", FALSE);
  page_join (a);
  page_join (b);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED)
             && in_state (&clinic, "b", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (a, "s0") == 1 && page_frames (b, "s0") == 1);
  hub_look (clinic.hub, "a", nothing);
  hub_look (clinic.hub, "b", room);
  RUN_UNTIL (strstr (clinic.wants->str, "+room/h264:3 ") != NULL);
  push (&clinic, "room", MEDIA_H264, FALSE);
  push_rung (&clinic, "room", MEDIA_H264, 3, FALSE); /* refers to what nobody got */
  RUN_UNTIL (page_frames (a, "s0") == 2 && page_frames (b, "s0") == 2);
  push_rung (&clinic, "room", MEDIA_H264, 3, TRUE);
  push (&clinic, "room", MEDIA_H264, FALSE); /* for the other only */
  push_rung (&clinic, "room", MEDIA_H264, 3, FALSE);
  RUN_UNTIL (page_frames (a, "s0") == 4 && page_frames (b, "s0") == 3);
  RUN_UNTIL (gets (&clinic, "a", "source-room", 3) && gets (&clinic, "b", "source-room", 0));
  const Frame *changed = a->frames->pdata[2];
  g_assert_true (changed->key);
  for (guint i = 1; i < a->frames->len; i++)
    g_assert_cmpint (((Frame *)a->frames->pdata[i])->capture_us, >,
                     ((Frame *)a->frames->pdata[i - 1])->capture_us);
  /* back: the upper one runs, and is asked for a key frame */
  guint wanted = clinic.keyframes_wanted;
  hub_look (clinic.hub, "a", room);
  RUN_UNTIL (clinic.keyframes_wanted > wanted);
  push_rung (&clinic, "room", MEDIA_H264, 3, FALSE);
  RUN_UNTIL (page_frames (a, "s0") == 5);
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (a, "s0") == 6 && gets (&clinic, "a", "source-room", 0));
  RUN_UNTIL (strstr (clinic.wants->str, "-room/h264:3 ") != NULL); /* nobody needs it */
  g_assert_null (strstr (clinic.wants->str, "-room/h264 "));
  /* a wish that was taken back before its key frame came */
  hub_look (clinic.hub, "a", nothing);
  hub_look (clinic.hub, "a", room);
  push_rung (&clinic, "room", MEDIA_H264, 3, TRUE);
  push (&clinic, "room", MEDIA_H264, FALSE);
  RUN_UNTIL (page_frames (a, "s0") == 7);
  clinic_clear (&clinic);
}

/* Frames that no rung has, and names that nobody bears. */
static void
test_odd_rungs (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  push_rung (&clinic, "room", MEDIA_H264, RUNG_MAX, TRUE);
  push_rung (&clinic, "room", MEDIA_VP8, 1, TRUE);
  push_rung (&clinic, "room", MEDIA_OPUS, 0, TRUE);
  push_rung (&clinic, "room", MEDIA_JPEG, 1, TRUE);
  push_rung (&clinic, "room", MEDIA_JPEG, 9, TRUE);
  hub_look (clinic.hub, "nobody", room);
  hub_look (clinic.hub, "a", NULL);
  g_autoptr (GArray) streams = hub_stream_stats (clinic.hub, "nobody");
  g_assert_cmpuint (streams->len, ==, 0);
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 1);
  clinic_clear (&clinic);
}

/* A machine without time for large pictures: small ones, and it is said. */
static void
test_machine (void)
{
  Clinic clinic;
  clinic_init_with (&clinic, &(HubConfig){ .encoders = 30 });
  Page *page = page_new (&clinic, "a", FALSE);
  page_join (page);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  g_assert_nonnull (strstr (clinic.wants->str, "+room/h264:2 "));
  g_assert_null (strstr (clinic.wants->str, "+room/h264 "));
  push_rung (&clinic, "room", MEDIA_H264, 2, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 1);
  HubPeerStats stats;
  RUN_UNTIL (hub_stats (clinic.hub, "a", &stats) && stats.machine
             && stats.sight == HUB_SIGHT_SMALLER);
  clinic_clear (&clinic);
}

/* What a page may send in any order, and commands about peers that are not there. */
static void
test_bad_answers (void)
{
  static const char *const bad[]
      = { "", "v=0\r\n", "garbage", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF\r\n" };
  Clinic clinic;
  clinic_init (&clinic);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *id = g_strdup_printf ("p%u", i);
    Page *page = page_new (&clinic, id, FALSE);
    page->silent = TRUE;
    page_join (page);
    RUN_UNTIL (page->offers == 1);
    hub_candidate (clinic.hub, id, "s0", "candidate:nonsense");
    hub_candidate (clinic.hub, id, "zz", NULL);
    hub_answer (clinic.hub, id, bad[i]);
    hub_answer (clinic.hub, id, bad[i]);
    hub_offer (clinic.hub, id, TRUE, FALSE);
    RUN_UNTIL (in_state (&clinic, id, HUB_PEER_FAILED));
    g_assert_nonnull (strstr (g_hash_table_lookup (clinic.states, id), "4:answer: "));
  }
  hub_answer (clinic.hub, "nobody", "v=0");
  hub_candidate (clinic.hub, "nobody", "s0", NULL);
  hub_offer (clinic.hub, "nobody", FALSE, FALSE);
  hub_remove_peer (clinic.hub, "nobody");
  hub_mute_source (clinic.hub, "nothing", TRUE);
  push (&clinic, "nothing", MEDIA_VP8, TRUE);
  HubPeerConfig config = { 0 };
  hub_add_peer (clinic.hub, "not an id", &config);
  RUN_UNTIL (in_state (&clinic, "not an id", HUB_PEER_FAILED));
  clinic_clear (&clinic);
}

/* A second offer waits for the answer to the first; one that is not answered is made anew when the
 * page asks. */
static void
test_offers_are_serial (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_new (&clinic, "a", FALSE);
  page->silent = TRUE;
  page_join (page);
  RUN_UNTIL (page->offers == 1);
  gint64 first_us = g_get_monotonic_time ();
  guint64 version = page->offer->version;
  hub_offer (clinic.hub, "a", FALSE, FALSE);
  hub_offer (clinic.hub, "a", FALSE, FALSE);
  page->silent = FALSE;
  RUN_UNTIL (page->offers == 2);
  g_assert_cmpint (g_get_monotonic_time () - first_us, >=, 2500000);
  g_assert_cmpuint (page->offer->version, ==, version + 1);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  g_autofree char *ufrag = g_strdup (page->offer->ufrag);
  hub_offer (clinic.hub, "a", TRUE, FALSE);
  RUN_UNTIL (page->offers == 3);
  g_assert_cmpstr (page->offer->ufrag, !=, ufrag);
  clinic_clear (&clinic);
}

static char *
page_answer (Page *page)
{
  page_make_peer (page);
  g_autoptr (Sdp) answer = answer_of (page);
  apply_offer (page, answer);
  return sdp_write (answer);
}

static Page *
page_reserve (Clinic *clinic, const char *id, gboolean known)
{
  HubPeerConfig config
      = { .loopback = TRUE, .local = TRUE, .trusts_host = TRUE, .reserved = TRUE, .known = known };
  Page *page = page_new (clinic, id, FALSE);
  page->silent = TRUE;
  hub_add_peer (clinic->hub, id, &config);
  RUN_UNTIL (page->offers == 1);
  return page;
}

/* Before it is let in, a page learns nothing of the clinic and reaches nothing; then it sees what
 * any other sees. */
static void
test_reserved (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_reserve (&clinic, "a", FALSE);
  g_assert_cmpuint (page->offer->candidates->len, ==, 0);
  g_assert_cmpuint (page->offer->media->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_null (((SdpMedia *)page->offer->media->pdata[i])->stream);
  g_autofree char *answer = page_answer (page);
  hub_answer (clinic.hub, "a", answer); /* not by this way */
  HubPeerStats stats;
  RUN_UNTIL (hub_stats (clinic.hub, "a", &stats));
  g_assert_null (g_hash_table_lookup (clinic.states, "a"));
  g_assert_cmpstr (clinic.wants->str, ==, "");

  page->silent = FALSE;
  peer_start (page->peer);
  hub_open_peer (clinic.hub, "a", "doctor", answer);
  hub_open_peer (clinic.hub, "a", "again", answer); /* it is open */
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED) && page->offers == 2);
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (page_frames (page, "s0") < 3 || page_frames (page, "s1") < 3) {
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    push (&clinic, "room", MEDIA_H264, page_frames (page, "s0") == 0);
    push (&clinic, "microphone", MEDIA_OPUS, TRUE);
    run_for (20);
  }
  hub_open_peer (clinic.hub, "nobody", "x", answer);
  page_reserve (&clinic, "b", FALSE);
  hub_open_peer (clinic.hub, "b", "x", "garbage");
  RUN_UNTIL (in_state (&clinic, "b", HUB_PEER_FAILED));
  page_reserve (&clinic, "c", FALSE); /* ends with the hub */
  clinic_clear (&clinic);
}

/* Who was in before knows the sources already: one offer is enough. */
static void
test_reserved_known (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *page = page_reserve (&clinic, "a", TRUE);
  g_assert_cmpuint (page->offer->candidates->len, ==, 0);
  g_assert_cmpuint (page->offer->media->len, ==, 5);
  g_autofree char *answer = page_answer (page);
  HubPeerStats stats;
  RUN_UNTIL (hub_stats (clinic.hub, "a", &stats));
  g_assert_cmpstr (clinic.wants->str, ==, ""); /* nobody looks yet */
  peer_start (page->peer);
  hub_open_peer (clinic.hub, "a", "doctor", answer);
  RUN_UNTIL (in_state (&clinic, "a", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  RUN_UNTIL (page_frames (page, "s0") == 1);
  g_assert_cmpuint (page->offers, ==, 1);
  clinic_clear (&clinic);
}

/* Ending in the middle of everything. */
static void
test_sudden_end (void)
{
  for (guint turns = 0; turns < 12; turns++) {
    Clinic clinic;
    clinic_init (&clinic);
    page_join (page_new (&clinic, "a", TRUE));
    page_join (page_new (&clinic, "b", TRUE));
    for (guint i = 0; i < turns * 3; i++) {
      push (&clinic, "room", MEDIA_H264, i % 4 == 0);
      run_a_little ();
    }
    clinic_clear (&clinic);
  }
}

/* ---- a peer that was let in and means harm: authentic, and as much as it likes ---- */

enum { FLOOD_BYTES = 1100, ROUNDS_MS = 2500, PER_ROUND = 8 };

typedef struct {
  const char *name;
  gsize (*make) (guint8 *packet, guint32 ssrc, GRand *rand); /* a plain RTCP datagram */
} Flood;

static gsize
put_head (guint8 *p, guint8 count, guint8 type, gsize size)
{
  p[0] = 0x80 | count;
  p[1] = type;
  rtp_put16 (p + 2, (guint16)(size / 4 - 1));
  rtp_put32 (p + 4, 0x0badc0de);
  return size;
}

static gsize
make_nacks (guint8 *packet, guint32 ssrc, GRand *rand)
{
  gsize size = 12;
  for (; size + 4 <= FLOOD_BYTES; size += 4) {
    rtp_put16 (packet + size, (guint16)g_rand_int (rand));
    rtp_put16 (packet + size + 2, 0xffff);
  }
  rtp_put32 (packet + 8, ssrc);
  return put_head (packet, 1, 205, size);
}

static gsize
make_plis (guint8 *packet, guint32 ssrc, GRand *rand)
{
  gsize size = 0;
  for (; size + 12 <= FLOOD_BYTES; size += put_head (packet + size, 1, 206, 12))
    rtp_put32 (packet + size + 8, ssrc);
  return size;
}

static gsize
make_firs (guint8 *packet, guint32 ssrc, GRand *rand)
{
  gsize size = 12;
  for (; size + 8 <= FLOOD_BYTES; size += 8) {
    rtp_put32 (packet + size, ssrc);
    rtp_put32 (packet + size + 4, (guint32)size << 24);
  }
  rtp_put32 (packet + 8, 0);
  return put_head (packet, 4, 206, size);
}

/* Small packets, each of which speaks of thousands: run lengths of "did not arrive". */
static gsize
make_twccs (guint8 *packet, guint32 ssrc, GRand *rand)
{
  gsize size = 0;
  for (; size + 24 <= FLOOD_BYTES; size += put_head (packet + size, 15, 205, 24)) {
    guint8 *fci = packet + size + 8;
    rtp_put32 (fci, ssrc);
    rtp_put16 (fci + 4, (guint16)g_rand_int (rand));
    rtp_put16 (fci + 6, 16000);
    rtp_put32 (fci + 8, g_rand_int (rand));
    rtp_put16 (fci + 12, 8000);
    rtp_put16 (fci + 14, 8000);
  }
  return size;
}

static gsize
make_reports (guint8 *packet, guint32 ssrc, GRand *rand)
{
  gsize size = 0;
  while (size + 32 <= FLOOD_BYTES) {
    for (guint i = 8; i < 32; i += 4)
      rtp_put32 (packet + size + i, g_rand_int (rand));
    rtp_put32 (packet + size + 8, ssrc);
    size += put_head (packet + size, 1, 201, 32);
  }
  return size;
}

static gsize
make_rubbish (guint8 *packet, guint32 ssrc, GRand *rand)
{
  for (gsize i = 0; i < FLOOD_BYTES; i++)
    packet[i] = (guint8)g_rand_int (rand);
  return put_head (packet, g_rand_int (rand) & 31, 200 + g_rand_int (rand) % 8,
                   (g_rand_int (rand) % (FLOOD_BYTES / 4)) * 4 + 8);
}

static const Flood floods[] = {
  { "NACK", make_nacks },           { "PLI", make_plis },       { "FIR", make_firs },
  { "transport-wide", make_twccs }, { "report", make_reports }, { "rubbish", make_rubbish },
};

static guint
flood (Page *page, const Flood *kind, GRand *rand)
{
  const SdpMedia *media = page->offer->media->pdata[0];
  guint32 ssrc = g_array_index (media->streams, SdpStream, 0).ssrc;
  guint8 datagram[FLOOD_BYTES + 100];
  for (guint i = 0; i < PER_ROUND; i++) {
    gsize size = kind->make (datagram, ssrc, rand);
    g_assert_true (srtp_session_protect_rtcp (page->peer->srtp, datagram, &size));
    peer_path_send (page->peer, &(UdpDatagram){ datagram, size }, 1);
  }
  return PER_ROUND;
}

/* µs of CPU of the hub's thread; -1: the kernel does not tell */
static gint64
hub_cpu_us (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *id;
  while (tasks != NULL && (id = g_dir_read_name (tasks)) != NULL) {
    g_autofree char *name_file = g_strdup_printf ("/proc/self/task/%s/comm", id);
    g_autofree char *time_file = g_strdup_printf ("/proc/self/task/%s/schedstat", id);
    g_autofree char *name = NULL, *time = NULL;
    if (g_file_get_contents (name_file, &name, NULL, NULL) && strcmp (name, "hub\n") == 0
        && g_file_get_contents (time_file, &time, NULL, NULL))
      return (gint64)(g_ascii_strtoull (time, NULL, 10) / 1000);
  }
  return -1;
}

typedef struct {
  guint sent, arrived, keys;
  gint64 cpu_us, gap_us; /* the longest time without a frame at the other peer */
} Harm;

typedef struct {
  GSocket *socket;
  GSocketAddress *to;
  char *user;
} Stranger;
static guint stranger_flood (Stranger *stranger, GRand *rand);

/* Nothing: nobody does. */
typedef struct {
  Page *page; /* who was let in floods so */
  const Flood *kind;
  Stranger *stranger;
} Attack;

/* A picture goes to all while somebody attacks. */
static void
live_through (Clinic *clinic, const Attack *attack, Page *good, Harm *ret)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  gint64 begun_us = g_get_monotonic_time (), end_us = begun_us + ROUNDS_MS * 1000;
  gint64 picture_us = 0, came_us = begun_us, cpu_us = hub_cpu_us ();
  guint before = page_frames (good, "s0"), seen = before, keys = clinic->keyframes_wanted,
        answered = keys;
  *ret = (Harm){ 0 };
  for (gint64 now = begun_us; now < end_us; now = g_get_monotonic_time ()) {
    if (now - picture_us >= 33000) {
      push (clinic, "room", MEDIA_H264, answered != clinic->keyframes_wanted);
      answered = clinic->keyframes_wanted;
      picture_us = now;
    }
    if (attack->kind != NULL)
      ret->sent += flood (attack->page, attack->kind, rand);
    if (attack->stranger != NULL)
      ret->sent += stranger_flood (attack->stranger, rand);
    run_for (2);
    if (page_frames (good, "s0") != seen) {
      seen = page_frames (good, "s0");
      came_us = g_get_monotonic_time ();
    }
    ret->gap_us = MAX (ret->gap_us, g_get_monotonic_time () - came_us);
  }
  ret->arrived = seen - before;
  ret->keys = clinic->keyframes_wanted - keys;
  ret->cpu_us = hub_cpu_us () - cpu_us;
}

/* A millisecond and a second are generous, for a machine with much else to do. */
static void
assert_harmless (const Harm *harm, double us_each)
{
  g_assert_cmpuint (harm->sent, >, 50);
  g_assert_cmpfloat (us_each, <, 1000);
  g_assert_cmpint (harm->gap_us, <, G_USEC_PER_SEC);
  g_assert_cmpuint (harm->arrived, >, 10);
  g_assert_cmpuint (harm->keys, <=, 4 + ROUNDS_MS / 1500 + 2);
}

static void
test_hostile (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *bad = page_new (&clinic, "bad", FALSE), *good = page_new (&clinic, "good", FALSE);
  page_join (bad);
  page_join (good);
  RUN_UNTIL (in_state (&clinic, "bad", HUB_PEER_CONNECTED)
             && in_state (&clinic, "good", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  Harm quiet;
  live_through (&clinic, &(Attack){ 0 }, good, &quiet);
  for (guint i = 0; i < G_N_ELEMENTS (floods); i++) {
    Harm harm;
    HubPeerStats stats;
    live_through (&clinic, &(Attack){ bad, &floods[i], NULL }, good, &harm);
    double us = (double)(harm.cpu_us - quiet.cpu_us) / harm.sent;
    g_assert_true (hub_stats (clinic.hub, "bad", &stats));
    g_test_message (
        "%s: %u datagrams, %.0f us of the hub for each, %u key frames wanted, %u kbit/s "
        "back; the other peer got %u frames, gap %" G_GINT64_FORMAT " ms",
        floods[i].name, harm.sent, us, harm.keys, stats.sent_bps / 1000, harm.arrived,
        harm.gap_us / 1000);
    assert_harmless (&harm, us);
    g_assert_cmpuint (stats.sent_bps, <, 5000000);
  }
  clinic_clear (&clinic);
}

/* ---- a stranger who found a port of the station, and knows a session's ufrag ---- */

static gsize
stranger_stun (guint8 *packet, const char *user, GRand *rand)
{
  gsize user_size = strlen (user), padded = (user_size + 3) & ~(gsize)3;
  gsize size = 20 + 4 + padded + 4 + 24;
  memset (packet, 0, size);
  rtp_put16 (packet, g_rand_boolean (rand) ? 0x0001 : 0x0101);
  rtp_put16 (packet + 2, (guint16)(size - 20));
  rtp_put32 (packet + 4, 0x2112a442);
  for (guint i = 8; i < 20; i++)
    packet[i] = (guint8)g_rand_int (rand);
  rtp_put16 (packet + 20, 0x0006); /* USERNAME */
  rtp_put16 (packet + 22, (guint16)user_size);
  memcpy (packet + 24, user, user_size);
  guint8 *rest = packet + 24 + padded;
  rtp_put16 (rest, 0x0025);     /* USE-CANDIDATE, empty */
  rtp_put16 (rest + 4, 0x0008); /* MESSAGE-INTEGRITY, of no key */
  rtp_put16 (rest + 6, 20);
  for (gsize i = 8; i < 28; i++)
    rest[i] = (guint8)g_rand_int (rand);
  return size;
}

static gsize
stranger_rubbish (guint8 *packet, GRand *rand)
{
  static const guint8 firsts[] = { 0, 1, 22, 23, 0x80, 0x90, 0x40, 255 };
  gsize size = 1 + g_rand_int (rand) % 1200;
  for (gsize i = 0; i < size; i++)
    packet[i] = (guint8)g_rand_int (rand);
  packet[0] = firsts[g_rand_int (rand) % G_N_ELEMENTS (firsts)];
  return size;
}

static void
stranger_init (Stranger *stranger, Page *page)
{
  Candidate candidate = { 0 };
  PeerLocal local;
  peer_local (page->peer, &local);
  for (guint i = 0; i < page->offer->candidates->len; i++) {
    const SdpCandidate *line = page->offer->candidates->pdata[i];
    if (candidate_parse (line->line, &candidate) && strcmp (candidate.address, "127.0.0.1") == 0)
      break;
  }
  g_assert_cmpstr (candidate.address, ==, "127.0.0.1");
  g_autoptr (GSocketAddress) own = g_inet_socket_address_new_from_string ("127.0.0.2", 0);
  stranger->to = g_inet_socket_address_new_from_string ("127.0.0.1", candidate.port);
  stranger->socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_socket_set_blocking (stranger->socket, FALSE);
  g_assert_true (g_socket_bind (stranger->socket, own, FALSE, NULL));
  stranger->user = g_strdup_printf ("%s:%s", page->offer->ufrag, local.ufrag);
}

static guint
stranger_flood (Stranger *stranger, GRand *rand)
{
  guint8 packet[1400];
  for (guint i = 0; i < PER_ROUND; i++) {
    gsize size = i % 2 ? stranger_rubbish (packet, rand)
                       : stranger_stun (packet, i % 4 ? stranger->user : "no:body", rand);
    g_socket_send_to (stranger->socket, stranger->to, (const char *)packet, size, NULL, NULL);
  }
  return PER_ROUND;
}

static void
test_stranger (void)
{
  Clinic clinic;
  clinic_init (&clinic);
  Page *victim = page_new (&clinic, "victim", FALSE), *good = page_new (&clinic, "good", FALSE);
  page_join (victim);
  page_join (good);
  RUN_UNTIL (in_state (&clinic, "victim", HUB_PEER_CONNECTED)
             && in_state (&clinic, "good", HUB_PEER_CONNECTED));
  push (&clinic, "room", MEDIA_H264, TRUE);
  Stranger stranger;
  stranger_init (&stranger, victim);
  Harm quiet, harm;
  live_through (&clinic, &(Attack){ 0 }, good, &quiet);
  live_through (&clinic, &(Attack){ .stranger = &stranger }, good, &harm);
  double us = (double)(harm.cpu_us - quiet.cpu_us) / harm.sent;
  g_test_message ("%u datagrams of a stranger, %.0f us of the hub for each; gap %" G_GINT64_FORMAT
                  " ms",
                  harm.sent, us, harm.gap_us / 1000);
  assert_harmless (&harm, us);
  /* Whom he aimed at sees pictures, too; the stranger got nothing but STUN's own words. */
  guint before = page_frames (victim, "s0");
  RUN_UNTIL ((push (&clinic, "room", MEDIA_H264, TRUE), page_frames (victim, "s0") > before + 5));
  char buffer[1500];
  gssize size;
  while ((size = g_socket_receive (stranger.socket, buffer, sizeof buffer, NULL, NULL)) > 0)
    g_assert_cmpint (buffer[0] & 0xc0, ==, 0);
  g_object_unref (stranger.socket);
  g_object_unref (stranger.to);
  g_free (stranger.user);
  clinic_clear (&clinic);
}

static void
test_bad_config (void)
{
  static const HubEvents events = { 0 };
  HubConfig ports = { .port_min = 5000, .port_max = 4000 };
  g_autoptr (GPtrArray) relays = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
  for (guint i = 0; i <= RELAY_MAX; i++)
    g_ptr_array_add (relays, relay_new ("turn:127.0.0.1:1", NULL));
  HubConfig many = { .relays = relays };
  g_autoptr (GError) error = NULL;
  g_assert_null (hub_new (&ports, NULL, &events, NULL, &error));
  g_assert_nonnull (strstr (error->message, "ports 5000 to 4000"));
  g_clear_error (&error);
  g_assert_null (hub_new (&many, NULL, &events, NULL, &error));
  g_assert_nonnull (strstr (error->message, "9 relays: 8 at most"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR); /* refusals are logged as warnings */
  g_test_add_func ("/hub/view", test_view);
  g_test_add_func ("/hub/hostile", test_hostile);
  g_test_add_func ("/hub/stranger", test_stranger);
  g_test_add_func ("/hub/late-viewer-gets-the-group", test_late_viewer_gets_the_group);
  g_test_add_func ("/hub/long-group-asks-for-key", test_long_group_asks_for_key);
  g_test_add_func ("/hub/vp8-only", test_vp8_only);
  g_test_add_func ("/hub/keyframes-are-merged", test_keyframes_are_merged);
  g_test_add_func ("/hub/keyframe-storm", test_keyframe_storm);
  g_test_add_func ("/hub/forward", test_forward);
  g_test_add_func ("/hub/channels", test_channels);
  g_test_add_func ("/hub/mute", test_mute);
  g_test_add_func ("/hub/bitrate", test_bitrate);
  g_test_add_func ("/hub/rungs", test_rungs);
  g_test_add_func ("/hub/odd-rungs", test_odd_rungs);
  g_test_add_func ("/hub/machine", test_machine);
  g_test_add_func ("/hub/bad-answers", test_bad_answers);
  g_test_add_func ("/hub/offers-are-serial", test_offers_are_serial);
  g_test_add_func ("/hub/reserved", test_reserved);
  g_test_add_func ("/hub/reserved-known", test_reserved_known);
  g_test_add_func ("/hub/sudden-end", test_sudden_end);
  g_test_add_func ("/hub/bad-config", test_bad_config);
  return g_test_run ();
}
