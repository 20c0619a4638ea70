#include "station/wave_claim.h"
#include "media/devices/wave_codec.h"
#include "records/holding.h"

#include <string.h>

#define KIND "wave"
/* Rows at a time: some 100 kB. */
#define PIECE 16
/* A row is written when its last sample is there, and has some three seconds: so what begins in a
 * consultation is not of before it. */
#define ROW_LONGEST_US (4 * G_USEC_PER_SEC)

struct WaveClaims {
  Station *station;
  WaveRecord *record;
  GPtrArray *takings; /* Taking* */
  gboolean full_said;
};

/* One claim under way. */
typedef struct {
  WaveClaims *claims;
  char *device, *consult, *user;
  gint64 from_us;
  GPtrArray *homes;   /* ids of holding keys that are still to be read */
  gboolean is_placed; /* in the first of them: */
  gint64 after;       /* its rows up to this number are done */
  GHashTable *epochs; /* "HOME EPOCH" → epoch of the consultation */
  guint source;
} Taking;

static void
taking_free (void *data)
{
  Taking *taking = data;
  g_clear_handle_id (&taking->source, g_source_remove);
  g_clear_pointer (&taking->homes, g_ptr_array_unref);
  g_hash_table_unref (taking->epochs);
  g_free (taking->device);
  g_free (taking->consult);
  g_free (taking->user);
  g_free (taking);
}

/* ---- Kept for nobody ---------------------------------------------------------------------- */

char *
wave_claims_home (WaveClaims *claims, GError **error)
{
  if (claims->station->disk != DISK_GOOD)
    return NULL;
  char *home = holding_open (claims->station->store, g_get_real_time (), error);
  if (home == NULL || wave_record_rows (claims->record, home) < WAVE_HELD_ROWS)
    return home;
  if (!claims->full_said)
    g_message ("waves: nobody has claimed the %d rows of today; more are not kept", WAVE_HELD_ROWS);
  claims->full_said = TRUE;
  g_free (home);
  return NULL;
}

/* ---- A row under another key --------------------------------------------------------------- */

static guint32
epoch_of (Taking *taking, const char *home, json_int_t before)
{
  g_autofree char *name = g_strdup_printf ("%s %" JSON_INTEGER_FORMAT, home, before);
  gpointer epoch;
  if (!g_hash_table_lookup_extended (taking->epochs, name, NULL, &epoch)) {
    epoch = GUINT_TO_POINTER (wave_record_next_epoch (taking->claims->record, taking->consult));
    g_hash_table_insert (taking->epochs, g_steal_pointer (&name), epoch);
  }
  return GPOINTER_TO_UINT (epoch);
}

/* The samples as they are, under another epoch (transfer full); NULL: they cannot be read. */
static char *
data_of_epoch (const char *text, guint32 epoch)
{
  gsize size = 0;
  g_autofree guchar *bytes = text != NULL ? g_base64_decode (text, &size) : NULL;
  g_autoptr (GPtrArray) packets = bytes != NULL ? wave_codec_read (bytes, size) : NULL;
  if (packets == NULL)
    return NULL;
  g_autoptr (GByteArray) message = wave_codec_message ();
  for (guint i = 0; i < packets->len; i++) {
    WavePacket *packet = packets->pdata[i];
    packet->epoch = epoch;
    wave_codec_write (message, packet);
  }
  return g_base64_encode (message->data, message->len);
}

/* When the first sample was taken is told by the clock of the row that it stands in: after a
 * restart of the machine that is another one, and UTC says where it lies. */
static void
put_clock (json_t *body, const StoreRow *row)
{
  const json_t *mono = json_object_get (body, "mono_us");
  if (!json_is_integer (mono))
    return;
  gint64 utc_us = row->utc_us - (row->mono_us - json_integer_value (mono));
  gint64 age_us = g_get_real_time () - utc_us;
  if (row->mono_us > g_get_monotonic_time ()
      || ABS (g_get_monotonic_time () - row->mono_us - (g_get_real_time () - row->utc_us))
             > G_USEC_PER_SEC)
    json_object_set_new (body, "mono_us", json_integer (g_get_monotonic_time () - age_us));
}

static void
adopt (Taking *taking, const char *home, const StoreRow *row)
{
  json_t *body = json_deep_copy (row->body);
  guint32 epoch = epoch_of (taking, home, json_integer_value (json_object_get (body, "epoch")));
  g_autofree char *data = data_of_epoch (json_string_value (json_object_get (body, "data")), epoch);
  if (data == NULL) {
    json_decref (body);
    return;
  }
  json_object_set_new (body, "epoch", json_integer (epoch));
  json_object_set_new (body, "data", json_string (data));
  put_clock (body, row);
  wave_record_adopt (taking->claims->record, taking->consult, taking->user, body);
}

static gboolean
is_wanted (const Taking *taking, const StoreRow *row)
{
  return row->utc_us - ROW_LONGEST_US >= taking->from_us
         && g_strcmp0 (json_string_value (json_object_get (row->body, "device")), taking->device)
                == 0;
}

/* ---- Piece by piece ------------------------------------------------------------------------ */

/* UTC µs of the first row after a number; G_MAXINT64: there is none. */
static gint64
time_after (Store *store, const char *home, gint64 after)
{
  g_autoptr (GPtrArray) rows = store_read_some (store, home, KIND, after, 1, NULL);
  return rows != NULL && rows->len > 0 ? ((StoreRow *)rows->pdata[0])->utc_us : G_MAXINT64;
}

/* Rows stand in the order of their times: where those since from_us begin. */
static gint64
find_begin (const Taking *taking, const char *home)
{
  Store *store = taking->claims->station->store;
  StoreRow *newest = store_latest (store, home, KIND, NULL);
  gint64 low = 0, high = newest != NULL ? newest->seq : 0;
  store_row_free (newest);
  while (low < high) {
    gint64 middle = low + (high - low) / 2;
    if (time_after (store, home, middle) < taking->from_us)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* FALSE: there are no more. */
static gboolean
take_piece (Taking *taking)
{
  Station *station = taking->claims->station;
  const Consult *consult = station_consult (station, taking->consult);
  if (taking->homes->len == 0 || consult == NULL || !consult_is_open (consult) || station->stopping)
    return FALSE;
  const char *home = taking->homes->pdata[0];
  if (!taking->is_placed)
    taking->after = find_begin (taking, home);
  taking->is_placed = TRUE;
  g_autoptr (GPtrArray) rows
      = store_read_some (station->store, home, KIND, taking->after, PIECE, NULL);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    if (is_wanted (taking, row))
      adopt (taking, home, row);
    taking->after = row->seq;
  }
  if (rows == NULL || rows->len == 0) {
    g_ptr_array_remove_index (taking->homes, 0);
    taking->is_placed = FALSE;
  }
  return TRUE;
}

static gboolean
step (void *data)
{
  Taking *taking = data;
  if (take_piece (taking))
    return G_SOURCE_CONTINUE;
  taking->source = 0;
  g_ptr_array_remove (taking->claims->takings, taking);
  return G_SOURCE_REMOVE;
}

/* What had been gathered is on the disk by now. */
static void
begin (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  WaveClaims *claims = arg;
  for (guint i = 0; i < claims->takings->len; i++) {
    Taking *taking = claims->takings->pdata[i];
    if (taking->source == 0)
      taking->source = g_idle_add (step, taking);
  }
}

void
wave_claims_take (WaveClaims *claims, const char *device, const Consult *consult, const char *user,
                  gint64 from_us)
{
  gint64 now_us = g_get_real_time ();
  g_autoptr (GError) error = NULL;
  guint days = (guint)(MAX (now_us - from_us, 0) / G_TIME_SPAN_DAY) + 1;
  GPtrArray *homes = holding_list (claims->station->store, now_us, days, &error);
  if (homes == NULL) {
    g_warning ("waves: what came of a device before it was claimed stays where it is: %s",
               error->message);
    return;
  }
  Taking *taking = g_new0 (Taking, 1);
  taking->claims = claims;
  taking->device = g_strdup (device);
  taking->consult = g_strdup (consult->id);
  taking->user = g_strdup (user);
  taking->from_us = from_us;
  taking->homes = homes;
  taking->epochs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_add (claims->takings, taking);
  /* Rows are written in the order in which they were asked for. */
  station_write_many (claims->station, "station", KIND, "station", json_array (), begin, claims);
}

WaveClaims *
wave_claims_new (Station *station, WaveRecord *record)
{
  WaveClaims *claims = g_new0 (WaveClaims, 1);
  claims->station = station;
  claims->record = record;
  claims->takings = g_ptr_array_new_with_free_func (taking_free);
  return claims;
}

void
wave_claims_free (WaveClaims *claims)
{
  g_ptr_array_unref (claims->takings);
  g_free (claims);
}
