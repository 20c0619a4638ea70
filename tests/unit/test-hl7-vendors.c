/* Messages in the shapes in which monitors and gateways of several makers send them, made up for
 * the purpose, and what may be made of each: a reading of which anything is uncertain is kept as
 * written and shown as nothing else. */
#include "media/devices/decode.h"
#include "media/devices/hl7_ack.h"
#include "media/devices/mllp.h"
#include "media/devices/pcd01.h"
#include <string.h>

/* vital = value_text unit, "!" absent, "#" flags; one line an observation. */
static char *
describe (json_t *o)
{
  GString *text = g_string_new (NULL);
  const char *vital = json_string_value (json_object_get (o, "vital"));
  const char *written = json_string_value (json_object_get (o, "value_text"));
  const char *unit = json_string_value (json_object_get (o, "unit"));
  const char *absent = json_string_value (json_object_get (o, "absent"));
  json_t *flags = json_object_get (o, "flags");
  g_string_append_printf (text, "%s", vital != NULL ? vital : "-");
  if (absent != NULL)
    g_string_append_printf (text, " !%s", absent);
  else if (json_object_get (o, "value") == NULL)
    g_string_append (text, " text");
  if (written != NULL)
    g_string_append_printf (text, " %s", written);
  if (unit != NULL && absent == NULL)
    g_string_append_printf (text, " %s", unit);
  for (size_t i = 0; i < json_array_size (flags); i++)
    g_string_append_printf (text, " #%s", json_string_value (json_array_get (flags, i)));
  return g_string_free (text, FALSE);
}

static void
collect (json_t *object, void *arg)
{
  g_ptr_array_add (arg, json_incref (object));
}

static void
free_json (void *object)
{
  json_decref (object);
}

static GPtrArray *
decode (const char *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *all = g_ptr_array_new_with_free_func (free_json);
  device_decode ("hl7", (const guint8 *)bytes, length, collect, NULL, all, &error);
  g_assert_no_error (error);
  return all;
}

static void
expect (const char *name, const char *message, const char *expected)
{
  g_autoptr (GPtrArray) all = decode (message, strlen (message));
  g_autoptr (GString) got = g_string_new (NULL);
  for (guint i = 0; i < all->len; i++) {
    g_autofree char *line = describe (g_ptr_array_index (all, i));
    g_string_append_printf (got, "%s\n", line);
  }
  if (!g_str_equal (got->str, expected))
    g_test_message ("%s:\n%s", name, got->str);
  g_assert_cmpstr (got->str, ==, expected);
}

/* ---- Makers' dialects ------------------------------------------------------------------------ */

static const struct {
  const char *name, *message, *expected;
} DIALECTS[] = {
  { "Mindray gateway, 2.3.1: local codes without system and unit",
    "MSH|^~\\&|Mindray|Gateway|||||ORU^R01|2|P|2.3.1|\r"
    "PID|||M1015_00010||Tran^Van Binh|||M|||\rPV1||I|^^TYT&Bed5&3232241659&0&0|\r"
    "OBR||||Mindray Monitor|||20261120101631|\r"
    "OBX||NM|101^HR|2101|60||||||F\rOBX||NM|160^SpO2|2103|97||||||F\r"
    "OBX||NM|170^Sys|2105|-100||||||F\r",
    "- 60 #unmapped\n- 97 #unmapped\n- -100 #unmapped\n" },
  { "Mindray, 2.6: MDC",
    "MSH|^~\\&|MINDRAY_VS_SERIES^00A0370000000001^EUI-64|MINDRAY|||20261120090313+0700||"
    "ORU^R01^ORU_R01|1|P|2.6|||AL|NE||UNICODE UTF-8\r"
    "PID|||9^^^H^PI||Nguyễn^An\rOBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700\r"
    "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X\r"
    "OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.7.4.147842|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|"
    "50-120||||R|||20261120090312+0700\r"
    "OBX|3|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|97|262688^MDC_DIM_PERCENT^MDC|90-100|"
    "ALINH|||R\r"
    "OBX|4|NM|151578^MDC_TTHOR_RESP_RATE^MDC|1.9.1.151578|18|264928^MDC_DIM_RESP_PER_MIN^MDC|||||"
    "R\rOBX|5|NM|150344^MDC_TEMP^MDC|1.2.1.150344|98.2|266560^MDC_DIM_FAHR^MDC||DEMO|||R\r",
    "hr 72 /min\nspo2 97 % #ALINH\nresp 18 /min\ntemp 98.2 [degF] #DEMO\n" },
  { "Philips gateway, 2.4: MDIL codes, status rows, an alert, nothing measured, a calculated rate",
    "MSH|^~\\&|||||||ORU^R01|HP0802104801771B02WIN85|P|2.4||||||8859/1\r"
    "PID|||12312411^67731^53757^1121^MR||B\xf6hm^Eva\rPV1||I|ICU^^Bed6&0&0\r"
    "OBR|||||||20261120104800\r"
    "OBX||ST|0402-f8f5^sMode^MDIL|0|MONITORING||||||F||SETTING\r"
    "OBX||TX|5^HardInop^MDIL-ALERT||SpO2T  No Pulse||||||F\r"
    "OBX||NM|0002-4182^HR^MDIL|0|80|0004-0aa0^bpm^MDIL|50-120||||F\r"
    "OBX||NM|0002-4bb8^SpO2^MDIL|0|98|0004-0220^%^MDIL|||||F\r"
    "OBX||NM|0002-500a^RR^MDIL|0|30|0004-0ae0^rpm^MDIL|8-30||||F\r"
    "OBX||NM|0002-4a05^NBPs^MDIL||120|0004-0f20^mmHg^MDIL|||||F\r"
    "OBX||NM|0002-4a06^NBPd^MDIL|||0004-0f20^mmHg^MDIL|||||F\r"
    "OBX||NM|0002-4a07^NBPm^MDIL||12.7|0004-0f03^kPa^MDIL|||||F\r"
    "OBX||NM|0002-4b48^Temp^MDIL||37.0|0004-17a0^\xb0"
    "C^MDIL|||||F\r"
    "OBX||NM|0002-4261^PVC^MDIL|0|0|0004-09e0^/min^MDIL|||||F\r"
    "OBX||NM|0002-4182^SpO2^MDIL|0|80|0004-0aa0^bpm^MDIL|||||F\r",
    "- text MONITORING #unmapped\n- text SpO2T  No Pulse #unmapped\nhr 80 /min\nspo2 98 %\n"
    "resp 30 /min\nnibp-sys 120 mm[Hg]\nnibp-dia !not-measured\nnibp-mean 12.7 kPa\ntemp 37.0 Cel\n"
    "- 0 /min #unmapped\n- 80 /min #code-conflict\n" },
  { "GE gateway: LF, no PID, EUI-64 beside the rows, no last line end",
    "MSH|^~\\&|GE_GATEWAY|||B1|20261120090313+0000||ORU^R01^ORU_R01|9|P|2.6|||NE|AL\n"
    "OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0000\n"
    "OBX|1|NM|147842^MDC_ECG_CARD_BEAT_RATE^MDC|1.1.1.1|80|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||"
    "||||080019FFFE0B4020^B1X5_GE\n"
    "OBX|2|NM|151594^MDC_CO2_RESP_RATE^MDC|1.11.1.3|14|264928^MDC_DIM_RESP_PER_MIN^MDC|||||R\n"
    "OBX|3|NA|131329^MDC_ECG_LEAD_I^MDC|1.2.1.1|1^2^3^32767|||||||R\n"
    "OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.22.1.2|32767|262688^MDC_DIM_PERCENT^MDC|||||R",
    "hr 80 /min\nresp 14 /min\n- !unsupported #unmapped\nspo2 !not-measured 32767\n" },
  { "Nihon Kohden style: local codes first, LOINC as the alternative, units of ISO+",
    "MSH|^~\\&|NIHON KOHDEN|NK|CLIENT|FAC|20261120090313||ORU^R01|NK1|P|2.4\r"
    "PID|||55^^^^MR||SURNAME^GIVEN\rPV1||I|^^BED-03\rOBR|1|||VITAL|||20261120090300\r"
    "OBX|1|NM|001000^HR^99NKC^8867-4^Heart rate^LN||75|/min^^ISO+|||||F|||20261120090300\r"
    "OBX|2|NM|009000^SpO2^99NKC^59408-5^^LN||99|%^^ISO+|||||F|||20261120090300\r"
    "OBX|3|NM|007000^NIBP SYS^99NKC^8480-6^^LN||118|mm(hg)^^ISO+|||||F|||20261120090200\r"
    "OBX|4|NM|009000^SpO2^99NKC^8867-4^Heart rate^LN||99|%^^ISO+|||||F|||20261120090300\r",
    "hr 75 /min\nspo2 99 %\nnibp-sys 118 mm[Hg]\n- 99 % #code-conflict\n" },
  { "Dräger style, 2.3: words, LOINC, ST for numbers",
    "MSH|^~\\&|INFINITY|GW|||20261120090313||ORU^R01|D1|P|2.3\r"
    "PID|1||77||Doe^J\rOBR|1|||||20261120090000|20261120090000\r"
    "OBX|1|ST|8867-4^Heart rate^LN||72|bpm|||||F\r"
    "OBX|2|ST|59408-5^SpO2^LN||98 %||||||F\r"
    "OBX|3|ST|8310-5^Temp^LN||***|C|||||F\r"
    "OBX|4|ST|9279-1^RESP^LN||>150|br/min|||||F\r"
    "OBX|5|ST|8480-6^Systolic^LN||120/80|mmHg|||||F\r"
    "OBX|6|ST|HR||72|bpm|||||F\r",
    "hr 72 /min\nspo2 98 %\ntemp !unparsable ***\nresp text >150 /min\nnibp-sys !unparsable "
    "120/80\n"
    "- text 72 /min #unmapped\n" },
  { "Edan, Comen, Contec style: CUFF codes, zero for none, vendors' units, ranges as components",
    "MSH|^~\\&||KC000000001G|||20261120091500.1106+0700||ORU^R01|20261120091500.11090007|P|2.6|||||"
    "|UNICODE UTF-8\r"
    "PID|||TH2211||Lò Văn Pành^|||M\rPV1||I|^^&24|0\rOBR||||2^MON_SPOT_DATA^99COMEN\r"
    "OBX||NM|150301^MDC_PRESS_CUFF_SYS^MDC|1.1.9.150301|118|mmHg|90^160||||F\r"
    "OBX||NM|150302^MDC_PRESS_CUFF_DIA^MDC|1.1.9.150302|77|MM HG|50^90||||F\r"
    "OBX||NM|149522^MDC_PULS_RATE^MDC|1.1.1.149522|70|BPM|||||F\r"
    "OBX||NM|188736^MDC_MASS_BODY_ACTUAL^MDC|1.10.1.188736|0|263875^MDC_DIM_KILO_G^MDC|||||F\r"
    "OBX||NM|150344^MDC_TEMP^MDC|1.2.1.150344|36,8|℃|||||F\r"
    "OBX||NM|150344^MDC_TEMP^MDC|1.2.1.150344|36.8|℃|||||F\r",
    "nibp-sys 118 mm[Hg]\nnibp-dia 77 mm[Hg]\n- 70 /min #code-conflict\nweight !not-measured 0\n"
    "temp !unparsable 36,8\ntemp 36.8 Cel\n" },
  { "a glucometer: mmol/L, HI, and units against the code",
    "MSH|^~\\&|GLU||||20261120090313+0700||ORU^R01|G1|P|2.5.1\rPID|||5\rOBR|1\r"
    "OBX|1|NM|160184^MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD^MDC||5.6|266866^MDC_DIM_MILLI_MOLE_PER_L^MDC"
    "|||||F\rOBX|2|ST|14743-9^Glucose^LN||HI|mmol/L|||||F\r"
    "OBX|3|NM|14743-9^Glucose^LN||101|mg/dL|||||F\r"
    "OBX|4|NM|41653-7^Glucose^LN||101|mg/dL|||||F\r",
    "glucose 5.6 mmol/L\nglucose text HI mmol/L\n- 101 mg/dL #unit-conflict\nglucose 101 mg/dL\n" },
};

static void
test_dialects (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (DIALECTS); i++)
    expect (DIALECTS[i].name, DIALECTS[i].message, DIALECTS[i].expected);
}

/* ---- One OBX, every way ------------------------------------------------------------------------
 */

#define SPO2 "150456^MDC_PULS_OXIM_SAT_O2^MDC"
#define TEMP "150344^MDC_TEMP^MDC"
#define HR "147842^MDC_ECG_HEART_RATE^MDC"
#define SYS "150021^MDC_PRESS_BLD_NONINV_SYS^MDC"
#define PCT "262688^MDC_DIM_PERCENT^MDC"

static const struct {
  const char *obx, *expected;
} ROWS[] = {
  /* values */
  { "NM|" SPO2 "|1|98|" PCT "|||||R", "spo2 98 %" },
  { "NM|" SPO2 "|1| 98 |" PCT "|||||R", "spo2 98 %" },
  { "NM|" SPO2 "|1|98 %|" PCT "|||||R", "spo2 98 %" },
  { "ST|" SPO2 "|1|98%||||||R", "spo2 98 %" },
  { "ST|" SPO2 "|1|98 bpm|" PCT "|||||R", "spo2 !unparsable 98 bpm" },
  { "NM|" SPO2 "|1|<40|" PCT "|||||R", "spo2 text <40 %" },
  { "SN|" SPO2 "|1|<^40|" PCT "|||||R", "spo2 text <40 %" },
  { "SN|" SPO2 "|1|^98|" PCT "|||||R", "spo2 98 %" },
  { "SN|" SPO2 "|1|98|" PCT "|||||R", "spo2 98 %" },
  { "SN|" SPO2 "|1|=^98|" PCT "|||||R", "spo2 98 %" },
  { "SN|" SPO2 "|1|^90^-^98|" PCT "|||||R", "spo2 !unparsable 90-98" },
  { "NM|" SPO2 "|1|---|" PCT "|||||R", "spo2 !unparsable ---" },
  { "NM|" SPO2 "|1|\"\"|" PCT "|||||R", "spo2 !not-measured" },
  { "NM|" SPO2 "|1||" PCT "|||||R", "spo2 !not-measured" },
  { "NM|" SPO2 "|1|96~97|" PCT "|||||R", "spo2 !unparsable 96~97" },
  { "NM|" SPO2 "|1|96^97|" PCT "|||||R", "spo2 !unparsable 96^97" },
  { "NM|" SPO2 "|1|96&97|" PCT "|||||R", "spo2 !unparsable 96&97" },
  { "NM|" SPO2 "|1|96^|" PCT "|||||R", "spo2 96 %" },
  { "CWE|" SPO2 "|1|98^ninety-eight^L|" PCT "|||||R", "spo2 !unparsable 98^ninety-eight^L" },
  { "NM|" SPO2 "|1|-1|" PCT "|||||R", "spo2 !not-measured -1" },
  { "NM|" SYS "|1|120/80|mmHg|||||R", "nibp-sys !unparsable 120/80" },
  { "NM|" TEMP "|1|-32768|Cel|||||R", "temp !not-measured -32768" },
  { "NM|" TEMP "|1|98.6||||||R", "temp 98.6 #no-unit #implausible" },
  { "NM|" TEMP "|1|98.6|degF|||||R", "temp 98.6 [degF]" },
  { "NM|" TEMP "|1|310|K|||||R", "temp 310 K #unit-unmapped" },
  { "NM|" SYS "|1|16.0|kPa|||||R", "nibp-sys 16.0 kPa" },
  { "NM|" SYS "|1|1.6|kPa|||||R", "nibp-sys 1.6 kPa #implausible" },
  { "DR|X^note^99|1|20261120^20261121||||||F", "- text 20261120^20261121 #unmapped" },
  { "CWE|X^rhythm^99|1|A1^Atrial fibrillation^99||||||F", "- text Atrial fibrillation #unmapped" },
  { "TX|X^note^99|1|one~two||||||F", "- text one~two #unmapped" },
  { "FT|X^note^99|1|C:\\dir\\file||||||F", "- text C:\\dir\\file #unmapped" },
  { "FT|X^note^99|1|a\\H\\b\\N\\c\\Z1\\d\\F\\e||||||F", "- text abc\\Z1\\d|e #unmapped" },
  /* units */
  { "NM|" HR "|1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R", "hr 72 /min" },
  { "NM|" HR "|1|72|MDC_DIM_BEAT_PER_MIN|||||R", "hr 72 /min" },
  { "NM|" HR "|1|72|{beats}/min^^UCUM|||||R", "hr 72 /min" },
  { "NM|" HR "|1|72|lần/phút|||||R", "hr 72 /min" },
  { "NM|" HR "|1|72|^bpm|||||R", "hr 72 /min" },
  { "NM|" HR "|1|72|Hz|||||R", "hr 72 Hz #unit-unmapped" },
  { "NM|" HR "|1|72|" PCT "|||||R", "- 72 % #unit-conflict" },
  { "NM|" HR "|1|72|266016^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
    "- 72 266016 MDC_DIM_BEAT_PER_MIN #unit-conflict" },
  { "NM|" TEMP "|1|37|°C|||||R", "temp 37 Cel" },
  { "NM|" TEMP "|1|37|Deg C|||||R", "temp 37 Cel" },
  /* codes */
  { "NM|147842^^MDC|1|72|bpm|||||R", "hr 72 /min" },
  { "NM|MDC_ECG_HEART_RATE^HR^MDC|1|72|bpm|||||R", "hr 72 /min" },
  { "NM|MDC_ECG_HEART_RATE|1|72|bpm|||||R", "hr 72 /min" },
  { "NM|147842^MDC_ECG_HEART_RATE|1|72|bpm|||||R", "hr 72 /min" },
  { "NM|147842|1|72|bpm|||||R", "- 72 /min #unmapped" },
  { "NM|150456^MDC_PULS_OXIM_PERF_REL^MDC|1|72|" PCT "|||||R", "- 72 % #code-conflict" },
  { "NM|150456^MDC_PULS_OXIM_PULS_RATE^MDC|1|72|" PCT "|||||R", "- 72 % #code-conflict" },
  { "NM|150456^Pulse^MDC|1|72|" PCT "|||||R", "- 72 % #code-conflict" },
  { "NM|" SPO2 "^8867-4^Heart rate^LN|1|72|" PCT "|||||R", "- 72 % #code-conflict" },
  { "NM|" SPO2 "^2708-6^^LN|1|97|" PCT "|||||R", "spo2 97 %" },
  { "NM|150388^MDC_TEMP_SKIN^MDC|1|31|Cel|||||R", "- 31 Cel" },
  { "NM|150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC|1|120|mmHg|||||R", "- 120 mm[Hg]" },
  /* status and flags */
  { "NM|" SPO2 "|1|97|" PCT "|||||X", "spo2 !not-available 97" },
  { "NM|" SPO2 "|1|97|" PCT "|||||D", "spo2 !withdrawn 97 #withdrawn" },
  { "NM|" SPO2 "|1|97|" PCT "|||||W", "spo2 !withdrawn 97 #withdrawn" },
  { "NM|" SPO2 "|1|97|" PCT "|||||C", "spo2 97 % #corrected" },
  { "NM|" SPO2 "|1|97|" PCT "||INV|||R", "spo2 !invalid 97 #INV" },
  { "NM|" SPO2 "|1|97|" PCT "||QUES~BUSY|||R", "spo2 97 % #QUES #BUSY" },
  { "NM|" SPO2 "|1|97|" PCT "||NAV|||R", "spo2 !not-available 97 #NAV" },
};

static void
test_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ROWS); i++) {
    g_autofree char *message = g_strdup_printf (
        "MSH|^~\\&|M||||20261120090313+0700||ORU^R01|7|P|2.6||||||UTF-8\rOBX|1|%s\r", ROWS[i].obx);
    g_autofree char *expected = g_strconcat (ROWS[i].expected, "\n", NULL);
    expect (ROWS[i].obx, message, expected);
  }
}

static void
test_several_probes (void)
{
  expect ("two oximeters",
          "MSH|^~\\&|M||||20261120090313+0700||ORU^R01|7|P|2.6\r"
          "OBX|1|NM|" SPO2 "|1.3.1.150456|97|%||||||||20261120090312+0700||||||R^right hand^L\r"
          "OBX|2|NM|" SPO2 "|1.3.2.150456|92|%||||||||20261120090312+0700||||||F^right foot^L\r"
          "OBX|3|NM|" SPO2 "|1.3.1.150456|96|%||||||||20261120090313+0700\r",
          "spo2 97 % #several\nspo2 92 % #several\nspo2 96 %\n");
}

/* ---- Whose and when ----------------------------------------------------------------------------
 */

static const char *
text_of (json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

static void
test_origin (void)
{
  static const char MESSAGE[]
      = "MSH|^~\\&|GATEWAY||||20261120090313||ORU^R01|7|P|2.4\r"
        "PID|||A1||Một\rPV1||I|ICU^^Bed1\rOBR|1||||||20261120080000\rOBX|1|NM|" SPO2 "||97|%\r"
        "OBR|2\rOBX|1|NM|" SPO2 "||96|%\r"
        "PID||B2|||Hai\rPV1||I|ICU^^Bed2\rOBR|1\rOBX|1|NM|" SPO2 "||95|%\r"
        "PID|\rOBR|1|||||||\rOBX|1|NM|" SPO2 "||94|%||||||||20261120070000Z||||^DEV7\r";
  static const struct {
    const char *patient, *device, *time, *source;
  } EXPECTED[] = {
    { "A1", "GATEWAY/ICU Bed1", "2026-11-20T01:00:00.000Z", "device-local" },
    { "A1", "GATEWAY/ICU Bed1", "2026-11-20T02:03:13.000Z", "device-local" },
    { "B2", "GATEWAY/ICU Bed2", "2026-11-20T02:03:13.000Z", "device-local" },
    { NULL, "DEV7", "2026-11-20T07:00:00.000Z", "device" },
  };
  g_autoptr (GPtrArray) all = decode (MESSAGE, strlen (MESSAGE));
  g_assert_cmpuint (all->len, ==, G_N_ELEMENTS (EXPECTED));
  for (guint i = 0; i < all->len; i++) {
    json_t *o = g_ptr_array_index (all, i);
    g_assert_cmpstr (text_of (json_object_get (o, "patient"), "id"), ==, EXPECTED[i].patient);
    g_assert_cmpstr (text_of (o, "device"), ==, EXPECTED[i].device);
    g_assert_cmpstr (text_of (o, "time"), ==, EXPECTED[i].time);
    g_assert_cmpstr (text_of (o, "time_source"), ==, EXPECTED[i].source);
  }
}

/* ---- Character sets
 * ------------------------------------------------------------------------------ */

static void
test_charsets (void)
{
  static const struct {
    const char *declared, *written;
    gboolean guessed;
  } CASES[] = {
    { "ASCII", "UTF-8", TRUE },
    { "UNICODE UTF-8", "UTF-8", FALSE },
    { "UNICODE-UTF-8", "UTF-8", FALSE },
    { "utf8", "UTF-8", FALSE },
    { "8859/1", "UTF-8", TRUE },
    { "ISO-8859-1", "UTF-8", TRUE },
    { "UNICODE UTF-16", "UTF-8", TRUE },
    { "UNICODE UTF-16", "UTF-16LE", FALSE },
    { "UNICODE UTF-16", "UTF-16BE", FALSE },
    { "UNICODE", "UTF-16", FALSE },
    { "IBM037", "UTF-8", TRUE },
    { "nonsense", "UTF-8", TRUE },
    { "windows-1258", "CP1258", FALSE },
    { "Windows1258", "CP1258", FALSE },
    { "windows-1258", "UTF-8", TRUE },
    { "VISCII", "VISCII", FALSE },
    { "VISCII", "UTF-8", TRUE },
    { "TCVN3", "TCVN5712-1", FALSE },
    { "TCVN5712", "TCVN5712-1", FALSE },
    { "TCVN-3", "UTF-8", TRUE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *text
        = g_strdup_printf ("MSH|^~\\&|M||||20261120090313+0700||ORU^R01|7|P|2.6||||||%s\r"
                           "PID|||1||Nguyễn^Thị Hạnh\rOBX|1|NM|" SPO2 "||97|%%\r",
                           CASES[i].declared);
    gsize length = 0;
    /* CP1258 takes a vowel with its hat and the tone apart. */
    g_autofree char *apart = g_utf8_normalize (text, -1, G_NORMALIZE_NFD);
    char *bytes = g_convert (text, -1, CASES[i].written, "UTF-8", NULL, &length, NULL);
    if (bytes == NULL)
      bytes = g_convert (apart, -1, CASES[i].written, "UTF-8", NULL, &length, NULL);
    g_assert_nonnull (bytes);
    g_test_message ("%s in %s", CASES[i].declared, CASES[i].written);
    g_autoptr (GPtrArray) all = decode (bytes, length);
    g_assert_cmpuint (all->len, ==, 1);
    json_t *o = g_ptr_array_index (all, 0);
    g_assert_cmpstr (text_of (json_object_get (o, "patient"), "name"), ==, "Nguyễn Thị Hạnh");
    g_autofree char *line = describe (o);
    g_assert_cmpint (strstr (line, "#charset-guessed") != NULL, ==, CASES[i].guessed);
    g_free (bytes);
  }
}

/* ---- Framing
 * -------------------------------------------------------------------------------------- */

#define ONE(id, value)                                                                             \
  "MSH|^~\\&|M||||20261120090313+0700||ORU^R01|" id "|P|2.6\rOBX|1|NM|" SPO2 "||" value "|%\r"

static void
test_framing (void)
{
  static const char *const STREAMS[] = {
    "\v" ONE ("1", "97") "\x1c\r\v" ONE ("2", "96") "\x1c\r",
    "\v" ONE ("1", "97") ONE ("2", "96") "\x1c\r",
    "noise\r\n\v" ONE ("1", "97") "\x1c\v" ONE ("2", "96") "\x1c",
    "\vFHS|^~\\&|M\rBHS|^~\\&|M\r" ONE ("1", "97") ONE ("2", "96") "BTS|2\rFTS|1\r\x1c\r",
    "FHS|^~\\&|M\rBHS|^~\\&|M\r" ONE ("1", "97") ONE ("2", "96") "BTS|2\rFTS|1\r",
    ONE ("1", "97") "\n\n" ONE ("2", "96"),
    "\xef\xbb\xbf" ONE ("1", "97") ONE ("2", "96"),
    ONE ("1", "97") "MSH#*%@!#M####20261120090313+0700##ORU*R01#2#P#2.6\r"
                    "OBX#1#NM#150456*MDC_PULS_OXIM_SAT_O2*MDC##96#262688*MDC_DIM_PERCENT*MDC\r",
    ONE ("1", "97") "MSH|^~&|M||||20261120090313+0700||ORU^R01|2|P|2.6\rOBX|1|NM|" SPO2 "||96|%\r",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (STREAMS); i++)
    expect (STREAMS[i], STREAMS[i], "spo2 97 %\nspo2 96 %\n");
}

static void
test_truncated_file (void)
{
  static const char TEXT[] = "\v" ONE ("1", "97") "\x1c\r\v" ONE ("2", "96");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (free_json);
  g_assert_false (
      device_decode ("hl7", (const guint8 *)TEXT, strlen (TEXT), collect, NULL, all, &error));
  g_assert_error (error, HL7_ERROR, HL7_ERROR_NO_MSH);
  g_assert_cmpuint (all->len, ==, 1);
}

/* ---- Refusals are answered to the message refused
 * -------------------------------------------------- */

static void
test_refused_by_name (void)
{
  g_autoptr (GString) text
      = g_string_new ("MSH|^~\\&|M||||20261120090313+0700||ORU^R01|77|P|2.6|||AL|NE\r");
  for (guint i = 0; i <= HL7_MAX_SEGMENTS; i++)
    g_string_append (text, "NTE|1\r");
  g_autoptr (GError) error = NULL;
  g_assert_null (hl7_parse ((const guint8 *)text->str, text->len, NULL, &error));
  g_assert_error (error, HL7_ERROR, HL7_ERROR_TOO_LONG);
  g_autoptr (GPtrArray) replies = hl7_reject ((const guint8 *)text->str, text->len, error, 0);
  g_assert_cmpuint (replies->len, ==, 1);
  gsize length;
  const char *reply = g_bytes_get_data (g_ptr_array_index (replies, 0), &length);
  g_autoptr (Hl7Message) answer = hl7_parse ((const guint8 *)reply, length, NULL, NULL);
  g_autofree char *code = hl7_get (answer, 1, 1, 0, 1, 1), *id = hl7_get (answer, 1, 2, 0, 1, 1);
  g_autofree char *condition = hl7_get (answer, 2, 3, 0, 1, 1);
  g_autofree char *severity = hl7_get (answer, 2, 4, 0, 1, 1);
  g_assert_cmpstr (code, ==, "CR");
  g_assert_cmpstr (id, ==, "77");
  g_assert_cmpstr (condition, ==, "207");
  g_assert_cmpstr (severity, ==, "E");
}

/* An answer is in the set and with the delimiters of what it answers. */
static void
test_answer_in_kind (void)
{
  const char *text = "MSH#*%@!#MÁY####20261120090313+0700##ORU*R01#7#P#2.4######UNICODE UTF-16\r";
  gsize length = 0, reply_length = 0;
  g_autofree char *wide = g_convert (text, -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
  g_autoptr (Hl7Message) message = hl7_parse ((const guint8 *)wide, length, NULL, NULL);
  g_autoptr (GPtrArray) replies = hl7_acknowledge (message, NULL, NULL, 0);
  g_assert_cmpuint (replies->len, ==, 1);
  const char *bytes = g_bytes_get_data (g_ptr_array_index (replies, 0), &reply_length);
  g_autofree char *reply = g_convert (bytes, reply_length, "UTF-8", "UTF-16LE", NULL, NULL, NULL);
  g_assert_nonnull (strstr (reply, "MSH#*%@!###MÁY##"));
  g_assert_nonnull (strstr (reply, "\rMSA#AA#7\r"));
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "Asia/Ho_Chi_Minh", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hl7-vendors/dialects", test_dialects);
  g_test_add_func ("/hl7-vendors/rows", test_rows);
  g_test_add_func ("/hl7-vendors/several-probes", test_several_probes);
  g_test_add_func ("/hl7-vendors/origin", test_origin);
  g_test_add_func ("/hl7-vendors/charsets", test_charsets);
  g_test_add_func ("/hl7-vendors/framing", test_framing);
  g_test_add_func ("/hl7-vendors/truncated-file", test_truncated_file);
  g_test_add_func ("/hl7-vendors/refused-by-name", test_refused_by_name);
  g_test_add_func ("/hl7-vendors/answer-in-kind", test_answer_in_kind);
  return g_test_run ();
}
