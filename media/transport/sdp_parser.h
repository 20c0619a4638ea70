/* Inside of the SDP parser: what sdp_parse.c (lines and m-lines) and sdp_attribute.c (a=) share. */
#pragma once
#include "media/transport/sdp.h"

/* ICE and DTLS attributes of the session or of one m-line. */
typedef struct {
  char *ufrag, *pwd, *fingerprint;
  SdpSetup setup;
} SdpTransport;

/* What rtpmap, fmtp and rtcp-fb said of one payload type of the current m-line. */
typedef struct {
  gboolean listed; /* in the m-line */
  gboolean rtx;
  guint8 apt; /* of RTX */
  gboolean fec;
  gboolean red;
  guint8 blocks; /* of RED: payload type of its first block; 0: not told */
  SdpCodec codec;
} SdpPayload;

typedef struct {
  Sdp *sdp;
  guint line;         /* number of the current line, from 1 */
  const char *name;   /* what the current line is, for errors */
  GArray *transports; /* SdpTransport: [0] the session's, then one per m-line */
  /* the current m-line; media NULL: still at session level */
  SdpMedia *media;
  gboolean bundle_only;
  SdpPayload payloads[128];
  guint8 order[SDP_MAX_FORMATS];
  guint n_order;
  guint32 ssrcs[3 * SDP_MAX_STREAMS];
  guint n_ssrcs;
  SdpStream groups[2 * SDP_MAX_STREAMS]; /* each with one of its repair SSRCs */
  guint n_groups;
  SdpCodec any; /* rtcp-fb:* */
} SdpParser;

/* Sets the error "line N, NAME: what"; always FALSE. */
gboolean sdp_parser_fail (const SdpParser *parser, GError **error, const char *what);
/* Cuts the next word off *rest. NULL: no more. */
char *sdp_next_word (char **rest);
gboolean sdp_to_uint (const char *word, guint64 max, guint64 *ret);
/* attribute: what follows "a="; it is cut up. Attributes that we do not know are left out. */
gboolean sdp_parse_attribute (SdpParser *parser, char *attribute, GError **error);
