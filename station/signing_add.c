#include "station/signing_private.h"
#include "records/signatures.h"
#include "station/signature_words.h"
#include "station/users.h"

#include <string.h>

#define FILE_MOST (180 * 1024) /* characters of base64; a frame has 256 KiB */
#define DRAWING_MOST (128 * 1024)

static const char *const ROLES[]
    = { "doctor", "specialist", "chair", "secretary", "patient", "representative", NULL };
static const char *const METHODS[] = { "upload", "key", "confirmation", NULL };

static const char *
text_of (const json_t *body, const char *key)
{
  return json_string_value (json_object_get (body, key));
}

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* Says the first thing that does not hold. */
static gboolean
judge (Station *station, GBytes *cms, GBytes *manifest, char **ret_name, GError **error)
{
  g_autoptr (CadesTrust) trust = signing_trust (station->config, error);
  if (trust == NULL)
    return FALSE;
  g_autoptr (CadesReport) report = cades_check (cms, manifest, trust, now_s ());
  for (guint i = 0; i < report->findings->len; i++) {
    const CadesFinding *finding = &g_array_index (report->findings, CadesFinding, i);
    if (finding->verdict == CADES_BAD) {
      const Text *text = signature_words (finding->code);
      signing_refuse (error, text->vi, text->en);
      return FALSE;
    }
  }
  *ret_name = g_strdup (report->signer);
  return TRUE;
}

static gboolean
is_there (const GPtrArray *list, GBytes *cms)
{
  for (guint i = 0; i < list->len; i++) {
    const Signature *signature = list->pdata[i];
    if (signature->cms != NULL && g_bytes_equal (signature->cms, cms))
      return TRUE;
  }
  return FALSE;
}

static GPtrArray *
read_signed (Station *station, const char *consult, GBytes **ret_manifest, GError **error)
{
  g_autoptr (GPtrArray) list = signatures_read (station->store, consult, ret_manifest, error);
  if (list != NULL && *ret_manifest == NULL) {
    signing_refuse (error, "Hồ sơ này không có bản kê.", "This record has no manifest.");
    return NULL;
  }
  return g_steal_pointer (&list);
}

static gboolean
put (Station *station, const char *consult, const char *user, json_t *body, GBytes *cms,
     GBytes *manifest, GError **error)
{
  gint64 seq = 0;
  g_autofree char *sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest);
  json_object_set_new (body, "sha256", json_string (sha256));
  if (cms != NULL) {
    gsize size;
    const guchar *der = g_bytes_get_data (cms, &size);
    g_autofree char *text = g_base64_encode (der, size);
    json_object_set_new (body, "cms", json_string (text));
  }
  return store_put_sync (station->store, consult, "signature", user, body, &seq, error)
         && (cms == NULL || signatures_want_token (station->store, consult, seq, error));
}

/* ---- The user's own key
 * ------------------------------------------------------------------------ */

static GBytes *
sign_with (Station *station, const char *user, const char *secret, GBytes *manifest, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (CadesSigner) signer = signing_open_key (station->config, user, secret, &reason);
  g_autoptr (CadesTrust) trust = signing_trust (station->config, error);
  if (trust == NULL)
    return NULL;
  g_autoptr (GBytes) cms
      = signer != NULL ? cades_sign (signer, trust->crls, manifest, &reason) : NULL;
  if (cms != NULL)
    return g_steal_pointer (&cms);
  if (reason->domain == SIGNING_REFUSED) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return NULL;
  }
  g_message ("signing: %s", reason->message);
  signing_refuse (error,
                  "Không mở được khóa ký: mật khẩu hoặc mã PIN của khóa không đúng, hoặc chưa cắm "
                  "thiết bị ký.",
                  "The signing key cannot be opened: its passphrase or PIN is wrong, or the token "
                  "is not plugged in.");
  return NULL;
}

gboolean
signing_by_key (Station *station, const char *consult, const char *user, const char *secret,
                const char *role, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) list = read_signed (station, consult, &manifest, error);
  if (list == NULL)
    return FALSE;
  g_autoptr (GBytes) cms = sign_with (station, user, secret, manifest, error);
  if (cms == NULL || !judge (station, cms, manifest, &name, error))
    return FALSE;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s}", "method", "key", "role", role, "name", name);
  return put (station, consult, user, body, cms, manifest, error);
}

/* ---- signature.add
 * ------------------------------------------------------------------------------ */

static gboolean
add_upload (const SigningJob *job, GError **error)
{
  Station *station = job->station;
  g_autoptr (GBytes) manifest = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) list = read_signed (station, job->consult, &manifest, error);
  if (list == NULL)
    return FALSE;
  gsize size;
  guchar *data = g_base64_decode (text_of (job->message, "file"), &size);
  g_autoptr (GBytes) file = g_bytes_new_take (data, size);
  g_autoptr (GBytes) cms = cades_read (file, NULL);
  if (cms == NULL) {
    const Text *text = signature_words ("not-a-signature");
    signing_refuse (error, text->vi, text->en);
    return FALSE;
  }
  if (is_there (list, cms)) {
    signing_refuse (error, "Chữ ký này đã được nộp rồi.", "This signature is here already.");
    return FALSE;
  }
  if (!judge (station, cms, manifest, &name, error))
    return FALSE;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s}", "method", "upload", "role",
                                 text_of (job->message, "role"), "name", name);
  return put (station, job->consult, job->user, body, cms, manifest, error);
}

/* Nobody's key: what was said, by whom, before which user of the station. */
static gboolean
add_confirmation (const SigningJob *job, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = read_signed (job->station, job->consult, &manifest, error);
  if (list == NULL)
    return FALSE;
  json_auto_t *body
      = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s*}", "method", "confirmation", "role",
                   text_of (job->message, "role"), "name", text_of (job->message, "name"),
                   "statement", text_of (job->message, "statement"), "confirmed_by", job->user,
                   "drawing", text_of (job->message, "drawing"));
  return put (job->station, job->consult, job->user, body, NULL, manifest, error);
}

static void
add_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const SigningJob *job = data;
  GError *error = NULL;
  const char *method = text_of (job->message, "method");
  gboolean good = signing_may (job, &error);
  if (good && g_str_equal (method, "upload"))
    good = add_upload (job, &error);
  else if (good && g_str_equal (method, "key"))
    good = signing_by_key (job->station, job->consult, job->user, text_of (job->message, "secret"),
                           text_of (job->message, "role"), &error);
  else if (good)
    good = add_confirmation (job, &error);
  if (good)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
drawing_is_good (Request *request, const char *drawing)
{
  static const char PNG[] = "iVBORw0KGgo"; /* base64 of the signature of PNG */
  if (drawing == NULL || g_str_has_prefix (drawing, PNG))
    return TRUE;
  request_bad (request, "drawing", "wants a PNG picture in base64");
  return FALSE;
}

void
signing_add (Request *request)
{
  const char *role, *method, *text, *drawing;
  if (!request_word (request, "role", REQUIRED, ROLES, &role)
      || !request_word (request, "method", REQUIRED, METHODS, &method))
    return;
  gboolean confirmation = g_str_equal (method, "confirmation");
  if (!request_text (request, "file", g_str_equal (method, "upload") ? REQUIRED : OPTIONAL,
                     FILE_MOST, &text)
      || !request_text (request, "secret", OPTIONAL, 1024, &text)
      || !request_text (request, "name", confirmation ? REQUIRED : OPTIONAL, 200, &text)
      || !request_text (request, "statement", confirmation ? REQUIRED : OPTIONAL, 2000, &text)
      || !request_text (request, "drawing", OPTIONAL, DRAWING_MOST, &drawing)
      || !drawing_is_good (request, drawing))
    return;
  /* A doctor's signature is made with a key, or by signing the consultation itself. */
  if (confirmation && g_str_equal (role, "doctor")) {
    request_bad (request, "role", "the doctor confirms by signing the consultation");
    return;
  }
  signing_start (request, add_thread);
}
