#include "station/guests.h"
#include "station/channel.h"
#include "station/clips.h"
#include "station/rendezvous.h"
#include "station/room.h"

static void
follow_media (Station *station, Consult *consult, Guest *guest)
{
  if (guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED)
    return;
  GuestState before = guest->state;
  if (station->room != NULL && room_peer_connected (station->room, guest->id))
    guest->state = GUEST_LIVE;
  else
    guest->state = guest->client != NULL ? GUEST_ADMITTED : GUEST_AWAY;
  if (guest->state == before)
    return;
  if (guest->state == GUEST_LIVE) {
    clips_guest_came (station->clips, guest->id);
    station_event (station, consult->id, "station", "guest-live", guest->name);
  } else if (guest->state == GUEST_AWAY && before == GUEST_LIVE)
    station_event (station, consult->id, "station", "guest-away", guest->name);
}

void
guests_media_changed (Station *station)
{
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    for (guint j = 0; j < consult->guests->len; j++)
      follow_media (station, consult, consult->guests->pdata[j]);
  }
}

guint
guest_position (Consult *consult, const Guest *guest)
{
  guint before = 0;
  for (guint i = 0; i < consult->guests->len && consult->guests->pdata[i] != guest; i++)
    before += ((Guest *)consult->guests->pdata[i])->state == GUEST_LOBBY;
  return before + 1;
}

static gboolean
console_is_attended (const Station *station)
{
  for (guint i = 0; i < station->clients->len; i++)
    if (((Client *)station->clients->pdata[i])->session != NULL)
      return TRUE;
  return FALSE;
}

void
guest_tell_lobby (Station *station, Guest *guest, guint position)
{
  guest->told = console_is_attended (station);
  if (guest->client != NULL)
    client_send (guest->client, json_pack ("{s:s, s:i, s:b}", "type", "lobby", "position",
                                           (int)position, "told", guest->told));
}

void
guests_follow_console (Station *station)
{
  gboolean attended = console_is_attended (station);
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    for (guint j = 0; j < consult->guests->len; j++) {
      Guest *guest = consult->guests->pdata[j];
      if (guest->state == GUEST_LOBBY && guest->told != attended)
        guest_tell_lobby (station, guest, guest_position (consult, guest));
    }
  }
}

void
guest_welcome (Station *station, Consult *consult, Guest *guest)
{
  if (guest->client == NULL)
    return;
  if (station->screen != consult) {
    guest_tell_lobby (station, guest, 0);
    return;
  }
  client_send (guest->client,
               json_pack ("{s:s, s:{s:s}, s:s, s:O*}", "type", "admitted", "consultation", "id",
                          consult->id, "role", guest->role, "identity", guest->identity));
  if (station->room != NULL)
    room_adopt_peer (station->room, guest->client, guest->id);
  station_returned (station, "station");
}

void
guests_leave_room (Station *station, Consult *consult)
{
  for (guint i = 0; i < consult->guests->len; i++) {
    Guest *guest = consult->guests->pdata[i];
    if (guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED)
      continue;
    if (station->room != NULL)
      room_end_label (station->room, guest->id);
    guest_tell_lobby (station, guest, 0);
  }
  guests_media_changed (station);
}

void
guests_enter_room (Station *station, Consult *consult)
{
  for (guint i = 0; i < consult->guests->len; i++) {
    Guest *guest = consult->guests->pdata[i];
    if (guest->state == GUEST_ADMITTED || guest->state == GUEST_LIVE)
      guest_welcome (station, consult, guest);
  }
}

void
guest_dismiss (Station *station, Guest *guest, const char *code)
{
  Client *client = guest->client;
  if (station->room != NULL)
    room_end_label (station->room, guest->id);
  guest->client = NULL;
  if (client == NULL)
    return;
  g_clear_pointer (&client->guest, g_free);
  client_send (client, json_pack ("{s:s, s:s}", "type", "ended", "code", code));
}

void
guests_dismiss_all (Station *station, Consult *consult, const char *code)
{
  for (guint i = consult->guests->len; i > 0; i--) {
    Guest *guest = consult->guests->pdata[i - 1];
    guest_dismiss (station, guest, code);
    if (guest->state == GUEST_LOBBY)
      consult_drop_guest (consult, guest);
  }
  guests_media_changed (station);
}

json_t *
guest_body (const Guest *guest, const char *state)
{
  json_t *body = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O*, s:O*, s:O*}", "guest",
                            guest->id, "invite", guest->invite, "name", guest->name, "facility",
                            guest->facility, "role", guest->role, "key", guest->key, "state", state,
                            "as", json_object_get (guest->about, "as"), "relation",
                            json_object_get (guest->about, "relation"), "proven", guest->proven);
  if (guest->identity != NULL) {
    json_object_set (body, "identity", guest->identity);
    json_object_set_new (body, "fingerprint", json_string (guest->fingerprint));
  }
  return body;
}

json_t *
invite_body (const Invite *invite, const char *state, guint wrong)
{
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:i, s:s*, s:s*}", "invite", invite->id, "role",
                    invite->role, "name", invite->name, "secret", invite->secret, "state", state,
                    "wrong", (int)wrong, "pin", invite->pin, "bound", invite->bound);
}

char *
invite_link (Station *station, const Invite *invite)
{
  if (station->config->rendezvous.brokers != NULL && station->identity != NULL)
    return rendezvous_link (station, invite->id, invite->secret);
  g_autofree char *url = config_url (station->config);
  return g_strdup_printf ("%s/join#v1.%s.%s", url, invite->id, invite->secret);
}

char *
invite_new_id (gboolean with_pin)
{
  static const char prefix[] = "pin-";
  g_autofree char *id = session_random_text (12);
  while (g_str_has_prefix (id, prefix)) {
    g_free (id);
    id = session_random_text (12);
  }
  return with_pin ? g_strconcat (prefix, id, NULL) : g_steal_pointer (&id);
}
