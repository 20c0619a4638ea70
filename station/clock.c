#include "station/clock.h"
#include "media/devices/utc.h"

#include <sys/timex.h>

char *
clock_text (gint64 utc_us)
{
  char *text = utc_us >= 0 ? utc_text (utc_us) : NULL;
  return text != NULL ? text : g_strdup ("1970-01-01T00:00:00.000Z");
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
