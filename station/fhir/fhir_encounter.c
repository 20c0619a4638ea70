/* Encounter, ServiceRequest, Condition, MedicationRequest. */
#include "station/fhir/fhir_private.h"

#include <string.h>

static const char *const mode_names[]
    = { "", "Khám bệnh, chữa bệnh từ xa trực tiếp với người bệnh",
        "Khám bệnh, chữa bệnh từ xa qua cơ sở tiếp nhận",
        "Cơ sở hỗ trợ cơ sở khám bệnh, chữa bệnh từ xa", "Hội chẩn từ xa" };

static const char *
encounter_status (const Fhir *fhir)
{
  static const char *const words[][2]
      = { { "scheduled", "planned" },   { "waiting", "arrived" },     { "live", "in-progress" },
          { "interrupted", "onleave" }, { "concluding", "finished" }, { "signed", "finished" },
          { "delivered", "finished" },  { "cancelled", "cancelled" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], case_text (fhir->view, "state")))
      return words[i][1];
  return "unknown";
}

static json_t *
period (const char *start, const char *end)
{
  json_t *object = json_object ();
  fhir_set (object, "start", start);
  fhir_set (object, "end", end);
  return object;
}

/* ---- Encounter ------------------------------------------------------------------------------ */

static json_t *
participants (const Fhir *fhir)
{
  const json_t *people = json_object_get (fhir->view, "people");
  json_t *list = json_array (), *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    char name[24];
    const char *role = case_text (person, "role");
    gboolean doctor = i == 0;
    if (g_str_equal (role, "patient") || g_str_equal (role, "observer"))
      continue;
    g_snprintf (name, sizeof name, "practitioner/%u", (guint)i);
    json_array_append_new (
        list,
        json_pack ("{s:o, s:o, s:o}", "type",
                   fhir_list (fhir_concept (FHIR_TERMINOLOGY "v3-ParticipationType",
                                            doctor ? "ATND" : "CON",
                                            doctor ? "attender" : "consultant", NULL)),
                   "period", period (case_text (person, "joined"), case_text (person, "left")),
                   "individual", fhir_reference (fhir, name)));
  }
  return list;
}

static void
add_diagnoses (Fhir *fhir, json_t *encounter)
{
  const json_t *problems = json_object_get (fhir->view, "problems");
  json_t *list = json_array (), *problem;
  gsize i;
  json_array_foreach (problems, i, problem)
  {
    g_autofree char *name = g_strdup_printf ("condition/%s", case_text (problem, "problem"));
    json_array_append_new (list, json_pack ("{s:o}", "condition", fhir_reference (fhir, name)));
  }
  if (json_array_size (list) > 0)
    json_object_set (encounter, "diagnosis", list);
  json_decref (list);
}

static void
add_encounter (Fhir *fhir)
{
  const json_t *view = fhir->view;
  json_int_t mode = json_integer_value (json_object_get (view, "mode"));
  json_t *encounter = fhir_resource (fhir, "Encounter", "subject");
  json_t *people = participants (fhir);
  json_object_set_new (
      encounter, "identifier",
      fhir_list (json_pack ("{s:s, s:s}", "system", FHIR_OWN "luot-kham", "value", fhir->consult)));
  fhir_set (encounter, "status", encounter_status (fhir));
  json_object_set_new (encounter, "class",
                       fhir_coding (FHIR_TERMINOLOGY "v3-ActCode", "VR", "virtual"));
  if (mode >= 1 && mode <= 4) {
    char code[2] = { (char)('0' + mode), '\0' };
    json_t *types = fhir_list (fhir_concept (FHIR_OWN "phuong-thuc", code, mode_names[mode], NULL));
    /* Visit type 14 of the insurance data: remote (Decisions 130, 4750, 3176, 1931). */
    json_array_append_new (types, fhir_concept (FHIR_OWN "ma-loai-kcb", "14", "Từ xa", NULL));
    json_object_set_new (encounter, "type", types);
  }
  json_object_set_new (encounter, "basedOn", fhir_list (fhir_reference (fhir, "request")));
  if (json_array_size (people) > 0)
    json_object_set (encounter, "participant", people);
  json_decref (people);
  json_object_set_new (encounter, "period",
                       period (case_text (view, "started"), case_text (view, "ended")));
  if (*case_text (view, "reason") != '\0')
    json_object_set_new (encounter, "reasonCode",
                         fhir_list (fhir_concept (NULL, NULL, NULL, case_text (view, "reason"))));
  add_diagnoses (fhir, encounter);
  json_object_set_new (encounter, "serviceProvider", fhir_reference (fhir, "organization"));
  fhir_add (fhir, "encounter", encounter);
}

/* ---- ServiceRequest ------------------------------------------------------------------------- */

static void
add_request (Fhir *fhir)
{
  const json_t *view = fhir->view, *notes = json_object_get (view, "notes");
  const char *status = encounter_status (fhir);
  json_t *request = fhir_resource (fhir, "ServiceRequest", "subject"), *questions = json_array (),
         *note;
  char name[24];
  gsize i;
  json_array_foreach (notes, i, note)
  {
    if (g_str_equal (case_text (note, "kind"), "question"))
      json_array_append_new (
          questions,
          json_pack ("{s:s, s:s, s:s}", "authorString",
                     *case_text (note, "author") != '\0' ? case_text (note, "author") : "?", "time",
                     case_text (note, "at"), "text", case_text (note, "text")));
  }
  fhir_set (request, "status",
            g_str_equal (status, "finished")    ? "completed"
            : g_str_equal (status, "cancelled") ? "revoked"
                                                : "active");
  fhir_set (request, "intent", "order");
  json_object_set_new (request, "code",
                       fhir_concept (NULL, NULL, NULL, "Khám bệnh, chữa bệnh từ xa"));
  json_object_set_new (request, "encounter", fhir_reference (fhir, "encounter"));
  fhir_set (request, "authoredOn", case_text (view, "started"));
  const char *doctor = case_text (json_object_get (view, "doctor"), "name");
  if (fhir_person_by_name (fhir, doctor, name) != NULL)
    json_object_set_new (request, "requester", fhir_reference (fhir, name));
  if (*case_text (view, "reason") != '\0')
    json_object_set_new (request, "reasonCode",
                         fhir_list (fhir_concept (NULL, NULL, NULL, case_text (view, "reason"))));
  if (json_array_size (questions) > 0)
    json_object_set (request, "note", questions);
  json_decref (questions);
  fhir_add (fhir, "request", request);
}

/* ---- Condition ------------------------------------------------------------------------------ */

/* A code of ICD-10, its dagger and asterisk included; what is none stays a text. */
static gboolean
is_code (const char *code)
{
  return *code != '\0' && strlen (code) <= 12
         && strspn (code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.*+-") == strlen (code);
}

static void
add_conditions (Fhir *fhir)
{
  const json_t *problems = json_object_get (fhir->view, "problems");
  json_t *problem;
  gsize i;
  json_array_foreach (problems, i, problem)
  {
    g_autofree char *name = g_strdup_printf ("condition/%s", case_text (problem, "problem"));
    const char *icd10 = case_text (problem, "icd10");
    json_t *condition = fhir_resource (fhir, "Condition", "subject");
    json_object_set_new (
        condition, "clinicalStatus",
        fhir_concept (FHIR_TERMINOLOGY "condition-clinical", "active", NULL, NULL));
    json_object_set_new (condition, "category",
                         fhir_list (fhir_concept (FHIR_TERMINOLOGY "condition-category",
                                                  "encounter-diagnosis", NULL, NULL)));
    json_object_set_new (
        condition, "code",
        fhir_concept (is_code (icd10) ? "http://hl7.org/fhir/sid/icd-10" : NULL, icd10, NULL,
                      *case_text (problem, "title") != '\0' ? case_text (problem, "title") : "?"));
    json_object_set_new (condition, "encounter", fhir_reference (fhir, "encounter"));
    fhir_set (condition, "recordedDate", case_text (problem, "at"));
    if (*case_text (problem, "text") != '\0')
      json_object_set_new (condition, "note",
                           fhir_list (json_pack ("{s:s}", "text", case_text (problem, "text"))));
    fhir_add (fhir, name, condition);
  }
}

void
fhir_add_encounter (Fhir *fhir)
{
  add_encounter (fhir);
  add_request (fhir);
  add_conditions (fhir);
}

/* ---- MedicationRequest ---------------------------------------------------------------------- */

void
fhir_add_medication (Fhir *fhir)
{
  const json_t *all = json_object_get (fhir->view, "prescriptions");
  const char *doctor = case_text (json_object_get (fhir->view, "doctor"), "name");
  json_t *one;
  gsize i;
  json_array_foreach (all, i, one)
  {
    char who[24];
    g_autofree char *name = g_strdup_printf ("medication/%s", case_text (one, "prescription"));
    g_autofree char *drug
        = g_strdup_printf ("%s %s", case_text (one, "drug"), case_text (one, "strength"));
    json_t *request = fhir_resource (fhir, "MedicationRequest", "subject");
    json_t *dispense = json_object ();
    const json_t *quantity = json_object_get (one, "quantity"),
                 *days = json_object_get (one, "days");
    fhir_set (request, "status", fhir_is_signed (fhir) ? "active" : "draft");
    fhir_set (request, "intent", "order");
    json_object_set_new (request, "medicationCodeableConcept",
                         fhir_concept (NULL, NULL, NULL, g_strstrip (drug)));
    json_object_set_new (request, "encounter", fhir_reference (fhir, "encounter"));
    fhir_set (request, "authoredOn", case_text (one, "at"));
    if (fhir_person_by_name (fhir, doctor, who) != NULL)
      json_object_set_new (request, "requester", fhir_reference (fhir, who));
    if (*case_text (one, "dose") != '\0')
      json_object_set_new (request, "dosageInstruction",
                           fhir_list (json_pack ("{s:s}", "text", case_text (one, "dose"))));
    if (json_is_number (quantity)) {
      json_t *amount = fhir_quantity (quantity, "");
      fhir_set (amount, "unit", case_text (one, "unit"));
      json_object_set_new (dispense, "quantity", amount);
    }
    if (json_is_number (days))
      json_object_set_new (dispense, "expectedSupplyDuration", fhir_quantity (days, "d"));
    if (json_object_size (dispense) > 0)
      json_object_set (request, "dispenseRequest", dispense);
    json_decref (dispense);
    fhir_add (fhir, name, request);
  }
}
