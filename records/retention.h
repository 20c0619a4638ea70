/* Retention: how long the law wants a consultation kept, what holds it longer, and what may be
 * erased (erasure.h does it). Circular 33/2025: 10 years; 20 for accidents and psychiatric
 * conditions; 30 after a death.
 *
 * What differs from ten years without a hold stands in the station's own sealed rows of kind
 * "retention": {"consultation", "class", "hold", "reason"}; the newest of a consultation rules.
 * They outlive the consultation's key, and open without VK, so that a station knows what is due
 * while nobody is signed in.
 */
#pragma once
#include "records/erasure.h"

typedef enum {
  RETENTION_ORDINARY,    /* "ordinary": 10 years */
  RETENTION_ACCIDENT,    /* "accident": 20 */
  RETENTION_PSYCHIATRIC, /* "psychiatric": 20 */
  RETENTION_DEATH,       /* "death": 30 */
} RetentionClass;
const char *retention_class_name (RetentionClass class);
gboolean retention_class_parse (const char *name, RetentionClass *ret_class);
guint retention_years (RetentionClass class);
/* What an ICD-10 code asks for: F00–F99 psychiatric; S00–T98 and V01–Y98 accident; R95–R99 death.
 * Anything else, NULL included: ordinary. */
RetentionClass retention_class_of_code (const char *icd10);
/* The one that keeps longer. */
RetentionClass retention_longer (RetentionClass a, RetentionClass b);

typedef struct {
  char *consult, *day, *due; /* days: "2026-11-20"; due: the first day on which it may go */
  RetentionClass class;
  gboolean hold;
  char *reason;   /* of class or hold; NULL: none */
  guint purposes; /* bits: which keys are there */
  gboolean is_due;
} RetentionLine;
void retention_line_free (RetentionLine *line);

/* The clock as far as it may be believed. Not trusted: nothing is due. */
typedef struct {
  gint64 utc_us;
  gboolean trusted;
} RetentionClock;

/* Every consultation that still has a key, oldest first: array of RetentionLine*. Wants the
 * station's key (LOCKED). Any thread. */
GPtrArray *retention_list (Store *store, const RetentionClock *clock, GError **error);
/* One of them; NOT_FOUND. */
RetentionLine *retention_of (Store *store, const char *consult, const RetentionClock *clock,
                             GError **error);

/* Each waits for the disk. reason: for the record; a hold wants one. user NULL: the station. */
gboolean retention_set_class (Store *store, const char *consult, RetentionClass class,
                              const char *user, const char *reason, GError **error);
gboolean retention_set_hold (Store *store, const char *consult, gboolean hold, const char *user,
                             const char *reason, GError **error);

/* Whether the rules let these purposes go, for this reason: nothing under a hold; the clinical
 * record only for ERASURE_RETENTION on a trusted clock when it is due (ERASURE_UNCLAIMED judges
 * the holding keys elsewhere); recording and teaching for ERASURE_CONSENT and ERASURE_DISK at any
 * time. FALSE with error FAILED in words that say what to do. */
gboolean retention_allows (Store *store, const Erasure *erasure, const RetentionClock *clock,
                           GError **error);
