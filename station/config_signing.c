/* [signing] and [timestamp] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

static char *
take_place (ConfigPlace *place, char **target, const char *value, GFileTest test, const char *what)
{
  g_autofree char *path = config_path (place, value);
  if (!g_file_test (path, test))
    return g_strdup_printf ("wants %s; there is no %s", what, path);
  g_free (*target);
  *target = g_steal_pointer (&path);
  return NULL;
}

char *
config_parse_signing_people (ConfigPlace *place, const char *value)
{
  return take_place (place, &place->config->signing.people_ca, value, G_FILE_TEST_IS_REGULAR,
                     "a file with root certificates (PEM)");
}

char *
config_parse_signing_crl (ConfigPlace *place, const char *value)
{
  return take_place (place, &place->config->signing.crl, value, G_FILE_TEST_IS_REGULAR,
                     "a file with revocation lists (PEM)");
}

char *
config_parse_signing_keys (ConfigPlace *place, const char *value)
{
  return take_place (place, &place->config->signing.keys, value, G_FILE_TEST_IS_DIR,
                     "a folder with USER.crt and USER.key or USER.uri");
}

char *
config_parse_signing_ocsp (ConfigPlace *place, const char *value)
{
  gboolean yes = g_str_equal (value, "yes");
  if (!yes && !g_str_equal (value, "no"))
    return g_strdup ("wants yes (responders that certificates name are asked) or no");
  place->config->signing.no_ocsp = !yes;
  return NULL;
}

char *
config_parse_timestamp_url (ConfigPlace *place, const char *value)
{
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  if ((!g_str_equal (scheme, "http") && !g_str_equal (scheme, "https"))
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_userinfo (uri) != NULL)
    return g_strdup ("wants an address such as http://tsa.example.vn/tsa");
  g_free (place->config->signing.url);
  place->config->signing.url = g_strdup (value);
  return NULL;
}

char *
config_parse_timestamp_ca (ConfigPlace *place, const char *value)
{
  return take_place (place, &place->config->signing.authority_ca, value, G_FILE_TEST_IS_REGULAR,
                     "a file with root certificates (PEM)");
}

char *
config_parse_timestamp_policy (ConfigPlace *place, const char *value)
{
  if (*value == '\0' || strlen (value) > 100 || strspn (value, "0123456789.") != strlen (value)
      || strchr (value, '.') == NULL)
    return g_strdup ("wants an object identifier such as 1.2.3.4");
  g_free (place->config->signing.policy);
  place->config->signing.policy = g_strdup (value);
  return NULL;
}

char *
config_parse_timestamp_renew (ConfigPlace *place, const char *value)
{
  guint64 days;
  if (!g_ascii_string_to_unsigned (value, 10, 1, 3650, &days, NULL))
    return g_strdup ("wants days, from 1 to 3650");
  place->config->signing.renew_days = (guint)days;
  return NULL;
}
