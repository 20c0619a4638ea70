/* All that can be read back of a state folder, as one hash. */
#pragma once
#include "records/attachment.h"
#include "records/erasure.h"
#include "records/outbox.h"
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

/* What is being typed, and the content of each attachment that the rows tell of. */
static inline gboolean
record_dump_beside (Store *store, const char *consult, GString *out)
{
  g_autoptr (GPtrArray) drafts = store_read_drafts (store, consult, NULL);
  g_autoptr (GPtrArray) rows = store_read (store, consult, "attachment", 0, NULL);

  for (guint i = 0; drafts != NULL && i < drafts->len; i++) {
    const StoreDraft *draft = drafts->pdata[i];
    char *body = json_dumps (draft->body, JSON_SORT_KEYS | JSON_COMPACT);
    g_string_append_printf (out, "draft %s %s %" G_GINT64_FORMAT " %s\n", draft->note, draft->user,
                            draft->utc_us, body);
    free (body);
  }
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const char *id = json_string_value (json_object_get (((StoreRow *)rows->pdata[i])->body, "id"));
    guint64 size = 0;
    g_autoptr (GBytes) bytes = id != NULL && attachment_size (store, consult, id, &size, NULL)
                                   ? attachment_read (store, consult, id, 0, (gsize)size, NULL)
                                   : NULL;
    if (bytes != NULL)
      g_string_append_len (out, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes));
    else
      g_string_append (out, "gone\n");
  }
  return drafts != NULL && rows != NULL;
}

/* Deliveries and certificates of destruction. */
static inline gboolean
record_dump_station (Store *store, GString *out)
{
  g_autoptr (GPtrArray) items = outbox_list (store, TRUE, NULL);
  g_autoptr (GPtrArray) papers = erasure_list (store, NULL);

  for (guint i = 0; items != NULL && i < items->len; i++) {
    const OutboxItem *item = items->pdata[i];
    g_string_append_printf (out, "%s %s %s %s %d\n", item->uuid, item->consult, item->target,
                            item->item, (int)item->state);
  }
  for (guint i = 0; papers != NULL && i < papers->len; i++) {
    const ErasureCertificate *paper = papers->pdata[i];
    g_string_append_printf (out, "%s %s %s %s %u %d\n", paper->file, paper->consult, paper->at,
                            paper->why, paper->purposes, paper->is_signed);
  }
  return items != NULL && papers != NULL;
}

/* NULL when something cannot be read. What was erased on purpose is told as such. */
static inline char *
record_dump (const char *dir, Vault *vault)
{
  g_autoptr (Store) store = store_open (dir, vault, NULL, STORE_READ_ONLY, NULL);
  g_autoptr (GPtrArray) consults = store != NULL ? store_list_consults (store, NULL) : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean ok = consults != NULL && record_dump_rows (store, "station", out)
                && record_dump_station (store, out);

  for (guint i = 0; ok && i < consults->len; i++)
    if (erasure_done (store, consults->pdata[i], PURPOSE_CLINICAL))
      g_string_append_printf (out, "%s erased\n", (char *)consults->pdata[i]);
    else
      ok = record_dump_consult (store, consults->pdata[i], out)
           && record_dump_beside (store, consults->pdata[i], out);
  /* the same bytes may stand in it any number of times: told apart by a hash */
  return ok ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *)out->str, out->len) : NULL;
}
