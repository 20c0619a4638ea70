#include "station/fhir/fhir_package.h"
#include "station/fhir/fhir_private.h"

#include <string.h>

static char *
id_of (const Fhir *fhir, const char *name)
{
  g_autofree char *url = fhir_url (fhir, name);
  return g_strdup (url + strlen ("urn:uuid:"));
}

char *
fhir_package_binary (const char *consult, const char *sha256)
{
  const Fhir fhir = { .consult = consult };
  g_autofree char *name = g_strconcat ("binary/", sha256, NULL);
  return id_of (&fhir, name);
}

/* A logical reference: the resource itself stands in the record's Bundle. */
static json_t *
refer (const Fhir *fhir, const char *type, const char *name)
{
  g_autofree char *url = fhir_url (fhir, name);
  return json_pack ("{s:s, s:{s:s, s:s}}", "type", type, "identifier", "system",
                    "urn:ietf:rfc:3986", "value", url);
}

static json_t *
attachment_of (const Parcel *parcel, const PackagePiece *piece, const ParcelPiece *sent)
{
  g_autofree char *id = fhir_package_binary (parcel->consult, sent->sha256);
  g_autofree char *url = g_strconcat ("Binary/", id, NULL);
  g_autofree char *title
      = piece->of > 1 ? g_strdup_printf ("%s (%u/%u)", piece->file, piece->nth + 1, piece->of)
                      : g_strdup (piece->file);
  json_t *attachment = json_object ();
  fhir_set (attachment, "contentType", piece->mime);
  fhir_set (attachment, "url", url);
  if (sent->size <= G_MAXINT32)
    json_object_set_new (attachment, "size", json_integer ((json_int_t)sent->size));
  fhir_set (attachment, "title", title);
  fhir_set (attachment, "creation", piece->created);
  return attachment;
}

static json_t *
identifiers (const char *sha256)
{
  g_autofree char *value = fhir_hash_url (sha256);
  return fhir_list (json_pack ("{s:s, s:s}", "system", "urn:ietf:rfc:3986", "value", value));
}

/* A picture, or a stretch of a recording that plays by itself. */
static void
add_media (Fhir *fhir, const Parcel *parcel, const PackagePiece *piece, const ParcelPiece *sent)
{
  static const char *const types[][2] = { { "still", "image" }, { "sound", "audio" } };
  g_autofree char *name = g_strdup_printf ("media/%s/%u", piece->file, piece->nth);
  json_t *media = fhir_resource (fhir, "Media", "");
  const char *type = "video";
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_strcmp0 (piece->sort, types[i][0]) == 0)
      type = types[i][1];
  json_object_set_new (media, "identifier", identifiers (sent->sha256));
  fhir_set (media, "status", "completed");
  json_object_set_new (media, "type",
                       fhir_concept (FHIR_TERMINOLOGY "media-type", type, NULL, NULL));
  json_object_set_new (media, "subject", refer (fhir, "Patient", "patient"));
  json_object_set_new (media, "encounter", refer (fhir, "Encounter", "encounter"));
  fhir_set (media, "createdDateTime", piece->created);
  fhir_set (media, "deviceName", piece->title);
  json_object_set_new (media, "content", attachment_of (parcel, piece, sent));
  fhir_add (fhir, name, media);
}

/* All pieces of a file, in order; more than one are to be joined, and say so. */
static void
add_document (Fhir *fhir, const Parcel *parcel, guint first)
{
  const PackagePiece *file = parcel->plan->pdata[first];
  g_autofree char *name = g_strconcat ("document/", file->file, NULL);
  json_t *document = fhir_resource (fhir, "DocumentReference", ""), *content = json_array ();
  for (guint i = first; i < first + file->of; i++) {
    const PackagePiece *piece = parcel->plan->pdata[i];
    json_t *one = json_pack ("{s:o}", "attachment",
                             attachment_of (parcel, piece, parcel_there (parcel, piece)));
    g_autofree char *part = g_strdup_printf ("%u/%u", piece->nth + 1, piece->of);
    if (piece->of > 1)
      json_object_set_new (one, "format", fhir_coding (FHIR_OWN "piece", part, NULL));
    json_array_append_new (content, one);
  }
  const char *sha256 = file->sha256 != NULL ? file->sha256 : parcel_there (parcel, file)->sha256;
  json_object_set_new (document, "identifier", identifiers (sha256));
  fhir_set (document, "status", "current");
  json_object_set_new (
      document, "type",
      fhir_concept (NULL, NULL, NULL,
                    file->title != NULL && *file->title != '\0' ? file->title : file->file));
  json_object_set_new (document, "subject", refer (fhir, "Patient", "patient"));
  fhir_set (document, "date", file->created);
  json_object_set_new (document, "content", content);
  json_object_set_new (
      document, "context",
      json_pack ("{s:o}", "encounter", fhir_list (refer (fhir, "Encounter", "encounter"))));
  fhir_add (fhir, name, document);
}

static gboolean
is_media (const Parcel *parcel, const PackagePiece *piece)
{
  return piece->kind == PACKAGE_RECORDING
         || (g_strcmp0 (piece->sort, "still") == 0 && piece->of == 1);
}

json_t *
fhir_package_bundle (const Parcel *parcel)
{
  Fhir fhir = { .consult = parcel->consult, .entries = json_array () };
  g_autofree char *name = g_strconcat ("package/", parcel->kind, NULL);
  g_autofree char *id = id_of (&fhir, name), *url = fhir_url (&fhir, name);
  for (guint i = 0; i < parcel->plan->len; i++) {
    const PackagePiece *piece = parcel->plan->pdata[i];
    if (is_media (parcel, piece))
      add_media (&fhir, parcel, piece, parcel_there (parcel, piece));
    else if (piece->nth == 0)
      add_document (&fhir, parcel, i);
  }
  return json_pack ("{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:o}", "resourceType", "Bundle", "id", id,
                    "language", "vi", "identifier", "system", "urn:ietf:rfc:3986", "value", url,
                    "type", "collection", "entry", fhir.entries);
}
