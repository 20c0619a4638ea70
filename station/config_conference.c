/* [conference] and [whip] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

enum { HOSTS_MAX = 8, TOKEN_LEAST = 16 };

/* A token goes with it. */
static char *
take_place (char **target, const char *value)
{
  return config_take_private_url (target, value, "https://sfu.tinh.example.vn/whip/endpoint/room");
}

char *
config_parse_conference_publish (ConfigPlace *place, const char *value)
{
  return take_place (&place->config->conference.publish.url, value);
}

char *
config_parse_conference_publish_token (ConfigPlace *place, const char *value)
{
  return config_take_token_file (place, &place->config->conference.publish.token, value, 1);
}

char *
config_parse_conference_read (ConfigPlace *place, const char *value)
{
  return take_place (&place->config->conference.read.url, value);
}

char *
config_parse_conference_read_token (ConfigPlace *place, const char *value)
{
  return config_take_token_file (place, &place->config->conference.read.token, value, 1);
}

char *
config_parse_conference_operator (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->conference.operator_name, value, 200);
}

char *
config_parse_conference_camera (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->conference.camera, value, 100);
}

char *
config_parse_conference_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &place->config->conference.ca_file, value);
}

char *
config_parse_conference_hosts (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) hosts = g_strsplit (value, ";", -1);
  guint n = 0;
  for (guint i = 0; hosts[i] != NULL; i++) {
    g_autofree char *host = g_ascii_strdown (g_strstrip (hosts[i]), -1);
    g_free (hosts[i]);
    hosts[i] = NULL;
    if (*host != '\0')
      hosts[n++] = g_steal_pointer (&host);
    if (n > 0 && strpbrk (hosts[n - 1], "/:@ ") != NULL)
      return g_strdup ("wants names of hosts with ; between them");
  }
  if (n == 0 || n > HOSTS_MAX)
    return g_strdup ("wants 1 to 8 names of hosts with ; between them");
  g_strfreev (place->config->conference.hosts);
  place->config->conference.hosts = g_steal_pointer (&hosts);
  return NULL;
}

char *
config_parse_whip_token (ConfigPlace *place, const char *value)
{
  return config_take_token_file (place, &place->config->conference.receive_token, value,
                                 TOKEN_LEAST);
}

char *
config_parse_whip_name (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->conference.receive_name, value, 100);
}

static gboolean
has_camera (const Config *config, const char *name)
{
  for (guint i = 0; i < config->cameras->len; i++)
    if (g_str_equal (((const ConfigSource *)config->cameras->pdata[i])->name, name))
      return TRUE;
  return FALSE;
}

char *
config_conference_judge (const Config *config)
{
  const ConfigConference *conference = &config->conference;
  if (conference->publish.url == NULL
      && (conference->read.url != NULL || conference->publish.token != NULL
          || conference->operator_name != NULL))
    return g_strdup ("wants publish = ADDRESS beside the other keys");
  if (conference->publish.url != NULL && conference->operator_name == NULL)
    return g_strdup ("wants operator = NAME: people are asked whether this operator may see and "
                     "hear the consultation");
  if (conference->read.url == NULL && conference->read.token != NULL)
    return g_strdup ("wants read = ADDRESS beside read-token-file");
  if (conference->camera != NULL && !has_camera (config, conference->camera))
    return g_strdup_printf ("wants in camera the name of a [camera NAME]; there is no '%s'",
                            conference->camera);
  return NULL;
}

void
config_conference_clear (ConfigConference *conference)
{
  g_free (conference->publish.url);
  g_free (conference->publish.token);
  g_free (conference->read.url);
  g_free (conference->read.token);
  g_free (conference->operator_name);
  g_free (conference->camera);
  g_free (conference->ca_file);
  g_strfreev (conference->hosts);
  g_free (conference->receive_token);
  g_free (conference->receive_name);
}
