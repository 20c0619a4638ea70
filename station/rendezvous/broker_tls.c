#include "station/rendezvous/broker_tls.h"
#include "station/rendezvous/jose.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

const char *
broker_trouble_name (BrokerTrouble trouble)
{
  static const char *const names[]
      = { "good",       "no-name", "refused", "unreachable", "silent",    "untrusted",
          "other-name", "expired", "no-tls",  "stranger",    "forbidden", "lost" };
  G_STATIC_ASSERT (G_N_ELEMENTS (names) == BROKER_TROUBLES);
  return names[trouble];
}

static SSL_CTX *
fail (SSL_CTX *tls, const char *what, GError **error)
{
  char reason[200];
  ERR_error_string_n (ERR_get_error (), reason, sizeof reason);
  ERR_clear_error ();
  SSL_CTX_free (tls);
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "[rendezvous] %s: %s", what, reason);
  return NULL;
}

/* The context remembers why a certificate did not do: the library that makes the connection does
 * not tell. */
static int
remember (int good, X509_STORE_CTX *chain)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (chain, SSL_get_ex_data_X509_STORE_CTX_idx ());
  if (!good && ssl != NULL)
    SSL_CTX_set_app_data (SSL_get_SSL_CTX (ssl),
                          GINT_TO_POINTER (X509_STORE_CTX_get_error (chain)));
  return good;
}

static gboolean
expect_host (SSL_CTX *tls, const char *host)
{
  X509_VERIFY_PARAM *param = SSL_CTX_get0_param (tls);
  X509_VERIFY_PARAM_set_hostflags (param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_ip_asc (param, host) == 1
         || X509_VERIFY_PARAM_set1_host (param, host, 0) == 1;
}

SSL_CTX *
broker_tls_new (const char *host, const char *ca_file, const char *chain_file, EVP_PKEY *key,
                GError **error)
{
  SSL_CTX *tls = SSL_CTX_new (TLS_client_method ());
  if (tls == NULL)
    return fail (NULL, "TLS", error);
  SSL_CTX_set_min_proto_version (tls, TLS1_2_VERSION);
  SSL_CTX_set_verify (tls, SSL_VERIFY_PEER, remember);
  if (chain_file != NULL
      && (SSL_CTX_use_certificate_chain_file (tls, chain_file) != 1
          || SSL_CTX_use_PrivateKey (tls, key) != 1))
    return fail (tls, "the station's certificate does not do", error);
  if (ca_file != NULL ? SSL_CTX_load_verify_file (tls, ca_file) != 1
                      : SSL_CTX_set_default_verify_paths (tls) != 1)
    return fail (tls, "ca-file cannot be read", error);
  if (!expect_host (tls, host))
    return fail (tls, "broker", error);
  ERR_clear_error ();
  return tls;
}

static BrokerTrouble
of_certificate (int verdict)
{
  switch (verdict) {
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return BROKER_OTHER_NAME;
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return BROKER_EXPIRED;
  default:
    return BROKER_UNTRUSTED;
  }
}

BrokerTrouble
broker_tls_trouble (const SSL_CTX *tls, char **ret_why)
{
  char text[200];
  unsigned long code = ERR_peek_last_error ();
  *ret_why = NULL;
  if (code == 0)
    return BROKER_GOOD;
  ERR_error_string_n (code, text, sizeof text);
  ERR_clear_error ();
  *ret_why = g_strdup_printf ("TLS: %s", text);
  if (ERR_GET_LIB (code) != ERR_LIB_SSL)
    return BROKER_NO_TLS;
  if (ERR_GET_REASON (code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return of_certificate (GPOINTER_TO_INT (SSL_CTX_get_app_data (tls)));
  /* An alert of the other end: of all that it may not like our certificate is the likely one. */
  return ERR_GET_REASON (code) > SSL_AD_REASON_OFFSET ? BROKER_STRANGER : BROKER_NO_TLS;
}

BrokerTrouble
broker_errno_trouble (int number)
{
  switch (number) {
  case ECONNREFUSED:
    return BROKER_REFUSED;
  case ECONNRESET:
  case EPIPE:
    return BROKER_LOST;
  default:
    return BROKER_UNREACHABLE;
  }
}
