/* What a computer says to a Philips IntelliVue monitor (Data Export Interface Programming Guide):
 * payloads, without frame. All (transfer full). */
#pragma once
#include <glib.h>

#define IV_TICKS_PER_SECOND 8000u /* RelativeTime: 125 µs */

/* Operation types (ROSE) and commands. */
enum { IV_INVOKE = 1, IV_RESULT = 2, IV_FAILED = 3, IV_LINKED = 5 };
enum { IV_CONFIRMED_EVENT = 1, IV_CONFIRMED_SET = 5, IV_CONFIRMED_ACTION = 7 };
enum { IV_ACTION_POLL = 0x0C16, IV_ACTION_POLL_EXTENDED = 0xF13B };
enum { IV_EVENT_MDS_CREATE = 0x0D06 };
enum {
  IV_CLASS_NUMERIC = 0x0006,
  IV_CLASS_WAVE = 0x0009,
  IV_CLASS_MDS = 0x0021,
  IV_CLASS_PATIENT = 0x002A,
  IV_CLASS_ALERTS = 0x0036,
};
enum {
  IV_GROUP_ALL = 0,
  IV_GROUP_ALERTS = 0x0801,
  IV_GROUP_VALUES = 0x0803,
  IV_GROUP_PATIENT = 0x0807,
};
/* First bytes of a payload. */
enum {
  IV_SESSION_RELEASE = 0x09,
  IV_SESSION_REFUSAL = 0x0C,
  IV_SESSION_REQUEST = 0x0D,
  IV_SESSION_RESPONSE = 0x0E,
  IV_SESSION_ABORT = 0x19,
  IV_SESSION_DATA = 0xE1,
};

GByteArray *iv_request_association (void);
GByteArray *iv_request_abort (void);
GByteArray *iv_request_release (void);
/* Single poll of all objects of a class; id: invoke id and poll number. */
GByteArray *iv_request_poll (guint id, guint class, guint group);
/* Extended poll: the monitor sends waves by itself for `ticks` of RelativeTime. */
GByteArray *iv_request_waves (guint id, guint32 ticks);
/* Which waves matter most, for a line carries few. */
GByteArray *iv_request_wave_choice (guint id);
/* The result of the confirmed event `id`; object: its 6 bytes. */
GByteArray *iv_request_event_result (guint id, const guint8 *object, guint32 time, guint event);
