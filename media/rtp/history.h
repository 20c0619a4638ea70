/* Packets sent lately, for retransmission: a ring by sequence number, bounded by number and age.
 * Used by send_stream.c. */
#pragma once
#include "media/rtp/rtp_packet.h"

typedef struct {
  RtpPacket *packet;
  gint64 resent_us; /* 0: never */
} HistorySlot;

typedef struct {
  HistorySlot *slots;
  gint64 mask;         /* number of slots - 1 */
  gint64 oldest, next; /* what may be in: oldest <= seq < next */
  gint64 max_age_us;
} History;

/* capacity is rounded up to a power of two, at most 8192. */
void history_init (History *history, guint capacity, gint64 max_age_us);
void history_clear (History *history);
/* Drops all that is in. */
void history_forget (History *history);
/* Takes a reference. Numbers may come out of order; FALSE: too old, or already in. */
gboolean history_put (History *history, RtpPacket *packet, gint64 now_us);
/* NULL: not in. */
HistorySlot *history_get (History *history, gint64 seq);
