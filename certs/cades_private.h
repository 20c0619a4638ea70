/* Between cades.c, cades_check.c and timestamp.c. */
#pragma once
#include "certs/cades.h"
#include <openssl/pem.h>
#include <openssl/cms.h> /* behind pem.h, for PEM_read_bio_CMS() */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CMS_ContentInfo, CMS_ContentInfo_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE, X509_STORE_free)

#define CADES_ARCHIVE_OID "1.2.840.113549.1.9.16.2.48" /* archive-time-stamp v2 */

/* NULL unless it is DER of SignedData from first to last byte. */
CMS_ContentInfo *cades_parse (GBytes *der);
GBytes *cades_der (CMS_ContentInfo *cms);
/* The tokens of one attribute, in the order of their times: GBytes*. */
GPtrArray *cades_tokens (CMS_SignerInfo *signer, gboolean archive);
/* Over the signature's value. */
GBytes *cades_value_imprint (CMS_SignerInfo *signer, const EVP_MD *md);
/* Over all, with the first `kept` archive tokens and none of the later ones. */
GBytes *cades_archive_imprint (GBytes *cms, GBytes *content, guint kept, const EVP_MD *md);
/* Roots as a store that verifies as of a time (s, UTC). */
X509_STORE *cades_store_at (STACK_OF (X509) * roots, gint64 time);
gint64 cades_time (const ASN1_TIME *time);
/* Common name, or the whole subject (transfer full). */
char *cades_name (const X509_NAME *name);
/* SHA-256 and its larger kin of both families. */
gboolean cades_digest_is_strong (int nid);

/* ---- OCSP (cades_ocsp.c) ------------------------------------------------------------------------
 */

/* Answers inside, in their order: GBytes* of OCSPResponse. ret_others: how many entries of another
 * kind than a revocation list there are, these among them. */
GPtrArray *cades_ocsp_inside (GBytes *cms, guint *ret_others);
typedef enum {
  OCSP_BROKEN,        /* not DER, not successful, not signed by whom it must be */
  OCSP_OF_ANOTHER,    /* does not speak of this certificate */
  OCSP_TELLS_NOTHING, /* unknown there, or not of that time */
  OCSP_GOOD,
  OCSP_REVOKED, /* ret_revoked: since then; s, UTC */
} OcspVerdict;
OcspVerdict cades_ocsp_judge (GBytes *response, X509 *certificate, X509 *issuer,
                              const CadesTrust *trust, gint64 then, gint64 *ret_revoked);

/* Who signed, once the certificate's chain holds at `now`. FALSE: nothing to close. */
typedef struct {
  CMS_ContentInfo *cms;
  CMS_SignerInfo *signer;     /* cms's */
  STACK_OF (X509) * copies;   /* certificates inside */
  X509 *certificate, *issuer; /* issuer: a reference of its own */
} CadesSide;
gboolean cades_side_open (GBytes *cms, const CadesTrust *trust, gint64 now, CadesSide *ret);
void cades_side_close (CadesSide *side);

/* ---- What nobody signs (cades_form.c) ---------------------------------------------------------
 */

/* Every certificate of a file stands in the signer's chain or is one of the roots, byte for byte.
 * TRUE also when there is no chain, which is found elsewhere. then: s, UTC. */
gboolean cades_copies_used (STACK_OF (X509) * copies, X509 *signer, STACK_OF (X509) * roots,
                            gint64 then);
/* Whether one of them has issued the list: who has issued none of the certificates has no business
 * in a file. */
gboolean cades_list_of (X509_CRL *list, const STACK_OF (X509) * issuers);
/* Versions and lists of digests of SignedData over plain data with one signer. */
gboolean cades_frame_good (GBytes *cms, X509 *certificate);
/* The signed attributes of the only signer as they are signed: DER of SET OF (RFC 5652 §5.4). NULL:
 * there are none (transfer full). */
GBytes *cades_signed_attributes (GBytes *cms);
/* Whether these bytes, freed here, are those; size below 0: no. */
gboolean cades_same_der (GBytes *der, unsigned char *again, int size);
/* A digest has no parameters. */
gboolean cades_digest_plain (const X509_ALGOR *algorithm);
