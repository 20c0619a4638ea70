#include "certs/session_cert.h"
#include "certs/error.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

/* A session lasts a day at most; the margins cover clocks that differ. */
#define DAYS_BEFORE 1
#define DAYS_AFTER 30

static gboolean
fail (GError **error, const char *what)
{
  unsigned long code = ERR_peek_last_error ();
  const char *reason = code ? ERR_reason_error_string (code) : NULL;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "session certificate: %s: %s", what,
               reason ? reason : "no reason given by OpenSSL");
  ERR_clear_error ();
  return FALSE;
}

/* RFC 8827 §6.5: nothing in the certificate says who we are, not even across sessions. */
static gboolean
fill (X509 *certificate, EVP_PKEY *key)
{
  guint64 serial;
  char name[17];
  if (RAND_bytes ((unsigned char *)&serial, sizeof serial) != 1)
    return FALSE;
  g_snprintf (name, sizeof name, "%016" G_GINT64_MODIFIER "x", serial);
  X509_NAME *subject = X509_get_subject_name (certificate);
  return X509_set_version (certificate, X509_VERSION_3)
         && ASN1_INTEGER_set_uint64 (X509_get_serialNumber (certificate), serial >> 1)
         && X509_gmtime_adj (X509_getm_notBefore (certificate), -DAYS_BEFORE * 86400L)
         && X509_gmtime_adj (X509_getm_notAfter (certificate), DAYS_AFTER * 86400L)
         && X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                        -1, -1, 0)
         && X509_set_issuer_name (certificate, subject) && X509_set_pubkey (certificate, key)
         && X509_sign (certificate, key, EVP_sha256 ()) > 0;
}

SessionCert *
session_cert_new (GError **error)
{
  g_autoptr (SessionCert) cert = g_new0 (SessionCert, 1);
  cert->key = EVP_EC_gen ("P-256");
  if (!cert->key) {
    fail (error, "cannot make a P-256 key");
    return NULL;
  }
  cert->certificate = X509_new ();
  if (!cert->certificate || !fill (cert->certificate, cert->key)) {
    fail (error, "cannot make the certificate");
    return NULL;
  }
  cert->fingerprint = fingerprint_sha256 (cert->certificate);
  return g_steal_pointer (&cert);
}

void
session_cert_free (SessionCert *cert)
{
  if (!cert)
    return;
  EVP_PKEY_free (cert->key);
  X509_free (cert->certificate);
  g_free (cert->fingerprint);
  g_free (cert);
}

char *
fingerprint_sha256 (X509 *certificate)
{
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (!X509_digest (certificate, EVP_sha256 (), digest, &length))
    return NULL;
  GString *text = g_string_sized_new (3 * length);
  for (unsigned int i = 0; i < length; i++)
    g_string_append_printf (text, i ? ":%02X" : "%02X", digest[i]);
  return g_string_free (text, FALSE);
}

gboolean
fingerprint_equal (const char *a, const char *b)
{
  if (!a || !b)
    return FALSE;
  gsize length = strlen (a);
  if (length == 0 || length != strlen (b))
    return FALSE;
  g_autofree char *upper_a = g_ascii_strup (a, -1);
  g_autofree char *upper_b = g_ascii_strup (b, -1);
  return CRYPTO_memcmp (upper_a, upper_b, length) == 0;
}
