/* SRTP and SRTCP of one connection, both directions (RFC 3711, RFC 7714), keyed by DTLS (RFC 5764).
 *
 * Works in place: the caller hands a copy that it can spare. Any SSRC is taken; each has its own
 * replay window, and their number is bounded. Errors are counted, never fatal.
 * Thread: one at a time.
 */
#pragma once
#include "media/transport/dtls.h"

typedef struct SrtpSession SrtpSession;

enum { SRTP_SESSION_OVERHEAD = 32 /* bytes that protecting may add, SRTCP's index included */ };

/* Reads the keys of a connected DTLS. Errors: PEER_ERROR_FAILED, no profile agreed. */
SrtpSession *srtp_session_new (Dtls *dtls, GError **error);
void srtp_session_free (SrtpSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrtpSession, srtp_session_free)

/* size: in the plain length, out the protected one. The buffer holds SRTP_SESSION_OVERHEAD more.
 * An RTP packet may be protected again only if it is the same byte for byte: with GCM a nonce must
 * never serve two messages. */
gboolean srtp_session_protect_rtp (SrtpSession *session, guint8 *packet, gsize *size);
gboolean srtp_session_protect_rtcp (SrtpSession *session, guint8 *packet, gsize *size);
/* FALSE: not authentic, replayed, malformed, or one SSRC too many. */
gboolean srtp_session_unprotect_rtp (SrtpSession *session, guint8 *packet, gsize *size);
gboolean srtp_session_unprotect_rtcp (SrtpSession *session, guint8 *packet, gsize *size);

/* Datagrams that could not be unprotected. */
guint64 srtp_session_errors (SrtpSession *session);
const char *srtp_session_profile_name (SrtpSession *session);
