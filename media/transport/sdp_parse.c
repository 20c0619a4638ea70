#include "media/transport/sdp_parser.h"
#include <string.h>

static void
transport_clear (gpointer data)
{
  SdpTransport *transport = data;
  g_free (transport->ufrag);
  g_free (transport->pwd);
  g_free (transport->fingerprint);
}

gboolean
sdp_parser_fail (const SdpParser *parser, GError **error, const char *what)
{
  g_set_error (error, SDP_ERROR, SDP_ERROR_SYNTAX, "line %u, %s: %s", parser->line, parser->name,
               what);
  return FALSE;
}

char *
sdp_next_word (char **rest)
{
  char *word = *rest + strspn (*rest, " ");
  if (*word == '\0')
    return NULL;
  char *end = word + strcspn (word, " ");
  *rest = end;
  if (*end != '\0') {
    *end = '\0';
    *rest = end + 1;
  }
  return word;
}

gboolean
sdp_to_uint (const char *word, guint64 max, guint64 *ret)
{
  return word != NULL && g_ascii_string_to_unsigned (word, 10, 0, max, ret, NULL);
}

/* One m-line's end: what its attributes amount to */

static void
resolve_codecs (SdpParser *parser)
{
  for (guint i = 0; i < parser->n_order; i++) {
    const SdpPayload *payload = &parser->payloads[parser->order[i]];
    if (payload->fec && parser->media->fec_pt == 0)
      parser->media->fec_pt = parser->order[i];
    if (payload->codec.codec == MEDIA_CODEC_NONE)
      continue;
    SdpCodec codec = payload->codec;
    codec.pt = parser->order[i];
    codec.nack |= parser->any.nack;
    codec.nack_pli |= parser->any.nack_pli;
    codec.ccm_fir |= parser->any.ccm_fir;
    codec.transport_cc |= parser->any.transport_cc;
    codec.remb |= parser->any.remb;
    for (guint r = 0; r < parser->n_order && codec.rtx_pt == 0; r++) {
      const SdpPayload *rtx = &parser->payloads[parser->order[r]];
      if (rtx->rtx && rtx->apt == codec.pt)
        codec.rtx_pt = parser->order[r];
    }
    for (guint r = 0; r < parser->n_order && codec.codec == MEDIA_OPUS; r++) {
      const SdpPayload *red = &parser->payloads[parser->order[r]];
      if (red->red && red->blocks == codec.pt && codec.red_pt == 0)
        codec.red_pt = parser->order[r];
    }
    g_array_append_val (parser->media->codecs, codec);
  }
}

static gboolean
is_repair_ssrc (const SdpParser *parser, guint32 ssrc)
{
  for (guint i = 0; ssrc != 0 && i < parser->n_groups; i++)
    if (parser->groups[i].rtx_ssrc == ssrc || parser->groups[i].fec_ssrc == ssrc)
      return TRUE;
  return FALSE;
}

static void
resolve_streams (SdpParser *parser)
{
  for (guint i = 0; i < parser->n_ssrcs; i++) {
    SdpStream stream = { parser->ssrcs[i], 0, 0 };
    if (is_repair_ssrc (parser, stream.ssrc) || parser->media->streams->len == SDP_MAX_STREAMS)
      continue;
    for (guint g = 0; g < parser->n_groups; g++)
      if (parser->groups[g].ssrc == stream.ssrc) {
        stream.rtx_ssrc = MAX (stream.rtx_ssrc, parser->groups[g].rtx_ssrc);
        stream.fec_ssrc = MAX (stream.fec_ssrc, parser->groups[g].fec_ssrc);
      }
    g_array_append_val (parser->media->streams, stream);
  }
}

static void
end_media (SdpParser *parser)
{
  if (parser->media == NULL)
    return;
  if (parser->bundle_only)
    parser->media->rejected = FALSE;
  resolve_codecs (parser);
  resolve_streams (parser);
}

/* m= */

static gboolean
is_rtp_proto (const char *proto)
{
  return strcmp (proto, "UDP/TLS/RTP/SAVPF") == 0 || strcmp (proto, "TCP/TLS/RTP/SAVPF") == 0;
}

static gboolean
is_sctp_proto (const char *proto)
{
  return strcmp (proto, "UDP/DTLS/SCTP") == 0 || strcmp (proto, "TCP/DTLS/SCTP") == 0;
}

static gboolean
parse_formats (SdpParser *parser, char *rest, GError **error)
{
  const char *word;
  guint64 pt;
  while ((word = sdp_next_word (&rest)) != NULL) {
    if (!sdp_to_uint (word, 127, &pt))
      return sdp_parser_fail (parser, error, "payload types are numbers from 0 to 127");
    if (parser->payloads[pt].listed)
      return sdp_parser_fail (parser, error, "a payload type is listed twice");
    if (parser->n_order == SDP_MAX_FORMATS)
      return sdp_parser_fail (parser, error, "too many payload types");
    parser->payloads[pt].listed = TRUE;
    parser->order[parser->n_order++] = pt;
  }
  return TRUE;
}

static gboolean
type_from_word (const char *word, SdpType *ret)
{
  static const char *const names[] = { "audio", "video", "application" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (word, names[i]) == 0) {
      *ret = i;
      return TRUE;
    }
  return FALSE;
}

static void
begin_media (SdpParser *parser, SdpType type, gboolean rejected)
{
  end_media (parser);
  SdpMedia *media = sdp_add_media (parser->sdp, type, NULL, SDP_SENDRECV);
  media->rejected = rejected;
  media->rtcp_mux = FALSE;
  media->ext_mid = media->ext_twcc = media->ext_abs_send_time = 0;
  media->ext_rid = media->ext_repaired_rid = media->ext_playout_delay = 0;
  media->sctp_port = 0;
  media->max_message_size = 65536;
  media->line = parser->line;
  parser->media = media;
  parser->bundle_only = FALSE;
  memset (parser->payloads, 0, sizeof parser->payloads);
  memset (&parser->any, 0, sizeof parser->any);
  parser->n_order = parser->n_ssrcs = parser->n_groups = 0;
  g_array_set_size (parser->transports, parser->transports->len + 1);
}

static gboolean
parse_m (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  const char *kind = sdp_next_word (&rest), *port = sdp_next_word (&rest),
             *proto = sdp_next_word (&rest);
  SdpType type;
  guint64 number;
  if (parser->sdp->media->len == SDP_MAX_MEDIA)
    return sdp_parser_fail (parser, error, "too many m-lines");
  if (!type_from_word (kind, &type))
    return sdp_parser_fail (parser, error, "the media type must be audio, video or application");
  if (!sdp_to_uint (port, 65535, &number))
    return sdp_parser_fail (parser, error, "the port is not a number from 0 to 65535");
  if (proto == NULL || !(type == SDP_APPLICATION ? is_sctp_proto (proto) : is_rtp_proto (proto)))
    return sdp_parser_fail (parser, error,
                            "the protocol must be UDP/TLS/RTP/SAVPF, or UDP/DTLS/SCTP");
  begin_media (parser, type, number == 0);
  if (type != SDP_APPLICATION)
    return parse_formats (parser, rest, error);
  const char *format = sdp_next_word (&rest);
  return g_strcmp0 (format, "webrtc-datachannel") == 0
         || sdp_parser_fail (parser, error, "the format must be webrtc-datachannel");
}

/* o= */

static gboolean
parse_o (SdpParser *parser, char *value, GError **error)
{
  char *rest = value;
  sdp_next_word (&rest);
  const char *id = sdp_next_word (&rest), *version = sdp_next_word (&rest);
  return (sdp_to_uint (id, G_MAXUINT64, &parser->sdp->session_id)
          && sdp_to_uint (version, G_MAXUINT64, &parser->sdp->version))
         || sdp_parser_fail (parser, error, "session id and version are not numbers");
}

static gboolean
parse_line (SdpParser *parser, char *line, GError **error)
{
  parser->name = "this line";
  if (!g_ascii_islower (line[0]) || line[1] != '=')
    return sdp_parser_fail (parser, error, "does not begin with a letter and =");
  char *value = line + 2;
  if (parser->line == 1)
    return strcmp (line, "v=0") == 0
           || sdp_parser_fail (parser, error, "the first line must be v=0");
  switch (line[0]) {
  case 'o':
    parser->name = "o=";
    return parse_o (parser, value, error);
  case 'm':
    parser->name = "m=";
    return parse_m (parser, value, error);
  case 'a':
    return sdp_parse_attribute (parser, value, error);
  default:
    return TRUE;
  }
}

/* The bundle's transport is that of the m-line which the group names first (RFC 9143 §7.1);
 * what stands at session level counts where that line says nothing. */
static void
choose_transport (SdpParser *parser)
{
  Sdp *sdp = parser->sdp;
  SdpTransport *session = &g_array_index (parser->transports, SdpTransport, 0), *tagged = session;
  for (guint i = 0; i < sdp->media->len && tagged == session; i++) {
    const SdpMedia *media = sdp->media->pdata[i];
    gboolean first = sdp->bundle->len == 0 ? !media->rejected
                                           : g_strcmp0 (media->mid, sdp->bundle->pdata[0]) == 0;
    if (first)
      tagged = &g_array_index (parser->transports, SdpTransport, i + 1);
  }
  gboolean own_ice = tagged->ufrag != NULL && tagged->pwd != NULL;
  SdpTransport *ice = own_ice ? tagged : session;
  SdpTransport *dtls = tagged->fingerprint != NULL ? tagged : session;
  sdp->ufrag = g_steal_pointer (&ice->ufrag);
  sdp->pwd = g_steal_pointer (&ice->pwd);
  sdp->fingerprint = g_steal_pointer (&dtls->fingerprint);
  sdp->setup = tagged->setup != SDP_SETUP_NONE ? tagged->setup : session->setup;
}

static gboolean
parse_text (SdpParser *parser, const char *text, GError **error)
{
  const char *position = text;
  while (*position != '\0') {
    parser->line++;
    parser->name = "this line";
    gsize length = strcspn (position, "\r\n");
    if (length > SDP_MAX_LINE)
      return sdp_parser_fail (parser, error, "longer than 4096 bytes");
    g_autofree char *line = g_strndup (position, length);
    if (!parse_line (parser, line, error))
      return FALSE;
    position += length;
    position += position[0] == '\r' && position[1] == '\n' ? 2 : position[0] != '\0';
  }
  end_media (parser);
  parser->name = "the end";
  return parser->sdp->media->len > 0 || sdp_parser_fail (parser, error, "there is no m-line");
}

Sdp *
sdp_parse (const char *text, GError **error)
{
  if (strnlen (text, SDP_MAX_TEXT + 1) > SDP_MAX_TEXT) {
    g_set_error (error, SDP_ERROR, SDP_ERROR_SYNTAX, "longer than %d bytes", SDP_MAX_TEXT);
    return NULL;
  }
  g_autoptr (Sdp) sdp = sdp_new ();
  g_autofree SdpParser *parser = g_new0 (SdpParser, 1);
  parser->sdp = sdp;
  parser->transports = g_array_new (FALSE, TRUE, sizeof (SdpTransport));
  g_array_set_clear_func (parser->transports, transport_clear);
  g_array_set_size (parser->transports, 1);
  gboolean parsed = parse_text (parser, text, error);
  if (parsed)
    choose_transport (parser);
  g_array_unref (parser->transports);
  return parsed ? g_steal_pointer (&sdp) : NULL;
}
