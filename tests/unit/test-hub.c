/* A hub and its pages: who sees what, in which rung, and how they come together. */
#include "hub_place.h"

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
