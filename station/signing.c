#include "station/signing_private.h"
#include "records/signatures.h"
#include "station/record_view.h"
#include "station/signature_words.h"
#include "station/stamping.h"

#include <string.h>

G_DEFINE_QUARK (signing - refused, signing_refused)

void
signing_refuse (GError **error, const char *vi, const char *en)
{
  g_set_error (error, SIGNING_REFUSED, 0, "%s\n%s", vi, en);
}

/* ---- Keys
 * --------------------------------------------------------------------------------------- */

CadesTrust *
signing_trust (const Config *config, GError **error)
{
  return cades_trust_load (config->signing.people_ca, config->signing.authority_ca,
                           config->signing.crl, error);
}

/* The user's file with this ending (transfer full); NULL when there is none. */
static char *
key_file (const Config *config, const char *user, const char *ending)
{
  if (config->signing.keys == NULL || !user_id_is_valid (user))
    return NULL;
  g_autofree char *name = g_strconcat (user, ending, NULL);
  g_autofree char *path = g_build_filename (config->signing.keys, name, NULL);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

static char *
key_uri (const Config *config, const char *user)
{
  g_autofree char *file = key_file (config, user, ".uri");
  char *text = NULL;
  if (file == NULL)
    return key_file (config, user, ".key");
  if (!g_file_get_contents (file, &text, NULL, NULL))
    return NULL;
  text[strcspn (text, "\r\n")] = '\0';
  return text;
}

gboolean
signing_has_key (const Config *config, const char *user)
{
  g_autofree char *certificate = key_file (config, user, ".crt"), *uri = key_uri (config, user);
  return certificate != NULL && uri != NULL;
}

CadesSigner *
signing_open_key (const Config *config, const char *user, const char *secret, GError **error)
{
  g_autofree char *certificate = key_file (config, user, ".crt"), *uri = key_uri (config, user);
  if (certificate == NULL || uri == NULL) {
    signing_refuse (error, "Chưa có khóa ký của bạn trên trạm này.",
                    "There is no signing key of yours on this station.");
    return NULL;
  }
  g_autoptr (GBytes) bytes
      = secret != NULL && *secret != '\0' ? g_bytes_new (secret, strlen (secret)) : NULL;
  return cades_signer_open (uri, certificate, bytes, error);
}

/* ---- Jobs
 * --------------------------------------------------------------------------------------- */

static void
job_free (void *data)
{
  SigningJob *job = data;
  g_free (job->consult);
  g_free (job->user);
  json_decref (job->message);
  json_decref (job->result);
  g_free (job);
}

static void
answer_error (Request *request, const GError *error)
{
  if (error->domain != SIGNING_REFUSED) {
    request_failed (request, error);
    return;
  }
  g_auto (GStrv) words = g_strsplit (error->message, "\n", 2);
  request_refuse_with (request, "not-allowed", words[0], words[1], NULL);
}

static void
job_done (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  SigningJob *job = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  stamping_wake (request->station->stamping);
  if (g_task_propagate_boolean (G_TASK (result), &error))
    request_ok (request, g_steal_pointer (&job->result));
  else
    answer_error (request, error);
}

void
signing_start (Request *request, GTaskThreadFunc work)
{
  const char *id;
  if (!request_id (request, "consultation", REQUIRED, &id))
    return;
  SigningJob *job = g_new0 (SigningJob, 1);
  const Session *session = request->client->session;
  job->station = request->station;
  job->consult = g_strdup (id);
  job->user = g_strdup (request->user);
  job->message = json_incref (request->message);
  job->unlocked = session != NULL && session->unlocked;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, job_done, request_ref (request));
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, work);
}

gboolean
signing_may (const SigningJob *job, GError **error)
{
  g_autofree char *state = record_view_state (job->station->store, job->consult, error);
  if (state == NULL)
    return FALSE;
  if (!job->unlocked) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED, "the vault is closed");
    return FALSE;
  }
  if (g_str_equal (state, "signed") || g_str_equal (state, "delivered"))
    return TRUE;
  signing_refuse (error, "Hồ sơ chưa được ký đóng tại trạm.",
                  "The record has not been signed at the station yet.");
  return FALSE;
}

/* ---- signature.report
 * --------------------------------------------------------------------------- */

static void
report_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  SigningJob *job = data;
  Station *station = job->station;
  GError *error = NULL;
  guint wanted = 0;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autoptr (CadesTrust) trust
      = signing_may (job, &error) ? signing_trust (station->config, &error) : NULL;
  json_t *report = NULL;
  /* While the record is open anyway: whatever needs a further time-stamp is put in the queue. */
  if (trust != NULL
      && (station->stamping == NULL
          || signatures_renew (station->store, job->consult, now,
                               (gint64)station->config->signing.renew_days * 24 * 3600, &wanted,
                               &error)))
    report = signatures_report (
        station->store, job->consult, trust,
        station->identity != NULL ? identity_certificate (station->identity) : NULL, now, &error);
  if (report == NULL) {
    g_task_return_error (task, error);
    return;
  }
  signature_words_add (report);
  json_object_set_new (report, "pending", json_integer (wanted));
  json_object_set_new (report, "authority", json_boolean (station->stamping != NULL));
  json_object_set_new (report, "key", json_boolean (signing_has_key (station->config, job->user)));
  job->result = json_pack ("{s:o}", "report", report);
  g_task_return_boolean (task, TRUE);
}

void
signing_report (Request *request)
{
  signing_start (request, report_thread);
}

/* ---- signature.manifest
 * ------------------------------------------------------------------------- */

static void
manifest_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  SigningJob *job = data;
  GError *error = NULL;
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list
      = signing_may (job, &error)
            ? signatures_read (job->station->store, job->consult, &manifest, &error)
            : NULL;
  if (list != NULL && manifest == NULL)
    signing_refuse (&error, "Hồ sơ này không có bản kê.", "This record has no manifest.");
  if (manifest == NULL) {
    g_task_return_error (task, error);
    return;
  }
  gsize size;
  const char *text = g_bytes_get_data (manifest, &size);
  g_autofree char *sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest);
  job->result = json_pack ("{s:s%, s:s}", "manifest", text, size, "sha256", sha256);
  g_task_return_boolean (task, TRUE);
}

void
signing_manifest (Request *request)
{
  signing_start (request, manifest_thread);
}
