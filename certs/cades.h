/* Signatures of people and of the station as CAdES (RFC 5126, ETSI EN 319 122-1): CMS SignedData
 * (RFC 5652) over a text that stands beside it, with the signing-certificate attribute; chain and
 * CRLs inside (level B-LT); RFC 3161 tokens as unsigned attributes: the first over the signature's
 * value (B-T), each further one over everything so far (archive-time-stamp v2, RFC 5126 §6.4.1),
 * so that it outlives certificates, authorities and hashes.
 *
 * All cryptography is OpenSSL's. Functions keep no state: any thread. What comes in may be hostile;
 * signatures over CADES_LONGEST are refused.
 */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#define CADES_LONGEST (1024 * 1024)

/* ---- Making -------------------------------------------------------------------------------- */

/* A key to sign with: encrypted PKCS#8 file or STORE URI
 * ("org.openssl.engine:pkcs11:pkcs11:token=…;object=…"), its certificate first in a PEM file, the
 * chain behind it. */
typedef struct {
  EVP_PKEY *key; /* NULL: in a token */
  char *token;   /* its URI; signs in a process of its own (token_sign.h) */
  GBytes *secret;
  char *file;                     /* the certificates' */
  STACK_OF (X509) * certificates; /* the key's own, then its issuers */
} CadesSigner;

/* secret: passphrase or PIN; NULL: none. CERTS_ERROR_KEY: the secret is wrong, or key and
 * certificate do not belong together; CERTS_ERROR_NOT_FOUND: a file is not there. */
CadesSigner *cades_signer_open (const char *key_uri, const char *certificate_file, GBytes *secret,
                                GError **error);
void cades_signer_free (CadesSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CadesSigner, cades_signer_free)

/* Detached signature, DER. crls (may be NULL) go in as they are given. A token is only asked now:
 * CERTS_ERROR_KEY when its PIN is wrong or it is not plugged in. Waits for it: worker threads. */
GBytes *cades_sign (CadesSigner *signer, STACK_OF (X509_CRL) * crls, GBytes *content,
                    GError **error);
/* The DER of a .p7s file, which may be DER or PEM; as it was, not made anew.
 * CERTS_ERROR_FAILED: no CMS SignedData, or over CADES_LONGEST. */
GBytes *cades_read (GBytes *file, GError **error);
/* What the next token must be over: of the signature's value (SHA-256) when the signature has no
 * token yet, else of everything (SHA-512). */
GBytes *cades_next_imprint (GBytes *cms, GBytes *content, GError **error);
/* The signature with one token more, which must be over cades_next_imprint(). */
GBytes *cades_add_token (GBytes *cms, GBytes *token, GError **error);

/* ---- Trust --------------------------------------------------------------------------------- */

typedef struct {
  STACK_OF (X509) * people;      /* roots of those who sign */
  STACK_OF (X509) * authorities; /* roots of time-stamping authorities */
  STACK_OF (X509_CRL) * crls;    /* newer ones than those in the signatures */
} CadesTrust;

/* PEM files; any may be NULL: nobody is trusted, no CRL is known. */
CadesTrust *cades_trust_load (const char *people, const char *authorities, const char *crls,
                              GError **error);
/* Trusts one more (transfer none). */
void cades_trust_add (CadesTrust *trust, X509 *root);
void cades_trust_free (CadesTrust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CadesTrust, cades_trust_free)

/* ---- Revocation by OCSP (RFC 6960) ---------------------------------------------------------- */

#define CADES_OCSP_LONGEST (64 * 1024)

/* Whom to ask about the signer's certificate, and what (application/ocsp-request, answered by
 * application/ocsp-response): where its chain is trusted and it names a responder over HTTP. FALSE:
 * nobody. No network here. */
gboolean cades_ocsp_ask (GBytes *cms, const CadesTrust *trust, char **ret_url,
                         GBytes **ret_request);
/* The signature with the answer inside, beside the lists (RFC 5940), once it holds: the issuer's or
 * its responder's, about this certificate, of this time, good or revoked. CERTS_ERROR_FAILED: it
 * does not, or a further time-stamp is over the signature already. */
GBytes *cades_add_ocsp (GBytes *cms, GBytes *response, const CadesTrust *trust, GError **error);
/* The same signature, whatever stands beside it. */
gboolean cades_same_signature (GBytes *one, GBytes *other);

/* ---- Checking ------------------------------------------------------------------------------ */

typedef enum { CADES_GOOD, CADES_NOTE, CADES_BAD } CadesVerdict;

/* code, CADES_BAD unless said otherwise:
 *   not-a-signature several-signers signature-plain (no signed attributes)
 *   wrong-content (of another text) signature-broken algorithm-weak
 *   certificate-missing certificate-other (the attribute names another) certificate-unnamed (note)
 *   certificate-unknown certificate-expired certificate-early certificate-usage
 *   certificate-revoked; notes: certificate-revoked-later certificate-expired-later
 *   revocation-unknown (note) revocation-broken; attribute-unknown (note: beside the signature)
 *   timestamp-missing (note) timestamp-broken timestamp-unknown timestamp-weak
 *   timestamp-expires (note: a further one is due)
 *   form-unusual certificate-unused (notes: what nobody signs is not as it should be; here or in a
 *   token) */
typedef struct {
  CadesVerdict verdict;
  const char *code; /* static */
} CadesFinding;

typedef struct {
  GArray *findings;               /* CadesFinding */
  CadesVerdict verdict;           /* the worst of them */
  char *signer, *issuer;          /* common names; NULL when there is no certificate */
  char *serial;                   /* hex */
  char *certificate;              /* SHA-256 of it, hex */
  gint64 valid_from, valid_until; /* of the certificate; s, UTC */
  gint64 claimed;                 /* signing time as the signer says; s, UTC; 0: not said */
  gint64 stamped;                 /* of the first token that holds; s, UTC; 0: none does */
  char *stamped_by;               /* who says so */
  gboolean by_crl, by_ocsp;       /* what told that it was not revoked then */
  guint tokens;
  gint64 renew_before; /* when the newest token loses its strength; s, UTC; 0: no token */
} CadesReport;

/* now: s, UTC. Never fails: what is wrong is a finding. */
CadesReport *cades_check (GBytes *cms, GBytes *content, const CadesTrust *trust, gint64 now);
gboolean cades_report_has (const CadesReport *report, const char *code);
void cades_report_free (CadesReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CadesReport, cades_report_free)
