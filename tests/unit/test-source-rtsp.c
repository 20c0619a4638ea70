/* Real pipelines on simulated RTSP cameras, which are child processes. Every wait is for a
 * condition and bounded. */
#include "source_log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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
  g_test_add_func ("/source-rtsp/rtsp/frames", test_rtsp);
  g_test_add_func ("/source-rtsp/rtsp/comes-back", test_rtsp_comes_back);
  g_test_add_func ("/source-rtsp/rtsp/login", test_rtsp_login);
  g_test_add_func ("/source-rtsp/rtsp/b-frames", test_rtsp_b_frames);
  g_test_add_func ("/source-rtsp/rtsp/jpeg", test_rtsp_jpeg);
  g_test_add_func ("/source-rtsp/rtsp/udp", test_rtsp_udp);
  return g_test_run ();
}
