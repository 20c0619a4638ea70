#include "station/console.h"
#include "station/ecgs.h"
#include "station/bluetooth.h"
#include "station/deliveries.h"
#include "station/dicom.h"
#include "station/forms.h"
#include "station/guests.h"
#include "station/media_messages.h"
#include "station/prescription.h"
#include "station/patient_find.h"
#include "station/readings.h"
#include "station/recording.h"
#include "station/room.h"
#include "station/signing.h"
#include "station/station.h"
#include "station/witnesses.h"

#include <string.h>

/* What must hold before a message is in place. */
typedef enum {
  ANYBODY = 0,
  SIGNED_IN = 1 << 0,
  READY = 1 << 1,     /* recovery is confirmed */
  ON_SCREEN = 1 << 2, /* a consultation is on screen, and nobody is signing it */
  OPEN = 1 << 3,      /* it is live, interrupted or concluding */
  LIVE = 1 << 4,      /* it is live or interrupted */
} Needs;

typedef struct {
  const char *type;
  void (*handle) (Request *request);
  guint needs;
} Message;

static void
ping (Request *request)
{
  request_ok (request, NULL);
}

#define HERE (SIGNED_IN | ON_SCREEN)

static const Message messages[] = {
  { "ping", ping, ANYBODY },
  { "sign-in", console_sign_in, ANYBODY },
  { "resume", console_resume, ANYBODY },
  { "sign-out", console_sign_out, SIGNED_IN },
  { "unlock", console_unlock, SIGNED_IN },
  { "lock", console_lock, SIGNED_IN },
  { "active", console_active, SIGNED_IN },
  { "consultation.start", console_consultation_start, SIGNED_IN | READY },
  { "consultation.park", console_consultation_park, HERE | OPEN },
  { "consultation.open", console_consultation_open, SIGNED_IN },
  { "consultation.conclude", console_consultation_conclude, HERE | LIVE },
  { "consultation.reopen", console_consultation_reopen, HERE },
  { "consultation.sign", console_consultation_sign, HERE },
  { "consultation.cancel", console_consultation_cancel, HERE },
  { "patient.save", console_patient_save, HERE | OPEN },
  { "consent.save", console_consent_save, HERE | OPEN },
  { "recording.start", recording_start, HERE | LIVE },
  { "recording.pause", recording_pause, HERE | LIVE },
  { "note.save", console_note_save, HERE | OPEN },
  { "prescription.list", console_prescription_list, HERE },
  { "prescription.save", console_prescription_save, HERE | OPEN },
  { "note.draft", console_note_draft, HERE | OPEN },
  { "problem.save", console_problem_save, HERE | OPEN },
  { "facilities.save", console_facilities_save, HERE | OPEN },
  { "consultation.save", console_consultation_save, HERE | OPEN },
  { "mark.save", console_mark_save, HERE | OPEN },
  { "icd10.find", console_icd10_find, SIGNED_IN },
  { "identity.read", console_identity_read, SIGNED_IN },
  { "patient.find", console_patient_find, SIGNED_IN },
  { "reading.save", readings_save, HERE | OPEN },
  { "ecg.part", ecgs_part, HERE | OPEN },
  { "ecg.add", ecgs_add, HERE | OPEN },
  { "ecg.get", ecgs_get, SIGNED_IN },
  { "device.claim", readings_claim, SIGNED_IN },
  { "device.decline", readings_decline, SIGNED_IN },
  { "bluetooth.search", bluetooth_search, SIGNED_IN },
  { "bluetooth.pair", bluetooth_pair, SIGNED_IN },
  { "bluetooth.answer", bluetooth_answer, SIGNED_IN },
  { "bluetooth.save", bluetooth_save, SIGNED_IN },
  { "bluetooth.forget", bluetooth_forget, SIGNED_IN },
  { "dicom.claim", dicom_claim, HERE | OPEN },
  { "attachments.list", dicom_list, HERE },
  { "source.prefer", media_prefer, HERE | OPEN },
  { "invite.create", guests_invite_create, HERE | LIVE },
  { "invite.revoke", guests_invite_revoke, HERE | OPEN },
  { "guest.admit", guests_admit, HERE | LIVE },
  { "guest.refuse", guests_refuse, HERE | OPEN },
  { "guest.remove", guests_remove, HERE | OPEN },
  { "media.start", media_start, SIGNED_IN },
  { "media.answer", media_answer, ANYBODY },
  { "media.candidate", media_candidate, ANYBODY },
  { "media.renegotiate", media_renegotiate, ANYBODY },
  { "media.stop", media_stop, ANYBODY },
  { "media.own", media_own, ANYBODY },
  { "record.list", console_record_list, SIGNED_IN },
  { "record.open", console_record_open, SIGNED_IN },
  { "record.waves", console_record_waves, SIGNED_IN },
  { "signature.report", signing_report, SIGNED_IN },
  { "signature.manifest", signing_manifest, SIGNED_IN },
  { "signature.add", signing_add, SIGNED_IN },
  { "outbox.list", deliveries_list, SIGNED_IN },
  { "outbox.send", deliveries_send, SIGNED_IN },
  { "witness.check", witnesses_check, SIGNED_IN },
  { "check", console_check, SIGNED_IN },
};

static const Message *
message_of (const char *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++)
    if (g_str_equal (messages[i].type, type))
      return &messages[i];
  return NULL;
}

/* NULL when the message is in place, else the code of the refusal. */
static const char *
out_of_place (const Client *client, const Message *message)
{
  Station *station = client->station;
  const Consult *screen = station->screen;
  guint needs = message->needs;
  if ((needs & SIGNED_IN) && client->session == NULL)
    return "not-signed-in";
  if ((needs & READY) && !station_is_ready (station))
    return "not-ready";
  if ((needs & ON_SCREEN) && screen == NULL)
    return "out-of-place";
  if ((needs & ON_SCREEN) && screen->busy)
    return "busy";
  if ((needs & OPEN) && !consult_is_open (screen))
    return "out-of-place";
  if ((needs & LIVE) && screen->state != CONSULT_LIVE && screen->state != CONSULT_INTERRUPTED)
    return "out-of-place";
  return NULL;
}

static void
refuse_unknown (Request *request, const char *type)
{
  g_autofree char *shown = g_strndup (type, 64);
  const char *end;
  if (!g_utf8_validate (shown, -1, &end))
    shown[end - shown] = '\0';
  g_autofree char *vi = g_strdup_printf ("Trạm không biết yêu cầu '%s'.", shown);
  g_autofree char *en = g_strdup_printf ("The station knows no message '%s'.", shown);
  request_refuse_with (request, "bad-message", vi, en, NULL);
}

void
console_receive (Client *client, json_t *body)
{
  const char *type = json_string_value (json_object_get (body, "type"));
  const Message *message = message_of (type);
  /* The session may be over while the page is open. */
  if (client->session != NULL && client->session->expires_us <= g_get_real_time ()) {
    client->session->client = NULL;
    client->session = NULL;
    client_send (client, json_pack ("{s:s, s:s}", "type", "signed-out", "reason", "expired"));
  }
  g_autoptr (Request) request
      = request_new (client, body, client->session != NULL ? client->session->user : NULL);
  if (message == NULL) {
    refuse_unknown (request, type);
    return;
  }
  const char *wrong = out_of_place (client, message);
  if (wrong != NULL)
    request_refuse (request, wrong);
  else
    message->handle (request);
}

void
console_gone (Client *client)
{
  if (client->station->room != NULL)
    room_leave_peer (client->station->room, client);
  ecgs_gone (client->station->ecgs, client);
  if (client->session != NULL)
    client->session->client = NULL;
  client->session = NULL;
}
