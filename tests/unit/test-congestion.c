/* Pacer and estimator by themselves. */
#include "media/congestion/estimator.h"
#include "media/congestion/pacer.h"

enum { START_US = 10000000 };

static RtpPacket *
new_packet (RtpPacketPool *pool, RtpClass class, gint64 seq, guint size)
{
  RtpPacket *packet = rtp_packet_new (pool);
  packet->class = class;
  packet->seq = seq;
  packet->size = (guint16)size;
  return packet;
}

static void
test_order (void)
{
  g_autoptr (RtpPacketPool) pool = rtp_packet_pool_new (8);
  Pacer *pacer = pacer_new (0);
  static const RtpClass classes[] = { RTP_CLASS_VIDEO,          RTP_CLASS_VIDEO, RTP_CLASS_AUDIO,
                                      RTP_CLASS_RETRANSMISSION, RTP_CLASS_VIDEO, RTP_CLASS_AUDIO };
  static const gint64 order[] = { 2, 5, 3, 0, 1, 4 };
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    g_assert_true (pacer_push (pacer, new_packet (pool, classes[i], i, 1000), START_US));
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    RtpPacket *packet = pacer_pop (pacer, 0, START_US);
    g_assert_nonnull (packet);
    g_assert_cmpint (packet->seq, ==, order[i]);
    rtp_packet_unref (packet);
  }
  g_assert_null (pacer_pop (pacer, 0, START_US));
  g_assert_cmpint (pacer_next_us (pacer), ==, G_MAXINT64);
  /* One packet cannot wait twice. */
  RtpPacket *twice = new_packet (pool, RTP_CLASS_AUDIO, 9, 100);
  g_assert_true (pacer_push (pacer, rtp_packet_ref (twice), START_US));
  g_assert_false (pacer_push (pacer, twice, START_US));
  pacer_free (pacer);
}

/* The first burst leaves at once, then the rate holds; audio never waits; the queue is bounded. */
static void
test_rate (void)
{
  g_autoptr (RtpPacketPool) pool = rtp_packet_pool_new (8);
  Pacer *pacer = pacer_new (50000);
  pacer_set_rate (pacer, 2000000);
  guint pushed = 0;
  while (pacer_push (pacer, new_packet (pool, RTP_CLASS_VIDEO, pushed, 1000), START_US))
    pushed++;
  g_assert_cmpuint (pushed, ==, 2048);
  g_assert_cmpint (pacer_delay_us (pacer), ==, 2048 * 1000 * 4);
  guint at_once = 0, wakes = 0;
  RtpPacket *packet;
  while ((packet = pacer_pop (pacer, 0, START_US))) {
    rtp_packet_unref (packet);
    at_once++;
  }
  g_assert_cmpuint (at_once, >=, 60);
  g_assert_cmpuint (at_once, <=, 64);
  gint64 now = START_US;
  gsize bytes = 0;
  while (now < START_US + G_USEC_PER_SEC) {
    gint64 next = pacer_next_us (pacer);
    g_assert_cmpint (next, >, now);
    now = next;
    wakes++;
    g_assert_true (pacer_push (pacer, new_packet (pool, RTP_CLASS_AUDIO, 1, 100), now));
    packet = pacer_pop (pacer, 0, now);
    g_assert_cmpint (packet->class, ==, RTP_CLASS_AUDIO);
    bytes += packet->size;
    rtp_packet_unref (packet);
    while ((packet = pacer_pop (pacer, 0, now))) {
      bytes += packet->size;
      rtp_packet_unref (packet);
    }
  }
  g_assert_cmpuint (bytes, >, 245000);
  g_assert_cmpuint (bytes, <, 255000);
  g_assert_cmpuint (wakes, <=, 201);
  pacer_clear (pacer);
  g_assert_cmpuint (pacer_queued (pacer), ==, 0);
  pacer_free (pacer);
}

/* A link for the estimator: constant rate, a queue, loss; the sender sends what it is told. */
typedef struct {
  Estimator *estimator;
  GRand *rand;
  gint64 now, busy_us, seq;
  guint link_bps;
  double loss;
  double share; /* of the estimate that is sent */
} Model;

static void
model_init (Model *m, guint seed, guint start_bps)
{
  EstimatorConfig config = { .start_bps = start_bps };
  *m = (Model){ .estimator = estimator_new (&config),
                .rand = g_rand_new_with_seed (seed),
                .now = START_US,
                .share = 1 };
}

static void
model_clear (Model *m)
{
  estimator_free (m->estimator);
  g_rand_free (m->rand);
}

/* Feedback every 50 ms, 30 ms after the packets; feedback NULL: none comes back. */
static void
model_run (Model *m, gint64 us, gboolean feedback)
{
  for (gint64 end = m->now + us; m->now < end; m->now += 50000) {
    TwccResult results[512];
    guint bytes = (guint)(estimator_bps (m->estimator) * m->share / 8 / 20);
    gsize n = 0;
    for (guint sent = 0; sent < bytes && n < 512; sent += 1200, n++) {
      gint64 at = m->now - 50000 + (gint64)sent * 50000 / bytes;
      estimator_sent (m->estimator, 1200, at);
      gint64 out = MAX (at, m->busy_us);
      gboolean lost = out - at > 500000 || g_rand_double (m->rand) < m->loss;
      if (m->link_bps && out - at <= 500000)
        m->busy_us = out = out + 1200ll * 8 * G_USEC_PER_SEC / m->link_bps;
      results[n] = (TwccResult){ m->seq++, 1200, at, lost ? -1 : out + 123456789 };
    }
    if (feedback)
      estimator_feedback (m->estimator, results, n, m->now + 30000);
    estimator_poll (m->estimator, m->now + 30000);
  }
}

static void
test_grows (void)
{
  Model m;
  model_init (&m, 1, 300000);
  model_run (&m, 4 * G_USEC_PER_SEC, TRUE);
  g_assert_cmpuint (estimator_bps (m.estimator), ==, 4000000);
  g_assert_cmpuint (estimator_pacing_bps (m.estimator), ==, 10000000);
  model_clear (&m);
}

/* Sending little proves little. */
static void
test_application_limited (void)
{
  Model m;
  model_init (&m, 2, 1000000);
  m.share = 0.2;
  model_run (&m, 20 * G_USEC_PER_SEC, TRUE);
  g_assert_cmpuint (estimator_bps (m.estimator), ==, 1000000);
  model_clear (&m);
}

static void
test_loss (void)
{
  Model m;
  model_init (&m, 3, 2000000);
  m.loss = 0.01;
  model_run (&m, 3 * G_USEC_PER_SEC, TRUE);
  guint with_little = estimator_bps (m.estimator);
  g_assert_cmpuint (with_little, >=, 2000000);
  m.loss = 0.05;
  model_run (&m, 10 * G_USEC_PER_SEC, TRUE);
  g_assert_cmpuint (estimator_bps (m.estimator), >=, with_little * 8 / 10);
  m.loss = 0.25;
  model_run (&m, 5 * G_USEC_PER_SEC, TRUE);
  guint with_much = estimator_bps (m.estimator);
  g_assert_cmpuint (with_much, <, with_little / 2);
  m.loss = 0;
  model_run (&m, 10 * G_USEC_PER_SEC, TRUE);
  g_assert_cmpuint (estimator_bps (m.estimator), >, with_much * 3 / 2);
  model_clear (&m);
}

static void
test_delay (void)
{
  static const guint links[] = { 300000, 700000, 1500000 };
  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    Model m;
    model_init (&m, 4, 1000000);
    m.link_bps = 3000000;
    model_run (&m, 2 * G_USEC_PER_SEC, TRUE);
    m.link_bps = links[i];
    model_run (&m, 4 * G_USEC_PER_SEC, TRUE);
    g_test_message ("link %u: estimate %u, queue %" G_GINT64_FORMAT " ms", links[i],
                    estimator_bps (m.estimator), (m.busy_us - m.now) / 1000);
    g_assert_cmpuint (estimator_bps (m.estimator), <, links[i] * 11 / 10);
    g_assert_cmpuint (estimator_bps (m.estimator), >, links[i] / 2);
    g_assert_cmpint (m.busy_us - m.now, <, 300000);
    m.link_bps = 3000000;
    model_run (&m, 8 * G_USEC_PER_SEC, TRUE);
    g_assert_cmpuint (estimator_bps (m.estimator), >, links[i] * 12 / 10);
    model_clear (&m);
  }
}

static void
test_silence (void)
{
  Model m;
  model_init (&m, 5, 1000000);
  m.share = 0.6;
  model_run (&m, G_USEC_PER_SEC, TRUE);
  model_run (&m, 10 * G_USEC_PER_SEC, FALSE);
  g_assert_cmpuint (estimator_bps (m.estimator), ==, 100000);
  m.share = 1;
  model_run (&m, 3 * G_USEC_PER_SEC, TRUE);
  g_assert_cmpuint (estimator_bps (m.estimator), >=, 900000);
  model_clear (&m);
}

static void
test_remb_and_reports (void)
{
  Estimator *e = estimator_new (&(EstimatorConfig){ 0 });
  g_assert_cmpuint (estimator_bps (e), ==, 1000000);
  estimator_remb (e, 400000, START_US);
  g_assert_cmpuint (estimator_bps (e), ==, 400000);
  estimator_remb (e, 1, START_US);
  g_assert_cmpuint (estimator_bps (e), ==, 100000);
  estimator_poll (e, START_US + 11 * G_USEC_PER_SEC);
  g_assert_cmpuint (estimator_bps (e), ==, 1000000);
  estimator_report (e, 0.5, START_US);
  g_assert_cmpuint (estimator_bps (e), ==, 750000);
  estimator_report (e, 0.05, START_US);
  g_assert_cmpuint (estimator_bps (e), ==, 750000);
  estimator_free (e);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pacer/order", test_order);
  g_test_add_func ("/pacer/rate", test_rate);
  g_test_add_func ("/estimator/grows", test_grows);
  g_test_add_func ("/estimator/application-limited", test_application_limited);
  g_test_add_func ("/estimator/loss", test_loss);
  g_test_add_func ("/estimator/delay", test_delay);
  g_test_add_func ("/estimator/silence", test_silence);
  g_test_add_func ("/estimator/remb-and-reports", test_remb_and_reports);
  return g_test_run ();
}
