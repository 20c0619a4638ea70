/* DICOM objects to who examines at the other end: what there is over the channel "data", frames
 * over the channel "file", in parts that the page names (docs/protocol.md, DICOM). */
#include "station/dicom_channel.h"
#include "station/channel.h"
#include "station/dicom_private.h"
#include "station/room.h"

#include <openssl/evp.h>
#include <string.h>

#define BATCH_MAX 40 /* objects in one message: 2 KiB each at most */
#define WANTS_MAX 8  /* of one station, not answered yet */

/* ---- What there is ------------------------------------------------------------------------ */

static json_t *
view_item (const json_t *attachment)
{
  return json_pack ("{s:O, s:O, s:O}", "id", json_object_get (attachment, "id"), "size",
                    json_object_get (attachment, "size"), "about",
                    json_object_get (attachment, "about"));
}

static gboolean
is_dicom (const json_t *attachment)
{
  return g_strcmp0 (json_string_value (json_object_get (attachment, "kind")), DICOM_KIND) == 0;
}

static void
send_batch (Station *station, const char *label, json_t *items)
{
  if (json_array_size (items) > 0)
    channel_send_examiners (station, label,
                            json_pack ("{s:s, s:O}", "type", "dicom", "items", items));
  json_array_clear (items);
}

void
dicom_channel_send (Station *station, const char *label)
{
  json_auto_t *items = json_array ();
  gsize i;
  json_t *attachment;
  if (station->screen == NULL || !channel_may_examine (station, label))
    return;
  json_array_foreach (station->screen->attachments, i, attachment)
  {
    if (is_dicom (attachment))
      json_array_append_new (items, view_item (attachment));
    if (json_array_size (items) == BATCH_MAX)
      send_batch (station, label, items);
  }
  send_batch (station, label, items);
}

static const json_t *
find (const Consult *consult, const char *id)
{
  gsize i;
  json_t *attachment;
  json_array_foreach (consult->attachments, i, attachment)
  {
    if (is_dicom (attachment)
        && g_strcmp0 (json_string_value (json_object_get (attachment, "id")), id) == 0)
      return attachment;
  }
  return NULL;
}

void
dicom_channel_tell (Station *station, const char *attachment)
{
  const json_t *found = station->screen != NULL ? find (station->screen, attachment) : NULL;
  if (found == NULL)
    return;
  json_auto_t *items = json_pack ("[o]", view_item (found));
  send_batch (station, NULL, items);
}

/* ---- A frame ------------------------------------------------------------------------------ */

typedef struct {
  Station *station;
  char *label, *attachment, *form;
  guint frame;
  FilePart parts[FILE_PARTS_MAX];
  guint n;
} Want;

static void
want_free (Want *want)
{
  g_free (want->label);
  g_free (want->attachment);
  g_free (want->form);
  g_free (want);
}

static void
tell_file (const Want *want, const guint8 id[FILE_ID_BYTES], gsize size, const char *why)
{
  char hex[2 * FILE_ID_BYTES + 1] = "";
  for (guint i = 0; i < FILE_ID_BYTES; i++)
    g_snprintf (hex + 2 * i, 3, "%02x", id[i]);
  room_send (want->station->room, want->label,
             json_pack ("{s:s, s:s, s:i, s:s, s:s, s:I, s:s*}", "type", "dicom.file", "attachment",
                        want->attachment, "frame", (int)want->frame, "form", want->form, "file",
                        hex, "size", (json_int_t)size, "error", why));
}

/* A file's name is the beginning of its content's SHA-256: the page sees that it is whole. */
static void
pictured (GBytes *bytes, const char *why, void *arg)
{
  Want *want = arg;
  guint8 hash[32] = { 0 };
  gsize size = bytes != NULL ? g_bytes_get_size (bytes) : 0;
  want->station->dicom->wants--;
  if (bytes == NULL || size > CHANNEL_FILE_MAX) {
    tell_file (want, hash, 0, bytes == NULL ? why : "too-large");
  } else {
    EVP_Digest (g_bytes_get_data (bytes, NULL), size, hash, NULL, EVP_sha256 (), NULL);
    tell_file (want, hash, size, NULL);
    room_send_file (want->station->room, want->label, hash, bytes, want->parts, want->n);
  }
  want_free (want);
}

void
dicom_channel_receive (Station *station, const char *label, const json_t *message)
{
  const Consult *consult = station->screen;
  const char *attachment = json_string_value (json_object_get (message, "attachment"));
  const char *form = json_string_value (json_object_get (message, "form"));
  json_int_t frame = json_integer_value (json_object_get (message, "frame"));
  if (consult == NULL || !channel_may_examine (station, label) || attachment == NULL || form == NULL
      || !dicom_form_is_known (form) || frame < 0 || frame >= 5000
      || find (consult, attachment) == NULL || station->dicom->wants >= WANTS_MAX)
    return;
  Want *want = g_new0 (Want, 1);
  want->station = station;
  want->label = g_strdup (label);
  want->attachment = g_strdup (attachment);
  want->form = g_strdup (form);
  want->frame = (guint)frame;
  want->n = channel_read_parts (message, want->parts);
  station->dicom->wants++;
  dicom_picture (station->dicom->read, consult->id, attachment, want->frame, form, pictured, want);
}
