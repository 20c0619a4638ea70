#include "media/transport/srtp_session.h"
#include "media/transport/peer.h"
#include <openssl/crypto.h>
#include <srtp2/srtp.h>
#include <string.h>

enum {
  REPLAY_WINDOW = 1024, /* packets; a retransmission may come a second late */
  MAX_SSRCS = 64,       /* of the other side; its own streams are far fewer */
};

struct SrtpSession {
  srtp_t inbound, outbound;
  srtp_profile_t profile;
  guint64 errors;
  /* libsrtp keeps a context for every SSRC that authenticated once. */
  guint32 ssrcs[MAX_SSRCS];
  guint n_ssrcs;
};

static gboolean
library_ready (void)
{
  static gsize once;
  if (g_once_init_enter (&once))
    g_once_init_leave (&once, srtp_init () == srtp_err_status_ok ? 1 : 2);
  return once == 1;
}

static srtp_err_status_t
create (srtp_t *ret_srtp, srtp_profile_t profile, srtp_ssrc_type_t direction, guint8 *key)
{
  srtp_policy_t policy = { 0 };
  srtp_err_status_t status = srtp_crypto_policy_set_from_profile_for_rtp (&policy.rtp, profile);
  if (status == srtp_err_status_ok)
    status = srtp_crypto_policy_set_from_profile_for_rtcp (&policy.rtcp, profile);
  if (status != srtp_err_status_ok)
    return status;
  policy.ssrc.type = direction;
  policy.key = key;
  policy.window_size = REPLAY_WINDOW;
  /* An audio packet asked for again leaves byte for byte as before (rtp_packet.h), so that no
   * nonce is used for two messages. */
  policy.allow_repeat_tx = 1;
  return srtp_create (ret_srtp, &policy);
}

/* RFC 5764 §4.2: both keys, then both salts; libsrtp wants each key with its salt. */
static gboolean
set_keys (SrtpSession *session, Dtls *dtls)
{
  guint8 material[2 * SRTP_MAX_KEY_LEN], client[SRTP_MAX_KEY_LEN], server[SRTP_MAX_KEY_LEN];
  gsize key = srtp_profile_get_master_key_length (session->profile);
  gsize salt = srtp_profile_get_master_salt_length (session->profile);
  if (key == 0 || key + salt > SRTP_MAX_KEY_LEN
      || !dtls_export_srtp (dtls, material, 2 * (key + salt)))
    return FALSE;
  memcpy (client, material, key);
  memcpy (server, material + key, key);
  memcpy (client + key, material + 2 * key, salt);
  memcpy (server + key, material + 2 * key + salt, salt);

  gboolean is_client = dtls_is_client (dtls);
  gboolean ok = create (&session->outbound, session->profile, ssrc_any_outbound,
                        is_client ? client : server)
                    == srtp_err_status_ok
                && create (&session->inbound, session->profile, ssrc_any_inbound,
                           is_client ? server : client)
                       == srtp_err_status_ok;
  OPENSSL_cleanse (material, sizeof material);
  OPENSSL_cleanse (client, sizeof client);
  OPENSSL_cleanse (server, sizeof server);
  return ok;
}

SrtpSession *
srtp_session_new (Dtls *dtls, GError **error)
{
  DtlsSrtpProfile profile = dtls_srtp_profile (dtls);
  if (profile == DTLS_SRTP_NONE) {
    g_set_error_literal (error, PEER_ERROR, PEER_ERROR_FAILED,
                         "the other side knows none of our SRTP profiles");
    return NULL;
  }
  g_autoptr (SrtpSession) session = g_new0 (SrtpSession, 1);
  session->profile = (srtp_profile_t)profile; /* libsrtp's numbers are IANA's */
  if (!library_ready () || !set_keys (session, dtls)) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_FAILED, "libsrtp refused the keys of profile %u",
                 profile);
    return NULL;
  }
  return g_steal_pointer (&session);
}

void
srtp_session_free (SrtpSession *session)
{
  if (!session)
    return;
  if (session->inbound)
    srtp_dealloc (session->inbound);
  if (session->outbound)
    srtp_dealloc (session->outbound);
  g_free (session);
}

typedef srtp_err_status_t (*Transform) (srtp_t srtp, void *packet, int *size);

static gboolean
transform (SrtpSession *session, Transform func, srtp_t srtp, guint8 *packet, gsize *size)
{
  int length = (int)*size;
  if (*size > G_MAXUINT16 || func (srtp, packet, &length) != srtp_err_status_ok || length < 0) {
    session->errors++;
    return FALSE;
  }
  *size = (gsize)length;
  return TRUE;
}

gboolean
srtp_session_protect_rtp (SrtpSession *session, guint8 *packet, gsize *size)
{
  return transform (session, srtp_protect, session->outbound, packet, size);
}

gboolean
srtp_session_protect_rtcp (SrtpSession *session, guint8 *packet, gsize *size)
{
  return transform (session, srtp_protect_rtcp, session->outbound, packet, size);
}

/* TRUE when libsrtp has, or may make, a context for this SSRC. */
static gboolean
admit_ssrc (SrtpSession *session, guint32 ssrc, gboolean *ret_new)
{
  for (guint i = 0; i < session->n_ssrcs; i++)
    if (session->ssrcs[i] == ssrc) {
      *ret_new = FALSE;
      return TRUE;
    }
  *ret_new = TRUE;
  return session->n_ssrcs < MAX_SSRCS;
}

static gboolean
unprotect (SrtpSession *session, Transform func, guint8 *packet, gsize *size, gsize ssrc_offset)
{
  guint32 ssrc;
  gboolean fresh;
  if (*size < ssrc_offset + sizeof ssrc) {
    session->errors++;
    return FALSE;
  }
  memcpy (&ssrc, packet + ssrc_offset, sizeof ssrc);
  if (!admit_ssrc (session, ssrc, &fresh)) {
    session->errors++;
    return FALSE;
  }
  if (!transform (session, func, session->inbound, packet, size))
    return FALSE;
  if (fresh)
    session->ssrcs[session->n_ssrcs++] = ssrc;
  return TRUE;
}

gboolean
srtp_session_unprotect_rtp (SrtpSession *session, guint8 *packet, gsize *size)
{
  return unprotect (session, srtp_unprotect, packet, size, 8);
}

gboolean
srtp_session_unprotect_rtcp (SrtpSession *session, guint8 *packet, gsize *size)
{
  return unprotect (session, srtp_unprotect_rtcp, packet, size, 4);
}

guint64
srtp_session_errors (SrtpSession *session)
{
  return session->errors;
}

const char *
srtp_session_profile_name (SrtpSession *session)
{
  switch (session->profile) {
  case srtp_profile_aead_aes_128_gcm:
    return "AEAD_AES_128_GCM";
  case srtp_profile_aead_aes_256_gcm:
    return "AEAD_AES_256_GCM";
  case srtp_profile_aes128_cm_sha1_80:
    return "AES128_CM_SHA1_80";
  default:
    return "other";
  }
}
