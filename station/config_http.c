/* [http] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

static gboolean
split_listen (const char *entry, char **ret_address, const char **ret_port)
{
  const char *colon = strrchr (entry, ':');
  if (*entry == '[') {
    const char *close = strchr (entry, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
      return FALSE;
    *ret_address = g_strndup (entry + 1, close - entry - 1);
    *ret_port = close[1] == ':' ? close + 2 : NULL;
  } else if (colon != NULL && strchr (entry, ':') == colon) {
    *ret_address = g_strndup (entry, colon - entry);
    *ret_port = colon + 1;
  } else {
    *ret_address = g_strdup (entry);
    *ret_port = NULL;
  }
  return TRUE;
}

static void
add_listen (GPtrArray *listen, const char *address, guint16 port)
{
  ConfigListen *entry = g_new0 (ConfigListen, 1);
  entry->address = g_strdup (address);
  entry->port = port;
  g_ptr_array_add (listen, entry);
}

static char *
add_listen_entry (GPtrArray *listen, const char *entry)
{
  g_autofree char *address = NULL;
  const char *port_text = NULL;
  guint64 port = 0;
  char *wrong = NULL;
  if (!split_listen (entry, &address, &port_text))
    return g_strdup_printf ("'%s' is no address", entry);
  if (port_text != NULL && (wrong = config_take_number (1, 65535, port_text, &port)) != NULL)
    return wrong;
  if (g_str_equal (address, "localhost")) {
    add_listen (listen, "127.0.0.1", (guint16)port);
    add_listen (listen, "::1", (guint16)port);
    return NULL;
  }
  if (!g_hostname_is_ip_address (address))
    return g_strdup_printf ("'%s' is no address: give localhost, an IPv4 or IPv6 address "
                            "of this machine, with :port when it differs, ; between several",
                            entry);
  add_listen (listen, address, (guint16)port);
  return NULL;
}

char *
config_parse_http_listen (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) entries = g_strsplit (value, ";", 17);
  GPtrArray *listen = place->config->listen;
  g_ptr_array_set_size (listen, 0);
  for (guint i = 0; entries[i] != NULL; i++) {
    if (*g_strstrip (entries[i]) == '\0')
      continue;
    char *wrong = listen->len >= 16 ? g_strdup ("has more than 16 addresses")
                                    : add_listen_entry (listen, entries[i]);
    if (wrong != NULL)
      return wrong;
  }
  return listen->len == 0 ? g_strdup ("wants at least one address") : NULL;
}

char *
config_parse_http_port (ConfigPlace *place, const char *value)
{
  return config_take_port (&place->config->http_port, value, 1);
}

char *
config_parse_http_names (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) names = g_strsplit (value, ";", 33);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; names[i] != NULL; i++) {
    const char *name = g_strstrip (names[i]);
    if (*name == '\0')
      continue;
    if (i >= 32 || strlen (name) > 253
        || strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen (name))
      return g_strdup ("wants host names in lower case without port, ; between them, "
                       "32 at most");
    g_strv_builder_add (builder, name);
  }
  g_strfreev (place->config->host_names);
  place->config->host_names = g_strv_builder_end (builder);
  return NULL;
}

char *
config_parse_http_certificate (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->certificate, value);
}

char *
config_parse_http_key (ConfigPlace *place, const char *value)
{
  if (strchr (value, ':') == NULL)
    return config_take_path (place, &place->config->key, value);
  return config_take_text (&place->config->key, value, 1000);
}

char *
config_parse_http_key_secret (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->key_secret_file, value);
}

char *
config_parse_public_url (ConfigPlace *place, const char *value)
{
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    return g_strdup ("wants an address such as https://station.example.vn");
  g_free (place->config->public_url);
  gsize length = strlen (value);
  while (length > 0 && value[length - 1] == '/')
    length--;
  place->config->public_url = g_strndup (value, length);
  return NULL;
}
