/* [deliver NAME] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

#define MOST 8

ConfigDeliver *
config_deliver_new (Config *config, const char *name)
{
  ConfigDeliver *deliver = g_new0 (ConfigDeliver, 1);
  deliver->name = g_strdup (name);
  deliver->recording = TRUE;
  g_ptr_array_add (config->delivers, deliver);
  return deliver;
}

void
config_deliver_free (void *data)
{
  ConfigDeliver *deliver = data;
  char *const texts[] = { deliver->name, deliver->title,       deliver->to,
                          deliver->host, deliver->called,      deliver->ca_file,
                          deliver->key,  deliver->certificate, deliver->key_secret_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_free (deliver);
}

char *
config_deliver_judge (const Config *config, const ConfigDeliver *deliver)
{
  if (config->delivers->len > MOST)
    return g_strdup ("is too many: 8 destinations at most");
  if (deliver->to == NULL)
    return g_strdup ("wants the key to");
  if (deliver->kind == DELIVER_FHIR && (deliver->certificate == NULL || deliver->key == NULL))
    return g_strdup ("wants certificate and key, by which the server knows this station");
  return NULL;
}

/* "dicom:TITLE@host:port" */
static char *
take_dicom (ConfigDeliver *deliver, const char *value)
{
  g_autofree char *title = g_strdup (value + strlen ("dicom:"));
  char *at = strchr (title, '@');
  g_autoptr (GSocketConnectable) place = NULL;

  if (at != NULL) {
    *at++ = '\0';
    place = g_network_address_parse (at, 0, NULL);
  }
  guint16 port = place != NULL ? g_network_address_get_port (G_NETWORK_ADDRESS (place)) : 0;
  if (port == 0 || *title == '\0' || strlen (title) > 16 || !g_str_is_ascii (title)
      || strpbrk (title, "\\;") != NULL)
    return g_strdup ("wants dicom:TITLE@HOST:PORT, as in dicom:PACS@192.168.1.9:104");
  deliver->kind = DELIVER_DICOM;
  deliver->port = port;
  g_free (deliver->called);
  g_free (deliver->host);
  deliver->called = g_steal_pointer (&title);
  deliver->host = g_strdup (g_network_address_get_hostname (G_NETWORK_ADDRESS (place)));
  return NULL;
}

static char *
take_url (ConfigDeliver *deliver, const char *value)
{
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    return g_strdup ("wants the base of a FHIR server, such as https://fhir.example.vn/fhir");
  deliver->kind = DELIVER_FHIR;
  return NULL;
}

char *
config_parse_deliver_to (ConfigPlace *place, const char *value)
{
  ConfigDeliver *deliver = place->section;
  char *wrong = NULL;

  g_clear_pointer (&deliver->to, g_free);
  if (g_str_has_prefix (value, "https://")) {
    wrong = take_url (deliver, value);
  } else if (g_str_has_prefix (value, "dicom:")) {
    wrong = take_dicom (deliver, value);
  } else if (g_path_is_absolute (value)) {
    deliver->kind = DELIVER_FOLDER;
  } else {
    wrong = g_strdup ("wants https://… of a FHIR server, an absolute path of a folder, or "
                      "dicom:TITLE@HOST:PORT");
  }
  if (wrong != NULL)
    return wrong;
  deliver->to = g_strdup (value);
  while (strlen (deliver->to) > 1 && g_str_has_suffix (deliver->to, "/"))
    deliver->to[strlen (deliver->to) - 1] = '\0';
  return NULL;
}

char *
config_parse_deliver_title (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigDeliver *)place->section)->title, value, 60);
}

char *
config_parse_deliver_ca (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &((ConfigDeliver *)place->section)->ca_file, value);
}

char *
config_parse_deliver_certificate (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &((ConfigDeliver *)place->section)->certificate, value);
}

char *
config_parse_deliver_key (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &((ConfigDeliver *)place->section)->key, value);
}

char *
config_parse_deliver_key_secret (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &((ConfigDeliver *)place->section)->key_secret_file, value);
}

char *
config_parse_deliver_recording (ConfigPlace *place, const char *value)
{
  return config_take_boolean (&((ConfigDeliver *)place->section)->recording, value);
}

char *
config_parse_deliver_rate (ConfigPlace *place, const char *value)
{
  guint64 rate;
  if (!g_ascii_string_to_unsigned (value, 10, 32, 1000000, &rate, NULL))
    return g_strdup ("wants kbit/s, from 32 to 1000000");
  ((ConfigDeliver *)place->section)->rate = (guint)rate;
  return NULL;
}
