#include "media/devices/wave_codes.h"

#include <string.h>

static const WaveCode CODES[] = {
  { 131328, "MDC_ECG_ELEC_POTL", "ECG", "ecg" },
  { 131329, "MDC_ECG_ELEC_POTL_I", "I", "ecg" },
  { 131330, "MDC_ECG_ELEC_POTL_II", "II", "ecg" },
  { 131389, "MDC_ECG_ELEC_POTL_III", "III", "ecg" },
  { 131390, "MDC_ECG_ELEC_POTL_AVR", "aVR", "ecg" },
  { 131391, "MDC_ECG_ELEC_POTL_AVL", "aVL", "ecg" },
  { 131392, "MDC_ECG_ELEC_POTL_AVF", "aVF", "ecg" },
  { 131331, "MDC_ECG_ELEC_POTL_V1", "V1", "ecg" },
  { 131332, "MDC_ECG_ELEC_POTL_V2", "V2", "ecg" },
  { 131333, "MDC_ECG_ELEC_POTL_V3", "V3", "ecg" },
  { 131334, "MDC_ECG_ELEC_POTL_V4", "V4", "ecg" },
  { 131335, "MDC_ECG_ELEC_POTL_V5", "V5", "ecg" },
  { 131336, "MDC_ECG_ELEC_POTL_V6", "V6", "ecg" },
  { 131395, "MDC_ECG_ELEC_POTL_V", "V", "ecg" },
  { 150452, "MDC_PULS_OXIM_PLETH", "pleth", "pleth" },
  { 0, "MDC_PLETH", "pleth", "pleth" },
  { 151552, "MDC_RESP", "resp", "resp" },
  { 151780, "MDC_IMPED_TTHOR", "resp", "resp" },
  { 0, "MDC_AWAY_CO2", "CO2", "co2" },
  { 0, "MDC_CONC_AWAY_CO2", "CO2", "co2" },
  { 0, "MDC_PRESS_BLD_ART", "ART", "art" },
  { 0, "MDC_PRESS_BLD_ART_ABP", "ABP", "abp" },
  { 0, "MDC_PRESS_BLD_VEN_CENT", "CVP", "cvp" },
};

const WaveCode *
wave_code_by_mdc (guint32 mdc)
{
  for (gsize i = 0; i < G_N_ELEMENTS (CODES); i++)
    if (CODES[i].mdc == mdc && mdc != 0)
      return &CODES[i];
  return NULL;
}

const WaveCode *
wave_code_by_name (const char *name)
{
  static const char OTHER[] = "MDC_ECG_LEAD_", OURS[] = "MDC_ECG_ELEC_POTL_";
  g_autofree char *upper = g_ascii_strup (name, -1);
  g_autofree char *plain = g_str_has_prefix (upper, OTHER)
                               ? g_strconcat (OURS, upper + strlen (OTHER), NULL)
                               : g_steal_pointer (&upper);
  for (gsize i = 0; i < G_N_ELEMENTS (CODES); i++)
    if (g_str_equal (CODES[i].name, plain))
      return &CODES[i];
  return NULL;
}

gboolean
wave_rate_parse (const char *text, guint *ret_num, guint *ret_den)
{
  gsize whole = strspn (text, "0123456789");
  gsize fraction = text[whole] == '.' ? strspn (text + whole + 1, "0123456789") : 0;
  gsize end = whole + (text[whole] == '.' ? 1 + fraction : 0);
  if (whole == 0 || whole > 6 || fraction > 9 || text[end] != '\0')
    return FALSE;
  guint64 num = g_ascii_strtoull (text, NULL, 10), den = 1;
  for (gsize i = 0; i < fraction; i++) {
    num = num * 10 + (guint64)(text[whole + 1 + i] - '0');
    den *= 10;
  }
  guint64 a = num, b = den;
  while (b != 0) {
    guint64 rest = a % b;
    a = b;
    b = rest;
  }
  if (num == 0 || num / den > 100000 || num / a > G_MAXUINT)
    return FALSE;
  *ret_num = (guint)(num / a);
  *ret_den = (guint)(den / a);
  return TRUE;
}
