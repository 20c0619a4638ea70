/* A small authority of a province or hospital that has none: one root key, kept offline, which
 * signs certificates of stations and doctors and the list of revoked ones (docs/certificates.md).
 *
 * Its folder is for a USB stick, in the forms of stock `openssl ca`, so that the stock command can
 * go on with it (openssl.cnf in it): root.key     PKCS#8 under the passphrase    root.crt index.txt
 * what was issued and revoked     crlnumber   the next number of a list issued/SERIAL.pem crl.pem
 * the newest list authority.conf  where the list is published A certificate and its row are durable
 * before it is handed out. One process at a time. now: s, UTC. Blocking; one thread.
 */
#pragma once
#include "certs/csr.h"

typedef struct Authority Authority;

typedef struct {
  const char *folder; /* made; must be empty or absent */
  const char *name;   /* common name of the root */
  guint years;
  const char *const *domains; /* DNS names that it may vouch for beside private ones; NULL: none */
  const char *crl_url;        /* http:// address in the certificates; NULL: none */
  GBytes *passphrase;
} AuthoritySetup;

gboolean authority_create (const AuthoritySetup *setup, gint64 now, GError **error);
/* passphrase NULL: to list only. CERTS_ERROR_KEY: it is wrong; CERTS_ERROR_NOT_FOUND: no authority
 * is in the folder. */
Authority *authority_open (const char *folder, GBytes *passphrase, GError **error);
void authority_free (Authority *authority);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Authority, authority_free)
X509 *authority_certificate (Authority *authority); /* (transfer none) */

/* Most days of a certificate: stations renew, people carry theirs on a token. */
#define AUTHORITY_DAYS_STATION 90
#define AUTHORITY_DAYS_PERSON 1095

/* Signs what csr_parse() has taken. days 0: the most. another_key: the id has a certificate under
 * another key already, and that is meant; else refused. CERTS_ERROR_EXPIRED: the root has, or the
 * clock is wrong. (transfer full) */
X509 *authority_sign (Authority *authority, const Csr *csr, guint days, gboolean another_key,
                      gint64 now, GError **error);
/* serial: hex. reason: of authority_reasons. A second time it says so (CERTS_ERROR_FAILED). */
gboolean authority_revoke (Authority *authority, const char *serial, const char *reason, gint64 now,
                           GError **error);
extern const char *const authority_reasons[]; /* NULL-terminated */
/* A new list, PEM, also in crl.pem; good for days from now. */
GBytes *authority_crl (Authority *authority, guint days, gint64 now, GError **error);

typedef struct {
  char *serial; /* hex, upper case */
  PeerKind kind;
  char *id, *name, *key_hash;  /* name: for people */
  gint64 from, until, revoked; /* revoked 0: it is not */
} AuthorityEntry;
/* AuthorityEntry*, in the order of issue (transfer full). */
GPtrArray *authority_list (Authority *authority, GError **error);
