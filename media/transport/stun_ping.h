/* Connectivity checks of our own, beside libnice's.
 *
 * When the other side has fallen silent, libnice asks every few seconds, and a browser that has
 * given its pairs up answers nothing but a check. These are such checks (RFC 8445 §7.2.2), with the
 * credentials of the running session: a browser that gets one makes a pair of it again, also after
 * a minute, and also from an address that it has not seen. The answers go to libnice, which does
 * not know them and drops them: what tells that somebody is there are the checks and the packets
 * that follow.
 */
#pragma once
#include <glib.h>

enum { STUN_PING_CAPACITY = 256 };

/* Writes a Binding request that nominates its pair. Credentials as in the descriptions; `tie`: the
 * tie-breaker. Returns its size in bytes, 0 when it did not fit. */
gsize stun_ping_write (const char *local_ufrag, const char *remote_ufrag, const char *remote_pwd,
                       guint64 tie, guint8 ret_datagram[STUN_PING_CAPACITY]);
