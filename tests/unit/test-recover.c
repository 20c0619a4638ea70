#include "records/attachment.h"
#include "records_place.h"

/* The recovery key alone, twice: our program, and the script of docs/records.md. */

static gboolean
run (const char *const *argv, char **ret_output)
{
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, ret_output, &errors,
                &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_test_message ("%s: %s", argv[0], errors);
  return status == 0;
}

static gboolean
is_installed (const char *command)
{
  g_autofree char *path = g_find_program_in_path (command);
  return path != NULL;
}

/* ---- Media as a muxer gives it: an init, then fragments ------------------------------------ */

static GBytes *
make_media (const char *dir, gboolean mp4)
{
  g_autofree char *path = g_build_filename (dir, mp4 ? "made.mp4" : "made.webm", NULL);
  const char *argv_mp4[] = { "ffmpeg",
                             "-v",
                             "error",
                             "-f",
                             "lavfi",
                             "-i",
                             "testsrc=size=160x120:rate=10",
                             "-t",
                             "3",
                             "-c:v",
                             "libx264",
                             "-preset",
                             "ultrafast",
                             "-g",
                             "5",
                             "-movflags",
                             "frag_keyframe+empty_moov+default_base_moof",
                             path,
                             NULL };
  const char *argv_webm[]
      = { "ffmpeg", "-v",    "error", "-f",     "lavfi", "-i", "testsrc=size=160x120:rate=10",
          "-t",     "3",     "-c:v",  "libvpx", "-g",    "5",  "-cluster_time_limit",
          "500",    "-live", "1",     path,     NULL };
  char *content;
  gsize size;

  g_assert_true (run (mp4 ? argv_mp4 : argv_webm, NULL));
  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  g_unlink (path);
  return g_bytes_new_take (content, size);
}

/* Where a fragment begins: "moof" behind its length, or a cluster's id. */
static gsize
next_fragment (const guint8 *bytes, gsize size, gsize from, gboolean mp4)
{
  for (gsize at = from; at + 8 < size; at++)
    if (mp4 ? memcmp (bytes + at + 4, "moof", 4) == 0
            : memcmp (bytes + at, "\x1f\x43\xb6\x75", 4) == 0)
      return at;
  return size;
}

static guint
put_media (Track *track, GBytes *media, gboolean mp4)
{
  gsize size, begin = 0;
  const guint8 *bytes = g_bytes_get_data (media, &size);
  guint n = 0;

  while (begin < size) {
    gsize end = next_fragment (bytes, size, n == 0 ? 0 : begin + 8, mp4);
    g_autoptr (GBytes) fragment = g_bytes_new_from_bytes (media, begin, end - begin);
    g_assert_true (
        track_append (track, fragment, n == 0 ? SEGMENT_INIT : SEGMENT_KEY, (gint64)n * 500000));
    begin = end;
    n++;
  }
  g_assert_cmpuint (n, >, 3);
  return n;
}

static Track *
open_track (Records *records, const char *consult, const char *stream, const char *mime,
            gint64 epoch_us)
{
  const TrackInfo info
      = { .stream = stream, .mime_type = mime, .epoch_us = epoch_us, .label = "Camera" };
  g_autoptr (GError) error = NULL;
  Track *track = track_open (records->store, consult, &info, &error);
  g_assert_no_error (error);
  return track;
}

static void
wait_for (Records *records, const char *consult, const char *stream, guint n)
{
  gint64 deadline = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  gsize found = 0;

  while (found < n) {
    json_t *index = recording_index (records->store, consult, NULL), *track;
    gsize i;
    json_array_foreach (index, i, track)
    {
      json_t *segments = json_object_get (track, "segments");
      json_t *last = json_array_get (segments, json_array_size (segments) - 1);
      if (g_str_equal (json_string_value (json_object_get (track, "stream")), stream))
        found = json_array_size (json_object_get (last, "records"));
    }
    json_decref (index);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* ---- The record --------------------------------------------------------------------------- */

typedef struct {
  Records records; /* closed */
  char *killed, *consult, *out;
  GBytes *mp4, *webm;
} Drill;

/* Two chunks and a bit; an empty one; one that was taken away again. */
static void
put_attachments (Records *records, const char *consult)
{
  static const gsize sizes[] = { 2 * 1024 * 1024 + 17, 0, 5 };
  Attachment attachment;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const AttachmentInfo info
        = { .kind = "dicom", .name = "ảnh.dcm", .mime_type = i == 0 ? "application/dicom" : NULL };
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) content = g_bytes_new_take (g_strnfill (sizes[i], 'a'), sizes[i]);
    attachment_put_sync (records->store, consult, "lan", &info, content, &attachment, &error);
    g_assert_no_error (error);
  }
  g_assert_true (attachment_remove (records->store, consult, attachment.id, NULL));
}

static void
fill (Drill *drill)
{
  Records *records = &drill->records;
  const char *mp4 = "video/mp4; codecs=\"avc1.42c00a\"", *webm = "video/webm; codecs=\"vp8\"";

  drill->consult = records_consult (records);
  records_note (records, drill->consult, "Đau ngực trái, lan ra tay; khó thở khi gắng sức");
  records_note (records, drill->consult, "");
  g_assert_cmpint (records_note (records, "station", "khởi động"), ==, 1);
  json_t *bodies = json_pack ("[{s:s, s:f}, {s:s, s:i}]", "code", "8867-4", "value", 72.25, "code",
                              "59408-5", "value", 97);
  store_put_many (records->store, drill->consult, "observation", NULL, bodies, NULL, NULL);
  json_decref (bodies);
  json_t *draft = json_pack ("{s:s, s:s}", "note", "n-1", "text", "đang gõ dở");
  store_put_draft (records->store, drill->consult, "n-1", "lan", draft, NULL, NULL);
  json_decref (draft);
  put_attachments (records, drill->consult);
  drill->mp4 = make_media (records->dir, TRUE);
  drill->webm = make_media (records->dir, FALSE);
  Track *room = open_track (records, drill->consult, "room", mp4, -7);
  put_media (room, drill->mp4, TRUE);
  track_close (room);
  room = open_track (records, drill->consult, "room", mp4, 1000); /* after a pause: another file */
  put_media (room, drill->mp4, TRUE);
  track_close (room);
  Track *peer = open_track (records, drill->consult, "peer-video-7f3a", webm, 0);
  guint n = put_media (peer, drill->webm, FALSE);
  wait_for (records, drill->consult, "peer-video-7f3a", n);
  drill->killed = records_copy (records->dir);
  track_close (peer);
  records_close (records);
}

static void
drill_up (Drill *drill)
{
  records_up (&drill->records);
  fill (drill);
  drill->out = g_dir_make_tmp ("nhipcau-out-XXXXXX", NULL);
}

static void
drill_down (Drill *drill)
{
  records_remove (drill->out);
  records_remove (drill->killed);
  records_down (&drill->records);
  g_bytes_unref (drill->mp4);
  g_bytes_unref (drill->webm);
  g_free (drill->out);
  g_free (drill->killed);
  g_free (drill->consult);
}

static void
assert_file (const char *folder, const char *name, GBytes *want)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  g_assert_cmpmem (content, size, g_bytes_get_data (want, NULL), g_bytes_get_size (want));
  const char *argv[] = {
    "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of",
    "csv=p=0", path, NULL
  };
  char *frames = NULL;
  g_assert_true (run (argv, &frames));
  g_assert_cmpint (atoi (frames), ==, 30);
  g_free (frames);
}

static json_t *
load (const char *out, const char *consult)
{
  g_autofree char *path = g_build_filename (out, consult, "record.json", NULL);
  json_t *record = json_load_file (path, 0, NULL);
  g_assert_nonnull (record);
  return record;
}

static void
check_attachments (const char *folder, json_t *attachments)
{
  g_autofree char *path = g_build_filename (folder, "attachment-1.dcm", NULL);
  g_autofree char *empty = g_build_filename (folder, "attachment-2.bin", NULL);
  g_autofree char *content = NULL, *nothing = NULL;
  gsize size = 0;

  g_assert_cmpuint (json_array_size (attachments), ==, 2);
  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  g_assert_cmpuint (size, ==, 2 * 1024 * 1024 + 17);
  g_assert_cmpuint (strspn (content, "a"), ==, size);
  g_assert_true (g_file_get_contents (empty, &nothing, &size, NULL));
  g_assert_cmpuint (size, ==, 0);
}

static void
check_output (Drill *drill, const char *out)
{
  g_autofree char *folder = g_build_filename (out, drill->consult, NULL);
  json_t *record = load (out, drill->consult), *rows = json_object_get (record, "rows");
  json_t *note = json_object_get (json_array_get (rows, 1), "body");
  json_t *observation = json_object_get (json_array_get (rows, 3), "body");

  g_assert_cmpuint (json_array_size (rows), ==, 1 + 2 + 2 + 3 + 3); /* a row for each track_open */
  g_assert_cmpstr (json_string_value (json_object_get (note, "text")), ==,
                   "Đau ngực trái, lan ra tay; khó thở khi gắng sức");
  g_assert_cmpfloat (json_number_value (json_object_get (observation, "value")), ==, 72.25);
  g_assert_cmpuint (json_array_size (json_object_get (record, "tracks")), ==, 3);
  json_t *draft = json_array_get (json_object_get (record, "drafts"), 0);
  g_assert_cmpuint (json_array_size (json_object_get (record, "drafts")), ==, 1);
  g_assert_cmpstr (json_string_value (json_object_get (draft, "note")), ==, "n-1");
  g_assert_cmpstr (json_string_value (json_object_get (json_object_get (draft, "body"), "text")),
                   ==, "đang gõ dở");
  g_assert_cmpuint (json_array_size (json_object_get (record, "damaged")), ==, 0);
  check_attachments (folder, json_object_get (record, "attachments"));
  json_decref (record);
  assert_file (folder, "room-1.mp4", drill->mp4);
  assert_file (folder, "room-2.mp4", drill->mp4);
  assert_file (folder, "peer-video-7f3a-1.webm", drill->webm);
}

/* ---- Our program -------------------------------------------------------------------------- */

static void
test_recover (void)
{
  Drill drill;
  g_autoptr (GError) error = NULL;

  if (!is_installed ("ffmpeg")) {
    g_test_skip ("ffmpeg is not installed");
    return;
  }
  drill_up (&drill);
  Place *place = &drill.records.place;
  for (guint i = 0; i < 2; i++) { /* either key does; the station stopped, and killed */
    recover_records (i == 0 ? drill.killed : drill.records.dir, place->keys[i],
                     place->certificates[i], i == 0 ? NULL : drill.consult, drill.out, &error);
    g_assert_no_error (error);
    check_output (&drill, drill.out);
  }
  json_t *station = load (drill.out, "station"); /* exists when all were asked for */
  json_decref (station);
  drill_down (&drill);
}

static void
test_wrong_key (void)
{
  Records records;
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_autofree char *out = g_build_filename (records.dir, "out", NULL);
  EVP_PKEY *key = EVP_EC_gen ("P-384");
  X509 *certificate = place_certificate (key, "Khác", -86400, 86400);
  g_assert_false (recover_records (records.dir, key, certificate, consult, out, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  EVP_PKEY_free (key);
  X509_free (certificate);
  records_down (&records);
}

/* What is damaged is told; the rest comes all the same. */
static void
test_damaged (void)
{
  Drill drill;
  g_autoptr (GError) error = NULL;

  if (!is_installed ("ffmpeg") || !is_installed ("sqlite3")) {
    g_test_skip ("ffmpeg or sqlite3 is not installed");
    return;
  }
  drill_up (&drill);
  Place *place = &drill.records.place;
  g_autofree char *db = g_build_filename (drill.records.dir, "records.db", NULL);
  const char *spoil[]
      = { "sqlite3", db, "UPDATE rec SET sealed = zeroblob(100) WHERE kind = 'note' AND seq = 2",
          NULL };
  g_assert_true (run (spoil, NULL));
  g_assert_false (recover_records (drill.records.dir, place->keys[0], place->certificates[0],
                                   drill.consult, drill.out, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
  json_t *record = load (drill.out, drill.consult);
  json_t *damaged = json_object_get (record, "damaged");
  g_assert_cmpuint (json_array_size (damaged), ==, 1);
  g_assert_cmpstr (json_string_value (json_object_get (json_array_get (damaged, 0), "where")), ==,
                   "rec note/2");
  g_assert_cmpuint (json_array_size (json_object_get (record, "rows")), ==, 10);
  g_assert_cmpuint (json_array_size (json_object_get (record, "tracks")), ==, 3);
  json_decref (record);
  drill_down (&drill);
}

/* ---- The page ----------------------------------------------------------------------------- */

/* The script as the page shows it. */
static char *
script_of_page (const char *folder)
{
  g_autofree char *page = NULL;
  char *path = g_build_filename (folder, "recover.mjs", NULL);
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("docs/records.md", &page, NULL, &error);
  g_assert_no_error (error);
  char *section = strstr (page, "\n## Recovery without this program\n");
  g_assert_nonnull (section);
  char *begin = strstr (section, "\n```js\n");
  g_assert_nonnull (begin);
  begin += strlen ("\n```js\n");
  char *end = strstr (begin, "\n```\n");
  g_assert_nonnull (end);
  g_assert_true (g_file_set_contents (path, begin, end + 1 - begin, NULL));
  return path;
}

static void
write_key (Place *place, const char *key, const char *certificate)
{
  FILE *file = fopen (key, "w");
  PEM_write_PrivateKey (file, place->keys[0], NULL, NULL, 0, NULL, NULL);
  fclose (file);
  file = fopen (certificate, "w");
  PEM_write_X509 (file, place->certificates[0]);
  fclose (file);
}

static void
run_page (Drill *drill, const char *state)
{
  Place *place = &drill->records.place;
  g_autoptr (GError) error = NULL;
  g_autofree char *own = g_dir_make_tmp ("nhipcau-page-XXXXXX", NULL);
  g_autofree char *script = script_of_page (own);
  g_autofree char *key = g_build_filename (own, "rk.key", NULL);
  g_autofree char *certificate = g_build_filename (own, "rk.crt", NULL);
  g_autofree char *out = g_build_filename (own, "out", NULL);
  const char *argv[] = { "node", script, state, key, certificate, out, NULL };

  write_key (place, key, certificate);
  g_assert_true (run (argv, NULL));
  check_output (drill, out);
  recover_records (state, place->keys[0], place->certificates[0], NULL, drill->out, &error);
  g_assert_no_error (error);
  json_t *theirs = load (out, drill->consult), *ours = load (drill->out, drill->consult);
  g_assert_true (json_equal (theirs, ours));
  json_decref (theirs);
  json_decref (ours);
  records_remove (own);
}

static void
test_page (void)
{
  Drill drill;

  if (!is_installed ("ffmpeg") || !is_installed ("sqlite3") || !is_installed ("node")) {
    g_test_skip ("ffmpeg, sqlite3 or node is not installed");
    return;
  }
  drill_up (&drill);
  run_page (&drill, drill.killed);
  run_page (&drill, drill.records.dir);
  drill_down (&drill);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recover/records", test_recover);
  g_test_add_func ("/recover/wrong-key", test_wrong_key);
  g_test_add_func ("/recover/damaged", test_damaged);
  g_test_add_func ("/recover/page", test_page);
  return g_test_run ();
}
