#include "media/transport/timer.h"

struct Timer {
  GSource source;
  TimerFunc func;
  void *arg;
};

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Timer *timer = (Timer *)source;
  g_source_set_ready_time (source, -1);
  timer->func (timer->arg);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

Timer *
timer_new (GMainContext *context, TimerFunc func, void *arg)
{
  Timer *timer = (Timer *)g_source_new (&timer_funcs, sizeof (Timer));
  timer->func = func;
  timer->arg = arg;
  g_source_set_static_name (&timer->source, "nhipcau timer");
  g_source_attach (&timer->source, context);
  return timer;
}

void
timer_free (Timer *timer)
{
  if (!timer)
    return;
  g_source_destroy (&timer->source);
  g_source_unref (&timer->source);
}

void
timer_at (Timer *timer, gint64 at_us)
{
  g_source_set_ready_time (&timer->source, MAX (at_us, 0));
}

void
timer_stop (Timer *timer)
{
  g_source_set_ready_time (&timer->source, -1);
}

void
timer_wake (Timer *timer)
{
  g_source_set_ready_time (&timer->source, 0);
}
