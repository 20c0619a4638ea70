/* The console's messages about invitations and guests. */
#include "station/forms.h"
#include "station/guests.h"
#include "station/text.h"
#include "station/qr.h"

static const char *const guest_roles[] = { "specialist", "patient", "observer", NULL };

typedef struct {
  Request *request;
  char *invite;
} Creating;

static void
answer_created (Station *station, Consult *consult, const Creating *creating)
{
  const Invite *invite = consult != NULL ? consult_invite (consult, creating->invite) : NULL;
  if (invite == NULL) {
    request_refuse (creating->request, "no-such");
    return;
  }
  g_autofree char *link = invite_link (station, invite);
  g_autofree char *qr = qr_svg (link);
  request_ok (creating->request,
              json_pack ("{s:s, s:s, s:s?}", "invite", invite->id, "link", link, "qr", qr));
}

static void
invite_created (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Creating *creating = arg;
  if (error != NULL)
    request_failed (creating->request, error);
  else
    answer_created (station, consult, creating);
  request_unref (creating->request);
  g_free (creating->invite);
  g_free (creating);
}

void
guests_invite_create (Request *request)
{
  const char *role, *name;
  Consult *consult = request->station->screen;
  if (!request_word (request, "role", REQUIRED, guest_roles, &role)
      || !request_text (request, "name", OPTIONAL, 100, &name))
    return;
  if (consult->invites->len >= CONSULT_INVITES_MAX) {
    request_refuse (request, "not-allowed");
    return;
  }
  g_autofree char *secret = session_random_text (24);
  Creating *creating = g_new0 (Creating, 1);
  creating->request = request_ref (request);
  creating->invite = session_random_text (12);
  Invite invite = { .id = creating->invite,
                    .role = (char *)role,
                    .name = (char *)(name != NULL ? name : ""),
                    .secret = secret };
  station_write (request->station, consult->id, "invite", request->user,
                 invite_body (&invite, "created", 0), invite_created, creating);
}

/* ---- What ends with a plain ok
 * -------------------------------------------------------------------- */

static void
done (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL)
    request_failed (request, error);
  else
    request_ok (request, NULL);
}

static void
dismiss_guests_of (Station *station, Consult *consult, const char *invite, const char *code)
{
  for (guint i = consult->guests->len; i > 0; i--) {
    Guest *guest = consult->guests->pdata[i - 1];
    if (!g_str_equal (guest->invite, invite))
      continue;
    guest_dismiss (station, guest, code);
    if (guest->state == GUEST_LOBBY)
      consult_drop_guest (consult, guest);
  }
  guests_media_changed (station);
}

void
guests_invite_revoke (Request *request)
{
  const char *id;
  Station *station = request->station;
  Consult *consult = station->screen;
  if (!request_id (request, "invite", REQUIRED, &id))
    return;
  const Invite *invite = consult_invite (consult, id);
  if (invite == NULL || invite->state == INVITE_REVOKED) {
    request_refuse (request, "no-such");
    return;
  }
  dismiss_guests_of (station, consult, id, "revoked");
  station_write (station, consult->id, "invite", request->user,
                 invite_body (invite, "revoked", invite->wrong), done, request_ref (request));
}

static Guest *
guest_of (Request *request)
{
  const char *id;
  if (!request_id (request, "guest", REQUIRED, &id))
    return NULL;
  Guest *guest = consult_guest (request->station->screen, id);
  if (guest == NULL)
    request_refuse (request, "no-such");
  return guest;
}

static void
admitted (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  const char *id = json_string_value (json_object_get (request->message, "guest"));
  Guest *guest = consult != NULL ? consult_guest (consult, id) : NULL;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (guest != NULL) {
    station_event (station, consult->id, request->user, "guest-admitted", guest->name);
    if (g_str_equal (guest->role, "specialist"))
      forms_guest_admitted (station, consult, request->user, guest->facility);
    guest_welcome (station, consult, guest);
  }
  request_ok (request, NULL);
}

/* The browser that was bound to the invitation before gives way to this one. */
static void
replace_bound (Station *station, Consult *consult, const Guest *by, const char *user)
{
  for (guint i = 0; i < consult->guests->len; i++) {
    Guest *guest = consult->guests->pdata[i];
    if (guest == by || !g_str_equal (guest->invite, by->invite) || guest->state == GUEST_LOBBY
        || guest->state == GUEST_REMOVED)
      continue;
    guest_dismiss (station, guest, "removed");
    station_write (station, consult->id, "guest", user, guest_body (guest, "removed"), NULL, NULL);
  }
}

void
guests_admit (Request *request)
{
  Station *station = request->station;
  Consult *consult = station->screen;
  Guest *guest = guest_of (request);
  if (guest == NULL)
    return;
  const Invite *invite = consult_invite (consult, guest->invite);
  if (guest->state != GUEST_LOBBY || invite == NULL) {
    request_refuse (request, "out-of-place");
    return;
  }
  replace_bound (station, consult, guest, request->user);
  station_write (station, consult->id, "invite", request->user,
                 invite_body (invite, "admitted", invite->wrong), NULL, NULL);
  station_write (station, consult->id, "guest", request->user, guest_body (guest, "admitted"),
                 admitted, request_ref (request));
}

void
guests_refuse (Request *request)
{
  Station *station = request->station;
  Guest *guest = guest_of (request);
  if (guest == NULL)
    return;
  if (guest->state != GUEST_LOBBY) {
    request_refuse (request, "out-of-place");
    return;
  }
  if (guest->client != NULL) {
    g_clear_pointer (&guest->client->guest, g_free);
    client_send (guest->client,
                 json_pack ("{s:s, s:s, s:o}", "type", "refused", "code", "refused", "text",
                            text_json ("Bác sĩ chưa nhận lời tham gia của bạn.",
                                       "The doctor did not admit you.")));
  }
  station_event (station, station->screen->id, request->user, "guest-refused", guest->name);
  consult_drop_guest (station->screen, guest);
  station_changed (station);
  request_ok (request, NULL);
}

void
guests_remove (Request *request)
{
  Station *station = request->station;
  Guest *guest = guest_of (request);
  if (guest == NULL)
    return;
  if (guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED) {
    request_refuse (request, "out-of-place");
    return;
  }
  guest_dismiss (station, guest, "removed");
  station_event (station, station->screen->id, request->user, "guest-left", guest->name);
  station_write (station, station->screen->id, "guest", request->user,
                 guest_body (guest, "removed"), done, request_ref (request));
}
