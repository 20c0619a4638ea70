/* A signature whose key lies with a remote-signing provider (Cloud Signature Consortium API v2,
 * signatures/signHash; ETSI TS 119 432): the hash goes out, the value comes in. Nothing is kept in
 * between: what prepare gives is handed back to finish, and whoever changed it meanwhile is found
 * by cades_check(). Any thread; all that comes in may be hostile. */
#pragma once
#include "certs/cades.h"

/* The certificates of a file: PEM (own first, then its issuers) or DER of one. CERTS_ERROR_FAILED:
 * it has none. Free with sk_X509_pop_free(). */
STACK_OF (X509) * cades_remote_chain (GBytes *file, GError **error);

/* The signature over content but for its value (DER), with signing time `now` (s, UTC), chain and
 * crls (may be NULL) inside. ret_hash: 32 bytes, SHA-256 of the signed attributes, which is what
 * the key signs (RFC 5652 §5.4). Both transfer full. CERTS_ERROR_KEY: neither RSA of 2048 bits and
 * more nor EC. */
GBytes *cades_remote_prepare (STACK_OF (X509) * chain, STACK_OF (X509_CRL) * crls, GBytes *content,
                              gint64 now, GBytes **ret_hash, GError **error);

/* The whole signature. value: RSASSA-PKCS1-v1_5, or ECDSA in DER or as r and s of equal length.
 * CERTS_ERROR_FAILED: prepared is none, or the value is not of this key over that hash. */
GBytes *cades_remote_finish (GBytes *prepared, GBytes *value, GError **error);
