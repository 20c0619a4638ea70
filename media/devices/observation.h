/* One reading of a medical device, in the form in which it is shown, sent and kept.
 *
 * Codes are IEEE 11073-10101 (MDC) and LOINC, units UCUM (docs/devices.md has the JSON schema).
 * Specials (NaN, sentinels, "not measured") never become numbers: value_type is OBS_NONE and
 * absent_reason says why. Implausible values are flagged, never clamped or dropped.
 */
#pragma once
#include <glib.h>
#include <jansson.h>

typedef enum { OBS_NONE, OBS_NUMBER, OBS_TEXT } ObservationType;

typedef enum {
  OBS_TIME_DEVICE,       /* the device's own clock, with its offset */
  OBS_TIME_DEVICE_LOCAL, /* the device's clock without an offset: station's zone assumed */
  OBS_TIME_STATION,      /* no usable time in the message: time of arrival */
} ObservationTime;

typedef struct {
  guint32 mdc; /* 0: unmapped */
  char *code;  /* "MDC_PULS_OXIM_SAT_O2", or the vendor's own word when unmapped */
  char *loinc; /* NULL when there is none */
  char *vital; /* short key for the page: spo2 pulse hr nibp-sys nibp-dia nibp-mean temp
                * resp glucose weight height; NULL otherwise */
  ObservationType type;
  double number;
  char *number_text; /* as the device wrote it: precision is kept */
  char *text;
  char *unit;          /* UCUM; NULL when the device gave none */
  char *absent_reason; /* "not-measured", "unparsable", ... (docs/devices.md); NULL when there is a
                          value */
  char *site;          /* body site, device's words */
  char *containment;   /* OBX-4: "1.1.1.150456" */
  gint64 time_us;      /* UTC, µs since 1970 */
  ObservationTime time_source;
  char *device;       /* EUI-64 or vendor's id of the device; NULL unknown */
  char *patient_id;   /* as the device knows the patient; NULL when it sent none */
  char *patient_name; /* display form, family first */
  char *patient_family, *patient_given; /* its parts as sent; NULL when the device has none */
  char *alarm_range;                    /* OBX-7: alarm range set on the device */
  GStrv flags;        /* OBX-8 words: H, L, TEST, DEMO, ... plus ours: implausible, unmapped,
                       * code-conflict, corrected; never NULL */
  char *status;       /* OBX-11: R F X C ... */
  gboolean test;      /* DEMO, TEST or CAL: never patient data */
  char *message_id;   /* MSH-10; the number of a record in a device's memory */
  char *device_time;  /* the device's clock as it wrote it, "????-04-17T20:41:59" where it left
                       * parts out; NULL: not kept */
  char *device_value; /* what the device wrote, where its unit was converted: "18.9 kPa" */
  char *device_user;  /* slot of the device's own user; NULL: none. Names no patient */
  char *raw;          /* which reading of which bytes: the start of their SHA-256, and its place
                       * among the readings of the message; NULL: not known again when sent again */
} Observation;

Observation *observation_new (void);
void observation_free (Observation *observation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Observation, observation_free)

gboolean observation_has_flag (const Observation *observation, const char *flag);
/* Adds a flag once. */
void observation_add_flag (Observation *observation, const char *flag);
/* Takes the value away and says why. What the device wrote may stay readable in `text`. */
void observation_make_absent (Observation *observation, const char *reason);
/* (transfer full) The JSON object of docs/devices.md. */
json_t *observation_to_json (const Observation *observation);
