/* Philips IntelliVue over RS-232, against a model of the monitor, and frames and structures alone.
 */
#include "intellivue_bench.h"
#include "media/devices/intellivue_bytes.h"
#include "media/devices/intellivue_request.h"

#include <math.h>
#include <string.h>

/* ---- Frames ------------------------------------------------------------------------------------
 */

static void
test_fcs (void)
{
  /* The check value of CRC-16/X-25 ("IBM-SDLC") in the catalogue of parametrised CRCs. */
  g_assert_cmphex (iv_fcs ((const guint8 *)"123456789", 9), ==, 0x906E);
}

static void
append (const guint8 *payload, gsize length, void *arg)
{
  g_ptr_array_add (arg, g_bytes_new (payload, length));
}

static void
test_escapes (void)
{
  guint8 payload[256];
  for (guint i = 0; i < 256; i++)
    payload[i] = (guint8)i;
  g_autoptr (GByteArray) frame = iv_frame (payload, sizeof payload);
  guint ends = 0;
  for (guint i = 0; i < frame->len; i++)
    ends += frame->data[i] == 0xC0 || frame->data[i] == 0xC1;
  g_assert_cmpuint (ends, ==, 2);
  IvDeframer deframer = { .n = 0 };
  g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  iv_deframer_feed (&deframer, frame->data, frame->len, append, got);
  g_assert_cmpuint (got->len, ==, 1);
  g_assert_cmpmem (g_bytes_get_data (got->pdata[0], NULL), g_bytes_get_size (got->pdata[0]),
                   payload, sizeof payload);
}

/* A frame that is cut or changed at any byte is none, and the next is whole. */
static void
test_broken_frames (void)
{
  static const guint8 payload[] = { 0xE1, 0x00, 0xC0, 0xC1, 0x7D, 0x20, 0x01, 0x02 };
  g_autoptr (GByteArray) frame = iv_frame (payload, sizeof payload);
  for (guint at = 0; at < frame->len; at++)
    for (guint kind = 0; kind < 3; kind++) {
      IvDeframer deframer = { .n = 0 };
      g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_byte_array_append (bytes, frame->data, frame->len);
      if (kind == 0)
        bytes->data[at] ^= 0x04;
      else if (kind == 1)
        g_byte_array_remove_index (bytes, at);
      else
        g_byte_array_set_size (bytes, at);
      g_byte_array_append (bytes, frame->data, frame->len);
      iv_deframer_feed (&deframer, bytes->data, bytes->len, append, got);
      /* Without its last byte the first is ended by the next one's begin. */
      g_assert_cmpuint (got->len, ==, 1);
    }
}

static void
test_float (void)
{
  static const struct {
    guint32 bits;
    gboolean number;
    double value;
    guint decimals;
  } CASES[] = {
    { 0x00000048, TRUE, 72, 0 },      { 0xFF0003CD, TRUE, 97.3, 1 },
    { 0xFFFFFF01, TRUE, -25.5, 1 },   { 0x02000003, TRUE, 300, 0 },
    { 0x007FFFFF, FALSE, 0, 0 },      { 0x00800000, FALSE, 0, 0 },
    { 0x007FFFFE, FALSE, 0, 0 },      { 0x00800002, FALSE, 0, 0 },
    { 0x00800001, FALSE, 0, 0 },      { 0xFE7FFFFF, FALSE, 0, 0 },
    { 0x007FFFFD, TRUE, 8388605, 0 }, { 0x00800003, TRUE, -8388605, 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    double value = NAN;
    guint decimals = 99;
    g_assert_cmpint (iv_float (CASES[i].bits, &value, &decimals), ==, CASES[i].number);
    if (!CASES[i].number)
      continue;
    g_assert_cmpfloat_with_epsilon (value, CASES[i].value, 1e-9);
    g_assert_cmpuint (decimals, ==, CASES[i].decimals);
  }
}

/* Lengths of the association request fit what they stand before. */
static void
test_request (void)
{
  g_autoptr (GByteArray) request = iv_request_association ();
  const guint8 *b = request->data;
  g_assert_cmphex (b[0], ==, 0x0D);
  g_assert_cmphex (b[1], ==, 0xFF);
  g_assert_cmpuint (b[2] << 8 | b[3], ==, request->len - 4);
  g_assert_cmphex (b[18], ==, 0xC1);
  g_assert_cmpuint (b[20] << 8 | b[21], ==, request->len - 22);
  static const guint8 tag[] = { 0x02, 0x01, 0x02, 0x81, 0x82 };
  const guint8 *user = memmem (b, request->len, tag, sizeof tag);
  g_assert_nonnull (user);
  guint length = user[5] << 8 | user[6];
  g_assert_cmpuint (user + 7 + length + 16 - b, ==, request->len);
  IvReader profiles = { .at = user + 7 + 24, .left = length - 24 };
  guint count = iv_u16 (&profiles), all = iv_u16 (&profiles);
  g_assert_cmpuint (count, ==, 2);
  g_assert_cmpuint (all, ==, profiles.left);
  for (guint i = 0; i < count; i++) {
    iv_skip (&profiles, 2);
    iv_skip (&profiles, iv_u16 (&profiles));
  }
  g_assert_false (profiles.bad);
  g_assert_cmpuint (profiles.left, ==, 0);
}

/* ---- A session ---------------------------------------------------------------------------------
 */

static void
test_numerics (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 12);
  g_assert_cmpuint (bench.model->associations, ==, 1);
  static const struct {
    const char *vital;
    double value;
    const char *unit;
    guint low, high; /* how often in 12 s */
  } EXPECTED[] = {
    { "hr", 72, "/min", 9, 12 },         { "spo2", 97, "%", 9, 12 },
    { "pulse", 72, "/min", 9, 12 },      { "resp", 16, "/min", 9, 12 },
    { "nibp-sys", 118, "mm[Hg]", 1, 1 }, { "nibp-dia", 76, "mm[Hg]", 1, 1 },
    { "nibp-mean", 90, "mm[Hg]", 1, 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (EXPECTED); i++) {
    const Observation *o = last_of (bench.probe, EXPECTED[i].vital);
    g_test_message ("%s %s %s, %u times", o->vital, o->number_text, o->unit,
                    count_of (bench.probe, o->vital));
    g_assert_cmpfloat (o->number, ==, EXPECTED[i].value);
    g_assert_cmpstr (o->unit, ==, EXPECTED[i].unit);
    g_assert_cmpstr (o->patient_id, ==, "0100123");
    g_assert_cmpstr (o->patient_name, ==, "Vàng Thị Mỷ");
    g_assert_false (o->test);
    g_assert_cmpuint (count_of (bench.probe, o->vital), >=, EXPECTED[i].low);
    g_assert_cmpuint (count_of (bench.probe, o->vital), <=, EXPECTED[i].high);
  }
  /* Taken at 08:55 by a monitor whose clock says 09:00. */
  const Observation *pressure = last_of (bench.probe, "nibp-sys");
  gint64 age = bench.probe->now.utc_us - pressure->time_us;
  g_assert_cmpint (age, >, 300 * G_USEC_PER_SEC);
  g_assert_cmpint (age, <, 315 * G_USEC_PER_SEC);
  bench.model->systolic = 124;
  bench.model->pressure_time = G_GUINT64_CONSTANT (0x2026112008590000);
  run (&bench, 3);
  g_assert_cmpuint (count_of (bench.probe, "nibp-sys"), ==, 2);
  g_assert_cmpfloat (last_of (bench.probe, "nibp-sys")->number, ==, 124);
  bench_end (&bench);
}

static void
test_waves (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 70); /* beyond two renewals of the subscription */
  guint64 next = 0, blocks = 0;
  for (guint i = 0; i < bench.probe->waves->len; i++) {
    const WaveBlock *block = bench.probe->waves->pdata[i];
    if (!g_str_equal (block->stream->id, "ecg-ii"))
      continue;
    g_assert_cmpuint (block->stream->rate_num, ==, 500);
    g_assert_cmpuint (block->stream->rate_den, ==, 1);
    g_assert_cmpstr (block->stream->leads[0].unit, ==, "mV");
    g_assert_cmpuint (block->stream->leads[0].mdc, ==, 131330);
    g_assert_cmpuint (block->epoch, ==, 1);
    g_assert_cmpuint (block->first, ==, next);
    for (guint s = 0; s < block->count; s++)
      g_assert_cmpfloat_with_epsilon (wave_block_value (block, 0, s),
                                      intellivue_model_ecg (bench.model, next + s), 0.0026);
    next += block->count;
    blocks++;
  }
  g_assert_cmpuint (blocks, >, 66 * 1000 / 256);
  bench_end (&bench);
}

/* A reply that is lost is a gap, not a shift in time. */
static void
test_wave_gap (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 5);
  bench.model->wave_us += 256000 * 4;
  bench.model->sample += 4 * 128;
  run (&bench, 3);
  const WaveBlock *last = bench.probe->waves->pdata[bench.probe->waves->len - 1];
  g_assert_cmpuint (last->epoch, ==, 2);
  g_assert_cmpuint (last->first, <, 3 * 500);
  bench_end (&bench);
}

static void
test_sensor_off (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 6);
  bench.model->spo2_on = FALSE;
  run (&bench, 3);
  const Observation *o = last_of (bench.probe, "spo2");
  g_assert_cmpint (o->type, ==, OBS_NONE);
  g_assert_cmpstr (o->absent_reason, ==, "invalid");
  bench_end (&bench);
}

static void
test_demo (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->demo = TRUE;
  run (&bench, 6);
  g_assert_cmpuint (bench.probe->observations->len, >, 0);
  g_assert_cmpuint (bench.probe->waves->len, >, 0);
  for (guint i = 0; i < bench.probe->observations->len; i++)
    g_assert_true (((Observation *)bench.probe->observations->pdata[i])->test);
  for (guint i = 0; i < bench.probe->waves->len; i++)
    g_assert_true (((WaveBlock *)bench.probe->waves->pdata[i])->stream->test);
  bench_end (&bench);
}

/* Another patient is admitted: what comes after bears the new id, or none. */
static void
test_other_patient (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 6);
  bench.model->patient_id = "0999999";
  run (&bench, 12);
  g_assert_cmpstr (last_of (bench.probe, "hr")->patient_id, ==, "0999999");
  const WaveBlock *last = bench.probe->waves->pdata[bench.probe->waves->len - 1];
  g_assert_cmpstr (last->stream->patient_id, ==, "0999999");
  g_assert_cmpuint (last->epoch, >, 1);
  bench.model->patient_id = NULL;
  run (&bench, 12);
  g_assert_cmpstr (last_of (bench.probe, "hr")->patient_id, ==, NULL);
  bench_end (&bench);
}

/* The monitor that hears nothing aborts; the station associates again by itself. */
static void
test_abort (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 6);
  bench.station_mute = TRUE;
  run (&bench, 15);
  g_assert_cmpuint (bench.model->aborted, ==, 1);
  bench.station_mute = FALSE;
  guint said = bench.probe->observations->len;
  run (&bench, 8);
  g_assert_cmpuint (bench.model->associations, ==, 2);
  g_assert_cmpuint (bench.probe->observations->len, >, said);
  run (&bench, 60);
  g_assert_cmpuint (bench.model->aborted, ==, 1);
  bench_end (&bench);
}

/* A station that was killed comes back to a monitor that still holds the old association. */
static void
test_old_association (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->associated = bench.model->created = TRUE;
  bench.model->heard_us = bench.probe->now.monotonic_us;
  run (&bench, 12);
  g_assert_cmpuint (bench.model->associations, ==, 1);
  g_assert_cmpuint (count_of (bench.probe, "hr"), >, 2);
  bench_end (&bench);
}

static void
test_refusal (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->refuses = TRUE;
  run (&bench, 5);
  bench.model->refuses = FALSE;
  run (&bench, 15);
  g_assert_cmpuint (count_of (bench.probe, "hr"), >, 2);
  bench_end (&bench);
}

/* Noise between and within: readings go on, and none is untrue. */
static void
test_noise (void)
{
  Bench bench;
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  bench_begin (&bench);
  for (guint i = 0; i < 300; i++) {
    guint8 noise[16];
    for (guint j = 0; j < sizeof noise; j++)
      noise[j] = (guint8)g_rand_int (rand);
    run (&bench, 0.1);
    if (i % 7 == 0)
      g_byte_array_append (bench.to_station, noise, sizeof noise);
  }
  g_assert_cmpuint (count_of (bench.probe, "hr"), >, 15);
  for (guint i = 0; i < bench.probe->observations->len; i++) {
    const Observation *o = bench.probe->observations->pdata[i];
    if (g_strcmp0 (o->vital, "hr") == 0)
      g_assert_cmpfloat (o->number, ==, 72);
  }
  bench_end (&bench);
}

static void
test_release (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 6);
  bench.probe->kind->close (bench.probe->device, bench.probe->now, LINE_LEFT);
  intellivue_model_hear (bench.model, bench.probe->sent->data, bench.probe->sent->len,
                         bench.probe->now.monotonic_us);
  g_assert_false (bench.model->associated);
  bench_end (&bench);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/intellivue/fcs", test_fcs);
  g_test_add_func ("/intellivue/escapes", test_escapes);
  g_test_add_func ("/intellivue/broken-frames", test_broken_frames);
  g_test_add_func ("/intellivue/float", test_float);
  g_test_add_func ("/intellivue/request", test_request);
  g_test_add_func ("/intellivue/numerics", test_numerics);
  g_test_add_func ("/intellivue/waves", test_waves);
  g_test_add_func ("/intellivue/wave-gap", test_wave_gap);
  g_test_add_func ("/intellivue/sensor-off", test_sensor_off);
  g_test_add_func ("/intellivue/demo", test_demo);
  g_test_add_func ("/intellivue/other-patient", test_other_patient);
  g_test_add_func ("/intellivue/abort", test_abort);
  g_test_add_func ("/intellivue/old-association", test_old_association);
  g_test_add_func ("/intellivue/refusal", test_refusal);
  g_test_add_func ("/intellivue/noise", test_noise);
  g_test_add_func ("/intellivue/release", test_release);
  return g_test_run ();
}
