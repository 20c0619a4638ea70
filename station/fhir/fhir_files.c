/* Pictures as Media, other files as DocumentReference: named by their hash. */
#include "station/fhir/fhir_private.h"

static void
add_picture (Fhir *fhir, const json_t *attachment, const char *name)
{
  const json_t *about = json_object_get (attachment, "about");
  json_t *media = fhir_resource (fhir, "Media", "subject");
  const char *taken = case_text (about, "taken");
  char who[24];
  fhir_set (media, "status", "completed");
  json_object_set_new (media, "type",
                       fhir_concept (FHIR_TERMINOLOGY "media-type", "image", "Image", NULL));
  json_object_set_new (media, "encounter", fhir_reference (fhir, "encounter"));
  fhir_set (media, "createdDateTime",
            case_time (taken) != 0 ? taken : case_text (attachment, "at"));
  if (fhir_person_by_name (fhir, case_text (about, "by"), who) != NULL)
    json_object_set_new (media, "operator", fhir_reference (fhir, who));
  fhir_set (media, "deviceName", case_text (about, "source"));
  const json_t *width = json_object_get (about, "width"),
               *height = json_object_get (about, "height");
  if (json_integer_value (width) > 0 && json_integer_value (height) > 0) {
    json_object_set (media, "height", (json_t *)height);
    json_object_set (media, "width", (json_t *)width);
  }
  json_object_set_new (media, "content", fhir_attachment (attachment));
  fhir_add (fhir, name, media);
}

static const char *
document_title (const char *kind)
{
  static const char *const words[][2] = { { "dicom", "Ảnh y tế DICOM" },
                                          { "ecg", "Điện tim (dạng đóng gói)" },
                                          { "ecg-file", "Tệp điện tim gốc" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], kind))
      return words[i][1];
  return "Tệp đính kèm";
}

static void
add_document (Fhir *fhir, const json_t *attachment, const char *name)
{
  json_t *document = fhir_resource (fhir, "DocumentReference", "subject");
  fhir_set (document, "status", "current");
  json_object_set_new (
      document, "type",
      fhir_concept (NULL, NULL, NULL, document_title (case_text (attachment, "kind"))));
  fhir_set (document, "date", case_text (attachment, "at"));
  json_object_set_new (document, "content",
                       fhir_list (json_pack ("{s:o}", "attachment", fhir_attachment (attachment))));
  json_object_set_new (
      document, "context",
      json_pack ("{s:o}", "encounter", fhir_list (fhir_reference (fhir, "encounter"))));
  fhir_add (fhir, name, document);
}

void
fhir_add_files (Fhir *fhir)
{
  const json_t *attachments = json_object_get (fhir->view, "attachments");
  json_t *attachment;
  gsize i;
  json_array_foreach (attachments, i, attachment)
  {
    g_autofree char *name = g_strconcat ("file/", case_text (attachment, "id"), NULL);
    if (g_str_equal (case_text (attachment, "kind"), "still"))
      add_picture (fhir, attachment, name);
    else
      add_document (fhir, attachment, name);
  }
}
