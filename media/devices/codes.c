#include "media/devices/codes.h"
#include <string.h>

static const CodeEntry CODES[] = {
  { 150456, "MDC_PULS_OXIM_SAT_O2", "spo2", "59408-5", "%", 0, 100, TRUE },
  { 149530, "MDC_PULS_OXIM_PULS_RATE", "pulse", "8889-8", "/min", 20, 300, TRUE },
  { 149546, "MDC_PULS_RATE_NON_INV", "pulse", "8889-8", "/min", 20, 300, TRUE },
  { 149514, "MDC_PULS_RATE", "pulse", "8867-4", "/min", 20, 300, TRUE },
  { 149538, "MDC_PLETH_PULS_RATE", "pulse", "8889-8", "/min", 20, 300, TRUE },
  { 149522, "MDC_BLD_PULS_RATE_INV", NULL, "8893-0", "/min", 20, 300, TRUE },
  { 147842, "MDC_ECG_HEART_RATE", "hr", "8867-4", "/min", 20, 300, TRUE },
  { 150020, "MDC_PRESS_BLD_NONINV", NULL, "85354-9", "mm[Hg]", 0, 0, FALSE },
  { 150021, "MDC_PRESS_BLD_NONINV_SYS", "nibp-sys", "8480-6", "mm[Hg]", 40, 300, TRUE },
  { 150022, "MDC_PRESS_BLD_NONINV_DIA", "nibp-dia", "8462-4", "mm[Hg]", 20, 200, TRUE },
  { 150023, "MDC_PRESS_BLD_NONINV_MEAN", "nibp-mean", "8478-0", "mm[Hg]", 25, 250, TRUE },
  { 150300, "MDC_PRESS_CUFF", NULL, "85354-9", "mm[Hg]", 0, 0, FALSE },
  { 150301, "MDC_PRESS_CUFF_SYS", "nibp-sys", "8480-6", "mm[Hg]", 40, 300, TRUE },
  { 150302, "MDC_PRESS_CUFF_DIA", "nibp-dia", "8462-4", "mm[Hg]", 20, 200, TRUE },
  { 150303, "MDC_PRESS_CUFF_MEAN", "nibp-mean", "8478-0", "mm[Hg]", 25, 250, TRUE },
  { 150344, "MDC_TEMP", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 150364, "MDC_TEMP_BODY", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 151562, "MDC_RESP_RATE", "resp", "9279-1", "/min", 2, 120, FALSE },
  { 150392, "MDC_TEMP_TYMP", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 188420, "MDC_TEMP_RECT", "temp", "8332-8", "Cel", 25, 45, TRUE },
  { 188424, "MDC_TEMP_ORAL", "temp", "8331-1", "Cel", 25, 45, TRUE },
  { 188428, "MDC_TEMP_EAR", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 188452, "MDC_TEMP_AXILLA", "temp", "8328-7", "Cel", 25, 45, TRUE },
  { 151570, "MDC_AWAY_RESP_RATE", "resp", "9279-1", "/min", 2, 120, FALSE },
  { 151578, "MDC_TTHOR_RESP_RATE", "resp", "9279-1", "/min", 2, 120, FALSE },
  { 151594, "MDC_CO2_RESP_RATE", "resp", "9279-1", "/min", 2, 120, FALSE },
  { 160184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", "glucose", "41653-7", "mg/dL", 11, 600, TRUE },
  { 160188, "MDC_CONC_GLU_CAPILLARY_PLASMA", "glucose", "41653-7", "mg/dL", 11, 600, TRUE },
  { 160192, "MDC_CONC_GLU_VENOUS_WHOLEBLOOD", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160196, "MDC_CONC_GLU_VENOUS_PLASMA", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160200, "MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160204, "MDC_CONC_GLU_ARTERIAL_PLASMA", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160208, "MDC_CONC_GLU_CONTROL", NULL, NULL, "mg/dL", 0, 0, TRUE },
  { 160212, "MDC_CONC_GLU_ISF", NULL, NULL, "mg/dL", 11, 600, TRUE },
  { 160364, "MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160368, "MDC_CONC_GLU_UNDETERMINED_PLASMA", "glucose", NULL, "mg/dL", 11, 600, TRUE },
  { 160220, "MDC_CONC_HBA1C", NULL, "4548-4", "%", 2, 25, TRUE },
  { 150448, "MDC_PULS_OXIM_PERF_REL", NULL, "61006-3", "%", 0, 0, FALSE },
  { 147240, "MDC_ECG_TIME_PD_RR_GL", NULL, "8637-3", "ms", 200, 3000, TRUE },
  { 188752, "MDC_RATIO_MASS_BODY_LEN_SQ", NULL, "39156-5", "kg/m2", 5, 150, TRUE },
  { 67996, "MDC_ATTR_VAL_BATT_CHARGE", NULL, NULL, "%", 0, 100, FALSE },
  { 188736, "MDC_MASS_BODY_ACTUAL", "weight", "29463-7", "kg", 0.3, 350, TRUE },
  { 188740, "MDC_LEN_BODY_ACTUAL", "height", "8302-2", "cm", 20, 250, TRUE },
  { 150368, "MDC_TEMP_CORE", "temp", "8329-5", "Cel", 25, 45, TRUE },
  { 150372, "MDC_TEMP_ESOPH", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 150380, "MDC_TEMP_NASOPH", "temp", "8310-5", "Cel", 25, 45, TRUE },
  { 150388, "MDC_TEMP_SKIN", NULL, "60839-8", "Cel", 10, 45, TRUE },
  { 150016, "MDC_PRESS_BLD", NULL, NULL, "mm[Hg]", 0, 0, FALSE },
  { 150017, "MDC_PRESS_BLD_SYS", NULL, "76215-3", "mm[Hg]", 0, 0, FALSE },
  { 150018, "MDC_PRESS_BLD_DIA", NULL, "76213-8", "mm[Hg]", 0, 0, FALSE },
  { 150019, "MDC_PRESS_BLD_MEAN", NULL, "76214-6", "mm[Hg]", 0, 0, FALSE },
  { 150033, "MDC_PRESS_BLD_ART_SYS", NULL, "76215-3", "mm[Hg]", 20, 350, FALSE },
  { 150034, "MDC_PRESS_BLD_ART_DIA", NULL, "76213-8", "mm[Hg]", 10, 250, FALSE },
  { 150035, "MDC_PRESS_BLD_ART_MEAN", NULL, "76214-6", "mm[Hg]", 10, 300, FALSE },
  { 150037, "MDC_PRESS_BLD_ART_ABP_SYS", NULL, "76215-3", "mm[Hg]", 20, 350, FALSE },
  { 150038, "MDC_PRESS_BLD_ART_ABP_DIA", NULL, "76213-8", "mm[Hg]", 10, 250, FALSE },
  { 150039, "MDC_PRESS_BLD_ART_ABP_MEAN", NULL, "76214-6", "mm[Hg]", 10, 300, FALSE },
  { 150045, "MDC_PRESS_BLD_ART_PULM_SYS", NULL, NULL, "mm[Hg]", 0, 0, FALSE },
  { 150046, "MDC_PRESS_BLD_ART_PULM_DIA", NULL, NULL, "mm[Hg]", 0, 0, FALSE },
  { 150047, "MDC_PRESS_BLD_ART_PULM_MEAN", NULL, NULL, "mm[Hg]", 0, 0, FALSE },
  { 150087, "MDC_PRESS_BLD_VEN_CENT_MEAN", NULL, NULL, "mm[Hg]", -20, 60, FALSE },
  { 151708, "MDC_CONC_AWAY_CO2_ET", NULL, "19891-1", "mm[Hg]", 0, 150, FALSE },
  { 151728, "MDC_AWAY_CO2_ET", NULL, "19891-1", "mm[Hg]", 0, 150, FALSE },
};

/* Other reference ids of the same numbers. */
static const struct {
  const char *name;
  guint32 mdc;
} SYNONYMS[] = {
  { "MDC_ECG_CARD_BEAT_RATE", 147842 },
};

static const struct {
  const char *loinc;
  guint32 mdc;
  const char *ucum;
} LOINC[] = {
  { "59408-5", 150456, NULL },
  { "2708-6", 150456, NULL },
  { "8867-4", 147842, NULL },
  { "8889-8", 149530, NULL },
  { "8480-6", 150021, NULL },
  { "8462-4", 150022, NULL },
  { "8478-0", 150023, NULL },
  { "8310-5", 150344, NULL },
  { "9279-1", 151562, NULL },
  { "8331-1", 188424, NULL },
  { "8328-7", 188452, NULL },
  { "8332-8", 188420, NULL },
  { "85354-9", 150020, NULL },
  { "41653-7", 160184, "mg/dL" },
  { "14743-9", 160184, "mmol/L" },
  { "29463-7", 188736, NULL },
  { "8302-2", 188740, NULL },
  /* The same by narrower names. */
  { "76282-3", 147842, NULL },
  { "76534-7", 150021, NULL },
  { "76535-4", 150022, NULL },
  { "76536-2", 150023, NULL },
  { "8329-5", 150368, NULL },
  { "8333-7", 150392, NULL },
  { "2339-0", 160364, "mg/dL" },
  { "15074-8", 160364, "mmol/L" },
  { "2345-7", 160368, "mg/dL" },
  { "14749-6", 160368, "mmol/L" },
  { "32016-8", 160184, "mg/dL" },
  { "3141-9", 188736, NULL },
  { "3137-7", 188740, NULL },
  { "39156-5", 188752, NULL },
  { "4548-4", 160220, NULL },
  { "60839-8", 150388, NULL },
  { "76215-3", 150017, NULL },
  { "76213-8", 150018, NULL },
  { "76214-6", 150019, NULL },
  { "19891-1", 151728, NULL },
};

/* Words that stand on monitors' screens for one thing only. */
static const struct {
  const char *word;
  guint32 mdc;
} WORDS[] = {
  { "spo2", 150456 },
  { "sao2", 150456 },
  { "heart rate", 147842 },
  { "hr", 147842 },
  { "ecg hr", 147842 },
  { "pulse rate", 149530 },
  { "pulse", 149530 },
  { "pr", 149530 },
  { "spo2 pr", 149530 },
  { "rr", 151562 },
  { "resp", 151562 },
  { "resp rate", 151562 },
  { "respiratory rate", 151562 },
  { "temp", 150344 },
  { "temperature", 150344 },
  { "body temperature", 150344 },
  { "t1", 150344 },
  { "t2", 150344 },
  { "nibp sys", 150021 },
  { "nbps", 150021 },
  { "systolic", 150021 },
  { "sys", 150021 },
  { "nibps", 150021 },
  { "systolic blood pressure", 150021 },
  { "nibp dia", 150022 },
  { "nbpd", 150022 },
  { "diastolic", 150022 },
  { "dia", 150022 },
  { "nibpd", 150022 },
  { "diastolic blood pressure", 150022 },
  { "nibp mean", 150023 },
  { "nbpm", 150023 },
  { "map", 150023 },
  { "nibpm", 150023 },
  { "weight", 188736 },
  { "height", 188740 },
  { "glucose", 160184 },
};

/* The conventional millimetre of mercury is 133.322387415 Pa. */
#define MMHG_PER_KPA (1000 / 133.322387415)
#define MMHG_PER_CMH2O (98.0665 / 133.322387415)
/* Molar mass of glucose, 180.16 g/mol. */
#define MGDL_PER_MMOL 18.016

static const UnitEntry UNITS[] = {
  { 262656, "MDC_DIM_DIMLESS", "1", "1", 1, 0 },
  { 262688, "MDC_DIM_PERCENT", "%", "%", 1, 0 },
  { 263424, "MDC_DIM_M", "m", "cm", 100, 0 },
  { 263441, "MDC_DIM_CENTI_M", "cm", "cm", 1, 0 },
  { 263442, "MDC_DIM_MILLI_M", "mm", "cm", 0.1, 0 },
  { 263520, "MDC_DIM_INCH", "[in_i]", "cm", 2.54, 0 },
  { 263872, "MDC_DIM_G", "g", "kg", 0.001, 0 },
  { 263875, "MDC_DIM_KILO_G", "kg", "kg", 1, 0 },
  { 263904, "MDC_DIM_LB", "[lb_av]", "kg", 0.45359237, 0 },
  { 263744, "MDC_DIM_L", "L", "mL", 1000, 0 },
  { 263762, "MDC_DIM_MILLI_L", "mL", "mL", 1, 0 },
  { 264320, "MDC_DIM_SEC", "s", "ms", 1000, 0 },
  { 264338, "MDC_DIM_MILLI_SEC", "ms", "ms", 1, 0 },
  { 264274, "MDC_DIM_MILLI_G_PER_DL", "mg/dL", "mg/dL", 1, 0 },
  { 264672, "MDC_DIM_PER_MIN", "/min", "/min", 1, 0 },
  { 264864, "MDC_DIM_BEAT_PER_MIN", "/min", "/min", 1, 0 },
  { 264896, "MDC_DIM_PULS_PER_MIN", "/min", "/min", 1, 0 },
  { 264928, "MDC_DIM_RESP_PER_MIN", "/min", "/min", 1, 0 },
  { 265987, "MDC_DIM_KILO_PASCAL", "kPa", "mm[Hg]", MMHG_PER_KPA, 0 },
  { 266016, "MDC_DIM_MMHG", "mm[Hg]", "mm[Hg]", 1, 0 },
  { 266048, "MDC_DIM_CM_H2O", "cm[H2O]", "mm[Hg]", MMHG_PER_CMH2O, 0 },
  { 266418, "MDC_DIM_MILLI_VOLT", "mV", "mV", 1, 0 },
  { 266419, "MDC_DIM_MICRO_VOLT", "uV", "mV", 0.001, 0 },
  { 266560, "MDC_DIM_FAHR", "[degF]", "Cel", 5.0 / 9, 32 },
  { 266866, "MDC_DIM_MILLI_MOLE_PER_L", "mmol/L", "mg/dL", MGDL_PER_MMOL, 0 },
  { 268192, "MDC_DIM_DEGC", "Cel", "Cel", 1, 0 },
};

/* In lower case, without blanks. */
static const struct {
  const char *word, *ucum;
} SPELLINGS[] = {
  { "bpm", "/min" },
  { "rpm", "/min" },
  { "brpm", "/min" },
  { "br/min", "/min" },
  { "1/min", "/min" },
  { "min-1", "/min" },
  { "/min", "/min" },
  { "beats/min", "/min" },
  { "beat/min", "/min" },
  { "breaths/min", "/min" },
  { "breath/min", "/min" },
  { "{beats}/min", "/min" },
  { "{breaths}/min", "/min" },
  { "{beat}/min", "/min" },
  { "{breath}/min", "/min" },
  { "lần/phút", "/min" },
  { "nhịp/phút", "/min" },
  { "/phút", "/min" },
  { "次/分", "/min" },
  { "mmhg", "mm[Hg]" },
  { "mm(hg)", "mm[Hg]" },
  { "mm[hg]", "mm[Hg]" },
  { "kpa", "kPa" },
  { "cmh2o", "cm[H2O]" },
  { "cm[h2o]", "cm[H2O]" },
  { "ml", "mL" },
  { "l", "L" },
  { "ms", "ms" },
  { "msec", "ms" },
  { "sec", "s" },
  { "%", "%" },
  { "percent", "%" },
  { "pct", "%" },
  { "％", "%" },
  { "%spo2", "%" },
  { "%{spo2}", "%" },
  { "degc", "Cel" },
  { "deg.c", "Cel" },
  { "°c", "Cel" },
  { "ºc", "Cel" },
  { "℃", "Cel" },
  { "cel", "Cel" },
  { "celsius", "Cel" },
  { "c", "Cel" },
  { "degf", "[degF]" },
  { "deg.f", "[degF]" },
  { "°f", "[degF]" },
  { "ºf", "[degF]" },
  { "℉", "[degF]" },
  { "[degf]", "[degF]" },
  { "f", "[degF]" },
  { "fahrenheit", "[degF]" },
  { "kg", "kg" },
  { "g", "g" },
  { "lb", "[lb_av]" },
  { "lbs", "[lb_av]" },
  { "cm", "cm" },
  { "in", "[in_i]" },
  { "inch", "[in_i]" },
  { "mg/dl", "mg/dL" },
  { "mgdl", "mg/dL" },
  { "mmol/l", "mmol/L" },
};

const CodeEntry *
code_by_mdc (guint32 mdc)
{
  for (gsize i = 0; i < G_N_ELEMENTS (CODES); i++)
    if (CODES[i].mdc == mdc)
      return &CODES[i];
  return NULL;
}

const CodeEntry *
code_by_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (CODES); i++)
    if (g_ascii_strcasecmp (CODES[i].name, name) == 0)
      return &CODES[i];
  for (gsize i = 0; i < G_N_ELEMENTS (SYNONYMS); i++)
    if (g_ascii_strcasecmp (SYNONYMS[i].name, name) == 0)
      return code_by_mdc (SYNONYMS[i].mdc);
  return NULL;
}

const CodeEntry *
code_by_loinc (const char *loinc, const char **ret_ucum)
{
  for (gsize i = 0; i < G_N_ELEMENTS (LOINC); i++)
    if (g_str_equal (LOINC[i].loinc, loinc)) {
      *ret_ucum = LOINC[i].ucum;
      return code_by_mdc (LOINC[i].mdc);
    }
  return NULL;
}

static gboolean
is_heart_rate (const CodeEntry *entry)
{
  return g_strcmp0 (entry->vital, "hr") == 0 || g_strcmp0 (entry->vital, "pulse") == 0;
}

gboolean
code_same_reading (const CodeEntry *a, const CodeEntry *b)
{
  return a == b || (a->vital != NULL && g_strcmp0 (a->vital, b->vital) == 0)
         || (is_heart_rate (a) && is_heart_rate (b));
}

const CodeEntry *
code_by_word (const char *word)
{
  g_autofree char *plain = g_utf8_strdown (word, -1);
  g_strdelimit (plain, "_-.", ' ');
  g_strstrip (plain);
  for (gsize i = 0; i < G_N_ELEMENTS (WORDS); i++)
    if (g_str_equal (WORDS[i].word, plain))
      return code_by_mdc (WORDS[i].mdc);
  return NULL;
}

/* ---- Units --------------------------------------------------------------------------------- */

const UnitEntry *
unit_by_mdc (guint32 mdc)
{
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (UNITS[i].mdc == mdc)
      return &UNITS[i];
  return NULL;
}

const UnitEntry *
unit_by_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (g_ascii_strcasecmp (UNITS[i].name, name) == 0)
      return &UNITS[i];
  return NULL;
}

const UnitEntry *
unit_by_ucum (const char *ucum)
{
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (g_str_equal (UNITS[i].ucum, ucum))
      return &UNITS[i];
  return NULL;
}

static char *
without_blanks (const char *text)
{
  GString *out = g_string_sized_new (strlen (text));
  for (; *text != '\0'; text++)
    if (!g_ascii_isspace (*text))
      g_string_append_c (out, *text);
  return g_string_free (out, FALSE);
}

const UnitEntry *
unit_by_word (const char *word)
{
  g_autofree char *lower = g_utf8_strdown (word, -1);
  g_autofree char *plain = without_blanks (lower);
  for (gsize i = 0; i < G_N_ELEMENTS (SPELLINGS); i++)
    if (g_str_equal (SPELLINGS[i].word, plain))
      return unit_by_ucum (SPELLINGS[i].ucum);
  return NULL;
}

double
unit_to_base (const UnitEntry *unit, double value)
{
  return (value - unit->offset) * unit->factor;
}
