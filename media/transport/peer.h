/* The whole of one connection with one browser: ICE, DTLS, SRTP, SCTP, and RTP's feedback and
 * pacing. docs/transport.md has the layers.
 *
 * A peer knows nothing of SDP texts: the hub writes the offer from peer_local() and the streams of
 * peer_add_send_line(), and gives back what offer and answer agreed on (sdp.h).
 *
 * Life:
 *   peer_new                      one ICE agent, no socket yet
 *   peer_add_send_line ...        one per line we send on, in any number; later ones any time
 *   peer_start                    gathers; `candidate` events follow, from the loop
 *   peer_set_remote, peer_set_line  from the answer; again after each renegotiation
 *   peer_close / peer_free
 *
 * Threads: everything on the one GMainContext of the config; no function blocks, no lock. Events
 * come from that context, and never from inside a call of the hub into the peer. An event handler
 * may call any function of this header, peer_close() included, but not peer_free(); those of
 * `packet` and `frame` only peer_forward() and peer_request_keyframe(), of whichever peer.
 */
#pragma once
#include "certs/session_cert.h"
#include "media/rtp/recv_stream.h"
#include "media/transport/candidate.h"
#include "media/transport/relays.h"
#include "media/transport/sdp.h"

#define PEER_ERROR (peer_error_quark ())
GQuark peer_error_quark (void);
typedef enum {
  PEER_ERROR_CONFIG,  /* a server's address that cannot be used */
  PEER_ERROR_REMOTE,  /* what the other side wants cannot be done */
  PEER_ERROR_CHANNEL, /* no such channel, not open, too much waits, message too large */
  PEER_ERROR_FAILED,  /* a library refused */
} PeerError;

typedef struct Peer Peer;

typedef enum {
  PEER_NEW,        /* waits for the answer */
  PEER_CONNECTING, /* ICE or DTLS under way */
  PEER_CONNECTED,  /* media and channels may flow */
  PEER_PAUSED,     /* path or consent lost (RFC 7675); comes back by itself or by a restart */
  PEER_FAILED,     /* "no-path": not connected within 30 s, may still come to life;
                    * "fingerprint", "dtls": final */
  PEER_CLOSED,     /* the other side sent close_notify; final */
} PeerState;

typedef struct {
  GMainContext *context;      /* the loop; a reference is taken */
  const char *name;           /* for the log */
  gboolean answerer;          /* the other side offered: ICE controlled (RFC 8445 §6.1.1) */
  gboolean loopback;          /* gather 127.0.0.1 and ::1 too */
  gboolean hide_host;         /* tell no host candidates; the server's view of us only */
  guint16 port_min, port_max; /* UDP; 0: any */
  const char *stun_server;    /* "host:port", "[::1]:3478" or NULL */
  Relays *relays;             /* must outlive the peer; NULL: none */
  guint start_bps;            /* first estimate; 0: 1 Mbit/s */
  RtpExtIds ext;              /* the other side's, when it offered; all 0: the station's (sdp.h) */
} PeerConfig;

/* What the offer says of us; pointers stay good until the next peer_restart_ice(). */
typedef struct {
  const char *ufrag, *pwd;  /* of the newest ICE generation */
  const char *fingerprint;  /* SHA-256 */
  const char *cname;        /* one per peer, random */
  guint32 max_message_size; /* bytes we take in one message */
} PeerLocal;

/* What the answer says of the other side. */
typedef struct {
  const char *ufrag, *pwd;
  const char *fingerprint;  /* SHA-256 */
  SdpSetup setup;           /* their role: ACTIVE makes us the DTLS server, PASSIVE the client */
  guint16 sctp_port;        /* 0: no channels */
  guint32 max_message_size; /* bytes they take in one message; 0: any */
} PeerRemote;

typedef struct {
  double rtt_ms;      /* < 0 unknown */
  double loss;        /* share of our packets lost, 0..1, last report */
  double recent_loss; /* the same over some seconds; 0 while little is known */
  double heard_loss;  /* of the sound that it sends: not there in time, likewise */
  guint estimate_bps;
  guint sent_bps, received_bps; /* over the last second, UDP payload */
  gboolean relayed;
  gboolean has_path;           /* the next three are known */
  CandidateType local, remote; /* of the pair in use */
  gboolean ipv6;
  guint64 nacks, retransmitted, plis;     /* of the other side's asking */
  guint64 redundant;                      /* older sound that went along with new sound (RED) */
  guint parity_packets;                   /* peer_set_parity() would be worth it; 0: none is */
  guint64 parity;                         /* packets of FlexFEC sent */
  guint64 packets_sent, packets_received; /* datagrams */
  guint64 srtp_errors;                    /* did not authenticate, or replayed */
} PeerStats;

typedef struct {
  /* line: "candidate:..." without "a="; NULL: no more. Always of the newest ICE generation. */
  void (*candidate) (Peer *peer, const char *line, void *arg);
  /* reason: machine word first ("fingerprint: ..."), NULL when there is none. */
  void (*state) (Peer *peer, PeerState state, const char *reason, void *arg);
  void (*channel) (Peer *peer, const char *label, gboolean open, void *arg);
  void (*message) (Peer *peer, const char *label, gboolean text, GBytes *data, void *arg);
  /* A whole frame of the line `mid`, depacketized, in order. (transfer none) */
  void (*frame) (Peer *peer, const char *mid, Frame *frame, void *arg);
  /* Every RTP packet of the line `mid`, once, as it arrives, for peer_forward() at other peers.
   * source: names the line among all lines of all peers. */
  void (*packet) (Peer *peer, const char *mid, guint32 source, const RtpIncoming *packet,
                  void *arg);
  /* The line `mid` began or ended to carry packets (mute, camera off). */
  void (*track) (Peer *peer, const char *mid, gboolean on, void *arg);
  /* The other side cannot decode what we send on `mid` without a key frame. */
  void (*keyframe) (Peer *peer, const char *mid, void *arg);
  /* Changed by more than a few per cent. */
  void (*estimate) (Peer *peer, guint bps, void *arg);
} PeerEvents;

/* cert: (transfer full), also on error. Strings are copied. */
Peer *peer_new (const PeerConfig *config, SessionCert *cert, const PeerEvents *events, void *arg,
                GError **error);
/* Says goodbye (RTCP BYE, SCTP abort, DTLS close_notify); no event follows. Twice does no harm. */
void peer_close (Peer *peer);
void peer_free (Peer *peer); /* closes first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

PeerState peer_state (Peer *peer);
void peer_local (Peer *peer, PeerLocal *ret_local);
void peer_start (Peer *peer);

/* A line that we send on, with fresh SSRCs for the offer. FALSE when the mid is taken. */
gboolean peer_add_send_line (Peer *peer, const char *mid, MediaKind kind, SdpStream *ret_stream);
/* Forgets a line of either direction; the mid may be used again. */
void peer_remove_line (Peer *peer, const char *mid);

/* ICE and DTLS of the answer. A changed ufrag belongs to the restart under way. Errors: REMOTE;
 * a fingerprint that changes in a running session is refused. */
gboolean peer_set_remote (Peer *peer, const PeerRemote *remote, GError **error);
/* What was agreed for one RTP line. Sets the codec of a line of ours, or makes or changes the
 * line we receive on. */
gboolean peer_set_line (Peer *peer, const char *mid, const SdpAgreedLine *line, GError **error);
/* Candidate of the other side; NULL or "": no more. Unusable ones (host names, TCP, priority 0)
 * are left out silently: peer-reflexive candidates take their place. Bounded number. */
void peer_add_candidate (Peer *peer, const char *line);

/* Makes a second agent beside the live one, with fresh credentials; peer_local() tells them and
 * `candidate` events follow. Media moves over when it is connected; DTLS, SRTP and RTP state stay.
 */
gboolean peer_restart_ice (Peer *peer, GError **error);

/* This machine's addresses changed. When the path began at one that is gone, or has fallen silent,
 * a second agent takes the session over at those that are here now, without a word to the other
 * side; media moves over when it is connected. TRUE when it does so. */
gboolean peer_network_changed (Peer *peer);
/* The other side is there: an authentic packet came by the live path within the last second. */
gboolean peer_has_path (Peer *peer);

/* Sends a frame on `mid`. Silently dropped while not connected, when its codec is not the line's,
 * and, for video, until the first key frame. */
void peer_send_frame (Peer *peer, const char *mid, Frame *frame);
/* Sends on a packet that another peer's `packet` event brought: SSRC, number, time stamp, payload
 * type and header extensions are rewritten. FALSE: `source` is new here, or lost its thread, and
 * forwarding begins with its next key frame: ask that peer by peer_request_keyframe(). */
gboolean peer_forward (Peer *peer, const char *mid, guint32 source, const RtpIncoming *packet);
/* Which moment (CLOCK_MONOTONIC, µs) an RTP timestamp of what we send on `mid` stands for. FALSE:
 * nothing was sent there yet. */
gboolean peer_frame_clock (Peer *peer, const char *mid, guint32 *ret_timestamp, gint64 *ret_us);
/* Pictures of a line of ours, where the other side takes FlexFEC: a parity packet goes behind so many
 * packets, 0: none. */
gboolean peer_takes_parity (Peer *peer, const char *mid);
void peer_set_parity (Peer *peer, const char *mid, guint packets);
/* The other side can send RED on the line that we receive. */
gboolean peer_receives_red (Peer *peer, const char *mid);
/* The codec agreed on for a line of ours; NONE before peer_set_line(). */
MediaCodec peer_send_codec (Peer *peer, const char *mid);
/* Asks the other side for a key frame of the line that we receive (PLI, or FIR). */
void peer_request_keyframe (Peer *peer, const char *mid);
/* For a viewer that had a picture and lost it: asked for as often as key frames may cost. */
void peer_pass_keyframe_request (Peer *peer, const char *mid);

/* Sends on an open channel. Errors: CHANNEL. At most 4 MiB wait. */
gboolean peer_send (Peer *peer, const char *label, gboolean text, GBytes *data, GError **error);

/* Messages of all channels that the other side has not acknowledged. */
guint peer_outstanding (Peer *peer);
/* Packets of the line are left out: forwarding begins again with a key frame. */
void peer_break_forward (Peer *peer, const char *mid);

/* Nothing gets through to it for now. */
gboolean peer_is_silent (const Peer *peer);
void peer_stats (Peer *peer, PeerStats *ret_stats);
