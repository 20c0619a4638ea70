/* Reception statistics of one incoming stream: RFC 3550 A.1, A.3, A.8. Used by recv_stream.c. */
#pragma once
#include "media/rtp/rtcp.h"

typedef enum {
  RECEPTION_NEW,
  RECEPTION_DUPLICATE,
  RECEPTION_LATE,   /* beyond the window */
  RECEPTION_DOUBT,  /* a large jump: dropped unless the next packet confirms it */
  RECEPTION_RESTART /* confirmed: the sender began anew; call reception_init() and take it again */
} ReceptionVerdict;

enum { RECEPTION_WINDOW = 2048 };

typedef struct {
  guint rate;
  gboolean started;
  gint64 first, highest; /* extended sequence numbers */
  gint64 confirm;        /* number that would confirm a jump; -1: none */
  guint64 seen[RECEPTION_WINDOW / 64];
  gint64 received; /* not counting what RTX brought */
  gint64 prior_expected, prior_received;
  guint32 last_timestamp;
  gint64 last_arrival_us;
  double jitter; /* RTP clock units */
  guint32 lsr;
  gint64 lsr_us;
} Reception;

void reception_init (Reception *reception, guint rate);
/* Looks at a sequence number; ret_seq is set when NEW. Duplicates are found among the last 2048. */
ReceptionVerdict reception_take (Reception *reception, guint16 seq, gint64 *ret_seq);
/* TRUE: a packet with that extended number would be new, and none of a new epoch. */
gboolean reception_misses (const Reception *reception, gint64 seq);
/* Counts a new packet; recovered ones by RTX are losses all the same (RFC 4588 6.2). */
void reception_count (Reception *reception, gint64 seq, guint32 timestamp, gboolean recovered,
                      gint64 now_us);
void reception_sender_report (Reception *reception, guint64 ntp, gint64 now_us);
gint64 reception_lost (const Reception *reception);
void reception_block (Reception *reception, guint32 ssrc, gint64 now_us, RtcpBlock *ret_block);
