#include "station/config_keys.h"
#include "media/capture/playout.h"

#include <gio/gio.h>
#include <string.h>

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

char *
config_take_text (char **target, const char *value, gsize max)
{
  if (*value == '\0' || !g_utf8_validate (value, -1, NULL)
      || g_utf8_strlen (value, -1) > (glong)max)
    return g_strdup_printf ("wants a text of 1 to %" G_GSIZE_FORMAT " characters", max);
  g_free (*target);
  *target = g_strdup (value);
  return NULL;
}

char *
config_path (const ConfigPlace *place, const char *value)
{
  return g_path_is_absolute (value) || place->folder == NULL
             ? g_strdup (value)
             : g_build_filename (place->folder, value, NULL);
}

char *
config_take_path (ConfigPlace *place, char **target, const char *value)
{
  if (*value == '\0')
    return g_strdup ("wants a path");
  g_free (*target);
  *target = config_path (place, value);
  return NULL;
}

static char *
take_number (guint64 low, guint64 high, const char *value, guint64 *ret)
{
  g_autoptr (GError) error = NULL;
  if (!g_ascii_string_to_unsigned (value, 10, low, high, ret, &error))
    return g_strdup_printf ("wants a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            low, high);
  return NULL;
}

static char *
take_port (guint16 *target, const char *value, guint64 low)
{
  guint64 number;
  char *wrong = take_number (low, 65535, value, &number);
  if (wrong == NULL)
    *target = (guint16)number;
  return wrong;
}

/* "500M", "5G": binary multiples. */
char *
config_take_size (guint64 *target, const char *value)
{
  static const char units[] = "KMGT";
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*value) ? g_ascii_strtoull (value, &end, 10) : 0;
  const char *unit = end != NULL && *end != '\0' ? strchr (units, *end) : NULL;
  guint shift = unit != NULL ? 10 * (guint)(unit - units + 1) : 0;
  gboolean good = end != NULL && (*end == '\0' || (unit != NULL && end[1] == '\0'));
  if (!good || number > ((guint64)G_MAXINT64 >> shift))
    return g_strdup ("wants a size such as 500M or 5G (K, M, G, T)");
  *target = number << shift;
  return NULL;
}

static gboolean
name_is_valid (const char *name, const char *also)
{
  gsize length = strlen (name);
  if (length < 1 || length > 32 || !g_ascii_islower (*name))
    return FALSE;
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_islower (*c) && !g_ascii_isdigit (*c) && strchr (also, *c) == NULL)
      return FALSE;
  return TRUE;
}

/* ---- [station] ------------------------------------------------------------------------- */

static char *
parse_station_name (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->station_name, value, 100);
}

static char *
parse_station_id (ConfigPlace *place, const char *value)
{
  if (!name_is_valid (value, "-"))
    return g_strdup ("wants a to z, 0 to 9 and -, a letter first, 32 characters at most");
  return config_take_text (&place->config->station_id, value, 32);
}

static char *
parse_language (ConfigPlace *place, const char *value)
{
  if (!g_str_equal (value, "vi") && !g_str_equal (value, "en"))
    return g_strdup ("wants vi or en");
  return config_take_text (&place->config->language, value, 2);
}

static char *
parse_state (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->state, value);
}

static char *
parse_boot_credential (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->boot_credential, value);
}

static char *
take_phone (char **target, const char *value)
{
  if (strspn (value, "+0123456789 .-()") != strlen (value) || strlen (value) < 3)
    return g_strdup ("wants a telephone number: digits, spaces, + . - ( )");
  return config_take_text (target, value, 30);
}

static char *
parse_duty_phone (ConfigPlace *place, const char *value)
{
  return take_phone (&place->config->duty_phone, value);
}

static char *
parse_icd10 (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->icd10_file, value);
}

static char *
parse_facility_code (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->facility_code, value, 20);
}

static char *
parse_facility_address (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->facility_address, value, 200);
}

static char *
parse_facility_phone (ConfigPlace *place, const char *value)
{
  return take_phone (&place->config->facility_phone, value);
}

/* Minutes, or seconds with an s. */
static char *
parse_idle_lock (ConfigPlace *place, const char *value)
{
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*value) ? g_ascii_strtoull (value, &end, 10) : 0;
  gboolean seconds = end != NULL && g_str_equal (end, "s");
  if (end == NULL || (!seconds && *end != '\0') || number > (seconds ? 28800 : 480))
    return g_strdup ("wants minutes from 0 (never) to 480, or seconds such as 90s");
  place->config->idle_seconds = (guint)(seconds ? number : number * 60);
  return NULL;
}

/* ---- [http] ---------------------------------------------------------------------------- */

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
  if (port_text != NULL && (wrong = take_number (1, 65535, port_text, &port)) != NULL)
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

static char *
parse_http_listen (ConfigPlace *place, const char *value)
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

static char *
parse_http_port (ConfigPlace *place, const char *value)
{
  return take_port (&place->config->http_port, value, 1);
}

static char *
parse_http_names (ConfigPlace *place, const char *value)
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

static char *
parse_http_certificate (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->certificate, value);
}

static char *
parse_http_key (ConfigPlace *place, const char *value)
{
  if (strchr (value, ':') == NULL)
    return config_take_path (place, &place->config->key, value);
  return config_take_text (&place->config->key, value, 1000);
}

static char *
parse_http_key_secret (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->key_secret_file, value);
}

static char *
parse_public_url (ConfigPlace *place, const char *value)
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

/* ---- [ice] ----------------------------------------------------------------------------- */

static char *
parse_ice_ports (ConfigPlace *place, const char *value)
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

static char *
parse_stun (ConfigPlace *place, const char *value)
{
  return take_host_port (&place->config->stun, value);
}

/* The first line of a file; passwords never stand in station.conf itself. */
char *
config_take_secret_file (ConfigPlace *place, char **target, const char *value)
{
  g_autofree char *path = NULL, *text = NULL;
  gsize length = 0;
  char *wrong = config_take_path (place, &path, value);
  if (wrong != NULL)
    return wrong;
  if (!g_file_get_contents (path, &text, &length, NULL) || length > 4096)
    return g_strdup_printf ("wants a readable file with the password in its first line; "
                            "%s cannot be read",
                            path);
  text[strcspn (text, "\r\n")] = '\0';
  return config_take_text (target, text, 500);
}

char *
config_take_boolean (gboolean *target, const char *value)
{
  if (!g_str_equal (value, "true") && !g_str_equal (value, "false"))
    return g_strdup ("wants true or false");
  *target = g_str_equal (value, "true");
  return NULL;
}

static char *
parse_hide_host (ConfigPlace *place, const char *value)
{
  return config_take_boolean (&place->config->hide_host_candidates, value);
}

/* ---- [relay NAME] ----------------------------------------------------------------------- */

static char *
parse_relay_address (ConfigPlace *place, const char *value)
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

static char *
parse_relay_user (ConfigPlace *place, const char *value)
{
  ConfigRelay *section = place->section;
  if (strchr (value, ':') != NULL)
    return g_strdup ("wants a name without ':'");
  return config_take_text (&section->user, value, 200);
}

static char *
parse_relay_password_file (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigRelay *)place->section)->password, value);
}

static char *
parse_relay_secret_file (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigRelay *)place->section)->secret, value);
}

char *
config_take_ca_file (ConfigPlace *place, char **target, const char *value)
{
  char *wrong = config_take_path (place, target, value);
  if (wrong == NULL && !g_file_test (*target, G_FILE_TEST_IS_REGULAR))
    wrong = g_strdup_printf ("wants a file with certificates (PEM); there is no %s", *target);
  return wrong;
}

static char *
parse_relay_ca_file (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &((ConfigRelay *)place->section)->ca_file, value);
}

/* ---- [mllp], [camera NAME], [microphone NAME], [stethoscope NAME], [device NAME]
 * ---------------------------- */

static char *
parse_mllp_listen (ConfigPlace *place, const char *value)
{
  if (!g_hostname_is_ip_address (value))
    return g_strdup ("wants one IPv4 or IPv6 address, 0.0.0.0 for all");
  return config_take_text (&place->config->mllp_listen, value, 64);
}

static char *
parse_mllp_port (ConfigPlace *place, const char *value)
{
  return take_port (&place->config->mllp_port, value, 0);
}

static char *
parse_mllp_query_port (ConfigPlace *place, const char *value)
{
  return take_port (&place->config->query_port, value, 0);
}

static char *
parse_mllp_profiles (ConfigPlace *place, const char *value)
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

static char *
parse_camera_address (ConfigPlace *place, const char *value)
{
  return take_address (place, MEDIA_VIDEO, value);
}

static char *
parse_microphone_address (ConfigPlace *place, const char *value)
{
  return take_address (place, MEDIA_AUDIO, value);
}

static char *
parse_camera_prefer (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "balanced", "motion", "detail" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (value, words[i])) {
      ((ConfigSource *)place->section)->prefer = (RungPrefer)i;
      return NULL;
    }
  return g_strdup ("wants balanced, motion (an ultrasound: frame rate before size) or detail "
                   "(skin, an ear: size before frame rate)");
}

static char *
parse_camera_user (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_text (&source->user, value, 100);
}

static char *
parse_camera_password_file (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return config_take_secret_file (place, &source->password, value);
}

static char *
take_dimension (guint *target, guint64 low, guint64 high, const char *value)
{
  guint64 number;
  char *wrong = take_number (low, high, value, &number);
  if (wrong == NULL)
    *target = (guint)number;
  return wrong;
}

static char *
parse_camera_width (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return take_dimension (&source->width, 160, 3840, value);
}

static char *
parse_camera_height (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return take_dimension (&source->height, 120, 2160, value);
}

static char *
parse_camera_frame_rate (ConfigPlace *place, const char *value)
{
  ConfigSource *source = place->section;
  return take_dimension (&source->frame_rate, 1, 60, value);
}

static char *
parse_device_id (ConfigPlace *place, const char *value)
{
  ConfigDevice *device = place->section;
  return config_take_text (&device->id, value, 200);
}

static char *
parse_device_profile (ConfigPlace *place, const char *value)
{
  ConfigDevice *device = place->section;
  return config_take_text (&device->profile, value, 64);
}

/* ---- [bluetooth] ------------------------------------------------------------------------ */

static char *
parse_bluetooth (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "auto", "true", "false", NULL };
  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (value, words[i])) {
      place->config->bluetooth = (BluetoothUse)i;
      return NULL;
    }
  return g_strdup ("wants auto, true or false");
}

/* ---- [recording], [room] --------------------------------------------------------------- */

static char *
parse_keep_free (ConfigPlace *place, const char *value)
{
  return config_take_size (&place->config->keep_free, value);
}

static char *
parse_reserve (ConfigPlace *place, const char *value)
{
  return config_take_size (&place->config->reserve, value);
}

static char *
parse_microphone_owner (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "auto", "station", "console", NULL };
  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (value, words[i])) {
      place->config->microphone_owner = (MicrophoneOwner)i;
      return NULL;
    }
  return g_strdup ("wants auto, station or console");
}

static char *
parse_loudspeaker (ConfigPlace *place, const char *value)
{
  g_autoptr (GError) error = NULL;
  if (!playout_check_address (value, &error))
    return g_strdup (error->message);
  return config_take_text (&place->config->loudspeaker, value, 500);
}

static char *
parse_echo_microphone (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->echo_microphone, value, 32);
}

/* ---- [metrics] ------------------------------------------------------------------------- */

static char *
parse_metrics_token (ConfigPlace *place, const char *value)
{
  char *wrong = config_take_secret_file (place, &place->config->metrics_token, value);
  const char *token = place->config->metrics_token;
  if (wrong == NULL && (strlen (token) < 16 || strspn (token, TOKEN_CHARS) != strlen (token)))
    wrong = g_strdup ("wants a file with 16 or more letters, digits, - . _ ~ in its first line; "
                      "openssl rand -hex 24 makes one");
  return wrong;
}

static const ConfigKey keys[] = {
  { "station", "name", parse_station_name },
  { "station", "id", parse_station_id },
  { "station", "language", parse_language },
  { "station", "state", parse_state },
  { "station", "boot-credential", parse_boot_credential },
  { "station", "duty-phone", parse_duty_phone },
  { "station", "icd10", parse_icd10 },
  { "station", "facility-code", parse_facility_code },
  { "station", "address", parse_facility_address },
  { "station", "phone", parse_facility_phone },
  { "station", "idle-lock", parse_idle_lock },
  { "http", "listen", parse_http_listen },
  { "http", "port", parse_http_port },
  { "http", "names", parse_http_names },
  { "http", "certificate", parse_http_certificate },
  { "http", "key", parse_http_key },
  { "http", "key-secret-file", parse_http_key_secret },
  { "http", "public-url", parse_public_url },
  { "ice", "ports", parse_ice_ports },
  { "ice", "stun", parse_stun },
  { "ice", "hide-host-candidates", parse_hide_host },
  { "relay", "address", parse_relay_address },
  { "relay", "user", parse_relay_user },
  { "relay", "password-file", parse_relay_password_file },
  { "relay", "secret-file", parse_relay_secret_file },
  { "relay", "ca-file", parse_relay_ca_file },
  { "mllp", "listen", parse_mllp_listen },
  { "mllp", "port", parse_mllp_port },
  { "mllp", "query-port", parse_mllp_query_port },
  { "mllp", "profiles", parse_mllp_profiles },
  { "dicom", "listen", config_parse_dicom_listen },
  { "dicom", "port", config_parse_dicom_port },
  { "dicom", "ae-title", config_parse_dicom_title },
  { "dicom", "callers", config_parse_dicom_callers },
  { "dicom", "largest", config_parse_dicom_largest },
  { "camera", "address", parse_camera_address },
  { "camera", "user", parse_camera_user },
  { "camera", "password-file", parse_camera_password_file },
  { "camera", "width", parse_camera_width },
  { "camera", "height", parse_camera_height },
  { "camera", "frame-rate", parse_camera_frame_rate },
  { "camera", "prefer", parse_camera_prefer },
  { "camera", "onvif", config_parse_onvif },
  { "camera", "onvif-user", config_parse_onvif_user },
  { "camera", "onvif-password-file", config_parse_onvif_password },
  { "camera", "onvif-ca-file", config_parse_onvif_ca },
  { "stethoscope", "address", parse_microphone_address },
  { "microphone", "address", parse_microphone_address },
  { "device", "id", parse_device_id },
  { "device", "profile", parse_device_profile },
  { "serial", "port", config_parse_serial_port },
  { "serial", "kind", config_parse_serial_kind },
  { "serial", "speed", config_parse_serial_speed },
  { "serial", "title", config_parse_serial_title },
  { "serial", "room", config_parse_serial_room },
  { "serial", "capture", config_parse_serial_capture },
  { "deliver", "to", config_parse_deliver_to },
  { "deliver", "title", config_parse_deliver_title },
  { "deliver", "ca-file", config_parse_deliver_ca },
  { "deliver", "certificate", config_parse_deliver_certificate },
  { "deliver", "key", config_parse_deliver_key },
  { "deliver", "key-secret-file", config_parse_deliver_key_secret },
  { "bluetooth", "enabled", parse_bluetooth },
  { "recording", "keep-free", parse_keep_free },
  { "recording", "reserve", parse_reserve },
  { "room", "microphone-owner", parse_microphone_owner },
  { "room", "loudspeaker", parse_loudspeaker },
  { "room", "echo-microphone", parse_echo_microphone },
  { "signing", "people-ca", config_parse_signing_people },
  { "signing", "crl", config_parse_signing_crl },
  { "signing", "keys", config_parse_signing_keys },
  { "timestamp", "url", config_parse_timestamp_url },
  { "timestamp", "ca-file", config_parse_timestamp_ca },
  { "timestamp", "policy", config_parse_timestamp_policy },
  { "metrics", "token-file", parse_metrics_token },
};

const ConfigKey *
config_key_find (const char *group, const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group) && g_str_equal (keys[i].key, key))
      return &keys[i];
  return NULL;
}

gboolean
config_group_known (const char *group)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group))
      return TRUE;
  return FALSE;
}

char *
config_keys_of (const char *group)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group))
      g_string_append_printf (list, "%s%s", list->len ? ", " : "", keys[i].key);
  return g_string_free (g_steal_pointer (&list), FALSE);
}

char *
config_groups (void)
{
  return g_strdup (
      "[station], [http], [ice], [relay NAME], [mllp], [dicom], [camera NAME], [microphone NAME], "
      "[stethoscope NAME], [device NAME], [serial NAME], [deliver NAME], [bluetooth], [recording], "
      "[room], "
      "[signing], [timestamp], [metrics]");
}
