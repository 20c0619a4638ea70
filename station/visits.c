#include "station/visits.h"
#include "station/clock.h"
#include "station/guests.h"
#include "station/proof.h"
#include "station/view.h"

#include <openssl/rand.h>
#include <string.h>

#define MONTHS_KNOWN 3

struct Visits {
  GHashTable *over; /* invitation → its row's body */
};

/* ---- What is over ------------------------------------------------------------------------ */

/* Back: months before the month of now. */
static char *
kind_of_month (gint64 now_us, int back)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (now_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) first = g_date_time_add_days (now, 1 - g_date_time_get_day_of_month (now));
  g_autoptr (GDateTime) then = g_date_time_add_months (first, -back);
  return g_date_time_format (then, "visit-over-%Y-%m");
}

static void
know_over (Visits *visits, json_t *body)
{
  const char *invite = json_string_value (json_object_get (body, "invite"));
  if (invite != NULL)
    g_hash_table_insert (visits->over, g_strdup (invite), json_incref (body));
}

static void
body_free (void *body)
{
  json_decref (body);
}

Visits *
visits_new (Station *station, GError **error)
{
  g_autofree Visits *visits = g_new0 (Visits, 1);
  g_autoptr (GHashTable) over = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, body_free);
  visits->over = over;
  for (int back = MONTHS_KNOWN - 1; back >= 0; back--) {
    g_autofree char *kind = kind_of_month (g_get_real_time (), back);
    g_autoptr (GPtrArray) rows = store_read (station->store, "station", kind, 0, error);
    if (rows == NULL)
      return NULL;
    for (guint i = 0; i < rows->len; i++)
      know_over (visits, ((StoreRow *)rows->pdata[i])->body);
  }
  g_steal_pointer (&over);
  return g_steal_pointer (&visits);
}

void
visits_free (Visits *visits)
{
  g_hash_table_unref (visits->over);
  g_free (visits);
}

void
visits_are_over (Station *station, Consult *consult, const char *why)
{
  g_autofree char *kind = kind_of_month (g_get_real_time (), 0);
  json_auto_t *bodies = json_array ();
  for (guint i = 0; i < consult->invites->len; i++) {
    const Invite *invite = consult->invites->pdata[i];
    if (invite->pin == NULL)
      continue;
    json_t *body
        = json_pack ("{s:s, s:s, s:s}", "invite", invite->id, "secret", invite->secret, "why", why);
    know_over (station->visits, body);
    json_array_append_new (bodies, body);
  }
  if (json_array_size (bodies) > 0)
    station_write_many (station, "station", kind, "station", json_incref (bodies), NULL, NULL);
}

const char *
visits_over_secret (Station *station, const char *invite)
{
  const json_t *body = g_hash_table_lookup (station->visits->over, invite);
  return json_string_value (json_object_get (body, "secret"));
}

const char *
visits_over_code (Station *station, const char *invite, const char *secret)
{
  const json_t *body = g_hash_table_lookup (station->visits->over, invite);
  const char *kept = visits_over_secret (station, invite);
  const char *why = json_string_value (json_object_get (body, "why"));
  if (kept == NULL || !proof_secret_equal (kept, secret))
    return "no-such";
  return g_strcmp0 (why, "cancelled") == 0 ? "invite-cancelled" : "invite-used";
}

/* ---- When -------------------------------------------------------------------------------- */

const char *
visit_time_name (VisitTime time)
{
  static const char *const names[] = { "early", "open", "late" };
  return names[time];
}

static gint64
number_of (const json_t *appointment, const char *key)
{
  return json_integer_value (json_object_get (appointment, key));
}

void
visit_window (const json_t *appointment, guint early_minutes, guint late_minutes,
              gint64 *ret_opens_us, gint64 *ret_closes_us)
{
  gint64 at_us = number_of (appointment, "at_us");
  *ret_opens_us = at_us - early_minutes * G_TIME_SPAN_MINUTE;
  *ret_closes_us = at_us + (number_of (appointment, "minutes") + late_minutes) * G_TIME_SPAN_MINUTE;
}

static gboolean
clock_is_good (const Station *station)
{
  return station->config->visits.trust_clock || clock_is_synchronized ();
}

VisitTime
visit_time (Station *station, const Consult *consult)
{
  gint64 opens_us, closes_us, now_us = g_get_real_time ();
  const ConfigVisits *config = &station->config->visits;
  if (!clock_is_good (station) || !consult_is_planned (consult))
    return VISIT_OPEN;
  visit_window (consult->appointment, config->early_minutes, config->late_minutes, &opens_us,
                &closes_us);
  return now_us < opens_us ? VISIT_EARLY : now_us > closes_us ? VISIT_LATE : VISIT_OPEN;
}

/* ---- The appointment --------------------------------------------------------------------- */

char *
visit_new_pin (void)
{
  enum { LIMIT = 1000000 };
  guint32 number;
  do { /* what does not divide evenly is thrown again */
    if (RAND_bytes ((guint8 *)&number, sizeof number) != 1)
      g_error ("visits: the system has no random numbers");
  } while (number >= G_MAXUINT32 - G_MAXUINT32 % LIMIT);
  return g_strdup_printf ("%06u", number % LIMIT);
}

Invite *
visit_invite (Consult *consult)
{
  const char *id = json_string_value (json_object_get (consult->appointment, "invite"));
  Invite *invite = id != NULL ? consult_invite (consult, id) : NULL;
  return invite != NULL && invite->pin != NULL && invite->state != INVITE_REVOKED ? invite : NULL;
}

gboolean
visit_is_whole (Consult *consult)
{
  return number_of (consult->appointment, "at_us") > 0 && visit_invite (consult) != NULL;
}

char *
visit_when (gint64 at_us)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_offset (7 * 3600);
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (at_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) there = utc != NULL ? g_date_time_to_timezone (utc, zone) : NULL;
  return there != NULL ? g_date_time_format (there, "%H:%M ngày %d/%m/%Y") : g_strdup ("");
}

char *
visit_message (Station *station, const Consult *consult, const Invite *invite)
{
  const Config *config = station->config;
  g_autofree char *when = visit_when (number_of (consult->appointment, "at_us"));
  g_autofree char *link = invite_link (station, invite);
  g_autofree char *ask = config->facility_phone != NULL
                             ? g_strdup_printf (" Hỏi: %s.", config->facility_phone)
                             : g_strdup ("");
  return g_strdup_printf ("%s hẹn gọi hình lúc %s. Đến giờ, mở đường dẫn này bằng điện thoại có "
                          "camera: %s  Mã PIN được báo riêng, không gửi trong tin nhắn.%s",
                          config->station_name, when, link, ask);
}

/* ---- For the console --------------------------------------------------------------------- */

static json_t *
time_json (gint64 utc_us)
{
  g_autofree char *text = clock_text (utc_us);
  return json_string (text);
}

static void
add_invite (json_t *view, Consult *consult)
{
  const Invite *invite = visit_invite (consult);
  if (invite == NULL)
    return;
  json_object_set_new (view, "invite", json_string (invite->id));
  json_object_set_new (view, "state",
                       json_string (invite_state_name (consult_invite_state (consult, invite))));
  json_object_set_new (
      view, "tries_left",
      json_integer (INVITE_WRONG_MAX - (int)MIN (invite->wrong, INVITE_WRONG_MAX)));
  json_object_set_new (view, "bound", json_boolean (invite->bound != NULL));
}

static json_t *
visit_view (Station *station, Consult *consult)
{
  gint64 opens_us, closes_us;
  const json_t *row = consult->appointment;
  const ConfigVisits *config = &station->config->visits;
  visit_window (row, config->early_minutes, config->late_minutes, &opens_us, &closes_us);
  json_t *view = json_pack (
      "{s:s, s:o, s:I, s:o, s:o, s:s, s:b, s:s?, s:i, s:O, s:O*, s:O*}", "appointment", consult->id,
      "at", time_json (number_of (row, "at_us")), "minutes", (json_int_t)number_of (row, "minutes"),
      "opens", time_json (opens_us), "closes", time_json (closes_us), "time",
      visit_time_name (visit_time (station, consult)), "clock", clock_is_good (station), "reason",
      consult->reason, "mode", consult->mode, "patient", consult->patient, "phone",
      json_object_get (row, "phone"), "representative", json_object_get (row, "representative"));
  add_invite (view, consult);
  json_object_set_new (view, "guests", view_guests (station, consult));
  return view;
}

static int
by_time (gconstpointer a, gconstpointer b)
{
  const Consult *one = *(Consult *const *)a, *two = *(Consult *const *)b;
  gint64 first = number_of (one->appointment, "at_us");
  gint64 second = number_of (two->appointment, "at_us");
  return first < second ? -1 : first > second;
}

json_t *
visits_view (Station *station)
{
  g_autoptr (GPtrArray) planned = g_ptr_array_new ();
  json_t *list = json_array ();
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    if (consult_is_planned (consult) && consult->appointment != NULL)
      g_ptr_array_add (planned, consult);
  }
  g_ptr_array_sort (planned, by_time);
  for (guint i = 0; i < planned->len; i++)
    json_array_append_new (list, visit_view (station, planned->pdata[i]));
  return list;
}
