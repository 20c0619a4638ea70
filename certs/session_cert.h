/* Session certificates for DTLS (RFC 8827 §6.5): a fresh P-256 key and self-signed certificate
 * per session, made ahead of time so that a join does not wait for it. */
#pragma once
#include <glib.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

typedef struct {
  EVP_PKEY *key;
  X509 *certificate;
  char *fingerprint; /* "AB:CD:..." SHA-256 of the DER, upper case (RFC 8122 §5) */
} SessionCert;

SessionCert *session_cert_new (GError **error);
void session_cert_free (SessionCert *cert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SessionCert, session_cert_free)

/* SHA-256 fingerprint of a certificate, "AB:CD:..." (transfer full). */
char *fingerprint_sha256 (X509 *certificate);
/* Constant-time, case-insensitive comparison of two such texts. */
gboolean fingerprint_equal (const char *a, const char *b);
