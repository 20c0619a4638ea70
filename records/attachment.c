#include "records/attachment.h"
#include "records/attachment_file.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define TEMPORARY "new-XXXXXX"

/* ---- The row ------------------------------------------------------------------------------ */

typedef struct {
  Store *store;
  const char *consult, *user;
  json_t *bodies; /* one */
  const char *temporary, *path, *word;
  char sealed_sha256[STORE_HEX];
  StoreTime at;
  gboolean is_new;
  gint64 seq;
} Keep;

/* In the writer's thread. The file takes its name before the log tells of it; a kill in between
 * leaves a file that the next put of the same content writes again, byte for byte. */
static gboolean
run_keep (StoreWrite *write, gpointer data, GError **error)
{
  Keep *keep = data;
  const StoreRowContent row
      = { .consult = keep->consult, .kind = ATTACHMENT_KIND, .at = keep->at, .user = keep->user };
  g_autoptr (GError) local = NULL;
  g_autofree char *before = store_log_find (write->db, keep->word, &local);

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  keep->is_new = before == NULL || g_str_has_suffix (before, " gone");
  if (g_rename (keep->temporary, keep->path) != 0 && errno != ENOENT) /* the second try */
    return disk_error (keep->path, error);
  if (!disk_sync_parent (keep->path, error))
    return FALSE;
  return !keep->is_new
         || (store_log_append (&write->log, error, "%s %s", keep->word, keep->sealed_sha256)
             && store_write_rows (write, keep->store->vault, &row, keep->bodies, &keep->seq,
                                  error));
}

/* ---- Putting ------------------------------------------------------------------------------ */

static json_t *
bodies_of (const AttachmentInfo *info, const Attachment *attachment)
{
  json_t *about = info->about != NULL ? json_deep_copy (info->about) : json_object ();
  return json_pack ("[{s:s, s:s, s:s, s:s, s:I, s:s, s:o}]", "id", attachment->id, "kind",
                    info->kind, "name", info->name != NULL ? info->name : "", "mime",
                    info->mime_type != NULL ? info->mime_type : "application/octet-stream", "size",
                    (json_int_t)attachment->size, "sha256", attachment->sha256, "about", about);
}

static gboolean
make_folder (Store *store, const char *consult, char **ret_folder, GError **error)
{
  g_autofree char *above = g_build_filename (store->state_dir, ATTACHMENT_FOLDER, NULL);

  *ret_folder = g_build_filename (above, consult, NULL);
  if (g_file_test (*ret_folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_mkdir_with_parents (*ret_folder, 0700) != 0)
    return disk_error (*ret_folder, error);
  return disk_sync_parent (*ret_folder, error) && disk_sync_parent (above, error);
}

static gboolean
check_input (Store *store, const char *consult, const AttachmentInfo *info, GBytes *content,
             GError **error)
{
  if (!store_writable (store, error))
    return FALSE;
  if (!store_consult_valid (consult) || !store_kind_valid (info->kind)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "no attachment can be kept under consultation \"%s\" and kind \"%s\"", consult,
                 info->kind);
    return FALSE;
  }
  if (g_bytes_get_size (content) <= ATTACHMENT_MAX)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "%" G_GSIZE_FORMAT " bytes are too much for one attachment (at most %u)",
               g_bytes_get_size (content), ATTACHMENT_MAX);
  return FALSE;
}

/* Writes the file under its passing name, then the rest in the writer's thread. */
static gboolean
write_and_keep (Store *store, DataKey *key, Keep *keep, const char *id, GBytes *content,
                GError **error)
{
  g_autofree char *folder = NULL, *temporary = NULL;
  guint8 sealed[32];

  if (!make_folder (store, keep->consult, &folder, error))
    return FALSE;
  temporary = g_build_filename (folder, TEMPORARY, NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return disk_error (temporary, error);
  gboolean ok = attachment_file_write (fd, key, id, content, sealed, error);
  close (fd);
  store_hex (sealed, keep->sealed_sha256);
  keep->temporary = temporary;
  ok = ok && store_writer_call (store->writer, run_keep, keep, error);
  if (!ok)
    g_unlink (temporary);
  return ok;
}

gboolean
attachment_put_sync (Store *store, const char *consult, const char *user,
                     const AttachmentInfo *info, GBytes *content, Attachment *ret_attachment,
                     GError **error)
{
  Attachment attachment = { .size = g_bytes_get_size (content) };
  guint8 sha256[32];

  if (!check_input (store, consult, info, content, error))
    return FALSE;
  g_autoptr (DataKey) key = store_row_key (store->vault, consult, error);
  if (key == NULL)
    return FALSE;
  g_mutex_lock (&store->attachments_lock);
  store_sha256 (g_bytes_get_data (content, NULL), attachment.size, sha256);
  store_hex (sha256, attachment.sha256);
  attachment_id (key, sha256, attachment.id);
  g_autofree char *path = attachment_path (store->state_dir, consult, attachment.id);
  g_autofree char *name = attachment_path (NULL, consult, attachment.id);
  g_autofree char *word = g_strconcat ("file ", name, NULL);
  Keep keep = { .store = store,
                .consult = consult,
                .user = user,
                .bodies = bodies_of (info, &attachment),
                .path = path,
                .word = word,
                .at = store_time_now (g_atomic_pointer_get (&store->trust)) };
  gboolean ok = keep.bodies != NULL;
  if (!ok)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "name or type of the attachment is not UTF-8");
  ok = ok && write_and_keep (store, key, &keep, attachment.id, content, error);
  json_decref (keep.bodies);
  g_mutex_unlock (&store->attachments_lock);
  attachment.is_new = keep.is_new;
  attachment.seq = keep.is_new ? keep.seq : 0;
  if (ok && ret_attachment != NULL)
    *ret_attachment = attachment;
  return ok;
}

/* ---- Without waiting ---------------------------------------------------------------------- */

typedef struct {
  Store *store;
  char *consult, *user, *kind, *name, *mime_type;
  json_t *about;
  GBytes *content;
  Attachment attachment;
  GError *error;
  AttachmentDone done;
  void *arg;
  GMainContext *context;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;
  g_free (job->consult);
  g_free (job->user);
  g_free (job->kind);
  g_free (job->name);
  g_free (job->mime_type);
  json_decref (job->about);
  g_bytes_unref (job->content);
  g_clear_error (&job->error);
  g_main_context_unref (job->context);
  g_free (job);
}

static gboolean
deliver (gpointer data)
{
  Job *job = data;
  if (job->done != NULL)
    job->done (job->error == NULL ? &job->attachment : NULL, job->error, job->arg);
  return G_SOURCE_REMOVE;
}

static void
run_job (gpointer data, gpointer unused)
{
  Job *job = data;
  const AttachmentInfo info = { job->kind, job->name, job->mime_type, job->about };

  attachment_put_sync (job->store, job->consult, job->user, &info, job->content, &job->attachment,
                       &job->error);
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, job, job_free);
  g_source_attach (source, job->context);
}

static GThreadPool *
pool_of (Store *store)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->attachments_lock);
  if (store->attachments == NULL)
    store->attachments = g_thread_pool_new (run_job, NULL, 1, FALSE, NULL);
  return store->attachments;
}

void
attachment_put (Store *store, const char *consult, const char *user, const AttachmentInfo *info,
                GBytes *content, AttachmentDone done, void *arg)
{
  Job *job = g_new0 (Job, 1);
  job->store = store;
  job->consult = g_strdup (consult);
  job->user = g_strdup (user);
  job->kind = g_strdup (info->kind);
  job->name = g_strdup (info->name);
  job->mime_type = g_strdup (info->mime_type);
  job->about = info->about != NULL ? json_deep_copy (info->about) : NULL;
  job->content = g_bytes_ref (content);
  job->done = done;
  job->arg = arg;
  job->context = g_main_context_ref_thread_default ();
  g_thread_pool_push (pool_of (store), job, NULL);
}

/* ---- Reading ------------------------------------------------------------------------------ */

static AttachmentFile *
open_file (Store *store, const char *consult, const char *id, GError **error)
{
  if (!store_consult_valid (consult) || !attachment_id_valid (id)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no such attachment");
    return NULL;
  }
  g_autoptr (DataKey) key = store_row_key (store->vault, consult, error);
  g_autofree char *path = attachment_path (store->state_dir, consult, id);
  return key != NULL ? attachment_file_open (path, key, id, error) : NULL;
}

gboolean
attachment_size (Store *store, const char *consult, const char *id, guint64 *ret_size,
                 GError **error)
{
  g_autoptr (AttachmentFile) file = open_file (store, consult, id, error);
  if (file != NULL)
    *ret_size = attachment_file_size (file);
  return file != NULL;
}

GBytes *
attachment_read (Store *store, const char *consult, const char *id, guint64 offset, gsize size,
                 GError **error)
{
  g_autoptr (AttachmentFile) file = open_file (store, consult, id, error);
  return file != NULL ? attachment_file_read (file, offset, size, error) : NULL;
}

/* ---- Taking away -------------------------------------------------------------------------- */

static gboolean
run_remove (StoreWrite *write, gpointer word, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *before = store_log_find (write->db, word, &local);

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return before == NULL || g_str_has_suffix (before, " gone")
         || store_log_append (&write->log, error, "%s gone", (const char *)word);
}

gboolean
attachment_remove (Store *store, const char *consult, const char *id, GError **error)
{
  if (!store_writable (store, error))
    return FALSE;
  if (!store_consult_valid (consult) || !attachment_id_valid (id)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no such attachment");
    return FALSE;
  }
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->attachments_lock);
  g_autofree char *path = attachment_path (store->state_dir, consult, id);
  g_autofree char *name = attachment_path (NULL, consult, id);
  g_autofree char *word = g_strconcat ("file ", name, NULL);
  if (!store_writer_call (store->writer, run_remove, word, error))
    return FALSE;
  return g_unlink (path) == 0 || errno == ENOENT || disk_error (path, error);
}

/* ---- At opening --------------------------------------------------------------------------- */

void
attachment_remove_strays (Store *store)
{
  g_autofree char *above = g_build_filename (store->state_dir, ATTACHMENT_FOLDER, NULL);
  g_autoptr (GDir) all = g_dir_open (above, 0, NULL);
  const char *consult, *name;

  while (all != NULL && (consult = g_dir_read_name (all)) != NULL) {
    g_autofree char *folder = g_build_filename (above, consult, NULL);
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (strlen (name) == strlen (TEMPORARY) && g_str_has_prefix (name, "new-")
          && g_unlink (path) != 0)
        g_warning ("attachment: %s cannot be removed: %s", name, g_strerror (errno));
    }
  }
}
