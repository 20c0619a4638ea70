/* Everything of a station that expires some day: certificates, authorities, revocation lists; and
 * who is to do what about it, months before. Reads files: now and then, not for each page. */
#pragma once
#include "records/vault.h"
#include "station/config.h"
#include "certs/peer_check.h"
#include <jansson.h>

typedef enum {
  EXPIRY_STATION,  /* province.crt */
  EXPIRY_WEB,      /* what browsers get: station.crt or [http] certificate */
  EXPIRY_LOCAL,    /* ca.crt */
  EXPIRY_ISSUER,   /* a pinned authority */
  EXPIRY_LIST,     /* its revocation list */
  EXPIRY_RECOVERY, /* a recovery key's certificate */
  EXPIRY_SIGNER,   /* a person's, in [signing] keys */
  EXPIRY_PEOPLE,   /* a root of [signing] people-ca */
  EXPIRY_STAMPS,   /* a root of [timestamp] ca-file */
  EXPIRY_DELIVER,  /* the client certificate of a [deliver NAME] */
} ExpiryKind;

typedef struct {
  ExpiryKind kind;
  char *name;         /* which one: an issuer's, a file's, a number */
  gint64 from, until; /* s, UTC */
} Expiry;

/* Expiry*, in no order. vault, trust may be NULL. What cannot be read is left out: others say so.
 */
GPtrArray *expiry_collect (const Config *config, Vault *vault, PeerTrust *trust);
/* "station", "web" …, of metrics (static). */
const char *expiry_word (ExpiryKind kind);
/* Is it time to tell people? A third of its life before the end, half a year at most; lists: a
 * fifth. */
gboolean expiry_is_near (const Expiry *expiry, gint64 now);
/* Problems of the console: {level, code, text: {vi, en}}, for those that are near. */
void expiry_add_problems (const GPtrArray *all, gint64 now, json_t *list);
