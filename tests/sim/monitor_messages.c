#include "monitor_messages.h"

#include <math.h>
#include <string.h>

#define UV_PER_STEP 2.44

gboolean
make_from_name (const char *name, Make *ret)
{
  static const char *const NAMES[] = { "ihe", "mindray", "comen", "philips", "ge" };
  for (guint i = 0; i < G_N_ELEMENTS (NAMES); i++)
    if (g_str_equal (NAMES[i], name)) {
      *ret = (Make)i;
      return TRUE;
    }
  return FALSE;
}

/* Comen, Philips and GE say whole seconds. */
static char *
time_text (const MonitorWords *words, gint64 utc_us)
{
  g_autoptr (GDateTime) whole = g_date_time_new_from_unix_local (utc_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (whole, "%Y%m%d%H%M%S");
  g_autofree char *zone = g_date_time_format (whole, "%z");
  gboolean exact = words->make == MAKE_IHE || words->make == MAKE_MINDRAY;
  if (words->make == MAKE_PHILIPS)
    return g_steal_pointer (&text);
  return exact ? g_strdup_printf ("%s.%03d%s", text, (int)(utc_us / 1000 % 1000), zone)
               : g_strconcat (text, zone, NULL);
}

static const char *
sender_of (const MonitorWords *words)
{
  switch (words->make) {
  case MAKE_MINDRAY:
    return "MINDRAY_VS_SERIES";
  case MAKE_COMEN:
    return "";
  case MAKE_PHILIPS:
    return "PIIC";
  case MAKE_GE:
    return "GE_GATEWAY";
  case MAKE_IHE:
    break;
  }
  return "SIM_MONITOR";
}

static const char *
tail_of (const MonitorWords *words)
{
  switch (words->make) {
  case MAKE_COMEN:
    return "2.6";
  case MAKE_PHILIPS:
    return "2.4||||||8859/1";
  case MAKE_GE:
    return "2.6|||NE|AL";
  case MAKE_IHE:
  case MAKE_MINDRAY:
    break;
  }
  return "2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO";
}

static GString *
begin (const MonitorWords *words, const char *type, guint id, gint64 utc_us)
{
  g_autofree char *time = time_text (words, utc_us);
  GString *m = g_string_new ("MSH|^~\\&|");
  gboolean named = words->make == MAKE_IHE || words->make == MAKE_MINDRAY;
  g_string_append (m, sender_of (words));
  if (named)
    g_string_append_printf (m, "^%s^EUI-64", words->serial);
  g_string_append_printf (m, "|%s|||%s||%s|%u|P|%s\r",
                          words->make == MAKE_COMEN ? "KC000000001G" : "TYT", time, type, id,
                          tail_of (words));
  if (words->make != MAKE_GE)
    g_string_append_printf (m, "PID|||%s\rPV1||O|^^Bed1\r", words->patient_id);
  return m;
}

static char *
finish (const MonitorWords *words, GString *m)
{
  if (words->make == MAKE_GE)
    g_strdelimit (m->str, "\r", '\n');
  return g_string_free (m, FALSE);
}

static void
order (GString *m, const MonitorWords *words, const char *what, gint64 start_us, gint64 end_us)
{
  g_autofree char *start = time_text (words, start_us);
  g_autofree char *end = end_us != 0 ? time_text (words, end_us) : g_strdup ("");
  g_string_append_printf (m, "OBR|1|||%s|||%s|%s\r", what, start, end);
}

/* ---- Numbers ----------------------------------------------------------------------------------
 */

typedef struct {
  const char *name, *place, *unit;
  guint32 mdc, unit_mdc;
  double low, high;
  guint digits;
} Kind;

static const Kind HR
    = { "MDC_ECG_HEART_RATE", "1.6.1", "MDC_DIM_BEAT_PER_MIN", 147842, 264864, 50, 120, 0 };
static const Kind SPO2
    = { "MDC_PULS_OXIM_SAT_O2", "1.3.1", "MDC_DIM_PERCENT", 150456, 262688, 90, 100, 0 };
static const Kind PULSE
    = { "MDC_PULS_OXIM_PULS_RATE", "1.3.1", "MDC_DIM_BEAT_PER_MIN", 149530, 264864, 50, 120, 0 };
static const Kind RESP
    = { "MDC_RESP_RATE", "1.14.1", "MDC_DIM_RESP_PER_MIN", 151562, 264928, 8, 30, 0 };
static const Kind TEMP = { "MDC_TEMP", "1.2.1", "MDC_DIM_DEGC", 150344, 268192, 36, 39, 1 };
static const Kind SYS
    = { "MDC_PRESS_BLD_NONINV_SYS", "1.1.9", "MDC_DIM_MMHG", 150021, 266016, 90, 160, 0 };
static const Kind DIA
    = { "MDC_PRESS_BLD_NONINV_DIA", "1.1.9", "MDC_DIM_MMHG", 150022, 266016, 50, 90, 0 };
static const Kind MEAN
    = { "MDC_PRESS_BLD_NONINV_MEAN", "1.1.9", "MDC_DIM_MMHG", 150023, 266016, 60, 110, 0 };
static const Kind CUFF_SYS
    = { "MDC_PRESS_CUFF_SYS", "1.1.9", "MDC_DIM_MMHG", 150301, 266016, 90, 160, 0 };
static const Kind CUFF_DIA
    = { "MDC_PRESS_CUFF_DIA", "1.1.9", "MDC_DIM_MMHG", 150302, 266016, 50, 90, 0 };
static const Kind CUFF_MEAN
    = { "MDC_PRESS_CUFF_MEAN", "1.1.9", "MDC_DIM_MMHG", 150303, 266016, 60, 110, 0 };
static const Kind WEIGHT
    = { "MDC_MASS_BODY_ACTUAL", "1.10.1", "MDC_DIM_KILO_G", 188736, 263875, 0, 0, 1 };

typedef struct {
  const MonitorWords *words;
  GString *m;
  char *time;
  int row;
} Rows;

static void
number (Rows *rows, const Kind *kind, double value)
{
  const MonitorWords *words = rows->words;
  const char *flag = words->demo                                    ? "DEMO"
                     : kind->high > 0 && round (value) > kind->high ? "H"
                     : kind->high > 0 && round (value) < kind->low  ? "L"
                                                                    : "";
  char written[32];
  g_snprintf (written, sizeof written, "%.*f", (int)kind->digits, value);
  /* No beat, no number: each make has its own way of saying so. */
  gboolean none = value == 0 && kind != &WEIGHT;
  if (none)
    g_strlcpy (written, words->make == MAKE_GE ? "32767" : "", sizeof written);
  if (words->make == MAKE_PHILIPS)
    g_string_append_printf (
        rows->m, "OBX||NM|%04x-%04x^%s^MDIL|0|%s|%04x-%04x^%s^MDIL|%.0f-%.0f|%s", kind->mdc >> 16,
        kind->mdc & 0xffff, kind->name + 4, written, kind->unit_mdc >> 16, kind->unit_mdc & 0xffff,
        kind->unit, kind->low, kind->high, flag);
  else
    g_string_append_printf (rows->m, "OBX|%d|NM|%u^%s^MDC|%s.%u|%s|%u^%s^MDC|%.0f%c%.0f|%s",
                            ++rows->row, kind->mdc, kind->name, kind->place, kind->mdc, written,
                            kind->unit_mdc, kind->unit, kind->low,
                            words->make == MAKE_COMEN ? '^' : '-', kind->high, flag);
  g_string_append_printf (rows->m, "|||%s|||%s\r", words->make == MAKE_COMEN ? "F" : "R",
                          rows->time);
}

char *
monitor_numbers_message (const MonitorWords *words, const PatientNumbers *numbers, guint id,
                         gint64 utc_us)
{
  gboolean cuff_codes = words->make == MAKE_COMEN;
  GString *m = begin (words, "ORU^R01^ORU_R01", id, utc_us);
  g_autofree char *time = time_text (words, utc_us);
  Rows rows = { words, m, time, 0 };
  order (m, words, "182777000^monitoring of patient^SCT", utc_us, 0);
  number (&rows, &HR, numbers->hr);
  number (&rows, &SPO2, numbers->spo2);
  number (&rows, &PULSE, numbers->pulse);
  number (&rows, &RESP, numbers->resp);
  number (&rows, &TEMP, numbers->temp);
  if (words->make == MAKE_COMEN)
    number (&rows, &WEIGHT, 0);
  if (numbers->cuff) {
    number (&rows, cuff_codes ? &CUFF_SYS : &SYS, numbers->sys);
    number (&rows, cuff_codes ? &CUFF_DIA : &DIA, numbers->dia);
    number (&rows, cuff_codes ? &CUFF_MEAN : &MEAN, numbers->mean);
  }
  return finish (words, m);
}

/* ---- Waves ------------------------------------------------------------------------------------
 */

typedef struct {
  double ecg, pleth, resp; /* samples a second */
} Rates;

static Rates
rates_of (Make make)
{
  switch (make) {
  case MAKE_COMEN:
    return (Rates){ 250, 50, 50 };
  case MAKE_PHILIPS:
    return (Rates){ 500, 125, 62.5 };
  case MAKE_GE:
    return (Rates){ 240, 0, 0 };
  case MAKE_IHE:
  case MAKE_MINDRAY:
    break;
  }
  return (Rates){ 500, 60, 50 };
}

/* GE has a number of its own for each reason why there is none. */
static int
sentinel (Make make)
{
  return make == MAKE_GE ? -32767 : 32767;
}

static int
ecg_step (const Patient *patient, const MonitorWords *words, double at, guint lead)
{
  if (patient_lead_is_off (patient, at, lead))
    return sentinel (words->make);
  return (int)lround (patient_ecg (patient, at, lead) * 1000 / UV_PER_STEP);
}

static int
pleth_step (const Patient *patient, const MonitorWords *words, double at, guint lead)
{
  return (int)lround (patient_pleth (patient, at) * 4095);
}

static int
resp_step (const Patient *patient, const MonitorWords *words, double at, guint lead)
{
  return (int)lround (patient_resp (patient, at) * 800);
}

typedef int (*Step) (const Patient *patient, const MonitorWords *words, double at, guint lead);

typedef struct {
  const char *code, *place;
  double rate;
  const char *resolution, *range;
  Step step;
  guint lead;
} Wave;

static void
facets (Rows *rows, const Wave *wave)
{
  const Make make = rows->words->make;
  const char *rate = make == MAKE_PHILIPS || make == MAKE_MINDRAY ? "0" : "68320";
  const char *resolution = make == MAKE_MINDRAY ? "2327" : "67945";
  const char *none = make == MAKE_MINDRAY ? "262196^MDC_EVT_INOP" : "197376^MDC_EVT_DATA_INVALID";
  g_string_append_printf (rows->m,
                          "OBX|%d|NM|%s^MDC_ATTR_SAMP_RATE^MDC|%s.1|%g|264608^MDC_DIM_HZ^MDC\r",
                          ++rows->row, rate, wave->place, wave->rate);
  if (wave->resolution != NULL)
    g_string_append_printf (rows->m, "OBX|%d|NM|%s^MDC_ATTR_NU_MSMT_RES^MDC|%s.2|%s\r", ++rows->row,
                            resolution, wave->place, wave->resolution);
  g_string_append_printf (rows->m, "OBX|%d|NR|68323^MDC_ATTR_DATA_RANGE^MDC|%s.3|%s\r", ++rows->row,
                          wave->place, wave->range);
  g_string_append_printf (rows->m, "OBX|%d|NM|%s^MDC|%s.4|%d\r", ++rows->row, none, wave->place,
                          sentinel (make));
}

static void
samples (Rows *rows, const Wave *wave, const Patient *patient, double from, double seconds)
{
  /* Whole samples since the patient began, so that windows follow each other without a seam. */
  gint64 first = llround (from * wave->rate), end = llround ((from + seconds) * wave->rate);
  g_string_append_printf (rows->m, "OBX|%d|NA|%s|%s|", ++rows->row, wave->code, wave->place);
  for (gint64 i = first; i < end; i++)
    g_string_append_printf (rows->m, "%s%d", i > first ? "^" : "",
                            wave->step (patient, rows->words, (double)i / wave->rate, wave->lead));
  g_string_append_printf (rows->m, "|||%s|||R|||%s\r", rows->words->demo ? "DEMO" : "", rows->time);
  if (rows->words->make != MAKE_GE)
    facets (rows, wave);
}

char *
monitor_waves_message (const MonitorWords *words, const Patient *patient, guint id, double from,
                       double seconds, gint64 utc_us)
{
  static const guint32 LEADS[] = { 131329, 131330, 131331, 131332, 131333, 131334, 131335, 131336 };
  GString *m = begin (words, "ORU^R01^ORU_R01", id, utc_us + (gint64)(seconds * G_USEC_PER_SEC));
  g_autofree char *time = time_text (words, utc_us);
  Rows rows = { words, m, time, 0 };
  Rates rates = rates_of (words->make);
  order (m, words, "69121^MDC_OBS_WAVE_CTS^MDC", utc_us,
         utc_us + (gint64)(seconds * G_USEC_PER_SEC));
  for (guint lead = 0; lead < PATIENT_LEADS; lead++) {
    g_autofree char *code
        = g_strdup_printf ("%u^MDC_ECG_%s_%s^MDC", LEADS[lead],
                           words->make == MAKE_GE ? "LEAD" : "ELEC_POTL", PATIENT_LEAD_NAMES[lead]);
    g_autofree char *place = g_strdup_printf ("1.6.1.%u", LEADS[lead]);
    const Wave wave = { code,           place,    rates.ecg, "2.44|266419^MDC_DIM_MICRO_VOLT^MDC",
                        "-32766^32766", ecg_step, lead };
    samples (&rows, &wave, patient, from, seconds);
  }
  const Wave pleth = {
    "150452^MDC_PULS_OXIM_PLETH^MDC", "1.3.1.150452", rates.pleth, NULL, "0^4095", pleth_step, 0
  };
  const Wave resp
      = { "151552^MDC_RESP^MDC", "1.14.1.151552", rates.resp, NULL, "-2048^2047", resp_step, 0 };
  if (rates.pleth > 0)
    samples (&rows, &pleth, patient, from, seconds);
  if (rates.resp > 0)
    samples (&rows, &resp, patient, from, seconds);
  return finish (words, m);
}

/* ---- Query and alarm --------------------------------------------------------------------------
 */

char *
monitor_query_message (const MonitorWords *words, guint id, gint64 utc_us)
{
  g_autofree char *time = time_text (words, utc_us);
  GString *m = g_string_new (NULL);
  g_string_append_printf (m,
                          "MSH|^~\\&|%s^%s^EUI-64|%s|||%s||QRY^R02|%u|P|2.4||||||UNICODE UTF-8\r"
                          "QRD|%s|R|I|Q%u|||1^RD|%s|RES\rQRF|MON||||RES\r",
                          sender_of (words), words->serial,
                          words->make == MAKE_COMEN ? "KC000000001G" : "TYT", time, id, time, id,
                          words->patient_id);
  return finish (words, m);
}

char *
monitor_alarm_message (const MonitorWords *words, const MonitorAlarm *alarm, guint id,
                       gint64 utc_us)
{
  GString *m = begin (words, "ORU^R40^ORU_R40", id, utc_us);
  g_autofree char *time = time_text (words, utc_us);
  g_autofree char *place = g_strdup_printf ("1.3.1.%u", alarm->source);
  order (m, words, "196616^MDC_EVT_ALARM^MDC", utc_us, 0);
  g_string_append_printf (m,
                          "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|%s.1|%s^MDC^^^^^^%s|||%s~%s~SP|||R|||"
                          "%s\r",
                          place, alarm->event, alarm->text, alarm->low ? "L" : "H", alarm->priority,
                          time);
  g_string_append_printf (m, "OBX|2|NM|%u^%s^MDC|%s.2|%.0f||%s||||R\r", alarm->source,
                          alarm->source_name, place, alarm->value, alarm->limits);
  g_string_append_printf (m, "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|%s.3|%s\r", place,
                          alarm->phase);
  g_string_append_printf (m, "OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|%s.4|%s\r", place,
                          g_str_equal (alarm->phase, "end") ? "inactive" : "active");
  g_string_append_printf (m, "OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|%s.5|enabled\r",
                          place);
  return finish (words, m);
}
