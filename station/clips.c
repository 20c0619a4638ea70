#include "station/clips.h"
#include "records/segment.h"
#include "station/attach.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/pictures.h"
#include "station/recorder.h"
#include "station/request.h"
#include "station/room.h"
#include "station/text.h"

#include <gio/gio.h>

#include <string.h>

enum { SECONDS_MIN = 2, SECONDS_MAX = 30, WAITING_MAX = 4 };
/* What was just seen is in the recording a fragment and a write later. */
#define SETTLE_MS 2500

struct Clips {
  Station *station;
  GHashTable *came;   /* guest → gint64*, CLOCK_MONOTONIC */
  GPtrArray *waiting; /* Clip, until the recording has them */
};

typedef struct {
  Clips *clips;
  Store *store;
  char *ask, *consult, *label, *user, *name, *source;
  gint64 from_us, until_us;
  guint timer;

  GBytes *data; /* what was found */
  char *mime;
  gint64 start_us;
} Clip;

static void
clip_free (gpointer data)
{
  Clip *clip = data;
  if (clip->timer != 0)
    g_source_remove (clip->timer);
  g_free (clip->ask);
  g_free (clip->consult);
  g_free (clip->label);
  g_free (clip->user);
  g_free (clip->name);
  g_free (clip->source);
  g_clear_pointer (&clip->data, g_bytes_unref);
  g_free (clip->mime);
  g_free (clip);
}

Clips *
clips_new (Station *station)
{
  Clips *clips = g_new0 (Clips, 1);
  clips->station = station;
  clips->came = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  clips->waiting = g_ptr_array_new_with_free_func (clip_free);
  return clips;
}

void
clips_free (Clips *clips)
{
  if (clips == NULL)
    return;
  g_ptr_array_unref (clips->waiting);
  g_hash_table_unref (clips->came);
  g_free (clips);
}

void
clips_guest_came (Clips *clips, const char *guest)
{
  if (g_hash_table_contains (clips->came, guest))
    return;
  gint64 now_us = g_get_monotonic_time ();
  g_hash_table_insert (clips->came, g_strdup (guest), g_memdup2 (&now_us, sizeof now_us));
}

static void
refuse (Clips *clips, const char *label, const char *ask, const char *code, const char *vi,
        const char *en)
{
  channel_refuse (clips->station, label, "ask", ask, code, vi, en);
}

/* ---- Out of the recording, into the record ------------------------------------------------------
 */

static void
on_kept (Station *station, const Attachment *attachment, const GError *error, void *arg)
{
  g_autofree char *label = arg;
  if (error != NULL)
    refuse (station->clips, label, NULL, "disk", "Không lưu được đoạn hình vào hồ sơ.",
            "The clip was not kept in the record.");
  pictures_send (station->pictures, NULL);
}

static void
keep (const Clip *clip)
{
  gint64 age_us = g_get_monotonic_time () - clip->start_us;
  g_autofree char *taken = clock_text (g_get_real_time () - age_us);
  gboolean webm = g_str_has_prefix (clip->mime, "video/webm");
  g_autofree char *name
      = g_strdup_printf ("%s-%.19s.%s", clip->source, taken, webm ? "webm" : "mp4");
  g_autofree char *stream = g_strconcat ("source-", clip->source, NULL);
  json_auto_t *about
      = json_pack ("{s:s, s:s, s:s, s:f, s:I}", "source", stream, "taken", taken, "by", clip->name,
                   "seconds", (double)(clip->until_us - clip->start_us) / G_USEC_PER_SEC,
                   "start_us", (json_int_t)clip->start_us);
  AttachmentInfo info = { .kind = "clip", .name = name, .mime_type = clip->mime, .about = about };
  station_attach (clip->clips->station, clip->consult, clip->user, &info, clip->data, on_kept,
                  g_strdup (clip->label));
}

static void
read_clip (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Clip *clip = data;
  g_autoptr (GError) error = NULL;
  const RecordingClip wanted = { .stream = clip->source,
                                 .from_us = clip->from_us,
                                 .until_us = clip->until_us,
                                 .max_bytes = CHANNEL_FILE_MAX };
  clip->data
      = recording_clip (clip->store, clip->consult, &wanted, &clip->mime, &clip->start_us, &error);
  if (clip->data != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Clip *clip = g_task_get_task_data (G_TASK (result));
  Clips *clips = data;
  g_autoptr (GError) error = NULL;
  clips->station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    keep (clip);
    return;
  }
  g_message ("clips: %s", error->message);
  refuse (clips, clip->label, clip->ask, "no-such", "Chưa có bản ghi của đoạn hình này.",
          "This moment is not in the recording.");
}

static gboolean
on_settled (gpointer data)
{
  Clip *clip = data;
  Clips *clips = clip->clips;
  guint index;
  clip->timer = 0;
  clips->station->pending++;
  if (g_ptr_array_find (clips->waiting, clip, &index))
    g_ptr_array_steal_index (clips->waiting, index);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_read, clips);
  g_task_set_task_data (task, clip, clip_free);
  g_task_run_in_thread (task, read_clip);
  return G_SOURCE_REMOVE;
}

/* ---- Messages -----------------------------------------------------------------------------------
 */

static gboolean
may_be_taken (Clips *clips, const char *label, const char *ask, const char *source)
{
  Station *station = clips->station;
  const Consult *consult = station->screen;
  if (ask == NULL || !text_is_clean (ask, 64) || source == NULL || !text_is_clean (source, 64)
      || !g_str_has_prefix (source, "source-"))
    refuse (clips, label, NULL, "bad-message", "Yêu cầu không hợp lệ.", "A bad message.");
  else if (consult == NULL || !consult_is_open (consult) || consult->busy
           || !channel_may_examine (station, label))
    refuse (clips, label, ask, "not-allowed", "Không lấy được đoạn hình lúc này.",
            "No clips can be taken now.");
  else if (!consult_recording_allowed (consult) || !recorder_is_on (station->recorder))
    refuse (clips, label, ask, "not-allowed", "Buổi khám không được ghi hình lúc này.",
            "The consultation is not being recorded.");
  else if (clips->waiting->len >= WAITING_MAX)
    refuse (clips, label, ask, "busy", "Còn đoạn hình đang chờ lấy.", "Others are still waiting.");
  else
    return TRUE;
  return FALSE;
}

void
clips_receive (Clips *clips, const char *label, const json_t *message)
{
  Station *station = clips->station;
  const char *ask = json_string_value (json_object_get (message, "ask"));
  const char *source = json_string_value (json_object_get (message, "source"));
  gint64 seconds = json_integer_value (json_object_get (message, "seconds"));
  if (!may_be_taken (clips, label, ask, source))
    return;
  Clip *clip = g_new0 (Clip, 1);
  clip->clips = clips;
  clip->store = station->store;
  clip->ask = g_strdup (ask);
  clip->consult = g_strdup (station->screen->id);
  clip->label = g_strdup (label);
  clip->source = g_strdup (source + strlen ("source-"));
  channel_author (station, label, &clip->user, &clip->name);
  clip->until_us = g_get_monotonic_time ();
  clip->from_us = clip->until_us - CLAMP (seconds, SECONDS_MIN, SECONDS_MAX) * G_USEC_PER_SEC;
  const gint64 *came = g_hash_table_lookup (clips->came, label);
  if (consult_guest (station->screen, label) != NULL)
    clip->from_us = MAX (clip->from_us, came != NULL ? *came : clip->until_us);
  g_ptr_array_add (clips->waiting, clip);
  clip->timer = g_timeout_add (SETTLE_MS, on_settled, clip);
}
