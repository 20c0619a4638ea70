/* A finished consultation with a long recording, in a state folder whose station does not run: for
 * tests/bench/seek.bench.mjs. Prints the consultation's id.
 *
 *   bench-long-record STATE BOOT VIDEO.mp4 SOUND.webm
 *
 * VIDEO.mp4: fragments of half a second, a key frame in each fourth; SOUND.webm: clusters of one
 * second. */
#include "records/segment.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BEHIND (2 << 20) /* bytes */

typedef struct {
  const char *stream, *label, *mime;
  gboolean mp4;
  gint64 every_us;
  guint key_every;
} Kind;

static const Kind VIDEO = { "room", "room", "video/mp4; codecs=\"avc1.42c01e\"", TRUE, 500000, 4 };
static const Kind SOUND
    = { "microphone", "microphone", "audio/webm; codecs=\"opus\"", FALSE, 1000000, 1 };

/* Where a fragment begins: "moof" behind its length, or a cluster's id. */
static gsize
next_fragment (const char *bytes, gsize size, gsize from, gboolean mp4)
{
  const char *mark = mp4 ? "moof" : "\x1f\x43\xb6\x75";
  const char *found = memmem (bytes + from, size - from, mark, 4);
  if (found == NULL)
    return size;
  return (gsize)(found - bytes) - (mp4 ? 4 : 0);
}

/* Bytes of all segments so far. */
static guint64
written (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint64 bytes = 0;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    struct stat status;
    bytes += stat (path, &status) == 0 ? (guint64)status.st_size : 0;
  }
  return bytes;
}

static void
put_media (Store *store, const char *consult, const Kind *kind, gint64 epoch_us, const char *path,
           const char *folder)
{
  const TrackInfo info = {
    .stream = kind->stream, .mime_type = kind->mime, .epoch_us = epoch_us, .label = kind->label
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize size, begin = 0;
  guint64 before = written (folder);
  if (!g_file_get_contents (path, &bytes, &size, &error))
    g_error ("%s", error->message);
  Track *track = track_open (store, consult, &info, &error);
  if (track == NULL)
    g_error ("%s", error->message);
  for (guint n = 0; begin < size; n++) {
    gsize end = next_fragment (bytes, size, n == 0 ? 0 : begin + 8, kind->mp4);
    g_autoptr (GBytes) fragment = g_bytes_new (bytes + begin, end - begin);
    SegmentFlags flags = n == 0 ? SEGMENT_INIT : (n - 1) % kind->key_every == 0 ? SEGMENT_KEY : 0;
    gint64 pts_us = epoch_us + (n == 0 ? 0 : (gint64)(n - 1) * kind->every_us);
    while (!track_append (track, fragment, flags, pts_us)) {
      g_autofree char *why = track_failed (track);
      if (why != NULL)
        g_error ("%s", why);
      g_usleep (1000);
    }
    begin = end;
    /* No camera is so fast: a writer that is far behind gives up. */
    while (written (folder) - before + BEHIND < begin && track_failed (track) == NULL)
      g_usleep (2000);
  }
  track_close (track);
}

static void
put_row (Store *store, const char *consult, const char *kind, json_t *body)
{
  g_autoptr (GError) error = NULL;
  if (!store_put_sync (store, consult, kind, "lan", body, NULL, &error))
    g_error ("%s", error->message);
  json_decref (body);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  char *secret = NULL;
  gsize size;
  if (argc != 5 || !g_file_get_contents (argv[2], &secret, &size, &error))
    g_error ("bench-long-record STATE BOOT VIDEO.mp4 SOUND.webm");
  g_autoptr (GBytes) boot = g_bytes_new_take (secret, size);
  g_autoptr (Vault) vault = vault_open (argv[1], &error);
  if (vault == NULL || !vault_unlock_boot (vault, boot, &error))
    g_error ("%s", error->message);
  Store *store = store_open (argv[1], vault, NULL, STORE_READ_WRITE, &error);
  if (store == NULL)
    g_error ("%s", error->message);
  json_t *first = json_pack ("{s:s, s:i, s:s, s:s}", "state", "live", "mode", 3, "reason", "bench",
                             "doctor", "lan");
  g_autofree char *consult = store_create_consult (store, "lan", first, &error);
  if (consult == NULL)
    g_error ("%s", error->message);
  json_decref (first);
  put_row (store, consult, "patient", json_pack ("{s:s}", "name", "Vàng Thị Mỷ"));
  gint64 epoch_us = g_get_monotonic_time ();
  g_autofree char *folder = g_build_filename (argv[1], "media", consult, NULL);
  put_media (store, consult, &VIDEO, epoch_us, argv[3], folder);
  put_media (store, consult, &SOUND, epoch_us, argv[4], folder);
  put_row (store, consult, "consultation",
           json_pack ("{s:s, s:i, s:s, s:s}", "state", "signed", "mode", 3, "reason", "bench",
                      "doctor", "lan"));
  store_free (store);
  puts (consult);
  return 0;
}
