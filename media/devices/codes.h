/* Canonical codes: IEEE 11073-10101 (MDC) ↔ LOINC ↔ UCUM, and the hard range of each vital sign.
 *
 * Numbers are those of docs/devices.md. A range is no clinical judgement: outside of it a value is
 * flagged "implausible", never changed.
 */
#pragma once
#include <glib.h>

typedef struct {
  guint32 mdc;
  const char *name;  /* MDC reference id */
  const char *vital; /* key of the page; NULL: known, but no vital sign of ours */
  const char *loinc;
  const char *ucum;     /* the unit in which low and high are given */
  double low, high;     /* low == high: no range */
  gboolean zero_absent; /* some monitors send 0 for "not measured" */
} CodeEntry;

const CodeEntry *code_by_mdc (guint32 mdc);
const CodeEntry *code_by_name (const char *name);
const CodeEntry *code_by_loinc (const char *loinc);

/* UCUM text of an MDC unit code (partition 4); NULL when unknown. */
const char *unit_by_mdc (guint32 mdc);
/* TRUE when text is a UCUM unit that one of our codes uses. */
gboolean unit_is_known_ucum (const char *text);
