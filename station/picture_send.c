#include "station/picture_send.h"
#include "records/attachment.h"
#include "station/channel.h"
#include "station/room.h"
#include "station/text.h"

#include <gio/gio.h>
#include <string.h>

typedef struct Want Want;
struct Want {
  Station *station;
  char *consult, *label, *picture;
  FilePart parts[FILE_PARTS_MAX];
  guint n;
  Want *next; /* was asked for meanwhile; NULL: nothing was */
};

struct PictureSend {
  Station *station;
  GPtrArray *wants; /* Want, being read: one for each peer */
};

static void
want_free (Want *want)
{
  if (want == NULL)
    return;
  want_free (want->next); /* which has none */
  g_free (want->consult);
  g_free (want->label);
  g_free (want->picture);
  g_free (want);
}

PictureSend *
picture_send_new (Station *station)
{
  PictureSend *send = g_new0 (PictureSend, 1);
  send->station = station;
  send->wants = g_ptr_array_new ();
  return send;
}

void
picture_send_free (PictureSend *send)
{
  if (send == NULL)
    return;
  g_ptr_array_unref (send->wants);
  g_free (send);
}

/* The first half of the attachment's name goes before each chunk. */
static void
short_id (const char *id, guint8 ret[FILE_ID_BYTES])
{
  for (guint i = 0; i < FILE_ID_BYTES; i++)
    ret[i] = (guint8)(g_ascii_xdigit_value (id[2 * i]) << 4 | g_ascii_xdigit_value (id[2 * i + 1]));
}

static void
read_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  const Want *want = data;
  GError *error = NULL;
  GBytes *bytes = attachment_read (want->station->store, want->consult, want->picture, 0,
                                   CHANNEL_FILE_MAX, &error);
  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

/* What the peer may see can have changed meanwhile. */
static void
deliver (const Want *want, GBytes *bytes, const GError *error)
{
  Station *station = want->station;
  guint8 name[FILE_ID_BYTES] = { 0 };
  if (station->stopping || station->screen == NULL
      || !g_str_equal (station->screen->id, want->consult)
      || !channel_may_examine (station, want->label))
    return;
  if (bytes == NULL) {
    g_warning ("pictures: %s", error->message);
    room_send (station->room, want->label,
               json_pack ("{s:s, s:s, s:o}", "type", "error", "code", "failed", "text",
                          text_json ("Không mở được ảnh này.", "This picture does not open.")));
    return;
  }
  short_id (want->picture, name);
  room_send_file (station->room, want->label, name, bytes, want->parts, want->n);
}

static void begin (PictureSend *send, Want *want);

static void
read_done (GObject *source, GAsyncResult *result, gpointer data)
{
  PictureSend *send = data;
  Want *want = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);
  Want *next = g_steal_pointer (&want->next);
  g_ptr_array_remove_fast (send->wants, want);
  send->station->pending--;
  if (send->station->stopping)
    want_free (next);
  else if (next != NULL)
    begin (send, next);
  else
    deliver (want, bytes, error);
}

static void
begin (PictureSend *send, Want *want)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, read_done, send);
  g_ptr_array_add (send->wants, want);
  send->station->pending++;
  g_task_set_task_data (task, want, (GDestroyNotify)want_free);
  g_task_run_in_thread (task, read_thread);
}

void
picture_send (PictureSend *send, const char *label, const char *picture, const FilePart *parts,
              guint n)
{
  Want *want = g_new0 (Want, 1);
  want->station = send->station;
  want->consult = g_strdup (send->station->screen->id);
  want->label = g_strdup (label);
  want->picture = g_strdup (picture);
  want->n = MIN (n, FILE_PARTS_MAX);
  memcpy (want->parts, parts, want->n * sizeof *parts);
  for (guint i = 0; i < send->wants->len; i++) {
    Want *read = send->wants->pdata[i];
    if (g_str_equal (read->label, label)) {
      want_free (read->next);
      read->next = want;
      return;
    }
  }
  begin (send, want);
}
