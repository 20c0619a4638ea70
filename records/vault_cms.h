/* CMS for keys (RFC 5652, RFC 5083 AuthEnvelopedData with AES-256-GCM): EC recipients by
 * ephemeral-static ECDH with dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753), RSA by OAEP with
 * SHA-256 (RFC 3560). Stock `openssl cms -decrypt` opens it. Authenticated attributes are no AAD
 * in OpenSSL 3.0, so what a key belongs to stands inside the payload:
 *
 *   {"label":…,"consultation":…,"purpose":…,"epoch":1,"dek":"<44 characters of base64>"}
 *
 * compact, "dek" last.
 */
#pragma once
#include "records/vault.h"

typedef struct {
  const char *label; /* station's name */
  const char *consult;
  Purpose purpose;
  guint16 epoch;
} Escrow;

/* To all recipients (X509*) at once; DER. */
GBytes *cms_seal (GPtrArray *recipients, const guint8 *plain, gsize size, GError **error);
/* Wiped when freed. RECORDS_ERROR_CREDENTIAL when key is no recipient, TAMPERED when what it
 * opens does not authenticate. certificate may be NULL: every recipient is tried. */
GBytes *cms_open (GBytes *der, EVP_PKEY *key, X509 *certificate, GError **error);

GBytes *cms_seal_key (GPtrArray *recipients, const Escrow *escrow, const guint8 dek[DATA_KEY_SIZE],
                      GError **error);
/* 44 characters of base64 decode to 33 bytes, the last of them from the padding. */
#define CMS_DEK_ROOM (DATA_KEY_SIZE + 1)
/* The DEK itself, in secure memory, for secure_free (dek, CMS_DEK_ROOM). consult and purpose must
 * be those inside; the epoch comes out with it. */
guint8 *cms_open_dek (GBytes *der, EVP_PKEY *key, X509 *certificate, const char *consult,
                      Purpose purpose, guint16 *ret_epoch, GError **error);
DataKey *cms_open_key (GBytes *der, EVP_PKEY *key, X509 *certificate, const char *consult,
                       Purpose purpose, GError **error);

/* A certificate that can be a recovery recipient now: EC P-256/384/521 or RSA of at least
 * 3072 bit, in its dates, meant for this use. ret_error says what to do. */
gboolean cms_check_recipient (X509 *certificate, GError **error);
/* Name for people: CN, else the whole subject. (transfer full) */
char *cms_recipient_name (X509 *certificate);
