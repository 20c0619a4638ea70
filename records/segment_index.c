#include "records/erasure.h"
#include "records/segment_file.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Indexes of this many segments stay in memory: places and sizes, no content. */
#define CACHE_MAX 64

typedef struct {
  guint64 offset;
  gint64 pts_us;
  guint32 size, flags;
} Entry;

typedef struct {
  char *id, *consult;
  SegmentHeader header;
  char *state;
  guint64 end;     /* of the file that entries tell */
  GArray *entries; /* of Entry, by seq, without the final one */
  guint64 used;    /* for dropping the one not used for longest */
} SegmentIndex;

struct SegmentCache {
  GHashTable *indexes; /* id → SegmentIndex */
  guint64 clock;
};

static void
index_free (gpointer data)
{
  SegmentIndex *index = data;
  g_free (index->id);
  g_free (index->consult);
  g_free (index->state);
  g_array_unref (index->entries);
  g_free (index);
}

void
segment_cache_free (SegmentCache *cache)
{
  g_hash_table_unref (cache->indexes);
  g_free (cache);
}

/* ---- Making an index ---------------------------------------------------------------------- */

static guint32
be32 (const guint8 *in)
{
  return (guint32)in[0] << 24 | (guint32)in[1] << 16 | (guint32)in[2] << 8 | in[3];
}

/* The final record tells of all others. */
static gboolean
parse_final (const guint8 *plain, guint32 size, guint64 tail, GArray *entries)
{
  guint64 offset = SEGMENT_HEADER;

  for (guint32 at = 0; at + SEGMENT_INDEX_ENTRY <= size; at += SEGMENT_INDEX_ENTRY) {
    const guint8 *in = plain + at;
    const Entry entry = { .offset = offset,
                          .size = be32 (in),
                          .flags = be32 (in + 4),
                          .pts_us = (gint64)((guint64)be32 (in + 8) << 32 | be32 (in + 12)) };
    g_array_append_val (entries, entry);
    offset += segment_record_span (entry.size);
  }
  return offset == tail;
}

static GBytes *
read_record (int fd, guint64 offset, SegmentCipher *cipher, guint64 seq, SegmentRecord *ret_record)
{
  guint8 head[SEGMENT_RECORD_HEAD];
  SegmentRecord record;

  if (pread (fd, head, sizeof head, (off_t)offset) != sizeof head
      || !segment_record_read (head, seq, &record))
    return NULL;
  gsize span = segment_record_span (record.size);
  g_autofree guint8 *whole = g_malloc (span);
  g_autofree guint8 *plain = g_malloc (MAX (record.size, 1));
  if (pread (fd, whole, span, (off_t)offset) != (gssize)span
      || memcmp (whole, head, sizeof head) != 0
      || !segment_cipher_open (cipher, &record, whole, plain))
    return NULL;
  *ret_record = record;
  return g_bytes_new_take (g_steal_pointer (&plain), record.size);
}

/* The seq of the final record is not known before it is read. */
static gboolean
index_closed (int fd, const SegmentRow *row, SegmentCipher *cipher, GArray *entries)
{
  guint8 head[SEGMENT_RECORD_HEAD];
  SegmentRecord record;

  if (pread (fd, head, sizeof head, (off_t)row->tail) != sizeof head)
    return FALSE;
  guint64 seq = be32 (head) / SEGMENT_INDEX_ENTRY;
  g_autoptr (GBytes) plain = read_record (fd, (guint64)row->tail, cipher, seq, &record);
  return plain != NULL && (record.flags & SEGMENT_FINAL)
         && parse_final (g_bytes_get_data (plain, NULL), record.size, (guint64)row->tail, entries);
}

/* Goes on from what is known, up to the last whole record. */
static guint64
index_open (int fd, guint64 offset, guint64 limit, GArray *entries)
{
  guint8 head[SEGMENT_RECORD_HEAD];
  SegmentRecord record;

  while (offset + SEGMENT_RECORD_HEAD <= limit
         && pread (fd, head, sizeof head, (off_t)offset) == sizeof head
         && segment_record_read (head, entries->len, &record)
         && offset + segment_record_span (record.size) <= limit
         && !(record.flags & SEGMENT_FINAL)) {
    const Entry entry = { offset, record.pts_us, record.size, record.flags };
    g_array_append_val (entries, entry);
    offset += segment_record_span (record.size);
  }
  return offset;
}

static guint64
readable_bytes (int fd, const SegmentRow *row)
{
  struct stat status;
  if (!g_str_equal (row->state, "open"))
    return (guint64)row->bytes;
  return fstat (fd, &status) == 0 ? (guint64)status.st_size : 0;
}

static gboolean
fill_index (SegmentIndex *index, int fd, const SegmentRow *row, SegmentCipher *cipher,
            GError **error)
{
  if (g_str_equal (row->state, "closed")) {
    g_array_set_size (index->entries, 0);
    if (!index_closed (fd, row, cipher, index->entries)) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                   "the index of segment %s was changed: run nhipcau record verify", row->id);
      return FALSE;
    }
    index->end = (guint64)row->bytes;
    return TRUE;
  }
  index->end = index_open (fd, index->end, readable_bytes (fd, row), index->entries);
  return TRUE;
}

/* ---- The cache, under segments_lock ------------------------------------------------------- */

static SegmentCache *
cache_of (Store *store)
{
  if (store->cache == NULL) {
    store->cache = g_new0 (SegmentCache, 1);
    store->cache->indexes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, index_free);
  }
  return store->cache;
}

static void
drop_oldest (SegmentCache *cache)
{
  GHashTableIter iter;
  gpointer value;
  SegmentIndex *oldest = NULL;

  if (g_hash_table_size (cache->indexes) < CACHE_MAX)
    return;
  g_hash_table_iter_init (&iter, cache->indexes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (oldest == NULL || ((SegmentIndex *)value)->used < oldest->used)
      oldest = value;
  g_hash_table_remove (cache->indexes, oldest->id);
}

static SegmentIndex *
index_new (const SegmentRow *row, const SegmentHeader *header)
{
  SegmentIndex *index = g_new0 (SegmentIndex, 1);
  index->id = g_strdup (row->id);
  index->consult = g_strdup (row->consult);
  index->header = *header;
  index->end = SEGMENT_HEADER;
  index->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  return index;
}

/* An index that tells all of the segment as it is now; it belongs to the cache. */
static SegmentIndex *
index_of (Store *store, const SegmentRow *row, DataKey *key, GError **error)
{
  SegmentCache *cache = cache_of (store);
  SegmentIndex *index = g_hash_table_lookup (cache->indexes, row->id);
  guint8 header[SEGMENT_HEADER];
  SegmentHeader parsed;

  if (index != NULL && !g_str_equal (row->state, "open")
      && g_strcmp0 (index->state, row->state) == 0) {
    index->used = ++cache->clock;
    return index;
  }
  int fd = segment_file_open (store->state_dir, row, header, &parsed, error);
  if (fd < 0)
    return NULL;
  if (index == NULL) {
    drop_oldest (cache);
    index = index_new (row, &parsed);
    g_hash_table_insert (cache->indexes, index->id, index);
  }
  g_autoptr (SegmentCipher) cipher = segment_cipher_new (key, parsed.id, header);
  gboolean ok = fill_index (index, fd, row, cipher, error);
  close (fd);
  if (!ok) {
    g_hash_table_remove (cache->indexes, row->id);
    return NULL;
  }
  g_free (index->state);
  index->state = g_strdup (row->state);
  index->used = ++cache->clock;
  return index;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static char *
utc_text (gint64 utc_us)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  g_autofree char *text = second != NULL ? g_date_time_format (second, "%Y-%m-%dT%H:%M:%S") : NULL;
  return g_strdup_printf ("%s.%03dZ", text != NULL ? text : "1970-01-01T00:00:00",
                          (int)(utc_us % G_USEC_PER_SEC / 1000));
}

/* The newest "track" row that such a segment can have come from. */
static const StoreRow *
track_row (GPtrArray *tracks, const SegmentHeader *header)
{
  for (guint i = tracks->len; i > 0; i--) {
    const StoreRow *row = tracks->pdata[i - 1];
    const char *stream = json_string_value (json_object_get (row->body, "stream"));
    json_t *epoch = json_object_get (row->body, "epoch_us");
    if (g_strcmp0 (stream, header->stream) == 0 && json_integer_value (epoch) == header->epoch_us)
      return row;
  }
  return NULL;
}

static json_t *
json_of_index (const SegmentIndex *index, const SegmentRow *row, const StoreRow *track)
{
  json_t *records = json_array ();

  for (guint i = 0; i < index->entries->len; i++) {
    const Entry *entry = &g_array_index (index->entries, Entry, i);
    json_array_append_new (records,
                           json_pack ("{s:I, s:I, s:I, s:I}", "seq", (json_int_t)i, "flags",
                                      (json_int_t)entry->flags, "pts_us", (json_int_t)entry->pts_us,
                                      "size", (json_int_t)entry->size));
  }
  g_autofree char *epoch
      = track != NULL ? utc_text (track->utc_us - (track->mono_us - index->header.epoch_us)) : NULL;
  return json_pack ("{s:s, s:s, s:I, s:s, s:I, s:s?, s:o}", "id", row->id, "state", row->state,
                    "bytes", (json_int_t)index->end, "mime", index->header.mime, "epoch_us",
                    (json_int_t)index->header.epoch_us, "epoch", epoch, "records", records);
}

static json_t *
track_of (json_t *all, const SegmentHeader *header, const StoreRow *row)
{
  json_t *track;
  gsize i;

  json_array_foreach (all, i, track)
  {
    if (g_str_equal (json_string_value (json_object_get (track, "stream")), header->stream))
      return track;
  }
  const char *label = row != NULL ? json_string_value (json_object_get (row->body, "label")) : NULL;
  track = json_pack ("{s:s, s:s?, s:s, s:I, s:[]}", "stream", header->stream, "label", label,
                     "mime", header->mime, "epoch_us", (json_int_t)header->epoch_us, "segments");
  json_array_append_new (all, track);
  return track;
}

static gboolean
add_segment (Store *store, const SegmentRow *row, DataKey *key, GPtrArray *tracks, json_t *all,
             GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->segments_lock);
  const SegmentIndex *index = index_of (store, row, key, error);

  if (index == NULL)
    return FALSE;
  const StoreRow *from = track_row (tracks, &index->header);
  json_t *track = track_of (all, &index->header, from);
  return json_array_append_new (json_object_get (track, "segments"),
                                json_of_index (index, row, from))
         == 0;
}

static GPtrArray *
rows_of (Store *store, const char *consult, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  return segment_rows (store->reader, consult, error);
}

gboolean
recording_exists (Store *store, const char *consult)
{
  g_autoptr (GPtrArray) rows = rows_of (store, consult, NULL);
  return rows != NULL && rows->len > 0;
}

json_t *
recording_index (Store *store, const char *consult, GError **error)
{
  if (!store_repair_consult (store, consult, error))
    return NULL;
  g_autoptr (GPtrArray) rows = rows_of (store, consult, error);
  if (rows == NULL)
    return NULL;
  json_t *all = json_array ();
  if (rows->len == 0 || erasure_done (store, consult, PURPOSE_RECORDING))
    return all;
  g_autoptr (DataKey) key = vault_get_key (store->vault, consult, PURPOSE_RECORDING, error);
  g_autoptr (GPtrArray) tracks
      = key != NULL ? store_read (store, consult, "track", 0, error) : NULL;
  gboolean ok = tracks != NULL;
  for (guint i = 0; ok && i < rows->len; i++)
    ok = add_segment (store, rows->pdata[i], key, tracks, all, error);
  if (!ok)
    g_clear_pointer (&all, json_decref);
  return all;
}

/* ---- One record --------------------------------------------------------------------------- */

static SegmentRow *
find_row (Store *store, const char *consult, const char *segment, GError **error)
{
  g_autoptr (GPtrArray) rows = rows_of (store, consult, error);

  if (rows == NULL)
    return NULL;
  for (guint i = 0; i < rows->len; i++)
    if (g_str_equal (((SegmentRow *)rows->pdata[i])->id, segment))
      return g_ptr_array_steal_index (rows, i);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "consultation %s has no segment %s",
               consult, segment);
  return NULL;
}

static gboolean
find_entry (Store *store, const SegmentRow *row, DataKey *key, guint64 seq, Entry *ret_entry,
            GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->segments_lock);
  const SegmentIndex *index = index_of (store, row, key, error);

  if (index == NULL)
    return FALSE;
  if (seq < index->entries->len) {
    *ret_entry = g_array_index (index->entries, Entry, (guint)seq);
    return TRUE;
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
               "segment %s has no record %" G_GUINT64_FORMAT, row->id, seq);
  return FALSE;
}

static GBytes *
read_entry (Store *store, const SegmentRow *row, DataKey *key, guint64 seq, const Entry *entry,
            GError **error)
{
  guint8 header[SEGMENT_HEADER];
  SegmentHeader parsed;
  SegmentRecord record;
  int fd = segment_file_open (store->state_dir, row, header, &parsed, error);

  if (fd < 0)
    return NULL;
  g_autoptr (SegmentCipher) cipher = segment_cipher_new (key, parsed.id, header);
  GBytes *plain = read_record (fd, entry->offset, cipher, seq, &record);
  close (fd);
  if (plain == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "record %" G_GUINT64_FORMAT " of segment %s was changed", seq, row->id);
  return plain;
}

GBytes *
recording_read (Store *store, const char *consult, const char *segment, guint64 seq, GError **error)
{
  SegmentRow *row = find_row (store, consult, segment, error);
  g_autoptr (DataKey) key
      = row != NULL ? vault_get_key (store->vault, consult, PURPOSE_RECORDING, error) : NULL;
  GBytes *plain = NULL;
  Entry entry;

  if (key != NULL && find_entry (store, row, key, seq, &entry, error))
    plain = read_entry (store, row, key, seq, &entry, error);
  segment_row_free (row);
  return plain;
}
