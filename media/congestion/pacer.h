/* Lets packets go at a steady rate, urgent ones first (RtpClass): audio is never held back but
 * counts; then retransmissions; then video, first in first out.
 *
 * A bucket of 40 ms at the pacing rate (at least 12 kB) lets ordinary frames leave at once, without
 * a wake-up per packet; a larger one-time allowance lets the first key frame of a joining viewer
 * leave at once. The queue is bounded: 2048 packets; what is beyond is refused.
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
/* Takes the packet (transfer full) in either case. FALSE: the queue is full, or the packet is
 * already in it; dropped. */
gboolean pacer_push (Pacer *pacer, RtpPacket *packet, gint64 now_us);
/* The next packet that may leave now, transfer full; NULL: none. overhead is added to its size. */
RtpPacket *pacer_pop (Pacer *pacer, guint overhead, gint64 now_us);
/* When pacer_pop() will give something; G_MAXINT64: the queue is empty. */
gint64 pacer_next_us (Pacer *pacer);
/* How long the queue takes to empty at the present rate, µs. */
gint64 pacer_delay_us (Pacer *pacer);
guint pacer_queued (Pacer *pacer);
/* Drops all that waits. */
void pacer_clear (Pacer *pacer);
