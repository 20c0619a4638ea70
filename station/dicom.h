/* DICOM from ultrasound and X-ray: C-ECHO and C-STORE on the port of [dicom] in station.conf.
 *
 *   connection ─► nhipcau-dicom receive (confined) ─► object ─► nhipcau-dicom read (confined)
 *                        ▲ status                                        │ what it says of itself
 *                        └──────── kept, sealed, durable ◄── whose is it ┘
 *
 * Whose an object is, as for readings (readings.h): of the consultation on screen, when the device
 * (its AE title) is one of the room's ([device NAME] id) and the object does not name another
 * patient. Everything else is held at the station until the doctor claims it. Main thread.
 */
#pragma once
#include "station/dicom_read.h"
#include "station/request.h"
#include "station/station.h"

#define DICOM_KIND "dicom" /* of attachments */

/* NULL with error: what was held cannot be read. */
Dicom *dicom_new (Station *station, GError **error);
/* The port of station.conf; nothing when it is 0. */
gboolean dicom_listen (Dicom *dicom, GError **error);
void dicom_free (Dicom *dicom);

/* Its reader of objects, for pictures (transfer none). */
DicomRead *dicom_reader (Dicom *dicom);
/* What was shredded with its day is held no more. */
void dicom_forget_held (Dicom *dicom);
/* Studies that nobody has claimed: [{study, sender, modality, description, patient, objects, at}]
 * (transfer full). */
json_t *dicom_held (Dicom *dicom);

/* "dicom.claim" of the console: a held study belongs to the consultation on screen. */
void dicom_claim (Request *request);
/* "attachments.list" of the console: attachments of the consultation on screen. */
void dicom_list (Request *request);
