#include "station/prescription.h"
#include "station/case_view.h"
#include "station/console_private.h"
#include "station/station.h"

#include <string.h>

/* ---- The file ---------------------------------------------------------------------------------
 */

static void
put (json_t *object, const char *member, const char *text)
{
  json_object_set_new (object, member, json_string (text));
}

/* The interface has dates of birth as day/month/year. */
static char *
birth_date (const json_t *patient)
{
  const char *date = case_text (patient, "birth_date");
  const json_t *year = json_object_get (patient, "birth_year");
  if (strlen (date) == 10)
    return g_strdup_printf ("%.2s/%.2s/%.4s", date + 8, date + 5, date);
  return json_is_integer (year) ? g_strdup_printf ("%d", (int)json_integer_value (year))
                                : g_strdup ("");
}

/* 2: male, 3: female, 1: not known, as in the insurance data (Decision 130). */
static int
sex_number (const char *sex)
{
  return g_str_equal (sex, "male") ? 2 : g_str_equal (sex, "female") ? 3 : 1;
}

static void
put_patient (json_t *file, const json_t *view)
{
  const json_t *patient = json_object_get (view, "patient");
  const json_t *weight
      = json_object_get (json_object_get (json_object_get (view, "readings"), "weight"), "value");
  g_autofree char *birth = birth_date (patient);
  put (file, "ho_ten_benh_nhan", case_text (patient, "name"));
  put (file, "ma_dinh_danh_cong_dan", case_text (patient, "personal_number"));
  put (file, "ma_dinh_danh_y_te", case_text (patient, "personal_number"));
  put (file, "ma_so_the_bao_hiem_y_te", case_text (patient, "insurance"));
  put (file, "ngay_sinh_benh_nhan", birth);
  json_object_set_new (file, "gioi_tinh", json_integer (sex_number (case_text (patient, "sex"))));
  json_object_set_new (file, "can_nang",
                       json_is_number (weight) ? json_real (json_number_value (weight))
                                               : json_null ());
  put (file, "dia_chi", case_text (patient, "address"));
  put (file, "so_dien_thoai_nguoi_kham_benh", case_text (patient, "phone"));
}

static json_t *
diagnoses (const json_t *view)
{
  const json_t *problems = json_object_get (view, "problems");
  json_t *list = json_array (), *problem;
  gsize i;
  json_array_foreach (problems, i, problem)
  {
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "ma_chan_doan",
                                            case_text (problem, "icd10"), "ten_chan_doan",
                                            case_text (problem, "title"), "ket_luan",
                                            case_text (problem, "text")));
  }
  if (json_array_size (list) == 0)
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "ma_chan_doan", "", "ten_chan_doan",
                                            case_text (view, "conclusion"), "ket_luan",
                                            case_text (view, "conclusion")));
  return list;
}

static json_t *
number_or_null (const json_t *value)
{
  return json_is_number (value) ? json_copy ((json_t *)value) : json_null ();
}

static json_t *
drugs (const json_t *view)
{
  const json_t *all = json_object_get (view, "prescriptions");
  json_t *list = json_array (), *one;
  gsize i;
  json_array_foreach (all, i, one)
  {
    g_autofree char *name
        = g_strdup_printf ("%s %s", case_text (one, "drug"), case_text (one, "strength"));
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "ma_thuoc", "",
                                            "ten_thuoc", g_strstrip (name), "ham_luong",
                                            case_text (one, "strength"), "don_vi_tinh",
                                            case_text (one, "unit"), "so_luong",
                                            number_or_null (json_object_get (one, "quantity")),
                                            "cach_dung", case_text (one, "dose"), "so_ngay",
                                            number_or_null (json_object_get (one, "days"))));
  }
  return list;
}

static const char *
newest_note (const json_t *view, const char *kind)
{
  const json_t *notes = json_object_get (view, "notes");
  const char *text = "";
  json_t *note;
  gsize i;
  json_array_foreach (notes, i, note)
  {
    if (g_str_equal (case_text (note, "kind"), kind))
      text = case_text (note, "text");
  }
  return text;
}

GBytes *
prescription_file (const json_t *view, GError **error)
{
  const json_t *own = json_object_get (json_object_get (view, "facilities"), "own");
  const json_t *facility = json_array_get (json_object_get (view, "people"), 0);
  if (json_array_size (json_object_get (view, "prescriptions")) == 0) {
    g_set_error_literal (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                         "nothing is prescribed in this consultation");
    return NULL;
  }
  json_auto_t *file = json_object ();
  put (file, "loai_don_thuoc", "c");
  /* Both are the national system's to give. */
  json_object_set_new (file, "ma_don_thuoc", json_null ());
  put (file, "ma_lien_thong_co_so", case_text (own, "code"));
  put (file, "ten_co_so", case_text (facility, "facility"));
  put (file, "ten_bac_si", case_text (json_object_get (view, "doctor"), "name"));
  put_patient (file, view);
  json_object_set_new (file, "chan_doan", diagnoses (view));
  put (file, "hinh_thuc_dieu_tri", "1"); /* outpatient */
  json_object_set_new (file, "thong_tin_don_thuoc", drugs (view));
  put (file, "loi_dan", newest_note (view, "follow-up"));
  put (file, "ngay_gio_ke_don", case_text (view, "written"));
  put (file, "ma_luot_kham", case_text (view, "consultation"));
  put (file, "ban_ke_sha256", case_text (view, "manifest"));
  char *text = json_dumps (file, JSON_INDENT (1) | JSON_REAL_PRECISION (15));
  return g_bytes_new_with_free_func (text, strlen (text), free, text);
}

/* ---- The form ---------------------------------------------------------------------------------
 */

/* Newest version of each line that stands, oldest first (transfer full). */
static json_t *
lines_of (GPtrArray *rows)
{
  json_t *lines = json_array (), *old;
  for (guint i = 0; i < rows->len; i++) {
    json_t *body = ((StoreRow *)rows->pdata[i])->body;
    gsize k, at = json_array_size (lines);
    json_array_foreach (lines, k, old)
    {
      if (g_str_equal (case_text (old, "prescription"), case_text (body, "prescription")))
        at = k;
    }
    if (at == json_array_size (lines))
      json_array_append (lines, body);
    else
      json_array_set (lines, at, body);
  }
  for (gsize k = json_array_size (lines); k > 0; k--)
    if (json_is_true (json_object_get (json_array_get (lines, k - 1), "removed")))
      json_array_remove (lines, k - 1);
  return lines;
}

void
console_prescription_list (Request *request)
{
  Station *station = request->station;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows
      = store_read (station->store, station->screen->id, "prescription", 0, &error);
  if (rows == NULL)
    request_failed (request, error);
  else
    request_ok (request, json_pack ("{s:o}", "items", lines_of (rows)));
}

static void
saved (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  if (error != NULL)
    request_failed (request, error);
  else
    request_ok (request, json_pack ("{s:I}", "seq", (json_int_t)seq));
}

/* A number of the form, or nothing. */
static gboolean
take_number (Request *request, const char *member, double high, json_t *body)
{
  const json_t *value = json_object_get (request->message, member);
  if (value == NULL || json_is_null (value)) {
    json_object_set_new (body, member, json_null ());
    return TRUE;
  }
  if (!json_is_number (value) || !(json_number_value (value) > 0)
      || json_number_value (value) > high) {
    request_bad (request, member, "wants a number greater than zero");
    return FALSE;
  }
  json_object_set (body, member, (json_t *)value);
  return TRUE;
}

/* So many lines; a change of one of them always has room. */
static gboolean
has_room (Request *request, const char *id)
{
  Station *station = request->station;
  g_autoptr (GPtrArray) rows
      = store_read (station->store, station->screen->id, "prescription", 0, NULL);
  json_auto_t *lines = rows != NULL ? lines_of (rows) : json_array ();
  json_t *line;
  gsize i;
  json_array_foreach (lines, i, line)
  {
    if (g_str_equal (case_text (line, "prescription"), id))
      return TRUE;
  }
  if (json_array_size (lines) < PRESCRIPTION_LINES_MAX)
    return TRUE;
  request_refuse_with (request, "bad-message", "Đơn thuốc có tối đa 50 dòng.",
                       "A prescription has 50 lines at most.", NULL);
  return FALSE;
}

void
console_prescription_save (Request *request)
{
  Station *station = request->station;
  const char *id, *drug, *strength, *dose, *unit;
  gboolean removed = FALSE;
  if (!request_id (request, "prescription", REQUIRED, &id)
      || !request_text (request, "drug", REQUIRED, 300, &drug)
      || !request_text (request, "strength", OPTIONAL, 100, &strength)
      || !request_text (request, "dose", OPTIONAL, 1000, &dose)
      || !request_text (request, "unit", OPTIONAL, 50, &unit)
      || !request_flag (request, "removed", &removed) || !has_room (request, id))
    return;
  json_t *body
      = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:b}", "prescription", id, "drug", drug, "strength",
                   strength != NULL ? strength : "", "dose", dose != NULL ? dose : "", "unit",
                   unit != NULL ? unit : "", "removed", removed);
  if (!take_number (request, "days", 366, body) || !take_number (request, "quantity", 1e5, body)) {
    json_decref (body);
    return;
  }
  station_write (station, station->screen->id, "prescription", request->user, body, saved,
                 request_ref (request));
}
