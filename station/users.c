#include "station/users.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

#define TRIES_FREE 5u
#define LOCK_FIRST_S 30u
#define LOCK_MAX_S 3600u

const char *const user_roles[] = { "doctor", "nurse", "secretary", "administrator", NULL };

typedef struct {
  guint tries;
  gint64 until_us; /* UTC; locked out before that */
  gboolean checking;
} Tries;

struct Users {
  Store *store;
  GPtrArray *list;   /* User*, in order of making */
  GHashTable *tries; /* id → Tries* */
  guint pending;
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

static Tries *
tries_of (Users *users, const char *id)
{
  Tries *tries = g_hash_table_lookup (users->tries, id);
  if (tries == NULL) {
    tries = g_new0 (Tries, 1);
    g_hash_table_insert (users->tries, g_strdup (id), tries);
  }
  return tries;
}

static gboolean
load_tries (Users *users, GError **error)
{
  g_autoptr (GError) none = NULL;
  StoreRow *row = store_latest (users->store, "station", "pin-tries", &none);
  const char *id;
  json_t *value;
  if (row == NULL) {
    if (g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&none));
    return FALSE;
  }
  json_object_foreach (row->body, id, value)
  {
    Tries *tries = tries_of (users, id);
    tries->tries = (guint)json_integer_value (json_object_get (value, "tries"));
    tries->until_us = json_integer_value (json_object_get (value, "until_us"));
  }
  store_row_free (row);
  return TRUE;
}

Users *
users_load (Store *store, GError **error)
{
  g_autoptr (Users) users = g_new0 (Users, 1);
  users->store = store;
  users->list = g_ptr_array_new_with_free_func (user_free);
  users->tries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) rows = store_read (store, "station", "user", 0, error);
  if (rows == NULL || !load_tries (users, error))
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
  g_hash_table_unref (users->tries);
  g_free (users);
}

guint
users_checks_pending (Users *users)
{
  return users->pending;
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
  return json_pack ("{s:s, s:s, s:s, s:b}", "id", user->id, "name", user->name, "role", user->role,
                    "passphrase", vault_has_passphrase (vault, user->id));
}

json_t *
users_to_json (Users *users, Vault *vault)
{
  json_t *list = json_array ();
  for (guint i = 0; i < users->list->len; i++)
    json_array_append_new (list, user_to_json (users->list->pdata[i], vault));
  return list;
}

gboolean
users_save (Users *users, const User *user, const char *by, GError **error)
{
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s}", "user", user->id, "name", user->name,
                                 "role", user->role, "pin", user->pin_hash);
  if (body == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "a user's name is no UTF-8");
    return FALSE;
  }
  if (!store_put_sync (users->store, "station", "user", by, body, NULL, error))
    return FALSE;
  put_user (users, user_from_json (body));
  return TRUE;
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

/* ---- PIN --------------------------------------------------------------------------------- */

typedef struct {
  Users *users;
  char *id, *pin, *hash;
  PinDone done;
  void *arg;
  PinVerdict verdict;
  guint tries_left, seconds;
} Check;

static void
check_free (Check *check)
{
  g_free (check->id);
  if (check->pin != NULL)
    OPENSSL_cleanse (check->pin, strlen (check->pin));
  g_free (check->pin);
  g_free (check->hash);
  g_free (check);
}

static void
check_answer (Check *check)
{
  tries_of (check->users, check->id)->checking = FALSE;
  check->users->pending--;
  check->done (check->verdict, check->tries_left, check->seconds, check->arg);
  check_free (check);
}

static gboolean
answer_in_idle (void *data)
{
  check_answer (data);
  return G_SOURCE_REMOVE;
}

/* Another check of this user is under way, and stays so. */
static gboolean
busy_in_idle (void *data)
{
  Check *check = data;
  check->users->pending--;
  check->done (PIN_BUSY, 0, 0, check->arg);
  check_free (check);
  return G_SOURCE_REMOVE;
}

static json_t *
tries_to_json (Users *users)
{
  json_t *table = json_object ();
  GHashTableIter iter;
  void *id, *value;
  g_hash_table_iter_init (&iter, users->tries);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    const Tries *tries = value;
    if (tries->tries > 0)
      json_object_set_new (table, id,
                           json_pack ("{s:i, s:I}", "tries", (int)tries->tries, "until_us",
                                      (json_int_t)tries->until_us));
  }
  return table;
}

static void
put_tries (Users *users, StoreDone done, void *arg)
{
  json_auto_t *table = tries_to_json (users);
  store_put (users->store, "station", "pin-tries", "station", table, done, arg);
}

static guint
lock_seconds (guint tries)
{
  guint doublings = MIN (tries - TRIES_FREE, 16);
  return MIN (LOCK_FIRST_S << doublings, LOCK_MAX_S);
}

static void
wrong_is_durable (gint64 seq, const GError *error, void *arg)
{
  if (error != NULL)
    g_warning ("users: wrong PIN not written: %s", error->message);
  check_answer (arg);
}

static void
judged (GObject *object, GAsyncResult *result, void *data)
{
  Check *check = data;
  Tries *tries = tries_of (check->users, check->id);
  if (g_task_propagate_boolean (G_TASK (result), NULL)) {
    tries->tries = 0;
    tries->until_us = 0;
    put_tries (check->users, NULL, NULL);
    check->verdict = PIN_GOOD;
    check_answer (check);
    return;
  }
  check->verdict = PIN_WRONG;
  if (tries->tries >= TRIES_FREE) {
    check->verdict = PIN_LOCKED_OUT;
    check->seconds = lock_seconds (tries->tries);
    tries->until_us = g_get_real_time () + (gint64)check->seconds * G_USEC_PER_SEC;
  } else {
    check->tries_left = TRIES_FREE - tries->tries;
  }
  put_tries (check->users, wrong_is_durable, check);
}

static void
judge (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Check *check = data;
  g_task_return_boolean (task, vault_check_pin (check->hash, check->pin));
}

static void
try_is_durable (gint64 seq, const GError *error, void *arg)
{
  Check *check = arg;
  if (error != NULL) {
    g_warning ("users: try not written: %s", error->message);
    check->verdict = PIN_FAILED;
    check_answer (check);
    return;
  }
  g_autoptr (GTask) task = g_task_new (NULL, NULL, judged, check);
  g_task_set_task_data (task, check, NULL);
  g_task_run_in_thread (task, judge);
}

/* Seconds that a user is still locked out. A clock set back must not lock out for years. */
static guint
locked_for (const Tries *tries)
{
  gint64 left = tries->until_us - g_get_real_time ();
  if (left <= 0)
    return 0;
  return (guint)MIN ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, LOCK_MAX_S);
}

void
users_check_pin (Users *users, const char *id, const char *pin, PinDone done, void *arg)
{
  Check *check = g_new0 (Check, 1);
  const User *user = users_find (users, id);
  Tries *tries = tries_of (users, id);
  *check = (Check){ .users = users, .id = g_strdup (id), .done = done, .arg = arg };
  users->pending++;
  if (tries->checking) {
    g_idle_add (busy_in_idle, check);
    return;
  }
  tries->checking = TRUE;
  if (user == NULL || locked_for (tries) > 0) {
    check->verdict = user == NULL ? PIN_FAILED : PIN_LOCKED_OUT;
    check->seconds = locked_for (tries);
    g_idle_add (answer_in_idle, check);
    return;
  }
  check->pin = g_strdup (pin);
  check->hash = g_strdup (user->pin_hash);
  tries->tries++;
  put_tries (users, try_is_durable, check);
}
