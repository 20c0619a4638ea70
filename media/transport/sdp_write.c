#include "media/transport/sdp.h"

static const char *const EXT_URIS[] = {
  [SDP_EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
  [SDP_EXT_TWCC] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  [SDP_EXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  [SDP_EXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
  [SDP_EXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  [SDP_EXT_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
};

static const char *
direction_name (SdpDirection direction)
{
  static const char *const names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
  return names[direction & 3];
}

static const char *
setup_name (SdpSetup setup)
{
  static const char *const names[] = { NULL, "actpass", "active", "passive" };
  return names[setup];
}

static void
write_feedback (GString *text, const SdpCodec *codec)
{
  struct {
    gboolean on;
    const char *name;
  } all[] = {
    { codec->transport_cc, "transport-cc" }, { codec->remb, "goog-remb" },
    { codec->ccm_fir, "ccm fir" },           { codec->nack, "nack" },
    { codec->nack_pli, "nack pli" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].on)
      g_string_append_printf (text, "a=rtcp-fb:%u %s\r\n", codec->pt, all[i].name);
}

static void
write_codec (GString *text, const SdpCodec *codec)
{
  const char *name = codec->codec == MEDIA_OPUS   ? "opus/48000/2" /* RFC 7587 §7: always 2 */
                     : codec->codec == MEDIA_H264 ? "H264/90000"
                                                  : "VP8/90000";
  g_string_append_printf (text, "a=rtpmap:%u %s\r\n", codec->pt, name);
  write_feedback (text, codec);
  if (codec->codec == MEDIA_H264)
    g_string_append_printf (text,
                            "a=fmtp:%u level-asymmetry-allowed=1;packetization-mode=%u;"
                            "profile-level-id=%06x\r\n",
                            codec->pt, codec->packetization_mode, codec->profile);
  if (codec->codec == MEDIA_OPUS)
    g_string_append_printf (text, "a=fmtp:%u minptime=10;useinbandfec=1\r\n", codec->pt);
  if (codec->rtx_pt != 0)
    g_string_append_printf (text, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", codec->rtx_pt,
                            codec->rtx_pt, codec->pt);
  if (codec->red_pt != 0) /* RFC 2198 5: what the blocks are */
    g_string_append_printf (text, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", codec->red_pt,
                            codec->red_pt, codec->pt, codec->pt);
}

/* Browsers make a parity packet's picture good for as long as that; ours are far closer. */
#define REPAIR_WINDOW_US 10000000

static void
write_fec (GString *text, const SdpMedia *media)
{
  if (media->fec_pt != 0)
    g_string_append_printf (text,
                            "a=rtpmap:%u flexfec-03/90000\r\na=rtcp-fb:%u transport-cc\r\n"
                            "a=fmtp:%u repair-window=%u\r\n",
                            media->fec_pt, media->fec_pt, media->fec_pt, REPAIR_WINDOW_US);
}

static void
write_streams (GString *text, const Sdp *sdp, const SdpMedia *media)
{
  const char *cname = sdp->cname != NULL ? sdp->cname : "station";
  for (guint i = 0; i < media->streams->len; i++) {
    SdpStream stream = g_array_index (media->streams, SdpStream, i);
    if (stream.rtx_ssrc != 0)
      g_string_append_printf (text, "a=ssrc-group:FID %u %u\r\n", stream.ssrc, stream.rtx_ssrc);
    if (stream.fec_ssrc != 0)
      g_string_append_printf (text, "a=ssrc-group:FEC-FR %u %u\r\n", stream.ssrc, stream.fec_ssrc);
    g_string_append_printf (text, "a=ssrc:%u cname:%s\r\n", stream.ssrc, cname);
    if (stream.rtx_ssrc != 0)
      g_string_append_printf (text, "a=ssrc:%u cname:%s\r\n", stream.rtx_ssrc, cname);
    if (stream.fec_ssrc != 0)
      g_string_append_printf (text, "a=ssrc:%u cname:%s\r\n", stream.fec_ssrc, cname);
  }
}

static void
write_extensions (GString *text, const SdpMedia *media)
{
  guint8 ids[] = {
    [SDP_EXT_MID] = media->ext_mid,
    [SDP_EXT_TWCC] = media->ext_twcc,
    [SDP_EXT_ABS_SEND_TIME] = media->ext_abs_send_time,
    [SDP_EXT_RID] = media->ext_rid,
    [SDP_EXT_REPAIRED_RID] = media->ext_repaired_rid,
    [SDP_EXT_PLAYOUT_DELAY] = media->ext_playout_delay,
  };
  for (guint i = 1; i < G_N_ELEMENTS (ids); i++)
    if (ids[i] != 0)
      g_string_append_printf (text, "a=extmap:%u %s\r\n", ids[i], EXT_URIS[i]);
}

static void
write_simulcast (GString *text, const SdpMedia *media)
{
  const char *way = media->direction & SDP_RECVONLY ? "recv" : "send";
  for (guint i = 0; i < media->n_rids; i++)
    g_string_append_printf (text, "a=rid:%s %s\r\n", media->rids[i].text, way);
  for (guint i = 0; i < media->n_rids; i++)
    g_string_append_printf (text, "%s%s%s%s", i == 0 ? "a=simulcast:" : ";", i == 0 ? way : "",
                            i == 0 ? " " : "", media->rids[i].text);
  if (media->n_rids > 0)
    g_string_append (text, "\r\n");
}

static void
write_msid (GString *text, const SdpMedia *media)
{
  const char *track = media->track != NULL ? media->track : media->stream;
  if (media->beside != NULL)
    g_string_append_printf (text, "a=msid:%s %s\r\n", media->beside, track);
  g_string_append_printf (text, "a=msid:%s %s\r\n", media->stream, track);
}

static void
write_rtp (GString *text, const Sdp *sdp, const SdpMedia *media)
{
  g_string_append_printf (text, "a=%s\r\n", direction_name (media->direction));
  /* Janus 1.1 reads the part that an answer chooses here alone. */
  if (sdp->setup == SDP_SETUP_ACTIVE || sdp->setup == SDP_SETUP_PASSIVE)
    g_string_append_printf (text, "a=setup:%s\r\n", setup_name (sdp->setup));
  if (media->rtcp_mux)
    g_string_append (text, "a=rtcp-mux\r\na=rtcp-rsize\r\n");
  if (media->stream != NULL && media->direction & SDP_SENDONLY)
    write_msid (text, media);
  write_extensions (text, media);
  for (guint i = 0; i < media->codecs->len; i++)
    write_codec (text, &g_array_index (media->codecs, SdpCodec, i));
  write_fec (text, media);
  write_simulcast (text, media);
  if (media->direction & SDP_SENDONLY)
    write_streams (text, sdp, media);
}

static void
write_sctp (GString *text, const SdpMedia *media)
{
  if (media->sctp_port != 0)
    g_string_append_printf (text, "a=sctp-port:%u\r\n", media->sctp_port);
  g_string_append_printf (text, "a=max-message-size:%u\r\n", media->max_message_size);
}

/* RFC 8866 §5.14; port 9 and 0.0.0.0 stand for "not known yet" (RFC 8840 §4.1.1). */
static void
write_m_line (GString *text, const SdpMedia *media)
{
  guint port = media->rejected ? 0 : 9;
  if (media->type == SDP_APPLICATION) {
    g_string_append_printf (text, "m=application %u UDP/DTLS/SCTP webrtc-datachannel\r\n", port);
  } else {
    g_string_append_printf (text, "m=%s %u UDP/TLS/RTP/SAVPF",
                            media->type == SDP_AUDIO ? "audio" : "video", port);
    for (guint i = 0; i < media->codecs->len; i++) {
      const SdpCodec *codec = &g_array_index (media->codecs, SdpCodec, i);
      if (codec->red_pt != 0 && media->prefer_red)
        g_string_append_printf (text, " %u", codec->red_pt);
      g_string_append_printf (text, " %u", codec->pt);
      if (codec->rtx_pt != 0)
        g_string_append_printf (text, " %u", codec->rtx_pt);
      if (codec->red_pt != 0 && !media->prefer_red)
        g_string_append_printf (text, " %u", codec->red_pt);
    }
    if (media->fec_pt != 0)
      g_string_append_printf (text, " %u", media->fec_pt);
    /* A rejected line still names a format (RFC 3264 §6). */
    g_string_append (text, media->codecs->len > 0 ? "\r\n" : " 0\r\n");
  }
  g_string_append (text, "c=IN IP4 0.0.0.0\r\n");
  if (media->mid != NULL)
    g_string_append_printf (text, "a=mid:%s\r\n", media->mid);
  if (media->ptime != 0)
    g_string_append_printf (text, "a=ptime:%u\r\n", media->ptime);
}

/* Candidates belong to the m-line that carries the bundle's transport: the first. */
static void
write_candidates (GString *text, const Sdp *sdp)
{
  for (guint i = 0; i < sdp->candidates->len; i++) {
    const SdpCandidate *candidate = sdp->candidates->pdata[i];
    g_string_append_printf (text, "a=%s\r\n", candidate->line);
  }
  if (sdp->end_of_candidates)
    g_string_append (text, "a=end-of-candidates\r\n");
}

static void
write_session (GString *text, const Sdp *sdp)
{
  g_string_append_printf (text,
                          "v=0\r\no=- %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
                          sdp->session_id, sdp->version);
  g_string_append (text, "a=group:BUNDLE");
  for (guint i = 0; i < sdp->media->len; i++) {
    const SdpMedia *media = sdp->media->pdata[i];
    if (!media->rejected && media->mid != NULL)
      g_string_append_printf (text, " %s", media->mid);
  }
  g_string_append (text, "\r\na=ice-options:trickle\r\n");
  if (sdp->ufrag != NULL)
    g_string_append_printf (text, "a=ice-ufrag:%s\r\n", sdp->ufrag);
  if (sdp->pwd != NULL)
    g_string_append_printf (text, "a=ice-pwd:%s\r\n", sdp->pwd);
  if (sdp->fingerprint != NULL)
    g_string_append_printf (text, "a=fingerprint:sha-256 %s\r\n", sdp->fingerprint);
  if (sdp->setup != SDP_SETUP_NONE)
    g_string_append_printf (text, "a=setup:%s\r\n", setup_name (sdp->setup));
}

char *
sdp_write (const Sdp *sdp)
{
  GString *text = g_string_sized_new (4096);
  write_session (text, sdp);
  gboolean candidates_written = FALSE;
  for (guint i = 0; i < sdp->media->len; i++) {
    const SdpMedia *media = sdp->media->pdata[i];
    write_m_line (text, media);
    if (media->rejected)
      continue;
    if (media->type == SDP_APPLICATION)
      write_sctp (text, media);
    else
      write_rtp (text, sdp, media);
    if (!candidates_written)
      write_candidates (text, sdp);
    candidates_written = TRUE;
  }
  return g_string_free (text, FALSE);
}
