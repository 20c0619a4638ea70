/* One direction of a link in virtual time: a bottleneck with a drop-tail queue, delay, jitter,
 * loss, pauses and blackouts. Given the same seed and calls it does the same, so that an hour of
 * bad weather runs in seconds and fails the same way twice. tests/sim/link.c drives the same code
 * by the clock, with real packets.
 *
 * Sans-IO; one thread. Times in µs, any zero.
 */
#pragma once
#include <glib.h>

typedef struct {
  guint bps;         /* of the bottleneck, with all headers; 0: any */
  guint queue_bytes; /* before the bottleneck; what finds it full is dropped. 0: 64 KiB */
  gint64 delay_us;   /* after the bottleneck */
  gint64 jitter_us;  /* 0 .. jitter_us more, uniform */
  gboolean reorder;  /* jitter lets packets overtake; FALSE: they keep their order */
  double loss;       /* 0..1, behind the bottleneck */
  double burst;      /* mean length of a run of losses, packets (Gilbert 1960); 0, 1: independent */
} VirtualLinkConfig;

typedef struct VirtualLink VirtualLink;

typedef struct {
  gint64 sent_us, at_us;
  guint flow;   /* as given */
  guint wire;   /* bytes with headers */
  guint8 *data; /* the receiver's, g_free() */
  gsize size;
} VirtualPacket;

VirtualLink *virtual_link_new (const VirtualLinkConfig *config, guint32 seed);
void virtual_link_free (VirtualLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirtualLink, virtual_link_free)

/* From now on; what waits is served at the new rate. */
void virtual_link_set (VirtualLink *link, const VirtualLinkConfig *config, gint64 now_us);
const VirtualLinkConfig *virtual_link_config (const VirtualLink *link);
/* Nothing comes through until then: what is sent, waits or is under way is lost. */
void virtual_link_cut (VirtualLink *link, gint64 until_us, gint64 now_us);
/* The bottleneck rests until then; what is sent meanwhile queues (a radio that lost its channel).
 */
void virtual_link_block (VirtualLink *link, gint64 until_us, gint64 now_us);
/* The receiver sleeps: what arrives before then is taken then, at once. */
void virtual_link_hold (VirtualLink *link, gint64 until_us);

/* A datagram of size bytes; overhead is added on the wire, below zero: so much of it does not count
 * there (size stays larger). */
void virtual_link_send (VirtualLink *link, guint flow, const guint8 *data, gsize size, int overhead,
                        gint64 now_us);
/* When something happens next; G_MAXINT64: nothing. */
gint64 virtual_link_next_us (VirtualLink *link);
/* The next that has arrived, in order of arrival. FALSE: none. */
gboolean virtual_link_take (VirtualLink *link, gint64 now_us, VirtualPacket *ret_packet);

/* How long a packet sent now would wait. */
gint64 virtual_link_queue_us (VirtualLink *link, gint64 now_us);
/* What waits before the bottleneck now. */
guint virtual_link_queue_bytes (VirtualLink *link, gint64 now_us);

typedef struct {
  guint64 sent, full, lost, cut; /* packets: offered; dropped by the queue, by chance, by a cut */
} VirtualLinkStats;
void virtual_link_stats (const VirtualLink *link, VirtualLinkStats *ret_stats);
