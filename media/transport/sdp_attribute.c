#include "media/transport/sdp_parser.h"
#include <string.h>

static SdpTransport *
current_transport (SdpParser *parser)
{
  return &g_array_index (parser->transports, SdpTransport, parser->transports->len - 1);
}

/* RFC 8866 §9 token, as far as we let it be long. */
static gboolean
is_token (const char *word)
{
  if (word == NULL || *word == '\0' || strlen (word) > 64)
    return FALSE;
  for (const char *c = word; *c != '\0'; c++)
    if (*c <= 0x20 || *c >= 0x7f || strchr ("\"(),/:;<=>?@[\\]", *c) != NULL)
      return FALSE;
  return TRUE;
}

/* RFC 8839 §5.4 ice-char */
static gboolean
is_ice_text (const char *word, gsize min)
{
  gsize length = strlen (word);
  if (length < min || length > 256)
    return FALSE;
  for (const char *c = word; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && *c != '+' && *c != '/')
      return FALSE;
  return TRUE;
}

/* Attributes. value: what follows the colon, "" when nothing does. */

static gboolean
parse_group (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  const char *word = sdp_next_word (&rest);
  if (g_strcmp0 (word, "BUNDLE") != 0)
    return TRUE;
  if (parser->sdp->bundle->len > 0)
    return sdp_parser_fail (parser, error, "only one BUNDLE group is supported");
  while ((word = sdp_next_word (&rest)) != NULL) {
    if (!is_token (word))
      return sdp_parser_fail (parser, error, "a mid is not a token of at most 64 characters");
    if (parser->sdp->bundle->len == SDP_MAX_MEDIA)
      return sdp_parser_fail (parser, error, "too many mids");
    g_ptr_array_add (parser->sdp->bundle, g_strdup (word));
  }
  return TRUE;
}

static gboolean
parse_ufrag (SdpParser *parser, char *value, GError **error)
{
  if (!is_ice_text (value, 4))
    return sdp_parser_fail (parser, error, "not 4 to 256 ICE characters");
  g_free (current_transport (parser)->ufrag);
  current_transport (parser)->ufrag = g_strdup (value);
  return TRUE;
}

static gboolean
parse_pwd (SdpParser *parser, char *value, GError **error)
{
  if (!is_ice_text (value, 22))
    return sdp_parser_fail (parser, error, "not 22 to 256 ICE characters");
  g_free (current_transport (parser)->pwd);
  current_transport (parser)->pwd = g_strdup (value);
  return TRUE;
}

/* RFC 8122 §5: pairs of hex digits with colons between; SHA-256 has 32. */
static gboolean
is_sha256_text (const char *word)
{
  if (word == NULL || strlen (word) != 95)
    return FALSE;
  for (guint i = 0; i < 95; i++)
    if (i % 3 == 2 ? word[i] != ':' : !g_ascii_isxdigit (word[i]))
      return FALSE;
  return TRUE;
}

/* Other hashes may stand beside (RFC 8122 §5.1); the first SHA-256 counts. */
static gboolean
parse_fingerprint (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  const char *hash = sdp_next_word (&rest);
  if (hash == NULL)
    return sdp_parser_fail (parser, error, "empty");
  if (g_ascii_strcasecmp (hash, "sha-256") != 0)
    return TRUE;
  const char *digits = sdp_next_word (&rest);
  if (!is_sha256_text (digits))
    return sdp_parser_fail (parser, error, "not 32 hexadecimal bytes with colons between them");
  if (current_transport (parser)->fingerprint == NULL)
    current_transport (parser)->fingerprint = g_ascii_strup (digits, -1);
  return TRUE;
}

static gboolean
parse_setup (SdpParser *parser, char *value, GError **error)
{
  static const char *const names[] = { "", "actpass", "active", "passive" };
  for (guint i = SDP_SETUP_ACTPASS; i < G_N_ELEMENTS (names); i++)
    if (strcmp (value, names[i]) == 0) {
      current_transport (parser)->setup = i;
      return TRUE;
    }
  return sdp_parser_fail (parser, error, "must be actpass, active or passive");
}

static gboolean
parse_candidate (SdpParser *parser, char *value, GError **error)
{
  if (strlen (value) > 512)
    return sdp_parser_fail (parser, error, "longer than 512 characters");
  for (const char *c = value; *c != '\0'; c++)
    if (*c < 0x20 || *c >= 0x7f)
      return sdp_parser_fail (parser, error, "not printable ASCII");
  if (parser->sdp->candidates->len == SDP_MAX_CANDIDATES)
    return TRUE;
  SdpCandidate *candidate = g_new0 (SdpCandidate, 1);
  candidate->mid = parser->media != NULL ? g_strdup (parser->media->mid) : NULL;
  candidate->line = g_strconcat ("candidate:", value, NULL);
  g_ptr_array_add (parser->sdp->candidates, candidate);
  return TRUE;
}

static gboolean
parse_end_of_candidates (SdpParser *parser, char *value, GError **error)
{
  parser->sdp->end_of_candidates = TRUE;
  return TRUE;
}

static gboolean
mid_is_new (const SdpParser *parser, const char *mid)
{
  for (guint i = 0; i < parser->sdp->media->len; i++) {
    const SdpMedia *media = parser->sdp->media->pdata[i];
    if (g_strcmp0 (media->mid, mid) == 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_mid (SdpParser *parser, char *value, GError **error)
{
  if (!is_token (value))
    return sdp_parser_fail (parser, error, "not a token of at most 64 characters");
  if (!mid_is_new (parser, value))
    return sdp_parser_fail (parser, error, "used twice");
  g_free (parser->media->mid);
  parser->media->mid = g_strdup (value);
  return TRUE;
}

static gboolean
parse_inactive (SdpParser *parser, char *value, GError **error)
{
  parser->media->direction = SDP_INACTIVE;
  return TRUE;
}

static gboolean
parse_sendonly (SdpParser *parser, char *value, GError **error)
{
  parser->media->direction = SDP_SENDONLY;
  return TRUE;
}

static gboolean
parse_recvonly (SdpParser *parser, char *value, GError **error)
{
  parser->media->direction = SDP_RECVONLY;
  return TRUE;
}

static gboolean
parse_sendrecv (SdpParser *parser, char *value, GError **error)
{
  parser->media->direction = SDP_SENDRECV;
  return TRUE;
}

static gboolean
parse_bundle_only (SdpParser *parser, char *value, GError **error)
{
  parser->bundle_only = TRUE;
  return TRUE;
}

static gboolean
parse_rtcp_mux (SdpParser *parser, char *value, GError **error)
{
  parser->media->rtcp_mux = TRUE;
  return TRUE;
}

/* RFC 8830 §2; "-" as stream means none. */
static gboolean
parse_msid (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  const char *stream = sdp_next_word (&rest), *track = sdp_next_word (&rest);
  if (stream == NULL || strlen (stream) > 64 || (track != NULL && strlen (track) > 64))
    return sdp_parser_fail (parser, error, "an id is missing or longer than 64 characters");
  sdp_set_msid (parser->media, stream, track);
  return TRUE;
}

/* The payload type that a line begins with; NULL: not a number. A type that the m-line does not
 * list is harmless and goes to a place that nobody reads. */
static SdpPayload *
take_payload (SdpParser *parser, char **rest)
{
  guint64 pt;
  return sdp_to_uint (sdp_next_word (rest), 127, &pt) ? &parser->payloads[pt] : NULL;
}

static gboolean
parse_rtpmap (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  SdpPayload *payload = take_payload (parser, &rest);
  const char *name = sdp_next_word (&rest);
  if (payload == NULL || name == NULL)
    return sdp_parser_fail (parser, error, "must be a payload type and an encoding");
  payload->rtx = payload->red = payload->fec = FALSE;
  payload->codec.codec = MEDIA_CODEC_NONE;
  SdpType type = parser->media->type;
  if (type == SDP_AUDIO && g_ascii_strcasecmp (name, "opus/48000/2") == 0)
    payload->codec.codec = MEDIA_OPUS;
  else if (type == SDP_AUDIO && g_ascii_strcasecmp (name, "red/48000/2") == 0)
    payload->red = TRUE;
  else if (type == SDP_VIDEO && g_ascii_strcasecmp (name, "VP8/90000") == 0)
    payload->codec.codec = MEDIA_VP8;
  else if (type == SDP_VIDEO && g_ascii_strcasecmp (name, "H264/90000") == 0)
    payload->codec.codec = MEDIA_H264;
  else if (type == SDP_VIDEO && g_ascii_strcasecmp (name, "rtx/90000") == 0)
    payload->rtx = TRUE;
  else if (type == SDP_VIDEO && g_ascii_strcasecmp (name, "flexfec-03/90000") == 0)
    payload->fec = TRUE;
  return TRUE;
}

/* RED: "111/111". Other codecs have words of their own here. */
static void
parse_blocks (SdpPayload *payload, char *types)
{
  guint64 number;
  types[strcspn (types, "/")] = '\0';
  if (sdp_to_uint (types, 127, &number))
    payload->blocks = (guint8)number;
}

static gboolean
parse_parameter (SdpParser *parser, SdpPayload *payload, char *parameter, GError **error)
{
  g_strstrip (parameter);
  char *equals = strchr (parameter, '=');
  if (equals == NULL) {
    parse_blocks (payload, parameter);
    return TRUE;
  }
  *equals = '\0';
  const char *value = equals + 1;
  guint64 number;
  if (g_ascii_strcasecmp (parameter, "apt") == 0) {
    if (!sdp_to_uint (value, 127, &number))
      return sdp_parser_fail (parser, error, "apt is not a payload type");
    payload->apt = number;
  } else if (g_ascii_strcasecmp (parameter, "packetization-mode") == 0) {
    if (!sdp_to_uint (value, 2, &number))
      return sdp_parser_fail (parser, error, "packetization-mode is not 0, 1 or 2");
    payload->codec.packetization_mode = number;
  } else if (g_ascii_strcasecmp (parameter, "profile-level-id") == 0) {
    if (strlen (value) != 6 || !g_ascii_string_to_unsigned (value, 16, 0, 0xffffff, &number, NULL))
      return sdp_parser_fail (parser, error, "profile-level-id is not six hexadecimal digits");
    payload->codec.profile = number;
  }
  return TRUE;
}

static gboolean
parse_fmtp (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  SdpPayload *payload = take_payload (parser, &rest);
  if (payload == NULL)
    return sdp_parser_fail (parser, error, "does not begin with a payload type");
  while (rest != NULL) {
    char *parameter = rest;
    rest = strchr (rest, ';');
    if (rest != NULL)
      *rest++ = '\0';
    if (!parse_parameter (parser, payload, parameter, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_rtcp_fb (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  SdpCodec *codec = NULL;
  if (g_str_has_prefix (value, "* ")) {
    sdp_next_word (&rest);
    codec = &parser->any;
  } else {
    SdpPayload *payload = take_payload (parser, &rest);
    if (payload == NULL)
      return sdp_parser_fail (parser, error, "does not begin with a payload type or *");
    codec = &payload->codec;
  }
  g_strstrip (rest);
  if (strcmp (rest, "nack") == 0)
    codec->nack = TRUE;
  else if (strcmp (rest, "nack pli") == 0)
    codec->nack_pli = TRUE;
  else if (strcmp (rest, "ccm fir") == 0)
    codec->ccm_fir = TRUE;
  else if (strcmp (rest, "transport-cc") == 0)
    codec->transport_cc = TRUE;
  else if (strcmp (rest, "goog-remb") == 0)
    codec->remb = TRUE;
  return TRUE;
}

static gboolean
parse_extmap (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  char *id = sdp_next_word (&rest);
  const char *uri = sdp_next_word (&rest);
  guint64 number;
  if (id != NULL)
    id[strcspn (id, "/")] = '\0';
  if (!sdp_to_uint (id, 65535, &number) || uri == NULL)
    return sdp_parser_fail (parser, error, "must be an id and a URI");
  if (number < 1 || number > 14) /* one-byte form only (RFC 8285 §4.2) */
    return TRUE;
  SdpMedia *media = parser->media;
  if (strcmp (uri, "urn:ietf:params:rtp-hdrext:sdes:mid") == 0)
    media->ext_mid = number;
  else if (g_str_has_suffix (uri, "transport-wide-cc-extensions-01"))
    media->ext_twcc = number;
  else if (g_str_has_suffix (uri, "rtp-hdrext/abs-send-time"))
    media->ext_abs_send_time = number;
  else if (g_str_has_suffix (uri, "rtp-hdrext/playout-delay"))
    media->ext_playout_delay = number;
  else if (strcmp (uri, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id") == 0)
    media->ext_rid = number;
  else if (strcmp (uri, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id") == 0)
    media->ext_repaired_rid = number;
  return TRUE;
}

/* RFC 8853 §5.1: "send 1;~2,3 recv 4". Of alternatives the first counts; ~ says that the encoding
 * is paused at first. In an offer we look at what it wants to receive, in an answer at what it
 * sends: one of the two stands there. */
static gboolean
parse_simulcast (SdpParser *parser, char *value, GError **error)
{
  SdpMedia *media = parser->media;
  char *rest = value;
  const char *way = sdp_next_word (&rest);
  char *list = sdp_next_word (&rest);
  if (list == NULL || (strcmp (way, "send") != 0 && strcmp (way, "recv") != 0))
    return sdp_parser_fail (parser, error, "must be send or recv and a list of rids");
  media->n_rids = 0;
  while (list != NULL && media->n_rids < SDP_MAX_RIDS) {
    char *rid = list;
    list = strchr (list, ';');
    if (list != NULL)
      *list++ = '\0';
    rid[strcspn (rid, ",")] = '\0';
    rid += *rid == '~';
    gsize length = strlen (rid);
    if (length < 1 || length > SDP_MAX_RID)
      return sdp_parser_fail (parser, error, "a rid must have 1 to 16 characters");
    for (const char *c = rid; *c != '\0'; c++)
      if (!g_ascii_isalnum (*c) && *c != '-' && *c != '_')
        return sdp_parser_fail (parser, error, "a rid is letters, digits, - and _");
    g_strlcpy (media->rids[media->n_rids++].text, rid, sizeof (SdpRid));
  }
  return TRUE;
}

static void
note_ssrc (SdpParser *parser, guint32 ssrc)
{
  for (guint i = 0; i < parser->n_ssrcs; i++)
    if (parser->ssrcs[i] == ssrc)
      return;
  if (parser->n_ssrcs < G_N_ELEMENTS (parser->ssrcs))
    parser->ssrcs[parser->n_ssrcs++] = ssrc;
}

static gboolean
parse_ssrc (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  guint64 ssrc;
  if (!sdp_to_uint (sdp_next_word (&rest), G_MAXUINT32, &ssrc))
    return sdp_parser_fail (parser, error, "does not begin with an SSRC");
  note_ssrc (parser, ssrc);
  return TRUE;
}

static gboolean
parse_ssrc_group (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  guint64 ssrc, repair;
  const char *kind = sdp_next_word (&rest);
  gboolean fec = g_strcmp0 (kind, "FEC-FR") == 0; /* RFC 5956 4.3 */
  if (!fec && g_strcmp0 (kind, "FID") != 0)
    return TRUE;
  if (!sdp_to_uint (sdp_next_word (&rest), G_MAXUINT32, &ssrc)
      || !sdp_to_uint (sdp_next_word (&rest), G_MAXUINT32, &repair) || ssrc == repair)
    return sdp_parser_fail (parser, error, "FID and FEC-FR need two different SSRCs");
  note_ssrc (parser, ssrc);
  if (parser->n_groups < G_N_ELEMENTS (parser->groups))
    parser->groups[parser->n_groups++]
        = (SdpStream){ ssrc, fec ? 0 : (guint32)repair, fec ? (guint32)repair : 0 };
  return TRUE;
}

static gboolean
parse_sctp_port (SdpParser *parser, char *value, GError **error)
{
  guint64 port;
  if (!sdp_to_uint (value, 65535, &port) || port == 0)
    return sdp_parser_fail (parser, error, "not a port from 1 to 65535");
  parser->media->sctp_port = port;
  return TRUE;
}

static gboolean
parse_max_message_size (SdpParser *parser, char *value, GError **error)
{
  guint64 size;
  if (!sdp_to_uint (value, G_MAXUINT64, &size))
    return sdp_parser_fail (parser, error, "not a number");
  parser->media->max_message_size = MIN (size, G_MAXUINT32);
  return TRUE;
}

static const struct {
  const char *line; /* as errors name it */
  gboolean media_only;
  gboolean (*parse) (SdpParser *parser, char *value, GError **error);
} ATTRIBUTES[] = {
  { "a=group", FALSE, parse_group },
  { "a=ice-ufrag", FALSE, parse_ufrag },
  { "a=ice-pwd", FALSE, parse_pwd },
  { "a=fingerprint", FALSE, parse_fingerprint },
  { "a=setup", FALSE, parse_setup },
  { "a=candidate", FALSE, parse_candidate },
  { "a=end-of-candidates", FALSE, parse_end_of_candidates },
  { "a=mid", TRUE, parse_mid },
  { "a=inactive", TRUE, parse_inactive },
  { "a=sendonly", TRUE, parse_sendonly },
  { "a=recvonly", TRUE, parse_recvonly },
  { "a=sendrecv", TRUE, parse_sendrecv },
  { "a=bundle-only", TRUE, parse_bundle_only },
  { "a=rtcp-mux", TRUE, parse_rtcp_mux },
  { "a=msid", TRUE, parse_msid },
  { "a=rtpmap", TRUE, parse_rtpmap },
  { "a=fmtp", TRUE, parse_fmtp },
  { "a=rtcp-fb", TRUE, parse_rtcp_fb },
  { "a=extmap", TRUE, parse_extmap },
  { "a=simulcast", TRUE, parse_simulcast },
  { "a=ssrc", TRUE, parse_ssrc },
  { "a=ssrc-group", TRUE, parse_ssrc_group },
  { "a=sctp-port", TRUE, parse_sctp_port },
  { "a=max-message-size", TRUE, parse_max_message_size },
};

gboolean
sdp_parse_attribute (SdpParser *parser, char *attribute, GError **error)
{
  char *colon = strchr (attribute, ':');
  char *value = colon != NULL ? colon + 1 : attribute + strlen (attribute);
  if (colon != NULL)
    *colon = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (ATTRIBUTES); i++) {
    if (strcmp (ATTRIBUTES[i].line + 2, attribute) != 0)
      continue;
    if (ATTRIBUTES[i].media_only && parser->media == NULL)
      return TRUE; /* as a default for all lines, which no browser writes */
    parser->name = ATTRIBUTES[i].line;
    return ATTRIBUTES[i].parse (parser, value, error);
  }
  return TRUE;
}
