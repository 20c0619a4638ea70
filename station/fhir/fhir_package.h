/* What a FHIR server is told of the files and the recording of a consultation (parcel.h): a Bundle
 * of type "collection" with a Media for each picture and each stretch of a recording, and a
 * DocumentReference for each other file, whose attachments are the Binary that were sent before.
 *
 * Each has the identifier "ni:///sha-256;…" of its bytes, which is the url of the same file in the
 * record's own Bundle. Patient and encounter are referred to by their identifiers there. */
#pragma once
#include "station/fhir.h"
#include "station/parcel.h"

/* Id of the Binary with this content; sha256: hex (transfer full). */
char *fhir_package_binary (const char *consult, const char *sha256);
/* Of a parcel whose pieces are all there (transfer full). The same every time. */
json_t *fhir_package_bundle (const Parcel *parcel);
