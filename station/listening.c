#include "station/listening.h"

struct Listening {
  GHashTable *sources; /* label -> name of a stethoscope */
};

Listening *
listening_new (void)
{
  Listening *listening = g_new0 (Listening, 1);
  listening->sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return listening;
}

void
listening_free (Listening *listening)
{
  if (listening == NULL)
    return;
  g_hash_table_unref (listening->sources);
  g_free (listening);
}

gboolean
listening_set (Listening *listening, const char *label, const char *source)
{
  if (source == NULL)
    return g_hash_table_remove (listening->sources, label);
  if (g_strcmp0 (g_hash_table_lookup (listening->sources, label), source) == 0)
    return FALSE;
  g_hash_table_replace (listening->sources, g_strdup (label), g_strdup (source));
  return TRUE;
}

gboolean
listening_any (const Listening *listening)
{
  return g_hash_table_size (listening->sources) > 0;
}

json_t *
listening_json (const Listening *listening)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  gpointer label, source;
  g_hash_table_iter_init (&iter, listening->sources);
  while (g_hash_table_iter_next (&iter, &label, &source))
    json_array_append_new (
        list, json_pack ("{s:s, s:s}", "label", (char *)label, "source", (char *)source));
  return list;
}
