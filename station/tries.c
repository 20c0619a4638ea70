#include "station/tries.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

#define TRIES_FREE 5u
#define LOCK_FIRST_S 30u
#define LOCK_MAX_S 3600u

typedef struct {
  guint tries;
  gint64 until_us; /* UTC; locked out before that */
  gboolean checking;
} Count;

struct Tries {
  Store *store;
  char *kind;
  GHashTable *counts; /* name → Count* */
  guint pending;
};

typedef struct {
  Tries *tries;
  char *name, *secret, *hash;
  TriesJudge judge; /* NULL: scrypt of hash */
  TriesAlso also;
  PinDone done;
  void *arg;
  PinVerdict verdict;
  guint tries_left, seconds;
} Check;

/* ---- Counts -------------------------------------------------------------------------------- */

static Count *
count_of (Tries *tries, const char *name)
{
  Count *count = g_hash_table_lookup (tries->counts, name);
  if (count == NULL) {
    count = g_new0 (Count, 1);
    g_hash_table_insert (tries->counts, g_strdup (name), count);
  }
  return count;
}

Tries *
tries_load (Store *store, const char *kind, GError **error)
{
  g_autoptr (GError) none = NULL;
  StoreRow *row = store_latest (store, "station", kind, &none);
  const char *name;
  json_t *value;
  if (row == NULL && !g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&none));
    return NULL;
  }
  Tries *tries = g_new0 (Tries, 1);
  tries->store = store;
  tries->kind = g_strdup (kind);
  tries->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  json_t *table = row != NULL ? row->body : NULL;
  json_object_foreach (table, name, value)
  {
    Count *count = count_of (tries, name);
    count->tries = (guint)json_integer_value (json_object_get (value, "tries"));
    count->until_us = json_integer_value (json_object_get (value, "until_us"));
  }
  g_clear_pointer (&row, store_row_free);
  return tries;
}

void
tries_free (Tries *tries)
{
  g_hash_table_unref (tries->counts);
  g_free (tries->kind);
  g_free (tries);
}

guint
tries_pending (const Tries *tries)
{
  return tries->pending;
}

static json_t *
counts_to_json (Tries *tries)
{
  json_t *table = json_object ();
  GHashTableIter iter;
  void *name, *value;
  g_hash_table_iter_init (&iter, tries->counts);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Count *count = value;
    if (count->tries > 0)
      json_object_set_new (table, name,
                           json_pack ("{s:i, s:I}", "tries", (int)count->tries, "until_us",
                                      (json_int_t)count->until_us));
  }
  return table;
}

static void
put_counts (Tries *tries, StoreDone done, void *arg)
{
  json_auto_t *table = counts_to_json (tries);
  store_put (tries->store, "station", tries->kind, "station", table, done, arg);
}

static guint
lock_seconds (guint tries)
{
  guint doublings = MIN (tries - TRIES_FREE, 16);
  return MIN (LOCK_FIRST_S << doublings, LOCK_MAX_S);
}

/* Seconds that a name is still locked out. A clock set back must not lock out for years. */
static guint
locked_for (const Count *count)
{
  gint64 left = count->until_us - g_get_real_time ();
  if (left <= 0)
    return 0;
  return (guint)MIN ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, LOCK_MAX_S);
}

void
tries_forget (Tries *tries, const char *name)
{
  Count *count = count_of (tries, name);
  count->tries = 0;
  count->until_us = 0;
  put_counts (tries, NULL, NULL);
}

/* ---- One check ----------------------------------------------------------------------------- */

static void
check_free (Check *check)
{
  g_free (check->name);
  if (check->secret != NULL)
    OPENSSL_cleanse (check->secret, strlen (check->secret));
  g_free (check->secret);
  g_free (check->hash);
  g_free (check);
}

static void
check_answer (Check *check)
{
  count_of (check->tries, check->name)->checking = FALSE;
  check->tries->pending--;
  check->done (check->verdict, check->tries_left, check->seconds, check->arg);
  check_free (check);
}

static gboolean
answer_in_idle (void *data)
{
  check_answer (data);
  return G_SOURCE_REMOVE;
}

/* Another check of this name is under way, and stays so. */
static gboolean
busy_in_idle (void *data)
{
  Check *check = data;
  check->tries->pending--;
  check->done (PIN_BUSY, 0, 0, check->arg);
  check_free (check);
  return G_SOURCE_REMOVE;
}

static void
wrong_is_durable (gint64 seq, const GError *error, void *arg)
{
  if (error != NULL)
    g_warning ("tries: a wrong secret was not written: %s", error->message);
  check_answer (arg);
}

/* Nobody has judged: the try is taken back. */
static void
unable (Check *check, Count *count)
{
  count->tries -= count->tries > 0;
  check->verdict = PIN_UNABLE;
  put_counts (check->tries, NULL, NULL);
  check_answer (check);
}

static void
judged (GObject *object, GAsyncResult *result, void *data)
{
  Check *check = data;
  Count *count = count_of (check->tries, check->name);
  TriesResult verdict = (TriesResult)g_task_propagate_int (G_TASK (result), NULL);
  if (verdict == TRIES_UNABLE) {
    unable (check, count);
    return;
  }
  if (verdict == TRIES_RIGHT && (check->also == NULL || check->also (check->arg))) {
    count->tries = 0;
    count->until_us = 0;
    put_counts (check->tries, NULL, NULL);
    check->verdict = PIN_GOOD;
    check_answer (check);
    return;
  }
  check->verdict = PIN_WRONG;
  if (count->tries >= TRIES_FREE) {
    check->verdict = PIN_LOCKED_OUT;
    check->seconds = lock_seconds (count->tries);
    count->until_us = g_get_real_time () + (gint64)check->seconds * G_USEC_PER_SEC;
  } else {
    check->tries_left = TRIES_FREE - count->tries;
  }
  put_counts (check->tries, wrong_is_durable, check);
}

static void
judge (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Check *check = data;
  if (check->judge != NULL)
    g_task_return_int (task, check->judge (check->secret, check->arg));
  else
    g_task_return_int (task,
                       vault_check_pin (check->hash, check->secret) ? TRIES_RIGHT : TRIES_WRONG);
}

static void
try_is_durable (gint64 seq, const GError *error, void *arg)
{
  Check *check = arg;
  if (error != NULL) {
    g_warning ("tries: a try was not written: %s", error->message);
    check->verdict = PIN_FAILED;
    check_answer (check);
    return;
  }
  g_autoptr (GTask) task = g_task_new (NULL, NULL, judged, check);
  g_task_set_task_data (task, check, NULL);
  g_task_run_in_thread (task, judge);
}

/* check (transfer full) knows who judges. */
static void
start_check (Tries *tries, Check *check, const char *name, const char *secret)
{
  Count *count = count_of (tries, name);
  check->tries = tries;
  check->name = g_strdup (name);
  tries->pending++;
  if (count->checking) {
    g_idle_add (busy_in_idle, check);
    return;
  }
  count->checking = TRUE;
  gboolean nobody = check->judge == NULL && check->hash == NULL;
  if (nobody || locked_for (count) > 0) {
    check->verdict = nobody ? PIN_FAILED : PIN_LOCKED_OUT;
    check->seconds = locked_for (count);
    g_idle_add (answer_in_idle, check);
    return;
  }
  check->secret = g_strdup (secret);
  count->tries++;
  put_counts (tries, try_is_durable, check);
}

void
tries_check (Tries *tries, const char *name, const char *hash, const char *secret, TriesAlso also,
             PinDone done, void *arg)
{
  Check *check = g_new0 (Check, 1);
  *check = (Check){ .hash = g_strdup (hash), .also = also, .done = done, .arg = arg };
  start_check (tries, check, name, secret);
}

void
tries_check_by (Tries *tries, const char *name, TriesJudge by, const char *secret, PinDone done,
                void *arg)
{
  Check *check = g_new0 (Check, 1);
  *check = (Check){ .judge = by, .done = done, .arg = arg };
  start_check (tries, check, name, secret);
}
