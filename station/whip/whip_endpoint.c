#include "station/whip/whip_endpoint.h"
#include "station/room.h"
#include "station/whip/whip_fragment.h"

#include <openssl/crypto.h>
#include <string.h>

enum { ID_BYTES = 18, ETAG_BYTES = 9, LOST_SECONDS = 60 };

typedef struct {
  WhipEndpoint *endpoint;
  char *id, *label, *peer;
  char *etag;  /* with quotes: of the generation of ICE */
  char *ufrag; /* of the other side */
  HubPeerState state;
  gboolean made; /* the answer was told */
  WhipDone done; /* waits for a description; NULL: nobody does */
  void *arg;
  guint lost_timer;
} Publisher;

struct WhipEndpoint {
  Station *station;
  GPtrArray *publishers; /* Publisher */
  guint serial;
};

/* ---- Replies ----------------------------------------------------------------------------------
 */

static void
reply_text (WhipDone done, void *arg, unsigned status, const char *text)
{
  const WhipReply reply = { .status = status, .body = text };
  done (&reply, arg);
}

/* Whoever waits hears this. */
static void
reply_owed (Publisher *publisher, const WhipReply *reply)
{
  WhipDone done = publisher->done;
  publisher->done = NULL;
  if (done != NULL)
    done (reply, publisher->arg);
}

/* ---- Publishers -------------------------------------------------------------------------------
 */

static void
publisher_free (gpointer data)
{
  Publisher *publisher = data;
  g_clear_handle_id (&publisher->lost_timer, g_source_remove);
  g_free (publisher->id);
  g_free (publisher->label);
  g_free (publisher->peer);
  g_free (publisher->etag);
  g_free (publisher->ufrag);
  g_free (publisher);
}

static Publisher *
find (WhipEndpoint *endpoint, const char *id)
{
  for (guint i = 0; i < endpoint->publishers->len; i++) {
    Publisher *publisher = endpoint->publishers->pdata[i];
    if (strcmp (publisher->id, id) == 0)
      return publisher;
  }
  return NULL;
}

static void
tell (Publisher *publisher, const char *what)
{
  Station *station = publisher->endpoint->station;
  if (publisher->made && station->screen != NULL)
    station_event (station, station->screen->id, "station", what, publisher->label);
}

static void
end (Publisher *publisher, unsigned status, const char *why)
{
  WhipEndpoint *endpoint = publisher->endpoint;
  const WhipReply reply = { .status = status, .body = why };
  reply_owed (publisher, &reply);
  if (publisher->peer != NULL)
    room_end_server (endpoint->station->room, publisher->peer);
  tell (publisher, "publisher-left");
  g_ptr_array_remove (endpoint->publishers, publisher);
  station_changed (endpoint->station);
}

static gboolean
on_lost (gpointer data)
{
  Publisher *publisher = data;
  publisher->lost_timer = 0;
  end (publisher, 503, "lost\n");
  return G_SOURCE_REMOVE;
}

static char *
new_etag (void)
{
  g_autofree char *text = session_random_text (ETAG_BYTES);
  return g_strdup_printf ("\"%s\"", text);
}

/* ---- The room's peer --------------------------------------------------------------------------
 */

static void
reply_made (Publisher *publisher, const char *sdp)
{
  g_autofree char *location = g_strdup_printf ("/whip/%s", publisher->id);
  const WhipReply reply = { .status = 201,
                            .type = "application/sdp",
                            .body = sdp,
                            .location = location,
                            .etag = publisher->etag };
  publisher->made = TRUE;
  tell (publisher, "publisher-joined");
  reply_owed (publisher, &reply);
}

/* RFC 9725 §4.3.3: a restart has another tag. */
static void
reply_restarted (Publisher *publisher, const char *sdp)
{
  g_autoptr (WhipFragment) fragment = whip_fragment_parse (sdp, NULL);
  if (fragment == NULL)
    return;
  g_free (publisher->etag);
  publisher->etag = new_etag ();
  g_autofree char *text = whip_fragment_write (fragment);
  const WhipReply reply
      = { .status = 200, .type = WHIP_FRAGMENT_TYPE, .body = text, .etag = publisher->etag };
  reply_owed (publisher, &reply);
}

static void
on_described (const char *peer, const char *sdp, void *arg)
{
  Publisher *publisher = arg;
  if (publisher->made)
    reply_restarted (publisher, sdp);
  else
    reply_made (publisher, sdp);
}

static void
on_candidate (const char *peer, const char *line, void *arg)
{
  /* A server's candidates stand in its answer (RFC 9725 §4.3.1). */
}

static void
on_state (const char *peer, HubPeerState state, const char *reason, void *arg)
{
  Publisher *publisher = arg;
  publisher->state = state;
  g_clear_handle_id (&publisher->lost_timer, g_source_remove);
  if (state == HUB_PEER_PAUSED)
    publisher->lost_timer = g_timeout_add_seconds (LOST_SECONDS, on_lost, publisher);
  if (state != HUB_PEER_CLOSED && state != HUB_PEER_FAILED)
    return;
  g_clear_pointer (&publisher->peer, g_free);
  g_autofree char *why
      = g_strdup_printf ("the offer does not do: %s\n", reason != NULL ? reason : "");
  end (publisher, 400, why);
}

static const RoomServerEvents room_events
    = { .described = on_described, .candidate = on_candidate, .state = on_state };

/* ---- What is asked ----------------------------------------------------------------------------
 */

static const char *
name_of (const WhipEndpoint *endpoint)
{
  const char *name = endpoint->station->config->conference.receive_name;
  return name != NULL ? name : "WHIP";
}

static gboolean
is_live (const WhipEndpoint *endpoint)
{
  const Consult *screen = endpoint->station->screen;
  return endpoint->station->room != NULL && screen != NULL
         && (screen->state == CONSULT_LIVE || screen->state == CONSULT_INTERRUPTED);
}

static void
add (WhipEndpoint *endpoint, const char *offer, const char *ufrag, WhipDone done, void *arg)
{
  Publisher *publisher = g_new0 (Publisher, 1);
  publisher->endpoint = endpoint;
  publisher->id = session_random_text (ID_BYTES);
  publisher->label = g_strdup_printf ("whip-%u", ++endpoint->serial);
  publisher->etag = new_etag ();
  publisher->ufrag = g_strdup (ufrag);
  publisher->done = done;
  publisher->arg = arg;
  g_ptr_array_add (endpoint->publishers, publisher);
  const RoomServer server = { .way = HUB_WAY_ANSWER,
                              .label = publisher->label,
                              .name = name_of (endpoint),
                              .offer = offer,
                              .events = &room_events,
                              .arg = publisher };
  publisher->peer = room_add_server (endpoint->station->room, &server);
}

void
whip_endpoint_post (WhipEndpoint *endpoint, const char *offer, WhipDone done, void *arg)
{
  g_autoptr (WhipFragment) ice = whip_fragment_parse (offer, NULL);
  if (ice == NULL || ice->ufrag == NULL)
    reply_text (done, arg, 400, "the offer has no ICE credentials\n");
  else if (!is_live (endpoint))
    reply_text (done, arg, 409, "no consultation is open at this station\n");
  else if (endpoint->publishers->len >= WHIP_PUBLISHERS_MAX)
    reply_text (done, arg, 503, "others publish already\n");
  else
    add (endpoint, offer, ice->ufrag, done, arg);
}

static void
restart (Publisher *publisher, const WhipFragment *fragment, WhipDone done, void *arg)
{
  if (publisher->done != NULL) {
    reply_text (done, arg, 503, "another restart is under way\n");
    return;
  }
  publisher->done = done;
  publisher->arg = arg;
  g_free (publisher->ufrag);
  publisher->ufrag = g_strdup (fragment->ufrag);
  room_server_restart (publisher->endpoint->station->room, publisher->peer, fragment->ufrag,
                       fragment->pwd);
}

static void
trickle (Publisher *publisher, const WhipFragment *fragment, WhipDone done, void *arg)
{
  Room *room = publisher->endpoint->station->room;
  for (guint i = 0; i < fragment->candidates->len; i++)
    room_server_candidate (room, publisher->peer, fragment->candidates->pdata[i]);
  if (fragment->end)
    room_server_candidate (room, publisher->peer, NULL);
  const WhipReply reply = { .status = 204 };
  done (&reply, arg);
}

void
whip_endpoint_patch (WhipEndpoint *endpoint, const char *id, const char *if_match, const char *text,
                     WhipDone done, void *arg)
{
  Publisher *publisher = find (endpoint, id);
  g_autoptr (WhipFragment) fragment = whip_fragment_parse (text, NULL);
  gboolean any = g_strcmp0 (if_match, "*") == 0 || g_strcmp0 (if_match, "\"*\"") == 0;
  if (publisher == NULL || publisher->peer == NULL || !publisher->made) {
    reply_text (done, arg, 404, "no such session\n");
    return;
  }
  gboolean restarts = fragment != NULL && fragment->ufrag != NULL
                      && strcmp (fragment->ufrag, publisher->ufrag) != 0;
  if (fragment == NULL)
    reply_text (done, arg, 400, "no fragment of a session description\n");
  else if (if_match == NULL)
    reply_text (done, arg, 428, "wants If-Match\n");
  else if (restarts ? !any : g_strcmp0 (if_match, publisher->etag) != 0)
    reply_text (done, arg, 412, "this is not the present generation of ICE\n");
  else if (restarts)
    restart (publisher, fragment, done, arg);
  else
    trickle (publisher, fragment, done, arg);
}

void
whip_endpoint_delete (WhipEndpoint *endpoint, const char *id, WhipDone done, void *arg)
{
  Publisher *publisher = find (endpoint, id);
  if (publisher == NULL) {
    reply_text (done, arg, 404, "no such session\n");
    return;
  }
  end (publisher, 503, "deleted\n");
  const WhipReply reply = { .status = 200 };
  done (&reply, arg);
}

void
whip_endpoint_forget (WhipEndpoint *endpoint, void *arg)
{
  for (guint i = 0; endpoint != NULL && i < endpoint->publishers->len; i++) {
    Publisher *publisher = endpoint->publishers->pdata[i];
    if (publisher->arg == arg)
      publisher->done = NULL;
  }
}

/* ---- For the console --------------------------------------------------------------------------
 */

json_t *
whip_endpoint_view (WhipEndpoint *endpoint)
{
  json_t *list = json_array ();
  for (guint i = 0; endpoint != NULL && i < endpoint->publishers->len; i++) {
    const Publisher *publisher = endpoint->publishers->pdata[i];
    if (publisher->made)
      json_array_append_new (
          list,
          json_pack ("{s:s, s:s, s:s}", "publisher", publisher->label, "name", name_of (endpoint),
                     "state", publisher->state == HUB_PEER_CONNECTED ? "live" : "waiting"));
  }
  return list;
}

static Publisher *
find_label (WhipEndpoint *endpoint, const char *label)
{
  for (guint i = 0; endpoint != NULL && i < endpoint->publishers->len; i++) {
    Publisher *publisher = endpoint->publishers->pdata[i];
    if (strcmp (publisher->label, label) == 0)
      return publisher;
  }
  return NULL;
}

void
whip_endpoint_remove (Request *request)
{
  const char *label;
  if (!request_id (request, "publisher", REQUIRED, &label))
    return;
  Publisher *publisher = find_label (request->station->whip, label);
  if (publisher == NULL) {
    request_refuse (request, "no-such");
    return;
  }
  end (publisher, 403, "removed\n");
  request_ok (request, NULL);
}

void
whip_endpoint_follow (WhipEndpoint *endpoint)
{
  if (endpoint == NULL || is_live (endpoint))
    return;
  while (endpoint->publishers->len > 0)
    end (endpoint->publishers->pdata[0], 409, "the consultation is over\n");
}

/* ---- Life -------------------------------------------------------------------------------------
 */

gboolean
whip_endpoint_is_on (const WhipEndpoint *endpoint)
{
  return endpoint != NULL && endpoint->station->config->conference.receive_token != NULL;
}

gboolean
whip_endpoint_allows (const WhipEndpoint *endpoint, const char *authorization)
{
  static const char bearer[] = "Bearer ";
  const char *token = endpoint->station->config->conference.receive_token;
  if (token == NULL || authorization == NULL || !g_str_has_prefix (authorization, bearer))
    return FALSE;
  const char *given = authorization + strlen (bearer);
  return strlen (given) == strlen (token) && CRYPTO_memcmp (given, token, strlen (token)) == 0;
}

WhipEndpoint *
whip_endpoint_new (Station *station)
{
  WhipEndpoint *endpoint = g_new0 (WhipEndpoint, 1);
  endpoint->station = station;
  endpoint->publishers = g_ptr_array_new_with_free_func (publisher_free);
  return endpoint;
}

void
whip_endpoint_free (WhipEndpoint *endpoint)
{
  while (endpoint->publishers->len > 0)
    end (endpoint->publishers->pdata[0], 503, "the station stops\n");
  g_ptr_array_unref (endpoint->publishers);
  g_free (endpoint);
}
