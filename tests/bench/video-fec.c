/* Does forward error correction show a picture with fewer and shorter freezes than NACK and RTX, at
 * the same rate, on mountain-4g? Our senders and receivers over its uplink in virtual time; a
 * parity packet over each group of packets, as ULPFEC and FlexFEC have it, is simulated: it brings
 * back one lost packet of its group when it arrives. Usage: bench-video-fec [MINUTES]
 */
#include "media/rtp/recv_stream.h"
#include "media/rtp/send_stream.h"
#include "virtual_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FPS = 30,
  VIDEO_BPS = 280000, /* of 384 kbit/s: the rest is sound and headroom */
  OVERHEAD = 44,
  PARITY_EXTRA = 14, /* FlexFEC's header */
  GROUP_MAX = 10,
  STEP_US = 1000,
};

typedef struct {
  const char *name;
  gboolean rtx;
  guint group; /* packets to a parity packet; 0: none */
} Scheme;

static const Scheme schemes[] = {
  { "RTX", TRUE, 0 },
  { "RTX, parity to 6", TRUE, 6 },
  { "RTX, parity to 3", TRUE, 3 },
  { "RTX, parity to 2", TRUE, 2 },
  { "RTX, parity to 1", TRUE, 1 },
  { "parity to 3", FALSE, 3 },
  { "parity to 1", FALSE, 1 },
};

typedef struct {
  gsize size;
  guint8 data[1500];
  gboolean arrived;
} Sent;

typedef struct {
  guint first, n; /* of `sent` */
} Group;

typedef struct {
  const Scheme *scheme;
  VirtualLink *up, *down;
  RtpPacketPool *pool;
  SendStream *send;
  RecvStream *recv;
  GArray *sent;   /* Sent */
  GArray *groups; /* Group */
  Group group;    /* being filled */
  gint64 now_us;
  guint64 wire_bytes;
  GArray *shown; /* gint64: capture, then release, of each frame */
} Run;

enum { FLOW_MEDIA, FLOW_PARITY, FLOW_RTX };

static const RtpExtIds ext = { .mid = 1, .twcc = 2 };

static void
put_on_wire (Run *r, guint flow, guint32 number, gsize size)
{
  guint8 bytes[1600] = { 0 };
  memcpy (bytes, &number, sizeof number);
  r->wire_bytes += size + OVERHEAD;
  virtual_link_send (r->up, flow, bytes, MAX (size, sizeof number), OVERHEAD, r->now_us);
}

static void
end_group (Run *r)
{
  gsize longest = 0;
  for (guint i = 0; i < r->group.n; i++)
    longest = MAX (longest, g_array_index (r->sent, Sent, r->group.first + i).size);
  g_array_append_val (r->groups, r->group);
  put_on_wire (r, FLOW_PARITY, r->groups->len - 1, longest + PARITY_EXTRA);
  r->group = (Group){ r->sent->len, 0 };
}

static void
on_emit (SendStream *stream, RtpPacket *packet, void *arg)
{
  Run *r = arg;
  Sent sent = { .size = packet->size };
  memcpy (sent.data, packet->data, packet->size);
  g_array_append_val (r->sent, sent);
  gboolean again = packet->class == RTP_CLASS_RETRANSMISSION;
  packet->stamped = TRUE;
  put_on_wire (r, again ? FLOW_RTX : FLOW_MEDIA, r->sent->len - 1, packet->size);
  rtp_packet_unref (packet);
  if (again || r->scheme->group == 0)
    return;
  if (r->group.n == 0)
    r->group.first = r->sent->len - 1;
  r->group.n = r->sent->len - r->group.first;
  if (r->group.n >= r->scheme->group)
    end_group (r);
}

static void
on_frame (RecvStream *stream, Frame *frame, void *arg)
{
  Run *r = arg;
  guint number;
  memcpy (&number, (const guint8 *)g_bytes_get_data (frame->data, NULL) + 12, sizeof number);
  gint64 times[] = { (gint64)number * G_USEC_PER_SEC / FPS, r->now_us };
  g_array_append_vals (r->shown, times, 2);
}

static void
receive (Run *r, guint number)
{
  Sent *sent = &g_array_index (r->sent, Sent, number);
  RtpView view;
  sent->arrived = TRUE;
  if (rtp_parse (sent->data, sent->size, &ext, &view))
    recv_stream_receive (r->recv, &view, r->now_us);
}

static void
receive_parity (Run *r, guint number)
{
  Group group = g_array_index (r->groups, Group, number);
  guint missing = 0, which = 0;
  for (guint i = group.first; i < group.first + group.n; i++)
    if (!g_array_index (r->sent, Sent, i).arrived) {
      missing++;
      which = i;
    }
  if (missing == 1)
    receive (r, which);
}

static void
send_picture (Run *r, guint i, GRand *rand)
{
  double share = r->scheme->group ? (double)r->scheme->group / (r->scheme->group + 1) : 1;
  double mean = VIDEO_BPS * share / 8 / FPS - OVERHEAD;
  gsize size = (gsize)(mean * g_rand_double_range (rand, 0.6, 1.4));
  gboolean key = i == 0;
  guint8 bytes[8000] = { key ? 0x10 : 0x11, 0, 0, 0x9d, 1, 0x2a, 64, 1, 64, 1 };
  memcpy (bytes + 12, &i, sizeof i);
  g_autoptr (GBytes) data = g_bytes_new (bytes, CLAMP (size, 64, sizeof bytes));
  g_autoptr (Frame) frame = frame_new (MEDIA_VP8, key, r->now_us, 0, data);
  send_stream_frame (r->send, frame, r->now_us);
}

static void
turn (Run *r)
{
  VirtualPacket packet;
  guint16 seqs[64];
  while (virtual_link_take (r->up, r->now_us, &packet)) {
    guint32 number;
    memcpy (&number, packet.data, sizeof number);
    if (packet.flow == FLOW_PARITY)
      receive_parity (r, number);
    else
      receive (r, number);
    g_free (packet.data);
  }
  recv_stream_poll (r->recv, r->now_us);
  gsize n = recv_stream_take_nacks (r->recv, r->now_us, seqs, G_N_ELEMENTS (seqs));
  if (n > 0 && r->scheme->rtx)
    virtual_link_send (r->down, 0, (const guint8 *)seqs, n * sizeof *seqs, OVERHEAD, r->now_us);
  while (virtual_link_take (r->down, r->now_us, &packet)) {
    send_stream_nack (r->send, (const guint16 *)packet.data, packet.size / sizeof *seqs, r->now_us);
    g_free (packet.data);
  }
}

static int
by_time (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return (x > y) - (x < y);
}

/* A player that shows each frame `buffer` after the least delay, or when it comes. */
static void
judge (Run *r, gint64 buffer_us, double minutes, guint *ret_freezes, double *ret_frozen_ms)
{
  gint64 least = G_MAXINT64, last = 0;
  const gint64 *t = (const gint64 *)r->shown->data;
  guint n = r->shown->len / 2, freezes = 0;
  double frozen = 0;
  for (guint i = 0; i < n; i++)
    least = MIN (least, t[2 * i + 1] - t[2 * i]);
  for (guint i = 0; i < n; i++) {
    gint64 at = MAX (t[2 * i + 1], t[2 * i] + least + buffer_us);
    at = MAX (at, last);
    if (i > 0 && at - last > G_USEC_PER_SEC / FPS + 150000) { /* webrtc-stats, freezeCount */
      freezes++;
      frozen += (double)(at - last) / 1000;
    }
    last = at;
  }
  *ret_freezes = freezes;
  *ret_frozen_ms = frozen / minutes;
}

static void
report (Run *r, double minutes)
{
  guint n = r->shown->len / 2, freezes[2];
  double frozen[2];
  g_autofree gint64 *delays = g_new (gint64, n);
  for (guint i = 0; i < n; i++)
    delays[i]
        = g_array_index (r->shown, gint64, 2 * i + 1) - g_array_index (r->shown, gint64, 2 * i);
  qsort (delays, n, sizeof *delays, by_time);
  judge (r, 0, minutes, &freezes[0], &frozen[0]);
  judge (r, 150000, minutes, &freezes[1], &frozen[1]);
  printf ("| %-16s | %3.0f | %3.0f | %4" G_GINT64_FORMAT " / %4" G_GINT64_FORMAT
          " / %4" G_GINT64_FORMAT " | %5.1f, %5.0f ms | %5.1f, %5.0f ms | %5.2f %% |\n",
          r->scheme->name, (double)r->wire_bytes * 8 / 1000 / (minutes * 60),
          VIDEO_BPS / 1000.0 * (r->scheme->group ? r->scheme->group / (r->scheme->group + 1.0) : 1),
          delays[n / 2] / 1000, delays[n * 99 / 100] / 1000, delays[n - 1] / 1000,
          freezes[0] / minutes, frozen[0], freezes[1] / minutes, frozen[1],
          100 * (1 - n / (minutes * 60 * FPS)));
}

static void
run (const Scheme *scheme, const VirtualLinkConfig *up, const VirtualLinkConfig *down,
     guint minutes)
{
  static const RecvStreamEvents events = { .frame = on_frame };
  Run r = { .scheme = scheme,
            .up = virtual_link_new (up, 1),
            .down = virtual_link_new (down, 2),
            .pool = rtp_packet_pool_new (64),
            .sent = g_array_new (FALSE, FALSE, sizeof (Sent)),
            .groups = g_array_new (FALSE, FALSE, sizeof (Group)),
            .shown = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  SendStreamConfig send = { .kind = MEDIA_VIDEO,
                            .ssrc = 1,
                            .rtx_ssrc = 2,
                            .payload_types = { { MEDIA_VP8, 96, 97 } },
                            .n_payload_types = 1,
                            .mid = "m",
                            .ext = ext };
  RecvStreamConfig recv = { .kind = MEDIA_VIDEO,
                            .payload_types = { { MEDIA_VP8, 96, 97 } },
                            .n_payload_types = 1,
                            .nack = scheme->rtx,
                            .frames = TRUE };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  r.send = send_stream_new (r.pool, &send, on_emit, &r);
  r.recv = recv_stream_new (r.pool, &recv, &events, &r);
  send_stream_set_rtt (r.send, 125000);
  recv_stream_set_rtt (r.recv, 125000);
  guint pictures = 0;
  /* from 1: a receiver takes 0 for "never" */
  for (r.now_us = 0; r.now_us < (gint64)minutes * 60 * G_USEC_PER_SEC; r.now_us += STEP_US) {
    while (pictures * (gint64)G_USEC_PER_SEC / FPS <= r.now_us)
      send_picture (&r, pictures++, rand);
    turn (&r);
  }
  report (&r, minutes);
  send_stream_free (r.send);
  recv_stream_free (r.recv);
  virtual_link_free (r.up);
  virtual_link_free (r.down);
  rtp_packet_pool_free (r.pool);
  g_array_unref (r.sent);
  g_array_unref (r.groups);
  g_array_unref (r.shown);
}

int
main (int argc, char **argv)
{
  guint minutes = argc > 1 ? (guint)CLAMP (atoi (argv[1]), 1, 60) : 10;
  VirtualLinkConfig up = { .bps = 384000, .queue_bytes = 24000, .delay_us = 60000, .loss = 0.02 };
  VirtualLinkConfig down = { .bps = 1000000, .delay_us = 60000, .loss = 0.02 };
  for (guint burst = 1; burst <= 3; burst += 2) {
    printf ("2 %% lost, in runs of %u\n| scheme | kbit/s sent | of it picture | delay, ms: median "
            "/ p99 / most "
            "| freezes a minute, frozen, no buffer | with 150 ms | never shown |\n",
            burst);
    up.burst = down.burst = burst;
    for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
      run (&schemes[i], &up, &down, minutes);
  }
  return 0;
}
