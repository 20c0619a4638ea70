#include "station/whip/conference_leg.h"

#include <string.h>

enum { NOBODY_THERE_S = 5 };
static const guint AGAIN_S[] = { 1, 3, 8, 20, 30, 60 }; /* until a lost one is begun again */

struct ConferenceLeg {
  Station *station;
  HubWay way;
  char *name;
  const LegEvents *events;
  void *arg;
  LegState state;
  WhipClient *client;
  char *peer; /* of the room; NULL: none yet, or lost */
  gboolean offered, counter, was_live;
  guint tries, timer;
};

static void begin (ConferenceLeg *leg);

static const ConfigWhip *
place_of (const ConferenceLeg *leg)
{
  const ConfigConference *config = &leg->station->config->conference;
  return leg->way == HUB_WAY_PUBLISH ? &config->publish : &config->read;
}

static void
end_session (ConferenceLeg *leg)
{
  g_clear_pointer (&leg->client, whip_client_end);
  if (leg->peer != NULL)
    room_end_server (leg->station->room, leg->peer);
  g_clear_pointer (&leg->peer, g_free);
  leg->offered = leg->counter = FALSE;
}

static gboolean
on_again (gpointer data)
{
  ConferenceLeg *leg = data;
  leg->timer = 0;
  begin (leg);
  return G_SOURCE_REMOVE;
}

/* A server has nothing to be read while nobody publishes there. */
static gboolean
is_passing (const ConferenceLeg *leg, const WhipWords *why)
{
  static const char *const passing[]
      = { "not-found", "busy", "unavailable", "server-error", "too-many", NULL };
  return leg->way == HUB_WAY_READ && g_strv_contains (passing, why->code);
}

/* What was there is sought again; what never was has something wrong that people must mend. */
static void
lose (ConferenceLeg *leg, const WhipWords *why)
{
  gboolean passing = is_passing (leg, why);
  end_session (leg);
  if (!passing && (!leg->was_live || leg->tries >= G_N_ELEMENTS (AGAIN_S))) {
    leg->events->failed (leg, why, leg->arg);
    return;
  }
  if (leg->was_live)
    leg->state = LEG_LOST;
  if (leg->timer == 0)
    leg->timer
        = g_timeout_add_seconds (passing ? NOBODY_THERE_S : AGAIN_S[leg->tries++], on_again, leg);
  leg->events->changed (leg, leg->arg);
}

/* ---- The room's peer --------------------------------------------------------------------------
 */

static void
on_described (const char *peer, const char *sdp, void *arg)
{
  ConferenceLeg *leg = arg;
  if (leg->client == NULL)
    return;
  if (leg->counter)
    whip_client_answer (leg->client, sdp);
  else if (leg->offered)
    whip_client_restart (leg->client, sdp);
  else
    whip_client_offer (leg->client, sdp);
  leg->offered = TRUE;
}

static void
on_candidate (const char *peer, const char *line, void *arg)
{
  ConferenceLeg *leg = arg;
  if (leg->client != NULL && !leg->counter)
    whip_client_candidate (leg->client, line);
}

static void
on_state (const char *peer, HubPeerState state, const char *reason, void *arg)
{
  ConferenceLeg *leg = arg;
  if (g_strcmp0 (leg->peer, peer) != 0)
    return;
  if (state == HUB_PEER_CONNECTED) {
    leg->was_live = TRUE;
    leg->tries = 0;
    leg->state = LEG_LIVE;
  } else if (state == HUB_PEER_PAUSED)
    leg->state = LEG_LOST;
  else if (state == HUB_PEER_CLOSED || state == HUB_PEER_FAILED) {
    gboolean path = reason != NULL && g_str_has_prefix (reason, "no-path");
    gboolean text = reason != NULL && g_str_has_prefix (reason, "answer");
    lose (leg, whip_words_code (state == HUB_PEER_CLOSED ? "gone"
                                : path                   ? "no-path"
                                : text                   ? "description"
                                                         : "lost"));
    return;
  }
  leg->events->changed (leg, leg->arg);
}

static const RoomServerEvents room_events
    = { .described = on_described, .candidate = on_candidate, .state = on_state };

static gboolean
is_local (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  return host != NULL && (g_str_equal (host, "localhost") || g_str_equal (host, "127.0.0.1"));
}

static void
add_peer (ConferenceLeg *leg, HubWay way, const WhipServers *servers, const char *offer)
{
  const RoomServer server = { .way = way,
                              .label = leg->way == HUB_WAY_PUBLISH ? "publish" : "conference",
                              .name = leg->name,
                              .camera = leg->station->config->conference.camera,
                              .offer = offer,
                              .stun = servers != NULL ? servers->stun : NULL,
                              .relays = servers != NULL ? servers->relays : NULL,
                              .loopback = is_local (place_of (leg)->url),
                              .events = &room_events,
                              .arg = leg };
  g_autofree char *old = g_steal_pointer (&leg->peer);
  if (old != NULL)
    room_end_server (leg->station->room, old);
  leg->peer = room_add_server (leg->station->room, &server);
}

/* ---- The server -------------------------------------------------------------------------------
 */

static void
on_ready (WhipClient *client, const WhipServers *servers, void *arg)
{
  ConferenceLeg *leg = arg;
  add_peer (leg, leg->way, servers, NULL);
}

static void
on_answer (WhipClient *client, const char *sdp, void *arg)
{
  ConferenceLeg *leg = arg;
  if (leg->peer != NULL)
    room_server_answer (leg->station->room, leg->peer, sdp);
}

static void
on_counter (WhipClient *client, const char *sdp, void *arg)
{
  ConferenceLeg *leg = arg;
  leg->counter = TRUE;
  if (leg->way == HUB_WAY_PUBLISH)
    lose (leg, whip_words_code ("description"));
  else
    add_peer (leg, HUB_WAY_ANSWER, NULL, sdp);
}

static void
on_failed (WhipClient *client, const WhipWords *why, void *arg)
{
  lose (arg, why);
}

static const WhipEvents whip_events
    = { .ready = on_ready, .answer = on_answer, .counter = on_counter, .failed = on_failed };

static void
begin (ConferenceLeg *leg)
{
  const ConfigConference *config = &leg->station->config->conference;
  const ConfigWhip *place = place_of (leg);
  const WhipServer server = { .url = place->url,
                              .token = place->token,
                              .ca_file = config->ca_file,
                              .hosts = (const char *const *)config->hosts,
                              .pending = &leg->station->pending };
  leg->client = whip_client_new (&server, &whip_events, leg);
}

/* ---- Life -------------------------------------------------------------------------------------
 */

ConferenceLeg *
conference_leg_new (Station *station, HubWay way, const char *name, const LegEvents *events,
                    void *arg)
{
  ConferenceLeg *leg = g_new0 (ConferenceLeg, 1);
  leg->station = station;
  leg->way = way;
  leg->name = g_strdup (name);
  leg->events = events;
  leg->arg = arg;
  begin (leg);
  return leg;
}

void
conference_leg_free (ConferenceLeg *leg)
{
  g_clear_handle_id (&leg->timer, g_source_remove);
  end_session (leg);
  g_free (leg->name);
  g_free (leg);
}

LegState
conference_leg_state (const ConferenceLeg *leg)
{
  return leg->state;
}
