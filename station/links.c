#include "station/links.h"

static const char *
kind_name (CandidateType type)
{
  static const char *const names[] = {
    [CANDIDATE_HOST] = "host",
    [CANDIDATE_SERVER_REFLEXIVE] = "srflx",
    [CANDIDATE_PEER_REFLEXIVE] = "prflx",
    [CANDIDATE_RELAYED] = "relay",
  };
  return names[type];
}

static json_t *
path_json (const HubPeerStats *stats)
{
  if (!stats->has_path)
    return json_null ();
  return json_pack ("{s:s, s:s, s:i}", "local", kind_name (stats->local), "remote",
                    kind_name (stats->remote), "ip", stats->ipv6 ? 6 : 4);
}

json_t *
links_json (const HubPeerStats *stats)
{
  return json_pack ("{s:f, s:f, s:I, s:I, s:I, s:b, s:o}", "rtt_ms", stats->rtt_ms, "loss",
                    stats->loss, "estimate_bps", (json_int_t)stats->estimate_bps, "sent_bps",
                    (json_int_t)stats->sent_bps, "received_bps", (json_int_t)stats->received_bps,
                    "relayed", stats->relayed, "path", path_json (stats));
}
