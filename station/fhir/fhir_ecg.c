/* An ECG as an Observation with a component of SampledData for each lead. */
#include "media/devices/wave.h"
#include "station/case_ecg.h"
#include "station/fhir/fhir_private.h"

/* R4, SampledData.data: numbers apart by a space, "E" where nothing was measured. */
static json_t *
sampled_data (const CaseEcgLead *lead)
{
  GString *data = g_string_sized_new (lead->count * 5);
  for (guint i = 0; i < lead->count; i++) {
    if (i > 0)
      g_string_append_c (data, ' ');
    if (lead->samples[i] == WAVE_MISSING)
      g_string_append_c (data, 'E');
    else
      g_string_append_printf (data, "%d", lead->samples[i]);
  }
  json_t *zero = json_real (lead->offset);
  json_t *sampled
      = json_pack ("{s:o, s:f, s:f, s:i, s:s}", "origin", fhir_quantity (zero, lead->unit),
                   "period", 1000 / lead->rate, "factor", lead->scale != 0 ? lead->scale : 1.0,
                   "dimensions", 1, "data", data->str);
  json_decref (zero);
  g_string_free (data, TRUE);
  return sampled;
}

static json_t *
lead_code (const CaseEcgLead *lead)
{
  g_autofree char *number = g_strdup_printf ("%u", lead->mdc);
  const char *name = lead->name[0] != '\0' ? lead->name : "ECG";
  return fhir_concept (lead->mdc != 0 ? FHIR_MDC : NULL, number, NULL, name);
}

static void
add_ecg (Fhir *fhir, const CaseEcg *ecg)
{
  g_autofree char *name = g_strdup_printf ("ecg/%s", ecg->id);
  json_t *resource = fhir_resource (fhir, "Observation", "subject");
  json_t *leads = json_array (), *notes = json_array ();
  const char *written = case_text (fhir->view, "written");
  fhir_set (resource, "status", "final");
  json_object_set_new (resource, "category",
                       fhir_list (fhir_concept (FHIR_TERMINOLOGY "observation-category",
                                                "procedure", "Procedure", NULL)));
  json_object_set_new (resource, "code",
                       fhir_concept (FHIR_LOINC, "11524-6", "EKG study", "Điện tim"));
  json_object_set_new (resource, "encounter", fhir_reference (fhir, "encounter"));
  fhir_set (resource, "effectiveDateTime", case_time (ecg->time) != 0 ? ecg->time : written);
  for (guint i = 0; i < ecg->interpretation->len; i++)
    if (*(char *)ecg->interpretation->pdata[i] != '\0')
      json_array_append_new (notes, json_pack ("{s:s}", "text", ecg->interpretation->pdata[i]));
  if (json_array_size (notes) > 0)
    json_object_set (resource, "note", notes);
  json_decref (notes);
  for (guint i = 0; i < ecg->leads->len; i++)
    json_array_append_new (leads,
                           json_pack ("{s:o, s:o}", "code", lead_code (ecg->leads->pdata[i]),
                                      "valueSampledData", sampled_data (ecg->leads->pdata[i])));
  json_object_set_new (resource, "component", leads);
  fhir_add (fhir, name, resource);
}

void
fhir_add_ecgs (Fhir *fhir)
{
  g_autoptr (GPtrArray) ecgs = case_ecgs (fhir->store, fhir->consult, fhir->view);
  for (guint i = 0; i < ecgs->len; i++)
    if (((CaseEcg *)ecgs->pdata[i])->leads->len > 0)
      add_ecg (fhir, ecgs->pdata[i]);
}
