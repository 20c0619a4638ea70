#include "media/devices/pcd01.h"
#include "media/devices/codes.h"
#include "media/devices/hl7_time.h"
#include <errno.h>
#include <math.h>
#include <string.h>

/* What holds for every OBX until another header segment says otherwise. */
typedef struct {
  const Hl7Message *message;
  GTimeZone *zone; /* offset that the message names anywhere; NULL: the station's */
  gint64 now_us;
  const char *sender;
  char *message_id, *device, *time; /* of MSH, OBR */
  char *patient_id, *patient_name, *family, *given;
  gboolean test; /* MSH-11: training or debugging */
} Context;

gboolean
pcd01_is_supported (const Hl7Message *message)
{
  g_autofree char *type = hl7_get (message, 0, 9, 0, 1, 1);
  g_autofree char *event = hl7_get (message, 0, 9, 0, 2, 1);
  return g_strcmp0 (type, "ORU") == 0 && g_strcmp0 (event, "R01") == 0;
}

static void
set (char **place, char *value)
{
  g_free (*place);
  *place = value;
}

/* ---- Header segments ---------------------------------------------------------------------- */

/* What every observation repeats is kept short, or one hostile name would be copied 4,096 times. */
#define CONTEXT_TEXT_MAX 200

static char *
bounded (char *text)
{
  if (text != NULL && g_utf8_strlen (text, -1) > CONTEXT_TEXT_MAX)
    *g_utf8_offset_to_pointer (text, CONTEXT_TEXT_MAX) = '\0';
  return text;
}

static char *
get (const Hl7Message *message, guint segment, guint field, guint component)
{
  return bounded (hl7_get (message, segment, field, 0, component, 1));
}

/* EI or HD: namespace^universal id^type. The universal id names one device, the namespace a make.
 */
static char *
entity_id (const Hl7Message *message, guint segment, guint field)
{
  char *universal = get (message, segment, field, 2);
  return universal != NULL ? universal : get (message, segment, field, 1);
}

static char *
device_of_obr (const Hl7Message *message, guint segment)
{
  for (guint field = 3; field >= 2; field--) {
    g_autofree char *type = get (message, segment, field, 4);
    if (g_strcmp0 (type, "EUI-64") == 0)
      return get (message, segment, field, 3);
  }
  return NULL;
}

static void
read_msh (Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  set (&context->message_id, get (message, segment, 10, 1));
  set (&context->time, get (message, segment, 7, 1));
  set (&context->device, entity_id (message, segment, 3));
  if (context->device == NULL)
    set (&context->device, entity_id (message, segment, 4));
  if (context->device == NULL)
    set (&context->device, g_strdup (context->sender));
  g_autofree char *processing = get (message, segment, 11, 1);
  context->test = g_strcmp0 (processing, "T") == 0 || g_strcmp0 (processing, "D") == 0;
  g_clear_pointer (&context->zone, g_time_zone_unref);
  if (context->time != NULL)
    context->zone = hl7_time_zone (context->time);
}

static void
read_pid (Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  set (&context->patient_id, get (message, segment, 3, 1));
  set (&context->family, get (message, segment, 5, 1));
  set (&context->given, get (message, segment, 5, 2));
  g_autofree char *further = get (message, segment, 5, 3);
  g_autofree char *name = g_strjoin (" ", context->family != NULL ? context->family : "",
                                     context->given != NULL ? context->given : "",
                                     further != NULL ? further : "", NULL);
  g_strstrip (name);
  set (&context->patient_name, *name != '\0' ? bounded (g_steal_pointer (&name)) : NULL);
}

static void
read_obr (Context *context, guint segment)
{
  char *time = get (context->message, segment, 7, 1);
  if (time != NULL)
    set (&context->time, time);
  char *device = device_of_obr (context->message, segment);
  if (device != NULL)
    set (&context->device, device);
}

/* ---- One OBX ------------------------------------------------------------------------------ */

static const CodeEntry *
resolve_mdc (Observation *o, guint32 mdc, const char *name)
{
  const CodeEntry *entry = code_by_mdc (mdc);
  const CodeEntry *named = name != NULL ? code_by_name (name) : NULL;
  o->mdc = mdc;
  if (entry != named && named != NULL) {
    /* Number and name are those of two different things: neither is picked. */
    observation_add_flag (o, "code-conflict");
    return NULL;
  }
  return entry;
}

static const CodeEntry *
read_code (Observation *o, const Hl7Message *message, guint segment)
{
  const CodeEntry *entry = NULL;
  g_autofree char *first = hl7_get (message, segment, 3, 0, 1, 1);
  for (guint triplet = 0; triplet < 2 && entry == NULL && o->mdc == 0; triplet++) {
    g_autofree char *id = hl7_get (message, segment, 3, 0, triplet * 3 + 1, 1);
    g_autofree char *name = hl7_get (message, segment, 3, 0, triplet * 3 + 2, 1);
    g_autofree char *system = hl7_get (message, segment, 3, 0, triplet * 3 + 3, 1);
    guint64 number = 0;
    if (id != NULL && g_strcmp0 (system, "MDC") == 0
        && g_ascii_string_to_unsigned (id, 10, 1, G_MAXUINT32, &number, NULL)) {
      entry = resolve_mdc (o, (guint32)number, name);
      set (&o->code, name != NULL ? g_steal_pointer (&name) : g_strdup (id));
    } else if (id != NULL && g_strcmp0 (system, "LN") == 0) {
      entry = code_by_loinc (id);
      set (&o->loinc, g_steal_pointer (&id));
      o->mdc = entry != NULL ? entry->mdc : 0;
    }
  }
  if (o->code == NULL)
    set (&o->code, entry != NULL ? g_strdup (entry->name) : hl7_get (message, segment, 3, 0, 2, 1));
  if (o->code == NULL)
    set (&o->code, g_steal_pointer (&first));
  if (entry == NULL && !observation_has_flag (o, "code-conflict"))
    observation_add_flag (o, "unmapped");
  if (entry != NULL) {
    set (&o->loinc, g_strdup (entry->loinc));
    set (&o->vital, g_strdup (entry->vital));
  }
  return entry;
}

/* OBX-6: an MDC triplet, a UCUM one, or a bare word. */
static void
read_unit (Observation *o, const Hl7Message *message, guint segment)
{
  g_autofree char *id = hl7_get (message, segment, 6, 0, 1, 1);
  g_autofree char *system = hl7_get (message, segment, 6, 0, 3, 1);
  guint64 number = 0;
  if (id == NULL)
    return;
  if (g_ascii_string_to_unsigned (id, 10, 1, G_MAXUINT32, &number, NULL)) {
    const char *ucum = unit_by_mdc ((guint32)number);
    char *name = ucum != NULL ? g_strdup (ucum) : hl7_get (message, segment, 6, 0, 2, 1);
    set (&o->unit, name != NULL ? name : g_strdup (id));
    if (ucum == NULL)
      observation_add_flag (o, "unit-unmapped");
    return;
  }
  if (g_strcmp0 (system, "UCUM") != 0 && !unit_is_known_ucum (id))
    observation_add_flag (o, "unit-unmapped");
  set (&o->unit, g_steal_pointer (&id));
}

static void
read_flags (Observation *o, const Hl7Message *message, guint segment)
{
  guint n = MIN (hl7_repetitions (message, segment, 8), 16);
  for (guint i = 0; i < n; i++) {
    g_autofree char *flag = hl7_get (message, segment, 8, i, 1, 1);
    if (flag == NULL)
      continue;
    observation_add_flag (o, flag);
    if (g_str_equal (flag, "TEST") || g_str_equal (flag, "DEMO") || g_str_equal (flag, "CAL"))
      o->test = TRUE;
  }
}

/* HL7 NM (2.A.47): sign, digits, point. Nothing else is a number: no comma, no exponent. */
static gboolean
parse_number (const char *text, double *ret_value)
{
  const char *digits = text + (*text == '+' || *text == '-');
  gsize whole = strspn (digits, "0123456789");
  gsize fraction = digits[whole] == '.' ? strspn (digits + whole + 1, "0123456789") : 0;
  gsize length = whole + (digits[whole] == '.' ? 1 + fraction : 0);
  if (whole + fraction == 0 || whole + fraction > 17 || digits[length] != '\0')
    return FALSE;
  *ret_value = g_ascii_strtod (text, NULL);
  return isfinite (*ret_value);
}

static void
read_number (Observation *o, char *text)
{
  if (text == NULL) {
    observation_make_absent (o, "not-measured");
    return;
  }
  if (parse_number (text, &o->number)) {
    o->type = OBS_NUMBER;
    set (&o->number_text, text);
    return;
  }
  observation_make_absent (o, "unparsable");
  set (&o->text, text);
}

/* SN (2.A.70): comparator^number^separator^number. Only a plain number is one. */
static void
read_structured (Observation *o, const Hl7Message *message, guint segment)
{
  g_autofree char *comparator = hl7_get (message, segment, 5, 0, 1, 1);
  g_autofree char *separator = hl7_get (message, segment, 5, 0, 3, 1);
  if ((comparator == NULL || g_str_equal (comparator, "=")) && separator == NULL) {
    read_number (o, hl7_get (message, segment, 5, 0, 2, 1));
    return;
  }
  g_autofree char *first = hl7_get (message, segment, 5, 0, 2, 1);
  g_autofree char *second = hl7_get (message, segment, 5, 0, 4, 1);
  o->type = OBS_TEXT;
  set (&o->text,
       g_strconcat (comparator != NULL ? comparator : "", first != NULL ? first : "",
                    separator != NULL ? separator : "", second != NULL ? second : "", NULL));
}

static void
read_text (Observation *o, const Hl7Message *message, guint segment, gboolean coded)
{
  char *text = coded ? hl7_get (message, segment, 5, 0, 2, 1) : NULL;
  if (text == NULL)
    text = hl7_get (message, segment, 5, 0, 1, 1);
  if (text == NULL) {
    observation_make_absent (o, "not-measured");
    return;
  }
  o->type = OBS_TEXT;
  set (&o->text, text);
}

static void
read_value (Observation *o, const Hl7Message *message, guint segment, const char *type)
{
  if (type == NULL || g_str_equal (type, "NM"))
    read_number (o, hl7_get (message, segment, 5, 0, 1, 1));
  else if (g_str_equal (type, "SN"))
    read_structured (o, message, segment);
  else
    read_text (o, message, segment,
               g_str_equal (type, "CWE") || g_str_equal (type, "CNE") || g_str_equal (type, "CE"));
}

static void
read_time (Observation *o, const Context *context, guint segment)
{
  g_autofree char *own = hl7_get (context->message, segment, 14, 0, 1, 1);
  const char *candidates[] = { own, context->time };
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++) {
    gboolean zoned;
    if (candidates[i] != NULL
        && hl7_time_parse (candidates[i], context->zone, &o->time_us, &zoned)) {
      o->time_source = zoned || context->zone != NULL ? OBS_TIME_DEVICE : OBS_TIME_DEVICE_LOCAL;
      return;
    }
  }
  o->time_us = context->now_us;
  o->time_source = OBS_TIME_STATION;
}

static void
judge (Observation *o, const CodeEntry *entry)
{
  if (g_strcmp0 (o->status, "X") == 0 || observation_has_flag (o, "NAV"))
    observation_make_absent (o, "not-available");
  if (g_strcmp0 (o->status, "C") == 0)
    observation_add_flag (o, "corrected");
  if (g_strcmp0 (o->status, "D") == 0 || g_strcmp0 (o->status, "W") == 0)
    observation_add_flag (o, "withdrawn");
  if (o->type != OBS_NUMBER || entry == NULL)
    return;
  if (o->number == 0 && entry->zero_absent)
    observation_make_absent (o, "not-measured");
  else if (o->unit == NULL)
    observation_add_flag (o, "no-unit");
  else if (entry->low < entry->high && g_str_equal (o->unit, entry->ucum)
           && (o->number < entry->low || o->number > entry->high))
    observation_add_flag (o, "implausible");
}

/* Partitions 1 (objects), 7 and 8 (infrastructure) of ISO/IEEE 11073-10101 describe the device. */
static gboolean
describes_device (guint32 mdc)
{
  guint partition = mdc >> 16;
  return partition == 1 || partition == 7 || partition == 8;
}

static Observation *
read_obx (const Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  g_autoptr (Observation) o = observation_new ();
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  g_autofree char *value = hl7_get (message, segment, 5, 0, 0, 0);
  const CodeEntry *entry = read_code (o, message, segment);
  /* A row without type and value is a node of the containment tree (PCD-01 table B.8). */
  if ((value == NULL && (type == NULL || o->code == NULL)) || describes_device (o->mdc))
    return NULL;
  if (o->code == NULL)
    set (&o->code, g_strdup ("uncoded"));

  read_unit (o, message, segment);
  read_flags (o, message, segment);
  read_value (o, message, segment, type);
  read_time (o, context, segment);
  set (&o->containment, hl7_get (message, segment, 4, 0, 1, 1));
  set (&o->alarm_range, hl7_get (message, segment, 7, 0, 0, 0));
  set (&o->status, hl7_get (message, segment, 11, 0, 1, 1));
  set (&o->site, hl7_get (message, segment, 20, 0, 2, 1));
  char *device = entity_id (message, segment, 18);
  set (&o->device, device != NULL ? device : g_strdup (context->device));
  set (&o->patient_id, g_strdup (context->patient_id));
  set (&o->patient_name, g_strdup (context->patient_name));
  set (&o->patient_family, g_strdup (context->family));
  set (&o->patient_given, g_strdup (context->given));
  set (&o->message_id, g_strdup (context->message_id));
  o->test |= context->test;
  gboolean guessed;
  hl7_charset (message, &guessed);
  if (guessed)
    observation_add_flag (o, "charset-guessed");
  judge (o, entry);
  return g_steal_pointer (&o);
}

static void
read_segment (Context *context, guint segment, GPtrArray *observations)
{
  const char *name = hl7_segment_name (context->message, segment);
  if (g_str_equal (name, "MSH"))
    read_msh (context, segment);
  else if (g_str_equal (name, "PID"))
    read_pid (context, segment);
  else if (g_str_equal (name, "OBR"))
    read_obr (context, segment);
  else if (g_str_equal (name, "OBX")) {
    Observation *observation = read_obx (context, segment);
    if (observation != NULL)
      g_ptr_array_add (observations, observation);
  }
}

GPtrArray *
pcd01_observations (const Hl7Message *message, gint64 now_us, const char *sender)
{
  GPtrArray *observations = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  Context context = { .message = message, .now_us = now_us, .sender = sender };
  for (guint segment = 0; segment < hl7_segments (message); segment++)
    read_segment (&context, segment, observations);
  g_clear_pointer (&context.zone, g_time_zone_unref);
  char **texts[] = { &context.message_id,   &context.device, &context.time, &context.patient_id,
                     &context.patient_name, &context.family, &context.given };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  return observations;
}
