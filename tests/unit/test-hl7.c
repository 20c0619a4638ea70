/* HL7 v2 and MLLP: what real monitors send, right and wrong, and what becomes of it. */
#include "media/devices/decode.h"
#include "media/devices/hl7_ack.h"
#include "media/devices/hl7_time.h"
#include "media/devices/mllp.h"
#include "media/devices/pcd01.h"
#include <string.h>

#define HEADER                                                                                     \
  "MSH|^~\\&|MON^00A0370000000001^EUI-64||||20261120090313+0700||ORU^R01^ORU_R01|7|P|2.6"

static GPtrArray *
observe (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Hl7Message) message = hl7_parse ((const guint8 *)text, strlen (text), NULL, &error);
  g_assert_no_error (error);
  return pcd01_observations (message, NULL, NULL, 0, NULL);
}

static Observation *
only (GPtrArray *observations)
{
  g_assert_cmpuint (observations->len, ==, 1);
  return g_ptr_array_index (observations, 0);
}

/* ---- Reading values ------------------------------------------------------------------------ */

static void
test_value (void)
{
  g_autoptr (GPtrArray) all = observe (
      HEADER "\rPID|||0100123||Nguyễn^Thị Hạnh\rOBR|1\r"
             "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|96|262688^MDC_DIM_PERCENT^MDC|"
             "90-100|L~TEST|||R|||20261120090312+0700\r");
  Observation *o = only (all);
  g_assert_cmpstr (o->vital, ==, "spo2");
  g_assert_cmpuint (o->mdc, ==, 150456);
  g_assert_cmpstr (o->loinc, ==, "59408-5");
  g_assert_cmpfloat (o->number, ==, 96);
  g_assert_cmpstr (o->number_text, ==, "96");
  g_assert_cmpstr (o->unit, ==, "%");
  g_assert_cmpstr (o->alarm_range, ==, "90-100");
  g_assert_cmpstr (o->patient_id, ==, "0100123");
  g_assert_cmpstr (o->patient_name, ==, "Nguyễn Thị Hạnh");
  g_assert_cmpstr (o->device, ==, "00A0370000000001");
  g_assert_true (observation_has_flag (o, "L"));
  g_assert_true (o->test);
  g_assert_cmpint (o->time_source, ==, OBS_TIME_DEVICE);
  g_assert_cmpint (o->time_us, ==, G_GINT64_CONSTANT (1795140192000000));
}

static void
test_specials (void)
{
  static const struct {
    const char *obx, *absent, *flag;
    gboolean number;
  } CASES[] = {
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1||262688^^MDC|||||R", "not-measured", NULL, FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|NaN|262688^^MDC|||||R", "unparsable", NULL, FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|0x40|262688^^MDC|||||R", "unparsable", NULL, FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|1e400|262688^^MDC|||||R", "unparsable", NULL, FALSE },
    { "NM|150344^MDC_TEMP^MDC|1|36,8|268192^^MDC|||||R", "unparsable", NULL, FALSE },
    { "NM|188736^MDC_MASS_BODY_ACTUAL^MDC|1|0|263875^^MDC|||||F", "not-measured", NULL, FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|97|262688^^MDC|||||X", "not-available", NULL, FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|97|262688^^MDC||NAV|||R", "not-available", "NAV",
      FALSE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|140|262688^^MDC|||||R", NULL, "implausible", TRUE },
    { "NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|97||||||R", NULL, "no-unit", TRUE },
    { "NM|149522^MDC_PULS_RATE^MDC|1|97|264864^^MDC|||||R", NULL, "code-conflict", TRUE },
    { "NM|101^HR|2101|60||||||F", NULL, "unmapped", TRUE },
    { "SN|8867-4^Heart rate^LN|1|^182|/min^^UCUM|||||F", NULL, NULL, TRUE },
    { "SN|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|>^95|262688^^MDC|||||F", NULL, NULL, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *text = g_strdup_printf (HEADER "\rOBX|1|%s\r", CASES[i].obx);
    g_autoptr (GPtrArray) all = observe (text);
    Observation *o = only (all);
    g_assert_cmpstr (o->absent_reason, ==, CASES[i].absent);
    g_assert_cmpint (o->type == OBS_NUMBER, ==, CASES[i].number);
    if (CASES[i].flag != NULL)
      g_assert_true (observation_has_flag (o, CASES[i].flag));
  }
}

/* Codes that other makes use for what is known, and what is known but no vital sign of ours. */
static void
test_other_codes (void)
{
  static const struct {
    const char *obx, *vital, *unit;
    guint32 mdc;
  } CASES[] = {
    { "NM|2339-0^Glucose^LN||180|mg/dL|||||F", "glucose", "mg/dL", 0 },
    { "NM|15074-8^Glucose^LN||5.4|mmol/L|||||F", "glucose", "mmol/L", 0 },
    { "NM|76534-7^Systolic^LN||121|mm[Hg]|||||F", "nibp-sys", "mm[Hg]", 0 },
    { "NM|150368^MDC_TEMP_CORE^MDC|1|38.1|268192^MDC_DIM_DEGC^MDC|||||R", "temp", "Cel", 150368 },
    { "NM|150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC|1|121|266016^MDC_DIM_MMHG^MDC|||||R", NULL,
      "mm[Hg]", 150037 },
    { "NM|150087^MDC_PRESS_BLD_VEN_CENT_MEAN^MDC|1|8|266048^MDC_DIM_CM_H2O^MDC|||||R", NULL,
      "cm[H2O]", 150087 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *text = g_strdup_printf (HEADER "\rOBX|1|%s\r", CASES[i].obx);
    g_autoptr (GPtrArray) all = observe (text);
    Observation *o = only (all);
    g_assert_cmpint (o->type, ==, OBS_NUMBER);
    g_assert_cmpstr (o->vital, ==, CASES[i].vital);
    g_assert_cmpstr (o->unit, ==, CASES[i].unit);
    g_assert_cmpuint (o->mdc, ==, CASES[i].mdc);
    g_assert_true (o->flags == NULL || o->flags[0] == NULL);
  }
}

static void
test_device_rows_are_no_readings (void)
{
  g_autoptr (GPtrArray) all
      = observe (HEADER "\rOBX|1|CWE|68220^MDC_TIME_SYNC_PROTOCOL^MDC|0.0.0.1|532224^X^MDC||||||R\r"
                        "OBX|2||528391^MDC_DEV_SPEC_PROFILE_BP^MDC|1|||||||X\r"
                        "OBX|3||150020^MDC_PRESS_BLD_NONINV^MDC|1.0.1|||||||X\r"
                        "OBX|4|DTM|67975^MDC_ATTR_TIME_ABS^MDC|1|20091028123702||||||R\r"
                        "OBX|5|TX|||||||||F\r");
  g_assert_cmpuint (all->len, ==, 0);
  g_autoptr (GPtrArray) uncoded = observe (HEADER "\rOBX|1|TX|||a finding||||||F\r");
  g_assert_cmpstr (only (uncoded)->text, ==, "a finding");
}

/* ---- Framing of the text ------------------------------------------------------------------- */

static void
test_line_ends (void)
{
  const char *ends[] = { "\r", "\n", "\r\n", "\r\r\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree char *text = g_strdup_printf (
        HEADER "%sOBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|96|262688^^MDC|||||R%s"
               "OBX|2|TX|X^note^99||first%ssecond||||||F",
        ends[i], ends[i], ends[i]);
    g_autoptr (GPtrArray) all = observe (text);
    g_assert_cmpuint (all->len, ==, 2);
    Observation *o = g_ptr_array_index (all, 0), *note = g_ptr_array_index (all, 1);
    g_assert_cmpstr (o->status, ==, "R");
    g_assert_true (g_str_has_prefix (note->text, "first"));
    g_assert_true (g_str_has_suffix (note->text, "second"));
  }
}

static void
test_delimiters_and_escapes (void)
{
  g_autoptr (GPtrArray) all = observe ("MSH#*%@!#MON###20261120090313+0700##X##ORU*R01#7#P#2.6\r"
                                       "OBX#1#ST#N*note*99##a@F@b@S@c@T@d@R@e@E@f@X41c3a9@\r");
  Observation *o = only (all);
  g_assert_cmpstr (o->text, ==, "a#b*c!d%e@fAé");
}

static void
test_charsets (void)
{
  static const struct {
    const char *declared, *iconv;
  } CASES[] = {
    { "UNICODE UTF-8", "UTF-8" }, { "", "UTF-8" },           { "8859/1", "UTF-8" },
    { "windows-1258", "CP1258" }, { "CP1258", "CP1258" },    { "", "CP1258" },
    { "TCVN3", "TCVN5712-1" },    { "UNICODE", "UTF-16LE" }, { "UNICODE UTF-8", "UTF-16BE" },
  };
  /* Decomposed as CP1258 and TCVN want it; comes back composed (NFC). */
  const char *name = "Lò Văn Bình", *composed = "Lò Văn Bình";
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *text = g_strdup_printf (HEADER "|||AL|NE||%s\rPID|||1||%s\r"
                                                    "OBX|1|NM|150456^^MDC|1|96|262688^^MDC|||||R\r",
                                             CASES[i].declared, name);
    gsize length = 0;
    g_autofree char *bytes = NULL;
    g_autofree char *nfd = g_utf8_normalize (text, -1, G_NORMALIZE_NFD);
    /* CP1258 composes the vowel and leaves the tone apart: any iconv spelling will do. */
    bytes = g_convert (nfd, -1, CASES[i].iconv, "UTF-8", NULL, &length, NULL);
    if (bytes == NULL)
      bytes = g_convert (text, -1, CASES[i].iconv, "UTF-8", NULL, &length, NULL);
    g_assert_nonnull (bytes);
    g_autoptr (GError) error = NULL;
    g_autoptr (Hl7Message) message = hl7_parse ((const guint8 *)bytes, length, NULL, &error);
    g_assert_no_error (error);
    g_autoptr (GPtrArray) all = pcd01_observations (message, NULL, NULL, 0, NULL);
    g_assert_cmpstr (only (all)->patient_name, ==, composed);
  }
}

/* The patient's name in a message that declares these sets; NULL: refused. */
static char *
name_in (const char *declared, const char *name, gboolean *ret_guessed, GError **error)
{
  g_autofree char *text = g_strdup_printf (HEADER "|||AL|NE||%s\rPID|||1||%s\r"
                                                  "OBX|1|NM|150456^^MDC|1|96|262688^^MDC|||||R\r",
                                           declared, name);
  g_autoptr (Hl7Message) message = hl7_parse ((const guint8 *)text, strlen (text), NULL, error);
  if (message == NULL)
    return NULL;
  hl7_charset (message, ret_guessed);
  g_autoptr (GPtrArray) all = pcd01_observations (message, NULL, NULL, 0, NULL);
  return g_strdup (only (all)->patient_name);
}

/* MSH-18 repeats: the text changes its set by ISO 2022, or is in one of them. */
static void
test_several_charsets (void)
{
  static const struct {
    const char *declared, *bytes, *name;
  } CASES[] = {
    /* 2.15.9.18 has this kind of message as its example: names in letters, ideographs, syllables.
     */
    { "~ISO IR87", "Yamada \x1b$B;3ED\x1b(B x", "Yamada 山田 x" },
    { "ASCII~ISO IR87~ISO IR159", "\x1b$(D\x30\x21\x1b(B", "丂" },
    { "ASCII~ISO IR87", "\\M2442\\;3ED\\C2842\\ x", "山田 x" },
    { "ASCII~ISO IR87", "\\M244200\\;3ED\\C2842\\", "山田" },
    { "ASCII~KS X 1001", "\x1b$)C\xb1\xe8", "김" },
    { "8859/1~8859/2", "\xe9\x1b-B\xb3", "éł" },
    /* A segment begins in the first again: the name is of one segment, the value of another. */
    { "8859/1~8859/2", "\x1b-B\xb3", "ł" },
    /* Without a change the first that the text is in. */
    { "ASCII~UNICODE UTF-8", "Bình", "Bình" },
    { "8859/1~UNICODE UTF-8", "Bình", "Bình" },
    { "UNICODE UTF-8~8859/1", "\xe9", "é" },
    { "ASCII~8859/1", "An", "An" },
  };
  static const char *const BAD[]
      = { "\x1b$(Q\x30\x21\x1b(B", "\x1b$B;3E\x1b(B", "\x1b$B\xff\xff\x1b(B" };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autoptr (GError) error = NULL;
    gboolean guessed = TRUE;
    g_autofree char *name = name_in (CASES[i].declared, CASES[i].bytes, &guessed, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (name, ==, CASES[i].name);
    g_assert_false (guessed);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (BAD); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *name = name_in ("ASCII~ISO IR87", BAD[i], NULL, &error);
    g_assert_null (name);
    g_assert_error (error, HL7_ERROR, HL7_ERROR_CHARSET);
  }
}

static void
test_times (void)
{
  gint64 us;
  gboolean zoned;
  g_autoptr (GTimeZone) hanoi = g_time_zone_new_identifier ("+07:00");
  g_assert_true (hl7_time_parse ("20261120090313.1200+0700", NULL, &us, &zoned));
  g_assert_true (zoned);
  g_assert_cmpint (us, ==, G_GINT64_CONSTANT (1795140193120000));
  g_assert_true (hl7_time_parse ("202611200903", hanoi, &us, &zoned));
  g_assert_false (zoned);
  g_assert_cmpint (us, ==, G_GINT64_CONSTANT (1795140180000000));
  const char *bad[] = { "",
                        "2026",
                        "20261120",
                        "20261320090000",
                        "2026112009+07",
                        "x",
                        "20260231010101",
                        "20261120090313+99999" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (hl7_time_parse (bad[i], NULL, &us, &zoned));
}

static void
test_refusals (void)
{
  const char *bad[] = { "", "MSH", "PID|1|2|3|4|5", "MSHabcdefgh", "GET / HTTP/1.1\r\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (hl7_parse ((const guint8 *)bad[i], strlen (bad[i]), NULL, &error));
    g_assert_error (error, HL7_ERROR, HL7_ERROR_NO_MSH);
  }
}

/* ---- Acknowledgements ---------------------------------------------------------------------- */

static char *
acknowledge (const char *modes, const GError *why)
{
  g_autofree char *text = g_strdup_printf (HEADER "%s\rOBX|1|NM|1^x^y|1|2\r", modes);
  g_autoptr (Hl7Message) message = hl7_parse ((const guint8 *)text, strlen (text), NULL, NULL);
  g_autoptr (GPtrArray) replies = hl7_acknowledge (message, NULL, why, 0);
  GString *codes = g_string_new (NULL);
  for (guint i = 0; i < replies->len; i++) {
    gsize length;
    const char *bytes = g_bytes_get_data (g_ptr_array_index (replies, i), &length);
    g_autoptr (Hl7Message) reply = hl7_parse ((const guint8 *)bytes, length, NULL, NULL);
    g_autofree char *code = hl7_get (reply, 1, 1, 0, 1, 1), *id = hl7_get (reply, 1, 2, 0, 1, 1);
    g_autofree char *receiver = hl7_get (reply, 0, 5, 0, 1, 1),
                    *type = hl7_get (reply, 0, 9, 0, 1, 1);
    g_assert_cmpstr (id, ==, "7");
    g_assert_cmpstr (receiver, ==, "MON");
    g_assert_cmpstr (type, ==, "ACK");
    g_string_append (codes, code);
  }
  return g_string_free (codes, FALSE);
}

static void
test_acknowledgements (void)
{
  g_autoptr (GError) disk = g_error_new_literal (g_quark_from_static_string ("x"), 0, "disk full");
  g_autoptr (GError) type = g_error_new_literal (HL7_ERROR, HL7_ERROR_TYPE, "no");
  static const struct {
    const char *modes, *good, *failed, *refused;
  } CASES[] = {
    { "", "AA", "AE", "AR" },         { "|||AL|NE", "CA", "CE", "CR" },
    { "|||NE|AL", "AA", "AE", "AR" }, { "|||AL|AL", "CAAA", "CE", "CR" },
    { "|||ER|NE", "", "CE", "CR" },   { "|||NE|SU", "AA", "", "" },
    { "|||NE|NE", "", "", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *good = acknowledge (CASES[i].modes, NULL);
    g_autofree char *failed = acknowledge (CASES[i].modes, disk);
    g_autofree char *refused = acknowledge (CASES[i].modes, type);
    g_assert_cmpstr (good, ==, CASES[i].good);
    g_assert_cmpstr (failed, ==, CASES[i].failed);
    g_assert_cmpstr (refused, ==, CASES[i].refused);
  }
}

/* ---- MLLP ---------------------------------------------------------------------------------- */

static void
collect (const guint8 *message, gsize length, void *arg)
{
  g_ptr_array_add (arg, g_strndup ((const char *)message, length));
}

static void
test_mllp_any_cut (void)
{
  static const char STREAM[] = "junk\0\r\n\vone\x1c\r\0\0\vtwo\x1c\vlost\vthree\x1c\r\n\vnever";
  for (gsize step = 1; step < sizeof STREAM; step++) {
    g_autoptr (Mllp) mllp = mllp_new ();
    g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func (g_free);
    for (gsize at = 0; at < sizeof STREAM - 1; at += step)
      mllp_feed (mllp, (const guint8 *)STREAM + at, MIN (step, sizeof STREAM - 1 - at), collect,
                 got);
    g_assert_cmpuint (got->len, ==, 3);
    g_assert_cmpstr (g_ptr_array_index (got, 0), ==, "one");
    g_assert_cmpstr (g_ptr_array_index (got, 1), ==, "two");
    g_assert_cmpstr (g_ptr_array_index (got, 2), ==, "three");
    g_assert_cmpuint (mllp_dropped (mllp), ==, 1);
  }
}

static void
test_mllp_too_long (void)
{
  g_autoptr (Mllp) mllp = mllp_new ();
  g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func (g_free);
  g_autofree guint8 *big = g_malloc (MLLP_MAX);
  memset (big, 'x', MLLP_MAX);
  mllp_feed (mllp, (const guint8 *)"\v", 1, collect, got);
  mllp_feed (mllp, big, MLLP_MAX, collect, got);
  mllp_feed (mllp, (const guint8 *)"y\x1c\r\vok\x1c\r", 8, collect, got);
  g_assert_cmpuint (got->len, ==, 2);
  g_assert_cmpuint (strlen (g_ptr_array_index (got, 0)), ==, MLLP_MAX + 1);
  g_assert_cmpstr (g_ptr_array_index (got, 1), ==, "ok");
}

/* ---- Real and made-up messages ------------------------------------------------------------- */

static void
collect_json (json_t *object, void *arg)
{
  json_array_append (arg, object);
}

static json_t *
decode_shared (const char *name)
{
  const char *shared = g_getenv ("NHIPCAU_SHARED") ? g_getenv ("NHIPCAU_SHARED") : "../shared";
  g_autofree char *path = g_build_filename (shared, "data", name, NULL);
  g_autofree char *data = NULL;
  gsize length;
  if (!g_file_get_contents (path, &data, &length, NULL))
    return NULL;
  g_autoptr (GError) error = NULL;
  json_t *all = json_array ();
  device_decode ("hl7", (const guint8 *)data, length, collect_json, NULL, all, &error);
  g_assert_no_error (error);
  return all;
}

static double
value_of (json_t *all, const char *vital)
{
  size_t i;
  json_t *o;
  json_array_foreach (all, i,
                      o) if (g_strcmp0 (json_string_value (json_object_get (o, "vital")), vital)
                             == 0) return json_number_value (json_object_get (o, "value"));
  return -1;
}

static void
test_shared_data (void)
{
  static const struct {
    const char *file, *vital;
    double value;
  } EXPECTED[] = {
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "spo2", 96 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "pulse", 78 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "nibp-sys", 142 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "nibp-dia", 88 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "nibp-mean", 106 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "temp", 36.8 },
    { "hl7v2-own/01_pcd01_vitals_vi.hl7", "resp", 18 },
    { "hl7v2-own/02_cuff_codes_spot.hl7", "nibp-sys", 118 },
    { "hl7v2-own/02_cuff_codes_spot.hl7", "nibp-dia", 77 },
    { "hl7v2-own/02_cuff_codes_spot.hl7", "spo2", 98 },
    { "hl7v2-own/03_mindray_231_local_codes.hl7", "hr", -1 },
    { "hl7v2-own/04_two_messages.mllp", "spo2", 97 },
    { "hl7v2/hapi_pcd01_bp.hl7", "nibp-sys", 120 },
    { "hl7v2/hapi_pcd01_bp.hl7", "nibp-mean", 100 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (EXPECTED); i++) {
    json_t *all = decode_shared (EXPECTED[i].file);
    if (all == NULL) {
      g_test_skip ("../shared/data is not here");
      return;
    }
    g_test_message ("%s: %zu observations, %s %g", EXPECTED[i].file, json_array_size (all),
                    EXPECTED[i].vital, value_of (all, EXPECTED[i].vital));
    g_assert_cmpfloat (value_of (all, EXPECTED[i].vital), ==, EXPECTED[i].value);
    json_decref (all);
  }
  const char *others[] = { "hl7v2/hapi_erp_chem.hl7",           "hl7v2/hapi_omd_rep.txt",
                           "hl7v2/lfh_oru_multiline_short.hl7", "hl7v2/pyhl7_rep_sample_hl7.hl7",
                           "hl7v2/pyhl7_sample_hl7.hl7",        "hl7v2/pyhl7_sample_msh.hl7" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    json_t *all = decode_shared (others[i]);
    g_test_message ("%s: %zu observations", others[i], json_array_size (all));
    json_decref (all);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hl7/value", test_value);
  g_test_add_func ("/hl7/specials", test_specials);
  g_test_add_func ("/hl7/other-codes", test_other_codes);
  g_test_add_func ("/hl7/device-rows", test_device_rows_are_no_readings);
  g_test_add_func ("/hl7/line-ends", test_line_ends);
  g_test_add_func ("/hl7/delimiters-and-escapes", test_delimiters_and_escapes);
  g_test_add_func ("/hl7/charsets", test_charsets);
  g_test_add_func ("/hl7/several-charsets", test_several_charsets);
  g_test_add_func ("/hl7/times", test_times);
  g_test_add_func ("/hl7/refusals", test_refusals);
  g_test_add_func ("/hl7/acknowledgements", test_acknowledgements);
  g_test_add_func ("/mllp/any-cut", test_mllp_any_cut);
  g_test_add_func ("/mllp/too-long", test_mllp_too_long);
  g_test_add_func ("/hl7/shared-data", test_shared_data);
  return g_test_run ();
}
