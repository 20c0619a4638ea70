/* What stands in a DICOM object, and its pictures: asked of confined children
 * (media/dicom/child.h), at most DICOM_READERS of them at a time, each ended when it takes too
 * long. Pictures that were asked for are kept for a while. Main thread.
 */
#pragma once
#include "station/station.h"

#define DICOM_READERS 3
#define DICOM_CACHE (128 * 1024 * 1024) /* bytes of pictures */

typedef struct DicomRead DicomRead;
DicomRead *dicom_read_new (Store *store);
/* Who still waits is told "busy". */
void dicom_read_free (DicomRead *read);

/* about NULL: it could not be read; why is a machine word: "unreadable", "busy", "slow". */
typedef void (*DicomDescribed) (json_t *about, const char *why, void *arg);
/* What an object says of itself, looked at and bounded. */
void dicom_describe (DicomRead *read, GBytes *object, DicomDescribed done, void *arg);

typedef struct DicomAsk DicomAsk;
/* bytes NULL: why is a machine word: "undecodable", "unreadable", "no-such", "locked", "busy",
 * "slow". (transfer none) */
typedef void (*DicomPictured) (GBytes *bytes, const char *why, void *arg);
/* One frame of an attachment. form: "thumb" or "small" (JPEG of at most 160 or 512 pixels a side)
 * or "full" (lossless, docs/protocol.md). done comes from the main loop, never from within the
 * call; until then the answer can be cancelled. */
DicomAsk *dicom_picture (DicomRead *read, const char *consult, const char *attachment, guint frame,
                         const char *form, DicomPictured done, void *arg);
void dicom_ask_cancel (DicomAsk *ask);
gboolean dicom_form_is_known (const char *form);
