/* From the files of a page to what is kept of them. */
#include "media/devices/ecg_file.h"
#include "media/devices/ecg_pack.h"
#include "media/error.h"
#include "station/attach.h"
#include "station/ecgs_private.h"
#include "station/text.h"

#include <string.h>

/* ---- Reading
 * ------------------------------------------------------------------------------------- */

static GBytes *
find_file (const char *name, void *arg)
{
  const EcgUpload *upload = arg;
  for (guint i = 0; i < upload->files->len; i++) {
    const EcgUploadFile *file = g_ptr_array_index (upload->files, i);
    if (g_str_equal (file->name, name))
      return g_bytes_new (file->bytes->data, file->bytes->len);
  }
  return NULL;
}

/* The one with which reading begins: of several headers that of the whole record, "name/segments".
 */
static const EcgUploadFile *
main_file (const EcgUpload *upload, const char **ret_kind)
{
  const EcgUploadFile *found = NULL;
  for (guint i = 0; i < upload->files->len; i++) {
    const EcgUploadFile *file = g_ptr_array_index (upload->files, i);
    const char *kind = ecg_file_kind (file->name, file->bytes->data, file->bytes->len);
    const guint8 *line = file->bytes->data;
    gsize length = MIN (file->bytes->len, 256);
    const guint8 *end = length > 0 ? memchr (line, '\n', length) : NULL;
    gboolean whole = end != NULL && memchr (line, '/', (gsize)(end - line)) != NULL;
    if (kind == NULL || (found != NULL && !whole))
      continue;
    found = file;
    *ret_kind = kind;
  }
  return found;
}

static EcgRecording *
read_upload (const EcgUpload *upload, GError **error)
{
  const char *kind = NULL;
  const EcgUploadFile *file = main_file (upload, &kind);
  if (file == NULL) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                         "it is no SCP-ECG, aECG, EDF, BDF, WFDB (.hea with its signal files) or "
                         "DICOM file");
    return NULL;
  }
  g_autoptr (EcgRecording) recording
      = ecg_file_read (kind, file->bytes->data, file->bytes->len, find_file, (void *)upload, error);
  if (recording == NULL)
    return NULL;
  if (recording->samples == 0 || recording->samples > ECGS_SAMPLES_MAX) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "it has %" G_GUINT64_FORMAT " samples; 1 to %u can be added", recording->samples,
                 ECGS_SAMPLES_MAX);
    return NULL;
  }
  return g_steal_pointer (&recording);
}

/* ---- Whose it is
 * --------------------------------------------------------------------------------- */

/* Devices write names without marks and in capitals. */
static char *
plain_name (const char *name)
{
  g_autofree char *ascii = g_str_to_ascii (name, "vi");
  g_autofree char *folded = g_ascii_strdown (ascii, -1);
  GString *plain = g_string_new (NULL);
  for (const char *p = folded; *p != '\0'; p++)
    if (g_ascii_isalnum (*p))
      g_string_append_c (plain, *p);
  return g_string_free (plain, FALSE);
}

/* TRUE: the file's patient is another than the consultation's, or may be. */
static gboolean
is_other (const Consult *consult, const EcgRecording *recording)
{
  if (recording->patient_id != NULL
      && consult_match_patient (consult, recording->patient_id) == PATIENT_OTHER)
    return TRUE;
  const char *name = consult_patient_name (consult);
  if (recording->patient_name == NULL || name == NULL)
    return FALSE;
  g_autofree char *theirs = plain_name (recording->patient_name), *ours = plain_name (name);
  return !g_str_equal (theirs, ours);
}

static void
refuse_other (Request *request, const EcgRecording *recording)
{
  json_t *patient = json_pack ("{s:s?, s:s?, s:s?, s:s?}", "id", recording->patient_id, "name",
                               recording->patient_name, "birth_date", recording->patient_birth,
                               "sex", recording->patient_sex);
  request_refuse_with (request, "other-patient",
                       "Tệp này ghi tên hoặc mã của người bệnh khác. Chỉ thêm khi chắc chắn đó là "
                       "người bệnh này.",
                       "This file names another patient. Add it only when you are sure that it is "
                       "this one's.",
                       json_pack ("{s:o}", "patient", patient));
}

/* ---- Keeping
 * -------------------------------------------------------------------------------------- */

typedef struct {
  Request *request;
  char *consult, *name;
  GPtrArray *names; /* of the files that are left to keep, last first */
  GPtrArray *files; /* GBytes */
  GBytes *packed;
  json_t *about, *originals;
} Adding;

static void
adding_free (Adding *adding)
{
  request_unref (adding->request);
  g_free (adding->consult);
  g_free (adding->name);
  g_ptr_array_unref (adding->names);
  g_ptr_array_unref (adding->files);
  g_bytes_unref (adding->packed);
  json_decref (adding->about);
  json_decref (adding->originals);
  g_free (adding);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Adding, adding_free)

static double
seconds_of (const EcgRecording *recording)
{
  double seconds = 0;
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = g_ptr_array_index (recording->blocks, i);
    double end = (double)ecg_block_offset_us (recording, block) / 1e6
                 + (double)block->count * block->stream->rate_den / block->stream->rate_num;
    seconds = MAX (seconds, end);
  }
  return seconds;
}

/* What lists show; the rest is in the packed form. */
static json_t *
about_json (const EcgRecording *recording, const char *user, gboolean confirmed)
{
  json_t *about = ecg_recording_to_json (recording);
  static const char *const long_ones[] = { "measurements", "annotations", "notes", "streams" };
  for (guint i = 0; i < G_N_ELEMENTS (long_ones); i++)
    json_object_del (about, long_ones[i]);
  json_t *sentences = json_object_get (about, "interpretation");
  while (json_array_size (sentences) > 10)
    json_array_remove (sentences, json_array_size (sentences) - 1);
  /* `ecg` is the id in lists. */
  json_object_set_new (about, "format", json_string (recording->kind));
  json_object_del (about, "ecg");
  json_object_set_new (about, "seconds", json_real (seconds_of (recording)));
  json_object_set_new (about, "user", json_string (user));
  json_object_set_new (about, "confirmed", json_boolean (confirmed));
  return about;
}

static void keep_next (Adding *adding);

static void
kept (Station *station, const Attachment *attachment, const GError *error, void *arg)
{
  g_autoptr (Adding) adding = arg;
  if (error != NULL) {
    request_failed (adding->request, error);
    return;
  }
  if (adding->files->len > 0) {
    json_array_append_new (adding->originals, json_string (attachment->id));
    g_ptr_array_remove_index (adding->files, adding->files->len - 1);
    g_ptr_array_remove_index (adding->names, adding->names->len - 1);
    keep_next (g_steal_pointer (&adding));
    return;
  }
  if (attachment->is_new)
    station_event (station, adding->consult, adding->request->user, "ecg-added", adding->name);
  if (station->screen != NULL && g_str_equal (station->screen->id, adding->consult))
    ecgs_send_list (station, NULL);
  request_ok (adding->request, json_pack ("{s:s}", "ecg", attachment->id));
}

/* The files as they came, then what was read of them: when that is there, all of it is. */
static void
keep_next (Adding *adding)
{
  AttachmentInfo info = { .kind = "ecg-file", .mime_type = "application/octet-stream" };
  GBytes *content = adding->packed;
  if (adding->files->len > 0) {
    info.name = g_ptr_array_index (adding->names, adding->names->len - 1);
    content = g_ptr_array_index (adding->files, adding->files->len - 1);
  } else {
    info.kind = "ecg";
    info.name = adding->name;
    info.mime_type = "application/x-nhipcau-ecg";
    json_object_set (adding->about, "files", adding->originals);
    info.about = adding->about;
  }
  station_attach (adding->request->station, adding->consult, adding->request->user, &info, content,
                  kept, adding);
}

static void
keep (Request *request, const EcgUpload *upload, const EcgRecording *recording, GBytes *packed,
      gboolean confirmed)
{
  Adding *adding = g_new0 (Adding, 1);
  const char *kind = NULL;
  adding->request = request_ref (request);
  adding->consult = g_strdup (request->station->screen->id);
  adding->name = g_strdup (main_file (upload, &kind)->name);
  adding->names = g_ptr_array_new_with_free_func (g_free);
  adding->files = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (guint i = upload->files->len; i-- > 0;) {
    const EcgUploadFile *file = g_ptr_array_index (upload->files, i);
    g_ptr_array_add (adding->names, g_strdup (file->name));
    g_ptr_array_add (adding->files, g_bytes_new (file->bytes->data, file->bytes->len));
  }
  adding->packed = g_bytes_ref (packed);
  adding->about = about_json (recording, request->user, confirmed);
  adding->originals = json_array ();
  keep_next (adding);
}

void
ecgs_add (Request *request)
{
  Ecgs *ecgs = request->station->ecgs;
  const char *id;
  gboolean confirmed = FALSE;
  g_autoptr (GError) error = NULL;
  if (!request_id (request, "ecg", REQUIRED, &id)
      || !request_flag (request, "confirmed", &confirmed))
    return;
  EcgUpload *upload = g_hash_table_lookup (ecgs->uploads, request->client);
  if (upload == NULL || !g_str_equal (upload->id, id)) {
    request_refuse (request, "no-such");
    return;
  }
  g_autoptr (EcgRecording) recording = read_upload (upload, &error);
  g_autoptr (GBytes) packed = recording != NULL ? ecg_pack (recording, &error) : NULL;
  if (packed == NULL) {
    g_autofree char *vi = g_strdup_printf ("Không đọc được tệp điện tim: %s.", error->message);
    g_autofree char *en = g_strdup_printf ("The ECG cannot be read: %s.", error->message);
    ecgs_gone (ecgs, request->client);
    request_refuse_with (request, "bad-message", vi, en, json_pack ("{s:s}", "field", "ecg"));
    return;
  }
  if (!confirmed && is_other (request->station->screen, recording)) {
    refuse_other (request, recording);
    return;
  }
  keep (request, upload, recording, packed, confirmed);
  ecgs_gone (ecgs, request->client);
}
