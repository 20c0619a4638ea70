#include "station/room_sound.h"
#include "media/capture/echo.h"
#include "media/capture/playout.h"

struct RoomSound {
  const Config *config;
  Playout *playout; /* NULL: no loudspeaker */
  Echo *echo;
};

static void
on_played (Playout *playout, const gint16 *samples, guint n, gint64 heard_us, void *arg)
{
  echo_played (((RoomSound *)arg)->echo, samples, n, heard_us);
}

static void
on_state (Playout *playout, SourceState state, const char *reason, void *arg)
{
  if (state == SOURCE_MISSING)
    g_warning ("room: the loudspeaker is not there: %s", reason);
}

RoomSound *
room_sound_new (const Config *config, GError **error)
{
  static const PlayoutEvents events = { .played = on_played, .state = on_state };
  RoomSound *sound = g_new0 (RoomSound, 1);
  sound->config = config;
  if (config->loudspeaker == NULL)
    return sound;
  sound->playout = playout_new (config->loudspeaker, &events, sound, error);
  sound->echo = sound->playout != NULL ? echo_new (error) : NULL;
  if (sound->echo != NULL)
    return sound;
  room_sound_free (sound);
  return NULL;
}

void
room_sound_free (RoomSound *sound)
{
  if (sound == NULL)
    return;
  g_clear_pointer (&sound->playout, playout_free);
  g_clear_pointer (&sound->echo, echo_free);
  g_free (sound);
}

Echo *
room_sound_echo (RoomSound *sound, const char *microphone)
{
  return g_strcmp0 (microphone, sound->config->echo_microphone) == 0 ? sound->echo : NULL;
}

void
room_sound_set_page (RoomSound *sound, gboolean page)
{
  if (sound->playout != NULL)
    playout_set_on (sound->playout, !page && sound->config->microphone_owner != MICROPHONE_CONSOLE);
}

void
room_sound_frame (RoomSound *sound, const char *label, Frame *frame)
{
  if (sound->playout != NULL && !g_str_has_prefix (label, "console"))
    playout_frame (sound->playout, label, frame);
}
