/* Sessions: incoming RTCP. */
#include "media/rtp/rtp_session_private.h"

enum {
  FEEDBACKS_MAX = 4, /* transport-wide ones in a datagram: each may name 8192 packets */
  NACKED_MAX = 1024, /* numbers of one NACK */
};

typedef struct {
  double lost, packets; /* sums over the blocks of this datagram */
  guint feedbacks;
} Seen;

static void
set_rtt (RtpSession *s, gint64 rtt_us)
{
  if (rtt_us > 60 * (gint64)G_USEC_PER_SEC)
    return;
  s->rtt_us = s->rtt_us < 0 ? rtt_us : s->rtt_us + (rtt_us - s->rtt_us) / 4;
  estimator_rtt (s->estimator, s->rtt_us);
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    send_stream_set_rtt (line->stream, s->rtt_us);
  }
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    recv_stream_set_rtt (line->stream, s->rtt_us);
  }
}

static void
on_blocks (RtpSession *s, const RtcpPacket *packet, Seen *seen)
{
  gint64 rtt = -1;
  for (guint i = 0; i < packet->report.n_blocks; i++) {
    const RtcpBlock *block = &packet->report.blocks[i];
    SendLine *line = rtp_session_find_send (s, block->ssrc);
    if (!line)
      continue;
    guint32 packets = block->highest_seq - line->reported_seq;
    line->reported_seq = block->highest_seq;
    if (packets < 0x10000) { /* else the first block, or nonsense */
      seen->packets += packets;
      seen->lost += packets * block->fraction_lost / 256.0;
    }
    gint64 sample = rtcp_block_rtt_us (block, s->now_us);
    if (sample >= 0 && (rtt < 0 || sample < rtt))
      rtt = sample;
  }
  if (rtt >= 0)
    set_rtt (s, rtt);
}

static void
on_sender_report (RtpSession *s, const RtcpPacket *packet, Seen *seen)
{
  RecvLine *line = rtp_session_find_recv (s, packet->ssrc);
  if (line && line->ssrc == packet->ssrc)
    recv_stream_sender_report (line->stream, &packet->report.sender, s->now_us);
  on_blocks (s, packet, seen);
}

static void
on_nack (RtpSession *s, const RtcpPacket *packet)
{
  guint16 seqs[NACKED_MAX];
  SendLine *line = rtp_session_find_send (s, packet->media_ssrc);
  if (line && !s->paused)
    send_stream_nack (line->stream, seqs, rtcp_nack_seqs (packet, seqs, NACKED_MAX), s->now_us);
}

static void
on_key_request (RtpSession *s, guint32 ssrc)
{
  SendLine *line = rtp_session_find_send (s, ssrc);
  if (!line || send_stream_kind (line->stream) != MEDIA_VIDEO)
    return;
  s->plis++;
  if (s->events.keyframe_wanted)
    s->events.keyframe_wanted (s, line->stream, s->arg);
}

static void
on_fir (RtpSession *s, const RtcpPacket *packet)
{
  for (guint i = 0; i < packet->fir.n; i++)
    on_key_request (s, packet->fir.ssrcs[i]);
}

static void
on_twcc (RtpSession *s, const RtcpPacket *packet, Seen *seen)
{
  if (++seen->feedbacks > FEEDBACKS_MAX)
    return;
  gssize n = twcc_sender_feedback (s->twcc_sender, packet->feedback.fci, packet->feedback.size,
                                   s->results, TWCC_MAX_RESULTS);
  if (n < 0) {
    s->malformed++;
    return;
  }
  s->told_fates = TRUE;
  guint lost = 0;
  for (gssize i = 0; i < n; i++)
    lost += s->results[i].arrived_us < 0;
  redundancy_count (&s->redundancy, lost, (double)n, s->now_us);
  estimator_feedback (s->estimator, s->results, (gsize)n, s->now_us);
}

static void
on_bye (RtpSession *s, const RtcpPacket *packet)
{
  for (guint i = 0; i < packet->bye.n; i++) {
    RecvLine *line = rtp_session_find_recv (s, rtp_get32 (packet->bye.ssrcs + 4 * i));
    if (line && s->events.bye)
      s->events.bye (s, line->stream, s->arg);
  }
}

static void
on_packet (RtpSession *s, const RtcpPacket *packet, Seen *seen)
{
  switch (packet->type) {
  case RTCP_SR:
    on_sender_report (s, packet, seen);
    break;
  case RTCP_RR:
    on_blocks (s, packet, seen);
    break;
  case RTCP_NACK:
    on_nack (s, packet);
    break;
  case RTCP_PLI:
    on_key_request (s, packet->media_ssrc);
    break;
  case RTCP_FIR:
    on_fir (s, packet);
    break;
  case RTCP_TWCC:
    on_twcc (s, packet, seen);
    break;
  case RTCP_REMB:
    estimator_remb (s->estimator, packet->remb_bps, s->now_us);
    break;
  case RTCP_BYE:
    on_bye (s, packet);
    break;
  case RTCP_SDES:
  case RTCP_OTHER:
    break;
  }
}

void
rtp_session_receive_rtcp (RtpSession *s, const guint8 *data, gsize size, gint64 now_us)
{
  RtcpReader reader;
  RtcpPacket packet;
  Seen seen = { 0 };
  s->now_us = now_us;
  rtcp_reader_init (&reader, data, size);
  while (rtcp_reader_next (&reader, &packet))
    on_packet (s, &packet, &seen);
  s->malformed += reader.left > 0;
  if (seen.packets > 0) {
    s->loss = seen.lost / seen.packets;
    estimator_report (s->estimator, s->loss, now_us);
    if (!s->told_fates)
      redundancy_count (&s->redundancy, seen.lost, seen.packets, now_us);
  }
  rtp_session_set_redundancy (s);
  rtp_session_weigh_parity (s);
  rtp_session_apply_estimate (s);
  rtp_session_poll (s, now_us);
}
