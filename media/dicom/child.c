#include "media/dicom/child.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdmessage.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "nhipcau-dicom"
#define FROZEN (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
enum { CONTROL_FD = 3 };

struct DicomChild {
  guint references; /* the owner's, and one while its handlers run: they may free it */
  GSubprocess *process;
  GSocket *control;
  GSource *source, *gone_source;
  gsize bytes_max;
  char *why;
  const DicomChildEvents *events;
  void *arg;
  guint8 text[DICOM_CHILD_MESSAGE];
};

static char *program_path;

void
dicom_child_set_program (const char *path)
{
  g_free (program_path);
  program_path = g_strdup (path);
}

static char *
find_program (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : g_strdup (".");
  return program_path != NULL ? g_strdup (program_path) : g_build_filename (folder, PROGRAM, NULL);
}

/* ---- Its end ------------------------------------------------------------------------------ */

static gboolean
tell_gone (gpointer data)
{
  DicomChild *child = data;
  child->events->gone (child, child->why, child->arg);
  return G_SOURCE_REMOVE;
}

/* Told from the loop, so that nobody frees the child from within a call that works on it. */
static void
end (DicomChild *child, const char *why)
{
  if (child->gone_source != NULL)
    return;
  child->why = g_strdup (why);
  g_subprocess_force_exit (child->process);
  child->gone_source = g_idle_source_new ();
  g_source_set_priority (child->gone_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (child->gone_source, tell_gone, child, NULL);
  g_source_attach (child->gone_source, g_main_context_get_thread_default ());
}

/* ---- Messages ----------------------------------------------------------------------------- */

typedef struct {
  void *data;
  gsize size;
} Mapping;

static void
mapping_free (gpointer data)
{
  Mapping *mapping = data;
  munmap (mapping->data, mapping->size);
  g_free (mapping);
}

/* Only a file that nobody can change or cut any more may be mapped. */
static GBytes *
map_file (const DicomChild *child, int fd)
{
  struct stat status;
  int seals = fcntl (fd, F_GET_SEALS);

  if (seals < 0 || (seals & FROZEN) != FROZEN || fstat (fd, &status) != 0 || status.st_size <= 0
      || (gsize)status.st_size > child->bytes_max)
    return NULL;
  gsize size = (gsize)status.st_size;
  void *data = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    return NULL;
  Mapping *mapping = g_new0 (Mapping, 1);
  *mapping = (Mapping){ data, size };
  return g_bytes_new_with_free_func (data, size, mapping_free, mapping);
}

/* -1: none; -2: more than one. */
static int
take_descriptor (GSocketControlMessage **controls, gint n)
{
  int found = -1;
  for (gint i = 0; i < n; i++) {
    if (!G_IS_UNIX_FD_MESSAGE (controls[i]))
      continue;
    gint count;
    g_autofree gint *fds = g_unix_fd_message_steal_fds (G_UNIX_FD_MESSAGE (controls[i]), &count);
    for (gint j = 0; j < count; j++) {
      if (found == -1) {
        found = fds[j];
      } else {
        close (fds[j]);
        if (found >= 0)
          close (found);
        found = -2;
      }
    }
  }
  return found;
}

static void
child_unref (DicomChild *child)
{
  if (--child->references > 0)
    return;
  g_free (child->why);
  g_free (child);
}

static void
take_message (DicomChild *child, gsize length, int fd)
{
  json_auto_t *message
      = json_loadb ((const char *)child->text, length, JSON_REJECT_DUPLICATES, NULL);
  g_autoptr (GBytes) bytes = fd >= 0 ? map_file (child, fd) : NULL;

  if (fd >= 0)
    close (fd);
  if (!json_is_object (message) || fd == -2 || (fd >= 0 && bytes == NULL))
    end (child, "it speaks wrongly");
  else
    child->events->message (child, message, bytes, child->arg);
}

static gboolean
readable (GSocket *socket, GIOCondition condition, gpointer data)
{
  DicomChild *child = data;
  GInputVector part = { child->text, sizeof child->text };
  GSocketControlMessage **controls = NULL;
  g_autoptr (GError) error = NULL;
  gint n = 0, flags = 0;
  gssize got
      = g_socket_receive_message (socket, NULL, &part, 1, &controls, &n, &flags, NULL, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  int fd = controls != NULL ? take_descriptor (controls, n) : -1;
  for (gint i = 0; i < n; i++)
    g_object_unref (controls[i]);
  g_free (controls);
  if (got <= 0) {
    if (fd >= 0)
      close (fd);
    end (child, got < 0 ? error->message : "it ended");
    return G_SOURCE_REMOVE;
  }
  child->references++;
  take_message (child, (gsize)got, fd);
  gboolean going = child->source != NULL && child->gone_source == NULL;
  child_unref (child);
  return going ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

gboolean
dicom_child_send (DicomChild *child, json_t *message)
{
  char *text = json_dumps (message, JSON_COMPACT);
  json_decref (message);
  gboolean sent
      = child->gone_source == NULL && text != NULL
        && g_socket_send (child->control, text, strlen (text), NULL, NULL) == (gssize)strlen (text);
  free (text);
  if (!sent)
    end (child, "it does not listen");
  return sent;
}

/* ---- Its life ----------------------------------------------------------------------------- */

static gboolean
start (DicomChild *child, const char *mode, int fd, int control, GError **error)
{
  static const char *const nothing[] = { NULL };
  g_autofree char *program = find_program ();
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_subprocess_launcher_set_environ (launcher, (char **)nothing);
  g_subprocess_launcher_take_stdin_fd (launcher, fd);
  g_subprocess_launcher_take_fd (launcher, control, CONTROL_FD);
  child->process = g_subprocess_launcher_spawn (launcher, error, program, mode, NULL);
  if (child->process == NULL)
    g_prefix_error (error, "%s cannot be started: ", program);
  return child->process != NULL;
}

DicomChild *
dicom_child_new (const char *mode, int fd, gsize bytes_max, const DicomChildEvents *events,
                 void *arg, GError **error)
{
  DicomChild *child = g_new0 (DicomChild, 1);
  int pair[2];

  child->references = 1;
  child->bytes_max = bytes_max;
  child->events = events;
  child->arg = arg;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "socketpair: %s",
                 g_strerror (errno));
    close (fd);
    dicom_child_free (child);
    return NULL;
  }
  child->control = g_socket_new_from_fd (pair[0], error);
  if (child->control == NULL)
    close (pair[0]);
  if (!start (child, mode, fd, pair[1], child->control != NULL ? error : NULL)
      || child->control == NULL) {
    dicom_child_free (child);
    return NULL;
  }
  g_socket_set_blocking (child->control, FALSE);
  child->source = g_socket_create_source (child->control, G_IO_IN, NULL);
  g_source_set_callback (child->source, G_SOURCE_FUNC (readable), child, NULL);
  g_source_attach (child->source, g_main_context_get_thread_default ());
  return child;
}

const char *
dicom_child_pid (DicomChild *child)
{
  return g_subprocess_get_identifier (child->process);
}

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

void
dicom_child_free (DicomChild *child)
{
  if (child == NULL)
    return;
  drop_source (&child->source);
  drop_source (&child->gone_source);
  g_clear_object (&child->control);
  if (child->process != NULL)
    g_subprocess_force_exit (child->process);
  g_clear_object (&child->process); /* GLib reaps it */
  child_unref (child);
}

/* ---- Memory files ------------------------------------------------------------------------- */

int
dicom_memory_file (GBytes *bytes, GError **error)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  int fd = memfd_create ("dicom", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  while (fd >= 0 && done < size) {
    gssize put = write (fd, data + done, size - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      break;
    done += (gsize)put;
  }
  if (fd >= 0 && done == size && fcntl (fd, F_ADD_SEALS, FROZEN | F_SEAL_SEAL) == 0)
    return fd;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "a memory file cannot be made: %s",
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}
