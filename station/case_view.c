#include "station/case_view.h"
#include "station/case_private.h"
#include "station/clock.h"
#include "station/users.h"

#include <string.h>

const char *
case_text (const json_t *object, const char *member)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text != NULL ? text : "";
}

gint64
case_time (const char *text)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = text != NULL ? g_date_time_new_from_iso8601 (text, utc) : NULL;
  if (time == NULL)
    return 0;
  return g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

/* Body of a row with who and when beside it (transfer full). */
static json_t *
dated (const Building *building, const StoreRow *row)
{
  g_autofree char *at = clock_text (row->utc_us);
  json_t *copy = json_copy (row->body);
  json_object_set_new (copy, "at", json_string (at));
  json_object_set_new (copy, "user", json_string (case_name_of (building, row->user)));
  return copy;
}

static void
append (const Building *building, const char *list, json_t *item)
{
  json_array_append_new (json_object_get (building->view, list), item);
}

/* Takes the place of an older version of the same. */
static void
put_version (const Building *building, const char *list, const char *id, json_t *item)
{
  json_t *items = json_object_get (building->view, list), *old;
  gsize i;
  json_array_foreach (items, i, old)
  {
    if (g_str_equal (case_text (old, id), case_text (item, id))) {
      json_array_set_new (items, i, item);
      return;
    }
  }
  json_array_append_new (items, item);
}

static void
take_consultation (Building *building, const StoreRow *row)
{
  static const char *const copied[] = { "state", "mode", "reason", "conclusion" };
  const char *doctor = case_text (row->body, "doctor");
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    if (json_object_get (row->body, copied[i]) != NULL)
      json_object_set (building->view, copied[i], json_object_get (row->body, copied[i]));
  if (*doctor != '\0')
    json_object_set_new (
        building->view, "doctor",
        json_pack ("{s:s, s:s}", "id", doctor, "name", case_name_of (building, doctor)));
  if (g_str_equal (case_text (row->body, "state"), "concluding"))
    building->ended_us = row->utc_us;
  else if (g_str_equal (case_text (row->body, "state"), "live")) {
    building->ended_us = 0;
    if (building->began_us == 0)
      building->began_us = row->utc_us;
  }
}

static void
take_patient (Building *building, const StoreRow *row)
{
  json_object_set (building->view, "patient", row->body);
}

static void
take_facilities (Building *building, const StoreRow *row)
{
  json_object_set (building->view, "facilities", row->body);
}

static void
take_note (Building *building, const StoreRow *row)
{
  json_t *note = dated (building, row);
  if (*case_text (note, "author") == '\0')
    json_object_set (note, "author", json_object_get (note, "user"));
  json_object_set_new (note, "by", json_string (row->user != NULL ? row->user : ""));
  put_version (building, "notes", "note", note);
}

/* Confirmed is the version that stands, or none. */
static void
take_confirmation (Building *building, const StoreRow *row)
{
  json_t *note;
  gsize i;
  json_array_foreach (json_object_get (building->view, "notes"), i, note)
  {
    g_autofree char *hash
        = g_compute_checksum_for_string (G_CHECKSUM_SHA256, case_text (note, "text"), -1);
    g_autofree char *at = clock_text (row->utc_us);
    if (g_str_equal (case_text (note, "note"), case_text (row->body, "note"))
        && g_str_equal (hash, case_text (row->body, "sha256")))
      json_object_set_new (note, "confirmed", json_string (at));
  }
}

static void
take_problem (Building *building, const StoreRow *row)
{
  put_version (building, "problems", "problem", dated (building, row));
}

static void
take_prescription (Building *building, const StoreRow *row)
{
  put_version (building, "prescriptions", "prescription", dated (building, row));
}

static void
take_consent (Building *building, const StoreRow *row)
{
  append (building, "consents", dated (building, row));
}

static void
take_mark (Building *building, const StoreRow *row)
{
  append (building, "marks", dated (building, row));
}

static void
take_attachment (Building *building, const StoreRow *row)
{
  append (building, "attachments", dated (building, row));
}

static void
take_view (Building *building, const StoreRow *row)
{
  append (building, "views", dated (building, row));
}

static const char *
time_of (const json_t *observation)
{
  const char *received = case_text (observation, "received");
  return *case_text (observation, "time") != '\0' ? case_text (observation, "time") : received;
}

/* Tests of a device are no patient's, and what was not measured is none. */
static void
take_observation (Building *building, const StoreRow *row)
{
  json_t *value = json_object_get (row->body, "value");
  const char *vital = case_text (row->body, "vital");
  if (json_is_true (json_object_get (row->body, "test")) || value == NULL)
    return;
  json_t *reading = json_copy (row->body);
  if (*case_text (reading, "time") == '\0') {
    g_autofree char *at = clock_text (row->utc_us);
    json_object_set_new (reading, "time", json_string (at));
  }
  json_object_set_new (reading, "user", json_string (case_name_of (building, row->user)));
  append (building, "observations", reading);
  const json_t *known = json_object_get (building->latest, vital);
  if (*vital != '\0' && (known == NULL || strcmp (time_of (reading), time_of (known)) >= 0))
    json_object_set (building->latest, vital, reading);
}

static void
take_signature (Building *building, const StoreRow *row)
{
  json_t *signature = dated (building, row);
  json_object_del (signature, "manifest");
  append (building, "signatures", signature);
  if (*case_text (signature, "name") == '\0')
    json_object_set (signature, "name", json_object_get (signature, "user"));
  if (json_object_get (building->view, "manifest") == NULL
      && *case_text (row->body, "sha256") != '\0')
    json_object_set (building->view, "manifest", json_object_get (row->body, "sha256"));
}

static void
take_row (Building *building, const StoreRow *row)
{
  static const struct {
    const char *kind;
    void (*take) (Building *building, const StoreRow *row);
  } known[] = { { "consultation", take_consultation },
                { "patient", take_patient },
                { "facilities", take_facilities },
                { "note", take_note },
                { "confirmation", take_confirmation },
                { "problem", take_problem },
                { "prescription", take_prescription },
                { "consent", take_consent },
                { "mark", take_mark },
                { "attachment", take_attachment },
                { "observation", take_observation },
                { "view", take_view },
                { "signature", take_signature },
                { "guest", case_take_guest },
                { "event", case_take_event },
                { "recording", case_take_recording } };
  if (!json_is_object (row->body))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].kind, row->kind))
      known[i].take (building, row);
}

/* ---- The whole --------------------------------------------------------------------------------
 */

/* All rows until it was signed; after the first signature nothing but further ones, which are of
 * the same manifest. */
static guint
rows_of_content (const GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    if (g_str_equal (((StoreRow *)rows->pdata[i])->kind, "signature"))
      return i;
  return rows->len;
}

static gboolean
counts (const GPtrArray *rows, guint content, guint i)
{
  return i < content || g_str_equal (((StoreRow *)rows->pdata[i])->kind, "signature");
}

static void
drop_if (json_t *list, gboolean (*is_void) (const json_t *item))
{
  for (gsize i = json_array_size (list); i > 0; i--)
    if (is_void (json_array_get (list, i - 1)))
      json_array_remove (list, i - 1);
}

static gboolean
is_empty_note (const json_t *note)
{
  g_autofree char *text = g_strstrip (g_strdup (case_text (note, "text")));
  return *text == '\0';
}

static gboolean
is_removed (const json_t *item)
{
  return json_is_true (json_object_get (item, "removed"));
}

static json_t *
new_view (const char *station_name, const char *consult)
{
  return json_pack ("{s:s, s:s, s:i, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{}, s:{}, s:[], s:[], s:[],"
                    " s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:b}",
                    "consultation", consult, "state", "live", "mode", 0, "reason", "", "conclusion",
                    "", "station", "name", station_name != NULL ? station_name : "", "doctor", "id",
                    "", "name", "", "patient", "facilities", "people", "notes", "problems",
                    "prescriptions", "consents", "events", "marks", "outages", "observations",
                    "attachments", "signatures", "views", "recording", FALSE);
}

static void
finish (Building *building, const StoreRow *first, const StoreRow *last)
{
  json_t *view = building->view;
  /* What was planned had rows before it began. */
  g_autofree char *started
      = clock_text (building->began_us != 0 ? building->began_us : first->utc_us);
  g_autofree char *written = clock_text (last->utc_us);
  g_autofree char *ended = building->ended_us != 0 ? clock_text (building->ended_us) : NULL;
  json_object_set_new (view, "started", json_string (started));
  json_object_set_new (view, "ended", ended != NULL ? json_string (ended) : json_null ());
  json_object_set_new (view, "written", json_string (written));
  drop_if (json_object_get (view, "notes"), is_empty_note);
  drop_if (json_object_get (view, "problems"), is_removed);
  drop_if (json_object_get (view, "prescriptions"), is_removed);
  json_object_set (view, "readings", building->latest);
  case_finish_people (building, ended);
}

/* Who looked at an unsigned record is no part of what it says; its newest row is then not the
 * view. */
static const StoreRow *
last_that_counts (const GPtrArray *rows, guint content)
{
  for (guint i = rows->len; i > 0; i--)
    if (counts (rows, content, i - 1)
        && !g_str_equal (((StoreRow *)rows->pdata[i - 1])->kind, "view"))
      return rows->pdata[i - 1];
  return rows->pdata[0];
}

json_t *
case_view (Store *store, const char *station_name, const char *consult, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read_without (store, consult, "wave", error);
  if (rows == NULL)
    return NULL;
  if (rows->len == 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no consultation “%s”",
                 consult);
    return NULL;
  }
  /* Without the station's own key people are called by their ids. */
  g_autoptr (Users) users = users_load (store, NULL);
  Building building = { .view = new_view (station_name, consult),
                        .latest = json_object (),
                        .open = json_object (),
                        .users = users };
  guint content = rows_of_content (rows);
  for (guint i = 0; i < rows->len; i++)
    if (counts (rows, content, i))
      take_row (&building, rows->pdata[i]);
  finish (&building, rows->pdata[0], last_that_counts (rows, content));
  case_clean_all (building.view);
  json_decref (building.latest);
  json_decref (building.open);
  return building.view;
}
