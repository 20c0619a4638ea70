/* Enrolment over Secure Transport (RFC 7030, RFC 8951) without the transport: what is sent and what
 * comes back. The station's worker speaks HTTPS (station/certify.h).
 *
 *   GET  BASE/cacerts          → certificates of the authority
 *   POST BASE/simpleenroll     request → certificate
 *   POST BASE/simplereenroll   the same, by who has one already (TLS client certificate)
 */
#pragma once
#include "certs/peer_check.h"

#define EST_REQUEST_TYPE "application/pkcs10"
#define EST_REPLY_TYPE "application/pkcs7-mime"
#define EST_REPLY_LONGEST (256 * 1024)
#define EST_CERTIFICATES_MOST 16

/* "https://est.example.vn/.well-known/est" or with a label behind it (§3.2.2); a host alone gets
 * the path. NULL: it is no such address. (transfer full) */
char *est_base (const char *text);
/* The body of a request: base64 in lines (RFC 8951 §3.1). der: PKCS#10. */
GBytes *est_body (GBytes *der);

/* The certificates of a reply: base64, or DER as some servers send it, of a CMS SignedData that
 * only carries certificates. Hostile. CERTS_ERROR_FAILED. Free with sk_X509_pop_free(). */
STACK_OF (X509) * est_certificates (GBytes *reply, GError **error);
/* Of these the one for key, then its issuers as far as they are there, roots left out; leaf first.
 * NULL: none is for this key. (transfer full) */
STACK_OF (X509) * est_chain (STACK_OF (X509) * certificates, const EVP_PKEY *key);

/* Two thirds of its life are over, or it begins after now (the clock went back). now: s, UTC. */
gboolean est_is_due (X509 *certificate, gint64 now);
