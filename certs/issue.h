/* Making certificates (RFC 5280): the station's local CA and its leaves, the vault's own. Any
 * thread. */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

typedef struct {
  EVP_PKEY *key;                /* of the subject; the public half is used */
  const char *common_name;      /* UTF-8; cut at 64 characters (ub-common-name) */
  const char *organization;     /* the same; NULL: none */
  const char *const *names;     /* DNS names and IP addresses; may be NULL */
  const char *uri;              /* one more name; NULL: none */
  const char *basic;            /* OpenSSL's extension texts: "critical,CA:TRUE,pathlen:0" */
  const char *usage;            /* "critical,digitalSignature" */
  const char *extended;         /* "serverAuth,clientAuth"; may be NULL */
  const char *constraints;      /* "critical,permitted;DNS:localhost" (CA); may be NULL */
  const char *crl_url;          /* where the issuer's list is; may be NULL */
  gint64 not_before, not_after; /* UTC, s; not_after 0: RFC 5280's "no end" 9999-12-31 */
  X509 *issuer;                 /* NULL: self-signed */
  EVP_PKEY *issuer_key;         /* NULL: key */
} IssueRequest;

/* Serial of 127 random bits, subject and authority key identifiers, SHA-256 (issuers of P-384:
 * SHA-384). */
X509 *issue_certificate (const IssueRequest *request, GError **error);
/* TRUE when the certificate's subjectAltName says these names, in this order. */
gboolean issue_has_names (X509 *certificate, const char *const *names);
/* A fresh P-256 key. */
EVP_PKEY *issue_key (GError **error);
/* CERTS_ERROR with OpenSSL's own reason behind what; clears its queue. */
void issue_set_error (GError **error, CertsError code, const char *what);
/* The digest to sign with by such a key. */
const EVP_MD *issue_digest (EVP_PKEY *key);
/* DNS names, addresses and a URI (may be NULL) as a subjectAltName; NULL: one of them is none. */
GENERAL_NAMES *issue_names (const char *const *names, const char *uri);
/* Name constraints (RFC 5280 §4.2.1.10), "critical,…", that permit private addresses, localhost and
 * .local .lan .internal .home.arpa, and these; names may be NULL (transfer full). */
char *issue_private_constraints (const char *const *names);
/* Does this authority's certificate permit the names of that one? */
gboolean issue_permits (X509 *authority, X509 *certificate);
/* O (NULL: none) and CN of a subject, in UTF-8; cut at 64 characters. */
gboolean issue_set_subject (X509_NAME *subject, const char *organization, const char *common_name);
/* Host names and addresses as a certificate may have them. */
gboolean issue_name_is_valid (const char *name);
/* A new key of a curve: "P-256", "P-384". */
EVP_PKEY *issue_key_of (const char *curve, GError **error);
