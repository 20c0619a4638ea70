/* Who took part, and when something was away. */
#include "station/case_private.h"
#include "station/clock.h"

#include <string.h>

const char *
case_name_of (const Building *building, const char *user)
{
  if (user == NULL || g_str_equal (user, "station"))
    return "";
  return building->users != NULL ? users_name (building->users, user) : user;
}

/* ---- People ------------------------------------------------------------------------------- */

static json_t *
find_by (json_t *list, const char *member, const char *value)
{
  gsize i;
  json_t *item;
  json_array_foreach (list, i, item)
  {
    if (g_str_equal (case_text (item, member), value))
      return item;
  }
  return NULL;
}

/* How it was proven who this is: words of the row, and who let them in. */
static void
take_identity (const Building *building, json_t *person, const StoreRow *row)
{
  static const char *const copied[] = { "as", "relation", "proven" };
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++) {
    json_t *value = json_object_get (row->body, copied[i]);
    if (value != NULL)
      json_object_set (person, copied[i], value);
  }
  json_object_set_new (person, "admitted_by", json_string (case_name_of (building, row->user)));
}

void
case_take_guest (Building *building, const StoreRow *row)
{
  json_t *people = json_object_get (building->view, "people");
  g_autofree char *at = clock_text (row->utc_us);
  const char *id = case_text (row->body, "guest");
  gboolean is_in = g_str_equal (case_text (row->body, "state"), "admitted");
  json_t *person = find_by (people, "id", id);
  if (person == NULL && is_in) {
    person = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:n}", "id", id, "name",
                        case_text (row->body, "name"), "role", case_text (row->body, "role"),
                        "facility", case_text (row->body, "facility"), "joined", at, "left");
    json_t *identity = json_object_get (row->body, "identity");
    if (identity != NULL)
      json_object_set (person, "identity", identity);
    take_identity (building, person, row);
    json_array_append_new (people, person);
  } else if (person != NULL) {
    json_object_set_new (person, "left", is_in ? json_null () : json_string (at));
  }
}

void
case_finish_people (Building *building, const char *ended)
{
  json_t *view = building->view, *people = json_object_get (view, "people"), *person;
  const json_t *doctor = json_object_get (view, "doctor");
  const json_t *own = json_object_get (json_object_get (view, "facilities"), "own");
  const char *facility = case_text (own, "name");
  gsize i;
  if (*facility == '\0')
    facility = case_text (json_object_get (view, "station"), "name");
  json_array_insert_new (people, 0,
                         json_pack ("{s:s, s:s, s:s, s:s, s:s, s:n}", "id",
                                    case_text (doctor, "id"), "name", case_text (doctor, "name"),
                                    "role", "doctor", "facility", facility, "joined",
                                    case_text (view, "started"), "left"));
  json_array_foreach (people, i, person)
  {
    if (json_is_null (json_object_get (person, "left")) && ended != NULL)
      json_object_set_new (person, "left", json_string (ended));
  }
}

/* ---- Outages ------------------------------------------------------------------------------ */

static void
begin_outage (Building *building, const char *what, const char *detail, const char *at)
{
  g_autofree char *key = g_strconcat (what, "\n", detail, NULL);
  json_t *outages = json_object_get (building->view, "outages");
  if (json_object_get (building->open, key) != NULL)
    return;
  json_t *outage
      = json_pack ("{s:s, s:s, s:s, s:n}", "what", what, "detail", detail, "from", at, "to");
  json_array_append_new (outages, outage);
  json_object_set (building->open, key, outage);
}

static void
end_outage (Building *building, const char *what, const char *detail, const char *at)
{
  g_autofree char *key = g_strconcat (what, "\n", detail, NULL);
  json_t *outage = json_object_get (building->open, key);
  if (outage == NULL)
    return;
  json_object_set_new (outage, "to", json_string (at));
  json_object_del (building->open, key);
}

void
case_take_event (Building *building, const StoreRow *row)
{
  static const struct {
    const char *begin, *end, *outage;
    gboolean by_detail;
  } pairs[] = { { "interrupted", "resumed", "interrupted", FALSE },
                { "guest-away", "guest-live", "guest-away", TRUE },
                { "guest-away", "guest-left", "guest-away", TRUE },
                { "source-lost", "source-back", "source-lost", TRUE },
                { "relay-failed", "relay-back", "relay-failed", TRUE },
                { "device-lost", "device-live", "device-lost", TRUE } };
  const char *what = case_text (row->body, "what"), *detail = case_text (row->body, "detail");
  g_autofree char *at = clock_text (row->utc_us);
  json_t *event = json_copy (row->body);
  json_object_set_new (event, "at", json_string (at));
  json_object_set_new (event, "user", json_string (case_name_of (building, row->user)));
  json_array_append_new (json_object_get (building->view, "events"), event);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    const char *about = pairs[i].by_detail ? detail : "";
    if (g_str_equal (what, pairs[i].begin))
      begin_outage (building, pairs[i].outage, about, at);
    else if (g_str_equal (what, pairs[i].end))
      end_outage (building, pairs[i].outage, about, at);
  }
}

/* A pause with a reason is told; that a consultation begins without recording is none. */
void
case_take_recording (Building *building, const StoreRow *row)
{
  g_autofree char *at = clock_text (row->utc_us);
  json_t *paused = json_object_get (building->open, "recording-paused");
  if (json_is_true (json_object_get (row->body, "on"))) {
    json_object_set_new (building->view, "recording", json_true ());
    if (paused != NULL)
      json_object_set_new (paused, "to", json_string (at));
    json_object_del (building->open, "recording-paused");
  } else if (paused == NULL && json_is_true (json_object_get (building->view, "recording"))) {
    paused = json_pack ("{s:s, s:s, s:s, s:n}", "what", "recording-paused", "detail",
                        case_text (row->body, "reason"), "from", at, "to");
    json_array_append_new (json_object_get (building->view, "outages"), paused);
    json_object_set (building->open, "recording-paused", paused);
  }
}
