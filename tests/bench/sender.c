/* A hub with one camera that costs nothing: made-up H.264 of a fixed rate in place of an encoder,
 * so that the processor time of this process is the transport's. What bench-viewer looks at; and,
 * for the same packets, the bare cost of protecting and sending them.
 *
 *   bench-sender [--bitrate KBIT] [--rate HZ] [--waves LEADS]
 *   bench-sender --bare SECONDS          {"packets":n,"cpu_us":µs}: srtp_protect and sendto of 1200
 * B
 *
 * Lines of JSON. In:  {"do":"add","viewer":"a"}  {"viewer":"a","answer":"…"}
 *                     {"viewer":"a","candidate":"candidate:…"}  {"do":"stats"}
 *               Out: {"viewer":"a","offer":"…"}  {"viewer":"a","candidate":"…"}
 *                     {"cpu_us":µs of this process,"packets":sent to all,"at_us":monotonic}
 * Ends when stdin does. */
#include "json_lines.h"
#include "media/devices/wave_packer.h"
#include "media/transport/hub.h"
#include <arpa/inet.h>
#include <math.h>
#include <srtp2/srtp.h>
#include <string.h>
#include <time.h>

enum { KEY_EVERY_S = 10, KEY_TIMES = 4, MAX_FRAME = 256 * 1024 };

static struct {
  int bitrate, rate, bare, waves;
} options = { 1000, 30, 0, 0 };

typedef struct {
  Hub *hub;
  guint8 *bytes; /* of a frame, random */
  gboolean live[RUNG_MAX], key_wanted[RUNG_MAX];
  guint64 count;
  /* So many leads at 500 Hz, as station/wave_link.c sends them. */
  WaveStream *stream;
  WavePacker *ways[3], *row;
  guint64 wave_next;
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

/* ---- waves ---- */

enum { WAVE_RATE = 500, WAVE_TICK_MS = 40, ROW_TICKS = 50, SLOW_TICKS = 5 };

/* A beat with the noise of a real recording in steps of 0.5 µV (tests/bench/wave-bits.c: as many
 * bits). */
static gint32
heart (guint lead, guint64 index)
{
  double t = (double)(index % 400) / WAVE_RATE - 0.2;
  double r = exp (-t * t / 0.0003) * 2000 + exp (-(t - 0.25) * (t - 0.25) / 0.004) * 500;
  return (gint32)(r * (1 + lead % 4)) + g_random_int_range (-6, 7);
}

static void
send_messages (Sender *sender, WavePacker *packer)
{
  g_autoptr (GPtrArray) messages = wave_packer_take (packer);
  for (guint i = 0; i < messages->len; i++)
    hub_send (sender->hub, NULL, "wave", FALSE, messages->pdata[i]);
}

/* All viewers get the best way; the others are encoded for nobody, as in a station that has
 * somebody with a weak link before long. */
static gboolean
on_waves_due (gpointer arg)
{
  Sender *sender = arg;
  guint leads = sender->stream->lead_count;
  g_autoptr (WaveBlock) block
      = wave_block_new (sender->stream, 1, sender->wave_next, WAVE_RATE * WAVE_TICK_MS / 1000);
  for (guint lead = 0; lead < leads; lead++)
    for (guint i = 0; i < block->count; i++)
      block->samples[lead * block->count + i] = heart (lead, block->first + i);
  sender->wave_next += block->count;
  for (guint way = 0; way < G_N_ELEMENTS (sender->ways); way++)
    wave_packer_push (sender->ways[way], 1, 1, block, way == 2 ? 1 : (1u << leads) - 1);
  wave_packer_push (sender->row, 1, 1, block, (1u << leads) - 1);
  guint64 tick = sender->wave_next / block->count;
  send_messages (sender, sender->ways[0]);
  for (guint way = 1; way < G_N_ELEMENTS (sender->ways) && tick % SLOW_TICKS == 0; way++)
    g_ptr_array_unref (wave_packer_take (sender->ways[way]));
  if (tick % ROW_TICKS == 0)
    g_ptr_array_unref (wave_packer_take (sender->row));
  return G_SOURCE_CONTINUE;
}

static void
begin_waves (Sender *sender)
{
  sender->stream = wave_stream_new ("ecg", WAVE_RATE, 1, (guint)options.waves);
  for (guint way = 0; way < G_N_ELEMENTS (sender->ways); way++)
    sender->ways[way] = wave_packer_new (1150);
  sender->row = wave_packer_new (G_MAXSIZE);
  g_timeout_add (WAVE_TICK_MS, on_waves_due, sender);
}

static void
end_waves (Sender *sender)
{
  for (guint way = 0; way < G_N_ELEMENTS (sender->ways); way++)
    wave_packer_free (sender->ways[way]);
  wave_packer_free (sender->row);
  wave_stream_unref (sender->stream);
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
  if (options.waves > 0)
    begin_waves (&sender);
  json_lines_run (obey, &sender);
  hub_free (sender.hub);
  end_waves (&sender);
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
    { "waves", 0, 0, G_OPTION_ARG_INT, &options.waves, "beside the camera", "LEADS" },
    { "bare", 0, 0, G_OPTION_ARG_INT, &options.bare, "only protect and send", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("- a hub to be measured");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || options.rate < 1
      || options.bitrate < 1 || options.waves < 0 || options.waves >= WAVE_LEADS_MAX) {
    g_printerr ("bench-sender: %s\n", error != NULL ? error->message : "numbers from 1");
    return 2;
  }
  if (options.bare > 0)
    bare ();
  else
    run ();
  return 0;
}
