/* To a FHIR server: PUT of Binary with its own media type (hl7.org/fhir/R4/binary.html), and of a
 * Bundle that tells what they are. */
#include "station/fhir/fhir_package.h"
#include "station/fhir_rest.h"
#include "station/parcel.h"

#include <string.h>

/* A server would take JSON and XML for resources; what they are stands in the index. */
static char *
transport_type (const char *mime)
{
  if (strstr (mime, "json") != NULL || strstr (mime, "xml") != NULL)
    return g_strdup ("application/octet-stream");
  char *type = g_strndup (mime, strcspn (mime, ";"));
  return g_strchomp (type);
}

static gboolean
read_back (FhirRest *rest, const char *path, const char *type, GBytes *bytes, GError **error)
{
  g_autoptr (GBytes) kept = fhir_rest_get (rest, path, type, g_bytes_get_size (bytes) + 1, error);
  if (kept == NULL)
    return FALSE;
  if (g_bytes_equal (kept, bytes))
    return TRUE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DIFFERENT, "%s: not what was sent", path);
  return FALSE;
}

static gboolean
send_piece (Parcel *parcel, FhirRest *rest, const PackagePiece *piece, GError **error)
{
  g_autoptr (GBytes) head = NULL;
  g_autoptr (GBytes) body = parcel_read (parcel, piece, &head, error);
  if (body == NULL)
    return FALSE;
  g_autoptr (GBytes) whole = parcel_join (head, body);
  ParcelPiece sent;
  parcel_hash (whole, &sent);
  g_autofree char *id = fhir_package_binary (parcel->consult, sent.sha256);
  g_autofree char *path = g_strdup_printf ("Binary/%s", id);
  g_autofree char *type = transport_type (piece->mime);
  return fhir_rest_put (rest, path, type, whole, error)
         && read_back (rest, path, type, whole, error)
         && parcel_arrived (parcel, piece, &sent, error);
}

static gboolean
send_index (Parcel *parcel, FhirRest *rest, GError **error)
{
  json_auto_t *bundle = fhir_package_bundle (parcel);
  g_autoptr (GBytes) bytes = fhir_bundle_bytes (bundle);
  g_autofree char *path
      = g_strdup_printf ("Bundle/%s", json_string_value (json_object_get (bundle, "id")));

  if (!parcel->advance (OUTBOX_SENT, bytes, parcel->arg, error)
      || !fhir_rest_put (rest, path, FHIR_JSON, bytes, error)
      || !parcel->advance (OUTBOX_RECEIPTED, bytes, parcel->arg, error)
      || !fhir_rest_kept (rest, path, bytes, error))
    return FALSE;
  return parcel->advance (OUTBOX_CONFIRMED, bytes, parcel->arg, error);
}

gboolean
parcel_fhir (Parcel *parcel, GError **error)
{
  g_autoptr (FhirRest) rest = fhir_rest_open (parcel->to, parcel->stop, error);

  for (guint i = 0; rest != NULL && i < parcel->plan->len; i++) {
    const PackagePiece *piece = parcel->plan->pdata[i];
    if (parcel_there (parcel, piece) == NULL
        && (parcel_stopped (parcel, error) || !send_piece (parcel, rest, piece, error)))
      return FALSE;
  }
  return rest != NULL && send_index (parcel, rest, error);
}
