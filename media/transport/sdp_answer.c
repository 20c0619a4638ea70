#include "media/transport/sdp.h"
#include <string.h>

static gboolean
is_bundled (const Sdp *offer, const SdpMedia *media)
{
  return media->mid != NULL
         && g_ptr_array_find_with_equal_func (offer->bundle, media->mid, g_str_equal, NULL);
}

/* Pictures are sent on untouched: VP8, which every page shows, before H.264, of which one way of
 * packing does (RFC 6184 §6.3). */
static const SdpCodec *
choose_codec (const SdpMedia *media)
{
  const SdpCodec *chosen = NULL;
  for (guint i = 0; i < media->codecs->len; i++) {
    const SdpCodec *codec = &g_array_index (media->codecs, SdpCodec, i);
    if (codec->codec == MEDIA_OPUS || codec->codec == MEDIA_VP8)
      return codec;
    gboolean baseline = codec->profile >> 16 == 0x42 && codec->packetization_mode == 1;
    if (codec->codec == MEDIA_H264 && baseline && chosen == NULL)
      chosen = codec;
  }
  return chosen;
}

static const SdpCodec *
acceptable (const Sdp *offer, const SdpMedia *media)
{
  if (media->rejected || media->type == SDP_APPLICATION || !media->rtcp_mux
      || !(media->direction & SDP_SENDONLY) || !is_bundled (offer, media))
    return NULL;
  return choose_codec (media);
}

/* The feedback that we give. */
static SdpCodec
answered (const SdpCodec *offered)
{
  SdpCodec codec = *offered;
  codec.remb = FALSE;
  return codec;
}

static void
accept (Sdp *answer, const SdpMedia *offered, const SdpCodec *chosen, SdpAgreedLine *line)
{
  SdpMedia *media = sdp_add_media (answer, offered->type, offered->mid, SDP_RECVONLY);
  SdpCodec codec = answered (chosen);
  media->ext_mid = line->ext_mid = offered->ext_mid;
  media->ext_twcc = line->ext_twcc = offered->ext_twcc;
  media->ext_abs_send_time = line->ext_abs_send_time = offered->ext_abs_send_time;
  media->ext_playout_delay = 0;
  g_array_append_val (media->codecs, codec);
  line->direction = SDP_RECVONLY;
  line->codec = codec;
  g_array_append_val (line->receive, codec);
  g_array_append_vals (line->streams, offered->streams->data, offered->streams->len);
}

static void
reject (Sdp *answer, const SdpMedia *offered, SdpAgreedLine *line)
{
  SdpMedia *media = sdp_add_media (answer, offered->type, offered->mid, SDP_INACTIVE);
  media->rejected = line->rejected = TRUE;
  g_array_append_vals (media->codecs, offered->codecs->data, offered->codecs->len);
}

static gboolean
check_offer (const Sdp *offer, GError **error)
{
  const char *what = NULL;
  if (offer->bundle->len == 0)
    what = "a=group:BUNDLE is missing";
  else if (offer->ufrag == NULL || offer->pwd == NULL)
    what = "a=ice-ufrag or a=ice-pwd is missing";
  else if (offer->fingerprint == NULL)
    what = "a=fingerprint:sha-256 is missing";
  else if (offer->setup == SDP_SETUP_NONE)
    what = "a=setup is missing";
  if (what != NULL)
    g_set_error (error, SDP_ERROR, SDP_ERROR_MISMATCH, "the offer: %s", what);
  return what == NULL;
}

Sdp *
sdp_answer (const Sdp *offer, SdpAgreement **ret_agreement, GError **error)
{
  if (!check_offer (offer, error))
    return NULL;
  g_autoptr (Sdp) answer = sdp_new ();
  g_autoptr (SdpAgreement) agreement = sdp_agreement_new ();
  gboolean taken[] = { FALSE, FALSE, FALSE };
  /* Whoever offers both parts is given the client's: that saves a round trip (RFC 9725 §4.4.4). */
  answer->setup = offer->setup == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
  for (guint i = 0; i < offer->media->len; i++) {
    const SdpMedia *media = offer->media->pdata[i];
    const SdpCodec *codec = taken[media->type] ? NULL : acceptable (offer, media);
    SdpAgreedLine *line = sdp_agreement_add (agreement);
    if (codec != NULL)
      accept (answer, media, codec, line);
    else
      reject (answer, media, line);
    taken[media->type] |= codec != NULL;
  }
  if (!taken[SDP_AUDIO] && !taken[SDP_VIDEO]) {
    g_set_error (error, SDP_ERROR, SDP_ERROR_MISMATCH,
                 "the offer: nothing is sent that can be taken: Opus, VP8, or H.264 baseline with "
                 "packetization-mode=1; bundled, with rtcp-mux, sendonly");
    return NULL;
  }
  *ret_agreement = g_steal_pointer (&agreement);
  return g_steal_pointer (&answer);
}
