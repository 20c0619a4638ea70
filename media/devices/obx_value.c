/* OBX-5: the value, and what the rest of the segment says about it. */
#include "media/devices/obx.h"
#include <math.h>
#include <string.h>

static void
set (char **place, char *value)
{
  g_free (*place);
  *place = value;
}

/* HL7 NM (2.A.47): sign, digits, point. Nothing else is a number: no comma, no exponent. Gives the
 * length of the number that text begins with, 0 when there is none. */
static gsize
number_length (const char *text)
{
  const char *digits = text + (*text == '+' || *text == '-');
  gsize whole = strspn (digits, "0123456789");
  gsize fraction = digits[whole] == '.' ? strspn (digits + whole + 1, "0123456789") : 0;
  if (whole + fraction == 0 || whole + fraction > 17)
    return 0;
  return (digits - text) + whole + (digits[whole] == '.' ? 1 + fraction : 0);
}

static gboolean
parse_number (const char *text, double *ret_value)
{
  gsize length = number_length (text);
  if (length == 0 || text[length] != '\0')
    return FALSE;
  *ret_value = g_ascii_strtod (text, NULL);
  return isfinite (*ret_value);
}

static void
take_number (Observation *o, double number, char *text)
{
  o->type = OBS_NUMBER;
  o->number = number;
  set (&o->number_text, text);
}

static void
take_text (Observation *o, char *text)
{
  o->type = OBS_TEXT;
  set (&o->text, text);
}

static void
take_unparsable (Observation *o, char *text)
{
  observation_make_absent (o, "unparsable");
  set (&o->text, text);
}

/* A limit of the device's range: "<40", ">=600", and a glucometer's HI and LO. */
static gboolean
is_limit (const char *text, const CodeEntry *entry)
{
  double number;
  if (*text == '<' || *text == '>') {
    const char *rest = text + 1 + (text[1] == '=');
    while (*rest == ' ')
      rest++;
    return parse_number (rest, &number);
  }
  return g_strcmp0 (entry->vital, "glucose") == 0
         && (g_ascii_strcasecmp (text, "HI") == 0 || g_ascii_strcasecmp (text, "LO") == 0);
}

/* "98 %": a number and behind it a unit, which must be the one of OBX-6 when that has one. */
static gboolean
take_number_with_unit (Observation *o, char *text)
{
  gsize length = number_length (text);
  if (length == 0 || text[length] == '\0')
    return FALSE;
  g_autofree char *word = g_strstrip (g_strdup (text + length));
  const UnitEntry *unit = unit_by_ucum (word);
  if (unit == NULL)
    unit = unit_by_word (word);
  if (unit == NULL || (o->unit != NULL && !g_str_equal (o->unit, unit->ucum)))
    return FALSE;
  if (o->unit == NULL)
    o->unit = g_strdup (unit->ucum);
  text[length] = '\0';
  take_number (o, g_ascii_strtod (text, NULL), text);
  return TRUE;
}

/* The value of something that is a quantity, as text of whatever type: a number, a limit of the
 * device's range, or nothing that may be shown as one. */
static void
read_quantity (Observation *o, char *text, const CodeEntry *entry)
{
  double number;
  if (text == NULL)
    observation_make_absent (o, "not-measured");
  else if (parse_number (text, &number))
    take_number (o, number, text);
  else if (entry != NULL && is_limit (text, entry))
    take_text (o, text);
  else if (!take_number_with_unit (o, text))
    take_unparsable (o, text);
}

/* The field as the device wrote it, but for escapes; NULL when empty. */
static char *
whole_field (const Hl7Message *message, guint segment)
{
  guint n = MIN (hl7_repetitions (message, segment, 5), 64);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < n; i++) {
    g_autofree char *part = hl7_get_plain (message, segment, 5, i);
    if (i > 0)
      g_string_append_c (text, '~');
    g_string_append (text, part != NULL ? part : "");
  }
  return text->len > 0 && !g_str_equal (text->str, "\"\"") ? g_strdup (text->str) : NULL;
}

/* TRUE when OBX-5 is one plain text: no repetition, no component. Separators at the end, after
 * which nothing comes, do not count. */
static gboolean
is_simple (const Hl7Message *message, guint segment)
{
  g_autofree char *first = hl7_get (message, segment, 5, 0, 1, 1);
  g_autofree char *all = whole_field (message, segment);
  if (all == NULL)
    return TRUE;
  gsize n = first != NULL ? strlen (first) : 0;
  return first != NULL && strncmp (all, first, n) == 0
         && strspn (all + n, "~^&") == strlen (all + n);
}

static char *
joined (char *const *parts)
{
  return g_strconcat (parts[0] != NULL ? parts[0] : "", parts[1] != NULL ? parts[1] : "",
                      parts[2] != NULL ? parts[2] : "", parts[3] != NULL ? parts[3] : "", NULL);
}

/* SN (2.A.70): comparator^number^separator^number. Only a plain number is one. */
static void
read_structured (Observation *o, const Hl7Message *message, guint segment, const CodeEntry *entry)
{
  char *parts[5] = { NULL };
  for (guint i = 0; i < 4; i++)
    parts[i] = hl7_get (message, segment, 5, 0, i + 1, 1);
  gboolean repeated = hl7_repetitions (message, segment, 5) > 1;
  double number;
  /* Many put the number where the comparator belongs. */
  if (parts[0] != NULL && parts[1] == NULL && parse_number (parts[0], &number)) {
    parts[1] = parts[0];
    parts[0] = NULL;
  }
  gboolean plain = (parts[0] == NULL || g_str_equal (parts[0], "=")) && parts[2] == NULL
                   && parts[3] == NULL && !repeated;
  g_autofree char *text = joined (parts);
  if (plain)
    read_quantity (o, g_strdup (parts[1]), entry);
  else if (repeated)
    take_unparsable (o, whole_field (message, segment));
  else if (entry == NULL || entry->vital == NULL || is_limit (text, entry))
    take_text (o, g_steal_pointer (&text));
  else
    take_unparsable (o, g_steal_pointer (&text));
  for (guint i = 0; i < 4; i++)
    g_free (parts[i]);
}

static void
read_text (Observation *o, const Hl7Message *message, guint segment, gboolean coded)
{
  char *text = coded ? hl7_get (message, segment, 5, 0, 2, 1) : NULL;
  if (coded && text == NULL)
    text = hl7_get (message, segment, 5, 0, 1, 1);
  if (!coded)
    text = whole_field (message, segment);
  if (text == NULL)
    observation_make_absent (o, "not-measured");
  else
    take_text (o, text);
}

static gboolean
is_one_of (const char *type, const char *const *types)
{
  return type != NULL && g_strv_contains (types, type);
}

void
obx_read_value (Observation *o, const Hl7Message *message, guint segment, const CodeEntry *entry)
{
  static const char *const CODED[] = { "CWE", "CNE", "CE", "CF", NULL };
  static const char *const BULK[] = { "NA", "MA", "ED", "RP", NULL };
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  gboolean quantity = entry != NULL && entry->vital != NULL;
  if (is_one_of (type, BULK))
    observation_make_absent (o, "unsupported");
  else if (g_strcmp0 (type, "SN") == 0)
    read_structured (o, message, segment, entry);
  else if (type == NULL || g_str_equal (type, "NM") || quantity) {
    if (is_simple (message, segment))
      read_quantity (o, hl7_get (message, segment, 5, 0, 1, 1), entry);
    else
      take_unparsable (o, whole_field (message, segment));
  } else
    read_text (o, message, segment, is_one_of (type, CODED));
}

/* ---- What the rest says about it ------------------------------------------------------------- */

/* Takes the number away and keeps what the device wrote. */
static void
withhold (Observation *o, const char *reason)
{
  g_autofree char *written = g_strdup (o->type == OBS_NUMBER ? o->number_text : o->text);
  if (o->absent_reason != NULL)
    return;
  observation_make_absent (o, reason);
  if (written != NULL)
    set (&o->text, g_steal_pointer (&written));
}

static gboolean
status_is (const Observation *o, const char *letters)
{
  return o->status != NULL && strlen (o->status) == 1 && strchr (letters, o->status[0]) != NULL;
}

/* HL7 table 0085, and the flags of IHE DEV TF-3 (OBX-8). */
static void
judge_status (Observation *o)
{
  if (status_is (o, "XNOI") || observation_has_flag (o, "NAV") || observation_has_flag (o, "NI"))
    withhold (o, "not-available");
  if (status_is (o, "C"))
    observation_add_flag (o, "corrected");
  /* What the device takes back must not stand as a value. */
  if (status_is (o, "DW")) {
    observation_add_flag (o, "withdrawn");
    withhold (o, "withdrawn");
  }
  if (observation_has_flag (o, "INV"))
    withhold (o, "invalid");
}

/* Numbers that stand for "none" in the field's devices: nothing measured is below zero, but a
 * temperature in cold weather; and the ends of 15, 16, 23, 31 and 32 bits. */
static gboolean
is_sentinel (const Observation *o, const CodeEntry *entry)
{
  static const double ENDS[] = { 32767, 65535, 8388607, 2147483647, 4294967295.0, 9999, 99999 };
  if (o->number < 0 && !g_str_equal (entry->ucum, "Cel"))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (ENDS); i++)
    if (fabs (o->number) == ENDS[i])
      return TRUE;
  return o->number == -32768 || o->number == -8388608;
}

static void
judge_range (Observation *o, const CodeEntry *entry, const UnitEntry *unit)
{
  double value = unit != NULL ? unit_to_base (unit, o->number) : o->number;
  if (entry->low < entry->high && (value < entry->low || value > entry->high))
    observation_add_flag (o, "implausible");
}

static void
judge_profile (Observation *o, const Profile *profile)
{
  const char *unit = profile != NULL && o->unit == NULL ? profile_unit (profile, o->mdc) : NULL;
  if (profile != NULL && o->type == OBS_NUMBER && profile_is_absent (profile, o->mdc, o->number))
    withhold (o, "not-measured");
  if (unit != NULL) {
    set (&o->unit, g_strdup (unit));
    observation_add_flag (o, "profile");
  }
}

/* The unit of another quantity: the code or the unit is wrong, and nobody knows which. */
static gboolean
unit_fits (const UnitEntry *unit, const CodeEntry *entry, const char *demanded_ucum)
{
  return g_str_equal (unit->base, entry->ucum)
         && (demanded_ucum == NULL || g_str_equal (unit->ucum, demanded_ucum));
}

void
obx_judge (Observation *o, const CodeEntry *entry, const Profile *profile,
           const char *demanded_ucum)
{
  judge_status (o);
  judge_profile (o, profile);
  const UnitEntry *unit = o->unit != NULL ? unit_by_ucum (o->unit) : NULL;
  if (entry != NULL && unit != NULL && !unit_fits (unit, entry, demanded_ucum))
    observation_add_flag (o, "unit-conflict");
  if (observation_has_flag (o, "unit-conflict")) {
    g_clear_pointer (&o->vital, g_free);
    return;
  }
  if (entry == NULL)
    return;
  if (g_strcmp0 (entry->vital, "glucose") == 0 && unit != NULL
      && g_str_equal (unit->ucum, "mmol/L"))
    set (&o->loinc, g_strdup ("14743-9"));
  if (o->type != OBS_NUMBER)
    return;
  if ((o->number == 0 && entry->zero_absent) || is_sentinel (o, entry)) {
    withhold (o, "not-measured");
    return;
  }
  if (o->unit == NULL)
    observation_add_flag (o, "no-unit");
  if (unit != NULL || o->unit == NULL)
    judge_range (o, entry, unit);
}
