/* Figures of the links: what the hub measures of a peer. Main thread. */
#pragma once
#include "media/transport/hub.h"
#include <jansson.h>

/* {rtt_ms, loss, estimate_bps, sent_bps, received_bps, relayed, path} (transfer full); path is
 * {local, remote, ip}, the kinds of the addresses ("host" "srflx" "prflx" "relay") and 4 or 6, or
 * null while there is none. */
json_t *links_json (const HubPeerStats *stats);
