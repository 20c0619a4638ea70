/* The journal, and which operation is to fail. */
#include "fault_disk_private.h"
#include <errno.h>
#include <string.h>

pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;
FaultJournal fault_journal;
FaultOpen fault_fds[FAULT_FDS];
static char *watched; /* with a slash at its end */
static struct {
  FaultKind kind;
  guint nth, counted;
  gboolean for_good;
} fault;

/* ---- The journal -------------------------------------------------------------------------- */

const char *
fault_inside (const char *path)
{
  gsize size;
  if (watched == NULL || path == NULL)
    return NULL;
  size = strlen (watched);
  if (strncmp (path, watched, size) == 0)
    return path + size;
  return strlen (path) == size - 1 && strncmp (path, watched, size - 1) == 0 ? "" : NULL;
}

FaultOp *
fault_add (FaultOpKind kind, guint file)
{
  FaultOp *op = g_new0 (FaultOp, 1);
  op->kind = kind;
  op->file = file;
  g_ptr_array_add (fault_journal.ops, op);
  return op;
}

guint
fault_new_file (const char *path, gboolean is_base)
{
  g_ptr_array_add (fault_journal.files, is_base ? g_strdup (path) : NULL);
  g_ptr_array_add (fault_journal.called, g_strdup (path));
  guint id = fault_journal.files->len;
  g_hash_table_replace (fault_journal.names, g_strdup (path), GUINT_TO_POINTER (id));
  return id;
}

guint
fault_file_of (const char *path)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (fault_journal.names, path));
}

gboolean
fault_is_watching (int fd)
{
  return watched != NULL && fd >= 0 && fd < FAULT_FDS;
}

static void
list_base (const char *folder)
{
  g_autofree char *path = g_strconcat (watched, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner
        = *folder != '\0' ? g_strconcat (folder, "/", name, NULL) : g_strdup (name);
    g_autofree char *whole = g_strconcat (watched, inner, NULL);
    if (g_file_test (whole, G_FILE_TEST_IS_DIR))
      list_base (inner);
    else
      fault_new_file (inner, TRUE);
  }
}

static void
op_free (gpointer data)
{
  FaultOp *op = data;
  g_free (op->path);
  g_free (op->to);
  g_free (op->bytes);
  g_free (op);
}

static void
forget (void)
{
  for (guint i = 0; i < FAULT_FDS; i++) {
    fault_fds[i].file = 0;
    g_clear_pointer (&fault_fds[i].folder, g_free);
  }
  g_clear_pointer (&watched, g_free);
}

void
fault_disk_watch (const char *folder)
{
  pthread_mutex_lock (&fault_lock);
  forget ();
  g_clear_pointer (&fault_journal.ops, g_ptr_array_unref);
  g_clear_pointer (&fault_journal.files, g_ptr_array_unref);
  g_clear_pointer (&fault_journal.called, g_ptr_array_unref);
  g_clear_pointer (&fault_journal.names, g_hash_table_unref);
  fault_journal.ops = g_ptr_array_new_with_free_func (op_free);
  fault_journal.files = g_ptr_array_new_with_free_func (g_free);
  fault_journal.called = g_ptr_array_new_with_free_func (g_free);
  fault_journal.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  watched = g_strconcat (folder, "/", NULL);
  list_base ("");
  pthread_mutex_unlock (&fault_lock);
}

void
fault_disk_stop (void)
{
  pthread_mutex_lock (&fault_lock);
  forget ();
  pthread_mutex_unlock (&fault_lock);
}

guint
fault_disk_now (void)
{
  pthread_mutex_lock (&fault_lock);
  guint now = fault_journal.ops->len;
  pthread_mutex_unlock (&fault_lock);
  return now;
}

/* ---- Faults ------------------------------------------------------------------------------- */

void
fault_disk_fail (FaultKind kind, guint nth, gboolean for_good)
{
  pthread_mutex_lock (&fault_lock);
  fault.kind = kind;
  fault.nth = nth;
  fault.counted = 0;
  fault.for_good = for_good;
  pthread_mutex_unlock (&fault_lock);
}

guint
fault_disk_counted (void)
{
  pthread_mutex_lock (&fault_lock);
  guint counted = fault.counted;
  pthread_mutex_unlock (&fault_lock);
  return counted;
}

int
fault_fails (gboolean takes_room)
{
  if (fault.kind == FAULT_NONE || (fault.kind == FAULT_SPACE && !takes_room))
    return 0;
  fault.counted++;
  if (fault.nth == 0 || fault.counted < fault.nth || (fault.counted > fault.nth && !fault.for_good))
    return 0;
  return fault.kind == FAULT_IO ? EIO : ENOSPC;
}
