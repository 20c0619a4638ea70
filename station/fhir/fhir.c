#include "station/fhir.h"
#include "station/fhir/fhir_private.h"

#include <string.h>

/* The Composition stands first and refers to what comes after: its section lists are made last. */
static void
add_all (Fhir *fhir)
{
  fhir_add_people (fhir);
  fhir_add_facilities (fhir);
  fhir_add_encounter (fhir);
  fhir_add_readings (fhir);
  fhir_add_ecgs (fhir);
  fhir_add_medication (fhir);
  fhir_add_files (fhir);
  fhir_add_consents (fhir);
  fhir_add_provenance (fhir);
  json_t *composition = fhir_composition (fhir);
  fhir_add (fhir, "composition", composition);
  json_t *last = json_array_get (fhir->entries, json_array_size (fhir->entries) - 1);
  json_array_insert (fhir->entries, 0, last);
  json_array_remove (fhir->entries, json_array_size (fhir->entries) - 1);
}

json_t *
fhir_bundle (Store *store, const char *station_name, const char *consult, GError **error)
{
  json_auto_t *view = case_view (store, station_name, consult, error);
  if (view == NULL)
    return NULL;
  Fhir fhir = { .store = store, .consult = consult, .view = view, .entries = json_array () };
  g_autofree char *url = fhir_url (&fhir, "bundle");
  add_all (&fhir);
  const char *id = url + strlen ("urn:uuid:");
  return json_pack ("{s:s, s:s, s:{s:s}, s:s, s:{s:s, s:s}, s:s, s:s, s:o}", "resourceType",
                    "Bundle", "id", id, "meta", "lastUpdated", case_text (view, "written"),
                    "language", "vi", "identifier", "system", "urn:ietf:rfc:3986", "value", url,
                    "type", "document", "timestamp", case_text (view, "written"), "entry",
                    fhir.entries);
}

char *
fhir_bundle_id (const char *consult)
{
  const Fhir fhir = { .consult = consult };
  g_autofree char *url = fhir_url (&fhir, "bundle");
  return g_strdup (url + strlen ("urn:uuid:"));
}

GBytes *
fhir_bundle_bytes (const json_t *bundle)
{
  /* 15 digits: a reading of 36.6 is written as it was. */
  char *text = json_dumps (bundle, JSON_COMPACT | JSON_REAL_PRECISION (15));
  gsize length = strlen (text);
  return g_bytes_new_with_free_func (text, length, free, text);
}
