#include "station/kept.h"

/* Senders repeat within seconds; after a power cut within the hour that it lasted. */
#define LOAD_US (24 * G_TIME_SPAN_HOUR)
struct Kept {
  GHashTable *states; /* raw → KeptState */
  GQueue order;       /* of durable ones, oldest first; the keys of states */
};

Kept *
kept_new (void)
{
  Kept *kept = g_new0 (Kept, 1);
  kept->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&kept->order);
  return kept;
}

void
kept_free (Kept *kept)
{
  g_queue_clear (&kept->order);
  g_hash_table_unref (kept->states);
  g_free (kept);
}

KeptState
kept_state (const Kept *kept, const char *raw)
{
  return raw != NULL ? (KeptState)GPOINTER_TO_UINT (g_hash_table_lookup (kept->states, raw))
                     : KEPT_NEW;
}

void
kept_coming (Kept *kept, const char *raw)
{
  if (raw != NULL && kept_state (kept, raw) == KEPT_NEW)
    g_hash_table_insert (kept->states, g_strdup (raw), GUINT_TO_POINTER (KEPT_COMING));
}

void
kept_done (Kept *kept, const char *raw, gboolean durable)
{
  void *key = NULL;
  if (raw == NULL || kept_state (kept, raw) == KEPT_DURABLE)
    return;
  if (!durable) {
    g_hash_table_remove (kept->states, raw);
    return;
  }
  if (g_queue_get_length (&kept->order) >= KEPT_MAX)
    g_hash_table_remove (kept->states, g_queue_pop_head (&kept->order));
  /* Of a key that is there the table keeps its own: that one stands in the order. */
  g_hash_table_insert (kept->states, g_strdup (raw), GUINT_TO_POINTER (KEPT_DURABLE));
  g_hash_table_lookup_extended (kept->states, raw, &key, NULL);
  g_queue_push_tail (&kept->order, key);
}

void
kept_load (Kept *kept, const json_t *observation, gint64 written_us, gint64 now_us)
{
  if (written_us > now_us - LOAD_US)
    kept_done (kept, json_string_value (json_object_get (observation, "raw")), TRUE);
}
