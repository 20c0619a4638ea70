/* Waves in the station: whose they are, what is kept of them, and what can be had again. */
#include "media/devices/wave_codec.h"
#include "station/wave_record.h"
#include "station_place.h"

#include <string.h>

#define RATE 500

typedef struct {
  StationPlace place;
  Page *page;
  WaveStream *stream;
  char *consult;
} Clinic;

static void
say (Clinic *clinic, const char *frame)
{
  g_ptr_array_set_size (clinic->page->frames, 0);
  page_give (&clinic->place, clinic->page, frame, strlen (frame));
}

static void
sign_in (Clinic *clinic)
{
  clinic->page = page_open (&clinic->place, CLIENT_CONSOLE);
  say (clinic, "{\"type\":\"sign-in\",\"id\":1,\"user\":\"lan\",\"pin\":\"481516\"}");
}

static WaveStream *
stream_of (const char *patient)
{
  WaveStream *stream = wave_stream_new ("ecg", RATE, 1, 2);
  stream->device = g_strdup ("MON1");
  stream->patient_id = g_strdup (patient);
  stream->leads[0].name = g_strdup ("I");
  stream->leads[1].name = g_strdup ("II");
  stream->leads[0].unit = g_strdup ("mV");
  stream->leads[0].scale = stream->leads[1].scale = 0.005;
  return stream;
}

static void
up (Clinic *clinic)
{
  memset (clinic, 0, sizeof *clinic);
  station_up (&clinic->place);
  clinic->stream = stream_of (NULL);
  sign_in (clinic);
  say (clinic, "{\"type\":\"consultation.start\",\"id\":2,\"mode\":3,\"reason\":\"r\",\"patient\":{"
               "\"name\":\"An\",\"device_ids\":[\"P1\"]}}");
  g_assert_nonnull (clinic->place.station->screen);
  clinic->consult = g_strdup (clinic->place.station->screen->id);
}

static void
down (Clinic *clinic)
{
  page_free (clinic->page);
  station_down (&clinic->place);
  wave_stream_unref (clinic->stream);
  g_free (clinic->consult);
}

static gint32
value_at (guint lead, guint64 index)
{
  return (gint32)(index * 13 % 401) + (gint32)lead * 1000;
}

static void
give_of (Clinic *clinic, WaveStream *stream, guint32 epoch, guint64 first, guint count)
{
  WaveBlock *block = wave_block_new (stream, epoch, first, count);
  for (guint lead = 0; lead < 2; lead++)
    for (guint i = 0; i < count; i++)
      block->samples[lead * count + i] = value_at (lead, first + i);
  waves_take (clinic->place.station->waves, "MON1", NULL, block);
}

static void
give (Clinic *clinic, guint32 epoch, guint64 first, guint count)
{
  give_of (clinic, clinic->stream, epoch, first, count);
}

static void
claim (Clinic *clinic)
{
  g_autofree char *frame
      = g_strdup_printf ("{\"type\":\"device.claim\",\"id\":3,\"device\":\"MON1\","
                         "\"consultation\":\"%s\"}",
                         clinic->consult);
  say (clinic, frame);
}

static GPtrArray *
rows (Clinic *clinic)
{
  g_autoptr (GError) error = NULL;
  station_settle (&clinic->place);
  GPtrArray *rows = store_read (clinic->place.records.store, clinic->consult, "wave", 0, &error);
  g_assert_no_error (error);
  return rows;
}

/* Reads a row and compares it with what was given; gives the index after it. */
static guint64
check_row (const StoreRow *row, guint64 first)
{
  gsize size;
  g_autofree guchar *bytes
      = g_base64_decode (json_string_value (json_object_get (row->body, "data")), &size);
  g_autoptr (GPtrArray) packets = wave_codec_read (bytes, size);
  g_assert_nonnull (packets);
  g_assert_cmpint (json_integer_value (json_object_get (row->body, "first")), ==, first);
  for (guint i = 0; i < packets->len; i++) {
    const WavePacket *packet = packets->pdata[i];
    g_assert_cmpuint (packet->first, ==, first);
    for (guint j = 0; j < packet->count; j++) {
      g_assert_cmpint (packet->samples[j], ==, value_at (0, first + j));
      g_assert_cmpint (packet->samples[packet->count + j], ==, value_at (1, first + j));
    }
    first += packet->count;
  }
  return first;
}

static void
test_kept (void)
{
  Clinic clinic;
  up (&clinic);
  give (&clinic, 1, 0, 20); /* nobody's */
  claim (&clinic);
  for (guint64 i = 20; i < 5020; i += 20)
    give (&clinic, 1, i, 20);
  waves_flush (clinic.place.station->waves, clinic.consult);
  g_autoptr (GPtrArray) all = rows (&clinic);
  g_assert_cmpuint (all->len, ==, 5);
  guint64 next = 20;
  for (guint i = 0; i < all->len; i++)
    next = check_row (all->pdata[i], next);
  g_assert_cmpuint (next, ==, 5020);
  const json_t *body = ((StoreRow *)all->pdata[0])->body;
  g_assert_cmpstr (json_string_value (json_object_get (body, "device")), ==, "MON1");
  g_assert_cmpuint (json_array_size (json_object_get (body, "leads")), ==, 2);
  g_assert_cmpint (json_integer_value (json_object_get (body, "mono_us")), >, 0);
  down (&clinic);
}

/* What came while it was nobody's is kept under the day's key, and follows its device to whoever
 * claims it: under another key, as an epoch of its own, once. */
static void
test_claimed_later (void)
{
  Clinic clinic;
  up (&clinic);
  Station *station = clinic.place.station;
  station->screen->started_us -= G_TIME_SPAN_MINUTE; /* they have talked for a while */
  for (guint64 i = 0; i < 2500; i += 20)
    give (&clinic, 1, i, 20);
  g_autoptr (GPtrArray) before = rows (&clinic);
  g_assert_cmpuint (before->len, ==, 0);
  claim (&clinic);
  give (&clinic, 1, 2500, 20);
  waves_flush (station->waves, clinic.consult);
  g_autoptr (GPtrArray) all = NULL;
  do {
    g_clear_pointer (&all, g_ptr_array_unref);
    g_main_context_iteration (NULL, TRUE);
    all = rows (&clinic);
  } while (all->len < 4);
  guint64 next = 0, live = 0;
  gint64 epoch = 0;
  for (guint i = 0; i < all->len; i++) {
    const json_t *body = ((StoreRow *)all->pdata[i])->body;
    gint64 first = json_integer_value (json_object_get (body, "first"));
    if (first == 2500) {
      live = (guint64)json_integer_value (json_object_get (body, "epoch"));
      continue;
    }
    epoch = json_integer_value (json_object_get (body, "epoch"));
    next = check_row (all->pdata[i], next);
  }
  g_assert_cmpuint (next, ==, 2500);
  g_assert_cmpuint (live, !=, (guint64)epoch);

  /* Another consultation gets none of it. */
  claim (&clinic);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  g_autoptr (GPtrArray) again = rows (&clinic);
  g_assert_cmpuint (again->len, ==, 4);
  down (&clinic);
}

/* The monitor thinks that another patient lies there: nothing of it is kept, and that is said. */
static void
test_held_back (void)
{
  Clinic clinic;
  up (&clinic);
  g_autoptr (WaveStream) his = stream_of ("P1");
  g_autoptr (WaveStream) other = stream_of ("P2");
  give_of (&clinic, his, 1, 0, 20);
  claim (&clinic);
  give_of (&clinic, his, 1, 20, 1500);
  give_of (&clinic, other, 1, 1520, 1500);
  give_of (&clinic, his, 2, 0, 20);
  waves_flush (clinic.place.station->waves, clinic.consult);
  g_autoptr (GPtrArray) all = rows (&clinic);
  g_assert_cmpuint (all->len, ==, 2);
  g_assert_cmpuint (check_row (all->pdata[0], 20), ==, 1520);
  g_assert_cmpuint (check_row (all->pdata[1], 0), ==, 20);
  gboolean said = FALSE;
  g_autoptr (GPtrArray) events
      = store_read (clinic.place.records.store, clinic.consult, "event", 0, NULL);
  for (guint i = 0; i < events->len; i++)
    said |= g_strcmp0 (
                json_string_value (json_object_get (((StoreRow *)events->pdata[i])->body, "what")),
                "reading-held-back")
            == 0;
  g_assert_true (said);
  down (&clinic);
}

/* Epochs go on counting in the next life of the station, and what the one before wrote is found. */
static void
test_after_restart (void)
{
  Clinic clinic;
  up (&clinic);
  give (&clinic, 1, 0, 20);
  claim (&clinic);
  give (&clinic, 1, 100, 1100);
  give (&clinic, 1, 1200, 600);
  page_free (clinic.page);
  station_free (clinic.place.station);
  station_begin (&clinic.place);
  sign_in (&clinic);
  give (&clinic, 1, 0, 600);
  waves_flush (clinic.place.station->waves, clinic.consult);
  g_autoptr (GPtrArray) all = rows (&clinic);
  g_assert_cmpuint (all->len, ==, 3);
  json_int_t epochs[3];
  for (guint i = 0; i < 3; i++)
    epochs[i] = json_integer_value (json_object_get (((StoreRow *)all->pdata[i])->body, "epoch"));
  g_assert_cmpint (epochs[0], ==, epochs[1]);
  g_assert_cmpint (epochs[2], ==, epochs[0] + 1);

  WaveRecord *record = wave_record_new (clinic.place.station);
  guint64 next = 0;
  json_auto_t *found
      = wave_record_find (record, clinic.consult, (guint32)epochs[0], 1250, 2000, &next);
  g_assert_cmpint (json_integer_value (json_object_get (found, "first")), ==, 1200);
  g_assert_cmpuint (next, ==, 1800);
  g_assert_null (wave_record_find (record, clinic.consult, (guint32)epochs[0], 1800, 9000, &next));
  g_assert_null (wave_record_find (record, clinic.consult, 77, 0, 9000, &next));
  wave_record_free (record);
  down (&clinic);
}

/* Blocks that no honest driver gives. */
static void
test_odd_blocks (void)
{
  Clinic clinic;
  up (&clinic);
  give (&clinic, 1, 0, 20);
  claim (&clinic);
  give (&clinic, 1, G_MAXUINT64 - 5, 20);
  give (&clinic, 1, 20, 0);
  give (&clinic, 1, WAVE_CODEC_FIRST_MAX - 10, 5); /* a gap of an age */
  give (&clinic, 1, 40, 20);                       /* and back: a new epoch */
  waves_flush (clinic.place.station->waves, clinic.consult);
  g_autoptr (GPtrArray) all = rows (&clinic);
  g_assert_cmpuint (all->len, ==, 2);
  g_assert_cmpuint (check_row (all->pdata[1], 40), ==, 60);
  down (&clinic);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/waves/kept", test_kept);
  g_test_add_func ("/waves/claimed-later", test_claimed_later);
  g_test_add_func ("/waves/held-back", test_held_back);
  g_test_add_func ("/waves/after-restart", test_after_restart);
  g_test_add_func ("/waves/odd-blocks", test_odd_blocks);
  return g_test_run ();
}
