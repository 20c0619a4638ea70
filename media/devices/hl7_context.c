#include "media/devices/hl7_context.h"
#include "media/devices/hl7_time.h"
#include <string.h>

static void
set (char **place, char *value)
{
  g_free (*place);
  *place = value;
}

static char *
bounded (char *text)
{
  if (text != NULL && g_utf8_strlen (text, -1) > HL7_CONTEXT_TEXT_MAX)
    *g_utf8_offset_to_pointer (text, HL7_CONTEXT_TEXT_MAX) = '\0';
  return text;
}

char *
hl7_context_get (const Hl7Message *message, guint segment, guint field, guint component)
{
  return bounded (hl7_get (message, segment, field, 0, component, 1));
}

/* EI or HD: namespace^universal id^type. The universal id names one device, the namespace a make.
 */
static char *
entity_id (const Hl7Message *message, guint segment, guint field)
{
  char *universal = hl7_context_get (message, segment, field, 2);
  return universal != NULL ? universal : hl7_context_get (message, segment, field, 1);
}

static char *
device_of_obr (const Hl7Message *message, guint segment)
{
  for (guint field = 3; field >= 2; field--) {
    g_autofree char *type = hl7_context_get (message, segment, field, 4);
    if (g_strcmp0 (type, "EUI-64") == 0)
      return hl7_context_get (message, segment, field, 3);
  }
  return NULL;
}

static gboolean
is_eui64 (const Hl7Message *message, guint segment, guint field, guint component)
{
  g_autofree char *type = hl7_context_get (message, segment, field, component);
  return g_strcmp0 (type, "EUI-64") == 0;
}

static void
read_msh (Hl7Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  set (&context->message_id, hl7_context_get (message, segment, 10, 1));
  set (&context->msh_time, hl7_context_get (message, segment, 7, 1));
  set (&context->msh_device, entity_id (message, segment, 3));
  context->msh_device_unique = is_eui64 (message, segment, 3, 3);
  if (context->msh_device == NULL)
    set (&context->msh_device, entity_id (message, segment, 4));
  if (context->msh_device == NULL)
    set (&context->msh_device, g_strdup (context->sender));
  g_autofree char *processing = hl7_context_get (message, segment, 11, 1);
  context->test = g_strcmp0 (processing, "T") == 0 || g_strcmp0 (processing, "D") == 0;
  g_clear_pointer (&context->zone, g_time_zone_unref);
  if (context->msh_time != NULL)
    context->zone = hl7_time_zone (context->msh_time);
}

/* What one patient's OBR and PV1 said is not the next one's. */
static void
forget_order (Hl7Context *context)
{
  g_clear_pointer (&context->obr_time, g_free);
  g_clear_pointer (&context->obr_end, g_free);
  g_clear_pointer (&context->obr_code, g_free);
  g_clear_pointer (&context->obr_device, g_free);
}

/* PID-3; where that is empty the older places of an identifier, PID-2 and PID-4: a reading that
 * names somebody must never pass for one that names nobody. */
static char *
patient_identifier (const Hl7Message *message, guint segment)
{
  static const guint FIELDS[] = { 3, 2, 4 };
  for (guint i = 0; i < G_N_ELEMENTS (FIELDS); i++) {
    guint n = MIN (hl7_repetitions (message, segment, FIELDS[i]), 8);
    for (guint repetition = 0; repetition < n; repetition++) {
      char *id = hl7_get (message, segment, FIELDS[i], repetition, 1, 1);
      if (id != NULL)
        return bounded (id);
    }
  }
  return NULL;
}

static void
read_pid (Hl7Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  forget_order (context);
  g_clear_pointer (&context->bed, g_free);
  set (&context->patient_id, patient_identifier (message, segment));
  set (&context->family, hl7_context_get (message, segment, 5, 1));
  set (&context->given, hl7_context_get (message, segment, 5, 2));
  g_autofree char *further = hl7_context_get (message, segment, 5, 3);
  g_autofree char *name = g_strjoin (" ", context->family != NULL ? context->family : "",
                                     context->given != NULL ? context->given : "",
                                     further != NULL ? further : "", NULL);
  g_strstrip (name);
  set (&context->patient_name, *name != '\0' ? bounded (g_steal_pointer (&name)) : NULL);
}

/* Point of care, room, bed: the words of PV1-3 that are there. */
static void
read_pv1 (Hl7Context *context, guint segment)
{
  g_autoptr (GString) bed = g_string_new (NULL);
  for (guint component = 1; component <= 3; component++)
    for (guint sub = 1; sub <= 3; sub++) {
      g_autofree char *word = bounded (hl7_get (context->message, segment, 3, 0, component, sub));
      if (word != NULL)
        g_string_append_printf (bed, "%s%s", bed->len > 0 ? " " : "", word);
    }
  set (&context->bed, bed->len > 0 ? bounded (g_strdup (bed->str)) : NULL);
}

static void
read_obr (Hl7Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  forget_order (context);
  set (&context->obr_time, hl7_context_get (message, segment, 7, 1));
  set (&context->obr_end, hl7_context_get (message, segment, 8, 1));
  set (&context->obr_code, hl7_context_get (message, segment, 4, 1));
  set (&context->obr_device, device_of_obr (message, segment));
}

void
hl7_context_init (Hl7Context *context, const Hl7Message *message, const Profile *profile,
                  gint64 now_us, const char *sender)
{
  *context
      = (Hl7Context){ .message = message, .profile = profile, .now_us = now_us, .sender = sender };
}

void
hl7_context_clear (Hl7Context *context)
{
  char **texts[]
      = { &context->message_id, &context->msh_time, &context->msh_device,   &context->bed,
          &context->obr_time,   &context->obr_end,  &context->obr_code,     &context->obr_device,
          &context->patient_id, &context->family,   &context->patient_name, &context->given };
  g_clear_pointer (&context->zone, g_time_zone_unref);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
}

void
hl7_context_read (Hl7Context *context, guint segment)
{
  const char *name = hl7_segment_name (context->message, segment);
  if (g_str_equal (name, "MSH"))
    read_msh (context, segment);
  else if (g_str_equal (name, "PID"))
    read_pid (context, segment);
  else if (g_str_equal (name, "PV1"))
    read_pv1 (context, segment);
  else if (g_str_equal (name, "OBR"))
    read_obr (context, segment);
}

/* ---- What an OBX takes from it ----------------------------------------------------------------
 */

/* A gateway's name alone would make one device of all its beds, and one patient's readings
 * another's. */
char *
hl7_context_device (const Hl7Context *context, guint segment)
{
  char *device = entity_id (context->message, segment, 18);
  if (device != NULL)
    return device;
  if (context->obr_device != NULL)
    return g_strdup (context->obr_device);
  if (context->bed == NULL || context->msh_device_unique || context->msh_device == NULL)
    return g_strdup (context->msh_device);
  return g_strdup_printf ("%s/%s", context->msh_device, context->bed);
}

gboolean
hl7_context_parse_time (const Hl7Context *context, const char *text, gint64 *ret_us,
                        ObservationTime *ret_source)
{
  GTimeZone *zone = context->zone;
  gboolean zoned;
  gint64 time_us;
  if (zone == NULL && context->profile != NULL)
    zone = profile_zone (context->profile);
  if (text == NULL || !hl7_time_parse (text, zone, &time_us, &zoned))
    return FALSE;
  if (context->profile != NULL && !profile_clock_holds (context->profile, time_us))
    return FALSE;
  *ret_us = time_us;
  *ret_source = zoned || zone != NULL ? OBS_TIME_DEVICE : OBS_TIME_DEVICE_LOCAL;
  return TRUE;
}

gint64
hl7_context_time (const Hl7Context *context, guint segment, ObservationTime *ret_source)
{
  g_autofree char *own = hl7_get (context->message, segment, 14, 0, 1, 1);
  const char *candidates[] = { own, context->obr_time, context->msh_time };
  gint64 time_us;
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    if (hl7_context_parse_time (context, candidates[i], &time_us, ret_source))
      return time_us;
  *ret_source = OBS_TIME_STATION;
  return context->now_us;
}

static gboolean
marks_test (const Hl7Context *context, const char *word)
{
  static const char *const MARKS[] = { "TEST", "DEMO", "CAL", "CALIB", NULL };
  return g_strv_contains (MARKS, word)
         || (context->profile != NULL && profile_marks_test (context->profile, word));
}

GStrv
hl7_context_flags (const Hl7Context *context, guint segment, gboolean *ret_test)
{
  g_autoptr (GStrvBuilder) flags = g_strv_builder_new ();
  guint n = MIN (hl7_repetitions (context->message, segment, 8), 16);
  for (guint i = 0; i < n; i++) {
    g_autofree char *flag = bounded (hl7_get (context->message, segment, 8, i, 1, 1));
    if (flag == NULL)
      continue;
    g_strv_builder_add (flags, flag);
    if (marks_test (context, flag))
      *ret_test = TRUE;
  }
  return g_strv_builder_end (flags);
}

void
hl7_context_origin (const Hl7Context *context, guint segment, Observation *o)
{
  gboolean guessed;
  set (&o->device, hl7_context_device (context, segment));
  set (&o->patient_id, g_strdup (context->patient_id));
  set (&o->patient_name, g_strdup (context->patient_name));
  set (&o->patient_family, g_strdup (context->family));
  set (&o->patient_given, g_strdup (context->given));
  set (&o->message_id, g_strdup (context->message_id));
  o->test |= context->test;
  hl7_charset (context->message, &guessed);
  if (guessed)
    observation_add_flag (o, "charset-guessed");
}
