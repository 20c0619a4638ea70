#include "station/calls/desk.h"
#include "station/calls/calls.h"
#include "station/calls/desk_private.h"
#include "station/clock.h"
#include "station/join.h"
#include "station/session.h"

#include <openssl/crypto.h>
#include <string.h>

#define HELD_MOST 40 /* candidates too */

struct Desk {
  CallPerson *person;
  gboolean on_duty;
  char *told;  /* the last `desk.calls` */
  char *token; /* of a session at the station itself; NULL: none */
  json_t *about;
  gboolean accepting; /* what comes in behind waits for that: messages, in order */
  GQueue *held;
};

/* ---- Who sits there ------------------------------------------------------------------------ */

const CallPerson *
desk_person (const Desk *desk)
{
  return desk != NULL ? desk->person : NULL;
}

gboolean
desk_on_duty (const Desk *desk)
{
  return desk != NULL && desk->on_duty;
}

void
desk_keep_session (Desk *desk, const char *token, json_t *about)
{
  desk->token = g_strdup (token);
  desk->about = json_incref (about);
}

const json_t *
desk_about (const Desk *desk)
{
  return desk != NULL ? desk->about : NULL;
}

const char *
desk_token (const Desk *desk)
{
  return desk->token;
}

static void
desk_free (Desk *desk)
{
  call_person_free (desk->person);
  if (desk->token != NULL)
    OPENSSL_cleanse (desk->token, strlen (desk->token));
  g_free (desk->token);
  g_free (desk->told);
  json_decref (desk->about);
  g_queue_free_full (desk->held, (GDestroyNotify)json_decref);
  g_free (desk);
}

void
desk_identify (Client *client, const CallPerson *person)
{
  gboolean was_on_duty = desk_on_duty (client->desk);
  if (client->desk != NULL)
    desk_free (g_steal_pointer (&client->desk));
  if (person != NULL) {
    client->desk = g_new0 (Desk, 1);
    client->desk->held = g_queue_new ();
    client->desk->person = call_person_copy (person);
  }
  if (was_on_duty)
    calls_changed (client->station);
  else
    desks_tell (client->station);
}

void
desk_gone (Client *client)
{
  join_gone (client);
  desk_identify (client, NULL);
}

GPtrArray *
calls_duty (Station *station)
{
  GPtrArray *duty = g_ptr_array_new_with_free_func ((GDestroyNotify)call_person_free);
  for (guint i = 0; i < station->clients->len; i++) {
    const Client *client = station->clients->pdata[i];
    gboolean known = FALSE;
    if (!desk_on_duty (client->desk))
      continue;
    for (guint j = 0; j < duty->len; j++)
      known |= g_str_equal (((CallPerson *)duty->pdata[j])->id, client->desk->person->id);
    if (!known)
      g_ptr_array_add (duty, call_person_copy (client->desk->person));
  }
  return duty;
}

/* ---- What desks are told ------------------------------------------------------------------- */

json_t *
desk_hello (Station *station, const char *nonce, gboolean is_far)
{
  json_t *hello
      = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:{s:s, s:s}, s:s}", "type", "hello", "protocol", 1,
                   "version", NHIPCAU_VERSION, "instance", station->instance, "nonce", nonce,
                   "station", "id", station->config->station_id, "name",
                   station->config->station_name, "language", station->config->language);
  if (!is_far)
    json_object_set_new (hello, "users", users_of_role (station->users, "specialist"));
  return hello;
}

static json_t *
view_of (Station *station, const Desk *desk)
{
  const CallPerson *person = desk->person;
  json_t *view
      = json_pack ("{s:s, s:{s:s, s:s, s:s}, s:b}", "type", "desk.calls", "me", "id", person->id,
                   "name", person->name, "facility", person->facility, "duty", desk->on_duty);
  json_object_set_new (view, "calls", calls_view_desk (station, person));
  json_object_set_new (view, "on_duty", calls_view_duty (station));
  return view;
}

static void
tell (Client *client)
{
  json_t *view = view_of (client->station, client->desk);
  char *text = json_dumps (view, JSON_COMPACT | JSON_SORT_KEYS);
  if (text != NULL && g_strcmp0 (text, client->desk->told) != 0) {
    g_free (client->desk->told);
    client->desk->told = g_strdup (text);
    g_autofree char *now = clock_text (g_get_real_time ());
    json_object_set_new (view, "now", json_string (now));
    client_send (client, json_incref (view));
  }
  free (text);
  json_decref (view);
}

void
desks_tell (Station *station)
{
  for (guint i = 0; !station->stopping && i < station->clients->len; i++) {
    Client *client = station->clients->pdata[i];
    if (client->desk != NULL)
      tell (client);
  }
}

/* ---- Duty ---------------------------------------------------------------------------------- */

/* NULL: the request has been answered. (transfer full) */
static GStrv
read_specialties (Request *request)
{
  const json_t *list = json_object_get (request->message, "specialties");
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  gboolean good = list == NULL || (json_is_array (list) && json_array_size (list) <= 20);
  size_t i;
  json_t *word;
  json_array_foreach (list, i, word)
  {
    good = good && call_specialty_is_known (json_string_value (word));
    if (good)
      g_strv_builder_add (words, json_string_value (word));
  }
  if (good)
    return g_strv_builder_end (words);
  request_bad (request, "specialties", "wants a list of specialties");
  return NULL;
}

static void
duty (Request *request)
{
  Desk *desk = request->client->desk;
  gboolean on;
  if (!request_flag (request, "on", &on))
    return;
  GStrv specialties = read_specialties (request);
  if (specialties == NULL)
    return;
  g_strfreev (desk->person->specialties);
  desk->person->specialties = specialties;
  desk->on_duty = on;
  calls_changed (request->station);
  request_ok (request, NULL);
}

/* ---- Messages ------------------------------------------------------------------------------ */

static void
ping (Request *request)
{
  request_ok (request, NULL);
}

static const struct {
  const char *type;
  void (*handle) (Request *request);
  gboolean known; /* only when it is known who sits there */
} messages[] = {
  { "ping", ping, FALSE },
  { "sign-in", desk_sign_in, FALSE },
  { "resume", desk_resume, FALSE },
  { "sign-out", desk_sign_out, TRUE },
  { "duty", duty, TRUE },
  { "call.accept", desk_call_accept, TRUE },
  { "call.decline", desk_call_decline, TRUE },
  { "call.hand-over", desk_call_hand_over, TRUE },
  { "call.end", desk_call_end, TRUE },
  { "case.want", desk_case_want, TRUE },
  { "case.answer", desk_case_answer, TRUE },
};

/* Who has accepted comes in on the same way: no second greeting, no second handshake. */
static gboolean
is_of_join (const char *type)
{
  return g_str_equal (type, "join") || g_str_equal (type, "leave")
         || g_str_equal (type, "code.differs") || g_str_equal (type, "opinion.confirm")
         || g_str_has_prefix (type, "media.");
}

/* ---- Coming in right behind accepting ------------------------------------------------------ */

void
desk_accepting (Client *client)
{
  client->desk->accepting = TRUE;
}

static void
refuse_held (Client *client, json_t *body)
{
  g_autoptr (Request) request = request_new (client, body, NULL);
  request_refuse (request, "out-of-place");
}

void
desk_accepted (Client *client, gboolean good)
{
  json_t *body;
  if (client->desk == NULL || client->events == NULL)
    return;
  client->desk->accepting = FALSE;
  while (client->desk != NULL && client->events != NULL
         && (body = g_queue_pop_head (client->desk->held)) != NULL) {
    if (good)
      join_receive (client, body);
    else
      refuse_held (client, body);
    json_decref (body);
  }
}

static void
come_in (Client *client, json_t *body)
{
  Desk *desk = client->desk;
  if (!desk->accepting)
    join_receive (client, body);
  else if (g_queue_get_length (desk->held) < HELD_MOST)
    g_queue_push_tail (desk->held, json_incref (body));
  else
    refuse_held (client, body);
}

void
desk_receive (Client *client, json_t *body)
{
  const char *type = json_string_value (json_object_get (body, "type"));
  const CallPerson *person = desk_person (client->desk);
  g_autofree char *user = person != NULL ? g_strconcat (DESK_USER_PREFIX, person->id, NULL) : NULL;
  if (person != NULL && is_of_join (type)) {
    come_in (client, body);
    return;
  }
  g_autoptr (Request) request = request_new (client, body, user);
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    if (!g_str_equal (messages[i].type, type))
      continue;
    if (messages[i].known && person == NULL)
      request_refuse (request, "not-signed-in");
    else
      messages[i].handle (request);
    return;
  }
  request_refuse (request, "bad-message");
}
