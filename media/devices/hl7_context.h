/* What the header segments of a message say for every OBX below them: who, which device, when
 * (private to media/devices). PCD-01 readings, WCM waves and PCD-04 alarms share it.
 *
 * The walk is the caller's: hl7_context_read() with each segment in order, and between them the
 * functions below for an OBX, with what stood above it.
 */
#pragma once
#include "media/devices/hl7_message.h"
#include "media/devices/observation.h"
#include "media/devices/profile.h"

typedef struct {
  const Hl7Message *message;
  const Profile *profile; /* NULL: none */
  GTimeZone *zone;        /* offset that the message names anywhere; NULL: the station's */
  gint64 now_us;
  const char *sender;
  char *message_id, *msh_time;
  char *msh_device; /* by MSH; names one device, not a gateway, when unique */
  gboolean msh_device_unique;
  char *bed;                             /* PV1-3, tells a gateway's devices apart */
  char *obr_time, *obr_end, *obr_device; /* of the newest OBR: OBR-7, OBR-8 */
  char *obr_code;                        /* OBR-4, first component */
  char *patient_id, *patient_name, *family, *given;
  gboolean test; /* MSH-11: training or debugging */
} Hl7Context;

/* now_us: UTC, for messages without a time. sender: a name for a device that does not name itself,
 * NULL for none. message, profile and sender must outlive the context. */
void hl7_context_init (Hl7Context *context, const Hl7Message *message, const Profile *profile,
                       gint64 now_us, const char *sender);
void hl7_context_clear (Hl7Context *context);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Hl7Context, hl7_context_clear)
/* Takes in MSH, PID, PV1 or OBR; other segments change nothing. */
void hl7_context_read (Hl7Context *context, guint segment);

/* OBX-18, else OBR, else MSH, and the bed where that is a gateway (transfer full); NULL: unnamed.
 */
char *hl7_context_device (const Hl7Context *context, guint segment);
/* OBX-14, else OBR-7, else MSH-7, else now: µs UTC. */
gint64 hl7_context_time (const Hl7Context *context, guint segment, ObservationTime *ret_source);
/* Another time of the message by the same rules; FALSE when text is none. */
gboolean hl7_context_parse_time (const Hl7Context *context, const char *text, gint64 *ret_us,
                                 ObservationTime *ret_source);
/* OBX-8, each word once; sets *ret_test for DEMO, TEST and CAL and the profile's own marks. */
GStrv hl7_context_flags (const Hl7Context *context, guint segment, gboolean *ret_test);
/* Device, patient, message, and whether it is a test, into o. */
void hl7_context_origin (const Hl7Context *context, guint segment, Observation *o);

/* Texts that many rows repeat are kept this short, or one hostile name would be copied 4,096
 * times. */
#define HL7_CONTEXT_TEXT_MAX 200
/* A component of the first repetition, cut to HL7_CONTEXT_TEXT_MAX (transfer full). */
char *hl7_context_get (const Hl7Message *message, guint segment, guint field, guint component);
