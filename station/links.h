/* Figures of the links: what the hub measures of each peer, and what the peer's page reports of the
 * streams that it receives. For pages, for the record, for /metrics. Main thread.
 *
 * What a page reports is its own word: bounded, checked for its form, used for nothing but showing.
 */
#pragma once
#include "media/transport/hub.h"
#include <jansson.h>

typedef struct Links Links;

enum {
  LINKS_MAX_STREAMS = 24,   /* in one report */
  LINKS_REPORT_EVERY_S = 2, /* reports that come sooner are left out */
  LINKS_ROW_EVERY_S = 60,   /* a row of the record for each peer that is connected, */
  LINKS_CHANGE_EVERY_S = 5, /* and at a change of path, so often at most */
};

Links *links_new (void);
void links_free (Links *links);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Links, links_free)

/* What the hub measures now. stats NULL: nothing yet. state: as in media.state. sent: of
 * HubStreamStats, what goes to it; (transfer full), NULL: not known. */
void links_measure (Links *links, const char *label, const char *state, const HubPeerStats *stats,
                    GArray *sent);
/* The peer is gone. */
void links_forget (Links *links, const char *label);

/* A message `figures` of a page: {"streams":[{stream, kind, freezes, frozen_ms, frames,
 * concealed_ms, sound_ms, lost, packets}]}, sums since the connection began. Hostile: FALSE with
 * the field at fault when it has not that form; nothing is changed then. */
gboolean links_report (Links *links, const char *label, const json_t *message, gint64 now_us,
                       const char **ret_wrong);

/* {state, rtt_ms, loss, estimate_bps, sent_bps, received_bps, relayed, path, sight, machine,
 * layers, lean, sent, streams} (transfer full), or null when the label is unknown. path: {local,
 * remote, ip}, the kinds of the addresses ("host" "srflx" "prflx" "relay") and 4 or 6, or null;
 * sight to lean as in HubPeerStats; sent: [{stream, kind, rung, bps, width, height}]; streams: as
 * last reported. */
json_t *links_json (Links *links, const char *label);
/* A row of kind `link`, when one is due: {label, why, …} as above with why "path", "minute"
 * (transfer full); else NULL. */
json_t *links_row (Links *links, const char *label, gint64 now_us);

/* Calls back for each peer, in the order of coming. slot: a name without a person in it,
 * "console1", "guest2", given again when its peer is gone. */
typedef struct {
  const char *stream; /* "source-room", "peer-guest1" */
  gboolean video;
  guint64 freezes, frozen_ms, frames, concealed_ms, sound_ms, lost, packets;
} LinkStream;
typedef struct {
  const char *slot, *state;
  const HubPeerStats *stats; /* NULL: not measured */
  const LinkStream *streams;
  guint n_streams;
  const GArray *sent; /* HubStreamStats; NULL: not known */
} LinkView;
void links_each (Links *links, void (*each) (const LinkView *link, void *arg), void *arg);
const char *links_kind_name (CandidateType type);
