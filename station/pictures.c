#include "station/pictures.h"
#include "station/attach.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/picture_send.h"
#include "station/request.h"
#include "station/room.h"
#include "station/text.h"
#include "station/users.h"

#include <string.h>

enum { ASKS_MAX = 8, TOLD_MAX = 100 };

/* Somebody wants a picture: it waits for the doctor, or is being taken. */
typedef struct {
  Pictures *pictures;
  char *id, *consult;
  char *source; /* stream: "source-room" */
  char *label, *user, *name;
  gboolean lossless, is_taken; /* on its way from the camera into the record */
} Ask;

struct Pictures {
  Station *station;
  char *consult;   /* on screen, when `always` was told; NULL: none */
  gboolean always; /* specialists need not ask, in this consultation */
  GPtrArray *asks; /* Ask */
  PictureSend *send;
};

static void
ask_free (gpointer data)
{
  Ask *ask = data;
  g_free (ask->id);
  g_free (ask->consult);
  g_free (ask->source);
  g_free (ask->label);
  g_free (ask->user);
  g_free (ask->name);
  g_free (ask);
}

Pictures *
pictures_new (Station *station)
{
  Pictures *pictures = g_new0 (Pictures, 1);
  pictures->station = station;
  pictures->send = picture_send_new (station);
  pictures->asks = g_ptr_array_new_with_free_func (ask_free);
  return pictures;
}

void
pictures_free (Pictures *pictures)
{
  if (pictures == NULL)
    return;
  g_ptr_array_unref (pictures->asks);
  picture_send_free (pictures->send);
  g_free (pictures->consult);
  g_free (pictures);
}

/* What was allowed or asked in one consultation means nothing in another. */
static void
follow_screen (Pictures *pictures)
{
  const Consult *screen = pictures->station->screen;
  const char *now = screen != NULL ? screen->id : NULL;
  if (g_strcmp0 (pictures->consult, now) == 0)
    return;
  g_free (pictures->consult);
  pictures->consult = g_strdup (now);
  pictures->always = FALSE;
  for (guint i = pictures->asks->len; i > 0; i--)
    if (!((Ask *)pictures->asks->pdata[i - 1])->is_taken)
      g_ptr_array_remove_index (pictures->asks, i - 1);
}

static Ask *
find_ask (Pictures *pictures, const char *id)
{
  for (guint i = 0; id != NULL && i < pictures->asks->len; i++)
    if (g_str_equal (((Ask *)pictures->asks->pdata[i])->id, id))
      return pictures->asks->pdata[i];
  return NULL;
}

/* ---- Telling ------------------------------------------------------------------------------------
 */

static json_t *
view_picture (json_t *attachment)
{
  json_t *view = json_deep_copy (json_object_get (attachment, "about"));
  static const char *const copied[] = { "mime", "size", "sha256", "at", "user" };
  json_object_set (view, "picture", json_object_get (attachment, "id"));
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    json_object_set (view, copied[i], json_object_get (attachment, copied[i]));
  return view;
}

/* Clips go the same way (clips.h). */
static gboolean
is_picture (const json_t *attachment)
{
  const char *kind = json_string_value (json_object_get (attachment, "kind"));
  return g_strcmp0 (kind, "still") == 0 || g_strcmp0 (kind, "clip") == 0;
}

static json_t *
view_pictures (const Consult *consult)
{
  json_t *list = json_array ();
  size_t n = consult != NULL ? json_array_size (consult->attachments) : 0;
  for (size_t i = n; i > 0 && json_array_size (list) < TOLD_MAX; i--) {
    json_t *one = json_array_get (consult->attachments, i - 1);
    if (is_picture (one))
      json_array_append_new (list, view_picture (one));
  }
  return list;
}

static json_t *
view_asks (Pictures *pictures)
{
  json_t *list = json_array ();
  for (guint i = 0; i < pictures->asks->len; i++) {
    const Ask *ask = pictures->asks->pdata[i];
    if (g_strcmp0 (ask->consult, pictures->consult) == 0)
      json_array_append_new (list,
                             json_pack ("{s:s, s:s, s:b, s:s, s:s, s:b}", "ask", ask->id, "source",
                                        ask->source, "lossless", ask->lossless, "label", ask->label,
                                        "name", ask->name, "taken", ask->is_taken));
  }
  return list;
}

void
pictures_send (Pictures *pictures, const char *label)
{
  Station *station = pictures->station;
  follow_screen (pictures);
  channel_send_examiners (station, label,
                          json_pack ("{s:s, s:o, s:o, s:b}", "type", "pictures", "items",
                                     view_pictures (station->screen), "asks", view_asks (pictures),
                                     "always", pictures->always));
}

static void
refuse (Pictures *pictures, const char *label, const char *ask, const char *code, const char *vi,
        const char *en)
{
  channel_refuse (pictures->station, label, "ask", ask, code, vi, en);
}

/* ---- Taking -------------------------------------------------------------------------------------
 */

static void
on_kept (Station *station, const Attachment *attachment, const GError *error, void *arg)
{
  Ask *ask = arg;
  Pictures *pictures = ask->pictures;
  if (error != NULL)
    refuse (pictures, ask->label, ask->id, "disk", "Không lưu được ảnh vào hồ sơ.",
            "The picture was not kept in the record.");
  g_ptr_array_remove (pictures->asks, ask);
  pictures_send (pictures, NULL);
}

static void
keep (Ask *ask, const SourcePicture *picture)
{
  gint64 age_us = g_get_monotonic_time () - picture->capture_us;
  g_autofree char *taken = clock_text (g_get_real_time () - age_us);
  const char *ending = ask->lossless ? "png" : "jpg", *source = ask->source + strlen ("source-");
  g_autofree char *name = g_strdup_printf ("%s-%.19s.%s", source, taken, ending);
  json_auto_t *about = json_pack ("{s:s, s:i, s:i, s:b, s:s, s:s}", "source", ask->source, "width",
                                  (int)picture->width, "height", (int)picture->height, "lossless",
                                  ask->lossless, "taken", taken, "by", ask->name);
  AttachmentInfo info
      = { .kind = "still", .name = name, .mime_type = picture->mime_type, .about = about };
  station_attach (ask->pictures->station, ask->consult, ask->user, &info, picture->data, on_kept,
                  ask);
}

static void
on_taken (Source *source, const SourcePicture *picture, const GError *error, void *arg)
{
  Ask *ask = arg;
  Pictures *pictures = ask->pictures;
  if (picture != NULL) {
    keep (ask, picture);
    return;
  }
  g_message ("pictures: %s: %s", ask->source, error->message);
  refuse (pictures, ask->label, ask->id, "failed", "Không chụp được: camera không có hình.",
          "No picture was taken: the camera gives none.");
  g_ptr_array_remove (pictures->asks, ask);
  pictures_send (pictures, NULL);
}

static void
take (Ask *ask)
{
  Pictures *pictures = ask->pictures;
  ask->is_taken = TRUE;
  if (room_take (pictures->station->room, ask->source, ask->lossless, on_taken, ask))
    return;
  refuse (pictures, ask->label, ask->id, "no-such", "Không có camera này.",
          "There is no such camera.");
  g_ptr_array_remove (pictures->asks, ask);
}

/* ---- Messages -----------------------------------------------------------------------------------
 */

static gboolean
may_be_taken (Pictures *pictures, const char *label, const char *id, const char *source)
{
  const Consult *consult = pictures->station->screen;
  if (id == NULL || strlen (id) < 1 || strlen (id) > 64 || !text_is_clean (id, 64) || source == NULL
      || strlen (source) > 64 || !text_is_clean (source, 64)
      || !g_str_has_prefix (source, "source-"))
    refuse (pictures, label, NULL, "bad-message", "Yêu cầu không hợp lệ.", "A bad message.");
  else if (!consult_recording_allowed (consult))
    refuse (pictures, label, id, "not-allowed", "Cần có đồng ý ghi hình trước khi chụp ảnh.",
            "Consent to recording is needed before a picture is taken.");
  else if (pictures->asks->len >= ASKS_MAX || find_ask (pictures, id) != NULL)
    refuse (pictures, label, id, "busy", "Còn ảnh đang chờ chụp.", "Others are still waiting.");
  else
    return TRUE;
  return FALSE;
}

static void
receive_take (Pictures *pictures, const char *label, const json_t *message)
{
  const char *id = json_string_value (json_object_get (message, "ask"));
  const char *source = json_string_value (json_object_get (message, "source"));
  if (!may_be_taken (pictures, label, id, source))
    return;
  Ask *ask = g_new0 (Ask, 1);
  ask->pictures = pictures;
  ask->id = g_strdup (id);
  ask->consult = g_strdup (pictures->station->screen->id);
  ask->source = g_strdup (source);
  ask->label = g_strdup (label);
  ask->lossless = json_is_true (json_object_get (message, "lossless"));
  channel_author (pictures->station, label, &ask->user, &ask->name);
  g_ptr_array_add (pictures->asks, ask);
  if (pictures->always || channel_is_console (pictures->station, label))
    take (ask);
  pictures_send (pictures, NULL);
}

static void
receive_answer (Pictures *pictures, const char *label, const json_t *message)
{
  Ask *ask = find_ask (pictures, json_string_value (json_object_get (message, "ask")));
  if (ask == NULL || ask->is_taken || !channel_is_console (pictures->station, label))
    return;
  if (json_is_true (json_object_get (message, "allow"))) {
    take (ask);
  } else {
    refuse (pictures, ask->label, ask->id, "refused", "Bác sĩ không cho chụp ảnh này.",
            "The doctor did not allow this picture.");
    g_ptr_array_remove (pictures->asks, ask);
  }
  pictures_send (pictures, NULL);
}

static void
receive_always (Pictures *pictures, const char *label, const json_t *message)
{
  if (!channel_is_console (pictures->station, label))
    return;
  pictures->always = json_is_true (json_object_get (message, "on"));
  for (guint i = pictures->asks->len; pictures->always && i > 0; i--) {
    Ask *ask = pictures->asks->pdata[i - 1];
    if (!ask->is_taken)
      take (ask);
  }
  pictures_send (pictures, NULL);
}

static gboolean
is_of_consult (const Consult *consult, const char *id)
{
  size_t i;
  json_t *one;
  json_array_foreach (consult->attachments, i, one)
  {
    if (g_strcmp0 (json_string_value (json_object_get (one, "id")), id) == 0)
      return is_picture (one);
  }
  return FALSE;
}

static void
receive_want (Pictures *pictures, const char *label, const json_t *message)
{
  Station *station = pictures->station;
  const char *id = json_string_value (json_object_get (message, "picture"));
  FilePart parts[FILE_PARTS_MAX];
  guint n = channel_read_parts (message, parts);
  if (id == NULL || !is_of_consult (station->screen, id)) {
    refuse (pictures, label, NULL, "no-such", "Không có ảnh này.", "There is no such picture.");
    return;
  }
  picture_send (pictures->send, label, id, parts, n);
}

void
pictures_receive (Pictures *pictures, const char *label, const json_t *message)
{
  static const struct {
    const char *type;
    void (*receive) (Pictures *pictures, const char *label, const json_t *message);
  } known[] = { { "picture.take", receive_take },
                { "picture.answer", receive_answer },
                { "picture.always", receive_always },
                { "picture.want", receive_want } };
  const Consult *consult = pictures->station->screen;
  const char *type = json_string_value (json_object_get (message, "type"));
  follow_screen (pictures);
  if (consult == NULL || !consult_is_open (consult) || consult->busy
      || !channel_may_examine (pictures->station, label)) {
    refuse (pictures, label, json_string_value (json_object_get (message, "ask")), "not-allowed",
            "Không chụp ảnh được lúc này.", "No pictures can be taken now.");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_strcmp0 (known[i].type, type) == 0)
      known[i].receive (pictures, label, message);
}
