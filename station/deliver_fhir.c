/* To a FHIR server (hl7.org/fhir/R4/http.html#update). */
#include "station/deliver.h"
#include "station/fhir_rest.h"

gboolean
deliver_fhir (const Delivery *delivery, GError **error)
{
  g_autofree char *path = g_strdup_printf ("Bundle/%s", delivery->id);
  g_autoptr (FhirRest) rest = fhir_rest_open (delivery->to, delivery->stop, error);

  return rest != NULL && delivery->advance (OUTBOX_SENT, delivery->arg, error)
         && fhir_rest_put (rest, path, FHIR_JSON, delivery->bytes, error)
         && delivery->advance (OUTBOX_RECEIPTED, delivery->arg, error)
         && fhir_rest_kept (rest, path, delivery->bytes, error)
         && delivery->advance (OUTBOX_CONFIRMED, delivery->arg, error);
}
