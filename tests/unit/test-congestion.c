/* Pacer, estimator and its parts by themselves; on a link: test-congestion-link.c. */
#include "media/congestion/acked_rate.h"
#include "media/congestion/arrival_group.h"
#include "media/congestion/estimator.h"
#include "media/congestion/loss_estimator.h"
#include "media/congestion/pacer.h"
#include "media/congestion/probe.h"
#include "media/congestion/queue_delay.h"
#include "media/congestion/rate_control.h"
#include "media/congestion/trendline.h"

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

static guint
pop_all (Pacer *pacer, gint64 now_us)
{
  guint n = 0;
  for (RtpPacket *packet; (packet = pacer_pop (pacer, 0, now_us)); n++)
    rtp_packet_unref (packet);
  return n;
}

/* A probe goes evenly at its own rate, media first, then padding, and ends by itself. */
static void
test_probe_is_paced (void)
{
  g_autoptr (RtpPacketPool) pool = rtp_packet_pool_new (8);
  Pacer *pacer = pacer_new (1);
  pacer_set_rate (pacer, 500000);
  pacer_push (pacer, new_packet (pool, RTP_CLASS_VIDEO, 0, 1000), START_US);
  pacer_push (pacer, new_packet (pool, RTP_CLASS_PADDING, 1, 1000), START_US);
  pacer_push (pacer, new_packet (pool, RTP_CLASS_VIDEO, 2, 1000), START_US);
  g_assert_cmpint (pacer_delay_us (pacer), ==, 2 * 16000); /* padding is nobody's delay */
  pacer_probe (pacer, 1000000, 6000, START_US);
  static const gint64 order[] = { 0, 2, 1 };
  gint64 now = START_US;
  guint packets = 0;
  while (pacer_probing (pacer)) {
    RtpPacket *packet = pacer_pop (pacer, 0, now);
    if (!packet && pacer_wants_padding (pacer, now)) {
      g_assert_cmpuint (packets, >=, G_N_ELEMENTS (order));
      g_assert_true (pacer_push (pacer, new_packet (pool, RTP_CLASS_PADDING, 9, 1000), now));
      continue;
    }
    if (packet) {
      if (packets < G_N_ELEMENTS (order))
        g_assert_cmpint (packet->seq, ==, order[packets]);
      packets++;
      rtp_packet_unref (packet);
      continue;
    }
    gint64 next = pacer_next_us (pacer);
    g_assert_cmpint (next, >, now);
    now = next;
  }
  g_assert_cmpuint (packets, ==, 6);
  g_assert_cmpint (now - START_US, >=, 39000);
  g_assert_cmpint (now - START_US, <=, 41500);
  g_assert_cmpint (pacer_next_us (pacer), ==, G_MAXINT64);
  pacer_free (pacer);
}

/* Held: sound only, and a sign of life; the first key frame all the same. */
static void
test_held (void)
{
  g_autoptr (RtpPacketPool) pool = rtp_packet_pool_new (8);
  Pacer *pacer = pacer_new (50000);
  pacer_set_rate (pacer, 2000000);
  pacer_set_held (pacer, TRUE);
  for (guint i = 0; i < 20; i++) {
    RtpPacket *packet = new_packet (pool, RTP_CLASS_VIDEO, i, 1000);
    packet->key = i < 10;
    pacer_push (pacer, packet, START_US);
  }
  g_assert_cmpuint (pop_all (pacer, START_US), ==, 10); /* the key frame */
  pacer_push (pacer, new_packet (pool, RTP_CLASS_AUDIO, 100, 100), START_US + 1000);
  g_assert_cmpuint (pop_all (pacer, START_US + 1000), ==, 1);
  gint64 next = pacer_next_us (pacer);
  g_assert_cmpint (next, ==, START_US + 1000 + 200000); /* sound is a sign of life too */
  g_assert_cmpuint (pop_all (pacer, next), ==, 1);
  pacer_set_held (pacer, FALSE);
  g_assert_cmpuint (pop_all (pacer, next + 1000), >=, 7);
  pacer_clear_video (pacer);
  g_assert_cmpuint (pacer_queued (pacer), ==, 0);
  pacer_free (pacer);
}

/* ---- parts ---- */

static TwccResult
result (gint64 seq, gint64 sent_us, gint64 arrived_us)
{
  return (TwccResult){ .seq = seq, .size = 1000, .sent_us = sent_us, .arrived_us = arrived_us };
}

/* By the receiver's clock, from the newest whole steps back; longer when little came. */
static void
test_acked_rate (void)
{
  AckedRate rate = { 0 };
  g_assert_cmpfloat (acked_rate_bps (&rate, 500000, 0), ==, 0);
  for (guint i = 0; i < 100; i++) { /* 800 kbit/s, then 400 */
    TwccResult r = result (i, 0, START_US + i * 10000);
    acked_rate_add (&rate, &r);
  }
  for (guint i = 0; i < 25; i++) {
    TwccResult r = result (i, 0, START_US + 1000000 + i * 20000);
    acked_rate_add (&rate, &r);
  }
  g_assert_cmpfloat (acked_rate_bps (&rate, 400000, 0), >, 380000);
  g_assert_cmpfloat (acked_rate_bps (&rate, 400000, 0), <, 430000);
  g_assert_cmpfloat (acked_rate_bps (&rate, 100000, 40000), >, 450000);
  /* A pause of ours: what came before it, and too little since, tell nothing. */
  for (guint i = 0; i < 30; i++) {
    TwccResult r = result (i, 5000000 + i * 10000, START_US + 3500000 + i * 20000);
    acked_rate_add (&rate, &r);
    if (i < 20)
      g_assert_cmpfloat (acked_rate_bps (&rate, 400000, 0), ==, 0);
  }
  g_assert_cmpfloat (acked_rate_bps (&rate, 400000, 0), >, 380000);
  /* The receiver's clock began anew. */
  TwccResult r = result (0, 0, 1000);
  acked_rate_add (&rate, &r);
  g_assert_cmpfloat (acked_rate_bps (&rate, 400000, 0), ==, 0);
}

/* What leaves within 5 ms is one group; so is what a stalled receiver takes at once, and its delay
 * is then the least. */
static void
test_groups (void)
{
  ArrivalGroups groups = { 0 };
  ArrivalGroup done;
  static const struct {
    gint64 sent, arrived;
    gboolean ends;
  } packets[]
      = { { 0, 100, FALSE },   { 4, 110, FALSE },   { 33, 140, TRUE },   { 66, 400, TRUE },
          { 100, 401, FALSE }, { 133, 402, FALSE }, { 166, 403, FALSE }, { 300, 410, TRUE } };
  gint64 delay_us = 0;
  for (guint i = 0; i < G_N_ELEMENTS (packets); i++) {
    TwccResult r = result (i, packets[i].sent * 1000, packets[i].arrived * 1000);
    g_assert_cmpint (arrival_groups_add (&groups, &r, &done), ==, packets[i].ends);
    delay_us = packets[i].ends ? done.delay_us : delay_us;
  }
  g_assert_cmpuint (done.packets, ==, 4);
  g_assert_cmpint (delay_us, ==, (403 - 166) * 1000);
  TwccResult late = result (0, 1000, 500000);
  g_assert_false (arrival_groups_add (&groups, &late, &done));
}

static void
test_queue_delay (void)
{
  QueueDelay queue = { 0 };
  g_assert_cmpint (queue_delay_standing_us (&queue), ==, 0);
  for (gint64 us = 0; us < 5000000; us += 20000) /* now and then empty */
    queue_delay_add (&queue, us % 100000 == 0 ? -7000 : 40000, START_US + us);
  g_assert_cmpint (queue_delay_standing_us (&queue), ==, 0);
  for (gint64 us = 0; us < 500000; us += 20000)
    queue_delay_add (&queue, 93000, START_US + 5000000 + us);
  g_assert_cmpint (queue_delay_standing_us (&queue), ==, 100000);
  queue_delay_adopt (&queue);
  g_assert_cmpint (queue_delay_standing_us (&queue), ==, 0);
  /* A longer route is the base after 20 s at most. */
  for (gint64 us = 0; us < 21000000; us += 20000)
    queue_delay_add (&queue, 200000, START_US + 6000000 + us);
  g_assert_cmpint (queue_delay_standing_us (&queue), ==, 0);
}

/* The delay per group as that function of time has it; the worst state of the link that was seen.
 */
static LinkUse
trend_of (gint64 (*delay_us) (gint64 us, GRand *rand), guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Trendline trend;
  LinkUse worst = LINK_NORMAL;
  trendline_reset (&trend);
  for (gint64 us = 0; us < 4000000; us += 16500) {
    gint64 delay = delay_us (us, rand);
    LinkUse use = trendline_update (&trend, START_US + us, START_US + us + delay, delay);
    if (us > 1000000 && use != LINK_NORMAL && use != LINK_UNDER)
      worst = MAX (worst, use);
  }
  return worst;
}

static gint64
flat (gint64 us, GRand *rand)
{
  return 40000 + g_rand_int_range (rand, 0, 4000);
}

static gint64
slow_rise (gint64 us, GRand *rand)
{
  return flat (us, rand) + MAX (0, us - 2000000) / 10;
}

static gint64
fall_off (gint64 us, GRand *rand)
{
  return flat (us, rand) + MAX (0, us - 2000000);
}

static void
test_trendline (void)
{
  for (guint32 seed = 1; seed < 20; seed++) {
    g_assert_cmpint (trend_of (flat, seed), ==, LINK_NORMAL);
    g_assert_cmpint (trend_of (slow_rise, seed), ==, LINK_OVER);
    g_assert_cmpint (trend_of (fall_off, seed), ==, LINK_STEEP);
  }
}

/* One round of feedback of so many packets, at that loss. */
static LossVerdict
lose (LossEstimator *loss, GRand *rand, double share, gint64 *now_us, double *ret_bps)
{
  for (guint i = 0; i < 60; i++)
    loss_estimator_add (loss, *now_us, g_rand_double (rand) < share);
  *now_us += 510000;
  return loss_estimator_judge (loss, 1000000, 900000, 100000, *now_us, ret_bps);
}

/* 5 % that come slowly are learned; 15 % more than that are ours when they go with the rate, and
 * the link's when they stay. */
static void
test_loss_is_told_apart (void)
{
  for (guint32 seed = 1; seed < 20; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    LossEstimator loss = { .own = 0.02 };
    gint64 now_us = START_US;
    double bps = 0;
    guint fine = 0;
    for (guint i = 0; i < 60; i++)
      fine += lose (&loss, rand, 0.05, &now_us, &bps) == LOSS_FINE;
    g_assert_cmpuint (fine, >=, 48);
    g_assert_cmpfloat (loss.own, >, 0.02);
    g_assert_cmpfloat (loss.own, <, 0.09);
    LossVerdict verdict = LOSS_FINE;
    for (guint i = 0; i < 8 && verdict != LOSS_LOWER; i++)
      verdict = lose (&loss, rand, 0.3, &now_us, &bps);
    g_assert_cmpint (verdict, ==, LOSS_LOWER);
    g_assert_cmpfloat (bps, <=, 900000);
    now_us += 110000;
    verdict = lose (&loss, rand, 0, &now_us, &bps);
    g_assert_cmpint (verdict, ==, LOSS_HOLD); /* it was ours */
    g_assert_cmpfloat (loss.own, <, 0.09);
  }
}

/* 10 packets of 1000 bytes at 1 Mbit/s, out of the link at that rate. */
static gboolean
probe_over (guint link_bps, double *ret_bps, gboolean *ret_saturated)
{
  Probe probe = { 0 };
  ProbeInput input = { .bps = 500000, .max_bps = 4000000, .calm = TRUE, .startup = TRUE };
  probe_consider (&probe, &input, START_US);
  g_assert_cmpint (probe.state, ==, PROBE_WANTED);
  g_assert_cmpfloat (probe.bps, ==, 1000000);
  probe_begin (&probe, START_US);
  gint64 free_us = START_US;
  for (guint i = 0; i < 12; i++) {
    gint64 sent_us = START_US + i * 8000;
    if (i < 10)
      probe_sent (&probe, 1000, sent_us);
    if (i == 9)
      probe_end (&probe, sent_us + 1);
  }
  for (guint i = 0; i < 12; i++) {
    gint64 sent_us = START_US + i * 8000;
    free_us = MAX (free_us, sent_us) + 8000ll * G_USEC_PER_SEC / link_bps;
    TwccResult r = result (i, sent_us, i == 5 ? -1 : free_us + 40000);
    probe_result (&probe, &r);
  }
  return probe_answered (&probe, 100000, START_US + 300000, ret_bps, ret_saturated);
}

static void
test_probe (void)
{
  double bps;
  gboolean saturated;
  g_assert_true (probe_over (5000000, &bps, &saturated));
  g_assert_false (saturated);
  g_assert_cmpfloat (bps, >, 950000);
  g_assert_cmpfloat (bps, <, 1100000);
  g_assert_true (probe_over (600000, &bps, &saturated));
  g_assert_true (saturated);
  g_assert_cmpfloat (bps, >, 540000);
  g_assert_cmpfloat (bps, <, 660000);
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

/* A long round trip makes careful, until there is feedback; then it says nothing any more. */
static void
test_begins_by_round_trip (void)
{
  g_autoptr (Estimator) e = estimator_new (&(EstimatorConfig){ .min_bps = 50000 });
  estimator_begin (e, 0, 1);
  g_assert_cmpuint (estimator_bps (e), ==, 1000000);
  estimator_begin (e, 20000, 1);
  g_assert_cmpuint (estimator_bps (e), ==, 1000000);
  estimator_begin (e, 300000, 1);
  g_assert_cmpuint (estimator_bps (e), <, 150000);
  g_assert_cmpuint (estimator_window (e, 1), <, 20000);
  Model m;
  model_init (&m, 6, 300000);
  model_run (&m, 4 * G_USEC_PER_SEC, TRUE);
  estimator_begin (m.estimator, 300000, m.now);
  g_assert_cmpuint (estimator_bps (m.estimator), ==, 4000000);
  model_clear (&m);
}

/* A cluster whose last packets are lost, after which nothing comes that would tell of them. */
static void
model_probe_without_end (Model *m)
{
  TwccResult results[3];
  for (guint i = 0; i < 5; i++) {
    gint64 at = m->now + i * 5000;
    estimator_sent (m->estimator, 1200, at);
    if (i < 3)
      results[i] = (TwccResult){ m->seq + i, 1200, at, at + 123456789 };
  }
  m->seq += 5;
  estimator_feedback (m->estimator, results, 3, m->now + 60000);
}

/* Nothing is sent for want of bits: a probe finds out that there are more, and not all the time;
 * nor does one whose answer never comes keep the next from being sent. */
static void
test_probes_while_nothing_leaves (void)
{
  Model m;
  model_init (&m, 7, 300000);
  m.link_bps = 300000;
  model_run (&m, 4 * G_USEC_PER_SEC, TRUE);
  guint wanted = 0;
  for (gint64 end = m.now + 120 * G_USEC_PER_SEC; m.now < end; m.now += 100000) {
    estimator_poll (m.estimator, m.now);
    EstimatorProbe probe;
    if (estimator_probe (m.estimator, &probe, m.now)) {
      wanted++;
      g_assert_cmpuint (probe.bps, >, estimator_bps (m.estimator));
      if (wanted % 2 == 0)
        model_probe_without_end (&m);
      estimator_probe_end (m.estimator, m.now);
    }
  }
  g_assert_cmpuint (wanted, >=, 4);
  g_assert_cmpuint (wanted, <=, 15);
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

/* A queue of 500 ms that does not go though much less of the session leaves. */
static gboolean
competes_after (double beside_bps, gint64 us)
{
  RateControl rate;
  rate_control_init (&rate, 300000, 50000, 4000000);
  for (gint64 now_us = START_US; now_us < START_US + us; now_us += 50000) {
    gint64 queue_us = 500000 + (now_us / 50000 % 2) * 40000; /* it moves: no longer route */
    RateInput input = { .use = LINK_NORMAL,
                        .queue_us = queue_us,
                        .newest_queue_us = queue_us,
                        .acked_bps = 260000,
                        .newest_bps = 260000,
                        .sent_bps = 100000,
                        .beside_bps = beside_bps,
                        .rtt_us = 120000 };
    rate_control_update (&rate, &input, now_us);
    if (rate.compete_until_us > now_us)
      return TRUE;
  }
  return FALSE;
}

/* What our own channels put into it is nobody else's; and nothing is said before what left after
 * the decrease can have been heard of. */
static void
test_whose_queue (void)
{
  g_assert_false (competes_after (0, 1100000));
  g_assert_true (competes_after (0, 3000000));
  g_assert_false (competes_after (160000, 3000000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pacer/order", test_order);
  g_test_add_func ("/pacer/rate", test_rate);
  g_test_add_func ("/pacer/probe-is-paced", test_probe_is_paced);
  g_test_add_func ("/pacer/held", test_held);
  g_test_add_func ("/acked-rate/by-arrival", test_acked_rate);
  g_test_add_func ("/arrival-group/bursts", test_groups);
  g_test_add_func ("/queue-delay/standing", test_queue_delay);
  g_test_add_func ("/trendline/states", test_trendline);
  g_test_add_func ("/loss/is-told-apart", test_loss_is_told_apart);
  g_test_add_func ("/probe/measures", test_probe);
  g_test_add_func ("/estimator/grows", test_grows);
  g_test_add_func ("/estimator/application-limited", test_application_limited);
  g_test_add_func ("/estimator/begins-by-round-trip", test_begins_by_round_trip);
  g_test_add_func ("/estimator/probes-while-nothing-leaves", test_probes_while_nothing_leaves);
  g_test_add_func ("/estimator/loss", test_loss);
  g_test_add_func ("/estimator/delay", test_delay);
  g_test_add_func ("/estimator/silence", test_silence);
  g_test_add_func ("/estimator/remb-and-reports", test_remb_and_reports);
  g_test_add_func ("/congestion/whose-queue", test_whose_queue);
  return g_test_run ();
}
