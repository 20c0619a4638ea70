/* [recording] and [room] of station.conf. */
#include "media/capture/playout.h"
#include "station/config_keys.h"

char *
config_parse_keep_free (ConfigPlace *place, const char *value)
{
  return config_take_size (&place->config->keep_free, value);
}

char *
config_parse_reserve (ConfigPlace *place, const char *value)
{
  return config_take_size (&place->config->reserve, value);
}

enum { DAYS_MAX = 3650 };

char *
config_parse_warn_days (ConfigPlace *place, const char *value)
{
  return config_take_count (&place->config->warn_days, 0, DAYS_MAX, value);
}

char *
config_parse_make_room (ConfigPlace *place, const char *value)
{
  gboolean delivered = g_str_equal (value, "delivered");
  if (!delivered && !g_str_equal (value, "never"))
    return g_strdup ("wants never or delivered");
  place->config->make_room = delivered;
  return NULL;
}

char *
config_parse_make_room_below (ConfigPlace *place, const char *value)
{
  return config_take_size (&place->config->make_room_below, value);
}

char *
config_parse_make_room_age (ConfigPlace *place, const char *value)
{
  return config_take_count (&place->config->make_room_age, 0, DAYS_MAX, value);
}

char *
config_parse_microphone_owner (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "auto", "station", "console", NULL };
  guint word;
  if (!config_take_word (words, value, &word))
    return g_strdup ("wants auto, station or console");
  place->config->microphone_owner = (MicrophoneOwner)word;
  return NULL;
}

char *
config_parse_loudspeaker (ConfigPlace *place, const char *value)
{
  g_autoptr (GError) error = NULL;
  if (!playout_check_address (value, &error))
    return g_strdup (error->message);
  return config_take_text (&place->config->loudspeaker, value, 500);
}

char *
config_parse_echo_microphone (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->echo_microphone, value, 32);
}
