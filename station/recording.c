#include "station/recording.h"
#include "records/segment.h"
#include "station/clock.h"
#include "station/recorder.h"
#include "station/recording_space.h"
#include "station/room.h"

#define RATE_EVERY_US (10 * G_USEC_PER_SEC)
#define FULL_SECONDS 60
#define LOW_SECONDS 3600

static gboolean
is_wanted (Station *station)
{
  const Consult *consult = station->screen;
  return consult != NULL && consult->recording && consult_recording_allowed (consult)
         && (consult->state == CONSULT_LIVE || consult->state == CONSULT_INTERRUPTED);
}

void
recording_follow (Station *station)
{
  if (station->recorder == NULL || station->room == NULL)
    return;
  const char *wanted = is_wanted (station) ? station->screen->id : NULL;
  const char *now = room_recording (station->room);
  if (g_strcmp0 (wanted, now) == 0)
    return;
  if (now != NULL) {
    room_set_recording (station->room, NULL);
    recorder_stop (station->recorder);
  }
  if (wanted != NULL) {
    /* The recorder first: a source's first frame is the key frame that everything hangs on. */
    recorder_start (station->recorder, wanted,
                    consult_epoch (station->screen, clock_boot_id (), g_get_monotonic_time (),
                                   g_get_real_time ()));
    room_set_recording (station->room, wanted);
  }
  station_changed (station);
}

/* ---- Disk ------------------------------------------------------------------------------------ */

static void
announce_disk (Station *station, DiskLevel before)
{
  static const char *const words[] = { "disk-good", "disk-low", "disk-full" };
  g_message ("recording: disk is %s, %.1f hours left", disk_level_name (station->disk),
             station->space.hours);
  if (station->screen != NULL && (before != DISK_GOOD || station->disk != DISK_GOOD))
    station_event (station, station->screen->id, "station", words[station->disk], NULL);
  if (station->recorder != NULL)
    recorder_allow_video (station->recorder, station->disk != DISK_FULL);
}

/* The store gives the reserve up by itself when the disk is full; it is made anew once there is
 * room again. */
static void
tend_reserve (Station *station)
{
  g_autoptr (GError) error = NULL;
  if (station->disk != DISK_FULL
      && !reserve_ensure (station->config->state, station->config->reserve, &error))
    g_warning ("recording: no reserve: %s", error->message);
}

void
recording_check_disk (Station *station)
{
  /* Free space at every tick, the rate when it may have changed. */
  gint64 now_us = g_get_monotonic_time ();
  gboolean known = station->space.rate > 0 && now_us < station->rate_due_us;
  RecordingSpace space = recording_space (station->config, known ? &station->space : NULL);
  if (!known)
    station->rate_due_us = now_us + RATE_EVERY_US;
  DiskLevel before = station->disk;
  guint64 seconds = space.bytes / space.rate;
  /* Twice as much to come back, so that it does not flicker at the edge. */
  guint back = before == DISK_FULL ? 2 : 1;
  if (seconds < FULL_SECONDS * back)
    station->disk = DISK_FULL;
  else
    station->disk = seconds < LOW_SECONDS ? DISK_LOW : DISK_GOOD;
  if (space.hours != station->space.hours)
    station_changed (station);
  station->space = space;
  tend_reserve (station);
  if (station->disk != before) {
    announce_disk (station, before);
    station_changed (station);
  }
}

void
recording_failed (const char *stream, const char *why, void *arg)
{
  Station *station = arg;
  g_warning ("recording: %s: %s", stream, why);
  if (station->screen != NULL)
    station_event (station, station->screen->id, "station", "recording-failed", stream);
  recording_check_disk (station);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void
switched (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL)
    station_event (station, consult->id, request->user,
                   consult->recording ? "recording-on" : "recording-off",
                   json_string_value (json_object_get (request->message, "reason")));
  recording_follow (station);
  request_ok (request, NULL);
}

static void
switch_to (Request *request, gboolean on, const char *reason)
{
  Station *station = request->station;
  json_t *body = json_pack ("{s:b, s:s}", "on", on, "reason", reason != NULL ? reason : "");
  station_write (station, station->screen->id, "recording", request->user, body, switched,
                 request_ref (request));
}

void
recording_start (Request *request)
{
  Consult *consult = request->station->screen;
  if (!consult_recording_allowed (consult))
    request_refuse_with (request, "not-allowed",
                         "Chưa ghi hình được: hãy ghi lại sự đồng ý cho ghi hình trước.",
                         "No recording yet: enter the consent to recording first.", NULL);
  else if (request->station->disk == DISK_FULL)
    request_refuse (request, "disk");
  else
    switch_to (request, TRUE, NULL);
}

void
recording_pause (Request *request)
{
  const char *reason;
  if (request_text (request, "reason", OPTIONAL, 500, &reason))
    switch_to (request, FALSE, reason);
}
