#include "media/transport/sdp.h"
#include <string.h>

/* The answers in the fuzzer's corpus have the form in which Chromium and Firefox write them. Tests
 * run in the project's root. */
static char *
corpus (const char *name)
{
  g_autofree char *path = g_build_filename ("tests/fuzz/corpus/sdp", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static char *
replaced (const char *text, const char *old, const char *new)
{
  g_assert_nonnull (strstr (text, old));
  g_autoptr (GString) string = g_string_new (text);
  g_string_replace (string, old, new, 0);
  return g_strdup (string->str);
}

/* The line that begins so, replaced; whatever ends lines there. */
static char *
with_line (const char *text, const char *line, const char *lines)
{
  const char *at = strstr (text, line);
  g_assert_nonnull (at);
  const char *end = strchr (at, '\n') + 1;
  return g_strdup_printf ("%.*s%s%s", (int)(at - text), text, lines, end);
}

static Sdp *
station_offer (void)
{
  Sdp *sdp = sdp_new ();
  sdp->session_id = 4242;
  sdp->version = 1;
  sdp->cname = g_strdup ("abc");
  sdp->ufrag = g_strdup ("abcd");
  sdp->pwd = g_strdup ("abcdefghijklmnopqrstuv");
  sdp->fingerprint = g_strdup ("00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
                               "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF");
  sdp->setup = SDP_SETUP_ACTPASS;
  SdpMedia *room = sdp_add_media (sdp, SDP_VIDEO, "s0", SDP_SENDONLY);
  sdp_add_codec (room, MEDIA_H264);
  sdp_add_codec (room, MEDIA_VP8);
  sdp_set_msid (room, "source-room", "room");
  sdp_add_stream (room, 1000, 1001);
  sdp_add_fec (room, 1002);
  SdpMedia *sound = sdp_add_media (sdp, SDP_AUDIO, "s1", SDP_SENDONLY);
  sdp_add_codec (sound, MEDIA_OPUS);
  sdp_set_msid (sound, "source-microphone", "microphone");
  sdp_set_beside (sound, "source-room");
  sdp_add_stream (sound, 2000, 0);
  sdp_add_codec (sdp_add_media (sdp, SDP_AUDIO, "mic", SDP_RECVONLY), MEDIA_OPUS);
  sdp_add_codec (sdp_add_media (sdp, SDP_VIDEO, "cam", SDP_RECVONLY), MEDIA_VP8);
  sdp_add_media (sdp, SDP_APPLICATION, "data", SDP_SENDRECV);
  return sdp;
}

static Sdp *
parsed (const char *text)
{
  g_autoptr (GError) error = NULL;
  Sdp *sdp = sdp_parse (text, &error);
  g_assert_no_error (error);
  return sdp;
}

static void
test_offer_round_trip (void)
{
  g_autoptr (Sdp) offer = station_offer ();
  g_autofree char *text = sdp_write (offer);
  g_autoptr (Sdp) back = parsed (text);
  g_assert_cmpuint (back->session_id, ==, 4242);
  g_assert_cmpuint (back->version, ==, 1);
  g_assert_cmpstr (back->ufrag, ==, "abcd");
  g_assert_cmpstr (back->pwd, ==, offer->pwd);
  g_assert_cmpstr (back->fingerprint, ==, offer->fingerprint);
  g_assert_cmpint (back->setup, ==, SDP_SETUP_ACTPASS);
  g_assert_cmpuint (back->media->len, ==, 5);
  g_assert_cmpuint (back->bundle->len, ==, 5);
  const SdpMedia *room = back->media->pdata[0];
  g_assert_cmpstr (room->mid, ==, "s0");
  g_assert_cmpstr (room->stream, ==, "source-room");
  g_assert_cmpstr (room->track, ==, "room");
  g_assert_cmpint (room->direction, ==, SDP_SENDONLY);
  g_assert_true (room->rtcp_mux);
  g_assert_cmpuint (room->codecs->len, ==, 2);
  SdpCodec h264 = g_array_index (room->codecs, SdpCodec, 0);
  g_assert_cmpint (h264.codec, ==, MEDIA_H264);
  g_assert_cmpint (h264.pt, ==, SDP_PT_H264);
  g_assert_cmpint (h264.rtx_pt, ==, SDP_PT_H264_RTX);
  g_assert_cmpint (h264.profile, ==, 0x42e01f);
  g_assert_cmpint (h264.packetization_mode, ==, 1);
  g_assert_true (h264.nack && h264.nack_pli && h264.ccm_fir && h264.transport_cc && h264.remb);
  g_assert_cmpuint (room->streams->len, ==, 1);
  SdpStream stream = g_array_index (room->streams, SdpStream, 0);
  g_assert_cmpuint (stream.ssrc, ==, 1000);
  g_assert_cmpuint (stream.rtx_ssrc, ==, 1001);
  g_assert_cmpuint (stream.fec_ssrc, ==, 1002);
  g_assert_cmpint (room->fec_pt, ==, SDP_PT_FLEXFEC);
  g_assert_cmpint (room->ext_mid, ==, SDP_EXT_MID);
  g_assert_cmpint (room->ext_twcc, ==, SDP_EXT_TWCC);
  g_assert_cmpint (room->ext_abs_send_time, ==, SDP_EXT_ABS_SEND_TIME);
  g_assert_cmpint (room->ext_playout_delay, ==, SDP_EXT_PLAYOUT_DELAY);
  const SdpMedia *sound = back->media->pdata[1];
  g_assert_nonnull (strstr (text, "a=msid:source-room microphone\r\n"
                                  "a=msid:source-microphone microphone\r\n"));
  g_assert_cmpstr (sound->stream, ==, "source-microphone");
  g_assert_cmpint (sound->ext_playout_delay, ==, 0);
  g_assert_cmpint (sound->fec_pt, ==, 0);
  SdpCodec opus = g_array_index (sound->codecs, SdpCodec, 0);
  g_assert_cmpint (opus.pt, ==, SDP_PT_OPUS);
  g_assert_cmpint (opus.red_pt, ==, SDP_PT_OPUS_RED);
  const SdpMedia *data = back->media->pdata[4];
  g_assert_cmpint (data->type, ==, SDP_APPLICATION);
  g_assert_cmpint (data->sctp_port, ==, 5000);
  g_assert_cmpuint (data->max_message_size, ==, 256 * 1024);
}

static void
test_offer_text (void)
{
  g_autoptr (Sdp) offer = station_offer ();
  SdpMedia *gone = sdp_add_media (offer, SDP_VIDEO, "f0", SDP_INACTIVE);
  sdp_add_codec (gone, MEDIA_VP8);
  sdp_set_msid (gone, "peer-minh", "cam");
  sdp_add_stream (gone, 3000, 3001);
  g_autofree char *text = sdp_write (offer);
  g_assert_true (g_str_has_prefix (text, "v=0\r\no=- 4242 1 IN IP4 127.0.0.1\r\n"));
  g_assert_nonnull (strstr (text, "a=group:BUNDLE s0 s1 mic cam data f0\r\n"));
  g_assert_nonnull (strstr (text, "m=video 9 UDP/TLS/RTP/SAVPF 102 103 96 97 98\r\n"));
  g_assert_nonnull (strstr (text, "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
                                  "profile-level-id=42e01f\r\n"));
  g_assert_nonnull (strstr (text, "a=ssrc-group:FID 1000 1001\r\n"));
  g_assert_nonnull (strstr (text, "a=ssrc-group:FEC-FR 1000 1002\r\n"));
  g_assert_nonnull (strstr (text, "a=rtpmap:98 flexfec-03/90000\r\n"));
  g_assert_nonnull (strstr (text, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
  /* a line that is at rest names neither its old track nor SSRCs */
  g_assert_null (strstr (text, "peer-minh"));
  g_assert_null (strstr (text, "a=ssrc:3000"));
}

static SdpAgreement *
agreed (const char *text)
{
  g_autoptr (Sdp) offer = station_offer ();
  g_autoptr (Sdp) answer = parsed (text);
  g_autoptr (GError) error = NULL;
  SdpAgreement *agreement = sdp_agree (offer, answer, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (agreement->lines->len, ==, 5);
  return agreement;
}

static void
assert_stream (const SdpAgreedLine *line, guint32 ssrc, guint32 rtx)
{
  g_assert_cmpuint (line->streams->len, ==, 1);
  SdpStream stream = g_array_index (line->streams, SdpStream, 0);
  g_assert_cmpuint (stream.ssrc, ==, ssrc);
  g_assert_cmpuint (stream.rtx_ssrc, ==, rtx);
}

static void
test_chromium (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  g_autoptr (Sdp) answer = parsed (text);
  g_assert_cmpstr (answer->ufrag, ==, "4ZcD");
  g_assert_cmpstr (answer->pwd, ==, "2/1muCWoOi3uLifh0NuRHlIg");
  g_assert_true (g_str_has_prefix (answer->fingerprint, "7B:8B:F0:65"));
  g_assert_cmpint (answer->setup, ==, SDP_SETUP_ACTIVE);
  g_assert_cmpuint (answer->candidates->len, ==, 1);
  const SdpCandidate *candidate = answer->candidates->pdata[0];
  g_assert_true (g_str_has_prefix (candidate->line, "candidate:842163049 1 udp "));
  g_autoptr (SdpAgreement) agreement = agreed (text);
  const SdpAgreedLine *room = agreement->lines->pdata[0], *sound = agreement->lines->pdata[1],
                      *mic = agreement->lines->pdata[2], *cam = agreement->lines->pdata[3],
                      *data = agreement->lines->pdata[4];
  g_assert_cmpint (room->direction, ==, SDP_SENDONLY);
  g_assert_cmpint (room->codec.codec, ==, MEDIA_H264);
  g_assert_cmpint (room->codec.pt, ==, 102);
  g_assert_cmpint (room->codec.rtx_pt, ==, 103);
  g_assert_cmpint (room->ext_twcc, ==, SDP_EXT_TWCC);
  g_assert_cmpuint (room->receive->len, ==, 0);
  g_assert_cmpint (sound->codec.codec, ==, MEDIA_OPUS);
  g_assert_cmpint (sound->codec.rtx_pt, ==, 0);
  g_assert_cmpint (mic->direction, ==, SDP_RECVONLY);
  assert_stream (mic, 2903442121, 0);
  g_assert_cmpint (cam->direction, ==, SDP_RECVONLY);
  g_assert_cmpint (cam->codec.codec, ==, MEDIA_VP8);
  g_assert_cmpuint (cam->receive->len, ==, 1);
  g_assert_cmpint (g_array_index (cam->receive, SdpCodec, 0).rtx_pt, ==, 97);
  assert_stream (cam, 1374402461, 3087012399);
  g_assert_cmpint (data->sctp_port, ==, 5000);
  g_assert_cmpuint (data->max_message_size, ==, 262144);
}

/* RED where both want it, with the numbers of whoever receives; none where the answer is silent. */
static void
test_red (void)
{
  static const struct {
    const char *answer; /* in place of the answer's sound lines */
    guint8 red;
  } cases[] = {
    { "111\r\na=rtpmap:111 opus/48000/2\r\n", 0 },
    { "63 111\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\n",
      63 },
    { "109 64\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:64 RED/48000/2\r\na=fmtp:64 109/109\r\n",
      64 },
    { "111 63\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\n", 0 }, /* of what? */
    { "111 63\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 0/5\r\na=rtpmap:111 opus/48000/2\r\n", 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Sdp) offer = sdp_new ();
    sdp_add_codec (sdp_add_media (offer, SDP_AUDIO, "s1", SDP_SENDONLY), MEDIA_OPUS);
    SdpMedia *mic = sdp_add_media (offer, SDP_AUDIO, "mic", SDP_RECVONLY);
    sdp_add_codec (mic, MEDIA_OPUS);
    mic->prefer_red = TRUE;
    mic->ptime = 60;
    g_autofree char *offered = sdp_write (offer);
    g_assert_nonnull (strstr (offered, "SAVPF 111 63\r\n"));
    g_assert_nonnull (strstr (offered, "SAVPF 63 111\r\n"));
    g_assert_nonnull (strstr (offered, "a=mid:mic\r\na=ptime:60\r\n"));
    g_assert_nonnull (strstr (offered, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"));
    g_autofree char *text = g_strdup_printf (
        "v=0\r\na=group:BUNDLE s1 mic\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
        "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:active\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF %sa=mid:s1\r\na=recvonly\r\na=rtcp-mux\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF %sa=mid:mic\r\na=sendonly\r\na=rtcp-mux\r\n",
        cases[i].answer, cases[i].answer);
    g_autoptr (Sdp) answer = parsed (text);
    g_autoptr (GError) error = NULL;
    g_autoptr (SdpAgreement) agreement = sdp_agree (offer, answer, &error);
    g_assert_no_error (error);
    const SdpAgreedLine *send = agreement->lines->pdata[0], *receive = agreement->lines->pdata[1];
    g_assert_cmpuint (send->codec.red_pt, ==, cases[i].red);
    g_assert_cmpuint (receive->receive->len, ==, 1);
    g_assert_cmpuint (g_array_index (receive->receive, SdpCodec, 0).red_pt, ==,
                      cases[i].red ? SDP_PT_OPUS_RED : 0);
  }
}

/* FlexFEC where the answer takes it, with its number; never on a line that did not offer it. */
static void
test_flexfec (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  g_autoptr (SdpAgreement) without = agreed (text);
  g_assert_cmpuint (((SdpAgreedLine *)without->lines->pdata[0])->fec_pt, ==, 0);
  for (guint pt = 98; pt <= 110; pt += 12) {
    g_autofree char *format = g_strdup_printf (" 102 103 %u", pt);
    g_auto (GStrv) parts = g_strsplit (text, " 102 103", 2);
    g_assert_cmpuint (g_strv_length (parts), ==, 2);
    g_autofree char *listed = g_strjoinv (format, parts);
    g_autofree char *room_line = g_strdup_printf ("a=mid:s0\na=rtpmap:%u flexfec-03/90000\n", pt);
    g_autofree char *answered = with_line (listed, "a=mid:s0", room_line);
    g_autoptr (SdpAgreement) agreement = agreed (answered);
    g_assert_cmpuint (((SdpAgreedLine *)agreement->lines->pdata[0])->fec_pt, ==, pt);
    g_assert_cmpuint (((SdpAgreedLine *)agreement->lines->pdata[3])->fec_pt, ==, 0);
  }
}

/* No H.264; the SSRCs of lines on which it only receives are its RTCP's and not streams. */
static void
test_firefox (void)
{
  g_autofree char *text = corpus ("firefox-answer");
  g_autoptr (SdpAgreement) agreement = agreed (text);
  const SdpAgreedLine *room = agreement->lines->pdata[0], *sound = agreement->lines->pdata[1],
                      *mic = agreement->lines->pdata[2], *cam = agreement->lines->pdata[3],
                      *data = agreement->lines->pdata[4];
  g_assert_cmpint (room->codec.codec, ==, MEDIA_VP8);
  g_assert_cmpint (room->codec.rtx_pt, ==, 97);
  g_assert_cmpuint (room->streams->len, ==, 0);
  g_assert_cmpint (sound->ext_twcc, ==, 0);
  g_assert_false (sound->codec.transport_cc);
  assert_stream (mic, 3441226511, 0);
  assert_stream (cam, 2284139847, 1165503171);
  g_assert_cmpuint (data->max_message_size, ==, 1073741823);
}

/* A simulcast: offered the worst first, agreed on the best first. */
static void
test_simulcast (void)
{
  g_autoptr (Sdp) offer = station_offer ();
  SdpMedia *cam = offer->media->pdata[3];
  sdp_add_rid (cam, "l");
  sdp_add_rid (cam, "h");
  g_autofree char *offer_text = sdp_write (offer);
  g_assert_nonnull (
      strstr (offer_text, "a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv l;h\r\n"));
  g_assert_nonnull (
      strstr (offer_text, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
  g_autoptr (Sdp) again = parsed (offer_text);
  g_assert_cmpuint (((SdpMedia *)again->media->pdata[3])->n_rids, ==, 2);

  static const struct {
    const char *lines;
    guint n;
    const char *best;
  } cases[] = {
    { "a=rid:l send\na=rid:h send\na=simulcast:send l;h\n", 2, "h" },
    { "a=simulcast:send ~l\n", 1, "l" },
    { "a=simulcast:send h,x;l\n", 2, "h" },
    { "a=simulcast:send x;y;z;u\n", 0, "" }, /* not ours */
    { "a=rid:l send\n", 0, "" },
    { "", 0, "" },
  };
  g_autofree char *chromium = corpus ("chromium-answer");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *lines
        = g_strconcat ("a=mid:cam\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n"
                       "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n",
                       cases[i].lines, NULL);
    g_autofree char *text = with_line (chromium, "a=mid:cam", lines);
    g_autoptr (Sdp) answer = parsed (text);
    g_autoptr (GError) error = NULL;
    g_autoptr (SdpAgreement) agreement = sdp_agree (offer, answer, &error);
    g_assert_no_error (error);
    const SdpAgreedLine *line = agreement->lines->pdata[3];
    g_assert_cmpuint (line->n_rids, ==, cases[i].n);
    g_assert_cmpstr (line->rids[0].text, ==, cases[i].best);
  }
  static const char *const bad[] = { "a=simulcast:",
                                     "a=simulcast:both a",
                                     "a=simulcast:send",
                                     "a=simulcast:send ;",
                                     "a=simulcast:send abcdefghijklmnopq",
                                     "a=simulcast:send a b!;c d;" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *lines = g_strconcat ("a=mid:cam\n", bad[i], "\n", NULL);
    g_autofree char *text = with_line (chromium, "a=mid:cam", lines);
    g_autoptr (GError) error = NULL;
    g_autoptr (Sdp) answer = sdp_parse (text, &error);
    if (i == 5) { /* only the first list counts */
      g_assert_no_error (error);
      continue;
    }
    g_assert_null (answer);
    g_assert_nonnull (strstr (error->message, "a=simulcast: "));
  }
}

static void
test_rejected_and_inactive (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  g_autofree char *no_data = replaced (text, "m=application 9", "m=application 0");
  g_autofree char *quiet = replaced (no_data, "a=sendonly", "a=inactive");
  g_autoptr (SdpAgreement) agreement = agreed (quiet);
  const SdpAgreedLine *mic = agreement->lines->pdata[2], *data = agreement->lines->pdata[4];
  g_assert_false (mic->rejected);
  g_assert_cmpint (mic->direction, ==, SDP_INACTIVE);
  g_assert_cmpuint (mic->streams->len, ==, 0);
  g_assert_cmpuint (mic->receive->len, ==, 0);
  g_assert_true (data->rejected);
  g_assert_cmpint (data->direction, ==, SDP_INACTIVE);
}

/* RFC 3264 §6.1: the answer may renumber; we send with its numbers and receive with ours. */
static void
test_renumbered (void)
{
  g_autofree char *text = corpus ("firefox-answer");
  g_autofree char *m = replaced (text, "SAVPF 96 97", "SAVPF 120 124");
  g_autofree char *fmtp = replaced (m, "a=fmtp:97 apt=96", "a=fmtp:124 apt=120");
  g_autofree char *rtx = replaced (fmtp, "a=rtpmap:97 ", "a=rtpmap:124 ");
  g_autofree char *vp8 = replaced (rtx, "a=rtpmap:96 ", "a=rtpmap:120 ");
  g_autoptr (SdpAgreement) agreement = agreed (vp8);
  const SdpAgreedLine *room = agreement->lines->pdata[0], *cam = agreement->lines->pdata[3];
  g_assert_cmpint (room->codec.pt, ==, 120);
  g_assert_cmpint (room->codec.rtx_pt, ==, 124);
  g_assert_cmpint (g_array_index (cam->receive, SdpCodec, 0).pt, ==, SDP_PT_VP8);
}

/* Old and new in each row; the error that must come. A row without old puts new at the end. */
typedef struct {
  const char *old, *new, *error;
} Bad;

static const Bad BAD_SYNTAX[] = {
  { "v=0", "v=1", "line 1, this line: the first line must be v=0" },
  { "t=0 0", "t:0", "line 4, this line: does not begin with a letter and =" },
  { "o=- 4611731400430051336 2", "o=- x 2", "line 2, o=: session id and version are not numbers" },
  { "a=ice-ufrag:4ZcD", "a=ice-ufrag:4Zc", "line 12, a=ice-ufrag: not 4 to 256 ICE characters" },
  { "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlIg", "a=ice-pwd:short",
    "line 13, a=ice-pwd: not 22 to 256 ICE characters" },
  { "sha-256 7B:8B", "sha-256 7B:8",
    "line 15, a=fingerprint: not 32 hexadecimal bytes with colons between them" },
  { "a=setup:active", "a=setup:holdconn", "line 16, a=setup: must be actpass, active or passive" },
  { "a=mid:s1", "a=mid:s0", "line 49, a=mid: used twice" },
  { "a=mid:s0", "a=mid:a b", "line 17, a=mid: not a token of at most 64 characters" },
  { "SAVPF 102 103 96 97", "SAVPF 102 128", "line 8, m=: payload types are numbers" },
  { "SAVPF 102 103 96 97", "SAVPF 102 102", "line 8, m=: a payload type is listed twice" },
  { "m=video 9", "m=image 9", "line 8, m=: the media type must be" },
  { "m=video 9", "m=video 99999", "line 8, m=: the port is not a number" },
  { "9 UDP/TLS/RTP/SAVPF 102", "9 RTP/AVP 102", "line 8, m=: the protocol must be" },
  { "webrtc-datachannel", "5000", "line 108, m=: the format must be webrtc-datachannel" },
  { "a=rtpmap:102 H264/90000", "a=rtpmap:x H264/90000", "line 24, a=rtpmap: must be" },
  { "profile-level-id=42e01f", "profile-level-id=42e01",
    "line 30, a=fmtp: profile-level-id is not six hexadecimal digits" },
  { "packetization-mode=1", "packetization-mode=3",
    "line 30, a=fmtp: packetization-mode is not 0, 1 or 2" },
  { "apt=102", "apt=-1", "line 32, a=fmtp: apt is not a payload type" },
  { "a=extmap:3 ", "a=extmap:x ", "line 18, a=extmap: must be an id and a URI" },
  { "a=ssrc:2903442121 ", "a=ssrc:4294967296 ", "line 80, a=ssrc: does not begin with an SSRC" },
  { "FID 1374402461 3087012399", "FID 1374402461",
    "line 105, a=ssrc-group: FID and FEC-FR need two different SSRCs" },
  { "a=sctp-port:5000", "a=sctp-port:0", "line 117, a=sctp-port: not a port" },
  { "a=max-message-size:262144", "a=max-message-size:big", "a=max-message-size: not a number" },
  { "a=extmap-allow-mixed", "a=group:BUNDLE s0", "line 6, a=group: only one BUNDLE group" },
};

static void
test_bad_syntax (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  for (guint i = 0; i < G_N_ELEMENTS (BAD_SYNTAX); i++) {
    g_autofree char *bad = replaced (text, BAD_SYNTAX[i].old, BAD_SYNTAX[i].new);
    g_autoptr (GError) error = NULL;
    g_autoptr (Sdp) sdp = sdp_parse (bad, &error);
    g_assert_null (sdp);
    g_assert_error (error, SDP_ERROR, SDP_ERROR_SYNTAX);
    if (strstr (error->message, BAD_SYNTAX[i].error) == NULL)
      g_error ("\"%s\" is not \"%s\"", error->message, BAD_SYNTAX[i].error);
  }
}

static const Bad BAD_ANSWER[] = {
  { "m=audio 9", "m=video 9", "line 41, m-line s1: the media type is not the offer's" },
  { "a=mid:s1\r\n", "", "line 41, m-line without mid: a=mid is missing" },
  { "a=mid:s1\r\n", "a=mid:s7\r\n", "line 41, m-line s7: a=mid is not the offer's" },
  { "BUNDLE s0 s1 mic", "BUNDLE s0 mic", "line 41, m-line s1: accepted outside of a=group" },
  { "a=rtcp-mux\r\n", "", "line 8, m-line s0: a=rtcp-mux is missing" },
  { "a=sctp-port:5000\r\n", "", "m-line data: a=sctp-port is missing" },
  { "a=ice-ufrag:4ZcD\r\n", "", "the answer: a=ice-ufrag or a=ice-pwd is missing" },
  { "a=fingerprint:sha-256", "a=fingerprint:sha-512",
    "the answer: a=fingerprint:sha-256 is missing" },
  { "a=setup:active", "a=setup:actpass", "the answer: a=setup must be active or passive" },
  { "opus/48000/2", "PCMU/8000", "line 41, m-line s1: no codec of the offer is among" },
  { "VP8/90000", "AV1/90000", "m-line cam: no codec of the offer is among the answer's" },
  { "a=ssrc:2903442121 ", "a=ssrc:3087012399 ", "m-line cam: a=ssrc: the SSRC is used twice" },
};

static void
test_bad_answer (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  g_autoptr (Sdp) offer = station_offer ();
  for (guint i = 0; i < G_N_ELEMENTS (BAD_ANSWER); i++) {
    g_autofree char *bad = replaced (text, BAD_ANSWER[i].old, BAD_ANSWER[i].new);
    g_autoptr (Sdp) answer = parsed (bad);
    g_autoptr (GError) error = NULL;
    g_autoptr (SdpAgreement) agreement = sdp_agree (offer, answer, &error);
    g_assert_null (agreement);
    g_assert_error (error, SDP_ERROR, SDP_ERROR_MISMATCH);
    if (strstr (error->message, BAD_ANSWER[i].error) == NULL)
      g_error ("\"%s\" is not \"%s\"", error->message, BAD_ANSWER[i].error);
  }
}

static void
test_answer_of_other_length (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  *strstr (text, "m=application") = '\0';
  g_autoptr (Sdp) offer = station_offer ();
  g_autoptr (Sdp) answer = parsed (text);
  g_autoptr (GError) error = NULL;
  g_assert_null (sdp_agree (offer, answer, &error));
  g_assert_cmpstr (error->message, ==, "the answer has 4 m-lines, the offer has 5");
}

/* Other packetization modes and profiles are other codecs (RFC 6184 §8.2.2). */
static void
test_other_h264 (void)
{
  g_autofree char *text = corpus ("chromium-answer");
  g_autofree char *mode = replaced (text, "packetization-mode=1", "packetization-mode=0");
  g_autofree char *profile = replaced (text, "profile-level-id=42e01f", "profile-level-id=4d001f");
  const char *others[] = { mode, profile };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (SdpAgreement) agreement = agreed (others[i]);
    const SdpAgreedLine *room = agreement->lines->pdata[0];
    g_assert_cmpint (room->codec.codec, ==, MEDIA_VP8);
  }
}

static char *
repeated (const char *head, const char *line, guint times)
{
  GString *text = g_string_new (head);
  for (guint i = 0; i < times; i++)
    g_string_append (text, line);
  return g_string_free (text, FALSE);
}

#define SMALL "v=0\nm=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:x\n"

static void
test_limits (void)
{
  struct {
    char *text;
    const char *error;
  } rows[] = {
    { repeated (SMALL, "a=x\n", SDP_MAX_TEXT / 4), "longer than 131072 bytes" },
    { repeated ("v=0\na=", "xxxx", SDP_MAX_LINE / 4), "line 2, this line: longer than 4096" },
    { repeated ("v=0\n", "m=audio 9 UDP/TLS/RTP/SAVPF 0\n", SDP_MAX_MEDIA + 1),
      "line 66, m=: too many m-lines" },
    { repeated ("v=0\na=group:BUNDLE", " x", SDP_MAX_MEDIA + 1), "line 2, a=group: too many" },
    { repeated ("", "", 0), "line 0, the end: there is no m-line" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (sdp_parse (rows[i].text, &error));
    g_assert_true (g_str_has_prefix (error->message, rows[i].error));
    g_free (rows[i].text);
  }
}

static void
test_surplus_is_left_out (void)
{
  GString *text = g_string_new (SMALL);
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "a=ssrc:%u cname:x\na=candidate:%u\na=ssrc-group:FID %u %u\n", i,
                            i, i, i + 5000);
  g_autoptr (Sdp) sdp = parsed (text->str);
  const SdpMedia *media = sdp->media->pdata[0];
  g_assert_cmpuint (media->streams->len, <=, SDP_MAX_STREAMS);
  g_assert_cmpuint (sdp->candidates->len, ==, SDP_MAX_CANDIDATES);
  g_string_free (text, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/offer-round-trip", test_offer_round_trip);
  g_test_add_func ("/sdp/offer-text", test_offer_text);
  g_test_add_func ("/sdp/chromium", test_chromium);
  g_test_add_func ("/sdp/firefox", test_firefox);
  g_test_add_func ("/sdp/simulcast", test_simulcast);
  g_test_add_func ("/sdp/rejected-and-inactive", test_rejected_and_inactive);
  g_test_add_func ("/sdp/renumbered", test_renumbered);
  g_test_add_func ("/sdp/red", test_red);
  g_test_add_func ("/sdp/flexfec", test_flexfec);
  g_test_add_func ("/sdp/bad-syntax", test_bad_syntax);
  g_test_add_func ("/sdp/bad-answer", test_bad_answer);
  g_test_add_func ("/sdp/answer-of-other-length", test_answer_of_other_length);
  g_test_add_func ("/sdp/other-h264", test_other_h264);
  g_test_add_func ("/sdp/limits", test_limits);
  g_test_add_func ("/sdp/surplus-is-left-out", test_surplus_is_left_out);
  return g_test_run ();
}
