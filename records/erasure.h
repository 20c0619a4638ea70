/* Erasure: destroying the key of one purpose of a consultation (crypto shredding), and the
 * certificate that tells of it. docs/records.md, "Retention and erasure", has the file's form and
 * the order of the steps; a kill anywhere in between is made good when the store opens.
 *
 *   STATE/erasures/UUID.json   {"signature": base64 DER, "statement": text}: the certificate, in
 *                              the log ("file …"); all of them are the list that a restore replays
 *   shred CONSULT PURPOSE      in the log, in the same transaction as the certificate's leaf
 *   row "erasure"              of the station's, sealed: who did it and the words of the reason
 *
 * What is destroyed: every wrap and escrow of the key in both key files, the segment files of a
 * recording, the attachments of a clinical record. Sealed rows stay as ciphertext that nothing
 * opens, so that the log over all other records still holds.
 */
#pragma once
#include "records/store.h"

#define ERASURE_FOLDER "erasures"

/* Why; only these words stand in the certificate, which is no secret. */
typedef enum {
  ERASURE_RETENTION, /* "retention-over": the time that the law wants is over */
  ERASURE_CONSENT,   /* "consent-withdrawn" */
  ERASURE_DISK,      /* "disk-full": a delivered recording made room, by the station's policy */
  ERASURE_UNCLAIMED, /* "never-claimed": readings of nobody */
} ErasureWhy;
const char *erasure_why_name (ErasureWhy why);
gboolean erasure_why_parse (const char *name, ErasureWhy *ret_why);

typedef struct {
  const char *consult;
  guint purposes; /* bits: 1u << PURPOSE_RECORDING …; those that have no key are left out */
  ErasureWhy why;
  const char *reason; /* words of whoever decides; sealed; NULL: none */
  const char *user;   /* NULL: the station itself */
  json_t *copies; /* (transfer none) array of {"where", "what"}: not reached; NULL: none known */
} Erasure;

/* Does it, and waits for the disk. signer signs the certificate. ret_certificate: its name below
 * STATE (transfer full), may be NULL. NOT_FOUND: there is no key of these purposes (any more);
 * FAILED: a recording is being written just now; LOCKED. Any thread but the writer's. */
gboolean erasure_run (Store *store, Identity *signer, const Erasure *erasure,
                      char **ret_certificate, GError **error);

/* Whether the log tells that this key was destroyed; FALSE also when the log cannot be read. */
gboolean erasure_done (Store *store, const char *consult, Purpose purpose);

/* One certificate. */
typedef struct {
  char *file;         /* below STATE */
  char *consult, *at; /* at: UTC, ISO 8601 */
  char *why, *clock;
  guint purposes;
  json_t *copies;
  gboolean is_signed; /* by one of the certificates in the log */
} ErasureCertificate;
void erasure_certificate_free (ErasureCertificate *certificate);
/* All of them, oldest first: array of ErasureCertificate*. A file that is none is left out with a
 * warning. */
GPtrArray *erasure_list (Store *store, GError **error);

/* The words of one certificate, by its name below STATE ("erasures/UUID.json"): the statement, and
 * over its bytes the signature in DER (both transfer full). NOT_FOUND: there is no such one. */
gboolean erasure_read (Store *store, const char *file, GBytes **ret_statement,
                       GBytes **ret_signature, gboolean *ret_signed, GError **error);

/* For a restore, before anything is opened: destroys in the vault of a folder every key of which a
 * certificate tells (those whose commitment fits), and copies the certificates into its erasures
 * folder; the log of that store gets the leaves. from: a folder with certificates, such as that of
 * a newer backup. ret_keys: how many keys were destroyed. Certificates whose signature is not by
 * a signer of the store's log are refused, one by one, with a warning. */
gboolean erasure_replay (Store *store, const char *from, guint *ret_keys, GError **error);
