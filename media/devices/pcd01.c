#include "media/devices/pcd01.h"
#include "media/devices/hl7_context.h"
#include "media/devices/obx.h"
#include <string.h>

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

/* ---- One OBX ------------------------------------------------------------------------------ */

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
read_flags (Observation *o, const Hl7Context *context, guint segment)
{
  g_auto (GStrv) flags = hl7_context_flags (context, segment, &o->test);
  for (guint i = 0; flags[i] != NULL; i++)
    observation_add_flag (o, flags[i]);
}

static char *
body_site (const Hl7Message *message, guint segment)
{
  char *site = hl7_get (message, segment, 20, 0, 2, 1);
  return site != NULL ? site : hl7_get (message, segment, 20, 0, 1, 1);
}

static Observation *
read_obx (const Hl7Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  g_autoptr (Observation) o = observation_new ();
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  g_autofree char *value = hl7_get (message, segment, 5, 0, 0, 0);
  const char *demanded_ucum = NULL;
  const CodeEntry *entry = obx_read_code (o, message, segment, context->profile, &demanded_ucum);
  /* A row without type and value is a node of the containment tree (PCD-01 table B.8). */
  if ((value == NULL && (type == NULL || o->code == NULL)) || describes_device (o->mdc))
    return NULL;
  if (o->code == NULL)
    set (&o->code, g_strdup ("uncoded"));

  obx_read_unit (o, message, segment);
  read_flags (o, context, segment);
  obx_read_value (o, message, segment, entry);
  o->time_us = hl7_context_time (context, segment, &o->time_source);
  set (&o->site, body_site (message, segment));
  set (&o->containment, hl7_get (message, segment, 4, 0, 1, 1));
  set (&o->alarm_range, alarm_range (message, segment));
  set (&o->status, hl7_get (message, segment, 11, 0, 1, 1));
  hl7_context_origin (context, segment, o);
  obx_judge (o, entry, context->profile, demanded_ucum);
  return g_steal_pointer (&o);
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
pcd01_observations (const Hl7Message *message, const Profile *profile, const gboolean *taken,
                    gint64 now_us, const char *sender)
{
  GPtrArray *observations = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  g_auto (Hl7Context) context;
  hl7_context_init (&context, message, profile, now_us, sender);
  for (guint segment = 0; segment < hl7_segments (message); segment++) {
    hl7_context_read (&context, segment);
    if ((taken != NULL && taken[segment])
        || !g_str_equal (hl7_segment_name (message, segment), "OBX"))
      continue;
    Observation *observation = read_obx (&context, segment);
    if (observation != NULL)
      g_ptr_array_add (observations, observation);
  }
  flag_several (observations);
  return observations;
}
