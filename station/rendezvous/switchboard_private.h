/* Between switchboard.c (tunnels) and switchboard_public.c (what the station says of itself). */
#pragma once
#include "station/rendezvous/switchboard.h"

/* When the next one is in order; monotonic µs. */
typedef struct {
  gint64 next;
} Bucket;

/* A ring at one desk. */
typedef struct {
  char *topic;
  json_t *calls;
  gboolean due; /* not published as it is now */
} Ring;

struct Switchboard {
  char *station;
  EVP_PKEY *key;
  const SwitchboardEvents *events;
  void *arg;
  char *presence_topic, *open_prefix, *in_prefix;
  char *subscriptions[3];

  PresenceTurn turn;
  char *will; /* of the connection that stands or is coming */
  gboolean connected, presence_due;
  gint64 signed_at, presence_at;
  GHashTable *rings; /* desk → Ring */

  json_t *epoch_keys; /* private ones, the newest first; at most two */
  gint64 key_made_at;
  GHashTable *once[2]; /* GBytes: openings had, under the newest key and the one before */

  GPtrArray *lines; /* Line*, oldest first */
  Bucket all, unknown, desk;
  GHashTable *boxes; /* invitation → Bucket */
  SwitchboardFigures figures;
};

/* A new epoch key; the one before stays for a while. */
gboolean switchboard_new_key (Switchboard *board, gint64 now, GError **error);
void switchboard_public_tick (Switchboard *board, gint64 now, gint64 utc_us);
void switchboard_public_free (Switchboard *board);
