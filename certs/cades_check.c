#include "certs/cades_private.h"
#include "certs/timestamp.h"
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/x509v3.h>
#include <string.h>

#define RENEW_AHEAD (90 * 24 * 3600) /* s before an authority's certificate ends */
#define RSA_LEAST 2048
#define EC_LEAST 224

typedef struct {
  CadesReport *report;
  const CadesTrust *trust;
  gint64 now;
  GBytes *der, *content;
  CMS_ContentInfo *cms;
  CMS_SignerInfo *signer;
  STACK_OF (X509) * copies; /* certificates inside */
  X509 *certificate;        /* of them, the signer's; NULL: none */
} Check;

static void
find (Check *check, CadesVerdict verdict, const char *code)
{
  const CadesFinding finding = { verdict, code };
  if (cades_report_has (check->report, code))
    return;
  g_array_append_val (check->report->findings, finding);
  check->report->verdict = MAX (check->report->verdict, verdict);
}

/* ---- The signature itself
 * ----------------------------------------------------------------------- */

static gboolean
key_is_strong (X509 *certificate)
{
  EVP_PKEY *key = X509_get0_pubkey (certificate);
  if (key == NULL)
    return FALSE;
  int bits = EVP_PKEY_get_bits (key);
  return EVP_PKEY_is_a (key, "RSA") || EVP_PKEY_is_a (key, "RSA-PSS") ? bits >= RSA_LEAST
                                                                      : bits >= EC_LEAST;
}

/* The algorithm named beside the signature is not signed: it must be the one that was used. */
static gboolean
algorithms_fit (Check *check)
{
  X509_ALGOR *digest = NULL, *algorithm = NULL;
  int md = NID_undef, key = NID_undef;
  CMS_SignerInfo_get0_algs (check->signer, NULL, NULL, &digest, &algorithm);
  if (digest == NULL || algorithm == NULL)
    return FALSE;
  int nid = OBJ_obj2nid (algorithm->algorithm);
  if (!cades_digest_is_strong (OBJ_obj2nid (digest->algorithm)))
    find (check, CADES_BAD, "algorithm-weak");
  EVP_PKEY *public_key = X509_get0_pubkey (check->certificate);
  if (public_key == NULL)
    return FALSE;
  if (nid == NID_rsaEncryption || nid == NID_rsassaPss || nid == NID_ED25519)
    return EVP_PKEY_get_base_id (public_key) == nid
           || (nid == NID_rsassaPss && EVP_PKEY_is_a (public_key, "RSA"));
  return OBJ_find_sigid_algs (nid, &md, &key) == 1 && md == OBJ_obj2nid (digest->algorithm)
         && (EVP_PKEY_get_base_id (public_key) == key
             || (key == NID_X9_62_id_ecPublicKey && EVP_PKEY_is_a (public_key, "EC")));
}

/* The digest of the text, as the signed attribute tells it. */
static gboolean
digest_fits (Check *check)
{
  X509_ALGOR *algorithm = NULL;
  guint8 value[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  gsize length;
  const void *text = g_bytes_get_data (check->content, &length);
  const ASN1_OCTET_STRING *told = CMS_signed_get0_data_by_OBJ (
      check->signer, OBJ_nid2obj (NID_pkcs9_messageDigest), -3, V_ASN1_OCTET_STRING);
  CMS_SignerInfo_get0_algs (check->signer, NULL, NULL, &algorithm, NULL);
  const EVP_MD *md = algorithm != NULL ? EVP_get_digestbyobj (algorithm->algorithm) : NULL;
  return told != NULL && md != NULL && EVP_Digest (text, length, value, &size, md, NULL) == 1
         && (int)size == ASN1_STRING_length (told)
         && memcmp (value, ASN1_STRING_get0_data (told), size) == 0;
}

/* A copy of the text inside must be the text. */
static gboolean
copy_fits (Check *check)
{
  ASN1_OCTET_STRING **inside = CMS_get0_content (check->cms);
  gsize length;
  const void *text = g_bytes_get_data (check->content, &length);
  if (OBJ_obj2nid (CMS_get0_eContentType (check->cms)) != NID_pkcs7_data)
    return FALSE;
  return inside == NULL || *inside == NULL
         || ((gsize)ASN1_STRING_length (*inside) == length
             && memcmp (ASN1_STRING_get0_data (*inside), text, length) == 0);
}

/* RFC 5035: the signed attribute that says whose signature it is. */
static void
check_named (Check *check)
{
  const int names[] = { NID_id_smime_aa_signingCertificateV2, NID_id_smime_aa_signingCertificate };
  STACK_OF (X509) *chain = sk_X509_new_null ();
  gboolean any = FALSE, good = FALSE;
  sk_X509_push (chain, check->certificate);
  for (guint i = 0; i < G_N_ELEMENTS (names) && !any; i++) {
    const ASN1_STRING *value
        = CMS_signed_get0_data_by_OBJ (check->signer, OBJ_nid2obj (names[i]), -3, V_ASN1_SEQUENCE);
    if (value == NULL)
      continue;
    const unsigned char *der = ASN1_STRING_get0_data (value);
    const int size = ASN1_STRING_length (value);
    ESS_SIGNING_CERT_V2 *v2 = i == 0 ? d2i_ESS_SIGNING_CERT_V2 (NULL, &der, size) : NULL;
    ESS_SIGNING_CERT *v1 = i == 1 ? d2i_ESS_SIGNING_CERT (NULL, &der, size) : NULL;
    any = TRUE;
    good = (v1 != NULL || v2 != NULL) && OSSL_ESS_check_signing_certs (v1, v2, chain, 1) == 1;
    ESS_SIGNING_CERT_V2_free (v2);
    ESS_SIGNING_CERT_free (v1);
  }
  sk_X509_free (chain);
  if (!any)
    find (check, CADES_NOTE, "certificate-unnamed");
  else if (!good)
    find (check, CADES_BAD, "certificate-other");
}

static void
check_value (Check *check)
{
  if (CMS_signed_get_attr_count (check->signer) <= 0) {
    find (check, CADES_BAD, "signature-plain");
    return;
  }
  if (!digest_fits (check) || !copy_fits (check))
    find (check, CADES_BAD, "wrong-content");
  const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ (
      check->signer, OBJ_nid2obj (NID_pkcs9_contentType), -3, V_ASN1_OBJECT);
  if (!algorithms_fit (check) || type == NULL || OBJ_obj2nid (type) != NID_pkcs7_data
      || CMS_SignerInfo_verify (check->signer) != 1)
    find (check, CADES_BAD, "signature-broken");
  if (!key_is_strong (check->certificate))
    find (check, CADES_BAD, "algorithm-weak");
  check_named (check);
}

static gboolean
open_signature (Check *check)
{
  check->cms = cades_parse (check->der);
  if (check->cms == NULL) {
    find (check, CADES_BAD, "not-a-signature");
    return FALSE;
  }
  STACK_OF (CMS_SignerInfo) *signers = CMS_get0_SignerInfos (check->cms);
  if (sk_CMS_SignerInfo_num (signers) != 1) {
    find (check, CADES_BAD, "several-signers");
    return FALSE;
  }
  check->signer = sk_CMS_SignerInfo_value (signers, 0);
  check->copies = CMS_get1_certs (check->cms);
  for (int i = 0; i < sk_X509_num (check->copies) && check->certificate == NULL; i++)
    if (CMS_SignerInfo_cert_cmp (check->signer, sk_X509_value (check->copies, i)) == 0)
      check->certificate = sk_X509_value (check->copies, i);
  if (check->certificate == NULL) {
    find (check, CADES_BAD, "certificate-missing");
    return FALSE;
  }
  CMS_SignerInfo_set1_signer_cert (check->signer, check->certificate);
  if (!cades_frame_good (check->der, check->certificate))
    find (check, CADES_NOTE, "form-unusual");
  return TRUE;
}

/* ---- Time
 * --------------------------------------------------------------------------------------- */

/* Each token is judged as of the next one's time, the newest as of now. */
static gint64
check_tokens (Check *check, gboolean archive, gint64 as_of)
{
  g_autoptr (GPtrArray) tokens = cades_tokens (check->signer, archive);
  CadesReport *report = check->report;
  for (guint i = tokens->len; i-- > 0;) {
    TimestampFacts facts;
    const EVP_MD *md;
    gboolean any = timestamp_look (tokens->pdata[i], &facts, &md);
    g_autoptr (GBytes) imprint = !any || md == NULL ? NULL
                                 : archive
                                     ? cades_archive_imprint (check->der, check->content, i, md)
                                     : cades_value_imprint (check->signer, md);
    timestamp_check (tokens->pdata[i], imprint, check->trust, as_of, &facts);
    if (report->tokens++ == 0)
      report->renew_before = facts.until;
    if (facts.unusual != NULL)
      find (check, CADES_NOTE, facts.unusual);
    if (facts.wrong != NULL)
      find (check, CADES_BAD, facts.wrong);
    else if (archive || report->stamped == 0 || facts.time <= report->stamped) {
      g_free (report->stamped_by);
      report->stamped_by = g_steal_pointer (&facts.authority);
      report->stamped = as_of = facts.time;
    }
    timestamp_facts_clear (&facts);
  }
  return as_of;
}

/* Nothing signs these attributes' names: a token under another name would be gone in silence. */
static void
check_attributes (Check *check)
{
  ASN1_OBJECT *archive = OBJ_txt2obj (CADES_ARCHIVE_OID, 1);
  for (int i = 0; i < CMS_unsigned_get_attr_count (check->signer); i++) {
    X509_ATTRIBUTE *attribute = CMS_unsigned_get_attr (check->signer, i);
    const ASN1_OBJECT *name = X509_ATTRIBUTE_get0_object (attribute);
    if ((OBJ_obj2nid (name) != NID_id_smime_aa_timeStampToken && OBJ_cmp (name, archive) != 0)
        || X509_ATTRIBUTE_get0_data (attribute, 0, V_ASN1_SEQUENCE, NULL) == NULL)
      find (check, CADES_NOTE, "attribute-unknown");
  }
  ASN1_OBJECT_free (archive);
}

static void
check_time (Check *check)
{
  CadesReport *report = check->report;
  check_attributes (check);
  check_tokens (check, FALSE, check_tokens (check, TRUE, check->now));
  if (report->tokens == 0)
    find (check, CADES_NOTE, "timestamp-missing");
  else if (report->renew_before != 0 && report->renew_before - RENEW_AHEAD <= check->now)
    find (check, CADES_NOTE, "timestamp-expires");
}

/* ---- The certificate
 * ---------------------------------------------------------------------------- */

static void
check_chain (Check *check, gint64 then)
{
  g_autoptr (X509_STORE) store = cades_store_at (check->trust->people, then);
  X509_STORE_CTX *context = X509_STORE_CTX_new ();
  int wrong = X509_V_ERR_UNSPECIFIED;
  if (X509_STORE_CTX_init (context, store, check->certificate, check->copies) == 1)
    wrong = X509_verify_cert (context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error (context);
  if (wrong == X509_V_ERR_CERT_HAS_EXPIRED)
    find (check, CADES_BAD, "certificate-expired");
  else if (wrong == X509_V_ERR_CERT_NOT_YET_VALID)
    find (check, CADES_BAD, "certificate-early");
  else if (wrong != X509_V_OK)
    find (check, CADES_BAD, "certificate-unknown");
  X509_STORE_CTX_free (context);
  if (!cades_copies_used (check->copies, check->certificate, check->trust->people, then))
    find (check, CADES_NOTE, "certificate-unused");
  /* Both bits vouch for content; a certificate without the extension may do anything. */
  if (!(X509_get_key_usage (check->certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
    find (check, CADES_BAD, "certificate-usage");
  if (check->report->valid_until < check->now && wrong == X509_V_OK)
    find (check, CADES_NOTE, "certificate-expired-later");
}

static X509 *
issuer_of (X509 *certificate, const STACK_OF (X509) * copies, const CadesTrust *trust)
{
  const STACK_OF (X509) *const places[] = { copies, trust->people };
  for (guint k = 0; k < G_N_ELEMENTS (places); k++)
    for (int i = 0; i < sk_X509_num (places[k]); i++)
      if (X509_check_issued (sk_X509_value (places[k], i), certificate) == X509_V_OK)
        return sk_X509_value (places[k], i);
  return NULL;
}

/* TRUE: this list speaks of the certificate, and it is its issuer's. */
static gboolean
check_list (Check *check, X509_CRL *list, X509 *issuer, gint64 then)
{
  X509_REVOKED *entry = NULL;
  if (X509_NAME_cmp (X509_CRL_get_issuer (list), X509_get_issuer_name (check->certificate)) != 0)
    return FALSE;
  if (X509_CRL_verify (list, X509_get0_pubkey (issuer)) != 1) {
    find (check, CADES_BAD, "revocation-broken");
    return FALSE;
  }
  if (X509_CRL_get0_by_cert (list, &entry, check->certificate) == 1)
    find (check,
          cades_time (X509_REVOKED_get0_revocationDate (entry)) <= then ? CADES_BAD : CADES_NOTE,
          cades_time (X509_REVOKED_get0_revocationDate (entry)) <= then
              ? "certificate-revoked"
              : "certificate-revoked-later");
  const ASN1_TIME *next = X509_CRL_get0_nextUpdate (list);
  gboolean tells = next == NULL || cades_time (next) >= then;
  check->report->by_crl |= tells;
  return tells;
}

/* The same of a responder's answer. */
static gboolean
check_answer (Check *check, GBytes *answer, X509 *issuer, gint64 then)
{
  gint64 revoked = 0;
  switch (cades_ocsp_judge (answer, check->certificate, issuer, check->trust, then, &revoked)) {
  case OCSP_BROKEN:
    find (check, CADES_BAD, "revocation-broken");
    return FALSE;
  case OCSP_OF_ANOTHER:
    find (check, CADES_NOTE, "form-unusual");
    return FALSE;
  case OCSP_REVOKED:
    find (check, revoked <= then ? CADES_BAD : CADES_NOTE,
          revoked <= then ? "certificate-revoked" : "certificate-revoked-later");
    return TRUE;
  case OCSP_GOOD:
    check->report->by_ocsp = TRUE;
    return TRUE;
  case OCSP_TELLS_NOTHING:
    return FALSE;
  }
  return FALSE;
}

/* Answers inside; another kind of revocation information is nothing that we know. */
static gboolean
check_answers (Check *check, X509 *issuer, gint64 then)
{
  guint others = 0;
  g_autoptr (GPtrArray) answers = cades_ocsp_inside (check->der, &others);
  gboolean known = FALSE;
  if (others != answers->len)
    find (check, CADES_NOTE, "form-unusual");
  for (guint i = 0; issuer != NULL && i < answers->len; i++)
    known |= check_answer (check, answers->pdata[i], issuer, then);
  return known;
}

static void
check_revocation (Check *check, gint64 then)
{
  X509 *issuer = issuer_of (check->certificate, check->copies, check->trust);
  STACK_OF (X509_CRL) *inside = CMS_get1_crls (check->cms);
  gboolean known = FALSE;
  if (issuer == NULL)
    known = cades_report_has (check->report, "certificate-unknown");
  for (int i = 0; i < sk_X509_CRL_num (inside); i++)
    if (!cades_list_of (sk_X509_CRL_value (inside, i), check->copies)
        && !cades_list_of (sk_X509_CRL_value (inside, i), check->trust->people))
      find (check, CADES_NOTE, "form-unusual");
  for (int i = 0; issuer != NULL && i < sk_X509_CRL_num (inside); i++)
    known |= check_list (check, sk_X509_CRL_value (inside, i), issuer, then);
  for (int i = 0; issuer != NULL && i < sk_X509_CRL_num (check->trust->crls); i++)
    known |= check_list (check, sk_X509_CRL_value (check->trust->crls, i), issuer, then);
  known |= check_answers (check, issuer, then);
  if (!known)
    find (check, CADES_NOTE, "revocation-unknown");
  sk_X509_CRL_pop_free (inside, X509_CRL_free);
}

static void
tell_certificate (Check *check)
{
  CadesReport *report = check->report;
  BIGNUM *number = ASN1_INTEGER_to_BN (X509_get0_serialNumber (check->certificate), NULL);
  char *hex = number != NULL ? BN_bn2hex (number) : NULL;
  report->serial = g_strdup (hex != NULL ? hex : "");
  OPENSSL_free (hex);
  BN_free (number);
  report->signer = cades_name (X509_get_subject_name (check->certificate));
  report->issuer = cades_name (X509_get_issuer_name (check->certificate));
  report->valid_from = cades_time (X509_get0_notBefore (check->certificate));
  report->valid_until = cades_time (X509_get0_notAfter (check->certificate));
  guint8 digest[32];
  unsigned size = sizeof digest;
  GString *text = g_string_new (NULL);
  if (X509_digest (check->certificate, EVP_sha256 (), digest, &size) == 1)
    for (guint i = 0; i < sizeof digest; i++)
      g_string_append_printf (text, "%02x", digest[i]);
  report->certificate = g_string_free (text, FALSE);
  int at = CMS_signed_get_attr_by_NID (check->signer, NID_pkcs9_signingTime, -1);
  X509_ATTRIBUTE *attribute = at >= 0 ? CMS_signed_get_attr (check->signer, at) : NULL;
  const ASN1_TYPE *value = attribute != NULL ? X509_ATTRIBUTE_get0_type (attribute, 0) : NULL;
  if (value != NULL && (value->type == V_ASN1_UTCTIME || value->type == V_ASN1_GENERALIZEDTIME))
    report->claimed = cades_time (value->value.asn1_string);
}

CadesReport *
cades_check (GBytes *cms, GBytes *content, const CadesTrust *trust, gint64 now)
{
  Check check = {
    .report = g_new0 (CadesReport, 1), .trust = trust, .now = now, .der = cms, .content = content
  };
  check.report->findings = g_array_new (FALSE, FALSE, sizeof (CadesFinding));
  ERR_clear_error ();
  if (open_signature (&check)) {
    tell_certificate (&check);
    check_value (&check);
    check_time (&check);
    gint64 then = check.report->stamped != 0 ? check.report->stamped : now;
    check_chain (&check, then);
    check_revocation (&check, then);
  }
  sk_X509_pop_free (check.copies, X509_free);
  CMS_ContentInfo_free (check.cms);
  ERR_clear_error ();
  return check.report;
}

/* ---- For who asks about revocation
 * -------------------------------------------------------------- */

gboolean
cades_side_open (GBytes *cms, const CadesTrust *trust, gint64 now, CadesSide *ret)
{
  Check check = { .report = g_new0 (CadesReport, 1), .trust = trust, .now = now, .der = cms };
  check.report->findings = g_array_new (FALSE, FALSE, sizeof (CadesFinding));
  ERR_clear_error ();
  X509 *issuer = NULL;
  if (open_signature (&check)) {
    check.report->valid_until = now;
    check_chain (&check, now);
    issuer = check.report->verdict != CADES_BAD ? issuer_of (check.certificate, check.copies, trust)
                                                : NULL;
  }
  cades_report_free (check.report);
  ERR_clear_error ();
  if (issuer == NULL || X509_up_ref (issuer) != 1) {
    sk_X509_pop_free (check.copies, X509_free);
    CMS_ContentInfo_free (check.cms);
    return FALSE;
  }
  *ret = (CadesSide){ check.cms, check.signer, check.copies, check.certificate, issuer };
  return TRUE;
}

void
cades_side_close (CadesSide *side)
{
  X509_free (side->issuer);
  sk_X509_pop_free (side->copies, X509_free);
  CMS_ContentInfo_free (side->cms);
}

gboolean
cades_report_has (const CadesReport *report, const char *code)
{
  for (guint i = 0; i < report->findings->len; i++)
    if (g_str_equal (g_array_index (report->findings, CadesFinding, i).code, code))
      return TRUE;
  return FALSE;
}

void
cades_report_free (CadesReport *report)
{
  if (report == NULL)
    return;
  g_array_unref (report->findings);
  g_free (report->signer);
  g_free (report->issuer);
  g_free (report->serial);
  g_free (report->certificate);
  g_free (report->stamped_by);
  g_free (report);
}
