#include "media/devices/intellivue_alarm.h"
#include "media/devices/codes.h"

#define STANDING_MAX 64
#define AGAIN_US (4 * 60 * G_USEC_PER_SEC)
#define PARTITION_SCADA (2u << 16)
#define PARTITION_EVENTS (3u << 16)
#define PRIVATE 0xF000
#define ENTRY_HEAD 18   /* bytes of a DevAlarmEntry before its info */
#define SOURCE_OBJECT 1 /* last bit of the code: the source is an object, no measurement */

enum { INFO_GENERAL = 513, INFO_TEXT = 516 };

enum { /* AlertType; technical ones are INOPs */
       TYPE_TECHNICAL = 0x0007,
       TYPE_PHYSIOLOGICAL = 0x0700,
       TYPE_LOW = 0x0101,
       TYPE_MEDIUM = 0x0202,
       TYPE_HIGH = 0x0404,
};

enum { /* AlertState */
       STATE_INHIBITED = 0x8000,
       STATE_SUSPENDED = 0x4000,
       STATE_LATCHED = 0x2000,
       STATE_SILENCED = 0x1000,
       STATE_TEST = 0x0400,
       STATE_STANDBY = 0x0200,
       STATE_DEMO = 0x0100,
       STATE_NEW = 0x0008,
};

/* One alarm that stands. */
typedef struct {
  gint64 key; /* list, code, source and object */
  guint16 source, code, type, state, class, handle;
  char *text; /* NULL: it has none */
  gint64 told_us;
  gboolean listed; /* by the list that is being read */
} Standing;

struct IvAlarms {
  const FeedSink *sink;
  GHashTable *standing; /* its key → Standing* */
  char *patient_id, *patient_name;
};

static void
standing_free (void *data)
{
  Standing *standing = data;
  g_free (standing->text);
  g_free (standing);
}

IvAlarms *
iv_alarms_new (const FeedSink *sink)
{
  IvAlarms *alarms = g_new0 (IvAlarms, 1);
  alarms->sink = sink;
  alarms->standing = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, standing_free);
  return alarms;
}

void
iv_alarms_free (IvAlarms *alarms)
{
  g_hash_table_unref (alarms->standing);
  g_free (alarms->patient_id);
  g_free (alarms->patient_name);
  g_free (alarms);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static AlarmPriority
priority_of (guint16 type)
{
  return type & TYPE_HIGH     ? ALARM_HIGH
         : type & TYPE_MEDIUM ? ALARM_MEDIUM
         : type & TYPE_LOW    ? ALARM_LOW
         : type == 0          ? ALARM_NONE
                              : ALARM_UNKNOWN;
}

static void
put_source (DeviceAlarm *alarm, const Standing *standing)
{
  const CodeEntry *entry = standing->code & SOURCE_OBJECT || standing->source >= PRIVATE
                               ? NULL
                               : code_by_mdc (PARTITION_SCADA | standing->source);
  alarm->source
      = entry != NULL ? g_strdup (entry->name) : g_strdup_printf ("NOM %u", standing->source);
  alarm->vital = entry != NULL ? g_strdup (entry->vital) : NULL;
}

static void
put_state (DeviceAlarm *alarm, guint16 state)
{
  alarm->state = g_strdup (state & STATE_LATCHED ? "latched" : "active");
  alarm->inactivation = g_strdup (state & STATE_INHIBITED   ? "alarm-off"
                                  : state & STATE_SUSPENDED ? "alarm-paused"
                                  : state & STATE_SILENCED  ? "audio-paused"
                                                            : "enabled");
  alarm->origin->test = (state & (STATE_TEST | STATE_DEMO)) != 0;
}

static void
tell (IvAlarms *alarms, Standing *standing, const char *phase, LineTime now)
{
  guint16 code = standing->code & (guint16)~SOURCE_OBJECT;
  DeviceAlarm *alarm = device_alarm_new ();
  alarm->mdc = code < PRIVATE ? PARTITION_EVENTS | code : 0;
  alarm->code = g_strdup_printf ("NOM_EVT %u", code);
  alarm->text = g_strdup (standing->text);
  alarm->priority = priority_of (standing->type);
  alarm->kind = g_strdup (standing->type & TYPE_PHYSIOLOGICAL ? "physiological"
                          : standing->type & TYPE_TECHNICAL   ? "technical"
                                                              : NULL);
  alarm->phase = g_strdup (phase);
  put_source (alarm, standing);
  put_state (alarm, standing->state);
  alarm->origin->containment = g_strdup_printf ("%u.%u", standing->class, standing->handle);
  alarm->origin->time_us = now.utc_us;
  alarm->origin->patient_id = g_strdup (alarms->patient_id);
  alarm->origin->patient_name = g_strdup (alarms->patient_name);
  standing->told_us = now.monotonic_us;
  feed_alarm (alarms->sink, alarm);
}

static void
end_all (IvAlarms *alarms, LineTime now)
{
  GHashTableIter iter;
  void *standing;
  g_hash_table_iter_init (&iter, alarms->standing);
  while (g_hash_table_iter_next (&iter, NULL, &standing)) {
    tell (alarms, standing, "end", now);
    g_hash_table_iter_remove (&iter);
  }
}

static void
set_patient (IvAlarms *alarms, const char *id, const char *name, LineTime now)
{
  if (g_strcmp0 (id, alarms->patient_id) != 0)
    end_all (alarms, now);
  g_free (alarms->patient_id);
  g_free (alarms->patient_name);
  alarms->patient_id = g_strdup (id);
  alarms->patient_name = g_strdup (name);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* FALSE: the list is broken here. */
static gboolean
read_entry (IvReader *list, gboolean technical, Standing *ret)
{
  IvReader head = iv_part (list, ENTRY_HEAD - 2);
  ret->source = iv_u16 (&head);
  ret->code = iv_u16 (&head);
  ret->type = iv_u16 (&head);
  ret->state = iv_u16 (&head);
  ret->class = iv_u16 (&head);
  iv_skip (&head, 2); /* MDS context */
  ret->handle = iv_u16 (&head);
  guint16 kind = iv_u16 (&head);
  IvReader info = iv_part (list, iv_u16 (list));
  if (list->bad)
    return FALSE;
  if (kind == INFO_TEXT) {
    iv_skip (&info, 2 + 4 + 2 + 2); /* instance, text id, priority, flags */
    ret->text = info.bad ? NULL : iv_string (&info);
  }
  ret->key
      = (gint64)((guint64)ret->source << 48 | (guint64)ret->code << 32 | (guint64)ret->handle << 16
                 | (guint64)(ret->class & 0x7FFF) << 1 | technical);
  return TRUE;
}

/* (transfer full) entry */
static void
take_entry (IvAlarms *alarms, Standing *entry, LineTime now)
{
  const guint16 lasting = (guint16)~STATE_NEW;
  Standing *known = g_hash_table_lookup (alarms->standing, &entry->key);
  if (known == NULL && g_hash_table_size (alarms->standing) >= STANDING_MAX) {
    standing_free (entry);
    return;
  }
  const char *phase = known == NULL ? "start"
                      : known->type != entry->type
                              || (known->state & lasting) != (entry->state & lasting)
                              || g_strcmp0 (known->text, entry->text) != 0
                          ? "update"
                      : now.monotonic_us - known->told_us >= AGAIN_US ? "continue"
                                                                      : NULL;
  entry->listed = TRUE;
  entry->told_us = known != NULL ? known->told_us : 0;
  /* The old key goes with the old value. */
  g_hash_table_replace (alarms->standing, &entry->key, entry);
  if (phase != NULL)
    tell (alarms, entry, phase, now);
}

static gboolean
is_of (const Standing *standing, gboolean technical)
{
  return (standing->key & 1) == technical;
}

static void
end_what_is_gone (IvAlarms *alarms, gboolean technical, LineTime now)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, alarms->standing);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Standing *standing = value;
    if (is_of (standing, technical) && !standing->listed) {
      tell (alarms, standing, "end", now);
      g_hash_table_iter_remove (&iter);
    } else {
      standing->listed = FALSE;
    }
  }
}

static void
take_list (IvAlarms *alarms, IvReader list, gboolean technical, LineTime now)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (standing_free);
  guint count = iv_u16 (&list);
  IvReader body = iv_part (&list, iv_u16 (&list));
  for (guint i = 0; i < count && !list.bad && !body.bad && i < STANDING_MAX; i++) {
    Standing *entry = g_new0 (Standing, 1);
    g_ptr_array_add (entries, entry);
    read_entry (&body, technical, entry);
  }
  if (list.bad || body.bad)
    return; /* half a list would end what still stands */
  while (entries->len > 0)
    take_entry (alarms, g_ptr_array_steal_index (entries, 0), now);
  end_what_is_gone (alarms, technical, now);
}

void
iv_alarms_take (IvAlarms *alarms, const IvAlarmLists *lists, const char *patient_id,
                const char *patient_name, LineTime now)
{
  set_patient (alarms, patient_id, patient_name, now);
  if (lists->physiological.at != NULL)
    take_list (alarms, lists->physiological, FALSE, now);
  if (lists->technical.at != NULL)
    take_list (alarms, lists->technical, TRUE, now);
}
