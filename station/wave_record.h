/* Waves in the record: rows of kind "wave", each some two seconds of one stream, sealed as all rows
 * are (docs/records.md). Main thread.
 *
 * Rows, not a media track: an ECG is a finding as the readings beside it are, kept without consent
 * to a recording and with the minutes that the law keeps; and what is written is durable within a
 * tenth of a second, so that a kill costs what had been gathered, two seconds. Of what a sender
 * waits for a row is written at once: once it has its answer, a kill costs nothing.
 */
#pragma once
#include "station/kept.h"
#include "station/waves.h"

typedef struct WaveRecord WaveRecord;

WaveRecord *wave_record_new (Station *station);
void wave_record_free (WaveRecord *record);

/* The number of a new epoch: greater than all before it in this consultation, also in an earlier
 * life of the station. */
guint32 wave_record_next_epoch (WaveRecord *record, const char *consult);
/* receipt: waits for the row in which the block ends; NULL: nobody does. A block with `raw` is kept
 * in mind (readings_kept()). */
void wave_record_push (WaveRecord *record, WaveTrack *track, const WaveBlock *block,
                       WaveReceipt *receipt);
/* Somebody waits for what is gathered of it. */
gboolean wave_record_is_awaited (const WaveTrack *track);
/* The receipt waits for a row that is being written, and has the block of this name. */
void wave_record_await (WaveRecord *record, const char *raw, WaveReceipt *receipt);
/* Which messages the newest rows of a consultation are of: what is sent again is then known. */
gboolean wave_record_know (Store *store, const char *consult, Kept *kept, GError **error);
/* Writes what has been gathered: all, or when it is old enough. */
void wave_record_flush (WaveRecord *record, WaveTrack *track);
void wave_record_tick (WaveRecord *record, WaveTrack *track, gint64 now_us);

/* A row that was another's until now (transfer full), its epoch of wave_record_next_epoch():
 * written as one of this consultation's. */
void wave_record_adopt (WaveRecord *record, const char *consult, const char *user, json_t *body);
/* How many rows there are of a consultation, or of a holding key. */
gint64 wave_record_rows (WaveRecord *record, const char *consult);

/* The first row on disk that has samples of [from, to) of an epoch, as its body (transfer full);
 * NULL: there is none (yet). ret_next: the first sample after it. */
json_t *wave_record_find (WaveRecord *record, const char *consult, guint32 epoch, guint64 from,
                          guint64 to, guint64 *ret_next);

/* (transfer full) [{name, unit, mdc, scale, offset}]: the leads as rows and pages have them. */
json_t *wave_record_leads (const WaveStream *stream);
