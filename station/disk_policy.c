#include "station/disk_policy.h"
#include "records/outbox.h"
#include "records/usage.h"
#include "station/erasing.h"
#include "station/recording.h"

#include <gio/gio.h>
#include <stdio.h>

#define ESTIMATE_EVERY_US (G_TIME_SPAN_HOUR)
#define AGAIN_US (10 * G_TIME_SPAN_MINUTE)
/* Above what makes it begin, so that it does not begin anew with each consultation. */
#define UNTIL(below) ((below) + (below) / 10)

typedef enum { STUCK_NOT, STUCK_CLOCK, STUCK_NOTHING, STUCK_FAILED } Stuck;

struct DiskPolicy {
  Station *station;
  guint64 per_day; /* bytes; 0: not known */
  gint64 estimate_due_us, room_due_us;
  gboolean estimating, erasing;
  gboolean making; /* from `below` on until there is enough */
  guint erased;    /* recordings, since the station started */
  Stuck stuck;
};

/* ---- How long it lasts -------------------------------------------------------------------- */

static void
estimate_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  guint64 *per_day = g_new (guint64, 1);
  *per_day = usage_per_day (data, g_get_real_time ());
  g_task_return_pointer (task, per_day, g_free);
}

static void
estimated (GObject *object, GAsyncResult *result, void *data)
{
  DiskPolicy *policy = data;
  g_autofree guint64 *per_day = g_task_propagate_pointer (G_TASK (result), NULL);
  policy->estimating = FALSE;
  policy->per_day = *per_day;
  station_changed (policy->station);
}

static void
estimate (DiskPolicy *policy)
{
  policy->estimating = TRUE;
  policy->estimate_due_us = g_get_monotonic_time () + ESTIMATE_EVERY_US;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, estimated, policy);
  g_task_set_task_data (task, policy->station->store, NULL);
  g_task_run_in_thread (task, estimate_thread);
}

/* ---- Which one goes ----------------------------------------------------------------------- */

static gboolean
day_of (const char *text, GDate *ret_day)
{
  int year, month, day;
  if (text == NULL || sscanf (text, "%4d-%2d-%2d", &year, &month, &day) != 3
      || !g_date_valid_dmy ((GDateDay)day, month, (GDateYear)year))
    return FALSE;
  g_date_clear (ret_day, 1);
  g_date_set_dmy (ret_day, (GDateDay)day, month, (GDateYear)year);
  return TRUE;
}

static gboolean
is_old_enough (const RetentionLine *line, guint age_days, const char *today)
{
  GDate began, now;
  return day_of (line->day, &began) && day_of (today, &now)
         && g_date_days_between (&began, &now) >= (gint)age_days;
}

char *
disk_policy_choose (const GPtrArray *lines, GHashTable *delivered, guint age_days,
                    const char *today)
{
  for (guint i = 0; i < lines->len; i++) {
    const RetentionLine *line = lines->pdata[i];
    if ((line->purposes & 1u << PURPOSE_RECORDING) && !line->hold
        && g_hash_table_contains (delivered, line->consult)
        && is_old_enough (line, age_days, today))
      return g_strdup (line->consult);
  }
  return NULL;
}

/* ---- The deed, in a thread ---------------------------------------------------------------- */

typedef struct {
  Store *store;
  Identity *identity;
  guint age_days;
  char *erased; /* consultation; NULL: none */
  Stuck stuck;
} Deed;

static void
deed_free (void *data)
{
  Deed *deed = data;
  g_free (deed->erased);
  g_free (deed);
}

static gboolean
run_deed (Deed *deed, GError **error)
{
  const RetentionClock clock = erasing_clock ();
  if (!clock.trusted) {
    deed->stuck = STUCK_CLOCK;
    return TRUE;
  }
  g_autoptr (GPtrArray) lines = retention_list (deed->store, &clock, error);
  g_autoptr (GHashTable) delivered = lines != NULL ? outbox_delivered (deed->store, "recording", error) : NULL;
  if (delivered == NULL)
    return FALSE;
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (clock.utc_us / G_USEC_PER_SEC);
  g_autofree char *today = g_date_time_format (now, "%Y-%m-%d");
  g_autofree char *consult = disk_policy_choose (lines, delivered, deed->age_days, today);
  if (consult == NULL) {
    deed->stuck = STUCK_NOTHING;
    return TRUE;
  }
  const Erasure erasure
      = { .consult = consult, .purposes = 1u << PURPOSE_RECORDING, .why = ERASURE_DISK };
  if (!erasing_run (deed->store, deed->identity, &erasure, NULL, error))
    return FALSE;
  deed->erased = g_steal_pointer (&consult);
  return TRUE;
}

static void
deed_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  GError *error = NULL;
  if (run_deed (data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
deed_done (GObject *object, GAsyncResult *result, void *data)
{
  DiskPolicy *policy = data;
  g_autoptr (GError) error = NULL;
  const Deed *deed = g_task_get_task_data (G_TASK (result));
  policy->erasing = FALSE;
  policy->stuck = deed->stuck;
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    g_warning ("disk: no room can be made: %s", error->message);
    policy->stuck = STUCK_FAILED;
  } else if (deed->erased != NULL) {
    g_message ("disk: the recording of %s is destroyed to make room", deed->erased);
    policy->erased++;
  }
  if (policy->stuck != STUCK_NOT)
    policy->room_due_us = g_get_monotonic_time () + AGAIN_US;
  station_changed (policy->station);
}

static void
make_room (DiskPolicy *policy)
{
  Station *station = policy->station;
  Deed *deed = g_new0 (Deed, 1);
  deed->store = station->store;
  deed->identity = station->identity;
  deed->age_days = station->config->make_room_age;
  policy->erasing = TRUE;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, deed_done, policy);
  g_task_set_task_data (task, deed, deed_free);
  g_task_run_in_thread (task, deed_thread);
}

/* ---- Life --------------------------------------------------------------------------------- */

void
disk_policy_tick (DiskPolicy *policy)
{
  const Config *config = policy->station->config;
  guint64 bytes = policy->station->space.bytes, below = config->make_room_below;
  gint64 now_us = g_get_monotonic_time ();

  if (!policy->estimating && now_us >= policy->estimate_due_us)
    estimate (policy);
  if (!config->make_room || policy->station->identity == NULL)
    return;
  policy->making = bytes < (policy->making ? UNTIL (below) : below);
  if (!policy->making) {
    policy->stuck = STUCK_NOT;
    policy->room_due_us = 0;
  } else if (!policy->erasing && now_us >= policy->room_due_us) {
    make_room (policy);
  }
}

static gint64
days_left (const DiskPolicy *policy)
{
  return policy->per_day > 0 ? (gint64)MIN (policy->station->space.bytes / policy->per_day, 100000)
                             : -1;
}

void
disk_policy_view (const DiskPolicy *policy, json_t *disk)
{
  static const char *const words[] = { NULL, "clock", "nothing", "failed" };
  gint64 days = policy != NULL ? days_left (policy) : -1;
  json_object_set_new (disk, "days_left", days >= 0 ? json_integer (days) : json_null ());
  if (policy == NULL)
    return;
  gboolean soon = days >= 0 && days < (gint64)policy->station->config->warn_days;
  json_object_set_new (disk, "soon", json_boolean (soon));
  json_object_set_new (disk, "making_room", json_boolean (policy->making));
  json_object_set_new (disk, "erased", json_integer (policy->erased));
  json_object_set_new (disk, "stuck",
                       policy->stuck != STUCK_NOT ? json_string (words[policy->stuck])
                                                  : json_null ());
}

DiskPolicy *
disk_policy_new (Station *station)
{
  DiskPolicy *policy = g_new0 (DiskPolicy, 1);
  policy->station = station;
  return policy;
}

void
disk_policy_free (DiskPolicy *policy)
{
  if (policy == NULL)
    return;
  while (policy->estimating || policy->erasing)
    g_main_context_iteration (NULL, TRUE);
  g_free (policy);
}
