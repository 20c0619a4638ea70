#include "media/transport/timer.h"

#define NEVER G_MAXINT64

/* The source that the timers of one context share; lives as long as there is one. */
typedef struct {
  GSource source;
  GPtrArray *timers; /* Timer; NULL where one was freed during a turn */
  gint64 armed_us;   /* when the source fires; NEVER: not */
  gboolean turning;
  gint woken; /* atomic: some timer was woken */
} Clock;

struct Timer {
  Clock *clock;
  TimerFunc func;
  void *arg;
  gint64 at_us;
  gint woken; /* atomic */
};

/* Contexts and their clocks; touched when timers come and go, never when they are set. */
static GMutex clocks_lock;
static GHashTable *clocks;

static void
arm (Clock *clock, gint64 at_us)
{
  clock->armed_us = at_us;
  g_source_set_ready_time (&clock->source, at_us == NEVER ? -1 : MAX (at_us, 0));
  /* What timer_wake() set from another thread must not be lost. */
  if (g_atomic_int_get (&clock->woken))
    g_source_set_ready_time (&clock->source, 0);
}

static void
fire_due (Clock *clock, gint64 now_us)
{
  for (guint i = 0; i < clock->timers->len; i++) {
    Timer *timer = g_ptr_array_index (clock->timers, i);
    if (!timer)
      continue;
    gboolean woken = g_atomic_int_compare_and_exchange (&timer->woken, TRUE, FALSE);
    if (!woken && timer->at_us > now_us)
      continue;
    timer->at_us = NEVER;
    timer->func (timer->arg);
  }
}

static gint64
sweep (Clock *clock)
{
  gint64 next_us = NEVER;
  while (g_ptr_array_remove_fast (clock->timers, NULL))
    ;
  for (guint i = 0; i < clock->timers->len; i++)
    next_us = MIN (next_us, ((Timer *)g_ptr_array_index (clock->timers, i))->at_us);
  return next_us;
}

static void
clock_drop (Clock *clock)
{
  g_mutex_lock (&clocks_lock);
  g_hash_table_remove (clocks, g_source_get_context (&clock->source));
  g_mutex_unlock (&clocks_lock);
  g_source_destroy (&clock->source);
  g_source_unref (&clock->source);
}

static gboolean
clock_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Clock *clock = (Clock *)source;
  clock->turning = TRUE;
  g_atomic_int_set (&clock->woken, FALSE);
  arm (clock, NEVER);
  fire_due (clock, g_source_get_time (source));
  clock->turning = FALSE;
  gint64 next_us = sweep (clock);
  if (clock->timers->len == 0)
    clock_drop (clock);
  else if (next_us < clock->armed_us)
    arm (clock, next_us);
  return G_SOURCE_CONTINUE;
}

static void
clock_finalize (GSource *source)
{
  g_ptr_array_unref (((Clock *)source)->timers);
}

static GSourceFuncs clock_funcs = { .dispatch = clock_dispatch, .finalize = clock_finalize };

static Clock *
clock_of (GMainContext *context)
{
  if (!context)
    context = g_main_context_default ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&clocks_lock);
  if (!clocks)
    clocks = g_hash_table_new (NULL, NULL);
  Clock *clock = g_hash_table_lookup (clocks, context);
  if (clock)
    return clock;
  clock = (Clock *)g_source_new (&clock_funcs, sizeof (Clock));
  clock->timers = g_ptr_array_new ();
  clock->armed_us = NEVER;
  g_source_set_static_name (&clock->source, "nhipcau timers");
  g_source_attach (&clock->source, context);
  g_hash_table_insert (clocks, context, clock);
  return clock;
}

Timer *
timer_new (GMainContext *context, TimerFunc func, void *arg)
{
  Timer *timer = g_new0 (Timer, 1);
  timer->clock = clock_of (context);
  timer->func = func;
  timer->arg = arg;
  timer->at_us = NEVER;
  g_ptr_array_add (timer->clock->timers, timer);
  return timer;
}

void
timer_free (Timer *timer)
{
  guint index;
  if (!timer)
    return;
  Clock *clock = timer->clock;
  if (g_ptr_array_find (clock->timers, timer, &index)) {
    if (clock->turning)
      clock->timers->pdata[index] = NULL;
    else
      g_ptr_array_remove_index_fast (clock->timers, index);
  }
  if (!clock->turning && clock->timers->len == 0)
    clock_drop (clock);
  g_free (timer);
}

void
timer_at (Timer *timer, gint64 at_us)
{
  timer->at_us = at_us;
  if (at_us < timer->clock->armed_us)
    arm (timer->clock, at_us);
}

void
timer_stop (Timer *timer)
{
  timer->at_us = NEVER; /* the source fires in vain at most once */
}

void
timer_wake (Timer *timer)
{
  g_atomic_int_set (&timer->woken, TRUE);
  g_atomic_int_set (&timer->clock->woken, TRUE);
  g_source_set_ready_time (&timer->clock->source, 0);
}
