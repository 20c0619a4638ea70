/* [rendezvous] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

#define PORT_TLS 8883
#define PORT_PLAIN 1883
#define DESKS_MAX 8
#define BROKERS_MAX 8

void
config_rendezvous_clear (ConfigRendezvous *rendezvous)
{
  g_clear_pointer (&rendezvous->brokers, g_ptr_array_unref);
  g_free (rendezvous->ca_file);
  g_free (rendezvous->pages);
  g_free (rendezvous->rp_id);
  g_strfreev (rendezvous->desks);
}

static gboolean
is_this_machine (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  return g_str_equal (host, "localhost")
         || (address != NULL && g_inet_address_get_is_loopback (address));
}

static void
broker_free (void *data)
{
  ConfigBroker *broker = data;
  g_free (broker->address);
  g_free (broker->host);
  g_free (broker);
}

static char *
add_broker (GPtrArray *brokers, const char *address)
{
  g_autoptr (GUri) uri = g_uri_parse (address, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  gboolean tls = uri != NULL && g_str_equal (g_uri_get_scheme (uri), "mqtts");
  if (host == NULL || *host == '\0' || (!tls && !g_str_equal (g_uri_get_scheme (uri), "mqtt"))
      || strlen (g_uri_get_path (uri)) > 1 || g_uri_get_userinfo (uri) != NULL
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return g_strdup ("wants an address such as mqtts://broker.example.vn:8883; of a cluster "
                     "several, ; between them");
  if (!tls && !is_this_machine (host))
    return g_strdup ("wants mqtts://…; mqtt:// (without TLS) is for a broker on this machine only");
  int port = g_uri_get_port (uri);
  ConfigBroker *broker = g_new (ConfigBroker, 1);
  *broker = (ConfigBroker){ .address = g_strdup (address),
                            .host = g_strdup (host),
                            .tls = tls,
                            .port = (guint16)(port > 0 ? port
                                              : tls    ? PORT_TLS
                                                       : PORT_PLAIN) };
  g_ptr_array_add (brokers, broker);
  return NULL;
}

char *
config_parse_rendezvous_broker (ConfigPlace *place, const char *value)
{
  ConfigRendezvous *rendezvous = &place->config->rendezvous;
  g_autoptr (GPtrArray) brokers = g_ptr_array_new_with_free_func (broker_free);
  g_auto (GStrv) addresses = g_strsplit (value, ";", BROKERS_MAX + 1);
  if (g_strv_length (addresses) > BROKERS_MAX)
    return g_strdup ("is too many: 8 brokers at most");
  for (guint i = 0; addresses[i] != NULL; i++) {
    char *wrong = add_broker (brokers, g_strstrip (addresses[i]));
    if (wrong != NULL)
      return wrong;
  }
  if (brokers->len == 0)
    return g_strdup ("wants an address such as mqtts://broker.example.vn:8883");
  g_clear_pointer (&rendezvous->brokers, g_ptr_array_unref);
  rendezvous->brokers = g_steal_pointer (&brokers);
  return NULL;
}

char *
config_parse_rendezvous_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &place->config->rendezvous.ca_file, value);
}

char *
config_parse_rendezvous_pages (ConfigPlace *place, const char *value)
{
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    return g_strdup ("wants the origin of the hospital's pages, such as "
                     "https://kham.benhvien.example.vn");
  char **pages = &place->config->rendezvous.pages;
  g_free (*pages);
  *pages = g_strdup (value);
  while (g_str_has_suffix (*pages, "/"))
    (*pages)[strlen (*pages) - 1] = '\0';
  g_free (place->config->rendezvous.rp_id);
  place->config->rendezvous.rp_id = g_strdup (g_uri_get_host (uri));
  return NULL;
}

static gboolean
desk_is_valid (const char *name)
{
  return strlen (name) >= 1 && strlen (name) <= 32 && g_ascii_islower (*name)
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (name);
}

char *
config_parse_rendezvous_desks (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) names = g_strsplit (value, ";", -1);
  for (guint i = 0; names[i] != NULL; i++) {
    g_strstrip (names[i]);
    if (!desk_is_valid (names[i]))
      return g_strdup ("wants names of desks, ; between them: a to z, 0 to 9 and -, a letter "
                       "first, 32 characters at most");
  }
  if (g_strv_length (names) > DESKS_MAX)
    return g_strdup ("is too many: 8 desks at most");
  g_strfreev (place->config->rendezvous.desks);
  place->config->rendezvous.desks = g_steal_pointer (&names);
  return NULL;
}

char *
config_rendezvous_judge (const Config *config)
{
  const ConfigRendezvous *rendezvous = &config->rendezvous;
  if (rendezvous->brokers == NULL
      && (rendezvous->ca_file != NULL || rendezvous->pages != NULL || rendezvous->desks != NULL))
    return g_strdup ("wants the key broker");
  if (rendezvous->brokers != NULL && rendezvous->pages == NULL)
    return g_strdup ("wants the key pages: where the pages of the hospital are, which open the "
                     "links of invitations");
  return NULL;
}
