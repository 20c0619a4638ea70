#include "certs/cades_private.h"
#include "certs/peer_private.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* 112 bits of strength (SP 800-57): RSA 2048, P-224, SHA-224 and above. */
#define AUTH_LEVEL 2

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)

/* ---- Chains
 * ------------------------------------------------------------------------------------ */

static STACK_OF (X509) * refuse_chain (STACK_OF (X509) * chain, const char *why, GError **error)
{
  sk_X509_pop_free (chain, X509_free);
  ERR_clear_error ();
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s", why);
  return NULL;
}

STACK_OF (X509) * peer_chain_of_der (GBytes *const *certificates, gsize n, GError **error)
{
  STACK_OF (X509) *chain = sk_X509_new_null ();
  if (n == 0 || n > PEER_CHAIN_MOST)
    return refuse_chain (chain, n == 0 ? "there is no certificate" : "too many certificates",
                         error);
  for (gsize i = 0; i < n; i++) {
    gsize size;
    const unsigned char *der = g_bytes_get_data (certificates[i], &size), *end = der;
    X509 *one
        = size > 0 && size <= PEER_CERTIFICATE_LONGEST ? d2i_X509 (NULL, &end, (long)size) : NULL;
    if (one == NULL || end != der + size || sk_X509_push (chain, one) <= 0) {
      X509_free (one);
      return refuse_chain (chain, "this is no certificate, or one that is too long", error);
    }
  }
  return chain;
}

STACK_OF (X509) * peer_chain_of_pem (GBytes *pem, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (pem, &size);
  STACK_OF (X509) *chain = sk_X509_new_null ();
  if (size == 0 || size > 4 * PEER_CHAIN_MOST * PEER_CERTIFICATE_LONGEST)
    return refuse_chain (chain, "this is no certificate (PEM), or far too long", error);
  BIO *bio = BIO_new_mem_buf (text, (int)size);
  for (X509 *one; (one = PEM_read_bio_X509 (bio, NULL, NULL, NULL)) != NULL;) {
    if (sk_X509_num (chain) >= PEER_CHAIN_MOST || sk_X509_push (chain, one) <= 0) {
      X509_free (one);
      BIO_free (bio);
      return refuse_chain (chain, "too many certificates", error);
    }
  }
  BIO_free (bio);
  /* Else a damaged block would pass for the end of the text. */
  gboolean whole = ERR_GET_REASON (ERR_peek_last_error ()) == PEM_R_NO_START_LINE;
  if (sk_X509_num (chain) == 0 || !whole)
    return refuse_chain (chain, "this is no certificate (PEM), or it is damaged", error);
  ERR_clear_error ();
  return chain;
}

/* ---- The question
 * ------------------------------------------------------------------------------ */

static const char *
code_of (int wrong, int depth)
{
  switch (wrong) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return depth == 0 ? "certificate-expired" : "issuer-expired";
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return depth == 0 ? "certificate-early" : "issuer-expired";
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_INVALID_CA:
  case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    return "issuer-unknown";
  case X509_V_ERR_PERMITTED_VIOLATION:
  case X509_V_ERR_EXCLUDED_VIOLATION:
    return "issuer-other";
  case X509_V_ERR_INVALID_PURPOSE:
    return "purpose-other";
  case X509_V_ERR_EE_KEY_TOO_SMALL:
  case X509_V_ERR_CA_KEY_TOO_SMALL:
  case X509_V_ERR_CA_MD_TOO_WEAK:
    return "algorithm-weak";
  case X509_V_ERR_CERT_REVOKED:
    return "certificate-revoked";
  case X509_V_ERR_UNABLE_TO_GET_CRL:
    return "revocation-unknown";
  case X509_V_ERR_CRL_HAS_EXPIRED:
  case X509_V_ERR_CRL_NOT_YET_VALID:
    return "revocation-old";
  default:
    return "chain-broken";
  }
}

static X509_STORE *
store_of (PeerTrust *trust, PeerTime time, gboolean lists)
{
  X509_STORE *store = X509_STORE_new ();
  X509_VERIFY_PARAM *param = X509_STORE_get0_param (store);
  for (guint i = 0; i < trust->issuers->len; i++) {
    const PeerIssuer *issuer = trust->issuers->pdata[i];
    for (int k = 0; k < sk_X509_num (issuer->pinned); k++)
      X509_STORE_add_cert (store, sk_X509_value (issuer->pinned, k));
    if (issuer->crl != NULL)
      X509_STORE_add_crl (store, issuer->crl);
  }
  X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT
                                          | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_auth_level (param, AUTH_LEVEL);
  X509_VERIFY_PARAM_set_purpose (param, X509_PURPOSE_SSL_CLIENT);
  if (lists)
    X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_CRL_CHECK);
  if (time.trusted)
    X509_VERIFY_PARAM_set_time (param, (time_t)time.now);
  else
    X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_NO_CHECK_TIME);
  return store;
}

/* Under the trust's lock. "good", or what is wrong. */
static const char *
check_chain (PeerTrust *trust, STACK_OF (X509) * chain, PeerTime time, gboolean lists)
{
  g_autoptr (X509_STORE) store = store_of (trust, time, lists);
  g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();
  if (X509_STORE_CTX_init (context, store, sk_X509_value (chain, 0), chain) != 1)
    return "chain-broken";
  const char *code = "good";
  if (X509_verify_cert (context) != 1)
    code = code_of (X509_STORE_CTX_get_error (context), X509_STORE_CTX_get_error_depth (context));
  ERR_clear_error ();
  return code;
}

/* X509_PURPOSE_SSL_CLIENT takes a certificate without these extensions for one that may do all. */
static gboolean
says_purpose (X509 *leaf)
{
  guint32 usage = X509_get_key_usage (leaf), extended = X509_get_extended_key_usage (leaf);
  return X509_check_ca (leaf) == 0 && usage != UINT32_MAX && (usage & KU_DIGITAL_SIGNATURE) != 0
         && extended != UINT32_MAX && (extended & XKU_SSL_CLIENT) != 0;
}

static const char *
check_name (PeerTrust *trust, X509 *leaf, PeerKind kind, const char *id)
{
  PeerKind said;
  g_autofree char *name = NULL;
  if (!peer_name_of (leaf, &said, &name))
    return "name-missing";
  if (said != kind)
    return "kind-other";
  if (!peer_id_is_valid (kind, id) || !g_str_equal (name, id))
    return "name-other";
  /* A chain through an authority that is not pinned itself ends at one that is. */
  PeerIssuer *issuer = peer_trust_signer (trust, leaf);
  if (issuer == NULL)
    return "issuer-unknown";
  /* Also by a list that is out of date, which says nothing else. */
  X509_REVOKED *entry = NULL;
  if (issuer->crl != NULL && X509_CRL_get0_by_cert (issuer->crl, &entry, leaf) == 1)
    return "certificate-revoked";
  return peer_issuer_covers (issuer, kind, id) ? "good" : "issuer-other";
}

static const char *
judge (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind, const char *id, PeerTime time,
       gboolean want_list)
{
  X509 *leaf = sk_X509_value (chain, 0);
  g_mutex_lock (&trust->lock);
  const char *code = check_chain (trust, chain, time, TRUE);
  /* Without a trusted clock a list may still revoke; that there is none says nothing then. The
   * signatures have not been looked at yet. */
  if ((!time.trusted || !want_list)
      && (g_str_equal (code, "revocation-unknown") || g_str_equal (code, "revocation-old")))
    code = check_chain (trust, chain, time, FALSE);
  if (g_str_equal (code, "good") && !says_purpose (leaf))
    code = "purpose-other";
  if (g_str_equal (code, "good"))
    code = check_name (trust, leaf, kind, id);
  g_mutex_unlock (&trust->lock);
  return code;
}

static const char *
answer_code (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind, const char *id,
             PeerTime time, gboolean want_list)
{
  if (chain == NULL || sk_X509_num (chain) == 0)
    return "chain-missing";
  if (sk_X509_num (chain) > PEER_CHAIN_MOST)
    return "chain-broken";
  return judge (trust, chain, kind, id, time, want_list);
}

PeerAnswer
peer_check_without_lists (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind, const char *id,
                          PeerTime time)
{
  return peer_answer (answer_code (trust, chain, kind, id, time, FALSE));
}

PeerAnswer
peer_check (PeerTrust *trust, STACK_OF (X509) * chain, PeerKind kind, const char *id, PeerTime time)
{
  const char *code = answer_code (trust, chain, kind, id, time, TRUE);
  if (!g_str_equal (code, "good"))
    return peer_answer (code);
  g_autofree char *hash = peer_key_hash (X509_get0_pubkey (sk_X509_value (chain, 0)));
  if (time.trusted) {
    peer_trust_know (trust, kind, id, hash);
    return peer_answer ("good");
  }
  return peer_answer (peer_trust_knows (trust, kind, id, hash) ? "known-key" : "clock-untrusted");
}
