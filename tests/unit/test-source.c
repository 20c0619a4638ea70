/* Real pipelines: the test camera, the test and file microphones. Every wait is for a condition and
 * bounded. */
#include "media/capture/babble.h"
#include "media/capture/key_pace.h"
#include "source_log.h"

#include <glib/gstdio.h>

static const SourceConfig test_camera = { .name = "room", .kind = MEDIA_VIDEO, .address = "test:" };

static void
test_all_outlets (void)
{
  Log *log = log_open (&test_camera);
  g_assert_true (WAIT (10, log->state == SOURCE_RUNNING));
  g_assert_null (log->reason);

  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 8);
  g_assert_cmpuint (count (log, log->live[MEDIA_VP8]), ==, 0);
  g_assert_cmpuint (count (log, log->record), ==, 0);

  source_set_live (log->source, MEDIA_VP8, 0, TRUE);
  source_set_live (log->source, MEDIA_OPUS, 0, TRUE); /* not a camera's: ignored */
  source_set_recording (log->source, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], 15);
  WAIT_FRAMES (log, log->record, 75); /* 5 s: key frames at 0, 2 and 4 s */
  g_assert_cmpuint (count (log, log->live[MEDIA_OPUS]), ==, 0);

  source_set_live (log->source, MEDIA_H264, 0, FALSE);
  source_set_recording (log->source, FALSE);
  guint vp8 = count (log, log->live[MEDIA_VP8]);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], vp8 + 3);
  guint h264 = count (log, log->live[MEDIA_H264]), record = count (log, log->record);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], vp8 + 12);
  g_assert_cmpuint (count (log, log->live[MEDIA_H264]), ==, h264);
  g_assert_cmpuint (count (log, log->record), ==, record);

  for (guint i = 0; i < h264; i++)
    check_h264 (frame_at (log, log->live[MEDIA_H264], i));
  for (guint i = 0; i < vp8; i++)
    check_vp8 (frame_at (log, log->live[MEDIA_VP8], i));
  g_assert_true (frame_at (log, log->live[MEDIA_H264], 0)->key);
  g_assert_true (frame_at (log, log->live[MEDIA_VP8], 0)->key);
  check_constrained_baseline (frame_at (log, log->live[MEDIA_H264], 0));
  g_assert_cmpuint (frame_at (log, log->live[MEDIA_H264], 0)->width, ==, 640);
  g_assert_cmpuint (frame_at (log, log->live[MEDIA_VP8], 0)->height, ==, 360);

  gint64 last_key_us = 0;
  for (guint i = 0; i < record; i++) {
    Frame *frame = frame_at (log, log->record, i);
    check_h264 (frame);
    g_assert_true (frame->key || i > 0);
    if (!frame->key)
      continue;
    /* Every 2 s, as far as a busy machine keeps to the camera's rate. */
    if (last_key_us) {
      g_assert_cmpint (frame->capture_us - last_key_us, >, 1200000);
      g_assert_cmpint (frame->capture_us - last_key_us, <, 3000000);
    }
    last_key_us = frame->capture_us;
  }
  g_assert_cmpint (last_key_us, !=, 0);

  /* Wanted again: begins with a key frame again. */
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], h264 + 2);
  g_assert_true (frame_at (log, log->live[MEDIA_H264], h264)->key);
  log_close (log);
}

/* Bytes per second of what comes from now on, after the encoder had a second to follow. */
static double
measure_rate (Log *log, MediaCodec codec)
{
  GPtrArray *list = log->live[codec];
  guint from = count (log, list) + 15;
  WAIT_FRAMES (log, list, from + 46);
  gsize bytes = 0;
  for (guint i = from; i < from + 45; i++)
    bytes += g_bytes_get_size (frame_at (log, list, i)->data);
  gint64 span_us
      = frame_at (log, list, from + 45)->capture_us - frame_at (log, list, from)->capture_us;
  return bytes * 8.0 * SECOND / span_us;
}

static guint
count_keys (Log *log, MediaCodec codec, guint from)
{
  guint keys = 0;
  for (guint i = from; i < count (log, log->live[codec]); i++)
    keys += frame_at (log, log->live[codec], i)->key;
  return keys;
}

static void
test_bitrate (void)
{
  SourceConfig config = test_camera;
  config.live_bitrate = 60000;
  Log *log = log_open (&config);
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  source_set_live (log->source, MEDIA_VP8, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 15);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], 15);
  double h264_low = measure_rate (log, MEDIA_H264), vp8_low = measure_rate (log, MEDIA_VP8);
  source_set_live_bitrate (log->source, MEDIA_H264, 0, 240000);
  source_set_live_bitrate (log->source, MEDIA_VP8, 0, 240000);
  double h264_high = measure_rate (log, MEDIA_H264), vp8_high = measure_rate (log, MEDIA_VP8);
  g_test_message ("h264 %.0f -> %.0f, vp8 %.0f -> %.0f bit/s", h264_low, h264_high, vp8_low,
                  vp8_high);
  g_assert_cmpfloat (h264_low, <, 60000 * 1.3);
  g_assert_cmpfloat (h264_high, <, 240000 * 1.2);
  g_assert_cmpfloat (h264_high / h264_low, >, 2.5);
  g_assert_cmpfloat (vp8_high, <, 240000 * 1.3);
  g_assert_cmpfloat (vp8_high / vp8_low, >, 2);
  /* No key frame came of it but the one of every 10 s. */
  g_assert_cmpuint (count_keys (log, MEDIA_H264, 0), <=,
                    1 + count (log, log->live[MEDIA_H264]) / 150);
  log_close (log);
}

static gint64
key_arrival (Log *log, MediaCodec codec, guint from)
{
  for (guint i = from; i < count (log, log->live[codec]); i++)
    if (frame_at (log, log->live[codec], i)->key) {
      g_mutex_lock (&log->lock);
      gint64 at = g_array_index (log->arrived[codec], gint64, i);
      g_mutex_unlock (&log->lock);
      return at;
    }
  return 0;
}

/* µs from switching on to the first key frame, from the first request to its key frame, and from
 * there to the one that answers a storm. */
typedef struct {
  gint64 first_us, free_us, storm_us;
} KeyTimes;

static KeyTimes
measure_keyframes (MediaCodec codec)
{
  KeyTimes times;
  Log *log = log_open (&test_camera);
  g_assert_true (WAIT (10, log->state == SOURCE_RUNNING));
  gint64 begun_us = g_get_monotonic_time ();
  source_set_live (log->source, codec, 0, TRUE);
  WAIT_FRAMES (log, log->live[codec], 4);
  times.first_us = key_arrival (log, codec, 0) - begun_us;

  guint from = count (log, log->live[codec]);
  begun_us = g_get_monotonic_time ();
  source_request_keyframe (log->source, codec, 0);
  g_assert_true (WAIT (5, count_keys (log, codec, from) == 1));
  times.free_us = key_arrival (log, codec, from) - begun_us;

  from = count (log, log->live[codec]);
  for (guint i = 0; i < 20; i++)
    source_request_keyframe (log->source, codec, 0);
  g_assert_true (WAIT (5, count_keys (log, codec, from) == 1));
  times.storm_us = key_arrival (log, codec, from) - begun_us;
  WAIT_FRAMES (log, log->live[codec], from + 20);
  g_assert_cmpuint (count_keys (log, codec, from), ==, 1); /* merged */
  log_close (log);
  return times;
}

/* The best of some runs: the machine may be busy with something else. */
static void
check_keyframes (MediaCodec codec)
{
  KeyTimes best = { G_MAXINT64, G_MAXINT64, G_MAXINT64 };
  for (guint run = 0; run < 3; run++) {
    KeyTimes times = measure_keyframes (codec);
    g_assert_cmpint (times.storm_us, >, KEY_PACE_US - 10000);
    best.first_us = MIN (best.first_us, times.first_us);
    best.free_us = MIN (best.free_us, times.free_us);
    best.storm_us = MIN (best.storm_us, times.storm_us);
  }
  g_test_message ("%s: first key frame after %" G_GINT64_FORMAT
                  " us, requested one after %" G_GINT64_FORMAT
                  " us, a storm's after %" G_GINT64_FORMAT " us",
                  media_codec_name (codec), best.first_us, best.free_us, best.storm_us);
  /* The pace holds back what comes too soon after another, and nothing else. */
  g_assert_cmpint (best.first_us, <, KEY_PACE_US * SLOW);
  g_assert_cmpint (best.free_us, <, KEY_PACE_US * SLOW);
  g_assert_cmpint (best.storm_us, <, 3 * KEY_PACE_US * SLOW);
}

static void
test_keyframes (void)
{
  check_keyframes (MEDIA_H264);
  check_keyframes (MEDIA_VP8);
}

/* Who takes no frames any more holds up nobody else. */
static void
test_stuck_outlet (void)
{
  Log *log = log_open (&test_camera);
  source_set_live (log->source, MEDIA_VP8, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], 3);
  g_atomic_int_set (&log->stuck, TRUE);
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  source_set_recording (log->source, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 45);
  WAIT_FRAMES (log, log->record, 45);
  guint vp8 = count (log, log->live[MEDIA_VP8]);
  g_atomic_int_set (&log->stuck, FALSE);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], vp8 + 10);
  /* What it missed is gone: the newest come, and not all that waited. */
  gint64 gap_us = frame_at (log, log->live[MEDIA_VP8], vp8 + 9)->capture_us
                  - frame_at (log, log->live[MEDIA_VP8], vp8)->capture_us;
  g_assert_cmpint (gap_us, >, 2 * SECOND);
  log_close (log);
}

static void
test_restart (void)
{
  Log *log = log_open (&test_camera);
  source_set_recording (log->source, TRUE);
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  for (guint i = 0; i < 3; i++) {
    guint had = count (log, log->live[MEDIA_H264]);
    WAIT_FRAMES (log, log->live[MEDIA_H264], had + 2);
    g_assert_true (frame_at (log, log->live[MEDIA_H264], had)->key);
    source_stop (log->source);
    g_assert_cmpint (source_state (log->source), ==, SOURCE_STOPPED);
    had = count (log, log->live[MEDIA_H264]);
    guint states = log->states;
    while (g_main_context_iteration (NULL, FALSE))
      ;
    g_assert_cmpuint (log->states, ==, states);
    g_assert_cmpuint (count (log, log->live[MEDIA_H264]), ==, had);
    source_start (log->source);
  }
  log_close (log);
}

/* The same rung of another ladder: an encoder that runs begins anew, with other pictures. */
static void
test_prefer (void)
{
  SourceConfig config
      = { .name = "exam", .kind = MEDIA_VIDEO, .address = "test:", .prefer = RUNG_MOTION };
  Log *log = log_open (&config);
  source_set_live (log->source, MEDIA_H264, 2, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 10);
  g_assert_cmpuint (frame_at (log, log->live[MEDIA_H264], 9)->width, ==, 480);
  source_set_prefer (log->source, RUNG_DETAIL);
  guint n = 0;
  g_assert_true (WAIT (10, (n = count (log, log->live[MEDIA_H264])) > 0
                               && frame_at (log, log->live[MEDIA_H264], n - 1)->width == 640));
  guint first = n - 1;
  g_assert_true (frame_at (log, log->live[MEDIA_H264], first)->key);
  WAIT_FRAMES (log, log->live[MEDIA_H264], first + 9);
  gint64 span_us = frame_at (log, log->live[MEDIA_H264], first + 8)->capture_us
                   - frame_at (log, log->live[MEDIA_H264], first)->capture_us;
  g_test_message ("8 pictures in %.2f s", (double)span_us / SECOND);
  g_assert_cmpint (span_us, >, SECOND * 8 / 10); /* 8 a second, of 15 */
  log_close (log);
}

/* Fewer bits never ask for more than the step before. */
static void
test_ladders (void)
{
  static const guint sizes[][2]
      = { { 0, 0 }, { 320, 240 }, { 640, 360 }, { 1280, 720 }, { 1920, 1080 } };
  for (RungPrefer prefer = RUNG_BALANCED; prefer <= RUNG_DETAIL; prefer++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      Rung steps[RUNG_MAX];
      rung_fit (prefer, MEDIA_H264, sizes[i][0], sizes[i][1], 15 * (i % 3), steps);
      for (guint k = 0; k < rung_count (MEDIA_H264); k++) {
        g_assert_cmpuint (steps[k].min_bps, <, steps[k].max_bps);
        if (k > 0)
          g_assert_cmpuint (steps[k].min_bps, <=, steps[k - 1].min_bps);
        if (k > 0 && prefer == RUNG_DETAIL)
          g_assert_cmpuint (steps[k].max_rate, <, k> 1 ? steps[k - 1].max_rate : 30);
        if (prefer == RUNG_MOTION && k > 0)
          g_assert_cmpuint (steps[k].max_rate, >=, 25);
      }
    }
  Rung sound[RUNG_MAX];
  rung_fit (RUNG_FAITHFUL, MEDIA_OPUS, 0, 0, 0, sound);
  for (guint k = 0; k < rung_count (MEDIA_OPUS); k++)
    g_assert_cmpuint (sound[k].max_bps, ==, 64000);
}

/* --- pictures that are taken --- */

typedef struct {
  guint told;
  char *mime, *reason;
  guint width, height;
  GBytes *data;
} Taken;

static void
on_taken (Source *source, const SourcePicture *picture, const GError *error, void *arg)
{
  Taken *taken = arg;
  taken->told++;
  if (!picture) {
    taken->reason = g_strdup (error->message);
    return;
  }
  taken->mime = g_strdup (picture->mime_type);
  taken->width = picture->width;
  taken->height = picture->height;
  taken->data = g_bytes_ref (picture->data);
}

static void
taken_clear (Taken *taken)
{
  g_free (taken->mime);
  g_free (taken->reason);
  g_clear_pointer (&taken->data, g_bytes_unref);
}

/* A camera that shows 640×360 live has 1280×720 for who wants one picture; it goes on afterwards.
 */
static void
test_take (void)
{
  SourceConfig config = { .name = "exam", .kind = MEDIA_VIDEO, .address = "test:" };
  Taken jpeg = { 0 }, png = { 0 };
  Log *log = log_open (&config);
  log->oldest_us = 2 * SECOND; /* it stands still meanwhile */
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 5);
  source_take (log->source, FALSE, on_taken, &jpeg);
  g_assert_true (WAIT (40, jpeg.told == 1));
  g_assert_cmpstr (jpeg.reason, ==, NULL);
  g_assert_cmpstr (jpeg.mime, ==, "image/jpeg");
  g_assert_cmpuint (jpeg.width, ==, 1280);
  g_assert_cmpuint (jpeg.height, ==, 720);
  guint before = count (log, log->live[MEDIA_H264]);
  WAIT_FRAMES (log, log->live[MEDIA_H264], before + 10);
  Frame *last = frame_at (log, log->live[MEDIA_H264], before + 9);
  g_assert_cmpuint (last->width, ==, 640);
  g_assert_cmpint (log->state, ==, SOURCE_RUNNING);
  source_take (log->source, TRUE, on_taken, &png);
  g_assert_true (WAIT (60, png.told == 1));
  g_assert_cmpstr (png.mime, ==, "image/png");
  g_assert_cmpuint (png.width, ==, 1280);
  const guint8 *head = g_bytes_get_data (png.data, NULL);
  g_assert_cmpint (memcmp (head, "\x89PNG\r\n\x1a\n", 8), ==, 0);
  g_test_message ("JPEG %zu bytes, PNG %zu bytes", g_bytes_get_size (jpeg.data),
                  g_bytes_get_size (png.data));
  taken_clear (&jpeg);
  taken_clear (&png);
  log_close (log);
}

static void
test_take_nothing (void)
{
  SourceConfig config = { .name = "gone", .kind = MEDIA_VIDEO, .address = "v4l2:/dev/video77" };
  Taken taken = { 0 };
  Log *log = log_open (&config);
  g_assert_true (WAIT (10, log->state == SOURCE_MISSING));
  source_take (log->source, FALSE, on_taken, &taken);
  g_assert_true (WAIT (10, taken.told == 1));
  g_test_message ("%s", taken.reason);
  g_assert_nonnull (taken.reason);
  taken_clear (&taken);
  log_close (log);
}

/* --- microphones --- */

static void
check_sound (Log *log, GPtrArray *list, double least)
{
  WAIT_FRAMES (log, list, 150);
  gsize bytes = 0;
  for (guint i = 0; i < 150; i++) {
    Frame *frame = frame_at (log, list, i);
    bytes += g_bytes_get_size (frame->data);
    g_assert_true (frame->key);
    g_assert_cmpint (frame->codec, ==, MEDIA_OPUS);
    if (i == 0)
      continue;
    gint64 step = frame->capture_us - frame_at (log, list, i - 1)->capture_us;
    g_assert_cmpint (step, >, 10000);
    g_assert_cmpint (step, <, 30000);
  }
  g_test_message ("%.0f bit/s", bytes * 8 / 3.0);
  g_assert_cmpfloat (bytes * 8 / 3.0, >, least);
}

static void
test_test_microphone (void)
{
  SourceConfig config = { .name = "voice", .kind = MEDIA_AUDIO, .address = "test:" };
  Log *log = log_open (&config);
  source_set_live (log->source, MEDIA_OPUS, 0, TRUE);
  source_set_recording (log->source, TRUE);
  check_sound (log, log->live[MEDIA_OPUS], 12000);
  check_sound (log, log->record, 30000);
  g_assert_cmpint (log->state, ==, SOURCE_RUNNING);
  log_close (log);
}

/* Each rung has its size and its rate of pictures; a still a second. */
static void
test_rungs (void)
{
  static const struct {
    MediaCodec codec;
    guint rung, width, height, frames;
    double seconds; /* that they take */
  } cases[] = {
    { MEDIA_H264, 1, 640, 360, 20, 1.3 },
    { MEDIA_H264, 2, 480, 270, 20, 1.3 },
    { MEDIA_H264, 3, 320, 180, 17, 1.3 },
    { MEDIA_JPEG, 1, 320, 180, 3, 2 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Log *log = log_open (&test_camera);
    log->oldest_us = 500000;
    GPtrArray *list = log->live[cases[i].codec];
    source_set_live (log->source, cases[i].codec, cases[i].rung, TRUE);
    source_set_live (log->source, cases[i].codec, RUNG_MAX, TRUE); /* there is none */
    WAIT_FRAMES (log, list, cases[i].frames);
    const Frame *first = frame_at (log, list, 0);
    const Frame *last = frame_at (log, list, cases[i].frames - 1);
    g_assert_cmpuint (first->rung, ==, cases[i].rung);
    g_assert_cmpuint (first->width, ==, cases[i].width);
    g_assert_cmpuint (first->height, ==, cases[i].height);
    g_assert_true (first->key);
    double seconds = (double)(last->capture_us - first->capture_us) / SECOND;
    g_test_message ("%s:%u: %u frames in %.2f s", media_codec_name (cases[i].codec), cases[i].rung,
                    cases[i].frames, seconds);
    g_assert_cmpfloat (seconds, >, cases[i].seconds * 0.8);
    gsize size;
    const guint8 *bytes = g_bytes_get_data (last->data, &size);
    if (cases[i].codec == MEDIA_JPEG) {
      g_assert_cmpuint (size, <, 20000);
      g_assert_true (bytes[0] == 0xff && bytes[1] == 0xd8);
    }
    log_close (log);
  }
}

/* The lowest rung keeps to few bits, from its first second on. */
static void
test_low_rung_bits (void)
{
  Log *log = log_open (&test_camera);
  log->oldest_us = 500000;
  GPtrArray *list = log->live[MEDIA_H264];
  source_set_live_bitrate (log->source, MEDIA_H264, 3, 50000);
  source_set_live (log->source, MEDIA_H264, 3, TRUE);
  WAIT_FRAMES (log, list, 73);
  gsize bytes = 0;
  for (guint i = 0; i < 72; i++)
    bytes += g_bytes_get_size (frame_at (log, list, i)->data);
  gint64 span_us = frame_at (log, list, 72)->capture_us - frame_at (log, list, 0)->capture_us;
  double bps = bytes * 8.0 * SECOND / span_us;
  g_test_message ("%.0f bit/s, key frame %zu bytes", bps,
                  g_bytes_get_size (frame_at (log, list, 0)->data));
  g_assert_cmpfloat (bps, <, 65000);
  log_close (log);
}

static void
test_sound_rungs (void)
{
  SourceConfig config = { .name = "voice", .kind = MEDIA_AUDIO, .address = "test:" };
  Log *log = log_open (&config);
  log->oldest_us = 500000;
  GPtrArray *list = log->live[MEDIA_OPUS];
  source_set_live (log->source, MEDIA_OPUS, 1, TRUE);
  WAIT_FRAMES (log, list, 50);
  gsize bytes = 0;
  for (guint i = 1; i < 50; i++) {
    const Frame *frame = frame_at (log, list, i);
    g_assert_cmpuint (frame->rung, ==, 1);
    bytes += g_bytes_get_size (frame->data);
    gint64 step_us = frame->capture_us - frame_at (log, list, i - 1)->capture_us;
    g_assert_cmpint (step_us, >, 50000);
    g_assert_cmpint (step_us, <, 70000);
  }
  double bps = bytes * 8 / (49 * 0.06);
  g_test_message ("%.0f bit/s", bps);
  g_assert_cmpfloat (bps, >, 6000);
  g_assert_cmpfloat (bps, <, 20000);
  log_close (log);
}

static char *
write_wav (guint milliseconds)
{
  enum { RATE = 16000 }; /* not ours: it is converted */
  guint n = RATE / 1000 * milliseconds;
  g_autofree gint16 *samples = g_new (gint16, n);
  babble (samples, n, RATE, 5);
  guint32 header[] = { 0x46464952, 36 + 2 * n, 0x45564157,   0x20746d66, 16,   1 | 1 << 16,
                       RATE,       RATE * 2,   2 | 16 << 16, 0x61746164, 2 * n };
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, (guint8 *)header, sizeof header);
  g_byte_array_append (file, (guint8 *)samples, n * 2);
  char *path = NULL;
  int fd = g_file_open_tmp ("babble-XXXXXX.wav", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (char *)file->data, file->len, NULL));
  return path;
}

static void
test_file_microphone (void)
{
  g_autofree char *path = write_wav (1000); /* played three times */
  g_autofree char *address = g_strconcat ("file:", path, NULL);
  SourceConfig config = { .name = "voice", .kind = MEDIA_AUDIO, .address = address };
  Log *log = log_open (&config);
  source_set_live (log->source, MEDIA_OPUS, 0, TRUE);
  check_sound (log, log->live[MEDIA_OPUS], 8000);
  log_close (log);
  g_unlink (path);
}

static void
check_missing (MediaKind kind, const char *address, const char *word)
{
  SourceConfig config = { .name = "gone", .kind = kind, .address = address };
  Log *log = log_open (&config);
  g_assert_true (WAIT (10, log->state == SOURCE_MISSING));
  g_test_message ("%s", log->reason);
  g_assert_true (g_str_has_prefix (log->reason, word));
  log_close (log);
}

static void
test_missing (void)
{
  check_missing (MEDIA_VIDEO, "v4l2:/dev/video77", "not-found:");
  check_missing (MEDIA_AUDIO, "file:/nowhere/sound.wav", "not-found:");
  check_missing (MEDIA_AUDIO, "alsa:plughw:CARD=Nowhere,DEV=0", "not-found:");
  check_missing (MEDIA_AUDIO, "file:/proc/self/maps", "unsupported:");
  check_missing (MEDIA_VIDEO, "rtsp://127.0.0.1:9/x", "unreachable:");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Cameras that misbehave are warned about. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/source/all-outlets", test_all_outlets);
  g_test_add_func ("/source/bitrate", test_bitrate);
  g_test_add_func ("/source/keyframes", test_keyframes);
  g_test_add_func ("/source/stuck-outlet", test_stuck_outlet);
  g_test_add_func ("/source/restart", test_restart);
  g_test_add_func ("/source/prefer", test_prefer);
  g_test_add_func ("/source/ladders", test_ladders);
  g_test_add_func ("/source/take", test_take);
  g_test_add_func ("/source/take/nothing", test_take_nothing);
  g_test_add_func ("/source/microphone/test", test_test_microphone);
  g_test_add_func ("/source/rungs", test_rungs);
  g_test_add_func ("/source/low-rung-bits", test_low_rung_bits);
  g_test_add_func ("/source/microphone/rungs", test_sound_rungs);
  g_test_add_func ("/source/microphone/file", test_file_microphone);
  g_test_add_func ("/source/missing", test_missing);
  return g_test_run ();
}
