#include "media/devices/pcd01.h"
#include "media/devices/hl7_time.h"
#include "media/devices/obx.h"
#include <string.h>

/* What holds for every OBX until another header segment says otherwise. */
typedef struct {
  const Hl7Message *message;
  GTimeZone *zone; /* offset that the message names anywhere; NULL: the station's */
  gint64 now_us;
  const char *sender;
  char *message_id, *msh_time;
  char *msh_device; /* by MSH; names one device, not a gateway, when unique */
  gboolean msh_device_unique;
  char *bed;                   /* PV1-3, tells a gateway's devices apart */
  char *obr_time, *obr_device; /* of the newest OBR */
  char *patient_id, *patient_name, *family, *given;
  gboolean test; /* MSH-11: training or debugging */
} Context;

gboolean
pcd01_is_supported (const Hl7Message *message)
{
  g_autofree char *type = hl7_get (message, 0, 9, 0, 1, 1);
  g_autofree char *event = hl7_get (message, 0, 9, 0, 2, 1);
  /* Before version 2.3 the event could be left out; some write the structure instead. */
  if (event == NULL)
    return g_strcmp0 (type, "ORU") == 0 || g_strcmp0 (type, "ORU_R01") == 0;
  return g_strcmp0 (type, "ORU") == 0 && g_str_equal (event, "R01");
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

static gboolean
is_eui64 (const Hl7Message *message, guint segment, guint field, guint component)
{
  g_autofree char *type = get (message, segment, field, component);
  return g_strcmp0 (type, "EUI-64") == 0;
}

static void
read_msh (Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  set (&context->message_id, get (message, segment, 10, 1));
  set (&context->msh_time, get (message, segment, 7, 1));
  set (&context->msh_device, entity_id (message, segment, 3));
  context->msh_device_unique = is_eui64 (message, segment, 3, 3);
  if (context->msh_device == NULL)
    set (&context->msh_device, entity_id (message, segment, 4));
  if (context->msh_device == NULL)
    set (&context->msh_device, g_strdup (context->sender));
  g_autofree char *processing = get (message, segment, 11, 1);
  context->test = g_strcmp0 (processing, "T") == 0 || g_strcmp0 (processing, "D") == 0;
  g_clear_pointer (&context->zone, g_time_zone_unref);
  if (context->msh_time != NULL)
    context->zone = hl7_time_zone (context->msh_time);
}

/* What one patient's OBR and PV1 said is not the next one's. */
static void
forget_order (Context *context)
{
  g_clear_pointer (&context->obr_time, g_free);
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
read_pid (Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  forget_order (context);
  g_clear_pointer (&context->bed, g_free);
  set (&context->patient_id, patient_identifier (message, segment));
  set (&context->family, get (message, segment, 5, 1));
  set (&context->given, get (message, segment, 5, 2));
  g_autofree char *further = get (message, segment, 5, 3);
  g_autofree char *name = g_strjoin (" ", context->family != NULL ? context->family : "",
                                     context->given != NULL ? context->given : "",
                                     further != NULL ? further : "", NULL);
  g_strstrip (name);
  set (&context->patient_name, *name != '\0' ? bounded (g_steal_pointer (&name)) : NULL);
}

/* Point of care, room, bed: the words of PV1-3 that are there. */
static void
read_pv1 (Context *context, guint segment)
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
read_obr (Context *context, guint segment)
{
  forget_order (context);
  set (&context->obr_time, get (context->message, segment, 7, 1));
  set (&context->obr_device, device_of_obr (context->message, segment));
}

/* OBX-18, else OBR, else MSH. A gateway's name alone would make one device of all its beds, and
 * one patient's readings another's. */
static char *
device_of_obx (const Context *context, guint segment)
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

/* ---- One OBX ------------------------------------------------------------------------------ */

static void
read_flags (Observation *o, const Hl7Message *message, guint segment)
{
  guint n = MIN (hl7_repetitions (message, segment, 8), 16);
  for (guint i = 0; i < n; i++) {
    g_autofree char *flag = bounded (hl7_get (message, segment, 8, i, 1, 1));
    if (flag == NULL)
      continue;
    observation_add_flag (o, flag);
    if (g_str_equal (flag, "TEST") || g_str_equal (flag, "DEMO") || g_str_equal (flag, "CAL")
        || g_str_equal (flag, "CALIB"))
      o->test = TRUE;
  }
}

static void
read_time (Observation *o, const Context *context, guint segment)
{
  g_autofree char *own = hl7_get (context->message, segment, 14, 0, 1, 1);
  const char *candidates[] = { own, context->obr_time, context->msh_time };
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

/* Partitions 1 (objects), 7 and 8 (infrastructure) of ISO/IEEE 11073-10101 describe the device. */
static gboolean
describes_device (guint32 mdc)
{
  guint partition = mdc >> 16;
  return partition == 1 || partition == 7 || partition == 8;
}

/* OBX-7: "90-100"; some write it as two components. */
static char *
alarm_range (const Hl7Message *message, guint segment)
{
  char *low = hl7_get (message, segment, 7, 0, 1, 1);
  g_autofree char *high = hl7_get (message, segment, 7, 0, 2, 1);
  if (high == NULL)
    return low;
  char *range = g_strdup_printf ("%s-%s", low != NULL ? low : "", high);
  g_free (low);
  return range;
}

static void
read_origin (Observation *o, const Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  gboolean guessed;
  set (&o->site, hl7_get (message, segment, 20, 0, 2, 1));
  if (o->site == NULL)
    set (&o->site, hl7_get (message, segment, 20, 0, 1, 1));
  set (&o->device, device_of_obx (context, segment));
  set (&o->patient_id, g_strdup (context->patient_id));
  set (&o->patient_name, g_strdup (context->patient_name));
  set (&o->patient_family, g_strdup (context->family));
  set (&o->patient_given, g_strdup (context->given));
  set (&o->message_id, g_strdup (context->message_id));
  o->test |= context->test;
  hl7_charset (message, &guessed);
  if (guessed)
    observation_add_flag (o, "charset-guessed");
}

static Observation *
read_obx (const Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  g_autoptr (Observation) o = observation_new ();
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  g_autofree char *value = hl7_get (message, segment, 5, 0, 0, 0);
  const char *demanded_ucum = NULL;
  const CodeEntry *entry = obx_read_code (o, message, segment, &demanded_ucum);
  /* A row without type and value is a node of the containment tree (PCD-01 table B.8). */
  if ((value == NULL && (type == NULL || o->code == NULL)) || describes_device (o->mdc))
    return NULL;
  if (o->code == NULL)
    set (&o->code, g_strdup ("uncoded"));

  obx_read_unit (o, message, segment);
  read_flags (o, message, segment);
  obx_read_value (o, message, segment, entry);
  read_time (o, context, segment);
  set (&o->containment, hl7_get (message, segment, 4, 0, 1, 1));
  set (&o->alarm_range, alarm_range (message, segment));
  set (&o->status, hl7_get (message, segment, 11, 0, 1, 1));
  read_origin (o, context, segment);
  obx_judge (o, entry, demanded_ucum);
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
  else if (g_str_equal (name, "PV1"))
    read_pv1 (context, segment);
  else if (g_str_equal (name, "OBR"))
    read_obr (context, segment);
  else if (g_str_equal (name, "OBX")) {
    Observation *observation = read_obx (context, segment);
    if (observation != NULL)
      g_ptr_array_add (observations, observation);
  }
}

/* Two probes of one kind in one message: both are kept, and whoever shows only one must know. */
static void
flag_several (GPtrArray *observations)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < observations->len; i++) {
    Observation *o = g_ptr_array_index (observations, i);
    if (o->vital == NULL || o->type == OBS_NONE)
      continue;
    char *key = g_strdup_printf ("%s %" G_GINT64_FORMAT " %s %s", o->code, o->time_us,
                                 o->device != NULL ? o->device : "",
                                 o->patient_id != NULL ? o->patient_id : "");
    Observation *other = g_hash_table_lookup (seen, key);
    if (other != NULL
        && (g_strcmp0 (other->containment, o->containment) != 0
            || g_strcmp0 (other->site, o->site) != 0)) {
      observation_add_flag (other, "several");
      observation_add_flag (o, "several");
    }
    g_hash_table_insert (seen, key, o);
  }
}

GPtrArray *
pcd01_observations (const Hl7Message *message, gint64 now_us, const char *sender)
{
  GPtrArray *observations = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  Context context = { .message = message, .now_us = now_us, .sender = sender };
  for (guint segment = 0; segment < hl7_segments (message); segment++)
    read_segment (&context, segment, observations);
  flag_several (observations);
  g_clear_pointer (&context.zone, g_time_zone_unref);
  char **texts[]
      = { &context.message_id, &context.msh_time,   &context.msh_device, &context.bed,
          &context.obr_time,   &context.obr_device, &context.patient_id, &context.patient_name,
          &context.family,     &context.given };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  return observations;
}
