/* Who this station is: one P-256 key (SK) and its certificate, for TLS and for the station's
 * seal on records. It never signs for a person.
 *
 * At set-up a station-local CA issues the certificate, so that browsers told to trust ca.crt
 * accept https://localhost; a province's certificate replaces it later (station.conf).
 * Private keys are encrypted PKCS#8 files opened with the boot credential, or any other
 * OpenSSL STORE URI. Files live in STATE/certs: station.key station.crt ca.key ca.crt, and
 * province.crt, the chain that an authority outside gave for the same key (`cert install`): what
 * the station shows to brokers and others, while browsers of its own machine get station.crt.
 */
#pragma once
#include "certs/error.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

typedef struct Identity Identity;

typedef struct {
  const char *state_dir;
  const char *key_uri;     /* NULL: STATE/certs/station.key */
  const char *certificate; /* PEM chain; NULL: STATE/certs/station.crt */
  GBytes *secret;          /* opens encrypted key files (or a token): text without its line end as
                            * the passphrase, other bytes as their hex; NULL when none is needed */
} IdentityPlace;

/* Makes key (unless key_uri names one), local CA and certificate: the CA's name constraints allow
 * these names, private addresses and .local .lan .internal .home.arpa, nothing else. names: DNS
 * names and IP addresses of the certificate
 * ("localhost", "127.0.0.1", "::1", host name), NULL-terminated. */
gboolean identity_create (const IdentityPlace *place, const char *station_name,
                          const char *const *names, GError **error);
Identity *identity_open (const IdentityPlace *place, GError **error);
void identity_free (Identity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Identity, identity_free)

/* Re-issues a certificate of the local CA when two thirds of its life are over, or when names
 * changed. ret_renewed may be NULL. A certificate from elsewhere is left alone. */
gboolean identity_renew_local (const IdentityPlace *place, const char *const *names,
                               gboolean *ret_renewed, GError **error);

EVP_PKEY *identity_key (Identity *identity); /* (transfer none) */
/* Stays as long as the identity does, also when a newer one has taken its place (transfer none). */
X509 *identity_certificate (Identity *identity);
/* The chain of province.crt, leaf first; NULL: none is installed. Free with sk_X509_pop_free(). Any
 * thread. */
STACK_OF (X509) * identity_chain (Identity *identity);
/* Reads certificate and chain again, for sessions from now on. FALSE: they cannot be read or are
 * not of the key; the old ones stay. ret_changed may be NULL. Any thread. */
gboolean identity_reload (Identity *identity, gboolean *ret_changed, GError **error);
const char *identity_certificate_file (Identity *identity); /* PEM chain, for the TLS server */
/* DER of the private key (i2d_PrivateKey) for libwebsockets; wipe with OPENSSL_cleanse after use.
 * CERTS_ERROR_KEY when it lives in a device. */
GBytes *identity_key_der (Identity *identity, GError **error);

/* Detached CMS signature (RFC 5652, CAdES-BES signing-certificate attribute) over data, DER. */
GBytes *identity_sign (Identity *identity, GBytes *data, GError **error);
/* TRUE when signature is by the key of certificate (also of an earlier certificate of that key).
 * Chain and dates are the caller's matter. */
gboolean identity_verify (X509 *certificate, GBytes *data, GBytes *signature, GError **error);
