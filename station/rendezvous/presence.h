/* What a station says of itself in public: presence, last will, rings (docs/rendezvous.md). And
 * the reader's side of it, which refuses what is old. Sans-IO. Main thread.
 */
#pragma once
#include "station/rendezvous/jose.h"

#define PRESENCE_WILL_SEQ G_MAXUINT32
#define PRESENCE_CALLS_MAX 16

/* Order of everything that a station publishes: by epoch, then link, then seq. */
typedef struct {
  gint64 epoch;
  guint32 link, seq;
} PresenceTurn;

/* -1, 0, 1 */
int presence_turn_compare (const PresenceTurn *a, const PresenceTurn *b);

/* JWS (transfer full). epoch_key: public part; NULL: the station is gone. at_us: UTC. */
char *presence_sign (EVP_PKEY *key, const char *station, const PresenceTurn *turn,
                     const json_t *epoch_key, gint64 at_us, GError **error);
/* calls: [{call, since}] (transfer none). */
char *presence_sign_ring (EVP_PKEY *key, const char *station, const char *desk,
                          const PresenceTurn *turn, const json_t *calls, GError **error);

/* A reader of one topic of one station. */
typedef struct {
  char *station;
  char *desk;     /* of a ring; NULL: of presence */
  char *key_hash; /* thumbprint of the station's key */
  PresenceTurn newest;
} PresenceReader;
void presence_reader_clear (PresenceReader *reader);

/* The body (transfer full) when it is by this station and newer than all before; else NULL with
 * JOSE_ERROR and nothing changed. */
json_t *presence_read (PresenceReader *reader, const char *jws, gsize length, GError **error);
