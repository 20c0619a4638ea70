#include "station/channel.h"
#include "station/catch_up.h"
#include "station/clock.h"
#include "station/ecgs.h"
#include "station/forms.h"
#include "station/dicom_channel.h"
#include "station/clips.h"
#include "station/pictures.h"
#include "station/ptz.h"
#include "station/request.h"
#include "station/roles.h"
#include "station/room.h"
#include "station/text.h"
#include "station/view.h"
#include "station/waves.h"

#include <string.h>

#define NOTE_MAX 20000
/* Bytes of JSON: of one reading, of one message of readings. */
#define ITEM_MAX 8192
#define BATCH_MAX 65536

void
channel_send_clock (Station *station, const char *label)
{
  g_autofree char *now = clock_text (g_get_real_time ());
  room_send (station->room, label, json_pack ("{s:s, s:s}", "type", "clock", "now", now));
}

static void
send_items (Station *station, const char *label, json_t *items)
{
  if (json_array_size (items) > 0)
    room_send_readings (station->room, label, items);
  json_array_clear (items);
}

/* A vital sign is a few words; whatever a device wrote at length beside it stays in the record. */
static json_t *
short_of (json_t *observation, size_t *ret_size)
{
  static const char *const LONG[] = { "value_text", "site", "containment", "alarm_range", "code" };
  *ret_size = json_dumpb (observation, NULL, 0, JSON_COMPACT);
  if (*ret_size <= ITEM_MAX)
    return json_incref (observation);
  json_t *copy = json_copy (observation);
  for (guint i = 0; i < G_N_ELEMENTS (LONG); i++)
    json_object_del (copy, LONG[i]);
  *ret_size = json_dumpb (copy, NULL, 0, JSON_COMPACT);
  return copy;
}

/* Browsers take 256 KiB a message at most, and pages show vital signs only. */
void
channel_send_readings (Station *station, const char *label, json_t *items)
{
  if (!room_is_heard (station->room))
    return;
  json_auto_t *batch = json_array ();
  size_t i, size = 0;
  json_t *item;
  json_array_foreach (items, i, item)
  {
    size_t bytes;
    if (json_object_get (item, "vital") == NULL)
      continue;
    json_t *sent = short_of (item, &bytes);
    if (size + bytes > BATCH_MAX) {
      send_items (station, label, batch);
      size = 0;
    }
    size += bytes;
    json_array_append_new (batch, sent);
  }
  send_items (station, label, batch);
}

void
channel_send_note (Station *station, const char *label, json_t *note)
{
  json_t *message = json_copy (note);
  json_object_set_new (message, "type", json_string ("note"));
  room_send (station->room, label, message);
}

void
channel_send_live (Station *station)
{
  json_t *live = view_live (station);
  char *text = json_dumps (live, JSON_COMPACT | JSON_SORT_KEYS);
  gboolean same = g_strcmp0 (text, station->live_sent) == 0;
  if (!same && station->room != NULL) {
    g_free (station->live_sent);
    station->live_sent = g_strdup (text);
    room_send (station->room, NULL, json_incref (live));
  }
  free (text);
  json_decref (live);
}

void
channel_send_snapshot (Station *station, const char *label)
{
  json_auto_t *items = view_readings (station->screen);
  gsize i;
  json_t *note;
  channel_send_clock (station, label);
  room_send (station->room, label, view_live (station));
  channel_send_readings (station, label, items);
  waves_tell (station->waves, label);
  pictures_send (station->pictures, label);
  ptz_send (station->ptz, label);
  dicom_channel_send (station, label);
  if (station->screen == NULL)
    return;
  catch_up_send (station, label);
  ecgs_send_list (station, label);
  forms_send (station, label);
  json_array_foreach (station->screen->notes, i, note)
  {
    channel_send_note (station, label, note);
  }
}

/* ---- Notes
 * ---------------------------------------------------------------------------------------- */

static gboolean
note_id_is_good (const char *id)
{
  return id != NULL && *id != '\0' && strlen (id) <= 64
         && strspn (id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
                == strlen (id);
}

static json_t *
find_note (const Consult *consult, const char *id)
{
  gsize i;
  json_t *note;
  json_array_foreach (consult->notes, i, note)
  {
    if (g_strcmp0 (json_string_value (json_object_get (note, "note")), id) == 0)
      return note;
  }
  return NULL;
}

/* A guest, or a specialist who answered from a desk. */
static gboolean
is_from_afar (const char *user)
{
  return g_str_has_prefix (user, "guest:") || g_str_has_prefix (user, "desk:");
}

/* A guest's words are the guest's alone; what the station's own people write they share, and
 * each version keeps its author. */
static gboolean
note_is_foreign (const Consult *consult, const json_t *message, const char *user)
{
  const char *id = json_string_value (json_object_get (message, "note"));
  json_t *note = id != NULL ? find_note (consult, id) : NULL;
  const char *by = json_string_value (json_object_get (note, "by"));
  if (by == NULL || g_str_equal (by, user))
    return FALSE;
  return is_from_afar (by) || is_from_afar (user);
}

json_t *
channel_note_body (const Consult *consult, const char *user, const char *author,
                   const json_t *message, const char **ret_wrong)
{
  static const char *const kinds[]
      = { "summary", "history",    "allergies", "examination", "findings", "question",
          "opinion", "conclusion", "decision",  "follow-up",   "note",     NULL };
  const char *note = json_string_value (json_object_get (message, "note"));
  const char *kind = json_string_value (json_object_get (message, "kind"));
  const char *text = json_string_value (json_object_get (message, "text"));
  const char *speaker = json_string_value (json_object_get (message, "speaker"));
  if (!note_id_is_good (note) || note_is_foreign (consult, message, user))
    *ret_wrong = "note";
  else if (kind == NULL || !g_strv_contains (kinds, kind))
    *ret_wrong = "kind";
  else if (text == NULL || !text_is_clean (text, NOTE_MAX))
    *ret_wrong = "text";
  else if (speaker != NULL
           && (*speaker == '\0' || !text_is_clean (speaker, 200)
               || g_str_has_prefix (user, "guest:")))
    *ret_wrong = "speaker";
  else
    return json_pack ("{s:s, s:s, s:s, s:s, s:s*}", "note", note, "kind", kind, "text", text,
                      "author", speaker != NULL ? speaker : author, "via",
                      speaker != NULL ? "telephone" : NULL);
  return NULL;
}

gboolean
channel_save_note (Station *station, Consult *consult, const char *user, const char *author,
                   const json_t *message, WriteDone done, void *arg, const char **ret_wrong)
{
  json_t *body = channel_note_body (consult, user, author, message, ret_wrong);
  if (body != NULL)
    station_write_note (station, consult->id, user, body, done, arg);
  return body != NULL;
}

typedef struct {
  char *label, *note;
  gboolean draft;
} Saving;

static void
saving_free (Saving *saving)
{
  g_free (saving->label);
  g_free (saving->note);
  g_free (saving);
}

static void
send_error (Station *station, const char *label, const char *code, const char *note)
{
  channel_refuse (station, label, "note", note, code, "Không lưu được ghi chép này.",
                  "This note was not saved.");
}

void
channel_send_note_of (Station *station, Consult *consult, const char *note)
{
  json_t *found = find_note (consult, note);
  if (found != NULL)
    channel_send_note (station, NULL, found);
}

static void
note_saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Saving *saving = arg;
  if (error != NULL)
    send_error (station, saving->label, "disk", saving->note);
  else
    room_send (station->room, saving->label,
               json_pack ("{s:s, s:s, s:I, s:b}", "type", "saved", "note", saving->note, "seq",
                          (json_int_t)seq, "draft", saving->draft));
  if (consult != NULL && error == NULL && consult == station->screen)
    channel_send_note_of (station, consult, saving->note);
  saving_free (saving);
}

gboolean
channel_author (Station *station, const char *label, char **ret_user, char **ret_name)
{
  const Guest *guest = station->screen != NULL ? consult_guest (station->screen, label) : NULL;
  if (guest != NULL) {
    *ret_user = g_strconcat ("guest:", guest->id, NULL);
    *ret_name = g_strdup (guest->name);
    return !g_str_equal (guest->role, "observer");
  }
  const Session *session = room_peer_session (station->room, label);
  if (session == NULL)
    return FALSE;
  *ret_user = g_strdup (session->user);
  *ret_name = g_strdup (users_name (station->users, session->user));
  return TRUE;
}

gboolean
channel_may_examine (Station *station, const char *label)
{
  const Guest *guest = station->screen != NULL ? consult_guest (station->screen, label) : NULL;
  return guest != NULL ? g_str_equal (guest->role, "specialist")
                       : room_peer_session (station->room, label) != NULL;
}

gboolean
channel_is_console (Station *station, const char *label)
{
  return room_peer_session (station->room, label) != NULL
         && (station->screen == NULL || consult_guest (station->screen, label) == NULL);
}

void
channel_refuse (Station *station, const char *label, const char *field, const char *about,
                const char *code, const char *vi, const char *en)
{
  room_send (station->room, label,
             json_pack ("{s:s, s:s, s:s?, s:o}", "type", "error", "code", code, field, about,
                        "text", text_json (vi, en)));
}

void
channel_send_examiners (Station *station, const char *label, json_t *message)
{
  g_auto (GStrv) labels = room_labels (station->room);
  for (guint i = 0; labels[i] != NULL; i++)
    if ((label == NULL || g_str_equal (labels[i], label))
        && channel_may_examine (station, labels[i]))
      room_send (station->room, labels[i], json_incref (message));
  json_decref (message);
}

guint
channel_read_parts (const json_t *message, FilePart parts[FILE_PARTS_MAX])
{
  guint n = 0;
  size_t i;
  json_t *pair;
  json_array_foreach (json_object_get (message, "parts"), i, pair)
  {
    json_int_t from = json_integer_value (json_array_get (pair, 0));
    json_int_t to = json_integer_value (json_array_get (pair, 1));
    if (n < FILE_PARTS_MAX && from >= 0 && to > from && to <= CHANNEL_FILE_MAX)
      parts[n++] = (FilePart){ (guint32)from, (guint32)to };
  }
  return n;
}

static void
receive_listen (Station *station, const char *label, const json_t *message)
{
  const char *stream = json_string_value (json_object_get (message, "stream"));
  gboolean on = json_is_true (json_object_get (message, "on"));
  if (!channel_may_examine (station, label) || !room_listen (station->room, label, stream, on))
    channel_refuse (station, label, "stream", stream, "not-allowed",
                    "Không nghe được ống nghe này.", "This stethoscope cannot be listened to.");
}

static void
receive_look (Station *station, const char *label, const json_t *message)
{
  room_look (station->room, label, json_object_get (message, "streams"));
}

static void
receive_figures (Station *station, const char *label, const json_t *message)
{
  const char *wrong = NULL;
  if (!links_report (station->links, label, message, g_get_monotonic_time (), &wrong))
    g_info ("channel: figures of %s: %s is wrong", label, wrong);
}

static void
receive_fill (Station *station, const char *label, const json_t *message)
{
  waves_fill (station->waves, label, message);
}

static void
receive_picture (Station *station, const char *label, const json_t *message)
{
  pictures_receive (station->pictures, label, message);
}

static void
receive_clip (Station *station, const char *label, const json_t *message)
{
  clips_receive (station->clips, label, message);
}

static void
receive_ptz (Station *station, const char *label, const json_t *message)
{
  if (station->ptz != NULL)
    ptz_receive (station->ptz, label, message);
}

static void
receive_note (Station *station, const char *label, const json_t *message)
{
  Consult *consult = station->screen;
  const char *note = json_string_value (json_object_get (message, "note")), *wrong = NULL;
  g_autofree char *user = NULL, *name = NULL;
  if (consult == NULL || !consult_is_open (consult) || consult->busy) {
    send_error (station, label, "out-of-place", note);
    return;
  }
  if (!channel_author (station, label, &user, &name) || !roles_may_write (station, user, message)) {
    send_error (station, label, "not-allowed", note);
    return;
  }
  Saving *saving = g_new0 (Saving, 1);
  saving->label = g_strdup (label);
  saving->note = g_strdup (note);
  saving->draft
      = g_strcmp0 (json_string_value (json_object_get (message, "type")), "note.draft") == 0;
  json_t *body = channel_note_body (consult, user, name, message, &wrong);
  if (body == NULL) {
    send_error (station, label, "bad-message", note);
    saving_free (saving);
  } else if (saving->draft)
    station_write_draft (station, consult->id, note, user, body, note_saved, saving);
  else
    station_write_note (station, consult->id, user, body, note_saved, saving);
}

static const struct {
  const char *type;
  void (*receive) (Station *station, const char *label, const json_t *message);
} messages[] = {
  { "look", receive_look },
  { "figures", receive_figures },
  { "note.save", receive_note },
  { "note.draft", receive_note },
  { "problem.save", forms_channel_propose },
  { "icd10.find", forms_channel_find },
  { "waves.fill", receive_fill },
  { "ecg.get", ecgs_channel_get },
  { "dicom.want", dicom_channel_receive },
  { "listen", receive_listen },
  { "clip.take", receive_clip },
  { "picture.take", receive_picture },
  { "picture.answer", receive_picture },
  { "picture.always", receive_picture },
  { "picture.want", receive_picture },
  { "ptz.allow", receive_ptz },
  { "ptz.move", receive_ptz },
  { "ptz.step", receive_ptz },
  { "ptz.preset", receive_ptz },
  { "ptz.stop", receive_ptz },
};

void
channel_receive (Station *station, const char *label, GBytes *data)
{
  gsize length;
  const char *text = g_bytes_get_data (data, &length), *wrong = NULL;
  json_auto_t *message = client_parse (text, length, &wrong);
  const char *type = json_string_value (json_object_get (message, "type"));
  for (guint i = 0; type != NULL && i < G_N_ELEMENTS (messages); i++)
    if (g_str_equal (messages[i].type, type)) {
      messages[i].receive (station, label, message);
      return;
    }
  send_error (station, label, "bad-message", NULL);
}
