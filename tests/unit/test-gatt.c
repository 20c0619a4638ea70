/* Values of Bluetooth LE health devices, made up for the purpose. */
#include "gatt_values.h"
#include "media/devices/decode.h"
#include "media/devices/gatt_number.h"
#include "media/devices/gatt_racp.h"
#include <math.h>
#include <string.h>

/* ---- Numbers ------------------------------------------------------------------------------- */

static void
test_sfloat (void)
{
  static const struct {
    guint16 raw;
    const char *text; /* NULL: a special */
    GattNumberKind kind;
  } cases[] = {
    { 0x07FF, NULL, GATT_NAN },
    { 0x0800, NULL, GATT_NRES },
    { 0x07FE, NULL, GATT_PLUS_INF },
    { 0x0802, NULL, GATT_MINUS_INF },
    { 0x0801, NULL, GATT_RESERVED },
    { 0x0000, "0", GATT_FINITE },
    { 0x07FD, "2045", GATT_FINITE },
    { 0x0803, "-2045", GATT_FINITE },
    { 0xF7FF, "204.7", GATT_FINITE },
    { 0xF800, "-204.8", GATT_FINITE },
    { 0x17FF, "20470", GATT_FINITE },
    { 0x7001, "10000000", GATT_FINITE },
    { 0x8001, "0.00000001", GATT_FINITE },
    { 0xFFFF, "-0.1", GATT_FINITE },
    { 0xE00A, "0.10", GATT_FINITE },
    { 0x0FFF, "-1", GATT_FINITE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GattNumber number = gatt_sfloat (cases[i].raw);
    g_assert_cmpint (number.kind, ==, cases[i].kind);
    if (cases[i].text == NULL)
      continue;
    g_autofree char *text = gatt_number_text (number);
    g_assert_cmpstr (text, ==, cases[i].text);
    g_assert_cmpfloat (gatt_number_value (number), ==, g_ascii_strtod (cases[i].text, NULL));
  }
}

/* Each of the 65,536 values, by the definition. */
static void
test_every_sfloat (void)
{
  for (guint raw = 0; raw <= G_MAXUINT16; raw++) {
    gint mantissa = raw & 0xFFF, exponent = raw >> 12;
    mantissa = mantissa >= 2048 ? mantissa - 4096 : mantissa;
    exponent = exponent >= 8 ? exponent - 16 : exponent;
    GattNumber number = gatt_sfloat ((guint16)raw);
    gboolean special = exponent == 0 && (mantissa >= 2046 || mantissa <= -2046);
    g_assert_true (special == (number.kind != GATT_FINITE));
    if (!special) {
      double value = mantissa * pow (10, exponent);
      g_assert_cmpfloat_with_epsilon (gatt_number_value (number), value,
                                      fabs (value) * 1e-12 + 1e-30);
    }
  }
}

static void
test_float (void)
{
  g_assert_cmpint (gatt_float (0x007FFFFF).kind, ==, GATT_NAN);
  g_assert_cmpint (gatt_float (0x00800000).kind, ==, GATT_NRES);
  g_assert_cmpint (gatt_float (0x007FFFFE).kind, ==, GATT_PLUS_INF);
  g_assert_cmpint (gatt_float (0x00800002).kind, ==, GATT_MINUS_INF);
  g_assert_cmpint (gatt_float (0x00800001).kind, ==, GATT_RESERVED);
  g_autofree char *warm = gatt_number_text (gatt_float (0xFE000EB0));
  g_autofree char *large = gatt_number_text (gatt_float (0x7F000001));
  g_autofree char *small = gatt_number_text (gatt_float (0x80FFFFFF));
  g_assert_cmpstr (warm, ==, "37.60");
  g_assert_cmpstr (large, ==, "1e127");
  g_assert_cmpstr (small, ==, "-1e-128");
}

/* A special is never a number, and every special says why there is none. */
static void
test_specials (void)
{
  static const struct {
    const char *hex, *absent, *flag;
  } cases[] = {
    { "00FF07FF07FF07", "not-measured", NULL },
    { "00000800080008", "not-available", NULL },
    { "00FE07FE07FE07", "not-available", "above-range" },
    { "00020802080208", "not-available", "below-range" },
    { "00010801080108", "invalid", NULL },
    { "01FF07FF07FF07", "not-measured", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) found = read_now (GATT_BLOOD_PRESSURE, cases[i].hex);
    g_assert_cmpuint (found->len, ==, 3);
    for (guint j = 0; j < found->len; j++) {
      const Observation *o = found->pdata[j];
      g_assert_cmpint (o->type, ==, OBS_NONE);
      g_assert_cmpstr (o->absent_reason, ==, cases[i].absent);
      g_assert_cmpstr (o->unit, ==, "mm[Hg]");
      g_assert_null (o->number_text);
      g_assert_true (cases[i].flag == NULL || observation_has_flag (o, cases[i].flag));
    }
  }
}

/* ---- Units --------------------------------------------------------------------------------- */

static void
expect_text (guint16 uuid, const char *hex, const char *name, const char *text, const char *unit,
             const char *written)
{
  g_autoptr (GPtrArray) found = read_now (uuid, hex);
  const Observation *o = find (found, name);
  g_assert_cmpstr (o->number_text, ==, text);
  g_assert_cmpstr (o->unit, ==, unit);
  g_assert_cmpstr (o->device_value, ==, written);
}

static void
test_units (void)
{
  /* 16.0 and 10.7 kPa; 1 kPa = 1000 / 133.322387415 mm[Hg]. */
  g_autoptr (GPtrArray) found = read_now (GATT_BLOOD_PRESSURE, "01A0F06BF0FF07");
  g_assert_cmpfloat (find (found, "nibp-sys")->number, ==, 16.0 * (1000 / 133.322387415));
  g_assert_cmpfloat_with_epsilon (find (found, "nibp-sys")->number, 120.00985214, 1e-7);
  g_assert_cmpfloat_with_epsilon (find (found, "nibp-dia")->number, 80.25658862, 1e-7);
  expect_text (GATT_BLOOD_PRESSURE, "01A0F06BF0FF07", "nibp-sys", "120.0", "mm[Hg]", "16.0 kPa");
  expect_text (GATT_TEMPERATURE, "01DA0300FF", "temp", "37.0", "Cel", "98.6 [degF]");
  expect_text (GATT_TEMPERATURE, "01842600FE", "temp", "37.00", "Cel", "98.60 [degF]");
  expect_text (GATT_TEMPERATURE, "00720100FF", "temp", "37.0", "Cel", NULL);
  /* 0.00101 kg/L = 101 mg/dL, 0.0058 mol/L = 5.8 mmol/L: no digit is lost. */
  expect_text (GATT_GLUCOSE, "020100EA070B1401000065B011", "glucose", "101", "mg/dL",
               "0.00101 kg/L");
  expect_text (GATT_GLUCOSE, "060100EA070B140100003AC011", "glucose", "5.8", "mmol/L",
               "0.0058 mol/L");
  /* 150.00 lb, 68.5 in; 62.350 kg, 1.725 m. */
  expect_text (GATT_WEIGHT, "09983AE100AD02", "weight", "68.04", "kg", "150.00 [lb_av]");
  expect_text (GATT_WEIGHT, "09983AE100AD02", "height", "174.0", "cm", "68.5 [in_i]");
  expect_text (GATT_WEIGHT, "08B630D200BD06", "height", "172.5", "cm", "1.725 m");
  expect_text (GATT_WEIGHT, "08B630D200BD06", "MDC_RATIO_MASS_BODY_LEN_SQ", "21.0", "kg/m2", NULL);
  expect_text (GATT_WEIGHT, "00B630", "weight", "62.350", "kg", NULL);
}

/* ---- What must not pass for a reading ------------------------------------------------------ */

static const Observation *
only (const GPtrArray *found, const char *name, const char *flag)
{
  const Observation *o = find (found, name);
  g_assert_true (observation_has_flag (o, flag));
  return o;
}

static void
test_implausible (void)
{
  /* 250/40 is odd but possible; 80/120 is not, nor are 400 mm[Hg], 60 °C, 12 % or 400 kg. */
  g_autoptr (GPtrArray) good = read_now (GATT_BLOOD_PRESSURE, "00FA0028006E00");
  g_assert_false (observation_has_flag (find (good, "nibp-sys"), "implausible"));
  g_autoptr (GPtrArray) upside = read_now (GATT_BLOOD_PRESSURE, "00500078006400");
  g_assert_cmpfloat (only (upside, "nibp-sys", "implausible")->number, ==, 80);
  g_autoptr (GPtrArray) high = read_now (GATT_BLOOD_PRESSURE, "00900150006400");
  g_assert_cmpfloat (only (high, "nibp-sys", "implausible")->number, ==, 400);
  g_autoptr (GPtrArray) hot = read_now (GATT_TEMPERATURE, "003C000000");
  only (hot, "temp", "implausible");
  g_autoptr (GPtrArray) heavy = read_now (GATT_WEIGHT, "008038");
  g_assert_false (observation_has_flag (find (heavy, "weight"), "implausible"));
  g_autoptr (GPtrArray) no_pulse = read_now (GATT_PLX_SPOT, "0061000000");
  g_assert_cmpint (find (no_pulse, "pulse")->type, ==, OBS_NONE);
}

static void
test_statuses (void)
{
  /* Demonstration data, testing, calibration: nobody's. */
  static const char *const nobody[] = { "02610048000004", "02610048000008", "02610048000010" };
  for (guint i = 0; i < G_N_ELEMENTS (nobody); i++) {
    g_autoptr (GPtrArray) found = read_now (GATT_PLX_SPOT, nobody[i]);
    g_assert_true (find (found, "spo2")->test);
  }
  g_autoptr (GPtrArray) invalid = read_now (GATT_PLX_SPOT, "02610048000080");
  g_assert_cmpstr (find (invalid, "spo2")->absent_reason, ==, "invalid");
  g_assert_cmpstr (find (invalid, "spo2")->text, ==, "97");
  g_autoptr (GPtrArray) off = read_now (GATT_PLX_CONTINUOUS, "0861004800000800");
  g_assert_cmpstr (only (off, "spo2", "sensor-unconnected")->absent_reason, ==, "not-measured");
  g_autoptr (GPtrArray) weak = read_now (GATT_PLX_CONTINUOUS, "0861004800200000");
  g_assert_cmpint (only (weak, "spo2", "low-perfusion")->type, ==, OBS_NUMBER);
  g_autoptr (GPtrArray) stored = read_now (GATT_PLX_SPOT, "02610048000002");
  only (stored, "spo2", "stored");
  g_autoptr (GPtrArray) loose = read_now (GATT_HEART_RATE, "0448");
  g_assert_cmpstr (only (loose, "hr", "no-contact")->absent_reason, ==, "invalid");
  g_autoptr (GPtrArray) failed = read_now (GATT_WEIGHT, "00FFFF");
  g_assert_cmpint (only (failed, "weight", "measurement-failed")->type, ==, OBS_NONE);
  g_autoptr (GPtrArray) control = read_now (GATT_GLUCOSE, "020100EA070B1401000065B04A");
  g_assert_true (find (control, "MDC_CONC_GLU_CONTROL")->test);
  g_assert_null (((Observation *)control->pdata[0])->vital);
}

static void
test_averages (void)
{
  g_autoptr (GPtrArray) found = read_now (GATT_PLX_CONTINUOUS, "13620050005C0046005E0047000CF0");
  g_assert_cmpuint (found->len, ==, 7);
  g_assert_cmpfloat (find (found, "spo2")->number, ==, 98);
  g_assert_cmpfloat (find (found, "spo2-fast")->number, ==, 92);
  g_assert_cmpfloat (find (found, "spo2-slow")->number, ==, 94);
  g_assert_null (find (found, "spo2-slow")->vital);
  g_assert_cmpstr (find (found, "MDC_PULS_OXIM_PERF_REL")->number_text, ==, "1.2");
}

static void
test_glucose_limits (void)
{
  g_autoptr (GPtrArray) high = read_now (GATT_GLUCOSE, "0A0100EA070B14010000FF07112000");
  const Observation *o = only (high, "glucose", "above-range");
  g_assert_cmpint (o->type, ==, OBS_TEXT);
  g_assert_cmpstr (o->text, ==, "HI");
  g_assert_null (o->absent_reason);
  g_autoptr (GPtrArray) context = read_now (GATT_GLUCOSE_CONTEXT, "420100013EF0");
  g_assert_cmpstr (find (context, "meal")->text, ==, "before-meal");
  g_assert_cmpstr (find (context, "MDC_CONC_HBA1C")->number_text, ==, "6.2");
  g_assert_cmpstr (find (context, "meal")->message_id, ==, "1");
}

/* ---- Clocks -------------------------------------------------------------------------------- */

static void
expect_clock (const char *time_hex, gint64 off_us, gint64 wanted_us, const char *flag)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  const GattContext context = { .now_us = NOW_US, .zone = utc, .clock_off_us = off_us };
  g_autofree char *hex = g_strconcat ("0278005000FF07", time_hex, NULL);
  g_autoptr (GPtrArray) found = read_with (GATT_BLOOD_PRESSURE, hex, &context);
  const Observation *o = find (found, "nibp-sys");
  g_assert_cmpint (o->time_us, ==, wanted_us);
  g_assert_nonnull (o->device_time);
  g_assert_true (flag == NULL || observation_has_flag (o, flag));
  g_assert_true ((flag != NULL) == (o->flags[0] != NULL));
}

static void
test_clocks (void)
{
  const gint64 minute = G_TIME_SPAN_MINUTE;
  expect_clock ("EA070B14013B00", 0, NOW_US - minute, NULL);
  expect_clock ("EA070B14013B00", 30 * G_USEC_PER_SEC, NOW_US - minute, NULL);
  expect_clock ("EA070B14003B00", 60 * minute, NOW_US - minute, "clock-corrected");
  expect_clock ("EA070B14003B00", 0, NOW_US - 61 * minute, "clock-behind");
  expect_clock ("D0070101000000", 0, NOW_US, "clock-not-set");
  expect_clock ("00000B14013B00", 0, NOW_US, "clock-incomplete");
  expect_clock ("EA07000D013B00", 0, NOW_US, "clock-incomplete");
  expect_clock ("EA07021E013B00", 0, NOW_US, "clock-invalid");
  expect_clock ("EA070B14193B00", 0, NOW_US, "clock-invalid");
  expect_clock ("FFFF0B14013B00", 0, NOW_US, "clock-invalid");
  g_autoptr (GPtrArray) unset = read_now (GATT_PLX_SPOT, "1161004800EA070B14013B00");
  g_assert_cmpint (only (unset, "spo2", "clock-not-set")->time_us, ==, NOW_US);
}

/* Set right when it showed 00:59, being an hour behind; or 02:59, an hour ahead. */
static void
test_clock_set (void)
{
  static const struct {
    const char *time;
    gint64 off_minutes, until_minutes, wanted_minutes; /* from NOW_US */
  } cases[] = {
    { "EA070B14003A00", 60, -61, -2 }, { "EA070B14003B00", 60, -61, -1 },
    { "EA070B14013B00", 60, -61, -1 }, { "EA070B14023B00", -60, 59, -1 },
    { "EA070B14013B00", -60, 59, -1 },
  };
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const GattContext context
        = { .now_us = NOW_US,
            .zone = utc,
            .clock_off_us = cases[i].off_minutes * G_TIME_SPAN_MINUTE,
            .clock_off_until_us = NOW_US + cases[i].until_minutes * G_TIME_SPAN_MINUTE };
    g_autofree char *hex = g_strconcat ("0278005000FF07", cases[i].time, NULL);
    g_autoptr (GPtrArray) found = read_with (GATT_BLOOD_PRESSURE, hex, &context);
    g_assert_cmpint (find (found, "nibp-sys")->time_us, ==,
                     NOW_US + cases[i].wanted_minutes * G_TIME_SPAN_MINUTE);
  }
}

static void
test_clock_written (void)
{
  g_autoptr (GTimeZone) hanoi = g_time_zone_new_identifier ("+07:00");
  g_autoptr (GDateTime) now = g_date_time_new (hanoi, 2026, 11, 20, 9, 3, 12.5);
  guint8 out[GATT_CURRENT_TIME_LENGTH];
  gint64 read_us;
  gatt_write_current_time (now, out);
  g_assert_cmpmem (out, sizeof out, "\xEA\x07\x0B\x14\x09\x03\x0C\x05\x80\x01", 10);
  g_assert_true (gatt_clock (out, sizeof out, hanoi, &read_us));
  g_assert_cmpint (read_us, ==, g_date_time_to_unix (now) * G_USEC_PER_SEC);
  guint8 unset[GATT_DATE_TIME_LENGTH] = { 0 };
  g_assert_false (gatt_clock (unset, sizeof unset, hanoi, &read_us));
  g_assert_false (gatt_clock (out, 6, hanoi, &read_us));
}

/* ---- Records ------------------------------------------------------------------------------- */

static void
test_racp (void)
{
  guint8 out[RACP_REQUEST_MAX];
  RacpAnswer answer;
  RacpRecords records = { 0 };
  g_assert_cmpmem (out, racp_write (RACP_REPORT_FROM, 0x0102, out), "\x01\x03\x01\x02\x01", 5);
  g_assert_cmpmem (out, racp_write (RACP_COUNT_ALL, 0, out), "\x04\x01", 2);
  g_assert_cmpmem (out, racp_write (RACP_COUNT_FROM, 7, out), "\x04\x03\x01\x07\x00", 5);
  g_assert_cmpmem (out, racp_write (RACP_ABORT, 0, out), "\x03\x00", 2);
  g_assert_true (racp_read ((const guint8 *)"\x06\x00\x01\x06", 4, &answer));
  g_assert_cmpint (answer.result, ==, RACP_NO_RECORDS);
  g_assert_true (racp_read ((const guint8 *)"\x05\x00\x2C\x01", 4, &answer));
  g_assert_true (answer.is_count && answer.count == 300);
  g_assert_false (racp_read ((const guint8 *)"\x06\x00\x01", 3, &answer));
  g_assert_false (racp_read ((const guint8 *)"\x01\x01\x01\x01", 4, &answer));

  /* All at first; after the strip was inserted, from the first that did not come. */
  g_assert_cmpmem (out, racp_ask (&records, out), "\x01\x01", 2);
  g_assert_true (racp_record (&records, 4));
  g_assert_true (racp_record (&records, 5));
  g_assert_false (racp_record (&records, 5));
  racp_gone (&records);
  g_assert_cmpmem (out, racp_ask (&records, out), "\x01\x03\x01\x06\x00", 5);
  g_assert_false (racp_record (&records, 4));
  g_assert_true (racp_record (&records, 6));
  const RacpAnswer good = { .request = 1, .result = RACP_SUCCESS };
  g_assert_cmpuint (racp_answered (&records, &good, out), ==, 0);
}

/* Nothing at or past the number that is due: either nothing is new, or the device was reset. */
static void
test_racp_reset (void)
{
  guint8 out[RACP_REQUEST_MAX];
  RacpRecords records = { .known = TRUE, .last = 40 };
  const RacpAnswer none = { .request = 1, .result = RACP_NO_RECORDS };
  const RacpAnswer good = { .request = 1, .result = RACP_SUCCESS };
  g_assert_cmpmem (out, racp_ask (&records, out), "\x01\x03\x01\x29\x00", 5);
  g_assert_cmpmem (out, racp_answered (&records, &none, out), "\x01\x06", 2);
  g_assert_false (racp_record (&records, 40));
  g_assert_cmpuint (racp_answered (&records, &good, out), ==, 0);
  racp_ask (&records, out);
  racp_answered (&records, &none, out);
  g_assert_false (racp_record (&records, 1));
  g_assert_cmpmem (out, racp_answered (&records, &good, out), "\x01\x01", 2);
  g_assert_true (racp_record (&records, 0));
  g_assert_true (racp_record (&records, 1));
  g_assert_cmpuint (racp_answered (&records, &good, out), ==, 0);
  /* A device that was emptied says so to every question. */
  racp_ask (&records, out);
  racp_answered (&records, &none, out);
  g_assert_cmpuint (racp_answered (&records, &none, out), ==, 0);
}

/* ---- The device itself, and damage --------------------------------------------------------- */

static void
test_device (void)
{
  g_autoptr (GPtrArray) words = read_now (GATT_MANUFACTURER, "414243FF00");
  g_assert_cmpstr (find (words, "manufacturer")->text, ==, "ABC\xEF\xBF\xBD");
  g_autoptr (GPtrArray) pnp = read_now (GATT_PNP_ID, "010D0034120100");
  g_assert_cmpstr (find (pnp, "pnp-id")->text, ==, "bluetooth:v000Dp1234d0001");
  g_autoptr (GPtrArray) id = read_now (GATT_SYSTEM_ID, "010000000037A000");
  g_assert_cmpstr (find (id, "system-id")->text, ==, "00A0370000000001");
  g_assert_cmpint (gatt_battery ((const guint8 *)"\x50", 1), ==, 80);
  g_assert_cmpint (gatt_battery ((const guint8 *)"\xFF", 1), ==, -1);
  g_assert_cmpint (gatt_battery ((const guint8 *)"", 0), ==, -1);
  g_assert_cmpuint (gatt_uuid ("00002A35-0000-1000-8000-00805f9b34fb"), ==, GATT_BLOOD_PRESSURE);
  g_assert_cmpuint (gatt_uuid ("2a35"), ==, GATT_BLOOD_PRESSURE);
  g_assert_cmpuint (gatt_uuid ("00002A35-0000-1000-8000-00805f9b34fc"), ==, 0);
  g_assert_cmpuint (gatt_uuid ("xyz1"), ==, 0);
}

/* Each value, cut everywhere: refused whole, nothing of it taken. */
static void
test_cut (void)
{
  static const struct {
    guint16 uuid;
    const char *hex;
    gsize shortest;
  } cases[] = {
    { GATT_BLOOD_PRESSURE, "1E7B004D005F00EA070B14013B004400020400", 19 },
    { GATT_TEMPERATURE, "06720E00FEEA070B14013B0002", 13 },
    { GATT_GLUCOSE, "1B0900EA070B14013B000A0065B0110100", 17 },
    { GATT_PLX_SPOT, "0F61004800EA070B1409030C00000000000CF0", 19 },
    { GATT_PLX_CONTINUOUS, "1F61004800610048006100480000000000000CF0", 20 },
    { GATT_WEIGHT, "0EB630EA070B1409030C01D200BD06", 15 },
    { GATT_GLUCOSE_CONTEXT, "FF01000001050001115802640105003EF0", 17 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GByteArray) bytes = bytes_of (cases[i].hex);
    const GattContext context = { .now_us = NOW_US };
    g_assert_cmpuint (bytes->len, ==, cases[i].shortest);
    for (guint length = 0; length <= bytes->len; length++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) found
          = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
      gboolean whole = length >= cases[i].shortest;
      g_assert_true (gatt_read (cases[i].uuid, bytes->data, length, &context, found, &error)
                     == whole);
      g_assert_true (whole || g_error_matches (error, GATT_ERROR, GATT_ERROR_SHORT));
      g_assert_true (whole == (found->len > 0));
    }
  }
}

static void
count (json_t *object, void *arg)
{
  (*(guint *)arg)++;
}

static void
test_decode (void)
{
  static const char text[] = "# a cuff\n1E 7B00 4D00 5F00 EA070B14 013B00 4400 02 0400\n\n"
                             "00 78 00 50 00 5D 00 # second\r\n";
  static const guint8 raw[] = { 0x00, 0xB6, 0x30 };
  g_autoptr (GError) error = NULL;
  guint n = 0;
  g_assert_cmpstr (device_decode_parameter ("gatt"), ==, "UUID");
  g_assert_null (device_decode_parameter ("hl7"));
  g_assert_true (
      device_decode ("gatt:2A35", (const guint8 *)text, strlen (text), count, NULL, &n, &error));
  g_assert_cmpuint (n, ==, 7);
  g_assert_true (device_decode ("gatt:2A9D", raw, sizeof raw, count, NULL, &n, &error));
  g_assert_cmpuint (n, ==, 8);
  g_assert_false (device_decode ("gatt:2A35", (const guint8 *)"001\n", 4, count, NULL, &n, &error));
  g_assert_error (error, GATT_ERROR, GATT_ERROR_HEX);
  g_clear_error (&error);
  g_assert_false (device_decode ("gatt:FFFF", raw, sizeof raw, count, NULL, &n, &error));
  g_assert_error (error, GATT_ERROR, GATT_ERROR_UUID);
}

/* ---- A maker's own -------------------------------------------------------------------------- */

static void
test_nonin (void)
{
  static const struct {
    const char *hex, *spo2, *pulse, *flag, *absent;
  } cases[] = {
    { "0A141E00FA000161004B", "97", "75", NULL, NULL },
    { "0A141E00FA000161011F", "97", "287", NULL, NULL },
    { "0A101E00FA000161004B", "97", "75", "QUES", NULL },
    { "0A161E0003000161004B", "97", "75", "low-perfusion", NULL },
    { "0A341400FA000161004B", "97", "75", "battery-low", NULL },
    { "0A181EFFFF00017F01FF", NULL, NULL, "searching", "not-measured" },
    { "0A041E00FA000161004B", NULL, NULL, "no-finger", "not-measured" },
    { "0C141E00FA000161004BEEEE", "97", "75", NULL, NULL }, /* a later version */
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) found = read_now (GATT_NONIN_OXIMETRY, cases[i].hex);
    const Observation *spo2 = find (found, "spo2"), *pulse = find (found, "pulse");
    g_assert_cmpstr (spo2->number_text, ==, cases[i].spo2);
    g_assert_cmpstr (pulse->number_text, ==, cases[i].pulse);
    g_assert_cmpstr (spo2->absent_reason, ==, cases[i].absent);
    g_assert_true (cases[i].flag == NULL || observation_has_flag (spo2, cases[i].flag));
  }
  g_autoptr (GPtrArray) found = read_now (GATT_NONIN_OXIMETRY, cases[0].hex);
  g_assert_cmpstr (((Observation *)found->pdata[2])->number_text, ==, "2.50");
}

/* Shorter than it says, or than it must be: refused whole. */
static void
test_nonin_short (void)
{
  static const char *const cases[]
      = { "", "0A", "0A141E00FA0001610", "0B141E00FA000161004B", "09141E00FA00016100" };
  const GattContext context = { .now_us = NOW_US };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GByteArray) bytes = bytes_of (cases[i]);
    g_autoptr (GPtrArray) found = g_ptr_array_new ();
    g_assert_false (
        gatt_read (GATT_NONIN_OXIMETRY, bytes->data, bytes->len, &context, found, &error));
    g_assert_error (error, GATT_ERROR, GATT_ERROR_SHORT);
    g_assert_cmpuint (found->len, ==, 0);
  }
}

static void
test_own_uuids (void)
{
  static const guint8 nonin[] = { 0x1b, 0xc5, 0xd5, 0xa5, 0x02, 0x00, 0x5e, 0x8b,
                                  0xe2, 0x11, 0x5f, 0x0d, 0xe0, 0x70, 0xa9, 0x46 };
  guint8 out[GATT_ADVERTISED_MAX];
  g_assert_cmpuint (gatt_uuid ("0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B"), ==, GATT_NONIN_OXIMETRY);
  g_assert_cmpuint (gatt_uuid ("46a970e0-0d5f-11e2-8b5e-0002a5d5c51b"), ==, GATT_NONIN_SERVICE);
  g_assert_cmpuint (gatt_uuid ("46a970e0-0d5f-11e2-8b5e-0002a5d5c51c"), ==, 0);
  g_assert_cmpstr (gatt_kind_of_service (GATT_NONIN_SERVICE), ==, "oximeter");
  gsize length = gatt_service_advertised ("46a970e0-0d5f-11e2-8b5e-0002a5d5c51b", out);
  g_assert_cmpmem (out, length, nonin, sizeof nonin);
  length = gatt_service_advertised ("00001822-0000-1000-8000-00805f9b34fb", out);
  g_assert_cmpmem (out, length, "\x22\x18", 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatt/sfloat", test_sfloat);
  g_test_add_func ("/gatt/every-sfloat", test_every_sfloat);
  g_test_add_func ("/gatt/float", test_float);
  g_test_add_func ("/gatt/specials", test_specials);
  g_test_add_func ("/gatt/units", test_units);
  g_test_add_func ("/gatt/implausible", test_implausible);
  g_test_add_func ("/gatt/statuses", test_statuses);
  g_test_add_func ("/gatt/averages", test_averages);
  g_test_add_func ("/gatt/glucose-limits", test_glucose_limits);
  g_test_add_func ("/gatt/clocks", test_clocks);
  g_test_add_func ("/gatt/clock-set", test_clock_set);
  g_test_add_func ("/gatt/clock-written", test_clock_written);
  g_test_add_func ("/gatt/racp", test_racp);
  g_test_add_func ("/gatt/racp-reset", test_racp_reset);
  g_test_add_func ("/gatt/device", test_device);
  g_test_add_func ("/gatt/cut", test_cut);
  g_test_add_func ("/gatt/decode", test_decode);
  g_test_add_func ("/gatt/nonin", test_nonin);
  g_test_add_func ("/gatt/nonin-short", test_nonin_short);
  g_test_add_func ("/gatt/own-uuids", test_own_uuids);
  return g_test_run ();
}
