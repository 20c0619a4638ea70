/* What comes from a broker, to a station and to a page. Input: a letter for the place, then the
 * payload. 'o': an opening; 'i': a frame to a station; 'p': one to a page;
 * 's': presence; 'r': a ring; 'O' 'I': JSON that is sealed as the opening or frame of somebody who
 * has the keys, so that what lies behind them is reached. */
#include "../unit/rendezvous_pair.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static Pair pair;
static json_t *keys;
static Switchboard *board;
static char *topic_open, *topic_in;

static void
nothing_published (const char *topic, const char *text, gsize length, gboolean retain, void *arg)
{
}

static char *
any_secret (const char *box, void *arg)
{
  return g_strdup (PAIR_SECRET);
}

static void *
any_opened (Tunnel *tunnel, void *arg)
{
  return &pair;
}

static void
any_message (void *line, const char *text, gsize length, void *arg)
{
  g_assert_cmpuint (length, <=, TUNNEL_MESSAGE_MAX);
}

static void
any_closed (void *line, void *arg)
{
}

static const SwitchboardEvents events
    = { nothing_published, any_secret, any_opened, any_message, any_closed };

static void
begin (void)
{
  keys = pair_epoch_keys ();
  pair_open (&pair);
  EVP_PKEY *key = issue_key (NULL);
  board = switchboard_new (PAIR_STATION, key, 1, &events, NULL, NULL);
  topic_open = g_strdup ("nhipcau/1/" PAIR_STATION "/open/" PAIR_BOX);
  topic_in = g_strdup_printf ("nhipcau/1/" PAIR_STATION "/in/%s", tunnel_ends (pair.page)->client);
}

static void
read_public (const char *text, gsize length, gboolean ring)
{
  PresenceReader reader = { .station = g_strdup (PAIR_STATION),
                            .desk = ring ? g_strdup ("desk-a") : NULL,
                            .key_hash = g_strdup ("no such key") };
  g_assert_null (presence_read (&reader, text, length, NULL));
  presence_reader_clear (&reader);
}

/* The form is right up to the payload: what is inside is the fuzzer's. */
static void
sealed_opening (const char *text, gsize length)
{
  const json_t *key = json_array_get (keys, 0);
  json_auto_t *header
      = json_pack ("{s:s, s:O}", "typ", "nhipcau-open+jwe", "kid", json_object_get (key, "kid"));
  json_auto_t *sealed = jose_seal_ecdh (key, header, text, length, NULL);
  char *open = sealed != NULL ? json_dumps (sealed, JSON_COMPACT) : NULL;
  g_auto (TunnelOpening) opening = { 0 };
  if (open != NULL)
    tunnel_opening_read (open, strlen (open), PAIR_STATION, PAIR_BOX, keys, &opening, NULL);
  free (open);
}

static void
sealed_message (const char *text, gsize length)
{
  g_ptr_array_set_size (pair.at_station, 0);
  if (tunnel_state (pair.page) != TUNNEL_OPEN || tunnel_state (pair.station) > TUNNEL_OPEN) {
    pair_end (&pair);
    pair_open (&pair);
  }
  tunnel_send (pair.page, text, length, pair.now);
  pair_flow (&pair);
  pair.now += G_USEC_PER_SEC / 5;
  tunnel_tick (pair.page, pair.now);
  tunnel_tick (pair.station, pair.now);
  pair_flow (&pair);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (keys == NULL)
    begin ();
  if (size < 1)
    return 0;
  const char *text = (const char *)data + 1;
  gsize length = size - 1;
  switch (data[0]) {
  case 'o':
    switchboard_receive (board, topic_open, text, length, g_get_monotonic_time ());
    break;
  case 'i':
    switchboard_receive (board, topic_in, text, length, g_get_monotonic_time ());
    g_assert_false (tunnel_receive (pair.station, text, length, pair.now));
    break;
  case 'p':
    g_assert_false (tunnel_receive (pair.page, text, length, pair.now));
    break;
  case 's':
  case 'r':
    read_public (text, length, data[0] == 'r');
    break;
  case 'O':
    sealed_opening (text, length);
    break;
  case 'I':
    sealed_message (text, length);
    break;
  }
  return 0;
}
