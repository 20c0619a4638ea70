#include "certs/timestamp.h"
#include "certs/cades_private.h"
#include "certs/issue.h"
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TS_REQ, TS_REQ_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TS_RESP, TS_RESP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PKCS7, PKCS7_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TS_TST_INFO, TS_TST_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_ALGOR, X509_ALGOR_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ASN1_INTEGER, ASN1_INTEGER_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIGNUM, BN_free)

#define NONCE_BITS 64

static int
digest_of_size (gsize size)
{
  return size == 64 ? NID_sha512 : size == 48 ? NID_sha384 : size == 32 ? NID_sha256 : NID_undef;
}

static gboolean
set_imprint (TS_REQ *query, GBytes *imprint)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (imprint, &size);
  g_autoptr (TS_MSG_IMPRINT) message = TS_MSG_IMPRINT_new ();
  g_autoptr (X509_ALGOR) algorithm = X509_ALGOR_new ();
  int nid = digest_of_size (size);

  return nid != NID_undef && X509_ALGOR_set0 (algorithm, OBJ_nid2obj (nid), V_ASN1_NULL, NULL) == 1
         && TS_MSG_IMPRINT_set_algo (message, algorithm) == 1
         && TS_MSG_IMPRINT_set_msg (message, (unsigned char *)data, (int)size) == 1
         && TS_REQ_set_msg_imprint (query, message) == 1;
}

static gboolean
set_nonce (TS_REQ *query)
{
  g_autoptr (BIGNUM) number = BN_new ();
  if (BN_rand (number, NONCE_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1)
    return FALSE;
  g_autoptr (ASN1_INTEGER) nonce = BN_to_ASN1_INTEGER (number, NULL);
  return nonce != NULL && TS_REQ_set_nonce (query, nonce) == 1;
}

static gboolean
set_policy (TS_REQ *query, const char *policy)
{
  if (policy == NULL)
    return TRUE;
  ASN1_OBJECT *object = OBJ_txt2obj (policy, 1);
  gboolean good = object != NULL && TS_REQ_set_policy_id (query, object) == 1;
  ASN1_OBJECT_free (object);
  return good;
}

GBytes *
timestamp_query (GBytes *imprint, const char *policy, GError **error)
{
  g_autoptr (TS_REQ) query = TS_REQ_new ();
  unsigned char *der = NULL;
  int size = -1;

  ERR_clear_error ();
  if (TS_REQ_set_version (query, 1) == 1 && set_imprint (query, imprint) && set_nonce (query)
      && set_policy (query, policy) && TS_REQ_set_cert_req (query, 1) == 1)
    size = i2d_TS_REQ (query, &der);
  if (size <= 0) {
    issue_set_error (error, CERTS_ERROR_FAILED, "a time-stamp query cannot be made");
    return NULL;
  }
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return bytes;
}

/* The context owns store and certificates. */
static TS_VERIFY_CTX *
context_at (TS_REQ *query, const CadesTrust *trust, gint64 now)
{
  TS_VERIFY_CTX *context
      = query != NULL ? TS_REQ_to_TS_VERIFY_CTX (query, NULL) : TS_VERIFY_CTX_new ();
  if (context == NULL)
    return NULL;
  TS_VERIFY_CTX_add_flags (context, TS_VFY_VERSION | TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store (context, cades_store_at (trust->authorities, now));
  return context;
}

static PKCS7 *
parse_token (GBytes *token)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (token, &size), *end = der;
  if (size == 0 || size > CADES_LONGEST)
    return NULL;
  PKCS7 *parsed = d2i_PKCS7 (NULL, &end, (long)size);
  if (parsed != NULL && (end != der + size || !PKCS7_type_is_signed (parsed)))
    g_clear_pointer (&parsed, PKCS7_free);
  return parsed;
}

/* What OpenSSL said, in one of few words; clears its queue. */
static const char *
reason_of (void)
{
  unsigned long code = ERR_peek_last_error ();
  const char *reason = ERR_GET_LIB (code) == ERR_LIB_TS ? ERR_reason_error_string (code) : NULL;
  ERR_clear_error ();
  return reason != NULL ? reason : "it does not hold";
}

GBytes *
timestamp_accept (GBytes *query, GBytes *reply, const CadesTrust *trust, gint64 now, GError **error)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (query, &size);
  g_autoptr (TS_REQ) asked = d2i_TS_REQ (NULL, &der, (long)size);
  const unsigned char *start = g_bytes_get_data (reply, &size), *end = start;
  g_autoptr (TS_RESP) answer
      = size > 0 && size <= CADES_LONGEST ? d2i_TS_RESP (NULL, &end, (long)size) : NULL;
  if (asked == NULL || answer == NULL || end != start + size) {
    ERR_clear_error ();
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "the authority's answer is no time-stamp reply (RFC 3161)");
    return NULL;
  }
  TS_VERIFY_CTX *context = context_at (asked, trust, now);
  gboolean good = context != NULL && TS_RESP_verify_response (context, answer) == 1;
  TS_VERIFY_CTX_free (context);
  PKCS7 *token = TS_RESP_get_token (answer);
  if (!good || token == NULL) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "the authority's time-stamp: %s",
                 reason_of ());
    return NULL;
  }
  unsigned char *out = NULL;
  int length = i2d_PKCS7 (token, &out);
  GBytes *bytes = length > 0 ? g_bytes_new (out, (gsize)length) : NULL;
  OPENSSL_free (out);
  ERR_clear_error ();
  return bytes;
}

void
timestamp_facts_clear (TimestampFacts *facts)
{
  g_clear_pointer (&facts->authority, g_free);
}

static void
look_at_signer (PKCS7 *token, TimestampFacts *facts)
{
  STACK_OF (X509) *signers = PKCS7_get0_signers (token, NULL, 0);
  X509 *authority = signers != NULL ? sk_X509_value (signers, 0) : NULL;
  if (authority != NULL) {
    facts->authority = cades_name (X509_get_subject_name (authority));
    facts->until = cades_time (X509_get0_notAfter (authority));
  }
  sk_X509_free (signers);
}

gboolean
timestamp_look (GBytes *token, TimestampFacts *ret, const EVP_MD **ret_md)
{
  g_autoptr (PKCS7) parsed = parse_token (token);
  g_autoptr (TS_TST_INFO) info = parsed != NULL ? PKCS7_to_TS_TST_INFO (parsed) : NULL;
  *ret = (TimestampFacts){ 0 };
  if (ret_md != NULL)
    *ret_md = NULL;
  if (info != NULL) {
    ret->time = cades_time (TS_TST_INFO_get_time (info));
    if (ASN1_INTEGER_get_uint64 (&ret->serial, TS_TST_INFO_get_serial (info)) != 1)
      ret->serial = 0;
    X509_ALGOR *algorithm = TS_MSG_IMPRINT_get_algo (TS_TST_INFO_get_msg_imprint (info));
    if (ret_md != NULL && algorithm != NULL)
      *ret_md = EVP_get_digestbyobj (algorithm->algorithm);
    look_at_signer (parsed, ret);
  }
  ERR_clear_error ();
  return info != NULL;
}

static gboolean
verify_token (PKCS7 *token, GBytes *imprint, const CadesTrust *trust, gint64 now)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (imprint, &size);
  TS_VERIFY_CTX *context = context_at (NULL, trust, now);
  if (context == NULL)
    return FALSE;
  TS_VERIFY_CTX_add_flags (context, TS_VFY_IMPRINT);
  TS_VERIFY_CTX_set_imprint (context, OPENSSL_memdup (data, size), (long)size);
  gboolean good = TS_RESP_verify_token (context, token) == 1;
  TS_VERIFY_CTX_free (context);
  return good;
}

/* RFC 3161 §2.4.2, RFC 5652 §5.1: version 3, since what is inside is no plain data; one digest. */
static gboolean
frame_good (const PKCS7 *token)
{
  const PKCS7_SIGNED *data = token->d.sign;
  const PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value (data->signer_info, 0);
  const X509_ALGOR *listed = sk_X509_ALGOR_value (data->md_algs, 0);
  return sk_PKCS7_SIGNER_INFO_num (data->signer_info) == 1 && sk_X509_ALGOR_num (data->md_algs) == 1
         && ASN1_INTEGER_get (data->version) == 3 && ASN1_INTEGER_get (signer->version) == 1
         && OBJ_cmp (listed->algorithm, signer->digest_alg->algorithm) == 0
         && cades_digest_plain (listed) && cades_digest_plain (signer->digest_alg);
}

/* The algorithm beside the signature is not signed: the digest's with the key's, or the key's
 * alone. */
static gboolean
algorithm_fits (const PKCS7_SIGNER_INFO *signer, X509 *authority)
{
  const EVP_PKEY *public_key = X509_get0_pubkey (authority);
  const int nid = OBJ_obj2nid (signer->digest_enc_alg->algorithm);
  const int own = public_key != NULL ? EVP_PKEY_get_base_id (public_key) : NID_undef;
  int md, key;
  if (own == NID_undef)
    return FALSE;
  return nid == own
         || (OBJ_find_sigid_algs (nid, &md, &key) == 1 && key == own
             && md == OBJ_obj2nid (signer->digest_alg->algorithm));
}

/* As written, down to the letters of the authority's name. */
static gboolean
token_is_der (PKCS7 *token, GBytes *der, X509 *authority)
{
  const PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value (token->d.sign->signer_info, 0);
  unsigned char *again = NULL, *name = NULL, *issuer = NULL;
  const int size = i2d_PKCS7 (token, &again);
  const int told = i2d_X509_NAME (signer->issuer_and_serial->issuer, &name);
  const int known = i2d_X509_NAME (X509_get_issuer_name (authority), &issuer);
  g_autoptr (GBytes) issuer_der = g_bytes_new (issuer, (gsize)MAX (known, 0));
  OPENSSL_free (issuer);
  gboolean same = cades_same_der (issuer_der, name, told);
  return cades_same_der (der, again, size) && same && algorithm_fits (signer, authority);
}

static const char *
unusual (PKCS7 *token, GBytes *der, const CadesTrust *trust, gint64 now)
{
  STACK_OF (X509) *signers = PKCS7_get0_signers (token, NULL, 0);
  X509 *authority = signers != NULL ? sk_X509_value (signers, 0) : NULL;
  gboolean used = authority == NULL
                  || cades_copies_used (token->d.sign->cert, authority, trust->authorities, now);
  gboolean good = frame_good (token) && (authority == NULL || token_is_der (token, der, authority));
  sk_X509_free (signers);
  return !good ? "form-unusual" : !used ? "certificate-unused" : NULL;
}

void
timestamp_check (GBytes *token, GBytes *imprint, const CadesTrust *trust, gint64 now,
                 TimestampFacts *facts)
{
  g_autoptr (PKCS7) parsed = parse_token (token);
  const EVP_MD *md = NULL;
  TimestampFacts again = { 0 };
  if (parsed == NULL || !timestamp_look (token, &again, &md)) {
    facts->wrong = "timestamp-broken";
    return;
  }
  timestamp_facts_clear (&again);
  ERR_clear_error ();
  if (md == NULL || !cades_digest_is_strong (EVP_MD_get_type (md)))
    facts->wrong = "timestamp-weak";
  else if (imprint == NULL || !verify_token (parsed, imprint, trust, now))
    facts->wrong = ERR_GET_REASON (ERR_peek_last_error ()) == TS_R_CERTIFICATE_VERIFY_ERROR
                       ? "timestamp-unknown"
                       : "timestamp-broken";
  facts->unusual = unusual (parsed, token, trust, now);
  ERR_clear_error ();
}
