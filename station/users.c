#include "station/users.h"
#include "certs/tpm_seal.h"
#include "records/secure_memory.h"
#include "records/vault_way.h"

#include <openssl/crypto.h>
#include <string.h>

const char *const user_roles[]
    = { "doctor", "nurse", "secretary", "helper", "administrator", "specialist", NULL };

struct Users {
  Store *store;
  GPtrArray *list; /* User*, in order of making */
  Tries *tries;
  Vault *vault;     /* the caller's; NULL: no TPM, no passphrase */
  const char *tcti; /* the caller's; NULL: no TPM */
  GBytes *secret;   /* of the check whose done is being called */
};

static void
user_free (void *data)
{
  User *user = data;
  g_free (user->id);
  g_free (user->name);
  g_free (user->role);
  g_free (user->pin_hash);
  g_free (user);
}

static User *
user_from_json (const json_t *body)
{
  const char *id = NULL, *name = NULL, *role = NULL, *pin = NULL;
  if (json_unpack ((json_t *)body, "{s:s, s:s, s:s, s:s}", "user", &id, "name", &name, "role",
                   &role, "pin", &pin)
      != 0)
    return NULL;
  User *user = g_new0 (User, 1);
  user->id = g_strdup (id);
  user->name = g_strdup (name);
  user->role = g_strdup (role);
  user->pin_hash = g_strdup (pin);
  return user;
}

static void
put_user (Users *users, User *user)
{
  for (guint i = 0; i < users->list->len; i++)
    if (g_str_equal (((User *)users->list->pdata[i])->id, user->id)) {
      user_free (users->list->pdata[i]);
      users->list->pdata[i] = user;
      return;
    }
  g_ptr_array_add (users->list, user);
}

Users *
users_load (Store *store, GError **error)
{
  g_autoptr (Users) users = g_new0 (Users, 1);
  users->store = store;
  users->list = g_ptr_array_new_with_free_func (user_free);
  users->tries = tries_load (store, "pin-tries", error);
  if (users->tries == NULL)
    return NULL;
  g_autoptr (GPtrArray) rows = store_read (store, "station", "user", 0, error);
  if (rows == NULL)
    return NULL;
  for (guint i = 0; i < rows->len; i++) {
    User *user = user_from_json (((StoreRow *)rows->pdata[i])->body);
    if (user != NULL)
      put_user (users, user);
  }
  return g_steal_pointer (&users);
}

void
users_free (Users *users)
{
  if (users == NULL)
    return;
  g_ptr_array_unref (users->list);
  g_clear_pointer (&users->tries, tries_free);
  g_free (users);
}

guint
users_checks_pending (Users *users)
{
  return tries_pending (users->tries);
}

const User *
users_find (Users *users, const char *id)
{
  for (guint i = 0; id != NULL && i < users->list->len; i++)
    if (g_str_equal (((User *)users->list->pdata[i])->id, id))
      return users->list->pdata[i];
  return NULL;
}

const char *
users_name (Users *users, const char *id)
{
  const User *user = users_find (users, id);
  return user != NULL ? user->name : id;
}

json_t *
user_to_json (const User *user, Vault *vault)
{
  return json_pack ("{s:s, s:s, s:s, s:b, s:b}", "id", user->id, "name", user->name, "role",
                    user->role, "passphrase", vault_has_passphrase (vault, user->id), "tpm",
                    user_pin_is_in_tpm (user));
}

json_t *
users_to_json (Users *users, Vault *vault)
{
  json_t *list = json_array ();
  for (guint i = 0; i < users->list->len; i++)
    if (user_is_of_console (users->list->pdata[i]))
      json_array_append_new (list, user_to_json (users->list->pdata[i], vault));
  return list;
}

json_t *
users_of_role (Users *users, const char *role)
{
  json_t *list = json_array ();
  for (guint i = 0; i < users->list->len; i++) {
    const User *user = users->list->pdata[i];
    if (g_str_equal (user->role, role))
      json_array_append_new (list, json_pack ("{s:s, s:s}", "id", user->id, "name", user->name));
  }
  return list;
}

gboolean
user_is_of_console (const User *user)
{
  return !g_str_equal (user->role, "specialist");
}

static json_t *
body_of (const User *user)
{
  return json_pack ("{s:s, s:s, s:s, s:s}", "user", user->id, "name", user->name, "role",
                    user->role, "pin", user->pin_hash);
}

gboolean
users_save (Users *users, const User *user, const char *by, GError **error)
{
  json_auto_t *body = body_of (user);
  if (body == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "a user's name is no UTF-8");
    return FALSE;
  }
  if (!store_put_sync (users->store, "station", "user", by, body, NULL, error))
    return FALSE;
  put_user (users, user_from_json (body));
  return TRUE;
}

typedef struct {
  Users *users;
  json_t *body;
  StoreDone done;
  void *arg;
} Put;

static void
put_durable (gint64 seq, const GError *error, void *arg)
{
  Put *put = arg;
  if (error == NULL)
    put_user (put->users, user_from_json (put->body));
  put->done (seq, error, put->arg);
  json_decref (put->body);
  g_free (put);
}

void
users_put (Users *users, const User *user, const char *by, StoreDone done, void *arg)
{
  Put *put = g_new0 (Put, 1);
  *put = (Put){ users, body_of (user), done, arg };
  store_put (users->store, "station", "user", by, put->body, put_durable, put);
}

/* ---- Weak secrets ------------------------------------------------------------------------- */

gboolean
user_id_is_valid (const char *id)
{
  gsize length = strlen (id);
  return length >= 1 && length <= 32 && g_ascii_islower (*id)
         && strspn (id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* 111111, 123456, 987654, 121212, 123123 */
static gboolean
pin_is_pattern (const char *pin, gsize length)
{
  for (int step = -1; step <= 1; step++) {
    gsize same = 1;
    while (same < length && pin[same] == pin[same - 1] + step)
      same++;
    if (same == length)
      return TRUE;
  }
  for (gsize period = 2; period <= 3; period++) {
    gsize i = period;
    while (i < length && pin[i] == pin[i - period])
      i++;
    if (i == length && length % period == 0)
      return TRUE;
  }
  return FALSE;
}

const char *
user_pin_weakness (const char *pin)
{
  gsize length = strlen (pin);
  if (length < 6 || length > 12 || strspn (pin, "0123456789") != length)
    return "a PIN has 6 to 12 digits";
  if (pin_is_pattern (pin, length))
    return "this PIN is guessed first (the same digit, a run, a repetition): choose another";
  return NULL;
}

const char *
user_passphrase_weakness (const char *passphrase)
{
  gboolean seen[256] = { FALSE };
  guint distinct = 0;
  for (const char *c = passphrase; *c != '\0'; c++) {
    distinct += !seen[(guchar)*c];
    seen[(guchar)*c] = TRUE;
  }
  if (!g_utf8_validate (passphrase, -1, NULL) || g_utf8_strlen (passphrase, -1) < 10)
    return "a passphrase has 10 characters or more: three or four words will do";
  if (distinct < 5)
    return "this passphrase repeats a few characters: choose another";
  return NULL;
}

/* ---- Checks --------------------------------------------------------------------------------- */

void
users_use_tpm (Users *users, Vault *vault, const char *tcti)
{
  users->vault = vault;
  users->tcti = tcti;
}

gboolean
user_pin_is_in_tpm (const User *user)
{
  return g_str_equal (user->pin_hash, USERS_PIN_IN_TPM);
}

GBytes *
users_take_secret (Users *users)
{
  return g_steal_pointer (&users->secret);
}

typedef struct {
  Users *users;
  char *id;
  GBytes *sealed, *secret;
  PinDone done;
  void *arg;
} Check;

static void
checked (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  Check *check = arg;
  Users *users = check->users;
  users->secret = g_steal_pointer (&check->secret);
  check->done (verdict, tries_left, seconds, check->arg);
  g_clear_pointer (&users->secret, g_bytes_unref);
  g_clear_pointer (&check->sealed, g_bytes_unref);
  g_free (check->id);
  g_free (check);
}

static TriesResult
judge_by_tpm (const char *pin, void *arg)
{
  Check *check = arg;
  g_autoptr (GError) error = NULL;
  TpmSecret secret;
  if (check->sealed == NULL || check->users->tcti == NULL) {
    g_warning ("users: a PIN is in a TPM that is not here: [station] tpm, or a restored state "
               "folder");
    return TRIES_UNABLE;
  }
  if (tpm_seal_open (check->users->tcti, check->sealed, pin, &secret, &error)) {
    check->secret = secure_bytes_new (secret.data, secret.size);
    OPENSSL_cleanse (&secret, sizeof secret);
    return TRIES_RIGHT;
  }
  if (g_error_matches (error, CERTS_ERROR, CERTS_ERROR_KEY))
    return TRIES_WRONG;
  g_warning ("users: %s", error->message);
  return TRIES_UNABLE;
}

static TriesResult
judge_passphrase (const char *passphrase, void *arg)
{
  Check *check = arg;
  g_autoptr (GError) error = NULL;
  if (vault_unlock (check->users->vault, check->id, passphrase, &error))
    return TRIES_RIGHT;
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL))
    return TRIES_WRONG;
  g_warning ("users: %s", error->message);
  return TRIES_UNABLE;
}

static Check *
check_new (Users *users, const char *id, PinDone done, void *arg)
{
  Check *check = g_new0 (Check, 1);
  *check = (Check){ .users = users, .id = g_strdup (id), .done = done, .arg = arg };
  return check;
}

void
users_check_pin (Users *users, const char *id, const char *pin, PinDone done, void *arg)
{
  const User *user = users_find (users, id);
  if (user == NULL || !user_pin_is_in_tpm (user)) {
    tries_check (users->tries, id, user != NULL ? user->pin_hash : NULL, pin, NULL, done, arg);
    return;
  }
  Check *check = check_new (users, id, done, arg);
  if (users->vault != NULL)
    check->sealed = vault_way_note (users->vault, id, USERS_TPM_WAY);
  tries_check_by (users->tries, id, judge_by_tpm, pin, checked, check);
}

void
users_check_passphrase (Users *users, const char *id, const char *passphrase, PinDone done,
                        void *arg)
{
  tries_check_by (users->tries, id, judge_passphrase, passphrase, checked,
                  check_new (users, id, done, arg));
}
