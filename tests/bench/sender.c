/* A hub with one camera that costs nothing: made-up H.264 of a fixed rate in place of an encoder,
 * so that the processor time of this process is the transport's. What bench-viewer looks at; and,
 * for the same packets, the bare cost of protecting and sending them.
 *
 *   bench-sender [--bitrate KBIT] [--rate HZ]
 *   bench-sender --bare SECONDS          {"packets":n,"cpu_us":µs}: srtp_protect and sendto of 1200
 * B
 *
 * Lines of JSON. In:  {"do":"add","viewer":"a"}  {"viewer":"a","answer":"…"}
 *                     {"viewer":"a","candidate":"candidate:…"}  {"do":"stats"}
 *               Out: {"viewer":"a","offer":"…"}  {"viewer":"a","candidate":"…"}
 *                     {"cpu_us":µs of this process,"packets":sent to all,"at_us":monotonic}
 * Ends when stdin does. */
#include "json_lines.h"
#include "media/transport/hub.h"
#include <arpa/inet.h>
#include <srtp2/srtp.h>
#include <string.h>
#include <time.h>

enum { KEY_EVERY_S = 10, KEY_TIMES = 4, MAX_FRAME = 256 * 1024 };

static struct {
  int bitrate, rate, bare;
} options = { 1000, 30, 0 };

typedef struct {
  Hub *hub;
  guint8 *bytes; /* of a frame, random */
  gboolean live[RUNG_MAX], key_wanted[RUNG_MAX];
  guint64 count;
} Sender;

static gint64
cpu_us (clockid_t clock)
{
  struct timespec time;
  clock_gettime (clock, &time);
  return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* ---- the camera ---- */

/* One slice; parameter sets before a key frame, as an encoder would write them for 640×360. */
static GBytes *
make_frame (Sender *sender, gboolean key, gsize size)
{
  static const guint8 sets[]
      = { 0,    0,    0,    1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9,
          0x61, 0x00, 0x00, 3, 0,    1,    0,    0,    3,    0,    0x3c, 0x0f, 0x16,
          0x2e, 0x48, 0,    0, 0,    1,    0x68, 0xcb, 0x83, 0xcb, 0x20 };
  guint8 *data = g_malloc (size + sizeof sets + 5);
  gsize n = 0;
  if (key) {
    memcpy (data, sets, sizeof sets);
    n = sizeof sets;
  }
  memcpy (data + n, (const guint8[]){ 0, 0, 0, 1, key ? 0x65 : 0x41 }, 5);
  memcpy (data + n + 5, sender->bytes + sender->count % 251, size);
  return g_bytes_new_take (data, n + 5 + size);
}

static gboolean
on_frame_due (gpointer data)
{
  Sender *sender = data;
  gboolean regular = sender->count % (guint)(options.rate * KEY_EVERY_S) == 0;
  gsize size = (gsize)options.bitrate * 125 / (gsize)options.rate;
  sender->count++;
  for (guint rung = 0; rung < RUNG_MAX; rung++) {
    if (!sender->live[rung])
      continue;
    gboolean key = regular || sender->key_wanted[rung];
    g_autoptr (GBytes) bytes
        = make_frame (sender, key, MIN (key ? size * KEY_TIMES : size, MAX_FRAME));
    g_autoptr (Frame) frame = frame_new (MEDIA_H264, key, g_get_monotonic_time (),
                                         G_USEC_PER_SEC / options.rate, bytes);
    frame->rung = rung;
    frame->width = 640;
    frame->height = 360;
    sender->key_wanted[rung] = FALSE;
    hub_push_frame (sender->hub, "room", frame);
  }
  return G_SOURCE_CONTINUE;
}

/* ---- the hub ---- */

static void
on_offer (Hub *hub, const char *peer, const char *sdp, void *arg)
{
  json_lines_say (json_pack ("{s:s, s:s}", "viewer", peer, "offer", sdp));
}

static void
on_candidate (Hub *hub, const char *peer, const char *mid, const char *line, void *arg)
{
  if (line != NULL)
    json_lines_say (json_pack ("{s:s, s:s}", "viewer", peer, "candidate", line));
}

static void
on_want_live (Hub *hub, const char *source, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  Sender *sender = arg;
  if (codec != MEDIA_H264)
    return;
  sender->live[rung] = on;
  sender->key_wanted[rung] = TRUE;
}

static void
on_want_keyframe (Hub *hub, const char *source, MediaCodec codec, guint rung, void *arg)
{
  if (codec == MEDIA_H264)
    ((Sender *)arg)->key_wanted[rung] = TRUE;
}

static guint64
packets_sent (Sender *sender, const json_t *viewers)
{
  guint64 sum = 0;
  gsize i;
  const json_t *viewer;
  json_array_foreach (viewers, i, viewer)
  {
    HubPeerStats stats;
    if (hub_stats (sender->hub, json_string_value (viewer), &stats))
      sum += stats.packets_sent;
  }
  return sum;
}

static void
obey (json_t *message, void *arg)
{
  Sender *sender = arg;
  const char *verb = json_string_value (json_object_get (message, "do"));
  const char *viewer = json_string_value (json_object_get (message, "viewer"));
  const char *answer = json_string_value (json_object_get (message, "answer"));
  const char *candidate = json_string_value (json_object_get (message, "candidate"));
  HubPeerConfig config = { .loopback = TRUE, .trusts_host = TRUE, .label = viewer };
  if (g_strcmp0 (verb, "stats") == 0)
    json_lines_say (json_pack (
        "{s:I, s:I, s:I}", "cpu_us", (json_int_t)cpu_us (CLOCK_PROCESS_CPUTIME_ID), "packets",
        (json_int_t)packets_sent (sender, json_object_get (message, "viewers")), "at_us",
        (json_int_t)g_get_monotonic_time ()));
  if (viewer == NULL)
    return;
  if (g_strcmp0 (verb, "add") == 0)
    hub_add_peer (sender->hub, viewer, &config);
  if (answer != NULL)
    hub_answer (sender->hub, viewer, answer);
  if (candidate != NULL)
    hub_candidate (sender->hub, viewer, "s0", candidate);
}

static void
run (void)
{
  static const HubEvents events = { .offer = on_offer,
                                    .candidate = on_candidate,
                                    .want_live = on_want_live,
                                    .want_keyframe = on_want_keyframe };
  g_autoptr (GError) error = NULL;
  Sender sender = { .bytes = g_malloc (MAX_FRAME + 256) };
  for (guint i = 0; i < MAX_FRAME + 256; i++)
    sender.bytes[i] = (guint8)g_random_int_range (1, 256); /* no start code in it */
  HubConfig config = { .encoders = 8000 };
  sender.hub = hub_new (&config, g_main_context_default (), &events, &sender, &error);
  if (sender.hub == NULL)
    g_error ("bench-sender: %s", error->message);
  hub_add_source (sender.hub, "room", MEDIA_VIDEO);
  g_timeout_add (1000 / (guint)options.rate, on_frame_due, &sender);
  json_lines_run (obey, &sender);
  hub_free (sender.hub);
  g_free (sender.bytes);
}

/* ---- the bare cost ---- */

/* One packet after the other to a socket that nobody reads, with the cipher that browsers get. */
static void
bare (void)
{
  static guint8 key[SRTP_AES_GCM_128_KEY_LEN_WSALT] = { 1, 2, 3 };
  srtp_policy_t policy = { .ssrc = { .type = ssrc_any_outbound }, .key = key };
  srtp_t session;
  srtp_init ();
  srtp_crypto_policy_set_aes_gcm_128_16_auth (&policy.rtp);
  srtp_crypto_policy_set_aes_gcm_128_16_auth (&policy.rtcp);
  if (srtp_create (&session, &policy) != srtp_err_status_ok)
    g_error ("bench-sender: no cipher");
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof to;
  int receiver = socket (AF_INET, SOCK_DGRAM, 0), fd = socket (AF_INET, SOCK_DGRAM, 0);
  if (bind (receiver, (struct sockaddr *)&to, sizeof to) != 0
      || getsockname (receiver, (struct sockaddr *)&to, &length) != 0)
    g_error ("bench-sender: no socket");
  gint64 end = g_get_monotonic_time () + options.bare * (gint64)G_USEC_PER_SEC;
  gint64 begun = cpu_us (CLOCK_THREAD_CPUTIME_ID);
  guint64 packets = 0;
  while (g_get_monotonic_time () < end) {
    guint8 packet[1300] = { 0x80, 96, (guint8)(packets >> 8), (guint8)packets, [11] = 7 };
    int size = 1200;
    if (srtp_protect (session, packet, &size) == srtp_err_status_ok)
      sendto (fd, packet, (size_t)size, 0, (struct sockaddr *)&to, sizeof to);
    packets++;
  }
  json_lines_say (json_pack ("{s:I, s:I}", "packets", (json_int_t)packets, "cpu_us",
                             (json_int_t)(cpu_us (CLOCK_THREAD_CPUTIME_ID) - begun)));
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "bitrate", 0, 0, G_OPTION_ARG_INT, &options.bitrate, "1000", "KBIT" },
    { "rate", 0, 0, G_OPTION_ARG_INT, &options.rate, "30", "HZ" },
    { "bare", 0, 0, G_OPTION_ARG_INT, &options.bare, "only protect and send", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("- a hub to be measured");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || options.rate < 1
      || options.bitrate < 1) {
    g_printerr ("bench-sender: %s\n", error != NULL ? error->message : "numbers from 1");
    return 2;
  }
  if (options.bare > 0)
    bare ();
  else
    run ();
  return 0;
}
