/* What the doctor says of devices and readings: claims, declines, and what is typed in by hand. */
#include "station/channel.h"
#include "station/clock.h"
#include "station/readings_private.h"
#include "station/waves.h"

#include <string.h>

/* ---- Claims
 * ------------------------------------------------------------------------------------------ */

static void
put_claims (Readings *readings)
{
  json_t *table = json_object ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Device *device = value;
    if (device->consult != NULL || device->claimed_us > 0)
      json_object_set_new (table, device->id,
                           json_pack ("{s:s?, s:I}", "consult", device->consult, "claimed_us",
                                      (json_int_t)device->claimed_us));
  }
  station_write (readings->station, "station", "device-claims", "station", table, NULL, NULL);
}

/* Moves what the device sent since the consultation began; gives the patient ids in it. */
static json_t *
take_waiting (Device *device, const Consult *consult, GHashTable *patient_ids)
{
  json_t *taken = json_array ();
  GQueue rest = G_QUEUE_INIT;
  Waiting *waiting;
  while ((waiting = g_queue_pop_head (&device->waiting)) != NULL) {
    if (waiting->arrived_us < consult->started_us) {
      g_queue_push_tail (&rest, waiting);
      continue;
    }
    json_array_append (taken, waiting->observation);
    if (waiting->patient_id != NULL)
      g_hash_table_add (patient_ids, g_strdup (waiting->patient_id));
    readings_waiting_free (waiting);
  }
  device->waiting = rest;
  return taken;
}

/* The doctor says that these readings are this patient's: so are later ones under that id. */
static void
learn_patient_ids (Station *station, Consult *consult, GHashTable *ids, const char *user)
{
  json_t *patient = json_deep_copy (consult->patient);
  json_t *list = json_object_get (patient, "device_ids");
  gboolean changed = FALSE;
  GHashTableIter iter;
  void *id;
  if (!json_is_array (list)) {
    list = json_array ();
    json_object_set_new (patient, "device_ids", list);
  }
  g_hash_table_iter_init (&iter, ids);
  while (g_hash_table_iter_next (&iter, &id, NULL)) {
    if (consult_match_patient (consult, id) != PATIENT_OTHER
        && json_object_get (consult->patient, "device_ids"))
      continue;
    json_array_append_new (list, json_string (id));
    changed = TRUE;
  }
  if (changed)
    station_write (station, consult->id, "patient", user, patient, NULL, NULL);
  else
    json_decref (patient);
}

typedef struct {
  Request *request;
  json_t *taken;
} Claim;

static void
claim_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Claim *claim = arg;
  if (error != NULL) {
    request_failed (claim->request, error);
  } else {
    if (consult != NULL && consult == station->screen)
      channel_send_readings (station, NULL, claim->taken);
    request_ok (claim->request, NULL);
  }
  request_unref (claim->request);
  json_decref (claim->taken);
  g_free (claim);
}

static void
claim_for (Request *request, Device *device, Consult *consult)
{
  Station *station = request->station;
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  json_t *taken = take_waiting (device, consult, ids);
  g_free (device->consult);
  device->consult = g_strdup (consult->id);
  waves_claim (station->waves, device->id, consult, request->user,
               MAX (consult->started_us, device->claimed_us));
  device->claimed_us = g_get_real_time ();
  device->held_back_said = FALSE;
  learn_patient_ids (station, consult, ids, request->user);
  put_claims (station->readings);
  station_event (station, consult->id, request->user, "device-claimed", device->id);
  if (json_array_size (taken) == 0) {
    json_decref (taken);
    request_ok (request, NULL);
    return;
  }
  Claim *claim = g_new0 (Claim, 1);
  claim->request = request_ref (request);
  claim->taken = taken;
  station_write_many (station, consult->id, "observation", request->user, json_incref (taken),
                      claim_written, claim);
}

void
readings_claim (Request *request)
{
  Readings *readings = request->station->readings;
  const char *id, *consult_id;
  if (!request_text (request, "device", REQUIRED, 200, &id)
      || !request_id (request, "consultation", OPTIONAL, &consult_id))
    return;
  Device *device = g_hash_table_lookup (readings->devices, id);
  Consult *consult = station_consult (request->station, consult_id);
  if (device == NULL || (consult_id != NULL && consult == NULL)) {
    request_refuse (request, "no-such");
    return;
  }
  if (consult != NULL && (!consult_is_open (consult) || consult->busy)) {
    request_refuse (request, "out-of-place");
    return;
  }
  if (consult != NULL) {
    claim_for (request, device, consult);
    return;
  }
  g_clear_pointer (&device->consult, g_free);
  put_claims (readings);
  station_changed (request->station);
  request_ok (request, NULL);
}

void
readings_decline (Request *request)
{
  Readings *readings = request->station->readings;
  const Consult *screen = request->station->screen;
  const char *id;
  if (!request_text (request, "device", REQUIRED, 200, &id))
    return;
  Device *device = g_hash_table_lookup (readings->devices, id);
  if (device == NULL) {
    request_refuse (request, "no-such");
    return;
  }
  g_queue_clear_full (&device->waiting, readings_waiting_free);
  device->claimed_us = g_get_real_time ();
  device->held_back_said = FALSE;
  put_claims (readings);
  if (screen != NULL)
    station_event (request->station, screen->id, request->user, "readings-declined", device->id);
  station_changed (request->station);
  request_ok (request, NULL);
}

/* ---- By hand
 * -------------------------------------------------------------------------------------------- */

static void
saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  const char *vital = json_string_value (json_object_get (request->message, "vital"));
  json_t *observation = consult != NULL ? json_object_get (consult->readings, vital) : NULL;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (observation != NULL && consult == station->screen) {
    json_auto_t *items = json_pack ("[O]", observation);
    channel_send_readings (station, NULL, items);
  }
  request_ok (request, NULL);
}

void
readings_save (Request *request)
{
  static const char *const vitals[]
      = { "spo2", "pulse", "hr",      "nibp-sys", "nibp-dia", "nibp-mean",
          "temp", "resp",  "glucose", "weight",   "height",   NULL };
  const char *vital, *value, *unit;
  if (!request_word (request, "vital", REQUIRED, vitals, &vital)
      || !request_text (request, "value", REQUIRED, 32, &value)
      || !request_text (request, "unit", OPTIONAL, 16, &unit))
    return;
  g_autofree char *point = g_strdup (value);
  g_autofree char *now = clock_text (g_get_real_time ());
  char *end = NULL;
  double number = g_ascii_strtod (g_strdelimit (point, ",", '.'), &end);
  if (end == point || *end != '\0' || !(number >= 0 && number < 100000)) {
    request_bad (request, "value", "wants a number");
    return;
  }
  json_t *body
      = json_pack ("{s:s, s:f, s:s, s:s?, s:s, s:s, s:[s], s:s, s:b}", "vital", vital, "value",
                   number, "value_text", value, "unit", unit, "time", now, "time_source", "station",
                   "flags", "manual", "status", "F", "test", FALSE);
  station_write (request->station, request->station->screen->id, "observation", request->user, body,
                 saved, request_ref (request));
}
