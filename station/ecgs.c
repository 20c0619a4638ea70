#include "station/ecgs.h"
#include "media/devices/ecg_file.h"
#include "media/devices/ecg_pack.h"
#include "records/attachment.h"
#include "station/channel.h"
#include "station/ecgs_private.h"
#include "station/room.h"
#include "station/text.h"

#include <string.h>

/* ---- Files of a page ----------------------------------------------------------------------------
 */

static void
file_free (void *data)
{
  EcgUploadFile *file = data;
  g_free (file->name);
  g_byte_array_unref (file->bytes);
  g_free (file);
}

static void
upload_free (void *data)
{
  EcgUpload *upload = data;
  g_free (upload->id);
  g_ptr_array_unref (upload->files);
  g_free (upload);
}

Ecgs *
ecgs_new (Station *station)
{
  Ecgs *ecgs = g_new0 (Ecgs, 1);
  ecgs->station = station;
  ecgs->uploads = g_hash_table_new_full (NULL, NULL, NULL, upload_free);
  return ecgs;
}

void
ecgs_free (Ecgs *ecgs)
{
  g_hash_table_unref (ecgs->uploads);
  g_free (ecgs);
}

void
ecgs_gone (Ecgs *ecgs, Client *client)
{
  g_hash_table_remove (ecgs->uploads, client);
}

/* The page's upload of this id; another id begins anew. */
static EcgUpload *
upload_of (Ecgs *ecgs, Client *client, const char *id)
{
  EcgUpload *upload = g_hash_table_lookup (ecgs->uploads, client);
  if (upload != NULL && g_str_equal (upload->id, id))
    return upload;
  upload = g_new0 (EcgUpload, 1);
  upload->id = g_strdup (id);
  upload->files = g_ptr_array_new_with_free_func (file_free);
  g_hash_table_insert (ecgs->uploads, client, upload);
  return upload;
}

static EcgUploadFile *
upload_file (EcgUpload *upload, const char *name)
{
  for (guint i = 0; i < upload->files->len; i++) {
    EcgUploadFile *file = g_ptr_array_index (upload->files, i);
    if (g_str_equal (file->name, name))
      return file;
  }
  if (upload->files->len >= ECGS_FILES_MAX)
    return NULL;
  EcgUploadFile *file = g_new0 (EcgUploadFile, 1);
  file->name = g_strdup (name);
  file->bytes = g_byte_array_new ();
  g_ptr_array_add (upload->files, file);
  return file;
}

void
ecgs_part (Request *request)
{
  Ecgs *ecgs = request->station->ecgs;
  const char *id, *name, *data;
  gint64 offset = 0;
  if (!request_id (request, "ecg", REQUIRED, &id)
      || !request_text (request, "name", REQUIRED, 200, &name)
      || !request_number (request, "offset", 0, ECGS_UPLOAD_MAX, &offset)
      || !request_text (request, "data", OPTIONAL, CLIENT_MAX_FRAME, &data))
    return;
  EcgUpload *upload = upload_of (ecgs, request->client, id);
  EcgUploadFile *file = upload_file (upload, name);
  gsize length = 0;
  g_autofree guchar *bytes = data != NULL ? g_base64_decode (data, &length) : NULL;
  if (file == NULL || upload->size + length > ECGS_UPLOAD_MAX) {
    ecgs_gone (ecgs, request->client);
    request_refuse_with (request, "bad-message",
                         "Tệp điện tim quá lớn: tối đa 8 MB, 64 tệp. Hãy xuất đoạn ngắn hơn.",
                         "The ECG is too large: at most 8 MB in 64 files. Export a shorter part.",
                         json_pack ("{s:s}", "field", "data"));
    return;
  }
  if (file->bytes->len != offset) {
    request_bad (request, "offset", "is not where the file ends so far");
    return;
  }
  g_byte_array_append (file->bytes, bytes, (guint)length);
  upload->size += length;
  request_ok (request, NULL);
}

/* ---- The list
 * ------------------------------------------------------------------------------------ */

static json_t *
list_item (const json_t *attachment)
{
  json_t *about = json_object_get (attachment, "about");
  json_t *item = json_is_object (about) ? json_copy (about) : json_object ();
  static const char *const copied[] = { "name", "size", "at" };
  json_object_set (item, "ecg", json_object_get (attachment, "id"));
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    json_object_set (item, copied[i], json_object_get (attachment, copied[i]));
  return item;
}

json_t *
ecgs_json (const Consult *consult)
{
  json_t *list = json_array ();
  gsize i;
  json_t *attachment;
  json_array_foreach (consult->attachments, i, attachment)
  {
    if (g_strcmp0 (json_string_value (json_object_get (attachment, "kind")), "ecg") == 0)
      json_array_append_new (list, list_item (attachment));
  }
  return list;
}

void
ecgs_send_list (Station *station, const char *label)
{
  const Consult *screen = station->screen;
  if (station->room != NULL)
    channel_send_examiners (station, label,
                            json_pack ("{s:s, s:o}", "type", "ecgs", "items",
                                       screen != NULL ? ecgs_json (screen) : json_array ()));
}

/* ---- Pieces
 * -------------------------------------------------------------------------------------- */

/* {ecg, from, size, data}: bytes of the packed form. NULL with error. */
static json_t *
piece (Station *station, const char *consult, const char *id, guint64 from, GError **error)
{
  guint64 size = 0;
  if (!attachment_size (station->store, consult, id, &size, error))
    return NULL;
  g_autoptr (GBytes) bytes
      = attachment_read (station->store, consult, id, from, ECGS_PIECE_MAX, error);
  if (bytes == NULL)
    return NULL;
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  g_autofree char *text = length > 0 ? g_base64_encode (data, length) : g_strdup ("");
  return json_pack ("{s:s, s:I, s:I, s:s}", "ecg", id, "from", (json_int_t)from, "size",
                    (json_int_t)size, "data", text);
}

void
ecgs_get (Request *request)
{
  const char *consult, *id;
  gint64 from = 0;
  g_autoptr (GError) error = NULL;
  if (!request_id (request, "consultation", REQUIRED, &consult)
      || !request_id (request, "ecg", REQUIRED, &id)
      || !request_number (request, "from", 0, G_MAXINT32, &from))
    return;
  json_t *answer = piece (request->station, consult, id, (guint64)from, &error);
  if (answer != NULL)
    request_ok (request, answer);
  else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    request_refuse (request, "no-such");
  else
    request_failed (request, error);
}

void
ecgs_channel_get (Station *station, const char *label, const json_t *message)
{
  const char *id = json_string_value (json_object_get (message, "ecg"));
  const json_t *from = json_object_get (message, "from");
  json_t *answer = NULL;
  if (station->screen != NULL && channel_may_examine (station, label) && id != NULL
      && json_is_integer (from) && json_integer_value (from) >= 0)
    answer = piece (station, station->screen->id, id, (guint64)json_integer_value (from), NULL);
  if (answer == NULL)
    answer = json_pack ("{s:s?, s:n}", "ecg", id, "data");
  json_object_set_new (answer, "type", json_string ("ecg.bytes"));
  room_send (station->room, label, answer);
}
