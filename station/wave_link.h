/* Waves on the link: what each peer gets of them, and how (docs/protocol.md). Main thread.
 *
 * There are four ways of sending, each encoded once for all peers that have it: all leads every
 * 40 ms; all leads every 200 ms, which saves four fifths of the bytes around them; three leads of
 * an ECG, or one, with one of each other stream, every 480 ms. The hub's allocator says which one a
 * peer's link carries, or that none goes; the peer's page is told.
 *
 * What a peer missed it may ask for: it is read from the record and goes over the reliable channel,
 * with a quarter of the link at most, so that what is live comes first.
 */
#pragma once
#include "station/wave_record.h"

typedef struct WaveLink WaveLink;

WaveLink *wave_link_new (Station *station, WaveRecord *record);
void wave_link_free (WaveLink *link);

/* Of a peer: its channel, its end. */
void wave_link_set_open (WaveLink *link, const char *label, gboolean open);
void wave_link_gone (WaveLink *link, const char *label);
/* Its way of getting waves (-1: none). TRUE: it is to be told now; FALSE: it was told something a
 * moment ago and this is worse, wave_link_tell_falls() will do it. */
gboolean wave_link_set_way (WaveLink *link, const char *label, int way);

/* Live samples of the consultation on screen. */
void wave_link_push (WaveLink *link, const WaveTrack *track, const WaveBlock *block);
/* What waits to be sent is of another consultation. */
void wave_link_forget (WaveLink *link);
/* Tells a peer (NULL: all) which streams of this consultation there are, and which way it gets
 * them. tracks: WaveTrack*; consult NULL: none is on screen. */
void wave_link_tell (WaveLink *link, const GPtrArray *tracks, const char *consult,
                     const char *label);
/* Tells those whose way fell, the words of which are due by now. To be called twice a second. */
void wave_link_tell_falls (WaveLink *link, const GPtrArray *tracks, const char *consult);
/* To a peer (NULL: all): when the samples of each stream were taken. */
void wave_link_clocks (WaveLink *link, const GPtrArray *tracks, const char *consult,
                       const char *label);
/* "waves.fill": hostile. */
void wave_link_fill (WaveLink *link, const char *label, const json_t *message);
