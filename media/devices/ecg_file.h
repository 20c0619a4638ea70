/* An ECG file of whatever format: which it is, and reading it. */
#pragma once
#include "media/devices/ecg_recording.h"
#include "media/devices/ecg_wfdb.h"

/* "scp" "aecg" "edf" "wfdb" "dicom", by how it begins; for WFDB by its name's end (.hea). NULL:
 * none of them. name may be NULL. */
const char *ecg_file_kind (const char *name, const guint8 *data, gsize length);
/* kind: as of ecg_file_kind(); "edf" reads BDF too. find: as of ecg_wfdb_read(); others need none.
 * (transfer full) */
EcgRecording *ecg_file_read (const char *kind, const guint8 *data, gsize length, EcgFind find,
                             void *find_arg, GError **error);
