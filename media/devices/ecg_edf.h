/* EDF, EDF+, BDF and BDF+ (edfplus.info): any rates, gaps in time (EDF+D), annotations. */
#pragma once
#include "media/devices/ecg_recording.h"

/* Signals of equal rate are one stream. Where a discontinuous file has a gap that is no whole
 * number of samples, a new epoch begins. NULL with an error of MEDIA_ERROR that names the field of
 * the header or the record. (transfer full) */
EcgRecording *ecg_edf_read (const guint8 *data, gsize length, GError **error);
