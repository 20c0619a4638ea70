#include "records/signatures.h"
#include "certs/timestamp.h"
#include "records/signatures_private.h"
#include "records/store_log.h"
#include <string.h>

#define RENEW_AHEAD (90 * 24 * 3600) /* s */

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

gboolean
signatures_renew (Store *store, const char *consult, gint64 now, guint *ret_wanted, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = signatures_read (store, consult, &manifest, error);
  g_autoptr (CadesTrust) nobody = cades_trust_load (NULL, NULL, NULL, NULL);
  *ret_wanted = 0;
  if (list == NULL)
    return FALSE;
  for (guint i = 0; manifest != NULL && i < list->len; i++) {
    const Signature *signature = list->pdata[i];
    if (signature->whole == NULL)
      continue;
    g_autoptr (CadesReport) report = cades_check (signature->whole, manifest, nobody, now);
    if (report->tokens > 0 && report->renew_before - RENEW_AHEAD > now)
      continue;
    if (!want (store, consult, signature, manifest, error))
      return FALSE;
    (*ret_wanted)++;
  }
  return TRUE;
}
