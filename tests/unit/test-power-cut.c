/* The power is cut at any moment of a station at work: what was acknowledged is there, the rest is
 * whole or absent, and the next start goes on. tests/sim/fault_disk.h says what a cut may leave. */
#include "records_told.h"
#include <sqlite3.h>

#define CUTS 100
#define CUTS_LONG 1000
#define WORK_US (3 * G_USEC_PER_SEC)
#define WORK_US_LONG (24 * G_USEC_PER_SEC) /* marks of segments come every ten seconds */
#define TRACKS 2

typedef struct {
  Records *records;
  GPtrArray *told; /* of Told, in this order */
  char *consult, *doomed, *base;
  GMainContext *context;
  guint waiting;
  gint stop; /* atomic */
} Work;

/* ---- A station at work ---------------------------------------------------------------------- */

typedef struct {
  Work *work;
  char *consult;
  const char *kind;
  gint n;
} Pending;

static void
on_put (gint64 seq, const GError *error, void *arg)
{
  Pending *pending = arg;
  g_assert_no_error (error);
  tell (pending->work->told, seq > 0 ? TOLD_ROW : TOLD_DRAFT, pending->consult, pending->kind, seq,
        pending->n);
  pending->work->waiting--;
  g_free (pending->consult);
  g_free (pending);
}

static Pending *
pending_new (Work *work, const char *kind, gint n)
{
  Pending *pending = g_new (Pending, 1);
  *pending = (Pending){ work, g_strdup (work->consult), kind, n };
  work->waiting++;
  return pending;
}

static void
put_rows (Work *work, gint n)
{
  Store *store = work->records->store;
  json_auto_t *body = json_pack ("{s:i, s:s}", "n", n, "text", "đau đầu ba ngày");

  store_put (store, work->consult, "observation", NULL, body, NULL, NULL);
  store_put (store, work->consult, "observation", NULL, body, on_put,
             pending_new (work, "observation", n));
  if (n % 4 == 1)
    store_put_draft (store, work->consult, "draft", "lan", body, on_put,
                     pending_new (work, "draft", n));
  if (n % 8 == 5)
    store_put_saved (store, work->consult, "note", "lan", body, "draft", on_put,
                     pending_new (work, "note", n));
  while (work->waiting > 4)
    g_main_context_iteration (work->context, TRUE);
}

static void
begin_consult (Work *work, gint n)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *body = json_pack ("{s:i}", "n", n);
  char *consult = store_create_consult (work->records->store, "lan", body, &error);
  g_assert_no_error (error);
  tell (work->told, TOLD_ROW, consult, "consultation", 1, n);
  g_free (work->consult);
  work->consult = consult;
}

static void
shred_one (Work *work)
{
  g_autoptr (GError) error = NULL;
  if (work->doomed != NULL) {
    g_assert_true (store_destroy_key (work->records->store, work->doomed, PURPOSE_CLINICAL, NULL));
    tell (work->told, TOLD_SHREDDED, work->doomed, NULL, 0, 0);
    g_free (work->doomed);
  }
  json_auto_t *body = json_pack ("{s:i}", "n", 0);
  work->doomed = store_create_consult (work->records->store, "lan", body, &error);
  g_assert_no_error (error);
}

static void
attach (Work *work, gint n)
{
  g_autofree char *text = g_strdup_printf ("still %d", n);
  g_autoptr (GBytes) content = g_bytes_new (text, strlen (text));
  const AttachmentInfo info = { .kind = "still", .name = "a.png", .mime_type = "image/png" };
  g_autoptr (GError) error = NULL;
  Attachment attachment;
  attachment_put_sync (work->records->store, work->consult, "lan", &info, content, &attachment,
                       &error);
  g_assert_no_error (error);
  tell (work->told, TOLD_ATTACHMENT, work->consult, attachment.id, attachment.seq, n);
}

static void
deliver (Work *work, gint n)
{
  Store *store = work->records->store;
  json_auto_t *body = json_pack ("{s:i}", "n", n);
  OutboxItem item = { .target = (char *)"province", .item = (char *)"record" };
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *names[] = { "n:038062012345", NULL };
  gint64 seq;

  g_ptr_array_add (items, &item);
  outbox_put_sync (store, work->consult, "signature", "lan", body, items, &seq, &error);
  g_assert_no_error (error);
  tell (work->told, TOLD_ROW, work->consult, "signature", seq, n);
  tell (work->told, TOLD_QUEUED, work->consult, NULL, 0, 0);
  patient_index_put (store, work->consult, names, &error);
  g_assert_no_error (error);
  store_put_sync (store, work->consult, "patient", "lan", body, &seq, &error);
  g_assert_no_error (error);
  tell (work->told, TOLD_ROW, work->consult, "patient", seq, n);
  tell (work->told, TOLD_INDEXED, work->consult, NULL, 0,
        0); /* pushed before what was waited for */
}

typedef struct {
  Work *work;
  Track *track;
} Recorder;

static gpointer
record_on (gpointer data)
{
  Recorder *recorder = data;
  for (gint n = 0; !g_atomic_int_get (&recorder->work->stop); n++) {
    guint8 bytes[3000];
    memset (bytes, n & 0xff, sizeof bytes);
    g_autoptr (GBytes) fragment = g_bytes_new (bytes, n == 0 ? 100 : sizeof bytes);
    g_assert_true (track_append (recorder->track, fragment,
                                 n % 150 == 0 ? SEGMENT_INIT : SEGMENT_KEY, n * 20000));
    g_usleep (4000);
  }
  return NULL;
}

static void
run_for (Work *work, gint64 us)
{
  gint64 end = g_get_monotonic_time () + us;
  for (gint n = 1; g_get_monotonic_time () < end; n++) {
    put_rows (work, n);
    if (n % 30 == 0)
      begin_consult (work, n);
    if (n % 20 == 7)
      shred_one (work);
    if (n % 20 == 3)
      attach (work, n);
    if (n % 30 == 11)
      deliver (work, n);
    if (n % 100 == 50)
      g_assert_true (store_checkpoint (work->records->store, NULL));
    g_usleep (3000);
  }
  while (work->waiting > 0)
    g_main_context_iteration (work->context, TRUE);
}

/* Two cameras, a doctor who types, consultations that begin, papers that leave. */
static void
work_on (Work *work, gint64 us)
{
  static const char *const streams[TRACKS] = { "room", "microphone" };
  Recorder recorders[TRACKS];
  GThread *threads[TRACKS];
  g_autofree char *recorded = records_consult (work->records);

  work->context = g_main_context_new ();
  g_main_context_push_thread_default (work->context);
  work->consult = records_consult (work->records);
  for (guint i = 0; i < TRACKS; i++) {
    const TrackInfo info = { .stream = streams[i], .mime_type = "video/mp4" };
    recorders[i] = (Recorder){ work, track_open (work->records->store, recorded, &info, NULL) };
    g_assert_nonnull (recorders[i].track);
    threads[i] = g_thread_new ("recorder", record_on, &recorders[i]);
  }
  run_for (work, us);
  g_atomic_int_set (&work->stop, 1);
  for (guint i = 0; i < TRACKS; i++) {
    g_thread_join (threads[i]);
    track_close (recorders[i].track);
  }
  g_main_context_pop_thread_default (work->context);
  g_main_context_unref (work->context);
}

static void
work_begin (Work *work, Records *records, gint64 us)
{
  *work = (Work){ .records = records, .told = told_list () };
  records_up (records);
  records_close (records);
  work->base = records_copy (records->dir);
  fault_disk_watch (records->dir);
  records_open (records);
  work_on (work, us);
  records_close (records);
  fault_disk_stop ();
}

static void
work_end (Work *work)
{
  records_remove (work->base);
  g_free (work->base);
  g_free (work->consult);
  g_free (work->doomed);
  g_ptr_array_unref (work->told);
  records_down (work->records);
}

/* ---- After the cut -------------------------------------------------------------------------- */

/* What a segment had on the disk is kept when it is cut to what is valid. */
static void
check_media (Judgement *judgement, const char *folder)
{
  g_autofree char *path = g_build_filename (judgement->dir, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (folder, name, NULL);
    g_autofree char *whole = g_build_filename (judgement->dir, inner, NULL);
    GStatBuf status;
    if (g_file_test (whole, G_FILE_TEST_IS_DIR)) {
      check_media (judgement, inner);
      continue;
    }
    guint64 synced = fault_disk_synced_size (judgement->cut, inner);
    if (g_stat (whole, &status) != 0 || (guint64)status.st_size < synced)
      wrong (judgement, "%s: %" G_GUINT64_FORMAT " bytes were durable, fewer are there", inner,
             synced);
  }
}

static void
judge (Judgement *judgement)
{
  if (start (judgement)) {
    check_all_told (judgement);
    check_media (judgement, "media");
  }
  stop_and_verify (judgement);
}

/* A key that is durable and of which the log does not tell yet: cut between the two databases. */
static gboolean
is_between (guint cut)
{
  for (guint i = MIN (cut, fault_disk_now () - 1); i > 0 && i + 40 > cut; i--) {
    if (fault_disk_touches (i, "records.db-wal"))
      return FALSE;
    if (fault_disk_touches (i, "keys-copy.db"))
      return TRUE;
  }
  return FALSE;
}

/* Every other cut falls into what is rare: the two key files, and the moments around them; every
 * tenth between the databases. */
static guint
random_cut (guint operations, guint n)
{
  static const char *const rare[] = { "keys.db-wal", "keys-copy.db-wal", "keys.db", ".seg" };
  guint cut = (guint)g_test_rand_int_range (0, (gint32)operations);
  const char *suffix = rare[n / 2 % G_N_ELEMENTS (rare)];
  for (guint i = 0; n % 10 == 0 && i < operations; i++)
    if (is_between ((cut + i) % operations))
      return (cut + i) % operations;
  for (guint i = 0; n % 2 == 1 && i < operations; i++) {
    guint at = (cut + i) % operations, some = (guint)g_test_rand_int_range (0, 6);
    if (fault_disk_touches (at, suffix))
      return MIN (operations, at + some);
  }
  return cut;
}

typedef struct {
  guint cuts, damaged, between;
  guint64 items;
} Tally;

static void
cut_once (Work *work, guint n, Tally *tally)
{
  guint32 seed = (guint32)g_test_rand_int ();
  guint cut = random_cut (fault_disk_now (), n);
  Judgement judgement = { .place = &work->records->place,
                          .told = work->told,
                          .cut = cut,
                          .dir = g_dir_make_tmp ("nhipcau-cut-XXXXXX", NULL),
                          .wrong = g_string_new (NULL) };
  fault_disk_rebuild (cut, seed, work->base, judgement.dir);
  judge (&judgement);
  tally->cuts++;
  tally->items += judgement.items;
  tally->between += is_between (cut);
  if (judgement.wrong->len > 0) {
    if (tally->damaged++ < 5)
      g_test_message ("cut after %u operations, seed %u:\n%.2000s", cut, seed,
                      judgement.wrong->str);
  }
  g_string_free (judgement.wrong, TRUE);
  records_remove (judgement.dir);
  g_free (judgement.dir);
}

static gboolean
is_long (void)
{
  return g_getenv ("NHIPCAU_LONG") != NULL;
}

static void
test_power_cuts (void)
{
  guint cuts = is_long () ? CUTS_LONG : records_slow () ? 5 : CUTS;
  Records records;
  Work work;
  Tally tally = { 0 };

  work_begin (&work, &records, is_long () ? WORK_US_LONG : WORK_US);
  for (guint n = 0; n < cuts; n++)
    cut_once (&work, n, &tally);
  g_test_message ("%u power cuts in %u operations, %u of them between the databases: "
                  "%" G_GUINT64_FORMAT " acknowledged items looked for, %u cuts with a loss",
                  tally.cuts, fault_disk_now (), tally.between, tally.items, tally.damaged);
  work_end (&work);
  g_assert_cmpuint (tally.damaged, ==, 0);
  g_assert_cmpuint (tally.items, >, 0);
  g_assert_true (records_slow () || tally.between > 0);
}

/* ---- The control ---------------------------------------------------------------------------- */

/* PRAGMA synchronous of the program has no effect, so that what open_unsafe() set stays. */
static int
ignore_synchronous (void *unused, int action, const char *a, const char *b, const char *c,
                    const char *d)
{
  return action == SQLITE_PRAGMA && g_ascii_strcasecmp (a, "synchronous") == 0 && b != NULL
             ? SQLITE_IGNORE
             : SQLITE_OK;
}

static int
open_unsafe (sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
  sqlite3_exec (db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
  return sqlite3_set_authorizer (db, ignore_synchronous, NULL);
}

/* The same with synchronous=OFF must lose: a test that cannot fail would show nothing. */
static void
test_control (void)
{
  guint cuts = is_long () ? CUTS_LONG : records_slow () ? 5 : CUTS / 4;
  Records records;
  Work work;
  Tally tally = { 0 };

  sqlite3_auto_extension ((void (*) (void))open_unsafe);
  work_begin (&work, &records, WORK_US);
  sqlite3_reset_auto_extension ();
  for (guint n = 0; n < cuts; n++)
    cut_once (&work, n, &tally);
  g_test_message ("synchronous=OFF: %u of %u power cuts with a loss", tally.damaged, tally.cuts);
  work_end (&work);
  g_assert_cmpuint (tally.damaged, >, tally.cuts / 4);
}

int
main (int argc, char **argv)
{
  /* In memory a sync costs nothing: the journal decides what is durable. */
  if (g_access ("/dev/shm", W_OK) == 0)
    g_setenv ("TMPDIR", "/dev/shm", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (told_drop_warnings, NULL, NULL);
  g_test_add_func ("/power-cut/cuts", test_power_cuts);
  g_test_add_func ("/power-cut/control", test_control);
  return g_test_run ();
}
