/* The messages of simulated monitors of several makes, quirks included. */
#pragma once
#include "patient_model.h"

typedef enum {
  MAKE_IHE,     /* IHE PCD-01 and WCM to the letter */
  MAKE_MINDRAY, /* the same, its names; facets below every row, DEMO when asked */
  MAKE_COMEN, /* no MSH-3, cuff codes, a weight of 0, ranges lo^hi, original mode, whole seconds */
  MAKE_PHILIPS, /* MDIL codes, Latin-1, 62.5 Hz, rate coded 0^MDC_ATTR_SAMP_RATE */
  MAKE_GE,      /* LF, nobody named, 240 Hz without facets, several sentinels */
} Make;
/* "ihe", "mindray" …; FALSE: no such. */
gboolean make_from_name (const char *name, Make *ret);

typedef struct {
  Make make;
  const char *patient_id; /* PID-3; "": none is sent */
  const char *serial;     /* EUI-64 */
  gboolean demo;          /* everything is marked as simulated */
} MonitorWords;

/* (transfer full) The numbers of now. id: control id; utc_us: time of measuring. */
char *monitor_numbers_message (const MonitorWords *words, const PatientNumbers *numbers, guint id,
                               gint64 utc_us);
/* (transfer full) All waves of a window: from is the patient's time, utc_us the same as UTC. */
char *monitor_waves_message (const MonitorWords *words, const Patient *patient, guint id,
                             double from, double seconds, gint64 utc_us);
/* (transfer full) Who is in this bed? QRY^R02. */
char *monitor_query_message (const MonitorWords *words, guint id, gint64 utc_us);
typedef struct {
  const char *event; /* "196652^MDC_EVT_LO_VAL_LT_LIM" */
  const char *text;
  guint32 source; /* what it is about, MDC */
  const char *source_name;
  double value;
  const char *limits;
  const char *phase;    /* start continue end */
  const char *priority; /* PH PM PL */
  gboolean low;
} MonitorAlarm;
/* (transfer full) IHE PCD-04. */
char *monitor_alarm_message (const MonitorWords *words, const MonitorAlarm *alarm, guint id,
                             gint64 utc_us);
