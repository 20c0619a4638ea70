/* Patient, Practitioner, RelatedPerson, Organization. */
#include "station/fhir/fhir_private.h"

#include <string.h>

/* ---- Patient -------------------------------------------------------------------------------- */

static void
add_identifier (json_t *list, const char *type, const char *display, const char *system,
                const char *value)
{
  if (*value == '\0')
    return;
  json_array_append_new (list,
                         json_pack ("{s:s, s:o, s:s, s:s}", "use", "official", "type",
                                    fhir_concept (FHIR_TERMINOLOGY "v2-0203", type, NULL, display),
                                    "system", system, "value", value));
}

static void
set_birth (json_t *resource, const json_t *patient)
{
  const json_t *year = json_object_get (patient, "birth_year");
  fhir_set (resource, "birthDate", case_text (patient, "birth_date"));
  if (json_object_get (resource, "birthDate") == NULL && json_is_integer (year)) {
    g_autofree char *text = g_strdup_printf ("%04" JSON_INTEGER_FORMAT, json_integer_value (year));
    fhir_set (resource, "birthDate", text);
  }
}

static void
add_patient (Fhir *fhir)
{
  const json_t *patient = json_object_get (fhir->view, "patient");
  json_t *resource = fhir_resource (fhir, "Patient", ""), *ids = json_array ();
  add_identifier (ids, "NI", "Số định danh cá nhân", FHIR_OWN "so-dinh-danh-ca-nhan",
                  case_text (patient, "personal_number"));
  add_identifier (ids, "SB", "Thẻ BHYT", FHIR_OWN "the-bhyt", case_text (patient, "insurance"));
  if (json_array_size (ids) > 0)
    json_object_set (resource, "identifier", ids);
  json_decref (ids);
  if (*case_text (patient, "name") != '\0')
    json_object_set_new (resource, "name",
                         fhir_list (json_pack ("{s:s}", "text", case_text (patient, "name"))));
  if (*case_text (patient, "phone") != '\0')
    json_object_set_new (resource, "telecom",
                         fhir_list (json_pack ("{s:s, s:s}", "system", "phone", "value",
                                               case_text (patient, "phone"))));
  fhir_set (resource, "gender", case_text (patient, "sex"));
  set_birth (resource, patient);
  if (*case_text (patient, "address") != '\0')
    json_object_set_new (resource, "address",
                         fhir_list (json_pack ("{s:s, s:s}", "text", case_text (patient, "address"),
                                               "country", "VN")));
  fhir_add (fhir, "patient", resource);
}

/* ---- Practitioners -------------------------------------------------------------------------- */

static gboolean
is_practitioner (const json_t *person)
{
  const char *role = case_text (person, "role");
  return !g_str_equal (role, "patient") && !g_str_equal (role, "observer");
}

const char *
fhir_person_by_name (const Fhir *fhir, const char *name, char buffer[24])
{
  const json_t *people = json_object_get (fhir->view, "people");
  json_t *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    if (is_practitioner (person) && *name != '\0'
        && g_str_equal (case_text (person, "name"), name)) {
      g_snprintf (buffer, 24, "practitioner/%u", (guint)i);
      return buffer;
    }
  }
  return NULL;
}

/* Under which the hospital that vouches for them knows them. */
static void
add_proven (json_t *resource, const json_t *identity)
{
  const char *issuer = case_text (identity, "issuer"), *subject = case_text (identity, "subject");
  json_t *list = json_object_get (resource, "identifier");
  if (list != NULL && *issuer != '\0' && *subject != '\0')
    json_array_append_new (list, json_pack ("{s:s, s:s}", "system", issuer, "value", subject));
}

static void
add_practitioners (Fhir *fhir)
{
  const json_t *people = json_object_get (fhir->view, "people");
  json_t *person;
  gsize i;
  json_array_foreach (people, i, person)
  {
    char name[24];
    if (!is_practitioner (person))
      continue;
    json_t *resource = fhir_resource (fhir, "Practitioner", "");
    if (*case_text (person, "id") != '\0')
      json_object_set_new (resource, "identifier",
                           fhir_list (json_pack ("{s:s, s:s}", "system", FHIR_OWN "nguoi", "value",
                                                 case_text (person, "id"))));
    add_proven (resource, json_object_get (person, "identity"));
    if (*case_text (person, "name") != '\0')
      json_object_set_new (resource, "name",
                           fhir_list (json_pack ("{s:s}", "text", case_text (person, "name"))));
    g_snprintf (name, sizeof name, "practitioner/%u", (guint)i);
    fhir_add (fhir, name, resource);
  }
}

/* Who consented in the patient's stead. */
static void
add_representatives (Fhir *fhir)
{
  const json_t *consents = json_object_get (fhir->view, "consents");
  json_t *consent;
  gsize i;
  json_array_foreach (consents, i, consent)
  {
    char name[24];
    if (!g_str_equal (case_text (consent, "kind"), "representative"))
      continue;
    json_t *resource = fhir_resource (fhir, "RelatedPerson", "patient");
    if (*case_text (consent, "by") != '\0')
      json_object_set_new (resource, "name",
                           fhir_list (json_pack ("{s:s}", "text", case_text (consent, "by"))));
    if (*case_text (consent, "relation") != '\0')
      json_object_set_new (
          resource, "relationship",
          fhir_list (fhir_concept (NULL, NULL, NULL, case_text (consent, "relation"))));
    g_snprintf (name, sizeof name, "related/%u", (guint)i);
    fhir_add (fhir, name, resource);
  }
}

void
fhir_add_people (Fhir *fhir)
{
  add_patient (fhir);
  add_practitioners (fhir);
  add_representatives (fhir);
}

/* ---- Facilities ----------------------------------------------------------------------------- */

static void
add_facility (Fhir *fhir, const char *id, const char *name, const json_t *about)
{
  json_t *resource = fhir_resource (fhir, "Organization", "");
  if (*case_text (about, "code") != '\0')
    json_object_set_new (resource, "identifier",
                         fhir_list (json_pack ("{s:s, s:s}", "system", FHIR_OWN "co-so-kcb",
                                               "value", case_text (about, "code"))));
  json_object_set_new (resource, "active", json_true ());
  json_object_set_new (resource, "type",
                       fhir_list (fhir_concept (FHIR_TERMINOLOGY "organization-type", "prov",
                                                "Healthcare Provider", NULL)));
  fhir_set (resource, "name", *name != '\0' ? name : "Cơ sở khám bệnh, chữa bệnh");
  if (*case_text (about, "phone") != '\0')
    json_object_set_new (resource, "telecom",
                         fhir_list (json_pack ("{s:s, s:s}", "system", "phone", "value",
                                               case_text (about, "phone"))));
  if (*case_text (about, "address") != '\0')
    json_object_set_new (resource, "address",
                         fhir_list (json_pack ("{s:s}", "text", case_text (about, "address"))));
  fhir_add (fhir, id, resource);
}

void
fhir_add_facilities (Fhir *fhir)
{
  const json_t *facilities = json_object_get (fhir->view, "facilities");
  const json_t *own = json_object_get (facilities, "own");
  const json_t *consulted = json_object_get (facilities, "consulted");
  const json_t *people = json_object_get (fhir->view, "people");
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *name = case_text (json_array_get (people, 0), "facility");
  json_t *item;
  gsize i;
  add_facility (fhir, "organization", name, own);
  g_hash_table_add (known, g_strdup (name));
  json_array_foreach (consulted, i, item)
  {
    g_autofree char *id = g_strdup_printf ("organization/%zu", i);
    if (*case_text (item, "name") != '\0'
        && g_hash_table_add (known, g_strdup (case_text (item, "name"))))
      add_facility (fhir, id, case_text (item, "name"), item);
  }
  json_array_foreach (people, i, item)
  {
    g_autofree char *id = g_strdup_printf ("organization/of-person/%zu", i);
    const char *facility = case_text (item, "facility");
    if (is_practitioner (item) && *facility != '\0'
        && g_hash_table_add (known, g_strdup (facility)))
      add_facility (fhir, id, facility, NULL);
  }
}
