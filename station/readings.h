/* Readings of medical devices: whose they are, kept before they are acknowledged.
 *
 *   a device that the doctor has claimed for a consultation   → that consultation
 *   a device of the room ([device NAME] of station.conf)      → the consultation on screen
 *   with the id of another patient, or of nobody's device     → wait, sealed under the day's
 * holding key (records/holding.h), and are shown as waiting
 *
 * A claim takes over what the device sent since the consultation began; earlier readings are
 * another's and stay where they are. Main thread.
 */
#pragma once
#include "media/devices/observation.h"
#include "station/kept.h"
#include "station/request.h"
#include "station/station.h"

Readings *readings_new (Station *station, GError **error);
/* Which readings the unfinished consultations have, once those are read back: what is sent again
 * is then known. */
gboolean readings_know (Readings *readings, GError **error);
void readings_free (Readings *readings);

/* All are durable (error NULL), or some could not be kept. */
typedef void (*ReadingsDone) (const GError *error, void *arg);
/* Takes readings of one device or gateway in: sorts out whose they are, keeps them, shows them to
 * the consultation on screen once they are durable. sender: as a person would name where they come
 * from ("192.168.1.20 MONITOR"); stands for the device where an observation names none.
 * observations: of Observation* (transfer none, not needed after the call). done may be NULL and
 * may be called before the function returns. */
void readings_take (Readings *readings, const char *sender, const GPtrArray *observations,
                    ReadingsDone done, void *arg);

/* Whose is what this device sends now, by the rule above; NULL: nobody's, or held back because the
 * device names another patient, of which the doctor is told once. A device that was not known is
 * from now on, and can be claimed. sender: as above; patient_id: as the device knows it, may be
 * NULL. */
Consult *readings_owner (Readings *readings, const char *device, const char *sender,
                         const char *patient_id);

/* The consultation to which the device itself belongs now, whoever it says its patient is; NULL:
 * none. id of a gateway: that of its beds, when they are all of one. */
Consult *readings_bound (Readings *readings, const char *device, const char *sender);

/* What is there already (transfer none). */
Kept *readings_kept (Readings *readings);

/* [{device, sender, last, consultation, room, waiting, held: {count, who: [{id, name}]}}] (transfer
 * full): what waits, and of it what names another patient. */
json_t *readings_devices (Readings *readings);
/* How many wait for somebody to claim them. */
guint readings_waiting (Readings *readings);

/* What waited and arrived before this (UTC µs) is forgotten: its key is shredded. */
void readings_forget (Readings *readings, gint64 before_us);

/* "device.decline": what waits of a device is nobody's here. It stays sealed under its day's
 * holding key until that is shredded, and is asked about no more. */
void readings_decline (Request *request);
/* "device.claim" and "reading.save" of the console. */
void readings_claim (Request *request);
void readings_save (Request *request);
