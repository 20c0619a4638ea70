/* [ice] and [relay NAME] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

char *
config_parse_ice_ports (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) ends = g_strsplit (value, "-", 3);
  guint64 low, high;
  gboolean good = g_strv_length (ends) == 2
                  && g_ascii_string_to_unsigned (g_strstrip (ends[0]), 10, 1024, 65535, &low, NULL)
                  && g_ascii_string_to_unsigned (g_strstrip (ends[1]), 10, 1024, 65535, &high, NULL)
                  && low + 15 <= high;
  if (!good)
    return g_strdup ("wants a range of at least 16 UDP ports such as 50000-50100");
  place->config->ice_port_min = (guint16)low;
  place->config->ice_port_max = (guint16)high;
  return NULL;
}

static char *
take_host_port (char **target, const char *value)
{
  g_autoptr (GSocketConnectable) host = g_network_address_parse (value, 3478, NULL);
  const char *name
      = host != NULL ? g_network_address_get_hostname (G_NETWORK_ADDRESS (host)) : NULL;
  if (name == NULL || *name == '\0' || strpbrk (value, " /?#@") != NULL
      || (strchr (name, ':') != NULL && !g_hostname_is_ip_address (name)))
    return g_strdup ("wants HOST or HOST:PORT");
  g_free (*target);
  *target = g_strdup_printf (
      strchr (g_network_address_get_hostname (G_NETWORK_ADDRESS (host)), ':') ? "[%s]:%u" : "%s:%u",
      g_network_address_get_hostname (G_NETWORK_ADDRESS (host)),
      g_network_address_get_port (G_NETWORK_ADDRESS (host)));
  return NULL;
}

char *
config_parse_stun (ConfigPlace *place, const char *value)
{
  return take_host_port (&place->config->stun, value);
}

char *
config_parse_hide_host (ConfigPlace *place, const char *value)
{
  return config_take_boolean (&place->config->hide_host_candidates, value);
}

char *
config_parse_relay_address (ConfigPlace *place, const char *value)
{
  ConfigRelay *section = place->section;
  g_auto (GStrv) urls = g_strsplit (value, ";", RELAY_MAX + 2);
  g_ptr_array_set_size (section->relays, 0);
  for (guint i = 0; urls[i] != NULL; i++) {
    g_autoptr (GError) error = NULL;
    if (*g_strstrip (urls[i]) == '\0')
      continue;
    Relay *relay = relay_new (urls[i], &error);
    if (relay == NULL)
      return g_strdup (error->message);
    g_ptr_array_add (section->relays, relay);
  }
  return section->relays->len == 0 ? g_strdup ("wants turn:HOST:PORT or turns:HOST:PORT") : NULL;
}

char *
config_parse_relay_user (ConfigPlace *place, const char *value)
{
  ConfigRelay *section = place->section;
  if (strchr (value, ':') != NULL)
    return g_strdup ("wants a name without ':'");
  return config_take_text (&section->user, value, 200);
}

char *
config_parse_relay_password_file (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigRelay *)place->section)->password, value);
}

char *
config_parse_relay_secret_file (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigRelay *)place->section)->secret, value);
}

char *
config_parse_relay_ca_file (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &((ConfigRelay *)place->section)->ca_file, value);
}
