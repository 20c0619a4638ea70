/* station.conf: one key file, every key checked by a parser of its own.
 *
 * An unknown group or key, a key given twice and a bad value are errors that name file, line,
 * key and what is allowed. station/station.conf.example shows every key.
 * All paths are absolute after reading; relative ones in the file start at the file's folder.
 */
#pragma once
#include "media/rung.h"
#include "media/transport/relay.h"

#define CONFIG_ERROR (config_error_quark ())
GQuark config_error_quark (void);
typedef enum { CONFIG_ERROR_FILE, CONFIG_ERROR_VALUE } ConfigError;

typedef enum { MICROPHONE_AUTO, MICROPHONE_STATION, MICROPHONE_CONSOLE } MicrophoneOwner;

typedef enum { BLUETOOTH_AUTO, BLUETOOTH_ON, BLUETOOTH_OFF } BluetoothUse;

typedef struct {
  char *address;
  guint16 port; /* 0: the port of [http] */
} ConfigListen;

typedef struct {
  char *name, *address;
  char *user, *password;
  guint width, height, frame_rate;
  RungPrefer prefer;                 /* of a camera: BALANCED, MOTION or DETAIL */
  char *onvif;                       /* its ONVIF device service; NULL: it does not turn */
  char *onvif_user, *onvif_password; /* NULL: user and password */
  char *onvif_ca_file;               /* NULL: the system's authorities */
} ConfigSource;

typedef struct {
  char *name, *id; /* id: EUI-64 or the sender as the log names it */
  char *profile;   /* name of a profile; NULL: by what its messages say of themselves */
} ConfigDevice;

#define CONFIG_SERIAL_LAN "udp:"

/* Who may send DICOM objects. */
typedef struct {
  char *title;   /* AE title */
  char *address; /* NULL: any */
} ConfigCaller;

typedef enum { DELIVER_FHIR, DELIVER_FOLDER, DELIVER_DICOM } DeliverKind;

/* Where signed consultations go. */
typedef struct {
  char *name, *title; /* title: for people; NULL: the name */
  char *to;           /* as it stands in the file */
  DeliverKind kind;
  char *host, *called; /* DICOM: where, and its AE title */
  guint16 port;
  char *ca_file, *certificate, *key, *key_secret_file; /* FHIR; key_secret_file NULL: none */
} ConfigDeliver;

typedef struct {
  char *name, *title; /* title: for people; NULL: the name */
  char *port;         /* as serial_port_find(), or CONFIG_SERIAL_LAN and an address */
  char *kind;         /* of line_kind_find(); NULL: whichever is understood */
  guint speed;        /* 0: the kind's own */
  gboolean room;      /* belongs to the room: what it says goes to the consultation on screen */
  gboolean capture;   /* every byte is kept, sealed */
} ConfigSerial;

/* [signing] and [timestamp]; each may be NULL. */
typedef struct {
  char *people_ca, *crl; /* PEM files: roots of those who sign, revocation lists */
  char *keys;            /* folder with USER.crt and USER.key or USER.uri */
  char *url, *authority_ca, *policy; /* of the time-stamping authority */
} ConfigSigning;

typedef struct {
  char *file; /* NULL: defaults only */

  char *station_name, *station_id, *language, *state;
  char *boot_credential;
  char *duty_phone; /* on the screen when the link is gone; NULL: none */
  char *icd10_file; /* NULL: the built-in list */
  char *facility_code, *facility_address, *facility_phone; /* of papers; NULL: not given */
  guint idle_seconds; /* without a touch until the console locks; 0: never */

  GPtrArray *listen; /* ConfigListen* */
  guint16 http_port;
  GStrv host_names; /* beyond localhost and the listening addresses */
  char *certificate, *key, *key_secret_file;
  char *public_url; /* without a slash at the end; NULL: https://localhost:port */

  guint16 ice_port_min, ice_port_max;
  char *stun;        /* "host:port"; NULL: none */
  GPtrArray *relays; /* Relay*, in the order of the file; RELAY_MAX at most */
  gboolean hide_host_candidates;

  char *mllp_listen;
  guint16 mllp_port;  /* 0: no listener */
  guint16 query_port; /* a second port, for devices that ask elsewhere; 0: none */
  char *profiles;     /* folder of the station's own profiles of devices; NULL: beside the file */

  char *dicom_listen, *dicom_title;
  guint16 dicom_port;       /* 0: no listener */
  guint64 dicom_largest;    /* bytes of one object */
  GPtrArray *dicom_callers; /* ConfigCaller* */

  GPtrArray *cameras, *microphones, *stethoscopes; /* ConfigSource* */
  GPtrArray *devices;  /* ConfigDevice*, those that belong to the room */
  GPtrArray *serials;  /* ConfigSerial* */
  GPtrArray *delivers; /* ConfigDeliver* */

  BluetoothUse bluetooth; /* auto: where there is a bluetoothd */

  guint64 keep_free, reserve; /* bytes */
  MicrophoneOwner microphone_owner;
  char *loudspeaker;     /* NULL: the station plays nothing in the room */
  char *echo_microphone; /* the microphone that hears the loudspeaker */

  ConfigSigning signing;

  char *metrics_token; /* NULL: no /metrics */
} Config;

typedef struct {
  char *name;
  GPtrArray *relays; /* Relay*: one per address; the other keys go to all of them */
  char *user, *password, *secret, *ca_file;
} ConfigRelay;

/* file NULL: STATE's neighbour station.conf when there is one, else defaults.
 * state overrides [station] state. */
Config *config_load (const char *file, const char *state, GError **error);
/* Parses text; name is for messages, folder for relative paths. */
Config *config_parse (const char *text, const char *name, const char *folder, GError **error);
void config_free (Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Config, config_free)

/* The address people open: public_url or https://localhost:PORT (transfer full). */
char *config_url (const Config *config);
/* Is this Host header's value (name or name:port) one of ours? */
gboolean config_host_allowed (const Config *config, const char *host);
/* Is this Origin header's value ("https://name:port") a page of ours? */
gboolean config_origin_allowed (const Config *config, const char *origin);
/* Names and addresses for the certificate (transfer full). */
GStrv config_certificate_names (const Config *config);
