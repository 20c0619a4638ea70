#include "station/tpm_pin.h"
#include "certs/tpm_seal.h"
#include "records/secure_memory.h"
#include "records/vault_way.h"
#include "station/console_private.h"
#include "station/station.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define SECRET_SIZE 32

#define TPM_PIN_ERROR (g_quark_from_static_string ("nhipcau-tpm-pin"))
enum { TPM_PIN_USED };

typedef struct {
  Request *request;
  char *user, *pin, *hash;
  gboolean set; /* else: cleared */
} Change;

static void
change_free (Change *change)
{
  request_unref (change->request);
  OPENSSL_cleanse (change->pin, strlen (change->pin));
  g_free (change->pin);
  g_free (change->user);
  g_free (change->hash);
  g_free (change);
}

/* ---- Worker --------------------------------------------------------------------------------- */

static gboolean
was_used (const Change *change, gboolean *ret_used, GError **error)
{
  g_autoptr (GPtrArray) rows
      = store_read (change->request->station->store, "station", "user", 0, error);
  *ret_used = FALSE;
  for (guint i = 0; rows != NULL && i < rows->len && !*ret_used; i++) {
    const json_t *body = ((StoreRow *)rows->pdata[i])->body;
    const char *user = json_string_value (json_object_get (body, "user"));
    const char *hash = json_string_value (json_object_get (body, "pin"));
    *ret_used = g_strcmp0 (user, change->user) == 0 && vault_check_pin (hash, change->pin);
  }
  return rows != NULL;
}

static gboolean
seal (Change *change, GError **error)
{
  Station *station = change->request->station;
  guint8 *random = NULL;
  gboolean used;
  if (!was_used (change, &used, error))
    return FALSE;
  if (used) {
    g_set_error (error, TPM_PIN_ERROR, TPM_PIN_USED, "this PIN was in use before");
    return FALSE;
  }
  g_autoptr (GBytes) secret = secure_bytes_blank (SECRET_SIZE, &random);
  if (RAND_bytes (random, SECRET_SIZE) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no random numbers");
    return FALSE;
  }
  g_autoptr (GBytes) sealed = tpm_seal_new (station->config->tpm, secret, change->pin, error);
  if (sealed == NULL)
    return FALSE;
  change->hash = g_strdup (USERS_PIN_IN_TPM);
  return vault_way_set (station->vault, change->user, USERS_TPM_WAY, secret, sealed, error);
}

static void
change_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Change *change = data;
  GError *error = NULL;
  gboolean good;
  if (change->set) {
    good = seal (change, &error);
  } else {
    change->hash = vault_hash_pin (change->pin, &error);
    good = change->hash != NULL
           && vault_way_remove (change->request->station->vault, change->user, USERS_TPM_WAY,
                                &error);
  }
  if (good)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* ---- Answers -------------------------------------------------------------------------------- */

static void
saved (gint64 seq, const GError *error, void *arg)
{
  Change *change = arg;
  change->request->station->pending--;
  if (error != NULL)
    request_failed (change->request, error);
  else
    request_ok (change->request, NULL);
  station_changed (change->request->station);
  change_free (change);
}

static void
refuse (Request *request, const GError *error)
{
  if (g_error_matches (error, TPM_PIN_ERROR, TPM_PIN_USED)) {
    request_refuse_with (request, "bad-message",
                         "Bạn đã từng dùng mã PIN này ở trạm. Hãy chọn một mã khác hẳn: dấu vết "
                         "của mã cũ vẫn còn trên đĩa.",
                         "You had this PIN here before. Choose another: the disk still bears "
                         "traces of the old one.",
                         json_pack ("{s:s}", "field", "pin"));
  } else if (error->domain == CERTS_ERROR) {
    g_warning ("tpm: %s", error->message);
    request_refuse_with (request, "chip",
                         "Chip bảo mật (TPM) của máy không trả lời. Chưa đổi gì; hãy xem nhipcau "
                         "check.",
                         "This computer's security chip (TPM) does not answer. Nothing was "
                         "changed; see nhipcau check.",
                         NULL);
  } else {
    request_failed (request, error);
  }
}

static void
changed (GObject *object, GAsyncResult *result, void *data)
{
  Change *change = data;
  Users *users = change->request->station->users;
  const User *known = users_find (users, change->user);
  g_autoptr (GError) error = NULL;
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    change->request->station->pending--;
    refuse (change->request, error);
    change_free (change);
    return;
  }
  const User user
      = { .id = known->id, .name = known->name, .role = known->role, .pin_hash = change->hash };
  users_put (users, &user, change->user, saved, change);
}

static void
start (Request *request, gboolean set)
{
  Change *change = g_new0 (Change, 1);
  const char *pin = json_string_value (json_object_get (request->message, "pin"));
  *change = (Change){ .request = request_ref (request),
                      .user = g_strdup (request->user),
                      .pin = g_strdup (pin),
                      .set = set };
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, changed, change);
  g_task_set_task_data (task, change, NULL);
  g_task_run_in_thread (task, change_thread);
}

static void
set_proven (Request *request)
{
  const Session *session = request->client->session;
  if (session == NULL || !session->unlocked || !vault_is_open (request->station->vault))
    request_refuse (request, "locked");
  else
    start (request, TRUE);
}

static void
clear_proven (Request *request)
{
  start (request, FALSE);
}

static void
prove (Request *request, ConsoleProven proven)
{
  const char *pin, *passphrase;
  if (!request_text (request, "pin", REQUIRED, 12, &pin)
      || !request_text (request, "passphrase", REQUIRED, 1024, &passphrase))
    return;
  const char *weak = user_pin_weakness (pin);
  if (weak != NULL)
    request_refuse_with (request, "bad-message",
                         "Mã PIN có 6 đến 12 chữ số, không phải dãy dễ đoán (một số lặp lại, số "
                         "liền nhau).",
                         weak, json_pack ("{s:s}", "field", "pin"));
  else if (!vault_has_passphrase (request->station->vault, request->user))
    request_refuse_with (
        request, "not-allowed",
        "Cần có cụm mật khẩu trước: khi chip hỏng, đó là cách duy nhất để mở.",
        "A passphrase is wanted first: when the chip fails, it is the only way in.", NULL);
  else
    console_prove (request, NULL, passphrase, "wants the passphrase", proven);
}

void
tpm_pin_set (Request *request)
{
  if (request->station->config->tpm == NULL)
    request_refuse_with (request, "not-ready",
                         "Trạm chưa dùng chip bảo mật: đặt tpm = device:/dev/tpmrm0 trong "
                         "[station] của station.conf.",
                         "The station uses no security chip: set tpm = device:/dev/tpmrm0 in "
                         "[station] of station.conf.",
                         NULL);
  else
    prove (request, set_proven);
}

void
tpm_pin_clear (Request *request)
{
  prove (request, clear_proven);
}
