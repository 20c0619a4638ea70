/* Making certificates (RFC 5280): the station's local CA and its leaves, the vault's own. Any
 * thread. */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

typedef struct {
  EVP_PKEY *key;                /* of the subject; the public half is used */
  const char *common_name;      /* UTF-8; cut at 64 characters (ub-common-name) */
  const char *const *names;     /* DNS names and IP addresses; NULL: no subjectAltName */
  const char *basic;            /* OpenSSL's extension texts: "critical,CA:TRUE,pathlen:0" */
  const char *usage;            /* "critical,digitalSignature" */
  const char *extended;         /* "serverAuth,clientAuth"; may be NULL */
  const char *constraints;      /* "critical,permitted;DNS:localhost" (CA); may be NULL */
  gint64 not_before, not_after; /* UTC, s; not_after 0: RFC 5280's "no end" 9999-12-31 */
  X509 *issuer;                 /* NULL: self-signed */
  EVP_PKEY *issuer_key;         /* NULL: key */
} IssueRequest;

/* Serial of 127 random bits, subject and authority key identifiers, SHA-256. */
X509 *issue_certificate (const IssueRequest *request, GError **error);
/* TRUE when the certificate's subjectAltName says these names, in this order. */
gboolean issue_has_names (X509 *certificate, const char *const *names);
/* A fresh P-256 key. */
EVP_PKEY *issue_key (GError **error);
/* CERTS_ERROR with OpenSSL's own reason behind what; clears its queue. */
void issue_set_error (GError **error, CertsError code, const char *what);
