#include "station/confirm.h"
#include "certs/browser_key.h"
#include "station/channel.h"
#include "station/identities.h"
#include "station/station.h"

#include <string.h>

/* The guest's own note as it was saved last (transfer none); NULL: there is none, or it is a draft.
 */
static const json_t *
note_of (const Consult *consult, const Guest *guest, const char *id)
{
  g_autofree char *user = g_strconcat ("guest:", guest->id, NULL);
  gsize i;
  json_t *note;
  json_array_foreach (consult->notes, i, note)
  {
    if (g_strcmp0 (json_string_value (json_object_get (note, "note")), id) == 0
        && g_strcmp0 (json_string_value (json_object_get (note, "by")), user) == 0
        && !json_is_true (json_object_get (note, "draft")))
      return note;
  }
  return NULL;
}

/* Whom this page belongs to, let in and proven; NULL: refused. */
static Guest *
guest_of (Request *request, Consult *consult)
{
  Guest *guest = consult != NULL ? consult_guest (consult, request->client->guest) : NULL;
  if (guest == NULL || guest->state == GUEST_LOBBY || guest->state == GUEST_REMOVED
      || !consult_is_open (consult) || consult->busy) {
    request_refuse (request, "out-of-place");
    return NULL;
  }
  if (guest->identity != NULL)
    return guest;
  identities_refuse_unproven (request);
  return NULL;
}

static void
confirmed (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL && consult == station->screen)
    channel_send_note_of (station, consult,
                          json_string_value (json_object_get (request->message, "note")));
  request_ok (request, NULL);
}

static gboolean
signature_is_good (Request *request, const Consult *consult, const Guest *guest, const char *note,
                   const char *sha256, const char *signature)
{
  g_autofree char *text = browser_key_opinion (consult->id, note, sha256), *key = NULL;
  return browser_key_check (json_object_get (request->message, "key"), signature, text, &key)
         && g_str_equal (key, guest->key);
}

void
opinion_confirm (Request *request)
{
  const char *id, *sha256, *signature;
  Station *station = request->station;
  Consult *consult = station_consult (station, request->client->consult);
  if (!request_id (request, "note", REQUIRED, &id)
      || !request_text (request, "sha256", REQUIRED, 64, &sha256)
      || !request_text (request, "signature", REQUIRED, 128, &signature))
    return;
  const Guest *guest = guest_of (request, consult);
  if (guest == NULL)
    return;
  const json_t *note = note_of (consult, guest, id);
  const char *text = json_string_value (json_object_get (note, "text"));
  g_autofree char *hash
      = text != NULL ? g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1) : NULL;
  if (g_strcmp0 (hash, sha256) != 0) {
    request_refuse_with (
        request, "no-such",
        "Ý kiến ở trạm không giống ý kiến trên màn hình này. Hãy chờ lưu xong rồi "
        "xác nhận lại.",
        "The station has another text than this screen. Wait until it is saved, then "
        "confirm again.",
        NULL);
    return;
  }
  if (!signature_is_good (request, consult, guest, id, sha256, signature)) {
    request_bad (request, "signature", "is not by the key of this browser over this opinion");
    return;
  }
  station_write (station, consult->id, "confirmation", request->user,
                 json_pack ("{s:s, s:s, s:s, s:s, s:s}", "guest", guest->id, "note", id, "sha256",
                            sha256, "signature", signature, "method",
                            json_string_value (json_object_get (guest->identity, "method"))),
                 confirmed, request_ref (request));
}
