/* The way to a relay over TCP or TLS for libnice, whose TURN_TLS speaks plain TCP (RFC 5245 mode):
 * libnice connects to a port of 127.0.0.1 and of ::1, the bridge connects to the relay and passes
 * bytes on. Nobody else can use it: a connection counts only when its other end is a socket of
 * this very process.
 *
 * Thread: that of the context, which is the thread's default one.
 */
#pragma once
#include "media/transport/relay.h"
#include <gio/gio.h>

typedef struct RelayBridge RelayBridge;

enum { RELAY_BRIDGE_MAX_CONNECTIONS = 128 };

/* Takes a copy of the relay. */
RelayBridge *relay_bridge_new (const Relay *relay);
/* Cuts what still passes. */
void relay_bridge_free (RelayBridge *bridge);
/* The port on the loopback address of that family; 0: the machine has none. */
guint16 relay_bridge_port (const RelayBridge *bridge, GSocketFamily family);
guint relay_bridge_connections (const RelayBridge *bridge);
