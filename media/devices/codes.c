#include "media/devices/codes.h"

static const CodeEntry CODES[] = {
  { 150456, "MDC_PULS_OXIM_SAT_O2", "spo2", "59408-5", "%", 0, 100, TRUE },
  { 149530, "MDC_PULS_OXIM_PULS_RATE", "pulse", "8889-8", "/min", 20, 300, TRUE },
  { 149546, "MDC_PULS_RATE_NON_INV", "pulse", "8889-8", "/min", 20, 300, TRUE },
  { 149514, "MDC_PULS_RATE", "pulse", "8867-4", "/min", 20, 300, TRUE },
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
  { 151578, "MDC_TTHOR_RESP_RATE", "resp", "9279-1", "/min", 2, 120, FALSE },
  { 160184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", "glucose", "41653-7", "mg/dL", 11, 600, TRUE },
  { 160188, "MDC_CONC_GLU_CAPILLARY_PLASMA", "glucose", "41653-7", "mg/dL", 11, 600, TRUE },
  { 188736, "MDC_MASS_BODY_ACTUAL", "weight", "29463-7", "kg", 0.3, 350, TRUE },
  { 188740, "MDC_LEN_BODY_ACTUAL", "height", "8302-2", "cm", 20, 250, TRUE },
};

static const struct {
  guint32 mdc;
  const char *ucum;
} UNITS[] = {
  { 262656, "1" },      { 262688, "%" },    { 263441, "cm" },   { 263875, "kg" },
  { 264274, "mg/dL" },  { 264864, "/min" }, { 264928, "/min" }, { 265987, "kPa" },
  { 266016, "mm[Hg]" }, { 266418, "mV" },   { 266419, "uV" },   { 266560, "[degF]" },
  { 266866, "mmol/L" }, { 268192, "Cel" },
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
  return NULL;
}

const CodeEntry *
code_by_loinc (const char *loinc)
{
  for (gsize i = 0; i < G_N_ELEMENTS (CODES); i++)
    if (g_strcmp0 (CODES[i].loinc, loinc) == 0)
      return &CODES[i];
  return NULL;
}

const char *
unit_by_mdc (guint32 mdc)
{
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (UNITS[i].mdc == mdc)
      return UNITS[i].ucum;
  return NULL;
}

gboolean
unit_is_known_ucum (const char *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (g_str_equal (UNITS[i].ucum, text))
      return TRUE;
  return FALSE;
}
