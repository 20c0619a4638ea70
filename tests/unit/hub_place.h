/* A hub of a clinic, and pages that are peers of the other role: they answer the hub's offers
 * through real SDP texts, over the loopback interface. */
#pragma once
#include "media/transport/hub.h"
#include "media/transport/peer_private.h"
#include <gio/gio.h>
#include <string.h>

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

static inline void
read_offer (Page *page, const char *sdp)
{
  g_autoptr (GError) error = NULL;
  sdp_free (page->offer);
  page->offer = sdp_parse (sdp, &error);
  g_assert_no_error (error);
  page->offers++;
}

static inline void
add_codecs (Page *page, const SdpMedia *offered, SdpMedia *mine)
{
  for (guint i = 0; i < offered->codecs->len; i++) {
    MediaCodec codec = g_array_index (offered->codecs, SdpCodec, i).codec;
    if (codec != MEDIA_H264 || !page->vp8_only)
      sdp_add_codec (mine, codec);
  }
}

static inline SdpDirection
mirrored (const Page *page, const SdpMedia *offered)
{
  if (offered->direction == SDP_RECVONLY)
    return page->sends ? SDP_SENDONLY : SDP_INACTIVE;
  return offered->direction == SDP_SENDONLY ? SDP_RECVONLY : SDP_INACTIVE;
}

static inline Sdp *
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
static inline void
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

static inline void
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

static inline void
on_candidate (Hub *hub, const char *peer, const char *mid, const char *line, void *arg)
{
  Page *page = g_hash_table_lookup (((Clinic *)arg)->pages, peer);
  g_assert_true (g_str_equal (mid, "s0") || g_str_equal (mid, "mic"));
  if (page != NULL && page->peer != NULL)
    peer_add_candidate (page->peer, line);
}

static inline void
on_state (Hub *hub, const char *peer, HubPeerState state, const char *reason, void *arg)
{
  Clinic *clinic = arg;
  const char *old = g_hash_table_lookup (clinic->states, peer);
  g_hash_table_insert (
      clinic->states, g_strdup (peer),
      g_strdup_printf ("%s%d:%s ", old != NULL ? old : "", state, reason != NULL ? reason : ""));
}

static inline void
on_channel (Hub *hub, const char *peer, const char *label, gboolean open, void *arg)
{
  g_string_append_printf (((Clinic *)arg)->channels, "%c%s/%s ", open ? '+' : '-', peer, label);
}

static inline void
on_message (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  g_string_append_printf (((Clinic *)arg)->messages, "%s/%s:%.*s ", peer, label, (int)size, bytes);
}

static inline void
on_track (Hub *hub, const char *peer, MediaKind kind, gboolean on, void *arg)
{
  g_string_append_printf (((Clinic *)arg)->tracks, "%c%s/%s ", on ? '+' : '-', peer,
                          kind == MEDIA_AUDIO ? "audio" : "video");
}

static inline void
on_want_live (Hub *hub, const char *source, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  g_autofree char *number = rung > 0 ? g_strdup_printf (":%u", rung) : g_strdup ("");
  g_string_append_printf (((Clinic *)arg)->wants, "%c%s/%s%s ", on ? '+' : '-', source,
                          media_codec_name (codec), number);
}

static inline void
on_want_keyframe (Hub *hub, const char *source, MediaCodec codec, guint rung, void *arg)
{
  ((Clinic *)arg)->keyframes_wanted++;
}

static inline void
on_want_bitrate (Hub *hub, const char *source, MediaCodec codec, guint rung, guint bps, void *arg)
{
  ((Clinic *)arg)->bitrates++;
  ((Clinic *)arg)->last_bitrate = bps;
}

static inline void
on_frame (Hub *hub, const char *peer, const char *label, MediaKind kind, Frame *frame, void *arg)
{
  Clinic *clinic = arg;
  __atomic_add_fetch (kind == MEDIA_AUDIO ? &clinic->own_audio : &clinic->own_video, 1,
                      __ATOMIC_SEQ_CST);
}

/* Pages */

static inline void
on_page_candidate (Peer *peer, const char *line, void *arg)
{
  Page *page = arg;
  hub_candidate (page->clinic->hub, page->id, "s0", line);
}

static inline void
on_page_frame (Peer *peer, const char *mid, Frame *frame, void *arg)
{
  Page *page = arg;
  g_ptr_array_add (page->frames, frame_ref (frame));
  g_ptr_array_add (page->mids, g_strdup (mid));
}

static inline void
on_page_keyframe (Peer *peer, const char *mid, void *arg)
{
  ((Page *)arg)->keyframes++;
}

static inline void
on_page_channel (Peer *peer, const char *label, gboolean open, void *arg)
{
  g_string_append_printf (((Page *)arg)->channels, "%c%s ", open ? '+' : '-', label);
}

static inline void
on_page_message (Peer *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  g_string_append_printf (((Page *)arg)->messages, "%s:%.*s ", label, (int)size, bytes);
}

static inline void
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

static inline void
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

static inline Page *
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

static inline void
page_join (Page *page)
{
  HubPeerConfig config
      = { .loopback = TRUE, .local = TRUE, .trusts_host = TRUE, .label = page->id };
  hub_add_peer (page->clinic->hub, page->id, &config);
}

/* Frames that came on a line. */
static inline guint
page_frames (const Page *page, const char *mid)
{
  guint n = 0;
  for (guint i = 0; i < page->mids->len; i++)
    n += strcmp (page->mids->pdata[i], mid) == 0;
  return n;
}

/* The clinic */

static inline void
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

static inline void
clinic_init (Clinic *clinic)
{
  clinic_init_with (clinic, &(HubConfig){ 0 });
}

static inline void
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

static inline gboolean
on_timeout (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* One turn of the loop, 20 ms at most. */
static inline void
run_a_little (void)
{
  gboolean over = FALSE;
  guint id = g_timeout_add (20, on_timeout, &over);
  g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (id);
}

static inline void
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

static inline gboolean
in_state (Clinic *clinic, const char *id, HubPeerState state)
{
  const char *states = g_hash_table_lookup (clinic->states, id);
  g_autofree char *wanted = g_strdup_printf ("%d:", state);
  return states != NULL && strstr (states, wanted) != NULL;
}

/* Frames with a shape that packetizers accept */

static inline Frame *
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

static inline void
push_rung (Clinic *clinic, const char *source, MediaCodec codec, guint rung, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  frame->rung = rung;
  hub_push_frame (clinic->hub, source, frame);
}

static inline void
push (Clinic *clinic, const char *source, MediaCodec codec, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  hub_push_frame (clinic->hub, source, frame);
}

static inline void
page_push (Page *page, const char *mid, MediaCodec codec, gboolean key)
{
  g_autoptr (Frame) frame = make_frame (codec, key);
  peer_send_frame (page->peer, mid, frame);
}
