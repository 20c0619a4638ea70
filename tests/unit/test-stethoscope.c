/* A stethoscope: what is live is Opus that leaves nothing out, what is recorded is the sound bit
 * for bit, out of the muxer too. */
#include "media/capture/echo.h"
#include "media/capture/source.h"
#include "media/mux/mux.h"
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>

enum { RATE = 48000, SAMPLES = RATE * 3 / 2, PATTERN = 96 };

typedef struct {
  GMutex lock;
  GPtrArray *live, *record; /* Frame */
} Log;

static void
keep (Log *log, GPtrArray *list, Frame *frame)
{
  g_mutex_lock (&log->lock);
  g_ptr_array_add (list, frame_ref (frame));
  g_mutex_unlock (&log->lock);
  g_main_context_wakeup (NULL);
}

static void
on_live (Source *source, Frame *frame, void *arg)
{
  keep (arg, ((Log *)arg)->live, frame);
}

static void
on_record (Source *source, Frame *frame, void *arg)
{
  keep (arg, ((Log *)arg)->record, frame);
}

static gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for (Log *log, GPtrArray *list, guint n)
{
  gint64 end_us = g_get_monotonic_time () + 40 * G_USEC_PER_SEC;
  guint timer = g_timeout_add (50, tick, NULL), have = 0;
  while (have < n) {
    g_mutex_lock (&log->lock);
    have = list->len;
    g_mutex_unlock (&log->lock);
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    if (have < n)
      g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (timer);
}

/* Noise: any stretch of it is found again in one place only. */
static char *
write_noise (gint16 *samples)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  for (guint i = 0; i < SAMPLES; i++)
    samples[i] = (gint16)g_rand_int_range (rand, -20000, 20000);
  guint32 header[] = { 0x46464952, 36 + 2 * SAMPLES, 0x45564157, 0x20746d66, 16, 1 | 1 << 16, RATE,
                       RATE * 2,   2 | 16 << 16,     0x61746164, 2 * SAMPLES };
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, (guint8 *)header, sizeof header);
  g_byte_array_append (file, (guint8 *)samples, SAMPLES * 2);
  char *path = NULL;
  int fd = g_file_open_tmp ("noise-XXXXXX.wav", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (char *)file->data, file->len, NULL));
  return path;
}

static Source *
open_stethoscope (Log *log, const char *path)
{
  static const SourceEvents events = { NULL, on_record, on_live };
  g_autofree char *address = g_strconcat ("file:", path, NULL);
  SourceConfig config
      = { .name = "stethoscope", .kind = MEDIA_AUDIO, .address = address, .prefer = RUNG_FAITHFUL };
  g_autoptr (GError) error = NULL;
  g_mutex_init (&log->lock);
  log->live = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  log->record = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  Source *source = source_new (&config, &events, log, &error);
  g_assert_no_error (error);
  source_start (source);
  return source;
}

static void
close_stethoscope (Log *log, Source *source, const char *path)
{
  source_free (source);
  g_ptr_array_unref (log->live);
  g_ptr_array_unref (log->record);
  g_mutex_clear (&log->lock);
  g_unlink (path);
}

static void
on_fragment (GBytes *fragment, MuxFlags flags, gint64 pts_us, void *arg)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (fragment, &size);
  g_byte_array_append (arg, data, (guint)size);
}

/* The fragments as a file, out of which another reader takes the samples. */
static GArray *
play (GByteArray *file)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("record-XXXXXX.mp4", &path, NULL);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (char *)file->data, file->len, NULL));
  g_autofree char *text = g_strdup_printf ("filesrc location=%s ! qtdemux ! flacparse ! flacdec ! "
                                           "audio/x-raw,format=S16LE,rate=48000,channels=1 ! "
                                           "appsink name=out sync=false",
                                           path);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GArray *samples = g_array_new (FALSE, FALSE, sizeof (gint16));
  GstSample *sample;
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    GstMapInfo map;
    g_assert_true (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
    g_array_append_vals (samples, map.data, (guint)(map.size / 2));
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_unlink (path);
  g_free (path);
  return samples;
}

static guint
place_of (const gint16 *all, const gint16 *first)
{
  for (guint i = 0; i + PATTERN <= SAMPLES; i++)
    if (memcmp (all + i, first, PATTERN * sizeof *first) == 0)
      return i;
  g_assert_not_reached ();
}

static void
test_record (void)
{
  enum { FRAMES = 25 };
  g_autofree gint16 *samples = g_new (gint16, SAMPLES);
  g_autofree char *path = write_noise (samples);
  Log log;
  Source *source = open_stethoscope (&log, path);
  source_set_recording (source, TRUE);
  wait_for (&log, log.record, FRAMES);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  Frame *first = log.record->pdata[0];
  Mux *mux = mux_new (MEDIA_FLAC, first->capture_us, 500000, on_fragment, file);
  for (guint i = 0; i < FRAMES; i++)
    mux_push (mux, log.record->pdata[i]);
  mux_flush (mux);
  g_assert_cmpstr (mux_mime_type (mux), ==, "audio/mp4; codecs=\"flac\"");
  mux_free (mux);
  g_autoptr (GArray) played = play (file);
  g_assert_cmpuint (played->len, ==, FRAMES * FLAC_BLOCK);
  const gint16 *heard = (const gint16 *)played->data;
  guint place = place_of (samples, heard);
  for (guint i = 0; i < played->len; i++)
    g_assert_cmpint (heard[i], ==, samples[(place + i) % SAMPLES]);
  close_stethoscope (&log, source, path);
}

/* RFC 6716 §3.1: of the fullband modes, and how many frames the packet has. */
static void
check_packet (const Frame *frame, guint frames, gsize bytes)
{
  enum { CELT_FULLBAND_20MS = 31 };
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  g_assert_cmpint (frame->codec, ==, MEDIA_OPUS);
  g_assert_cmpuint (size, ==, bytes);
  g_assert_cmpuint (data[0] >> 3, ==, CELT_FULLBAND_20MS);
  g_assert_cmpuint (data[0] & 4, ==, 0); /* mono */
  g_assert_cmpuint ((data[0] & 3) == 0 ? 1 : data[1] & 63, ==, frames);
}

static void
test_live (void)
{
  static const guint frames[] = { 1, 3 };
  g_autofree gint16 *samples = g_new (gint16, SAMPLES);
  g_autofree char *path = write_noise (samples);
  for (guint rung = 0; rung < G_N_ELEMENTS (frames); rung++) {
    Log log;
    Source *source = open_stethoscope (&log, path);
    source_set_live_loss (source, MEDIA_OPUS, rung, 20); /* makes no FEC of it */
    source_set_live (source, MEDIA_OPUS, rung, TRUE);
    wait_for (&log, log.live, 40);
    for (guint i = 0; i < 40; i++) /* 64 kbit/s, every packet alike */
      check_packet (log.live->pdata[i], frames[rung], 160 * frames[rung]);
    source_free (source);
    g_ptr_array_unref (log.live);
    g_ptr_array_unref (log.record);
    g_mutex_clear (&log.lock);
  }
  g_unlink (path);
}

static void
test_no_canceller (void)
{
  g_autoptr (GError) error = NULL;
  SourceConfig config
      = { .name = "stethoscope", .kind = MEDIA_AUDIO, .address = "test:", .prefer = RUNG_FAITHFUL };
  Echo *echo = echo_new (&error);
  if (echo == NULL) {
    g_test_skip (error->message);
    return;
  }
  config.echo = echo;
  SourceEvents none = { NULL };
  g_assert_null (source_new (&config, &none, NULL, &error));
  g_test_message ("%s", error->message);
  g_clear_error (&error);
  echo_free (echo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/stethoscope/record", test_record);
  g_test_add_func ("/stethoscope/live", test_live);
  g_test_add_func ("/stethoscope/no-canceller", test_no_canceller);
  return g_test_run ();
}
