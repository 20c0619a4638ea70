/* Profiles of devices: what they make of a message, and what is said of one that is not good. */
#include "media/devices/hl7_ack.h"
#include "media/devices/hl7_content.h"
#include "media/devices/profile_set.h"
#include <glib/gstdio.h>
#include <string.h>

#define SHIPPED "station/profiles"

static Profile *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  Profile *profile = profile_parse (text, "x.conf", &error);
  g_assert_no_error (error);
  return profile;
}

static Hl7Message *
message_of (const char *text, const char *charset)
{
  g_autoptr (GError) error = NULL;
  Hl7Message *message = hl7_parse ((const guint8 *)text, strlen (text), charset, &error);
  g_assert_no_error (error);
  return message;
}

/* "hr=60 /min;temp!not-measured;" of each that is a vital sign. */
static char *
vitals_of (const char *text, const Profile *profile)
{
  g_autoptr (Wcm) wcm = wcm_new ();
  g_autoptr (Hl7Message) message
      = message_of (text, profile != NULL ? profile_charset (profile) : NULL);
  g_autoptr (Hl7Content) content = hl7_content_read (message, profile, wcm, 1000000, 0, "10.0.0.9");
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < content->observations->len; i++) {
    const Observation *o = content->observations->pdata[i];
    if (o->vital == NULL)
      continue;
    if (o->absent_reason != NULL)
      g_string_append_printf (all, "%s!%s;", o->vital, o->absent_reason);
    else
      g_string_append_printf (all, "%s=%s %s;", o->vital, o->number_text,
                              o->unit != NULL ? o->unit : "?");
  }
  return g_string_free (all, FALSE);
}

#define MINDRAY                                                                                    \
  "MSH|^~\\&|Mindray|Gateway|||||ORU^R01|2|P|2.3.1|\r"                                             \
  "PID|||M1015_00010||Tran^Van Binh|||M|||\rOBR||||Mindray Monitor|||20261120101631|\r"            \
  "OBX||NM|52^Height||169.0||||||F\rOBX||NM|101^HR|2101|60||||||F\r"                               \
  "OBX||NM|160^SpO2|2103|97||||||F\rOBX||NM|200^T1|2104|37.00||||||F\r"                            \
  "OBX||NM|170^Sys|2105|-100||||||F\rOBX||NM|999^XY|2105|1||||||F\r"

static void
test_codes (void)
{
  g_autoptr (GError) error = NULL;
  const char *folders[] = { SHIPPED, NULL };
  g_autoptr (ProfileSet) set = profile_set_load (folders, &error);
  g_assert_no_error (error);
  g_autoptr (Hl7Message) message = message_of (MINDRAY, NULL);
  const Profile *profile = profile_set_match (set, message);
  g_assert_nonnull (profile);
  g_assert_cmpstr (profile_name (profile), ==, "mindray-231");
  g_autofree char *without = vitals_of (MINDRAY, NULL), *with = vitals_of (MINDRAY, profile);
  g_assert_cmpstr (without, ==, "");
  g_assert_cmpstr (with, ==,
                   "height=169.0 cm;hr=60 /min;spo2=97 %;temp=37.00 Cel;nibp-sys!not-measured;");
}

/* One profile for each device that is known here, and each picks its own messages. */
static void
test_shipped (void)
{
  static const struct {
    const char *header, *name;
  } SENDERS[] = {
    { "MSH|^~\\&|MINDRAY_VS_SERIES^00A0370000000001^EUI-64|TYT|", "mindray-vs8" },
    { "MSH|^~\\&|Mindray|Gateway|", "mindray-231" },
    { "MSH|^~\\&||KC000000001G|", "comen-nc5" },
    { "MSH|^~\\&|CM100|X|", "philips-cm100" },
    { "MSH|^~\\&|VS4|X|", "philips-vs4" },
    { "MSH|^~\\&|PIIC iX|X|", "philips-intellivue" },
    { "MSH|^~\\&|GE_GATEWAY||", "ge" },
    { "MSH|^~\\&|OTHER|KC1|", NULL },
    { "MSH|^~\\&|||", NULL },
  };
  g_autoptr (GError) error = NULL;
  const char *folders[] = { SHIPPED, "/nowhere", NULL };
  g_autoptr (ProfileSet) set = profile_set_load (folders, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (SENDERS); i++) {
    g_autofree char *text = g_strconcat (SENDERS[i].header, "||||ORU^R01|1|P|2.6\r", NULL);
    g_autoptr (Hl7Message) message = message_of (text, NULL);
    const Profile *profile = profile_set_match (set, message);
    g_assert_cmpstr (profile != NULL ? profile_name (profile) : NULL, ==, SENDERS[i].name);
  }
}

static void
test_comen (void)
{
  g_autoptr (Profile) profile
      = parse ("[codes]\n149522^MDC_PULS_RATE = MDC_PULS_RATE\n[not-measured]\nMDC_TEMP = 0;99\n");
  static const char TEXT[] = "MSH|^~\\&||KC000000001G|||20261120090313||ORU^R01|1|P|2.6\rOBR|1\r"
                             "OBX||NM|149522^MDC_PULS_RATE^MDC||70|bpm|||||F\r"
                             "OBX||NM|150344^MDC_TEMP^MDC||99|Cel|||||F\r";
  g_autofree char *without = vitals_of (TEXT, NULL), *with = vitals_of (TEXT, profile);
  g_assert_cmpstr (without, ==, "temp=99 Cel;");
  g_assert_cmpstr (with, ==, "pulse=70 /min;temp!not-measured;");
}

static void
test_clock (void)
{
  static const char TEXT[] = "MSH|^~\\&|CM||||%s||ORU^R01|1|P|2.6\rOBR|1\r"
                             "OBX||NM|150344^MDC_TEMP^MDC||37|Cel|||||F|||%s\r";
  g_autoptr (Wcm) wcm = wcm_new ();
  g_autoptr (Profile) from = parse ("[hl7]\nclock-set-from = 2014-01-01\ntime-zone = +07:00\n");
  g_autoptr (Profile) never = parse ("[hl7]\nclock = arrival\n");
  g_autofree char *unset = g_strdup_printf (TEXT, "20130101000210", "20130101000200");
  g_autofree char *set = g_strdup_printf (TEXT, "20261120090000", "20261120090000");
  const struct {
    const char *text;
    const Profile *profile;
    gint64 time_us;
    ObservationTime source;
  } CASES[] = {
    { unset, from, 77, OBS_TIME_STATION },
    { set, from, G_GINT64_CONSTANT (1795140000000000), OBS_TIME_DEVICE },
    { set, never, 77, OBS_TIME_STATION },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autoptr (Hl7Message) message = message_of (CASES[i].text, NULL);
    g_autoptr (Hl7Content) content = hl7_content_read (message, CASES[i].profile, wcm, 77, 0, NULL);
    const Observation *o = content->observations->pdata[0];
    g_assert_cmpint (o->time_us, ==, CASES[i].time_us);
    g_assert_cmpint (o->time_source, ==, CASES[i].source);
  }
}

static void
test_acknowledge (void)
{
  g_autoptr (Profile) profile = parse ("[hl7]\nacknowledge = original\ncharset = TCVN3\n"
                                       "test-marks = SIMU\n");
  g_autoptr (Hl7Message) message = message_of (
      "MSH|^~\\&|GW||||20261120090313||ORU^R01^ORU_R01|1|P|2.6|||AL|NE\rPID|||1||\xD0\xD0\r"
      "OBX||NM|150344^MDC_TEMP^MDC||37|Cel||SIMU|||F\r",
      profile_charset (profile));
  g_autoptr (GPtrArray) asked = hl7_acknowledge (message, NULL, NULL, 0);
  g_autoptr (GPtrArray) original = hl7_acknowledge (message, profile, NULL, 0);
  g_assert_cmpuint (original->len, ==, 1);
  g_assert_nonnull (strstr (g_bytes_get_data (asked->pdata[0], NULL), "MSA|CA|1"));
  g_assert_nonnull (strstr (g_bytes_get_data (original->pdata[0], NULL), "MSA|AA|1"));
  g_autoptr (Wcm) wcm = wcm_new ();
  g_autoptr (Hl7Content) content = hl7_content_read (message, profile, wcm, 0, 0, NULL);
  const Observation *o = content->observations->pdata[0];
  g_assert_true (o->test);
  g_assert_cmpstr (o->patient_family, ==, "éé");
}

/* File, line, and what to do. */
static void
test_errors (void)
{
  static const struct {
    const char *text, *expected;
  } BAD[] = {
    { "[match]\napplicaton = GE\n",
      "x.conf:2: [match] applicaton: is no key of this group; allowed: application, facility" },
    { "\n[mach]\na = b\n",
      "x.conf:3: [mach] a: is no known group; allowed: [profile], [match], [hl7], [codes], "
      "[units], [not-measured], [waves]" },
    { "[hl7]\nacknowledge = AA\n",
      "x.conf:2: [hl7] acknowledge: wants asked (as MSH-15 and MSH-16 ask) or original (always "
      "AA)" },
    { "[hl7]\ncharset = klingon\n",
      "x.conf:2: [hl7] charset: is no character set known here; UTF-8, windows-1258, TCVN3, "
      "8859/1 are some" },
    { "[codes]\n101^HR = HEART\n",
      "x.conf:2: [codes] 101^HR: names no code: an MDC reference id of docs/devices.md "
      "(MDC_ECG_HEART_RATE) or an MDC number" },
    { "[units]\nMDC_TEMP = %\n",
      "x.conf:2: [units] MDC_TEMP: is a unit of another quantity; such values are in Cel or of its "
      "kind" },
    { "[waves]\nrate = 0\n", "x.conf:2: [waves] rate: wants samples a second: 240, 62.5" },
    { "[hl7]\nclock =\n", "x.conf:2: [hl7] clock: has no value: write one, or leave the line out" },
    { "[hl7]\nclock = device\nclock = arrival\n",
      "x.conf:3: [hl7] clock is given twice, first in line 2" },
    { "clock = device\n", "x.conf:1: clock stands before any [GROUP]" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (BAD); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (profile_parse (BAD[i].text, "x.conf", &error));
    g_assert_error (error, PROFILE_ERROR, PROFILE_ERROR_BAD);
    g_assert_cmpstr (error->message, ==, BAD[i].expected);
  }
}

/* A station's own file takes the place of one that came with the program. */
static void
test_own (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *own = g_dir_make_tmp ("profiles-XXXXXX", &error);
  g_autofree char *file = g_build_filename (own, "ge.conf", NULL);
  const char *folders[] = { SHIPPED, own, NULL };
  g_assert_true (g_file_set_contents (file, "[match]\napplication = OURS\n", -1, &error));
  g_autoptr (ProfileSet) set = profile_set_load (folders, &error);
  g_assert_no_error (error);
  g_assert_true (profile_matches (profile_set_find (set, "ge"), "ours", NULL));
  g_assert_false (profile_matches (profile_set_find (set, "ge"), "GE", NULL));
  g_assert_true (g_file_set_contents (file, "[match]\nx = y\n", -1, &error));
  g_assert_null (profile_set_load (folders, &error));
  g_assert_true (g_str_has_prefix (error->message, file));
  g_unlink (file);
  g_rmdir (own);
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "Asia/Ho_Chi_Minh", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/profile/codes", test_codes);
  g_test_add_func ("/profile/shipped", test_shipped);
  g_test_add_func ("/profile/comen", test_comen);
  g_test_add_func ("/profile/clock", test_clock);
  g_test_add_func ("/profile/acknowledge", test_acknowledge);
  g_test_add_func ("/profile/errors", test_errors);
  g_test_add_func ("/profile/own", test_own);
  return g_test_run ();
}
