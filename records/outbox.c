#include "records/outbox.h"
#include "records/store_private.h"
#include <string.h>

static const char *const state_names[]
    = { "queued", "sent", "receipted", "confirmed", "withdrawn" };

const char *
outbox_state_name (OutboxState state)
{
  return state_names[state];
}

static OutboxState
state_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (state_names); i++)
    if (g_str_equal (state_names[i], name))
      return (OutboxState)i;
  return OUTBOX_QUEUED;
}

void
outbox_item_free (OutboxItem *item)
{
  if (item == NULL)
    return;
  g_free (item->uuid);
  g_free (item->consult);
  g_free (item->target);
  g_free (item->item);
  g_free (item->problem);
  g_free (item);
}

static gboolean
word_valid (const char *word, gsize most)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  gsize size = word != NULL ? strlen (word) : 0;
  return size > 0 && size <= most && strspn (word, allowed) == size;
}

/* ---- Queuing ------------------------------------------------------------------------------ */

typedef struct {
  Vault *vault;
  StoreRowContent row;
  json_t *bodies;
  GPtrArray *items;
  gint64 seq;
} Put;

static gboolean
queue_one (StoreWrite *write, const char *consult, const OutboxItem *item, GError **error)
{
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      write->db,
      "INSERT OR IGNORE INTO outbox(uuid, consult, target, item, state, tries, problem) "
      "VALUES(?, ?, ?, ?, 'queued', 0, '')",
      error);
  g_autofree char *uuid = store_uuid_new ();

  if (insert == NULL)
    return FALSE;
  if (!word_valid (item->target, 48) || !word_valid (item->item, 64)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "nothing can be sent to \"%s\": a destination has letters, digits, . _ - in its "
                 "name, 48 at most",
                 item->target);
    return FALSE;
  }
  store_db_bind_text (insert, 1, uuid);
  store_db_bind_text (insert, 2, consult);
  store_db_bind_text (insert, 3, item->target);
  store_db_bind_text (insert, 4, item->item);
  if (!store_db_run (insert, error))
    return FALSE;
  return sqlite3_changes (write->db) == 0
         || store_log_append (&write->log, error, "queue %s %s %s %s", uuid, consult, item->target,
                              item->item);
}

static gboolean
run_put (StoreWrite *write, gpointer data, GError **error)
{
  Put *put = data;
  for (guint i = 0; i < put->items->len; i++)
    if (!queue_one (write, put->row.consult, put->items->pdata[i], error))
      return FALSE;
  return store_write_rows (write, put->vault, &put->row, put->bodies, &put->seq, error);
}

gboolean
outbox_put_sync (Store *store, const char *consult, const char *kind, const char *user,
                 json_t *body, GPtrArray *items, gint64 *ret_seq, GError **error)
{
  json_auto_t *bodies = json_pack ("[o]", json_deep_copy (body));
  Put put = { .vault = store->vault,
              .row = { .consult = consult,
                       .kind = kind,
                       .at = store_time_now (g_atomic_pointer_get (&store->trust)),
                       .user = user },
              .bodies = bodies,
              .items = items };

  if (!store_writable (store, error))
    return FALSE;
  if (!store_consult_valid (consult) || !store_kind_valid (kind)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no row can be kept under \"%s\"",
                 consult);
    return FALSE;
  }
  if (!store_writer_call (store->writer, run_put, &put, error))
    return FALSE;
  if (ret_seq != NULL)
    *ret_seq = put.seq;
  return TRUE;
}

static gboolean
run_queue (StoreWrite *write, gpointer data, GError **error)
{
  const Put *put = data;
  for (guint i = 0; i < put->items->len; i++)
    if (!queue_one (write, put->row.consult, put->items->pdata[i], error))
      return FALSE;
  return TRUE;
}

gboolean
outbox_queue_sync (Store *store, const char *consult, GPtrArray *items, GError **error)
{
  Put put = { .row = { .consult = consult }, .items = items };
  if (!store_writable (store, error))
    return FALSE;
  if (store_consult_valid (consult))
    return store_writer_call (store->writer, run_queue, &put, error);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "there is no consultation \"%s\"",
               consult);
  return FALSE;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static OutboxItem *
item_of (sqlite3_stmt *row)
{
  OutboxItem *item = g_new0 (OutboxItem, 1);
  item->uuid = g_strdup (store_db_text (row, 0));
  item->consult = g_strdup (store_db_text (row, 1));
  item->target = g_strdup (store_db_text (row, 2));
  item->item = g_strdup (store_db_text (row, 3));
  item->state = state_from_name (store_db_text (row, 4));
  item->tries = (guint)CLAMP (sqlite3_column_int64 (row, 5), 0, 1000000);
  item->problem = g_strdup (store_db_text (row, 6));
  return item;
}

#define COLUMNS "SELECT uuid, consult, target, item, state, tries, problem FROM outbox "

static GPtrArray *
list (Store *store, const char *sql, gint64 most, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify)outbox_item_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  if (!store_db_has_outbox (store->reader))
    return g_steal_pointer (&items);
  g_autoptr (sqlite3_stmt) row = store_db_prepare (store->reader, sql, error);
  int rc = SQLITE_ERROR;

  if (row != NULL)
    sqlite3_bind_int64 (row, 1, most);
  while (row != NULL && (rc = sqlite3_step (row)) == SQLITE_ROW)
    g_ptr_array_add (items, item_of (row));
  if (row == NULL || rc != SQLITE_DONE) {
    if (row != NULL)
      store_db_fail (store->reader, "read the outbox", error);
    return NULL;
  }
  return g_steal_pointer (&items);
}

GPtrArray *
outbox_list (Store *store, gboolean all, GError **error)
{
  const char *sql = all ? COLUMNS "ORDER BY id LIMIT ?"
                        : COLUMNS "WHERE state <> 'confirmed' AND state <> 'withdrawn' "
                                  "ORDER BY id LIMIT ?";
  return list (store, sql, -1, error);
}

GPtrArray *
outbox_list_done (Store *store, guint most, GError **error)
{
  return list (store, COLUMNS "WHERE state IN ('confirmed', 'withdrawn') ORDER BY id DESC LIMIT ?",
               most, error);
}

/* Column 0 of each row goes to take. */
static gboolean
each_text (Store *store, const char *sql, const char *item, void (*take) (const char *, void *),
           void *arg, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  if (!store_db_has_outbox (store->reader))
    return TRUE;
  g_autoptr (sqlite3_stmt) row = store_db_prepare (store->reader, sql, error);
  int rc = SQLITE_ERROR;

  if (row == NULL)
    return FALSE;
  if (item != NULL)
    store_db_bind_text (row, 1, item);
  while ((rc = sqlite3_step (row)) == SQLITE_ROW)
    take (store_db_text (row, 0), arg);
  return rc == SQLITE_DONE || store_db_fail (store->reader, "read the outbox", error);
}

static void
take_into_set (const char *id, void *set)
{
  g_hash_table_add (set, g_strdup (id));
}

static void
take_into_list (const char *id, void *list)
{
  g_ptr_array_add (list, g_strdup (id));
}

GHashTable *
outbox_delivered (Store *store, const char *item, GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *sql = "SELECT consult FROM outbox GROUP BY consult "
                    "HAVING sum(state <> 'confirmed') = 0 AND sum(item = ?) > 0";
  return each_text (store, sql, item, take_into_set, ids, error) ? g_steal_pointer (&ids) : NULL;
}

gboolean
outbox_is_confirmed (Store *store, const char *consult, const char *item)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  if (!store_db_has_outbox (store->reader))
    return FALSE;
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      store->reader, "SELECT 1 FROM outbox WHERE consult = ? AND item = ? AND state = 'confirmed'",
      NULL);
  if (row == NULL)
    return FALSE;
  store_db_bind_text (row, 1, consult);
  store_db_bind_text (row, 2, item);
  return sqlite3_step (row) == SQLITE_ROW;
}

GPtrArray *
outbox_without_recording (Store *store, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  const char *sql = "SELECT consult FROM outbox WHERE consult IN (SELECT consult FROM segment) "
                    "GROUP BY consult HAVING sum(item = 'record') > 0 "
                    "AND sum(item = 'recording') = 0 ORDER BY min(id)";
  return each_text (store, sql, NULL, take_into_list, ids, error) ? g_steal_pointer (&ids) : NULL;
}

/* ---- Changes ------------------------------------------------------------------------------ */

static gboolean
run_fail (StoreWrite *write, gpointer data, GError **error)
{
  const char *const *words = data; /* problem, uuid */
  g_autoptr (sqlite3_stmt) update = store_db_prepare (
      write->db, "UPDATE outbox SET tries = tries + 1, problem = ? WHERE uuid = ?", error);
  if (update == NULL)
    return FALSE;
  store_db_bind_text (update, 1, words[0]);
  store_db_bind_text (update, 2, words[1]);
  return store_db_run (update, error);
}

gboolean
outbox_fail (Store *store, const char *uuid, const char *problem, GError **error)
{
  const char *words[] = { problem, uuid };
  return store_writable (store, error) && store_writer_call (store->writer, run_fail, words, error);
}

typedef struct {
  Put put;
  const OutboxItem *item;
  OutboxState state;
  const char *sha256;
} Advance;

static gboolean
run_advance (StoreWrite *write, gpointer data, GError **error)
{
  Advance *advance = data;
  const char *name = state_names[advance->state];
  g_autoptr (sqlite3_stmt) read
      = store_db_prepare (write->db, "SELECT state FROM outbox WHERE uuid = ?", error);
  g_autoptr (sqlite3_stmt) update = store_db_prepare (
      write->db, "UPDATE outbox SET state = ?, problem = '' WHERE uuid = ?", error);

  if (read == NULL || update == NULL)
    return FALSE;
  store_db_bind_text (read, 1, advance->item->uuid);
  if (sqlite3_step (read) != SQLITE_ROW) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "the outbox has no %s",
                 advance->item->uuid);
    return FALSE;
  }
  if (state_from_name (store_db_text (read, 0)) >= advance->state)
    return TRUE;
  store_db_bind_text (update, 1, name);
  store_db_bind_text (update, 2, advance->item->uuid);
  return store_db_run (update, error)
         && store_log_append (&write->log, error, "delivery %s %s %s", advance->item->uuid, name,
                              advance->sha256)
         && (json_array_size (advance->put.bodies) == 0
             || store_write_rows (write, advance->put.vault, &advance->put.row, advance->put.bodies,
                                  &advance->put.seq, error));
}

gboolean
outbox_advance (Store *store, const OutboxItem *item, OutboxState state, const char *sha256,
                json_t *body, GError **error)
{
  json_auto_t *bodies = json_array ();
  Advance advance
      = { .put = { .vault = store->vault,
                   .row = { .consult = item->consult,
                            .kind = "delivery",
                            .at = store_time_now (g_atomic_pointer_get (&store->trust)) },
                   .bodies = bodies },
          .item = item,
          .state = state,
          .sha256 = sha256 };

  if (body != NULL)
    json_array_append_new (bodies, json_deep_copy (body));
  return store_writable (store, error)
         && store_writer_call (store->writer, run_advance, &advance, error);
}
