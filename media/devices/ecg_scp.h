/* SCP-ECG (EN 1064, ISO 11073-91064): sections 0 to 8, 10 and 11. */
#pragma once
#include "media/devices/ecg_recording.h"

/* Checksums of the record and of the sections that are used must be right. Own and default Huffman
 * tables, first and second differences, reference beats that were taken away, and bimodal
 * compression (whose reconstruction is noted: outside of the QRS complexes it is interpolated).
 * NULL with an error of MEDIA_ERROR that names section and byte. (transfer full) */
EcgRecording *ecg_scp_read (const guint8 *data, gsize length, GError **error);
