#include "media/devices/utc.h"

char *
utc_text (gint64 time_us)
{
  gint64 ms = time_us / 1000;
  gint64 seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_utc (seconds);
  if (at == NULL)
    return NULL;
  g_autofree char *text = g_date_time_format (at, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf ("%s.%03dZ", text, (int)(ms - seconds * 1000));
}
