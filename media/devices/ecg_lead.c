/* Names of leads and units, as files spell them. */
#include "media/devices/ecg_recording.h"

#include <string.h>

#define MDC_ECG_LEAD 131328

static const struct {
  guint scp;
  const char *name;
} LEADS[] = {
  { 1, "I" },    { 2, "II" },   { 3, "V1" },   { 4, "V2" },   { 5, "V3" },   { 6, "V4" },
  { 7, "V5" },   { 8, "V6" },   { 9, "V7" },   { 10, "V2R" }, { 11, "V3R" }, { 12, "V4R" },
  { 13, "V5R" }, { 14, "V6R" }, { 15, "V7R" }, { 16, "X" },   { 17, "Y" },   { 18, "Z" },
  { 61, "III" }, { 62, "aVR" }, { 63, "aVL" }, { 64, "aVF" }, { 66, "V8" },  { 67, "V9" },
  { 68, "V8R" }, { 69, "V9R" },
};

const char *
ecg_lead_name (guint scp)
{
  for (gsize i = 0; i < G_N_ELEMENTS (LEADS); i++)
    if (LEADS[i].scp == scp)
      return LEADS[i].name;
  return NULL;
}

/* What stands before and behind a lead's name. */
static char *
bare_name (const char *name)
{
  static const char *before[]
      = { "MDC_ECG_LEAD_", "MDC_ECG_ELEC_POTL_", "ECG ", "EKG ", "ECG_", "EKG_",
          "Lead ",         "Ableitung " };
  for (gsize i = 0; i < G_N_ELEMENTS (before); i++)
    if (g_ascii_strncasecmp (name, before[i], strlen (before[i])) == 0)
      name += strlen (before[i]);
  char *bare = g_strstrip (g_strdup (name));
  gsize length = strlen (bare);
  char *bracket = strchr (bare, '(');
  if (bracket != NULL && bracket > bare)
    *bracket = '\0';
  if (bracket == NULL && length > 5 && g_ascii_strcasecmp (bare + length - 5, " lead") == 0)
    bare[length - 5] = '\0';
  return g_strstrip (bare);
}

/* "MLII" is a modified lead II on the chest, and stays what it is. Frank's leads are often "vx". */
static guint
scp_number (const char *bare)
{
  for (gsize i = 0; i < G_N_ELEMENTS (LEADS); i++)
    if (g_ascii_strcasecmp (bare, LEADS[i].name) == 0
        && !(LEADS[i].scp >= 16 && LEADS[i].scp <= 18))
      return LEADS[i].scp;
  if (g_ascii_strncasecmp (bare, "v", 1) == 0 && bare[1] != '\0' && bare[2] == '\0'
      && strchr ("xyzXYZ", bare[1]) != NULL)
    return 16 + (guint)(g_ascii_tolower (bare[1]) - 'x');
  return 0;
}

static const char *
ucum (const char *unit)
{
  static const struct {
    const char *word, *ucum;
  } UNITS[] = {
    { "V", "V" },   { "volt", "V" },       { "mV", "mV" },        { "millivolt", "mV" },
    { "uV", "uV" }, { "\302\265V", "uV" }, { "\316\274V", "uV" }, { "microvolt", "uV" },
    { "nV", "nV" }, { "mmHg", "mm[Hg]" },  { "mmhg", "mm[Hg]" },  { "degC", "Cel" },
    { "%", "%" },   { "bpm", "/min" },     { "1", "1" },          { "NU", "1" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (UNITS); i++)
    if (g_str_equal (unit, UNITS[i].word))
      return UNITS[i].ucum;
  return unit;
}

void
ecg_lead_set (WaveLead *lead, const char *name, const char *unit, double scale, double offset,
              guint bits)
{
  g_autofree char *bare = bare_name (name != NULL ? name : "");
  guint scp = scp_number (bare);
  lead->mdc = scp != 0 ? MDC_ECG_LEAD + scp : 0;
  lead->name = g_strdup (scp != 0                        ? ecg_lead_name (scp)
                         : name != NULL && *name != '\0' ? name
                                                         : "?");
  lead->unit = unit != NULL && *unit != '\0' ? g_strdup (ucum (unit)) : NULL;
  lead->scale = scale;
  lead->offset = offset;
  lead->bits = bits;
}
