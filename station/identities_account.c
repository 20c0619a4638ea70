/* Sign-ins by an account of the station's own: a passkey, or a password and a code. */
#include "certs/id_token.h"
#include "station/accounts.h"
#include "station/identities_private.h"
#include "station/station.h"
#include "station/totp.h"

#include <openssl/crypto.h>
#include <string.h>

static const char *
text_of (const json_t *body, const char *member)
{
  const char *text = json_string_value (json_object_get (body, member));
  return text != NULL ? text : "";
}

/* {method, provider, issuer, subject, name} of an account. */
static json_t *
identity_of (const Station *station, const json_t *body, const char *method)
{
  g_autofree char *url = config_url (station->config);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s}", "method", method, "provider",
                    station->config->station_name, "issuer", url, "subject",
                    text_of (body, "account"), "name", text_of (body, "name"));
}

/* Who it is at a desk. */
static void
name_person (Proven *proven, const json_t *body)
{
  proven->person = g_strconcat ("account:", text_of (body, "account"), NULL);
  proven->facility = g_strdup (text_of (body, "facility"));
}

static gboolean
may_sign_in (const json_t *body)
{
  return body != NULL && !json_is_true (json_object_get (body, "disabled"));
}

/* ---- A passkey ------------------------------------------------------------------------------- */

typedef struct {
  Request *request;
  Proven proven;
  IdentitiesDone done;
} Counting;

/* The counter has gone on, on disk: a copy of the key made now is found out. */
static void
counted (gint64 seq, const GError *error, void *arg)
{
  Counting *counting = arg;
  g_autoptr (Request) request = counting->request;
  if (error != NULL)
    request_failed (request, error);
  else if (request->client->events != NULL)
    counting->done (request, &counting->proven);
  proven_clear (&counting->proven);
  g_free (counting);
}

void
identities_check_passkey (Request *request, const json_t *identity, const char *binding,
                          char *fingerprint, IdentitiesDone done)
{
  Station *station = request->station;
  json_t *given = json_object_get (identity, "credential"), *row = NULL;
  g_autofree char *taken = fingerprint;
  g_autofree char *challenge = binding_passkey_challenge (request->client->nonce, binding);
  PasskeyExpected expected = accounts_expected (request->client, challenge);
  g_auto (Passkey) passkey = { 0 };
  guint32 count = 0;
  json_t *body = accounts_find_passkey (station->accounts, text_of (given, "id"), &row);
  if (!may_sign_in (body) || !passkey_from_json (row, &passkey)
      || !passkey_verify (given, &expected, &passkey, &count)) {
    identities_refuse (request, "passkey");
    return;
  }
  json_t *next = json_deep_copy (body), *one;
  gsize i;
  json_array_foreach (json_object_get (next, "passkeys"), i, one)
  {
    if (g_str_equal (text_of (one, "id"), passkey.id))
      json_object_set_new (one, "count", json_integer (count));
  }
  Counting *counting = g_new0 (Counting, 1);
  counting->request = request_ref (request);
  counting->done = done;
  counting->proven.identity = identity_of (station, body, "passkey");
  name_person (&counting->proven, body);
  counting->proven.fingerprint = g_steal_pointer (&taken);
  counting->proven.proof
      = json_pack ("{s:O, s:O, s:s, s:s}", "credential", given, "passkey", row, "socket_nonce",
                   request->client->nonce, "rp_id", accounts_rp (request->client));
  accounts_put (station->accounts, next, "station", counted, counting);
}

/* ---- A password and a code ------------------------------------------------------------------- */

typedef struct {
  Request *request;
  char *account, *code, *fingerprint;
  gint64 step;
  IdentitiesDone done;
} Entering;

static void
entering_free (Entering *entering)
{
  request_unref (entering->request);
  g_free (entering->account);
  g_free (entering->code);
  g_free (entering->fingerprint);
  g_free (entering);
}

/* The password is right; each code counts once. */
static gboolean
code_is_right (void *arg)
{
  Entering *entering = arg;
  const json_t *body = accounts_find (entering->request->station->accounts, entering->account);
  return totp_check (text_of (body, "totp"), entering->code, g_get_real_time () / G_USEC_PER_SEC,
                     json_integer_value (json_object_get (body, "totp_step")), &entering->step);
}

static void
step_durable (gint64 seq, const GError *error, void *arg)
{
  Entering *entering = arg;
  Request *request = entering->request;
  const json_t *body = accounts_find (request->station->accounts, entering->account);
  if (error != NULL) {
    request_failed (request, error);
  } else if (request->client->events != NULL && may_sign_in (body)) {
    g_auto (Proven) proven = { .identity = identity_of (request->station, body, "password"),
                               .proof = json_pack ("{s:s}", "checked_by", "station"),
                               .fingerprint = g_steal_pointer (&entering->fingerprint) };
    name_person (&proven, body);
    entering->done (request, &proven);
  }
  entering_free (entering);
}

static void
entered (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  Entering *entering = arg;
  Accounts *accounts = entering->request->station->accounts;
  json_t *body = accounts_find (accounts, entering->account);
  if (verdict == PIN_GOOD && may_sign_in (body)) {
    json_t *next = json_deep_copy (body);
    json_object_set_new (next, "totp_step", json_integer (entering->step));
    accounts_put (accounts, next, "station", step_durable, entering);
    return;
  }
  if (verdict == PIN_LOCKED_OUT)
    request_refuse_with (entering->request, "locked-out",
                         "Sai quá nhiều lần. Hãy chờ rồi thử lại, hoặc nhờ người quản trị trạm.",
                         "Wrong too often. Wait and try again, or ask the station's administrator.",
                         json_pack ("{s:i}", "seconds", (int)seconds));
  else if (verdict == PIN_BUSY)
    request_refuse (entering->request, "busy");
  else
    identities_refuse (entering->request, "password");
  entering_free (entering);
}

void
identities_check_password (Request *request, const json_t *identity, char *fingerprint,
                           IdentitiesDone done)
{
  Accounts *accounts = request->station->accounts;
  const char *account = text_of (identity, "account"), *password = text_of (identity, "password");
  const json_t *body = accounts_find (accounts, account);
  const char *hash = json_string_value (json_object_get (body, "password"));
  g_autofree char *composed
      = strlen (password) <= 800 ? g_utf8_normalize (password, -1, G_NORMALIZE_NFC) : NULL;
  if (!may_sign_in (body) || hash == NULL || composed == NULL) {
    g_free (fingerprint);
    identities_refuse (request, "password");
    return;
  }
  Entering *entering = g_new0 (Entering, 1);
  *entering = (Entering){ .request = request_ref (request),
                          .account = g_strdup (account),
                          .code = g_strdup (text_of (identity, "code")),
                          .fingerprint = fingerprint,
                          .done = done };
  tries_check (accounts_tries (accounts), account, hash, composed, code_is_right, entered,
               entering);
  OPENSSL_cleanse (composed, strlen (composed));
}
