/* Annotations of a WFDB record (annot(5), MIT format). */
#pragma once
#include "media/devices/ecg_recording.h"

/* Adds them to the recording; an end before the end is noted, and what came before is kept. rate:
 * frames a second. */
void wfdb_annotations_read (EcgRecording *recording, const guint8 *data, gsize length, double rate);
