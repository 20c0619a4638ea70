/* The relays of the configuration in use: bridges for those over TCP and TLS, and what each one
 * last said when it was asked. A relay is asked at the beginning, every five minutes while it is
 * good, every 30 s while it is not.
 *
 * Thread: that of the context, which is the thread's default one.
 */
#pragma once
#include "media/transport/relay.h"

typedef struct Relays Relays;

/* Told when the outcome changes, and the first one. */
typedef void (*RelaysReport) (const Relay *relay, const RelayReport *report, gpointer data);

/* relays: Relay, copied, RELAY_MAX at most. report may be NULL: then nothing is asked. */
Relays *relays_new (const GPtrArray *relays, RelaysReport report, gpointer data);
void relays_free (Relays *relays);

/* Where and as whom an ICE agent reaches a relay. */
typedef struct {
  char *host; /* a name, or the bridge's address */
  guint16 port;
  gboolean stream; /* TCP, else UDP */
  char *user, *password;
} RelayDoor;

/* One per relay, with fresh credentials; in the order of the configuration. ipv4: the agent has
 * such an address of its own. RelayDoor (transfer full) */
GPtrArray *relays_doors (Relays *relays, gboolean ipv4);
/* Asks again those that are not known to be good: somebody misses a relay. */
void relays_check (Relays *relays);
