/* The keys of station.conf, one parser each. Private to config.c. */
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

/* ---- [deliver NAME] (config_deliver.c) ---- */
char *config_parse_deliver_to (ConfigPlace *place, const char *value);
char *config_parse_deliver_title (ConfigPlace *place, const char *value);
char *config_parse_deliver_ca (ConfigPlace *place, const char *value);
char *config_parse_deliver_certificate (ConfigPlace *place, const char *value);
char *config_parse_deliver_key (ConfigPlace *place, const char *value);
char *config_parse_deliver_key_secret (ConfigPlace *place, const char *value);
/* The new section, in config. */
ConfigDeliver *config_deliver_new (Config *config, const char *name);
void config_deliver_free (void *deliver);
/* What is wrong with a whole section (transfer full); NULL: nothing. */
char *config_deliver_judge (const Config *config, const ConfigDeliver *deliver);

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

/* A text of 1 to max characters. */
char *config_take_text (char **target, const char *value, gsize max);
/* "true" or "false". */
char *config_take_boolean (gboolean *target, const char *value);
/* A path, relative ones to the folder of station.conf (transfer full). */
char *config_path (const ConfigPlace *place, const char *value);
char *config_take_path (ConfigPlace *place, char **target, const char *value);
/* The first line of a file; passwords never stand in station.conf itself. */
char *config_take_secret_file (ConfigPlace *place, char **target, const char *value);
char *config_take_ca_file (ConfigPlace *place, char **target, const char *value);
/* "500M", "5G": binary multiples. */
char *config_take_size (guint64 *target, const char *value);

/* ---- [signing], [timestamp] (config_signing.c) ---- */
char *config_parse_signing_people (ConfigPlace *place, const char *value);
char *config_parse_signing_crl (ConfigPlace *place, const char *value);
char *config_parse_signing_keys (ConfigPlace *place, const char *value);
char *config_parse_timestamp_url (ConfigPlace *place, const char *value);
char *config_parse_timestamp_ca (ConfigPlace *place, const char *value);
char *config_parse_timestamp_policy (ConfigPlace *place, const char *value);

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
