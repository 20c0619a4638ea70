/* Time-stamps (RFC 3161): the query, the reply, and a token by itself. No network here; what is
 * sent and received are bytes (application/timestamp-query, application/timestamp-reply). */
#pragma once
#include "certs/cades.h"

/* DER of a TimeStampReq with a nonce of 64 bits that asks for the certificate. imprint: 32 bytes
 * are taken as SHA-256, 48 and 64 as SHA-384 and SHA-512. policy: dotted OID; NULL: any. */
GBytes *timestamp_query (GBytes *imprint, const char *policy, GError **error);

/* The token out of a TimeStampResp, once everything fits the query: granted, imprint, nonce,
 * policy, the authority's signature and chain (at now; s, UTC). CERTS_ERROR_FAILED says what does
 * not. */
GBytes *timestamp_accept (GBytes *query, GBytes *reply, const CadesTrust *trust, gint64 now,
                          GError **error);

/* What a token says, and whether it holds over an imprint, at now. */
typedef struct {
  gint64 time;         /* genTime; s, UTC */
  guint64 serial;      /* the authority's number; 0 when it is over 64 bits */
  gint64 until;        /* end of the authority's certificate; s, UTC */
  char *authority;     /* common name */
  const char *wrong;   /* NULL: it holds; else "timestamp-broken", "-unknown", "-weak" */
  const char *unusual; /* NULL, or of what nobody signs: "form-unusual", "certificate-unused" */
} TimestampFacts;
void timestamp_facts_clear (TimestampFacts *facts);

/* FALSE: no token at all (nothing in ret). */
gboolean timestamp_look (GBytes *token, TimestampFacts *ret, const EVP_MD **ret_md);
/* Fills wrong and unusual. */
void timestamp_check (GBytes *token, GBytes *imprint, const CadesTrust *trust, gint64 now,
                      TimestampFacts *facts);
