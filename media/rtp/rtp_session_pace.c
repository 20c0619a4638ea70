/* Sessions: packets leave. The pacer says which and when, probes are filled up, and the window
 * holds video back. */
#include "media/rtp/rtp_session_private.h"

enum { KNOCK_US = 90000 };

static void
send_packet (RtpSession *s, RtpPacket *packet)
{
  guint size = packet->size + s->config.overhead;
  if (rtp_packet_stamp (packet, twcc_sender_next (s->twcc_sender), s->now_us)) {
    twcc_sender_sent (s->twcc_sender, size, s->now_us);
    estimator_sent (s->estimator, size, s->now_us);
    s->told_us = s->now_us;
  } else {
    estimator_sent_untold (s->estimator, size, s->now_us);
  }
  rate_meter_add (&s->sent, size, s->now_us);
  if (s->events.send_rtp)
    s->events.send_rtp (s, packet, s->arg);
}

static SendLine *
line_that_can_pad (RtpSession *s)
{
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    if (send_stream_can_pad (line->stream))
      return line;
  }
  return NULL;
}

static void
begin_probe (RtpSession *s)
{
  EstimatorProbe probe;
  if (!estimator_wants_probe (s->estimator) || !pacer_has_begun (s->pacer)
      || pacer_probing (s->pacer) || !line_that_can_pad (s)
      || !estimator_probe (s->estimator, &probe, s->now_us))
    return;
  pacer_probe (s->pacer, probe.bps, probe.bytes, s->now_us);
}

/* Too much is on its way unanswered: more would only queue in the network. */
static gboolean
link_is_full (RtpSession *s)
{
  guint64 window = estimator_window (s->estimator, s->now_us);
  return s->config.ext.twcc != 0 && window != G_MAXUINT64
         && twcc_sender_outstanding (s->twcc_sender, s->now_us) > window;
}

static RtpPacket *
next_packet (RtpSession *s)
{
  pacer_set_held (s->pacer, link_is_full (s));
  RtpPacket *packet = pacer_pop (s->pacer, s->config.overhead, s->now_us);
  if (packet || !pacer_wants_padding (s->pacer, s->now_us))
    return packet;
  SendLine *line = line_that_can_pad (s);
  if (!line || !send_stream_pad (line->stream, s->now_us)) {
    pacer_end_probe (s->pacer);
    return NULL;
  }
  return pacer_pop (s->pacer, s->config.overhead, s->now_us);
}

void
rtp_session_pump (RtpSession *s)
{
  if (s->paused)
    return;
  begin_probe (s);
  gboolean any = FALSE, probing = pacer_probing (s->pacer);
  RtpPacket *packet;
  while ((packet = next_packet (s))) {
    send_packet (s, packet);
    rtp_packet_unref (packet);
    any = TRUE;
    if (probing && !pacer_probing (s->pacer)) {
      estimator_probe_end (s->estimator, s->now_us);
      probing = FALSE;
    }
  }
  if (probing && !pacer_probing (s->pacer))
    estimator_probe_end (s->estimator, s->now_us);
  if (any && s->events.flush)
    s->events.flush (s, s->arg);
}

void
rtp_session_knock (RtpSession *s)
{
  SendLine *line = s->silent && s->now_us - s->told_us > KNOCK_US ? line_that_can_pad (s) : NULL;
  if (line)
    send_stream_pad (line->stream, s->now_us);
}
