/* All tunnels of a station, and what it says in public. */
#include "rendezvous_pair.h"

#include <string.h>

typedef struct {
  char *topic, *text;
  gboolean retain;
} Sent;

typedef struct {
  Switchboard *board;
  EVP_PKEY *key;
  char *key_hash;
  GPtrArray *sent; /* Sent* */
  guint opened, closed;
  GString *heard;
  Tunnel *newest;
  gint64 now;
} Site;

static void
sent_free (void *data)
{
  Sent *sent = data;
  g_free (sent->topic);
  g_free (sent->text);
  g_free (sent);
}

static void
site_publish (const char *topic, const char *text, gsize length, gboolean retain, void *arg)
{
  Sent *sent = g_new (Sent, 1);
  *sent = (Sent){ g_strdup (topic), g_strndup (text, length), retain };
  g_ptr_array_add (((Site *)arg)->sent, sent);
}

static char *
site_secret (const char *box, void *arg)
{
  if (g_str_equal (box, SWITCHBOARD_DESK))
    return g_strdup ("");
  return g_str_equal (box, PAIR_BOX) ? g_strdup (PAIR_SECRET) : NULL;
}

static void *
site_opened (Tunnel *tunnel, void *arg)
{
  Site *site = arg;
  site->opened++;
  site->newest = tunnel;
  return site;
}

static void
site_message (void *line, const char *text, gsize length, void *arg)
{
  g_string_append_len (((Site *)line)->heard, text, (gssize)length);
}

static void
site_closed (void *line, void *arg)
{
  ((Site *)line)->closed++;
}

static const SwitchboardEvents site_events
    = { site_publish, site_secret, site_opened, site_message, site_closed };

static void
site_begin (Site *site)
{
  *site = (Site){ .now = g_get_monotonic_time (),
                  .key = issue_key (NULL),
                  .sent = g_ptr_array_new_with_free_func (sent_free),
                  .heard = g_string_new (NULL) };
  json_auto_t *jwk = jose_from_evp (site->key, NULL);
  site->key_hash = jose_thumbprint (jwk);
  site->board = switchboard_new (PAIR_STATION, site->key, 100, &site_events, site, NULL);
  g_autofree char *will = switchboard_will (site->board, NULL);
  g_assert_nonnull (will);
  switchboard_connected (site->board, site->now, 0);
}

static void
site_end (Site *site)
{
  switchboard_free (site->board);
  EVP_PKEY_free (site->key);
  g_free (site->key_hash);
  g_ptr_array_unref (site->sent);
  g_string_free (site->heard, TRUE);
}

static const Sent *
newest (const Site *site)
{
  return site->sent->len > 0 ? site->sent->pdata[site->sent->len - 1] : NULL;
}

static json_t *
read_presence (const Site *site, PresenceReader *reader, const char *text)
{
  g_clear_pointer (&reader->key_hash, g_free);
  reader->key_hash = g_strdup (site->key_hash);
  if (reader->station == NULL)
    reader->station = g_strdup (PAIR_STATION);
  return presence_read (reader, text, strlen (text), NULL);
}

/* ---- A page at the other side -----------------------------------------------------------------
 */

typedef struct {
  Site *site;
  Tunnel *tunnel;
  char *open, *client, *topic;
} Caller;

static void
caller_publish (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
  Caller *caller = arg;
  switchboard_receive (caller->site->board, caller->topic, text, length, caller->site->now);
}

static void
caller_message (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
}

static const TunnelEvents caller_events = { caller_publish, caller_message };

static void
caller_begin (Caller *caller, Site *site, const char *box, const char *secret)
{
  PresenceReader reader = { 0 };
  json_auto_t *presence = NULL;
  for (guint i = 0; i < site->sent->len; i++) {
    const Sent *sent = site->sent->pdata[i];
    if (!sent->retain || !g_str_has_suffix (sent->topic, "/presence"))
      continue;
    json_decref (presence);
    presence = read_presence (site, &reader, sent->text);
  }
  presence_reader_clear (&reader);
  *caller = (Caller){ .site = site, .client = pair_client () };
  caller->topic = g_strdup_printf ("nhipcau/1/" PAIR_STATION "/in/%s", caller->client);
  TunnelEnds ends = { g_strdup (PAIR_STATION), g_strdup (box), g_strdup (caller->client), NULL };
  caller->tunnel = tunnel_dial (&ends, secret, json_object_get (presence, "key"), site->now,
                                &caller_events, caller, &caller->open, NULL);
  g_assert_nonnull (caller->tunnel);
}

static void
caller_end (Caller *caller)
{
  tunnel_free (caller->tunnel);
  g_free (caller->open);
  g_free (caller->client);
  g_free (caller->topic);
}

static void
knock (Caller *caller, const char *box)
{
  g_autofree char *topic = g_strdup_printf ("nhipcau/1/" PAIR_STATION "/open/%s", box);
  switchboard_receive (caller->site->board, topic, caller->open, strlen (caller->open),
                       caller->site->now);
}

static gboolean
take_answer (Caller *caller)
{
  const Sent *sent = newest (caller->site);
  return tunnel_receive (caller->tunnel, sent->text, strlen (sent->text), caller->site->now);
}

static void
speak (Caller *caller, const char *text)
{
  g_assert_true (tunnel_send (caller->tunnel, text, strlen (text), caller->site->now));
}

/* ---- Tests ------------------------------------------------------------------------------------
 */

static void
test_call (void)
{
  Site site;
  Caller caller;
  site_begin (&site);
  caller_begin (&caller, &site, PAIR_BOX, PAIR_SECRET);
  knock (&caller, PAIR_BOX);
  g_assert_cmpuint (site.opened, ==, 0); /* nobody has shown that he knows the secret */
  g_assert_true (take_answer (&caller));
  speak (&caller, "{\"type\":\"join\"}");
  g_assert_cmpuint (site.opened, ==, 1);
  g_assert_cmpstr (site.heard->str, ==, "{\"type\":\"join\"}");
  g_assert_cmpstr (tunnel_ends (site.newest)->box, ==, PAIR_BOX);
  tunnel_close (caller.tunnel, site.now);
  g_assert_cmpuint (site.closed, ==, 1);
  g_assert_false (switchboard_is_busy (site.board));
  caller_end (&caller);
  site_end (&site);
}

static void
test_replayed_opening (void)
{
  Site site;
  Caller caller;
  SwitchboardFigures figures;
  site_begin (&site);
  caller_begin (&caller, &site, PAIR_BOX, PAIR_SECRET);
  knock (&caller, PAIR_BOX);
  guint sent = site.sent->len;
  for (guint i = 0; i < 3; i++)
    knock (&caller, PAIR_BOX);
  /* The same, written down otherwise. */
  g_autofree char *spaced = g_strconcat ("{ ", caller.open + 1, NULL);
  switchboard_receive (site.board, "nhipcau/1/" PAIR_STATION "/open/" PAIR_BOX, spaced,
                       strlen (spaced), site.now);
  g_assert_cmpuint (site.sent->len, ==, sent);
  switchboard_figures (site.board, &figures);
  g_assert_cmpuint (figures.openings, ==, 1);
  g_assert_cmpuint (figures.openings_replayed, ==, 4);
  knock (&caller, "desk"); /* at another box */
  switchboard_figures (site.board, &figures);
  g_assert_cmpuint (figures.openings_refused, ==, 1);
  caller_end (&caller);
  site_end (&site);
}

static void
test_unknown_box (void)
{
  Site site;
  Caller caller;
  site_begin (&site);
  caller_begin (&caller, &site, "nothing", PAIR_SECRET);
  knock (&caller, "nothing");
  g_assert_true (take_answer (&caller));
  g_assert_cmpint (tunnel_state (caller.tunnel), ==, TUNNEL_REFUSED);
  g_assert_cmpstr (tunnel_why (caller.tunnel), ==, "no-such");
  caller_end (&caller);
  site_end (&site);
}

/* A flood of openings: bounded work, bounded memory, and those inside go on. */
static void
test_flood (void)
{
  Site site;
  Caller good;
  SwitchboardFigures figures;
  site_begin (&site);
  caller_begin (&good, &site, PAIR_BOX, PAIR_SECRET);
  knock (&good, PAIR_BOX);
  g_assert_true (take_answer (&good));
  speak (&good, "{\"first\":1}");
  for (guint i = 0; i < 400; i++) {
    Caller bad;
    caller_begin (&bad, &site, SWITCHBOARD_DESK, "");
    knock (&bad, SWITCHBOARD_DESK);
    caller_end (&bad);
    site.now += 1000;
  }
  switchboard_figures (site.board, &figures);
  g_assert_cmpuint (figures.openings_limited, >, 300);
  g_assert_cmpuint (figures.half_open, <=, SWITCHBOARD_HALF_OPEN);
  speak (&good, "{\"second\":2}");
  g_assert_cmpstr (site.heard->str, ==, "{\"first\":1}{\"second\":2}");
  for (guint i = 0; i < 100; i++, site.now += 200000)
    switchboard_tick (site.board, site.now, 0);
  switchboard_figures (site.board, &figures);
  g_assert_cmpuint (figures.half_open, ==, 0);
  caller_end (&good);
  site_end (&site);
}

/* A page that is loaded again and again leaves no more than eight tunnels behind. */
static void
test_reloads (void)
{
  Site site;
  Caller callers[20];
  SwitchboardFigures figures;
  site_begin (&site);
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++, site.now += G_USEC_PER_SEC) {
    caller_begin (&callers[i], &site, PAIR_BOX, PAIR_SECRET);
    knock (&callers[i], PAIR_BOX);
    g_assert_true (take_answer (&callers[i]));
    speak (&callers[i], "{}");
  }
  switchboard_figures (site.board, &figures);
  g_assert_cmpuint (figures.tunnels, ==, SWITCHBOARD_PER_BOX);
  g_assert_cmpuint (site.opened - site.closed, ==, SWITCHBOARD_PER_BOX);
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
    caller_end (&callers[i]);
  site_end (&site);
}

/* Strangers can fill the desk's box; invitations still open. */
static void
test_full_desk (void)
{
  Site site;
  Caller callers[SWITCHBOARD_DESKS + 1], guest;
  site_begin (&site);
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++, site.now += G_USEC_PER_SEC / 10) {
    caller_begin (&callers[i], &site, SWITCHBOARD_DESK, "");
    knock (&callers[i], SWITCHBOARD_DESK);
    g_assert_true (take_answer (&callers[i]));
    if (i < SWITCHBOARD_DESKS)
      speak (&callers[i], "{}");
  }
  g_assert_cmpstr (tunnel_why (callers[SWITCHBOARD_DESKS].tunnel), ==, "busy");
  caller_begin (&guest, &site, PAIR_BOX, PAIR_SECRET);
  knock (&guest, PAIR_BOX);
  g_assert_true (take_answer (&guest));
  speak (&guest, "{\"in\":1}");
  g_assert_cmpuint (site.opened, ==, SWITCHBOARD_DESKS + 1);
  caller_end (&guest);
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
    caller_end (&callers[i]);
  site_end (&site);
}

static void
test_presence (void)
{
  Site site;
  PresenceReader reader = { 0 };
  site_begin (&site);
  const Sent *first = newest (&site);
  g_assert_true (first->retain);
  json_auto_t *here = read_presence (&site, &reader, first->text);
  g_assert_cmpstr (json_string_value (json_object_get (here, "state")), ==, "here");
  g_assert_null (read_presence (&site, &reader, first->text)); /* had */
  g_autofree char *will = switchboard_will (site.board, NULL); /* of the next connection */
  switchboard_connected (site.board, site.now, 0);
  json_auto_t *back = read_presence (&site, &reader, newest (&site)->text);
  g_assert_cmpint (json_integer_value (json_object_get (back, "link")), ==, 2);
  json_auto_t *gone = read_presence (&site, &reader, will);
  g_assert_cmpstr (json_string_value (json_object_get (gone, "state")), ==, "gone");
  g_assert_null (json_object_get (gone, "key"));
  g_assert_null (read_presence (&site, &reader, newest (&site)->text)); /* after its own end */
  /* Another start of the program counts, however few links it had. */
  g_autoptr (Switchboard) again
      = switchboard_new (PAIR_STATION, site.key, 101, &site_events, &site, NULL);
  g_autofree char *next = switchboard_will (again, NULL);
  switchboard_connected (again, site.now, 0);
  json_auto_t *anew = read_presence (&site, &reader, newest (&site)->text);
  g_assert_nonnull (anew);
  presence_reader_clear (&reader);
  site_end (&site);
}

static void
test_foreign_presence (void)
{
  Site site, other;
  PresenceReader reader = { 0 };
  site_begin (&site);
  site_begin (&other); /* the same name, another key */
  g_assert_null (read_presence (&site, &reader, newest (&other)->text));
  const char *text = newest (&site)->text;
  for (gsize i = 0; i < strlen (text); i++) {
    g_autofree char *copy = g_strdup (text);
    copy[i] = copy[i] == 'A' ? 'B' : 'A';
    g_assert_null (read_presence (&site, &reader, copy));
  }
  json_auto_t *good = read_presence (&site, &reader, text);
  g_assert_nonnull (good);
  presence_reader_clear (&reader);
  site_end (&site);
  site_end (&other);
}

static void
test_rings (void)
{
  Site site;
  PresenceReader reader = { .station = g_strdup (PAIR_STATION), .desk = g_strdup ("bv-a") };
  PresenceReader elsewhere = { .station = g_strdup (PAIR_STATION), .desk = g_strdup ("bv-b") };
  site_begin (&site);
  json_auto_t *calls
      = json_pack ("[{s:s, s:s}]", "call", "c1", "since", "2026-11-27T03:00:00.000Z");
  switchboard_ring (site.board, "bv-a", calls);
  site.now += 2 * G_USEC_PER_SEC;
  switchboard_tick (site.board, site.now, 0);
  const Sent *sent = newest (&site);
  g_assert_cmpstr (sent->topic, ==, "nhipcau/1/" PAIR_STATION "/ring/bv-a");
  g_assert_true (sent->retain);
  g_assert_null (read_presence (&site, &elsewhere, sent->text));
  json_auto_t *ring = read_presence (&site, &reader, sent->text);
  g_assert_cmpuint (json_array_size (json_object_get (ring, "calls")), ==, 1);
  guint count = site.sent->len;
  switchboard_ring (site.board, "bv-a", calls); /* as before */
  site.now += 2 * G_USEC_PER_SEC;
  switchboard_tick (site.board, site.now, 0);
  g_assert_cmpuint (site.sent->len, ==, count);
  switchboard_leave (site.board, 0);
  json_auto_t *ended = read_presence (&site, &reader, ((Sent *)site.sent->pdata[count])->text);
  g_assert_cmpuint (json_array_size (json_object_get (ended, "calls")), ==, 0);
  g_assert_true (g_str_has_suffix (newest (&site)->topic, "/presence"));
  presence_reader_clear (&reader);
  presence_reader_clear (&elsewhere);
  site_end (&site);
}

/* An hour later there is another key; the old one opens for five minutes, its openings count once.
 */
static void
test_key_renewal (void)
{
  Site site;
  Caller early, late, twice;
  site_begin (&site);
  caller_begin (&early, &site, PAIR_BOX, PAIR_SECRET);
  caller_begin (&late, &site, PAIR_BOX, PAIR_SECRET);
  caller_begin (&twice, &site, PAIR_BOX, PAIR_SECRET);
  knock (&twice, PAIR_BOX);
  site.now += G_TIME_SPAN_HOUR + G_USEC_PER_SEC;
  switchboard_tick (site.board, site.now, 0);
  guint sent = site.sent->len;
  knock (&twice, PAIR_BOX);
  g_assert_cmpuint (site.sent->len, ==, sent);
  knock (&early, PAIR_BOX);
  g_assert_true (take_answer (&early));
  site.now += 5 * G_TIME_SPAN_MINUTE;
  switchboard_tick (site.board, site.now, 0);
  sent = site.sent->len;
  knock (&late, PAIR_BOX);
  g_assert_cmpuint (site.sent->len, ==, sent);
  caller_end (&early);
  caller_end (&late);
  caller_end (&twice);
  site_end (&site);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/switchboard/call", test_call);
  g_test_add_func ("/switchboard/replayed-opening", test_replayed_opening);
  g_test_add_func ("/switchboard/unknown-box", test_unknown_box);
  g_test_add_func ("/switchboard/flood", test_flood);
  g_test_add_func ("/switchboard/reloads", test_reloads);
  g_test_add_func ("/switchboard/full-desk", test_full_desk);
  g_test_add_func ("/switchboard/key-renewal", test_key_renewal);
  g_test_add_func ("/presence/order", test_presence);
  g_test_add_func ("/presence/foreign", test_foreign_presence);
  g_test_add_func ("/presence/rings", test_rings);
  return g_test_run ();
}
