#include "media/devices/reading.h"
#include "media/devices/codes.h"

#include <math.h>

#define DECIMALS_MAX 6

Observation *
reading_new (guint32 mdc, gint64 utc_us)
{
  const CodeEntry *entry = code_by_mdc (mdc);
  Observation *observation = observation_new ();
  observation->mdc = mdc;
  observation->time_us = utc_us;
  observation->time_source = OBS_TIME_STATION;
  observation_make_absent (observation, "not-measured");
  if (entry == NULL) {
    observation->code = g_strdup_printf ("%u", mdc);
    observation_add_flag (observation, "unmapped");
    return observation;
  }
  observation->code = g_strdup (entry->name);
  observation->loinc = g_strdup (entry->loinc);
  observation->vital = g_strdup (entry->vital);
  return observation;
}

static void
judge_range (Observation *observation)
{
  const CodeEntry *entry = code_by_mdc (observation->mdc);
  const UnitEntry *unit = observation->unit != NULL ? unit_by_ucum (observation->unit) : NULL;
  if (entry == NULL || entry->low >= entry->high)
    return;
  double value = unit != NULL ? unit_to_base (unit, observation->number) : observation->number;
  if (value < entry->low || value > entry->high)
    observation_add_flag (observation, "implausible");
}

void
reading_set (Observation *observation, double value, guint decimals, const char *ucum)
{
  const CodeEntry *entry = code_by_mdc (observation->mdc);
  char text[G_ASCII_DTOSTR_BUF_SIZE + 16], format[8];
  if (!isfinite (value)) {
    observation_make_absent (observation, "invalid");
    return;
  }
  g_snprintf (format, sizeof format, "%%.%uf", MIN (decimals, DECIMALS_MAX));
  g_clear_pointer (&observation->absent_reason, g_free);
  g_free (observation->number_text);
  g_free (observation->unit);
  observation->type = OBS_NUMBER;
  observation->number = value;
  observation->number_text = g_strdup (g_ascii_formatd (text, sizeof text, format, value));
  observation->unit = g_strdup (ucum != NULL ? ucum : entry != NULL ? entry->ucum : NULL);
  judge_range (observation);
}
