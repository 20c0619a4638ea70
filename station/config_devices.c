/* [mllp], [camera NAME], [microphone NAME], [stethoscope NAME], [device NAME] and [bluetooth] of
 * station.conf. */
#include "media/capture/source.h"
#include "station/config_keys.h"

#include <gio/gio.h>

char *
config_parse_mllp_listen (ConfigPlace *place, const char *value)
{
  if (!g_hostname_is_ip_address (value))
    return g_strdup ("wants one IPv4 or IPv6 address, 0.0.0.0 for all");
  return config_take_text (&place->config->mllp_listen, value, 64);
}

char *
config_parse_mllp_port (ConfigPlace *place, const char *value)
{
  return config_take_port (&place->config->mllp_port, value, 0);
}

char *
config_parse_mllp_query_port (ConfigPlace *place, const char *value)
{
  return config_take_port (&place->config->query_port, value, 0);
}

char *
config_parse_mllp_profiles (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->profiles, value);
}

static char *
take_address (ConfigPlace *place, MediaKind kind, const char *value)
{
  g_autoptr (GError) error = NULL;
  ConfigSource *source = place->section;
  if (!source_check_address (kind, value, &error))
    return g_strdup (error->message);
  return config_take_text (&source->address, value, 500);
}

char *
config_parse_camera_address (ConfigPlace *place, const char *value)
{
  return take_address (place, MEDIA_VIDEO, value);
}

char *
config_parse_microphone_address (ConfigPlace *place, const char *value)
{
  return take_address (place, MEDIA_AUDIO, value);
}

char *
config_parse_camera_prefer (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "balanced", "motion", "detail", NULL };
  guint word;
  if (!config_take_word (words, value, &word))
    return g_strdup ("wants balanced, motion (an ultrasound: frame rate before size) or detail "
                     "(skin, an ear: size before frame rate)");
  ((ConfigSource *)place->section)->prefer = (RungPrefer)word;
  return NULL;
}

char *
config_parse_camera_user (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_text (&source->user, value, 100);
}

char *
config_parse_camera_password_file (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_secret_file (place, &source->password, value);
}

char *
config_parse_camera_width (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_count (&source->width, 160, 3840, value);
}

char *
config_parse_camera_height (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_count (&source->height, 120, 2160, value);
}

char *
config_parse_camera_frame_rate (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_count (&source->frame_rate, 1, 60, value);
}

char *
config_parse_device_id (ConfigPlace *place, const char *value)
{
  ConfigDevice *device = place->section;
  return config_take_text (&device->id, value, 200);
}

char *
config_parse_device_profile (ConfigPlace *place, const char *value)
{
  ConfigDevice *device = place->section;
  return config_take_text (&device->profile, value, 64);
}

char *
config_parse_bluetooth (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "auto", "true", "false", NULL };
  guint word;
  if (!config_take_word (words, value, &word))
    return g_strdup ("wants auto, true or false");
  place->config->bluetooth = (BluetoothUse)word;
  return NULL;
}
