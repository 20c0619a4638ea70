#include "records/store_writer.h"
#include "records/draft.h"
#include "records/segment.h"

#define LAZY_US (100 * 1000)
/* What is awaited goes with as many as the transaction before it had, if they come within this:
 * senders that wait for their answers come again together, and share one fsync. One alone never
 * waits. */
#define GATHER_US (2 * 1000)
/* Bounds one transaction; 74,000 rows/s were measured at 20 a transaction. */
#define BATCH 512
/* Beyond this the disk has stood still for a minute and more: refuse instead of eating memory. */
#define QUEUE_MAX 65536
#define CHECKPOINT_US (5 * G_TIME_SPAN_MINUTE)

typedef struct {
  StoreJobRun run;
  StoreJobDone done;
  gpointer arg;
  gboolean awaited;
  gint64 pushed_us;
  GError *error; /* of the latest try */
} Job;

struct StoreWriter {
  char *state_dir;
  Identity *signer;
  StoreWrite write;     /* the thread's alone */
  gint64 checkpoint_us; /* the thread's alone */
  guint together;       /* the thread's alone: awaited ones of the last transactions */
  GThread *thread;
  GMutex lock; /* queue, awaited, stop */
  GCond wake;
  GQueue queue;
  guint awaited;
  gboolean stop;
};

static void
job_free (gpointer data)
{
  Job *job = data;
  g_clear_error (&job->error);
  g_free (job);
}

/* ---- A transaction ------------------------------------------------------------------------ */

static gboolean
is_fatal (StoreWriter *writer, const GError *error)
{
  return g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_DISK)
         || sqlite3_get_autocommit (writer->write.db);
}

/* What was remembered of a transaction that is undone. */
static void
undo (StoreWrite *write, Merkle before)
{
  write->log.merkle = before;
  g_clear_pointer (&write->drafts, g_hash_table_unref);
}

/* FALSE only when the transaction as a whole cannot go on. */
static gboolean
run_job (StoreWriter *writer, Job *job, GError **error)
{
  StoreWrite *write = &writer->write;
  Merkle before = write->log.merkle;

  g_clear_error (&job->error);
  if (!store_db_exec (write->db, "SAVEPOINT job", error))
    return FALSE;
  if (job->run (write, job->arg, &job->error))
    return store_db_exec (write->db, "RELEASE job", error);
  undo (write, before);
  if (is_fatal (writer, job->error)) {
    g_propagate_error (error, g_steal_pointer (&job->error));
    return FALSE;
  }
  return store_db_exec (write->db, "ROLLBACK TO job; RELEASE job", error);
}

static gboolean
try_batch (StoreWriter *writer, GPtrArray *batch, GError **error)
{
  StoreWrite *write = &writer->write;
  Merkle before = write->log.merkle;
  gboolean ok = store_db_exec (write->db, "BEGIN IMMEDIATE", error);

  for (guint i = 0; ok && i < batch->len; i++)
    ok = run_job (writer, batch->pdata[i], error);
  if (ok && store_db_exec (write->db, "COMMIT", error))
    return TRUE;
  undo (write, before);
  if (!sqlite3_get_autocommit (write->db))
    sqlite3_exec (write->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

static gboolean
has_reserve (StoreWriter *writer)
{
  g_autofree char *path = g_build_filename (writer->state_dir, "reserve", NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
commit (StoreWriter *writer, GPtrArray *batch)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = try_batch (writer, batch, &error);

  if (!ok && g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_DISK) && has_reserve (writer)) {
    g_warning ("store: %s; releasing the reserve so that notes can still be saved", error->message);
    reserve_release (writer->state_dir);
    g_clear_error (&error);
    ok = try_batch (writer, batch, &error);
  }
  if (!ok)
    g_warning ("store: %u writes failed: %s", batch->len, error->message);
  for (guint i = 0; i < batch->len; i++) {
    Job *job = batch->pdata[i];
    if (job->done != NULL)
      job->done (job->arg, ok ? job->error : error);
  }
}

/* ---- The thread --------------------------------------------------------------------------- */

static gboolean
run_checkpoint (StoreWrite *write, gpointer signer, GError **error)
{
  return draft_tell_all (write, error) && store_log_checkpoint (&write->log, signer, error);
}

static void
sign_when_due (StoreWriter *writer)
{
  Job job = { .run = run_checkpoint, .arg = writer->signer };
  gint64 now = g_get_monotonic_time ();

  if (writer->signer == NULL || now - writer->checkpoint_us < CHECKPOINT_US)
    return;
  writer->checkpoint_us = now;
  g_autoptr (GPtrArray) batch = g_ptr_array_new ();
  g_ptr_array_add (batch, &job);
  commit (writer, batch);
  if (job.error != NULL)
    g_warning ("store: no checkpoint could be signed: %s", job.error->message);
  g_clear_error (&job.error);
}

/* Under the lock. */
static void
gather (StoreWriter *writer)
{
  gint64 end_us = g_get_monotonic_time () + GATHER_US;
  while (!writer->stop && writer->awaited > 0 && writer->awaited < writer->together)
    if (!g_cond_wait_until (&writer->wake, &writer->lock, end_us))
      return;
}

/* NULL at the end. */
static GPtrArray *
next_batch (StoreWriter *writer)
{
  GPtrArray *batch = g_ptr_array_new_with_free_func (job_free);

  g_mutex_lock (&writer->lock);
  while (!writer->stop && writer->awaited == 0) {
    Job *first = g_queue_peek_head (&writer->queue);
    if (first == NULL)
      g_cond_wait (&writer->wake, &writer->lock);
    else if (!g_cond_wait_until (&writer->wake, &writer->lock, first->pushed_us + LAZY_US))
      break;
  }
  gather (writer);
  guint before = writer->together;
  writer->together = 0;
  while (batch->len < BATCH && !g_queue_is_empty (&writer->queue)) {
    Job *job = g_queue_pop_head (&writer->queue);
    writer->awaited -= job->awaited;
    writer->together += job->awaited;
    g_ptr_array_add (batch, job);
  }
  writer->together = MAX (writer->together, before * 3 / 4);
  g_mutex_unlock (&writer->lock);
  if (batch->len == 0)
    g_clear_pointer (&batch, g_ptr_array_unref);
  return batch;
}

static gpointer
writer_main (gpointer data)
{
  StoreWriter *writer = data;
  GPtrArray *batch;

  while ((batch = next_batch (writer)) != NULL) {
    commit (writer, batch);
    g_ptr_array_unref (batch);
    sign_when_due (writer);
  }
  return NULL;
}

/* ---- From outside ------------------------------------------------------------------------- */

static gboolean
prepare (StoreWrite *write, GError **error)
{
  if (!store_log_load (&write->log, write->db, error))
    return FALSE;
  write->newest_seq = store_db_prepare (
      write->db, "SELECT max(seq) FROM rec WHERE consult = ? AND kind = ?", error);
  if (write->newest_seq == NULL)
    return FALSE;
  write->insert_rec = store_db_prepare (write->db,
                                        "INSERT INTO rec(id, consult, kind, seq, schema, sealed) "
                                        "VALUES(?, ?, ?, ?, ?, ?)",
                                        error);
  return write->insert_rec != NULL;
}

static void
close_database (StoreWrite *write)
{
  store_log_clear (&write->log);
  g_clear_pointer (&write->drafts, g_hash_table_unref);
  sqlite3_finalize (write->newest_seq);
  sqlite3_finalize (write->insert_rec);
  sqlite3_close_v2 (write->db);
}

StoreWriter *
store_writer_new (const char *state_dir, sqlite3 *db, Identity *signer, GError **error)
{
  StoreWrite write = { .db = db };

  if (!prepare (&write, error)) {
    close_database (&write);
    return NULL;
  }
  StoreWriter *writer = g_new0 (StoreWriter, 1);
  writer->state_dir = g_strdup (state_dir);
  writer->signer = signer;
  writer->write = write;
  writer->checkpoint_us = g_get_monotonic_time ();
  g_mutex_init (&writer->lock);
  g_cond_init (&writer->wake);
  g_queue_init (&writer->queue);
  writer->thread = g_thread_new ("store", writer_main, writer);
  return writer;
}

void
store_writer_free (StoreWriter *writer)
{
  g_autoptr (GError) error = NULL;

  if (writer->signer != NULL && !store_writer_checkpoint (writer, &error))
    g_warning ("store: no checkpoint could be signed at the end: %s", error->message);
  g_mutex_lock (&writer->lock);
  writer->stop = TRUE;
  g_cond_signal (&writer->wake);
  g_mutex_unlock (&writer->lock);
  g_thread_join (writer->thread);
  sqlite3_exec (writer->write.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
  close_database (&writer->write);
  g_mutex_clear (&writer->lock);
  g_cond_clear (&writer->wake);
  g_free (writer->state_dir);
  g_free (writer);
}

void
store_writer_push (StoreWriter *writer, StoreJobRun run, StoreJobDone done, gpointer arg,
                   gboolean awaited)
{
  Job *job = g_new0 (Job, 1);

  *job = (Job){ run, done, arg, awaited, g_get_monotonic_time (), NULL };
  g_mutex_lock (&writer->lock);
  gboolean room = g_queue_get_length (&writer->queue) < QUEUE_MAX;
  if (room) {
    g_queue_push_tail (&writer->queue, job);
    writer->awaited += awaited;
    g_cond_signal (&writer->wake);
  }
  g_mutex_unlock (&writer->lock);
  if (room)
    return;
  g_autoptr (GError) error = g_error_new (
      RECORDS_ERROR, RECORDS_ERROR_DISK,
      "the disk does not keep up: %d writes wait already; check the disk", QUEUE_MAX);
  if (done != NULL)
    done (arg, error);
  job_free (job);
}

typedef struct {
  StoreJobRun run;
  gpointer arg;
  GMutex lock;
  GCond finished;
  gboolean is_finished;
  GError *error;
} Call;

static gboolean
run_call (StoreWrite *write, gpointer data, GError **error)
{
  Call *call = data;
  return call->run (write, call->arg, error);
}

static void
finish_call (gpointer data, const GError *error)
{
  Call *call = data;
  g_mutex_lock (&call->lock);
  call->error = error != NULL ? g_error_copy (error) : NULL;
  call->is_finished = TRUE;
  g_cond_signal (&call->finished);
  g_mutex_unlock (&call->lock);
}

gboolean
store_writer_call (StoreWriter *writer, StoreJobRun run, gpointer arg, GError **error)
{
  Call call = { .run = run, .arg = arg };

  g_mutex_init (&call.lock);
  g_cond_init (&call.finished);
  store_writer_push (writer, run_call, finish_call, &call, TRUE);
  g_mutex_lock (&call.lock);
  while (!call.is_finished)
    g_cond_wait (&call.finished, &call.lock);
  g_mutex_unlock (&call.lock);
  g_mutex_clear (&call.lock);
  g_cond_clear (&call.finished);
  if (call.error == NULL)
    return TRUE;
  g_propagate_error (error, call.error);
  return FALSE;
}

gboolean
store_writer_checkpoint (StoreWriter *writer, GError **error)
{
  if (writer->signer != NULL)
    return store_writer_call (writer, run_checkpoint, writer->signer, error);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "the store was opened without an identity: it cannot sign a checkpoint");
  return FALSE;
}
