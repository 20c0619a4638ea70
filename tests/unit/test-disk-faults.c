/* A disk that fails or is full at every operation in turn, and memory that is not to be had: each
 * call says so, nothing that was acknowledged is lost, nothing crashes, and the next start goes
 * on. */
#include "records_told.h"
#include <openssl/crypto.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Memory --------------------------------------------------------------------------------- */

/* Counts what SQLite asks for, or OpenSSL; the nth is refused. GLib's own allocations end the
 * program by design, which is a kill and has a test of its own (test-records-kill). */
typedef struct {
  gint armed, counted, nth, for_good; /* atomic */
} Memory;
static Memory of_sqlite, of_openssl;

static gboolean
refused (Memory *memory)
{
  if (!g_atomic_int_get (&memory->armed))
    return FALSE;
  gint n = g_atomic_int_add (&memory->counted, 1) + 1, nth = g_atomic_int_get (&memory->nth);
  return nth > 0 && (n == nth || (n > nth && memory->for_good));
}

static sqlite3_mem_methods sqlite_memory;

static void *
sqlite_allocate (int size)
{
  return refused (&of_sqlite) ? NULL : sqlite_memory.xMalloc (size);
}

static void *
sqlite_reallocate (void *old, int size)
{
  return refused (&of_sqlite) ? NULL : sqlite_memory.xRealloc (old, size);
}

static void *
openssl_allocate (size_t size, const char *file, int line)
{
  return refused (&of_openssl) ? NULL : malloc (size);
}

static void *
openssl_reallocate (void *old, size_t size, const char *file, int line)
{
  return refused (&of_openssl) ? NULL : realloc (old, size);
}

static void
openssl_free (void *memory, const char *file, int line)
{
  free (memory);
}

static void
memory_init (void)
{
  sqlite3_mem_methods counted;
  sqlite3_config (SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
  counted = sqlite_memory;
  counted.xMalloc = sqlite_allocate;
  counted.xRealloc = sqlite_reallocate;
  g_assert_cmpint (sqlite3_config (SQLITE_CONFIG_MALLOC, &counted), ==, SQLITE_OK);
  g_assert_cmpint (CRYPTO_set_mem_functions (openssl_allocate, openssl_reallocate, openssl_free),
                   ==, 1);
}

static void
memory_fail (Memory *memory, guint nth, gboolean for_good)
{
  g_atomic_int_set (&memory->armed, 0);
  g_atomic_int_set (&memory->counted, 0);
  g_atomic_int_set (&memory->nth, (gint)nth);
  memory->for_good = for_good;
  g_atomic_int_set (&memory->armed, 1);
}

static guint
memory_counted (Memory *memory)
{
  g_atomic_int_set (&memory->armed, 0);
  return (guint)g_atomic_int_get (&memory->counted);
}

/* ---- A station's day, in which anything may fail --------------------------------------------- */

typedef struct {
  Records *records;
  GPtrArray *told;
  char *consult, *second;
  guint failures;
  int tell_to; /* what is told is written there, too; 0: nowhere */
} Day;

static void
told (Day *day, ToldKind kind, const char *consult, const char *row, gint64 seq, gint n)
{
  tell (day->told, kind, consult, row, seq, n);
  if (day->tell_to > 0)
    told_write (day->tell_to, day->told->pdata[day->told->len - 1]);
}

/* Whatever fails must say what, and in words. */
static gboolean
went (Day *day, gboolean good, const char *doing, GError **error)
{
  if (good) {
    g_assert_no_error (*error);
    return TRUE;
  }
  if (*error == NULL || strlen ((*error)->message) < 8)
    g_error ("%s failed without a word", doing);
  g_test_message ("%s: %s", doing, (*error)->message);
  day->failures++;
  g_clear_error (error);
  return FALSE;
}

static gboolean
open_up (Day *day)
{
  Records *records = day->records;
  GError *error = NULL;
  records->vault = vault_open (records->dir, &error);
  if (!went (day, records->vault != NULL, "opening the vault", &error))
    return FALSE;
  error = NULL;
  if (!went (day, vault_unlock_boot (records->vault, records->place.boot, &error), "unlocking",
             &error))
    return FALSE;
  error = NULL;
  records->store
      = store_open (records->dir, records->vault, records->identity, STORE_READ_WRITE, &error);
  return went (day, records->store != NULL, "opening the store", &error);
}

static char *
begin (Day *day, gint n)
{
  GError *error = NULL;
  json_auto_t *body = json_pack ("{s:i}", "n", n);
  char *consult = store_create_consult (day->records->store, "lan", body, &error);
  if (went (day, consult != NULL, "a new consultation", &error))
    told (day, TOLD_ROW, consult, "consultation", 1, n);
  return consult;
}

static void
note (Day *day, gint n)
{
  GError *error = NULL;
  gint64 seq;
  json_auto_t *body = json_pack ("{s:i}", "n", n);
  if (went (day,
            store_put_sync (day->records->store, day->consult, "note", "lan", body, &seq, &error),
            "a note", &error))
    told (day, TOLD_ROW, day->consult, "note", seq, n);
}

static void
attach (Day *day)
{
  g_autoptr (GBytes) content = g_bytes_new_static ("a picture", 9);
  const AttachmentInfo info = { .kind = "still" };
  GError *error = NULL;
  Attachment attachment;
  if (went (day,
            attachment_put_sync (day->records->store, day->consult, "lan", &info, content,
                                 &attachment, &error),
            "an attachment", &error))
    told (day, TOLD_ATTACHMENT, day->consult, attachment.id, attachment.seq, 0);
}

static void
record (Day *day)
{
  const TrackInfo info = { .stream = "room", .mime_type = "video/mp4" };
  GError *error = NULL;
  Track *track = track_open (day->records->store, day->consult, &info, &error);
  if (!went (day, track != NULL, "recording", &error))
    return;
  for (guint i = 0; i < 4; i++) {
    g_autofree char *text = g_strdup_printf ("fragment %u", i);
    g_autoptr (GBytes) fragment = g_bytes_new (text, strlen (text));
    if (!track_append (track, fragment, i % 2 == 0 ? SEGMENT_INIT : SEGMENT_KEY, i * 1000))
      break;
  }
  g_autofree char *failed = track_failed (track);
  if (failed != NULL)
    g_assert_cmpuint (strlen (failed), >, 8);
  track_close (track);
}

static void
deliver (Day *day)
{
  json_auto_t *body = json_pack ("{s:i}", "n", 9);
  OutboxItem item = { .target = (char *)"province", .item = (char *)"record" };
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  const char *names[] = { "n:038062012345", NULL };
  GError *error = NULL;
  gint64 seq;

  g_ptr_array_add (items, &item);
  if (!went (day,
             outbox_put_sync (day->records->store, day->consult, "signature", "lan", body, items,
                              &seq, &error),
             "a delivery", &error))
    return;
  told (day, TOLD_ROW, day->consult, "signature", seq, 9);
  told (day, TOLD_QUEUED, day->consult, NULL, 0, 0);
  error = NULL;
  went (day, patient_index_put (day->records->store, day->consult, names, &error), "the index",
        &error);
}

static void
finish (Day *day)
{
  GError *error = NULL;
  went (day, store_checkpoint (day->records->store, &error), "a checkpoint", &error);
  error = NULL;
  if (day->second == NULL)
    return;
  went (day, vault_finish (day->records->vault, day->second, &error), "finishing", &error);
  error = NULL;
  if (!went (day, store_destroy_key (day->records->store, day->second, PURPOSE_CLINICAL, &error),
             "destroying a key", &error))
    return;
  /* Its rows are gone with it. */
  for (guint i = day->told->len; i > 0; i--)
    if (g_str_equal (((Told *)day->told->pdata[i - 1])->consult, day->second))
      g_ptr_array_remove_index (day->told, i - 1);
  told (day, TOLD_SHREDDED, day->second, NULL, 0, 0);
}

/* A key that was to be destroyed may be gone although the call failed. */
static void
forget_second (Day *day)
{
  for (guint i = day->told->len; i > 0 && day->second != NULL; i--) {
    const Told *told = day->told->pdata[i - 1];
    if (g_str_equal (told->consult, day->second) && told->kind != TOLD_SHREDDED)
      g_ptr_array_remove_index (day->told, i - 1);
  }
}

static void
live (Day *day)
{
  if (open_up (day)) {
    day->consult = begin (day, 1);
    if (day->consult != NULL) {
      note (day, 2);
      attach (day);
      record (day);
      note (day, 3);
      deliver (day);
      day->second = begin (day, 4);
      if (day->tell_to > 0 && day->second != NULL)
        dprintf (day->tell_to, "second %s\n", day->second);
      finish (day);
    }
  }
  g_clear_pointer (&day->records->store, store_free);
  g_clear_pointer (&day->records->vault, vault_free);
}

/* ---- One fault after the other --------------------------------------------------------------- */

typedef enum { OF_DISK, OF_ROOM, OF_MEMORY } What;
static const char *const names[] = { "I/O error", "disk full", "out of memory" };

static void
arm (What what, guint nth, gboolean for_good)
{
  if (what == OF_MEMORY)
    memory_fail (&of_sqlite, nth, for_good);
  else
    fault_disk_fail (what == OF_DISK ? FAULT_IO : FAULT_SPACE, nth, for_good);
}

/* How many operations there were. */
static guint
disarm (What what)
{
  guint in_memory = memory_counted (&of_sqlite);
  guint counted = what == OF_MEMORY ? in_memory : fault_disk_counted ();
  fault_disk_fail (FAULT_NONE, 0, FALSE);
  return counted;
}

/* The station's seal, opened once: its key takes a third of a second. */
static Identity *identity;

/* The folder, or with a power cut at the end of the day what that leaves at its worst. */
static void
judge (Day *day, const char *base, const char *what)
{
  Records *records = day->records;
  Judgement judgement = { .place = &records->place,
                          .told = day->told,
                          .cut = G_MAXUINT,
                          .dir = records->place.dir,
                          .wrong = g_string_new (NULL),
                          .disk_failed = TRUE };
  g_autofree char *cut = base != NULL ? g_dir_make_tmp ("nhipcau-cut-XXXXXX", NULL) : NULL;
  if (base != NULL) {
    fault_disk_rebuild (fault_disk_now (), 0, base, cut);
    judgement.dir = cut;
  }
  if (start (&judgement))
    check_all_told (&judgement);
  stop_and_verify (&judgement);
  if (judgement.wrong->len > 0)
    g_error ("%s%s:\n%s", what, base != NULL ? ", then a power cut" : "", judgement.wrong->str);
  g_string_free (judgement.wrong, TRUE);
  if (base != NULL)
    records_remove (cut);
}

/* Returns how many operations could have failed. */
static guint
one_day (What what, guint nth, gboolean for_good, guint *ret_failures)
{
  Records records;
  records_create (&records);
  records.identity = identity;
  g_assert_true (reserve_ensure (records.dir, 65536, NULL));
  Day day = { .records = &records, .told = told_list () };
  g_autofree char *base = records_copy (records.dir);

  fault_disk_watch (records.dir);
  arm (what, nth, for_good);
  live (&day);
  guint counted = disarm (what);
  fault_disk_stop ();
  forget_second (&day);
  g_autofree char *name
      = g_strdup_printf ("%s at operation %u%s", names[what], nth, for_good ? " and after" : "");
  judge (&day, base, name); /* on a copy */
  judge (&day, NULL, name);
  *ret_failures = day.failures;
  g_ptr_array_unref (day.told);
  g_free (day.consult);
  g_free (day.second);
  records.identity = NULL;
  records_remove (base);
  records_down (&records);
  return counted;
}

static void
every_operation (gconstpointer data)
{
  What what = (What)GPOINTER_TO_INT (data);
  guint failures, heard = 0, days = 0, operations = one_day (what, 0, FALSE, &failures);
  guint some = records_slow () ? 4 : 40;
  guint step = g_getenv ("NHIPCAU_LONG") != NULL ? 1 : MAX (1, operations / some);

  g_assert_cmpuint (failures, ==, 0);
  g_assert_cmpuint (operations, >, 50);
  for (guint nth = (guint)g_test_rand_int_range (1, (gint32)step + 1); nth <= operations;
       nth += step)
    for (guint for_good = 0; for_good < 2; for_good++, days++) {
      one_day (what, nth, for_good == 1, &failures);
      heard += failures > 0;
    }
  g_test_message ("%s at %u of %u operations, once and for good: %u days, %u of them with an error "
                  "that was told, nothing lost",
                  names[what], days / 2, operations, days, heard);
  g_assert_cmpuint (heard, >, days / 4);
}

/* ---- OpenSSL's memory -------------------------------------------------------------------------
 */

/* A hash or a key that cannot be made for want of memory ends the program, as GLib does: nothing
 * could go on without it. So each day is one of another process, which tells what was acknowledged;
 * it may end in words, or be killed by its own word, but by nothing else. */
typedef struct {
  gboolean ended_itself; /* g_error() */
  guint counted, failures;
} OtherDay;

G_NORETURN static void
live_apart (Day *day, guint nth, gboolean for_good, int tell_to)
{
  const struct rlimit none = { 0, 0 };
  setrlimit (RLIMIT_CORE, &none);
  day->tell_to = tell_to;
  memory_fail (&of_openssl, nth, for_good);
  live (day);
  guint counted = memory_counted (&of_openssl);
  dprintf (tell_to, "end %u %u\n", counted, day->failures);
  _exit (0);
}

static void
hear (Day *day, const char *text, OtherDay *ret_other)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) words = g_strsplit (lines[i], " ", 3);
    if (g_str_equal (lines[i], ""))
      continue;
    if (g_str_equal (words[0], "second"))
      day->second = g_strdup (words[1]);
    else if (g_str_equal (words[0], "end")) {
      ret_other->counted = (guint)atoi (words[1]);
      ret_other->failures = (guint)atoi (words[2]);
    } else
      g_assert_true (told_read (lines[i], day->told));
  }
}

static OtherDay
other_day (guint nth, gboolean for_good)
{
  Records records;
  OtherDay other = { 0 };
  int ends[2], status;
  records_create (&records);
  records.identity = identity;
  g_assert_true (reserve_ensure (records.dir, 65536, NULL));
  Day day = { .records = &records, .told = told_list () };
  g_assert_cmpint (pipe (ends), ==, 0);
  fault_disk_watch (records.dir); /* moments are counted there */
  pid_t child = fork ();
  if (child == 0)
    live_apart (&day, nth, for_good, ends[1]);
  close (ends[1]);
  g_autoptr (GString) text = g_string_new (NULL);
  char piece[512];
  for (gssize got; (got = read (ends[0], piece, sizeof piece)) > 0;)
    g_string_append_len (text, piece, got);
  close (ends[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  other.ended_itself = WIFSIGNALED (status) && WTERMSIG (status) == SIGTRAP;
  if (!other.ended_itself && !(WIFEXITED (status) && WEXITSTATUS (status) == 0))
    g_error ("without memory for OpenSSL at request %u%s the program ended by status %x", nth,
             for_good ? " and after" : "", (guint)status);
  hear (&day, text->str, &other);
  fault_disk_stop ();
  forget_second (&day);
  g_autofree char *name = g_strdup_printf ("OpenSSL out of memory at request %u%s", nth,
                                           for_good ? " and after" : "");
  judge (&day, NULL, name);
  g_ptr_array_unref (day.told);
  g_free (day.second);
  records.identity = NULL;
  records_down (&records);
  return other;
}

static void
every_request (void)
{
  guint some = records_slow () ? 3 : 12, heard = 0, ended = 0, days = 0;
  guint operations = other_day (0, FALSE).counted;
  guint step = g_getenv ("NHIPCAU_LONG") != NULL ? 7 : MAX (1, operations / some);
  g_assert_cmpuint (operations, >, 1000);
  for (guint nth = (guint)g_test_rand_int_range (1, (gint32)step + 1); nth <= operations;
       nth += step)
    for (guint for_good = 0; for_good < 2; for_good++, days++) {
      OtherDay other = other_day (nth, for_good == 1);
      heard += other.failures > 0;
      ended += other.ended_itself;
    }
  g_test_message (
      "OpenSSL out of memory at %u of %u requests, once and for good: %u days, %u of them "
      "with an error that was told, %u ended by a word; nothing lost",
      days / 2, operations, days, heard, ended);
  g_assert_cmpuint (heard + ended, >, days / 4);
}

static void
identity_up (void)
{
  Records records;
  records_create (&records);
  const IdentityPlace where = records_identity_place (&records);
  identity = identity_open (&where, NULL);
  g_assert_nonnull (identity);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  if (g_access ("/dev/shm", W_OK) == 0)
    g_setenv ("TMPDIR", "/dev/shm", TRUE);
  memory_init ();
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (told_drop_warnings, NULL, NULL);
  identity_up ();
  g_test_add_data_func ("/disk-faults/io-error", GINT_TO_POINTER (OF_DISK), every_operation);
  g_test_add_data_func ("/disk-faults/disk-full", GINT_TO_POINTER (OF_ROOM), every_operation);
  g_test_add_data_func ("/disk-faults/out-of-memory", GINT_TO_POINTER (OF_MEMORY), every_operation);
  g_test_add_func ("/disk-faults/openssl-out-of-memory", every_request);
  int result = g_test_run ();
  identity_free (identity);
  return result;
}
