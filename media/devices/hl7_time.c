#include "media/devices/hl7_time.h"
#include <string.h>

/* Offsets of the standard, ±ZZZZ, and those that some write: ±ZZ, ±ZZ:ZZ, Z. */
static GTimeZone *
parse_offset (const char *offset)
{
  if (g_str_equal (offset, "Z"))
    return g_time_zone_new_utc ();
  if (*offset != '+' && *offset != '-')
    return NULL;
  gsize hours = strspn (offset + 1, "0123456789"), n = strlen (offset) - 1;
  gboolean colon = n == 5 && hours == 2 && strspn (offset + 4, "0123456789") == 2;
  if (colon ? offset[3] != ':' : hours != n || (n != 4 && n != 2))
    return NULL;
  return g_time_zone_new_identifier (offset);
}

GTimeZone *
hl7_time_zone (const char *text)
{
  gsize n = strspn (text, "0123456789.");
  return n >= 12 && text[n] != '\0' ? parse_offset (text + n) : NULL;
}

static int
digits (const char *text, gsize at, gsize n)
{
  int value = 0;
  for (gsize i = at; i < at + n; i++)
    value = value * 10 + (text[i] - '0');
  return value;
}

gboolean
hl7_time_parse (const char *text, GTimeZone *default_zone, gint64 *ret_us, gboolean *ret_zoned)
{
  gsize n = strspn (text, "0123456789");
  if (n != 12 && n != 14)
    return FALSE;
  const char *rest = text + n;
  double seconds = n == 14 ? digits (text, 12, 2) : 0;
  if (*rest == '.') {
    gsize fraction = strspn (rest + 1, "0123456789");
    g_autofree char *decimal = g_strndup (rest, MIN (fraction, 6) + 1);
    seconds += fraction > 0 ? g_ascii_strtod (decimal, NULL) : 0;
    rest += fraction + 1;
  }
  g_autoptr (GTimeZone) zone = *rest != '\0' ? parse_offset (rest) : NULL;
  if (*rest != '\0' && zone == NULL)
    return FALSE;
  gboolean zoned = zone != NULL;
  if (zone == NULL)
    zone = default_zone != NULL ? g_time_zone_ref (default_zone) : g_time_zone_new_local ();

  g_autoptr (GDateTime) time
      = g_date_time_new (zone, digits (text, 0, 4), digits (text, 4, 2), digits (text, 6, 2),
                         digits (text, 8, 2), digits (text, 10, 2), seconds);
  if (time == NULL)
    return FALSE;
  *ret_us = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
  *ret_zoned = zoned;
  return TRUE;
}

char *
hl7_time_format (gint64 utc_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (utc_us / G_USEC_PER_SEC);
  return time != NULL ? g_date_time_format (time, "%Y%m%d%H%M%S%z") : g_strdup ("");
}
