/* DICOM objects that nobody has claimed: kept under the day's holding key until somebody does, or
 * that key is shredded. */
#include "records/attachment.h"
#include "records/holding.h"
#include "station/clock.h"
#include "station/dicom_about.h"
#include "station/dicom_private.h"

#include <string.h>

void
dicom_held_free (gpointer data)
{
  Held *held = data;
  g_free (held->home);
  g_free (held->attachment);
  g_free (held->sender);
  g_free (held->name);
  json_decref (held->about);
  g_free (held);
}

void
dicom_held_add (Dicom *dicom, const char *home, const char *attachment, const json_t *about,
                const char *name, gint64 at_us)
{
  Held *held = g_new0 (Held, 1);
  held->home = g_strdup (home);
  held->attachment = g_strdup (attachment);
  held->about = json_deep_copy (about);
  held->sender = g_strdup (dicom_about_text (about, "sender"));
  held->name = g_strdup (name);
  held->at_us = at_us;
  g_ptr_array_add (dicom->held, held);
}

static json_t *
held_entry (const Held *held)
{
  const json_t *about = held->about;
  g_autofree char *at = clock_text (held->at_us);
  return json_pack ("{s:s, s:s, s:s, s:s, s:O, s:i, s:s}", "study",
                    dicom_about_text (about, "study"), "sender", held->sender, "modality",
                    dicom_about_text (about, "modality"), "description",
                    dicom_about_text (about, "study_description"), "patient",
                    json_object_get (about, "patient"), "objects", 1, "at", at);
}

json_t *
dicom_held (Dicom *dicom)
{
  json_t *list = json_array ();
  g_autoptr (GHashTable) studies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; dicom != NULL && i < dicom->held->len; i++) {
    const Held *held = dicom->held->pdata[i];
    char *key = g_strconcat (dicom_about_text (held->about, "study"), "\n", held->sender, NULL);
    json_t *entry = g_hash_table_lookup (studies, key);
    if (entry == NULL) {
      entry = held_entry (held);
      json_array_append_new (list, entry);
      g_hash_table_insert (studies, key, entry);
      continue;
    }
    json_object_set_new (
        entry, "objects",
        json_integer (json_integer_value (json_object_get (entry, "objects")) + 1));
    g_free (key);
  }
  return list;
}

static gboolean
load_held_of (Dicom *dicom, const char *home, GError **error)
{
  Store *store = dicom->station->store;
  g_autoptr (GPtrArray) rows = store_read (store, home, "attachment", 0, error);
  guint64 size;
  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    const char *id = json_string_value (json_object_get (row->body, "id"));
    const json_t *about = json_object_get (row->body, "about");
    if (id == NULL || !json_is_object (about)
        || g_strcmp0 (json_string_value (json_object_get (row->body, "kind")), DICOM_KIND) != 0
        || !attachment_size (store, home, id, &size, NULL))
      continue; /* claimed since */
    dicom_held_add (dicom, home, id, about, json_string_value (json_object_get (row->body, "name")),
                    row->utc_us);
  }
  return TRUE;
}

/* "station": of before there were holding keys. */
gboolean
dicom_held_load (Dicom *dicom, GError **error)
{
  g_autoptr (GPtrArray) homes
      = holding_list (dicom->station->store, g_get_real_time (), G_MAXUINT16, error);
  if (homes == NULL || !load_held_of (dicom, "station", error))
    return FALSE;
  for (guint i = 0; i < homes->len; i++)
    if (!load_held_of (dicom, homes->pdata[i], error))
      return FALSE;
  return TRUE;
}

void
dicom_forget_held (Dicom *dicom)
{
  guint64 size;
  for (guint i = dicom != NULL ? dicom->held->len : 0; i > 0; i--) {
    const Held *held = dicom->held->pdata[i - 1];
    if (!attachment_size (dicom->station->store, held->home, held->attachment, &size, NULL))
      g_ptr_array_remove_index (dicom->held, i - 1);
  }
}

/* Where it is kept: beside itself, when it was sent before and is held still (transfer full). */
char *
dicom_held_home (Dicom *dicom, const json_t *about, GError **error)
{
  const char *instance = dicom_about_text (about, "sop_instance");
  for (guint i = 0; i < dicom->held->len; i++) {
    const Held *held = dicom->held->pdata[i];
    if (g_str_equal (dicom_about_text (held->about, "sop_instance"), instance))
      return g_strdup (held->home);
  }
  return holding_open (dicom->station->store, g_get_real_time (), error);
}
