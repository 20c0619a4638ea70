/* HL7 annotated ECG (aECG, ANSI/HL7 V3 ECG R1). */
#pragma once
#include "media/devices/ecg_recording.h"

/* Read by GLib's markup parser, which knows no document types, no entities of the file's own and
 * no network. Rhythm series become one stream per sequence set, derived (representative) beats too.
 * NULL with an error of MEDIA_ERROR that names line and element. (transfer full) */
EcgRecording *ecg_aecg_read (const guint8 *data, gsize length, GError **error);
