#include "station/monitors.h"
#include "media/devices/mllp_listener.h"
#include "media/devices/profile_set.h"
#include "media/devices/patient_query.h"
#include "station/alarms.h"
#include "station/readings.h"
#include "station/waves.h"

#include <string.h>

struct Monitors {
  Station *station;
  ProfileSet *profiles;
  MllpListener *listener;
  MllpListener *queries; /* a port of its own for questions; NULL: none */
};

/* ---- Profiles ---------------------------------------------------------------------------------
 */

GStrv
monitors_profile_folders (const Config *config)
{
  g_autoptr (GStrvBuilder) folders = g_strv_builder_new ();
  g_strv_builder_add (folders, NHIPCAU_PROFILES);
  if (config->profiles != NULL) {
    g_strv_builder_add (folders, config->profiles);
  } else if (config->file != NULL) {
    g_autofree char *folder = g_path_get_dirname (config->file);
    g_autofree char *own = g_build_filename (folder, "profiles", NULL);
    g_strv_builder_add (folders, own);
  }
  return g_strv_builder_end (folders);
}

/* A folder that is named must be there; the one that is only looked for need not. */
static gboolean
check_folder (const Config *config, GError **error)
{
  if (config->profiles == NULL || g_file_test (config->profiles, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
               "%s: [mllp] profiles: wants a folder of profiles; there is no %s",
               config->file != NULL ? config->file : "station.conf", config->profiles);
  return FALSE;
}

/* A device that station.conf gives a profile must be able to get it. */
static gboolean
check_devices (const Monitors *monitors, GError **error)
{
  const Config *config = monitors->station->config;
  for (guint i = 0; i < config->devices->len; i++) {
    const ConfigDevice *device = config->devices->pdata[i];
    if (device->profile == NULL || profile_set_find (monitors->profiles, device->profile) != NULL)
      continue;
    g_autofree char *names = profile_set_names (monitors->profiles);
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 "%s: [device %s] profile: there is no profile '%s'; there are: %s",
                 config->file != NULL ? config->file : "station.conf", device->name,
                 device->profile, *names != '\0' ? names : "none");
    return FALSE;
  }
  return TRUE;
}

/* By one of the names under which a message may mean this device. */
static gboolean
is_device (const ConfigDevice *device, const Hl7Message *message, const char *sender)
{
  if (g_strcmp0 (device->id, sender) == 0)
    return TRUE;
  for (guint segment = 0; segment < MIN (hl7_segments (message), 64); segment++) {
    const guint field = segment == 0 ? 3 : 18;
    for (guint component = 1; component <= 3; component++) {
      g_autofree char *id = hl7_get (message, segment, field, 0, component, 1);
      if (id != NULL && g_ascii_strcasecmp (id, device->id) == 0)
        return TRUE;
    }
  }
  return FALSE;
}

static const Profile *
profile_of (const Hl7Message *message, const char *sender, void *arg)
{
  const Monitors *monitors = arg;
  const Config *config = monitors->station->config;
  for (guint i = 0; i < config->devices->len; i++) {
    const ConfigDevice *device = config->devices->pdata[i];
    if (device->profile != NULL && is_device (device, message, sender))
      return profile_set_find (monitors->profiles, device->profile);
  }
  return profile_set_match (monitors->profiles, message);
}

/* ---- Who is the patient? ----------------------------------------------------------------------
 */

/* As its readings name it, which come without OBX-18 from the devices that ask. */
static char *
asking_device (const Hl7Message *message, const char *sender)
{
  static const guint FIELDS[][2] = { { 3, 2 }, { 3, 1 }, { 4, 2 }, { 4, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (FIELDS); i++) {
    char *id = hl7_get (message, 0, FIELDS[i][0], 0, FIELDS[i][1], 1);
    if (id != NULL && strlen (id) <= 200)
      return id;
    g_free (id);
  }
  return g_strdup (sender);
}

/* "1962-05-14" as 19620514, else the year. (transfer full) */
static char *
birth_of (const json_t *patient)
{
  const char *date = json_string_value (json_object_get (patient, "birth_date"));
  const json_t *year = json_object_get (patient, "birth_year");
  if (date != NULL) {
    g_auto (GStrv) parts = g_strsplit (date, "-", 3);
    return g_strjoinv ("", parts);
  }
  return json_is_integer (year) ? g_strdup_printf ("%d", (int)json_integer_value (year)) : NULL;
}

static GBytes *
answer_about (const Hl7Message *message, const Consult *consult)
{
  g_autofree char *id = consult_device_id (consult), *birth = birth_of (consult->patient);
  const QueryPatient patient
      = { .id = id,
          .name = json_string_value (json_object_get (consult->patient, "name")),
          .birth = birth,
          .sex = json_string_value (json_object_get (consult->patient, "sex")) };
  return patient_query_answer (message, &patient, g_get_real_time ());
}

/* A device that is neither the room's nor claimed learns nothing, nor does one that asks for
 * somebody else. */
static void
answer_query (Station *station, MllpMessage *message)
{
  const Hl7Message *parsed = mllp_message_parsed (message);
  const char *sender = mllp_message_sender (message);
  g_autofree char *device = asking_device (parsed, sender), *asked = patient_query_id (parsed);
  Consult *consult = readings_bound (station->readings, device, sender);
  if (consult != NULL && asked != NULL && consult_match_patient (consult, asked) != PATIENT_SAME)
    consult = NULL;
  g_autoptr (GBytes) answer = consult != NULL
                                  ? answer_about (parsed, consult)
                                  : patient_query_answer (parsed, NULL, g_get_real_time ());
  if (consult != NULL)
    station_event (station, consult->id, "station", "patient-told", device);
  mllp_message_answer (message, answer);
  station_changed (station);
}

/* ---- What they send ---------------------------------------------------------------------------
 */

/* Of one message: its readings and its waves are durable. */
typedef struct {
  MllpMessage *message;
  guint pending;
  GError *error;
} Receipt;

static void
message_kept (const GError *error, void *arg)
{
  mllp_message_done (arg, error);
}

static void
part_kept (const GError *error, void *arg)
{
  Receipt *receipt = arg;
  if (error != NULL && receipt->error == NULL)
    receipt->error = g_error_copy (error);
  if (--receipt->pending > 0)
    return;
  mllp_message_done (receipt->message, receipt->error);
  g_clear_error (&receipt->error);
  g_free (receipt);
}

static void
take_message (Station *station, const char *sender, MllpMessage *message)
{
  g_autoptr (GPtrArray) waves = mllp_message_steal_waves (message);
  gboolean waits = waves->len > 0 && mllp_message_is_acknowledged (message);
  Receipt *receipt = g_new0 (Receipt, 1);
  receipt->message = message;
  receipt->pending = waits ? 2 : 1;
  waves_take_all (station->waves, sender, sender, waves, waits ? part_kept : NULL, receipt);
  readings_take (station->readings, sender, mllp_message_content (message)->observations, part_kept,
                 receipt);
}

static void
receive (MllpListener *listener, MllpMessage *message, void *arg)
{
  Station *station = ((Monitors *)arg)->station;
  const Hl7Content *content = mllp_message_content (message);
  const char *sender = mllp_message_sender (message);
  if (mllp_message_duplicate (message)) {
    mllp_message_done (message, NULL);
    return;
  }
  if (content->query) {
    answer_query (station, message);
    return;
  }
  if (content->alarms->len > 0) {
    alarms_take (station, sender, content->alarms, message_kept, message);
    return;
  }
  take_message (station, sender, message);
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static gboolean
listen_on (Monitors *monitors, guint16 port, MllpListener **ret_listener, GError **error)
{
  const Config *config = monitors->station->config;
  if (port == 0)
    return TRUE;
  *ret_listener = mllp_listen (config->mllp_listen, port, receive, profile_of, monitors, error);
  return *ret_listener != NULL;
}

Monitors *
monitors_new (Station *station, GError **error)
{
  Monitors *monitors = g_new0 (Monitors, 1);
  g_auto (GStrv) folders = monitors_profile_folders (station->config);
  monitors->station = station;
  if (check_folder (station->config, error))
    monitors->profiles = profile_set_load ((const char *const *)folders, error);
  if (monitors->profiles == NULL || !check_devices (monitors, error)
      || !listen_on (monitors, station->config->mllp_port, &monitors->listener, error)
      || !listen_on (monitors, station->config->query_port, &monitors->queries, error)) {
    monitors_free (monitors);
    return NULL;
  }
  return monitors;
}

void
monitors_free (Monitors *monitors)
{
  g_clear_pointer (&monitors->listener, mllp_listener_free);
  g_clear_pointer (&monitors->queries, mllp_listener_free);
  g_clear_pointer (&monitors->profiles, profile_set_free);
  g_free (monitors);
}
