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
  const char *ucum;     /* the unit in which low and high are given, the base of its quantity */
  double low, high;     /* low == high: no range */
  gboolean zero_absent; /* some monitors send 0 for "not measured" */
} CodeEntry;

const CodeEntry *code_by_mdc (guint32 mdc);
/* By reference id, synonyms of the same number included. */
const CodeEntry *code_by_name (const char *name);

/* What a LOINC code means here. ret_ucum: base unit that the code itself demands ("mmol/L" for the
 * molar concentration of glucose), NULL when any unit of the quantity will do. */
const CodeEntry *code_by_loinc (const char *loinc, const char **ret_ucum);
/* TRUE when both name the same reading; heart and pulse rate are told apart by the source of the
 * beat, which displays and LOINC codes often do not. */
gboolean code_same_reading (const CodeEntry *a, const CodeEntry *b);
/* The vital sign that a vendor's display word names beyond doubt ("SpO2", "NBPs"), NULL when it
 * names none of ours. Good for finding a contradiction, never for mapping. */
const CodeEntry *code_by_word (const char *word);

/* A unit and how its values become those of the base unit: (value - offset) * factor. */
typedef struct {
  guint32 mdc;      /* partition 4; 0: not known here by number */
  const char *name; /* MDC reference id; NULL: none */
  const char *ucum;
  const char *base; /* UCUM of the base unit of its quantity */
  double factor, offset;
} UnitEntry;

const UnitEntry *unit_by_mdc (guint32 mdc);
const UnitEntry *unit_by_name (const char *name);
const UnitEntry *unit_by_ucum (const char *ucum);
/* By the spellings that devices use ("bpm", "mm(hg)", "°C"), whatever their case. "C" and "F" are
 * degrees: electric charge and capacity are no vital signs. */
const UnitEntry *unit_by_word (const char *word);
double unit_to_base (const UnitEntry *unit, double value);
