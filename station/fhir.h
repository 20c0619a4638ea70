/* A consultation as a FHIR R4 document Bundle (hl7.org/fhir/R4, Bundle.type "document"): what the
 * hospital's server is given. docs/documents.md says which row becomes which element.
 *
 *   Composition, Patient, Practitioner, Organization, Encounter (class VR), ServiceRequest, Device,
 *   Observation (vital signs; ECG as SampledData), Condition, MedicationRequest, Media,
 *   DocumentReference, Consent, Provenance, AuditEvent
 *
 * The same record gives the same bytes on whichever day: ids are UUIDs made from those of the
 * record (RFC 9562 version 5), times are those of rows, and what was written after it was
 * signed (who looked at it, what was delivered) is left out, further signatures apart. References
 * are urn:uuid: within the Bundle. Files of the record are named by size and hash (RFC 6920,
 * "ni:///sha-256;…"), not carried.
 */
#pragma once
#include "records/store.h"

/* The Bundle; its `id` is the id to PUT it under (transfer full). station_name: station.conf's,
 * where the record has no row of its own facility. NULL with error: NOT_FOUND, LOCKED. Any
 * thread. */
json_t *fhir_bundle (Store *store, const char *station_name, const char *consult, GError **error);

/* The same id, which is known without opening anything (transfer full). */
char *fhir_bundle_id (const char *consult);

/* Its bytes: compact JSON in UTF-8, members in the order in which they were made (transfer
 * full). */
GBytes *fhir_bundle_bytes (const json_t *bundle);
