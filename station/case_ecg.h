/* ECGs of a consultation, for its papers: those of files that were added, else the newest seconds
 * of what the monitor sent live. Samples stay the device's own integers. */
#pragma once
#include "records/store.h"

#include <math.h>

#define CASE_ECG_SECONDS 10 /* of each lead */
#define CASE_ECGS_MAX 5     /* of one consultation */

typedef struct {
  char *name;
  guint32 mdc;     /* 0: unmapped */
  char *unit;      /* UCUM: "mV", "uV"; "": not known */
  double scale;    /* of one step, in unit; 0: bare numbers */
  double offset;   /* of sample 0 */
  double rate;     /* samples a second */
  guint count;     /* CASE_ECG_SECONDS of them at most */
  gint32 *samples; /* WAVE_MISSING: nothing was measured */
} CaseEcgLead;

typedef struct {
  char *id;                  /* of its attachment; "live" */
  char *title;               /* name of the file; "" */
  char *time;                /* when it was taken, as clock_text(); "": not known */
  GPtrArray *leads;          /* CaseEcgLead* */
  GPtrArray *interpretation; /* char*, the device's sentences */
} CaseEcg;

/* Array of CaseEcg* (transfer full); what does not open or is no ECG is left out. view:
 * case_view(). Any thread. */
GPtrArray *case_ecgs (Store *store, const char *consult, const json_t *view);

/* Millivolts; NAN where nothing was measured or the lead is not in volts. */
double case_ecg_mv (const CaseEcgLead *lead, guint index);
