/* The allocator by itself: order, hysteresis, the shared uplink. */
#include "media/congestion/allocation.h"
#include <math.h>

static const AllocationStep PICTURE[]
    = { { 700000, 2300000 }, { 250000, 900000 }, { 110000, 320000 }, { 45000, 140000 } };
static const AllocationStep SOUND[] = { { 60000, 60000 }, { 26000, 26000 } };
enum { NONE = ALLOCATION_NONE };

typedef struct {
  AllocationPeer *peer;
  AllocationStream *sound, *looked, *rest;
} Viewer;

static Viewer
add_viewer (Allocation *a, gboolean uplink)
{
  Viewer v = { .peer = allocation_add_peer (a, uplink) };
  v.rest = allocation_add_stream (v.peer, ALLOCATION_REST);
  v.looked = allocation_add_stream (v.peer, ALLOCATION_LOOKED_AT);
  v.sound = allocation_add_stream (v.peer, ALLOCATION_SOUND);
  allocation_set_steps (v.rest, PICTURE, G_N_ELEMENTS (PICTURE));
  allocation_set_steps (v.looked, PICTURE, G_N_ELEMENTS (PICTURE));
  allocation_set_steps (v.sound, SOUND, G_N_ELEMENTS (SOUND));
  return v;
}

static gint64 now_us = 1000000;

/* Half seconds at one estimate. */
static void
run (Allocation *a, const Viewer *v, guint bps, guint halves)
{
  for (guint i = 0; i < halves; i++) {
    allocation_set_estimate (v->peer, bps, now_us);
    allocation_run (a, now_us);
    now_us += 500000;
  }
}

static void
check (const Viewer *v, int sound, int looked, int rest)
{
  g_assert_cmpint (allocation_step (v->sound), ==, sound);
  g_assert_cmpint (allocation_step (v->looked), ==, looked);
  g_assert_cmpint (allocation_step (v->rest), ==, rest);
}

/* From a link that carries nothing to one that carries all. */
static void
test_order (void)
{
  static const struct {
    guint bps;
    int sound, looked, rest;
  } cases[] = {
    { 20000, 1, NONE, NONE }, /* sound whatever the estimate says */
    { 86000, 1, NONE, NONE }, { 88000, 1, 3, NONE },  { 120000, 1, 3, NONE },
    { 122000, 0, 3, NONE },   { 185000, 0, 3, 3 },    { 187000, 0, 2, NONE },
    { 232000, 0, 2, 3 },      { 328000, 0, 1, NONE }, { 777000, 0, 0, NONE },
    { 828000, 0, 0, 3 },      { 9000000, 0, 0, 3 }, /* the rest never more than its thumbnails */
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Allocation) a = allocation_new ();
    Viewer v = add_viewer (a, TRUE);
    run (a, &v, cases[i].bps, 1);
    check (&v, cases[i].sound, cases[i].looked, cases[i].rest);
  }
}

/* Eight leads of 500 Hz in packets of 40 and of 200 ms; three leads, one, every half second. */
static const AllocationStep WAVES[]
    = { { 51000, 51000 }, { 32000, 32000 }, { 14000, 14000 }, { 6000, 6000 } };

static void
test_waves_order (void)
{
  static const struct {
    guint bps;
    int waves, looked;
  } cases[] = {
    { 39000, NONE, NONE }, { 41000, 3, NONE }, /* into the reserve of the control */
    { 92000, 3, NONE },    { 94000, 3, 3 },    /* before the picture's least, not after it */
    { 102000, 2, 3 },      { 160000, 1, 3 },   { 9000000, 0, 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Allocation) a = allocation_new ();
    Viewer v = add_viewer (a, TRUE);
    AllocationStream *waves = allocation_add_stream (v.peer, ALLOCATION_WAVES);
    allocation_set_steps (waves, WAVES, G_N_ELEMENTS (WAVES));
    run (a, &v, cases[i].bps, 1);
    g_test_message ("%u bit/s", cases[i].bps);
    g_assert_cmpint (allocation_step (waves), ==, cases[i].waves);
    g_assert_cmpint (allocation_step (v.looked), ==, cases[i].looked);
  }
}

/* A link falls to what village-3g carries, to less, and comes back to it: the heartbeat is away for
 * half a second longer than the link, however often that happens. */
static void
test_waves_return (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  AllocationStream *waves = allocation_add_stream (v.peer, ALLOCATION_WAVES);
  allocation_set_steps (waves, WAVES, G_N_ELEMENTS (WAVES));
  run (a, &v, 9000000, 4);
  g_assert_cmpint (allocation_step (waves), ==, 0);
  for (guint i = 0; i < 5; i++) {
    run (a, &v, 60000, 4);
    g_assert_cmpint (allocation_step (waves), ==, 3);
    run (a, &v, 30000, 4);
    g_assert_cmpint (allocation_step (waves), ==, NONE);
    run (a, &v, 60000, 3);
    g_assert_cmpint (allocation_step (waves), ==, 3);
  }
}

static void
test_bits (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  run (a, &v, 1000000, 1);
  guint sum = allocation_bps (v.sound) + allocation_bps (v.looked) + allocation_bps (v.rest);
  g_assert_cmpuint (sum, ==, 1000000 - 16000);
  g_assert_cmpuint (allocation_bps (v.rest), ==, 45000);
  g_assert_cmpuint (allocation_left_bps (v.peer), ==, 0);
  run (a, &v, 9000000, 8);
  g_assert_cmpuint (allocation_bps (v.looked), ==, 2300000);
  g_assert_cmpuint (allocation_bps (v.rest), ==, 140000);
  run (a, &v, 50000, 1);
  g_assert_cmpuint (allocation_bps (v.looked), ==, 0);
  g_assert_cmpuint (allocation_left_bps (v.peer), ==, 50000 - 16000 - 26000);
}

/* Down at once; up after half a second at first, 3 s later on. */
static void
test_hysteresis (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  allocation_run (a, now_us); /* nothing known */
  check (&v, 0, 1, 3);
  run (a, &v, 3000000, 1);
  check (&v, 0, 1, 3);
  run (a, &v, 3000000, 1);
  check (&v, 0, 0, 3);
  run (a, &v, 200000, 1);
  check (&v, 0, 2, NONE);
  run (a, &v, 3000000, 6);
  check (&v, 0, 2, NONE);
  run (a, &v, 3000000, 1);
  check (&v, 0, 0, NONE);
  run (a, &v, 3000000, 4); /* from nothing 5 s */
  check (&v, 0, 0, 3);
  /* a surplus that does not last is none */
  run (a, &v, 200000, 1);
  for (guint i = 0; i < 5; i++) {
    run (a, &v, 3000000, 5);
    check (&v, 0, 2, NONE);
    run (a, &v, 200000, 1);
  }
}

/* What a silent link had is there again at once, or what is left of it. */
static void
test_silent (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  run (a, &v, 3000000, 12);
  check (&v, 0, 0, 3);
  allocation_set_silent (v.peer, TRUE, now_us);
  for (guint i = 0; i < 20; i++, now_us += 500000)
    allocation_run (a, now_us);
  check (&v, 0, 0, 3);
  allocation_set_silent (v.peer, FALSE, now_us);
  run (a, &v, 2500000, 1);
  check (&v, 0, 0, 3);
  allocation_set_silent (v.peer, TRUE, now_us);
  now_us += 60000000;
  allocation_run (a, now_us);
  allocation_set_silent (v.peer, FALSE, now_us);
  run (a, &v, 200000, 1);
  check (&v, 0, 2, NONE);
  run (a, &v, 60000, 1);
  check (&v, 0, NONE, NONE);
  run (a, &v, 200000, 1);
  check (&v, 0, 3, NONE);
}

/* A small want is borne for a second, by fewer bits. */
static void
test_lean (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  allocation_set_steps (v.rest, NULL, 0);
  run (a, &v, 1000000, 1);
  check (&v, 0, 0, NONE);
  run (a, &v, 600000, 2);
  check (&v, 0, 0, NONE);
  g_assert_cmpuint (allocation_bps (v.looked), ==, 600000 - 16000 - 60000);
  run (a, &v, 600000, 1);
  check (&v, 0, 1, NONE);
  run (a, &v, 1000000, 20);
  check (&v, 0, 0, NONE);
  run (a, &v, 600000, 1); /* it passes */
  run (a, &v, 1000000, 1);
  check (&v, 0, 0, NONE);
  g_assert_cmpuint (allocation_bps (v.looked), ==, 1000000 - 16000 - 60000);
  run (a, &v, 400000, 1); /* too much at once */
  check (&v, 0, 1, NONE);
}

/* The last picture goes later than a better one: what comes in its place stays for long. */
static void
test_last_picture (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  run (a, &v, 115000, 1);
  check (&v, 1, 3, NONE);
  run (a, &v, 65000, 4); /* a queue is let go */
  check (&v, 1, 3, NONE);
  g_assert_cmpuint (allocation_bps (v.looked), <, 40000);
  run (a, &v, 115000, 1);
  check (&v, 1, 3, NONE);
  run (a, &v, 65000, 6);
  check (&v, 1, 3, NONE);
  run (a, &v, 65000, 1);
  check (&v, 1, NONE, NONE);
  run (a, &v, 115000, 12);
  check (&v, 1, 3, NONE);
  run (a, &v, 45000, 1); /* no picture can be made of that */
  check (&v, 1, NONE, NONE);
}

static void
test_back_off (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  run (a, &v, 200000, 1);
  guint last = 0;
  for (guint try = 0; try < 8; try++) {
    guint halves = 0;
    for (; allocation_step (v.looked) != 0; halves++)
      run (a, &v, 3000000, 1);
    g_assert_cmpuint (halves, >, last);
    last = MIN (halves, 115); /* a minute at most */
    run (a, &v, 3000000, 4);
    run (a, &v, 200000, 1);
    g_assert_cmpint (allocation_step (v.looked), ==, 2);
  }
  g_assert_cmpuint (last, ==, 115);
  /* it lasts: the next fall is forgiven sooner */
  run (a, &v, 3000000, 400);
  run (a, &v, 200000, 1);
  guint halves = 0;
  for (; allocation_step (v.looked) != 0; halves++)
    run (a, &v, 3000000, 1);
  g_assert_cmpuint (halves, <=, 61);
}

/* What is looked at changes at once, both ways. */
static void
test_look (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  run (a, &v, 3000000, 1);
  check (&v, 0, 0, 3);
  allocation_set_class (v.looked, ALLOCATION_REST);
  allocation_set_class (v.rest, ALLOCATION_LOOKED_AT);
  allocation_run (a, now_us);
  check (&v, 0, 3, 0);
}

static void
test_best (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer v = add_viewer (a, TRUE);
  allocation_set_best (v.looked, 2);
  run (a, &v, 9000000, 1);
  check (&v, 0, 2, 3);
  g_assert_cmpuint (allocation_bps (v.looked), ==, 320000);
  allocation_set_best (v.looked, 9); /* worse than all: the last is left */
  run (a, &v, 9000000, 1);
  check (&v, 0, 3, 3);
}

/* Estimates that wander by a fifth around any level, for ten minutes each: few changes. */
static void
test_no_flapping (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  guint worst = 0;
  for (guint trial = 0; trial < 60; trial++) {
    g_autoptr (Allocation) a = allocation_new ();
    Viewer v = add_viewer (a, TRUE);
    double level = 60000 * pow (1.06, trial), noise = 0;
    guint changes = 0;
    int before = 0;
    for (guint i = 0; i < 1200; i++) {
      noise = 0.8 * noise + 0.2 * g_rand_double_range (rand, -0.5, 0.5);
      run (a, &v, (guint)(level * (1 + CLAMP (noise, -0.2, 0.2))), 1);
      changes += i > 20 && allocation_step (v.looked) != before;
      before = allocation_step (v.looked);
      g_assert_cmpint (allocation_step (v.sound), !=, NONE);
    }
    worst = MAX (worst, changes);
  }
  g_test_message ("most changes in ten minutes: %u", worst);
  g_assert_cmpuint (worst, <=, 40);
}

/* Never more than the estimate, whatever comes; sound always; nothing better waits for ever. */
static void
test_property (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autoptr (Allocation) a = allocation_new ();
  Viewer viewers[3];
  guint estimates[3] = { 0 };
  for (guint i = 0; i < 3; i++)
    viewers[i] = add_viewer (a, i > 0);
  for (guint turn = 0; turn < 20000; turn++) {
    guint i = (guint)g_rand_int_range (rand, 0, 3);
    Viewer *v = &viewers[i];
    estimates[i] = (guint)(20000 * pow (2, g_rand_double_range (rand, 0, 8)));
    allocation_set_estimate (v->peer, estimates[i], now_us);
    if (g_rand_int_range (rand, 0, 20) == 0)
      allocation_set_class (v->rest, (AllocationClass)g_rand_int_range (rand, 3, 5));
    allocation_run (a, now_us);
    now_us += g_rand_int_range (rand, 10000, 900000);
    guint64 uplink = 0;
    for (guint j = 0; j < 3; j++) {
      const Viewer *w = &viewers[j];
      guint sum = allocation_bps (w->sound) + allocation_bps (w->looked) + allocation_bps (w->rest);
      g_assert_cmpint (allocation_step (w->sound), !=, NONE);
      if (estimates[j] > 0)
        g_assert_cmpuint (sum, <=, MAX (estimates[j], 26000));
      uplink += j > 0 ? sum : 0;
    }
    if (allocation_uplink_bps (a) > 60000)
      g_assert_cmpuint (uplink, <=, allocation_uplink_bps (a));
  }
  for (guint halves = 0; halves < 300; halves++)
    for (guint i = 0; i < 3; i++) {
      allocation_set_estimate (viewers[i].peer, 9000000, now_us);
      allocation_run (a, now_us);
      now_us += 170000;
    }
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (allocation_step (viewers[i].looked), ==, 0);
}

/* Two that fall together stand behind one queue; the one's sound goes before the other's pictures;
 * who sits in the clinic is not bound. */
static void
test_uplink (void)
{
  g_autoptr (Allocation) a = allocation_new ();
  Viewer one = add_viewer (a, TRUE), two = add_viewer (a, TRUE), console = add_viewer (a, FALSE);
  allocation_set_estimate (one.peer, 2000000, now_us);
  allocation_set_estimate (two.peer, 2000000, now_us);
  allocation_set_estimate (console.peer, 10000000, now_us);
  allocation_run (a, now_us);
  g_assert_cmpuint (allocation_uplink_bps (a), ==, 0);
  check (&one, 0, 0, 3);
  /* one alone: a link of his own */
  allocation_set_estimate (one.peer, 900000, now_us);
  allocation_run (a, now_us);
  g_assert_cmpuint (allocation_uplink_bps (a), ==, 0);
  now_us += 5 * G_USEC_PER_SEC;
  allocation_set_estimate (one.peer, 400000, now_us);
  allocation_run (a, now_us);
  now_us += 300000;
  allocation_set_estimate (two.peer, 300000, now_us);
  allocation_run (a, now_us);
  g_assert_cmpuint (allocation_uplink_bps (a), ==, 700000);
  /* both believe in more than there is: the bound holds */
  allocation_set_estimate (one.peer, 3000000, now_us);
  allocation_set_estimate (two.peer, 3000000, now_us);
  for (guint i = 0; i < 8; i++) {
    now_us += 500000;
    allocation_run (a, now_us);
  }
  guint sum = 0;
  for (guint i = 0; i < 2; i++) {
    const Viewer *v = i == 0 ? &one : &two;
    sum += allocation_bps (v->sound) + allocation_bps (v->looked) + allocation_bps (v->rest);
    g_assert_cmpint (allocation_step (v->sound), ==, 0);
    g_assert_cmpint (allocation_step (v->looked), !=, NONE);
  }
  g_assert_cmpuint (sum, <=, 700000);
  check (&console, 0, 0, 3);
  /* it grows, and is forgotten; and it binds nobody who is alone */
  for (guint i = 0; i < 400; i++) {
    now_us += 500000;
    allocation_run (a, now_us);
  }
  g_assert_cmpuint (allocation_uplink_bps (a), ==, 0);
  check (&one, 0, 0, 3);
  allocation_remove_peer (a, two.peer);
  allocation_run (a, now_us);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/allocation/order", test_order);
  g_test_add_func ("/allocation/waves-order", test_waves_order);
  g_test_add_func ("/allocation/waves-return", test_waves_return);
  g_test_add_func ("/allocation/bits", test_bits);
  g_test_add_func ("/allocation/hysteresis", test_hysteresis);
  g_test_add_func ("/allocation/silent", test_silent);
  g_test_add_func ("/allocation/lean", test_lean);
  g_test_add_func ("/allocation/last-picture", test_last_picture);
  g_test_add_func ("/allocation/back-off", test_back_off);
  g_test_add_func ("/allocation/look", test_look);
  g_test_add_func ("/allocation/best", test_best);
  g_test_add_func ("/allocation/no-flapping", test_no_flapping);
  g_test_add_func ("/allocation/property", test_property);
  g_test_add_func ("/allocation/uplink", test_uplink);
  return g_test_run ();
}
