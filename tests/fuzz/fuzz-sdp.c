/* A page's answer, against an offer with every kind of line. What was parsed must be writable, and
 * what was written must be readable again with the same lines. */
#include "media/transport/sdp.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static Sdp *
station_offer (void)
{
  Sdp *sdp = sdp_new ();
  SdpMedia *room = sdp_add_media (sdp, SDP_VIDEO, "s0", SDP_SENDONLY);
  sdp_add_codec (room, MEDIA_H264);
  sdp_add_codec (room, MEDIA_VP8);
  SdpMedia *sound = sdp_add_media (sdp, SDP_AUDIO, "s1", SDP_SENDONLY);
  sdp_add_codec (sound, MEDIA_OPUS);
  sdp_add_codec (sdp_add_media (sdp, SDP_AUDIO, "mic", SDP_RECVONLY), MEDIA_OPUS);
  sdp_add_codec (sdp_add_media (sdp, SDP_VIDEO, "cam", SDP_RECVONLY), MEDIA_VP8);
  sdp_add_media (sdp, SDP_APPLICATION, "data", SDP_SENDRECV);
  return sdp;
}

static void
write_and_read (const Sdp *sdp)
{
  g_autofree char *text = sdp_write (sdp);
  g_autoptr (GError) error = NULL;
  g_autoptr (Sdp) again = sdp_parse (text, &error);
  if (again == NULL)
    g_error ("what was written cannot be read: %s", error->message);
  g_assert_cmpuint (again->media->len, ==, sdp->media->len);
  for (guint i = 0; i < sdp->media->len; i++) {
    const SdpMedia *a = sdp->media->pdata[i], *b = again->media->pdata[i];
    g_assert_cmpint (a->type, ==, b->type);
    g_assert_cmpstr (a->mid, ==, b->mid);
    g_assert_cmpint (a->rejected, ==, b->rejected);
    if (a->rejected || a->type == SDP_APPLICATION)
      continue;
    g_assert_cmpint (a->direction, ==, b->direction);
    g_assert_cmpuint (a->codecs->len, ==, b->codecs->len);
    if (a->direction & SDP_SENDONLY)
      g_assert_cmpuint (a->streams->len, ==, b->streams->len);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static Sdp *offer;
  if (offer == NULL)
    offer = station_offer ();
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (Sdp) answer = sdp_parse (text, NULL);
  if (answer == NULL)
    return 0;
  write_and_read (answer);
  g_autoptr (SdpAgreement) agreement = sdp_agree (offer, answer, NULL);
  if (agreement != NULL && agreement->lines->len != offer->media->len)
    g_error ("%u lines agreed", agreement->lines->len);
  return 0;
}
