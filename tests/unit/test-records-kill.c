#include "records_place.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* A child writes rows and recording and tells each acknowledgement through a pipe, until it is
 * killed in the midst. What it told must be there. */

#define ROUNDS 30
#define ROUNDS_LONG 1000
#define TRACKS 2
/* One fragment stands for this much media; a kill may cost two seconds of it. */
#define FRAGMENT_US (20 * 1000)
#define LOSS_US (2 * G_USEC_PER_SEC)

typedef struct {
  gint32 what; /* 0: a row, else a track's number */
  gint32 n;    /* row's seq, or fragments handed over */
} Told;

static void
tell (int fd, gint32 what, gint32 n)
{
  const Told told = { what, n };
  if (write (fd, &told, sizeof told) != sizeof told)
    _exit (3);
}

/* ---- The child ---------------------------------------------------------------------------- */

typedef struct {
  int fd;
  guint waiting;
} Writer;

static void
on_done (gint64 seq, const GError *error, void *arg)
{
  Writer *writer = arg;
  if (error != NULL)
    _exit (4);
  writer->waiting--;
  tell (writer->fd, 0, (gint32)seq);
}

typedef struct {
  int fd;
  Track *track;
  gint32 number;
} Recorder;

/* In real time, as a camera would. */
static gpointer
record_on (gpointer data)
{
  Recorder *recorder = data;
  gint64 begin = g_get_monotonic_time ();

  for (gint32 n = 0;; n++) {
    guint8 bytes[4000];
    memset (bytes, n & 0xff, sizeof bytes);
    g_autoptr (GBytes) fragment = g_bytes_new (bytes, n == 0 ? 100 : sizeof bytes);
    if (!track_append (recorder->track, fragment,
                       n == 0 || n % 40 == 0 ? SEGMENT_INIT : SEGMENT_KEY, n * FRAGMENT_US))
      _exit (5);
    tell (recorder->fd, recorder->number, n + 1);
    gint64 next = begin + (gint64)(n + 1) * FRAGMENT_US, now = g_get_monotonic_time ();
    if (next > now)
      g_usleep ((gulong)(next - now));
  }
  return NULL;
}

static void
child (Records *records, const char *consult, guint round, int fd)
{
  static const char *const streams[TRACKS] = { "room", "microphone" };
  Recorder recorders[TRACKS];
  json_t *body = json_pack ("{s:s}", "text", "ghi");
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  records_open (records);
  for (gint32 i = 0; i < TRACKS; i++) {
    const TrackInfo info = { .stream = streams[i], .mime_type = "video/mp4", .epoch_us = round };
    recorders[i] = (Recorder){ fd, track_open (records->store, consult, &info, NULL), i + 1 };
    if (recorders[i].track == NULL)
      _exit (6);
    g_thread_new ("recorder", record_on, &recorders[i]);
  }
  Writer writer = { fd, 0 };
  for (guint n = 0;; n++) {
    gboolean awaited = n % 3 != 0;
    writer.waiting += awaited;
    store_put (records->store, consult, "observation", NULL, body, awaited ? on_done : NULL,
               &writer);
    while (writer.waiting > 10)
      g_main_context_iteration (context, TRUE);
  }
}

/* ---- The parent --------------------------------------------------------------------------- */

typedef struct {
  gint32 row, fragments[TRACKS];
} Ledger;

static void
read_ledger (int fd, Ledger *ledger)
{
  Told told;
  while (read (fd, &told, sizeof told) == sizeof told) {
    if (told.what == 0)
      ledger->row = MAX (ledger->row, told.n);
    else
      ledger->fragments[told.what - 1] = told.n;
  }
}

static gboolean
anything_told (int fd)
{
  GPollFD poll = { fd, G_IO_IN, 0 };
  return g_poll (&poll, 1, 180 * 1000) > 0;
}

/* Kills after the first word and a while that nobody can foresee. */
static void
run_and_kill (Records *records, const char *consult, guint round, Ledger *ledger)
{
  int ends[2];
  int status;
  g_assert_cmpint (pipe (ends), ==, 0);
  fcntl (ends[0], F_SETPIPE_SZ, 1 << 20);
  pid_t pid = fork ();
  if (pid == 0) {
    close (ends[0]);
    child (records, consult, round, ends[1]);
  }
  close (ends[1]);
  g_assert_true (anything_told (ends[0]));
  g_usleep ((gulong)g_test_rand_int_range (0, (records_slow () ? 6000 : 300) * 1000));
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  read_ledger (ends[0], ledger);
  close (ends[0]);
}

static gint64
media_kept (json_t *index, const char *stream, guint round)
{
  json_t *track, *segment;
  gsize i, j;
  gint64 last = -FRAGMENT_US;

  json_array_foreach (index, i, track)
  {
    if (!g_str_equal (json_string_value (json_object_get (track, "stream")), stream))
      continue;
    json_array_foreach (json_object_get (track, "segments"), j, segment)
    {
      json_t *list = json_object_get (segment, "records");
      json_t *end = json_array_get (list, json_array_size (list) - 1);
      if (json_integer_value (json_object_get (segment, "epoch_us")) == (json_int_t)round
          && end != NULL)
        last = MAX (last, json_integer_value (json_object_get (end, "pts_us")));
    }
  }
  return last + FRAGMENT_US;
}

static void
check (Records *records, const char *consult, guint round, const Ledger *ledger)
{
  static const char *const streams[TRACKS] = { "room", "microphone" };
  g_autoptr (GError) error = NULL;

  records_open (records);
  g_autoptr (GPtrArray) rows = store_read (records->store, consult, "observation", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, >=, (guint)ledger->row);
  for (guint i = 0; i < rows->len; i++)
    g_assert_cmpint (((StoreRow *)rows->pdata[i])->seq, ==, (gint64)i + 1);
  json_t *index = recording_index (records->store, consult, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < TRACKS; i++) {
    gint64 told = (gint64)ledger->fragments[i] * FRAGMENT_US;
    g_assert_cmpint (told - media_kept (index, streams[i], round), <=, LOSS_US);
  }
  json_decref (index);
  assert_good (records->dir, records->vault);
  records_close (records);
}

static void
test_kill_loop (void)
{
  Records records;
  guint rounds = g_getenv ("NHIPCAU_LONG") != NULL ? ROUNDS_LONG : records_slow () ? 2 : ROUNDS;
  Ledger ledger = { 0 };
  guint64 rows = 0;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  records_close (&records);
  for (guint round = 1; round <= rounds; round++) {
    memset (ledger.fragments, 0, sizeof ledger.fragments);
    run_and_kill (&records, consult, round, &ledger);
    /* What the folder holds before anybody repairs it. */
    Vault *vault = vault_open_read_only (records.dir, NULL);
    vault_unlock_boot (vault, records.place.boot, NULL);
    assert_good (records.dir, vault);
    vault_free (vault);
    check (&records, consult, round, &ledger);
    if (round % 8 == 0 || round == rounds) { /* no consultation holds millions of readings */
      rows += (guint64)ledger.row;
      records_open (&records);
      g_free (consult);
      consult = records_consult (&records);
      records_close (&records);
      ledger.row = 0;
    }
  }
  g_test_message ("%u kills, none of %" G_GUINT64_FORMAT " acknowledged rows lost", rounds, rows);
  g_assert_cmpuint (rows, >, 0);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/records-kill/loop", test_kill_loop);
  return g_test_run ();
}
