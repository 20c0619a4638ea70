#include "station/idle_lock.h"
#include "station/console.h"

static gboolean
is_over (const Station *station, gint64 since_us, gint64 now_us)
{
  return now_us - since_us >= (gint64)station->config->idle_seconds * G_USEC_PER_SEC;
}

/* Also what `run --unlock` opened, when nobody has worked with it for as long. */
static void
close_unused_vault (Station *station, gint64 now_us)
{
  if (sessions_any_unlocked (station->sessions) || station->vault_used_us == 0)
    station->vault_used_us = now_us;
  if (is_over (station, station->vault_used_us, now_us) && vault_is_open (station->vault)) {
    vault_lock (station->vault);
    station_changed (station);
  }
}

void
idle_lock_tick (Station *station)
{
  gint64 now_us = g_get_monotonic_time ();
  if (station->config->idle_seconds == 0)
    return;
  for (guint i = 0; i < station->clients->len; i++) {
    Client *client = station->clients->pdata[i];
    if (client->kind == CLIENT_CONSOLE && client->session != NULL
        && is_over (station, client->session->active_us, now_us))
      console_lock_idle (client);
  }
  sessions_lock_idle (station->sessions, station->config->idle_seconds);
  close_unused_vault (station, now_us);
}
