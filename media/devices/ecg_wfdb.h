/* WFDB records, as PhysioNet has them: a header in text (header(5)), signals in files beside it
 * (signal(5), formats 8 16 24 32 61 80 160 212 310 311), annotations (annot(5), MIT format).
 */
#pragma once
#include "media/devices/ecg_recording.h"

/* The bytes of a file that a header names, NULL when there is none. The name has no folder.
 * (transfer full) */
typedef GBytes *(*EcgFind) (const char *name, void *arg);

/* header: the text of RECORD.hea, of one segment or many; signal files and headers of segments come
 * by find. The first sample and the checksum that a header states are verified: a signal file that
 * is another, or damaged, is refused. Annotations are taken from RECORD.atr when it is there. NULL
 * with an error of MEDIA_ERROR that names the file and the line. (transfer full) */
EcgRecording *ecg_wfdb_read (const guint8 *header, gsize length, EcgFind find, void *find_arg,
                             GError **error);
