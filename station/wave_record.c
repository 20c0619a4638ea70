#include "station/wave_record.h"
#include "station/readings.h"

#define KIND "wave"
#define ROW_US (2 * G_USEC_PER_SEC)
/* Gathered for so long, a row is written though its device has fallen silent. */
#define ROW_OLDEST_US (3 * G_USEC_PER_SEC)
/* Read back at the first wave after a start. */
#define READ_BACK 600
/* Read at the start for what a sender may repeat: what it had no answer to. */
#define KNOWN_BACK 100
/* Messages of one row: a sender of very short ones begins another. */
#define NOTES_MAX 64

/* Where samples are. */
typedef struct {
  gint64 seq;
  guint32 epoch;
  guint count;
  guint64 first;
} Place;

typedef struct {
  guint32 epoch;  /* newest */
  GArray *places; /* Place, in the order of writing */
} Index;

struct WaveRecord {
  Station *station;
  GHashTable *indices; /* consultation → Index* */
};

static void
index_free (void *data)
{
  Index *index = data;
  g_array_unref (index->places);
  g_free (index);
}

/* ---- What is on disk ----------------------------------------------------------------------------
 */

static Place
place_of (gint64 seq, const json_t *body)
{
  return (Place){ .seq = seq,
                  .epoch = (guint32)json_integer_value (json_object_get (body, "epoch")),
                  .count = (guint)json_integer_value (json_object_get (body, "count")),
                  .first = (guint64)json_integer_value (json_object_get (body, "first")) };
}

static void
add_place (Index *index, gint64 seq, const json_t *body)
{
  Place place = place_of (seq, body);
  index->epoch = MAX (index->epoch, place.epoch);
  g_array_append_val (index->places, place);
}

/* The newest `count` (transfer full); NULL with an error also when there is none. */
static GPtrArray *
newest_rows (Store *store, const char *consult, gint64 count, GError **error)
{
  StoreRow *newest = store_latest (store, consult, KIND, error);
  if (newest == NULL)
    return NULL;
  gint64 after = MAX (0, newest->seq - count);
  store_row_free (newest);
  return store_read (store, consult, KIND, after, error);
}

static void
read_back (WaveRecord *record, const char *consult, Index *index)
{
  g_autoptr (GPtrArray) rows = newest_rows (record->station->store, consult, READ_BACK, NULL);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    add_place (index, row->seq, row->body);
  }
}

static Index *
index_of (WaveRecord *record, const char *consult)
{
  Index *index = g_hash_table_lookup (record->indices, consult);
  if (index != NULL)
    return index;
  index = g_new0 (Index, 1);
  index->places = g_array_new (FALSE, FALSE, sizeof (Place));
  read_back (record, consult, index);
  g_hash_table_insert (record->indices, g_strdup (consult), index);
  return index;
}

guint32
wave_record_next_epoch (WaveRecord *record, const char *consult)
{
  return ++index_of (record, consult)->epoch;
}

/* Places of an epoch lie in the order of their samples, but between those of others. */
static const Place *
find_place (const Index *index, guint32 epoch, guint64 from, guint64 to)
{
  for (guint i = 0; i < index->places->len; i++) {
    const Place *place = &g_array_index (index->places, Place, i);
    if (place->epoch == epoch && place->first + place->count > from)
      return place->first < to ? place : NULL;
  }
  return NULL;
}

json_t *
wave_record_find (WaveRecord *record, const char *consult, guint32 epoch, guint64 from, guint64 to,
                  guint64 *ret_next)
{
  const Place *place = find_place (index_of (record, consult), epoch, from, to);
  if (place == NULL)
    return NULL;
  g_autoptr (GPtrArray) rows
      = store_read_some (record->station->store, consult, KIND, place->seq - 1, 1, NULL);
  if (rows == NULL || rows->len == 0)
    return NULL;
  *ret_next = place->first + place->count;
  return json_incref (((StoreRow *)rows->pdata[0])->body);
}

/* ---- Rows ---------------------------------------------------------------------------------------
 */

json_t *
wave_record_leads (const WaveStream *stream)
{
  json_t *leads = json_array ();
  for (guint i = 0; i < stream->lead_count; i++) {
    const WaveLead *lead = &stream->leads[i];
    json_t *item = json_pack ("{s:s?, s:s?}", "name", lead->name, "unit", lead->unit);
    if (lead->mdc != 0)
      json_object_set_new (item, "mdc", json_integer (lead->mdc));
    if (lead->scale != 0) {
      json_object_set_new (item, "scale", json_real (lead->scale));
      json_object_set_new (item, "offset", json_real (lead->offset));
    }
    json_array_append_new (leads, item);
  }
  return leads;
}

static void
put_clock (json_t *body, const WaveTrack *track)
{
  guint64 index;
  gint64 us;
  double period_us;
  if (!wave_clock_map (track->clock, &index, &us, &period_us))
    return;
  double first_us = (double)us + ((double)track->row_first - (double)index) * period_us;
  json_object_set_new (body, "mono_us", json_integer ((json_int_t)first_us));
  json_object_set_new (body, "period_us", json_real (period_us));
}

static json_t *
raw_json (const GPtrArray *notes)
{
  json_t *list = json_array ();
  for (guint i = 0; i < notes->len; i++)
    json_array_append_new (list, json_string (((const WaveNote *)notes->pdata[i])->raw));
  return list;
}

static json_t *
row_body (const WaveTrack *track, GBytes *message)
{
  const WaveStream *stream = track->stream;
  gsize size;
  const guchar *bytes = g_bytes_get_data (message, &size);
  g_autofree char *data = g_base64_encode (bytes, size);
  json_t *body = json_pack (
      "{s:s, s:s, s:[i,i], s:o, s:b, s:I, s:I, s:i, s:s}", "device", track->device, "wave",
      stream->id, "rate", (int)stream->rate_num, (int)stream->rate_den, "leads",
      wave_record_leads (stream), "test", stream->test, "epoch", (json_int_t)track->epoch, "first",
      (json_int_t)track->row_first, "count", (int)track->row_count, "data", data);
  put_clock (body, track);
  if (track->row_time_us != 0)
    json_object_set_new (body, "time_us", json_integer (track->row_time_us));
  if (track->row_notes->len > 0)
    json_object_set_new (body, "raw", raw_json (track->row_notes));
  return body;
}

typedef struct {
  WaveRecord *record;
  char *consult;
  Place place;
  GPtrArray *notes; /* WaveNote* */
} Writing;

static void
end_notes (WaveRecord *record, GPtrArray *notes, const GError *error)
{
  Kept *kept = readings_kept (record->station->readings);
  for (guint i = 0; i < notes->len; i++) {
    WaveNote *note = notes->pdata[i];
    kept_done (kept, note->raw, error == NULL);
    wave_receipt_end (note->receipt, error);
    g_free (note->raw);
    g_free (note);
  }
  g_ptr_array_unref (notes);
}

static void
row_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Writing *writing = arg;
  writing->place.seq = seq;
  if (error == NULL)
    g_array_append_val (index_of (writing->record, writing->consult)->places, writing->place);
  end_notes (writing->record, writing->notes, error);
  g_free (writing->consult);
  g_free (writing);
}

void
wave_record_flush (WaveRecord *record, WaveTrack *track)
{
  if (track->row_count == 0)
    return;
  g_autoptr (GPtrArray) messages = wave_packer_take (track->row);
  json_t *body = row_body (track, messages->pdata[0]);
  Writing *writing = g_new0 (Writing, 1);
  writing->record = record;
  writing->consult = g_strdup (track->consult);
  writing->place
      = (Place){ .epoch = track->epoch, .count = track->row_count, .first = track->row_first };
  writing->notes = g_steal_pointer (&track->row_notes);
  track->row_notes = g_ptr_array_new ();
  track->row_count = 0;
  station_write (record->station, track->consult, KIND, "station", body, row_written, writing);
}

void
wave_record_adopt (WaveRecord *record, const char *consult, const char *user, json_t *body)
{
  Writing *writing = g_new0 (Writing, 1);
  writing->record = record;
  writing->consult = g_strdup (consult);
  writing->place = place_of (0, body);
  writing->notes = g_ptr_array_new ();
  station_write (record->station, consult, KIND, user, body, row_written, writing);
}

gint64
wave_record_rows (WaveRecord *record, const char *consult)
{
  const GArray *places = index_of (record, consult)->places;
  return places->len > 0 ? g_array_index (places, Place, places->len - 1).seq : 0;
}

static gint64
span_us (const WaveTrack *track, guint64 count)
{
  return (gint64)(count * G_USEC_PER_SEC * track->stream->rate_den / track->stream->rate_num);
}

static void
note (WaveRecord *record, WaveTrack *track, const WaveBlock *block, WaveReceipt *receipt)
{
  if (block->raw == NULL && receipt == NULL)
    return;
  WaveNote *one = g_new0 (WaveNote, 1);
  one->raw = g_strdup (block->raw);
  one->receipt = wave_receipt_wait (receipt);
  kept_coming (readings_kept (record->station->readings), block->raw);
  g_ptr_array_add (track->row_notes, one);
}

gboolean
wave_record_is_awaited (const WaveTrack *track)
{
  for (guint i = 0; i < track->row_notes->len; i++)
    if (((const WaveNote *)track->row_notes->pdata[i])->receipt != NULL)
      return TRUE;
  return FALSE;
}

void
wave_record_push (WaveRecord *record, WaveTrack *track, const WaveBlock *block,
                  WaveReceipt *receipt)
{
  if (track->row_notes->len >= NOTES_MAX
      || (track->row_count > 0
          && span_us (track, block->first + block->count - track->row_first) > ROW_US))
    wave_record_flush (record, track);
  if (track->row_count == 0) {
    track->row_first = block->first;
    track->row_since_us = g_get_monotonic_time ();
    track->row_time_us = block->time_us;
  }
  guint32 all
      = track->stream->lead_count == 32 ? G_MAXUINT32 : (1u << track->stream->lead_count) - 1;
  wave_packer_push (track->row, track->number, track->epoch, block, all);
  note (record, track, block, receipt);
  track->row_count = (guint)(block->first + block->count - track->row_first);
}

void
wave_record_tick (WaveRecord *record, WaveTrack *track, gint64 now_us)
{
  if (track->row_count > 0 && now_us - track->row_since_us > ROW_OLDEST_US)
    wave_record_flush (record, track);
}

typedef struct {
  WaveRecord *record;
  char *raw;
  WaveReceipt *receipt;
} Awaiting;

static void
others_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Awaiting *awaiting = arg;
  g_autoptr (GError) lost = NULL;
  if (kept_state (readings_kept (station->readings), awaiting->raw) != KEPT_DURABLE)
    lost = g_error_new_literal (RECORDS_ERROR, RECORDS_ERROR_FAILED,
                                "it was sent twice and could not be kept");
  wave_receipt_end (awaiting->receipt, lost);
  g_free (awaiting->raw);
  g_free (awaiting);
}

/* Rows are written in the order in which they were asked for: an empty write ends behind those that
 * are under way. */
void
wave_record_await (WaveRecord *record, const char *raw, WaveReceipt *receipt)
{
  Awaiting *awaiting = g_new0 (Awaiting, 1);
  awaiting->record = record;
  awaiting->raw = g_strdup (raw);
  awaiting->receipt = wave_receipt_wait (receipt);
  station_write_many (record->station, "station", KIND, "station", json_array (), others_written,
                      awaiting);
}

gboolean
wave_record_know (Store *store, const char *consult, Kept *kept, GError **error)
{
  g_autoptr (GError) none = NULL;
  g_autoptr (GPtrArray) rows = newest_rows (store, consult, KNOWN_BACK, &none);
  if (rows == NULL && !g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&none));
    return FALSE;
  }
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    gsize j;
    json_t *raw;
    json_array_foreach (json_object_get (((StoreRow *)rows->pdata[i])->body, "raw"), j, raw)
    {
      kept_done (kept, json_string_value (raw), TRUE);
    }
  }
  return TRUE;
}

WaveRecord *
wave_record_new (Station *station)
{
  WaveRecord *record = g_new0 (WaveRecord, 1);
  record->station = station;
  record->indices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, index_free);
  return record;
}

void
wave_record_free (WaveRecord *record)
{
  g_hash_table_unref (record->indices);
  g_free (record);
}
