/* Packets of an SCTP association, sent again where no answer comes in time. Sans-IO.
 *
 * SCTP itself waits a second and more for its time-out (RFC 9260 §6.3: RTO.Min), then sends one
 * packet a round trip, and everything behind the lost one waits: with the few packets of a
 * consultation's channels there are hardly ever three later ones that would make it faster
 * (§7.2.4). So, as a radio link would, we send a packet with user data again, as it was, when it is
 * not acknowledged a little after a round trip. The other side drops what it has (§6.2) and answers
 * at once; our side never learns that anything was lost, and keeps its window.
 *
 * Each packet is sent again REPEATS_MAX times at most, and none when more than WAITING_MAX wait or
 * nothing was acknowledged for SILENCE_US: then the link carries less or nothing, which is SCTP's
 * own matter. It adds a tenth to what is sent, and a few small packets.
 */
#pragma once
#include <glib.h>

typedef struct SctpRepeat SctpRepeat;

SctpRepeat *sctp_repeat_new (void);
void sctp_repeat_free (SctpRepeat *repeat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SctpRepeat, sctp_repeat_free)

/* A packet leaves, by SCTP's will. now_us: monotonic. */
void sctp_repeat_sent (SctpRepeat *repeat, GBytes *packet, gint64 now_us);
/* A packet came: hostile. */
void sctp_repeat_received (SctpRepeat *repeat, const guint8 *packet, gsize size, gint64 now_us);
/* One that is to be sent again now (transfer full), or NULL. Call until it is NULL. */
GBytes *sctp_repeat_due (SctpRepeat *repeat, gint64 now_us);
/* The way to the other side was closed and is open again: what waits is due now. */
void sctp_repeat_path_back (SctpRepeat *repeat, gint64 now_us);
/* TRUE while there is something that may become due. */
gboolean sctp_repeat_waits (SctpRepeat *repeat);
/* How long an answer takes, µs; 0: not known yet. */
gint64 sctp_repeat_rtt_us (SctpRepeat *repeat);
