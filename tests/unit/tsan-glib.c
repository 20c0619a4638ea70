/* What ThreadSanitizer cannot see: GLib's locks are futexes of its own inside a library that is
 * not instrumented, so every use of them would be reported as a race. Linked into the tests of a
 * sanitized build only, these take the place of GLib's functions for our code, call the real ones
 * and tell the sanitizer what they order. Nothing is suppressed: a race that no lock orders is
 * still found.
 */
#include <dlfcn.h>
#include <gio/gio.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name)                                                                                 \
  static __typeof__ (&(name)) found;                                                               \
  __typeof__ (&(name)) real = __atomic_load_n (&found, __ATOMIC_RELAXED);                          \
  if (real == NULL) {                                                                              \
    real = (__typeof__ (real))dlsym (RTLD_NEXT, #name);                                            \
    __atomic_store_n (&found, real, __ATOMIC_RELAXED);                                             \
  }

#define PUBLIC __attribute__ ((visibility ("default")))

/* NSS loads and unloads SQLite, which the suppressions by library cannot follow. */
__attribute__ ((constructor)) static void
keep_loaded (void)
{
  dlopen ("libsqlite3.so.0", RTLD_LAZY | RTLD_NODELETE);
}

/* ---- Locks -------------------------------------------------------------------------------- */

PUBLIC void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);
  real (mutex);
  __tsan_acquire (mutex);
}

PUBLIC gboolean
g_mutex_trylock (GMutex *mutex)
{
  REAL (g_mutex_trylock);
  gboolean locked = real (mutex);
  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

PUBLIC void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);
  __tsan_release (mutex);
  real (mutex);
}

PUBLIC void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_release (mutex);
  real (cond, mutex);
  __tsan_acquire (mutex);
}

PUBLIC gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  REAL (g_cond_wait_until);
  __tsan_release (mutex);
  gboolean woken = real (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return woken;
}

PUBLIC void
g_rec_mutex_lock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_lock);
  real (mutex);
  __tsan_acquire (mutex);
}

PUBLIC void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_unlock);
  __tsan_release (mutex);
  real (mutex);
}

#undef g_once_init_enter
PUBLIC gboolean
g_once_init_enter (volatile void *location)
{
  REAL (g_once_init_enter);
  gboolean ours = real (location);
  __tsan_acquire ((void *)location);
  return ours;
}

#undef g_once_init_leave
PUBLIC void
g_once_init_leave (volatile void *location, gsize result)
{
  REAL (g_once_init_leave);
  __tsan_release ((void *)location);
  real (location, result);
}

/* ---- Counted references: who lets go last frees what the others have read -------------------- */

#undef g_atomic_ref_count_dec
PUBLIC gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  REAL (g_atomic_ref_count_dec);
  __tsan_release ((void *)count);
  gboolean last = real (count);
  if (last)
    __tsan_acquire ((void *)count);
  return last;
}

static _Thread_local GDestroyNotify clear_of_block;

static void
clear_block (gpointer block)
{
  GDestroyNotify clear = clear_of_block;
  __tsan_acquire (block);
  if (clear != NULL)
    clear (block);
}

PUBLIC void
g_atomic_rc_box_release_full (gpointer block, GDestroyNotify clear)
{
  REAL (g_atomic_rc_box_release_full);
  __tsan_release (block);
  clear_of_block = clear;
  real (block, clear_block);
}

/* Its last unref cannot be told from the others: one that comes between here and there is missed.
 */
PUBLIC void
g_bytes_unref (GBytes *bytes)
{
  REAL (g_bytes_unref);
  if (bytes != NULL) {
    __tsan_release (bytes);
    __tsan_acquire (bytes);
  }
  real (bytes);
}

/* ---- Queues between threads --------------------------------------------------------------- */

PUBLIC void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  REAL (g_async_queue_push);
  __tsan_release (queue);
  real (queue, data);
}

PUBLIC gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  REAL (g_async_queue_pop);
  gpointer data = real (queue);
  __tsan_acquire (queue);
  return data;
}

PUBLIC gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  REAL (g_async_queue_try_pop);
  gpointer data = real (queue);
  __tsan_acquire (queue);
  return data;
}

PUBLIC gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  REAL (g_async_queue_timeout_pop);
  gpointer data = real (queue, timeout);
  __tsan_acquire (queue);
  return data;
}

/* ---- Callbacks that run in another thread's context ---------------------------------------- */

typedef struct {
  GSourceFunc function;
  gpointer data;
  GDestroyNotify notify;
  GSource *source; /* address only; NULL when GLib made and attached it in one go */
} Call;

static Call *
call_new (GSourceFunc function, gpointer data, GDestroyNotify notify)
{
  Call *call = g_new (Call, 1);
  *call = (Call){ function, data, notify, NULL };
  return call;
}

static Call *
released (Call *call)
{
  __tsan_release (call);
  return call;
}

static gboolean
call_run (gpointer data)
{
  __tsan_acquire (data);
  Call *call = data;
  if (call->source != NULL)
    __tsan_acquire (call->source);
  return call->function (call->data);
}

static void
call_free (gpointer data)
{
  __tsan_acquire (data);
  Call *call = data;
  if (call->notify != NULL)
    call->notify (call->data);
  g_free (call);
}

/* Some sources have callbacks of another form (a socket's), made by those who know; only plain
 * ones are wrapped, and those are set on sources that GLib itself made. */
PUBLIC guint
g_idle_add_full (gint priority, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
  REAL (g_idle_add_full);
  return real (priority, call_run, released (call_new (function, data, notify)), call_free);
}

PUBLIC guint
g_idle_add (GSourceFunc function, gpointer data)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, function, data, NULL);
}

PUBLIC guint
g_timeout_add_full (gint priority, guint interval, GSourceFunc function, gpointer data,
                    GDestroyNotify notify)
{
  REAL (g_timeout_add_full);
  return real (priority, interval, call_run, released (call_new (function, data, notify)),
               call_free);
}

PUBLIC guint
g_timeout_add (guint interval, GSourceFunc function, gpointer data)
{
  return g_timeout_add_full (G_PRIORITY_DEFAULT, interval, function, data, NULL);
}

PUBLIC void
g_main_context_invoke_full (GMainContext *context, gint priority, GSourceFunc function,
                            gpointer data, GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full);
  real (context, priority, call_run, released (call_new (function, data, notify)), call_free);
}

PUBLIC void
g_main_context_invoke (GMainContext *context, GSourceFunc function, gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, function, data, NULL);
}

PUBLIC void
g_source_set_callback (GSource *source, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
  REAL (g_source_set_callback);
  if (source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs) {
    real (source, function, data, notify);
    return;
  }
  Call *call = call_new (function, data, notify);
  call->source = source;
  real (source, call_run, released (call), call_free);
}

PUBLIC guint
g_source_attach (GSource *source, GMainContext *context)
{
  REAL (g_source_attach);
  __tsan_release (source);
  return real (source, context);
}

/* ---- Work in a thread of GLib's pool, and its result --------------------------------------- */

static void
task_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GTaskThreadFunc function = (GTaskThreadFunc)g_object_get_data (G_OBJECT (task), "tsan-function");
  __tsan_acquire (task);
  function (task, source, data, cancellable);
}

PUBLIC void
g_task_run_in_thread (GTask *task, GTaskThreadFunc function)
{
  REAL (g_task_run_in_thread);
  g_object_set_data (G_OBJECT (task), "tsan-function", (gpointer)function);
  __tsan_release (task);
  real (task, task_thread);
}

PUBLIC void
g_task_return_boolean (GTask *task, gboolean result)
{
  REAL (g_task_return_boolean);
  __tsan_release (task);
  real (task, result);
}

PUBLIC void
g_task_return_error (GTask *task, GError *error)
{
  REAL (g_task_return_error);
  __tsan_release (task);
  real (task, error);
}

PUBLIC gpointer
g_task_get_task_data (GTask *task)
{
  REAL (g_task_get_task_data);
  __tsan_acquire (task);
  return real (task);
}

PUBLIC gboolean
g_task_propagate_boolean (GTask *task, GError **error)
{
  REAL (g_task_propagate_boolean);
  __tsan_acquire (task);
  return real (task, error);
}
