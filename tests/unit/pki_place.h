/* Authorities and certificates for tests, made in memory; files in a folder that goes away. */
#pragma once
#include "certs/issue.h"
#include "certs/peer_check.h"
#include <glib/gstdio.h>
#include <openssl/pem.h>

#define DAY ((gint64)86400)
#define NOW G_GINT64_CONSTANT (1796000000) /* 2026-11-29 */

typedef struct {
  X509 *certificate;
  EVP_PKEY *key;
} PkiAuthority;

static inline PkiAuthority
pki_authority (const char *name, gint64 from, gint64 until)
{
  PkiAuthority made = { .key = issue_key (NULL) };
  const IssueRequest request = { .key = made.key,
                                 .common_name = name,
                                 .basic = "critical,CA:TRUE,pathlen:0",
                                 .usage = "critical,keyCertSign,cRLSign",
                                 .not_before = from,
                                 .not_after = until };
  made.certificate = issue_certificate (&request, NULL);
  g_assert_nonnull (made.certificate);
  return made;
}

static inline void
pki_clear (PkiAuthority *authority)
{
  X509_free (authority->certificate);
  EVP_PKEY_free (authority->key);
}

/* What can be wrong with a leaf; zeros: what is right for a station. */
typedef struct {
  const char *uri; /* NULL: nhipcau:station:muong-mau; "": no URI */
  const char *usage, *extended, *basic;
  gint64 from, until;
  EVP_PKEY *key; /* NULL: a new one */
} PkiLeaf;

static inline X509 *
pki_leaf (const PkiAuthority *by, const PkiLeaf *leaf)
{
  EVP_PKEY *key = leaf->key != NULL ? leaf->key : issue_key (NULL);
  const char *uri = leaf->uri != NULL ? leaf->uri : "nhipcau:station:muong-mau";
  const IssueRequest request
      = { .key = key,
          .common_name = "Trạm Mường Mẫu",
          .uri = *uri != '\0' ? uri : NULL,
          .basic = leaf->basic != NULL ? leaf->basic : "critical,CA:FALSE",
          .usage = leaf->usage != NULL ? leaf->usage : "critical,digitalSignature",
          .extended = leaf->extended == NULL    ? "serverAuth,clientAuth"
                      : *leaf->extended == '\0' ? NULL
                                                : leaf->extended,
          .not_before = leaf->from != 0 ? leaf->from : NOW - DAY,
          .not_after = leaf->until != 0 ? leaf->until : NOW + 89 * DAY,
          .issuer = by->certificate,
          .issuer_key = by->key };
  X509 *certificate = issue_certificate (&request, NULL);
  g_assert_nonnull (certificate);
  if (leaf->key == NULL)
    EVP_PKEY_free (key);
  return certificate;
}

/* revoked may be NULL. */
static inline X509_CRL *
pki_crl (const PkiAuthority *by, X509 *revoked, gint64 number, gint64 made, gint64 until)
{
  X509_CRL *crl = X509_CRL_new ();
  ASN1_TIME *from = ASN1_TIME_set (NULL, (time_t)made), *to = ASN1_TIME_set (NULL, (time_t)until);
  ASN1_INTEGER *serial = ASN1_INTEGER_new ();
  ASN1_INTEGER_set_int64 (serial, number);
  X509_CRL_set_version (crl, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name (crl, X509_get_subject_name (by->certificate));
  X509_CRL_set1_lastUpdate (crl, from);
  if (until != 0)
    X509_CRL_set1_nextUpdate (crl, to);
  X509_CRL_add1_ext_i2d (crl, NID_crl_number, serial, 0, 0);
  AUTHORITY_KEYID *id = AUTHORITY_KEYID_new ();
  id->keyid = X509_get_ext_d2i (by->certificate, NID_subject_key_identifier, NULL, NULL);
  X509_CRL_add1_ext_i2d (crl, NID_authority_key_identifier, id, 0, 0);
  AUTHORITY_KEYID_free (id);
  if (revoked != NULL) {
    X509_REVOKED *entry = X509_REVOKED_new ();
    X509_REVOKED_set_serialNumber (entry, X509_get_serialNumber (revoked));
    X509_REVOKED_set_revocationDate (entry, from);
    X509_CRL_add0_revoked (crl, entry);
  }
  ASN1_INTEGER_free (serial);
  ASN1_TIME_free (from);
  ASN1_TIME_free (to);
  g_assert_cmpint (X509_CRL_sign (crl, by->key, EVP_sha256 ()), >, 0);
  return crl;
}

static inline GBytes *
pki_crl_bytes (X509_CRL *crl)
{
  unsigned char *der = NULL;
  int size = i2d_X509_CRL (crl, &der);
  g_assert_cmpint (size, >, 0);
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return bytes;
}

static inline char *
pki_file (const char *dir, const char *name, X509 *certificate)
{
  char *path = g_build_filename (dir, name, NULL);
  BIO *bio = BIO_new_file (path, "w");
  g_assert_cmpint (PEM_write_bio_X509 (bio, certificate), ==, 1);
  BIO_free (bio);
  return path;
}
