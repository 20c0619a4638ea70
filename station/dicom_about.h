/* What a confined child says of a DICOM object, looked at as if a stranger had said it. */
#pragma once
#include <jansson.h>
#include <glib.h>

/* A new object with the known fields only, each of its form and bounded (docs/protocol.md, DICOM);
 * NULL when it is none at all (transfer full). */
json_t *dicom_about_clean (const json_t *said);
/* A text of it, "" when there is none. patient: of its patient. */
const char *dicom_about_text (const json_t *about, const char *key);
const char *dicom_about_patient (const json_t *about, const char *key);
/* Do two names mean one person? Accents, case, order of words and punctuation apart. TRUE as well
 * when one of them is empty. */
gboolean dicom_names_agree (const char *one, const char *other);
