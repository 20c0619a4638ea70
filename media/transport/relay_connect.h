/* A connection to a relay: TCP, TLS, or a connected UDP socket. A certificate is checked against
 * the relay's ca_file or the system's trust, and against the host that the configuration names.
 *
 * Thread: that of the thread-default GMainContext at the call, which runs meanwhile.
 */
#pragma once
#include "media/transport/relay.h"
#include <gio/gio.h>

/* callback gets the connection (transfer full), or NULL and a report of why there is none (owned by
 * the caller); neither when `cancellable` ended it. Each address of the host is given 8 s. */
typedef void (*RelayConnected) (GSocketConnection *connection, const RelayReport *report,
                                gpointer data);
void relay_connect (const Relay *relay, GCancellable *cancellable, RelayConnected callback,
                    gpointer data);
/* What an error of GIO means for a relay. */
void relay_report_from_error (const GError *error, RelayReport *ret_report);
