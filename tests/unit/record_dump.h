/* All that can be read back of a state folder, as one hash. */
#pragma once
#include "records/segment.h"
#include "records/store.h"

static inline gboolean
record_dump_rows (Store *store, const char *consult, GString *out)
{
  g_autoptr (GPtrArray) rows = store_read (store, consult, NULL, 0, NULL);

  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    char *body = json_dumps (row->body, JSON_SORT_KEYS | JSON_COMPACT);
    g_string_append_printf (
        out, "%s/%s/%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s %s %s %s\n",
        row->consult, row->kind, row->seq, row->utc_us, row->mono_us, row->boot, row->trust,
        row->user != NULL ? row->user : "-", body);
    free (body);
  }
  return rows != NULL;
}

static inline gboolean
record_dump_recording (Store *store, const char *consult, GString *out)
{
  json_t *index = recording_index (store, consult, NULL), *track, *segment, *one;
  gboolean ok = index != NULL;
  gsize i, j, k;
  char *text = json_dumps (index, JSON_SORT_KEYS | JSON_COMPACT);

  g_string_append (out, text != NULL ? text : "");
  free (text);
  json_array_foreach (index, i, track)
      json_array_foreach (json_object_get (track, "segments"), j, segment)
          json_array_foreach (json_object_get (segment, "records"), k, one)
  {
    const char *id = json_string_value (json_object_get (segment, "id"));
    g_autoptr (GBytes) bytes = recording_read (store, consult, id, k, NULL);
    ok = ok && bytes != NULL;
    if (bytes != NULL)
      g_string_append_len (out, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes));
  }
  json_decref (index);
  return ok;
}

static inline gboolean
record_dump_consult (Store *store, const char *consult, GString *out)
{
  g_autofree char *day = store_consult_day (store, consult, NULL);
  g_autoptr (GBytes) manifest = store_manifest (store, consult, NULL);

  if (day == NULL || manifest == NULL)
    return FALSE;
  g_string_append_printf (out, "%s %s ", consult, day);
  g_string_append_len (out, g_bytes_get_data (manifest, NULL), (gssize)g_bytes_get_size (manifest));
  return record_dump_rows (store, consult, out) && record_dump_recording (store, consult, out);
}

/* NULL when something cannot be read. */
static inline char *
record_dump (const char *dir, Vault *vault)
{
  g_autoptr (Store) store = store_open (dir, vault, NULL, STORE_READ_ONLY, NULL);
  g_autoptr (GPtrArray) consults = store != NULL ? store_list_consults (store, NULL) : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean ok = consults != NULL && record_dump_rows (store, "station", out);

  for (guint i = 0; ok && i < consults->len; i++)
    ok = record_dump_consult (store, consults->pdata[i], out);
  /* the same bytes may stand in it any number of times: told apart by a hash */
  return ok ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *)out->str, out->len) : NULL;
}
