/* Heads of the log that witnesses keep, signed by the station. */
#include "records/store_private.h"
#include "records/witness.h"

#include <string.h>

#define SIGNATURE_MOST (32 * 1024) /* characters of base64 */

static GBytes *
statement_of (const WitnessPoint *point)
{
  char *text = g_strdup_printf ("nhipcau checkpoint 1\n%" G_GUINT64_FORMAT "\n%s\n", point->size,
                                point->root);
  return g_bytes_new_take (text, strlen (text));
}

json_t *
witness_head (Store *store, Identity *signer, GError **error)
{
  WitnessPoint point;
  if (!witness_point (store, &point, error))
    return NULL;
  g_autoptr (GBytes) statement = statement_of (&point);
  g_autoptr (GBytes) signature = identity_sign (signer, statement, error);
  if (signature == NULL)
    return NULL;
  gsize size;
  const guchar *der = g_bytes_get_data (signature, &size);
  g_autofree char *base64 = g_base64_encode (der, size);
  return json_pack ("{s:I, s:s, s:s}", "size", (json_int_t)point.size, "root", point.root,
                    "signature", base64);
}

/* By the key that the station has now, or one that has signed this log before. */
static gboolean
is_ours (Store *store, Identity *signer, GBytes *statement, GBytes *signature)
{
  if (signer != NULL && identity_verify (identity_certificate (signer), statement, signature, NULL))
    return TRUE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) all
      = store_db_prepare (store->reader, "SELECT certificate FROM signer", NULL);
  gboolean good = FALSE;
  while (!good && all != NULL && sqlite3_step (all) == SQLITE_ROW) {
    const guint8 *der = sqlite3_column_blob (all, 0);
    X509 *certificate = d2i_X509 (NULL, &der, sqlite3_column_bytes (all, 0));
    good = certificate != NULL && identity_verify (certificate, statement, signature, NULL);
    X509_free (certificate);
  }
  return good;
}

static gboolean
refuse (const char *source, const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the head of the log that %s keeps %s",
               source, what);
  return FALSE;
}

gboolean
witness_check_head (Store *store, Identity *signer, const char *source, const json_t *head,
                    gboolean *ret_known, GError **error)
{
  const json_t *size = json_object_get (head, "size");
  const char *root = json_string_value (json_object_get (head, "root"));
  const char *base64 = json_string_value (json_object_get (head, "signature"));
  WitnessPoint point = { 0 };

  if (!json_is_integer (size) || json_integer_value (size) < 1 || root == NULL || base64 == NULL
      || strlen (root) != sizeof point.root - 1 || strlen (base64) > SIGNATURE_MOST)
    return refuse (source, "is none: size, root and signature are wanted", error);
  point.size = (guint64)json_integer_value (size);
  g_strlcpy (point.root, root, sizeof point.root);
  gsize length;
  guchar *der = g_base64_decode (base64, &length);
  g_autoptr (GBytes) signature = g_bytes_new_take (der, length);
  g_autoptr (GBytes) statement = statement_of (&point);
  if (!is_ours (store, signer, statement, signature))
    return refuse (source, "was not signed by this station", error);
  return witness_check (store, source, point.size, point.root, ret_known, error);
}
