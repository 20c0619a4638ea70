/* When to try whether the link carries more, with how much, and what came of it.
 *
 * A probe is a cluster of packets sent at a higher rate than the estimate, padded where media does
 * not suffice; the rate at which it arrives is what the link has room for. Probes go out
 *   at the start, once feedback comes and nothing speaks against it, doubling while they succeed;
 *   when the estimate has grown past what the link was known to carry without a queue;
 *   after a decrease by more than a third, to find the old rate again, ever more rarely;
 *   while the application sends much less than the estimate (ALR), ever more rarely.
 *
 * Clusters of at least five packets and 30 ms; "probing" in draft-ietf-rmcat-gcc-02 is left to the
 * application, dispersion of packet trains: Dovrolis, Ramanathan, Moore, "Packet-Dispersion
 * Techniques and a Capacity-Estimation Methodology", 2004.
 *
 * Plain data, zeroed to begin with.
 */
#pragma once
#include "media/rtp/twcc.h"

typedef enum { PROBE_IDLE, PROBE_WANTED, PROBE_SENDING, PROBE_SENT } ProbeState;

typedef struct {
  ProbeState state;
  double bps;      /* of the cluster */
  guint bytes;     /* to be sent */
  gint64 state_us; /* since when in this state */
  /* the cluster: all that left between these */
  gint64 from_us, to_us;
  guint sent, arrived, lost;
  guint64 sent_bytes, arrived_bytes;
  guint first_size, last_size; /* of the packet that arrived first; that left last */
  gint64 first_arrived_us, last_arrived_us;
  gboolean newer; /* a packet that left after it was reported */

  gboolean started;                 /* the one at the start was made */
  gint64 alr_us, alr_interval_us;   /* last one in ALR */
  gint64 back_us, back_interval_us; /* last one to find an old rate again */
  double back_bps;                  /* that rate; 0: none */
  gboolean go_on;                   /* the last one found much room: another at once */
} Probe;

typedef struct {
  double bps, max_bps;
  gboolean calm;  /* no queue, no loss of ours, nothing draining, feedback comes */
  gboolean above; /* rate_control_above_capacity() */
  gboolean alr;
  gboolean startup;
  gint64 shrunk_us;  /* last decrease */
  double before_bps; /* rate before it */
} ProbeInput;

/* Decides whether one is wanted now. */
void probe_consider (Probe *probe, const ProbeInput *input, gint64 now_us);
/* The cluster begins; it ends by probe_end(). */
void probe_begin (Probe *probe, gint64 now_us);
void probe_sent (Probe *probe, guint size, gint64 now_us);
void probe_end (Probe *probe, gint64 now_us);
/* Forget it: nothing was sent, or the link is another one. */
void probe_cancel (Probe *probe);
/* A packet's fate, any packet. */
void probe_result (Probe *probe, const TwccResult *result);
/* TRUE: it is answered. ret_bps: what arrived; ret_saturated: less than was sent. */
gboolean probe_answered (Probe *probe, gint64 rtt_us, gint64 now_us, double *ret_bps,
                         gboolean *ret_saturated);
