#include "records/segment_format.h"
#include "records_place.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define EPOCH 5000000

static Track *
open_track (Records *records, const char *consult, const char *stream)
{
  const TrackInfo info = { .stream = stream,
                           .mime_type = "video/mp4; codecs=\"avc1.42c01e\"",
                           .epoch_us = EPOCH,
                           .label = "Camera phòng khám" };
  g_autoptr (GError) error = NULL;
  Track *track = track_open (records->store, consult, &info, &error);
  g_assert_no_error (error);
  return track;
}

/* Bytes that tell which fragment they are. */
static GBytes *
fragment_of (guint n, gsize size)
{
  guint8 *bytes = g_malloc (MAX (size, 1));
  guint32 state = n * 2654435761u + 12345;
  for (gsize i = 0; i < size; i++) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = (guint8)(state >> 24);
  }
  return g_bytes_new_take (bytes, size);
}

static void
append (Track *track, guint n, gsize size, SegmentFlags flags)
{
  g_autoptr (GBytes) fragment = fragment_of (n, size);
  g_assert_true (track_append (track, fragment, flags, EPOCH + (gint64)n * 500000));
}

static json_t *
index_of (Records *records, const char *consult)
{
  g_autoptr (GError) error = NULL;
  json_t *index = recording_index (records->store, consult, &error);
  g_assert_no_error (error);
  return index;
}

static json_t *
segments_of (json_t *index, const char *stream)
{
  json_t *track;
  gsize i;
  json_array_foreach (index, i, track)
  {
    if (g_strcmp0 (json_string_value (json_object_get (track, "stream")), stream) == 0)
      return json_object_get (track, "segments");
  }
  return NULL;
}

static const char *
text_of (json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

static gint64
integer_of (json_t *object, const char *key)
{
  return json_integer_value (json_object_get (object, key));
}

static gsize
count_records (json_t *segments)
{
  json_t *segment;
  gsize i, n = 0;
  json_array_foreach (segments, i, segment) n
      += json_array_size (json_object_get (segment, "records"));
  return n;
}

/* All that one segment holds, joined. */
static GBytes *
read_segment (Records *records, const char *consult, json_t *segment)
{
  GByteArray *all = g_byte_array_new ();
  json_t *record;
  gsize i;

  json_array_foreach (json_object_get (segment, "records"), i, record)
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = recording_read (records->store, consult, text_of (segment, "id"),
                                               (guint64)integer_of (record, "seq"), &error);
    g_assert_no_error (error);
    g_assert_cmpint ((gint64)g_bytes_get_size (bytes), ==, integer_of (record, "size"));
    if (g_bytes_get_size (bytes) > 0)
      g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint)g_bytes_get_size (bytes));
  }
  return g_byte_array_free_to_bytes (all);
}

static void
assert_segment (Records *records, const char *consult, json_t *segment, const guint *fragments,
                const gsize *sizes, guint n)
{
  g_autoptr (GBytes) got = read_segment (records, consult, segment);
  GByteArray *want = g_byte_array_new ();

  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) fragment = fragment_of (fragments[i], sizes[i]);
    if (sizes[i] > 0)
      g_byte_array_append (want, g_bytes_get_data (fragment, NULL), (guint)sizes[i]);
  }
  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got), want->data, want->len);
  g_byte_array_unref (want);
}

static void
wait_for_records (Records *records, const char *consult, const char *stream, gsize n)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  gsize found = 0;

  while (found < n) {
    json_t *index = index_of (records, consult);
    json_t *segments = segments_of (index, stream);
    found = segments != NULL ? count_records (segments) : 0;
    json_decref (index);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* ---- Round trips -------------------------------------------------------------------------- */

static void
test_round_trip (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  /* One byte, none at all, one that must be split. */
  static const guint numbers[] = { 0, 1, 2, 3, 4 };
  static const gsize sizes[] = { 700, 1, 0, 30000, SEGMENT_RECORD_MAX + 17 };

  append (track, 0, sizes[0], SEGMENT_INIT);
  for (guint i = 1; i < 5; i++)
    append (track, i, sizes[i], i == 4 ? SEGMENT_KEY : 0);
  g_assert_null (track_failed (track));
  wait_for_records (&records, consult, "room", 6);
  json_t *index = index_of (&records, consult);
  g_assert_cmpstr (text_of (json_array_get (segments_of (index, "room"), 0), "state"), ==, "open");
  assert_segment (&records, consult, json_array_get (segments_of (index, "room"), 0), numbers,
                  sizes, 5);
  json_decref (index);
  assert_good (records.dir, records.vault); /* beside a running recording */
  track_close (track);

  index = index_of (&records, consult);
  json_t *room = json_array_get (index, 0);
  g_assert_cmpstr (text_of (room, "label"), ==, "Camera phòng khám");
  g_assert_cmpint (integer_of (room, "epoch_us"), ==, EPOCH);
  json_t *segment = json_array_get (json_object_get (room, "segments"), 0);
  g_assert_cmpstr (text_of (segment, "state"), ==, "closed");
  g_assert_cmpstr (text_of (segment, "mime"), ==, "video/mp4; codecs=\"avc1.42c01e\"");
  g_autoptr (GDateTime) epoch = g_date_time_new_from_iso8601 (text_of (segment, "epoch"), NULL);
  gint64 boot_utc = g_get_real_time () - g_get_monotonic_time ();
  g_assert_cmpint (ABS (g_date_time_to_unix (epoch) - (boot_utc + EPOCH) / G_USEC_PER_SEC), <=, 1);
  json_t *first = json_array_get (json_object_get (segment, "records"), 0);
  json_t *last = json_array_get (json_object_get (segment, "records"), 5);
  g_assert_cmpint (integer_of (first, "flags"), ==, SEGMENT_INIT);
  g_assert_cmpint (integer_of (last, "flags"), ==, 0);
  g_assert_cmpint (integer_of (last, "pts_us"), ==, EPOCH + 4 * 500000);
  assert_segment (&records, consult, segment, numbers, sizes, 5);

  g_autoptr (GError) error = NULL;
  g_assert_null (recording_read (records.store, consult, text_of (segment, "id"), 6, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_autofree char *other = records_consult (&records);
  g_assert_null (recording_read (records.store, other, text_of (segment, "id"), 0, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  json_decref (index);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* From the key frame before, behind the newest init, what is durable of it. */
static void
test_clip (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records), *mime = NULL;
  g_autoptr (GError) error = NULL;
  Track *track = open_track (&records, consult, "room");
  gint64 start_us = 0;
  append (track, 0, 500, SEGMENT_INIT);
  for (guint i = 1; i < 20; i++)
    append (track, i, 1000, i % 4 == 1 ? SEGMENT_KEY : 0);
  wait_for_records (&records, consult, "room", 20);
  RecordingClip clip = { .stream = "room",
                         .from_us = EPOCH + 7 * 500000,
                         .until_us = EPOCH + 10 * 500000,
                         .max_bytes = 100000 };
  GBytes *got = recording_clip (records.store, consult, &clip, &mime, &start_us, &error);
  g_assert_no_error (error);
  g_assert_cmpint (start_us, ==, EPOCH + 5 * 500000);
  g_assert_cmpstr (mime, ==, "video/mp4; codecs=\"avc1.42c01e\"");
  g_assert_cmpuint (g_bytes_get_size (got), ==, 500 + 6 * 1000);
  for (guint i = 5; i <= 10; i++) {
    g_autoptr (GBytes) one = fragment_of (i, 1000);
    const guint8 *all = g_bytes_get_data (got, NULL);
    g_assert_cmpmem (all + 500 + (i - 5) * 1000, 1000, g_bytes_get_data (one, NULL), 1000);
  }
  g_bytes_unref (got);
  clip.max_bytes = 3000;
  g_assert_null (recording_clip (records.store, consult, &clip, &mime, &start_us, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  clip.stream = "microphone";
  g_assert_null (recording_clip (records.store, consult, &clip, &mime, &start_us, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  track_close (track);
  records_down (&records);
}

static void
test_streams_and_inits (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *room = open_track (&records, consult, "room");
  Track *voice = open_track (&records, consult, "peer-audio-7f3a");

  append (room, 0, 100, SEGMENT_INIT);
  append (voice, 50, 100, SEGMENT_INIT);
  for (guint i = 1; i < 10; i++) {
    append (room, i, 5000, SEGMENT_KEY);
    append (voice, 50 + i, 300, SEGMENT_KEY);
  }
  append (room, 10, 100, SEGMENT_INIT); /* a new one begins a segment */
  append (room, 11, 5000, SEGMENT_KEY);
  track_close (room);
  track_close (voice);
  room = open_track (&records, consult, "room"); /* recording was paused: the stream goes on */
  append (room, 12, 100, SEGMENT_INIT);
  track_close (room);

  json_t *index = index_of (&records, consult);
  json_t *segments = segments_of (index, "room");
  g_assert_cmpuint (json_array_size (segments), ==, 3);
  g_assert_cmpuint (json_array_size (segments_of (index, "peer-audio-7f3a")), ==, 1);
  assert_segment (&records, consult, json_array_get (segments, 1), (guint[]){ 10, 11 },
                  (gsize[]){ 100, 5000 }, 2);
  assert_segment (&records, consult, json_array_get (segments, 2), (guint[]){ 12 },
                  (gsize[]){ 100 }, 1);
  json_decref (index);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
test_refusals (void)
{
  Records records;
  g_autoptr (GError) error = NULL;
  TrackInfo info = { .stream = "../room", .mime_type = "video/mp4" };
  records_up (&records);
  g_autofree char *consult = records_consult (&records);

  g_assert_null (track_open (records.store, consult, &info, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  info.stream = "room";
  g_assert_null (track_open (records.store, "station", &info, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED);
  g_clear_error (&error);
  Track *track = open_track (&records, consult, "room");
  g_assert_null (track_open (records.store, consult, &info, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  append (track, 1, 100, SEGMENT_KEY); /* no init before it */
  g_autofree char *failed = NULL;
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  while ((failed = track_failed (track)) == NULL) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
  g_assert_nonnull (strstr (failed, "init"));
  g_autoptr (GBytes) late = fragment_of (2, 10);
  g_assert_false (track_append (track, late, SEGMENT_INIT, 0));
  track_close (track);
  json_t *index = index_of (&records, consult);
  g_assert_cmpuint (json_array_size (index), ==, 0);
  json_decref (index);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* ---- Length ------------------------------------------------------------------------------- */

static void
test_rotation (void)
{
  Records records;
  gsize piece = 1000 * 1000;

  if (records_slow ()) {
    g_test_skip ("150 MB are too many here");
    return;
  }
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  g_autoptr (GBytes) fragment = fragment_of (7, piece);
  append (track, 0, 500, SEGMENT_INIT);
  for (guint i = 0; i < 150; i++) {
    while (!track_append (track, fragment, i % 4 == 0 ? SEGMENT_KEY : 0, (gint64)i * 1000000))
      g_assert_not_reached ();
    if (i % 30 == 29)
      wait_for_records (&records, consult, "room", i);
  }
  track_close (track);
  json_t *index = index_of (&records, consult);
  json_t *segments = segments_of (index, "room"), *segment;
  gsize i;
  g_assert_cmpuint (json_array_size (segments), ==, 3);
  g_assert_cmpuint (count_records (segments), ==, 150 + 3);
  json_array_foreach (segments, i, segment)
  {
    json_t *list = json_object_get (segment, "records");
    g_assert_cmpint (integer_of (segment, "bytes"), <=, SEGMENT_BYTES);
    g_assert_cmpint (integer_of (json_array_get (list, 0), "flags"), ==, SEGMENT_INIT);
    g_assert_cmpint (integer_of (json_array_get (list, 1), "flags"), ==, SEGMENT_KEY);
  }
  json_decref (index);

  Verdict verdict;
  clock_t begin = clock ();
  verdict_of (&verdict, records.dir, records.vault, consult);
  double seconds = (double)(clock () - begin) / CLOCKS_PER_SEC;
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_test_message ("verify: %.0f MB in a second of a core",
                  (double)verdict.summary.bytes / 1e6 / seconds);
  verdict_clear (&verdict);
  records_down (&records);
}

/* Two hours of half-second fragments. */
static void
test_index_of_two_hours (void)
{
  Records records;
  guint n = records_slow () ? 500 : 14400;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "microphone");
  append (track, 0, 500, SEGMENT_INIT);
  for (guint i = 1; i < n; i++)
    append (track, i, 200, SEGMENT_KEY);
  wait_for_records (&records, consult, "microphone", n);
  g_autofree char *killed = records_copy (records.dir);
  track_close (track);
  g_clear_pointer (&records.store, store_free);
  g_autoptr (GError) error = NULL;
  records.store = store_open (records.dir, records.vault, NULL, STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  for (guint round = 0; round < 2; round++) {
    gint64 begin = g_get_monotonic_time ();
    json_t *index = index_of (&records, consult);
    gint64 took = g_get_monotonic_time () - begin;
    g_assert_cmpuint (count_records (segments_of (index, "microphone")), ==, n);
    g_test_message ("index of %u records: %.1f ms%s", n, (double)took / 1000,
                    round == 1 ? " again" : "");
    json_decref (index);
  }
  g_clear_pointer (&records.store, store_free);
  records.store = store_open (killed, records.vault, NULL, STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  gint64 begin = g_get_monotonic_time ();
  json_t *index = index_of (&records, consult);
  g_assert_cmpuint (count_records (segments_of (index, "microphone")), ==, n);
  g_test_message ("index of %u records of a killed station: %.1f ms", n,
                  (double)(g_get_monotonic_time () - begin) / 1000);
  json_decref (index);
  records_remove (killed);
  records_down (&records);
}

/* ---- A kill ------------------------------------------------------------------------------- */

static void
only_segment (Records *records, const char *consult, char **ret_path)
{
  json_t *index = index_of (records, consult);
  g_autofree char *name
      = g_strconcat (text_of (json_array_get (segments_of (index, "room"), 0), "id"), ".seg", NULL);
  *ret_path = g_build_filename (records->dir, "media", consult, name, NULL);
  json_decref (index);
}

static void
write_behind (const char *path, const void *bytes, gsize size)
{
  int fd = open (path, O_WRONLY | O_APPEND);
  g_assert_cmpint (write (fd, bytes, size), ==, (gssize)size);
  close (fd);
}

/* tail: what the kill left half written. */
static void
kill_with_tail (gconstpointer tail, gsize size, gsize cut)
{
  Records records, again;
  g_autofree char *path = NULL;
  GStatBuf status;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  append (track, 0, 500, SEGMENT_INIT);
  for (guint i = 1; i < 5; i++)
    append (track, i, 3000, SEGMENT_KEY);
  wait_for_records (&records, consult, "room", 5);
  again = records;
  again.dir = again.place.dir = records_copy (records.dir);
  track_close (track);
  records_close (&records);

  again.store = store_open (again.dir, NULL, NULL, STORE_READ_ONLY, NULL);
  g_assert_nonnull (again.store);
  g_clear_pointer (&again.store, store_free);
  again.vault = place_open (&again.place);
  vault_unlock_boot (again.vault, again.place.boot, NULL);
  again.store = store_open (again.dir, again.vault, NULL, STORE_READ_ONLY, NULL);
  only_segment (&again, consult, &path);
  g_clear_pointer (&again.store, store_free);
  g_clear_pointer (&again.vault, vault_free);
  if (size > 0)
    write_behind (path, tail, size);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  if (cut > 0)
    g_assert_cmpint (truncate (path, status.st_size - (off_t)cut), ==, 0);

  records_open (&again);
  json_t *index = index_of (&again, consult);
  json_t *segment = json_array_get (segments_of (index, "room"), 0);
  guint left = cut > 0 ? 4 : 5;
  g_assert_cmpstr (text_of (segment, "state"), ==, "torn");
  assert_segment (&again, consult, segment, (guint[]){ 0, 1, 2, 3, 4 },
                  (gsize[]){ 500, 3000, 3000, 3000, 3000 }, left);
  json_decref (index);
  assert_good (again.dir, again.vault);
  track = open_track (&again, consult, "room");
  append (track, 9, 500, SEGMENT_INIT);
  track_close (track);
  index = index_of (&again, consult);
  g_assert_cmpuint (json_array_size (segments_of (index, "room")), ==, 2);
  json_decref (index);
  StoreRow *recovered = store_latest (again.store, "station", "recovered", NULL);
  json_t *told = json_array_get (json_object_get (recovered->body, "cut"), 0);
  g_assert_cmpstr (text_of (told, "consult"), ==, consult);
  g_assert_cmpint (integer_of (told, "lost"), ==, cut > 0 ? (gint64)(3040 - cut) : (gint64)size);
  store_row_free (recovered);
  assert_good (again.dir, again.vault);
  records_down (&again);
  records_down (&records);
}

static void
test_kill (void)
{
  static const guint8 zero[5000] = { 0 };
  static const guint8 half[30] = { 0, 0, 0x10, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3 };
  kill_with_tail (NULL, 0, 0);
  kill_with_tail (zero, sizeof zero, 0);
  kill_with_tail (half, sizeof half, 0);
  kill_with_tail (half, 7, 0);
  kill_with_tail (NULL, 0, 1);
  kill_with_tail (NULL, 0, 3000);
}

/* Nobody has signed in and there is no credential: cutting waits for the key. */
static void
test_kill_and_locked (void)
{
  Records records, again;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  append (track, 0, 500, SEGMENT_INIT);
  append (track, 1, 500, SEGMENT_KEY);
  wait_for_records (&records, consult, "room", 2);
  again = records;
  again.dir = again.place.dir = records_copy (records.dir);
  track_close (track);
  records_close (&records);

  again.vault = place_open (&again.place);
  again.identity = NULL;
  again.store = store_open (again.dir, again.vault, NULL, STORE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_null (recording_index (again.store, consult, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  Verdict verdict;
  verdict_of (&verdict, again.dir, again.vault, NULL);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  g_assert_nonnull (strstr (verdict.text->str, "note needs-key"));
  verdict_clear (&verdict);
  vault_unlock (again.vault, PLACE_USER, PLACE_PASSPHRASE, &error);
  g_assert_no_error (error);
  g_assert_true (store_repair (again.store, &error));
  StoreRow *recovered = store_latest (again.store, "station", "recovered", &error);
  g_assert_no_error (error);
  store_row_free (recovered);
  json_t *index = index_of (&again, consult);
  json_t *segment = json_array_get (segments_of (index, "room"), 0);
  g_assert_cmpstr (text_of (segment, "state"), ==, "torn");
  json_decref (index);
  assert_good (again.dir, again.vault);
  records_down (&again);
  records_down (&records);
}

static void
test_strays (void)
{
  Records records, again;
  guint8 header[SEGMENT_HEADER] = { 0 };

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  again = records;
  again.dir = again.place.dir = records_copy (records.dir);
  records_close (&records);
  g_autofree char *folder = g_build_filename (again.dir, "media", consult, NULL);
  g_autofree char *empty
      = g_build_filename (folder, "6d8f0c1e-0000-4000-8000-000000000001.seg", NULL);
  g_autofree char *full
      = g_build_filename (folder, "6d8f0c1e-0000-4000-8000-000000000002.seg", NULL);
  g_mkdir_with_parents (folder, 0700);
  g_file_set_contents (empty, (const char *)header, sizeof header, NULL);
  g_file_set_contents (full, "", 0, NULL);
  write_behind (full, header, sizeof header);
  write_behind (full, header, sizeof header);
  records_open (&again);
  g_assert_false (g_file_test (empty, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (full, G_FILE_TEST_EXISTS)); /* nobody's: named, never removed */
  assert_bad (again.dir, again.vault, "segment-unlogged", "media/");
  records_down (&again);
  records_down (&records);
}

/* ---- A disk that ends --------------------------------------------------------------------- */

static void
wait_for_failure (Track *track)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  g_autoptr (GBytes) fragment = fragment_of (1, 40000);

  while (track_append (track, fragment, SEGMENT_KEY, 0)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}

/* room: bytes left behind ten fragments. */
static void
full_disk (gsize room, const char *state)
{
  Records records;
  struct rlimit limit;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  append (track, 0, 500, SEGMENT_INIT);
  wait_for_records (&records, consult, "room", 1);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur
      = SEGMENT_HEADER + segment_record_span (500) + 10 * segment_record_span (40000) + room;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  wait_for_failure (track);
  g_autofree char *failed = track_failed (track);
  g_assert_nonnull (strstr (failed, "too large"));
  track_close (track);
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  records_note (&records, consult, "ghi tiếp được");
  json_t *index = index_of (&records, consult);
  json_t *segment = json_array_get (segments_of (index, "room"), 0);
  g_assert_cmpstr (text_of (segment, "state"), ==, state);
  g_autoptr (GBytes) all = read_segment (&records, consult, segment);
  g_assert_cmpuint (g_bytes_get_size (all), ==, 500 + 10 * 40000);
  json_decref (index);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
test_full_disk (void)
{
  signal (SIGXFSZ, SIG_IGN);
  full_disk (0, "torn"); /* not even the final record finds room */
  full_disk (30000, "closed");
}

static void
test_floor (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  Track *track = open_track (&records, consult, "room");
  append (track, 0, 500, SEGMENT_INIT);
  append (track, 1, 500, SEGMENT_KEY);
  recording_set_floor (records.store, G_MAXUINT64);
  wait_for_failure (track);
  track_close (track);
  json_t *index = index_of (&records, consult);
  json_t *segment = json_array_get (segments_of (index, "room"), 0);
  g_assert_cmpstr (text_of (segment, "state"), ==, "closed");
  json_decref (index);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

/* A segment of that size whose last byte came `seconds` after its first. */
static void
make_segment (const char *folder, const char *stream, guint n, gsize size, guint seconds)
{
  SegmentHeader header = { .id = { (guint8)n }, .mime = "video/mp4" };
  guint8 bytes[SEGMENT_HEADER];
  g_autofree char *name = g_strdup_printf ("%s-%u.seg", stream, n);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_strlcpy (header.stream, stream, sizeof header.stream);
  segment_header_write (&header, bytes);
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, bytes, sizeof bytes, 0), ==, sizeof bytes);
  g_assert_cmpint (ftruncate (fd, (off_t)size), ==, 0);
  struct timespec now[2];
  clock_gettime (CLOCK_REALTIME, &now[0]);
  now[1] = now[0];
  now[1].tv_sec += seconds;
  g_assert_cmpint (futimens (fd, now), ==, 0);
  close (fd);
}

/* All tracks together, each at its most; too short ones and other files tell nothing. */
static void
test_measured_rate (void)
{
  Records records;
  records_up (&records);
  g_assert_cmpuint (recording_measured_rate (records.dir), ==, 0);
  g_autofree char *folder = g_build_filename (records.dir, "media", "c1", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  make_segment (folder, "room", 0, 1000, 3);
  g_assert_cmpuint (recording_measured_rate (records.dir), ==, 0);
  make_segment (folder, "room", 1, 20 * 100000, 20);
  make_segment (folder, "room", 2, 20 * 1000, 2000); /* torn, cut a day later */
  make_segment (folder, "exam", 3, 40 * 50000, 40);
  guint64 rate = recording_measured_rate (records.dir);
  g_test_message ("%" G_GUINT64_FORMAT " bytes/s", rate);
  g_assert_cmpuint (rate, >, 149000);
  g_assert_cmpuint (rate, <, 151000);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A disk that ends is worth a warning, and a test. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/segment/round-trip", test_round_trip);
  g_test_add_func ("/segment/clip", test_clip);
  g_test_add_func ("/segment/streams-and-inits", test_streams_and_inits);
  g_test_add_func ("/segment/refusals", test_refusals);
  g_test_add_func ("/segment/rotation", test_rotation);
  g_test_add_func ("/segment/index-of-two-hours", test_index_of_two_hours);
  g_test_add_func ("/segment/kill", test_kill);
  g_test_add_func ("/segment/kill-and-locked", test_kill_and_locked);
  g_test_add_func ("/segment/strays", test_strays);
  g_test_add_func ("/segment/full-disk", test_full_disk);
  g_test_add_func ("/segment/floor", test_floor);
  g_test_add_func ("/segment/measured-rate", test_measured_rate);
  return g_test_run ();
}
