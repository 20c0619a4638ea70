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

/* What this machine's clock is worth: AUTO as the kernel says; else something keeps it right that
 * the kernel does not know of, or nothing does that can be believed. */
typedef enum { CONFIG_CLOCK_AUTO, CONFIG_CLOCK_TRUSTED, CONFIG_CLOCK_UNTRUSTED } ConfigClock;

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
  gboolean recording;                                  /* the recording goes there too; not DICOM */
  guint rate; /* kbit/s at most, FHIR; 0: as fast as it goes */
} ConfigDeliver;

/* Where specialists sign in: an OpenID provider. */
typedef struct {
  char *name, *title; /* title: for people; NULL: the name */
  char *issuer, *client_id;
  char *scope;       /* NULL: "openid profile" */
  char *ca_file;     /* NULL: the system's authorities */
  char *roles_claim; /* NULL: everybody whom it knows */
  GStrv roles;
} ConfigProvider;

/* Whose certificates count here (certs/peer_check.h), and where the station gets its own. */
typedef struct {
  char *name;
  char *certificate;      /* PEM: the authority that issues */
  char *crl;              /* path or http(s):// of its revocation list */
  GStrv stations, people; /* patterns of ids; NULL: not given */
  char *est;              /* base of its enrolment server; NULL: none */
  char *est_ca_file;      /* NULL: certificate */
  char *est_user, *est_password;
} ConfigIssuer;

typedef struct {
  char *name, *title; /* title: for people; NULL: the name */
  char *port;         /* as serial_port_find(), or CONFIG_SERIAL_LAN and an address */
  char *kind;         /* of line_kind_find(); NULL: whichever is understood */
  guint speed;        /* 0: the kind's own */
  gboolean room;      /* belongs to the room: what it says goes to the consultation on screen */
  gboolean capture;   /* every byte is kept, sealed */
} ConfigSerial;

typedef struct {
  char *address; /* as it is written, for people */
  char *host;
  guint16 port;
  gboolean tls;
} ConfigBroker;

/* [rendezvous]: how pages reach the station through a broker (docs/rendezvous.md). */
typedef struct {
  GPtrArray *brokers; /* ConfigBroker*, nodes of one cluster; NULL: there is none */
  char *ca_file;      /* of the broker's certificate; NULL: the system's authorities */
  char *pages;        /* origin of the hospital's pages, without a slash at the end */
  char *rp_id; /* to which passkeys of those pages belong: their host; NULL: there are none */
  GStrv desks; /* that the station may call, in the order of escalation; NULL: none */
} ConfigRendezvous;

/* [signing] and [timestamp]; each may be NULL. */
typedef struct {
  char *people_ca, *crl;             /* PEM files: roots of those who sign, revocation lists */
  char *keys;                        /* folder with USER.crt and USER.key or USER.uri */
  gboolean no_ocsp;                  /* responders that certificates name are not asked */
  char *url, *authority_ca, *policy; /* of the time-stamping authority */
  guint renew_days;                  /* before a time-stamp ends */
} ConfigSigning;

/* [visits]: patients who come by appointment. */
typedef struct {
  guint early_minutes, late_minutes; /* how long before and after its time a link opens */
  gboolean trust_clock;              /* the machine's clock is right, whatever the kernel says */
  char *url, *token, *ca_file;       /* of the gateway for text messages; each may be NULL */
} ConfigVisits;

/* A place at a conference's server; url NULL: not in use. */
typedef struct {
  char *url, *token;
} ConfigWhip;

/* [conference] and [whip]; each may be NULL. */
typedef struct {
  ConfigWhip publish, read; /* WHIP, WHEP */
  char *operator_name;      /* of that server, for people */
  char *camera;             /* that is published; NULL: the first */
  char *ca_file;
  GStrv hosts;         /* to which the server may send us */
  char *receive_token; /* of those who publish to this station; NULL: nobody may */
  char *receive_name;  /* of them, for people */
} ConfigConference;

typedef struct {
  char *file; /* NULL: defaults only */

  char *station_name, *station_id, *language, *state;
  char *boot_credential;
  char *tpm; /* as tpm2-tools name it, "device:/dev/tpmrm0"; NULL: none is used */
  ConfigClock clock;
  char *duty_phone; /* on the screen when the link is gone; NULL: none */
  char *icd10_file; /* NULL: the built-in list */
  char *facility_code, *facility_address, *facility_phone; /* of papers; NULL: not given */
  guint idle_seconds; /* without a touch until the console locks; 0: never */

  GPtrArray *listen; /* ConfigListen* */
  guint16 http_port;
  GStrv host_names; /* beyond localhost and the listening addresses */
  char *certificate, *key, *key_secret_file;
  char *public_url; /* without a slash at the end; NULL: https://localhost:port */
  char *rp_id;      /* to which passkeys belong: the host of that address */

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
  GPtrArray *devices;          /* ConfigDevice*, those that belong to the room */
  GPtrArray *serials;          /* ConfigSerial* */
  GPtrArray *delivers;         /* ConfigDeliver* */
  GPtrArray *providers;        /* ConfigProvider* */
  gboolean specialists_proven; /* a specialist has to sign in */
  GPtrArray *issuers;          /* ConfigIssuer* */
  GPtrArray *levels;           /* CallLevel* (calls/call_plan.h), in the order of the file */

  BluetoothUse bluetooth; /* auto: where there is a bluetoothd */

  guint64 keep_free, reserve; /* bytes */
  guint warn_days;            /* of recent use until the disk is full: the console says so */
  gboolean make_room;         /* delivered recordings may be erased while space is short */
  guint64 make_room_below;    /* bytes that recordings may use: begins below */
  guint make_room_age;        /* days: younger ones are spared */
  MicrophoneOwner microphone_owner;
  char *loudspeaker;     /* NULL: the station plays nothing in the room */
  char *echo_microphone; /* the microphone that hears the loudspeaker */

  ConfigSigning signing;
  ConfigRendezvous rendezvous;
  ConfigVisits visits;
  ConfigConference conference;

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
