#include "station/rendezvous.h"
#include "station/accounts.h"
#include "station/broker_words.h"
#include "station/calls/calls.h"
#include "station/rendezvous/mqtt.h"
#include "station/text.h"
#include "station/visits.h"

#include <string.h>

#define EPOCH "rendezvous-epoch" /* kind of the station's rows */
#define TICK_BUSY_MS 50
#define TICK_MS 1000
#define WAIT_MOST_US (60 * G_USEC_PER_SEC)
#define STOOD_US (30 * G_USEC_PER_SEC)
#define FAILURES_SAID 2
#define FIRST_TRIES                                                                                \
  2 /* the first connection within 2 s: stations start together after a power cut */

struct Rendezvous {
  Station *station;
  Switchboard *board;
  Mqtt *mqtt;
  gboolean connected;
  BrokerTrouble trouble; /* of the last failure since a connection stood; BROKER_GOOD: none */
  guint failures;        /* one after the other */
  char *address;         /* of the broker that serves, or failed last */
  char *why;             /* of the last failure */
  guint tries;
  gint64 connected_at;
  guint connect_timer, tick_timer;
  guint tick_ms;
};

/* A page that came through the broker. */
typedef struct {
  Tunnel *tunnel;
  Client *client;
} Page;

/* ---- Pages ------------------------------------------------------------------------------------
 */

static void
send_message (Client *client, const char *text, gsize length, void *arg)
{
  const Page *page = arg;
  if (!tunnel_send (page->tunnel, text, length, g_get_monotonic_time ()))
    tunnel_close (page->tunnel, g_get_monotonic_time ());
}

static void
close_page (Client *client, void *arg)
{
  tunnel_close (((Page *)arg)->tunnel, g_get_monotonic_time ());
}

static const ClientEvents client_events
    = { .send = send_message, .close = close_page, .is_far = TRUE };

static void *
page_opened (Tunnel *tunnel, void *arg)
{
  Rendezvous *rendezvous = arg;
  Page *page = g_new0 (Page, 1);
  page->tunnel = tunnel;
  page->client = client_new (
      rendezvous->station,
      g_str_equal (tunnel_ends (tunnel)->box, SWITCHBOARD_DESK) ? CLIENT_DESK : CLIENT_JOIN, FALSE,
      &client_events, page);
  return page;
}

static void
page_message (void *line, const char *text, gsize length, void *arg)
{
  client_receive (((Page *)line)->client, text, length);
}

static void
page_closed (void *line, void *arg)
{
  Page *page = line;
  client_gone (page->client);
  g_free (page);
}

char *
rendezvous_box (Station *station, const char *box)
{
  if (g_str_equal (box, SWITCHBOARD_DESK))
    return calls_desks (station) ? g_strdup ("") : NULL;
  for (guint i = 0; i < station->consults->len; i++) {
    const Invite *invite = consult_invite (station->consults->pdata[i], box);
    if (invite != NULL)
      return g_strdup (invite->secret);
  }
  const char *link = accounts_link_of_box (station->accounts, box);
  /* A link that is over is told so, inside a tunnel. */
  return g_strdup (link != NULL ? link : visits_over_secret (station, box));
}

static char *
box_secret (const char *box, void *arg)
{
  return rendezvous_box (((Rendezvous *)arg)->station, box);
}

/* Rings and presence are kept by the broker, so they are to reach it; frames repeat themselves. */
static void
publish (const char *topic, const char *text, gsize length, gboolean retain, void *arg)
{
  Rendezvous *rendezvous = arg;
  mqtt_publish (rendezvous->mqtt, topic, text, length, retain ? 1 : 0, retain);
}

static const SwitchboardEvents board_events = {
  .publish = publish,
  .secret = box_secret,
  .opened = page_opened,
  .message = page_message,
  .closed = page_closed,
};

/* ---- Time -------------------------------------------------------------------------------------
 */

static gboolean tick (void *data);

static void
set_pace (Rendezvous *rendezvous)
{
  guint wanted = switchboard_is_busy (rendezvous->board) ? TICK_BUSY_MS : TICK_MS;
  if (wanted == rendezvous->tick_ms)
    return;
  g_clear_handle_id (&rendezvous->tick_timer, g_source_remove);
  rendezvous->tick_ms = wanted;
  rendezvous->tick_timer = g_timeout_add (wanted, tick, rendezvous);
}

static gboolean
tick (void *data)
{
  Rendezvous *rendezvous = data;
  guint timer = rendezvous->tick_timer;
  switchboard_tick (rendezvous->board, g_get_monotonic_time (), g_get_real_time ());
  set_pace (rendezvous);
  return timer == rendezvous->tick_timer ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* ---- The connection ---------------------------------------------------------------------------
 */

static gboolean
try_connect (void *data)
{
  Rendezvous *rendezvous = data;
  g_autoptr (GError) error = NULL;
  rendezvous->connect_timer = 0;
  g_autofree char *will = switchboard_will (rendezvous->board, &error);
  if (will == NULL) {
    g_warning ("rendezvous: %s", error->message);
    rendezvous->connect_timer
        = g_timeout_add ((guint)(WAIT_MOST_US / 1000), try_connect, rendezvous);
    return G_SOURCE_REMOVE;
  }
  mqtt_connect (rendezvous->mqtt, switchboard_presence_topic (rendezvous->board), will,
                switchboard_subscriptions (rendezvous->board));
  return G_SOURCE_REMOVE;
}

static void
connect_later (Rendezvous *rendezvous)
{
  gint64 wait = mqtt_wait_us (rendezvous->tries, WAIT_MOST_US);
  rendezvous->tries++;
  g_clear_handle_id (&rendezvous->connect_timer, g_source_remove);
  rendezvous->connect_timer = g_timeout_add ((guint)(wait / 1000), try_connect, rendezvous);
}

static void
ring_desk (const char *desk, const json_t *calls, void *arg)
{
  rendezvous_ring (arg, desk, calls);
}

static void
note (Rendezvous *rendezvous, const char *address, BrokerTrouble trouble, const char *why)
{
  g_free (rendezvous->address);
  rendezvous->address = g_strdup (address);
  rendezvous->trouble = trouble;
  g_free (rendezvous->why);
  rendezvous->why = g_strdup (why);
  rendezvous->failures = trouble != BROKER_GOOD ? rendezvous->failures + 1 : 0;
  station_changed (rendezvous->station);
}

static void
connected (const char *address, void *arg)
{
  Rendezvous *rendezvous = arg;
  g_message ("rendezvous: connected to %s", address);
  rendezvous->connected = TRUE;
  rendezvous->connected_at = g_get_monotonic_time ();
  note (rendezvous, address, BROKER_GOOD, NULL);
  switchboard_connected (rendezvous->board, rendezvous->connected_at, g_get_real_time ());
  calls_set_ring (rendezvous->station->calls, ring_desk, rendezvous);
  calls_changed (rendezvous->station);
}

static void
disconnected (const char *address, BrokerTrouble trouble, const char *why, void *arg)
{
  Rendezvous *rendezvous = arg;
  if (rendezvous->connected || g_strcmp0 (why, rendezvous->why) != 0)
    g_message ("rendezvous: no connection to %s: %s", address, why);
  if (rendezvous->connected && g_get_monotonic_time () - rendezvous->connected_at >= STOOD_US)
    rendezvous->tries = 0;
  rendezvous->connected = FALSE;
  calls_set_ring (rendezvous->station->calls, NULL, NULL);
  note (rendezvous, address, trouble, why);
  connect_later (rendezvous);
}

static void
message (const char *topic, const char *payload, gsize length, void *arg)
{
  Rendezvous *rendezvous = arg;
  switchboard_receive (rendezvous->board, topic, payload, length, g_get_monotonic_time ());
  set_pace (rendezvous);
}

static const MqttEvents mqtt_events
    = { .connected = connected, .disconnected = disconnected, .message = message };

/* ---- Start ------------------------------------------------------------------------------------
 */

/* Greater than that of any start before, also after an older disk was put back. */
static gboolean
next_epoch (Station *station, gint64 *ret, GError **error)
{
  StoreRow *row = store_latest (station->store, "station", EPOCH, NULL);
  gint64 last = row != NULL ? json_integer_value (json_object_get (row->body, "epoch")) : 0;
  g_clear_pointer (&row, store_row_free);
  *ret = MAX (last + 1, g_get_real_time () / G_USEC_PER_SEC);
  json_auto_t *body = json_pack ("{s:I}", "epoch", (json_int_t)*ret);
  return store_put_sync (station->store, "station", EPOCH, NULL, body, NULL, error);
}

/* The chain that an authority gave for our key, as it is now: it is renewed while the station runs.
 * In the thread that dials. */
static int
show_chain (SSL *ssl, void *arg)
{
  Identity *identity = arg;
  STACK_OF (X509) *chain = identity_chain (identity);
  if (chain == NULL)
    return SSL_use_certificate (ssl, identity_certificate (identity));
  X509 *leaf = sk_X509_shift (chain);
  int good = SSL_use_cert_and_key (ssl, leaf, identity_key (identity), chain, 1);
  X509_free (leaf);
  sk_X509_pop_free (chain, X509_free);
  return good;
}

static gboolean
add_broker (Rendezvous *rendezvous, GPtrArray *brokers, const ConfigBroker *config, GError **error)
{
  const Station *station = rendezvous->station;
  MqttBroker *broker = g_new0 (MqttBroker, 1);
  broker->address = g_strdup (config->address);
  broker->host = g_strdup (config->host);
  broker->port = config->port;
  g_ptr_array_add (brokers, broker);
  if (config->tls)
    broker->tls = broker_tls_new (config->host, station->config->rendezvous.ca_file,
                                  identity_certificate_file (station->identity),
                                  identity_key (station->identity), error);
  if (broker->tls != NULL)
    SSL_CTX_set_cert_cb (broker->tls, show_chain, station->identity);
  return !config->tls || broker->tls != NULL;
}

static gboolean
make_mqtt (Rendezvous *rendezvous, GError **error)
{
  Station *station = rendezvous->station;
  const GPtrArray *brokers = station->config->rendezvous.brokers;
  g_autofree char *start = g_strndup (station->instance, 8);
  MqttPlace place = { .brokers = g_ptr_array_new_with_free_func ((GDestroyNotify)mqtt_broker_free),
                      .client_id = g_strdup_printf ("%s.%s", station->config->station_id, start) };
  for (guint i = 0; i < brokers->len; i++)
    if (!add_broker (rendezvous, place.brokers, brokers->pdata[i], error)) {
      mqtt_place_clear (&place);
      return FALSE;
    }
  rendezvous->mqtt = mqtt_new (&place, &mqtt_events, rendezvous);
  return TRUE;
}

gboolean
rendezvous_start (Station *station, GError **error)
{
  gint64 epoch;
  const ConfigRendezvous *config = &station->config->rendezvous;
  if (config->brokers == NULL || station->identity == NULL)
    return TRUE;
  g_autoptr (Rendezvous) rendezvous = g_new0 (Rendezvous, 1);
  rendezvous->station = station;
  if (!next_epoch (station, &epoch, error) || !make_mqtt (rendezvous, error))
    return FALSE;
  rendezvous->board
      = switchboard_new (station->config->station_id, identity_key (station->identity), epoch,
                         &board_events, rendezvous, error);
  if (rendezvous->board == NULL)
    return FALSE;
  json_auto_t *none = json_array ();
  for (guint i = 0; config->desks != NULL && config->desks[i] != NULL; i++)
    switchboard_ring (rendezvous->board, config->desks[i], none);
  rendezvous->tries = FIRST_TRIES;
  connect_later (rendezvous);
  rendezvous->tries = 0;
  set_pace (rendezvous);
  station->rendezvous = g_steal_pointer (&rendezvous);
  return TRUE;
}

void
rendezvous_free (Rendezvous *rendezvous)
{
  if (rendezvous == NULL)
    return;
  g_clear_handle_id (&rendezvous->connect_timer, g_source_remove);
  g_clear_handle_id (&rendezvous->tick_timer, g_source_remove);
  calls_set_ring (rendezvous->station->calls, NULL, NULL);
  if (rendezvous->board != NULL && rendezvous->connected)
    switchboard_leave (rendezvous->board, g_get_real_time ());
  g_clear_pointer (&rendezvous->board, switchboard_free);
  g_clear_pointer (&rendezvous->mqtt, mqtt_free);
  g_free (rendezvous->address);
  g_free (rendezvous->why);
  g_free (rendezvous);
}

/* ---- For the others ---------------------------------------------------------------------------
 */

const char *
rendezvous_state (const Rendezvous *rendezvous, const char **ret_why)
{
  *ret_why = rendezvous != NULL ? rendezvous->why : NULL;
  if (rendezvous == NULL)
    return "off";
  return rendezvous->connected ? "connected" : "connecting";
}

json_t *
rendezvous_view (const Rendezvous *rendezvous)
{
  g_autofree char *vi = NULL, *en = NULL;
  if (rendezvous == NULL)
    return json_null ();
  /* A moment without one is a node that is exchanged, and nobody's business. */
  gboolean bad = !rendezvous->connected && rendezvous->failures >= FAILURES_SAID;
  json_t *view = json_pack ("{s:s?, s:b, s:s}", "broker", rendezvous->address, "connected",
                            rendezvous->connected, "level", bad ? "bad" : "good");
  if (bad) {
    broker_words (rendezvous->address, rendezvous->trouble, rendezvous->why, &vi, &en);
    json_object_set_new (view, "code", json_string (broker_trouble_name (rendezvous->trouble)));
    json_object_set_new (view, "text", text_json (vi, en));
  }
  return view;
}

void
rendezvous_figures (const Rendezvous *rendezvous, SwitchboardFigures *ret)
{
  *ret = (SwitchboardFigures){ 0 };
  if (rendezvous != NULL)
    switchboard_figures (rendezvous->board, ret);
}

static char *
link_of_kind (const Station *station, const char *kind, const char *id, const char *secret)
{
  json_auto_t *key = jose_from_evp (identity_key (station->identity), NULL);
  g_autofree char *hash = jose_thumbprint (key);
  return g_strdup_printf ("%s/join#%s.%s.%s.%s.%s", station->config->rendezvous.pages, kind,
                          station->config->station_id, id, secret, hash != NULL ? hash : "");
}

char *
rendezvous_link (const Station *station, const char *invite, const char *secret)
{
  return link_of_kind (station, "v2", invite, secret);
}

char *
rendezvous_account_link (const Station *station, const char *account, const char *secret)
{
  return link_of_kind (station, "e2", account, secret);
}

void
rendezvous_ring (Rendezvous *rendezvous, const char *desk, const json_t *calls)
{
  if (rendezvous == NULL)
    return;
  switchboard_ring (rendezvous->board, desk, calls);
  switchboard_tick (rendezvous->board, g_get_monotonic_time (), g_get_real_time ());
}
