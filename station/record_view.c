#include "station/record_view.h"
#include "records/segment.h"
#include "station/clock.h"

static json_t *
locked_line (const char *consult, const char *day)
{
  return json_pack ("{s:s, s:s?, s:b}", "consultation", consult, "day", day, "locked", TRUE);
}

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

/* From the row that began it (what was planned had rows before) to the one that concluded it, or
 * the last. */
static gint64
minutes_of (const GPtrArray *rows)
{
  const StoreRow *first = rows->pdata[0], *last = rows->pdata[rows->len - 1];
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    if (g_str_equal (text_of (row->body, "state"), "concluding"))
      last = row;
    if (g_str_equal (text_of (first->body, "state"), "scheduled"))
      first = row;
  }
  return (last->utc_us - first->utc_us + 30 * G_USEC_PER_SEC) / (60 * G_USEC_PER_SEC);
}

json_t *
record_view_line (Store *store, const char *consult, gboolean allow_finished)
{
  g_autofree char *day = store_consult_day (store, consult, NULL);
  g_autoptr (GPtrArray) rows = store_read (store, consult, "consultation", 0, NULL);
  if (rows == NULL || rows->len == 0)
    return locked_line (consult, day);
  const StoreRow *last = rows->pdata[rows->len - 1];
  const char *state = text_of (last->body, "state");
  if (!allow_finished && (g_str_equal (state, "signed") || g_str_equal (state, "cancelled")))
    return locked_line (consult, day);
  StoreRow *patient = store_latest (store, consult, "patient", NULL);
  const char *name
      = patient != NULL ? json_string_value (json_object_get (patient->body, "name")) : NULL;
  json_t *line = json_pack (
      "{s:s, s:s?, s:s, s:I, s:s?, s:s, s:s, s:I, s:b}", "consultation", consult, "day", day,
      "state", state, "mode", json_integer_value (json_object_get (last->body, "mode")), "patient",
      name, "doctor", text_of (last->body, "doctor"), "reason", text_of (last->body, "reason"),
      "minutes", (json_int_t)minutes_of (rows), "locked", FALSE);
  if (patient != NULL)
    store_row_free (patient);
  return line;
}

char *
record_view_state (Store *store, const char *consult, GError **error)
{
  StoreRow *row = store_latest (store, consult, "consultation", error);
  if (row == NULL)
    return NULL;
  char *state = g_strdup (text_of (row->body, "state"));
  store_row_free (row);
  return state;
}

/* ---- A whole record
 * ------------------------------------------------------------------------------- */

/* Secrets of invitations and keys of browsers are no part of what is read. */
static json_t *
body_for_people (const StoreRow *row)
{
  static const char *const secrets[] = { "secret", "pin", "bound" };
  json_t *body = json_copy (row->body);
  if (g_str_equal (row->kind, "invite"))
    for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
      json_object_del (body, secrets[i]);
  if (g_str_equal (row->kind, "guest") || g_str_equal (row->kind, "identity"))
    json_object_del (body, "key");
  if (g_str_equal (row->kind, "identity"))
    json_object_del (body, "proof");
  if (g_str_equal (row->kind, "signature"))
    json_object_del (body, "manifest");
  return body;
}

static json_t *
row_to_json (const StoreRow *row)
{
  g_autofree char *at = clock_text (row->utc_us);
  return json_pack ("{s:I, s:s?, s:s, s:o}", "seq", (json_int_t)row->seq, "user", row->user, "at",
                    at, "body", body_for_people (row));
}

static json_t *
rows_by_kind (const GPtrArray *rows, guint observations_max, guint *ret_observations)
{
  json_t *kinds = json_object ();
  guint total = 0, seen = 0;
  for (guint i = 0; i < rows->len; i++)
    total += g_str_equal (((StoreRow *)rows->pdata[i])->kind, "observation");
  guint step = observations_max > 0 ? 1 + (total > 0 ? (total - 1) / observations_max : 0) : 1;
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    /* A page has no use for hundreds of pieces that were sent. */
    if (observations_max > 0 && g_str_equal (row->kind, "delivery-part"))
      continue;
    /* The newest of all is kept: count from the end. */
    if (g_str_equal (row->kind, "observation") && (total - 1 - seen++) % step != 0)
      continue;
    json_t *list = json_object_get (kinds, row->kind);
    if (list == NULL) {
      list = json_array ();
      json_object_set_new (kinds, row->kind, list);
    }
    json_array_append_new (list, row_to_json (row));
  }
  *ret_observations = total;
  return kinds;
}

json_t *
record_view_whole (Store *store, const char *consult, guint observations_max, GError **error)
{
  g_autofree char *state = record_view_state (store, consult, error);
  if (state == NULL)
    return NULL;
  g_autoptr (GPtrArray) rows = store_read_without (store, consult, "wave", error);
  if (rows == NULL)
    return NULL;
  json_t *tracks = recording_index (store, consult, error);
  if (tracks == NULL)
    return NULL;
  StoreRow *wave = store_latest (store, consult, "wave", NULL);
  json_int_t waves = wave != NULL ? wave->seq : 0;
  g_clear_pointer (&wave, store_row_free);
  guint observations = 0;
  json_t *kinds = rows_by_kind (rows, observations_max, &observations);
  return json_pack ("{s:s, s:s, s:i, s:I, s:o, s:o}", "consultation", consult, "state", state,
                    "readings", (int)observations, "waves", waves, "rows", kinds, "tracks", tracks);
}

/* ---- Waves
 * --------------------------------------------------------------------------------------- */

/* The row's own two clocks say how they lay to each other then. */
static json_t *
wave_to_json (const StoreRow *row)
{
  json_t *wave = json_copy (row->body);
  json_t *mono = json_object_get (row->body, "mono_us");
  gint64 start_us = row->utc_us;
  if (json_is_integer (mono))
    start_us = row->utc_us - (row->mono_us - json_integer_value (mono));
  json_object_set_new (wave, "seq", json_integer (row->seq));
  json_object_set_new (wave, "start_us", json_integer (start_us));
  return wave;
}

json_t *
record_view_waves (Store *store, const char *consult, gint64 after, guint limit, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read_some (store, consult, "wave", after, limit, error);
  if (rows == NULL)
    return NULL;
  StoreRow *newest = store_latest (store, consult, "wave", NULL);
  json_t *waves = json_array ();
  for (guint i = 0; i < rows->len; i++)
    json_array_append_new (waves, wave_to_json (rows->pdata[i]));
  json_t *result = json_pack ("{s:o, s:I}", "waves", waves, "newest",
                              (json_int_t)(newest != NULL ? newest->seq : 0));
  if (newest != NULL)
    store_row_free (newest);
  return result;
}
