#include "records/holding.h"
#include "records/attachment.h"
#include "records/usage.h"
#include "records_place.h"

#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)
#define SECRET "SpO₂ 88 của Vàng Thị Mỷ"

static char *
open_day (Records *records, gint64 utc_us)
{
  g_autoptr (GError) error = NULL;
  char *id = holding_open (records->store, utc_us, &error);
  g_assert_no_error (error);
  g_assert_true (holding_is (id));
  return id;
}

static void
put (Records *records, const char *id)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *body = json_pack ("{s:s}", "observation", SECRET);
  store_put_sync (records->store, id, "reading", NULL, body, NULL, &error);
  g_assert_no_error (error);
}

static guint
rows_of (Records *records, const char *id)
{
  g_autoptr (GPtrArray) rows = store_read (records->store, id, "reading", 0, NULL);
  return rows != NULL ? rows->len : 0;
}

/* One key for a day, another for the next; both come back by the boot credential alone. */
static void
test_days (void)
{
  Records records;
  gint64 now = g_get_real_time ();
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *today = open_day (&records, now), *again = open_day (&records, now);
  g_autofree char *tomorrow = open_day (&records, now + DAY_US);
  g_assert_cmpstr (today, ==, again);
  g_assert_cmpstr (today, !=, tomorrow);
  put (&records, today);
  put (&records, today);
  put (&records, tomorrow);
  g_assert_false (holding_is ("station"));
  g_autofree char *consult = records_consult (&records);
  g_assert_false (holding_is (consult));

  records_close (&records);
  records_open (&records);
  g_assert_cmpuint (rows_of (&records, today), ==, 2);
  g_autoptr (GPtrArray) list = holding_list (records.store, now, 2, &error);
  g_assert_cmpuint (list->len, ==, 2);
  g_autoptr (GPtrArray) later = holding_list (records.store, now + 2 * DAY_US, 2, &error);
  g_assert_cmpuint (later->len, ==, 1);
  /* They are no consultations. */
  g_autoptr (GPtrArray) consults = store_list_consults (records.store, &error);
  g_assert_cmpuint (consults->len, ==, 1);
  assert_good (records.dir, records.vault);
  records_down (&records);
}

static void
attach (Records *records, const char *id)
{
  g_autoptr (GBytes) content = g_bytes_new_static (SECRET, strlen (SECRET));
  const AttachmentInfo info = { "dicom", "a.dcm", "application/dicom", NULL };
  g_autoptr (GError) error = NULL;
  Attachment attachment;
  attachment_put_sync (records->store, id, NULL, &info, content, &attachment, &error);
  g_assert_no_error (error);
}

static guint
shred (Records *records, gint64 utc_us, gboolean trusted)
{
  const RetentionClock clock = { utc_us, trusted };
  g_autoptr (GError) error = NULL;
  guint days = 99;
  holding_shred (records->store, records->identity, &clock, NULL, &days, &error);
  g_assert_no_error (error);
  return days;
}

static void
test_shred (void)
{
  Records records;
  gint64 now = g_get_real_time ();
  g_autoptr (GError) error = NULL;
  records_up (&records);
  g_autofree char *old = open_day (&records, now), *young = open_day (&records, now + 5 * DAY_US);
  put (&records, old);
  attach (&records, old);
  put (&records, young);

  g_assert_cmpuint (shred (&records, now + 30 * DAY_US, TRUE), ==, 0);
  /* However late a clock says it is that nothing keeps right. */
  g_assert_cmpuint (shred (&records, now + 3000 * DAY_US, FALSE), ==, 0);
  g_assert_cmpuint (shred (&records, now + 32 * DAY_US, TRUE), ==, 1);
  g_assert_cmpuint (rows_of (&records, old), ==, 0);
  g_assert_cmpuint (rows_of (&records, young), ==, 1);
  g_autofree char *folder = g_build_filename (records.dir, "attachments", old, NULL);
  g_assert_false (g_file_test (folder, G_FILE_TEST_EXISTS));
  g_autoptr (GPtrArray) certificates = erasure_list (records.store, &error);
  g_assert_cmpuint (certificates->len, ==, 1);
  g_assert_cmpstr (((ErasureCertificate *)certificates->pdata[0])->why, ==, "never-claimed");

  /* The clock goes back to that day: another key, for the first one is destroyed for good. */
  g_autofree char *other = open_day (&records, now);
  g_assert_cmpstr (other, !=, old);
  put (&records, other);
  g_assert_cmpuint (rows_of (&records, other), ==, 1);
  assert_good (records.dir, records.vault);
  records_close (&records);
  records_open (&records);
  g_assert_cmpuint (rows_of (&records, other), ==, 1);
  records_down (&records);
}

/* ---- How fast a folder grows -------------------------------------------------------------- */

static void
record (Records *records, const char *consult, gsize bytes)
{
  const TrackInfo info = { .stream = "camera", .mime_type = "video/mp4", .label = "Camera" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) init = g_bytes_new_static ("moov", 4);
  g_autoptr (GBytes) media = g_bytes_new_take (g_malloc0 (bytes), bytes);
  Track *track = track_open (records->store, consult, &info, &error);
  g_assert_no_error (error);
  g_assert_true (track_append (track, init, SEGMENT_INIT, 0));
  g_assert_true (track_append (track, media, SEGMENT_KEY, 0));
  track_close (track);
}

static void
test_usage (void)
{
  const gsize size = 10 << 20;
  Records records;
  gint64 now = g_get_real_time ();
  records_up (&records);
  g_assert_cmpuint (usage_per_day (records.store, now), ==, 0);
  g_autofree char *consult = records_consult (&records);
  record (&records, consult, size);
  g_assert_cmpuint (usage_per_day (records.store, now), >=, size);
  g_assert_cmpuint (usage_per_day (records.store, now), <, size * 2);
  /* The same over ten days is a tenth of it a day; after a window without use nothing is left but
   * the database's share. */
  g_assert_cmpuint (usage_per_day (records.store, now + 9 * DAY_US), >=, size / 10);
  g_assert_cmpuint (usage_per_day (records.store, now + 9 * DAY_US), <, size / 5);
  g_assert_cmpuint (usage_per_day (records.store, now + 60 * DAY_US), <, size / 100);
  records_down (&records);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/holding/days", test_days);
  g_test_add_func ("/holding/shred", test_shred);
  g_test_add_func ("/usage/days", test_usage);
  return g_test_run ();
}
