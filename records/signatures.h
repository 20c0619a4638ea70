/* The signatures of a consultation: all are rows of kind "signature" over one manifest, the one in
 * the first of them (docs/records.md). Nothing is overwritten: a further signature is a further
 * row; a time-stamp is a row of the station's own, of kind "stamp-CONSULTATION", so that it can be
 * fetched and kept while the record itself is locked.
 *
 * Any thread; waits for the disk.
 */
#pragma once
#include "certs/cades.h"
#include "records/store.h"

typedef struct {
  gint64 seq;
  char *user; /* who handed it in; NULL: the station */
  gint64 utc_us;
  char *trust; /* of the clock then (store.h) */
  json_t *body;
  GBytes *cms;           /* as it was made; NULL: a confirmation without a key */
  GBytes *whole;         /* with every token that has come; NULL as cms is */
  guint tokens;          /* that the station has for it */
  gboolean token_broken; /* one of them does not go in */
} Signature;

/* In order of writing. ret_manifest: what all of them are over (transfer full), NULL when the
 * record was not signed yet. */
GPtrArray *signatures_read (Store *store, const char *consult, GBytes **ret_manifest,
                            GError **error);

/* Checks all that there is: {manifest: {sha256, verdict, findings}, signatures: […], roles: […],
 * verdict}; times are ISO 8601 or absent. docs/records.md lists fields and codes. trust: whom to
 * believe; seal: the station's certificate, by whose key its seal counts, may be NULL. */
json_t *signatures_report (Store *store, const char *consult, const CadesTrust *trust, X509 *seal,
                           gint64 now, GError **error);

/* Queues a time-stamp for signature seq unless one is queued already: a row "stamp-wanted" of the
 * station's. */
gboolean signatures_want_token (Store *store, const char *consult, gint64 seq, GError **error);
/* When the first of a consultation's signatures needs a further token: `ahead` seconds before its
 * newest one ends, or at half of the life it had left when it was made, if that is later. s, UTC;
 * G_MAXINT64: none has a token. Needs the station's key alone. */
gboolean signatures_due (Store *store, const char *consult, gint64 ahead, gint64 *ret_due,
                         GError **error);
/* Queues those that are due: signatures without a token, or as signatures_due(). ret_wanted: how
 * many. */
gboolean signatures_renew (Store *store, const char *consult, gint64 now, gint64 ahead,
                           guint *ret_wanted, GError **error);
