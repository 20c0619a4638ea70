/* [provider NAME] and [guests] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

#define MOST 4
#define ROLES_MOST 32

ConfigProvider *
config_provider_new (Config *config, const char *name)
{
  ConfigProvider *provider = g_new0 (ConfigProvider, 1);
  provider->name = g_strdup (name);
  g_ptr_array_add (config->providers, provider);
  return provider;
}

void
config_provider_free (void *data)
{
  ConfigProvider *provider = data;
  g_free (provider->name);
  g_free (provider->title);
  g_free (provider->issuer);
  g_free (provider->client_id);
  g_free (provider->scope);
  g_free (provider->ca_file);
  g_free (provider->roles_claim);
  g_strfreev (provider->roles);
  g_free (provider);
}

char *
config_provider_judge (const Config *config, const ConfigProvider *provider)
{
  if (config->providers->len > MOST)
    return g_strdup ("is too many: 4 providers at most");
  if (provider->issuer == NULL || provider->client_id == NULL)
    return g_strdup (
        "wants the keys issuer and client-id, as the hospital registered this station");
  if ((provider->roles_claim == NULL) != (provider->roles == NULL))
    return g_strdup ("wants roles-claim and roles together, or neither");
  for (guint i = 0; i < config->providers->len; i++) {
    const ConfigProvider *other = config->providers->pdata[i];
    if (other != provider && g_strcmp0 (other->issuer, provider->issuer) == 0)
      return g_strdup_printf ("has the issuer of [provider %s]", other->name);
  }
  return NULL;
}

/* Compared with the token byte by byte, so that it is kept as it stands. */
char *
config_parse_provider_issuer (ConfigPlace *place, const char *value)
{
  ConfigProvider *provider = place->section;
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || strlen (value) > 500 || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL || strpbrk (value, " ;,'\"") != NULL)
    return g_strdup ("wants the provider's issuer, such as https://id.example.vn/realms/hospital");
  g_free (provider->issuer);
  provider->issuer = g_strdup (value);
  return NULL;
}

char *
config_parse_provider_client (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigProvider *)place->section)->client_id, value, 200);
}

char *
config_parse_provider_title (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigProvider *)place->section)->title, value, 100);
}

char *
config_parse_provider_scope (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) words = g_strsplit (value, " ", 16);
  if (!g_strv_contains ((const char *const *)words, "openid"))
    return g_strdup ("wants scopes with a space between, openid among them");
  return config_take_text (&((ConfigProvider *)place->section)->scope, value, 200);
}

char *
config_parse_provider_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &((ConfigProvider *)place->section)->ca_file, value);
}

char *
config_parse_provider_claim (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigProvider *)place->section)->roles_claim, value, 200);
}

char *
config_parse_provider_roles (ConfigPlace *place, const char *value)
{
  ConfigProvider *provider = place->section;
  g_auto (GStrv) roles = g_strsplit (value, ";", ROLES_MOST + 1);
  guint n = g_strv_length (roles);
  for (guint i = 0; i < n; i++)
    if (*g_strstrip (roles[i]) == '\0' || !g_utf8_validate (roles[i], -1, NULL))
      return g_strdup ("wants names of roles with ; between them");
  if (n == 0 || n > ROLES_MOST)
    return g_strdup_printf ("wants 1 to %d names of roles with ; between them", ROLES_MOST);
  g_strfreev (provider->roles);
  provider->roles = g_steal_pointer (&roles);
  return NULL;
}

char *
config_parse_guests_specialists (ConfigPlace *place, const char *value)
{
  place->config->specialists_proven = g_str_equal (value, "proven");
  return place->config->specialists_proven || g_str_equal (value, "anybody")
             ? NULL
             : g_strdup ("wants proven (who has signed in) or anybody (whom the doctor admits)");
}
