/* Session descriptions: the station's offers and the pages' answers.
 *
 * Only what WebRTC needs (RFC 8829), read and written without I/O or clock:
 *   RFC 8866 SDP, RFC 3264 offer/answer, RFC 9143 (8843) BUNDLE, RFC 8839 ICE, RFC 8840 trickle,
 *   RFC 8122/8842 DTLS, RFC 8841 data channels, RFC 5576 a=ssrc, RFC 8830 msid, RFC 8285 extmap,
 *   RFC 8851 rid, RFC 8853 simulcast (what the station receives),
 *   RFC 4588 RTX, RFC 6184 H.264, RFC 7741 VP8, RFC 7587 Opus, RFC 2198 RED.
 *
 * ICE and DTLS attributes stand once, at session level, in what we write, and are accepted at
 * either level in what we read. Only one BUNDLE group that carries all lines is supported.
 *
 * The parser takes any text: work and memory are bounded by the SDP_MAX_ limits, every error
 * names the line ("line 17, a=fingerprint: ..."). It never quotes credentials.
 */
#pragma once
#include "media/frame.h"

#define SDP_ERROR (sdp_error_quark ())
GQuark sdp_error_quark (void);
typedef enum {
  SDP_ERROR_SYNTAX,   /* not a session description, or a limit is passed */
  SDP_ERROR_MISMATCH, /* the answer does not fit the offer */
} SdpError;

enum {
  SDP_MAX_TEXT = 128 * 1024, /* bytes */
  SDP_MAX_LINE = 4096,       /* bytes in a line */
  SDP_MAX_MEDIA = 64,        /* m-lines */
  SDP_MAX_FORMATS = 96,      /* payload types in an m-line */
  SDP_MAX_STREAMS = 16,      /* primary SSRCs kept of an m-line; more are ignored */
  SDP_MAX_CANDIDATES = 64,   /* candidates kept of a description; more are ignored */
  SDP_MAX_RIDS = 3,          /* encodings of a simulcast; more are ignored */
  SDP_MAX_RID = 16,          /* bytes of a rid */
};

typedef enum { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION } SdpType;

/* From the writer's point of view; bits. */
typedef enum {
  SDP_INACTIVE = 0,
  SDP_SENDONLY = 1,
  SDP_RECVONLY = 2,
  SDP_SENDRECV = 3,
} SdpDirection;

typedef enum { SDP_SETUP_NONE, SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE } SdpSetup;

/* Payload types that the station offers; the same on every line, as BUNDLE asks for. */
enum {
  SDP_PT_VP8 = 96,
  SDP_PT_VP8_RTX = 97,
  SDP_PT_H264 = 102,
  SDP_PT_H264_RTX = 103,
  SDP_PT_FLEXFEC = 98,
  SDP_PT_OPUS = 111,
  SDP_PT_OPUS_RED = 63,
};

/* Ids of the header extensions that the station offers, one-byte form. */
enum {
  SDP_EXT_MID = 1,
  SDP_EXT_TWCC = 2,
  SDP_EXT_ABS_SEND_TIME = 3,
  SDP_EXT_RID = 4,           /* RFC 8852; only on lines with a simulcast */
  SDP_EXT_REPAIRED_RID = 5,  /* the same for RTX */
  SDP_EXT_PLAYOUT_DELAY = 6, /* pictures only */
};

typedef struct {
  MediaCodec codec;
  guint8 pt;
  guint8 rtx_pt;   /* 0: no RTX */
  guint8 red_pt;   /* Opus; 0: no RED with it */
  guint32 profile; /* H.264 profile-level-id, 24 bit */
  guint8 packetization_mode;
  /* rtcp-fb */
  gboolean nack, nack_pli, ccm_fir, transport_cc, remb;
} SdpCodec;

typedef struct {
  guint32 ssrc;
  guint32 rtx_ssrc; /* 0: none */
  guint32 fec_ssrc; /* 0: none */
} SdpStream;

typedef struct {
  char text[SDP_MAX_RID + 1];
} SdpRid;

typedef struct {
  char *mid; /* NULL when absent in a parsed text */
  SdpType type;
  SdpDirection direction;
  gboolean rejected; /* port 0 and not bundle-only */
  gboolean rtcp_mux;
  char *stream, *track; /* a=msid; NULL: none. Of several the last */
  char *beside;         /* written only: a stream that this one is played in step with */
  GArray *codecs;       /* SdpCodec, in the order of the m-line; only those we know */
  GArray *streams;      /* SdpStream */
  gboolean prefer_red;  /* written only: RED stands before Opus, which makes a browser send it */
  guint8 fec_pt;        /* FlexFEC for all codecs of the line; 0: none */
  guint ptime;          /* written only: ms of sound that a packet shall hold; 0: whatever */
  guint8 ext_mid, ext_twcc, ext_abs_send_time, ext_rid, ext_repaired_rid; /* 0: absent */
  guint8 ext_playout_delay;
  SdpRid rids[SDP_MAX_RIDS]; /* a=simulcast: of an offer those to be received, the worst first; of
                                an answer those that are sent */
  guint n_rids;
  guint16 sctp_port;        /* application; 0: absent */
  guint32 max_message_size; /* application; bytes, 65536 when absent (RFC 8841 §6.1), 0: any */
  guint line;               /* of the m-line in a parsed text, from 1; for errors */
} SdpMedia;

typedef struct {
  char *mid;  /* of the line it stood in; NULL: at session level */
  char *line; /* "candidate:...", unchecked */
} SdpCandidate;

typedef struct {
  guint64 session_id, version; /* o= */
  char *cname;                 /* for a=ssrc; written only */
  char *ufrag, *pwd;
  char *fingerprint; /* SHA-256, "AB:CD:...", upper case; NULL: none */
  SdpSetup setup;
  GPtrArray *media;      /* SdpMedia */
  GPtrArray *bundle;     /* char *: mids of the BUNDLE group; empty: no group. Filled by parsing;
                            sdp_write() bundles all lines that are not rejected */
  GPtrArray *candidates; /* SdpCandidate */
  gboolean end_of_candidates;
} Sdp;

Sdp *sdp_new (void);
void sdp_free (Sdp *sdp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sdp, sdp_free)

/* Appends a line; the Sdp owns it. Header extensions are the station's. */
SdpMedia *sdp_add_media (Sdp *sdp, SdpType type, const char *mid, SdpDirection direction);
/* Appends one of the station's codecs, with its payload types and feedback. */
void sdp_add_codec (SdpMedia *media, MediaCodec codec);
void sdp_add_stream (SdpMedia *media, guint32 ssrc, guint32 rtx_ssrc);
/* The last stream has parity packets (draft-ietf-payload-flexible-fec-scheme-03) under this SSRC.
 */
void sdp_add_fec (SdpMedia *media, guint32 fec_ssrc);
/* The station takes a simulcast on this line: one more encoding, better than those before. */
void sdp_add_rid (SdpMedia *media, const char *rid);
void sdp_set_msid (SdpMedia *media, const char *stream, const char *track);
/* The track belongs to that stream too, named first: browsers keep the tracks of a stream together
 * in time. */
void sdp_set_beside (SdpMedia *media, const char *stream);

/* The text, CRLF line ends (transfer full). Strings in it are the caller's and must be tokens. */
char *sdp_write (const Sdp *sdp);

/* Any offer or answer. NULL and error: the text is not one. */
Sdp *sdp_parse (const char *text, GError **error);

/* What offer and answer agreed on for one m-line, from the station's point of view. */
typedef struct {
  SdpDirection direction; /* SDP_INACTIVE when rejected */
  gboolean rejected;
  SdpCodec codec;  /* RTP, not rejected. Lines we send on: the answer's first codec that we offered,
                      with the payload types of the answer (RFC 3264 §6.1) */
  GArray *receive; /* SdpCodec: payload types we may receive, those of the offer; empty when we do
                      not receive */
  GArray *streams; /* SdpStream the page sends with; may be empty: then the MID extension tells */
  guint8 fec_pt;   /* lines we send on: FlexFEC, as the answer numbers it; 0: none */
  guint8 ext_mid, ext_twcc, ext_abs_send_time, ext_rid, ext_repaired_rid; /* 0: not agreed */
  guint8 ext_playout_delay;
  SdpRid rids[SDP_MAX_RIDS]; /* encodings that the page sends, the best first */
  guint n_rids;              /* 0: no simulcast */
  guint16 sctp_port;
  guint32 max_message_size;
} SdpAgreedLine;

typedef struct {
  GPtrArray *lines; /* SdpAgreedLine, as many as the offer's, same order */
} SdpAgreement;

/* Checks that the answer fits the offer: same lines, kinds and mids, everything accepted bundled
 * and with rtcp-mux, ICE credentials, a SHA-256 fingerprint, setup active or passive, and on each
 * accepted line a codec that was offered. */
SdpAgreement *sdp_agree (const Sdp *offer, const Sdp *answer, GError **error);
/* The other side offers (RFC 9725 §4.2): what we answer, and what that agrees on. We take one sound
 * and one picture, each in one codec, and send nothing; all else is rejected. ICE, fingerprint and
 * candidates of the answer are the caller's. setup: passive unless the offer says passive. */
Sdp *sdp_answer (const Sdp *offer, SdpAgreement **ret_agreement, GError **error);
SdpAgreement *sdp_agreement_new (void);
/* One more line, inactive (transfer none). */
SdpAgreedLine *sdp_agreement_add (SdpAgreement *agreement);
void sdp_agreement_free (SdpAgreement *agreement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SdpAgreement, sdp_agreement_free)
