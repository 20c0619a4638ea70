/* Inside of a peer, shared by peer.c (life, state, channels), peer_path.c (ICE, restart, datagrams)
 * and peer_media.c (lines, RTP, SRTP). One thread: the context's. */
#pragma once
#include "media/rtp/rtp_session.h"
#include "media/transport/channel.h"
#include "media/transport/dtls.h"
#include "media/transport/ice.h"
#include "media/transport/peer.h"
#include "media/transport/sctp.h"
#include "media/transport/srtp_session.h"
#include "media/transport/timer.h"

enum {
  PEER_MAX_LINES = 64,
  PEER_MAX_EARLY_CANDIDATES = ICE_MAX_REMOTE_CANDIDATES,
  PEER_BATCH = 16, /* packets sent by one call of the kernel */
  PEER_BATCH_ROOM = RTP_PACKET_CAPACITY + SRTP_SESSION_OVERHEAD,
};

typedef struct PeerLine PeerLine;

/* One encoding that comes in on a line: the only one, or one of a simulcast. */
typedef struct {
  PeerLine *line;
  RecvStream *stream;
  guint layer;    /* 0: the best */
  guint32 source; /* its number among all of all peers */
  gint64 last_packet_us, last_frame_us;
} PeerEncoding;

/* One RTP m-line. */
struct PeerLine {
  Peer *peer;
  char *mid;
  MediaKind kind;
  gboolean ours;    /* we send on it */
  gboolean active;  /* by its direction */
  SdpStream stream; /* SSRCs; of a line that we receive: those of the answer, 0 when unknown */
  /* sending */
  SdpCodec codec;
  SendStream *send;
  gboolean takes_fec; /* the other side does */
  /* receiving */
  PeerEncoding encodings[SDP_MAX_RIDS];
  guint n_encodings;
  gboolean red; /* it can send RED */
  guint told;   /* the layer whose frames are told */
  gboolean on;  /* packets come */
  gint64 last_packet_us;
};

struct Peer {
  GMainContext *context;
  char *name;
  PeerEvents events;
  void *arg;
  gboolean answerer, closed, final; /* final: nothing more will change */
  guint start_bps;
  PeerState state;
  SessionCert *cert;
  char *cname;

  /* What happened inside a call of the hub's is told from the loop. */
  GQueue deferred; /* Deferred */
  Timer *defer;

  /* The path. Agents that are done with live on for a moment, for packets under way. */
  PeerConfig ice_config; /* strings are ours */
  Ice *ice;              /* the live one */
  Ice *next_ice;         /* the one of a restart, until it is connected */
  Ice *moving_ice;       /* takes the live one's session over at new addresses */
  GPtrArray *retired;    /* Ice */
  Ice *receiving;        /* whose datagram is in work */
  Timer *retire, *no_path;
  gboolean started;
  GPtrArray *early_candidates; /* char *; those that came before their answer */

  /* What the answer said. */
  gboolean has_remote, dtls_client;
  char *fingerprint;
  guint16 sctp_port;
  guint32 max_message_size;

  Dtls *dtls;
  SrtpSession *srtp;
  Sctp *sctp;
  Channels *channels;

  RtpSession *rtp;  /* from the first agreed line on */
  GPtrArray *lines; /* PeerLine */
  Timer *rtp_timer, *track_timer;
  gint64 rtp_armed_us; /* G_MAXINT64: not armed */
  guint8 *batch;       /* protected packets until the flush: PEER_BATCH of PEER_BATCH_ROOM bytes */
  UdpDatagram batched[PEER_BATCH];
  guint n_batched;

  guint64 packets_sent, packets_received;
};

/* ---- peer.c ---- */

typedef enum {
  DEFERRED_CANDIDATE,
  DEFERRED_STATE,
  DEFERRED_KEYFRAME,
  DEFERRED_ESTIMATE,
  DEFERRED_TRACK,
} DeferredKind;

/* text: candidate (NULL: no more), reason, or mid; number: state, bit/s, on. */
void peer_defer (Peer *peer, DeferredKind kind, const char *text, guint number);
/* Finds the state anew from those of ICE and DTLS. */
void peer_update_state (Peer *peer);
void peer_end (Peer *peer, PeerState state, gboolean final, const char *reason);
void peer_log (Peer *peer, const char *event, const char *detail);
/* Begins the handshake as soon as path and answer are there. */
void peer_try_dtls (Peer *peer);

/* ---- peer_path.c ---- */

gboolean peer_path_init (Peer *peer, const PeerConfig *config, GError **error);
void peer_path_clear (Peer *peer);
void peer_path_send (Peer *peer, const UdpDatagram *datagrams, guint n);
/* What is being received is authentic. */
void peer_path_heard (Peer *peer);
/* The newest generation, which the offer describes. */
Ice *peer_path_newest (Peer *peer);
gboolean peer_path_set_remote (Peer *peer, const char *ufrag, const char *pwd, GError **error);

/* ---- peer_media.c ---- */

void peer_media_init (Peer *peer);
void peer_media_clear (Peer *peer);
/* DTLS is connected: makes the SRTP session. */
gboolean peer_media_keys (Peer *peer, GError **error);
/* Media may flow, or not. */
void peer_media_set_flowing (Peer *peer, gboolean flowing);
/* Packets go another way from now on. */
void peer_media_path_changed (Peer *peer);
void peer_media_receive (Peer *peer, guint8 *datagram, gsize size);
void peer_media_bye (Peer *peer);
