#include "station/signing_private.h"
#include "certs/cades_remote.h"
#include "records/signatures.h"
#include "station/ocsp.h"
#include "station/roles.h"
#include "station/signature_words.h"
#include "station/users.h"

#include <string.h>

#define FILE_MOST (180 * 1024) /* characters of base64; a frame has 256 KiB */
#define DRAWING_MOST (128 * 1024)
#define CHAIN_MOST (64 * 1024)
#define VALUE_MOST 4096

static const char *const ROLES[]
    = { "doctor", "specialist", "chair", "secretary", "patient", "representative", NULL };
static const char *const METHODS[] = { "upload", "key", "remote", "confirmation", NULL };

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

/* What only somebody's hand puts into a signature that this program has made itself. */
static gboolean
is_made_by_hand (const char *code)
{
  return g_str_equal (code, "form-unusual") || g_str_equal (code, "certificate-unused")
         || g_str_equal (code, "attribute-unknown");
}

/* Says the first thing that does not hold. strict: nor may what nobody signs be changed. */
static gboolean
judge_by (Station *station, GBytes *cms, GBytes *manifest, gboolean strict, char **ret_name,
          GError **error)
{
  g_autoptr (CadesTrust) trust = signing_trust (station->config, error);
  if (trust == NULL)
    return FALSE;
  g_autoptr (CadesReport) report = cades_check (cms, manifest, trust, now_s ());
  for (guint i = 0; i < report->findings->len; i++) {
    const CadesFinding *finding = &g_array_index (report->findings, CadesFinding, i);
    if (finding->verdict == CADES_BAD || (strict && is_made_by_hand (finding->code))) {
      const Text *text = signature_words (finding->code);
      signing_refuse (error, text->vi, text->en);
      return FALSE;
    }
  }
  *ret_name = g_strdup (report->signer);
  return TRUE;
}

static gboolean
judge (Station *station, GBytes *cms, GBytes *manifest, char **ret_name, GError **error)
{
  return judge_by (station, cms, manifest, FALSE, ret_name, error);
}

static gboolean
is_there (const GPtrArray *list, GBytes *cms)
{
  for (guint i = 0; i < list->len; i++) {
    const Signature *signature = list->pdata[i];
    if (signature->cms != NULL && cades_same_signature (signature->cms, cms))
      return TRUE;
  }
  return FALSE;
}

/* The same with what its authority says now of the certificate, where it says anything. */
static GBytes *
with_answer (Station *station, GBytes *cms, GError **error)
{
  g_autoptr (CadesTrust) trust = signing_trust (station->config, error);
  return trust != NULL ? ocsp_add (station->config, trust, cms) : NULL;
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
    return ocsp_add (station->config, trust, cms);
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
  g_autoptr (GBytes) given = cades_read (file, NULL);
  if (given == NULL) {
    const Text *text = signature_words ("not-a-signature");
    signing_refuse (error, text->vi, text->en);
    return FALSE;
  }
  if (is_there (list, given)) {
    signing_refuse (error, "Chữ ký này đã được nộp rồi.", "This signature is here already.");
    return FALSE;
  }
  g_autoptr (GBytes) cms = with_answer (station, given, error);
  if (cms == NULL || !judge (station, cms, manifest, &name, error))
    return FALSE;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s}", "method", "upload", "role",
                                 text_of (job->message, "role"), "name", name);
  return put (station, job->consult, job->user, body, cms, manifest, error);
}

/* ---- A key at a remote-signing provider --------------------------------------------------- */

static GBytes *
base64_of (const json_t *message, const char *field)
{
  gsize size;
  guchar *data = g_base64_decode (text_of (message, field), &size);
  return g_bytes_new_take (data, size);
}

static void
prepare_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  SigningJob *job = data;
  GError *error = NULL;
  g_autoptr (GError) why = NULL;
  g_autoptr (GBytes) manifest = NULL, prepared = NULL, hash = NULL;
  g_autoptr (GBytes) file = base64_of (job->message, "certificate");
  g_autoptr (GPtrArray) list = signing_may (job, &error)
                                   ? read_signed (job->station, job->consult, &manifest, &error)
                                   : NULL;
  g_autoptr (CadesTrust) trust = list != NULL ? signing_trust (job->station->config, &error) : NULL;
  STACK_OF (X509) *chain = trust != NULL ? cades_remote_chain (file, &why) : NULL;
  if (chain != NULL)
    prepared = cades_remote_prepare (chain, trust->crls, manifest, now_s (), &hash, &why);
  sk_X509_pop_free (chain, X509_free);
  if (prepared == NULL) {
    if (error == NULL)
      signing_refuse (&error,
                      "Tệp không có chứng thư dùng được (PEM hoặc DER; RSA từ 2048 bit, hoặc EC).",
                      "The file has no certificate that can be used (PEM or DER; RSA of 2048 bits "
                      "and more, or EC).");
    g_task_return_error (task, error);
    return;
  }
  gsize size;
  const guchar *bytes = g_bytes_get_data (prepared, &size);
  g_autofree char *whole = g_base64_encode (bytes, size);
  bytes = g_bytes_get_data (hash, &size);
  g_autofree char *digest = g_base64_encode (bytes, size);
  job->result = json_pack ("{s:s, s:s, s:s}", "hash", digest, "hash_algo", "2.16.840.1.101.3.4.2.1",
                           "prepared", whole);
  g_task_return_boolean (task, TRUE);
}

void
signing_prepare (Request *request)
{
  const char *certificate;
  if (request_text (request, "certificate", REQUIRED, CHAIN_MOST, &certificate))
    signing_start (request, prepare_thread);
}

static gboolean
add_remote (const SigningJob *job, GError **error)
{
  Station *station = job->station;
  g_autoptr (GBytes) manifest = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) list = read_signed (station, job->consult, &manifest, error);
  if (list == NULL)
    return FALSE;
  g_autoptr (GBytes) prepared = base64_of (job->message, "prepared");
  g_autoptr (GBytes) value = base64_of (job->message, "signature");
  g_autoptr (GBytes) cms = cades_remote_finish (prepared, value, NULL);
  if (cms == NULL) {
    signing_refuse (
        error,
        "Giá trị chữ ký không khớp với chứng thư và mã băm đã gửi đi. Hãy ký lại đúng mã "
        "băm này.",
        "The signature's value does not fit the certificate and the hash that was sent. "
        "Sign this very hash again.");
    return FALSE;
  }
  if (is_there (list, cms)) {
    signing_refuse (error, "Chữ ký này đã được nộp rồi.", "This signature is here already.");
    return FALSE;
  }
  if (!judge_by (station, cms, manifest, TRUE, &name, error))
    return FALSE;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s}", "method", "remote", "role",
                                 text_of (job->message, "role"), "name", name);
  return put (station, job->consult, job->user, body, cms, manifest, error);
}

/* ---- Nobody's key ------------------------------------------------------------------------- */

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
  else if (good && g_str_equal (method, "remote"))
    good = add_remote (job, &error);
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
  static const char *const deciding[] = { "doctor", "specialist", "chair", NULL };
  const char *role, *method, *text, *drawing;
  if (!request_word (request, "role", REQUIRED, ROLES, &role)
      || !request_word (request, "method", REQUIRED, METHODS, &method))
    return;
  gboolean confirmation = g_str_equal (method, "confirmation");
  FieldNeed remote = g_str_equal (method, "remote") ? REQUIRED : OPTIONAL;
  if (!request_text (request, "file", g_str_equal (method, "upload") ? REQUIRED : OPTIONAL,
                     FILE_MOST, &text)
      || !request_text (request, "prepared", remote, FILE_MOST, &text)
      || !request_text (request, "signature", remote, VALUE_MOST, &text)
      || !request_text (request, "secret", OPTIONAL, 1024, &text)
      || !request_text (request, "name", confirmation ? REQUIRED : OPTIONAL, 200, &text)
      || !request_text (request, "statement", confirmation ? REQUIRED : OPTIONAL, 2000, &text)
      || !request_text (request, "drawing", OPTIONAL, DRAWING_MOST, &drawing)
      || !drawing_is_good (request, drawing))
    return;
  if (g_strv_contains (deciding, role) && !roles_allow (request, ROLE_DOCTOR))
    return;
  /* A doctor's signature is made with a key, or by signing the consultation itself. */
  if (confirmation && g_str_equal (role, "doctor")) {
    request_bad (request, "role", "the doctor confirms by signing the consultation");
    return;
  }
  signing_start (request, add_thread);
}
