/* ECG files that the doctor adds to a consultation: taken from the console's page, read, kept, and
 * shown to all pages (docs/protocol.md). Main thread.
 *
 *   ecg.part … ─► files in memory ─► ecg.add ─► read, whose is it? ─► attachments ─► list, event
 *
 * What a page sends is bounded before it is read. The files are kept as they came, as attachments
 * of kind "ecg-file", and what was read of them as one of kind "ecg" (media/devices/ecg_pack.h),
 * whose id is the ECG's. A file that names another patient is held back until the doctor says whose
 * it is.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

#define ECGS_UPLOAD_MAX (8u << 20) /* bytes of all files of one ECG */
#define ECGS_FILES_MAX 64
/* Samples of all leads: two hours of three leads at 360 Hz. */
#define ECGS_SAMPLES_MAX 8000000
/* Bytes of one answer to `ecg.get`, before base64. */
#define ECGS_PIECE_MAX 12288

Ecgs *ecgs_new (Station *station);
void ecgs_free (Ecgs *ecgs);
/* A page is gone, and with it what it sent and did not finish. */
void ecgs_gone (Ecgs *ecgs, Client *client);

/* Messages of the console. */
void ecgs_part (Request *request);
void ecgs_add (Request *request);
void ecgs_get (Request *request);

/* ECGs of a consultation, oldest first, without samples (transfer full) */
json_t *ecgs_json (const Consult *consult);

/* Data channel: the list, to one peer who examines or all of them (label NULL); the answer to an
 * `ecg.get`, which has no data for who does not. */
void ecgs_send_list (Station *station, const char *label);
void ecgs_channel_get (Station *station, const char *label, const json_t *message);
