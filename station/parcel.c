#include "station/parcel.h"

#include <string.h>

char *
parcel_key (const char *file, guint nth)
{
  return g_strdup_printf ("%s %u", file, nth);
}

gboolean
parcel_stopped (const Parcel *parcel, GError **error)
{
  if (!g_atomic_int_get (parcel->stop))
    return FALSE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_STOPPED, "stopped for now");
  return TRUE;
}

GBytes *
parcel_join (GBytes *head, GBytes *body)
{
  if (head == NULL)
    return g_bytes_ref (body);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  GBytes *const parts[] = { head, body };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (parts[i], &size);
    if (size > 0)
      g_byte_array_append (all, data, (guint)size);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

void
parcel_hash (GBytes *bytes, ParcelPiece *ret_piece)
{
  g_autofree char *hex = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  g_strlcpy (ret_piece->sha256, hex, sizeof ret_piece->sha256);
  ret_piece->size = g_bytes_get_size (bytes);
}

const ParcelPiece *
parcel_there (const Parcel *parcel, const PackagePiece *piece)
{
  g_autofree char *key = parcel_key (piece->file, piece->nth);
  return g_hash_table_lookup (parcel->there, key);
}

gboolean
parcel_arrived (Parcel *parcel, const PackagePiece *piece, const ParcelPiece *sent, GError **error)
{
  if (!parcel->arrived (piece, sent, parcel->arg, error))
    return FALSE;
  g_hash_table_replace (parcel->there, parcel_key (piece->file, piece->nth),
                        g_memdup2 (sent, sizeof *sent));
  return TRUE;
}

GBytes *
parcel_read (const Parcel *parcel, const PackagePiece *piece, GBytes **ret_head, GError **error)
{
  g_autoptr (GError) local = NULL;
  GBytes *body = package_read (parcel->store, parcel->consult, piece, ret_head, &local);
  if (body != NULL)
    return body;
  gboolean locked = g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_set_error (error, DELIVER_ERROR, locked ? DELIVER_ERROR_LOCKED : DELIVER_ERROR_RECORD, "%s",
               local->message);
  return NULL;
}

gboolean
parcel_deliver (Parcel *parcel, GError **error)
{
  return parcel->to->kind == DELIVER_FHIR ? parcel_fhir (parcel, error)
                                          : parcel_folder (parcel, error);
}
