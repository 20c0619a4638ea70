/* Lets packets go at a steady rate, urgent ones first (RtpClass): sound is never held back but
 * counts; then retransmissions; then video, first in first out; then padding.
 *
 * A bucket of 40 ms at the pacing rate lets ordinary frames leave at once, without a wake-up per
 * packet; a larger one-time allowance lets the first key frame of a joining viewer leave at once
 * (it is gone 200 ms later, or as soon as the rate falls below what it was first set to). The queue
 * is bounded: 2048 packets; what is beyond is refused.
 *
 * A probe (congestion/probe.h) goes at a rate of its own, evenly; where the queue does not fill it,
 * pacer_wants_padding() says so and the owner pushes a packet of padding.
 *
 * Sans-IO; one thread.
 */
#pragma once
#include "media/rtp/rtp_packet.h"

typedef struct Pacer Pacer;

/* burst: bytes of the one-time allowance; 0: 96 KiB. */
Pacer *pacer_new (guint burst);
void pacer_free (Pacer *pacer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pacer, pacer_free)

void pacer_set_rate (Pacer *pacer, guint bps);
/* Held: too much is on its way already. Only sound leaves, and another packet when none at all has
 * left for 200 ms, so that the other side has something to answer. */
void pacer_set_held (Pacer *pacer, gboolean held);
/* Takes the packet (transfer full) in either case. FALSE: the queue is full, or the packet is
 * already in it; dropped. */
gboolean pacer_push (Pacer *pacer, RtpPacket *packet, gint64 now_us);
/* The next packet that may leave now, transfer full; NULL: none. overhead is added to its size. */
RtpPacket *pacer_pop (Pacer *pacer, guint overhead, gint64 now_us);
/* When pacer_pop() will give something, or padding is wanted; G_MAXINT64: the queue is empty. */
gint64 pacer_next_us (Pacer *pacer);
/* How long the queue takes to empty at the present rate, µs; padding does not count. */
gint64 pacer_delay_us (Pacer *pacer);
guint pacer_queued (Pacer *pacer);
/* Drops all that waits; a probe ends. */
void pacer_clear (Pacer *pacer);
/* The same, but sound stays. */
void pacer_clear_video (Pacer *pacer);

/* Video has left: a probe no longer takes the allowance from the first key frame. */
gboolean pacer_has_begun (Pacer *pacer);
/* The next bytes go at bps; it ends by itself when they have left. */
void pacer_probe (Pacer *pacer, guint bps, guint bytes, gint64 now_us);
gboolean pacer_probing (Pacer *pacer);
/* Ends it before its time. */
void pacer_end_probe (Pacer *pacer);
/* TRUE: a packet of the probe is due and nothing is queued. */
gboolean pacer_wants_padding (Pacer *pacer, gint64 now_us);
