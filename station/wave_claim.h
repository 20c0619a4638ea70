/* Waves that were nobody's when they came: rows of kind "wave" under the day's holding key
 * (records/holding.h), at most WAVE_HELD_ROWS a day. Who claims their device takes them over with
 * its readings: piece by piece, sealed anew under the consultation's key, as epochs of its own.
 * What nobody claims goes with its day. Main thread.
 */
#pragma once
#include "station/wave_record.h"

/* Of all devices and streams: eleven hours of one. */
enum { WAVE_HELD_ROWS = 20000 };

typedef struct WaveClaims WaveClaims;

WaveClaims *wave_claims_new (Station *station, WaveRecord *record);
/* What is being taken over is left where it is; a claim that was cut off is not made up for. */
void wave_claims_free (WaveClaims *claims);

/* Where what is nobody's is kept now: the id of its holding key (transfer full). NULL: it is let
 * go, with error when nothing can be sealed, without when the day or the disk is full. */
char *wave_claims_home (WaveClaims *claims, GError **error);

/* All of this device that came after from_us (UTC µs) is this consultation's. Returns at once; ends
 * early when the consultation is concluded. */
void wave_claims_take (WaveClaims *claims, const char *device, const Consult *consult,
                       const char *user, gint64 from_us);
