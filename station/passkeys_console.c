/* The console's messages about passkeys. */
#include "station/passkeys_private.h"
#include "records/secure_memory.h"
#include "records/vault_way.h"
#include "station/clock.h"
#include "station/console_private.h"
#include "station/roles.h"
#include "station/station.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

#define SECRET_SIZE 32 /* of the PRF extension */
#define RP_MOST 253
#define LABEL_MOST 60
#define FAILURES_MAX 10

/* ---- What all of them need ------------------------------------------------------------------ */

/* One of our pages, at the host to which the passkey belongs. */
typedef struct {
  const Config *config;
  const char *rp;
} Here;

static gboolean
origin_is_here (const char *origin, const void *arg)
{
  const Here *here = arg;
  g_autoptr (GUri) uri = g_uri_parse (origin, G_URI_FLAGS_NONE, NULL);
  return uri != NULL && g_strcmp0 (g_uri_get_host (uri), here->rp) == 0
         && config_origin_allowed (here->config, origin);
}

void
passkeys_begin (Request *request)
{
  gsize size;
  GBytes *id = vault_id (request->station->vault);
  const guint8 *bytes = g_bytes_get_data (id, &size);
  g_autoptr (GString) salt = g_string_new ("nhipcau/1/passkey/");
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (salt, "%02x", bytes[i]);
  g_free (request->client->challenge);
  request->client->challenge = session_random_text (32);
  request_ok (request,
              json_pack ("{s:s, s:s, s:s}", "challenge", request->client->challenge, "salt",
                         salt->str, "name", request->station->config->station_name));
}

/* What the PRF gave, as 64 hexadecimal digits; *ret NULL when it gave nothing. FALSE: refused. */
static gboolean
take_secret (Request *request, GBytes **ret)
{
  const char *text;
  long size = 0;
  *ret = NULL;
  if (!request_text (request, "secret", OPTIONAL, 2 * SECRET_SIZE, &text))
    return FALSE;
  if (text == NULL || *text == '\0')
    return TRUE;
  unsigned char *bytes = OPENSSL_hexstr2buf (text, &size);
  if (bytes != NULL && size == SECRET_SIZE)
    *ret = secure_bytes_new (bytes, SECRET_SIZE);
  OPENSSL_clear_free (bytes, bytes != NULL ? (size_t)size : 0);
  if (*ret == NULL)
    request_bad (request, "secret", "wants 64 hexadecimal digits");
  return *ret != NULL;
}

static void
refuse_key (Request *request)
{
  request_refuse_with (
      request, "not-allowed",
      "Trạm không nhận khóa này ở đây. Hãy dùng khóa đã thêm trên máy này, hoặc đăng nhập bằng mã "
      "PIN.",
      "The station does not take this key here. Use one that was added on this computer, or sign "
      "in by PIN.",
      NULL);
  if (request->client->session == NULL && ++request->client->failures >= FAILURES_MAX)
    client_close (request->client);
}

/* The user whose key answered the challenge; ret_keys: his keys with the counter gone on (transfer
 * full), ret_id the key's. NULL: refused. */
static const char *
verified_user (Request *request, json_t **ret_keys, const char **ret_id)
{
  Station *station = request->station;
  const json_t *given = json_object_get (request->message, "given"), *row = NULL;
  g_autofree char *challenge = g_steal_pointer (&request->client->challenge);
  const char *rp, *id = json_string_value (json_object_get (given, "id"));
  g_auto (Passkey) passkey = { 0 };
  guint32 count = 0;
  if (!request_text (request, "rp", REQUIRED, RP_MOST, &rp))
    return NULL;
  const Here here = { station->config, rp };
  const PasskeyExpected expected
      = { .rp_id = rp, .challenge = challenge, .origin_allowed = origin_is_here, .arg = &here };
  const char *user = passkeys_find (station->passkeys, id, &row);
  const User *known = users_find (station->users, user);
  if (challenge == NULL || known == NULL || !user_is_of_console (known)
      || g_strcmp0 (json_string_value (json_object_get (row, "rp")), rp) != 0
      || !passkey_from_json (row, &passkey)
      || !passkey_verify (given, &expected, &passkey, &count)) {
    refuse_key (request);
    return NULL;
  }
  json_t *one;
  gsize i;
  *ret_keys = passkeys_of (station->passkeys, user);
  *ret_id = id;
  json_array_foreach (*ret_keys, i, one)
  {
    if (g_str_equal (json_string_value (json_object_get (one, "id")), id))
      json_object_set_new (one, "count", json_integer (count));
  }
  return user;
}

/* ---- Signing in, opening -------------------------------------------------------------------- */

typedef struct {
  Request *request;
  char *user, *way;
  GBytes *secret;
  gboolean unlocks; /* signed in already */
} Using;

static void
using_free (Using *using)
{
  request_unref (using->request);
  g_clear_pointer (&using->secret, g_bytes_unref);
  g_free (using->user);
  g_free (using->way);
  g_free (using);
}

static void
unlocked (Request *request, const GError *error, void *arg)
{
  if (error == NULL)
    request_ok (request, NULL);
  else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL))
    refuse_key (request);
  else
    request_failed (request, error);
}

/* The counter has gone on, on disk: a copy of the key made now is found out. */
static void
counted (gint64 seq, const GError *error, void *arg)
{
  Using *using = arg;
  Request *request = using->request;
  request->station->pending--;
  const ConsoleEntry entry
      = { .user = using->user, .way = using->way, .secret = using->secret, .joins = TRUE };
  if (error != NULL)
    request_failed (request, error);
  else if (using->unlocks)
    console_open_by (request, using->user, using->way, using->secret, unlocked, NULL);
  else if (request->client->events != NULL)
    console_enter (request, &entry);
  using_free (using);
}

static void
use_key (Request *request, gboolean unlocks)
{
  Passkeys *passkeys = request->station->passkeys;
  json_t *keys = NULL;
  const char *id = NULL;
  g_autoptr (GBytes) secret = NULL;
  if (passkeys_busy (passkeys)) {
    request_refuse (request, "busy");
    return;
  }
  const char *user = take_secret (request, &secret) ? verified_user (request, &keys, &id) : NULL;
  if (user == NULL)
    return;
  g_autofree char *way = passkeys_way (id);
  if (unlocks
      && (!g_str_equal (user, request->user) || secret == NULL
          || !vault_way_exists (request->station->vault, user, way))) {
    json_decref (keys);
    request_refuse_with (request, "not-allowed",
                         "Khóa này không mở được hồ sơ. Hãy nhập cụm mật khẩu.",
                         "This key does not open the records. Type your passphrase.", NULL);
    return;
  }
  Using *using = g_new0 (Using, 1);
  *using = (Using){ .request = request_ref (request),
                    .user = g_strdup (user),
                    .way = g_steal_pointer (&way),
                    .secret = g_steal_pointer (&secret),
                    .unlocks = unlocks };
  request->station->pending++;
  passkeys_put (passkeys, using->user, keys, "station", counted, using);
}

void
passkeys_sign_in (Request *request)
{
  use_key (request, FALSE);
}

void
passkeys_unlock (Request *request)
{
  use_key (request, TRUE);
}

/* ---- Keys of a user ------------------------------------------------------------------------- */

static gboolean
is_administrator (const Request *request)
{
  return (roles_of (request->station, request->user) & ROLE_ADMINISTRATOR) != 0;
}

static void
add_keys_json (const Station *station, const char *user, json_t *list)
{
  json_auto_t *keys = passkeys_of (station->passkeys, user);
  json_t *one;
  gsize i;
  json_array_foreach (keys, i, one)
  {
    const char *id = json_string_value (json_object_get (one, "id"));
    g_autofree char *way = passkeys_way (id);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:O, s:O, s:O, s:b}", "user", user, "id",
                                            id, "label", json_object_get (one, "label"), "at",
                                            json_object_get (one, "at"), "rp",
                                            json_object_get (one, "rp"), "opens",
                                            vault_way_exists (station->vault, user, way)));
  }
}

void
passkeys_list (Request *request)
{
  json_t *list = json_array ();
  g_auto (GStrv) users = passkeys_users (request->station->passkeys);
  for (guint i = 0; users[i] != NULL; i++)
    if (g_str_equal (users[i], request->user) || is_administrator (request))
      add_keys_json (request->station, users[i], list);
  request_ok (request, json_pack ("{s:o}", "passkeys", list));
}

typedef struct {
  Request *request;
  char *user, *way;
  GBytes *secret; /* NULL: the way is to go, or there is none */
  json_t *keys, *told;
} Change;

static void
change_free (void *data)
{
  Change *change = data;
  request_unref (change->request);
  g_clear_pointer (&change->secret, g_bytes_unref);
  json_decref (change->keys);
  json_decref (change->told);
  g_free (change->user);
  g_free (change->way);
  g_free (change);
}

static void
changed (gint64 seq, const GError *error, void *arg)
{
  Change *change = arg;
  change->request->station->pending--;
  if (error != NULL)
    request_failed (change->request, error);
  else
    request_ok (change->request, json_incref (change->told));
  change_free (change);
}

static void
way_changed (GObject *object, GAsyncResult *result, void *data)
{
  Change *change = data;
  Station *station = change->request->station;
  g_autoptr (GError) error = NULL;
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    changed (0, error, change);
  } else if (passkeys_busy (station->passkeys)) {
    station->pending--;
    request_refuse (change->request, "busy");
    change_free (change);
  } else {
    passkeys_put (station->passkeys, change->user, json_incref (change->keys),
                  change->request->user, changed, change);
  }
}

static void
way_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Change *change = data;
  Vault *vault = change->request->station->vault;
  GError *error = NULL;
  gboolean good
      = change->secret != NULL
            ? vault_way_set (vault, change->user, change->way, change->secret, NULL, &error)
            : vault_way_remove (vault, change->user, change->way, &error);
  if (good)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* The way first: a row tells of a key only what is so. */
static void
start_change (Change *change)
{
  change->request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, way_changed, change);
  g_task_set_task_data (task, change, NULL);
  g_task_run_in_thread (task, way_thread);
}

static gboolean
register_key (Request *request, const char *challenge, const char *rp, Passkey *ret)
{
  const Here here = { request->station->config, rp };
  const PasskeyExpected expected
      = { .rp_id = rp, .challenge = challenge, .origin_allowed = origin_is_here, .arg = &here };
  const json_t *other;
  return challenge != NULL
         && passkey_register (json_object_get (request->message, "created"), &expected, ret)
         && passkeys_find (request->station->passkeys, ret->id, &other) == NULL;
}

static void
add_proven (Request *request)
{
  Station *station = request->station;
  const char *rp, *label;
  g_autofree char *challenge = g_steal_pointer (&request->client->challenge);
  g_autoptr (GBytes) secret = NULL;
  g_auto (Passkey) passkey = { 0 };
  if (!request_text (request, "rp", REQUIRED, RP_MOST, &rp)
      || !request_text (request, "label", OPTIONAL, LABEL_MOST, &label)
      || !take_secret (request, &secret))
    return;
  json_t *keys = passkeys_of (station->passkeys, request->user);
  if (json_array_size (keys) >= PASSKEYS_MOST || !register_key (request, challenge, rp, &passkey)) {
    json_decref (keys);
    refuse_key (request);
    return;
  }
  const Session *session = request->client->session;
  gboolean opens = secret != NULL && session != NULL && session->unlocked
                   && vault_is_open (station->vault)
                   && (roles_of (station, request->user) & ROLE_CLINIC) != 0;
  g_autofree char *at = clock_text (g_get_real_time ());
  json_t *row = passkey_to_json (&passkey);
  json_object_set_new (row, "rp", json_string (rp));
  json_object_set_new (row, "label", json_string (label != NULL ? label : ""));
  json_object_set_new (row, "at", json_string (at));
  json_array_append_new (keys, row);
  Change *change = g_new0 (Change, 1);
  *change = (Change){ .request = request_ref (request),
                      .user = g_strdup (request->user),
                      .way = passkeys_way (passkey.id),
                      .secret = opens ? g_steal_pointer (&secret) : NULL,
                      .keys = keys,
                      .told = json_pack ("{s:s, s:b}", "id", passkey.id, "opens", opens) };
  start_change (change);
}

void
passkeys_add (Request *request)
{
  const char *pin, *passphrase;
  if (!request_text (request, "pin", OPTIONAL, 32, &pin)
      || !request_text (request, "passphrase", OPTIONAL, 1024, &passphrase))
    return;
  console_prove (request, pin, passphrase, "wants the PIN or the passphrase", add_proven);
}

void
passkeys_remove (Request *request)
{
  const char *id;
  const json_t *row;
  json_t *one;
  gsize i;
  Passkeys *passkeys = request->station->passkeys;
  /* An id has up to 1,023 bytes (WebAuthn L2 §4). */
  if (!request_text (request, "passkey", REQUIRED, 1400, &id))
    return;
  const char *user = passkeys_find (passkeys, id, &row);
  if (user == NULL || (!g_str_equal (user, request->user) && !is_administrator (request))) {
    request_refuse (request, "no-such");
    return;
  }
  json_t *keys = passkeys_of (passkeys, user);
  json_array_foreach (keys, i, one)
  {
    if (g_str_equal (json_string_value (json_object_get (one, "id")), id)) {
      json_array_remove (keys, i);
      break;
    }
  }
  Change *change = g_new0 (Change, 1);
  *change = (Change){ .request = request_ref (request),
                      .user = g_strdup (user),
                      .way = passkeys_way (id),
                      .keys = keys,
                      .told = json_object () };
  start_change (change);
}
