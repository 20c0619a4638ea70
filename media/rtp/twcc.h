/* Transport-wide congestion control feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01), both sides.
 *
 * Sans-IO; one thread. All streams of a peer share one sequence of 16-bit numbers. Memory is
 * bounded: 8192 packets on either side.
 */
#pragma once
#include "media/rtp/rtcp.h"

/* One packet's fate. */
typedef struct {
  gint64 seq;        /* extended transport-wide number */
  guint size;        /* bytes on the wire, as told when sent */
  gint64 sent_us;    /* our clock */
  gint64 arrived_us; /* the receiver's clock (arbitrary zero, 250 µs steps); -1: lost */
} TwccResult;

/* The side that sends media. */
typedef struct TwccSender TwccSender;

TwccSender *twcc_sender_new (void);
void twcc_sender_free (TwccSender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TwccSender, twcc_sender_free)

/* The number that the next packet shall carry. */
guint16 twcc_sender_next (TwccSender *sender);
/* The packet with that number left; the next one gets the next number. */
void twcc_sender_sent (TwccSender *sender, guint size, gint64 now_us);
/* Bytes sent and neither acknowledged nor reported lost. */
guint64 twcc_sender_in_flight (TwccSender *sender);

/* Bytes that left after the newest packet that the other side told of, within the last two seconds:
 * what is on its way or waits in the network, whatever became of feedback. */
guint64 twcc_sender_outstanding (TwccSender *sender, gint64 now_us);

/* Results of one feedback packet (its FCI, RtcpPacket.feedback), ascending by number; each packet
 * is reported once as arrived, and may have been reported once as lost before. Returns how many
 * were written to results, at most max; -1 when the feedback is malformed. */
gssize twcc_sender_feedback (TwccSender *sender, const guint8 *fci, gsize size, TwccResult *results,
                             gsize max);
#define TWCC_MAX_RESULTS 4096 /* of one feedback; what is beyond is ignored */

/* The side that receives media. */
typedef struct TwccReceiver TwccReceiver;

TwccReceiver *twcc_receiver_new (void);
void twcc_receiver_free (TwccReceiver *receiver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TwccReceiver, twcc_receiver_free)

/* A packet with this number arrived. ssrc: a media SSRC that feedback can name. */
void twcc_receiver_arrived (TwccReceiver *receiver, guint16 seq, guint32 ssrc, gint64 now_us);
/* What the link back carries: feedback takes about a twentieth of it, at least four a second
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 §4.1 leaves the interval open). */
void twcc_receiver_pace (TwccReceiver *receiver, guint bps);
/* When feedback is due: 50 ms after the first unreported packet, up to 250 ms on a slow link;
 * G_MAXINT64: nothing to report. */
gint64 twcc_receiver_next_us (TwccReceiver *receiver);
/* Appends a feedback packet when something is unreported. Call again (with a fresh writer if need
 * be) until FALSE. */
gboolean twcc_receiver_write (TwccReceiver *receiver, RtcpWriter *writer, guint32 ssrc);
