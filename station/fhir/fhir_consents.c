/* Consent per purpose, Provenance with the signature, AuditEvent. */
#include "station/fhir/fhir_private.h"

#include <string.h>

/* ---- Consent -------------------------------------------------------------------------------- */

static const struct {
  const char *word, *system, *code, *text;
} PURPOSES[] = {
  { "treatment", FHIR_TERMINOLOGY "v3-ActReason", "TREAT", "Khám bệnh, chữa bệnh từ xa" },
  { "recording", FHIR_OWN "muc-dich", "recording", "Ghi âm, ghi hình" },
  { "teaching", FHIR_TERMINOLOGY "v3-ActReason", "HRESCH", "Đào tạo, nghiên cứu" },
};

static json_t *
purposes_of (const json_t *consent)
{
  const json_t *purposes = json_object_get (consent, "purposes");
  json_t *list = json_array (), *purpose;
  gsize i;
  json_array_foreach (purposes, i, purpose)
  {
    for (guint p = 0; p < G_N_ELEMENTS (PURPOSES); p++)
      if (g_strcmp0 (PURPOSES[p].word, json_string_value (purpose)) == 0)
        json_array_append_new (
            list, fhir_coding (PURPOSES[p].system, PURPOSES[p].code, PURPOSES[p].text));
  }
  return list;
}

static json_t *
provision_of (const json_t *consent, gboolean withdrawn)
{
  json_t *purposes = purposes_of (consent);
  json_t *provision = json_pack ("{s:s}", "type", withdrawn ? "deny" : "permit");
  if (json_array_size (purposes) > 0)
    json_object_set (provision, "purpose", purposes);
  json_decref (purposes);
  return provision;
}

static const char *
who_consented (const json_t *consent, guint index, char buffer[24])
{
  const char *kind = case_text (consent, "kind");
  g_snprintf (buffer, 24, "related/%u", index);
  return g_str_equal (kind, "representative") ? buffer : "patient";
}

static void
add_consent (Fhir *fhir, const json_t *consent, guint index)
{
  char buffer[24], name[24];
  const char *kind = case_text (consent, "kind");
  gboolean withdrawn = g_str_equal (kind, "withdrawn");
  json_t *resource = fhir_resource (fhir, "Consent", "patient");
  fhir_set (resource, "status", withdrawn ? "inactive" : "active");
  json_object_set_new (
      resource, "scope",
      fhir_concept (FHIR_TERMINOLOGY "consentscope", "patient-privacy", "Privacy Consent", NULL));
  json_object_set_new (
      resource, "category",
      fhir_list (fhir_concept (FHIR_LOINC, "59284-0", "Consent Document", "Sự đồng ý")));
  fhir_set (resource, "dateTime", case_text (consent, "at"));
  if (!g_str_equal (kind, "impossible"))
    json_object_set_new (resource, "performer",
                         fhir_list (fhir_reference (fhir, who_consented (consent, index, buffer))));
  json_object_set_new (resource, "organization", fhir_list (fhir_reference (fhir, "organization")));
  /* ppc-1 wants the rule under which it was given. */
  json_object_set_new (
      resource, "policyRule",
      fhir_concept (NULL, NULL, NULL,
                    g_str_equal (kind, "impossible")
                        ? "Không thể lấy sự đồng ý (Luật 15/2023/QH15, Luật 91/2025/QH15)"
                        : "Luật 91/2025/QH15, Nghị định 356/2025/NĐ-CP"));
  if (*case_text (consent, "by") != '\0')
    json_object_set_new (resource, "verification",
                         fhir_list (json_pack ("{s:b, s:s}", "verified", TRUE, "verificationDate",
                                               case_text (consent, "at"))));
  json_object_set_new (resource, "provision", provision_of (consent, withdrawn));
  g_autofree char *text
      = g_strdup_printf ("%s %s %s\n%s", case_text (consent, "by"), case_text (consent, "relation"),
                         case_text (consent, "reason"), case_text (consent, "user"));
  if (*g_strstrip (text) != '\0')
    json_object_set_new (resource, "text", fhir_narrative (text));
  g_snprintf (name, sizeof name, "consent/%u", index);
  fhir_add (fhir, name, resource);
}

void
fhir_add_consents (Fhir *fhir)
{
  const json_t *consents = json_object_get (fhir->view, "consents");
  json_t *consent;
  gsize i;
  json_array_foreach (consents, i, consent)
  {
    add_consent (fhir, consent, (guint)i);
  }
}

/* ---- Provenance ----------------------------------------------------------------------------- */

static json_t *
who_is (const Fhir *fhir, const char *name)
{
  char buffer[24];
  if (fhir_person_by_name (fhir, name, buffer) != NULL)
    return fhir_reference (fhir, buffer);
  if (*name == '\0')
    return fhir_reference (fhir, "station");
  return json_pack ("{s:s}", "display", name);
}

/* R4, Signature: what the station's seal or the person's certificate says (CMS, detached). */
static json_t *
signature_of (const Fhir *fhir, const json_t *signature)
{
  const char *cms = case_text (signature, "seal");
  if (*cms == '\0')
    cms = case_text (signature, "cms");
  if (*cms == '\0')
    return NULL;
  return json_pack ("{s:[o], s:s, s:o, s:s, s:s, s:s}", "type",
                    fhir_coding ("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.5",
                                 "Verification Signature"),
                    "when", case_text (signature, "at"), "who",
                    who_is (fhir, case_text (signature, "name")), "targetFormat",
                    "application/json", "sigFormat", "application/pkcs7-signature", "data", cms);
}

static void
add_signed (Fhir *fhir, const json_t *signature, guint index)
{
  char name[24];
  json_t *resource = fhir_resource (fhir, "Provenance", "");
  json_t *detached = signature_of (fhir, signature);
  json_object_set_new (resource, "target", fhir_list (fhir_reference (fhir, "composition")));
  fhir_set (resource, "recorded", case_text (signature, "at"));
  json_object_set_new (
      resource, "agent",
      fhir_list (json_pack ("{s:o, s:o}", "type",
                            fhir_concept (FHIR_TERMINOLOGY "provenance-participant-type",
                                          "attester", "Attester", NULL),
                            "who", who_is (fhir, case_text (signature, "name")))));
  json_object_set_new (
      resource, "entity",
      fhir_list (json_pack ("{s:s, s:{s:{s:s, s:s}, s:s}}", "role", "source", "what", "identifier",
                            "system", FHIR_OWN "ban-ke-sha256", "value",
                            case_text (signature, "sha256"), "display",
                            "Bản kê của hồ sơ (SHA-256)")));
  if (detached != NULL)
    json_object_set_new (resource, "signature", fhir_list (detached));
  g_snprintf (name, sizeof name, "provenance/%u", index);
  fhir_add (fhir, name, resource);
}

static void
add_software (Fhir *fhir)
{
  json_t *device = fhir_resource (fhir, "Device", "");
  fhir_set (device, "status", "active");
  json_object_set_new (
      device, "deviceName",
      fhir_list (json_pack ("{s:s, s:s}", "name", "Nhịp Cầu", "type", "user-friendly-name")));
  json_object_set_new (device, "owner", fhir_reference (fhir, "organization"));
  fhir_add (fhir, "station", device);
}

/* ---- AuditEvent ----------------------------------------------------------------------------- */

#define AUDITS_MAX 200

/* Events that tell who got to see the patient, and under which consent. */
static const struct {
  const char *what, *code, *display;
} AUDITED[] = { { "started", "create", "create" },
                { "guest-admitted", "vread", "vread" },
                { "guest-left", "read", "read" },
                { "consent", "update", "update" },
                { "patient-identified", "update", "update" },
                { "signed", "update", "update" },
                { "concluded", "update", "update" },
                { "reopened", "update", "update" } };

static void
add_audit (Fhir *fhir, const json_t *event, const char *code, const char *name, const char *text)
{
  json_t *resource = fhir_resource (fhir, "AuditEvent", "");
  json_object_set_new (
      resource, "type",
      fhir_coding (FHIR_TERMINOLOGY "audit-event-type", "rest", "RESTful Operation"));
  json_object_set_new (
      resource, "subtype",
      fhir_list (fhir_coding ("http://hl7.org/fhir/restful-interaction", code, code)));
  fhir_set (resource, "action",
            g_str_equal (code, "create")   ? "C"
            : g_str_equal (code, "update") ? "U"
                                           : "R");
  fhir_set (resource, "recorded", case_text (event, "at"));
  fhir_set (resource, "outcome", "0");
  fhir_set (resource, "outcomeDesc", text);
  json_object_set_new (
      resource, "agent",
      fhir_list (json_pack ("{s:o, s:b}", "who", who_is (fhir, case_text (event, "user")),
                            "requestor", *case_text (event, "user") != '\0')));
  json_object_set_new (resource, "source",
                       json_pack ("{s:o}", "observer", fhir_reference (fhir, "station")));
  json_object_set_new (resource, "entity",
                       fhir_list (json_pack ("{s:o}", "what", fhir_reference (fhir, "encounter"))));
  fhir_add (fhir, name, resource);
}

static void
add_audits (Fhir *fhir)
{
  const json_t *events = json_object_get (fhir->view, "events");
  json_t *event;
  gsize i;
  guint added = 0;
  json_array_foreach (events, i, event)
  {
    for (guint k = 0; k < G_N_ELEMENTS (AUDITED) && added < AUDITS_MAX; k++) {
      if (!g_str_equal (AUDITED[k].what, case_text (event, "what")))
        continue;
      g_autofree char *name = g_strdup_printf ("audit/%zu", i);
      g_autofree char *text
          = g_strdup_printf ("%s %s", case_text (event, "what"), case_text (event, "detail"));
      add_audit (fhir, event, AUDITED[k].code, name, g_strstrip (text));
      added++;
    }
  }
}

void
fhir_add_provenance (Fhir *fhir)
{
  const json_t *signatures = json_object_get (fhir->view, "signatures");
  json_t *signature;
  gsize i;
  add_software (fhir);
  json_array_foreach (signatures, i, signature)
  {
    add_signed (fhir, signature, (guint)i);
  }
  add_audits (fhir);
}
