#include "station/catch_up.h"
#include "station/clock.h"
#include "station/room.h"

#include <math.h>

#define VITALS_MAX 24
#define EVERY_US (2 * G_USEC_PER_SEC)
/* Rows that are looked at: a gateway's ten a second. */
#define ROWS_MAX 600

static gboolean
has_flag (const json_t *observation, const char *flag)
{
  gsize i;
  json_t *one;
  json_array_foreach (json_object_get (observation, "flags"), i, one)
  {
    if (g_strcmp0 (json_string_value (one), flag) == 0)
      return TRUE;
  }
  return FALSE;
}

/* NULL: no number of now. */
static const char *
vital_of (const json_t *observation)
{
  const json_t *value = json_object_get (observation, "value");
  if (!json_is_number (value) || json_is_string (json_object_get (observation, "absent"))
      || json_is_true (json_object_get (observation, "test")) || has_flag (observation, "stored"))
    return NULL;
  return json_string_value (json_object_get (observation, "vital"));
}

json_t *
catch_up_curves (const GPtrArray *rows, gint64 now_us)
{
  const gint64 since_us = now_us - CATCH_UP_SECONDS * G_USEC_PER_SEC;
  g_autoptr (GHashTable) last = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  json_t *curves = json_object ();
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    const char *vital = vital_of (row->body);
    const gint64 *before = vital != NULL ? g_hash_table_lookup (last, vital) : NULL;
    if (vital == NULL || row->utc_us < since_us || row->utc_us > now_us
        || (before != NULL && row->utc_us - *before < (gint64)EVERY_US)
        || (before == NULL && json_object_size (curves) >= VITALS_MAX))
      continue;
    json_t *curve = json_object_get (curves, vital);
    if (curve == NULL)
      json_object_set_new (curves, vital, curve = json_array ());
    double seconds = round ((double)(row->utc_us - now_us) / 1e5) / 10;
    json_array_append_new (curve,
                           json_pack ("[f, O]", seconds, json_object_get (row->body, "value")));
    g_hash_table_insert (last, (void *)vital, g_memdup2 (&row->utc_us, sizeof row->utc_us));
  }
  return curves;
}

void
catch_up_send (Station *station, const char *label)
{
  const Consult *consult = station->screen;
  gint64 now_us = g_get_real_time ();
  StoreRow *newest
      = consult != NULL ? store_latest (station->store, consult->id, "observation", NULL) : NULL;
  if (newest == NULL)
    return;
  g_autoptr (GPtrArray) rows = store_read (station->store, consult->id, "observation",
                                           MAX (newest->seq - ROWS_MAX, 0), NULL);
  store_row_free (newest);
  json_t *curves = rows != NULL ? catch_up_curves (rows, now_us) : NULL;
  if (curves == NULL || json_object_size (curves) == 0) {
    json_decref (curves);
    return;
  }
  g_autofree char *until = clock_text (now_us);
  room_send (station->room, label,
             json_pack ("{s:s, s:s, s:o}", "type", "past", "until", until, "curves", curves));
}
