/* Sealed conversations over a carrier that loses, repeats, reorders, changes and forges. */
#include "rendezvous_pair.h"
#include "station/rendezvous/tunnel_private.h"

#include <string.h>

static gboolean
say (Pair *pair, Tunnel *tunnel, const char *text)
{
  return tunnel_send (tunnel, text, strlen (text), pair->now);
}

static void
test_conversation (void)
{
  Pair pair;
  pair_open (&pair);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_OPENING);
  g_assert_true (say (&pair, pair.page, "{\"type\":\"ping\"}"));
  pair_flow (&pair);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_OPEN);
  g_assert_true (say (&pair, pair.station, "{\"type\":\"hello\",\"x\":\"Mường Mẫu\"}"));
  pair_flow (&pair);
  g_assert_cmpuint (pair.at_station->len, ==, 1);
  g_assert_cmpstr (pair.at_page->pdata[0], ==, "{\"type\":\"hello\",\"x\":\"Mường Mẫu\"}");
  tunnel_close (pair.page, pair.now);
  pair_flow (&pair);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_CLOSED);
  pair_end (&pair);
}

/* The largest message, and one that is too large. */
static void
test_sizes (void)
{
  Pair pair;
  pair_open (&pair);
  g_autofree char *large = g_strnfill (TUNNEL_MESSAGE_MAX, 'x');
  g_assert_true (tunnel_send (pair.page, large, TUNNEL_MESSAGE_MAX, pair.now));
  g_assert_false (tunnel_send (pair.page, large, TUNNEL_MESSAGE_MAX + 1, pair.now));
  pair_flow (&pair);
  g_assert_cmpstr (pair.at_station->pdata[0], ==, large);
  /* Who takes nothing is given up, and what waits stays bounded. */
  guint waiting = 0;
  while (tunnel_send (pair.station, large, TUNNEL_MESSAGE_MAX, pair.now))
    g_assert_cmpuint (++waiting, <=, TUNNEL_WAITING_BYTES / TUNNEL_MESSAGE_MAX);
  pair_end (&pair);
}

static void
test_silence (void)
{
  Pair pair;
  pair_open (&pair);
  say (&pair, pair.page, "{}");
  pair_flow (&pair);
  /* Kept alive by nothing but frames of both ends. */
  for (gint64 end = pair.now + 120 * G_USEC_PER_SEC; pair.now < end; pair.now += 100000) {
    tunnel_tick (pair.page, pair.now);
    tunnel_tick (pair.station, pair.now);
    pair_flow (&pair);
  }
  g_assert_cmpint (tunnel_state (pair.page), ==, TUNNEL_OPEN);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_OPEN);
  say (&pair, pair.page, "{\"late\":1}");
  pair.now += TUNNEL_SILENCE_US;
  tunnel_tick (pair.station, pair.now);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_LOST);
  g_assert_cmpuint (pair_flow (&pair), ==, 0); /* what was held back so long is too late */
  pair_end (&pair);
}

static void
test_wrong_secret (void)
{
  Pair pair;
  g_autofree char *answer = pair_begin (&pair, "another secret", PAIR_SECRET);
  g_assert_true (tunnel_receive (pair.page, answer, strlen (answer), pair.now));
  say (&pair, pair.page, "{\"type\":\"join\"}");
  g_assert_cmpuint (pair_flow (&pair), ==, 0);
  g_assert_cmpint (tunnel_state (pair.station), ==, TUNNEL_OPENING);
  g_assert_cmpuint (tunnel_figures (pair.station)->refused, ==, 1);
  pair_end (&pair);
}

static void
test_refusal (void)
{
  Pair pair;
  g_auto (TunnelOpening) opening = { 0 };
  g_autofree char *open = NULL;
  json_auto_t *keys = pair_epoch_keys ();
  g_autofree char *answer = pair_begin (&pair, PAIR_SECRET, PAIR_SECRET);
  TunnelEnds ends = { g_strdup (PAIR_STATION), g_strdup ("gone"), pair_client (), NULL };
  g_autoptr (Tunnel) page = tunnel_dial (&ends, PAIR_SECRET, json_array_get (keys, 0), pair.now,
                                         &pair_events, &pair, &open, NULL);
  g_assert_true (
      tunnel_opening_read (open, strlen (open), PAIR_STATION, "gone", keys, &opening, NULL));
  g_autofree char *no = tunnel_opening_refuse (&opening, "no-such", NULL);
  g_assert_false (tunnel_receive (pair.page, no, strlen (no), pair.now)); /* another's */
  g_assert_true (tunnel_receive (page, no, strlen (no), pair.now));
  g_assert_cmpint (tunnel_state (page), ==, TUNNEL_REFUSED);
  g_assert_cmpstr (tunnel_why (page), ==, "no-such");
  pair_end (&pair);
}

/* An opening for one place is none for another. */
static void
test_opening_is_bound (void)
{
  Pair pair;
  g_autofree char *open = NULL;
  json_auto_t *keys = pair_epoch_keys (), *others = pair_epoch_keys ();
  TunnelEnds ends = { g_strdup (PAIR_STATION), g_strdup (PAIR_BOX), pair_client (), NULL };
  g_autoptr (Tunnel) page = tunnel_dial (&ends, PAIR_SECRET, json_array_get (keys, 0), 1,
                                         &pair_events, &pair, &open, NULL);
  static const struct {
    const char *station, *box;
    gboolean own_keys, good;
  } cases[] = { { PAIR_STATION, PAIR_BOX, TRUE, TRUE },
                { PAIR_STATION, PAIR_BOX, FALSE, FALSE },
                { PAIR_STATION, "desk", TRUE, FALSE },
                { "ta-van", PAIR_BOX, TRUE, FALSE } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (TunnelOpening) opening = { 0 };
    g_assert_cmpint (tunnel_opening_read (open, strlen (open), cases[i].station, cases[i].box,
                                          cases[i].own_keys ? keys : others, &opening, NULL),
                     ==, cases[i].good);
  }
}

/* ---- A bad network ---------------------------------------------------------------------------
 */

static void
lose_some (Pair *pair, GQueue *queue, Tunnel *to, GRand *dice)
{
  for (guint i = g_queue_get_length (queue); i > 0; i--) {
    g_autoptr (GBytes) frame = g_queue_pop_nth (
        queue, (guint)g_rand_int_range (dice, 0, (gint32)g_queue_get_length (queue)));
    double fate = g_rand_double (dice);
    if (fate < 0.25)
      continue;
    if (fate < 0.4)
      g_queue_push_tail (queue, g_bytes_ref (frame)); /* and once more */
    if (fate < 0.5) {
      g_queue_push_tail (queue, g_bytes_ref (frame)); /* later */
      continue;
    }
    pair_give (pair, to, frame);
  }
}

static void
say_next (Pair *pair, Tunnel *tunnel, guint *said)
{
  g_autofree char *text = g_strdup_printf ("{\"no\":%u}", *said);
  g_assert_true (say (pair, tunnel, text));
  ++*said;
}

static void
check_all (const GPtrArray *messages)
{
  for (guint i = 0; i < messages->len; i++) {
    g_autofree char *expected = g_strdup_printf ("{\"no\":%u}", i);
    g_assert_cmpstr (messages->pdata[i], ==, expected);
  }
}

static void
test_bad_network (void)
{
  for (guint32 seed = 1; seed <= 20; seed++) {
    Pair pair;
    guint page = 0, station = 0;
    g_autoptr (GRand) dice = g_rand_new_with_seed (seed);
    pair_open (&pair);
    say_next (&pair, pair.page, &page);
    pair_flow (&pair);
    for (guint step = 0; step < 6000 && (pair.at_station->len < 300 || pair.at_page->len < 300);
         step++, pair.now += 20000) {
      if (page < 300 && g_rand_boolean (dice))
        say_next (&pair, pair.page, &page);
      if (station < 300 && g_rand_boolean (dice))
        say_next (&pair, pair.station, &station);
      lose_some (&pair, &pair.to_station, pair.station, dice);
      lose_some (&pair, &pair.to_page, pair.page, dice);
      tunnel_tick (pair.page, pair.now);
      tunnel_tick (pair.station, pair.now);
    }
    g_assert_cmpuint (pair.at_page->len, ==, 300);
    g_assert_cmpuint (pair.at_station->len, ==, 300);
    check_all (pair.at_page);
    check_all (pair.at_station);
    g_assert_cmpuint (tunnel_figures (pair.page)->repeated, >, 0);
    g_assert_cmpuint (tunnel_figures (pair.page)->replayed, >, 0);
    pair_end (&pair);
  }
}

/* ---- A broker that lies ------------------------------------------------------------------------
 */

static GBytes *
change (GBytes *frame, GRand *dice)
{
  gsize size;
  char *text = g_memdup2 (g_bytes_get_data (frame, &size), g_bytes_get_size (frame));
  switch (g_rand_int_range (dice, 0, 4)) {
  case 0:
    text[g_rand_int_range (dice, 0, (gint32)size)] ^= (char)(1 << g_rand_int_range (dice, 0, 8));
    break;
  case 1:
    text[g_rand_int_range (dice, 0, (gint32)size)]
        = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."[g_rand_int_range (
            dice, 0, 65)];
    break;
  case 2:
    size = (gsize)g_rand_int_range (dice, 0, (gint32)size);
    break;
  default:
    memmove (text + size / 3, text + size / 2, size / 4);
  }
  return g_bytes_new_take (text, size);
}

/* Each frame is followed by forgeries of it; only the frame itself counts, once. */
static void
test_evil (void)
{
  const char *wanted = g_getenv ("NHIPCAU_EVIL");
  guint rounds = wanted != NULL ? (guint)g_ascii_strtoull (wanted, NULL, 10) / 6 : 700, forged = 0;
  Pair pair, other;
  g_autoptr (GRand) dice = g_rand_new_with_seed (6);
  g_autoptr (GPtrArray) seen = g_ptr_array_new_with_free_func (pair_drop);
  pair_open (&pair);
  pair_open (&other);
  for (guint i = 0; i < rounds; i++, pair.now += 10000, other.now = pair.now) {
    gboolean page = i % 2 == 0;
    Tunnel *to = page ? pair.station : pair.page;
    g_autofree char *text = g_strdup_printf ("{\"no\":%u}", i);
    g_assert_true (say (&pair, page ? pair.page : pair.station, text));
    GQueue *queue = page ? &pair.to_station : &pair.to_page;
    g_autoptr (GBytes) frame = g_queue_pop_tail (queue);
    for (guint j = 0; j < 3; j++, forged++) {
      g_autoptr (GBytes) changed = change (frame, dice);
      if (!g_bytes_equal (changed, frame))
        g_assert_false (pair_give (&pair, to, changed));
    }
    g_assert_false (pair_give (&other, page ? other.station : other.page, frame)); /* crossed */
    g_assert_false (pair_give (&pair, page ? pair.page : pair.station, frame));    /* sent back */
    g_assert_true (pair_give (&pair, to, frame));
    g_ptr_array_add (seen, g_bytes_ref (frame));
    GBytes *old = seen->pdata[g_rand_int_range (dice, 0, (gint32)seen->len)];
    g_assert_false (pair_give (&pair, pair.station, old));
    g_assert_false (pair_give (&pair, pair.page, old));
    forged += 4;
    tunnel_tick (pair.page, pair.now);
    tunnel_tick (pair.station, pair.now);
    pair_flow (&pair);
  }
  g_test_message ("%u forged frames, none accepted", forged);
  g_assert_cmpuint (pair.at_station->len + pair.at_page->len, ==, rounds);
  pair_end (&pair);
  pair_end (&other);
}

/* Every letter of a frame: another letter, and the frame is nobody's. */
static void
test_every_letter (void)
{
  Pair pair;
  pair_open (&pair);
  say (&pair, pair.page, "{\"type\":\"ping\",\"id\":1}");
  g_autoptr (GBytes) frame = g_queue_pop_tail (&pair.to_station);
  gsize size;
  const char *text = g_bytes_get_data (frame, &size);
  for (gsize i = 0; i < size; i++)
    for (const char *letter = "AQgw_."; *letter != '\0'; letter++) {
      g_autofree char *copy = g_strndup (text, size);
      if (copy[i] == *letter)
        continue;
      copy[i] = *letter;
      g_assert_false (tunnel_receive (pair.station, copy, size, pair.now));
    }
  for (gsize length = 0; length < size; length++)
    g_assert_false (tunnel_receive (pair.station, text, length, pair.now));
  g_assert_true (tunnel_receive (pair.station, text, size, pair.now));
  pair_end (&pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tunnel/conversation", test_conversation);
  g_test_add_func ("/tunnel/sizes", test_sizes);
  g_test_add_func ("/tunnel/silence", test_silence);
  g_test_add_func ("/tunnel/wrong-secret", test_wrong_secret);
  g_test_add_func ("/tunnel/refusal", test_refusal);
  g_test_add_func ("/tunnel/opening-is-bound", test_opening_is_bound);
  g_test_add_func ("/tunnel/bad-network", test_bad_network);
  g_test_add_func ("/tunnel/evil", test_evil);
  g_test_add_func ("/tunnel/every-letter", test_every_letter);
  return g_test_run ();
}
