/* The hub: one loop thread that owns every peer, routes the clinic's frames to them, forwards
 * each peer's own tracks to the others, and hands what they send to the recorder.
 *
 * Star topology (docs/architecture.md): every browser has one peer connection with the station.
 * The station offers; a page asks for a renegotiation by hub_offer().
 *
 * Threads: every function may be called from any thread; it posts to the loop and returns at
 * once. Events of HubEvents come in the GMainContext given to hub_new(), except `frame`, which
 * comes on the loop thread and must not block.
 */
#pragma once
#include "media/rung.h"
#include "media/transport/candidate.h"
#include "media/transport/file_parts.h"
#include "media/transport/relay.h"

typedef struct Hub Hub;

enum { HUB_WAVE_STEPS = 4 };

typedef enum {
  HUB_PEER_NEW,        /* waiting for the answer */
  HUB_PEER_CONNECTING, /* ICE, DTLS under way */
  HUB_PEER_CONNECTED,
  HUB_PEER_PAUSED, /* consent lost; comes back by itself or by a restart */
  HUB_PEER_FAILED, /* never connected, or a fingerprint did not match */
  HUB_PEER_CLOSED, /* the other side said goodbye */
} HubPeerState;

/* With a conference's server one description is exchanged, over HTTP (RFC 9725,
 * draft-ietf-wish-whep); there are no data channels. */
typedef enum {
  HUB_WAY_PAGE,
  HUB_WAY_PUBLISH, /* offers one sound and one picture, takes nothing */
  HUB_WAY_READ,    /* offers to take one sound and one picture */
  HUB_WAY_ANSWER,  /* the other side offers one sound and one picture, or one of them */
} HubWay;

typedef struct {
  HubWay way;
  const char *voice, *camera; /* PUBLISH: sources; NULL: none */
  const char *offer;          /* ANSWER: of the other side */
  const char *stun_server;    /* not PAGE: "host:port" in the place of the hub's; NULL: the hub's */
  const GPtrArray *relays;    /* not PAGE: Relay, likewise; copied */
  gboolean loopback;          /* the console on this machine: gather 127.0.0.1 and ::1 too */
  gboolean local;             /* on this machine: nothing is measured, the uplink is not used */
  gboolean trusts_host;       /* FALSE: send no host candidates of the clinic's network */
  /* It waits for hub_open_peer(): its offer tells nothing of the clinic, neither source nor
   * address; no socket is opened, no encoder started, and no time runs. */
  gboolean reserved;
  gboolean known;    /* reserved, for somebody who was in before: its offer names the sources */
  const char *label; /* name of the peer's own media stream at the other peers (msid); [a-z0-9-]+ */
} HubPeerConfig;

typedef enum {
  HUB_SIGHT_FULL,
  HUB_SIGHT_SMALLER, /* a worse rung than there is, for want of bits or of this machine's time */
  HUB_SIGHT_STILLS,  /* of what the peer looks at: sound and stills only */
} HubSight;

typedef struct {
  double rtt_ms;      /* < 0 unknown */
  double loss;        /* share of our packets lost, 0..1, last report */
  double heard_loss;  /* of the sound that it sends: not there in time, over some seconds */
  guint estimate_bps; /* what we believe this peer's link carries */
  guint sent_bps, received_bps;
  gboolean relayed;
  gboolean has_path;           /* the next three are known */
  CandidateType local, remote; /* of the pair in use */
  gboolean ipv6;
  guint64 nacks, retransmitted, plis;
  guint64 packets_sent, packets_received; /* datagrams */
  guint64 srtp_errors;                    /* did not authenticate, or replayed */
  HubSight sight;
  guint layers;      /* encodings of its picture that are of use: 2 when several watch it */
  gboolean lean;     /* somebody who hears it has a link for little more than sound */
  gboolean machine;  /* rungs are bounded by this machine's time, not by the link */
  guint64 redundant; /* older sound that went along with new sound (RED) */
  guint64 parity;    /* packets that make lost ones of pictures good (FlexFEC) */
} HubPeerStats;

/* A stream that a peer gets. */
typedef struct {
  char name[80]; /* as in the offer: "source-room", "peer-<label>" */
  MediaKind kind;
  MediaCodec codec;
  int rung;            /* of its source, or layer of its sender; -1: nothing is sent */
  guint bps;           /* allotted, on the wire */
  guint width, height; /* 0: not known */
  gboolean looked_at;
  guint32 timestamp;   /* of RTP: what is taken at timestamp_us (CLOCK_MONOTONIC) carries it */
  gint64 timestamp_us; /* 0: nothing was sent yet */
} HubStreamStats;

typedef struct {
  /* Of HUB_WAY_ANSWER: the answer, with all candidates; again after hub_restart(). */
  void (*offer) (Hub *hub, const char *peer, const char *sdp, void *arg);
  /* line: "candidate:..." without "a="; NULL: no more. */
  void (*candidate) (Hub *hub, const char *peer, const char *mid, const char *line, void *arg);
  void (*state) (Hub *hub, const char *peer, HubPeerState state, const char *reason, void *arg);
  void (*channel) (Hub *hub, const char *peer, const char *label, gboolean open, void *arg);
  void (*message) (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data,
                   void *arg);
  /* A peer's own track began or ended to carry packets (mute, camera off). */
  void (*track) (Hub *hub, const char *peer, MediaKind kind, gboolean on, void *arg);
  /* A live outlet of a source (codec and rung; stills are MEDIA_JPEG) is wanted or not any more; a
   * key frame is wanted; a target. */
  void (*want_live) (Hub *hub, const char *source, MediaCodec codec, guint rung, gboolean on,
                     void *arg);
  void (*want_keyframe) (Hub *hub, const char *source, MediaCodec codec, guint rung, void *arg);
  void (*want_bitrate) (Hub *hub, const char *source, MediaCodec codec, guint rung, guint bps,
                        void *arg);
  /* What the peer's link can carry of pictures has changed. */
  void (*sight) (Hub *hub, const char *peer, HubSight sight, void *arg);
  /* Sound: what an encoder shall expect its listeners to lose, per cent, for its own FEC. */
  void (*want_loss) (Hub *hub, const char *source, MediaCodec codec, guint rung, guint percent,
                     void *arg);
  /* What a peer sent, depacketized, for the record. Loop thread. */
  void (*frame) (Hub *hub, const char *peer, const char *label, MediaKind kind, Frame *frame,
                 void *arg);
  /* Which step of hub_ask_waves() the peer's link carries; -1: none. */
  void (*waves) (Hub *hub, const char *peer, int step, void *arg);
  /* What a relay said when it was asked: the first time, and when that changes. */
  void (*relay) (Hub *hub, const char *url, const RelayReport *report, void *arg);
} HubEvents;

typedef struct {
  guint16 port_min, port_max; /* UDP ports for ICE; 0: any */
  const char *stun_server;    /* "host:port" or NULL */
  const GPtrArray *relays;    /* Relay, copied; NULL: none */
  guint encoders; /* what live encoders may take, thousandths of a core; 0: half of the machine */
} HubConfig;

Hub *hub_new (const HubConfig *config, GMainContext *events_context, const HubEvents *events,
              void *arg, GError **error);
/* Ends all peers (DTLS close_notify) and joins the thread. From the thread of the events' context;
 * no event comes afterwards. */
void hub_free (Hub *hub);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hub, hub_free)

/* Sources must be added before the peers that shall see them; order is the order in the offer. */
void hub_add_source (Hub *hub, const char *source, MediaKind kind);
/* A source of sound that only HUB_WAY_PUBLISH sends: its frames are the caller's own. */
void hub_add_voice (Hub *hub, const char *source);
/* The encoder of a microphone's first rung runs, whoever listens. */
void hub_keep_live (Hub *hub, const char *source, gboolean on);
/* What is kept of a source while bits are short (rung.h); RUNG_BALANCED till told. A microphone
 * with RUNG_FAITHFUL is a stethoscope: sent only to who looks at it, in a place of its own among
 * what shares the bits. It holds from the next key frame on. */
void hub_prefer (Hub *hub, const char *source, RungPrefer prefer);
/* What this peer says itself is sent on to nobody; it still comes by HubEvents.frame. */
void hub_mute_peer (Hub *hub, const char *peer, gboolean muted);
/* Muted: peers get no packets of this source (the console owns the room's microphone). */
void hub_mute_source (Hub *hub, const char *source, gboolean muted);
/* A live frame. Any thread. */
void hub_push_frame (Hub *hub, const char *source, Frame *frame);

/* Creates the peer and emits its offer, with the candidates that are known at once. The id is the
 * caller's, [A-Za-z0-9_-]{1,64}; an older peer of that id is removed. Live encoders are wanted from
 * here on, before the answer. A peer without an answer fails after 30 s ("no-answer"). */
void hub_add_peer (Hub *hub, const char *peer, const HubPeerConfig *config);
/* A reserved peer comes in: from here on it is as one that has just been added. answer: to the
 * offer of the reservation, checked as by hub_answer(). Candidates follow, and, unless it is
 * known, an offer of what there is to see, so that the path is sought while the page still reads
 * that offer. Nothing when there is no such peer, or it is not reserved. */
void hub_open_peer (Hub *hub, const char *peer, const char *label, const char *answer);
/* A new offer with what the peer shall see now. ice_restart: the path is to be sought anew, with
 * DTLS, SSRCs and RTP state kept. One offer is under way at a time: the new one follows the answer
 * to it, or takes its place when none came within 3 s, at once when it is known as lost (the socket
 * that it went by is gone). Restarts come half a second apart at least. */
void hub_offer (Hub *hub, const char *peer, gboolean ice_restart, gboolean lost);
/* Checked on the loop: an answer that does not fit comes back as HUB_PEER_FAILED with a reason
 * "answer: ..." that names the line. In a session that was answered before, the page is first
 * offered the present state once more. Answers without an offer under way are ignored. */
void hub_answer (Hub *hub, const char *peer, const char *sdp);
/* HUB_WAY_ANSWER: the other side restarts ICE with these credentials. */
void hub_restart (Hub *hub, const char *peer, const char *ufrag, const char *pwd);
void hub_candidate (Hub *hub, const char *peer, const char *mid, const char *line);
void hub_remove_peer (Hub *hub, const char *peer);

/* Asks a peer (NULL: every one) for a key frame of the picture it sends: recording begins. */
void hub_request_keyframe (Hub *hub, const char *peer);

/* Sends on a data channel that the station opened in every peer:
 *   "data" reliable and ordered (JSON text), "wave" unordered with a lifetime of 1.5 s.
 * ("still" and "file" are the hub's own: docs/protocol.md.)
 * peer NULL: to all. Dropped while the channel is not open (send the present state at the event
 * `channel`), and with a log line when more than 4 MiB wait. */
void hub_send (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data);

/* Waves are to be sent to all peers: what each way of sending them takes, bits a second on the
 * wire, the best first; n ≤ HUB_WAVE_STEPS, 0: none are to be sent any more. They come after the
 * sound and before all pictures (media/congestion/allocation.h). Who may have which is told by the
 * event `waves`; sending is the caller's, by hub_send(). */
void hub_ask_waves (Hub *hub, const guint *bps, guint n);

/* Sends these parts of a file over the channel "file" (docs/protocol.md), in the place of what is
 * under way there: after sound and vital signs, whatever a chunk needs to get through. id: for the
 * page, any bytes. data NULL: nothing more. */
void hub_send_file (Hub *hub, const char *peer, const guint8 id[FILE_ID_BYTES], GBytes *data,
                    const FilePart *wanted, guint n);

/* What the peer looks at: names of streams as in the offer, NULL-terminated; NULL: not told, all
 * alike. What it does not look at is sent as a thumbnail, or not. */
void hub_look (Hub *hub, const char *peer, const char *const *streams);

/* What each stream of a peer gets now: HubStreamStats, in the order of the offer (transfer full).
 * Any thread, does not wait for the loop. */
GArray *hub_stream_stats (Hub *hub, const char *peer);
/* Latest figures; FALSE when there is no such peer. Any thread, does not wait for the loop. */
gboolean hub_stats (Hub *hub, const char *peer, HubPeerStats *ret_stats);
