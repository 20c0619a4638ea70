/* One ICE agent: full ICE with trickle, one stream, one component (RFC 8445, 8838, 7675).
 *
 * A thin cover over libnice. The path of a peer is one of these, or two while a restart is under
 * way. FAILED of libnice is told as LOST, since a late check of the other side may still open it.
 *
 * Remote host names (`.local`, draft-ietf-mmusic-mdns-ice-candidates) are left out: the other
 * side's own checks reach our addresses and become peer-reflexive candidates.
 *
 * Thread: the context's. Events come from the context, except `candidate`, which may also come
 * from within ice_start(). A handler may call anything but ice_free().
 */
#pragma once
#include "media/transport/candidate.h"
#include "media/transport/peer.h"
#include "media/transport/udp_path.h"

typedef struct Ice Ice;

typedef enum { ICE_NEW, ICE_CONNECTING, ICE_CONNECTED, ICE_LOST } IceState;

typedef struct {
  void (*candidate) (Ice *ice, const char *line, void *arg); /* NULL: no more */
  void (*state) (Ice *ice, IceState state, void *arg);
  /* The datagram may be changed in place. */
  void (*receive) (Ice *ice, guint8 *datagram, gsize size, void *arg);
} IceEvents;

enum { ICE_MAX_REMOTE_CANDIDATES = 40 };

/* Checks the server settings. Errors: PEER_ERROR_CONFIG. */
Ice *ice_new (const PeerConfig *config, const IceEvents *events, void *arg, GError **error);
/* Addresses at relays are given back afterwards, while the context runs, in 1.2 s at most. */
void ice_free (Ice *ice);
/* How many agents of this thread are not done with that. */
guint ice_closing (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ice, ice_free)

const char *ice_ufrag (Ice *ice);
const char *ice_pwd (Ice *ice);
/* Gathers. */
void ice_start (Ice *ice);
/* In place of ice_start() and ice_set_remote(): takes the session of another agent over, with its
 * credentials and what it knows of the other side, and seeks a path from the addresses that are
 * here now. The other side needs no description: it sees checks of the same session from a new
 * address (peer-reflexive, RFC 8445 §7.3.1.3). FALSE when `from` has no session yet. */
gboolean ice_take_over (Ice *ice, Ice *from);
/* FALSE when the address that the selected path begins at is no longer this machine's. */
gboolean ice_is_at_home (Ice *ice);
/* Microseconds since the last authentic packet; G_MAXINT64: none came yet. */
gint64 ice_silence_us (Ice *ice);
/* Credentials of the other side; FALSE when they have not the form of RFC 8839 §5.4. */
gboolean ice_set_remote (Ice *ice, const char *ufrag, const char *pwd);
const char *ice_remote_ufrag (Ice *ice); /* NULL before */
/* "candidate:..."; NULL or "": no more will come. */
void ice_add_candidate (Ice *ice, const char *line);

IceState ice_state (Ice *ice);
/* Sends on the selected pair; returns how many datagrams left, 0 unless connected. */
guint ice_send (Ice *ice, const UdpDatagram *datagrams, guint n);
/* A packet of the other side came by this agent and proved authentic. libnice stays FAILED once
 * its consent checks went unanswered for 10 s (RFC 7675 has 30), though it goes on asking and
 * answering: so this is what brings a lost path back to life. */
void ice_heard (Ice *ice);
typedef struct {
  CandidateType local, remote;
  gboolean ipv6; /* between the other side, or its relay, and ours */
} IceRoute;
/* The selected pair; FALSE: none yet. */
gboolean ice_route (Ice *ice, IceRoute *ret_route);
