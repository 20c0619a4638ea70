#include "station/clock.h"

#include <sys/timex.h>

char *
clock_text (gint64 utc_us)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  if (second == NULL || utc_us < 0)
    return g_strdup ("1970-01-01T00:00:00.000Z");
  g_autofree char *text = g_date_time_format (second, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf ("%s.%03uZ", text, (guint)(utc_us / 1000 % 1000));
}

const char *
clock_boot_id (void)
{
  static char *boot;
  if (g_once_init_enter (&boot)) {
    char *text = NULL;
    if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
      text = g_uuid_string_random ();
    g_once_init_leave (&boot, g_strstrip (text));
  }
  return boot;
}

gboolean
clock_is_synchronized (void)
{
  struct timex state = { 0 };
  return adjtimex (&state) != -1 && (state.status & STA_UNSYNC) == 0;
}
