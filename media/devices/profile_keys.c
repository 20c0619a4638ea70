/* The keys of a profile's file, one parser each. */
#include "media/devices/hl7_charset.h"
#include "media/devices/hl7_time.h"
#include "media/devices/profile_private.h"
#include "media/devices/wave_codes.h"

#include <math.h>
#include <string.h>

/* ---- Values: NULL when good and stored, else what is wrong and what is allowed ----------------
 */

static char *
parse_about (Profile *profile, const char *key, const char *value)
{
  profile->about = g_strdup (value);
  return NULL;
}

static GStrv
words_of (const char *value)
{
  GStrv words = g_strsplit (value, ";", 64);
  for (guint i = 0; words[i] != NULL; i++)
    g_strstrip (words[i]);
  return words;
}

static char *
take_patterns (GPtrArray *patterns, const char *value)
{
  g_auto (GStrv) words = words_of (value);
  for (guint i = 0; words[i] != NULL; i++) {
    if (*words[i] == '\0')
      return g_strdup ("wants names with ; between them; * stands for any letters, ? for one");
    g_autofree char *lower = g_utf8_strdown (words[i], -1);
    g_ptr_array_add (patterns, g_pattern_spec_new (lower));
  }
  return NULL;
}

static char *
parse_application (Profile *profile, const char *key, const char *value)
{
  return take_patterns (profile->applications, value);
}

static char *
parse_facility (Profile *profile, const char *key, const char *value)
{
  return take_patterns (profile->facilities, value);
}

static char *
parse_acknowledge (Profile *profile, const char *key, const char *value)
{
  if (g_str_equal (value, "original"))
    profile->acknowledge = PROFILE_ACK_ORIGINAL;
  else if (!g_str_equal (value, "asked"))
    return g_strdup ("wants asked (as MSH-15 and MSH-16 ask) or original (always AA)");
  return NULL;
}

static char *
parse_charset (Profile *profile, const char *key, const char *value)
{
  if (hl7_charset_name (value) == NULL)
    return g_strdup ("is no character set known here; UTF-8, windows-1258, TCVN3, 8859/1 are some");
  profile->charset = g_strdup (value);
  return NULL;
}

static char *
parse_clock (Profile *profile, const char *key, const char *value)
{
  profile->clock_never = g_str_equal (value, "arrival");
  return profile->clock_never || g_str_equal (value, "device")
             ? NULL
             : g_strdup ("wants device (its clock is believed) or arrival (never)");
}

static char *
parse_clock_from (Profile *profile, const char *key, const char *value)
{
  g_autofree char *text = g_strconcat (value, "T00:00:00Z", NULL);
  g_autoptr (GDateTime) from = g_date_time_new_from_iso8601 (text, NULL);
  if (from == NULL || strlen (value) != 10)
    return g_strdup ("wants a day such as 2024-01-01: times before it are those of a clock that "
                     "nobody has set");
  profile->clock_from_us = g_date_time_to_unix (from) * G_USEC_PER_SEC;
  return NULL;
}

static char *
parse_zone (Profile *profile, const char *key, const char *value)
{
  g_autofree char *time = g_strconcat ("20260101000000", value, NULL);
  profile->zone = hl7_time_zone (time);
  return profile->zone != NULL ? NULL : g_strdup ("wants an offset such as +07:00");
}

static char *
parse_test_marks (Profile *profile, const char *key, const char *value)
{
  g_strfreev (profile->test_marks);
  profile->test_marks = words_of (value);
  return NULL;
}

/* A reference id of our tables, or an MDC number of any. */
static guint32
mdc_of (const char *text)
{
  guint64 number = 0;
  const CodeEntry *entry = code_by_name (text);
  const WaveCode *wave = wave_code_by_name (text);
  if (entry != NULL)
    return entry->mdc;
  if (wave != NULL)
    return wave->mdc;
  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT32, &number, NULL) ? (guint32)number : 0;
}

static char *
parse_code (Profile *profile, const char *key, const char *value)
{
  guint32 mdc = mdc_of (value);
  if (mdc == 0)
    return g_strdup ("names no code: an MDC reference id of docs/devices.md (MDC_ECG_HEART_RATE) "
                     "or an MDC number");
  g_hash_table_insert (profile->codes, g_strdup (key), GUINT_TO_POINTER (mdc));
  return NULL;
}

static char *
parse_unit (Profile *profile, const char *key, const char *value)
{
  guint32 mdc = mdc_of (key);
  const UnitEntry *unit = unit_by_ucum (value);
  const CodeEntry *entry = code_by_mdc (mdc);
  if (mdc == 0)
    return g_strdup ("is no code: the left side is an MDC reference id (MDC_TEMP) or number");
  if (unit == NULL)
    return g_strdup ("is no unit in UCUM; %, /min, mm[Hg], kPa, Cel, [degF], kg, cm are some");
  if (entry != NULL && !g_str_equal (entry->ucum, unit->base))
    return g_strdup_printf ("is a unit of another quantity; such values are in %s or of its kind",
                            entry->ucum);
  g_hash_table_insert (profile->units, GUINT_TO_POINTER (mdc), (void *)unit->ucum);
  return NULL;
}

static gboolean
parse_double (const char *text, double *ret)
{
  char *end = NULL;
  *ret = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*ret);
}

static char *
parse_absent (Profile *profile, const char *key, const char *value)
{
  guint32 mdc = g_str_equal (key, "*") ? 0 : mdc_of (key);
  g_auto (GStrv) words = words_of (value);
  if (mdc == 0 && !g_str_equal (key, "*"))
    return g_strdup ("is no code: the left side is an MDC reference id, a number, or * for all");
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; words[i] != NULL; i++) {
    double number;
    if (!parse_double (words[i], &number)) {
      g_array_unref (numbers);
      return g_strdup ("wants numbers that mean \"not measured\", ; between them");
    }
    g_array_append_val (numbers, number);
  }
  g_hash_table_insert (profile->absent, GUINT_TO_POINTER (mdc), numbers);
  return NULL;
}

static char *
parse_rate (Profile *profile, const char *key, const char *value)
{
  return wave_rate_parse (value, &profile->rate_num, &profile->rate_den)
             ? NULL
             : g_strdup ("wants samples a second: 240, 62.5");
}

static char *
parse_resolution (Profile *profile, const char *key, const char *value)
{
  g_auto (GStrv) words = g_strsplit (value, " ", 2);
  const UnitEntry *unit
      = words[0] != NULL && words[1] != NULL ? unit_by_ucum (g_strstrip (words[1])) : NULL;
  if (unit == NULL || !parse_double (words[0], &profile->scale) || profile->scale <= 0)
    return g_strdup ("wants what one step is, with its unit: 2.44 uV");
  profile->scale_unit = unit->ucum;
  return NULL;
}

static char *
parse_sentinels (Profile *profile, const char *key, const char *value)
{
  g_auto (GStrv) words = words_of (value);
  for (guint i = 0; words[i] != NULL; i++) {
    gint64 number;
    if (!g_ascii_string_to_signed (words[i], 10, G_MININT32, G_MAXINT32, &number, NULL))
      return g_strdup ("wants samples that are none, ; between them: -32768;32767");
    g_array_append_val (profile->sentinels, number);
  }
  return NULL;
}

/* ---- Keys ---------------------------------------------------------------------------------------
 */

static const struct {
  const char *group, *key; /* key NULL: any, a code */
  ProfileParse parse;
} KEYS[] = {
  { "profile", "about", parse_about },
  { "match", "application", parse_application },
  { "match", "facility", parse_facility },
  { "hl7", "acknowledge", parse_acknowledge },
  { "hl7", "charset", parse_charset },
  { "hl7", "clock", parse_clock },
  { "hl7", "clock-set-from", parse_clock_from },
  { "hl7", "time-zone", parse_zone },
  { "hl7", "test-marks", parse_test_marks },
  { "codes", NULL, parse_code },
  { "units", NULL, parse_unit },
  { "not-measured", NULL, parse_absent },
  { "waves", "rate", parse_rate },
  { "waves", "resolution", parse_resolution },
  { "waves", "not-measured", parse_sentinels },
};

ProfileParse
profile_find_key (const char *group, const char *key, char **ret_allowed)
{
  g_autoptr (GString) allowed = g_string_new (NULL);
  gboolean known = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (KEYS); i++) {
    if (!g_str_equal (KEYS[i].group, group))
      continue;
    known = TRUE;
    if (KEYS[i].key == NULL || g_str_equal (KEYS[i].key, key))
      return KEYS[i].parse;
    g_string_append_printf (allowed, "%s%s", allowed->len > 0 ? ", " : "", KEYS[i].key);
  }
  *ret_allowed = known ? g_strdup_printf ("is no key of this group; allowed: %s", allowed->str)
                       : g_strdup ("is no known group; allowed: [profile], [match], [hl7], "
                                   "[codes], [units], [not-measured], [waves]");
  return NULL;
}
