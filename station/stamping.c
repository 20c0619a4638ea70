#include "station/stamping.h"
#include "certs/timestamp.h"
#include "records/signatures.h"
#include "station/restamping.h"
#include "station/fetch.h"

#include <gio/gio.h>
#include <string.h>

#define RETRY_FIRST_S 30
#define RETRY_LAST_S 3600
#define REPLY_SECONDS 60
#define AHEAD_S 300 /* a clock a little behind the authority's is no reason to refuse it */

struct Stamping {
  Station *station;
  Restamping *restamping;
  CadesTrust *trust;
  gint64 read_upto;  /* seq of "stamp-wanted" */
  GPtrArray *wanted; /* json_t*, in order */
  guint timer, delay_s;
  gboolean busy, again;
};

guint
stamping_waiting (const Stamping *stamping)
{
  return stamping != NULL ? stamping->wanted->len : 0;
}

/* ---- Worker
 * ------------------------------------------------------------------------------------ */

typedef struct {
  Station *station;
  const CadesTrust *trust;
  gint64 read_upto;
  GPtrArray *wanted; /* refs of the json_t */
  guint stamped;
} Round;

static void
round_free (void *data)
{
  Round *round = data;
  g_ptr_array_unref (round->wanted);
  g_free (round);
}

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

/* There is a token over this already: the wish was written twice, or a kill came between. */
static gboolean
is_stamped (Store *store, const json_t *wish)
{
  g_autofree char *kind = g_strdup_printf ("stamp-%s", text_of (wish, "consult"));
  g_autoptr (GPtrArray) rows = store_read (store, "station", kind, 0, NULL);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const json_t *body = ((StoreRow *)rows->pdata[i])->body;
    if (g_str_equal (text_of (body, "imprint"), text_of (wish, "imprint"))
        || (json_equal (json_object_get (body, "of"), json_object_get (wish, "of"))
            && json_equal (json_object_get (body, "nth"), json_object_get (wish, "nth"))))
      return TRUE;
  }
  return FALSE;
}

static GBytes *
bytes_of_hex (const char *hex)
{
  gsize size = strlen (hex) / 2;
  guint8 *data = g_malloc0 (size + 1);
  for (gsize i = 0; i < size; i++)
    data[i]
        = (guint8)(g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return g_bytes_new_take (data, size);
}

static gboolean
stamp_one (const Round *round, const json_t *wish, GError **error)
{
  const ConfigSigning *signing = &round->station->config->signing;
  g_autoptr (GBytes) imprint = bytes_of_hex (text_of (wish, "imprint"));
  g_autoptr (GBytes) query = timestamp_query (imprint, signing->policy, error);
  if (query == NULL)
    return FALSE;
  g_autoptr (GBytes) reply
      = fetch_post (signing->url, "application/timestamp-query", query,
                    "application/timestamp-reply", CADES_LONGEST, REPLY_SECONDS, error);
  if (reply == NULL)
    return FALSE;
  g_autoptr (GBytes) token = timestamp_accept (
      query, reply, round->trust, g_get_real_time () / G_USEC_PER_SEC + AHEAD_S, error);
  if (token == NULL)
    return FALSE;
  gsize size;
  const guchar *der = g_bytes_get_data (token, &size);
  g_autofree char *text = g_base64_encode (der, size);
  g_autofree char *kind = g_strdup_printf ("stamp-%s", text_of (wish, "consult"));
  json_auto_t *body = json_pack ("{s:O, s:O, s:O, s:s}", "of", json_object_get (wish, "of"), "nth",
                                 json_object_get (wish, "nth"), "imprint",
                                 json_object_get (wish, "imprint"), "token", text);
  return store_put_sync (round->station->store, "station", kind, NULL, body, NULL, error);
}

static gboolean
read_wishes (Round *round, GError **error)
{
  g_autoptr (GPtrArray) rows
      = store_read (round->station->store, "station", "stamp-wanted", round->read_upto, error);
  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    round->read_upto = row->seq;
    if (!is_stamped (round->station->store, row->body))
      g_ptr_array_add (round->wanted, json_incref (row->body));
  }
  return TRUE;
}

static void
round_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Round *round = data;
  GError *error = NULL;
  gboolean good = read_wishes (round, &error);
  while (good && round->wanted->len > 0 && !round->station->stopping) {
    json_t *wish = round->wanted->pdata[0];
    good = is_stamped (round->station->store, wish) || stamp_one (round, wish, &error);
    if (good) {
      round->stamped++;
      g_ptr_array_remove_index (round->wanted, 0);
    }
  }
  if (good)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* ---- Rounds
 * ------------------------------------------------------------------------------------ */

static gboolean timer_due (void *data);

static void
round_done (GObject *object, GAsyncResult *result, void *data)
{
  Stamping *stamping = data;
  g_autoptr (GError) error = NULL;
  Round *round = g_task_get_task_data (G_TASK (result));
  gboolean good = g_task_propagate_boolean (G_TASK (result), &error);
  stamping->station->pending--;
  stamping->busy = FALSE;
  stamping->read_upto = round->read_upto;
  g_ptr_array_unref (stamping->wanted);
  stamping->wanted = g_ptr_array_ref (round->wanted);
  if (round->stamped > 0)
    station_changed (stamping->station);
  if (stamping->station->stopping)
    return;
  if (!good) {
    g_message ("stamping: %s; %u wait, the next try is in %u s", error->message,
               stamping->wanted->len, stamping->delay_s);
    stamping->timer = g_timeout_add_seconds (stamping->delay_s, timer_due, stamping);
    stamping->delay_s = MIN (2 * stamping->delay_s, RETRY_LAST_S);
    return;
  }
  stamping->delay_s = RETRY_FIRST_S;
  if (stamping->again)
    stamping_wake (stamping);
}

static void
start_round (Stamping *stamping)
{
  Round *round = g_new0 (Round, 1);
  round->station = stamping->station;
  round->trust = stamping->trust;
  round->read_upto = stamping->read_upto;
  round->wanted = g_ptr_array_new_with_free_func ((GDestroyNotify)json_decref);
  for (guint i = 0; i < stamping->wanted->len; i++)
    g_ptr_array_add (round->wanted, json_incref (stamping->wanted->pdata[i]));
  stamping->busy = TRUE;
  stamping->again = FALSE;
  stamping->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, round_done, stamping);
  g_task_set_task_data (task, round, round_free);
  g_task_run_in_thread (task, round_thread);
}

static gboolean
timer_due (void *data)
{
  Stamping *stamping = data;
  stamping->timer = 0;
  start_round (stamping);
  return G_SOURCE_REMOVE;
}

void
stamping_wake (Stamping *stamping)
{
  if (stamping == NULL)
    return;
  if (stamping->busy) {
    stamping->again = TRUE;
    return;
  }
  g_clear_handle_id (&stamping->timer, g_source_remove);
  start_round (stamping);
}

static void
wanted_again (void *data)
{
  stamping_wake (data);
}

void
stamping_unlocked (Stamping *stamping)
{
  if (stamping != NULL)
    restamping_look (stamping->restamping);
}

void
stamping_add_problems (const Stamping *stamping, json_t *list)
{
  if (stamping != NULL)
    restamping_add_problems (stamping->restamping, list);
}

Stamping *
stamping_new (Station *station, GError **error)
{
  const ConfigSigning *signing = &station->config->signing;
  if (signing->url == NULL)
    return NULL;
  CadesTrust *trust = cades_trust_load (NULL, signing->authority_ca, NULL, error);
  if (trust == NULL)
    return NULL;
  Stamping *stamping = g_new0 (Stamping, 1);
  stamping->station = station;
  stamping->trust = trust;
  stamping->wanted = g_ptr_array_new_with_free_func ((GDestroyNotify)json_decref);
  stamping->delay_s = RETRY_FIRST_S;
  stamping->restamping = restamping_new (station, wanted_again, stamping);
  stamping_wake (stamping);
  return stamping;
}

void
stamping_free (Stamping *stamping)
{
  if (stamping == NULL)
    return;
  g_clear_handle_id (&stamping->timer, g_source_remove);
  restamping_free (stamping->restamping);
  cades_trust_free (stamping->trust);
  g_ptr_array_unref (stamping->wanted);
  g_free (stamping);
}
