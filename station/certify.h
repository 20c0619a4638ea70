/* What enrolment does over the network, and what it leaves in STATE/certs: for the running
 * station's worker and for `nhipcau cert`. Waits for the network. */
#pragma once
#include "certs/identity.h"
#include "station/issuers.h"

#define CERTIFY_ERROR (certify_error_quark ())
GQuark certify_error_quark (void);
typedef enum {
  CERTIFY_ERROR_UNREACHABLE, /* no answer, or none that makes sense: try later */
  CERTIFY_ERROR_REFUSED,     /* the server says no, and why */
  CERTIFY_ERROR_LATER,       /* somebody has to approve it first (202) */
  CERTIFY_ERROR_UNFIT,       /* the certificate does not do: PeerAnswer's words */
} CertifyError;

/* What a chain for this station must be: of this key, this id, a pinned issuer. Revocation lists
 * that are missing or old do not matter here, being on one does. CERTIFY_ERROR_UNFIT. */
gboolean certify_check (const Config *config, PeerTrust *trust, STACK_OF (X509) * chain,
                        const EVP_PKEY *key, PeerTime time, GError **error);
/* To STATE/certs/province.crt, durable. */
gboolean certify_install (const Config *config, STACK_OF (X509) * chain, GError **error);

/* The station's request (PKCS#10, DER). Host names are asked for only where browsers get this
 * certificate ([http] certificate = STATE/certs/province.crt): an issuer may vouch for few. */
GBytes *certify_request (const Config *config, EVP_PKEY *key, GError **error);
/* A certificate from the issuer's server: by the one there is, else by name and password. Checked
 * and installed. ret_date: the server's clock, s, UTC; 0: not known; may be NULL. */
gboolean certify_renew (const Config *config, PeerTrust *trust, const ConfigIssuer *issuer,
                        Identity *identity, PeerTime time, gint64 *ret_date, GError **error);
/* Asks the issuer's server for its certificates (cacerts): whether the pinned one is still among
 * them, and what time it is there (s, UTC; 0: not said). The dates of the server's own certificate
 * do not matter here: this is how a clock that is wrong is found. Nothing is trusted by the answer.
 */
gboolean certify_ask (const ConfigIssuer *issuer, PeerTrust *trust, gint64 *ret_date,
                      gboolean *ret_pinned, GError **error);

/* The issuer's revocation list, fetched or read, checked, put beside the others in STATE. */
gboolean certify_fetch_list (const Config *config, PeerTrust *trust, const ConfigIssuer *issuer,
                             GError **error);
