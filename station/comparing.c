#include "station/comparing.h"
#include "certs/comparison.h"
#include "station/guests.h"
#include "station/room.h"

#define NONCE_BYTES 24

struct Comparing {
  char *nonce, *commitment;
  char *offered;  /* our fingerprints; NULL: nothing was offered yet */
  char *answered; /* the page's; NULL: it has not answered with a nonce */
  char *code;
  gboolean is_void, confirmed;
};

Comparing *
comparing_new (void)
{
  Comparing *comparing = g_new0 (Comparing, 1);
  comparing->nonce = session_random_text (NONCE_BYTES);
  comparing->commitment = comparison_commitment (comparing->nonce);
  return comparing;
}

void
comparing_free (Comparing *comparing)
{
  if (comparing == NULL)
    return;
  g_free (comparing->nonce);
  g_free (comparing->commitment);
  g_free (comparing->offered);
  g_free (comparing->answered);
  g_free (comparing->code);
  g_free (comparing);
}

/* Another certificate than before: what was compared is no longer what is in use. */
static void
void_if_other (Comparing *comparing, const char *before, const char *now)
{
  if (before != NULL && g_strcmp0 (before, now) != 0)
    comparing->is_void = TRUE;
}

const char *
comparing_offer (Comparing *comparing, const char *sdp)
{
  char *fingerprints = comparison_fingerprints (sdp);
  void_if_other (comparing, comparing->offered, fingerprints);
  g_free (comparing->offered);
  comparing->offered = fingerprints;
  return comparing->commitment;
}

const char *
comparing_answer (Comparing *comparing, const char *sdp, const char *nonce, const char *station,
                  const char *page)
{
  g_autofree char *fingerprints = comparison_fingerprints (sdp);
  void_if_other (comparing, comparing->answered, fingerprints);
  if (comparing->answered != NULL || comparing->offered == NULL || fingerprints == NULL
      || !comparison_nonce_is_good (nonce))
    return NULL;
  const Comparison from
      = { comparing->nonce, nonce, comparing->offered, fingerprints, station, page };
  comparing->answered = g_steal_pointer (&fingerprints);
  comparing->code = comparison_code (&from);
  return comparing->nonce;
}

const char *
comparing_code (const Comparing *comparing)
{
  return comparing->is_void ? NULL : comparing->code;
}

void
comparing_confirm (Comparing *comparing)
{
  comparing->confirmed = TRUE;
}

gboolean
comparing_confirmed (const Comparing *comparing)
{
  return comparing->confirmed;
}

/* ---- What people say --------------------------------------------------------------------------
 */

/* Somebody stands between: the call ends, and the invitation with it. */
static void
end_call (Request *request, Consult *consult, Guest *guest, const char *user)
{
  Station *station = request->station;
  const Invite *invite = consult_invite (consult, guest->invite);
  station_event (station, consult->id, user, "code-differs", guest->name);
  if (invite != NULL)
    station_write (station, consult->id, "invite", user,
                   invite_body (invite, "revoked", invite->wrong), NULL, NULL);
  guest_dismiss (station, guest, "code-differs");
  station_write (station, consult->id, "guest", user, guest_body (guest, "removed"),
                 request_written, request_ref (request));
}

void
comparing_compared (Request *request)
{
  const char *id;
  gboolean same;
  Station *station = request->station;
  Consult *consult = station->screen;
  if (!request_id (request, "guest", REQUIRED, &id) || !request_flag (request, "same", &same))
    return;
  Guest *guest = consult_guest (consult, id);
  if (guest == NULL || guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED) {
    request_refuse (request, "no-such");
    return;
  }
  if (!same) {
    end_call (request, consult, guest, request->user);
    return;
  }
  if (station->room == NULL || !room_confirm_code (station->room, id)) {
    request_refuse (request, "out-of-place");
    return;
  }
  station_write (station, consult->id, "event", request->user,
                 json_pack ("{s:s, s:s}", "what", "code-same", "detail", guest->name),
                 request_written, request_ref (request));
}

void
comparing_page_differs (Request *request)
{
  Client *client = request->client;
  Consult *consult = station_consult (request->station, client->consult);
  Guest *guest = consult != NULL ? consult_guest (consult, client->guest) : NULL;
  if (guest == NULL || guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED) {
    request_refuse (request, "out-of-place");
    return;
  }
  end_call (request, consult, guest, request->user);
}
