#include "station/package.h"
#include "records/attachment.h"
#include "records/segment.h"
#include "station/clock.h"

#include <string.h>

#define WAVE_ROWS 128 /* of two seconds, some 16 KB each */
#define WAVE_BYTES 12000
#define KIND_WAVE "wave"

gboolean
package_kind_parse (const char *item, PackageKind *ret_kind)
{
  *ret_kind = g_str_equal (item, "recording") ? PACKAGE_RECORDING : PACKAGE_FILES;
  return *ret_kind == PACKAGE_RECORDING || g_str_equal (item, "files");
}

static void
piece_free (void *data)
{
  PackagePiece *piece = data;
  g_free (piece->file);
  g_free (piece->mime);
  g_free (piece->title);
  g_free (piece->sort);
  g_free (piece->created);
  g_free (piece->sha256);
  g_free (piece->source);
  g_free (piece);
}

/* One more piece of the file that `like` tells of; (transfer none). */
static PackagePiece *
add_piece (GPtrArray *plan, const PackagePiece *like)
{
  PackagePiece *piece = g_new0 (PackagePiece, 1);
  *piece = *like;
  piece->file = g_strdup (like->file);
  piece->mime = g_strdup (like->mime);
  piece->title = g_strdup (like->title);
  piece->sort = g_strdup (like->sort);
  piece->created = g_strdup (like->created);
  piece->sha256 = g_strdup (like->sha256);
  piece->source = g_strdup (like->source);
  g_ptr_array_add (plan, piece);
  return piece;
}

/* Pieces of a file stand together: each is told how many there are. */
static void
count_pieces (GPtrArray *plan)
{
  for (guint i = 0, first = 0; i < plan->len; i++) {
    PackagePiece *piece = plan->pdata[i];
    if (!g_str_equal (piece->file, ((PackagePiece *)plan->pdata[first])->file))
      first = i;
    piece->nth = i - first;
    for (guint j = first; j <= i; j++)
      ((PackagePiece *)plan->pdata[j])->of = i - first + 1;
  }
}

static const char *
text_of (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

/* ---- Files -------------------------------------------------------------------------------- */

static const char *
extension_of (const char *mime)
{
  static const char *const known[][2] = { { "application/dicom", "dcm" },
                                          { "image/png", "png" },
                                          { "image/jpeg", "jpg" },
                                          { "application/xml", "xml" },
                                          { "audio/flac", "flac" } };
  for (guint i = 0; mime != NULL && i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (mime, known[i][0]))
      return known[i][1];
  if (mime != NULL && strstr (mime, "/mp4") != NULL)
    return "mp4";
  return mime != NULL && strstr (mime, "/webm") != NULL ? "webm" : "bin";
}

/* One that was taken away again has no file, and is none. */
static void
plan_attachment (Store *store, const StoreRow *row, GPtrArray *plan)
{
  const json_t *body = row->body;
  const char *id = text_of (body, "id"), *mime = text_of (body, "mime");
  g_autofree char *name
      = g_strdup_printf ("attachment-%" G_GINT64_FORMAT ".%s", row->seq, extension_of (mime));
  g_autofree char *created = clock_text (row->utc_us);
  guint64 size, at = 0;
  if (id == NULL || !attachment_size (store, row->consult, id, &size, NULL))
    return;
  const char *taken = text_of (json_object_get (body, "about"), "taken");
  g_autoptr (GDateTime) time = taken != NULL ? g_date_time_new_from_iso8601 (taken, NULL) : NULL;
  const PackagePiece like = { .file = name,
                              .mime = (char *)(mime != NULL ? mime : "application/octet-stream"),
                              .title = (char *)text_of (body, "name"),
                              .sort = (char *)text_of (body, "kind"),
                              .created = (char *)(time != NULL ? taken : created),
                              .sha256 = (char *)text_of (body, "sha256"),
                              .source = (char *)id };
  do {
    PackagePiece *piece = add_piece (plan, &like);
    piece->from = at;
    piece->size = piece->count = MIN (size - at, PACKAGE_PIECE);
    at += PACKAGE_PIECE;
  } while (at < size);
}

/* Rows of a kind are numbered from 1 without a gap. */
static gboolean
plan_waves (Store *store, const char *consult, GPtrArray *plan, GError **error)
{
  g_autoptr (GPtrArray) first = store_read_some (store, consult, KIND_WAVE, 0, 1, error);
  if (first == NULL || first->len == 0)
    return first != NULL;
  StoreRow *last = store_latest (store, consult, KIND_WAVE, error);
  if (last == NULL)
    return FALSE;
  guint64 rows = (guint64)last->seq;
  store_row_free (last);
  g_autofree char *created = clock_text (((StoreRow *)first->pdata[0])->utc_us);
  const PackagePiece like = { .file = (char *)"waves.ndjson",
                              .mime = (char *)"application/x-ndjson",
                              .title = (char *)"Dạng sóng ghi liên tục",
                              .sort = (char *)"waves",
                              .created = created };
  for (guint64 at = 0; at < rows; at += WAVE_ROWS) {
    PackagePiece *piece = add_piece (plan, &like);
    piece->from = at;
    piece->count = MIN (rows - at, WAVE_ROWS);
    piece->size = piece->count * WAVE_BYTES;
  }
  return TRUE;
}

static gboolean
plan_files (Store *store, const char *consult, GPtrArray *plan, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (store, consult, "attachment", 0, error);
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    plan_attachment (store, rows->pdata[i], plan);
  return rows != NULL && plan_waves (store, consult, plan, error);
}

static GBytes *
read_waves (Store *store, const char *consult, const PackagePiece *piece, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read_some (store, consult, KIND_WAVE, (gint64)piece->from,
                                                (guint)piece->count, error);
  if (rows == NULL)
    return NULL;
  g_autoptr (GString) lines = g_string_new (NULL);
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    g_autofree char *at = clock_text (row->utc_us);
    json_auto_t *line = json_pack ("{s:s, s:O}", "at", at, "body", row->body);
    char *text = json_dumps (line, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION (15));
    g_string_append_printf (lines, "%s\n", text);
    free (text);
  }
  return g_string_free_to_bytes (g_steal_pointer (&lines));
}

/* ---- Recording ---------------------------------------------------------------------------- */

/* Which file the segments of a stream go to: one goes on as long as what follows would play behind
 * it (same init, same clock). */
typedef struct {
  Store *store;
  const char *consult, *stream;
  guint n; /* files of this stream so far */
  char *mime;
  gint64 epoch_us;
  GBytes *init;
} Output;

static guint
flags_of (const json_t *record)
{
  return (guint)json_integer_value (json_object_get (record, "flags"));
}

static guint64
size_of (const json_t *record)
{
  return (guint64)json_integer_value (json_object_get (record, "size"));
}

/* The records of `segment` from seq on, joined. */
static GBytes *
read_records (Store *store, const char *consult, const char *segment, guint64 seq, guint64 count,
              GError **error)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  for (guint64 i = 0; i < count; i++) {
    g_autoptr (GBytes) one = recording_read (store, consult, segment, seq + i, error);
    if (one == NULL)
      return NULL;
    gsize size;
    const guint8 *data = g_bytes_get_data (one, &size);
    if (size > 0)
      g_byte_array_append (all, data, (guint)size);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

/* How many records at the beginning are the init. */
static gsize
init_records (const json_t *records)
{
  gsize n = 0;
  while (n < json_array_size (records) && (flags_of (json_array_get (records, n)) & SEGMENT_INIT))
    n++;
  return n;
}

static gboolean
turn_to (Output *output, const json_t *segment, gsize inits, GError **error)
{
  const char *mime = text_of (segment, "mime");
  gint64 epoch_us = json_integer_value (json_object_get (segment, "epoch_us"));
  g_autoptr (GBytes) init
      = read_records (output->store, output->consult, text_of (segment, "id"), 0, inits, error);
  if (init == NULL)
    return FALSE;
  if (output->init != NULL && g_bytes_equal (output->init, init) && output->epoch_us == epoch_us
      && g_strcmp0 (output->mime, mime) == 0)
    return TRUE;
  output->n++;
  output->epoch_us = epoch_us;
  g_free (output->mime);
  output->mime = g_strdup (mime);
  g_clear_pointer (&output->init, g_bytes_unref);
  output->init = g_steal_pointer (&init);
  return TRUE;
}

/* UTC of a media time. */
static char *
time_of (const json_t *segment, const json_t *record)
{
  const char *epoch = text_of (segment, "epoch");
  g_autoptr (GDateTime) zero = epoch != NULL ? g_date_time_new_from_iso8601 (epoch, NULL) : NULL;
  if (zero == NULL)
    return NULL;
  gint64 pts_us = json_integer_value (json_object_get (record, "pts_us"))
                  - json_integer_value (json_object_get (segment, "epoch_us"));
  g_autoptr (GDateTime) at = g_date_time_add (zero, pts_us);
  if (at == NULL)
    return NULL;
  return clock_text (g_date_time_to_unix (at) * G_USEC_PER_SEC + g_date_time_get_microsecond (at));
}

static void
cut_segment (const Output *output, const json_t *track, const json_t *segment, gsize inits,
             GPtrArray *plan)
{
  const char *mime = output->mime != NULL ? output->mime : "application/octet-stream";
  g_autofree char *name
      = g_strdup_printf ("%s-%u.%s", output->stream, output->n, extension_of (mime));
  PackagePiece *piece = NULL;
  const json_t *records = json_object_get (segment, "records");
  for (gsize i = inits; i < json_array_size (records); i++) {
    const json_t *record = json_array_get (records, i);
    if (piece == NULL || ((flags_of (record) & SEGMENT_KEY) && piece->size >= PACKAGE_PIECE)) {
      g_autofree char *created = time_of (segment, record);
      const PackagePiece like
          = { .file = name,
              .mime = (char *)mime,
              .title = (char *)text_of (track, "label"),
              .sort = (char *)(g_str_has_prefix (mime, "audio/") ? "sound" : "video"),
              .created = created,
              .kind = PACKAGE_RECORDING,
              .source = (char *)text_of (segment, "id"),
              .from = i,
              .inits = inits };
      piece = add_piece (plan, &like);
    }
    piece->count++;
    piece->size += size_of (record);
  }
}

static gboolean
plan_track (Store *store, const char *consult, const json_t *track, GPtrArray *plan, GError **error)
{
  Output output = { .store = store, .consult = consult, .stream = text_of (track, "stream") };
  gboolean good = TRUE;
  gsize i;
  json_t *segment;
  json_array_foreach (json_object_get (track, "segments"), i, segment)
  {
    const json_t *records = json_object_get (segment, "records");
    gsize inits = init_records (records);
    if (!good || json_array_size (records) <= inits)
      continue; /* a kill before the first fragment */
    good = turn_to (&output, segment, inits, error);
    if (good)
      cut_segment (&output, track, segment, inits, plan);
  }
  g_free (output.mime);
  g_clear_pointer (&output.init, g_bytes_unref);
  return good;
}

static gboolean
plan_recording (Store *store, const char *consult, GPtrArray *plan, GError **error)
{
  json_auto_t *index = recording_index (store, consult, error);
  gsize i;
  json_t *track;
  json_array_foreach (index, i, track)
  {
    if (!plan_track (store, consult, track, plan, error))
      return FALSE;
  }
  return index != NULL;
}

static GBytes *
read_stretch (Store *store, const char *consult, const PackagePiece *piece, GBytes **ret_head,
              GError **error)
{
  g_autoptr (GBytes) body
      = read_records (store, consult, piece->source, piece->from, piece->count, error);
  if (body == NULL)
    return NULL;
  *ret_head = read_records (store, consult, piece->source, 0, piece->inits, error);
  return *ret_head != NULL ? g_steal_pointer (&body) : NULL;
}

/* ---- Both --------------------------------------------------------------------------------- */

GPtrArray *
package_plan (Store *store, const char *consult, PackageKind kind, GError **error)
{
  g_autoptr (GPtrArray) plan = g_ptr_array_new_with_free_func (piece_free);
  gboolean good = kind == PACKAGE_FILES ? plan_files (store, consult, plan, error)
                                        : plan_recording (store, consult, plan, error);
  if (!good)
    return NULL;
  count_pieces (plan);
  return g_steal_pointer (&plan);
}

GBytes *
package_read (Store *store, const char *consult, const PackagePiece *piece, GBytes **ret_head,
              GError **error)
{
  *ret_head = NULL;
  if (piece->count == 0)
    return g_bytes_new (NULL, 0);
  if (piece->source == NULL)
    return read_waves (store, consult, piece, error);
  if (piece->kind == PACKAGE_FILES)
    return attachment_read (store, consult, piece->source, piece->from, (gsize)piece->count, error);
  return read_stretch (store, consult, piece, ret_head, error);
}

gboolean
package_exists (Store *store, const char *consult, PackageKind kind)
{
  if (kind == PACKAGE_RECORDING)
    return recording_exists (store, consult);
  g_autoptr (GPtrArray) files = store_read_some (store, consult, "attachment", 0, 1, NULL);
  g_autoptr (GPtrArray) waves = store_read_some (store, consult, KIND_WAVE, 0, 1, NULL);
  return (files != NULL && files->len > 0) || (waves != NULL && waves->len > 0);
}
