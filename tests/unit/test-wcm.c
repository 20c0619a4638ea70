/* Waves in HL7 v2: what the facets say, whose samples are none, and where blocks follow each
 * other. */
#include "media/devices/hl7_content.h"
#include <math.h>
#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)

typedef struct {
  Wcm *wcm;
  Profile *profile;
  gint64 now_us, monotonic_us;
  GPtrArray *waves; /* of the last message */
  guint observations;
} Bed;

static void
bed_clear (Bed *bed)
{
  wcm_free (bed->wcm);
  g_clear_pointer (&bed->profile, profile_free);
  g_clear_pointer (&bed->waves, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bed, bed_clear)

static Bed
bed_new (void)
{
  return (Bed){ .wcm = wcm_new (), .now_us = 1790000000 * SECOND, .monotonic_us = 500 * SECOND };
}

static const WaveBlock *
take (Bed *bed, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Hl7Message) parsed
      = hl7_parse ((const guint8 *)message, strlen (message), NULL, &error);
  g_assert_no_error (error);
  g_autoptr (Hl7Content) content = hl7_content_read (parsed, bed->profile, bed->wcm, bed->now_us,
                                                     bed->monotonic_us, "10.0.0.9");
  g_clear_pointer (&bed->waves, g_ptr_array_unref);
  bed->waves = g_ptr_array_ref (content->waves);
  bed->observations = content->observations->len;
  return bed->waves->len > 0 ? bed->waves->pdata[0] : NULL;
}

static const WaveBlock *
wave_of (const Bed *bed, const char *id)
{
  for (guint i = 0; i < bed->waves->len; i++) {
    const WaveBlock *block = bed->waves->pdata[i];
    if (g_str_equal (block->stream->id, id))
      return block;
  }
  g_error ("no wave %s", id);
}

/* One message of four ECG samples at 4 Hz, a second of them. */
static char *
second_of (const char *start, const char *more)
{
  return g_strdup_printf ("MSH|^~\\&|SIM^0004A3FFFE5D0001^EUI-64||||20261120090313+0700||"
                          "ORU^R01^ORU_R01|1|P|2.6\rPID|||7\r"
                          "OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||%s\r"
                          "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.131330|1^2^3^4\r"
                          "OBX|2|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.1.1.131330.1|4\r%s",
                          start, more);
}

static void
test_facets (void)
{
  g_auto (Bed) bed = bed_new ();
  const WaveBlock *ecg = take (
      &bed,
      "MSH|^~\\&|SIM||||20261120090313+0700||ORU^R01^ORU_R01|1|P|2.6\r"
      "OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||20261120090312.500+0700|20261120090313.500+0700\r"
      "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X\r"
      "OBX|2|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.131330|12^13^32767^-5^-32768^\r"
      "OBX|3|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.0|62.5|264608^MDC_DIM_HZ^MDC\r"
      "OBX|4|NM|67945^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.131330.2|2.44|266419^MDC_DIM_MICRO_VOLT^MDC\r"
      "OBX|5|NR|68323^MDC_ATTR_DATA_RANGE^MDC|1.1.1.131330.3|-2048^2047\r"
      "OBX|6|NM|197376^MDC_EVT_DATA_INVALID^MDC|1.1.1.131330.4|-32768~32767\r"
      "OBX|7|NA|131331^MDC_ECG_LEAD_V1^MDC|1.1.1.131331|1^^3^4^5\r"
      "OBX|8|NA|131332^MDC_ECG_ELEC_POTL_V2^MDC|1.1.1.131332|||||||X\r"
      "OBX|9|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.3.1.150452|0.5^0.25^7\r"
      "OBX|10|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|96|262688^MDC_DIM_PERCENT^MDC\r");
  g_assert_cmpuint (bed.waves->len, ==, 2);
  g_assert_cmpuint (bed.observations, ==, 1);
  g_assert_cmpstr (ecg->stream->id, ==, "ecg");
  g_assert_cmpuint (ecg->stream->rate_num, ==, 125);
  g_assert_cmpuint (ecg->stream->rate_den, ==, 2);
  g_assert_cmpuint (ecg->stream->lead_count, ==, 3);
  g_assert_cmpuint (ecg->count, ==, 5);
  const gint32 expected[] = { 12, 13, WAVE_MISSING, -5, WAVE_MISSING };
  g_assert_cmpmem (ecg->samples, 5 * sizeof *expected, expected, sizeof expected);
  g_assert_cmpfloat_with_epsilon (wave_block_value (ecg, 0, 0), 12 * 2.44, 1e-9);
  g_assert_cmpstr (ecg->stream->leads[0].unit, ==, "uV");
  g_assert_cmpuint (ecg->stream->leads[0].bits, ==, 12);
  g_assert_cmpstr (ecg->stream->leads[1].name, ==, "V1");
  g_assert_cmpint (ecg->samples[5 + 1], ==, WAVE_MISSING);
  g_assert_cmpuint (ecg->lead_off, ==, 1u << 2);
  g_assert_cmpint (ecg->time_us, ==, G_GINT64_CONSTANT (1795140192500000));
  /* The rate is that of the order's window: three in a second; the last place is one step. */
  const WaveBlock *pleth = wave_of (&bed, "pleth");
  g_assert_cmpuint (pleth->stream->rate_num, ==, 3);
  g_assert_cmpfloat_with_epsilon (wave_block_value (pleth, 0, 1), 0.25, 1e-9);
  g_assert_cmpfloat_with_epsilon (wave_block_value (pleth, 0, 2), 7, 1e-9);
}

/* As programs print floating-point numbers, and as Mindray names its facets. */
static void
test_spellings (void)
{
  g_auto (Bed) bed = bed_new ();
  take (&bed, "MSH|^~\\&|SIM||||20261120090313+0700||ORU^R01|1|P|2.6\r"
              "OBR|2||XXX|WAVEFORM|||20261120090312.000|20261120090313.000\r"
              "OBX|1|NA|131329^MDC_ECG_LEAD_I^MDC|1.1.1.1001|0.0^0.029039286658642516^-2.5E-4^-1|"
              "266418^MDC_DIM_MILLI_VOLT^MDC\r"
              "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.1001.1|256.0|264608^MDC_DIM_PER_SEC\r"
              "OBX|3|NR|0^MDC_ATTR_DATA_RANGE^MDC|1.1.1.1001.2|-0.99997^0.99999\r"
              "OBX|4|NA|151780^MDC_IMPED_TTHOR^MDC|1.7.1.151780|5^32767\r"
              "OBX|5|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.7.1.151780.1|500|264608^MDC_DIM_PER_SEC^MDC\r"
              "OBX|6|NM|2327^MDC_ATTR_NU_MSMT_RES^MDC|1.7.1.151780.2|1.000000|"
              "262656^MDC_DIM_DIMLESS^MDC\r"
              "OBX|7|NM|262196^MDC_EVT_INOP^MDC|1.7.1.151780.3|32767\r");
  g_assert_cmpuint (bed.waves->len, ==, 2);
  g_assert_cmpuint (bed.observations, ==, 0);
  const WaveBlock *ecg = wave_of (&bed, "ecg"), *resp = wave_of (&bed, "resp");
  g_assert_cmpuint (ecg->stream->rate_num, ==, 256);
  g_assert_cmpuint (ecg->stream->leads[0].bits, ==, 0);
  const double expected[] = { 0, 0.029039, -0.00025, -1 };
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpfloat_with_epsilon (wave_block_value (ecg, 0, i), expected[i], 1e-9);
  g_assert_cmpint (resp->samples[0], ==, 5);
  g_assert_cmpint (resp->samples[1], ==, WAVE_MISSING);
}

/* Each must stay an observation of which it is said that it is none of ours, and no wave. */
static void
test_no_wave (void)
{
  static const char *const ROWS[] = {
    "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.1|1^2^x\r",
    "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.1|1^2~3^4\r",
    "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.1|1^99999999999\r",
    "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.1|1e^2\r",
    "OBX|1|NA|12^TABLE^99X|1.1.1.1|1^2\r",
    /* Whole seconds are no window of which a rate could be had. */
    "OBR|2||||||20261120090312|20261120090313\r"
    "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.1|1^2^3^4\r",
  };
  for (guint i = 0; i < G_N_ELEMENTS (ROWS); i++) {
    g_auto (Bed) bed = bed_new ();
    g_autofree char *message
        = g_strconcat ("MSH|^~\\&|SIM||||20261120090313+0700||ORU^R01|1|P|2.6\r"
                       "OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700\r",
                       ROWS[i], NULL);
    g_assert_null (take (&bed, message));
    g_assert_cmpuint (bed.observations, ==, 1);
  }
}

static void
test_continuity (void)
{
  static const struct {
    const char *start, *more;
    guint epochs, first; /* further epoch than the message before, index of the first sample */
  } STEPS[] = {
    { "20261120090312.000+0700", "", 0, 0 },
    { "20261120090313.000+0700", "", 0, 4 },
    { "20261120090314.040+0700", "", 0, 8 }, /* a clock that is not quite even */
    { "20261120090318.000+0700", "", 1, 0 }, /* three seconds are gone */
    { "20261120090319.000+0700", "", 0, 4 },
    { "20261120090310.000+0700", "", 1, 0 }, /* its clock was set back */
    { "20261120090311.000+0700", "OBX|3|NM|67945^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.131330.2|5\r", 1,
      0 },
    { "20261120090312.000+0700", "OBX|3|NM|67945^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.131330.2|5\r", 0,
      4 },
  };
  g_auto (Bed) bed = bed_new ();
  guint32 epoch = 0;
  for (guint i = 0; i < G_N_ELEMENTS (STEPS); i++) {
    g_autofree char *message = second_of (STEPS[i].start, STEPS[i].more);
    const WaveBlock *block = take (&bed, message);
    if (i > 0)
      g_assert_cmpuint (block->epoch - epoch, ==, STEPS[i].epochs);
    g_assert_cmpuint (block->first, ==, STEPS[i].first);
    epoch = block->epoch;
    bed.now_us += SECOND;
    bed.monotonic_us += SECOND;
  }
}

/* Times in whole seconds of blocks that are shorter: no false gap. */
static void
test_whole_seconds (void)
{
  g_auto (Bed) bed = bed_new ();
  guint64 next = 0;
  for (guint i = 0; i < 40; i++) {
    g_autofree char *message = g_strdup_printf (
        "MSH|^~\\&|GE||||202611200903%02u||ORU^R01|1|P|2.3\nOBR|1||||||202611200903%02u\n"
        "OBX|1|NA|MDC_ECG_LEAD_II|1.1.1.1|1^2^3^4^5^6\nOBX|2|NM|MDC_ATTR_SAMP_RATE|1.1.1.1.1|25",
        i * 24 / 100, i * 24 / 100);
    const WaveBlock *block = take (&bed, message);
    g_assert_cmpuint (block->first, ==, next);
    next += 6;
    bed.now_us += 240000;
  }
}

/* Arrivals jitter; the place on the local clock is that of the quickest, and never in the future.
 */
static void
test_monotonic (void)
{
  g_auto (Bed) bed = bed_new ();
  for (guint i = 0; i < 20; i++) {
    g_autofree char *start = g_strdup_printf ("202611200903%02u.000+0700", i);
    g_autofree char *message = second_of (start, "");
    bed.monotonic_us = (500 + i) * SECOND + (i % 5) * 30000;
    const WaveBlock *block = take (&bed, message);
    g_assert_cmpint (block->monotonic_us + SECOND, <=, bed.monotonic_us);
    gint64 off = block->monotonic_us - (gint64)(499 + i) * SECOND;
    g_assert_cmpint (ABS (off), <, 5000);
  }
}

static void
test_profile (void)
{
  g_auto (Bed) bed = bed_new ();
  g_autoptr (GError) error = NULL;
  bed.profile = profile_parse ("[match]\napplication = GE*\n[codes]\n^ECG1 = MDC_ECG_ELEC_POTL_I\n"
                               "[waves]\nrate = 240\nresolution = 2.44 uV\n"
                               "not-measured = -32768;-32767;32767\n",
                               "ge.conf", &error);
  g_assert_no_error (error);
  const WaveBlock *block = take (&bed, "MSH|^~\\&|GE_GATEWAY||||20261120090313||ORU^R01|9|P|2.3\n"
                                       "OBR|1||||||20261120090312\n"
                                       "OBX|1|NA|1^ECG1||1^-32767^32767^-32768^2");
  g_assert_cmpuint (block->stream->rate_num, ==, 240);
  g_assert_cmpstr (block->stream->leads[0].name, ==, "I");
  const gint32 expected[] = { 1, WAVE_MISSING, WAVE_MISSING, WAVE_MISSING, 2 };
  g_assert_cmpmem (block->samples, sizeof expected, expected, sizeof expected);
  g_assert_cmpfloat_with_epsilon (wave_block_value (block, 0, 4), 4.88, 1e-9);
  g_assert_null (block->stream->patient_id);
}

static void
test_marks (void)
{
  g_auto (Bed) bed = bed_new ();
  g_autofree char *message = second_of (
      "20261120090312.000+0700",
      "OBX|3|NA|131329^MDC_ECG_ELEC_POTL_I^MDC|1.1.1.131329|1^2^3^4|||DEMO|||R\r"
      "OBX|4|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.1.1.131329.1|4\r"
      "OBX|5|NA|131330^MDC_ECG_ELEC_POTL_V1^MDC|1.1.1.131331|9000^2^3^4|266418^MDC_DIM_MILLI_VOLT"
      "^MDC\rOBX|6|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.1.1.131331.1|4\r");
  take (&bed, message);
  g_assert_cmpuint (bed.waves->len, ==, 2);
  const WaveBlock *real = bed.waves->pdata[0], *demo = bed.waves->pdata[1];
  g_assert_false (real->stream->test);
  g_assert_true (demo->stream->test);
  g_assert_cmpstr (demo->stream->id, ==, "ecg-2");
  /* Number and name are of two leads; nine volts are no heart's. */
  g_assert_cmpstr (real->stream->leads[1].name, ==, "131330 MDC_ECG_ELEC_POTL_V1");
  g_assert_cmpuint (real->stream->leads[1].mdc, ==, 0);
  g_assert_true (g_strv_contains ((const char *const *)real->flags, "implausible"));
}

/* A message of nothing but rows and facets costs what its length costs. */
static void
test_bounded (void)
{
  g_auto (Bed) bed = bed_new ();
  g_autoptr (GString) message
      = g_string_new ("MSH|^~\\&|X||||20261120090313||ORU^R01|1|P|2.6\rOBR|1\r");
  for (guint i = 0; i < 2000; i++)
    g_string_append (message, "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1|1^2\r"
                              "OBX|2|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1|4\r");
  gint64 start = g_get_monotonic_time ();
  take (&bed, message->str);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * SECOND);
  g_assert_cmpuint (bed.waves->len, >, 0);
  g_assert_cmpuint (bed.waves->len, <=, 8);
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "Asia/Ho_Chi_Minh", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wcm/facets", test_facets);
  g_test_add_func ("/wcm/spellings", test_spellings);
  g_test_add_func ("/wcm/no-wave", test_no_wave);
  g_test_add_func ("/wcm/continuity", test_continuity);
  g_test_add_func ("/wcm/whole-seconds", test_whole_seconds);
  g_test_add_func ("/wcm/monotonic", test_monotonic);
  g_test_add_func ("/wcm/profile", test_profile);
  g_test_add_func ("/wcm/marks", test_marks);
  g_test_add_func ("/wcm/bounded", test_bounded);
  return g_test_run ();
}
