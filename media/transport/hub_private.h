/* Inside of the hub. All of this belongs to the loop thread, but for what is marked.
 *
 *   hub.c          the thread and its commands
 *   hub_events.c   its events
 *   hub_peer.c     one peer: life, events, lines
 *   hub_offer.c    offers and answers of a peer
 *   hub_source.c   sources: viewers, key frames, who gets which frame
 *   hub_forward.c  what one peer sends, to all others
 *   hub_server.c   peers that are a conference's servers
 *   hub_network.c  this machine's addresses change, a path is lost
 *   hub_allocate.c who gets which rung: between allocation.h and the lines
 *   hub_bitrate.c  what the encoders shall aim at
 *   hub_direct.c   away from relays
 *   hub_file.c     files to who asked for them
 *   hub_still.c    pictures now and then for who gets no video
 *   hub_sound.c    how sound is guarded against loss, both ways
 *   hub_stats.c    figures that any thread may read
 */
#pragma once
#include "media/congestion/allocation.h"
#include "media/transport/hub.h"
#include "media/transport/mailbox.h"
#include "media/transport/network_monitor.h"
#include "media/transport/peer.h"
#include <pthread.h>

typedef struct HubSource HubSource;
typedef struct HubPeer HubPeer;
typedef struct HubLine HubLine;

enum {
  N_CODECS = MEDIA_JPEG + 1,
  LAYERS_MAX = 3,
  HUB_LOSS_UNKNOWN = 100,
  HUB_HEADER_BYTES = 72, /* of RTP with extensions, SRTP, UDP and IP */
};

/* The frames of one source in one codec and rung. */
typedef struct {
  HubSource *source;
  MediaCodec codec;
  guint rung;
  GPtrArray *viewers; /* HubLine; those that are about to change to it, too */
  guint holds;        /* others who need it */
  gboolean live;      /* want_live was told */
  GSource *linger;    /* ends it */
  GPtrArray *gop;     /* Frame: the newest key frame and what followed; empty: too much */
  gsize gop_bytes;
  gsize key_bytes;      /* size of the newest key frame */
  gint64 key_wanted_us; /* since when a key frame is waited for; 0: not */
  gboolean key_urgent;  /* by a viewer without a picture */
  gint64 key_asked_us;  /* when the encoder was asked last; 0: never */
  GSource *key_timer;
  guint width, height; /* of the newest key frame; 0: unknown */
  guint bitrate;       /* told by want_bitrate; 0: none */
  gint64 raised_us;    /* when it rose last */
  guint loss;          /* told by want_loss, per cent; HUB_LOSS_UNKNOWN: not told */
} HubOutlet;

struct HubSource {
  Hub *hub;
  char *name;
  MediaKind kind;
  RungPrefer prefer;
  gboolean muted;
  gboolean voice;      /* hub_add_voice() */
  gboolean kept;       /* hub_keep_live() */
  guint width, height; /* of the whole picture; 0: not known yet */
  guint rate;          /* of it a second; 0: not known yet */
  guint counted;       /* pictures since */
  gint64 counted_us;
  HubOutlet outlets[N_CODECS][RUNG_MAX];
};

typedef enum { LINE_SOURCE, LINE_OWN, LINE_FORWARD } HubLineRole;

/* One encoding of what a peer sends: the only one, or one of a simulcast; the best first. */
typedef struct {
  guint64 bytes; /* on the wire, since the last look */
  guint bps;     /* 0: nothing comes */
  gint64 seen_us;
} HubLayer;

/* A still under way to a peer. */
typedef struct {
  HubOutlet *outlet; /* it is a viewer of this; NULL: none */
  HubLine *line;     /* what it stands for */
  GBytes *data;      /* NULL: none is under way */
  gint64 capture_us;
  guint32 number;
  guint index, count; /* chunks */
  gint64 begun_us;
  GSource *timer;
} HubStill;

/* A file under way to a peer. */
typedef struct {
  GBytes *data; /* NULL: none */
  guint8 id[FILE_ID_BYTES];
  FileParts *parts;
  AllocationStream *share; /* NULL: none yet, or a local peer */
  double credit;           /* bytes that may be sent now */
  gint64 earned_us;
  GSource *timer;
} HubFile;

/* An m-line with RTP of one peer. */
struct HubLine {
  HubPeer *peer;
  HubLineRole role;
  MediaKind kind;
  char *mid;
  gboolean rejected; /* by an answer: never used again */
  gboolean unsaid;   /* in no description */
  SdpStream stream;  /* ours: SOURCE, FORWARD in use */
  MediaCodec codec;  /* agreed on, or expected before the first answer; NONE: not in use */
  /* SOURCE */
  HubSource *source;
  HubOutlet *viewing; /* it is one of this outlet's viewers */
  HubOutlet *next;    /* takes its place with the next key frame */
  AllocationStream *share;
  guint parity; /* packets to one of FlexFEC; 0: none goes */
  gboolean looked_at;
  gboolean agreed;                      /* an answer told the codec */
  gboolean started;                     /* video: a key frame was sent */
  gint64 key_credit_us, key_counted_us; /* what it may still ask for */
  /* OWN */
  gboolean receiving;   /* the answer says that the peer sends here */
  GPtrArray *followers; /* HubLine FORWARD of other peers */
  HubLayer layers[LAYERS_MAX];
  /* FORWARD */
  HubLine *from;   /* an OWN line of another peer; NULL: free for another */
  guint layer;     /* of its sender, that is sent on */
  int wanted;      /* layer; ALLOCATION_NONE: nothing is sent on */
  gboolean broken; /* packets were left out: it begins again with a key frame */
};

struct HubPeer {
  Hub *hub;
  char *id, *label;
  HubWay way;
  Sdp *theirs, *answer; /* ANSWER: what was offered, what we say */
  SdpAgreement *agreement;
  Relays *relays; /* its own; NULL: the hub's */
  gboolean loopback, local;
  gboolean muted;    /* its sound is sent on to nobody */
  gboolean reserved; /* till hub_peer_open() */
  gboolean known;    /* the sources are in its first offer */
  Peer *peer;
  HubPeerState state;
  GPtrArray *lines;      /* HubLine, in the order of the offer */
  HubLine *own[2];       /* by MediaKind */
  guint data_index;      /* place of the m-line for channels among the lines */
  guint estimate_bps;    /* 0: not told yet */
  PeerStats figures;     /* as read last by hub_figures_update() */
  AllocationPeer *share; /* while it may see something */
  gboolean live;         /* its link has carried something */
  gint64 little_us;      /* until then what is made for it shall be small; 0: it was never silent */
  char **looks;          /* names of streams; NULL: not told */
  HubSight sight;
  AllocationStream *waves; /* its share for waves; NULL: there are none */
  guint wave_steps;        /* step that it may have, plus one; 0: none */
  HubStill still;
  HubFile file;
  gboolean red_wanted; /* its sound shall come as RED: too much was lost without */
  guint voice_ms;      /* of one packet of its sound, as asked for; 0: whatever */
  gint64 weak_us;      /* when somebody with a weak link heard it last */
  gint64 born_us;
  gboolean closed; /* for good, by either side */
  /* offers */
  guint64 session_id, version;
  Sdp *offer; /* without an answer yet */
  gint64 offered_us, restarted_us;
  gboolean answered;     /* ever */
  gboolean all_gathered; /* before the first description */
  gboolean offer_wanted, restart_wanted, restart_offered;
  guint misfits; /* answers in a row that did not fit */
  GSource *offer_source;
  GPtrArray *gathered;  /* char *: candidates that the first offer will carry; NULL: it is out */
  GPtrArray *early;     /* char *: candidates that came before their answer */
  GHashTable *open;     /* labels of channels */
  GSource *move_source; /* a move to other addresses is given up then, for a restart */
  gint64 warned_us;     /* of a channel that is full */
  /* while its media goes through a relay */
  gint64 direct_next_us; /* when a direct way is sought; 0: not decided */
  guint direct_tries;
};

struct Hub {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  Mailbox *commands;   /* any thread posts */
  Mailbox *events_box; /* the loop posts */
  HubEvents events;
  void *arg;
  guint16 port_min, port_max;
  char *stun_server;
  GPtrArray *relay_config; /* Relay */
  Relays *relays;          /* while the thread runs */
  GPtrArray *sources;      /* HubSource */
  GHashTable *peers;       /* id -> HubPeer */
  GQueue certs;            /* SessionCert, made ahead */
  GSource *cert_source;
  NetworkMonitor *network; /* NULL: the system does not tell */
  Allocation *allocation;
  AllocationStep waves[HUB_WAVE_STEPS]; /* ways of sending waves, the best first */
  guint n_waves;
  GSource *allocate_source; /* hub_allocate_soon() */
  guint encoders;           /* thousandths of a core that they may take */
  guint best;               /* no better step than this, for want of the machine's time */
  gint64 best_us;           /* since when */
  gint64 best_pause_us;     /* before the next is tried */
  pthread_mutex_t stats_lock;
  GHashTable *stats;   /* id -> HubPeerStats, under stats_lock */
  GHashTable *streams; /* id -> GArray of HubStreamStats, under stats_lock */
};

/* hub_events.c: letters to the caller's context */
void hub_read_event (gpointer letter, gpointer owner);
void hub_free_event (gpointer letter);
void hub_emit_offer (HubPeer *peer, const char *sdp);
void hub_emit_candidate (HubPeer *peer, const char *mid, const char *line);
void hub_emit_state (HubPeer *peer, const char *reason);
void hub_emit_channel (HubPeer *peer, const char *label, gboolean open);
void hub_emit_message (HubPeer *peer, const char *label, gboolean text, GBytes *data);
void hub_emit_track (HubPeer *peer, MediaKind kind, gboolean on);
void hub_emit_want_live (HubOutlet *outlet);
void hub_emit_want_keyframe (HubOutlet *outlet);
void hub_emit_want_bitrate (HubOutlet *outlet);
void hub_emit_relay (Hub *hub, const char *url, const RelayReport *report);
void hub_emit_sight (HubPeer *peer);
void hub_emit_waves (HubPeer *peer);
void hub_emit_want_loss (HubOutlet *outlet);
/* FAILED for a peer that could not be made. Any thread. */
void hub_emit_refused (Hub *hub, const char *id, const char *reason);

/* hub.c */
/* A timer on the loop; the source's only reference is the loop's. */
GSource *hub_timer (Hub *hub, guint ms, GSourceFunc callback, gpointer data);
void hub_timer_clear (GSource **timer);
SessionCert *hub_take_cert (Hub *hub, GError **error);

/* hub_peer.c */
HubPeer *hub_peer_new (Hub *hub, const char *id, const HubPeerConfig *config, GError **error);
/* A reserved peer comes in, with the answer to its offer. */
void hub_peer_open (HubPeer *peer, const char *label, const char *answer);
void hub_peer_free (HubPeer *peer);
/* It is (or will be) there: neither failed nor gone. */
gboolean hub_peer_is_alive (const HubPeer *peer);
/* Ends it for good; the HubPeer stays until the caller removes it. */
void hub_peer_give_up (HubPeer *peer, const char *reason);
void hub_peer_set_state (HubPeer *peer, HubPeerState state, const char *reason);
/* What the peer has just been given to see: its first picture now, or as soon as there is a path.
 */
void hub_peer_prepare_views (HubPeer *peer);
void hub_peer_send (HubPeer *peer, const char *label, gboolean text, GBytes *data);
HubLine *hub_peer_add_line (HubPeer *peer, HubLineRole role, MediaKind kind, const char *mid);

/* hub_offer.c */
/* A candidate of ours, NULL: no more. Into the first offer when it comes at once, else by itself.
 */
void hub_offer_gathered (HubPeer *peer, const char *line);
/* Something changed: an offer follows soon, after the answer to the one under way. */
void hub_offer_later (HubPeer *peer);
/* The same, behind the addresses of our own that are just being gathered. */
void hub_offer_after_gathering (HubPeer *peer);
/* The first description, or the answer to a restart, goes out when all is gathered, then at the
 * latest. */
void hub_offer_arm (HubPeer *peer, guint ms);
/* Moves what was gathered into a description. */
void hub_offer_add_gathered (HubPeer *peer, Sdp *sdp);
/* lost: the offer under way did not arrive. */
void hub_offer_request (HubPeer *peer, gboolean ice_restart, gboolean lost);
void hub_offer_answer (HubPeer *peer, const char *sdp);
void hub_offer_candidate (HubPeer *peer, const char *line);

/* hub_source.c */
HubSource *hub_source_new (Hub *hub, const char *name, MediaKind kind);
void hub_source_free (HubSource *source);
void hub_source_frame (HubSource *source, Frame *frame);
void hub_source_mute (HubSource *source, gboolean muted);
void hub_source_keep (HubSource *source, gboolean on);
void hub_source_prefer (HubSource *source, RungPrefer prefer);
/* Its sound is a stethoscope's. */
gboolean hub_source_is_stethoscope (const HubSource *source);
HubOutlet *hub_source_outlet (HubSource *source, MediaCodec codec, guint rung);
/* What the line shall show from now on, NULL: nothing. A line that shows something already goes on
 * with that until the other's next key frame. */
void hub_line_view (HubLine *line, HubOutlet *outlet);
/* Somebody else than a line needs the outlet (stills). */
void hub_outlet_hold (HubOutlet *outlet);
void hub_outlet_release (HubOutlet *outlet);
void hub_outlet_want_keyframe (HubOutlet *outlet);
/* The peer will soon be connected: has a young key frame made if need be. */
void hub_outlet_prepare (HubOutlet *outlet);
/* The peer is connected: the first picture. */
void hub_outlet_begin (HubOutlet *outlet, HubLine *line);

/* hub_forward.c */
/* Gives every peer a line for each line that another sends on, takes back what is not needed. */
void hub_forward_update (Hub *hub);
/* What the peer says is sent on, or not any more. */
void hub_forward_mute (HubPeer *peer, gboolean muted);
void hub_forward_packet (HubLine *own, guint32 source, const RtpIncoming *packet);
void hub_forward_detach (HubLine *line);

/* hub_server.c; peers that are no page */
/* ANSWER: reads the offer, before there is a peer. Errors: SDP_ERROR. */
gboolean hub_server_read (HubPeer *peer, const HubPeerConfig *config, GError **error);
/* The header extensions of an offer. */
RtpExtIds hub_server_ext (const Sdp *offer);
gboolean hub_server_add_lines (HubPeer *peer, const HubPeerConfig *config, GError **error);
/* ANSWER: takes ICE, DTLS and lines of the offer; the peer gathers. */
gboolean hub_server_begin (HubPeer *peer, GError **error);
/* ANSWER: emits the answer. */
void hub_server_tell (HubPeer *peer);
void hub_server_restart (HubPeer *peer, const char *ufrag, const char *pwd);

/* hub_network.c */
/* Begins to watch. Loop thread, or before it runs. */
void hub_network_watch (Hub *hub);
/* The state of this peer changed: a lost path is sought anew. */
void hub_network_state (HubPeer *peer);
/* hub_allocate.c */
/* Decides anew and brings all lines in step. A line that views anew has no picture until
 * hub_outlet_begin(). */
void hub_allocate (Hub *hub);
/* The same, by the loop's next turn: from where lines must not change. */
void hub_allocate_soon (Hub *hub);
void hub_allocate_forget (HubPeer *peer);
void hub_allocate_forget_line (HubLine *line);
/* Waves: hub_waves_ask() and hub_waves_give() before and after each allocation. */
void hub_waves_ask (HubPeer *peer);
void hub_waves_give (HubPeer *peer);
void hub_waves_set (Hub *hub, const guint *bps, guint n);
void hub_look_at (HubPeer *peer, const char *const *streams);
/* Bits of what each peer sends, since the last call. */
void hub_allocate_measure (Hub *hub, gint64 now_us);
/* The name of what the line carries, "source-room"; (transfer full). */
char *hub_line_name (const HubLine *line);

/* hub_bitrate.c */
void hub_bitrate_update (HubOutlet *outlet);
/* From bits of an encoder to bits on the wire. */
guint hub_bitrate_on_wire (const HubSource *source, MediaCodec codec, guint rung, guint bps);
/* With what would make them good when lost. */
guint hub_bitrate_with_parity (const HubLine *line, guint wire_bps);
/* Whether what is allotted has room for it. */
void hub_bitrate_set_parity (HubLine *line);

/* hub_still.c */
/* The line of which the peer shall have stills; NULL: none. */
void hub_still_show (HubPeer *peer, HubLine *line);
/* A frame of MEDIA_JPEG. */
void hub_still_frame (HubOutlet *outlet, Frame *frame);

/* hub_file.c */
/* As hub_send_file(). (transfer full) parts. */
void hub_file_send (HubPeer *peer, const guint8 id[FILE_ID_BYTES], GBytes *data, FileParts *parts);
/* Its share of what is sent to this peer, before each allocation. */
void hub_file_ask (HubPeer *peer);
void hub_file_end (HubPeer *peer);

/* hub_direct.c */
/* Now and then: restarts ICE when it is time to seek a way without a relay. */
void hub_direct_look (HubPeer *peer, gint64 now_us);
/* hub_sound.c: every half second */
void hub_sound_update (Hub *hub);

/* hub_stats.c */
/* The steps of a source for a codec; rung_count() of them. */
void hub_source_steps (const HubSource *source, MediaCodec codec, Rung steps[RUNG_MAX]);
/* Reads what the peers measure, once for all who need it in this turn: HubPeer.figures. */
void hub_figures_update (Hub *hub);
/* Somebody who hears it sees stills only: there is room for little more than sound. */
gboolean hub_is_heard_by_the_weak (const HubPeer *peer);
/* For other threads: what was read last, and what lines get now. */
void hub_stats_update (Hub *hub);
void hub_stats_remove (Hub *hub, const char *id);
