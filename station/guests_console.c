/* The console's messages about invitations and guests. */
#include "station/forms.h"
#include "station/guests.h"
#include "station/text.h"
#include "station/qr.h"
#include "station/visits.h"

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
  request_ok (creating->request, json_pack ("{s:s, s:s, s:s?, s:s*}", "invite", invite->id, "link",
                                            link, "qr", qr, "pin", invite->pin));
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
  gboolean with_pin;
  Consult *consult = request->station->screen;
  if (!request_word (request, "role", REQUIRED, guest_roles, &role)
      || !request_text (request, "name", OPTIONAL, 100, &name)
      || !request_flag (request, "pin", &with_pin))
    return;
  if (consult->invites->len >= CONSULT_INVITES_MAX) {
    request_refuse (request, "not-allowed");
    return;
  }
  g_autofree char *secret = session_random_text (24), *pin = with_pin ? visit_new_pin () : NULL;
  Creating *creating = g_new0 (Creating, 1);
  creating->request = request_ref (request);
  creating->invite = invite_new_id (with_pin);
  Invite invite = { .id = creating->invite,
                    .role = (char *)role,
                    .name = (char *)(name != NULL ? name : ""),
                    .secret = secret,
                    .pin = pin };
  station_write (request->station, consult->id, "invite", request->user,
                 invite_body (&invite, "created", 0), invite_created, creating);
}

/* ---- What ends with a plain ok
 * -------------------------------------------------------------------- */

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
                 invite_body (invite, "revoked", invite->wrong), request_written,
                 request_ref (request));
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

void
guests_admit (Request *request)
{
  Station *station = request->station;
  Consult *consult = station->screen;
  Guest *guest = guest_of (request);
  if (guest == NULL)
    return;
  if (guest->state != GUEST_LOBBY || consult_invite (consult, guest->invite) == NULL) {
    request_refuse (request, "out-of-place");
    return;
  }
  guest_let_in (station, consult, guest, request->user, request_written, request_ref (request));
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
                 guest_body (guest, "removed"), request_written, request_ref (request));
}
