/* STUN and TURN servers that a WHIP or WHEP server names: Link headers with rel="ice-server"
 * (RFC 9725 §4.6, RFC 8288). No I/O; any thread. */
#pragma once
#include "media/transport/relay.h"

typedef struct {
  char *stun;        /* the first, "host:port"; NULL: none */
  GPtrArray *relays; /* Relay, RELAY_MAX at most; those that name no user are left out */
} WhipServers;

/* header: the headers' values, with commas between; NULL: none. What cannot be read is left out.
 * ca_file: of relays over TLS; NULL: the system's roots. (transfer full) */
WhipServers *whip_links_parse (const char *header, const char *ca_file);
void whip_servers_free (WhipServers *servers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipServers, whip_servers_free)
