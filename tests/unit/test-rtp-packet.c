/* RTP headers, extensions, RTX, the packet pool, RTCP. */
#include "media/rtp/rtcp.h"
#include "media/rtp/rtp_packet.h"

#include <string.h>

static void
test_header_round_trip (void)
{
  static const RtpExtIds ids = { .mid = 1, .twcc = 5, .abs_send_time = 14 };
  static const char *mids[] = { NULL, "0", "abc", "0123456789abcdef", "0123456789abcdefg" };
  for (guint i = 0; i < G_N_ELEMENTS (mids); i++) {
    guint8 data[RTP_HEADER_ROOM + 5];
    RtpHeader header = { TRUE, 96, 65535, 0xfffffff0, 0xdeadbeef, mids[i] };
    RtpSlots slots;
    gsize size = rtp_write_header (data, &header, &ids, &slots);
    g_assert_cmpuint (size, <=, RTP_HEADER_ROOM);
    g_assert_cmpuint (size % 4, ==, 0);
    rtp_put16 (data + slots.twcc, 0xabcd);
    rtp_put24 (data + slots.abs_send_time, 0x123456);
    memcpy (data + size, "hello", 5);
    RtpView view;
    g_assert_true (rtp_parse (data, size + 5, &ids, &view));
    g_assert_true (view.marker);
    g_assert_cmpuint (view.payload_type, ==, 96);
    g_assert_cmpuint (view.seq, ==, 65535);
    g_assert_cmpuint (view.timestamp, ==, 0xfffffff0);
    g_assert_cmpuint (view.ssrc, ==, 0xdeadbeef);
    g_assert_true (view.has_twcc && view.twcc_seq == 0xabcd);
    g_assert_true (view.has_abs_send_time && view.abs_send_time == 0x123456);
    g_assert_cmpstr (view.mid, ==, mids[i] && strlen (mids[i]) <= RTP_MID_MAX ? mids[i] : "");
    g_assert_cmpmem (view.payload, view.payload_size, "hello", 5);
    g_assert_false (rtp_is_rtcp (data, size));
  }
}

/* Shown when it has come: 0 to 500 ms (webrtc.org/experiments/rtp-hdrext/playout-delay: 12 bits
 * each). */
static void
test_playout_delay (void)
{
  static const RtpExtIds ids = { .twcc = 5, .playout_delay = 6 };
  guint8 data[RTP_HEADER_ROOM];
  RtpHeader header = { .ssrc = 1 };
  RtpSlots slots;
  gsize size = rtp_write_header (data, &header, &ids, &slots);
  static const guint8 element[] = { 6 << 4 | 2, 0, 0, 50 };
  g_assert_cmpmem (data + RTP_HEADER_SIZE + 4, sizeof element, element, sizeof element);
  RtpView view;
  g_assert_true (rtp_parse (data, size, &ids, &view));
  g_assert_true (view.has_twcc);
}

static void
test_parse_refuses (void)
{
  static const RtpExtIds ids = { .mid = 1 };
  guint8 data[64] = { 0x80, 96 };
  RtpView view;
  g_assert_false (rtp_parse (data, 11, &ids, &view));
  g_assert_true (rtp_parse (data, 12, &ids, &view));
  data[0] = 0x40;
  g_assert_false (rtp_parse (data, 64, &ids, &view));
  data[0] = 0x8f; /* 15 CSRCs need 72 bytes */
  g_assert_false (rtp_parse (data, 64, &ids, &view));
  data[0] = 0xa0; /* padding of 0, and of more than there is */
  g_assert_false (rtp_parse (data, 64, &ids, &view));
  data[63] = 53;
  g_assert_false (rtp_parse (data, 64, &ids, &view));
  data[63] = 52;
  g_assert_true (rtp_parse (data, 64, &ids, &view));
  g_assert_cmpuint (view.payload_size, ==, 0);
  data[0] = 0x90; /* extension longer than the packet */
  data[15] = 13;
  g_assert_false (rtp_parse (data, 64, &ids, &view));
  /* An element that runs over the extension's end, and a mid with a control character. */
  rtp_put16 (data + 12, 0xbede);
  data[15] = 1;
  data[16] = 0x1f;
  g_assert_true (rtp_parse (data, 64, &ids, &view));
  g_assert_cmpstr (view.mid, ==, "");
  data[16] = 0x11;
  data[17] = 'a';
  data[18] = '\n';
  g_assert_true (rtp_parse (data, 64, &ids, &view));
  g_assert_cmpstr (view.mid, ==, "");
}

static void
test_extend (void)
{
  g_assert_cmpint (rtp_extend_seq (0x1ffff, 0), ==, 0x20000);
  g_assert_cmpint (rtp_extend_seq (0x20000, 0xffff), ==, 0x1ffff);
  g_assert_cmpint (rtp_extend_seq (0x20005, 5), ==, 0x20005);
  g_assert_cmpint (rtp_extend_timestamp (0x1ffffffffll, 3), ==, 0x200000003ll);
  g_assert_cmpint (rtp_extend_timestamp (0x200000003ll, 0xffffffff), ==, 0x1ffffffffll);
}

static void
test_rtx (void)
{
  guint8 payload[] = { 0x12, 0x34, 1, 2, 3 };
  RtpView rtx = { .payload_type = 97, .ssrc = 7, .seq = 1, .payload = payload, .payload_size = 5 };
  RtpView view;
  g_assert_true (rtp_unwrap_rtx (&rtx, 96, 6, &view));
  g_assert_cmpuint (view.seq, ==, 0x1234);
  g_assert_cmpuint (view.ssrc, ==, 6);
  g_assert_cmpuint (view.payload_type, ==, 96);
  g_assert_cmpmem (view.payload, view.payload_size, payload + 2, 3);
  rtx.payload_size = 2;
  g_assert_false (rtp_unwrap_rtx (&rtx, 96, 6, &view));
}

/* Sent twice, a packet is the same twice: SRTP's nonce is bound to its number. */
static void
test_stamp_once (void)
{
  g_autoptr (RtpPacketPool) pool = rtp_packet_pool_new (4);
  RtpPacket *packet = rtp_packet_new (pool);
  static const RtpExtIds ids = { .twcc = 5, .abs_send_time = 2 };
  RtpHeader header = { .ssrc = 1 };
  packet->size = (guint16)rtp_write_header (packet->data, &header, &ids, &packet->slots);
  g_assert_true (rtp_packet_stamp (packet, 0x1234, 1500000));
  guint8 before[RTP_HEADER_ROOM];
  memcpy (before, packet->data, packet->size);
  RtpView view;
  g_assert_true (rtp_parse (packet->data, packet->size, &ids, &view));
  g_assert_cmpuint (view.twcc_seq, ==, 0x1234);
  g_assert_cmpuint (view.abs_send_time, ==, 3 << 17);
  g_assert_false (rtp_packet_stamp (packet, 0x1235, 1600000));
  g_assert_cmpmem (before, packet->size, packet->data, packet->size);
  rtp_packet_unref (packet);
}

static void
test_reports (void)
{
  RtcpWriter writer;
  RtcpSenderInfo info = { 0x0123456789abcdef, 0xfffffff0, 10, 20 };
  RtcpBlock blocks[2]
      = { { 5, 128, -3, 0x10002, 44, 0xaabbccdd, 65536 }, { 6, 0, 0x7fffff, 9, 0, 0, 0 } };
  rtcp_writer_init (&writer);
  g_assert_true (rtcp_write_sr (&writer, 1, &info, blocks, 2));
  g_assert_true (rtcp_write_sdes (&writer, 1, "a@b.example"));
  g_assert_true (rtcp_write_bye (&writer, (guint32[]){ 1, 2 }, 2));
  g_assert_true (rtp_is_rtcp (writer.data, writer.size));
  RtcpReader reader;
  RtcpPacket packet;
  rtcp_reader_init (&reader, writer.data, writer.size);
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_cmpint (packet.type, ==, RTCP_SR);
  g_assert_cmpuint (packet.ssrc, ==, 1);
  g_assert_cmpuint (packet.report.sender.ntp, ==, info.ntp);
  g_assert_cmpuint (packet.report.sender.timestamp, ==, info.timestamp);
  g_assert_cmpuint (packet.report.sender.packets, ==, 10);
  g_assert_cmpuint (packet.report.sender.octets, ==, 20);
  g_assert_cmpuint (packet.report.n_blocks, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const RtcpBlock *block = &packet.report.blocks[i];
    g_assert_cmpuint (block->ssrc, ==, blocks[i].ssrc);
    g_assert_cmpuint (block->fraction_lost, ==, blocks[i].fraction_lost);
    g_assert_cmpint (block->lost, ==, blocks[i].lost);
    g_assert_cmpuint (block->highest_seq, ==, blocks[i].highest_seq);
    g_assert_cmpuint (block->jitter, ==, blocks[i].jitter);
    g_assert_cmpuint (block->lsr, ==, blocks[i].lsr);
    g_assert_cmpuint (block->dlsr, ==, blocks[i].dlsr);
  }
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_cmpint (packet.type, ==, RTCP_SDES);
  g_assert_cmpmem (packet.cname.text, packet.cname.size, "a@b.example", 11);
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_cmpint (packet.type, ==, RTCP_BYE);
  g_assert_cmpuint (packet.bye.n, ==, 2);
  g_assert_false (rtcp_reader_next (&reader, &packet));
  g_assert_cmpuint (reader.left, ==, 0);
}

static void
test_cname_lengths (void)
{
  char cname[300];
  for (gsize length = 0; length < 300; length++) {
    memset (cname, 'x', length);
    cname[length == 300 ? 299 : length] = 0;
    RtcpWriter writer;
    rtcp_writer_init (&writer);
    g_assert_true (rtcp_write_sdes (&writer, 9, cname));
    RtcpReader reader;
    RtcpPacket packet;
    rtcp_reader_init (&reader, writer.data, writer.size);
    g_assert_true (rtcp_reader_next (&reader, &packet));
    g_assert_cmpuint (packet.cname.size, ==, MIN (length, RTCP_CNAME_MAX));
    g_assert_cmpuint (reader.left, ==, 0);
  }
}

static void
test_nack (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  for (guint round = 0; round < 200; round++) {
    guint16 seqs[300], back[400];
    guint16 seq = (guint16)g_rand_int (rand);
    guint n = (guint)g_rand_int_range (rand, 1, 300);
    for (guint i = 0; i < n; i++)
      seqs[i] = seq = (guint16)(seq + g_rand_int_range (rand, 1, 30));
    RtcpWriter writer;
    gsize done = 0, got = 0;
    while (done < n) {
      rtcp_writer_init (&writer);
      gsize fitted = rtcp_write_nack (&writer, 1, 2, seqs + done, n - done);
      g_assert_cmpuint (fitted, >, 0);
      done += fitted;
      RtcpReader reader;
      RtcpPacket packet;
      rtcp_reader_init (&reader, writer.data, writer.size);
      g_assert_true (rtcp_reader_next (&reader, &packet));
      g_assert_cmpint (packet.type, ==, RTCP_NACK);
      g_assert_cmpuint (packet.media_ssrc, ==, 2);
      got += rtcp_nack_seqs (&packet, back + got, G_N_ELEMENTS (back) - got);
    }
    g_assert_cmpmem (seqs, n * sizeof *seqs, back, got * sizeof *back);
  }
}

static void
test_feedback (void)
{
  RtcpWriter writer;
  RtcpReader reader;
  RtcpPacket packet;
  rtcp_writer_init (&writer);
  g_assert_true (rtcp_write_pli (&writer, 1, 2));
  g_assert_true (rtcp_write_fir (&writer, 1, 3, 77));
  g_assert_true (rtcp_write_remb (&writer, 1, 2500000, (guint32[]){ 2, 3 }, 2));
  rtcp_reader_init (&reader, writer.data, writer.size);
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_true (packet.type == RTCP_PLI && packet.media_ssrc == 2);
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_true (packet.type == RTCP_FIR && packet.fir.n == 1);
  g_assert_true (packet.fir.ssrcs[0] == 3 && packet.fir.seqs[0] == 77);
  g_assert_true (rtcp_reader_next (&reader, &packet));
  g_assert_cmpint (packet.type, ==, RTCP_REMB);
  g_assert_cmpuint (packet.remb_bps, <=, 2500000);
  g_assert_cmpuint (packet.remb_bps, >, 2499900);
  /* Every prefix is refused or read as far as it is whole. */
  for (gsize size = 0; size < writer.size; size++) {
    rtcp_reader_init (&reader, writer.data, size);
    while (rtcp_reader_next (&reader, &packet))
      ;
    g_assert_cmpuint (reader.left, ==, size < 12 ? size : size < 32 ? size - 12 : size - 32);
  }
}

static void
test_writer_is_bounded (void)
{
  RtcpWriter writer;
  RtcpBlock blocks[32] = { 0 };
  rtcp_writer_init (&writer);
  g_assert_false (rtcp_write_rr (&writer, 1, blocks, 32));
  g_assert_cmpuint (writer.size, ==, 0);
  while (rtcp_write_rr (&writer, 1, blocks, 31))
    ;
  gsize size = writer.size;
  g_assert_cmpuint (size, >, 0);
  while (rtcp_write_pli (&writer, 1, 2))
    size += 12;
  g_assert_cmpuint (writer.size, ==, size);
  g_assert_cmpuint (size, <=, RTCP_MAX_SIZE);
  g_assert_cmpuint (rtcp_write_nack (&writer, 1, 2, (guint16[]){ 1 }, 1), ==, 0);
}

static void
test_round_trip_time (void)
{
  for (gint64 us = 0; us < 5000000; us += 12347)
    g_assert_cmpint (ABS (rtcp_us_from_ntp (rtcp_ntp_from_us (us)) - us), <=, 1);
  /* LSR wraps around every 18 hours. */
  for (gint64 sent = 65535900000; sent < 65536200000; sent += 10007) {
    RtcpBlock block = { .lsr = rtcp_ntp_middle (rtcp_ntp_from_us (sent)), .dlsr = 65536 / 2 };
    gint64 rtt = rtcp_block_rtt_us (&block, sent + 500000 + 123000);
    if (block.lsr != 0)
      g_assert_cmpint (ABS (rtt - 123000), <, 50);
  }
  RtcpBlock none = { .lsr = 0 };
  g_assert_cmpint (rtcp_block_rtt_us (&none, 1000000), ==, -1);
  RtcpBlock future = { .lsr = rtcp_ntp_middle (rtcp_ntp_from_us (9000000)) };
  g_assert_cmpint (rtcp_block_rtt_us (&future, 1000000), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtp/header", test_header_round_trip);
  g_test_add_func ("/rtp/playout-delay", test_playout_delay);
  g_test_add_func ("/rtp/refuses", test_parse_refuses);
  g_test_add_func ("/rtp/extend", test_extend);
  g_test_add_func ("/rtp/rtx", test_rtx);
  g_test_add_func ("/rtp/stamp-once", test_stamp_once);
  g_test_add_func ("/rtcp/reports", test_reports);
  g_test_add_func ("/rtcp/cname-lengths", test_cname_lengths);
  g_test_add_func ("/rtcp/nack", test_nack);
  g_test_add_func ("/rtcp/feedback", test_feedback);
  g_test_add_func ("/rtcp/writer-is-bounded", test_writer_is_bounded);
  g_test_add_func ("/rtcp/round-trip-time", test_round_trip_time);
  return g_test_run ();
}
