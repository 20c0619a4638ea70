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
