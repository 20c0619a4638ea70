#include "station/client.h"
#include "station/accounts.h"
#include "station/calls/desk.h"
#include "station/console.h"
#include "station/join.h"
#include "station/passkeys.h"
#include "station/providers.h"
#include "station/request.h"
#include "station/session.h"
#include "station/station.h"

#include <string.h>

/* A token bucket: 50 messages a second in the long run, 200 at once. */
#define MESSAGE_COST_US (G_USEC_PER_SEC / 50)
#define MESSAGE_BURST_US (4 * G_USEC_PER_SEC)
#define FAILURES_MAX 20

static json_t *
console_hello (Station *station)
{
  json_t *hello = json_pack ("{s:s, s:i, s:s, s:s, s:{s:s, s:s}, s:s}", "type", "hello", "protocol",
                             1, "version", NHIPCAU_VERSION, "instance", station->instance,
                             "station", "id", station->config->station_id, "name",
                             station->config->station_name, "language", station->config->language);
  json_object_set_new (hello, "users", users_to_json (station->users, station->vault));
  json_object_set_new (hello, "tpm", json_boolean (station->config->tpm != NULL));
  json_object_set_new (hello, "passkeys", json_boolean (passkeys_any (station->passkeys)));
  json_object_set_new (hello, "ready", json_boolean (station_is_ready (station)));
  json_object_set_new (hello, "problems", station_problems (station));
  if (station->config->duty_phone != NULL)
    json_object_set_new (hello, "duty_phone", json_string (station->config->duty_phone));
  return hello;
}

/* How people may prove who they are. */
static void
add_sign_ins (json_t *hello, const Client *client)
{
  Station *station = client->station;
  json_object_set_new (hello, "providers", providers_json (station->providers));
  json_object_set_new (hello, "accounts", json_boolean (accounts_any (station->accounts)));
  json_object_set_new (hello, "rp", json_string (accounts_rp (client)));
}

static json_t *
join_hello (Station *station, const char *nonce)
{
  json_t *hello = json_pack (
      "{s:s, s:i, s:s, s:s, s:s, s:{s:s, s:s, s:s*}, s:s}", "type", "hello", "protocol", 1,
      "version", NHIPCAU_VERSION, "instance", station->instance, "nonce", nonce, "station", "id",
      station->config->station_id, "name", station->config->station_name, "phone",
      station->config->facility_phone, "language", station->config->language);
  json_object_set_new (hello, "specialists",
                       json_string (station->config->specialists_proven ? "proven" : "anybody"));
  return hello;
}

Client *
client_new (Station *station, ClientKind kind, gboolean loopback, const ClientEvents *events,
            void *arg)
{
  Client *client = g_new0 (Client, 1);
  client->references = 1;
  client->station = station;
  client->kind = kind;
  client->loopback = loopback;
  client->events = events;
  client->arg = arg;
  g_ptr_array_add (station->clients, client);
  if (kind != CLIENT_CONSOLE)
    client->nonce = session_random_text (24);
  json_t *hello = kind == CLIENT_CONSOLE ? console_hello (station)
                  : kind == CLIENT_DESK  ? desk_hello (station, client->nonce, events->is_far)
                                         : join_hello (station, client->nonce);
  if (kind != CLIENT_CONSOLE)
    add_sign_ins (hello, client);
  client_send (client, hello);
  return client;
}

Client *
client_ref (Client *client)
{
  client->references++;
  return client;
}

void
client_unref (Client *client)
{
  if (--client->references > 0)
    return;
  g_free (client->peer);
  g_free (client->reserved);
  g_free (client->nonce);
  g_free (client->challenge);
  g_free (client->consult);
  g_free (client->guest);
  g_free (client);
}

void
client_gone (Client *client)
{
  client->events = NULL;
  g_ptr_array_remove_fast (client->station->clients, client);
  if (client->kind == CLIENT_CONSOLE)
    console_gone (client);
  else if (client->kind == CLIENT_DESK)
    desk_gone (client);
  else
    join_gone (client);
  client_unref (client);
}

void
client_send (Client *client, json_t *message)
{
  if (client->events != NULL) {
    char *text = json_dumps (message, JSON_COMPACT);
    if (text != NULL)
      client->events->send (client, text, strlen (text), client->arg);
    free (text);
  }
  json_decref (message);
}

void
client_close (Client *client)
{
  if (client->events != NULL)
    client->events->close (client, client->arg);
}

/* Jansson's own bound is 2048 levels; each level costs us a comparison here, not a stack frame
 * there. Brackets inside strings do not count. */
static gboolean
depth_is_good (const char *text, gsize length)
{
  guint depth = 0;
  gboolean string = FALSE;
  for (gsize i = 0; i < length; i++) {
    char c = text[i];
    if (string && c == '\\')
      i++;
    else if (c == '"')
      string = !string;
    else if (!string && (c == '{' || c == '['))
      depth++;
    else if (!string && (c == '}' || c == ']') && depth > 0)
      depth--;
    if (depth > CLIENT_MAX_DEPTH)
      return FALSE;
  }
  return TRUE;
}

json_t *
client_parse (const char *text, gsize length, const char **ret_wrong)
{
  json_error_t error;
  json_t *message = NULL;
  if (length > CLIENT_MAX_FRAME)
    *ret_wrong = "is longer than 256 KiB";
  else if (!depth_is_good (text, length))
    *ret_wrong = "has more than 16 levels";
  else if ((message = json_loadb (text, length, JSON_REJECT_DUPLICATES, &error)) == NULL)
    *ret_wrong = "is no JSON, or has a key twice";
  else if (!json_is_object (message) || !json_is_string (json_object_get (message, "type")))
    *ret_wrong = "is no object with a type";
  else
    return message;
  if (message != NULL)
    json_decref (message);
  return NULL;
}

static gboolean
within_budget (Client *client)
{
  gint64 now = g_get_monotonic_time ();
  gint64 next = MAX (client->budget_us, now - MESSAGE_BURST_US) + MESSAGE_COST_US;
  if (next > now)
    return FALSE;
  client->budget_us = next;
  return TRUE;
}

static void
refuse_frame (Client *client, const char *wrong)
{
  json_auto_t *none = json_object ();
  g_autoptr (Request) request = request_new (client, none, NULL);
  request_bad (request, "frame", wrong);
  if (++client->failures >= FAILURES_MAX)
    client_close (client);
}

void
client_receive (Client *client, const char *text, gsize length)
{
  const char *wrong = NULL;
  json_auto_t *message = client_parse (text, length, &wrong);
  if (message == NULL) {
    refuse_frame (client, wrong);
    return;
  }
  if (!within_budget (client)) {
    g_autoptr (Request) request = request_new (client, message, NULL);
    request_refuse (request, "busy");
    return;
  }
  if (client->kind == CLIENT_CONSOLE)
    console_receive (client, message);
  else if (client->kind == CLIENT_DESK)
    desk_receive (client, message);
  else
    join_receive (client, message);
}
