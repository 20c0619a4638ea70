/* Nonin 9560: measurements one at a time, acknowledged. */
#include "line_probe.h"
#include "media/devices/line_device.h"

#include <string.h>

/* 02 000D 000E | 2026-11-20 09:05:07.00 | status | pulse | 00 | SpO2 | sum 03 */
static GByteArray *
frame (guint16 status, guint16 pulse, guint8 spo2, gboolean with_serial)
{
  const guint8 data[] = { 0x20,
                          0x26,
                          0x11,
                          0x20,
                          0x09,
                          0x05,
                          0x07,
                          0x00,
                          (guint8)(status >> 8),
                          (guint8)status,
                          (guint8)(pulse >> 8),
                          (guint8)pulse,
                          0,
                          spo2,
                          '5',
                          '0',
                          '1',
                          '2',
                          '3',
                          '4',
                          '5',
                          '6',
                          '7' };
  const guint8 size = with_serial ? 23 : 14;
  const guint8 head[] = { 0x00, 0x02, 0x00, 0x0D, 0x00, size };
  guint8 sum = 0;
  for (guint i = 0; i < size; i++)
    sum += data[i];
  const guint8 tail[] = { sum, 0x03 };
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, head, sizeof head);
  g_byte_array_append (out, data, size);
  return g_byte_array_append (out, tail, sizeof tail);
}

static void
expect (guint16 status, guint16 pulse, guint8 spo2, const char *text)
{
  for (guint serial = 0; serial < 2; serial++) {
    g_autoptr (LineProbe) probe = probe_new (&line_kind_nonin_spot);
    g_autoptr (GByteArray) bytes = frame (status, pulse, spo2, serial == 1);
    probe_feed (probe, bytes->data, bytes->len);
    g_autofree char *said = probe_text (probe, 0);
    g_assert_cmpstr (said, ==, text);
    g_assert_cmpmem (probe->sent->data, probe->sent->len, "\x06", 1);
  }
}

static void
test_values (void)
{
  expect (0x0200, 72, 97, "spo2 97 %, pulse 72 /min");
  expect (0x0200, 287, 100, "spo2 100 %, pulse 287 /min");
  expect (0x0000, 72, 97, "spo2 97 % #QUES, pulse 72 /min #QUES");
  expect (0x0201, 72, 97, "spo2 97 % #battery-low, pulse 72 /min #battery-low");
  expect (0x0300, 72, 97, "spo2 !not-measured, pulse !not-measured");
  expect (0x0200, 0x1FF, 0x7F, "spo2 !not-measured, pulse !not-measured");
}

static void
test_time (void)
{
  g_autoptr (LineProbe) probe = probe_new (&line_kind_nonin_spot);
  g_autoptr (GByteArray) now = frame (0x0200, 72, 97, FALSE);
  g_autoptr (GByteArray) stored = frame (0x0210, 71, 96, FALSE);
  g_autoptr (GDateTime) taken = g_date_time_new_local (2026, 11, 20, 9, 5, 7);
  probe_feed (probe, now->data, now->len);
  probe_feed (probe, stored->data, stored->len);
  const Observation *live = probe->observations->pdata[0], *old = probe->observations->pdata[2];
  g_assert_cmpint (live->time_us, ==, probe->now.utc_us);
  g_assert_cmpint (live->time_source, ==, OBS_TIME_STATION);
  g_assert_cmpstr (live->device_time, ==, "2026-11-20T09:05:07");
  g_assert_cmpint (old->time_us, ==, g_date_time_to_unix (taken) * G_USEC_PER_SEC);
  g_assert_true (observation_has_flag (old, "stored"));
}

/* Told again because our answer was lost: acknowledged again, and there once. */
static void
test_again (void)
{
  g_autoptr (LineProbe) probe = probe_new (&line_kind_nonin_spot);
  g_autoptr (GByteArray) bytes = frame (0x0200, 72, 97, FALSE);
  for (guint i = 0; i < 3; i++)
    probe_feed (probe, bytes->data, bytes->len);
  g_assert_cmpuint (probe->observations->len, ==, 2);
  g_assert_cmpmem (probe->sent->data, probe->sent->len, "\x06\x06\x06", 3);
}

/* Any byte wrong or gone: nothing is read of it, and the next whole frame is. */
static void
test_damage (void)
{
  g_autoptr (GByteArray) good = frame (0x0200, 72, 97, TRUE), next = frame (0x0200, 65, 93, TRUE);
  for (guint at = 1; at < good->len; at++)
    for (guint kind = 0; kind < 2; kind++) {
      g_autoptr (LineProbe) probe = probe_new (&line_kind_nonin_spot);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_byte_array_append (bytes, good->data, good->len);
      if (kind == 0)
        bytes->data[at] ^= 0x40;
      else
        g_byte_array_remove_index (bytes, at);
      probe_feed (probe, bytes->data, bytes->len);
      g_assert_cmpuint (probe->observations->len, ==, 0);
      probe_feed (probe, next->data, next->len);
      probe_feed (probe, next->data, next->len); /* the first may have been taken for the rest */
      g_autofree char *said = probe_text (probe, 0);
      g_assert_cmpstr (said, ==, "spo2 93 %, pulse 65 /min");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nonin-spot/values", test_values);
  g_test_add_func ("/nonin-spot/time", test_time);
  g_test_add_func ("/nonin-spot/again", test_again);
  g_test_add_func ("/nonin-spot/damage", test_damage);
  return g_test_run ();
}
