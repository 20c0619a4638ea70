#include "station/config_keys.h"
#include "station/calls/call_plan.h"
#include "media/key_lines.h"

#include <gio/gio.h>
#include <string.h>

G_DEFINE_QUARK (nhipcau - config - error, config_error)

#define CONFIG_MAX_BYTES (256 * 1024)
#define CONFIG_MAX_SOURCES 8
#define CONFIG_MAX_SERIALS 16

static void
config_listen_free (void *data)
{
  ConfigListen *listen = data;
  g_free (listen->address);
  g_free (listen);
}

static void
config_source_free (void *data)
{
  ConfigSource *source = data;
  g_free (source->name);
  g_free (source->address);
  g_free (source->user);
  g_free (source->password);
  g_free (source->onvif);
  g_free (source->onvif_user);
  g_free (source->onvif_password);
  g_free (source->onvif_ca_file);
  g_free (source);
}

static void
config_device_free (void *data)
{
  ConfigDevice *device = data;
  g_free (device->name);
  g_free (device->id);
  g_free (device->profile);
  g_free (device);
}

static void
config_relay_free (void *data)
{
  ConfigRelay *section = data;
  g_free (section->name);
  g_ptr_array_unref (section->relays);
  g_free (section->user);
  g_free (section->password);
  g_free (section->secret);
  g_free (section->ca_file);
  g_free (section);
}

static Config *
config_new (void)
{
  Config *config = g_new0 (Config, 1);
  config->relays = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
  config->listen = g_ptr_array_new_with_free_func (config_listen_free);
  config->cameras = g_ptr_array_new_with_free_func (config_source_free);
  config->microphones = g_ptr_array_new_with_free_func (config_source_free);
  config->stethoscopes = g_ptr_array_new_with_free_func (config_source_free);
  config->devices = g_ptr_array_new_with_free_func (config_device_free);
  config->serials = g_ptr_array_new_with_free_func (config_serial_free);
  config->delivers = g_ptr_array_new_with_free_func (config_deliver_free);
  config->providers = g_ptr_array_new_with_free_func (config_provider_free);
  config->issuers = g_ptr_array_new_with_free_func (config_issuer_free);
  config->levels = g_ptr_array_new_with_free_func (call_level_free);
  config->http_port = 8443;
  config->mllp_listen = g_strdup ("127.0.0.1");
  config->mllp_port = 2575;
  config->dicom_listen = g_strdup ("127.0.0.1");
  config->dicom_title = g_strdup ("NHIPCAU");
  config->dicom_largest = G_GUINT64_CONSTANT (256) << 20;
  config->dicom_callers = g_ptr_array_new_with_free_func (config_caller_free);
  config->idle_seconds = 15 * 60;
  config->visits.early_minutes = 30;
  config->visits.late_minutes = 60;
  config->keep_free = G_GUINT64_CONSTANT (2) << 30;
  config->reserve = G_GUINT64_CONSTANT (64) << 20;
  config->warn_days = 30;
  config->signing.renew_days = 90;
  config->make_room_below = G_GUINT64_CONSTANT (10) << 30;
  config->make_room_age = 30;
  return config;
}

void
config_free (Config *config)
{
  if (config == NULL)
    return;
  char *const texts[] = { config->file,
                          config->station_name,
                          config->station_id,
                          config->language,
                          config->state,
                          config->boot_credential,
                          config->tpm,
                          config->duty_phone,
                          config->icd10_file,
                          config->facility_code,
                          config->facility_address,
                          config->facility_phone,
                          config->certificate,
                          config->key,
                          config->key_secret_file,
                          config->public_url,
                          config->rp_id,
                          config->stun,
                          config->mllp_listen,
                          config->dicom_listen,
                          config->dicom_title,
                          config->metrics_token,
                          config->loudspeaker,
                          config->echo_microphone,
                          config->profiles,
                          config->signing.people_ca,
                          config->signing.crl,
                          config->signing.keys,
                          config->signing.url,
                          config->signing.authority_ca,
                          config->signing.policy };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  config_rendezvous_clear (&config->rendezvous);
  config_visits_clear (&config->visits);
  config_conference_clear (&config->conference);
  g_strfreev (config->host_names);
  g_ptr_array_unref (config->listen);
  g_ptr_array_unref (config->cameras);
  g_ptr_array_unref (config->microphones);
  g_ptr_array_unref (config->stethoscopes);
  g_ptr_array_unref (config->devices);
  g_ptr_array_unref (config->serials);
  g_ptr_array_unref (config->delivers);
  g_ptr_array_unref (config->providers);
  g_ptr_array_unref (config->issuers);
  g_ptr_array_unref (config->levels);
  g_ptr_array_unref (config->dicom_callers);
  g_ptr_array_unref (config->relays);
  g_free (config);
}

/* ---- Groups ----------------------------------------------------------------------------- */

typedef struct {
  Config *config;
  GKeyFile *file;
  const KeyLines *lines;
  const char *name, *folder;
  GPtrArray *relays; /* ConfigRelay */
} Reader;

static gboolean
fail_at (const Reader *reader, const char *group, const char *key, const char *what, GError **error)
{
  guint line = key_lines_of (reader->lines, group, key);
  if (key == NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s:%u: [%s] %s", reader->name, line,
                 group, what);
  else
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s:%u: [%s] %s: %s", reader->name, line,
                 group, key, what);
  return FALSE;
}

static gboolean
name_taken (const Config *config, const char *name)
{
  GPtrArray *const lists[] = { config->cameras, config->microphones, config->stethoscopes };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (guint j = 0; j < lists[i]->len; j++)
      if (g_str_equal (((ConfigSource *)lists[i]->pdata[j])->name, name))
        return TRUE;
  return FALSE;
}

static GPtrArray *
sources_of (Config *config, const char *kind)
{
  if (g_str_equal (kind, "camera"))
    return config->cameras;
  return g_str_equal (kind, "stethoscope") ? config->stethoscopes : config->microphones;
}

/* The section of a named group; NULL with error, or NULL for a group without a name. */
static gboolean
make_section (Reader *reader, const char *group, const char *kind, const char *name,
              void **ret_section, GError **error)
{
  Config *config = reader->config;
  gboolean named = g_str_equal (kind, "camera") || g_str_equal (kind, "microphone")
                   || g_str_equal (kind, "stethoscope") || g_str_equal (kind, "device")
                   || g_str_equal (kind, "relay") || g_str_equal (kind, "serial")
                   || g_str_equal (kind, "deliver") || g_str_equal (kind, "provider")
                   || g_str_equal (kind, "issuer") || g_str_equal (kind, "level");
  *ret_section = NULL;
  if (named != (name != NULL))
    return fail_at (reader, group, NULL,
                    named ? "wants a name, as in [camera room]" : "takes no name", error);
  if (!named)
    return TRUE;
  if (!config_is_name (name))
    return fail_at (reader, group, NULL,
                    "has a bad name: a to z, 0 to 9 and -, a letter first, 32 characters at most",
                    error);
  if (g_str_equal (kind, "relay")) {
    ConfigRelay *relay = g_new0 (ConfigRelay, 1);
    relay->name = g_strdup (name);
    relay->relays = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
    g_ptr_array_add (reader->relays, relay);
    *ret_section = relay;
    return TRUE;
  }
  if (g_str_equal (kind, "serial")) {
    if (config->serials->len >= CONFIG_MAX_SERIALS)
      return fail_at (reader, group, NULL, "is too many: 16 serial devices at most", error);
    *ret_section = config_serial_new (config, name);
    return TRUE;
  }
  if (g_str_equal (kind, "deliver")) {
    *ret_section = config_deliver_new (config, name);
    return TRUE;
  }
  if (g_str_equal (kind, "provider")) {
    *ret_section = config_provider_new (config, name);
    return TRUE;
  }
  if (g_str_equal (kind, "issuer")) {
    *ret_section = config_issuer_new (config, name);
    return TRUE;
  }
  if (g_str_equal (kind, "level")) {
    if (config->levels->len >= CALL_LEVELS_MAX)
      return fail_at (reader, group, NULL, "is too many: 16 levels at most", error);
    *ret_section = call_level_new (name);
    g_ptr_array_add (config->levels, *ret_section);
    return TRUE;
  }
  if (g_str_equal (kind, "device")) {
    ConfigDevice *device = g_new0 (ConfigDevice, 1);
    device->name = g_strdup (name);
    g_ptr_array_add (config->devices, device);
    *ret_section = device;
    return TRUE;
  }
  if (name_taken (config, name))
    return fail_at (reader, group, NULL,
                    "has the name of another camera, microphone or stethoscope", error);
  if (config->cameras->len + config->microphones->len + config->stethoscopes->len
      >= CONFIG_MAX_SOURCES)
    return fail_at (reader, group, NULL,
                    "is too many: 8 cameras, microphones and stethoscopes at most", error);
  ConfigSource *source = g_new0 (ConfigSource, 1);
  source->name = g_strdup (name);
  g_ptr_array_add (sources_of (config, kind), source);
  *ret_section = source;
  return TRUE;
}

static gboolean
read_key (Reader *reader, const char *group, const char *kind, void *section, const char *key,
          GError **error)
{
  const ConfigKey *found = config_key_find (kind, key);
  g_autofree char *value = NULL, *wrong = NULL, *allowed = NULL;
  if (found == NULL) {
    allowed = config_keys_of (kind);
    wrong = g_strdup_printf ("is no key of this group; allowed: %s", allowed);
    return fail_at (reader, group, key, wrong, error);
  }
  ConfigPlace place = { reader->config, section, reader->folder };
  value = g_key_file_get_string (reader->file, group, key, NULL);
  wrong = value != NULL ? found->parse (&place, value)
                        : g_strdup ("cannot be read: write UTF-8, and \\\\ for \\");
  return wrong == NULL || fail_at (reader, group, key, wrong, error);
}

/* A relay's addresses, each with what the group says of all of them. */
static gboolean
relay_is_whole (Reader *reader, const char *group, const ConfigRelay *section, GError **error)
{
  Config *config = reader->config;
  if (section->relays->len == 0)
    return fail_at (reader, group, NULL, "wants the key address", error);
  if ((section->secret != NULL) == (section->password != NULL))
    return fail_at (
        reader, group, NULL,
        "wants either secret-file (coturn's use-auth-secret), or user and password-file", error);
  if (section->password != NULL && section->user == NULL)
    return fail_at (reader, group, NULL, "wants the user of this password-file", error);
  if (config->relays->len + section->relays->len > RELAY_MAX)
    return fail_at (reader, group, NULL, "is too many: 8 addresses of relays at most", error);
  for (guint i = 0; i < section->relays->len; i++) {
    Relay *relay = relay_copy (section->relays->pdata[i]);
    relay->user = g_strdup (section->user);
    relay->password = g_strdup (section->password);
    relay->secret = g_strdup (section->secret);
    relay->ca_file = g_strdup (section->ca_file);
    g_ptr_array_add (config->relays, relay);
  }
  return TRUE;
}

static gboolean
section_is_whole (Reader *reader, const char *group, const char *kind, void *section,
                  GError **error)
{
  if (section == NULL || g_str_equal (kind, "level"))
    return TRUE;
  if (g_str_equal (kind, "relay"))
    return relay_is_whole (reader, group, section, error);
  if (g_str_equal (kind, "serial")) {
    g_autofree char *serial_wrong = config_serial_judge (reader->config, section);
    return serial_wrong == NULL || fail_at (reader, group, NULL, serial_wrong, error);
  }
  if (g_str_equal (kind, "deliver")) {
    g_autofree char *deliver_wrong = config_deliver_judge (reader->config, section);
    return deliver_wrong == NULL || fail_at (reader, group, NULL, deliver_wrong, error);
  }
  if (g_str_equal (kind, "provider")) {
    g_autofree char *provider_wrong = config_provider_judge (reader->config, section);
    return provider_wrong == NULL || fail_at (reader, group, NULL, provider_wrong, error);
  }
  if (g_str_equal (kind, "issuer")) {
    g_autofree char *issuer_wrong = config_issuer_judge (reader->config, section);
    return issuer_wrong == NULL || fail_at (reader, group, NULL, issuer_wrong, error);
  }
  gboolean device = g_str_equal (kind, "device");
  const char *must = device ? ((ConfigDevice *)section)->id : ((ConfigSource *)section)->address;
  if (must == NULL)
    return fail_at (reader, group, NULL, device ? "wants the key id" : "wants the key address",
                    error);
  g_autofree char *wrong = device ? NULL : config_onvif_judge (section);
  return wrong == NULL || fail_at (reader, group, NULL, wrong, error);
}

static gboolean
read_group (Reader *reader, const char *group, GError **error)
{
  g_auto (GStrv) words = g_strsplit (group, " ", 2);
  void *section = NULL;
  if (!config_group_known (words[0])) {
    g_autofree char *groups = config_groups ();
    g_autofree char *wrong = g_strdup_printf ("is no known group; allowed: %s", groups);
    return fail_at (reader, group, NULL, wrong, error);
  }
  if (!make_section (reader, group, words[0], words[1], &section, error))
    return FALSE;
  g_auto (GStrv) keys = g_key_file_get_keys (reader->file, group, NULL, error);
  if (keys == NULL)
    return FALSE;
  for (guint i = 0; keys[i] != NULL; i++)
    if (!read_key (reader, group, words[0], section, keys[i], error))
      return FALSE;
  return section_is_whole (reader, group, words[0], section, error);
}

static gboolean
has_microphone (const Config *config, const char *name)
{
  for (guint i = 0; i < config->microphones->len; i++)
    if (g_str_equal (((ConfigSource *)config->microphones->pdata[i])->name, name))
      return TRUE;
  return FALSE;
}

/* A microphone that hears the loudspeaker without a canceller sends everybody their own voice. */
static gboolean
room_is_whole (const Reader *reader, GError **error)
{
  const Config *config = reader->config;
  if (config->loudspeaker != NULL && config->echo_microphone == NULL)
    return fail_at (reader, "room", "loudspeaker",
                    "wants the microphone that hears it: echo-microphone = NAME, of "
                    "[microphone NAME]; never a stethoscope",
                    error);
  if (config->echo_microphone != NULL && config->loudspeaker == NULL)
    return fail_at (reader, "room", "echo-microphone", "wants the loudspeaker: loudspeaker = …",
                    error);
  if (config->echo_microphone != NULL && !has_microphone (config, config->echo_microphone))
    return fail_at (reader, "room", "echo-microphone",
                    "names no microphone of this file: [microphone NAME]", error);
  return TRUE;
}

/* Keys that mean nothing alone. */
static gboolean
is_whole (const Reader *reader, GError **error)
{
  const Config *config = reader->config;
  if (config->key != NULL && config->certificate == NULL)
    return fail_at (reader, "http", "key", "wants the certificate of this key: certificate = FILE",
                    error);
  if (config->key_secret_file != NULL && config->key == NULL)
    return fail_at (reader, "http", "key-secret-file", "wants the key that it opens: key = …",
                    error);
  if (config->hide_host_candidates && config->stun == NULL && config->relays->len == 0)
    return fail_at (reader, "ice", "hide-host-candidates",
                    "wants stun or a [relay NAME], or nobody beyond this machine could be reached",
                    error);
  if (config->signing.url != NULL && config->signing.authority_ca == NULL)
    return fail_at (reader, "timestamp", "url",
                    "wants the root certificate of this authority: ca-file = FILE", error);
  g_autofree char *wrong = config_rendezvous_judge (config);
  if (wrong != NULL)
    return fail_at (reader, "rendezvous", NULL, wrong, error);
  g_autofree char *conference = config_conference_judge (config);
  if (conference != NULL)
    return fail_at (reader, "conference", NULL, conference, error);
  const char *unbounded = config_issuer_unbounded (config);
  if (unbounded != NULL) {
    g_autofree char *group = g_strdup_printf ("issuer %s", unbounded);
    return fail_at (reader, group, NULL,
                    "wants stations and people (patterns of ids, or none): there are several "
                    "issuers, and each vouches for its own",
                    error);
  }
  return room_is_whole (reader, error);
}

static gboolean
parse_into (Config *config, const char *text, const char *name, const char *folder, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) parse_error = NULL;
  guint line = 0;
  g_autofree char *wrong = NULL;
  g_autoptr (KeyLines) lines = key_lines_new (text, &line, &wrong);
  if (wrong != NULL) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s:%u: %s", name, line, wrong);
    return FALSE;
  }
  if (!g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, &parse_error)) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: %s", name, parse_error->message);
    return FALSE;
  }
  g_autoptr (GPtrArray) relays = g_ptr_array_new_with_free_func (config_relay_free);
  Reader reader = { config, file, lines, name, folder, relays };
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!read_group (&reader, groups[i], error))
      return FALSE;
  return is_whole (&reader, error);
}

static void
fill_defaults (Config *config)
{
  static const char *const local[] = { "127.0.0.1", "::1" };
  gboolean listen_given = config->listen->len > 0;
  if (config->station_name == NULL)
    config->station_name = g_strdup ("Trạm y tế");
  if (config->station_id == NULL)
    config->station_id = g_strdup ("station");
  if (config->language == NULL)
    config->language = g_strdup ("vi");
  for (guint i = 0; !listen_given && i < G_N_ELEMENTS (local); i++) {
    ConfigListen *listen = g_new0 (ConfigListen, 1);
    listen->address = g_strdup (local[i]);
    g_ptr_array_add (config->listen, listen);
  }
  if (config->host_names == NULL)
    config->host_names = g_new0 (char *, 1);
  g_autoptr (GUri) url = config->public_url != NULL
                             ? g_uri_parse (config->public_url, G_URI_FLAGS_NONE, NULL)
                             : NULL;
  config->rp_id = g_strdup (url != NULL ? g_uri_get_host (url) : "localhost");
}

Config *
config_parse (const char *text, const char *name, const char *folder, GError **error)
{
  g_autoptr (Config) config = config_new ();
  if (!parse_into (config, text, name, folder, error))
    return NULL;
  fill_defaults (config);
  return g_steal_pointer (&config);
}

static char *
neighbour_file (const char *state)
{
  g_autofree char *canonical = g_canonicalize_filename (state, NULL);
  g_autofree char *folder = g_path_get_dirname (canonical);
  return g_build_filename (folder, "station.conf", NULL);
}

Config *
config_load (const char *file, const char *state, GError **error)
{
  g_autofree char *path = NULL, *text = NULL, *folder = NULL;
  g_autoptr (GError) read_error = NULL;
  gsize length = 0;
  if (file != NULL)
    path = g_canonicalize_filename (file, NULL);
  else if (state != NULL)
    path = neighbour_file (state);
  gboolean absent = path == NULL || (file == NULL && !g_file_test (path, G_FILE_TEST_EXISTS));
  if (!absent && !g_file_get_contents (path, &text, &length, &read_error)) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s", read_error->message);
    return NULL;
  }
  if (length > CONFIG_MAX_BYTES || strlen (text != NULL ? text : "") != length) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_FILE,
                 "%s: is no configuration: too long, or with NUL bytes", path);
    return NULL;
  }
  folder = path != NULL ? g_path_get_dirname (path) : NULL;
  Config *config = config_parse (text != NULL ? text : "", path != NULL ? path : "", folder, error);
  if (config == NULL)
    return NULL;
  if (!absent)
    config->file = g_steal_pointer (&path);
  if (state != NULL) {
    g_free (config->state);
    config->state = g_canonicalize_filename (state, NULL);
  }
  return config;
}

/* ---- What follows from it --------------------------------------------------------------- */

char *
config_url (const Config *config)
{
  if (config->public_url != NULL)
    return g_strdup (config->public_url);
  return g_strdup_printf ("https://localhost:%u", config->http_port);
}

static gboolean
host_is (const char *host, gsize length, const char *name)
{
  return strlen (name) == length && g_ascii_strncasecmp (host, name, length) == 0;
}

static char *
public_host (const Config *config)
{
  g_autoptr (GUri) uri = config->public_url != NULL
                             ? g_uri_parse (config->public_url, G_URI_FLAGS_NONE, NULL)
                             : NULL;
  return uri != NULL ? g_strdup (g_uri_get_host (uri)) : NULL;
}

gboolean
config_host_allowed (const Config *config, const char *host)
{
  const char *start = host;
  gsize length;
  if (*host == '[') {
    const char *close = strchr (host, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
      return FALSE;
    start = host + 1;
    length = close - start;
  } else {
    length = strcspn (host, ":");
  }
  if (host_is (start, length, "localhost"))
    return TRUE;
  for (guint i = 0; config->host_names[i] != NULL; i++)
    if (host_is (start, length, config->host_names[i]))
      return TRUE;
  for (guint i = 0; i < config->listen->len; i++)
    if (host_is (start, length, ((ConfigListen *)config->listen->pdata[i])->address))
      return TRUE;
  g_autofree char *public = public_host (config);
  return public != NULL && host_is (start, length, public);
}

gboolean
config_origin_allowed (const Config *config, const char *origin)
{
  g_autoptr (GUri) uri = g_uri_parse (origin, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  if (host == NULL || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0)
    return FALSE;
  g_autofree char *bracketed
      = strchr (host, ':') != NULL ? g_strdup_printf ("[%s]", host) : g_strdup (host);
  if (!config_host_allowed (config, bracketed))
    return FALSE;
  /* Another port of the same host is another origin: another program's. */
  g_autoptr (GUri) public = config->public_url != NULL
                                ? g_uri_parse (config->public_url, G_URI_FLAGS_NONE, NULL)
                                : NULL;
  int port = g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : 443;
  if (public != NULL && g_ascii_strcasecmp (g_uri_get_host (public), host) == 0
      && port == (g_uri_get_port (public) > 0 ? g_uri_get_port (public) : 443))
    return TRUE;
  for (guint i = 0; i < config->listen->len; i++) {
    const ConfigListen *listen = config->listen->pdata[i];
    if (port == (listen->port != 0 ? listen->port : config->http_port))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_any_address (const char *address)
{
  return g_str_equal (address, "0.0.0.0") || g_str_equal (address, "::");
}

GStrv
config_certificate_names (const Config *config)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *public = public_host (config);
  g_ptr_array_add (names, (char *)"localhost");
  g_ptr_array_add (names, (char *)"127.0.0.1");
  g_ptr_array_add (names, (char *)"::1");
  for (guint i = 0; config->host_names[i] != NULL; i++)
    g_ptr_array_add (names, config->host_names[i]);
  for (guint i = 0; i < config->listen->len; i++)
    g_ptr_array_add (names, ((ConfigListen *)config->listen->pdata[i])->address);
  if (public != NULL)
    g_ptr_array_add (names, public);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < names->len; i++) {
    gboolean seen = is_any_address (names->pdata[i]);
    for (guint j = 0; j < i && !seen; j++)
      seen = g_str_equal (names->pdata[i], names->pdata[j]);
    if (!seen)
      g_strv_builder_add (builder, names->pdata[i]);
  }
  return g_strv_builder_end (builder);
}
