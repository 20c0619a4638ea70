/* Sessions: outgoing RTCP. Reports about once a second; feedback as soon as it is due, alone
 * (RFC 5506) or behind an empty report. */
#include "media/rtp/rtp_session_private.h"

enum {
  REPORT_US = G_USEC_PER_SEC,
  NACKS_MAX = 512,  /* numbers asked for at once on a stream: more than it tracks */
  TWCC_ROUNDS = 32, /* datagrams of transport-wide feedback at once */
};

/* A compound packet in the making. */
typedef struct {
  RtpSession *session;
  RtcpWriter writer;
} Compound;

static guint32
own_ssrc (RtpSession *s)
{
  if (s->send_lines->len == 0)
    return s->config.ssrc;
  SendLine *line = g_ptr_array_index (s->send_lines, 0);
  return send_stream_ssrc (line->stream);
}

static void
compound_send (Compound *c)
{
  RtpSession *s = c->session;
  if (c->writer.size > 0 && s->events.send_rtcp)
    s->events.send_rtcp (s, c->writer.data, c->writer.size, s->arg);
  rtcp_writer_init (&c->writer);
}

/* Before feedback: RFC 3550 6.1 wants a report first unless reduced size was agreed on. */
static void
compound_prepare (Compound *c)
{
  RtpSession *s = c->session;
  if (c->writer.size > 0 || s->config.reduced_size)
    return;
  rtcp_write_rr (&c->writer, own_ssrc (s), NULL, 0);
  rtcp_write_sdes (&c->writer, own_ssrc (s), s->cname);
}

/* Sound that was not there when its turn came, whatever was sent again since. */
static void
count_heard (RecvLine *line)
{
  RecvStreamStats stats;
  recv_stream_stats (line->stream, &stats);
  guint64 lost = stats.frames_lost - line->told_lost, frames = stats.frames - line->told_frames;
  line->told_lost = stats.frames_lost;
  line->told_frames = stats.frames;
  redundancy_count (&line->session->heard, (double)lost, (double)(lost + frames),
                    line->session->now_us);
}

static guint
collect_blocks (RtpSession *s, RtcpBlock *blocks)
{
  guint n = 0;
  for (guint i = 0; i < s->recv_lines->len && n < RTCP_MAX_BLOCKS; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    if (!recv_stream_report (line->stream, s->now_us, &blocks[n]))
      continue;
    if (recv_stream_kind (line->stream) == MEDIA_AUDIO)
      count_heard (line);
    n++;
  }
  return n;
}

/* Interval with a spread of a quarter to either side. */
static gint64
next_interval (RtpSession *s)
{
  s->random = s->random * 1664525u + 1013904223u;
  return REPORT_US * 3 / 4 + (gint64)((guint64)s->random * (REPORT_US / 2) >> 32);
}

static void
write_reports (Compound *c)
{
  RtpSession *s = c->session;
  RtcpBlock blocks[RTCP_MAX_BLOCKS];
  guint n = collect_blocks (s, blocks);
  gboolean any = n > 0;
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    guint32 ssrc = send_stream_ssrc (line->stream);
    RtcpSenderInfo info;
    if (!send_stream_sender_info (line->stream, s->now_us, &info))
      continue;
    if (RTCP_MAX_SIZE - c->writer.size < 28 + 24u * n + 8 + RTCP_CNAME_MAX)
      compound_send (c);
    rtcp_write_sr (&c->writer, ssrc, &info, blocks, n);
    rtcp_write_sdes (&c->writer, ssrc, s->cname);
    n = 0;
  }
  if (n > 0) {
    rtcp_write_rr (&c->writer, own_ssrc (s), blocks, n);
    rtcp_write_sdes (&c->writer, own_ssrc (s), s->cname);
  }
  /* With nothing to report, again when something is sent or received. */
  s->report_us = any || c->writer.size > 0 ? s->now_us + next_interval (s) : G_MININT64;
}

static void
write_nacks (Compound *c, RecvLine *line)
{
  RtpSession *s = c->session;
  guint16 seqs[NACKS_MAX];
  gsize n = recv_stream_take_nacks (line->stream, s->now_us, seqs, NACKS_MAX);
  for (gsize done = 0; done < n;) {
    compound_prepare (c);
    gsize fitted = rtcp_write_nack (&c->writer, own_ssrc (s), recv_stream_ssrc (line->stream),
                                    seqs + done, n - done);
    if (fitted == 0)
      compound_send (c);
    done += fitted;
  }
}

static void
write_pli (Compound *c, RecvLine *line)
{
  RtpSession *s = c->session;
  if (!recv_stream_take_pli (line->stream, s->now_us))
    return;
  compound_prepare (c);
  if (rtcp_write_pli (&c->writer, own_ssrc (s), recv_stream_ssrc (line->stream)))
    return;
  compound_send (c);
  compound_prepare (c);
  rtcp_write_pli (&c->writer, own_ssrc (s), recv_stream_ssrc (line->stream));
}

static void
write_twcc (Compound *c)
{
  RtpSession *s = c->session;
  twcc_receiver_pace (s->twcc_receiver, estimator_bps (s->estimator));
  /* Stays due until all is told; each round either tells a part or makes room. */
  for (guint i = 0; i < TWCC_ROUNDS; i++) {
    if (twcc_receiver_next_us (s->twcc_receiver) > s->now_us)
      return;
    compound_prepare (c);
    if (!twcc_receiver_write (s->twcc_receiver, &c->writer, own_ssrc (s)))
      compound_send (c);
  }
}

void
rtp_session_send_due_rtcp (RtpSession *s)
{
  if (s->paused)
    return;
  Compound c = { .session = s };
  rtcp_writer_init (&c.writer);
  if (s->report_us <= s->now_us)
    write_reports (&c);
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    write_nacks (&c, line);
    write_pli (&c, line);
  }
  write_twcc (&c);
  compound_send (&c);
}

gint64
rtp_session_rtcp_next_us (RtpSession *s)
{
  if (s->paused)
    return G_MAXINT64;
  gint64 next = s->report_us == G_MININT64 ? G_MAXINT64 : s->report_us;
  return MIN (next, twcc_receiver_next_us (s->twcc_receiver));
}

void
rtp_session_bye (RtpSession *s, gint64 now_us)
{
  guint32 ssrcs[31];
  guint n = 0;
  s->now_us = now_us;
  for (guint i = 0; i < s->send_lines->len && n + 2 <= G_N_ELEMENTS (ssrcs); i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    ssrcs[n++] = send_stream_ssrc (line->stream);
    if (send_stream_rtx_ssrc (line->stream) != 0)
      ssrcs[n++] = send_stream_rtx_ssrc (line->stream);
  }
  if (n == 0 || s->paused)
    return;
  Compound c = { .session = s };
  rtcp_writer_init (&c.writer);
  rtcp_write_rr (&c.writer, own_ssrc (s), NULL, 0);
  rtcp_write_sdes (&c.writer, own_ssrc (s), s->cname);
  rtcp_write_bye (&c.writer, ssrcs, n);
  compound_send (&c);
}
