/* Requests for certificates (PKCS#10, RFC 2986) of stations and people, as `cert request` makes
 * them and `ca sign` takes them. No network, no file. */
#pragma once
#include "certs/peer_check.h"

#define CSR_LONGEST 16384
#define CSR_NAMES_MOST 16

typedef struct {
  PeerKind kind;
  char *id;
  char *name; /* for people, 1 to 64 characters that can be printed: O where it is given, else CN */
  GStrv names;   /* DNS names and addresses, of stations only; empty: none */
  EVP_PKEY *key; /* the public half */
} Csr;

/* PEM or DER, hostile. Taken when it proves that it has the key, the key is P-256 (people also:
 * P-384, RSA of 2048 to 4096 bits), it has one URI of ours (peer_uri) and else nothing but host
 * names and addresses, a common name, and does not ask to be an authority. CERTS_ERROR_FAILED says
 * what is wrong and what to do. */
Csr *csr_parse (GBytes *bytes, GError **error);
void csr_free (Csr *csr);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Csr, csr_free)

/* DER, signed by key, which may live in a token or TPM. names may be NULL. The CN of a person is
 * the name; that of a station is its id, by which a broker knows it (mosquitto's
 * use_identity_as_username), and the name is its O. CERTS_ERROR_KEY: it does not sign. */
GBytes *csr_make (EVP_PKEY *key, PeerKind kind, const char *id, const char *name,
                  const char *const *names, GError **error);
/* PEM of it (transfer full). */
char *csr_pem (GBytes *der);
