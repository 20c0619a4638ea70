#include "media/mux/mux.h"
#include "media/mux/annexb.h"
#include <gst/gst.h>
#include <gst/app/gstappsink.h>
#include <glib/gstdio.h>
#include <string.h>

/* Frames come from real encoders, files go to ffprobe and ffmpeg: neither end is ours. */

enum { EPOCH_US = 5000000, FRAGMENT_US = 500000 };

static char *
encoder_text (MediaCodec codec, guint n, guint width, guint height)
{
  if (codec == MEDIA_OPUS)
    return g_strdup_printf ("audiotestsrc num-buffers=%u samplesperbuffer=960 ! "
                            "audio/x-raw,rate=48000,channels=1 ! opusenc ! "
                            "appsink name=out sync=false",
                            n);
  const char *encoder = codec == MEDIA_H264
                            ? "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 "
                              "bframes=0 ! "
                              "video/x-h264,profile=constrained-baseline,"
                              "alignment=au,stream-format=byte-stream"
                            : "vp8enc deadline=1 cpu-used=16 keyframe-max-dist=30";
  return g_strdup_printf ("videotestsrc num-buffers=%u pattern=ball ! "
                          "video/x-raw,width=%u,height=%u,framerate=30/1 ! %s ! "
                          "appsink name=out sync=false",
                          n, width, height, encoder);
}

static Frame *
frame_of_sample (GstSample *sample, MediaCodec codec)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_autoptr (GBytes) data = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gboolean key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  gint64 pts_us = (gint64)(GST_BUFFER_PTS (buffer) / 1000);
  return frame_new (codec, key || codec == MEDIA_OPUS, pts_us,
                    (gint64)(GST_BUFFER_DURATION (buffer) / 1000), data);
}

/* The first frame is captured at start_us, whatever time the encoder begins with. */
static GPtrArray *
encoded (MediaCodec codec, guint n, guint width, guint height, gint64 start_us)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  g_autofree char *text = encoder_text (codec, n, width, height);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstSample *sample;
  gint64 first_us = -1;
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    Frame *frame = frame_of_sample (sample, codec);
    if (first_us < 0)
      first_us = frame->capture_us;
    frame->capture_us += start_us - first_us;
    g_ptr_array_add (frames, frame);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_assert_cmpuint (frames->len, >=, n);
  return frames;
}

typedef struct {
  GBytes *bytes;
  MuxFlags flags;
  gint64 pts_us;
} Fragment;

static void
fragment_clear (gpointer data)
{
  g_bytes_unref (((Fragment *)data)->bytes);
}

static GArray *
fragments_new (void)
{
  GArray *fragments = g_array_new (FALSE, FALSE, sizeof (Fragment));
  g_array_set_clear_func (fragments, fragment_clear);
  return fragments;
}

static void
collect (GBytes *bytes, MuxFlags flags, gint64 pts_us, void *arg)
{
  Fragment fragment = { g_bytes_ref (bytes), flags, pts_us };
  g_array_append_val ((GArray *)arg, fragment);
}

static GArray *
muxed (GPtrArray *frames, char **ret_mime)
{
  GArray *fragments = fragments_new ();
  Frame *first = frames->pdata[0];
  Mux *mux = mux_new (first->codec, EPOCH_US, FRAGMENT_US, collect, fragments);
  g_assert_null (mux_mime_type (mux));
  for (guint i = 0; i < frames->len; i++)
    mux_push (mux, frames->pdata[i]);
  *ret_mime = g_strdup (mux_mime_type (mux));
  mux_free (mux);
  return fragments;
}

static Fragment
fragment_at (GArray *fragments, guint i)
{
  return g_array_index (fragments, Fragment, i);
}

/* Writes the header and the fragments [from, to) into a file. */
static char *
file_of (GArray *fragments, guint init, guint from, guint to)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  for (guint i = init; i < to; i = i == init ? from : i + 1) {
    gsize size;
    const guint8 *data = g_bytes_get_data (fragment_at (fragments, i).bytes, &size);
    g_byte_array_append (all, data, (guint)size);
  }
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("test-mux-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, (const char *)all->data, all->len, &error);
  g_assert_no_error (error);
  return path;
}

static char *
output_of (const char *const *argv)
{
  char *out = NULL;
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                &error);
  g_assert_no_error (error);
  if (err[0] != '\0')
    g_error ("%s: %s", argv[0], err);
  g_assert_cmpint (status, ==, 0);
  return out;
}

/* ffmpeg decodes it without a word of complaint. */
static void
assert_decodes (const char *path)
{
  const char *argv[] = { "ffmpeg", "-v", "warning", "-i", path, "-f", "null", "-", NULL };
  g_free (output_of (argv));
}

typedef struct {
  guint packets, keys;
  double first, last; /* s */
} Probe;

static Probe
probed (const char *path)
{
  const char *argv[]
      = { "ffprobe", "-v", "warning", "-show_entries", "packet=pts_time,flags", "-of",
          "csv=p=0", path, NULL };
  g_autofree char *out = output_of (argv);
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  Probe probe = { 0 };
  for (guint i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++) {
    double time = g_ascii_strtod (lines[i], NULL);
    g_assert_true (i == 0 || time > probe.last);
    probe.last = time;
    if (probe.packets++ == 0)
      probe.first = probe.last;
    probe.keys += strchr (lines[i], 'K') != NULL;
  }
  return probe;
}

static char *
stream_entry (const char *path, const char *entries)
{
  g_autofree char *show = g_strconcat ("stream=", entries, NULL);
  const char *argv[]
      = { "ffprobe", "-v", "warning", "-show_entries", show, "-of", "csv=p=0", path, NULL };
  return g_strchomp (output_of (argv));
}

static gboolean
have_tools (void)
{
  g_autofree char *ffmpeg = g_find_program_in_path ("ffmpeg");
  if (ffmpeg == NULL)
    g_test_skip ("ffmpeg is not installed");
  return ffmpeg != NULL;
}

static void
assert_near (double a, double b, double within)
{
  g_assert_cmpfloat_with_epsilon (a, b, within);
}

/* Starts 1.25 s after the epoch: that is where the file's time must begin. */
static void
check_video (MediaCodec codec, const char *mime, const char *stream)
{
  if (!have_tools ())
    return;
  g_autoptr (GPtrArray) frames = encoded (codec, 90, 640, 360, EPOCH_US + 1250000);
  g_autofree char *got_mime = NULL;
  g_autoptr (GArray) fragments = muxed (frames, &got_mime);
  g_assert_cmpstr (got_mime, ==, mime);
  g_assert_cmpint (fragment_at (fragments, 0).flags, ==, MUX_INIT);
  g_assert_cmpint (fragment_at (fragments, 0).pts_us, ==, EPOCH_US + 1250000);
  g_assert_cmpint (fragment_at (fragments, 1).flags, ==, MUX_KEY);
  /* 3 s, cut each half second and at each key frame */
  g_assert_cmpuint (fragments->len, >=, 7);
  g_assert_cmpuint (fragments->len, <=, 10);
  g_autofree char *path = file_of (fragments, 0, 1, fragments->len);
  assert_decodes (path);
  Probe probe = probed (path);
  g_assert_cmpuint (probe.packets, ==, 90);
  g_assert_cmpuint (probe.keys, ==, 3);
  assert_near (probe.first, 1.25, 0.002);
  assert_near (probe.last, 1.25 + 89 / 30.0, 0.002);
  g_autofree char *entry = stream_entry (path, "codec_name,width,height");
  g_assert_cmpstr (entry, ==, stream);
  g_unlink (path);
}

static void
test_h264 (void)
{
  check_video (MEDIA_H264, "video/mp4; codecs=\"avc1.42c01e\"", "h264,640,360");
}

static void
test_vp8 (void)
{
  check_video (MEDIA_VP8, "video/webm; codecs=\"vp8\"", "vp8,640,360");
}

static void
test_opus (void)
{
  if (!have_tools ())
    return;
  g_autoptr (GPtrArray) frames = encoded (MEDIA_OPUS, 100, 0, 0, EPOCH_US + 40000);
  for (guint i = 0; i < frames->len; i++) /* the encoder's first packet is shorter */
    ((Frame *)frames->pdata[i])->capture_us = EPOCH_US + 40000 + i * 20000;
  g_autofree char *mime = NULL;
  g_autoptr (GArray) fragments = muxed (frames, &mime);
  g_assert_cmpstr (mime, ==, "audio/webm; codecs=\"opus\"");
  g_assert_cmpuint (fragments->len, ==, 1 + (frames->len + 24) / 25);
  for (guint i = 1; i < fragments->len; i++)
    g_assert_cmpint (fragment_at (fragments, i).flags, ==, MUX_KEY);
  g_autofree char *path = file_of (fragments, 0, 1, fragments->len);
  assert_decodes (path);
  Probe probe = probed (path);
  g_assert_cmpuint (probe.packets, ==, frames->len);
  assert_near (probe.first, 0.04, 0.001);
  assert_near (probe.last, 0.04 + 0.02 * (frames->len - 1), 0.001);
  g_autofree char *entry = stream_entry (path, "codec_name,sample_rate,channels");
  g_assert_cmpstr (entry, ==, "opus,48000,1");
  g_unlink (path);
}

/* The header and a run that begins later, at a key fragment, play too. */
static void
check_late_start (MediaCodec codec)
{
  if (!have_tools ())
    return;
  g_autoptr (GPtrArray) frames = encoded (codec, 90, 320, 240, EPOCH_US);
  g_autofree char *mime = NULL;
  g_autoptr (GArray) fragments = muxed (frames, &mime);
  guint from = 2;
  while (!(fragment_at (fragments, from).flags & MUX_KEY))
    from++;
  g_autofree char *path = file_of (fragments, 0, from, fragments->len);
  assert_decodes (path);
  Probe probe = probed (path);
  g_assert_cmpuint (probe.packets, ==, 60);
  g_assert_cmpuint (probe.keys, ==, 2);
  assert_near (probe.first, 1.0, 0.002);
  g_unlink (path);
}

static void
test_h264_late_start (void)
{
  check_late_start (MEDIA_H264);
}

static void
test_vp8_late_start (void)
{
  check_late_start (MEDIA_VP8);
}

static void
check_size_change (MediaCodec codec, const char *first, const char *second)
{
  if (!have_tools ())
    return;
  g_autoptr (GPtrArray) frames = encoded (codec, 40, 320, 240, EPOCH_US);
  g_autoptr (GPtrArray) more = encoded (codec, 45, 640, 480, EPOCH_US + 2000000);
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (frames, frame_ref (more->pdata[i]));
  g_autofree char *mime = NULL;
  g_autoptr (GArray) fragments = muxed (frames, &mime);
  guint init = 1;
  while (!(fragment_at (fragments, init).flags & MUX_INIT))
    init++;
  g_assert_cmpint (fragment_at (fragments, init).pts_us, ==, EPOCH_US + 2000000);
  g_assert_cmpint (fragment_at (fragments, init + 1).flags, ==, MUX_KEY);
  g_autofree char *before = file_of (fragments, 0, 1, init);
  g_autofree char *after = file_of (fragments, init, init + 1, fragments->len);
  assert_decodes (before);
  assert_decodes (after);
  g_assert_cmpuint (probed (before).packets, ==, 40);
  g_assert_cmpuint (probed (after).packets, ==, 45);
  assert_near (probed (after).first, 2.0, 0.002);
  g_autofree char *old = stream_entry (before, "width,height");
  g_autofree char *new = stream_entry (after, "width,height");
  g_assert_cmpstr (old, ==, first);
  g_assert_cmpstr (new, ==, second);
  g_unlink (before);
  g_unlink (after);
}

static void
test_h264_size_change (void)
{
  check_size_change (MEDIA_H264, "320,240", "640,480");
}

static void
test_vp8_size_change (void)
{
  check_size_change (MEDIA_VP8, "320,240", "640,480");
}

static void
push_bytes (Mux *mux, MediaCodec codec, gboolean key, gint64 capture_us, const void *data,
            gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (Frame) frame = frame_new (codec, key, capture_us, 0, bytes);
  mux_push (mux, frame);
}

/* What cannot begin a file is left out: frames before the first key frame, before the epoch, of
 * another codec, key frames that are none, and what depends on these. */
static void
test_useless_frames (void)
{
  static const guint8 key[] = { 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, 1, 2, 3 };
  static const guint8 delta[] = { 0x11, 0, 0, 1, 2, 3 };
  g_autoptr (GArray) fragments = fragments_new ();
  Mux *mux = mux_new (MEDIA_VP8, EPOCH_US, FRAGMENT_US, collect, fragments);
  push_bytes (mux, MEDIA_VP8, FALSE, EPOCH_US, delta, sizeof delta);
  push_bytes (mux, MEDIA_VP8, TRUE, EPOCH_US - 1, key, sizeof key);
  push_bytes (mux, MEDIA_OPUS, TRUE, EPOCH_US, key, sizeof key);
  push_bytes (mux, MEDIA_VP8, TRUE, EPOCH_US, key, 9);
  push_bytes (mux, MEDIA_VP8, FALSE, EPOCH_US + 1, delta, sizeof delta);
  mux_flush (mux);
  g_assert_cmpuint (fragments->len, ==, 0);
  push_bytes (mux, MEDIA_VP8, TRUE, EPOCH_US + 10, key, sizeof key);
  push_bytes (mux, MEDIA_VP8, TRUE, EPOCH_US + 20, key, 9);
  push_bytes (mux, MEDIA_VP8, FALSE, EPOCH_US + 30, delta, sizeof delta);
  mux_flush (mux);
  mux_flush (mux);
  g_assert_cmpuint (fragments->len, ==, 2);
  mux_free (mux);
  g_assert_cmpuint (fragments->len, ==, 2);
}

/* Times that stand still or go back are moved on: a file's decode times grow. */
static void
test_times_grow (void)
{
  if (!have_tools ())
    return;
  g_autoptr (GPtrArray) frames = encoded (MEDIA_H264, 30, 320, 240, EPOCH_US);
  for (guint i = 10; i < 20; i++)
    ((Frame *)frames->pdata[i])->capture_us = EPOCH_US + 300000 - i * 1000;
  g_autofree char *mime = NULL;
  g_autoptr (GArray) fragments = muxed (frames, &mime);
  g_autofree char *path = file_of (fragments, 0, 1, fragments->len);
  g_assert_cmpuint (probed (path).packets, ==, 30);
  g_unlink (path);
}

static void
test_nal_walk (void)
{
  static const guint8 unit[]
      = { 0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0, 0, 1, 0x65 };
  static const guint types[] = { 9, 7, 5 };
  gsize position = 0, size;
  const guint8 *nal;
  guint n = 0;
  while (annexb_next (unit, sizeof unit, &position, &nal, &size))
    g_assert_cmpuint (annexb_type (nal), ==, types[n++]);
  g_assert_cmpuint (n, ==, 3);
  position = 0;
  g_assert_false (annexb_next (unit, 3, &position, &nal, &size));
  position = 0;
  g_assert_false (annexb_next (unit + 4, 2, &position, &nal, &size));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/mux/h264", test_h264);
  g_test_add_func ("/mux/vp8", test_vp8);
  g_test_add_func ("/mux/opus", test_opus);
  g_test_add_func ("/mux/h264-late-start", test_h264_late_start);
  g_test_add_func ("/mux/vp8-late-start", test_vp8_late_start);
  g_test_add_func ("/mux/h264-size-change", test_h264_size_change);
  g_test_add_func ("/mux/vp8-size-change", test_vp8_size_change);
  g_test_add_func ("/mux/useless-frames", test_useless_frames);
  g_test_add_func ("/mux/times-grow", test_times_grow);
  g_test_add_func ("/mux/nal-walk", test_nal_walk);
  return g_test_run ();
}
