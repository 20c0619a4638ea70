/* Real pipelines: the test camera, the test and file microphones, and simulated RTSP cameras as
 * child processes. Every wait is for a condition and bounded. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "media/capture/arrival.h"
#include "media/capture/babble.h"
#include "media/capture/camera.h"
#include "media/capture/key_pace.h"
#include "media/capture/rate.h"
#include "media/capture/source.h"
#include "media/capture/moving_scene.h"
#include "media/capture/test_scene.h"
#include "media/error.h"

#define SECOND G_USEC_PER_SEC

/* Under the thread sanitizer encoders hardly keep up. */
#ifdef __SANITIZE_THREAD__
#define SLOW 20
#else
#define SLOW 1
#endif

/* What one source delivered; frames come on streaming threads. */
typedef struct {
  GMutex lock;
  GPtrArray *record, *live[MEDIA_JPEG + 1];
  GArray *arrived[MEDIA_JPEG + 1]; /* gint64 µs, beside live */
  GArray *ages;                    /* gint64 µs of all frames */
  SourceState state;
  char *reason;
  guint states;
  gint64 oldest_us; /* what the median age may be */
  gint stuck;       /* atomic: VP8's callback does not return */
  Source *source;
} Log;

static void
on_state (Source *source, SourceState state, const char *reason, void *arg)
{
  Log *log = arg;
  log->state = state;
  log->states++;
  g_free (log->reason);
  log->reason = g_strdup (reason);
}

/* Under the lock. A loaded machine may be late once; log_close() looks at the middle. */
static void
check_fresh (Log *log, const Frame *frame)
{
  gint64 age_us = g_get_monotonic_time () - frame->capture_us;
  g_assert_cmpint (age_us, >, -50000);
  g_assert_cmpint (age_us, <, 5 * SECOND * SLOW);
  g_array_append_val (log->ages, age_us);
}

static void
check_after (GPtrArray *list, const Frame *frame)
{
  if (list->len > 0) {
    const Frame *before = list->pdata[list->len - 1];
    g_assert_cmpint (frame->capture_us, >, before->capture_us);
  }
}

static void
on_record (Source *source, Frame *frame, void *arg)
{
  Log *log = arg;
  g_mutex_lock (&log->lock);
  check_fresh (log, frame);
  check_after (log->record, frame);
  g_ptr_array_add (log->record, frame_ref (frame));
  g_mutex_unlock (&log->lock);
  g_main_context_wakeup (NULL);
}

static void
on_live (Source *source, Frame *frame, void *arg)
{
  Log *log = arg;
  while (frame->codec == MEDIA_VP8 && g_atomic_int_get (&log->stuck))
    g_usleep (1000);
  gint64 now_us = g_get_monotonic_time ();
  g_mutex_lock (&log->lock);
  check_fresh (log, frame);
  check_after (log->live[frame->codec], frame);
  g_ptr_array_add (log->live[frame->codec], frame_ref (frame));
  g_array_append_val (log->arrived[frame->codec], now_us);
  g_mutex_unlock (&log->lock);
  g_main_context_wakeup (NULL);
}

static const SourceEvents events = { on_state, on_record, on_live };

static Log *
log_open (const SourceConfig *config)
{
  Log *log = g_new0 (Log, 1);
  log->state = SOURCE_STOPPED;
  log->oldest_us = 300000;
  log->record = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  for (guint i = 0; i <= MEDIA_JPEG; i++) {
    log->live[i] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
    log->arrived[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
  }
  log->ages = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) error = NULL;
  log->source = source_new (config, &events, log, &error);
  g_assert_no_error (error);
  source_start (log->source);
  return log;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return x < y ? -1 : x > y;
}

static void
log_close (Log *log)
{
  gint64 begun_us = g_get_monotonic_time ();
  source_free (log->source);
  g_assert_cmpint (g_get_monotonic_time () - begun_us, <, 2 * SECOND * SLOW);
  /* Nothing comes after that: the lists may go. */
  if (log->ages->len > 0) {
    g_array_sort (log->ages, compare);
    gint64 middle_us = g_array_index (log->ages, gint64, log->ages->len / 2);
    g_test_message ("age of frames: median %" G_GINT64_FORMAT " us", middle_us);
    g_assert_cmpint (middle_us, <, log->oldest_us * SLOW);
  }
  g_array_unref (log->ages);
  for (guint i = 0; i <= MEDIA_JPEG; i++) {
    g_ptr_array_unref (log->live[i]);
    g_array_unref (log->arrived[i]);
  }
  g_ptr_array_unref (log->record);
  g_free (log->reason);
  g_free (log);
}

static guint
count (Log *log, GPtrArray *list)
{
  g_mutex_lock (&log->lock);
  guint n = list->len;
  g_mutex_unlock (&log->lock);
  return n;
}

static Frame *
frame_at (Log *log, GPtrArray *list, guint i)
{
  g_mutex_lock (&log->lock);
  g_assert_cmpuint (i, <, list->len);
  Frame *frame = list->pdata[i];
  g_mutex_unlock (&log->lock);
  return frame;
}

static gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main context until `condition` holds; false after `seconds`. */
#define WAIT(seconds, condition)                                                                   \
  ({                                                                                               \
    gint64 end_ = g_get_monotonic_time () + (gint64)((seconds)*SECOND);                            \
    guint tick_ = g_timeout_add (20, tick, NULL);                                                  \
    while (!(condition) && g_get_monotonic_time () < end_)                                         \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (tick_);                                                                       \
    (condition);                                                                                   \
  })

#define WAIT_FRAMES(log, list, n)                                                                  \
  g_assert_true (WAIT (((n) / 10.0) + 10, count ((log), (list)) >= (n)))

/* --- shapes --- */

/* NAL types of an Annex B access unit, as a string of letters: S, P, I(DR), N(on-IDR), x. */
static char *
nal_types (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  GString *types = g_string_new (NULL);
  for (gsize i = 0; i + 3 < size; i++)
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) {
      guint type = data[i + 3] & 31;
      g_string_append_c (types, type == 7   ? 'S'
                                : type == 8 ? 'P'
                                : type == 5 ? 'I'
                                : type == 1 ? 'N'
                                            : 'x');
      i += 3;
    }
  return g_string_free (types, FALSE);
}

static void
check_h264 (const Frame *frame)
{
  g_autofree char *types = nal_types (frame);
  g_assert_nonnull (types);
  gboolean idr = strchr (types, 'I') != NULL;
  g_assert_cmpint (idr, ==, frame->key);
  if (!idr) {
    g_assert_nonnull (strchr (types, 'N'));
    return;
  }
  g_assert_null (strchr (types, 'N'));
  const char *sps = strchr (types, 'S'), *pps = strchr (types, 'P');
  g_assert_nonnull (sps);
  g_assert_nonnull (pps);
  g_assert_true (sps < pps && pps < strchr (types, 'I'));
}

static void
check_constrained_baseline (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  for (gsize i = 0; i + 6 < size; i++)
    if (memcmp (data + i, "\0\0\1", 3) == 0 && (data[i + 3] & 31) == 7) {
      g_assert_cmpuint (data[i + 4], ==, 66);
      g_assert_true (data[i + 5] & 0x40);
      return;
    }
  g_assert_not_reached ();
}

static void
check_vp8 (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  g_assert_cmpuint (size, >, 10);
  g_assert_cmpint (!(data[0] & 1), ==, frame->key); /* RFC 6386 section 9.1 */
  if (frame->key)
    g_assert_true (memcmp (data + 3, "\x9d\x01\x2a", 3) == 0);
}

/* --- without pipelines --- */

static void
test_address (void)
{
  static const struct {
    MediaKind kind;
    const char *text;
    gboolean good;
  } cases[] = {
    { MEDIA_VIDEO, "v4l2:/dev/video0", TRUE },
    { MEDIA_VIDEO, "rtsp://10.0.0.7/stream1", TRUE },
    { MEDIA_VIDEO, "rtsp://[fe80::1]:8554/a?b=c", TRUE },
    { MEDIA_VIDEO, "test:", TRUE },
    { MEDIA_VIDEO, "test:moving", TRUE },
    { MEDIA_AUDIO, "test:", TRUE },
    { MEDIA_AUDIO, "test:moving", FALSE },
    { MEDIA_AUDIO, "pipewire:", TRUE },
    { MEDIA_AUDIO, "pipewire:alsa_input.usb", TRUE },
    { MEDIA_AUDIO, "alsa:plughw:CARD=PCH,DEV=0", TRUE },
    { MEDIA_AUDIO, "file:/a/b.wav", TRUE },
    { MEDIA_VIDEO, "", FALSE },
    { MEDIA_VIDEO, NULL, FALSE },
    { MEDIA_VIDEO, "v4l2:", FALSE },
    { MEDIA_VIDEO, "v4l2:video0", FALSE },
    { MEDIA_VIDEO, "rtsp:///stream", FALSE },
    { MEDIA_VIDEO, "rtsp://h:99999/", FALSE },
    { MEDIA_VIDEO, "rtsp://secret:word@h/", FALSE },
    { MEDIA_VIDEO, "http://secret:word@h/", FALSE },
    { MEDIA_VIDEO, "alsa:default", FALSE },
    { MEDIA_VIDEO, "test:x", FALSE },
    { MEDIA_AUDIO, "alsa:", FALSE },
    { MEDIA_AUDIO, "file:", FALSE },
    { MEDIA_AUDIO, "rtsp://h/", FALSE },
    { MEDIA_AUDIO, "\xff\xfe", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gboolean good = source_check_address (cases[i].kind, cases[i].text, &error);
    g_autofree char *text = cases[i].text ? g_strescape (cases[i].text, NULL) : NULL;
    g_test_message ("%s: %s", text ? text : "none", good ? "good" : error->message);
    g_assert_cmpint (good, ==, cases[i].good);
    if (good)
      continue;
    g_assert_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS);
    g_assert_null (strstr (error->message, "word@"));
  }
}

static void
test_config (void)
{
  static const SourceConfig bad[] = {
    { .name = "", .kind = MEDIA_VIDEO, .address = "test:" },
    { .name = "Room", .kind = MEDIA_VIDEO, .address = "test:" },
    { .name = "room\n", .kind = MEDIA_VIDEO, .address = "test:" },
    { .name = "room", .kind = MEDIA_VIDEO, .address = "test:", .width = 100000 },
    { .name = "room", .kind = MEDIA_VIDEO, .address = "nonsense" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (source_new (&bad[i], &events, NULL, &error));
    g_assert_nonnull (error);
    g_assert_true (error->domain == MEDIA_ERROR);
  }
  g_assert_nonnull (source_encoder_name (MEDIA_H264));
  g_assert_nonnull (source_encoder_name (MEDIA_VP8));
  g_assert_nonnull (source_encoder_name (MEDIA_OPUS));
  g_assert_null (source_encoder_name (MEDIA_CODEC_NONE));
  g_autoptr (GPtrArray) cameras = source_list_devices (MEDIA_VIDEO);
  g_autoptr (GPtrArray) microphones = source_list_devices (MEDIA_AUDIO);
  for (guint i = 0; i < cameras->len; i++)
    g_assert_true (source_check_address (MEDIA_VIDEO, cameras->pdata[i], NULL));
  for (guint i = 0; i < microphones->len; i++)
    g_assert_true (source_check_address (MEDIA_AUDIO, microphones->pdata[i], NULL));
}

static void
test_key_pace (void)
{
  KeyPace pace = { 0 };
  key_pace_start (&pace, 1000);
  g_assert_false (key_pace_request (&pace, 1001)); /* the first frame serves it */
  g_assert_cmpint (key_pace_due (&pace), ==, G_MAXINT64);
  key_pace_out (&pace);
  g_assert_true (key_pace_request (&pace, 20000));  /* the free one */
  g_assert_false (key_pace_request (&pace, 21000)); /* on its way already */
  key_pace_out (&pace);
  g_assert_false (key_pace_request (&pace, 22000)); /* delayed ... */
  g_assert_false (key_pace_request (&pace, 23000)); /* ... and merged */
  g_assert_cmpint (key_pace_due (&pace), ==, 20000 + KEY_PACE_US);
  g_assert_false (key_pace_tick (&pace, 20000 + KEY_PACE_US - 1));
  g_assert_true (key_pace_tick (&pace, 20000 + KEY_PACE_US));
  g_assert_false (key_pace_tick (&pace, 20000 + 2 * KEY_PACE_US));
  key_pace_out (&pace);
  g_assert_true (key_pace_request (&pace, 20000 + 3 * KEY_PACE_US));
  g_assert_false (key_pace_request (&pace, 20000 + 6 * KEY_PACE_US)); /* has not come yet */
  g_assert_true (key_pace_request (&pace, 20000 + 3 * KEY_PACE_US + KEY_LOST_US));
}

static void
test_rate (void)
{
  Rate rate;
  rate_init (&rate, TRUE, FALSE, 30);
  rate.wanted = 300000;
  g_assert_cmpuint (rate_due (&rate, 0), ==, 300000);
  g_assert_cmpuint (rate_due (&rate, 0), ==, 0);
  /* In the dark it gives 15 of the 30 frames/s: each may have twice the bits. */
  guint told = 0;
  for (gint64 i = 1; i <= 150; i++) {
    rate_picture (&rate, i * 66667);
    guint due = rate_due (&rate, i * 66667);
    told = due ? due : told;
  }
  g_assert_cmpuint (told, >, 590000);
  g_assert_cmpuint (told, <=, 600050);

  rate_init (&rate, FALSE, TRUE, 30);
  rate.wanted = 300000;
  g_assert_cmpuint (rate_due (&rate, 0), ==, 300000);
  rate.wanted = 320000; /* not worth a key frame */
  g_assert_cmpuint (rate_due (&rate, 10 * SECOND), ==, 0);
  rate.wanted = 400000;
  g_assert_cmpuint (rate_due (&rate, 10 * SECOND), ==, 400000);
  rate.wanted = 500000; /* later */
  g_assert_cmpuint (rate_due (&rate, 11 * SECOND), ==, 0);
  g_assert_cmpuint (rate_due (&rate, 12 * SECOND), ==, 500000);
  rate.wanted = 200000; /* the link broke in: at once */
  g_assert_cmpuint (rate_due (&rate, 12 * SECOND), ==, 200000);
}

/* A camera whose clock begins elsewhere and runs `ppm` fast, over a network with jitter. */
static void
check_arrival (gint64 first_delay_us, double ppm)
{
  enum { STEP = 66667, FRAMES = 15 * 120 };
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  Arrival arrival = { 0 };
  gint64 last_us = 0;
  for (gint64 i = 0; i < FRAMES; i++) {
    gint64 taken_us = 5000000 + i * STEP;
    gint64 camera_us = 777 + (gint64)(i * STEP * (1 + ppm / 1e6));
    gint64 delay_us = i == 0 ? first_delay_us : g_rand_int_range (random, 5000, 40000);
    gint64 out_us = arrival_capture_us (&arrival, camera_us, taken_us + delay_us);
    if (i > 10)
      g_assert_cmpint (out_us, <=, taken_us + delay_us);
    g_assert_cmpint (out_us, >, last_us);
    if (i > 15 * 12) {
      g_assert_cmpint (ABS (out_us - taken_us), <, 15000);
      g_assert_cmpint (ABS (out_us - last_us - STEP), <, 5000);
    }
    last_us = out_us;
  }
}

static void
test_arrival (void)
{
  check_arrival (0, 0);
  check_arrival (300000, 0); /* all that follow seem to come from the future */
  check_arrival (5000, 200);
  check_arrival (5000, -200);
  Arrival arrival = { 0 };
  arrival_capture_us (&arrival, 1000, 50000000);
  g_assert_cmpint (arrival_capture_us (&arrival, 900000000, 50066000), ==, 50066000);
  /* B-frames: times that go back stay as they are. */
  arrival_capture_us (&arrival, 900200000, 50270000);
  g_assert_cmpint (arrival_capture_us (&arrival, 900066000, 50280000), ==, 50132000);
}

static void
check_choice (const char *offered, guint width, guint height, guint rate, const char *wanted)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (offered);
  g_autoptr (GstCaps) chosen = camera_choose_caps (caps, width, height, rate);
  if (!wanted) {
    g_assert_null (chosen);
    return;
  }
  g_autoptr (GstCaps) expected = gst_caps_from_string (wanted);
  g_autofree char *text = gst_caps_to_string (chosen);
  g_test_message ("chosen: %s", text);
  g_assert_true (gst_caps_is_fixed (chosen));
  g_assert_true (gst_caps_can_intersect (chosen, expected));
}

static void
test_choose_caps (void)
{
  /* As a usual USB camera offers them: raw is slow when large. */
  const char *usb
      = "video/x-raw,format=YUY2,width=1280,height=720,framerate=10/1;"
        "video/x-raw,format=YUY2,width=640,height=360,framerate={(fraction)30/1,(fraction)15/1};"
        "image/jpeg,width=1920,height=1080,framerate=30/1;"
        "image/jpeg,width=1280,height=720,framerate={(fraction)30/1,(fraction)15/1}";
  gst_init (NULL, NULL);
  check_choice (usb, 1280, 720, 30, "image/jpeg,width=1280,height=720,framerate=30/1");
  check_choice (usb, 1280, 720, 10, "video/x-raw,width=1280,height=720,framerate=10/1");
  check_choice (usb, 640, 360, 15, "video/x-raw,width=640,height=360,framerate=15/1");
  check_choice ("video/x-raw,width=[16,4096],height=[16,4096],framerate=[1/1,60/1]", 1280, 720, 30,
                "video/x-raw,width=1280,height=720,framerate=30/1");
  check_choice ("video/x-h264,width=1280,height=720,framerate=30/1", 640, 360, 15, "video/x-h264");
  check_choice ("video/x-bayer,width=640,height=480", 640, 360, 15, NULL);
}

static void
test_scene (void)
{
  enum { W = 640, H = 360 };
  TestScene *scene = test_scene_new ("room", W, H, 15);
  g_autofree guint8 *picture = g_malloc0 (W * H * 3 / 2);
  test_scene_draw (scene, picture, W * H); /* too small: untouched, not counted */
  guint32 number;
  for (guint i = 0; i < 40; i++) {
    test_scene_draw (scene, picture, W * H * 3 / 2);
    g_assert_true (test_scene_number (picture, W, H, W, &number));
    g_assert_cmpuint (number, ==, i);
  }
  memset (picture, 128, W * H);
  g_assert_false (test_scene_number (picture, W, H, W, &number));
  test_scene_free (scene);
}

static void
test_moving_scene (void)
{
  enum { W = 640, H = 360, SIZE = W * H * 3 / 2, ABOVE = W * (H - H / 36 - 1) };
  const gint64 now = 1790000000123;
  MovingScene *scene = moving_scene_new (W, H, 15);
  g_autofree guint8 *seen = g_malloc0 (SIZE), *due = g_malloc0 (SIZE);
  moving_scene_draw (scene, now, seen, SIZE - 1); /* too small: untouched */
  g_assert_cmpmem (seen, SIZE, due, SIZE);
  guint32 number;
  for (guint ms = 0; ms < 400; ms += 40) {
    moving_scene_draw (scene, now + ms, seen, SIZE);
    g_assert_true (test_scene_number (seen, W, H, W, &number));
    g_assert_cmpuint (number, ==, (now + ms) & 0xffffff);
    /* Its time alone tells what it shows. */
    moving_scene_draw_index (scene, moving_scene_index (scene, now + ms), due, SIZE);
    g_assert_cmpmem (seen, ABOVE, due, ABOVE);
  }
  moving_scene_draw (scene, now, due, SIZE);
  g_assert_cmpint (memcmp (seen, due, ABOVE), !=, 0);
  g_assert_cmpuint (moving_scene_index (scene, now), ==,
                    moving_scene_index (scene, now + MOVING_SCENE_PERIOD * 1000 / 15));
  moving_scene_free (scene);
}

static void
test_babble (void)
{
  enum { RATE = 16000, N = RATE * 5 };
  g_autofree gint16 *one = g_new (gint16, N), *two = g_new (gint16, N);
  babble (one, N, RATE, 3);
  babble (two, N, RATE, 3);
  g_assert_cmpmem (one, N * 2, two, N * 2);
  guint loud = 0, silent = 0;
  for (guint i = 0; i < N; i++) {
    loud += ABS (one[i]) > 1000;
    silent += one[i] == 0;
  }
  g_assert_cmpuint (loud, >, N / 10);
  g_assert_cmpuint (silent, >, N / 20);
  g_assert_cmpint (one[0], ==, 0);
  g_assert_cmpint (one[N - 1], ==, 0);
}

/* --- the test camera --- */

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
      rung_fit (prefer, MEDIA_H264, sizes[i][0], sizes[i][1], steps);
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
  rung_fit (RUNG_FAITHFUL, MEDIA_OPUS, 0, 0, sound);
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
    { MEDIA_H264, 3, 320, 180, 17, 2 },
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
  WAIT_FRAMES (log, list, 49);
  gsize bytes = 0;
  for (guint i = 0; i < 48; i++)
    bytes += g_bytes_get_size (frame_at (log, list, i)->data);
  gint64 span_us = frame_at (log, list, 48)->capture_us - frame_at (log, list, 0)->capture_us;
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

/* --- RTSP cameras --- */

typedef struct {
  GPid pid;
  guint port;
} Sim;

static char *
sim_path (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *dir = g_path_get_dirname (self);
  return g_build_filename (dir, "..", "sim", "sim-camera", NULL);
}

static gboolean
have_sim (void)
{
  g_autofree char *path = sim_path ();
  if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    return TRUE;
  g_test_skip ("sim-camera is not built: gstreamer-rtsp-server-1.0 is missing");
  return FALSE;
}

/* A test that is aborted leaves no camera behind. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* options: further words for its command line. */
static Sim
sim_start (guint port, const char *options)
{
  g_autofree char *path = sim_path ();
  g_autofree char *line
      = g_strdup_printf ("%s --port %u --name room --name exam %s", path, port, options);
  g_auto (GStrv) argv = g_strsplit (g_strstrip (line), " ", -1);
  int out;
  Sim sim = { 0 };
  g_autoptr (GError) error = NULL;
  g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                            &sim.pid, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  char text[256] = { 0 };
  for (gsize n = 0; n < sizeof text - 1 && !strchr (text, '\n'); n += strlen (text + n))
    g_assert_cmpint (read (out, text + n, sizeof text - 1 - n), >, 0);
  close (out);
  g_assert_cmpint (sscanf (text, "ready rtsp://127.0.0.1:%u/room", &sim.port), ==, 1);
  return sim;
}

static void
sim_stop (Sim *sim, int number)
{
  kill (sim->pid, number);
  waitpid (sim->pid, NULL, 0);
  g_spawn_close_pid (sim->pid);
}

static Log *
log_open_rtsp (const Sim *sim, const char *name, const char *user, const char *password)
{
  g_autofree char *address = g_strdup_printf ("rtsp://127.0.0.1:%u/%s", sim->port, name);
  SourceConfig config = {
    .name = name, .kind = MEDIA_VIDEO, .address = address, .user = user, .password = password
  };
  return log_open (&config);
}

static void
test_rtsp (void)
{
  if (!have_sim ())
    return;
  Sim sim = sim_start (0, "");
  Log *log = log_open_rtsp (&sim, "room", NULL, NULL);
  g_assert_true (WAIT (10, log->state == SOURCE_RUNNING));
  source_set_recording (log->source, TRUE);
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  source_set_live (log->source, MEDIA_VP8, 0, TRUE);
  WAIT_FRAMES (log, log->record, 65);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 30);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], 30);
  /* The camera's own frames: main profile, and a key frame after each 30, none lost. */
  Frame *first = frame_at (log, log->record, 0);
  g_assert_true (first->key);
  g_autofree char *types = nal_types (first);
  g_test_message ("first record frame: %s", types);
  for (guint i = 0; i < 65; i++) {
    Frame *frame = frame_at (log, log->record, i);
    check_h264 (frame);
    g_assert_cmpint (frame->key, ==, i % 30 == 0);
    g_assert_cmpuint (frame->width, ==, 640);
  }
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 1; i < 65; i++) {
    gint64 step_us = frame_at (log, log->record, i)->capture_us
                     - frame_at (log, log->record, i - 1)->capture_us;
    g_array_append_val (steps, step_us);
  }
  g_array_sort (steps, compare);
  g_assert_cmpint (ABS (g_array_index (steps, gint64, 32) - SECOND / 15), <, 5000);
  check_constrained_baseline (frame_at (log, log->live[MEDIA_H264], 0));
  log_close (log);
  sim_stop (&sim, SIGTERM);
}

static void
test_rtsp_comes_back (void)
{
  if (!have_sim ())
    return;
  Sim dying = sim_start (0, ""), other = sim_start (0, "");
  Log *one = log_open_rtsp (&dying, "room", NULL, NULL),
      *two = log_open_rtsp (&other, "exam", NULL, NULL);
  source_set_recording (one->source, TRUE);
  source_set_live (one->source, MEDIA_H264, 0, TRUE);
  source_set_recording (two->source, TRUE);
  WAIT_FRAMES (one, one->live[MEDIA_H264], 5);
  WAIT_FRAMES (two, two->record, 5);
  guint states = two->states;

  sim_stop (&dying, SIGKILL);
  g_assert_true (WAIT (6, one->state == SOURCE_MISSING));
  g_test_message ("killed: %s", one->reason);
  guint lived = count (one, one->record), live = count (one, one->live[MEDIA_H264]);
  dying = sim_start (dying.port, "");
  g_assert_true (WAIT (12, one->state == SOURCE_RUNNING));
  g_assert_null (one->reason);
  WAIT_FRAMES (one, one->record, lived + 5);
  WAIT_FRAMES (one, one->live[MEDIA_H264], live + 5);
  g_assert_true (frame_at (one, one->record, lived)->key);
  g_assert_true (frame_at (one, one->live[MEDIA_H264], live)->key);

  /* Stopped without a word: the watchdog sees it. */
  kill (dying.pid, SIGSTOP);
  g_assert_true (WAIT (8, one->state == SOURCE_MISSING));
  g_test_message ("silent: %s", one->reason);
  g_assert_true (g_str_has_prefix (one->reason, "no-data:"));
  log_close (one); /* prompt, though the camera does not answer */
  kill (dying.pid, SIGCONT);

  g_assert_cmpint (two->state, ==, SOURCE_RUNNING);
  g_assert_cmpuint (two->states, ==, states);
  for (guint i = 1; i < count (two, two->record); i++) {
    gint64 step_us = frame_at (two, two->record, i)->capture_us
                     - frame_at (two, two->record, i - 1)->capture_us;
    g_assert_cmpint (step_us, <, 500000);
  }
  log_close (two);
  sim_stop (&dying, SIGTERM);
  sim_stop (&other, SIGTERM);
}

static void
test_rtsp_login (void)
{
  if (!have_sim ())
    return;
  Sim sim = sim_start (0, "--user viewer --password rosemary");
  Log *right = log_open_rtsp (&sim, "room", "viewer", "rosemary");
  Log *wrong = log_open_rtsp (&sim, "exam", "viewer", "thyme");
  Log *none = log_open_rtsp (&sim, "exam", NULL, NULL);
  g_assert_true (WAIT (10, right->state == SOURCE_RUNNING));
  g_assert_true (WAIT (10, wrong->state == SOURCE_MISSING && none->state == SOURCE_MISSING));
  g_test_message ("wrong: %s; none: %s", wrong->reason, none->reason);
  g_assert_true (g_str_has_prefix (wrong->reason, "refused:"));
  g_assert_true (g_str_has_prefix (none->reason, "refused:"));
  g_assert_null (strstr (wrong->reason, "thyme"));
  log_close (right);
  log_close (wrong);
  log_close (none);
  Log *nowhere = log_open_rtsp (&sim, "kitchen", "viewer", "rosemary");
  g_assert_true (WAIT (10, nowhere->state == SOURCE_MISSING));
  g_assert_true (g_str_has_prefix (nowhere->reason, "not-found:"));
  log_close (nowhere);
  sim_stop (&sim, SIGTERM);
}

static void
test_rtsp_b_frames (void)
{
  if (!have_sim ())
    return;
  Sim sim = sim_start (0, "--b-frames 2");
  Log *log = log_open_rtsp (&sim, "room", NULL, NULL);
  log->oldest_us = 600000; /* reordering takes the camera three pictures */
  source_set_live (log->source, MEDIA_H264, 0, TRUE);
  WAIT_FRAMES (log, log->live[MEDIA_H264], 20);
  source_set_recording (log->source, TRUE);
  WAIT_FRAMES (log, log->record, 20); /* their order is checked as they come */
  for (guint i = 0; i < 20; i++)
    check_h264 (frame_at (log, log->record, i));
  log_close (log);
  sim_stop (&sim, SIGTERM);
}

/* What cannot be recorded as it comes is encoded anew. */
static void
test_rtsp_jpeg (void)
{
  if (!have_sim ())
    return;
  Sim sim = sim_start (0, "--codec jpeg");
  Log *log = log_open_rtsp (&sim, "room", NULL, NULL);
  source_set_live (log->source, MEDIA_VP8, 0, TRUE);
  source_set_recording (log->source, TRUE);
  WAIT_FRAMES (log, log->record, 35);
  WAIT_FRAMES (log, log->live[MEDIA_VP8], 10);
  guint keys = 0;
  for (guint i = 0; i < 35; i++) {
    check_h264 (frame_at (log, log->record, i));
    keys += frame_at (log, log->record, i)->key;
  }
  g_assert_cmpuint (keys, ==, 2);
  log_close (log);
  sim_stop (&sim, SIGTERM);
}

static void
test_rtsp_udp (void)
{
  if (!have_sim ())
    return;
  Sim sim = sim_start (0, "--udp");
  Log *log = log_open_rtsp (&sim, "room", NULL, NULL);
  source_set_recording (log->source, TRUE);
  g_assert_true (WAIT (12, log->state == SOURCE_RUNNING)); /* the second attempt */
  WAIT_FRAMES (log, log->record, 20);
  log_close (log);
  sim_stop (&sim, SIGTERM);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Cameras that misbehave are warned about. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/source/address", test_address);
  g_test_add_func ("/source/config", test_config);
  g_test_add_func ("/source/key-pace", test_key_pace);
  g_test_add_func ("/source/arrival", test_arrival);
  g_test_add_func ("/source/rate", test_rate);
  g_test_add_func ("/source/choose-caps", test_choose_caps);
  g_test_add_func ("/source/scene", test_scene);
  g_test_add_func ("/source/moving-scene", test_moving_scene);
  g_test_add_func ("/source/babble", test_babble);
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
  g_test_add_func ("/source/rtsp/frames", test_rtsp);
  g_test_add_func ("/source/rtsp/comes-back", test_rtsp_comes_back);
  g_test_add_func ("/source/rtsp/login", test_rtsp_login);
  g_test_add_func ("/source/rtsp/b-frames", test_rtsp_b_frames);
  g_test_add_func ("/source/rtsp/jpeg", test_rtsp_jpeg);
  g_test_add_func ("/source/rtsp/udp", test_rtsp_udp);
  return g_test_run ();
}
