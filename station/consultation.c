#include "station/consultation.h"
#include "station/alarms.h"
#include "station/calls/calls.h"
#include "station/clock.h"
#include "station/forms.h"

#include <string.h>

static const char *const state_names[]
    = { "scheduled", "waiting",   "live",      "interrupted", "concluding",
        "signed",    "delivered", "cancelled", NULL };
static const char *const guest_names[] = { "lobby", "admitted", "live", "away", "removed" };
static const char *const invite_names[] = { "created", "armed",   "lobby", "admitted", "live",
                                            "ended",   "revoked", "burnt", "expired",  NULL };

const char *
consult_state_name (ConsultState state)
{
  return state_names[state];
}

static int
index_of (const char *const *names, const char *name)
{
  for (int i = 0; name != NULL && names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return i;
  return -1;
}

gboolean
consult_state_from_name (const char *name, ConsultState *ret)
{
  int i = index_of (state_names, name);
  if (i >= 0)
    *ret = (ConsultState)i;
  return i >= 0;
}

const char *
guest_state_name (GuestState state)
{
  return guest_names[state];
}

const char *
invite_state_name (InviteState state)
{
  return invite_names[state];
}

gboolean
consult_may_become (ConsultState from, ConsultState to)
{
#define TO(state) (1u << CONSULT_##state)
  static const guint allowed[] = {
    [CONSULT_SCHEDULED] = TO (WAITING) | TO (LIVE) | TO (CANCELLED),
    [CONSULT_WAITING] = TO (LIVE) | TO (CANCELLED),
    [CONSULT_LIVE] = TO (INTERRUPTED) | TO (CONCLUDING),
    [CONSULT_INTERRUPTED] = TO (LIVE) | TO (CONCLUDING),
    [CONSULT_CONCLUDING] = TO (LIVE) | TO (SIGNED),
    [CONSULT_SIGNED] = TO (DELIVERED),
    [CONSULT_DELIVERED] = 0,
    [CONSULT_CANCELLED] = 0,
  };
#undef TO
  return (allowed[from] & (1u << to)) != 0;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static void
guest_free (void *data)
{
  Guest *guest = data;
  g_free (guest->id);
  g_free (guest->invite);
  g_free (guest->name);
  g_free (guest->facility);
  g_free (guest->role);
  g_free (guest->key);
  json_decref (guest->identity);
  json_decref (guest->proof);
  g_free (guest->fingerprint);
  json_decref (guest->about);
  json_decref (guest->proven);
  g_free (guest);
}

static void
invite_free (void *data)
{
  Invite *invite = data;
  g_free (invite->id);
  g_free (invite->role);
  g_free (invite->name);
  g_free (invite->secret);
  g_free (invite->pin);
  g_free (invite->bound);
  g_free (invite);
}

Consult *
consult_new (const char *id)
{
  Consult *consult = g_new0 (Consult, 1);
  consult->id = g_strdup (id);
  consult->state = CONSULT_LIVE;
  consult->patient = json_object ();
  consult->consents = json_array ();
  consult->notes = json_array ();
  consult->problems = json_array ();
  consult->proposals = json_array ();
  consult->marks = json_array ();
  consult->events = json_array ();
  consult->attachments = json_array ();
  consult->readings = json_object ();
  consult->alarms = json_object ();
  consult->invites = g_ptr_array_new_with_free_func (invite_free);
  consult->guests = g_ptr_array_new_with_free_func (guest_free);
  consult->calls = g_ptr_array_new_with_free_func ((GDestroyNotify)call_free);
  return consult;
}

void
consult_free (Consult *consult)
{
  if (consult == NULL)
    return;
  g_free (consult->id);
  g_free (consult->reason);
  g_free (consult->conclusion);
  g_free (consult->doctor);
  g_free (consult->started_boot);
  json_decref (consult->patient);
  json_decref (consult->consents);
  json_decref (consult->notes);
  json_decref (consult->problems);
  json_decref (consult->proposals);
  json_decref (consult->facilities);
  json_decref (consult->marks);
  json_decref (consult->events);
  json_decref (consult->attachments);
  json_decref (consult->readings);
  json_decref (consult->alarms);
  json_decref (consult->appointment);
  g_ptr_array_unref (consult->invites);
  g_ptr_array_unref (consult->guests);
  g_ptr_array_unref (consult->calls);
  g_free (consult);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

static void
set_text (char **target, const char *text)
{
  char *copy = g_strdup (text);
  g_free (*target);
  *target = copy;
}

/* NULL when it is not there. */
static void
take_text (char **target, const json_t *body, const char *key)
{
  char *copy = g_strdup (json_string_value (json_object_get (body, key)));
  g_free (*target);
  *target = copy;
}

static void
apply_consultation (Consult *consult, const StoreRow *row)
{
  ConsultState state;
  if (!consult_state_from_name (text_of (row->body, "state"), &state))
    return;
  /* What was planned begins when it is begun. */
  if (consult->started_us == 0 || (consult_is_planned (consult) && state == CONSULT_LIVE)) {
    consult->started_us = row->utc_us;
    consult->started_mono_us = row->mono_us;
    set_text (&consult->started_boot, row->boot);
  }
  consult->state = state;
  consult->changed_us = row->utc_us;
  consult->mode = (int)json_integer_value (json_object_get (row->body, "mode"));
  consult->parked = json_is_true (json_object_get (row->body, "parked"));
  set_text (&consult->reason, text_of (row->body, "reason"));
  set_text (&consult->conclusion, text_of (row->body, "conclusion"));
  set_text (&consult->doctor, text_of (row->body, "doctor"));
}

static void
apply_patient (Consult *consult, const StoreRow *row)
{
  json_decref (consult->patient);
  consult->patient = json_deep_copy (row->body);
}

/* A copy of the body with who and when, as pages want it. */
json_t *
consult_row_copy (const StoreRow *row, const char *user_name)
{
  g_autofree char *at = clock_text (row->utc_us);
  json_t *copy = json_copy (row->body);
  json_object_set_new (copy, "at", json_string (at));
  json_object_set_new (copy, "user", json_string (user_name));
  return copy;
}

static void
apply_consent (Consult *consult, const StoreRow *row, const char *user_name)
{
  json_array_append_new (consult->consents, consult_row_copy (row, user_name));
}

static void
apply_recording (Consult *consult, const StoreRow *row)
{
  gboolean on = json_is_true (json_object_get (row->body, "on"));
  if (on && !consult->recording)
    consult->recording_since_us = row->utc_us;
  consult->recording = on;
}

static void
apply_note (Consult *consult, const StoreRow *row, const char *user_name)
{
  const char *author = text_of (row->body, "author");
  json_t *note = consult_row_copy (row, *author != '\0' ? author : user_name);
  gsize i;
  json_t *old;
  json_object_del (note, "author");
  json_object_set_new (note, "by", json_string (row->user));
  json_array_foreach (consult->notes, i, old)
  {
    if (g_str_equal (text_of (old, "note"), text_of (note, "note"))) {
      json_array_set_new (consult->notes, i, note);
      return;
    }
  }
  json_array_append_new (consult->notes, note);
}

/* Of the version that stands, or of none: a later one wants another. */
static void
apply_confirmation (Consult *consult, const StoreRow *row)
{
  gsize i;
  json_t *note;
  json_array_foreach (consult->notes, i, note)
  {
    g_autofree char *hash
        = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text_of (note, "text"), -1);
    g_autofree char *at = clock_text (row->utc_us);
    if (g_str_equal (text_of (note, "note"), text_of (row->body, "note"))
        && g_str_equal (hash, text_of (row->body, "sha256")))
      json_object_set_new (note, "confirmed", json_string (at));
  }
}

/* The device's time, unless its clock is ahead of the station's: then the time of arrival. Texts of
 * one length compare as times do. */
static const char *
reading_time (const json_t *observation)
{
  const char *received = text_of (observation, "received");
  gboolean ahead = FALSE;
  size_t i;
  json_t *flag;
  json_array_foreach (json_object_get (observation, "flags"), i, flag)
  {
    ahead |= g_strcmp0 (json_string_value (flag), "clock-ahead") == 0;
  }
  return ahead && *received != '\0' ? received : text_of (observation, "time");
}

/* A gateway that was cut off sends old readings after new ones: they do not become the newest. */
static void
apply_observation (Consult *consult, const StoreRow *row)
{
  const char *vital = text_of (row->body, "vital");
  json_t *known = json_object_get (consult->readings, vital);
  if (*vital != '\0'
      && (known == NULL || strcmp (reading_time (row->body), reading_time (known)) >= 0))
    json_object_set (consult->readings, vital, row->body);
}

static void
apply_event (Consult *consult, const StoreRow *row)
{
  g_autofree char *at = clock_text (row->utc_us);
  json_t *event = json_copy (row->body);
  json_object_set_new (event, "at", json_string (at));
  json_array_append_new (consult->events, event);
  if (json_array_size (consult->events) > CONSULT_EVENTS_MAX)
    json_array_remove (consult->events, 0);
  if (g_str_equal (text_of (row->body, "what"), "sfu-begun"))
    consult->sfu = TRUE;
  else if (g_str_equal (text_of (row->body, "what"), "sfu-ended"))
    consult->sfu = FALSE;
}

static void
apply_invite (Consult *consult, const StoreRow *row)
{
  Invite *invite = consult_invite (consult, text_of (row->body, "invite"));
  int state = index_of (invite_names, text_of (row->body, "state"));
  if (state < 0)
    return;
  if (invite == NULL) {
    invite = g_new0 (Invite, 1);
    invite->id = g_strdup (text_of (row->body, "invite"));
    g_ptr_array_add (consult->invites, invite);
  }
  set_text (&invite->role, text_of (row->body, "role"));
  set_text (&invite->name, text_of (row->body, "name"));
  set_text (&invite->secret, text_of (row->body, "secret"));
  invite->state = (InviteState)state;
  invite->wrong = (guint)json_integer_value (json_object_get (row->body, "wrong"));
  take_text (&invite->pin, row->body, "pin");
  take_text (&invite->bound, row->body, "bound");
}

static void
take_identity (Guest *guest, const json_t *body)
{
  json_t *identity = json_object_get (body, "identity");
  const char *fingerprint = json_string_value (json_object_get (body, "fingerprint"));
  json_incref (identity);
  json_decref (guest->identity);
  guest->identity = identity;
  set_text (&guest->fingerprint, fingerprint);
}

static void
apply_guest (Consult *consult, const StoreRow *row)
{
  Guest *guest = consult_guest (consult, text_of (row->body, "guest"));
  gboolean admitted = g_str_equal (text_of (row->body, "state"), "admitted");
  if (guest == NULL) {
    guest = g_new0 (Guest, 1);
    guest->id = g_strdup (text_of (row->body, "guest"));
    g_ptr_array_add (consult->guests, guest);
  }
  set_text (&guest->invite, text_of (row->body, "invite"));
  set_text (&guest->name, text_of (row->body, "name"));
  set_text (&guest->facility, text_of (row->body, "facility"));
  set_text (&guest->role, text_of (row->body, "role"));
  set_text (&guest->key, text_of (row->body, "key"));
  take_identity (guest, row->body);
  json_decref (guest->proven);
  guest->proven = json_incref (json_object_get (row->body, "proven"));
  if (guest->about == NULL && json_object_get (row->body, "as") != NULL)
    guest->about = json_pack ("{s:s, s:s}", "as", text_of (row->body, "as"), "relation",
                              text_of (row->body, "relation"));
  guest->other = FALSE;
  if (!admitted)
    guest->state = GUEST_REMOVED;
  else
    guest->state = guest->client != NULL ? GUEST_ADMITTED : GUEST_AWAY;
}

void
consult_apply (Consult *consult, const StoreRow *row, const char *user_name)
{
  if (!json_is_object (row->body))
    return;
  if (g_str_equal (row->kind, "consultation"))
    apply_consultation (consult, row);
  else if (g_str_equal (row->kind, "patient"))
    apply_patient (consult, row);
  else if (g_str_equal (row->kind, "consent"))
    apply_consent (consult, row, user_name);
  else if (g_str_equal (row->kind, "recording"))
    apply_recording (consult, row);
  else if (g_str_equal (row->kind, "note"))
    apply_note (consult, row, user_name);
  else if (g_str_equal (row->kind, "observation"))
    apply_observation (consult, row);
  else if (g_str_equal (row->kind, "alarm"))
    alarms_apply (consult->alarms, row->body);
  else if (g_str_equal (row->kind, "attachment"))
    json_array_append_new (consult->attachments, consult_row_copy (row, user_name));
  else if (g_str_equal (row->kind, "event"))
    apply_event (consult, row);
  else if (g_str_equal (row->kind, "invite"))
    apply_invite (consult, row);
  else if (g_str_equal (row->kind, "guest"))
    apply_guest (consult, row);
  else if (g_str_equal (row->kind, "call"))
    calls_apply (consult, row);
  else if (g_str_equal (row->kind, "signature"))
    consult->signature = TRUE;
  else if (g_str_equal (row->kind, "confirmation"))
    apply_confirmation (consult, row);
  else if (g_str_equal (row->kind, "appointment")) {
    json_decref (consult->appointment);
    consult->appointment = json_incref (row->body);
  } else
    forms_apply (consult, row, user_name);
}

json_t *
consult_body (const Consult *consult, ConsultState state)
{
  return json_pack ("{s:s, s:i, s:s, s:s, s:s, s:b}", "state", consult_state_name (state), "mode",
                    consult->mode, "reason", consult->reason ? consult->reason : "", "conclusion",
                    consult->conclusion ? consult->conclusion : "", "doctor",
                    consult->doctor ? consult->doctor : "", "parked", consult->parked);
}

/* ---- Questions ------------------------------------------------------------------------------ */

static gboolean
has_purpose (const json_t *consent, const char *purpose)
{
  gsize i;
  json_t *value;
  json_array_foreach (json_object_get (consent, "purposes"), i, value)
  {
    if (g_strcmp0 (json_string_value (value), purpose) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Consents are read in order: a later one replaces what it speaks of; a withdrawal takes its
 * purposes back. "impossible" (an unconscious patient, nobody to ask) allows what it names, with
 * the reason in the record. */
gboolean
consult_recording_allowed (const Consult *consult)
{
  gboolean allowed = FALSE;
  gsize i;
  json_t *consent;
  json_array_foreach (consult->consents, i, consent)
  {
    gboolean names_it = has_purpose (consent, "recording");
    /* What was ticked on the patient's phone speaks of what it names, of nothing else. */
    if (!names_it && json_object_get (consent, "guest") != NULL)
      continue;
    if (!g_str_equal (text_of (consent, "kind"), "withdrawn"))
      allowed = names_it;
    else if (names_it)
      allowed = FALSE;
  }
  return allowed;
}

gboolean
consult_is_planned (const Consult *consult)
{
  return consult->state == CONSULT_SCHEDULED || consult->state == CONSULT_WAITING;
}

gboolean
consult_is_open (const Consult *consult)
{
  return consult->state == CONSULT_LIVE || consult->state == CONSULT_INTERRUPTED
         || consult->state == CONSULT_CONCLUDING;
}

const char *
consult_patient_name (const Consult *consult)
{
  const char *name = json_string_value (json_object_get (consult->patient, "name"));
  return name != NULL && *name != '\0' ? name : NULL;
}

gint64
consult_epoch (const Consult *consult, const char *boot_now, gint64 mono_now_us, gint64 utc_now_us)
{
  if (g_strcmp0 (consult->started_boot, boot_now) == 0)
    return consult->started_mono_us;
  return mono_now_us - MAX (utc_now_us - consult->started_us, 0);
}

char *
consult_device_id (const Consult *consult)
{
  json_t *used = json_array_get (json_object_get (consult->patient, "device_ids"), 0);
  g_autofree char *made = g_strdup_printf ("NC-%.8s", consult->id);
  char *upper = g_ascii_strup (made, -1);
  if (!json_is_string (used))
    return upper;
  g_free (upper);
  return g_strdup (json_string_value (used));
}

PatientMatch
consult_match_patient (const Consult *consult, const char *patient_id)
{
  static const char *const fields[] = { "personal_number", "insurance" };
  g_autofree char *told = consult_device_id (consult);
  gboolean known = FALSE;
  gsize i;
  json_t *value;
  if (g_strcmp0 (told, patient_id) == 0)
    return PATIENT_SAME;
  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    const char *text = json_string_value (json_object_get (consult->patient, fields[i]));
    known |= text != NULL;
    if (g_strcmp0 (text, patient_id) == 0)
      return PATIENT_SAME;
  }
  json_array_foreach (json_object_get (consult->patient, "device_ids"), i, value)
  {
    known = TRUE;
    if (g_strcmp0 (json_string_value (value), patient_id) == 0)
      return PATIENT_SAME;
  }
  return known ? PATIENT_OTHER : PATIENT_MAYBE;
}

/* ---- Invitations and guests ------------------------------------------------------------------ */

Invite *
consult_invite (Consult *consult, const char *id)
{
  for (guint i = 0; i < consult->invites->len; i++)
    if (g_str_equal (((Invite *)consult->invites->pdata[i])->id, id))
      return consult->invites->pdata[i];
  return NULL;
}

Guest *
consult_guest (Consult *consult, const char *id)
{
  for (guint i = 0; i < consult->guests->len; i++)
    if (g_str_equal (((Guest *)consult->guests->pdata[i])->id, id))
      return consult->guests->pdata[i];
  return NULL;
}

Guest *
consult_guest_by_key (Consult *consult, const char *invite, const char *key)
{
  for (guint i = 0; i < consult->guests->len; i++) {
    Guest *guest = consult->guests->pdata[i];
    if (g_str_equal (guest->invite, invite) && g_str_equal (guest->key, key))
      return guest;
  }
  return NULL;
}

static guint
guests_waiting (const Consult *consult)
{
  guint waiting = 0;
  for (guint i = 0; i < consult->guests->len; i++)
    waiting += ((Guest *)consult->guests->pdata[i])->state == GUEST_LOBBY;
  return waiting;
}

Guest *
consult_add_guest (Consult *consult, const char *invite, const char *role, const char *key,
                   const char *name, const char *facility)
{
  if (guests_waiting (consult) >= CONSULT_GUESTS_MAX)
    return NULL;
  Guest *guest = g_new0 (Guest, 1);
  guest->id = g_strdup_printf ("g%08x", g_random_int ());
  guest->invite = g_strdup (invite);
  guest->role = g_strdup (role);
  guest->key = g_strdup (key);
  guest->name = g_strdup (name);
  guest->facility = g_strdup (facility);
  guest->state = GUEST_LOBBY;
  g_ptr_array_add (consult->guests, guest);
  return guest;
}

void
consult_drop_guest (Consult *consult, Guest *guest)
{
  g_ptr_array_remove (consult->guests, guest);
}

InviteState
consult_invite_state (Consult *consult, const Invite *invite)
{
  InviteState state = invite->state;
  if (state != INVITE_CREATED && state != INVITE_ARMED && state != INVITE_ADMITTED)
    return state;
  for (guint i = 0; i < consult->guests->len; i++) {
    const Guest *guest = consult->guests->pdata[i];
    if (!g_str_equal (guest->invite, invite->id))
      continue;
    if (guest->state == GUEST_LIVE)
      return INVITE_LIVE;
    if (guest->state == GUEST_LOBBY && state != INVITE_ADMITTED)
      state = INVITE_LOBBY;
  }
  return state;
}
