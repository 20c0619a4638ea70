/* Who waits for waves to be durable: one message may have blocks of several streams, each of which
 * ends in a row of its own. Main thread.
 */
#pragma once
#include <glib.h>

typedef struct WaveReceipt WaveReceipt;

/* All are durable (error NULL), or some could not be kept. */
typedef void (*WavesDone) (const GError *error, void *arg);

/* Waits for one thing, which its maker ends by wave_receipt_end() when it has asked for all. */
WaveReceipt *wave_receipt_new (WavesDone done, void *arg);
/* One thing more to wait for. receipt may be NULL: nobody waits. */
WaveReceipt *wave_receipt_wait (WaveReceipt *receipt);
/* One of them has come (error NULL) or failed. The last one calls `done` and frees the receipt. */
void wave_receipt_end (WaveReceipt *receipt, const GError *error);
