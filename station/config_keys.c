/* Which groups and keys station.conf has, and who parses each. */
#include "station/config_keys.h"

static const ConfigKey keys[] = {
  { "station", "name", config_parse_station_name },
  { "station", "id", config_parse_station_id },
  { "station", "language", config_parse_language },
  { "station", "state", config_parse_state },
  { "station", "boot-credential", config_parse_boot_credential },
  { "station", "tpm", config_parse_tpm },
  { "station", "clock", config_parse_clock },
  { "station", "duty-phone", config_parse_duty_phone },
  { "station", "icd10", config_parse_icd10 },
  { "station", "facility-code", config_parse_facility_code },
  { "station", "address", config_parse_facility_address },
  { "station", "phone", config_parse_facility_phone },
  { "station", "idle-lock", config_parse_idle_lock },
  { "http", "listen", config_parse_http_listen },
  { "http", "port", config_parse_http_port },
  { "http", "names", config_parse_http_names },
  { "http", "certificate", config_parse_http_certificate },
  { "http", "key", config_parse_http_key },
  { "http", "key-secret-file", config_parse_http_key_secret },
  { "http", "public-url", config_parse_public_url },
  { "rendezvous", "broker", config_parse_rendezvous_broker },
  { "rendezvous", "ca-file", config_parse_rendezvous_ca },
  { "rendezvous", "pages", config_parse_rendezvous_pages },
  { "rendezvous", "desks", config_parse_rendezvous_desks },
  { "ice", "ports", config_parse_ice_ports },
  { "ice", "stun", config_parse_stun },
  { "ice", "hide-host-candidates", config_parse_hide_host },
  { "relay", "address", config_parse_relay_address },
  { "relay", "user", config_parse_relay_user },
  { "relay", "password-file", config_parse_relay_password_file },
  { "relay", "secret-file", config_parse_relay_secret_file },
  { "relay", "ca-file", config_parse_relay_ca_file },
  { "mllp", "listen", config_parse_mllp_listen },
  { "mllp", "port", config_parse_mllp_port },
  { "mllp", "query-port", config_parse_mllp_query_port },
  { "mllp", "profiles", config_parse_mllp_profiles },
  { "dicom", "listen", config_parse_dicom_listen },
  { "dicom", "port", config_parse_dicom_port },
  { "dicom", "ae-title", config_parse_dicom_title },
  { "dicom", "callers", config_parse_dicom_callers },
  { "dicom", "largest", config_parse_dicom_largest },
  { "camera", "address", config_parse_camera_address },
  { "camera", "user", config_parse_camera_user },
  { "camera", "password-file", config_parse_camera_password_file },
  { "camera", "width", config_parse_camera_width },
  { "camera", "height", config_parse_camera_height },
  { "camera", "frame-rate", config_parse_camera_frame_rate },
  { "camera", "prefer", config_parse_camera_prefer },
  { "camera", "onvif", config_parse_onvif },
  { "camera", "onvif-user", config_parse_onvif_user },
  { "camera", "onvif-password-file", config_parse_onvif_password },
  { "camera", "onvif-ca-file", config_parse_onvif_ca },
  { "stethoscope", "address", config_parse_microphone_address },
  { "microphone", "address", config_parse_microphone_address },
  { "device", "id", config_parse_device_id },
  { "device", "profile", config_parse_device_profile },
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
  { "deliver", "recording", config_parse_deliver_recording },
  { "deliver", "rate", config_parse_deliver_rate },
  { "issuer", "certificate", config_parse_issuer_certificate },
  { "issuer", "crl", config_parse_issuer_crl },
  { "issuer", "stations", config_parse_issuer_stations },
  { "issuer", "people", config_parse_issuer_people },
  { "issuer", "est", config_parse_issuer_est },
  { "issuer", "est-ca-file", config_parse_issuer_est_ca },
  { "issuer", "est-user", config_parse_issuer_est_user },
  { "issuer", "est-password-file", config_parse_issuer_est_password },
  { "level", "title", config_parse_level_title },
  { "level", "specialties", config_parse_level_specialties },
  { "level", "facility", config_parse_level_facility },
  { "level", "desk", config_parse_level_desk },
  { "level", "call", config_parse_level_call },
  { "level", "ring", config_parse_level_ring },
  { "level", "ring-emergency", config_parse_level_ring_emergency },
  { "bluetooth", "enabled", config_parse_bluetooth },
  { "recording", "keep-free", config_parse_keep_free },
  { "recording", "reserve", config_parse_reserve },
  { "recording", "warn-days", config_parse_warn_days },
  { "recording", "make-room", config_parse_make_room },
  { "recording", "make-room-below", config_parse_make_room_below },
  { "recording", "make-room-age", config_parse_make_room_age },
  { "room", "microphone-owner", config_parse_microphone_owner },
  { "room", "loudspeaker", config_parse_loudspeaker },
  { "room", "echo-microphone", config_parse_echo_microphone },
  { "provider", "issuer", config_parse_provider_issuer },
  { "provider", "client-id", config_parse_provider_client },
  { "provider", "title", config_parse_provider_title },
  { "provider", "scope", config_parse_provider_scope },
  { "provider", "ca-file", config_parse_provider_ca },
  { "provider", "roles-claim", config_parse_provider_claim },
  { "provider", "roles", config_parse_provider_roles },
  { "guests", "specialists", config_parse_guests_specialists },
  { "signing", "people-ca", config_parse_signing_people },
  { "signing", "crl", config_parse_signing_crl },
  { "signing", "ocsp", config_parse_signing_ocsp },
  { "signing", "keys", config_parse_signing_keys },
  { "timestamp", "url", config_parse_timestamp_url },
  { "timestamp", "ca-file", config_parse_timestamp_ca },
  { "timestamp", "policy", config_parse_timestamp_policy },
  { "timestamp", "renew-before", config_parse_timestamp_renew },
  { "metrics", "token-file", config_parse_metrics_token },
  { "visits", "early", config_parse_visits_early },
  { "visits", "late", config_parse_visits_late },
  { "visits", "clock", config_parse_visits_clock },
  { "visits", "gateway", config_parse_visits_gateway },
  { "visits", "secret-file", config_parse_visits_secret },
  { "visits", "ca-file", config_parse_visits_ca },
  { "conference", "publish", config_parse_conference_publish },
  { "conference", "publish-token-file", config_parse_conference_publish_token },
  { "conference", "read", config_parse_conference_read },
  { "conference", "read-token-file", config_parse_conference_read_token },
  { "conference", "operator", config_parse_conference_operator },
  { "conference", "camera", config_parse_conference_camera },
  { "conference", "ca-file", config_parse_conference_ca },
  { "conference", "redirect-hosts", config_parse_conference_hosts },
  { "whip", "token-file", config_parse_whip_token },
  { "whip", "name", config_parse_whip_name },
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
      "[stethoscope NAME], [device NAME], [serial NAME], [deliver NAME], [issuer NAME], [level "
      "NAME], "
      "[bluetooth], [recording], "
      "[room], "
      "[provider NAME], [guests], [signing], [timestamp], [metrics], [visits], "
      "[conference], [whip]");
}
