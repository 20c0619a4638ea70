/* nhipcau record export CONSULTATION: the papers of a consultation, into files. */
#include "station/cmd_record.h"
#include "station/fhir.h"
#include "station/opening.h"
#include "station/papers/papers.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  char *minutes, *referral, *prescription, *fhir;
} Export;

static void
export_clear (Export *export)
{
  g_free (export->minutes);
  g_free (export->referral);
  g_free (export->prescription);
  g_free (export->fhir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Export, export_clear)

/* A patient's secret: for its owner alone. "-": standard output. */
static gboolean
write_file (const char *file, GBytes *bytes, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  if (!g_str_equal (file, "-"))
    return g_file_set_contents_full (file, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                     error);
  if (fwrite (data, 1, size, stdout) == size && fflush (stdout) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s", g_strerror (errno));
  return FALSE;
}

static gboolean
export_paper (Store *store, const Config *config, const char *id, PaperKind kind, const char *file,
              GError **error)
{
  g_autoptr (GBytes) bytes
      = file != NULL ? paper_make (store, config->station_name, id, kind, error) : NULL;
  return file == NULL || (bytes != NULL && write_file (file, bytes, error));
}

static gboolean
export_fhir (Store *store, const Config *config, const char *id, const char *file, GError **error)
{
  json_auto_t *bundle = file != NULL ? fhir_bundle (store, config->station_name, id, error) : NULL;
  g_autoptr (GBytes) bytes = bundle != NULL ? fhir_bundle_bytes (bundle) : NULL;
  return file == NULL || (bytes != NULL && write_file (file, bytes, error));
}

static int
export_all (const CliOptions *options, const Config *config, const Export *export, const char *id)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  if (!opening_read_only (&opening, options, config, &error))
    return cli_fail (error);
  g_autofree char *day = store_consult_day (opening.store, id, NULL);
  if (day == NULL) {
    g_set_error (&error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 SAY ("không có lần khám “%s”; xem: nhipcau record list",
                      "there is no consultation “%s”; see: nhipcau record list"),
                 id);
    return cli_fail (error);
  }
  if (!export_paper (opening.store, config, id, PAPER_MINUTES, export->minutes, &error)
      || !export_paper (opening.store, config, id, PAPER_REFERRAL, export->referral, &error)
      || !export_paper (opening.store, config, id, PAPER_PRESCRIPTION, export->prescription, &error)
      || !export_fhir (opening.store, config, id, export->fhir, &error))
    return cli_fail (error);
  return CLI_OK;
}

int
cmd_record_export (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (Export) export = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "pdf", 0, 0, G_OPTION_ARG_FILENAME, &export.minutes,
      SAY ("biên bản (PDF)", "the minutes (PDF)"), "FILE" },
    { "referral", 0, 0, G_OPTION_ARG_FILENAME, &export.referral,
      SAY ("giấy chuyển cơ sở KCB (PDF)", "the referral sheet (PDF)"), "FILE" },
    { "prescription", 0, 0, G_OPTION_ARG_FILENAME, &export.prescription,
      SAY ("tệp đơn thuốc (JSON)", "the prescription's file (JSON)"), "FILE" },
    { "fhir", 0, 0, G_OPTION_ARG_FILENAME, &export.fhir,
      SAY ("FHIR R4, Bundle kiểu document", "the FHIR R4 document Bundle"), "FILE" },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS, entries, "CONSULTATION",
                  (Text){ "Giấy tờ của một lần khám, ghi ra tệp; FILE là “-”: ra màn hình.",
                          "The papers of a consultation, written to files; “-”: to the standard "
                          "output." },
                  &exit_code))
    return exit_code;
  if (argc != 2
      || (export.minutes == NULL && export.referral == NULL && export.prescription == NULL
          && export.fhir == NULL))
    return cli_usage (
        "%s", SAY ("cách dùng: nhipcau record export CONSULTATION --pdf FILE | --referral FILE | "
                   "--prescription FILE | --fhir FILE",
                   "usage: nhipcau record export CONSULTATION --pdf FILE | --referral FILE | "
                   "--prescription FILE | --fhir FILE"));
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  return config != NULL ? export_all (&options, config, &export, argv[1]) : exit_code;
}
