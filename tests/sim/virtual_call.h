/* Calls over a virtual link: one or more senders of sound and picture (RtpSession, with a made-up
 * encoder that follows the estimate) share an uplink; their receivers answer over a downlink. Used
 * by unit tests and benches of congestion control.
 *
 * Timers of the sessions fire on the grid of the peer's (5 ms). One thread; time is virtual.
 */
#pragma once
#include "media/rtp/rtp_session.h"
#include "link_profile.h"

enum { CALL_MAX_FLOWS = 4, CALL_OVERHEAD = 44 };

typedef struct {
  guint start_bps, min_bps, max_bps;  /* of the estimate, 0 as in rtp_session.h */
  guint video_min_bps, video_max_bps; /* what the encoder can; 0: 50 kbit/s, no limit */
  gboolean no_audio, no_video;
  gboolean no_feedback;  /* the other side has no transport-cc, */
  gboolean untold_audio; /* or has it for video only */
  gint64 start_us;       /* joins then, from the call's begin */
} FlowConfig;

typedef struct VirtualCall VirtualCall;

/* What a flow did since the last virtual_call_reset(). */
typedef struct {
  guint64 sent_bytes, arrived_bytes; /* on the wire, RTP, with padding */
  guint64 media_bytes;               /* arrived for the first time: without RTX and padding */
  guint video_frames, audio_frames;  /* whole ones, received */
  gint64 audio_gap_us;               /* longest time between two packets of sound */
  gint64 audio_delay_us;             /* longest from its sending to its arrival */
  guint estimate_min, estimate_max;
  double estimate_mean;
} FlowFigures;

VirtualCall *virtual_call_new (const VirtualLinkConfig *up, const VirtualLinkConfig *down,
                               const FlowConfig *flows, guint n_flows, guint32 seed);
void virtual_call_free (VirtualCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirtualCall, virtual_call_free)

void virtual_call_run (VirtualCall *call, gint64 us);
gint64 virtual_call_now (const VirtualCall *call);
VirtualLink *virtual_call_up (VirtualCall *call);
VirtualLink *virtual_call_down (VirtualCall *call);
/* The uplink carries that from now on. */
void virtual_call_set_capacity (VirtualCall *call, guint bps);
void virtual_call_set_up (VirtualCall *call, const VirtualLinkConfig *up);
/* How long a packet sent now would wait in the uplink. */
gint64 virtual_call_queue_us (VirtualCall *call);
/* Both directions are dark for so long. */
void virtual_call_cut (VirtualCall *call, gint64 us);
/* The sender's process sleeps for so long: frames wait, nothing is sent or read. */
void virtual_call_stall (VirtualCall *call, guint flow, gint64 us);
/* The receivers (or else the senders' reading of feedback) sleep for so long. */
void virtual_call_hold (VirtualCall *call, gboolean receivers, gint64 us);
/* The receiver says REMB. */
void virtual_call_remb (VirtualCall *call, guint flow, guint bps);
/* The encoder gives so much of what it may: 1, 0.1, or nothing at all. */
void virtual_call_set_need (VirtualCall *call, guint flow, double scale);
/* Greedy packets that no estimate holds, as a TCP-like neighbour in the uplink: additive increase,
 * halves on loss. 0: none. */
void virtual_call_set_neighbour (VirtualCall *call, gboolean on);
double virtual_call_neighbour_bps (VirtualCall *call);

guint virtual_call_estimate (VirtualCall *call, guint flow);
RtpSession *virtual_call_session (VirtualCall *call, guint flow);
/* What it sent over the last 200 ms, bits per second on the wire. */
guint virtual_call_sent_bps (VirtualCall *call, guint flow);
/* What arrived over the last second. */
guint virtual_call_arrived_bps (VirtualCall *call, guint flow);
void virtual_call_reset (VirtualCall *call);
void virtual_call_figures (VirtualCall *call, guint flow, FlowFigures *ret_figures);
