/* A consultation from a description, and its papers: for tests/scenario/papers.test.mjs.
 *
 *   papers-probe DIR < DESCRIPTION
 *
 * DESCRIPTION: {"station", "users": [{"id", "name"}], "first": body, "rows": [{"kind", "user",
 * "body"}], "after": rows that come after it was signed, "files": [{"kind", "name", "mime", "path",
 * "about"}], "ecg": seconds, "sign": bool}. Writes DIR/minutes.pdf, referral.pdf, prescription.json
 * (where there is one), bundle.json, and again.pdf, again.json: the same, made a second time after
 * more views of the record. */
#include "../unit/records_place.h"
#include "media/devices/ecg_pack.h"
#include "records/attachment.h"
#include "station/fhir.h"
#include "station/papers/papers.h"
#include "station/users.h"

#include <math.h>
#include <stdio.h>

static const char *out;

static const char *
text_of (const json_t *object, const char *member)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text != NULL ? text : "";
}

static void
write_bytes (const char *name, GBytes *bytes)
{
  g_autofree char *path = g_build_filename (out, name, NULL);
  g_autoptr (GError) error = NULL;
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_file_set_contents (path, data, (gssize)size, &error);
  g_assert_no_error (error);
}

static void
add_users (Store *store, const json_t *list)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Users) users = users_load (store, &error);
  json_t *one;
  gsize i;
  g_assert_no_error (error);
  json_array_foreach (list, i, one)
  {
    User user = { .id = (char *)text_of (one, "id"),
                  .name = (char *)text_of (one, "name"),
                  .role = (char *)"doctor",
                  .pin_hash = (char *)"none" };
    g_assert_true (users_save (users, &user, "station", &error));
  }
}

static void
add_rows (Store *store, const char *consult, const json_t *rows)
{
  g_autoptr (GError) error = NULL;
  json_t *row;
  gsize i;
  json_array_foreach (rows, i, row)
  {
    const char *user = json_string_value (json_object_get (row, "user"));
    g_assert_true (store_put_sync (store, consult, text_of (row, "kind"), user,
                                   json_object_get (row, "body"), NULL, &error));
  }
}

static void
add_file (Store *store, const char *consult, const json_t *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;
  gsize size = 0;
  Attachment kept;
  AttachmentInfo info = { .kind = text_of (file, "kind"),
                          .name = text_of (file, "name"),
                          .mime_type = text_of (file, "mime"),
                          .about = json_object_get (file, "about") };
  g_file_get_contents (text_of (file, "path"), &data, &size, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_assert_true (attachment_put_sync (store, consult, "lan", &info, bytes, &kept, &error));
}

/* Twelve leads, 75 beats a minute: a wave of known height, 1 mV in II. */
static double
millivolts (double t, guint lead)
{
  double x = fmod (t, 0.8) - 0.3;
  return (0.5 + 0.5 * (lead == 1) + 0.1 * lead) * exp (-x * x / (2 * 0.012 * 0.012))
             / (lead == 1 ? 1.1 : 1)
         + 0.2 * exp (-(x - 0.25) * (x - 0.25) / (2 * 0.05 * 0.05));
}

static void
add_ecg (Store *store, const char *consult, guint seconds)
{
  static const char *const names[]
      = { "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6" };
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = ecg_recording_new ("scp");
  WaveStream *stream = ecg_stream_new (500, 1, G_N_ELEMENTS (names), &error);
  for (guint l = 0; l < G_N_ELEMENTS (names); l++)
    ecg_lead_set (&stream->leads[l], names[l], "mV", 0.0025, 0, 16);
  ecg_add_stream (recording, stream);
  WaveBlock *block = ecg_add_block (recording, stream, 1, 0, seconds * 500, &error);
  for (guint l = 0; l < G_N_ELEMENTS (names); l++)
    for (guint i = 0; i < block->count; i++)
      block->samples[(gsize)l * block->count + i]
          = i % 1000 == 999 ? WAVE_MISSING : (gint32)lrint (millivolts (i / 500.0, l) / 0.0025);
  ecg_add_interpretation (recording, g_strdup ("Nhịp xoang đều"));
  g_autoptr (GBytes) packed = ecg_pack (recording, &error);
  json_auto_t *about = json_pack ("{s:s}", "time", "2026-11-20T02:05:00.000Z");
  AttachmentInfo info = {
    .kind = "ecg", .name = "dien-tim.scp", .mime_type = "application/x-nhipcau-ecg", .about = about
  };
  Attachment kept;
  g_assert_true (attachment_put_sync (store, consult, "lan", &info, packed, &kept, &error));
}

static void
sign (Store *store, const char *consult)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) manifest = store_manifest (store, consult, &error);
  g_assert_no_error (error);
  g_autofree char *sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest);
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s}", "confirmed_by", "lan", "method", "sign-in",
                                 "sha256", sha256, "seal", "MAA=");
  g_assert_true (store_put_sync (store, consult, "signature", "lan", body, NULL, &error));
}

static void
make (Store *store, const char *station, const char *consult, PaperKind kind, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = paper_make (store, station, consult, kind, &error);
  if (kind == PAPER_PRESCRIPTION && g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    return;
  g_assert_no_error (error);
  write_bytes (name, bytes);
}

static void
make_bundle (Store *store, const char *station, const char *consult, const char *name)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *bundle = fhir_bundle (store, station, consult, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = fhir_bundle_bytes (bundle);
  write_bytes (name, bytes);
}

static void
make_all (Store *store, const char *station, const char *consult)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *view = json_pack ("{s:s}", "what", "record");
  make (store, station, consult, PAPER_MINUTES, "minutes.pdf");
  make (store, station, consult, PAPER_REFERRAL, "referral.pdf");
  make (store, station, consult, PAPER_PRESCRIPTION, "prescription.json");
  make_bundle (store, station, consult, "bundle.json");
  g_assert_true (store_put_sync (store, consult, "view", "lan", view, NULL, &error));
  make (store, station, consult, PAPER_MINUTES, "again.pdf");
  make_bundle (store, station, consult, "again.json");
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  json_error_t said;
  Records records = { 0 };
  json_auto_t *about = json_loadf (stdin, 0, &said);
  if (argc != 2 || about == NULL)
    g_error ("papers-probe DIR < DESCRIPTION: %s", about == NULL ? said.text : "");
  out = argv[1];
  records_up (&records);
  add_users (records.store, json_object_get (about, "users"));
  g_autofree char *consult
      = store_create_consult (records.store, "lan", json_object_get (about, "first"), &error);
  g_assert_no_error (error);
  add_rows (records.store, consult, json_object_get (about, "rows"));
  json_t *file;
  gsize i;
  json_array_foreach (json_object_get (about, "files"), i, file)
  {
    add_file (records.store, consult, file);
  }
  if (json_integer_value (json_object_get (about, "ecg")) > 0)
    add_ecg (records.store, consult, (guint)json_integer_value (json_object_get (about, "ecg")));
  if (json_is_true (json_object_get (about, "sign")))
    sign (records.store, consult);
  add_rows (records.store, consult, json_object_get (about, "after"));
  make_all (records.store, text_of (about, "station"), consult);
  records_down (&records);
  puts (consult);
  return 0;
}
