/* Calls to a FHIR server (hl7.org/fhir/R4/http.html) over TLS with the station's certificate: one
 * connection that is kept for all calls of a delivery. Errors are those of deliver.h. In a thread
 * that may wait; one thread at a time. */
#pragma once
#include "station/config.h"

#define FHIR_JSON "application/fhir+json"

typedef struct FhirRest FhirRest;

/* stop: atomic, 1 ends a call with DELIVER_ERROR_STOPPED. */
FhirRest *fhir_rest_open (const ConfigDeliver *to, const gint *stop, GError **error);
void fhir_rest_free (FhirRest *rest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FhirRest, fhir_rest_free)

/* PUT {to}/{path}: 200 and 201 are its receipt. type: media type of bytes. */
gboolean fhir_rest_put (FhirRest *rest, const char *path, const char *type, GBytes *bytes,
                        GError **error);
/* GET {to}/{path}, `most` bytes at most (transfer full). NULL with DELIVER_ERROR_LOST: there is
 * none. accept: media types that are wanted. */
GBytes *fhir_rest_get (FhirRest *rest, const char *path, const char *accept, gsize most,
                       GError **error);
/* Whether the server gives back the bundle that was PUT there: DELIVER_ERROR_DIFFERENT when it is
 * not that one (deliver_same_bundle()), or what fhir_rest_get() fails by. */
gboolean fhir_rest_kept (FhirRest *rest, const char *path, GBytes *bundle, GError **error);
