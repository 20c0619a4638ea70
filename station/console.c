#include "station/console.h"
#include "station/accounts.h"
#include "station/calls/calls.h"
#include "station/ecgs.h"
#include "station/bluetooth.h"
#include "station/comparing.h"
#include "station/deliveries.h"
#include "station/dicom.h"
#include "station/forms.h"
#include "station/guests.h"
#include "station/keeping.h"
#include "station/media_messages.h"
#include "station/prescription.h"
#include "station/passkeys.h"
#include "station/patient_find.h"
#include "station/readings.h"
#include "station/recording.h"
#include "station/recovering.h"
#include "station/roles.h"
#include "station/room.h"
#include "station/signing.h"
#include "station/station.h"
#include "station/tpm_pin.h"
#include "station/visits.h"
#include "station/whip/conference.h"
#include "station/whip/whip_endpoint.h"
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
  Roles who; /* may send it, once signed in */
} Message;

static void
ping (Request *request)
{
  request_ok (request, NULL);
}

#define HERE (SIGNED_IN | ON_SCREEN)

static const Message messages[] = {
  { "ping", ping, ANYBODY, ROLE_ANY },
  { "sign-in", console_sign_in, ANYBODY, ROLE_ANY },
  { "passkey.begin", passkeys_begin, ANYBODY, ROLE_ANY },
  { "sign-in.passkey", passkeys_sign_in, ANYBODY, ROLE_ANY },
  { "resume", console_resume, ANYBODY, ROLE_ANY },
  { "sign-out", console_sign_out, SIGNED_IN, ROLE_ANY },
  { "unlock", console_unlock, SIGNED_IN, ROLE_CLINIC },
  { "unlock.passkey", passkeys_unlock, SIGNED_IN, ROLE_CLINIC },
  { "passkey.list", passkeys_list, SIGNED_IN, ROLE_ANY },
  { "passkey.add", passkeys_add, SIGNED_IN, ROLE_ANY },
  { "passkey.remove", passkeys_remove, SIGNED_IN, ROLE_ANY },
  { "tpm.set", tpm_pin_set, SIGNED_IN, ROLE_CLINIC },
  { "tpm.clear", tpm_pin_clear, SIGNED_IN, ROLE_CLINIC },
  { "lock", console_lock, SIGNED_IN, ROLE_ANY },
  { "active", console_active, SIGNED_IN, ROLE_ANY },
  { "consultation.start", console_consultation_start, SIGNED_IN | READY, ROLE_CLINIC },
  { "consultation.park", console_consultation_park, HERE | OPEN, ROLE_CLINIC },
  { "consultation.open", console_consultation_open, SIGNED_IN, ROLE_CLINIC },
  { "consultation.conclude", console_consultation_conclude, HERE | LIVE, ROLE_DOCTOR },
  { "consultation.reopen", console_consultation_reopen, HERE, ROLE_DOCTOR },
  { "consultation.sign", console_consultation_sign, HERE, ROLE_DOCTOR },
  { "consultation.cancel", console_consultation_cancel, HERE, ROLE_DOCTOR },
  { "patient.save", console_patient_save, HERE | OPEN, ROLE_CLINIC },
  { "consent.save", console_consent_save, HERE | OPEN, ROLE_CLINIC },
  { "recording.start", recording_start, HERE | LIVE, ROLE_CLINIC },
  { "recording.pause", recording_pause, HERE | LIVE, ROLE_CLINIC },
  { "note.save", console_note_save, HERE | OPEN, ROLE_CLINIC },
  { "prescription.list", console_prescription_list, HERE, ROLE_CLINIC },
  { "prescription.save", console_prescription_save, HERE | OPEN, ROLE_DOCTOR },
  { "note.draft", console_note_draft, HERE | OPEN, ROLE_CLINIC },
  { "problem.save", console_problem_save, HERE | OPEN, ROLE_DOCTOR },
  { "facilities.save", console_facilities_save, HERE | OPEN, ROLE_CLINIC },
  { "consultation.save", console_consultation_save, HERE | OPEN, ROLE_CLINIC },
  { "mark.save", console_mark_save, HERE | OPEN, ROLE_CLINIC },
  { "icd10.find", console_icd10_find, SIGNED_IN, ROLE_CLINIC },
  { "identity.read", console_identity_read, SIGNED_IN, ROLE_CLINIC },
  { "patient.find", console_patient_find, SIGNED_IN, ROLE_CLINIC },
  { "reading.save", readings_save, HERE | OPEN, ROLE_CLINIC },
  { "ecg.part", ecgs_part, HERE | OPEN, ROLE_CLINIC },
  { "ecg.add", ecgs_add, HERE | OPEN, ROLE_CLINIC },
  { "ecg.get", ecgs_get, SIGNED_IN, ROLE_CLINIC },
  { "device.claim", readings_claim, SIGNED_IN, ROLE_CLINIC },
  { "device.decline", readings_decline, SIGNED_IN, ROLE_CLINIC },
  { "bluetooth.search", bluetooth_search, SIGNED_IN, ROLE_ANY },
  { "bluetooth.pair", bluetooth_pair, SIGNED_IN, ROLE_ANY },
  { "bluetooth.answer", bluetooth_answer, SIGNED_IN, ROLE_ANY },
  { "bluetooth.save", bluetooth_save, SIGNED_IN, ROLE_ANY },
  { "bluetooth.forget", bluetooth_forget, SIGNED_IN, ROLE_ANY },
  { "dicom.claim", dicom_claim, HERE | OPEN, ROLE_CLINIC },
  { "attachments.list", dicom_list, HERE, ROLE_CLINIC },
  { "source.prefer", media_prefer, HERE | OPEN, ROLE_CLINIC },
  { "appointment.create", visits_create, SIGNED_IN | READY, ROLE_CLINIC },
  { "appointment.move", visits_move, SIGNED_IN, ROLE_CLINIC },
  { "appointment.cancel", visits_cancel, SIGNED_IN, ROLE_CLINIC },
  { "appointment.card", visits_card, SIGNED_IN, ROLE_CLINIC },
  { "appointment.renew", visits_renew, SIGNED_IN, ROLE_CLINIC },
  { "appointment.send", visits_send, SIGNED_IN, ROLE_CLINIC },
  { "appointment.start", visits_start, SIGNED_IN | READY, ROLE_CLINIC },
  { "invite.create", guests_invite_create, HERE | LIVE, ROLE_CLINIC },
  { "invite.revoke", guests_invite_revoke, HERE | OPEN, ROLE_CLINIC },
  { "guest.admit", guests_admit, HERE | LIVE, ROLE_CLINIC },
  { "guest.refuse", guests_refuse, HERE | OPEN, ROLE_CLINIC },
  { "guest.remove", guests_remove, HERE | OPEN, ROLE_CLINIC },
  { "call.preview", calls_preview, HERE | LIVE, ROLE_CLINIC },
  { "call.request", calls_request, HERE | LIVE, ROLE_CLINIC },
  { "call.escalate", calls_escalate, HERE | LIVE, ROLE_CLINIC },
  { "call.again", calls_again, HERE | LIVE, ROLE_CLINIC },
  { "call.later", calls_later, HERE | LIVE, ROLE_CLINIC },
  { "call.cancel", calls_cancel, HERE | OPEN, ROLE_CLINIC },
  { "call.end", calls_end, HERE | OPEN, ROLE_CLINIC },
  { "guest.compared", comparing_compared, HERE | OPEN, ROLE_CLINIC },
  { "conference.start", conference_start, HERE | LIVE, ROLE_DOCTOR },
  { "conference.stop", conference_stop, SIGNED_IN, ROLE_DOCTOR },
  { "conference.seen", conference_seen, SIGNED_IN, ROLE_DOCTOR },
  { "publisher.remove", whip_endpoint_remove, HERE | OPEN, ROLE_CLINIC },
  { "media.start", media_start, SIGNED_IN, ROLE_CLINIC },
  { "media.answer", media_answer, ANYBODY, ROLE_CLINIC },
  { "media.candidate", media_candidate, ANYBODY, ROLE_CLINIC },
  { "media.renegotiate", media_renegotiate, ANYBODY, ROLE_CLINIC },
  { "media.stop", media_stop, ANYBODY, ROLE_ANY },
  { "media.own", media_own, ANYBODY, ROLE_CLINIC },
  { "record.list", console_record_list, SIGNED_IN, ROLE_CLINIC },
  { "record.open", console_record_open, SIGNED_IN, ROLE_CLINIC },
  { "record.waves", console_record_waves, SIGNED_IN, ROLE_CLINIC },
  { "signature.report", signing_report, SIGNED_IN, ROLE_CLINIC },
  { "signature.manifest", signing_manifest, SIGNED_IN, ROLE_CLINIC },
  { "signature.prepare", signing_prepare, SIGNED_IN, ROLE_CLINIC },
  { "signature.add", signing_add, SIGNED_IN, ROLE_CLINIC },
  { "outbox.list", deliveries_list, SIGNED_IN, ROLE_ANY },
  { "outbox.send", deliveries_send, SIGNED_IN, ROLE_ANY },
  { "outbox.older", deliveries_older, SIGNED_IN, ROLE_ANY },
  { "retention.list", keeping_list, SIGNED_IN, ROLE_CLINIC },
  { "retention.set", keeping_set, SIGNED_IN, ROLE_DOCTOR },
  { "retention.hold", keeping_hold, SIGNED_IN, ROLE_DOCTOR },
  { "retention.erase", keeping_erase, SIGNED_IN, ROLE_DOCTOR },
  { "erasure.list", keeping_certificates, SIGNED_IN, ROLE_ANY },
  { "erasure.certificate", keeping_certificate, SIGNED_IN, ROLE_ANY },
  { "recovery.list", recovering_list, SIGNED_IN, ROLE_STAFF },
  { "recovery.challenge", recovering_challenge, SIGNED_IN, ROLE_STAFF },
  { "recovery.confirm", recovering_confirm, SIGNED_IN, ROLE_STAFF },
  { "recovery.sheet", recovering_sheet, SIGNED_IN, ROLE_STAFF },
  { "witness.check", witnesses_check, SIGNED_IN, ROLE_ANY },
  { "account.list", accounts_list, SIGNED_IN, ROLE_STAFF },
  { "account.save", accounts_save, SIGNED_IN, ROLE_STAFF },
  { "account.enrol", accounts_enrol, SIGNED_IN, ROLE_STAFF },
  { "account.disable", accounts_disable, SIGNED_IN, ROLE_STAFF },
  { "account.forget", accounts_forget, SIGNED_IN, ROLE_STAFF },
  { "check", console_check, SIGNED_IN, ROLE_ANY },
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
  if (wrong != NULL && g_str_equal (wrong, "not-signed-in"))
    request_refuse (request, wrong);
  else if (request->user != NULL && !roles_allow (request, message->who))
    return;
  else if (wrong != NULL)
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
