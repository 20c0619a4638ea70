#include "media/transport/sdp.h"
#include <string.h>

G_DEFINE_QUARK (sdp - error, sdp_error)

static void
media_free (gpointer data)
{
  SdpMedia *media = data;
  g_free (media->mid);
  g_free (media->stream);
  g_free (media->track);
  g_free (media->beside);
  g_array_unref (media->codecs);
  g_array_unref (media->streams);
  g_free (media);
}

static void
candidate_free (gpointer data)
{
  SdpCandidate *candidate = data;
  g_free (candidate->mid);
  g_free (candidate->line);
  g_free (candidate);
}

Sdp *
sdp_new (void)
{
  Sdp *sdp = g_new0 (Sdp, 1);
  sdp->media = g_ptr_array_new_with_free_func (media_free);
  sdp->bundle = g_ptr_array_new_with_free_func (g_free);
  sdp->candidates = g_ptr_array_new_with_free_func (candidate_free);
  return sdp;
}

void
sdp_free (Sdp *sdp)
{
  if (sdp == NULL)
    return;
  g_free (sdp->cname);
  g_free (sdp->ufrag);
  g_free (sdp->pwd);
  g_free (sdp->fingerprint);
  g_ptr_array_unref (sdp->media);
  g_ptr_array_unref (sdp->bundle);
  g_ptr_array_unref (sdp->candidates);
  g_free (sdp);
}

SdpMedia *
sdp_add_media (Sdp *sdp, SdpType type, const char *mid, SdpDirection direction)
{
  SdpMedia *media = g_new0 (SdpMedia, 1);
  media->mid = g_strdup (mid);
  media->type = type;
  media->direction = direction;
  media->codecs = g_array_new (FALSE, TRUE, sizeof (SdpCodec));
  media->streams = g_array_new (FALSE, TRUE, sizeof (SdpStream));
  if (type == SDP_APPLICATION) {
    media->sctp_port = 5000;
    media->max_message_size = 256 * 1024;
  } else {
    media->rtcp_mux = TRUE;
    media->ext_mid = SDP_EXT_MID;
    media->ext_twcc = SDP_EXT_TWCC;
    media->ext_abs_send_time = SDP_EXT_ABS_SEND_TIME;
    media->ext_playout_delay = type == SDP_VIDEO ? SDP_EXT_PLAYOUT_DELAY : 0;
  }
  g_ptr_array_add (sdp->media, media);
  return media;
}

void
sdp_add_codec (SdpMedia *media, MediaCodec name)
{
  SdpCodec codec = { .codec = name, .transport_cc = TRUE, .nack = TRUE };
  if (name == MEDIA_OPUS) {
    codec.pt = SDP_PT_OPUS;
    codec.red_pt = SDP_PT_OPUS_RED;
  } else {
    codec.pt = name == MEDIA_H264 ? SDP_PT_H264 : SDP_PT_VP8;
    codec.rtx_pt = name == MEDIA_H264 ? SDP_PT_H264_RTX : SDP_PT_VP8_RTX;
    codec.nack_pli = codec.ccm_fir = codec.remb = TRUE;
  }
  if (name == MEDIA_H264) {
    codec.profile = 0x42e01f;
    codec.packetization_mode = 1;
  }
  g_array_append_val (media->codecs, codec);
}

void
sdp_add_stream (SdpMedia *media, guint32 ssrc, guint32 rtx_ssrc)
{
  SdpStream stream = { ssrc, rtx_ssrc, 0 };
  g_array_append_val (media->streams, stream);
}

void
sdp_add_fec (SdpMedia *media, guint32 fec_ssrc)
{
  media->fec_pt = SDP_PT_FLEXFEC;
  g_array_index (media->streams, SdpStream, media->streams->len - 1).fec_ssrc = fec_ssrc;
}

void
sdp_add_rid (SdpMedia *media, const char *rid)
{
  if (media->n_rids == SDP_MAX_RIDS)
    return;
  g_strlcpy (media->rids[media->n_rids++].text, rid, sizeof (SdpRid));
  media->ext_rid = SDP_EXT_RID;
  media->ext_repaired_rid = SDP_EXT_REPAIRED_RID;
}

void
sdp_set_msid (SdpMedia *media, const char *stream, const char *track)
{
  g_free (media->stream);
  g_free (media->track);
  media->stream = g_strdup (stream);
  media->track = g_strdup (track);
}

void
sdp_set_beside (SdpMedia *media, const char *stream)
{
  g_free (media->beside);
  media->beside = g_strdup (stream);
}

/* Agreement */

static void
agreed_line_free (gpointer data)
{
  SdpAgreedLine *line = data;
  g_array_unref (line->receive);
  g_array_unref (line->streams);
  g_free (line);
}

SdpAgreement *
sdp_agreement_new (void)
{
  SdpAgreement *agreement = g_new0 (SdpAgreement, 1);
  agreement->lines = g_ptr_array_new_with_free_func (agreed_line_free);
  return agreement;
}

static SdpAgreedLine *
agreed_line_new (void)
{
  SdpAgreedLine *line = g_new0 (SdpAgreedLine, 1);
  line->receive = g_array_new (FALSE, TRUE, sizeof (SdpCodec));
  line->streams = g_array_new (FALSE, TRUE, sizeof (SdpStream));
  return line;
}

SdpAgreedLine *
sdp_agreement_add (SdpAgreement *agreement)
{
  SdpAgreedLine *line = agreed_line_new ();
  g_ptr_array_add (agreement->lines, line);
  return line;
}

void
sdp_agreement_free (SdpAgreement *agreement)
{
  if (agreement == NULL)
    return;
  g_ptr_array_unref (agreement->lines);
  g_free (agreement);
}

/* RFC 6184 §8.2.2: same profile and packetization mode; levels may differ (asymmetry allowed).
 * Any baseline is taken for constrained baseline, which is what browsers mean by it. */
static gboolean
same_codec (const SdpCodec *offered, const SdpCodec *answered)
{
  if (offered->codec != answered->codec)
    return FALSE;
  if (offered->codec != MEDIA_H264)
    return TRUE;
  return offered->packetization_mode == answered->packetization_mode
         && offered->profile >> 16 == answered->profile >> 16;
}

static const SdpCodec *
find_codec (GArray *codecs, const SdpCodec *wanted)
{
  for (guint i = 0; i < codecs->len; i++) {
    const SdpCodec *codec = &g_array_index (codecs, SdpCodec, i);
    if (same_codec (codec, wanted))
      return codec;
  }
  return NULL;
}

static gboolean
mismatch (const SdpMedia *media, GError **error, const char *what)
{
  g_set_error (error, SDP_ERROR, SDP_ERROR_MISMATCH, "line %u, m-line %s: %s", media->line,
               media->mid != NULL ? media->mid : "without mid", what);
  return FALSE;
}

static gboolean
in_bundle (const Sdp *sdp, const char *mid)
{
  return g_ptr_array_find_with_equal_func (sdp->bundle, mid, g_str_equal, NULL);
}

static gboolean
check_line (const Sdp *answer, const SdpMedia *offered, const SdpMedia *media, GError **error)
{
  if (media->type != offered->type)
    return mismatch (media, error, "the media type is not the offer's");
  if (media->mid == NULL && !media->rejected)
    return mismatch (media, error, "a=mid is missing");
  if (media->mid != NULL && strcmp (media->mid, offered->mid) != 0)
    return mismatch (media, error, "a=mid is not the offer's");
  if (media->rejected)
    return TRUE;
  if (!in_bundle (answer, media->mid))
    return mismatch (media, error, "accepted outside of a=group:BUNDLE");
  if (media->type == SDP_APPLICATION)
    return media->sctp_port != 0 || mismatch (media, error, "a=sctp-port is missing");
  return media->rtcp_mux || mismatch (media, error, "a=rtcp-mux is missing");
}

static guint8
agreed_ext (guint8 offered, guint8 answered)
{
  return answered == offered ? offered : 0;
}

static gboolean
agree_codecs (SdpAgreedLine *line, const SdpMedia *offered, const SdpMedia *media, GError **error)
{
  for (guint i = 0; i < media->codecs->len; i++) {
    const SdpCodec *answered = &g_array_index (media->codecs, SdpCodec, i);
    const SdpCodec *ours = find_codec (offered->codecs, answered);
    if (ours == NULL)
      continue;
    if (line->codec.codec == MEDIA_CODEC_NONE) {
      line->codec = *answered;
      line->codec.red_pt = ours->red_pt != 0 ? answered->red_pt : 0;
    }
    if (line->direction & SDP_RECVONLY && find_codec (line->receive, ours) == NULL) {
      SdpCodec receive = *ours;
      receive.red_pt = answered->red_pt != 0 ? ours->red_pt : 0;
      g_array_append_val (line->receive, receive);
    }
  }
  return line->codec.codec != MEDIA_CODEC_NONE
         || mismatch (media, error, "no codec of the offer is among the answer's");
}

static gboolean
has_rid (const SdpMedia *media, const SdpRid *rid)
{
  for (guint i = 0; i < media->n_rids; i++)
    if (strcmp (media->rids[i].text, rid->text) == 0)
      return TRUE;
  return FALSE;
}

/* Without the header extensions nobody could tell the encodings apart. */
static void
agree_simulcast (SdpAgreedLine *line, const SdpMedia *offered, const SdpMedia *media)
{
  line->ext_rid = agreed_ext (offered->ext_rid, media->ext_rid);
  line->ext_repaired_rid = agreed_ext (offered->ext_repaired_rid, media->ext_repaired_rid);
  if (!(line->direction & SDP_RECVONLY) || line->ext_rid == 0 || line->ext_mid == 0)
    return;
  for (guint i = offered->n_rids; i > 0; i--)
    if (has_rid (media, &offered->rids[i - 1]))
      line->rids[line->n_rids++] = offered->rids[i - 1];
}

static SdpAgreedLine *
agree_line (const SdpMedia *offered, const SdpMedia *media, GError **error)
{
  SdpAgreedLine *line = agreed_line_new ();
  line->rejected = media->rejected;
  if (media->rejected)
    return line;
  gboolean send = offered->direction & SDP_SENDONLY && media->direction & SDP_RECVONLY;
  gboolean receive = offered->direction & SDP_RECVONLY && media->direction & SDP_SENDONLY;
  line->direction = (send ? SDP_SENDONLY : 0) | (receive ? SDP_RECVONLY : 0);
  if (media->type == SDP_APPLICATION) {
    line->direction = SDP_SENDRECV;
    line->sctp_port = media->sctp_port;
    line->max_message_size = media->max_message_size;
    return line;
  }
  line->ext_mid = agreed_ext (offered->ext_mid, media->ext_mid);
  line->ext_twcc = agreed_ext (offered->ext_twcc, media->ext_twcc);
  line->ext_abs_send_time = agreed_ext (offered->ext_abs_send_time, media->ext_abs_send_time);
  line->fec_pt = send && offered->fec_pt != 0 ? media->fec_pt : 0;
  line->ext_playout_delay = agreed_ext (offered->ext_playout_delay, media->ext_playout_delay);
  agree_simulcast (line, offered, media);
  if (receive)
    g_array_append_vals (line->streams, media->streams->data, media->streams->len);
  if (!agree_codecs (line, offered, media, error)) {
    agreed_line_free (line);
    return NULL;
  }
  return line;
}

/* An SSRC names one stream in a BUNDLE group (RFC 9143 §9.2); twice would let one line take the
 * packets of another. */
static gboolean
check_ssrcs (const Sdp *answer, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < answer->media->len; i++) {
    const SdpMedia *media = answer->media->pdata[i];
    if (media->rejected || !(media->direction & SDP_SENDONLY))
      continue;
    for (guint s = 0; s < media->streams->len; s++) {
      SdpStream stream = g_array_index (media->streams, SdpStream, s);
      if (!g_hash_table_add (seen, GUINT_TO_POINTER (stream.ssrc))
          || (stream.rtx_ssrc != 0 && !g_hash_table_add (seen, GUINT_TO_POINTER (stream.rtx_ssrc)))
          || (stream.fec_ssrc != 0 && !g_hash_table_add (seen, GUINT_TO_POINTER (stream.fec_ssrc))))
        return mismatch (media, error, "a=ssrc: the SSRC is used twice");
    }
  }
  return TRUE;
}

static gboolean
check_session (const Sdp *offer, const Sdp *answer, GError **error)
{
  const char *what = NULL;
  if (answer->ufrag == NULL || answer->pwd == NULL)
    what = "a=ice-ufrag or a=ice-pwd is missing";
  else if (answer->fingerprint == NULL)
    what = "a=fingerprint:sha-256 is missing";
  else if (answer->setup != SDP_SETUP_ACTIVE && answer->setup != SDP_SETUP_PASSIVE)
    what = "a=setup must be active or passive";
  if (what != NULL) {
    g_set_error (error, SDP_ERROR, SDP_ERROR_MISMATCH, "the answer: %s", what);
    return FALSE;
  }
  if (answer->media->len != offer->media->len) {
    g_set_error (error, SDP_ERROR, SDP_ERROR_MISMATCH,
                 "the answer has %u m-lines, the offer has %u", answer->media->len,
                 offer->media->len);
    return FALSE;
  }
  return check_ssrcs (answer, error);
}

SdpAgreement *
sdp_agree (const Sdp *offer, const Sdp *answer, GError **error)
{
  if (!check_session (offer, answer, error))
    return NULL;
  g_autoptr (SdpAgreement) agreement = sdp_agreement_new ();
  for (guint i = 0; i < offer->media->len; i++) {
    const SdpMedia *offered = offer->media->pdata[i], *media = answer->media->pdata[i];
    if (!check_line (answer, offered, media, error))
      return NULL;
    SdpAgreedLine *line = agree_line (offered, media, error);
    if (line == NULL)
      return NULL;
    g_ptr_array_add (agreement->lines, line);
  }
  return g_steal_pointer (&agreement);
}
