#include "records/signatures.h"
#include "certs/timestamp.h"
#include "records/signatures_private.h"
#include "records/store_log.h"
#include <string.h>

void
signature_free (Signature *signature)
{
  if (signature == NULL)
    return;
  g_free (signature->user);
  g_free (signature->trust);
  json_decref (signature->body);
  g_clear_pointer (&signature->cms, g_bytes_unref);
  g_clear_pointer (&signature->whole, g_bytes_unref);
  g_free (signature);
}

GBytes *
signatures_base64 (const json_t *text)
{
  gsize size;
  if (!json_is_string (text))
    return NULL;
  guchar *data = g_base64_decode (json_string_value (text), &size);
  return g_bytes_new_take (data, size);
}

char *
signatures_stamp_kind (const char *consult)
{
  return g_strdup_printf ("stamp-%s", consult);
}

/* The station's seal is the first; it has "seal", the others "cms". */
static Signature *
of_row (const StoreRow *row)
{
  Signature *signature = g_new0 (Signature, 1);
  signature->seq = row->seq;
  signature->user = g_strdup (row->user);
  signature->utc_us = row->utc_us;
  signature->trust = g_strdup (row->trust);
  signature->body = json_incref (row->body);
  const json_t *cms = json_object_get (row->body, "cms");
  g_autoptr (GBytes) der
      = signatures_base64 (cms != NULL ? cms : json_object_get (row->body, "seal"));
  if (der != NULL && g_bytes_get_size (der) > 0) {
    signature->cms = g_steal_pointer (&der);
    signature->whole = g_bytes_ref (signature->cms);
  }
  return signature;
}

static void
add_token (GPtrArray *list, const StoreRow *row)
{
  g_autoptr (GBytes) token = signatures_base64 (json_object_get (row->body, "token"));
  for (guint i = 0; i < list->len; i++) {
    Signature *signature = list->pdata[i];
    if (signature->whole == NULL
        || signature->seq != json_integer_value (json_object_get (row->body, "of")))
      continue;
    signature->tokens++;
    GBytes *whole = token != NULL ? cades_add_token (signature->whole, token, NULL) : NULL;
    if (whole == NULL) {
      signature->token_broken = TRUE;
      return;
    }
    g_bytes_unref (signature->whole);
    signature->whole = whole;
  }
}

GPtrArray *
signatures_read (Store *store, const char *consult, GBytes **ret_manifest, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (store, consult, "signature", 0, error);
  g_autofree char *kind = signatures_stamp_kind (consult);
  g_autoptr (GPtrArray) stamps
      = rows != NULL ? store_read (store, "station", kind, 0, error) : NULL;
  if (stamps == NULL)
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)signature_free);
  for (guint i = 0; i < rows->len; i++)
    g_ptr_array_add (list, of_row (rows->pdata[i]));
  for (guint i = 0; i < stamps->len; i++)
    add_token (list, stamps->pdata[i]);
  if (ret_manifest != NULL) {
    const json_t *text
        = list->len > 0 ? json_object_get (((Signature *)list->pdata[0])->body, "manifest") : NULL;
    *ret_manifest = json_is_string (text)
                        ? g_bytes_new (json_string_value (text), json_string_length (text))
                        : NULL;
  }
  return list;
}

/* ---- Time-stamps
 * ------------------------------------------------------------------------------- */

static gboolean
want (Store *store, const char *consult, const Signature *signature, GBytes *manifest,
      GError **error)
{
  g_autoptr (GBytes) imprint = cades_next_imprint (signature->whole, manifest, error);
  if (imprint == NULL)
    return FALSE;
  g_autofree char *hex = store_hex_of (imprint);
  json_auto_t *body
      = json_pack ("{s:s, s:I, s:s, s:i}", "consult", consult, "of", (json_int_t)signature->seq,
                   "imprint", hex, "nth", (int)signature->tokens);
  return store_put_sync (store, "station", "stamp-wanted", NULL, body, NULL, error);
}

gboolean
signatures_want_token (Store *store, const char *consult, gint64 seq, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = signatures_read (store, consult, &manifest, error);
  if (list == NULL)
    return FALSE;
  for (guint i = 0; manifest != NULL && i < list->len; i++) {
    const Signature *signature = list->pdata[i];
    if (signature->seq == seq && signature->whole != NULL)
      return want (store, consult, signature, manifest, error);
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "no signature %" G_GINT64_FORMAT,
               seq);
  return FALSE;
}

/* The later half of what a token had left at most: an authority whose certificate ends soon is not
 * asked again and again. */
static gint64
due_of_token (const StoreRow *row, gint64 ahead)
{
  g_autoptr (GBytes) token = signatures_base64 (json_object_get (row->body, "token"));
  TimestampFacts facts;
  if (token == NULL || !timestamp_look (token, &facts, NULL))
    return 0;
  gint64 due = facts.until - MIN (ahead, (facts.until - facts.time) / 2);
  timestamp_facts_clear (&facts);
  return due;
}

/* seq of the signature → gint64*: when its newest token wants another. */
static GHashTable *
read_due (Store *store, const char *consult, gint64 ahead, GError **error)
{
  g_autofree char *kind = signatures_stamp_kind (consult);
  g_autoptr (GPtrArray) stamps = store_read (store, "station", kind, 0, error);
  if (stamps == NULL)
    return NULL;
  GHashTable *all = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  for (guint i = 0; i < stamps->len; i++) {
    const StoreRow *row = stamps->pdata[i];
    gint64 *seq = g_new (gint64, 1), *due = g_new (gint64, 1);
    *seq = json_integer_value (json_object_get (row->body, "of"));
    *due = due_of_token (row, ahead);
    g_hash_table_replace (all, seq, due);
  }
  return all;
}

gboolean
signatures_due (Store *store, const char *consult, gint64 ahead, gint64 *ret_due, GError **error)
{
  g_autoptr (GHashTable) all = read_due (store, consult, ahead, error);
  GHashTableIter iter;
  gpointer due;
  if (all == NULL)
    return FALSE;
  *ret_due = G_MAXINT64;
  g_hash_table_iter_init (&iter, all);
  while (g_hash_table_iter_next (&iter, NULL, &due))
    *ret_due = MIN (*ret_due, *(gint64 *)due);
  return TRUE;
}

gboolean
signatures_renew (Store *store, const char *consult, gint64 now, gint64 ahead, guint *ret_wanted,
                  GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = signatures_read (store, consult, &manifest, error);
  g_autoptr (GHashTable) all = list != NULL ? read_due (store, consult, ahead, error) : NULL;
  *ret_wanted = 0;
  if (all == NULL)
    return FALSE;
  for (guint i = 0; manifest != NULL && i < list->len; i++) {
    const Signature *signature = list->pdata[i];
    const gint64 *due = g_hash_table_lookup (all, &signature->seq);
    if (signature->whole == NULL || (due != NULL && *due > now))
      continue;
    if (!want (store, consult, signature, manifest, error))
      return FALSE;
    (*ret_wanted)++;
  }
  return TRUE;
}
