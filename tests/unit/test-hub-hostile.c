/* A hub that is attacked: by a peer that was let in, and by a stranger who found a port. */
#include "hub_place.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR); /* refusals are logged as warnings */
  g_test_add_func ("/hub-hostile/hostile", test_hostile);
  g_test_add_func ("/hub-hostile/stranger", test_stranger);
  return g_test_run ();
}
