/* Who may hold connections, who goes, who asks too much. */
#include "station/crowd.h"

#define SECOND G_USEC_PER_SEC

typedef struct {
  Crowd *crowd;
  CrowdMember *members[1024]; /* NULL: gone */
  gboolean known[1024];
  guint dropped, last;
} Hall;

static void
drop (void *who, void *arg)
{
  Hall *hall = arg;
  guint i = GPOINTER_TO_UINT (who);
  g_assert_nonnull (hall->members[i]);
  crowd_leave (hall->members[i]);
  hall->members[i] = NULL;
  hall->dropped++;
  hall->last = i;
}

static gboolean
is_known (void *who, void *arg)
{
  return ((Hall *)arg)->known[GPOINTER_TO_UINT (who)];
}

static const CrowdEvents events = { .drop = drop, .is_known = is_known };

static void
open_hall (Hall *hall)
{
  *hall = (Hall){ 0 };
  hall->crowd = crowd_new (&events, hall);
}

static CrowdAnswer
come (Hall *hall, guint i, const char *address, gint64 now)
{
  CrowdAnswer answer = crowd_may_enter (hall->crowd, address, now);
  if (answer == CROWD_WELCOME)
    hall->members[i] = crowd_enter (hall->crowd, address, GUINT_TO_POINTER (i), now);
  return answer;
}

static void
close_hall (Hall *hall)
{
  CrowdFigures figures;
  for (guint i = 0; i < G_N_ELEMENTS (hall->members); i++)
    if (hall->members[i] != NULL)
      crowd_leave (hall->members[i]);
  crowd_figures (hall->crowd, &figures);
  g_assert_cmpuint (figures.local + figures.elsewhere, ==, 0);
  crowd_free (hall->crowd);
}

static char *
address_of (guint i)
{
  return g_strdup_printf ("10.0.%u.%u", i / 250, i % 250 + 1);
}

/* Fills the room for others, each from an address of its own; they come 10 ms apart. */
static gint64
fill (Hall *hall, gint64 now)
{
  for (guint i = 0; i < CROWD_ELSEWHERE; i++, now += SECOND / 100) {
    g_autofree char *address = address_of (i);
    g_assert_cmpint (come (hall, i, address, now), ==, CROWD_WELCOME);
  }
  return now;
}

static void
test_address (void)
{
  Hall hall;
  gint64 now = 1000 * SECOND;
  open_hall (&hall);
  for (guint i = 0; i < CROWD_PER_ADDRESS; i++)
    g_assert_cmpint (come (&hall, i, "10.1.1.1", now), ==, CROWD_WELCOME);
  g_assert_cmpint (come (&hall, 900, "10.1.1.1", now), ==, CROWD_ADDRESS_FULL);
  g_assert_cmpint (come (&hall, 900, "10.1.1.2", now), ==, CROWD_WELCOME);
  crowd_leave (g_steal_pointer (&hall.members[3]));
  g_assert_cmpint (come (&hall, 3, "10.1.1.1", now), ==, CROWD_WELCOME);
  /* One net of IPv6 is one address; another one is not. */
  for (guint i = 100; i < 100 + CROWD_PER_ADDRESS; i++) {
    g_autofree char *address = g_strdup_printf ("2001:db8:0:1::%x", i);
    g_assert_cmpint (come (&hall, i, address, now), ==, CROWD_WELCOME);
  }
  g_assert_cmpint (come (&hall, 901, "2001:db8:0:1:ffff::1", now), ==, CROWD_ADDRESS_FULL);
  g_assert_cmpint (come (&hall, 901, "2001:db8:0:2::1", now), ==, CROWD_WELCOME);
  close_hall (&hall);
}

/* Who comes and goes all the time is slowed down, and is welcome again later. */
static void
test_arrivals (void)
{
  Hall hall;
  gint64 now = 1000 * SECOND;
  open_hall (&hall);
  for (guint i = 0; i < CROWD_ARRIVALS; i++) {
    g_assert_cmpint (come (&hall, 0, "10.1.1.1", now), ==, CROWD_WELCOME);
    crowd_leave (g_steal_pointer (&hall.members[0]));
  }
  g_assert_cmpint (come (&hall, 0, "10.1.1.1", now), ==, CROWD_TOO_FAST);
  g_assert_cmpint (come (&hall, 0, "10.1.1.1", now + SECOND / CROWD_ARRIVALS_RATE), ==,
                   CROWD_WELCOME);
  /* This machine's own browser is never slowed down. */
  for (guint i = 1; i < 1 + CROWD_LOCAL / 2; i++)
    g_assert_cmpint (come (&hall, i, i % 2 ? "127.0.0.1" : "::1", now), ==, CROWD_WELCOME);
  for (guint i = 0; i < 2 * CROWD_REQUESTS; i++)
    g_assert_true (crowd_may_ask (hall.members[1], now));
  for (guint i = 0; i < CROWD_REQUESTS; i++)
    g_assert_true (crowd_may_ask (hall.members[0], now));
  g_assert_false (crowd_may_ask (hall.members[0], now));
  g_assert_true (crowd_may_ask (hall.members[0], now + SECOND));
  close_hall (&hall);
}

/* The silent ones go first, then the idle, then sockets of nobody; who is known, and who is being
 * answered, stays. */
static void
test_order (void)
{
  Hall hall;
  open_hall (&hall);
  gint64 now = fill (&hall, 1000 * SECOND);
  for (guint i = 0; i < CROWD_ELSEWHERE; i++)
    crowd_use (hall.members[i], CROWD_ASKING, now);
  g_assert_cmpint (come (&hall, 900, "10.9.9.9", now), ==, CROWD_FULL);
  crowd_use (hall.members[7], CROWD_SOCKET, now);
  crowd_use (hall.members[8], CROWD_SOCKET, now);
  hall.known[7] = TRUE;
  crowd_use (hall.members[20], CROWD_IDLE, now + 1);
  crowd_use (hall.members[21], CROWD_IDLE, now);
  crowd_use (hall.members[30], CROWD_SILENT, now + 2);
  static const guint order[] = { 30, 21, 20 };
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    g_assert_cmpint (come (&hall, 901 + i, "10.9.9.9", now + SECOND), ==, CROWD_WELCOME);
    crowd_use (hall.members[901 + i], CROWD_ASKING, now + SECOND);
    g_assert_cmpuint (hall.last, ==, order[i]);
  }
  /* A socket has its time until it is known who it is. */
  g_assert_cmpint (come (&hall, 910, "10.9.9.9", now + SECOND), ==, CROWD_FULL);
  now += (CROWD_GRACE_S + 1) * SECOND;
  g_assert_cmpint (come (&hall, 910, "10.9.9.9", now), ==, CROWD_WELCOME);
  crowd_use (hall.members[910], CROWD_ASKING, now);
  g_assert_cmpuint (hall.last, ==, 8);
  g_assert_cmpint (come (&hall, 911, "10.9.9.9", now), ==, CROWD_FULL);
  /* Who does not take an answer for minutes is no guest either. */
  now += CROWD_ANSWER_S * SECOND;
  g_assert_cmpint (come (&hall, 911, "10.9.9.9", now), ==, CROWD_WELCOME);
  g_assert_nonnull (hall.members[7]);
  close_hall (&hall);
}

/* Whatever others do, the doctor's own browser gets in, and what a guest has stays. */
static void
test_apart (void)
{
  Hall hall;
  CrowdFigures figures;
  open_hall (&hall);
  gint64 now = fill (&hall, 1000 * SECOND);
  crowd_use (hall.members[0], CROWD_SOCKET, now);
  hall.known[0] = TRUE;
  now += 60 * SECOND;
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *address = address_of (i % 5000);
    guint place = 1 + i % (CROWD_ELSEWHERE - 1);
    if (hall.members[place] == NULL)
      come (&hall, place, address, now);
    else
      g_assert_cmpint (crowd_may_enter (hall.crowd, address, now), !=, CROWD_ADDRESS_FULL);
  }
  g_assert_nonnull (hall.members[0]);
  for (guint i = 400; i < 400 + CROWD_LOCAL; i++)
    g_assert_cmpint (come (&hall, i, "127.0.0.1", now), ==, CROWD_WELCOME);
  crowd_figures (hall.crowd, &figures);
  g_assert_cmpuint (figures.local, ==, CROWD_LOCAL);
  g_assert_cmpuint (figures.elsewhere, <=, CROWD_ELSEWHERE);
  g_assert_cmpuint (figures.addresses, <=, CROWD_ADDRESSES + 1);
  close_hall (&hall);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crowd/address", test_address);
  g_test_add_func ("/crowd/arrivals", test_arrivals);
  g_test_add_func ("/crowd/order", test_order);
  g_test_add_func ("/crowd/apart", test_apart);
  return g_test_run ();
}
