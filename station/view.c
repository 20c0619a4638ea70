#include "station/whip/conference.h"
#include "station/whip/whip_endpoint.h"
#include "station/dicom.h"
#include "station/disk_policy.h"
#include "station/view.h"
#include "station/alarms.h"
#include "station/bluetooth.h"
#include "station/calls/calls.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/ecgs.h"
#include "station/guests.h"
#include "station/feeds.h"
#include "station/forms.h"
#include "station/keep_class.h"
#include "station/readings.h"
#include "station/recorder.h"
#include "station/rendezvous.h"
#include "station/roles.h"
#include "station/room.h"
#include "station/visits.h"

json_t *
view_readings (const Consult *consult)
{
  json_t *items = json_array ();
  const char *vital;
  json_t *observation;
  if (consult != NULL)
    json_object_foreach (consult->readings, vital, observation)
        json_array_append (items, observation);
  return items;
}

static json_t *
view_time (gint64 utc_us)
{
  g_autofree char *text = clock_text (utc_us);
  return utc_us > 0 ? json_string (text) : json_null ();
}

json_t *
view_guests (Station *station, Consult *consult)
{
  json_t *list = json_array ();
  for (guint i = 0; i < consult->guests->len; i++) {
    const Guest *guest = consult->guests->pdata[i];
    if (guest->state == GUEST_REMOVED)
      continue;
    json_t *media
        = station->room != NULL ? room_peer_figures (station->room, guest->id) : json_null ();
    json_array_append_new (
        list,
        json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:O*, s:o*, s:O*, s:O*}", "guest",
                   guest->id, "label", guest->id, "name", guest->name, "facility", guest->facility,
                   "role", guest->role, "state", guest_state_name (guest->state), "media", media,
                   "other", guest->other, "about", guest->about, "code",
                   station->room != NULL ? room_peer_code (station->room, guest->id) : NULL,
                   "proven", guest->proven, "identity", guest->identity));
  }
  return list;
}

static json_t *
view_invites (Station *station, Consult *consult)
{
  json_t *list = json_array ();
  for (guint i = 0; i < consult->invites->len; i++) {
    const Invite *invite = consult->invites->pdata[i];
    g_autofree char *link = invite_link (station, invite);
    json_array_append_new (
        list, json_pack ("{s:s, s:s, s:s, s:s, s:s}", "invite", invite->id, "name", invite->name,
                         "role", invite->role, "state",
                         invite_state_name (consult_invite_state (consult, invite)), "link", link));
  }
  return list;
}

static json_t *
view_recording (Station *station, const Consult *consult)
{
  gboolean on = station->recorder != NULL && recorder_is_on (station->recorder)
                && station->screen == consult;
  return json_pack ("{s:b, s:b, s:o, s:i}", "on", on, "allowed",
                    consult_recording_allowed (consult), "since",
                    on ? view_time (consult->recording_since_us) : json_null (), "tracks",
                    station->recorder != NULL ? (int)recorder_tracks (station->recorder) : 0);
}

static json_t *
view_consultation (Station *station, Consult *consult)
{
  json_t *view = json_pack ("{s:s, s:s, s:i, s:s?, s:s?, s:O, s:O, s:O, s:O}", "id", consult->id,
                            "state", consult_state_name (consult->state), "mode", consult->mode,
                            "reason", consult->reason, "conclusion", consult->conclusion, "patient",
                            consult->patient, "consents", consult->consents, "notes",
                            consult->notes, "events", consult->events);
  json_object_set_new (view, "attachments",
                       json_integer ((json_int_t)json_array_size (consult->attachments)));
  json_object_set_new (view, "started", view_time (consult->started_us));
  json_object_set_new (view, "recording", view_recording (station, consult));
  json_object_set_new (view, "readings", view_readings (consult));
  json_object_set_new (view, "alarms", alarms_view (consult->alarms, g_get_real_time ()));
  json_object_set_new (view, "ecgs", ecgs_json (consult));
  json_object_set_new (view, "retention", keep_class_view (consult));
  forms_view (station, consult, view);
  json_object_set_new (view, "guests", view_guests (station, consult));
  json_object_set_new (view, "encryption", json_string (view_encryption (consult)));
  json_object_set_new (view, "invites", view_invites (station, consult));
  json_object_set_new (view, "calls", calls_view (station, consult));
  return view;
}

static json_t *
view_parked (Station *station)
{
  json_t *list = json_array ();
  for (guint i = 0; i < station->consults->len; i++) {
    const Consult *consult = station->consults->pdata[i];
    if (consult == station->screen || consult_is_planned (consult))
      continue;
    json_array_append_new (
        list, json_pack ("{s:s, s:s?, s:o, s:s, s:i, s:s?, s:s?}", "id", consult->id, "patient",
                         consult_patient_name (consult), "since", view_time (consult->changed_us),
                         "state", consult_state_name (consult->state), "mode", consult->mode,
                         "reason", consult->reason, "case", calls_case_word (consult)));
  }
  return list;
}

/* What waits of a device may name patients. */
static json_t *
view_devices (Station *station, gboolean patients)
{
  json_t *list = readings_devices (station->readings), *device;
  gsize i;
  if (!patients)
    json_array_foreach (list, i, device)
    {
      json_object_del (device, "held");
    }
  return list;
}

json_t *
view_state (Station *station, const Session *session)
{
  const User *user = session != NULL ? users_find (station->users, session->user) : NULL;
  gboolean patients = user == NULL || (roles_of (station, user->id) & ROLE_CLINIC);
  gboolean open = session != NULL && session->unlocked && vault_is_open (station->vault);
  json_t *state = json_pack ("{s:s, s:s, s:{s:f, s:s}, s:i}", "type", "state", "vault",
                             open ? "open" : "closed", "disk", "recording_hours",
                             station->space.hours, "level", disk_level_name (station->disk),
                             "waiting_readings", (int)readings_waiting (station->readings));
  disk_policy_view (station->disk_policy, json_object_get (state, "disk"));
  json_object_set_new (state, "user",
                       user != NULL ? user_to_json (user, station->vault) : json_null ());
  json_object_set_new (state, "sources",
                       station->room != NULL ? room_sources (station->room) : json_array ());
  json_object_set_new (state, "relays",
                       station->room != NULL ? room_relays (station->room) : json_array ());
  json_object_set_new (state, "broker", rendezvous_view (station->rendezvous));
  json_object_set_new (state, "devices", view_devices (station, patients));
  json_object_set_new (state, "feeds", feeds_json (station->feeds));
  json_object_set_new (state, "bluetooth", bluetooth_json (station->bluetooth));
  json_object_set_new (state, "consultation",
                       station->screen != NULL && patients
                           ? view_consultation (station, station->screen)
                           : json_null ());
  json_object_set_new (state, "conference", conference_view (station->conference));
  json_object_set_new (state, "publishers", whip_endpoint_view (station->whip));
  json_object_set_new (state, "duty", calls_view_duty (station));
  json_object_set_new (state, "duty_far",
                       json_boolean (calls_desks (station) && calls_far (station)));
  json_object_set_new (state, "held", patients ? dicom_held (station->dicom) : json_array ());
  json_object_set_new (state, "parked", patients ? view_parked (station) : json_array ());
  json_object_set_new (state, "appointments", patients ? visits_view (station) : json_array ());
  return state;
}

const char *
view_encryption (const Consult *consult)
{
  return consult != NULL && consult->sfu ? "sfu" : "end-to-end";
}

/* ---- Data channel
 * ----------------------------------------------------------------------------------- */

static json_t *
view_people (Station *station, const Consult *consult)
{
  json_t *people = json_array ();
  room_add_consoles (station->room, people);
  room_add_servers (station->room, people);
  for (guint i = 0; consult != NULL && i < consult->guests->len; i++) {
    const Guest *guest = consult->guests->pdata[i];
    if (guest->state == GUEST_LIVE || guest->state == GUEST_ADMITTED || guest->state == GUEST_AWAY)
      json_array_append_new (people, json_pack ("{s:s, s:s, s:s, s:s}", "label", guest->id, "name",
                                                guest->name, "role", guest->role, "state",
                                                guest_state_name (guest->state)));
  }
  return people;
}

static json_t *
view_patient_short (const Consult *consult)
{
  static const char *const fields[] = { "name", "birth_year", "birth_date", "sex", "unknown" };
  json_t *patient = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    json_t *value = json_object_get (consult->patient, fields[i]);
    if (value != NULL)
      json_object_set (patient, fields[i], value);
  }
  return patient;
}

json_t *
view_live (Station *station)
{
  const Consult *consult = station->screen;
  gboolean recording = station->recorder != NULL && recorder_is_on (station->recorder);
  json_t *live
      = json_pack ("{s:s, s:s?, s:b, s:s?, s:s, s:s}", "type", "consultation", "state",
                   consult != NULL ? consult_state_name (consult->state) : NULL, "recording",
                   recording, "reason", consult != NULL ? consult->reason : NULL, "station",
                   station->config->station_name, "disk", disk_level_name (station->disk));
  json_object_set_new (live, "patient",
                       consult != NULL ? view_patient_short (consult) : json_null ());
  json_object_set_new (live, "people",
                       station->room != NULL ? view_people (station, consult) : json_array ());
  json_object_set_new (live, "sources",
                       station->room != NULL ? room_sources (station->room) : json_array ());
  json_object_set_new (live, "alarms",
                       consult != NULL ? alarms_view (consult->alarms, g_get_real_time ())
                                       : json_array ());
  json_object_set_new (live, "encryption", json_string (view_encryption (consult)));
  const char *operator= conference_operator (station->conference);
  if (operator!= NULL)
    json_object_set_new (live, "operator", json_string (operator));
  json_object_set_new (live, "listening",
                       station->room != NULL ? room_listening (station->room) : json_array ());
  return live;
}

void
view_send (Station *station)
{
  for (guint i = 0; i < station->clients->len; i++) {
    Client *client = station->clients->pdata[i];
    if (client->kind == CLIENT_CONSOLE && client->session != NULL)
      client_send (client, view_state (station, client->session));
  }
  channel_send_live (station);
  guests_follow_console (station);
}

void
view_send_pending (Client *client)
{
  if (client->session != NULL && client->station->state_timer != 0)
    client_send (client, view_state (client->station, client->session));
}
