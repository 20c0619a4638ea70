/* What pages missed of waves: they ask for samples by their numbers, and get them from the record
 * over the reliable channel, a row at a time, with a quarter of their link at most
 * (docs/protocol.md, Data channel `wave`). Main thread.
 */
#pragma once
#include "station/wave_record.h"

/* Bytes around a message: IP 20, UDP 8, DTLS 37, SCTP 30. */
#define WAVE_AROUND 95

typedef struct WaveFills WaveFills;

WaveFills *wave_fills_new (Station *station, WaveRecord *record);
void wave_fills_free (WaveFills *fills);

/* "waves.fill" of a peer: hostile. FALSE: it is not good, or too many of this peer wait. */
gboolean wave_fills_ask (WaveFills *fills, const char *label, const json_t *message);
/* TRUE: this peer's link has no bits to spare now. */
typedef gboolean (*WaveFillsHeld) (const char *label, void *arg);

/* Sends one row at most of what is due and not held. To be called every 40 ms while some wait. */
void wave_fills_serve (WaveFills *fills, WaveFillsHeld held, void *arg);
gboolean wave_fills_is_empty (const WaveFills *fills);
/* The peer is gone. */
void wave_fills_gone (WaveFills *fills, const char *label);
/* Another consultation is on screen. */
void wave_fills_forget (WaveFills *fills);
