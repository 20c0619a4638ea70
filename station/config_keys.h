/* The keys of station.conf, one parser each, a file for each group. Private to config.c. */
#pragma once
#include "station/config.h"

/* What a parser works on. section: the ConfigSource, ConfigDevice, ConfigSerial or ConfigRelay of a
 * named group. */
typedef struct {
  Config *config;
  void *section;
  const char *folder; /* for relative paths; NULL: as given */
} ConfigPlace;

/* NULL when the value is good and stored, else what is wrong and what is allowed (transfer
 * full), the end of a sentence. */
typedef char *(*ConfigParser) (ConfigPlace *place, const char *value);

typedef struct {
  const char *group; /* "camera" stands for [camera NAME] */
  const char *key;
  ConfigParser parse;
} ConfigKey;

const ConfigKey *config_key_find (const char *group, const char *key);
gboolean config_group_known (const char *group);
/* "listen, port, names" of a group, for messages (transfer full). */
char *config_keys_of (const char *group);
/* "[station], [http] …" (transfer full) */
char *config_groups (void);

/* ---- What several have (config_value.c) ---- */
/* A text of 1 to max characters. */
char *config_take_text (char **target, const char *value, gsize max);
/* "true" or "false". */
char *config_take_boolean (gboolean *target, const char *value);
/* Which of the words, NULL after the last, the value is; FALSE: none of them. */
gboolean config_take_word (const char *const *words, const char *value, guint *ret);
/* What stations and sections are called: a to z, 0 to 9 and -, a letter first, 32 at most. */
gboolean config_is_name (const char *name);
/* A path, relative ones to the folder of station.conf (transfer full). */
char *config_path (const ConfigPlace *place, const char *value);
char *config_take_path (ConfigPlace *place, char **target, const char *value);
/* The first line of a file; passwords never stand in station.conf itself. */
char *config_take_secret_file (ConfigPlace *place, char **target, const char *value);
/* The same for a token that goes into a header: `least` or more letters and digits. */
char *config_take_token_file (ConfigPlace *place, char **target, const char *value, gsize least);
/* Where secrets go: an address by TLS, or on this machine; example: how one looks. */
char *config_take_private_url (char **target, const char *value, const char *example);
char *config_take_ca_file (ConfigPlace *place, char **target, const char *value);
/* A whole number from low to high. */
char *config_take_number (guint64 low, guint64 high, const char *value, guint64 *ret);
/* The same, of a guint. */
char *config_take_count (guint *target, guint low, guint high, const char *value);
/* A port from low to 65535. */
char *config_take_port (guint16 *target, const char *value, guint64 low);
/* "500M", "5G": binary multiples. */
char *config_take_size (guint64 *target, const char *value);

/* ---- [station], [metrics] (config_station.c) ---- */
char *config_parse_station_name (ConfigPlace *place, const char *value);
char *config_parse_station_id (ConfigPlace *place, const char *value);
char *config_parse_language (ConfigPlace *place, const char *value);
char *config_parse_state (ConfigPlace *place, const char *value);
char *config_parse_boot_credential (ConfigPlace *place, const char *value);
char *config_parse_tpm (ConfigPlace *place, const char *value);
char *config_parse_clock (ConfigPlace *place, const char *value);
char *config_parse_duty_phone (ConfigPlace *place, const char *value);
char *config_parse_icd10 (ConfigPlace *place, const char *value);
char *config_parse_facility_code (ConfigPlace *place, const char *value);
char *config_parse_facility_address (ConfigPlace *place, const char *value);
char *config_parse_facility_phone (ConfigPlace *place, const char *value);
char *config_parse_idle_lock (ConfigPlace *place, const char *value);
char *config_parse_metrics_token (ConfigPlace *place, const char *value);

/* ---- [http] (config_http.c) ---- */
char *config_parse_http_listen (ConfigPlace *place, const char *value);
char *config_parse_http_port (ConfigPlace *place, const char *value);
char *config_parse_http_names (ConfigPlace *place, const char *value);
char *config_parse_http_certificate (ConfigPlace *place, const char *value);
char *config_parse_http_key (ConfigPlace *place, const char *value);
char *config_parse_http_key_secret (ConfigPlace *place, const char *value);
char *config_parse_public_url (ConfigPlace *place, const char *value);

/* ---- [ice], [relay NAME] (config_ice.c) ---- */
char *config_parse_ice_ports (ConfigPlace *place, const char *value);
char *config_parse_stun (ConfigPlace *place, const char *value);
char *config_parse_hide_host (ConfigPlace *place, const char *value);
char *config_parse_relay_address (ConfigPlace *place, const char *value);
char *config_parse_relay_user (ConfigPlace *place, const char *value);
char *config_parse_relay_password_file (ConfigPlace *place, const char *value);
char *config_parse_relay_secret_file (ConfigPlace *place, const char *value);
char *config_parse_relay_ca_file (ConfigPlace *place, const char *value);

/* ---- [mllp], [camera NAME], [microphone NAME], [stethoscope NAME], [device NAME], [bluetooth]
 * (config_devices.c) ---- */
char *config_parse_mllp_listen (ConfigPlace *place, const char *value);
char *config_parse_mllp_port (ConfigPlace *place, const char *value);
char *config_parse_mllp_query_port (ConfigPlace *place, const char *value);
char *config_parse_mllp_profiles (ConfigPlace *place, const char *value);
char *config_parse_camera_address (ConfigPlace *place, const char *value);
char *config_parse_microphone_address (ConfigPlace *place, const char *value);
char *config_parse_camera_prefer (ConfigPlace *place, const char *value);
char *config_parse_camera_user (ConfigPlace *place, const char *value);
char *config_parse_camera_password_file (ConfigPlace *place, const char *value);
char *config_parse_camera_width (ConfigPlace *place, const char *value);
char *config_parse_camera_height (ConfigPlace *place, const char *value);
char *config_parse_camera_frame_rate (ConfigPlace *place, const char *value);
char *config_parse_device_id (ConfigPlace *place, const char *value);
char *config_parse_device_profile (ConfigPlace *place, const char *value);
char *config_parse_bluetooth (ConfigPlace *place, const char *value);

/* ---- [recording], [room] (config_room.c) ---- */
char *config_parse_keep_free (ConfigPlace *place, const char *value);
char *config_parse_reserve (ConfigPlace *place, const char *value);
char *config_parse_warn_days (ConfigPlace *place, const char *value);
char *config_parse_make_room (ConfigPlace *place, const char *value);
char *config_parse_make_room_below (ConfigPlace *place, const char *value);
char *config_parse_make_room_age (ConfigPlace *place, const char *value);
char *config_parse_microphone_owner (ConfigPlace *place, const char *value);
char *config_parse_loudspeaker (ConfigPlace *place, const char *value);
char *config_parse_echo_microphone (ConfigPlace *place, const char *value);

/* ---- [deliver NAME] (config_deliver.c) ---- */
char *config_parse_deliver_to (ConfigPlace *place, const char *value);
char *config_parse_deliver_title (ConfigPlace *place, const char *value);
char *config_parse_deliver_ca (ConfigPlace *place, const char *value);
char *config_parse_deliver_certificate (ConfigPlace *place, const char *value);
char *config_parse_deliver_key (ConfigPlace *place, const char *value);
char *config_parse_deliver_key_secret (ConfigPlace *place, const char *value);
char *config_parse_deliver_recording (ConfigPlace *place, const char *value);
char *config_parse_deliver_rate (ConfigPlace *place, const char *value);
/* The new section, in config. */
ConfigDeliver *config_deliver_new (Config *config, const char *name);
void config_deliver_free (void *deliver);
/* What is wrong with a whole section (transfer full); NULL: nothing. */
char *config_deliver_judge (const Config *config, const ConfigDeliver *deliver);

/* ---- [provider NAME], [guests] (config_provider.c) ---- */
char *config_parse_provider_issuer (ConfigPlace *place, const char *value);
char *config_parse_provider_client (ConfigPlace *place, const char *value);
char *config_parse_provider_title (ConfigPlace *place, const char *value);
char *config_parse_provider_scope (ConfigPlace *place, const char *value);
char *config_parse_provider_ca (ConfigPlace *place, const char *value);
char *config_parse_provider_claim (ConfigPlace *place, const char *value);
char *config_parse_provider_roles (ConfigPlace *place, const char *value);
char *config_parse_guests_specialists (ConfigPlace *place, const char *value);
/* The new section, in config. */
ConfigProvider *config_provider_new (Config *config, const char *name);
void config_provider_free (void *provider);
/* What is wrong with a whole section (transfer full); NULL: nothing. */
char *config_provider_judge (const Config *config, const ConfigProvider *provider);

/* ---- [issuer NAME] (config_issuer.c) ---- */
char *config_parse_issuer_certificate (ConfigPlace *place, const char *value);
char *config_parse_issuer_crl (ConfigPlace *place, const char *value);
char *config_parse_issuer_stations (ConfigPlace *place, const char *value);
char *config_parse_issuer_people (ConfigPlace *place, const char *value);
char *config_parse_issuer_est (ConfigPlace *place, const char *value);
char *config_parse_issuer_est_ca (ConfigPlace *place, const char *value);
char *config_parse_issuer_est_user (ConfigPlace *place, const char *value);
char *config_parse_issuer_est_password (ConfigPlace *place, const char *value);
/* The new section, in config. */
ConfigIssuer *config_issuer_new (Config *config, const char *name);
void config_issuer_free (void *issuer);
/* What is wrong with a whole section (transfer full); NULL: nothing. */
char *config_issuer_judge (const Config *config, const ConfigIssuer *issuer);
/* Several issuers, one of which does not say whom it vouches for: its name; NULL: none. */
const char *config_issuer_unbounded (const Config *config);

/* ---- [level NAME] (config_calls.c) ---- */
char *config_parse_level_title (ConfigPlace *place, const char *value);
char *config_parse_level_specialties (ConfigPlace *place, const char *value);
char *config_parse_level_facility (ConfigPlace *place, const char *value);
char *config_parse_level_desk (ConfigPlace *place, const char *value);
char *config_parse_level_call (ConfigPlace *place, const char *value);
char *config_parse_level_ring (ConfigPlace *place, const char *value);
char *config_parse_level_ring_emergency (ConfigPlace *place, const char *value);

/* ---- [serial NAME] (config_serial.c) ---- */
char *config_parse_serial_port (ConfigPlace *place, const char *value);
char *config_parse_serial_kind (ConfigPlace *place, const char *value);
char *config_parse_serial_speed (ConfigPlace *place, const char *value);
char *config_parse_serial_title (ConfigPlace *place, const char *value);
char *config_parse_serial_room (ConfigPlace *place, const char *value);
char *config_parse_serial_capture (ConfigPlace *place, const char *value);
/* Adds one of this name to config (transfer none). */
ConfigSerial *config_serial_new (Config *config, const char *name);
void config_serial_free (void *serial);
/* NULL when it is whole and its port is its own, else what is wrong (transfer full). */
char *config_serial_judge (const Config *config, const ConfigSerial *serial);

/* ---- [signing], [timestamp] (config_signing.c) ---- */
char *config_parse_signing_people (ConfigPlace *place, const char *value);
char *config_parse_signing_ocsp (ConfigPlace *place, const char *value);
char *config_parse_signing_crl (ConfigPlace *place, const char *value);
char *config_parse_signing_keys (ConfigPlace *place, const char *value);
char *config_parse_timestamp_url (ConfigPlace *place, const char *value);
char *config_parse_timestamp_ca (ConfigPlace *place, const char *value);
char *config_parse_timestamp_policy (ConfigPlace *place, const char *value);
char *config_parse_timestamp_renew (ConfigPlace *place, const char *value);

/* ---- [rendezvous] (config_rendezvous.c) ---- */
char *config_parse_rendezvous_broker (ConfigPlace *place, const char *value);
char *config_parse_rendezvous_ca (ConfigPlace *place, const char *value);
char *config_parse_rendezvous_pages (ConfigPlace *place, const char *value);
char *config_parse_rendezvous_desks (ConfigPlace *place, const char *value);
void config_rendezvous_clear (ConfigRendezvous *rendezvous);
/* What is wrong with the whole group (transfer full); NULL: nothing. */
char *config_rendezvous_judge (const Config *config);

/* ---- [visits] (config_visits.c) ---- */
char *config_parse_visits_early (ConfigPlace *place, const char *value);
char *config_parse_visits_late (ConfigPlace *place, const char *value);
char *config_parse_visits_clock (ConfigPlace *place, const char *value);
char *config_parse_visits_gateway (ConfigPlace *place, const char *value);
char *config_parse_visits_secret (ConfigPlace *place, const char *value);
char *config_parse_visits_ca (ConfigPlace *place, const char *value);
void config_visits_clear (ConfigVisits *visits);

/* ---- [conference], [whip] (config_conference.c) ---- */
char *config_parse_conference_publish (ConfigPlace *place, const char *value);
char *config_parse_conference_publish_token (ConfigPlace *place, const char *value);
char *config_parse_conference_read (ConfigPlace *place, const char *value);
char *config_parse_conference_read_token (ConfigPlace *place, const char *value);
char *config_parse_conference_operator (ConfigPlace *place, const char *value);
char *config_parse_conference_camera (ConfigPlace *place, const char *value);
char *config_parse_conference_ca (ConfigPlace *place, const char *value);
char *config_parse_conference_hosts (ConfigPlace *place, const char *value);
char *config_parse_whip_token (ConfigPlace *place, const char *value);
char *config_parse_whip_name (ConfigPlace *place, const char *value);
void config_conference_clear (ConfigConference *conference);
/* What is wrong with the whole group (transfer full); NULL: nothing. */
char *config_conference_judge (const Config *config);

/* ---- [dicom] (config_dicom.c) ---- */
char *config_parse_dicom_listen (ConfigPlace *place, const char *value);
char *config_parse_dicom_port (ConfigPlace *place, const char *value);
char *config_parse_dicom_title (ConfigPlace *place, const char *value);
char *config_parse_dicom_callers (ConfigPlace *place, const char *value);
char *config_parse_dicom_largest (ConfigPlace *place, const char *value);
void config_caller_free (void *caller);

/* ---- [camera NAME], how it turns (config_onvif.c) ---- */
char *config_parse_onvif (ConfigPlace *place, const char *value);
char *config_parse_onvif_user (ConfigPlace *place, const char *value);
char *config_parse_onvif_password (ConfigPlace *place, const char *value);
char *config_parse_onvif_ca (ConfigPlace *place, const char *value);
/* NULL when these keys go together, else what is wrong (transfer full). */
char *config_onvif_judge (const ConfigSource *source);
