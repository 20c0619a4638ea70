/* Between the files of station/fhir: a Bundle while it is made. */
#pragma once
#include "station/case_view.h"
#include "station/fhir.h"

#define FHIR_TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"
#define FHIR_LOINC "http://loinc.org"
#define FHIR_UCUM "http://unitsofmeasure.org"
#define FHIR_MDC "urn:iso:std:iso:11073:10101"
/* Ours, where no code system is known to fit. */
#define FHIR_OWN "urn:nhipcau:"

typedef struct {
  Store *store;
  const char *consult;
  json_t *view;    /* case_view() */
  json_t *entries; /* of the Bundle */
} Fhir;

/* "urn:uuid:…" of a resource by its name within this Bundle ("patient", "observation/3"): RFC 9562
 * version 5 under the consultation's own UUID (transfer full). */
char *fhir_url (const Fhir *fhir, const char *name);
/* {reference} to it (transfer full). */
json_t *fhir_reference (const Fhir *fhir, const char *name);
/* Adds a resource under its name; id and fullUrl come from it. resource: (transfer full). */
void fhir_add (Fhir *fhir, const char *name, json_t *resource);

/* A resource with type and, where it is not "", a subject member that refers to the patient. */
json_t *fhir_resource (const Fhir *fhir, const char *type, const char *subject);
/* {coding: [{system, code, display}], text}; system NULL: text alone. display, text may be NULL. */
json_t *fhir_concept (const char *system, const char *code, const char *display, const char *text);
json_t *fhir_coding (const char *system, const char *code, const char *display);
json_t *fhir_quantity (const json_t *value, const char *ucum);
/* Sets a member to a text, unless that is empty or NULL. */
void fhir_set (json_t *object, const char *member, const char *text);
/* An array with one item (transfer full of both). */
json_t *fhir_list (json_t *item);
/* Narrative of paragraphs, one of each line (transfer full). */
json_t *fhir_narrative (const char *text);
/* "ni:///sha-256;…" of a hash in hex (RFC 6920); NULL: it is none (transfer full). */
char *fhir_hash_url (const char *sha256);
/* {contentType, url, title, size, creation} of an attachment of the view (transfer full). */
json_t *fhir_attachment (const json_t *attachment);

gboolean fhir_is_signed (const Fhir *fhir);
/* Name of the Practitioner who is called so in the record, NULL: none of those who took part. */
const char *fhir_person_by_name (const Fhir *fhir, const char *name, char buffer[24]);

/* ---- Parts, each adds its resources --------------------------------------------------------- */

void fhir_add_people (Fhir *fhir);     /* Patient, Practitioner, RelatedPerson */
void fhir_add_facilities (Fhir *fhir); /* Organization */
void fhir_add_encounter (Fhir *fhir);  /* Encounter, ServiceRequest, Condition */
void fhir_add_readings (Fhir *fhir);   /* Observation, Device */
void fhir_add_ecgs (Fhir *fhir);       /* Observation of an ECG */
void fhir_add_files (Fhir *fhir);      /* Media, DocumentReference */
void fhir_add_consents (Fhir *fhir);   /* Consent */
void fhir_add_medication (Fhir *fhir); /* MedicationRequest */
void fhir_add_provenance (Fhir *fhir); /* Provenance, AuditEvent */
/* References to all entries of a type, for a section (transfer full). */
json_t *fhir_entries_of (const Fhir *fhir, const char *type);
json_t *fhir_composition (Fhir *fhir);
