#include "station/station.h"
#include "station/calls/calls.h"
#include "station/deliveries.h"
#include "station/dicom.h"
#include "records/holding.h"
#include "records/segment.h"
#include "station/bluetooth.h"
#include "station/accounts.h"
#include "station/passkeys.h"
#include "station/clips.h"
#include "station/clock.h"
#include "station/device_values.h"
#include "station/disk_policy.h"
#include "station/ecgs.h"
#include "station/enrolment.h"
#include "station/guests.h"
#include "station/holding_keep.h"
#include "station/key_check.h"
#include "station/idle_lock.h"
#include "station/feeds.h"
#include "station/forms.h"
#include "station/local.h"
#include "station/readings.h"
#include "station/recorder.h"
#include "station/recovering.h"
#include "station/recording.h"
#include "station/rendezvous.h"
#include "station/pictures.h"
#include "station/providers.h"
#include "station/ptz.h"
#include "station/room.h"
#include "station/serial.h"
#include "station/monitors.h"
#include "station/sign.h"
#include "station/text.h"
#include "station/view.h"
#include "station/visits.h"
#include "station/waves.h"
#include "station/stamping.h"
#include "station/whip/conference.h"
#include "station/whip/whip_endpoint.h"
#include "station/witnesses.h"

#include <string.h>

#define STATE_INTERVAL_US (G_USEC_PER_SEC / 10)
#define RESTORE_LATEST 100
#define DRAFT "draft" /* of a Write: no row */

const char *
disk_level_name (DiskLevel level)
{
  static const char *const names[] = { "good", "low", "full" };
  return names[level];
}

/* ---- Rows ---------------------------------------------------------------------------------- */

typedef struct {
  Station *station;
  char *consult, *kind, *user;
  json_t *bodies; /* array */
  gint64 utc_us, mono_us;
  WriteDone done;
  void *arg;
} Write;

static void
write_free (Write *write)
{
  g_free (write->consult);
  g_free (write->kind);
  g_free (write->user);
  json_decref (write->bodies);
  g_free (write);
}

static void
apply_write (Write *write, Consult *consult, gint64 seq)
{
  gsize i;
  json_t *body;
  json_array_foreach (write->bodies, i, body)
  {
    if (g_str_equal (write->kind, DRAFT)) {
      forms_apply_draft (consult, json_string_value (json_object_get (body, "note")), write->user,
                         write->utc_us, body, users_name (write->station->users, write->user));
      continue;
    }
    StoreRow row = { .consult = write->consult,
                     .kind = write->kind,
                     .user = write->user,
                     .seq = seq,
                     .utc_us = write->utc_us,
                     .mono_us = write->mono_us,
                     .boot = (char *)clock_boot_id (),
                     .body = body };
    consult_apply (consult, &row, users_name (write->station->users, write->user));
  }
  conference_follow (write->station->conference);
  whip_endpoint_follow (write->station->whip);
  station_changed (write->station);
}

static void
written (gint64 seq, const GError *error, void *arg)
{
  Write *write = arg;
  Consult *consult = station_consult (write->station, write->consult);
  write->station->pending--;
  if (error != NULL)
    g_warning ("station: a row of kind %s was not written: %s", write->kind, error->message);
  else if (consult != NULL)
    apply_write (write, consult, seq);
  if (write->done != NULL)
    write->done (write->station, consult, seq, error, write->arg);
  write_free (write);
}

static Write *
write_new (Station *station, const char *consult, const char *kind, const char *user,
           json_t *bodies, WriteDone done, void *arg)
{
  Write *write = g_new0 (Write, 1);
  *write = (Write){ .station = station,
                    .consult = g_strdup (consult),
                    .kind = g_strdup (kind),
                    .user = g_strdup (user),
                    .bodies = bodies,
                    .utc_us = g_get_real_time (),
                    .mono_us = g_get_monotonic_time (),
                    .done = done,
                    .arg = arg };
  station->pending++;
  return write;
}

void
station_write (Station *station, const char *consult, const char *kind, const char *user,
               json_t *body, WriteDone done, void *arg)
{
  json_t *bodies = json_array ();
  json_array_append_new (bodies, body);
  Write *write = write_new (station, consult, kind, user, bodies, done, arg);
  store_put (station->store, consult, kind, user, body, written, write);
}

static const char *
note_of (const json_t *body)
{
  return json_string_value (json_object_get (body, "note"));
}

void
station_write_note (Station *station, const char *consult, const char *user, json_t *body,
                    WriteDone done, void *arg)
{
  json_t *bodies = json_array ();
  json_array_append_new (bodies, body);
  Write *write = write_new (station, consult, "note", user, bodies, done, arg);
  store_put_saved (station->store, consult, "note", user, body, note_of (body), written, write);
}

void
station_write_draft (Station *station, const char *consult, const char *note, const char *user,
                     json_t *body, WriteDone done, void *arg)
{
  json_t *bodies = json_array ();
  json_array_append_new (bodies, body);
  Write *write = write_new (station, consult, DRAFT, user, bodies, done, arg);
  store_put_draft (station->store, consult, note, user, body, written, write);
}

void
station_write_many (Station *station, const char *consult, const char *kind, const char *user,
                    json_t *bodies, WriteDone done, void *arg)
{
  Write *write = write_new (station, consult, kind, user, bodies, done, arg);
  store_put_many (station->store, consult, kind, user, bodies, written, write);
}

void
station_event (Station *station, const char *consult, const char *user, const char *what,
               const char *detail)
{
  json_t *body = json_pack ("{s:s, s:s}", "what", what, "detail", detail != NULL ? detail : "");
  station_write (station, consult, "event", user, body, NULL, NULL);
}

void
station_set_state (Station *station, Consult *consult, const char *user, ConsultState state,
                   WriteDone done, void *arg)
{
  station_write (station, consult->id, "consultation", user, consult_body (consult, state), done,
                 arg);
}

/* ---- Consultations --------------------------------------------------------------------------- */

Consult *
station_consult (Station *station, const char *id)
{
  for (guint i = 0; id != NULL && i < station->consults->len; i++)
    if (g_str_equal (((Consult *)station->consults->pdata[i])->id, id))
      return station->consults->pdata[i];
  return NULL;
}

Consult *
station_load_consult (Station *station, const char *id, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read_without (station->store, id, "wave", error);
  if (rows == NULL)
    return NULL;
  g_autoptr (Consult) consult = consult_new (id);
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    consult_apply (consult, row, users_name (station->users, row->user));
  }
  g_autoptr (GPtrArray) drafts = store_read_drafts (station->store, id, error);
  if (drafts == NULL)
    return NULL;
  for (guint i = 0; i < drafts->len; i++) {
    const StoreDraft *draft = drafts->pdata[i];
    forms_apply_draft (consult, draft->note, draft->user, draft->utc_us, draft->body,
                       users_name (station->users, draft->user));
  }
  if (consult->started_us == 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "consultation %s has no first row",
                 id);
    return NULL;
  }
  return g_steal_pointer (&consult);
}

static void
add_unfinished (const char *consult, Purpose purpose, void *ids)
{
  if (purpose == PURPOSE_CLINICAL && !holding_is (consult))
    g_hash_table_insert (ids, g_strdup (consult), GINT_TO_POINTER (TRUE));
}

/* Ids worth trying: those the boot credential opens (value 1), and the newest (0). */
static GHashTable *
unfinished_ids (Station *station, GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!vault_each_with_boot (station->vault, add_unfinished, ids, error))
    return NULL;
  g_autoptr (GPtrArray) newest = store_list_some (station->store, NULL, RESTORE_LATEST, error);
  if (newest == NULL)
    return NULL;
  for (guint i = 0; i < newest->len; i++)
    if (!g_hash_table_contains (ids, newest->pdata[i]))
      g_hash_table_insert (ids, g_strdup (newest->pdata[i]), NULL);
  return g_steal_pointer (&ids);
}

static void
interrupt (Station *station, Consult *consult, const char *why)
{
  if (consult->state != CONSULT_LIVE)
    return;
  station_set_state (station, consult, "station", CONSULT_INTERRUPTED, NULL, NULL);
  station_event (station, consult->id, "station", "interrupted", why);
}

/* (transfer full). What was cut off while it was being planned was never confirmed. */
static void
keep_planned (Station *station, Consult *consult)
{
  g_ptr_array_add (station->consults, consult);
  if (!visit_is_whole (consult))
    station_set_state (station, consult, "station", CONSULT_CANCELLED, NULL, NULL);
}

static void
restore_one (Station *station, const char *id, gboolean has_boot)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Consult) consult = station_load_consult (station, id, &error);
  if (consult == NULL) {
    if (!g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
      g_warning ("station: consultation %s cannot be read: %s", id, error->message);
    return;
  }
  if (consult->state == CONSULT_SIGNED || consult->state == CONSULT_CANCELLED) {
    if (has_boot && !sign_seal (station, consult->id, consult->doctor, consult->signature, &error))
      g_warning ("station: signing %s was not finished: %s", id, error->message);
    return;
  }
  if (consult_is_planned (consult)) {
    keep_planned (station, g_steal_pointer (&consult));
    return;
  }
  if (!consult_is_open (consult))
    return;
  if (!consult->parked
      && (station->screen == NULL || station->screen->changed_us < consult->changed_us))
    station->screen = consult;
  g_ptr_array_add (station->consults, g_steal_pointer (&consult));
}

static gboolean
restore (Station *station, GError **error)
{
  g_autoptr (GHashTable) ids = unfinished_ids (station, error);
  GHashTableIter iter;
  void *id, *has_boot;
  if (ids == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, ids);
  while (g_hash_table_iter_next (&iter, &id, &has_boot))
    restore_one (station, id, has_boot != NULL);
  for (guint i = 0; i < station->consults->len; i++)
    interrupt (station, station->consults->pdata[i], "restart");
  return TRUE;
}

void
station_show (Station *station, Consult *consult)
{
  if (station->screen == consult)
    return;
  if (station->screen != NULL)
    guests_leave_room (station, station->screen);
  station->screen = consult;
  recording_follow (station);
  if (consult != NULL)
    guests_enter_room (station, consult);
  waves_shown (station->waves);
  ptz_shown (station->ptz);
  conference_follow (station->conference);
  whip_endpoint_follow (station->whip);
  station_changed (station);
}

void
station_returned (Station *station, const char *user)
{
  Consult *consult = station->screen;
  if (consult == NULL || consult->state != CONSULT_INTERRUPTED || consult->busy)
    return;
  consult->state = CONSULT_LIVE; /* at once, so that a second page does not say it again */
  station_set_state (station, consult, user, CONSULT_LIVE, NULL, NULL);
  station_event (station, consult->id, user, "resumed", NULL);
}

void
station_forget (Station *station, Consult *consult)
{
  if (station->screen == consult)
    station_show (station, NULL);
  g_ptr_array_remove (station->consults, consult);
  station_changed (station);
}

/* ---- What pages see ----------------------------------------------------------------------------
 */

static gboolean
send_state (void *data)
{
  Station *station = data;
  station->state_timer = 0;
  station->state_sent_us = g_get_monotonic_time ();
  view_send (station);
  return G_SOURCE_REMOVE;
}

void
station_changed (Station *station)
{
  gint64 wait = station->state_sent_us + STATE_INTERVAL_US - g_get_monotonic_time ();
  if (station->state_timer == 0 && !station->stopping)
    station->state_timer = g_timeout_add_full (
        G_PRIORITY_DEFAULT_IDLE, (guint)CLAMP (wait / 1000, 0, 100), send_state, station, NULL);
}

gboolean
station_is_ready (Station *station)
{
  for (guint i = 0; i < vault_recipients (station->vault); i++)
    if (vault_recipient_confirmed (station->vault, i))
      return TRUE;
  return FALSE;
}

static void
add_problem (json_t *list, const char *level, const char *code, const char *vi, const char *en)
{
  json_array_append_new (list, json_pack ("{s:s, s:s, s:o}", "level", level, "code", code, "text",
                                          text_json (vi, en)));
}

json_t *
station_problems (Station *station)
{
  json_t *list = json_array ();
  if (!station_is_ready (station))
    add_problem (list, "bad", "recovery-unconfirmed",
                 "Chưa có khóa khôi phục nào được xác nhận: hãy chạy nhipcau setup --confirm MÃ.",
                 "No recovery key has been confirmed yet: run nhipcau setup --confirm CODE.");
  if (station->icd10_failed)
    add_problem (
        list, "warn", "icd10-file",
        "Không đọc được tệp mã ICD-10 (icd10 trong station.conf): xem nhật ký; đang dùng danh "
        "mục nhỏ có sẵn.",
        "The file of ICD-10 codes (icd10 in station.conf) cannot be read: see the log; the "
        "small built-in list is in use.");
  if (station->disk == DISK_LOW)
    add_problem (list, "warn", "disk-low", "Đĩa sắp đầy: chỉ còn ghi hình được ít lâu.",
                 "The disk is nearly full: little recording time is left.");
  if (station->disk == DISK_FULL)
    add_problem (list, "bad", "disk-full", "Đĩa đầy: đã ngừng ghi hình. Hãy giải phóng chỗ trống.",
                 "The disk is full: video recording has stopped. Free some space.");
  if (key_check_problem (station->key_check) != NULL)
    add_problem (
        list, "bad", "keys-damaged",
        "Tệp khóa bị hỏng và không tự sửa được: không mở được ca mới. Hãy khôi phục keys.db và "
        "keys-copy.db từ bản sao lưu.",
        "The key files are damaged and could not be repaired: no new consultation can be "
        "started. Put keys.db and keys-copy.db back from a backup.");
  deliveries_add_problems (station, list);
  witnesses_add_problems (station, list);
  stamping_add_problems (station->stamping, list);
  recovering_add_problems (station, list);
  enrolment_add_problems (station->enrolment, list);
  return list;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static gboolean
tick (void *data)
{
  Station *station = data;
  store_set_clock_trust (station->store, clock_is_synchronized () ? "ntp" : "none");
  recording_check_disk (station);
  disk_policy_tick (station->disk_policy);
  holding_keep_tick (station->holding);
  key_check_tick (station->key_check);
  idle_lock_tick (station);
  if (station->room != NULL)
    room_tick (station->room);
  if (station->recorder != NULL && recorder_tracks (station->recorder) != station->tracks_told) {
    station->tracks_told = recorder_tracks (station->recorder);
    station_changed (station);
  }
  return G_SOURCE_CONTINUE;
}

static void
consult_destroy (void *data)
{
  consult_free (data);
}

/* A station without the hospital's list works all the same; the console says that it is missing. */
static void
load_icd10 (Station *station)
{
  g_autoptr (GError) error = NULL;
  station->icd10 = icd10_load (station->config->icd10_file, &error);
  if (station->icd10 != NULL)
    return;
  g_warning ("station: [station] icd10: %s", error->message);
  station->icd10_failed = TRUE;
  station->icd10 = icd10_load (NULL, NULL);
}

Station *
station_new (const Config *config, Vault *vault, Store *store, Identity *identity, GError **error)
{
  g_autoptr (Station) station = g_new0 (Station, 1);
  station->config = config;
  station->vault = vault;
  station->store = store;
  station->identity = identity;
  station->instance = session_random_text (9);
  load_icd10 (station);
  station->clients = g_ptr_array_new ();
  station->consults = g_ptr_array_new_with_free_func (consult_destroy);
  station->links = links_new ();
  station->feeds = feeds_new (station);
  station->values = device_values_new ();
  station->pictures = pictures_new (station);
  station->clips = clips_new (station);
  station->waves = waves_new (station);
  station->users = users_load (store, error);
  if (station->users == NULL)
    return NULL;
  users_use_tpm (station->users, vault, config->tpm);
  station->sessions = sessions_load (store, error);
  if (station->sessions == NULL)
    return NULL;
  station->visits = visits_new (station, error);
  if (station->visits == NULL)
    return NULL;
  station->accounts = accounts_load (store, error);
  if (station->accounts == NULL)
    return NULL;
  station->passkeys = passkeys_load (store, error);
  if (station->passkeys == NULL)
    return NULL;
  station->providers = providers_new (station, error);
  if (station->providers == NULL)
    return NULL;
  station->ecgs = ecgs_new (station);
  station->readings = readings_new (station, error);
  if (station->readings == NULL || !restore (station, error)
      || !readings_know (station->readings, error))
    return NULL;
  station->dicom = dicom_new (station, error);
  if (station->dicom == NULL)
    return NULL;
  station->calls = calls_new (station);
  calls_restored (station->calls);
  station->deliveries = deliveries_new (station);
  station->conference = conference_new (station);
  station->whip = whip_endpoint_new (station);
  witnesses_take (station);
  store_set_clock_trust (store, clock_is_synchronized () ? "ntp" : "none");
  recording_check_disk (station);
  station->disk_policy = disk_policy_new (station);
  disk_policy_tick (station->disk_policy);
  station->holding = holding_keep_new (station);
  station->key_check = key_check_new (station);
  station->tick_timer = g_timeout_add_seconds (2, tick, station);
  return g_steal_pointer (&station);
}

gboolean
station_start_media (Station *station, GError **error)
{
  /* Sound may go on where video has stopped, down to half of what is to be kept free. */
  recording_set_floor (station->store,
                       MAX (station->config->keep_free / 2, G_GUINT64_CONSTANT (64) << 20));
  station->recorder = recorder_new (station->store, recording_failed, station);
  station->room = room_new (station, error);
  if (station->room == NULL)
    return FALSE;
  recording_follow (station);
  station->ptz = ptz_new (station, error);
  if (station->ptz == NULL)
    return FALSE;
  station->serial = serial_start (station);
  station->local = local_new (station);
  GError *wrong = NULL;
  station->bluetooth = bluetooth_new (station, &wrong);
  if (wrong == NULL)
    return TRUE;
  g_propagate_error (error, wrong);
  return FALSE;
}

gboolean
station_listen (Station *station, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  station->stamping = stamping_new (station, &wrong);
  if (wrong != NULL) {
    g_propagate_error (error, g_steal_pointer (&wrong));
    return FALSE;
  }
  station->enrolment = enrolment_new (station, error);
  if (station->enrolment == NULL)
    return FALSE;
  station->monitors = monitors_new (station, error);
  return station->monitors != NULL;
}

static void
close_clients (Station *station)
{
  while (station->clients->len > 0) {
    Client *client = g_ptr_array_steal_index_fast (station->clients, 0);
    client->events = NULL;
    if (client->session != NULL)
      client->session->client = NULL;
    client->session = NULL;
    client_unref (client);
  }
}

gboolean
station_is_busy (const Station *station)
{
  return station->pending > 0
         || (station->users != NULL && users_checks_pending (station->users) > 0)
         || (station->accounts != NULL && accounts_pending (station->accounts) > 0);
}

static void
wait_for_writes (Station *station)
{
  while (station_is_busy (station))
    g_main_context_iteration (NULL, TRUE);
}

void
station_free (Station *station)
{
  if (station == NULL)
    return;
  station->stopping = TRUE;
  /* While it waits for what is written, nobody asks a part that is gone already how it is. */
  g_clear_handle_id (&station->state_timer, g_source_remove);
  g_clear_handle_id (&station->tick_timer, g_source_remove);
  providers_stop (station->providers);
  g_clear_pointer (&station->deliveries, deliveries_free);
  g_clear_pointer (&station->disk_policy, disk_policy_free);
  g_clear_pointer (&station->holding, holding_keep_free);
  g_clear_pointer (&station->key_check, key_check_free);
  g_clear_pointer (&station->rendezvous, rendezvous_free);
  g_clear_pointer (&station->conference, conference_free);
  g_clear_pointer (&station->whip, whip_endpoint_free);
  for (guint i = 0; i < station->consults->len; i++)
    interrupt (station, station->consults->pdata[i], "stopped");
  if (station->waves != NULL)
    waves_flush (station->waves, NULL);
  g_clear_pointer (&station->bluetooth, bluetooth_free);
  wait_for_writes (station);
  g_clear_pointer (&station->ptz, ptz_free);
  g_clear_pointer (&station->room, room_free);
  g_clear_pointer (&station->recorder, recorder_free);
  wait_for_writes (station);
  close_clients (station);
  g_clear_pointer (&station->calls, calls_free);
  g_clear_pointer (&station->local, local_free);
  g_clear_pointer (&station->serial, serial_free);
  g_clear_pointer (&station->stamping, stamping_free);
  g_clear_pointer (&station->enrolment, enrolment_free);
  g_clear_pointer (&station->dicom, dicom_free);
  g_clear_pointer (&station->feeds, feeds_free);
  g_clear_pointer (&station->monitors, monitors_free);
  g_clear_pointer (&station->ecgs, ecgs_free);
  g_clear_pointer (&station->clips, clips_free);
  g_clear_pointer (&station->pictures, pictures_free);
  g_clear_pointer (&station->waves, waves_free);
  g_clear_pointer (&station->readings, readings_free);
  g_clear_pointer (&station->values, device_values_free);
  g_clear_pointer (&station->links, links_free);
  g_clear_pointer (&station->providers, providers_free);
  g_clear_pointer (&station->accounts, accounts_free);
  g_clear_pointer (&station->passkeys, passkeys_free);
  g_clear_pointer (&station->visits, visits_free);
  g_clear_pointer (&station->sessions, sessions_free);
  g_clear_pointer (&station->users, users_free);
  g_clear_pointer (&station->icd10, icd10_free);
  g_ptr_array_unref (station->consults);
  g_ptr_array_unref (station->clients);
  g_free (station->instance);
  g_free (station->live_sent);
  g_free (station);
}
