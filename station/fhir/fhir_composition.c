/* Composition: the document's sections, as the minutes have them. */
#include "station/fhir/fhir_private.h"

#include <string.h>

/* LOINC's codes of sections of a consult note. */
static const struct {
  const char *kind, *loinc, *display, *title;
} SECTIONS[] = {
  { "summary", "55112-7", "Document summary", "Tóm tắt bệnh án" },
  { "history", "11348-0", "History of Past illness note", "Tiền sử" },
  { "allergies", "48765-2", "Allergies and adverse reactions Document", "Dị ứng" },
  { "examination", "29545-1", "Physical findings note", "Khám lâm sàng" },
  { "findings", "30954-2", "Relevant diagnostic tests/laboratory data note", "Cận lâm sàng" },
  { "question", "42349-1", "Reason for referral (narrative)", "Câu hỏi xin ý kiến" },
  { "opinion", "51848-0", "Evaluation note", "Ý kiến chuyên môn" },
  { "conclusion", "51847-2", "Evaluation + Plan note", "Kết luận" },
  { "decision", "18776-5", "Plan of care note", "Quyết định của cơ sở" },
  { "follow-up", "69730-0", "Instructions", "Hẹn khám lại" },
  { "note", "34109-9", "Note", "Ghi chú" },
};

static void
add_section (json_t *sections, const char *loinc, const char *display, const char *title,
             const char *text, json_t *entries)
{
  json_t *section = json_object ();
  fhir_set (section, "title", title);
  if (loinc != NULL)
    json_object_set_new (section, "code", fhir_concept (FHIR_LOINC, loinc, display, NULL));
  if (*text != '\0')
    json_object_set_new (section, "text", fhir_narrative (text));
  if (json_array_size (entries) > 0)
    json_object_set (section, "entry", entries);
  json_decref (entries);
  json_array_append_new (sections, section);
}

/* Each with its author: an opinion is somebody's. */
static char *
notes_text (const Fhir *fhir, const char *kind)
{
  const json_t *notes = json_object_get (fhir->view, "notes");
  GString *text = g_string_new (NULL);
  json_t *note;
  gsize i;
  json_array_foreach (notes, i, note)
  {
    if (g_str_equal (case_text (note, "kind"), kind))
      g_string_append_printf (
          text, "%s%s: %s\n", case_text (note, "author"),
          g_str_equal (case_text (note, "via"), "telephone") ? " (qua điện thoại)" : "",
          case_text (note, "text"));
  }
  return g_string_free (text, FALSE);
}

static void
add_notes (const Fhir *fhir, json_t *sections)
{
  for (guint i = 0; i < G_N_ELEMENTS (SECTIONS); i++) {
    g_autofree char *text = notes_text (fhir, SECTIONS[i].kind);
    if (g_str_equal (SECTIONS[i].kind, "conclusion")) {
      g_autofree char *both
          = g_strdup_printf ("%s\n%s", case_text (fhir->view, "conclusion"), text);
      json_t *conditions = fhir_entries_of (fhir, "Condition");
      if (*g_strstrip (both) != '\0' || json_array_size (conditions) > 0)
        add_section (sections, SECTIONS[i].loinc, SECTIONS[i].display, SECTIONS[i].title, both,
                     json_incref (conditions));
      json_decref (conditions);
    } else if (*text != '\0') {
      add_section (sections, SECTIONS[i].loinc, SECTIONS[i].display, SECTIONS[i].title, text,
                   json_array ());
    }
  }
}

/* What is nothing but a list of entries. */
static void
add_lists (const Fhir *fhir, json_t *sections)
{
  static const struct {
    const char *type, *loinc, *display, *title;
  } lists[] = {
    { "Observation", "8716-3", "Vital signs note", "Dấu hiệu sinh tồn, điện tim" },
    { "MedicationRequest", "57828-6", "Prescription list", "Đơn thuốc" },
    { "Media", "72170-4", "Photographic image", "Ảnh chụp" },
    { "DocumentReference", "55107-7", "Addendum Document", "Tệp kèm theo" },
    { "Consent", "59284-0", "Consent Document", "Sự đồng ý" },
    { "Device", "46264-8", "History of medical device use", "Thiết bị" },
    { "ServiceRequest", NULL, NULL, "Yêu cầu" },
    { "Organization", NULL, NULL, "Điểm kết nối" },
    { "Practitioner", NULL, NULL, "Thành phần tham gia" },
    { "RelatedPerson", NULL, NULL, "Người đại diện" },
    { "Provenance", NULL, NULL, "Ký xác nhận" },
    { "AuditEvent", NULL, NULL, "Nhật ký" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    json_t *entries = fhir_entries_of (fhir, lists[i].type);
    if (json_array_size (entries) > 0)
      add_section (sections, lists[i].loinc, lists[i].display, lists[i].title, "",
                   json_incref (entries));
    json_decref (entries);
  }
}

static void
add_outages (const Fhir *fhir, json_t *sections)
{
  const json_t *outages = json_object_get (fhir->view, "outages");
  GString *text = g_string_new (NULL);
  json_t *outage;
  gsize i;
  json_array_foreach (outages, i, outage)
  {
    g_string_append_printf (text, "%s – %s: %s %s\n", case_text (outage, "from"),
                            case_text (outage, "to"), case_text (outage, "what"),
                            case_text (outage, "detail"));
  }
  if (text->len > 0)
    add_section (sections, NULL, NULL, "Gián đoạn trong buổi khám", text->str, json_array ());
  g_string_free (text, TRUE);
}

static json_t *
attesters (const Fhir *fhir)
{
  const json_t *signatures = json_object_get (fhir->view, "signatures");
  json_t *list = json_array (), *signature;
  gsize i;
  json_array_foreach (signatures, i, signature)
  {
    char name[24];
    json_t *attester
        = json_pack ("{s:s, s:s}", "mode", "professional", "time", case_text (signature, "at"));
    if (fhir_person_by_name (fhir, case_text (signature, "name"), name) != NULL)
      json_object_set_new (attester, "party", fhir_reference (fhir, name));
    json_array_append_new (list, attester);
  }
  return list;
}

json_t *
fhir_composition (Fhir *fhir)
{
  json_t *composition = fhir_resource (fhir, "Composition", "subject");
  json_t *sections = json_array (), *signers = attesters (fhir);
  gboolean hoi_chan = json_integer_value (json_object_get (fhir->view, "mode")) == 4;
  g_autofree char *url = fhir_url (fhir, "composition");
  json_object_set_new (composition, "identifier",
                       json_pack ("{s:s, s:s}", "system", "urn:ietf:rfc:3986", "value", url));
  fhir_set (composition, "status", fhir_is_signed (fhir) ? "final" : "preliminary");
  json_object_set_new (composition, "type",
                       fhir_concept (FHIR_LOINC, "11488-4", "Consult note", NULL));
  json_object_set_new (composition, "encounter", fhir_reference (fhir, "encounter"));
  fhir_set (composition, "date", case_text (fhir->view, "written"));
  json_object_set_new (composition, "author", fhir_list (fhir_reference (fhir, "practitioner/0")));
  fhir_set (composition, "title",
            hoi_chan ? "Biên bản hội chẩn từ xa" : "Biên bản khám bệnh, chữa bệnh từ xa");
  if (json_array_size (signers) > 0)
    json_object_set (composition, "attester", signers);
  json_decref (signers);
  json_object_set_new (composition, "custodian", fhir_reference (fhir, "organization"));
  if (*case_text (fhir->view, "reason") != '\0')
    add_section (sections, "29299-5", "Reason for visit Narrative", "Lý do khám",
                 case_text (fhir->view, "reason"), json_array ());
  add_notes (fhir, sections);
  add_lists (fhir, sections);
  add_outages (fhir, sections);
  json_object_set_new (composition, "section", sections);
  return composition;
}
