/* What WHIP and WHEP servers say, and what is said of it: fragments, ICE servers, words; where a
 * token may go; the answer to an offer. */
#include "media/transport/sdp.h"
#include "station/whip/whip_client.h"
#include "station/whip/whip_fragment.h"

#include <gio/gio.h>
#include <string.h>

#define PWD "abcdefghijklmnopqrstuvwx"
#define FINGERPRINT                                                                                \
  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"  \
  "FF"

static WhipFragment *
parsed (const char *text)
{
  g_autoptr (GError) error = NULL;
  WhipFragment *fragment = whip_fragment_parse (text, &error);
  g_assert_no_error (error);
  return fragment;
}

static void
test_fragment (void)
{
  g_autoptr (WhipFragment) one
      = parsed ("a=ice-ufrag:abcd\r\na=ice-pwd:" PWD "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
                "a=mid:0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 3478 typ host\r\n"
                "a=end-of-candidates\r\n");
  g_assert_cmpstr (one->ufrag, ==, "abcd");
  g_assert_cmpstr (one->mid, ==, "0");
  g_assert_cmpuint (one->candidates->len, ==, 1);
  g_assert_true (one->end);
  g_autofree char *text = whip_fragment_write (one);
  g_autoptr (WhipFragment) two = parsed (text);
  g_assert_cmpstr (two->pwd, ==, PWD);
  g_assert_cmpstr (two->candidates->pdata[0], ==, one->candidates->pdata[0]);
  g_assert_true (two->end);
}

static void
test_fragment_refused (void)
{
  static const char *const wrong[] = {
    "a=ice-ufrag:ab\r\na=ice-pwd:" PWD "\r\n",   /* too short */
    "a=ice-ufrag:abcd\r\n",                      /* one alone */
    "a=ice-pwd:" PWD "\r\n",                     /* likewise */
    "a=ice-ufrag:a bcd\r\na=ice-pwd:" PWD "\r\n" /* no ice-char */
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (whip_fragment_parse (wrong[i], &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
  g_autoptr (GString) large = g_string_new (NULL);
  while (large->len <= WHIP_FRAGMENT_MAX)
    g_string_append (large, "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n");
  g_autoptr (GError) error = NULL;
  g_assert_null (whip_fragment_parse (large->str, &error));
  g_assert_nonnull (error);
  g_string_truncate (large, WHIP_FRAGMENT_MAX);
  g_autoptr (WhipFragment) many = parsed (large->str);
  g_assert_cmpuint (many->candidates->len, ==, WHIP_FRAGMENT_CANDIDATES);
}

static void
test_restarted (void)
{
  static const char answer[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
                               "a=ice-ufrag:olda\r\na=ice-pwd:oldoldoldoldoldoldoldold\r\n"
                               "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
                               "a=candidate:9 1 UDP 1 192.0.2.9 9 typ host\r\n"
                               "a=end-of-candidates\r\na=rtpmap:111 opus/48000/2\r\n";
  g_autoptr (WhipFragment) fragment = parsed ("a=ice-ufrag:newa\r\na=ice-pwd:" PWD "\r\n"
                                              "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n");
  g_autofree char *sdp = whip_fragment_apply (answer, fragment);
  g_assert_nonnull (strstr (sdp, "a=ice-ufrag:newa\r\na=ice-pwd:" PWD "\r\n"));
  g_assert_null (strstr (sdp, "olda"));
  g_assert_null (strstr (sdp, "192.0.2.9"));
  g_assert_nonnull (strstr (sdp, "192.0.2.1"));
  g_assert_nonnull (strstr (sdp, "a=rtpmap:111 opus/48000/2\r\n"));
  g_assert_null (strstr (sdp, "a=end-of-candidates"));
}

static void
test_links (void)
{
  g_autoptr (WhipServers) servers = whip_links_parse (
      "<stun:stun.example.vn:3478>; rel=\"ice-server\", "
      "<turn:turn.example.vn?transport=udp>; rel=\"ice-server\"; username=\"a,b;\\\"c\"; "
      "credential=secret; credential-type=\"password\","
      "<turns:turn.example.vn:443?transport=tcp>;rel=ice-server;username=\"u\";credential=\"p\", "
      "<https://example.vn/>; rel=\"other\", <turn:noname.example.vn>; rel=\"ice-server\"",
      NULL);
  g_assert_cmpstr (servers->stun, ==, "stun.example.vn:3478");
  g_assert_cmpuint (servers->relays->len, ==, 2);
  const Relay *relay = servers->relays->pdata[0];
  g_assert_cmpstr (relay->user, ==, "a,b;\"c");
  g_assert_cmpstr (relay->password, ==, "secret");
  relay = servers->relays->pdata[1];
  g_assert_cmpint (relay->transport, ==, RELAY_TLS);
  g_assert_cmpuint (relay->port, ==, 443);
}

static void
test_links_refused (void)
{
  static const char *const nothing[] = {
    "",
    "<",
    "<turn:a",
    "stun:a; rel=\"ice-server\"",
    "<stun:a>; rel=\"ice-server",
    "<stun:a>;rel=x",
    "<stun:>; rel=\"ice-server\"",
    "<stun:a/b>; rel=\"ice-server\"",
    ",,,,",
    "<http://a>;rel=ice-server",
  };
  for (guint i = 0; i < G_N_ELEMENTS (nothing); i++) {
    g_autoptr (WhipServers) servers = whip_links_parse (nothing[i], NULL);
    g_assert_null (servers->stun);
    g_assert_cmpuint (servers->relays->len, ==, 0);
  }
  g_autoptr (WhipServers) none = whip_links_parse (NULL, NULL);
  g_assert_null (none->stun);
}

static void
test_where (void)
{
  static const char *const hosts[] = { "b.example.vn", NULL };
  static const struct {
    const char *from, *to;
    gboolean may;
  } cases[] = {
    { "https://a.example.vn/whip", "https://a.example.vn/session/1", TRUE },
    { "https://a.example.vn/whip", "https://A.example.vn:8443/session/1", TRUE },
    { "https://a.example.vn/whip", "https://b.example.vn/session/1", TRUE },
    { "https://a.example.vn/whip", "https://c.example.vn/session/1", FALSE },
    { "https://a.example.vn/whip", "http://a.example.vn/session/1", FALSE },
    { "https://a.example.vn/whip", "https://u:p@a.example.vn/", FALSE },
    { "https://a.example.vn/whip", "file:///etc/passwd", FALSE },
    { "http://localhost/whip", "http://localhost:81/", TRUE },
    { "https://a.example.vn/whip", "nonsense", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (whip_may_go (cases[i].from, cases[i].to, hosts), ==, cases[i].may);
}

static void
assert_words (const WhipWords *words, const char *code)
{
  g_assert_cmpstr (words->code, ==, code);
  g_assert_cmpuint (strlen (words->text.vi), >, 10);
  g_assert_cmpuint (strlen (words->text.en), >, 10);
}

static void
test_words (void)
{
  assert_words (whip_words_status (401), "unauthorized");
  assert_words (whip_words_status (403), "forbidden");
  assert_words (whip_words_status (404), "not-found");
  assert_words (whip_words_status (415), "unsupported");
  assert_words (whip_words_status (503), "unavailable");
  assert_words (whip_words_status (599), "server-error");
  assert_words (whip_words_status (302), "refused");
  g_autoptr (GError) tls = g_error_new (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "x");
  assert_words (whip_words_error (tls), "untrusted");
  g_autoptr (GError) name = g_error_new (G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND, "x");
  assert_words (whip_words_error (name), "no-name");
}

/* ---- The answer to an offer -------------------------------------------------------------------
 */

static const char OFFER[]
    = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
      "a=ice-ufrag:abcd\r\na=ice-pwd:" PWD "\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n"
      "a=setup:actpass\r\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF 96 0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
      "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:96 opus/48000/2\r\n"
      "a=ssrc:7 cname:x\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 97 98 99\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\n"
      "a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\n"
      "a=rtpmap:98 VP8/90000\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:2\r\na=sendonly\r\na=rtcp-mux\r\n"
      "a=rtpmap:98 VP8/90000\r\n";

static void
test_answer (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Sdp) offer = sdp_parse (OFFER, &error);
  g_assert_no_error (error);
  g_autoptr (SdpAgreement) agreement = NULL;
  g_autoptr (Sdp) answer = sdp_answer (offer, &agreement, &error);
  g_assert_no_error (error);
  g_assert_cmpint (answer->setup, ==, SDP_SETUP_PASSIVE);
  const SdpAgreedLine *sound = agreement->lines->pdata[0], *picture = agreement->lines->pdata[1],
                      *second = agreement->lines->pdata[2];
  g_assert_cmpint (sound->codec.pt, ==, 96);
  g_assert_cmpint (sound->ext_mid, ==, 4);
  g_assert_cmpint (picture->codec.codec, ==, MEDIA_VP8);
  g_assert_cmpint (picture->codec.rtx_pt, ==, 99);
  g_assert_true (second->rejected);
  g_autofree char *text = sdp_write (answer);
  g_autoptr (Sdp) back = sdp_parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (back->media->len, ==, 3);
  g_assert_cmpuint (back->bundle->len, ==, 2);
  g_assert_cmpint (((SdpMedia *)back->media->pdata[1])->direction, ==, SDP_RECVONLY);
  g_assert_true (((SdpMedia *)back->media->pdata[2])->rejected);
}

static void
test_answer_refused (void)
{
  static const char *const without[]
      = { "a=group:BUNDLE 0 1 2\r\n", "a=setup:actpass\r\n",
          "a=ice-ufrag:abcd\r\n",     "a=fingerprint:sha-256 " FINGERPRINT "\r\n",
          "a=sendonly\r\n",           "a=rtcp-mux\r\n" };
  for (guint i = 0; i < G_N_ELEMENTS (without); i++) {
    g_autoptr (GString) text = g_string_new (OFFER);
    gboolean direction = g_str_equal (without[i], "a=sendonly\r\n");
    g_string_replace (text, without[i], direction ? "a=recvonly\r\n" : "", 0);
    g_autoptr (Sdp) offer = sdp_parse (text->str, NULL);
    g_autoptr (SdpAgreement) agreement = NULL;
    g_autoptr (GError) error = NULL;
    g_assert_nonnull (offer);
    g_assert_null (sdp_answer (offer, &agreement, &error));
    g_assert_error (error, SDP_ERROR, SDP_ERROR_MISMATCH);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/whip/fragment", test_fragment);
  g_test_add_func ("/whip/fragment/refused", test_fragment_refused);
  g_test_add_func ("/whip/restarted", test_restarted);
  g_test_add_func ("/whip/links", test_links);
  g_test_add_func ("/whip/links/refused", test_links_refused);
  g_test_add_func ("/whip/where", test_where);
  g_test_add_func ("/whip/words", test_words);
  g_test_add_func ("/whip/answer", test_answer);
  g_test_add_func ("/whip/answer/refused", test_answer_refused);
  return g_test_run ();
}
