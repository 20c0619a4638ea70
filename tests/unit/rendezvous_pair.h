/* A page and a station with a broker between them that does what a test wants. Shared by the tests
 * of rendezvous and its fuzzer. */
#pragma once
#include "certs/issue.h"
#include "station/rendezvous/switchboard.h"

#define PAIR_STATION "muong-mau"
#define PAIR_BOX "invite0123456789"
#define PAIR_SECRET "secret-secret-secret-secret-1234"

typedef struct {
  Tunnel *page, *station;
  GQueue to_page, to_station;      /* GBytes*, frames under way */
  GPtrArray *at_page, *at_station; /* char*, messages that were delivered */
  gint64 now;
} Pair;

static inline void
pair_drop (void *bytes)
{
  g_bytes_unref (bytes);
}

static inline void
pair_publish (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
  Pair *pair = arg;
  g_queue_push_tail (tunnel == pair->page ? &pair->to_station : &pair->to_page,
                     g_bytes_new (text, length));
}

static inline void
pair_message (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
  Pair *pair = arg;
  g_ptr_array_add (tunnel == pair->page ? pair->at_page : pair->at_station,
                   g_strndup (text, length));
}

static const TunnelEvents pair_events = { .publish = pair_publish, .message = pair_message };

static inline json_t *
pair_epoch_keys (void)
{
  json_t *key = jose_ecdh_key_new (NULL);
  g_autofree char *kid = jose_thumbprint (key);
  json_object_set_new (key, "kid", json_string (kid));
  return json_pack ("[o]", key);
}

static inline char *
pair_client (void)
{
  guint8 bytes[16];
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8)g_random_int ();
  return jose_base64url (bytes, sizeof bytes);
}

/* Both ends, the answer not yet given to the page. */
static inline char *
pair_begin (Pair *pair, const char *page_secret, const char *station_secret)
{
  char *answer = NULL;
  g_autofree char *open = NULL;
  g_auto (TunnelOpening) opening = { 0 };
  json_auto_t *keys = pair_epoch_keys ();
  *pair = (Pair){ .now = G_USEC_PER_SEC };
  g_queue_init (&pair->to_page);
  g_queue_init (&pair->to_station);
  pair->at_page = g_ptr_array_new_with_free_func (g_free);
  pair->at_station = g_ptr_array_new_with_free_func (g_free);
  TunnelEnds ends = { g_strdup (PAIR_STATION), g_strdup (PAIR_BOX), pair_client (), NULL };
  pair->page = tunnel_dial (&ends, page_secret, json_array_get (keys, 0), pair->now, &pair_events,
                            pair, &open, NULL);
  g_assert_nonnull (pair->page);
  g_assert_true (
      tunnel_opening_read (open, strlen (open), PAIR_STATION, PAIR_BOX, keys, &opening, NULL));
  pair->station
      = tunnel_accept (&opening, station_secret, pair->now, &pair_events, pair, &answer, NULL);
  g_assert_nonnull (pair->station);
  return answer;
}

static inline void
pair_open (Pair *pair)
{
  g_autofree char *answer = pair_begin (pair, PAIR_SECRET, PAIR_SECRET);
  g_assert_true (tunnel_receive (pair->page, answer, strlen (answer), pair->now));
  g_assert_cmpint (tunnel_state (pair->page), ==, TUNNEL_OPEN);
}

static inline void
pair_end (Pair *pair)
{
  tunnel_free (pair->page);
  tunnel_free (pair->station);
  g_queue_clear_full (&pair->to_page, pair_drop);
  g_queue_clear_full (&pair->to_station, pair_drop);
  g_ptr_array_unref (pair->at_page);
  g_ptr_array_unref (pair->at_station);
}

static inline gboolean
pair_give (Pair *pair, Tunnel *to, GBytes *frame)
{
  gsize length;
  const char *text = g_bytes_get_data (frame, &length);
  return tunnel_receive (to, text, length, pair->now);
}

/* All that is under way arrives; how many frames were accepted. */
static inline guint
pair_flow (Pair *pair)
{
  guint accepted = 0;
  for (;;) {
    gboolean page = !g_queue_is_empty (&pair->to_page);
    g_autoptr (GBytes) frame = g_queue_pop_head (page ? &pair->to_page : &pair->to_station);
    if (frame == NULL)
      return accepted;
    accepted += pair_give (pair, page ? pair->page : pair->station, frame);
  }
}
