#include "media/onvif/onvif_camera.h"
#include "station/config_keys.h"

char *
config_parse_onvif (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  g_autoptr (GError) error = NULL;
  if (!onvif_check_address (value, &error))
    return g_strdup (error->message);
  return config_take_text (&source->onvif, value, 500);
}

char *
config_parse_onvif_user (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigSource *)place->section)->onvif_user, value, 100);
}

char *
config_parse_onvif_password (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigSource *)place->section)->onvif_password, value);
}

char *
config_parse_onvif_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &((ConfigSource *)place->section)->onvif_ca_file, value);
}

char *
config_onvif_judge (const ConfigSource *source)
{
  if (source->onvif == NULL
      && (source->onvif_user != NULL || source->onvif_password != NULL
          || source->onvif_ca_file != NULL))
    return g_strdup ("wants the key onvif beside onvif-user, onvif-password-file or onvif-ca-file");
  if ((source->onvif_user != NULL) != (source->onvif_password != NULL))
    return g_strdup ("wants onvif-user and onvif-password-file together");
  return NULL;
}
