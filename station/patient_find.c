#include "station/patient_find.h"
#include "records/fold.h"
#include "records/patient_index.h"
#include "station/cccd.h"
#include "station/record_view.h"
#include "station/session.h"
#include "station/station.h"

#include <gio/gio.h>
#include <string.h>

#define CATCH_UP_BATCH 200
#define FOUND_CONSULTS_MAX 100

/* ---- Identifiers -------------------------------------------------------------------------- */

static char *
digits_of (const char *text)
{
  GString *digits = g_string_new (NULL);
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_isdigit (*c))
      g_string_append_c (digits, *c);
  return g_string_free (digits, FALSE);
}

static void
add (GPtrArray *list, const char *prefix, const char *value)
{
  if (value != NULL && *value != '\0')
    g_ptr_array_add (list, g_strconcat (prefix, value, NULL));
}

/* "+84 912…" and "0912…" are one number. */
static void
add_phone (GPtrArray *list, const char *text)
{
  g_autofree char *digits = digits_of (text);
  const char *national = g_str_has_prefix (digits, "84") && strlen (digits) >= 11 ? digits + 2
                         : *digits == '0'                                         ? digits + 1
                                                                                  : digits;
  if (strlen (national) >= 8)
    add (list, "p:", national);
}

static void
add_insurance (GPtrArray *list, const char *text)
{
  gsize length = strlen (text);
  if (length >= 10)
    add (list, "i:", text + length - 10);
}

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

static GStrv
finish (GPtrArray *list)
{
  g_ptr_array_add (list, NULL);
  return (GStrv)g_ptr_array_free (list, FALSE);
}

GStrv
patient_identifiers (const json_t *patient)
{
  GPtrArray *list = g_ptr_array_new ();
  g_autofree char *name = fold_text (text_of (patient, "name"));
  json_int_t year = json_integer_value (json_object_get (patient, "birth_year"));
  add (list, "n:", text_of (patient, "personal_number"));
  add_insurance (list, text_of (patient, "insurance"));
  add_phone (list, text_of (patient, "phone"));
  add (list, "m:", name);
  if (name != NULL && *name != '\0' && year > 0) {
    g_autofree char *with_year = g_strdup_printf ("%s %d", name, (int)year);
    add (list, "b:", with_year);
  }
  return finish (list);
}

static void
add_numbers (GPtrArray *list, const char *text)
{
  g_autofree char *digits = digits_of (text);
  gsize length = strlen (digits);
  if (length == 12)
    add (list, "n:", digits);
  if (length == 10 || length == 13)
    add_insurance (list, digits);
  if (length >= 9 && length <= 12)
    add_phone (list, digits);
}

/* "LO THI LAN 1962" is a name and a year of birth. */
static void
add_name (GPtrArray *list, const char *folded)
{
  gsize length = strlen (folded);
  gboolean year
      = length > 5 && folded[length - 5] == ' ' && strspn (folded + length - 4, "0123456789") == 4;
  add (list, year ? "b:" : "m:", folded);
}

GStrv
patient_identifiers_of_text (const char *text)
{
  GPtrArray *list = g_ptr_array_new ();
  if (strchr (text, '|') != NULL) {
    const Text *wrong;
    g_auto (Cccd) card = { 0 };
    if (cccd_parse (text, strlen (text), &card, &wrong))
      add (list, "n:", text_of (card.patient, "personal_number"));
    return finish (list);
  }
  g_autofree char *folded = fold_text (text);
  g_autofree char *digits = digits_of (text);
  guint letters = 0;
  for (const char *c = folded != NULL ? folded : ""; *c != '\0'; c++)
    letters += !g_ascii_isdigit (*c) && *c != ' ';
  if (letters <= 2 && strlen (digits) >= 8)
    add_numbers (list, text);
  else if (folded != NULL && letters > 0)
    add_name (list, folded);
  return finish (list);
}

/* ---- Writing the index -------------------------------------------------------------------- */

void
patient_index_row (Station *station, const char *consult, const json_t *patient)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) identifiers = patient_identifiers (patient);
  if (!patient_index_put (station->store, consult, (const char *const *)identifiers, &error))
    g_info ("patient index: later: %s", error->message);
}

/* NULL: closed now. Nothing is known of one that was shredded, and nothing will be. */
static GStrv
identifiers_of_consult (Store *store, const char *consult)
{
  g_autoptr (GError) error = NULL;
  StoreRow *row = store_latest (store, consult, "patient", &error);
  if (row == NULL)
    return g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED) ? NULL : g_new0 (char *, 1);
  GStrv identifiers = patient_identifiers (row->body);
  store_row_free (row);
  return identifiers;
}

/* FALSE: nothing more can be done. */
static gboolean
catch_up_some (Store *store, GError **error)
{
  g_autoptr (GPtrArray) ids = patient_index_missing (store, CATCH_UP_BATCH, error);
  g_autoptr (GPtrArray) consults = g_ptr_array_new ();
  g_autoptr (GPtrArray) lists = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  for (guint i = 0; ids != NULL && i < ids->len; i++) {
    GStrv identifiers = identifiers_of_consult (store, ids->pdata[i]);
    if (identifiers == NULL)
      continue;
    g_ptr_array_add (consults, ids->pdata[i]);
    g_ptr_array_add (lists, identifiers);
  }
  return consults->len > 0 && patient_index_put_all (store, consults, lists, error);
}

static void
catch_up_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Station *station = data;
  g_autoptr (GError) error = NULL;
  while (!station->stopping && catch_up_some (station->store, &error))
    ;
  if (error != NULL)
    g_warning ("patient index: %s", error->message);
  g_task_return_boolean (task, TRUE);
}

static void
caught_up (GObject *object, GAsyncResult *result, void *data)
{
  Station *station = data;
  station->pending--;
}

void
patient_index_catch_up (Station *station)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, caught_up, station);
  station->pending++;
  g_task_set_task_data (task, station, NULL);
  g_task_run_in_thread (task, catch_up_thread);
}

/* ---- Finding ------------------------------------------------------------------------------ */

typedef struct {
  Station *station;
  GStrv wanted;
  char *user;
  json_t *result;
} Find;

static void
find_free (void *data)
{
  Find *find = data;
  g_strfreev (find->wanted);
  g_free (find->user);
  json_decref (find->result);
  g_free (find);
}

/* The sealed row has the last word: entries can be forged, or stand for what was corrected. */
static json_t *
patient_if_meant (const Find *find, const char *consult)
{
  StoreRow *row = store_latest (find->station->store, consult, "patient", NULL);
  if (row == NULL)
    return NULL;
  g_auto (GStrv) has = patient_identifiers (row->body);
  json_t *patient = NULL;
  for (guint i = 0; find->wanted[i] != NULL && patient == NULL; i++)
    if (g_strv_contains ((const char *const *)has, find->wanted[i]))
      patient = json_deep_copy (row->body);
  store_row_free (row);
  return patient;
}

/* Whose consultations stand together: the same number, or else all that is known the same. */
static gboolean
is_same_person (const json_t *a, const json_t *b)
{
  const char *one = text_of (a, "personal_number"), *two = text_of (b, "personal_number");
  if (*one != '\0' && *two != '\0')
    return g_str_equal (one, two);
  g_autofree char *name = fold_text (text_of (a, "name")), *other = fold_text (text_of (b, "name"));
  return g_strcmp0 (name, other) == 0
         && json_equal (json_object_get (a, "birth_year"), json_object_get (b, "birth_year"))
         && g_str_equal (text_of (a, "insurance"), text_of (b, "insurance"));
}

static json_t *
person_of (json_t *patients, json_t *patient)
{
  gsize i;
  json_t *person;
  json_array_foreach (patients, i, person)
  {
    if (is_same_person (json_object_get (person, "patient"), patient))
      return json_object_get (person, "consultations");
  }
  json_array_append_new (patients, json_pack ("{s:O, s:[]}", "patient", patient, "consultations"));
  return json_object_get (json_array_get (patients, json_array_size (patients) - 1),
                          "consultations");
}

static gboolean
add_consult (Find *find, json_t *patients, const char *consult, GError **error)
{
  json_auto_t *patient = patient_if_meant (find, consult);
  if (patient == NULL)
    return TRUE;
  json_t *line = record_view_line (find->station->store, consult, TRUE);
  json_object_del (line, "patient");
  json_array_append_new (person_of (patients, patient), line);
  json_auto_t *view = json_pack ("{s:s}", "what", "search");
  return store_put_sync (find->station->store, consult, "view", find->user, view, NULL, error);
}

static void
find_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Find *find = data;
  GError *error = NULL;
  json_auto_t *patients = json_array ();
  g_autoptr (GPtrArray) ids
      = patient_index_find (find->station->store, (const char *const *)find->wanted, &error);
  gboolean good = ids != NULL;
  for (guint i = 0; good && i < MIN (ids->len, FOUND_CONSULTS_MAX); i++)
    good = add_consult (find, patients, ids->pdata[i], &error);
  if (!good) {
    g_task_return_error (task, error);
    return;
  }
  find->result = json_pack ("{s:O}", "patients", patients);
  g_task_return_boolean (task, TRUE);
}

static void
found (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  Find *find = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    request_ok (request, g_steal_pointer (&find->result));
  else
    request_failed (request, error);
}

void
console_patient_find (Request *request)
{
  const char *text;
  Station *station = request->station;
  if (!request_text (request, "text", REQUIRED, CCCD_TEXT_MAX, &text))
    return;
  if (!request->client->session->unlocked || !vault_is_open (station->vault)) {
    request_refuse (request, "locked");
    return;
  }
  Find *find = g_new0 (Find, 1);
  find->station = station;
  find->user = g_strdup (request->user);
  find->wanted = patient_identifiers_of_text (text);
  station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, found, request_ref (request));
  g_task_set_task_data (task, find, find_free);
  g_task_run_in_thread (task, find_thread);
}

void
console_identity_read (Request *request)
{
  const char *text = json_string_value (json_object_get (request->message, "text"));
  const Text *wrong = NULL;
  g_auto (Cccd) card = { 0 };
  if (text == NULL)
    request_bad (request, "text", "wants the text of a QR code");
  else if (!cccd_parse (text, strlen (text), &card, &wrong))
    request_refuse_with (request, "bad-message", wrong->vi, wrong->en,
                         json_pack ("{s:s}", "field", "text"));
  else
    request_ok (request, json_pack ("{s:O, s:s?, s:O}", "patient", card.patient, "old_number",
                                    card.old_number, "warnings", card.warnings));
}
