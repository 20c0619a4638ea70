/* OCSP (RFC 6960) for CAdES: what is asked of whom, and the answers inside a signature, where RFC
 * 5940 puts them: SignedData.crls, as OtherRevocationInfoFormat. */
#include "certs/cades_private.h"
#include "certs/issue.h"
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/safestack.h>
#include <openssl/x509v3.h>
#include <string.h>

#define OCSP_OID "1.3.6.1.5.5.7.16.2" /* id-ri-ocsp-response, RFC 5940 §2.1 */
#define AHEAD_S 300                   /* a responder's clock a little ahead */
#define DAY_S (24 * 3600)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OCSP_RESPONSE, OCSP_RESPONSE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OCSP_BASICRESP, OCSP_BASICRESP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OCSP_REQUEST, OCSP_REQUEST_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OCSP_CERTID, OCSP_CERTID_free)

/* ---- SignedData as far as it is touched (RFC 5652 §5.1, §10.2.1) ------------------------------
 */

typedef struct {
  ASN1_OBJECT *format;
  ASN1_TYPE *info;
} OtherRevocation;
ASN1_SEQUENCE (OtherRevocation) = {
  ASN1_SIMPLE (OtherRevocation, format, ASN1_OBJECT),
  ASN1_SIMPLE (OtherRevocation, info, ASN1_ANY),
} static_ASN1_SEQUENCE_END (OtherRevocation)

typedef struct {
  int type; /* 0: crl, 1: other */
  union {
    X509_CRL *crl;
    OtherRevocation *other;
  } d;
} RevocationChoice;
ASN1_CHOICE (RevocationChoice) = {
  ASN1_SIMPLE (RevocationChoice, d.crl, X509_CRL),
  ASN1_IMP (RevocationChoice, d.other, OtherRevocation, 1),
} static_ASN1_CHOICE_END (RevocationChoice)
DEFINE_STACK_OF (RevocationChoice)

typedef struct {
  ASN1_INTEGER *version;
  ASN1_TYPE *digests, *content;
  STACK_OF (ASN1_TYPE) * certificates;
  STACK_OF (RevocationChoice) * crls;
  ASN1_TYPE *signers;
} SignedData;
ASN1_SEQUENCE (SignedData) = {
  ASN1_SIMPLE (SignedData, version, ASN1_INTEGER),
  ASN1_SIMPLE (SignedData, digests, ASN1_ANY),
  ASN1_SIMPLE (SignedData, content, ASN1_ANY),
  ASN1_IMP_SET_OF_OPT (SignedData, certificates, ASN1_ANY, 0),
  ASN1_IMP_SET_OF_OPT (SignedData, crls, RevocationChoice, 1),
  ASN1_SIMPLE (SignedData, signers, ASN1_ANY),
} static_ASN1_SEQUENCE_END (SignedData)

typedef struct {
  ASN1_OBJECT *type;
  SignedData *data;
} Signed;
ASN1_SEQUENCE (Signed) = {
  ASN1_SIMPLE (Signed, type, ASN1_OBJECT),
  ASN1_EXP (Signed, data, SignedData, 0),
} static_ASN1_SEQUENCE_END (Signed)

static void
signed_free (Signed *whole)
{
  ASN1_item_free ((ASN1_VALUE *)whole, ASN1_ITEM_rptr (Signed));
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Signed, signed_free)

static Signed *
parse_signed (GBytes *cms)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (cms, &size);
  Signed *whole = size > 0 && size <= CADES_LONGEST
                      ? (Signed *)ASN1_item_d2i (NULL, &der, (long)size, ASN1_ITEM_rptr (Signed))
                      : NULL;
  ERR_clear_error ();
  return whole;
}

static GBytes *
response_of (const RevocationChoice *choice)
{
  char oid[sizeof OCSP_OID + 8];
  if (choice->type != 1
      || OBJ_obj2txt (oid, sizeof oid, choice->d.other->format, 1) != (int)strlen (OCSP_OID)
      || !g_str_equal (oid, OCSP_OID) || choice->d.other->info->type != V_ASN1_SEQUENCE)
    return NULL;
  const ASN1_STRING *der = choice->d.other->info->value.sequence;
  return g_bytes_new (ASN1_STRING_get0_data (der), (gsize)ASN1_STRING_length (der));
}

GPtrArray *
cades_ocsp_inside (GBytes *cms, guint *ret_others)
{
  g_autoptr (Signed) whole = parse_signed (cms);
  GPtrArray *responses = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  *ret_others = 0;
  for (int i = 0; whole != NULL && i < sk_RevocationChoice_num (whole->data->crls); i++) {
    const RevocationChoice *choice = sk_RevocationChoice_value (whole->data->crls, i);
    GBytes *response = response_of (choice);
    *ret_others += choice->type == 1;
    if (response != NULL)
      g_ptr_array_add (responses, response);
  }
  return responses;
}

/* ---- What an answer says ----------------------------------------------------------------------
 */

/* What was read must be written the same, the answer inside its OCTET STRING as well. */
static gboolean
is_der (GBytes *response, OCSP_BASICRESP *basic)
{
  g_autoptr (OCSP_RESPONSE) packed = OCSP_response_create (OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char *again = NULL;
  const int length = packed != NULL ? i2d_OCSP_RESPONSE (packed, &again) : -1;
  return cades_same_der (response, again, length);
}

static OCSP_BASICRESP *
parse_response (GBytes *response)
{
  gsize size;
  const unsigned char *start = g_bytes_get_data (response, &size), *end = start;
  g_autoptr (OCSP_RESPONSE) parsed
      = size > 0 && size <= CADES_OCSP_LONGEST ? d2i_OCSP_RESPONSE (NULL, &end, (long)size) : NULL;
  if (parsed == NULL || OCSP_response_status (parsed) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return NULL;
  g_autoptr (OCSP_BASICRESP) basic = OCSP_response_get1_basic (parsed);
  return basic != NULL && is_der (response, basic) ? g_steal_pointer (&basic) : NULL;
}

/* By the issuer, or by whom it has charged with it (RFC 6960 §4.2.2.2); as of when it was made, for
 * a responder's own certificate lives for days. */
static gboolean
is_signed (OCSP_BASICRESP *basic, X509 *issuer, const CadesTrust *trust)
{
  const gint64 made = cades_time (OCSP_resp_get0_produced_at (basic));
  g_autoptr (X509_STORE) store = cades_store_at (trust->people, made);
  STACK_OF (X509) *issuers = sk_X509_new_null ();
  X509 *signer = NULL;
  sk_X509_push (issuers, issuer);
  gboolean good = OCSP_basic_verify (basic, issuers, store, 0) == 1
                  && OCSP_resp_get0_signer (basic, &signer, issuers) == 1;
  /* What nobody signs: no certificate lies beside but the signer's. */
  const STACK_OF (X509) *beside = OCSP_resp_get0_certs (basic);
  for (int i = 0; good && i < sk_X509_num (beside); i++)
    good = X509_cmp (sk_X509_value (beside, i), signer) == 0
           || X509_cmp (sk_X509_value (beside, i), issuer) == 0;
  sk_X509_free (issuers);
  ERR_clear_error ();
  return good;
}

OcspVerdict
cades_ocsp_judge (GBytes *response, X509 *certificate, X509 *issuer, const CadesTrust *trust,
                  gint64 then, gint64 *ret_revoked)
{
  int status = -1, reason = -1;
  ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
  g_autoptr (OCSP_BASICRESP) basic = parse_response (response);
  if (basic == NULL || !is_signed (basic, issuer, trust)) {
    ERR_clear_error ();
    return OCSP_BROKEN;
  }
  /* Responders name a certificate by SHA-1 (RFC 5019 §2.1.1), newer ones by SHA-256. */
  const EVP_MD *const names[] = { EVP_sha1 (), EVP_sha256 () };
  gboolean about = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names) && !about; i++) {
    g_autoptr (OCSP_CERTID) id = OCSP_cert_to_id (names[i], certificate, issuer);
    about = id != NULL
            && OCSP_resp_find_status (basic, id, &status, &reason, &revoked, &from, &until) == 1;
  }
  ERR_clear_error ();
  if (!about)
    return OCSP_OF_ANOTHER;
  if (status == V_OCSP_CERTSTATUS_REVOKED) {
    *ret_revoked = cades_time (revoked);
    return OCSP_REVOKED;
  }
  const gint64 made = cades_time (from);
  /* Without an end it says what was so when it was made. */
  gboolean covers = until != NULL ? cades_time (until) >= then : made >= then - DAY_S;
  return status == V_OCSP_CERTSTATUS_GOOD && made <= then + AHEAD_S + DAY_S && covers
             ? OCSP_GOOD
             : OCSP_TELLS_NOTHING;
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

/* The first address over HTTP of its authority information access (RFC 5280 §4.2.2.1). */
static char *
responder_of (X509 *certificate)
{
  STACK_OF (OPENSSL_STRING) *urls = X509_get1_ocsp (certificate);
  char *url = NULL;
  for (int i = 0; i < sk_OPENSSL_STRING_num (urls) && url == NULL; i++) {
    const char *one = sk_OPENSSL_STRING_value (urls, i);
    if ((g_str_has_prefix (one, "http://") || g_str_has_prefix (one, "https://"))
        && g_uri_is_valid (one, G_URI_FLAGS_NONE, NULL))
      url = g_strdup (one);
  }
  X509_email_free (urls);
  return url;
}

gboolean
cades_ocsp_ask (GBytes *cms, const CadesTrust *trust, char **ret_url, GBytes **ret_request)
{
  CadesSide side;
  if (!cades_side_open (cms, trust, g_get_real_time () / G_USEC_PER_SEC, &side))
    return FALSE;
  g_autofree char *url = responder_of (side.certificate);
  g_autoptr (OCSP_REQUEST) request = OCSP_REQUEST_new ();
  OCSP_CERTID *id = OCSP_cert_to_id (EVP_sha1 (), side.certificate, side.issuer);
  unsigned char *der = NULL;
  int size = -1;
  if (url != NULL && request != NULL && id != NULL && OCSP_request_add0_id (request, id) != NULL) {
    id = NULL; /* the request's */
    size = i2d_OCSP_REQUEST (request, &der);
  }
  OCSP_CERTID_free (id);
  cades_side_close (&side);
  ERR_clear_error ();
  if (size <= 0)
    return FALSE;
  *ret_request = g_bytes_new (der, (gsize)size);
  *ret_url = g_steal_pointer (&url);
  OPENSSL_free (der);
  return TRUE;
}

static GBytes *
add_response (GBytes *cms, GBytes *response)
{
  g_autoptr (Signed) whole = parse_signed (cms);
  OtherRevocation *other = (OtherRevocation *)ASN1_item_new (ASN1_ITEM_rptr (OtherRevocation));
  RevocationChoice *choice = (RevocationChoice *)ASN1_item_new (ASN1_ITEM_rptr (RevocationChoice));
  ASN1_STRING *value = ASN1_STRING_type_new (V_ASN1_SEQUENCE);
  gsize size;
  const void *data = g_bytes_get_data (response, &size);
  unsigned char *der = NULL;
  int length = -1;
  if (whole == NULL || other == NULL || choice == NULL || value == NULL)
    return NULL; /* no memory */
  ASN1_STRING_set (value, data, (int)size);
  other->format = OBJ_txt2obj (OCSP_OID, 1);
  ASN1_TYPE_set (other->info, V_ASN1_SEQUENCE, value);
  choice->type = 1;
  choice->d.other = other;
  if (whole->data->crls == NULL)
    whole->data->crls = sk_RevocationChoice_new_null ();
  sk_RevocationChoice_push (whole->data->crls, choice);
  /* RFC 5652 §5.1: 5 once there is another kind of revocation information than lists. */
  if (ASN1_INTEGER_set (whole->data->version, 5) == 1)
    length = ASN1_item_i2d ((ASN1_VALUE *)whole, &der, ASN1_ITEM_rptr (Signed));
  GBytes *bytes = length > 0 ? g_bytes_new (der, (gsize)length) : NULL;
  OPENSSL_free (der);
  return bytes;
}

GBytes *
cades_add_ocsp (GBytes *cms, GBytes *response, const CadesTrust *trust, GError **error)
{
  CadesSide side;
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  gint64 revoked;
  GBytes *added = NULL;
  if (cades_side_open (cms, trust, now, &side)) {
    OcspVerdict verdict
        = cades_ocsp_judge (response, side.certificate, side.issuer, trust, now, &revoked);
    g_autoptr (GPtrArray) archive = cades_tokens (side.signer, TRUE);
    /* A further time-stamp is over what stands inside; nothing is put under it any more. */
    if (archive->len == 0 && (verdict == OCSP_GOOD || verdict == OCSP_REVOKED))
      added = add_response (cms, response);
    cades_side_close (&side);
  }
  if (added != NULL && g_bytes_get_size (added) <= CADES_LONGEST)
    return added;
  g_clear_pointer (&added, g_bytes_unref);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "the responder's answer (OCSP) does not hold for this signature");
  return NULL;
}
