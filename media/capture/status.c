#include "media/capture/status.h"

/* Counted: notices on their way to the owner's context hold a reference. */
struct Status {
  char *name;
  StatusTell tell;
  void *arg;
  GMainContext *owner;
  GMutex lock; /* of everything below */
  GCond told;
  SourceState state;
  char *reason;
  guint epoch;      /* counts silences: notices of an earlier one are void */
  GThread *telling; /* in tell(), on this thread */
};

typedef struct {
  Status *status;
  guint epoch;
  SourceState state;
  char *reason;
} Notice;

Status *
status_new (const char *name, StatusTell tell, void *arg)
{
  Status *status = g_atomic_rc_box_new0 (Status);
  status->name = g_strdup (name);
  status->tell = tell;
  status->arg = arg;
  status->owner = g_main_context_ref_thread_default ();
  status->state = SOURCE_STOPPED;
  g_mutex_init (&status->lock);
  g_cond_init (&status->told);
  return status;
}

static void
status_clear (gpointer data)
{
  Status *status = data;
  g_main_context_unref (status->owner);
  g_mutex_clear (&status->lock);
  g_cond_clear (&status->told);
  g_free (status->name);
  g_free (status->reason);
}

void
status_free (Status *status)
{
  status_silence (status);
  g_atomic_rc_box_release_full (status, status_clear);
}

static void
notice_free (gpointer data)
{
  Notice *notice = data;
  g_atomic_rc_box_release_full (notice->status, status_clear);
  g_free (notice->reason);
  g_free (notice);
}

static gboolean
deliver (gpointer data)
{
  Notice *notice = data;
  Status *status = notice->status;
  g_mutex_lock (&status->lock);
  gboolean valid = notice->epoch == status->epoch;
  if (valid)
    status->telling = g_thread_self ();
  g_mutex_unlock (&status->lock);
  if (!valid)
    return G_SOURCE_REMOVE;
  status->tell (notice->state, notice->reason, status->arg);
  g_mutex_lock (&status->lock);
  status->telling = NULL;
  g_cond_broadcast (&status->told);
  g_mutex_unlock (&status->lock);
  return G_SOURCE_REMOVE;
}

static void
send_notice (Status *status, guint epoch, SourceState state, const char *reason)
{
  Notice *notice = g_new0 (Notice, 1);
  *notice = (Notice){ g_atomic_rc_box_acquire (status), epoch, state, g_strdup (reason) };
  g_autoptr (GSource) idle = g_idle_source_new ();
  g_source_set_priority (idle, G_PRIORITY_DEFAULT);
  g_source_set_callback (idle, deliver, notice, notice_free);
  g_source_attach (idle, status->owner);
}

void
status_set (Status *status, SourceState state, const char *reason)
{
  g_mutex_lock (&status->lock);
  gboolean changed = state != status->state || g_strcmp0 (reason, status->reason) != 0;
  status->state = state;
  if (changed) {
    g_free (status->reason);
    status->reason = g_strdup (reason);
  }
  guint epoch = status->epoch;
  g_mutex_unlock (&status->lock);
  if (!changed)
    return;
  static const char *const names[] = { "starting", "running", "missing", "stopped" };
  g_info ("capture: source=%s event=state state=%s%s%s", status->name, names[state],
          reason ? " reason=" : "", reason ? reason : "");
  if (status->tell)
    send_notice (status, epoch, state, reason);
}

SourceState
status_get (Status *status)
{
  g_mutex_lock (&status->lock);
  SourceState state = status->state;
  g_mutex_unlock (&status->lock);
  return state;
}

void
status_silence (Status *status)
{
  g_mutex_lock (&status->lock);
  status->state = SOURCE_STOPPED;
  g_clear_pointer (&status->reason, g_free);
  status->epoch++;
  while (status->telling && status->telling != g_thread_self ())
    g_cond_wait (&status->told, &status->lock);
  g_mutex_unlock (&status->lock);
}
