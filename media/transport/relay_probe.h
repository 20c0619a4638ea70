/* Asks a relay for an address and gives it back (RFC 8656 §6, §7): libnice does not tell why it got
 * none.
 *
 * Thread: that of the thread-default GMainContext at relay_probe_new(), which runs meanwhile.
 */
#pragma once
#include "media/transport/relay.h"

typedef struct RelayProbe RelayProbe;

enum { RELAY_PROBE_MS = 6000 }; /* the longest it takes */

/* report is the caller's. Called once, from the context; may free the probe. */
typedef void (*RelayProbed) (const Relay *relay, const RelayReport *report, gpointer data);

/* relay: must outlive the probe. */
RelayProbe *relay_probe_new (const Relay *relay, RelayProbed done, gpointer data);
/* Before its end: without a report. */
void relay_probe_free (RelayProbe *probe);
