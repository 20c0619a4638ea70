/* What a WHIP publisher or a conference's server sends: an offer and our answer to it, a fragment,
 * a restart of ICE, Link headers. What is written of it can be read again. */
#include "media/transport/candidate.h"
#include "media/transport/sdp.h"
#include "station/whip/whip_fragment.h"
#include "station/whip/whip_links.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
take_offer (const char *text)
{
  g_autoptr (Sdp) offer = sdp_parse (text, NULL);
  g_autoptr (SdpAgreement) agreement = NULL;
  g_autoptr (Sdp) answer = offer != NULL ? sdp_answer (offer, &agreement, NULL) : NULL;
  if (answer == NULL)
    return;
  g_assert_cmpuint (agreement->lines->len, ==, offer->media->len);
  g_autofree char *said = sdp_write (answer);
  g_autoptr (Sdp) back = sdp_parse (said, NULL);
  g_assert_nonnull (back);
  g_assert_cmpuint (back->media->len, ==, offer->media->len);
}

static void
take_fragment (const char *text)
{
  g_autoptr (WhipFragment) fragment = whip_fragment_parse (text, NULL);
  if (fragment == NULL)
    return;
  g_assert_cmpuint (fragment->candidates->len, <=, WHIP_FRAGMENT_CANDIDATES);
  g_assert_true (fragment->ufrag == NULL || candidate_check_ufrag (fragment->ufrag));
  g_autofree char *said = whip_fragment_write (fragment);
  g_autoptr (WhipFragment) back = whip_fragment_parse (said, NULL);
  g_assert_nonnull (back);
  g_assert_cmpuint (back->candidates->len, ==, fragment->candidates->len);
  g_autofree char *applied = whip_fragment_apply (text, fragment);
  g_assert_nonnull (applied);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  take_offer (text);
  take_fragment (text);
  g_autoptr (WhipServers) servers = whip_links_parse (text, NULL);
  g_assert_cmpuint (servers->relays->len, <=, RELAY_MAX);
  for (guint i = 0; i < servers->relays->len; i++)
    g_assert_nonnull (((Relay *)servers->relays->pdata[i])->user);
  return 0;
}
