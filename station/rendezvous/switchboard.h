/* All tunnels of a station, and what it publishes of itself: topics and payloads in, topics and
 * payloads out (docs/rendezvous.md). Bounded whatever comes. Sans-IO; `now` is monotonic µs. Main
 * thread.
 */
#pragma once
#include "station/rendezvous/presence.h"
#include "station/rendezvous/tunnel.h"

typedef struct Switchboard Switchboard;

enum {
  SWITCHBOARD_TUNNELS = 128,
  SWITCHBOARD_DESKS = 64,  /* of the desk's box: strangers leave room for invitations */
  SWITCHBOARD_PER_BOX = 8, /* of an invitation */
  SWITCHBOARD_HALF_OPEN = 256,
  SWITCHBOARD_OPENINGS_PER_KEY = 65536,
};
#define SWITCHBOARD_DESK "desk" /* the box of specialists */

typedef struct {
  /* For the broker. */
  void (*publish) (const char *topic, const char *text, gsize length, gboolean retain, void *arg);
  /* The secret of a box (transfer full): of an invitation, "" for the desk's; NULL: there is none.
   */
  char *(*secret) (const char *box, void *arg);
  /* A page has proven that it knows the secret. What is returned is told with each event. */
  void *(*opened) (Tunnel *tunnel, void *arg);
  void (*message) (void *line, const char *text, gsize length, void *arg);
  /* The page is gone, or the tunnel was ended; it goes away afterwards. */
  void (*closed) (void *line, void *arg);
} SwitchboardEvents;

/* key: the station's (transfer none). epoch: greater than any before (docs/rendezvous.md). */
Switchboard *switchboard_new (const char *station, EVP_PKEY *key, gint64 epoch,
                              const SwitchboardEvents *events, void *arg, GError **error);
/* Ends all tunnels. */
void switchboard_free (Switchboard *board);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Switchboard, switchboard_free)

/* Before each connection to the broker: its last will (transfer full), for
 * switchboard_presence_topic(). */
char *switchboard_will (Switchboard *board, GError **error);
const char *switchboard_presence_topic (const Switchboard *board);
/* The topics to subscribe to, NULL-terminated (transfer none). */
const char *const *switchboard_subscriptions (const Switchboard *board);
/* The connection stands: publishes presence and the rings. */
void switchboard_connected (Switchboard *board, gint64 now, gint64 utc_us);
/* Leaves in order: publishes "gone" and empty rings. */
void switchboard_leave (Switchboard *board, gint64 utc_us);

/* What came from the broker. Hostile. */
void switchboard_receive (Switchboard *board, const char *topic, const char *text, gsize length,
                          gint64 now);
/* Every 50 ms or so while switchboard_is_busy(), else every second. */
void switchboard_tick (Switchboard *board, gint64 now, gint64 utc_us);
gboolean switchboard_is_busy (const Switchboard *board);

/* Which calls wait at a desk, [{call, since}] (transfer none); what is published follows. */
void switchboard_ring (Switchboard *board, const char *desk, const json_t *calls);

typedef struct {
  guint64 openings, openings_refused, openings_replayed, openings_limited;
  guint64 frames, frames_refused, frames_replayed, unknown;
  guint tunnels, half_open;
} SwitchboardFigures;
void switchboard_figures (const Switchboard *board, SwitchboardFigures *ret);
