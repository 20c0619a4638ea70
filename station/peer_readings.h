/* Readings on their way to one page: whole once, then only what changes. Main thread.
 *
 * On a link that loses packets SCTP's window is a packet or two, so what is told every second has
 * to fit into a part of one. A reading is told with all its words once and numbered; while only its
 * value and its times change, that is all which is told again (docs/protocol.md, `readings`). What
 * has not changed at all is not told.
 */
#pragma once
#include <glib.h>
#include <jansson.h>

typedef struct PeerReadings PeerReadings;

/* message: (transfer full). Not from within peer_readings_free(). */
typedef void (*PeerReadingsSend) (json_t *message, void *arg);

PeerReadings *peer_readings_new (PeerReadingsSend send, void *arg);
/* NULL is ignored. */
void peer_readings_free (PeerReadings *readings);
/* The page knows nothing (any more): its channel has opened. */
void peer_readings_forget (PeerReadings *readings);
/* items: of observations (transfer none). weak: the link carries little; then there is one message
 * a second at most, with the newest of each vital sign, and what came before is left out. */
void peer_readings_take (PeerReadings *readings, json_t *items, gboolean weak);
