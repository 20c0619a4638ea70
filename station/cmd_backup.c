/* nhipcau backup DIR, nhipcau restore DIR */
#include "records/backup.h"
#include "records/witness.h"
#include "station/opening.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <stdio.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

/* ---- backup ------------------------------------------------------------------------------- */

static json_t *
problems_json (const GPtrArray *problems)
{
  json_t *list = json_array ();
  for (guint i = 0; i < problems->len; i++)
    json_array_append_new (list, json_string (problems->pdata[i]));
  return list;
}

static void
print_backup_json (const BackupReport *report)
{
  json_auto_t *result
      = json_pack ("{s:I, s:I, s:I, s:I, s:b, s:{s:I, s:s}, s:o}", "number",
                   (json_int_t)report->number, "files", (json_int_t)report->files, "bytes",
                   (json_int_t)report->bytes, "new_bytes", (json_int_t)report->new_bytes, "behind",
                   report->behind, "log", "size", (json_int_t)report->log_size, "root",
                   report->root, "problems", problems_json (report->problems));
  cli_print_json (result);
}

static void
print_backup (const BackupReport *report, const char *dir)
{
  printf (SAY ("Bản sao lưu %" G_GUINT64_FORMAT " ở %s: %" G_GUINT64_FORMAT
               " tệp, %.1f MB, trong đó %.1f MB mới; đã đọc lại và đúng\n",
               "Backup %" G_GUINT64_FORMAT " in %s: %" G_GUINT64_FORMAT
               " files, %.1f MB, %.1f MB of them new; read back and right\n"),
          report->number, dir, report->files, (double)report->bytes / 1e6,
          (double)report->new_bytes / 1e6);
  if (report->behind)
    fprintf (stderr,
             SAY ("nhipcau: hồ sơ của trạm cũ hơn hoặc khác với bản sao lưu trước (nhật ký "
                  "%" G_GUINT64_FORMAT " dòng, bản trước %" G_GUINT64_FORMAT
                  "): thư mục trạng thái đã bị đưa về bản cũ. Các bản sao lưu trước vẫn còn.\n",
                  "nhipcau: the station's record is older than the backup before, or another one "
                  "(%" G_GUINT64_FORMAT " leaves in its log, %" G_GUINT64_FORMAT
                  " in that backup): the state folder was put back. Earlier backups are kept.\n"),
             report->log_size, report->known_size);
  for (guint i = 0; i < report->problems->len; i++)
    fprintf (stderr, "nhipcau: %s\n", (char *)report->problems->pdata[i]);
}

/* The station's own log is to tell of it; whoever writes that, writes it. */
static void
tell_station (const BackupReport *report, const Config *config)
{
  g_autoptr (GError) error = NULL;
  if (!witness_leave (config->state, "backup", report->known_size, report->known_root, &error)
      || (opening_is_running (config) && !opening_wake (config, &error)))
    fprintf (stderr, "nhipcau: %s\n", error->message);
}

int
cmd_backup (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (BackupReport) report = { 0 };
  g_autoptr (GError) error = NULL;
  int exit_code = CLI_OK, keep = BACKUP_KEEP;
  gboolean whole = FALSE;
  const GOptionEntry entries[] = {
    { "keep", 0, 0, G_OPTION_ARG_INT, &keep,
      SAY ("giữ bao nhiêu bản (mặc định 30)", "how many backups stay (default 30)"), "N" },
    { "whole", 0, 0, G_OPTION_ARG_NONE, &whole,
      SAY ("đọc lại cả những phần đã có, phần hỏng thì chép lại",
           "reads what is there already as well, and makes damaged parts anew"),
      NULL },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_JSON, entries, "DIR",
                  (Text){ "Sao lưu thư mục trạng thái vào DIR (đĩa rời, thư mục mạng), cả khi trạm "
                          "đang chạy; chỉ chép phần mới. Dữ liệu vẫn được niêm phong. Mã thoát 1 "
                          "khi hồ sơ hỏng hay đã bị đưa về bản cũ.",
                          "Copies the state folder to DIR (a removable disk, a share), also while "
                          "the station runs; only what is new is written. All of it stays sealed. "
                          "Exit status 1 when the record is damaged or was put back." },
                  &exit_code))
    return exit_code;
  if (argc != 2 || keep < 1)
    return cli_usage ("%s", SAY ("cách dùng: nhipcau backup DIR [--keep N] [--whole]",
                                 "usage: nhipcau backup DIR [--keep N] [--whole]"));
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  if (config == NULL)
    return exit_code;
  if (g_mkdir (argv[1], 0700) != 0 && errno != EEXIST)
    return cli_usage ("%s: %s", argv[1], g_strerror (errno));
  if (!backup_make (config->state, argv[1], (guint)keep, whole, &report, &error))
    return cli_fail (error);
  if (report.behind)
    tell_station (&report, config);
  if (options.json)
    print_backup_json (&report);
  else
    print_backup (&report, argv[1]);
  return report.behind || report.problems->len > 0 ? CLI_FAILED : CLI_OK;
}

/* ---- restore ------------------------------------------------------------------------------ */

typedef struct {
  char *to, *key, *certificate, *key_passphrase, *user, *passphrase_file, *erasures, *language;
  int number;
  gboolean json;
} Restore;

static void
restore_clear (Restore *restore)
{
  g_free (restore->to);
  g_free (restore->key);
  g_free (restore->certificate);
  g_free (restore->key_passphrase);
  g_free (restore->user);
  g_free (restore->passphrase_file);
  g_free (restore->erasures);
  g_free (restore->language);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Restore, restore_clear)

static int
restored (const Restore *restore, const RestoreReport *report)
{
  if (restore->json) {
    json_auto_t *result
        = json_pack ("{s:I, s:I, s:I, s:I, s:I}", "number", (json_int_t)report->number, "files",
                     (json_int_t)report->files, "bytes", (json_int_t)report->bytes, "keys",
                     (json_int_t)report->keys, "erased", (json_int_t)report->erased);
    cli_print_json (result);
    return CLI_OK;
  }
  printf (SAY ("Đã đưa bản sao lưu %" G_GUINT64_FORMAT " về %s: %" G_GUINT64_FORMAT
               " tệp, %.1f MB. Bây giờ: nhipcau record verify --state %s\n",
               "Backup %" G_GUINT64_FORMAT " is in %s: %" G_GUINT64_FORMAT
               " files, %.1f MB. Now: nhipcau record verify --state %s\n"),
          report->number, restore->to, report->files, (double)report->bytes / 1e6, restore->to);
  if (report->erased > 0)
    printf (SAY ("%" G_GUINT64_FORMAT " khóa đã bị hủy sau bản sao lưu này; chúng vẫn bị hủy\n",
                 "%" G_GUINT64_FORMAT " keys were destroyed after this backup, and stay so\n"),
            report->erased);
  if (restore->user != NULL)
    printf (SAY ("Chỉ mật khẩu mới của %s mở được khóa. Tiếp theo: nhipcau setup --state %s "
                 "--new-boot-credential --unlock FILE\n",
                 "Only the new passphrase of %s opens the keys. Next: nhipcau setup --state %s "
                 "--new-boot-credential --unlock FILE\n"),
            restore->user, restore->to);
  return CLI_OK;
}

static int
run_restore (const Restore *restore, const char *dir)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EVP_PKEY) key = NULL;
  g_autoptr (X509) certificate = NULL;
  RestoreReport report;
  char *passphrase = NULL;

  if (restore->key != NULL) {
    key = cli_read_private_key (restore->key, restore->key_passphrase, &error);
    certificate = key != NULL ? cli_read_certificate (restore->certificate, &error) : NULL;
    if (certificate == NULL)
      return cli_fail (error);
    if (X509_check_private_key (certificate, key) != 1) {
      ERR_clear_error ();
      return cli_usage (SAY ("--recovery-cert %s không phải chứng thư của khóa %s",
                             "--recovery-cert %s is not the certificate of the key %s"),
                        restore->certificate, restore->key);
    }
  }
  if (restore->user != NULL) {
    passphrase = cli_read_secret (restore->passphrase_file, &error);
    if (passphrase == NULL)
      return cli_fail (error);
  }
  const RestoreRequest request = { .dir = dir,
                                   .number = (guint64)restore->number,
                                   .state_dir = restore->to,
                                   .recovery_key = key,
                                   .certificate = certificate,
                                   .user = restore->user,
                                   .passphrase = passphrase,
                                   .erasures = restore->erasures };
  gboolean ok = backup_restore (&request, &report, &error);
  cli_secret_free (passphrase);
  return ok ? restored (restore, &report) : cli_fail (error);
}

/* Its own options: there is no state folder yet, nor its station.conf. */
static gboolean
parse_restore (int *argc, char ***argv, Restore *restore, GError **error)
{
  const GOptionEntry entries[] = {
    { "to", 0, 0, G_OPTION_ARG_FILENAME, &restore->to,
      SAY ("thư mục trạng thái sẽ có; chưa được tồn tại", "the state folder to be; not there yet"),
      "STATE" },
    { "number", 0, 0, G_OPTION_ARG_INT, &restore->number,
      SAY ("bản sao lưu nào (mặc định: mới nhất)", "which backup (default: the newest)"), "N" },
    { "recovery-key", 0, 0, G_OPTION_ARG_FILENAME, &restore->key,
      SAY ("khóa khôi phục (PEM): mở thử mọi khóa", "a recovery key (PEM): every key is opened"),
      "FILE" },
    { "recovery-cert", 0, 0, G_OPTION_ARG_FILENAME, &restore->certificate,
      SAY ("chứng thư của khóa đó", "its certificate"), "FILE" },
    { "key-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &restore->key_passphrase,
      SAY ("mật khẩu của khóa khôi phục", "the recovery key's passphrase"), "FILE" },
    { "user", 0, 0, G_OPTION_ARG_STRING, &restore->user,
      SAY ("người dùng nhận mật khẩu mới, khi không ai còn mật khẩu cũ",
           "user who gets a new passphrase, when nobody has an old one any more"),
      "ID" },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &restore->passphrase_file,
      SAY ("mật khẩu mới đó", "that passphrase"), "FILE" },
    { "erasures", 0, 0, G_OPTION_ARG_FILENAME, &restore->erasures,
      SAY ("thư mục biên bản tiêu hủy mới hơn (erasures/ của một bản khác): cũng làm theo",
           "folder of newer certificates of destruction (erasures/ of another copy): obeyed too"),
      "DIR" },
    { "lang", 0, 0, G_OPTION_ARG_STRING, &restore->language, SAY ("vi hoặc en", "vi or en"),
      "LANG" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &restore->json, SAY ("in ra JSON", "prints JSON"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("DIR --to STATE");
  g_set_prgname ("nhipcau restore");
  g_option_context_set_summary (
      context, SAY ("Đưa bản sao lưu ở DIR về thành thư mục trạng thái STATE, trên máy này hay máy "
                    "khác. Những gì đã bị xóa theo luật vẫn bị xóa.",
                    "Makes the state folder STATE of a backup in DIR, on this machine or another "
                    "one. What was erased stays erased."));
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

int
cmd_restore (int argc, char **argv)
{
  g_auto (Restore) restore = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse_restore (&argc, &argv, &restore, &error))
    return cli_usage ("%s", error->message);
  if (restore.language != NULL && !text_choose (restore.language))
    return cli_usage ("--lang %s: vi, en", restore.language);
  if (argc != 2 || restore.to == NULL || restore.number < 0)
    return cli_usage ("%s", SAY ("cách dùng: nhipcau restore DIR --to STATE; xem nhipcau restore "
                                 "--help",
                                 "usage: nhipcau restore DIR --to STATE; see nhipcau restore "
                                 "--help"));
  if ((restore.key == NULL) != (restore.certificate == NULL)
      || (restore.user == NULL) != (restore.passphrase_file == NULL)
      || (restore.user != NULL && restore.key == NULL))
    return cli_usage ("%s", SAY ("--recovery-key đi cùng --recovery-cert; --user đi cùng "
                                 "--passphrase-file và --recovery-key",
                                 "--recovery-key goes with --recovery-cert; --user with "
                                 "--passphrase-file and --recovery-key"));
  return run_restore (&restore, argv[1]);
}
