#include "station/dicom_read.h"
#include "media/dicom/child.h"
#include "records/attachment.h"
#include "station/dicom_about.h"

#include <unistd.h>

#define PICTURE_MAX (256 * 1024 * 1024)
#define ANSWER_SECONDS 30 /* for one question */
#define IDLE_SECONDS 60
#define ASKS_MAX 512 /* that wait for one object */

typedef struct Reader Reader;

struct DicomAsk {
  Reader *reader;
  char *name; /* CONSULT/ATTACHMENT/FRAME/FORM; NULL: what it says of itself */
  guint frame;
  char *form;
  DicomDescribed described;
  DicomPictured done; /* NULL: cancelled */
  void *arg;
};

struct Reader {
  DicomRead *read;
  char *object;      /* CONSULT/ATTACHMENT; NULL: nothing that is kept yet */
  DicomChild *child; /* NULL: the object is on its way from the disk */
  GQueue asks;       /* DicomAsk*; the first is being answered */
  gboolean asked;
  guint timer;
};

struct DicomRead {
  Store *store;
  guint fetching;       /* threads that read from the store */
  GPtrArray *readers;   /* Reader* */
  GHashTable *pictures; /* name → GBytes */
  GQueue order;         /* names, the newest last */
  gsize bytes;
};

gboolean
dicom_form_is_known (const char *form)
{
  static const char *const forms[] = { "thumb", "small", "full", "lut", NULL };
  return g_strv_contains (forms, form);
}

/* ---- Pictures that were asked for ----------------------------------------------------------- */

static void
forget_oldest (DicomRead *read)
{
  g_autofree char *name = g_queue_pop_head (&read->order);
  GBytes *bytes = g_hash_table_lookup (read->pictures, name);
  read->bytes -= g_bytes_get_size (bytes);
  g_hash_table_remove (read->pictures, name);
}

static void
remember (DicomRead *read, const char *name, GBytes *bytes)
{
  if (g_hash_table_contains (read->pictures, name) || g_bytes_get_size (bytes) > DICOM_CACHE / 4)
    return;
  g_hash_table_insert (read->pictures, g_strdup (name), g_bytes_ref (bytes));
  g_queue_push_tail (&read->order, g_strdup (name));
  read->bytes += g_bytes_get_size (bytes);
  while (read->bytes > DICOM_CACHE)
    forget_oldest (read);
}

/* ---- Asks --------------------------------------------------------------------------------- */

static void
ask_free (DicomAsk *ask)
{
  g_free (ask->name);
  g_free (ask->form);
  g_free (ask);
}

static void
answer (DicomAsk *ask, json_t *about, GBytes *bytes, const char *why)
{
  if (ask->described != NULL)
    ask->described (about, why, ask->arg);
  else if (ask->done != NULL)
    ask->done (bytes, why, ask->arg);
  ask_free (ask);
}

void
dicom_ask_cancel (DicomAsk *ask)
{
  ask->done = NULL;
}

/* ---- A reader ----------------------------------------------------------------------------- */

static void
reader_end (Reader *reader, const char *why)
{
  DicomAsk *ask;

  g_ptr_array_remove_fast (reader->read->readers, reader);
  g_clear_handle_id (&reader->timer, g_source_remove);
  g_clear_pointer (&reader->child, dicom_child_free);
  while ((ask = g_queue_pop_head (&reader->asks)) != NULL)
    answer (ask, NULL, NULL, why);
  g_free (reader->object);
  g_free (reader);
}

static gboolean
reader_late (gpointer data)
{
  Reader *reader = data;
  reader->timer = 0;
  if (reader->asked)
    g_message ("dicom: an object took too long to read");
  reader_end (reader, "slow");
  return G_SOURCE_REMOVE;
}

static void
set_timer (Reader *reader, guint seconds)
{
  g_clear_handle_id (&reader->timer, g_source_remove);
  reader->timer = g_timeout_add_seconds (seconds, reader_late, reader);
}

static void
ask_next (Reader *reader)
{
  DicomAsk *ask;

  /* Nobody waits for these any more. */
  while ((ask = g_queue_peek_head (&reader->asks)) != NULL && ask->described == NULL
         && ask->done == NULL)
    ask_free (g_queue_pop_head (&reader->asks));
  reader->asked = ask != NULL;
  set_timer (reader, ask != NULL ? ANSWER_SECONDS : IDLE_SECONDS);
  if (ask != NULL)
    dicom_child_send (reader->child, ask->described != NULL
                                         ? json_pack ("{s:s}", "do", "describe")
                                         : json_pack ("{s:s, s:i, s:s}", "do", "frame", "frame",
                                                      (int)ask->frame, "form", ask->form));
}

static void
child_message (DicomChild *child, json_t *message, GBytes *bytes, void *arg)
{
  Reader *reader = arg;
  DicomAsk *ask = reader->asked ? g_queue_pop_head (&reader->asks) : NULL;
  const char *error = json_string_value (json_object_get (message, "error"));

  if (ask == NULL)
    return; /* nobody has asked */
  reader->asked = FALSE;
  if (ask->described != NULL) {
    json_auto_t *about = dicom_about_clean (json_object_get (message, "about"));
    answer (ask, about, NULL, "unreadable");
    reader_end (reader, "unreadable");
    return;
  }
  if (bytes != NULL)
    remember (reader->read, ask->name, bytes);
  answer (ask, NULL, bytes, g_strcmp0 (error, "undecodable") == 0 ? "undecodable" : "unreadable");
  ask_next (reader);
}

static void
child_gone (DicomChild *child, const char *why, void *arg)
{
  Reader *reader = arg;
  g_message ("dicom: an object that was being read: %s", why);
  reader_end (reader, "unreadable");
}

static const DicomChildEvents child_events = { child_message, child_gone };

/* FALSE: the reader is gone. */
static gboolean
reader_begin (Reader *reader, GBytes *object)
{
  g_autoptr (GError) error = NULL;
  int fd = dicom_memory_file (object, &error);

  if (fd >= 0)
    reader->child = dicom_child_new ("read", fd, PICTURE_MAX, &child_events, reader, &error);
  if (reader->child == NULL) {
    g_warning ("dicom: %s", error->message);
    reader_end (reader, "unreadable");
    return FALSE;
  }
  ask_next (reader);
  return TRUE;
}

/* The one that has been idle longest goes; NULL: all are at work. */
static Reader *
reader_new (DicomRead *read, const char *object)
{
  if (read->readers->len >= DICOM_READERS) {
    Reader *idle = NULL;
    for (guint i = 0; idle == NULL && i < read->readers->len; i++) {
      Reader *one = read->readers->pdata[i];
      idle = g_queue_is_empty (&one->asks) ? one : NULL;
    }
    if (idle == NULL && object != NULL)
      return NULL;
    if (idle != NULL)
      reader_end (idle, "busy");
  }
  Reader *reader = g_new0 (Reader, 1);
  reader->read = read;
  reader->object = g_strdup (object);
  g_ptr_array_add (read->readers, reader);
  return reader;
}

/* ---- Describing --------------------------------------------------------------------------- */

void
dicom_describe (DicomRead *read, GBytes *object, DicomDescribed done, void *arg)
{
  Reader *reader = reader_new (read, NULL);
  DicomAsk *ask = g_new0 (DicomAsk, 1);
  ask->described = done;
  ask->arg = arg;
  g_queue_push_tail (&reader->asks, ask);
  reader_begin (reader, object);
}

/* ---- Pictures ----------------------------------------------------------------------------- */

typedef struct {
  Store *store;
  char *consult, *attachment;
} Fetch;

static void
fetch_free (gpointer data)
{
  Fetch *fetch = data;
  g_free (fetch->consult);
  g_free (fetch->attachment);
  g_free (fetch);
}

static void
fetch_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  Fetch *fetch = data;
  GError *error = NULL;
  GBytes *bytes = attachment_read (fetch->store, fetch->consult, fetch->attachment, 0,
                                   ATTACHMENT_MAX, &error);
  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static Reader *
find_reader (DicomRead *read, const char *object)
{
  for (guint i = 0; i < read->readers->len; i++) {
    Reader *reader = read->readers->pdata[i];
    if (g_strcmp0 (reader->object, object) == 0)
      return reader;
  }
  return NULL;
}

static void
fetched (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree char *object = data;
  g_autoptr (GError) error = NULL;
  DicomRead *read = g_object_get_data (G_OBJECT (result), "read");
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);

  read->fetching--;
  Reader *reader = find_reader (read, object);
  if (reader == NULL)
    return;
  if (bytes != NULL)
    reader_begin (reader, bytes);
  else
    reader_end (reader, g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED) ? "locked"
                        : g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)
                            ? "no-such"
                            : "unreadable");
}

static void
fetch (Reader *reader, const char *consult, const char *attachment)
{
  DicomRead *read = reader->read;
  Fetch *fetch = g_new0 (Fetch, 1);
  *fetch = (Fetch){ read->store, g_strdup (consult), g_strdup (attachment) };
  g_autoptr (GTask) task = g_task_new (NULL, NULL, fetched, g_strdup (reader->object));
  g_object_set_data (G_OBJECT (task), "read", read);
  g_task_set_task_data (task, fetch, fetch_free);
  read->fetching++;
  g_task_run_in_thread (task, fetch_thread);
  set_timer (reader, ANSWER_SECONDS);
}

typedef struct {
  DicomAsk *ask;
  GBytes *bytes; /* NULL: busy */
} Ready;

static gboolean
tell_ready (gpointer data)
{
  Ready *ready = data;
  answer (ready->ask, NULL, ready->bytes, "busy");
  g_clear_pointer (&ready->bytes, g_bytes_unref);
  g_free (ready);
  return G_SOURCE_REMOVE;
}

static void
answer_later (DicomAsk *ask, GBytes *bytes)
{
  Ready *ready = g_new0 (Ready, 1);
  ready->ask = ask;
  ready->bytes = bytes != NULL ? g_bytes_ref (bytes) : NULL;
  g_idle_add_full (G_PRIORITY_DEFAULT, tell_ready, ready, NULL);
}

DicomAsk *
dicom_picture (DicomRead *read, const char *consult, const char *attachment, guint frame,
               const char *form, DicomPictured done, void *arg)
{
  g_autofree char *object = g_strdup_printf ("%s/%s", consult, attachment);
  DicomAsk *ask = g_new0 (DicomAsk, 1);
  ask->name = g_strdup_printf ("%s/%u/%s", object, frame, form);
  ask->frame = frame;
  ask->form = g_strdup (form);
  ask->done = done;
  ask->arg = arg;
  GBytes *known = g_hash_table_lookup (read->pictures, ask->name);
  Reader *reader = known == NULL ? find_reader (read, object) : NULL;
  gboolean fresh = known == NULL && reader == NULL;
  if (fresh)
    reader = reader_new (read, object);
  if (reader == NULL || g_queue_get_length (&reader->asks) >= ASKS_MAX) {
    answer_later (ask, known);
    return ask;
  }
  g_queue_push_tail (&reader->asks, ask);
  if (fresh)
    fetch (reader, consult, attachment);
  else if (reader->child != NULL && !reader->asked)
    ask_next (reader);
  return ask;
}

/* ---- Life --------------------------------------------------------------------------------- */

DicomRead *
dicom_read_new (Store *store)
{
  DicomRead *read = g_new0 (DicomRead, 1);
  read->store = store;
  read->readers = g_ptr_array_new ();
  read->pictures
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  return read;
}

void
dicom_read_free (DicomRead *read)
{
  if (read == NULL)
    return;
  while (read->readers->len > 0)
    reader_end (read->readers->pdata[0], "busy");
  while (read->fetching > 0)
    g_main_context_iteration (NULL, TRUE);
  g_ptr_array_unref (read->readers);
  g_hash_table_unref (read->pictures);
  g_queue_clear_full (&read->order, g_free);
  g_free (read);
}
