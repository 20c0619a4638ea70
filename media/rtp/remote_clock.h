/* The clock of one sender (one CNAME), seen from our monotonic clock: maps the NTP time of its
 * sender reports to ours, the same for its sound and its picture, so that both stay in step.
 *
 * The offset is the smallest (arrival − NTP time) seen, creeping up slowly so that drift of the two
 * clocks is followed: network delay stays in as a constant. One thread.
 */
#pragma once
#include <glib.h>

typedef struct RemoteClock RemoteClock;

RemoteClock *remote_clock_new (void);
void remote_clock_free (RemoteClock *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemoteClock, remote_clock_free)

/* A sender report with this NTP time (32.32) came at now_us. */
void remote_clock_update (RemoteClock *clock, guint64 ntp, gint64 now_us);
/* NTP time on our clock, µs. FALSE: no report yet. */
gboolean remote_clock_map (RemoteClock *clock, guint64 ntp, gint64 *ret_us);
