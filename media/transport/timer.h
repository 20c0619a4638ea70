/* Timers of a GMainContext that are set again and again.
 *
 * All timers of a context share one GSource, since a loop pays for each of its sources in every
 * turn, and a peer has near ten timers that hardly ever fire.
 *
 * Owner: the one who made it; timer_free() may be called from any timer's callback. Thread: that of
 * the context, except timer_wake().
 */
#pragma once
#include <glib.h>

typedef struct Timer Timer;
typedef void (*TimerFunc) (void *arg);

Timer *timer_new (GMainContext *context, TimerFunc func, void *arg);
void timer_free (Timer *timer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Timer, timer_free)

/* Fires once at this time of g_get_monotonic_time() (µs); replaces what was set. */
void timer_at (Timer *timer, gint64 at_us);
void timer_stop (Timer *timer);
/* Fires as soon as the loop comes by. Any thread, as long as the timer is not being freed. */
void timer_wake (Timer *timer);
