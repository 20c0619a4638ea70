#include "certs/token_sign.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 60
#define PIN_FD 3
#define PIN_LONGEST 256 /* far below a pipe's room: writing never waits */

/* The end to read a pipe that holds the PIN; -1: it cannot be had. */
static int
pin_pipe (GBytes *secret)
{
  int ends[2];
  gsize size = 0;
  const void *pin = secret != NULL ? g_bytes_get_data (secret, &size) : "";
  if (size > PIN_LONGEST || pipe2 (ends, O_CLOEXEC) != 0)
    return -1;
  gboolean good = write (ends[1], pin, size) == (gssize)size && write (ends[1], "\n", 1) == 1;
  close (ends[1]);
  if (good)
    return ends[0];
  close (ends[0]);
  return -1;
}

static gboolean
give_up (void *data)
{
  g_cancellable_cancel (data);
  return G_SOURCE_REMOVE;
}

typedef struct {
  GMainLoop *loop;
  GBytes *out, *errors;
  gboolean good;
} Run;

static void
ended (GObject *object, GAsyncResult *result, void *data)
{
  Run *run = data;
  run->good = g_subprocess_communicate_finish (G_SUBPROCESS (object), result, &run->out,
                                               &run->errors, NULL)
              && g_subprocess_get_successful (G_SUBPROCESS (object));
  g_main_loop_quit (run->loop);
}

static GBytes *
run_child (GSubprocess *child, GBytes *content)
{
  GMainContext *context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  g_autoptr (GCancellable) cancel = g_cancellable_new ();
  GSource *timer = g_timeout_source_new_seconds (SECONDS);
  Run run = { .loop = g_main_loop_new (context, FALSE) };
  g_source_set_callback (timer, give_up, cancel, NULL);
  g_source_attach (timer, context);
  g_subprocess_communicate_async (child, content, cancel, ended, &run);
  g_main_loop_run (run.loop);
  if (!run.good)
    g_subprocess_force_exit (child);
  g_source_destroy (timer);
  g_source_unref (timer);
  g_main_loop_unref (run.loop);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_clear_pointer (&run.errors, g_bytes_unref);
  if (!run.good)
    g_clear_pointer (&run.out, g_bytes_unref);
  return run.out;
}

GBytes *
token_sign (const char *uri, const char *file, GBytes *secret, GBytes *content, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                   | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  int pin = pin_pipe (secret);
  g_autoptr (GSubprocess) child = NULL;
  if (pin >= 0) {
    g_subprocess_launcher_take_fd (launcher, pin, PIN_FD);
    child = g_subprocess_launcher_spawn (
        launcher, NULL, "openssl", "cms", "-sign", "-cades", "-binary", "-nosmimecap", "-signer",
        file, "-inkey", uri, "-passin", "fd:3", "-in", "/dev/stdin", "-outform", "DER", NULL);
  }
  GBytes *cms = child != NULL ? run_child (child, content) : NULL;
  if (cms == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
                 "the token of %s does not sign: it is not plugged in, its PIN is wrong, or %s is "
                 "not the certificate of this key",
                 uri, file);
  return cms;
}
