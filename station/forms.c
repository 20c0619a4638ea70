#include "station/forms.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/roles.h"
#include "station/room.h"
#include "station/text.h"

#include <string.h>

#define TITLE_MAX 500
#define TEXT_MAX 20000
#define FACILITIES_MAX 10
#define MARKS_MAX 1000
#define PROBLEMS_MAX 50
#define FOUND_MAX 20

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

/* ---- Rows --------------------------------------------------------------------------------- */

static gsize
place_of (const json_t *list, const char *key, const char *id)
{
  gsize i;
  json_t *entry;
  json_array_foreach (list, i, entry)
  {
    if (g_str_equal (text_of (entry, key), id))
      return i;
  }
  return G_MAXSIZE;
}

static void
drop (json_t *list, const char *key, const char *id)
{
  gsize i = place_of (list, key, id);
  if (i != G_MAXSIZE)
    json_array_remove (list, i);
}

static void
put (json_t *list, const char *key, json_t *entry)
{
  gsize i = place_of (list, key, text_of (entry, key));
  if (i != G_MAXSIZE)
    json_array_set_new (list, i, entry);
  else
    json_array_append_new (list, entry);
}

/* The newest version rules; what was removed, or taken over by the doctor, is no more. */
static void
apply_problem (json_t *list, const StoreRow *row, const char *user_name)
{
  if (json_is_true (json_object_get (row->body, "removed")))
    drop (list, "problem", text_of (row->body, "problem"));
  else
    put (list, "problem", consult_row_copy (row, user_name));
}

void
forms_apply (Consult *consult, const StoreRow *row, const char *user_name)
{
  if (g_str_equal (row->kind, "problem")) {
    apply_problem (consult->problems, row, user_name);
    drop (consult->proposals, "problem", text_of (row->body, "problem"));
  } else if (g_str_equal (row->kind, "proposal"))
    apply_problem (consult->proposals, row, user_name);
  else if (g_str_equal (row->kind, "facilities")) {
    json_decref (consult->facilities);
    consult->facilities = json_deep_copy (row->body);
  } else if (g_str_equal (row->kind, "mark")) {
    json_array_append_new (consult->marks, consult_row_copy (row, user_name));
    if (json_array_size (consult->marks) > MARKS_MAX)
      json_array_remove (consult->marks, 0);
  }
}

void
forms_apply_draft (Consult *consult, const char *note, const char *user, gint64 utc_us,
                   const json_t *body, const char *user_name)
{
  g_autofree char *at = clock_text (utc_us);
  const char *author = text_of (body, "author");
  put (consult->notes, "note",
       json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "note", note, "kind",
                  text_of (body, "kind"), "text", text_of (body, "text"), "user",
                  *author != '\0' ? author : user_name, "by", user, "at", at, "draft", TRUE));
}

json_t *
forms_own_facility (const Config *config)
{
  json_t *own = json_pack ("{s:s, s:s}", "id", config->station_id, "name", config->station_name);
  const struct {
    const char *key, *value;
  } more[] = { { "code", config->facility_code },
               { "address", config->facility_address },
               { "phone", config->facility_phone } };
  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    if (more[i].value != NULL)
      json_object_set_new (own, more[i].key, json_string (more[i].value));
  return json_pack ("{s:o, s:[]}", "own", own, "consulted");
}

void
forms_view (Station *station, const Consult *consult, json_t *view)
{
  json_object_set (view, "problems", consult->problems);
  json_object_set (view, "proposals", consult->proposals);
  json_object_set (view, "marks", consult->marks);
  json_object_set_new (view, "facilities",
                       consult->facilities != NULL ? json_incref (consult->facilities)
                                                   : forms_own_facility (station->config));
}

/* ---- Answers ------------------------------------------------------------------------------ */

static void
saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL && consult == station->screen)
    forms_send (station, NULL);
  request_ok (request, json_pack ("{s:I}", "seq", (json_int_t)seq));
}

/* ---- Problems ----------------------------------------------------------------------------- */

static gboolean
id_is_good (const char *id)
{
  return *id != '\0' && strlen (id) <= 64
         && strspn (id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
                == strlen (id);
}

/* NULL with the field at fault. (transfer full) */
static json_t *
problem_body (const json_t *message, const char *author, const char **ret_wrong)
{
  const json_t *code = json_object_get (message, "icd10");
  const char *id = text_of (message, "problem"), *title = text_of (message, "title");
  const char *text = text_of (message, "text");
  if (!id_is_good (id))
    *ret_wrong = "problem";
  else if (code != NULL && !json_is_null (code)
           && (!json_is_string (code) || !icd10_is_code (json_string_value (code))))
    *ret_wrong = "icd10";
  else if (*title == '\0' || !text_is_clean (title, TITLE_MAX))
    *ret_wrong = "title";
  else if (!text_is_clean (text, TEXT_MAX))
    *ret_wrong = "text";
  else
    return json_pack ("{s:s, s:s?, s:s, s:s, s:b, s:s}", "problem", id, "icd10",
                      json_string_value (code), "title", title, "text", text, "removed",
                      json_is_true (json_object_get (message, "removed")), "author", author);
  return NULL;
}

static gboolean
has_room (const json_t *list, const char *id)
{
  return json_array_size (list) < PROBLEMS_MAX || place_of (list, "problem", id) != G_MAXSIZE;
}

void
console_problem_save (Request *request)
{
  Station *station = request->station;
  Consult *consult = station->screen;
  const char *wrong = NULL;
  json_t *body
      = problem_body (request->message, users_name (station->users, request->user), &wrong);
  if (body == NULL) {
    request_bad (request, wrong, "is not as it must be");
    return;
  }
  const char *id = text_of (body, "problem");
  if (!has_room (consult->problems, id)) {
    json_decref (body);
    request_refuse_with (request, "refused", "Đã có quá nhiều vấn đề trong lượt khám này.",
                         "This consultation has too many problems.", NULL);
    return;
  }
  gsize i = place_of (consult->proposals, "problem", id);
  const json_t *known
      = i != G_MAXSIZE
            ? json_array_get (consult->proposals, i)
            : json_array_get (consult->problems, place_of (consult->problems, "problem", id));
  const char *by = text_of (known, i != G_MAXSIZE ? "author" : "proposed_by");
  if (*by != '\0')
    json_object_set_new (body, "proposed_by", json_string (by));
  station_write (station, consult->id, "problem", request->user, body, saved,
                 request_ref (request));
}

/* ---- Facilities, mode, marks -------------------------------------------------------------- */

static json_t *
read_consulted (const json_t *list)
{
  json_t *consulted = json_array ();
  gsize i;
  json_t *entry;
  json_array_foreach (list, i, entry)
  {
    const char *name = text_of (entry, "name"), *code = text_of (entry, "code");
    if (*name != '\0' && text_is_clean (name, 200) && text_is_clean (code, 20))
      json_array_append_new (consulted, json_pack ("{s:s, s:s}", "name", name, "code", code));
  }
  return consulted;
}

void
console_facilities_save (Request *request)
{
  Station *station = request->station;
  const json_t *list = json_object_get (request->message, "consulted");
  if (!json_is_array (list) || json_array_size (list) > FACILITIES_MAX) {
    request_bad (request, "consulted", "wants a list of at most 10 facilities");
    return;
  }
  json_t *body = forms_own_facility (station->config);
  json_object_set_new (body, "consulted", read_consulted (list));
  station_write (station, station->screen->id, "facilities", request->user, body, saved,
                 request_ref (request));
}

void
forms_guest_admitted (Station *station, Consult *consult, const char *user, const char *facility)
{
  json_t *known = json_object_get (consult->facilities, "consulted");
  if (facility == NULL || *facility == '\0' || place_of (known, "name", facility) != G_MAXSIZE
      || json_array_size (known) >= FACILITIES_MAX)
    return;
  json_t *body = forms_own_facility (station->config);
  json_t *consulted = known != NULL ? json_deep_copy (known) : json_array ();
  json_array_append_new (consulted, json_pack ("{s:s, s:s}", "name", facility, "code", ""));
  json_object_set_new (body, "consulted", consulted);
  station_write (station, consult->id, "facilities", user, body, NULL, NULL);
}

void
console_consultation_save (Request *request)
{
  gint64 mode;
  const char *reason;
  Consult *consult = request->station->screen;
  if (!request_number (request, "mode", 1, 4, &mode)
      || !request_text (request, "reason", REQUIRED, 2000, &reason))
    return;
  json_t *body = consult_body (consult, consult->state);
  json_object_set_new (body, "mode", json_integer (mode));
  json_object_set_new (body, "reason", json_string (reason));
  station_write (request->station, consult->id, "consultation", request->user, body, saved,
                 request_ref (request));
}

void
console_mark_save (Request *request)
{
  const char *text;
  gint64 at_us = g_get_real_time ();
  Consult *consult = request->station->screen;
  if (!request_text (request, "text", OPTIONAL, 500, &text))
    return;
  if (json_object_get (request->message, "at_us") != NULL
      && !request_number (request, "at_us", consult->started_us, at_us + 60 * G_USEC_PER_SEC,
                          &at_us))
    return;
  station_write (
      request->station, consult->id, "mark", request->user,
      json_pack ("{s:I, s:s}", "at_us", (json_int_t)at_us, "text", text != NULL ? text : ""), saved,
      request_ref (request));
}

/* ---- Drafts ------------------------------------------------------------------------------- */

static void
draft_saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  if (consult != NULL && consult == station->screen)
    channel_send_note_of (station, consult, text_of (request->message, "note"));
  request_ok (request, json_pack ("{s:b}", "draft", TRUE));
}

void
console_note_draft (Request *request)
{
  Station *station = request->station;
  const char *wrong = NULL;
  if (!roles_allow_note (request))
    return;
  json_t *body
      = channel_note_body (station->screen, request->user,
                           users_name (station->users, request->user), request->message, &wrong);
  if (body == NULL)
    request_bad (request, wrong, "is not as it must be, or is another's");
  else
    station_write_draft (station, station->screen->id, text_of (body, "note"), request->user, body,
                         draft_saved, request_ref (request));
}

/* ---- ICD-10 ------------------------------------------------------------------------------- */

void
console_icd10_find (Request *request)
{
  const char *text;
  if (!request_text (request, "text", OPTIONAL, 200, &text))
    return;
  request_ok (request, json_pack ("{s:o}", "items",
                                  icd10_find (request->station->icd10, text != NULL ? text : "",
                                              FOUND_MAX)));
}

/* ---- Data channel ------------------------------------------------------------------------- */

void
forms_send (Station *station, const char *label)
{
  const Consult *consult = station->screen;
  if (consult == NULL || station->room == NULL)
    return;
  channel_send_examiners (station, label,
                          json_pack ("{s:s, s:O, s:O}", "type", "problems", "problems",
                                     consult->problems, "proposals", consult->proposals));
}

static void
proposed (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  if (error == NULL && consult != NULL && consult == station->screen)
    forms_send (station, NULL);
}

/* Another's proposal is another's, and what the doctor has taken over is the doctor's. */
static gboolean
may_propose (const Consult *consult, const char *id, const char *author)
{
  gsize i = place_of (consult->proposals, "problem", id);
  if (place_of (consult->problems, "problem", id) != G_MAXSIZE
      || !has_room (consult->proposals, id))
    return FALSE;
  return i == G_MAXSIZE
         || g_str_equal (text_of (json_array_get (consult->proposals, i), "author"), author);
}

void
forms_channel_propose (Station *station, const char *label, const json_t *message)
{
  Consult *consult = station->screen;
  g_autofree char *user = NULL, *name = NULL;
  const char *wrong = NULL;
  json_t *body = NULL;
  if (consult != NULL && consult_is_open (consult) && !consult->busy
      && channel_may_examine (station, label) && channel_author (station, label, &user, &name)
      && may_propose (consult, text_of (message, "problem"), name))
    body = problem_body (message, name, &wrong);
  if (body != NULL)
    station_write (station, consult->id, "proposal", user, body, proposed, NULL);
  else
    channel_refuse (station, label, "problem",
                    json_string_value (json_object_get (message, "problem")), "bad-message",
                    "Không ghi được đề nghị này.", "This proposal was not taken.");
}

void
forms_channel_find (Station *station, const char *label, const json_t *message)
{
  const char *text = text_of (message, "text"), *ask = text_of (message, "ask");
  if (!channel_may_examine (station, label) || strlen (text) > 200 || !id_is_good (ask))
    return;
  room_send (station->room, label,
             json_pack ("{s:s, s:s, s:o}", "type", "icd10", "ask", ask, "items",
                        icd10_find (station->icd10, text, FOUND_MAX)));
}
