/* Transport-wide feedback: both sides against one another, with random loss, order and gaps. */
#include "media/rtp/twcc.h"

typedef struct {
  gint64 sent_us, arrived_us; /* arrived -1: never */
  guint size;
  guint times_lost, times_arrived;
  gint64 told_us;
} Fate;

/* Moves all feedback over; returns how many packets. */
static guint
transfer (TwccReceiver *receiver, TwccSender *sender, Fate *fates, gint64 first)
{
  RtcpWriter writer;
  guint n = 0;
  for (;;) {
    rtcp_writer_init (&writer);
    if (!twcc_receiver_write (receiver, &writer, 1))
      return n;
    n++;
    RtcpReader reader;
    RtcpPacket packet;
    rtcp_reader_init (&reader, writer.data, writer.size);
    g_assert_true (rtcp_reader_next (&reader, &packet));
    g_assert_cmpint (packet.type, ==, RTCP_TWCC);
    static TwccResult results[TWCC_MAX_RESULTS];
    gssize count = twcc_sender_feedback (sender, packet.feedback.fci, packet.feedback.size, results,
                                         TWCC_MAX_RESULTS);
    g_assert_cmpint (count, >=, 0);
    for (gssize i = 0; i < count; i++) {
      Fate *fate = &fates[results[i].seq - first];
      g_assert_cmpint (results[i].sent_us, ==, fate->sent_us);
      g_assert_cmpuint (results[i].size, ==, fate->size);
      if (results[i].arrived_us < 0) {
        fate->times_lost++;
      } else {
        fate->times_arrived++;
        fate->told_us = results[i].arrived_us;
      }
      if (i > 0)
        g_assert_cmpint (results[i].seq, >, results[i - 1].seq);
    }
  }
}

static void
test_round_trip (gconstpointer arg)
{
  guint percent = GPOINTER_TO_UINT (arg);
  enum { N = 100000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (percent);
  g_autoptr (TwccSender) sender = twcc_sender_new ();
  g_autoptr (TwccReceiver) receiver = twcc_receiver_new ();
  g_autofree Fate *fates = g_new0 (Fate, N);
  gint64 now = 70 * G_USEC_PER_SEC, last_arrival = -1;
  guint feedbacks = 0;
  for (guint i = 0; i < N; i++) {
    gint64 pause = g_rand_int_range (rand, 0, 8000);
    if (g_rand_int_range (rand, 0, 3000) == 0)
      pause += 20 * G_USEC_PER_SEC; /* beyond what a delta can hold */
    now += pause;
    Fate *fate = &fates[i];
    *fate = (Fate){ .sent_us = now, .arrived_us = -1, .size = 100 + i % 1000 };
    guint16 seq = twcc_sender_next (sender);
    twcc_sender_sent (sender, fate->size, now);
    if (g_rand_int_range (rand, 0, 100) >= (gint32)percent) {
      fate->arrived_us = now + 30000;
      last_arrival = i;
      twcc_receiver_arrived (receiver, seq, 9, fate->arrived_us);
      twcc_receiver_arrived (receiver, seq, 9, fate->arrived_us + 1); /* duplicate */
    }
    if (twcc_receiver_next_us (receiver) <= now)
      feedbacks += transfer (receiver, sender, fates, 0x10000);
  }
  feedbacks += transfer (receiver, sender, fates, 0x10000);
  g_assert_cmpint (twcc_receiver_next_us (receiver), ==, G_MAXINT64);
  gint64 offset = 0;
  for (gint64 i = 0; i <= last_arrival; i++) {
    const Fate *fate = &fates[i];
    g_assert_cmpuint (fate->times_arrived, ==, fate->arrived_us >= 0);
    if (fate->arrived_us < 0) {
      g_assert_cmpuint (fate->times_lost, <=, 1);
      continue;
    }
    g_assert_cmpuint (fate->times_lost, ==, 0);
    /* Only differences mean something, in steps of 250 µs. */
    if (offset == 0)
      offset = fate->arrived_us - fate->told_us;
    g_assert_cmpint (ABS (fate->arrived_us - fate->told_us - offset), <=, 250);
  }
  g_assert_cmpuint (feedbacks, <, N / 8);
}

static void
test_late_arrival (void)
{
  g_autoptr (TwccSender) sender = twcc_sender_new ();
  g_autoptr (TwccReceiver) receiver = twcc_receiver_new ();
  Fate fates[4] = { { .sent_us = 1000000, .size = 100 },
                    { .sent_us = 1000001, .size = 100 },
                    { .sent_us = 1000002, .size = 100 },
                    { .sent_us = 1000003, .size = 100 } };
  for (guint i = 0; i < 4; i++)
    twcc_sender_sent (sender, 100, fates[i].sent_us);
  g_assert_cmpuint (twcc_sender_in_flight (sender), ==, 400);
  twcc_receiver_arrived (receiver, 0, 9, 2000000);
  twcc_receiver_arrived (receiver, 3, 9, 2000500);
  g_assert_cmpint (twcc_receiver_next_us (receiver), ==, 2050000);
  transfer (receiver, sender, fates, 0x10000);
  g_assert_cmpuint (fates[1].times_lost, ==, 1);
  g_assert_cmpuint (twcc_sender_in_flight (sender), ==, 0);
  twcc_receiver_arrived (receiver, 1, 9, 2100000);
  transfer (receiver, sender, fates, 0x10000);
  g_assert_cmpuint (fates[1].times_arrived, ==, 1);
  g_assert_cmpuint (fates[2].times_lost, ==, 1);
  g_assert_cmpuint (fates[0].times_arrived, ==, 1);
  g_assert_cmpuint (fates[3].times_arrived, ==, 1);
  g_assert_cmpint (fates[1].told_us - fates[0].told_us, ==, 100000);
}

static void
test_malformed (void)
{
  g_autoptr (TwccSender) sender = twcc_sender_new ();
  TwccResult results[16];
  static const guint8 cases[][16] = {
    { 0, 0, 0, 5, 0, 0, 1, 0, 0, 0 },               /* a run of nothing */
    { 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0x3f, 0xff },   /* more than a window */
    { 0, 0, 0, 2, 0, 0, 1, 0, 0x60, 2, 0, 0 },      /* reserved status */
    { 0, 0, 0, 9, 0, 0, 1, 0, 0x40, 9, 0, 0, 0, 0 } /* deltas are missing */
  };
  for (guint i = 0; i < 40; i++)
    twcc_sender_sent (sender, 10, 1000);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (twcc_sender_feedback (sender, cases[i], 16, results, 16), ==, -1);
  for (gsize size = 0; size < 10; size++)
    g_assert_cmpint (twcc_sender_feedback (sender, cases[3], size, results, 16), ==, -1);
  /* Numbers never sent tell nothing. */
  static const guint8 future[] = { 0x70, 0, 0, 2, 0, 0, 1, 0, 0x20, 2, 1, 1 };
  g_assert_cmpint (twcc_sender_feedback (sender, future, 12, results, 16), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/twcc/no-loss", GUINT_TO_POINTER (0), test_round_trip);
  g_test_add_data_func ("/twcc/some-loss", GUINT_TO_POINTER (3), test_round_trip);
  g_test_add_data_func ("/twcc/half-lost", GUINT_TO_POINTER (50), test_round_trip);
  g_test_add_data_func ("/twcc/nearly-all-lost", GUINT_TO_POINTER (97), test_round_trip);
  g_test_add_func ("/twcc/late-arrival", test_late_arrival);
  g_test_add_func ("/twcc/malformed", test_malformed);
  return g_test_run ();
}
