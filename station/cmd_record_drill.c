/* nhipcau record drill: does a recovery key still open? And the sheet for the safe. */
#include "records/drill.h"
#include "station/cmd_record.h"
#include "station/opening.h"
#include "station/recovering.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

typedef struct {
  char *key, *certificate, *passphrase_file, *challenge, *confirm, *sheet;
} Drill;

static void
drill_clear (Drill *drill)
{
  g_free (drill->key);
  g_free (drill->certificate);
  g_free (drill->passphrase_file);
  g_free (drill->challenge);
  g_free (drill->confirm);
  g_free (drill->sheet);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Drill, drill_clear)

/* ---- Which keys, and when they last showed it --------------------------------------------- */

static void
print_recipient (const json_t *one)
{
  const char *drilled = json_string_value (json_object_get (one, "drilled"));
  printf ("%2d  %-30s %.10s  %s\n", (int)json_integer_value (json_object_get (one, "number")),
          json_string_value (json_object_get (one, "subject")),
          drilled != NULL ? drilled : SAY ("chưa", "never"),
          json_is_true (json_object_get (one, "due")) ? SAY ("ĐẾN HẠN DIỄN TẬP", "DRILL IS DUE")
                                                      : "");
}

static int
show (const CliOptions *options, const Config *config)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  if (!opening_read_only (&opening, options, config, &error))
    return cli_fail (error);
  json_auto_t *list = recovering_recipients (opening.store, &error);
  gsize i;
  json_t *one;
  if (list == NULL)
    return cli_fail (error);
  if (options->json) {
    json_auto_t *result = json_pack ("{s:O}", "recipients", list);
    cli_print_json (result);
    return CLI_OK;
  }
  json_array_foreach (list, i, one)
  {
    print_recipient (one);
  }
  return CLI_OK;
}

/* ---- By challenge ------------------------------------------------------------------------- */

static gboolean
write_challenges (Store *store, const char *folder, const char *user, GError **error)
{
  for (guint i = 0; i < vault_recipients (store_vault (store)); i++) {
    g_autofree char *name
        = g_strdup_printf ("drill-%u.cms", vault_recipient_place (store_vault (store), i) + 1);
    g_autofree char *file = g_build_filename (folder, name, NULL);
    g_autoptr (GBytes) challenge = drill_challenge (store, i, user, error);
    gsize size;
    if (challenge == NULL)
      return FALSE;
    const char *data = g_bytes_get_data (challenge, &size);
    if (!g_file_set_contents_full (file, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error))
      return FALSE;
    printf ("%s\n", file);
  }
  return TRUE;
}

static int
challenge (const CliOptions *options, const Config *config, const char *folder)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  if (!opening_read_write (&opening, options, config, &error)
      || !write_challenges (opening.store, folder, options->unlock_user, &error))
    return cli_fail (error);
  puts (SAY ("Người giữ khóa mở tệp ở nơi cất khóa; rồi ở đây: nhipcau record drill --confirm MÃ",
             "The key's holder opens the file where the key is kept; here then: nhipcau record "
             "drill --confirm CODE"));
  return CLI_OK;
}

static int
confirm (const CliOptions *options, const Config *config, const char *code)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  guint i;
  if (!opening_read_write (&opening, options, config, &error)
      || !drill_confirm (opening.store, code, options->unlock_user, &i, &error))
    return cli_fail (error);
  printf (SAY ("Khóa khôi phục %u mở được. Đã ghi vào nhật ký.\n",
               "Recovery key %u opens. It stands in the log.\n"),
          vault_recipient_place (opening.vault, i) + 1);
  return CLI_OK;
}

/* ---- By the escrows ----------------------------------------------------------------------- */

static gboolean
read_pair (const Drill *drill, EVP_PKEY **ret_key, X509 **ret_certificate, GError **error)
{
  g_autoptr (EVP_PKEY) key = cli_read_private_key (drill->key, drill->passphrase_file, error);
  g_autoptr (X509) certificate
      = key != NULL ? cli_read_certificate (drill->certificate, error) : NULL;
  if (certificate == NULL)
    return FALSE;
  if (X509_check_private_key (certificate, key) != 1) {
    ERR_clear_error ();
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 SAY ("--certificate %s không phải chứng thư của khóa %s",
                      "--certificate %s is not the certificate of the key %s"),
                 drill->certificate, drill->key);
    return FALSE;
  }
  *ret_key = g_steal_pointer (&key);
  *ret_certificate = g_steal_pointer (&certificate);
  return TRUE;
}

/* FALSE: the folder is one that nothing is written to, a copy or one that a station works on. */
static gboolean
log_it (const CliOptions *options, const Config *config, guint recipient, guint opened)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  return !opening_is_running (config) && opening_read_write (&opening, options, config, &error)
         && drill_log_escrows (opening.store, recipient, opened, options->unlock_user, &error);
}

static void
print_report (const CliOptions *options, const DrillReport *report, guint number, gboolean logged)
{
  if (options->json) {
    json_auto_t *result = json_pack ("{s:i, s:i, s:i, s:s?, s:b}", "recipient", (int)number, "keys",
                                     (int)report->keys, "opened", (int)report->opened, "problem",
                                     report->problem, "logged", (int)logged);
    cli_print_json (result);
    return;
  }
  printf (SAY ("Khóa khôi phục %u mở được %u trong %u khóa. %s\n",
               "Recovery key %u opens %u of %u keys. %s\n"),
          number, report->opened, report->keys,
          logged ? SAY ("Đã ghi vào nhật ký.", "It stands in the log.")
                 : SAY ("Không ghi vào nhật ký được ở đây.", "It could not be logged here."));
  if (report->problem != NULL)
    printf ("%s\n", report->problem);
}

static int
open_escrows (const CliOptions *options, const Config *config, const Drill *drill)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EVP_PKEY) key = NULL;
  g_autoptr (X509) certificate = NULL;
  g_auto (DrillReport) report = { 0 };
  guint recipient, number;
  if (!read_pair (drill, &key, &certificate, &error))
    return cli_fail (error);
  {
    g_autoptr (Vault) vault = vault_open_read_only (config->state, &error);
    if (vault == NULL || !drill_escrows (vault, key, certificate, &recipient, &report, &error))
      return cli_fail (error);
    number = vault_recipient_place (vault, recipient) + 1;
  }
  gboolean whole = report.keys > 0 && report.opened == report.keys;
  gboolean logged = whole && log_it (options, config, recipient, report.opened);
  print_report (options, &report, number, logged);
  return whole ? CLI_OK : CLI_FAILED;
}

/* ---- The sheet ---------------------------------------------------------------------------- */

static int
sheet (const CliOptions *options, const Config *config, const char *file)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  gsize size;
  if (!opening_read_only (&opening, options, config, &error))
    return cli_fail (error);
  g_autoptr (GBytes) pdf = recovering_sheet_pdf (opening.store, config->station_name, &error);
  if (pdf == NULL)
    return cli_fail (error);
  const char *data = g_bytes_get_data (pdf, &size);
  if (!g_file_set_contents_full (file, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &error))
    return cli_fail (error);
  return CLI_OK;
}

/* ---- Command ------------------------------------------------------------------------------ */

static int
run (const CliOptions *options, const Config *config, const Drill *drill)
{
  if (drill->challenge != NULL)
    return challenge (options, config, drill->challenge);
  if (drill->confirm != NULL)
    return confirm (options, config, drill->confirm);
  if (drill->sheet != NULL)
    return sheet (options, config, drill->sheet);
  return drill->key != NULL ? open_escrows (options, config, drill) : show (options, config);
}

int
cmd_record_drill (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (Drill) drill = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "challenge", 0, 0, G_OPTION_ARG_FILENAME, &drill.challenge,
      SAY ("ghi tệp thử cho từng khóa vào thư mục này",
           "writes a challenge for each key to this folder"),
      "DIR" },
    { "confirm", 0, 0, G_OPTION_ARG_STRING, &drill.confirm,
      SAY ("mã trong tệp thử", "the code from a challenge"), "CODE" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &drill.key,
      SAY ("mở mọi khóa đã niêm phong bằng khóa khôi phục này (PEM)",
           "opens every escrow with this recovery key (PEM)"),
      "FILE" },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &drill.certificate,
      SAY ("chứng thư của khóa đó", "its certificate"), "FILE" },
    { "key-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &drill.passphrase_file,
      SAY ("mật khẩu của khóa", "the key's passphrase"), "FILE" },
    { "sheet", 0, 0, G_OPTION_ARG_FILENAME, &drill.sheet,
      SAY ("ghi phiếu khôi phục (PDF) để cất vào két", "writes the recovery sheet (PDF)"), "FILE" },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS | CLI_WITH_JSON, entries, NULL,
                  (Text){ "Diễn tập khôi phục: khóa nào đã chứng tỏ còn mở được, và khi nào. "
                          "--challenge và --confirm cần trạm dừng; khi trạm chạy thì làm trên "
                          "trang của trạm.",
                          "The recovery drill: which keys have shown that they open, and when. "
                          "--challenge and --confirm want the station stopped; while it runs, use "
                          "its page." },
                  &exit_code))
    return exit_code;
  if ((drill.key == NULL) != (drill.certificate == NULL))
    return cli_usage ("%s", SAY ("record drill cần cả --key và --certificate",
                                 "record drill wants both --key and --certificate"));
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  return config != NULL ? run (&options, config, &drill) : exit_code;
}
