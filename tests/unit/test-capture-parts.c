/* What capture is made of, without a pipeline: addresses, caps, paces, clocks, made-up scenes. */
#include "media/capture/arrival.h"
#include "media/capture/babble.h"
#include "media/capture/camera.h"
#include "media/capture/key_pace.h"
#include "media/capture/moving_scene.h"
#include "media/capture/rate.h"
#include "media/capture/test_scene.h"
#include "media/error.h"
#include "source_log.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capture-parts/address", test_address);
  g_test_add_func ("/capture-parts/config", test_config);
  g_test_add_func ("/capture-parts/key-pace", test_key_pace);
  g_test_add_func ("/capture-parts/arrival", test_arrival);
  g_test_add_func ("/capture-parts/rate", test_rate);
  g_test_add_func ("/capture-parts/choose-caps", test_choose_caps);
  g_test_add_func ("/capture-parts/scene", test_scene);
  g_test_add_func ("/capture-parts/moving-scene", test_moving_scene);
  g_test_add_func ("/capture-parts/babble", test_babble);
  return g_test_run ();
}
