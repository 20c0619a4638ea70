/* Tells when this machine's addresses change (rtnetlink(7)).
 *
 * One thread: the one of the context given to network_monitor_new(). Nothing is told of addresses
 * that cannot be used yet (IPv6 until its duplicate check is over), of loopback and of link-local
 * ones; a burst of changes is told once.
 */
#pragma once
#include <glib.h>

typedef struct NetworkMonitor NetworkMonitor;

/* An address that can be used came or went, or an interface got its carrier back. */
typedef void (*NetworkChanged) (void *arg);

/* Errors: MEDIA_ERROR_FAILED, with what the system said. */
NetworkMonitor *network_monitor_new (GMainContext *context, NetworkChanged changed, void *arg,
                                     GError **error);
void network_monitor_free (NetworkMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkMonitor, network_monitor_free)
