/* Who opens an account's link sets up their own secrets: a passkey, or a password and a code. */
#include "station/accounts.h"
#include "station/clock.h"
#include "station/proof.h"
#include "station/qr.h"
#include "station/station.h"
#include "station/totp.h"
#include "station/users.h"

#include <string.h>

#define FAILURES_MAX 10

/* The account whose link this is (transfer none); NULL: refused. */
static json_t *
account_of (Request *request)
{
  const char *id, *secret;
  if (!request_id (request, "account", REQUIRED, &id)
      || !request_id (request, "secret", REQUIRED, &secret))
    return NULL;
  json_t *body = accounts_find (request->station->accounts, id);
  const json_t *enrol = json_object_get (body, "enrol");
  const char *hash = json_string_value (json_object_get (enrol, "hash"));
  g_autofree char *given = g_compute_checksum_for_string (G_CHECKSUM_SHA256, secret, -1);
  if (hash != NULL && proof_secret_equal (given, hash)
      && json_integer_value (json_object_get (enrol, "until_us")) > g_get_real_time ()
      && !json_is_true (json_object_get (body, "disabled")))
    return body;
  request_refuse_with (request, "invite-expired",
                       "Đường dẫn này đã được dùng, đã hết hạn hoặc đã bị thay. Hãy xin người quản "
                       "trị trạm một đường dẫn mới.",
                       "This link has been used, has expired or was replaced. Ask the station's "
                       "administrator for a new one.",
                       NULL);
  if (++request->client->failures >= FAILURES_MAX)
    client_close (request->client);
  return NULL;
}

void
enrol_begin (Request *request)
{
  const json_t *body = account_of (request);
  if (body == NULL)
    return;
  const Config *config = request->station->config;
  const char *id = json_string_value (json_object_get (body, "account"));
  const AccountOffer *offer = accounts_offer (request->station->accounts, id, TRUE);
  g_autofree char *uri = totp_uri (offer->totp, config->station_name, id);
  g_autofree char *qr = qr_svg (uri);
  request_ok (request, json_pack ("{s:O, s:s, s:{s:s, s:s}, s:{s:s, s:s?}}", "name",
                                  json_object_get (body, "name"), "challenge", offer->challenge,
                                  "rp", "id", accounts_rp (request->client), "name",
                                  config->station_name, "totp", "secret", offer->totp, "qr", qr));
}

/* What was offered to this link; NULL: nothing, refused. */
static const AccountOffer *
offer_of (Request *request, const json_t *body)
{
  const AccountOffer *offer = accounts_offer (
      request->station->accounts, json_string_value (json_object_get (body, "account")), FALSE);
  if (offer == NULL)
    request_refuse (request, "out-of-place");
  return offer;
}

/* The link has done its work. */
static void
finish (Request *request, json_t *body)
{
  g_autofree char *user
      = g_strconcat ("account:", json_string_value (json_object_get (body, "account")), NULL);
  json_object_del (body, "enrol");
  accounts_put (request->station->accounts, body, user, request_stored, request_ref (request));
}

/* ---- A passkey ----------------------------------------------------------------------------- */

void
enrol_passkey (Request *request)
{
  const char *label;
  const json_t *body = account_of (request);
  const AccountOffer *offer = body != NULL ? offer_of (request, body) : NULL;
  if (offer == NULL || !request_text (request, "label", OPTIONAL, 60, &label))
    return;
  PasskeyExpected expected = accounts_expected (request->client, offer->challenge);
  g_auto (Passkey) passkey = { 0 };
  json_t *other;
  if (json_array_size (json_object_get (body, "passkeys")) >= ACCOUNTS_PASSKEYS_MOST
      || !passkey_register (json_object_get (request->message, "created"), &expected, &passkey)
      || accounts_find_passkey (request->station->accounts, passkey.id, &other) != NULL) {
    request_refuse_with (
        request, "not-allowed",
        "Trạm không nhận khóa này. Hãy tạo lại bằng vân tay, khuôn mặt hoặc mã PIN "
        "của máy; hoặc dùng mật khẩu và mã.",
        "The station does not take this key. Make it again, with fingerprint, face "
        "or the PIN of your device; or use a password and a code.",
        NULL);
    return;
  }
  g_autofree char *at = clock_text (g_get_real_time ());
  json_t *next = json_deep_copy (body), *row = passkey_to_json (&passkey);
  json_object_set_new (row, "label", json_string (label != NULL ? label : ""));
  json_object_set_new (row, "at", json_string (at));
  json_array_append_new (json_object_get (next, "passkeys"), row);
  finish (request, next);
}

/* ---- A password and a code ----------------------------------------------------------------- */

void
enrol_password (Request *request)
{
  const char *password, *code;
  gint64 step;
  const json_t *body = account_of (request);
  const AccountOffer *offer = body != NULL ? offer_of (request, body) : NULL;
  if (offer == NULL || !request_text (request, "password", REQUIRED, 200, &password)
      || !request_text (request, "code", REQUIRED, 12, &code))
    return;
  const char *weak = user_passphrase_weakness (password);
  if (weak != NULL) {
    request_refuse_with (
        request, "bad-message",
        "Mật khẩu cần ít nhất 10 ký tự và không lặp lại vài ký tự: ba, bốn từ là đủ.", weak,
        json_pack ("{s:s}", "field", "password"));
    return;
  }
  if (!totp_check (offer->totp, code, g_get_real_time () / G_USEC_PER_SEC, 0, &step)) {
    request_refuse_with (
        request, "bad-message",
        "Mã không đúng. Hãy chờ ứng dụng hiện mã mới rồi nhập lại; nếu vẫn sai, hãy "
        "xem giờ của điện thoại.",
        "The code is wrong. Wait until the app shows the next one; if that does not "
        "help, look at the telephone's clock.",
        json_pack ("{s:s}", "field", "code"));
    return;
  }
  g_autofree char *composed = g_utf8_normalize (password, -1, G_NORMALIZE_NFC);
  g_autofree char *hash = vault_hash_pin (composed, NULL);
  if (hash == NULL) {
    request_refuse (request, "failed");
    return;
  }
  json_t *next = json_deep_copy (body);
  json_object_set_new (next, "password", json_string (hash));
  json_object_set_new (next, "totp", json_string (offer->totp));
  json_object_set_new (next, "totp_step", json_integer (step));
  finish (request, next);
}
