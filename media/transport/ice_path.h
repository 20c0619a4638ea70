/* The way that the packets of an ICE session take, and what is done when it falls silent.
 *
 * Sends on the selected pair's own socket (udp_path.h). When no authentic packet came for a while:
 *   - half a second: an address that the other side has meanwhile sent a check from is tried in
 * place of the present one (its network changed, or its NAT's mapping). If nothing authentic comes
 *     within a second, the former one is taken again.
 *   - one second: checks of our own (stun_ping.h), which a browser answers that has given up.
 * Who can make a check holds the password of this session. Who only repeats one from an address
 * that is not his gets packets sent there for a second, once for each check that he caught.
 *
 * One thread: the one of the context. Not for relayed pairs, whose packets are wrapped.
 */
#pragma once
#include "media/transport/udp_path.h"

typedef struct IcePath IcePath;

IcePath *ice_path_new (GMainContext *context);
void ice_path_free (IcePath *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcePath, ice_path_free)

/* For the checks. Strings are copied. */
void ice_path_set_credentials (IcePath *path, const char *local_ufrag, const char *remote_ufrag,
                               const char *remote_pwd);
/* The selected pair. socket: (transfer full), NULL: a relayed one. */
void ice_path_set (IcePath *path, GSocket *socket, const struct sockaddr *to);
/* A check came from this address, with the session's password. socket: what leads there, (transfer
 * none), NULL: that of the selected pair. */
void ice_path_seen (IcePath *path, GSocket *socket, const struct sockaddr *from);
/* TRUE when the selected pair's socket leads to addresses of this family. */
gboolean ice_path_is_family (const IcePath *path, int family);
/* FALSE: relayed, or no pair yet. */
gboolean ice_path_is_direct (const IcePath *path);
guint ice_path_send (IcePath *path, const UdpDatagram *datagrams, guint n);
/* An authentic packet came. */
void ice_path_heard (IcePath *path, gint64 now_us);
gint64 ice_path_heard_us (const IcePath *path); /* the last one; 0: none yet */
