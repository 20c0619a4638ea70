/* The recovery sheet: one page for the safe, that tells whoever finds it years later which keys
 * open this station's records, where they are (filled in by hand), and what to type. As PDF, in
 * Vietnamese.
 *
 * It holds no secret, unless it is that of a pair made by `setup --make-recovery`: then its QR code
 * has the private key, encrypted with the passphrase of then, so that paper alone can bring back
 * what a memory card has lost.
 */
#pragma once
#include <glib.h>

typedef struct {
  int number;          /* of the challenge file */
  const char *name;    /* of the certificate's subject */
  const char *sha256;  /* fingerprint, hex */
  const char *until;   /* "2036-11-27" */
  const char *drilled; /* "2026-11-27"; NULL: never */
  gboolean confirmed;
} RecoveryHolder;

typedef struct {
  const char *station, *vault; /* name; id in hex. vault NULL: of a pair before there is one */
  const char *made;            /* "2026-11-27" */
  const RecoveryHolder *holders;
  guint count;
  const char *key_pem; /* encrypted PKCS#8; NULL: none on this sheet */
} RecoverySheet;

/* PDF (transfer full); NULL with error. */
GBytes *recovery_sheet_make (const RecoverySheet *sheet, GError **error);
/* What the QR code of a sheet without a key holds: "nhipcau-recovery:1:VAULT:SHA256,SHA256"
 * (transfer full). */
char *recovery_sheet_code (const RecoverySheet *sheet);
