#include "station/calls/calls.h"
#include "station/sign.h"
#include "records/outbox.h"
#include "records/signatures.h"
#include "station/console_private.h"
#include "station/deliveries.h"
#include "station/keep_class.h"
#include "station/recorder.h"
#include "station/signing.h"
#include "station/stamping.h"
#include "station/waves.h"

#include <gio/gio.h>

/* Bytes as JSON text; the manifest is JSON itself. */
static json_t *
signature_body (const char *user, GBytes *manifest, GBytes *cms)
{
  gsize length, cms_length = 0;
  const char *text = g_bytes_get_data (manifest, &length);
  const guint8 *der = cms != NULL ? g_bytes_get_data (cms, &cms_length) : NULL;
  g_autofree char *sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest);
  g_autofree char *seal = g_base64_encode (der, cms_length);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s%}", "confirmed_by", user, "method", "sign-in",
                    "sha256", sha256, "seal", seal, "manifest", text, length);
}

static gboolean
put_signature (Station *station, const char *consult, const char *user, GError **error)
{
  g_autoptr (GBytes) manifest = store_manifest (station->store, consult, error);
  g_autoptr (GBytes) cms = NULL;
  if (manifest == NULL)
    return FALSE;
  if (station->identity != NULL) {
    cms = identity_sign (station->identity, manifest, error);
    if (cms == NULL)
      return FALSE;
  }
  json_auto_t *body = signature_body (user, manifest, cms);
  gint64 seq = 0;
  return store_put_sync (station->store, consult, "signature", user, body, &seq, error)
         && (cms == NULL || signatures_want_token (station->store, consult, seq, error));
}

gboolean
sign_seal (Station *station, const char *consult, const char *user, gboolean signature,
           GError **error)
{
  return (signature || put_signature (station, consult, user, error))
         && store_checkpoint (station->store, error)
         && vault_finish (station->vault, consult, error);
}

/* ---- "consultation.sign"
 * ------------------------------------------------------------------------- */

typedef struct {
  Station *station;
  char *consult, *user;
  json_t *body;
  GPtrArray *due; /* OutboxItem*: queued with the signed state */
  RetentionClass class;
  char *class_reason; /* NULL: none */
} Signing;

static void
signing_free (void *data)
{
  Signing *signing = data;
  g_free (signing->consult);
  g_free (signing->user);
  g_free (signing->class_reason);
  json_decref (signing->body);
  g_clear_pointer (&signing->due, g_ptr_array_unref);
  g_free (signing);
}

/* Ten years need no row. Before the signed state: a kill in between leaves a term too long, never
 * one too short. */
static gboolean
keep_for (const Signing *signing, GError **error)
{
  return signing->class == RETENTION_ORDINARY
         || retention_set_class (signing->station->store, signing->consult, signing->class,
                                 signing->user, signing->class_reason, error);
}

static gboolean
sign_rows (const Signing *signing, GError **error)
{
  json_auto_t *event = json_pack ("{s:s, s:s}", "what", "signed", "detail", "");
  Store *store = signing->station->store;
  deliveries_add_packages (signing->station->config, store, signing->consult, signing->due);
  if (signing->due->len > 0)
    vault_hold (signing->station->vault, signing->consult);
  return store_save_drafts (store, signing->consult, error) && keep_for (signing, error)
         && store_put_sync (store, signing->consult, "event", signing->user, event, NULL, error)
         && outbox_put_sync (store, signing->consult, "consultation", signing->user, signing->body,
                             signing->due, NULL, error)
         && sign_seal (signing->station, signing->consult, signing->user, FALSE, error);
}

static void
sign_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Signing *signing = data;
  GError *error = NULL;
  if (signing->station->recorder != NULL)
    recorder_finish (signing->station->recorder);
  if (sign_rows (signing, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
signed_now (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  Station *station = request->station;
  const Signing *signing = g_task_get_task_data (G_TASK (result));
  Consult *consult = station_consult (station, signing->consult);
  station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    if (consult != NULL)
      station_forget (station, consult);
    stamping_wake (station->stamping);
    deliveries_wake (station->deliveries);
    request_ok (request, NULL);
    return;
  }
  g_warning ("sign: %s", error->message);
  if (consult != NULL)
    consult->busy = FALSE;
  station_changed (station);
  request_failed (request, error);
}

/* What the doctor chose; else what the diagnoses ask for. */
static void
choose_class (Signing *signing, const Request *request, const Consult *consult)
{
  const char *chosen = json_string_value (json_object_get (request->message, "retention"));
  const char *code;
  RetentionClass proposed = keep_class_propose (consult, &code);
  signing->class = proposed;
  if (chosen != NULL)
    retention_class_parse (chosen, &signing->class);
  if (code != NULL && signing->class == proposed)
    signing->class_reason = g_strdup_printf ("ICD-10 %s", code);
}

/* The request's user has confirmed. */
static void
sign (Request *request)
{
  Station *station = request->station;
  Consult *consult = station->screen;
  if (consult == NULL || consult->state != CONSULT_CONCLUDING || consult->busy) {
    request_refuse (request, "out-of-place");
    return;
  }
  Signing *signing = g_new0 (Signing, 1);
  signing->station = station;
  signing->consult = g_strdup (consult->id);
  signing->user = g_strdup (request->user);
  signing->body = consult_body (consult, CONSULT_SIGNED);
  choose_class (signing, request, consult);
  signing->due = deliveries_due (station->config, consult->attachments);
  waves_flush (station->waves, consult->id);
  consult->busy = TRUE;
  station->pending++;
  station_changed (station);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, signed_now, request_ref (request));
  g_task_set_task_data (task, signing, signing_free);
  g_task_run_in_thread (task, sign_thread);
}

void
console_consultation_sign (Request *request)
{
  static const char *const classes[] = { "ordinary", "accident", "psychiatric", "death", NULL };
  const char *pin, *passphrase, *class;
  if (!request_word (request, "retention", OPTIONAL, classes, &class)
      || !request_text (request, "pin", OPTIONAL, 32, &pin)
      || !request_text (request, "passphrase", OPTIONAL, 1024, &passphrase))
    return;
  if (request->station->screen->state != CONSULT_CONCLUDING)
    request_refuse (request, "out-of-place");
  else if (calls_case_waits (request->station->screen))
    request_refuse_with (
        request, "refused",
        "Còn một ca gửi sau đang chờ ý kiến: hãy quay lại khám rồi tạm gác để chờ, hoặc rút ca đó "
        "lại trước khi ký.",
        "A case sent for later waits for its answer: go back and park the consultation until it "
        "comes, or withdraw the case before signing.",
        NULL);
  else
    console_prove (request, pin, passphrase, "or the passphrase is wanted to sign", sign);
}
