#include "records/holding.h"
#include "records/store_private.h"
#include <stdio.h>
#include <string.h>

#define TAIL "-8000-8000-686f6c64696e" /* "holdin" */
#define FORM "%s-%04x" TAIL
#define DAY_DIGITS 8
#define AGAIN_MOST 16
#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

gboolean
holding_is (const char *consult)
{
  guint8 bytes[16];
  return store_uuid_parse (consult, bytes) && g_str_has_suffix (consult, TAIL);
}

/* µs at which the day of an id began; −1: it is no day. */
static gint64
day_began_us (const char *id)
{
  int year, month, day;
  if (sscanf (id, "%4d%2d%2d", &year, &month, &day) != 3)
    return -1;
  g_autoptr (GDateTime) began = g_date_time_new_utc (year, month, day, 0, 0, 0);
  return began != NULL ? g_date_time_to_unix (began) * G_USEC_PER_SEC : -1;
}

/* ---- Keys --------------------------------------------------------------------------------- */

static gboolean
run_log_key (StoreWrite *write, gpointer data, GError **error)
{
  return store_write_key (write, data, error);
}

static gboolean
make_key (Store *store, const char *id, GError **error)
{
  g_autoptr (DataKey) key = vault_create_key (store->vault, id, PURPOSE_CLINICAL, error);
  VaultKeyRow *row = key != NULL ? vault_key_row (store->vault, id, PURPOSE_CLINICAL, error) : NULL;
  gboolean good = row != NULL && store_writer_call (store->writer, run_log_key, row, error);
  vault_key_row_free (row);
  return good;
}

/* FALSE with error. ret_gone: this key was shredded, and the id is of no use any more. */
static gboolean
have_key (Store *store, const char *id, gboolean *ret_gone, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = vault_get_key (store->vault, id, PURPOSE_CLINICAL, &local);

  *ret_gone = FALSE;
  if (key != NULL)
    return TRUE;
  if (!g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  *ret_gone = erasure_done (store, id, PURPOSE_CLINICAL);
  return *ret_gone || make_key (store, id, error);
}

char *
holding_open (Store *store, gint64 utc_us, GError **error)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  g_autofree char *day = time != NULL ? g_date_time_format (time, "%Y%m%d") : NULL;

  if (!store_writable (store, error))
    return NULL;
  for (guint n = 0; day != NULL && strlen (day) == DAY_DIGITS && n < AGAIN_MOST; n++) {
    g_autofree char *id = g_strdup_printf (FORM, day, n);
    gboolean gone;
    if (!have_key (store, id, &gone, error))
      return NULL;
    if (!gone)
      return g_steal_pointer (&id);
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "nothing can be held under this day: set the clock of this machine");
  return NULL;
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

typedef struct {
  gint64 since_us;
  GPtrArray *ids;
} Since;

static void
add_since (const char *consult, Purpose purpose, void *arg)
{
  const Since *since = arg;
  if (purpose == PURPOSE_CLINICAL && holding_is (consult)
      && day_began_us (consult) >= since->since_us)
    g_ptr_array_add (since->ids, g_strdup (consult));
}

GPtrArray *
holding_list (Store *store, gint64 now_us, guint days, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Since since = { now_us - (gint64)days * DAY_US, ids };
  if (!vault_each_name (store->vault, add_since, &since, error))
    return NULL;
  g_ptr_array_sort (ids, by_name);
  return g_steal_pointer (&ids);
}

/* ---- The end of a day that nobody claimed ------------------------------------------------- */

gboolean
holding_shred (Store *store, Identity *signer, const RetentionClock *clock, json_t *copies,
               guint *ret_days, GError **error)
{
  *ret_days = 0;
  if (!clock->trusted)
    return TRUE;
  g_autoptr (GPtrArray) ids = holding_list (store, clock->utc_us, G_MAXUINT16, error);
  for (guint i = 0; ids != NULL && i < ids->len; i++) {
    /* From the end of its day. */
    gint64 began_us = day_began_us (ids->pdata[i]);
    if (began_us < 0 || began_us + (HOLDING_DAYS + 1) * DAY_US >= clock->utc_us)
      continue;
    const Erasure erasure = { .consult = ids->pdata[i],
                              .purposes = 1u << PURPOSE_CLINICAL,
                              .why = ERASURE_UNCLAIMED,
                              .copies = copies };
    if (!erasure_run (store, signer, &erasure, NULL, error))
      return FALSE;
    ++*ret_days;
  }
  return ids != NULL;
}
