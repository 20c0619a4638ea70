/* Waveforms of a DICOM file (PS3.3 C.10.9): 12-lead, general and ambulatory ECG, and others that
 * have the waveform module. */
#pragma once
#include "media/devices/ecg_recording.h"

/* Each multiplex group is a stream. NULL with an error of MEDIA_ERROR that names byte and element.
 * (transfer full) */
EcgRecording *ecg_dicom_read (const guint8 *data, gsize length, GError **error);
