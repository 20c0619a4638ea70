/* Packets of SCTP that are sent again: what is acknowledged is not, what is not is, in time and
 * within bounds; hostile acknowledgements change nothing. */
#include "media/rtp/rtp.h"
#include "media/transport/sctp_repeat.h"
#include <string.h>

enum { MS = 1000, HEADER = 12 };

/* A packet with a DATA chunk (RFC 9260 3.3.1) of that size. */
static GBytes *
data_packet (guint32 tsn, gsize size)
{
  guint8 *packet = g_malloc0 (HEADER + 16 + size);
  packet[HEADER + 1] = 3;
  rtp_put16 (packet + HEADER + 2, (guint16)(16 + size));
  rtp_put32 (packet + HEADER + 4, tsn);
  return g_bytes_new_take (packet, HEADER + 16 + size);
}

static void
sent (SctpRepeat *repeat, guint32 tsn, gint64 now_us)
{
  g_autoptr (GBytes) packet = data_packet (tsn, 100);
  sctp_repeat_sent (repeat, packet, now_us);
}

/* A SACK (RFC 9260 3.3.4), with one gap block when gap_start is not 0. */
static void
sack (SctpRepeat *repeat, guint32 cumulative, guint gap_start, guint gap_end, gint64 now_us)
{
  guint8 packet[HEADER + 20] = { 0 };
  gsize size = gap_start != 0 ? 20 : 16;
  packet[HEADER] = 3;
  rtp_put16 (packet + HEADER + 2, (guint16)size);
  rtp_put32 (packet + HEADER + 4, cumulative);
  rtp_put16 (packet + HEADER + 12, gap_start != 0);
  rtp_put16 (packet + HEADER + 16, (guint16)gap_start);
  rtp_put16 (packet + HEADER + 18, (guint16)gap_end);
  sctp_repeat_received (repeat, packet, HEADER + size, now_us);
}

static guint32
tsn_of (GBytes *packet)
{
  return rtp_get32 ((const guint8 *)g_bytes_get_data (packet, NULL) + HEADER + 4);
}

/* Round trips of 100 ms are known; TSNs up to 10 are acknowledged. */
static SctpRepeat *
repeat_begun (void)
{
  SctpRepeat *repeat = sctp_repeat_new ();
  for (guint32 tsn = 1; tsn <= 10; tsn++) {
    sent (repeat, tsn, tsn * 1000 * MS);
    sack (repeat, tsn, 0, 0, tsn * 1000 * MS + 100 * MS);
  }
  g_assert_cmpint (ABS (sctp_repeat_rtt_us (repeat) - 100 * MS), <, MS);
  g_assert_false (sctp_repeat_waits (repeat));
  return repeat;
}

static gint64
next_repeat (SctpRepeat *repeat, gint64 from_us, gint64 until_us, GBytes **ret_packet)
{
  for (gint64 now_us = from_us; now_us < until_us; now_us += 10 * MS)
    if ((*ret_packet = sctp_repeat_due (repeat, now_us)) != NULL)
      return now_us;
  return -1;
}

static void
test_lost (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  gint64 begun_us = 20000 * MS, at_us = begun_us;
  sent (repeat, 11, begun_us);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GBytes) packet = NULL;
    gint64 next_us = next_repeat (repeat, at_us, begun_us + 6000 * MS, &packet);
    g_assert_cmpint (next_us, >, at_us);
    g_assert_cmpuint (tsn_of (packet), ==, 11);
    at_us = next_us;
    if (i == 0)
      g_assert_cmpint (at_us - begun_us, <, 250 * MS);
  }
  GBytes *packet = NULL;
  g_assert_cmpint (next_repeat (repeat, at_us, at_us + 20000 * MS, &packet), ==, -1);
  sack (repeat, 11, 0, 0, at_us);
  g_assert_false (sctp_repeat_waits (repeat));
}

static void
test_acknowledged (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  for (guint32 tsn = 11; tsn <= 14; tsn++)
    sent (repeat, tsn, 20000 * MS);
  sack (repeat, 11, 2, 3, 20100 * MS); /* 11, 13 and 14 came */
  g_autoptr (GBytes) packet = NULL;
  gint64 at_us = next_repeat (repeat, 20100 * MS, 21000 * MS, &packet);
  g_assert_cmpint (at_us, >, 0);
  g_assert_cmpuint (tsn_of (packet), ==, 12);
  sack (repeat, 14, 0, 0, at_us + 100 * MS);
  g_assert_false (sctp_repeat_waits (repeat));
}

/* After a blackout nothing waits for a time-out. */
static void
test_path_back (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  sent (repeat, 11, 20000 * MS);
  GBytes *packet = NULL;
  while (next_repeat (repeat, 20000 * MS, 80000 * MS, &packet) > 0)
    g_bytes_unref (packet);
  sctp_repeat_path_back (repeat, 80000 * MS);
  packet = sctp_repeat_due (repeat, 80000 * MS);
  g_assert_nonnull (packet);
  g_assert_cmpuint (tsn_of (packet), ==, 11);
  g_bytes_unref (packet);
  g_assert_null (sctp_repeat_due (repeat, 80000 * MS));
  sack (repeat, 11, 0, 0, 80300 * MS);
  g_assert_false (sctp_repeat_waits (repeat));
}

/* The numbers begin anew at 0 after the last. */
static void
test_wraps (void)
{
  g_autoptr (SctpRepeat) repeat = sctp_repeat_new ();
  for (guint i = 0; i < 4; i++)
    sent (repeat, 0xfffffffeu + i, 1000 * MS);
  sack (repeat, 0xffffffffu, 0, 0, 1100 * MS);
  g_assert_true (sctp_repeat_waits (repeat));
  sack (repeat, 1, 0, 0, 1100 * MS);
  g_assert_false (sctp_repeat_waits (repeat));
}

/* SCTP itself sends it again: the newer packet stands for it, its answer measures nothing. */
static void
test_library_repeats (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  sent (repeat, 11, 20000 * MS);
  sent (repeat, 11, 21000 * MS);
  gint64 rtt_us = sctp_repeat_rtt_us (repeat);
  sack (repeat, 11, 0, 0, 21001 * MS);
  g_assert_false (sctp_repeat_waits (repeat));
  g_assert_cmpint (sctp_repeat_rtt_us (repeat), ==, rtt_us);
}

/* Where nothing is answered a tenth is sent again, and after five seconds nothing. */
static void
test_bounds (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  gsize bytes = 0;
  for (guint32 tsn = 11; tsn < 500; tsn++) {
    g_autoptr (GBytes) packet = data_packet (tsn, 1000);
    sctp_repeat_sent (repeat, packet, 20000 * MS + (gint64)tsn * 20 * MS);
    GBytes *again;
    while ((again = sctp_repeat_due (repeat, 20000 * MS + (gint64)tsn * 20 * MS)) != NULL) {
      bytes += g_bytes_get_size (again);
      g_bytes_unref (again);
    }
  }
  g_test_message ("%" G_GSIZE_FORMAT " bytes again in ten seconds of 50 kB without an answer",
                  bytes);
  g_assert_cmpuint (bytes, >, 0);
  g_assert_cmpuint (bytes, <, 30000);
}

static void
test_hostile (void)
{
  g_autoptr (SctpRepeat) repeat = repeat_begun ();
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  sent (repeat, 11, 20000 * MS);
  for (guint i = 0; i < 20000; i++) {
    guint8 packet[64];
    gsize size = (gsize)g_rand_int_range (random, 0, sizeof packet);
    for (gsize j = 0; j < size; j++)
      packet[j] = (guint8)g_rand_int (random);
    if (size > HEADER + 4
        && i % 2 == 0) { /* a chunk that says it is a SACK, and lies of its size */
      packet[HEADER] = 3;
      rtp_put16 (packet + HEADER + 2, (guint16)g_rand_int_range (random, 0, 80));
      if (size > HEADER + 8)
        rtp_put32 (packet + HEADER + 4, 5); /* nothing new */
      if (size > HEADER + 20)
        memset (packet + HEADER + 16, 0, size - HEADER - 16);
    }
    g_autofree guint8 *exact = g_memdup2 (packet, size);
    sctp_repeat_received (repeat, exact, size, 20000 * MS);
    g_autoptr (GBytes) mine = g_bytes_new (packet, size);
    sctp_repeat_sent (repeat, mine, 20000 * MS);
  }
  g_assert_cmpint (sctp_repeat_rtt_us (repeat), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sctp-repeat/lost", test_lost);
  g_test_add_func ("/sctp-repeat/acknowledged", test_acknowledged);
  g_test_add_func ("/sctp-repeat/path-back", test_path_back);
  g_test_add_func ("/sctp-repeat/wraps", test_wraps);
  g_test_add_func ("/sctp-repeat/library-repeats", test_library_repeats);
  g_test_add_func ("/sctp-repeat/bounds", test_bounds);
  g_test_add_func ("/sctp-repeat/hostile", test_hostile);
  return g_test_run ();
}
