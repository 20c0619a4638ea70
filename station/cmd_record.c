/* nhipcau record list | show | verify | signatures | recover; export: cmd_record_export.c */
#include "records/verify.h"
#include "records/witness.h"
#include "station/cli.h"
#include "station/clock.h"
#include "station/cmd_record.h"
#include "station/cmd_record_keep.h"
#include "station/cmd_record_signatures.h"
#include "station/opening.h"
#include "station/record_view.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

typedef struct {
  char *key, *certificate, *passphrase_file, *out;
} Recover;

static void
recover_clear (Recover *recover)
{
  g_free (recover->key);
  g_free (recover->certificate);
  g_free (recover->passphrase_file);
  g_free (recover->out);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recover, recover_clear)

/* ---- list
 * ---------------------------------------------------------------------------------------- */

static void
print_line (const json_t *line)
{
  const char *id = json_string_value (json_object_get (line, "consultation"));
  const char *day = json_string_value (json_object_get (line, "day"));
  const char *patient = json_string_value (json_object_get (line, "patient"));
  if (json_is_true (json_object_get (line, "locked"))) {
    printf ("%s  %s  %s\n", id, day ? day : "", SAY ("(đã khóa)", "(locked)"));
    return;
  }
  printf ("%s  %s  %-11s %4" JSON_INTEGER_FORMAT " min  %s  %s\n", id, day ? day : "",
          json_string_value (json_object_get (line, "state")),
          json_integer_value (json_object_get (line, "minutes")),
          patient ? patient : SAY ("(chưa rõ danh tính)", "(unknown patient)"),
          json_string_value (json_object_get (line, "doctor")));
}

static int
record_list (const CliOptions *options, const Config *config, const Recover *recover,
             const char *id)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  if (!opening_read_only (&opening, options, config, &error))
    return cli_fail (error);
  g_autoptr (GPtrArray) ids = store_list_consults (opening.store, &error);
  if (ids == NULL)
    return cli_fail (error);
  json_auto_t *lines = json_array ();
  for (guint i = 0; i < ids->len; i++)
    json_array_append_new (lines, record_view_line (opening.store, ids->pdata[i], TRUE));
  if (options->json) {
    json_auto_t *result = json_pack ("{s:O}", "records", lines);
    cli_print_json (result);
    return CLI_OK;
  }
  gsize i;
  json_t *line;
  json_array_foreach (lines, i, line)
  {
    print_line (line);
  }
  return CLI_OK;
}

/* ---- show
 * ---------------------------------------------------------------------------------------- */

static void
print_row (const char *kind, const json_t *row)
{
  char *body = json_dumps (json_object_get (row, "body"), JSON_COMPACT);
  printf ("  %s  %-10s %s\n", json_string_value (json_object_get (row, "at")),
          json_string_value (json_object_get (row, "user")), body != NULL ? body : "");
  free (body);
}

static void
print_record (const json_t *record)
{
  const char *kind;
  json_t *rows, *row;
  gsize i;
  printf ("%s  %s\n", json_string_value (json_object_get (record, "consultation")),
          json_string_value (json_object_get (record, "state")));
  json_object_foreach (json_object_get (record, "rows"), kind, rows)
  {
    printf ("%s (%zu)\n", kind, json_array_size (rows));
    json_array_foreach (rows, i, row)
    {
      print_row (kind, row);
    }
  }
  json_array_foreach (json_object_get (record, "tracks"), i, row)
  {
    printf ("track %s  %s\n", json_string_value (json_object_get (row, "stream")),
            json_string_value (json_object_get (row, "mime")));
  }
}

static int
record_show (const CliOptions *options, const Config *config, const Recover *recover,
             const char *id)
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
  json_auto_t *record = record_view_whole (opening.store, id, 0, &error);
  if (record == NULL)
    return cli_fail (error);
  if (options->json)
    cli_print_json (record);
  else
    print_record (record);
  return CLI_OK;
}

/* ---- verify
 * ---------------------------------------------------------------------------------------- */

static const char *
verdict_name (VerifyVerdict verdict)
{
  static const char *const names[] = { "good", "note", "bad" };
  return names[verdict];
}

static void
add_finding (VerifyVerdict verdict, const char *code, const char *where, const char *what,
             void *arg)
{
  json_array_append_new (arg, json_pack ("{s:s, s:s, s:s, s:s}", "verdict", verdict_name (verdict),
                                         "code", code, "where", where, "what", what));
}

static json_t *
summary_json (const VerifySummary *s)
{
  return json_pack ("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i}", "rows", (json_int_t)s->rows,
                    "segments", (json_int_t)s->segments, "media_records",
                    (json_int_t)s->media_records, "attachments", (json_int_t)s->attachments,
                    "files", (json_int_t)s->files, "bytes", (json_int_t)s->bytes, "bad",
                    (int)s->bad, "notes", (int)s->notes);
}

static void
print_verified (const json_t *findings, const VerifySummary *summary)
{
  gsize i;
  json_t *finding;
  json_array_foreach (findings, i, finding)
  {
    printf ("%-4s %s: %s (%s)\n", json_string_value (json_object_get (finding, "verdict")),
            json_string_value (json_object_get (finding, "where")),
            json_string_value (json_object_get (finding, "what")),
            json_string_value (json_object_get (finding, "code")));
  }
  printf (SAY ("%" G_GUINT64_FORMAT " dòng, %" G_GUINT64_FORMAT " đoạn ghi hình (%" G_GUINT64_FORMAT
               " mảnh), %" G_GUINT64_FORMAT " tệp đính kèm, %" G_GUINT64_FORMAT
               " tệp: %u lỗi, %u ghi chú\n",
               "%" G_GUINT64_FORMAT " rows, %" G_GUINT64_FORMAT
               " segments of recordings (%" G_GUINT64_FORMAT " records), %" G_GUINT64_FORMAT
               " attachments, %" G_GUINT64_FORMAT " files: %u bad, %u notes\n"),
          summary->rows, summary->segments, summary->media_records, summary->attachments,
          summary->files, summary->bad, summary->notes);
}

/* A credential that does not fit is an error of its own, beside what verify finds without it: it
 * may be the wrong one, and the key files may be damaged. What no key opens is still checked by its
 * hashes. */
static int
record_verify (const CliOptions *options, const Config *config, const Recover *recover,
               const char *id)
{
  g_autoptr (GError) error = NULL, locked = NULL;
  VerifySummary summary = { 0 };
  json_auto_t *findings = json_array ();
  if (g_access (config->state, R_OK | X_OK) != 0) {
    g_set_error (&error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "%s: %s", config->state,
                 g_strerror (errno));
    return cli_fail (error);
  }
  g_autoptr (Vault) vault = vault_open_read_only (config->state, &locked);
  g_autofree char *database = g_build_filename (config->state, "records.db", NULL);
  if (vault == NULL && !g_file_test (database, G_FILE_TEST_EXISTS))
    return cli_fail (locked);
  if (vault != NULL)
    cli_unlock (vault, options, config, &locked);
  if (!verify_state (config->state, vault, id, add_finding, findings, &summary, &error))
    return cli_fail (error);
  guint bad_signatures = 0;
  json_auto_t *signatures = cmd_record_signatures_all (config, vault, id, &bad_signatures);
  if (options->json) {
    json_auto_t *result
        = json_pack ("{s:b, s:o, s:O, s:O, s:s*}", "good",
                     summary.bad == 0 && bad_signatures == 0 && locked == NULL, "summary",
                     summary_json (&summary), "findings", findings, "signatures", signatures,
                     "error", locked != NULL ? locked->message : NULL);
    cli_print_json (result);
  } else {
    cmd_record_signatures_print (signatures);
    print_verified (findings, &summary);
  }
  int exit_code = locked != NULL ? cli_fail (locked) : CLI_OK;
  return summary.bad + bad_signatures > 0 ? CLI_FAILED : exit_code;
}

/* ---- signatures
 * ------------------------------------------------------------------------------------ */

static int
record_signatures (const CliOptions *options, const Config *config, const Recover *recover,
                   const char *id)
{
  return cmd_record_signatures (options, config, recover->out, id);
}

/* ---- recover
 * --------------------------------------------------------------------------------------- */

/* The ids of what was written: one, or every folder with a record in it. */
static json_t *
recovered (const char *out, const char *id)
{
  json_t *list = json_array ();
  g_autoptr (GDir) dir = g_dir_open (out, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (out, name, "record.json", NULL);
    if ((id == NULL || g_str_equal (id, name)) && g_file_test (file, G_FILE_TEST_EXISTS))
      json_array_append_new (list, json_string (name));
  }
  return list;
}

static int
record_recover (const CliOptions *options, const Config *config, const Recover *recover,
                const char *id)
{
  g_autoptr (GError) error = NULL;
  if (recover->key == NULL || recover->certificate == NULL || recover->out == NULL)
    return cli_usage ("%s", SAY ("record recover cần --key, --certificate và --out",
                                 "record recover wants --key, --certificate and --out"));
  g_autoptr (EVP_PKEY) key = cli_read_private_key (recover->key, recover->passphrase_file, &error);
  if (key == NULL)
    return cli_fail (error);
  g_autoptr (X509) certificate = cli_read_certificate (recover->certificate, &error);
  if (certificate == NULL)
    return cli_fail (error);
  if (X509_check_private_key (certificate, key) != 1) {
    ERR_clear_error ();
    return cli_usage (SAY ("--certificate %s không phải chứng thư của khóa %s",
                           "--certificate %s is not the certificate of the key %s"),
                      recover->certificate, recover->key);
  }
  if (!recover_records (config->state, key, certificate, id, recover->out, &error))
    return cli_fail (error);
  if (options->json) {
    json_auto_t *result = json_pack ("{s:s, s:o}", "out", recover->out, "consultations",
                                     recovered (recover->out, id));
    cli_print_json (result);
    return CLI_OK;
  }
  printf (SAY ("Đã mở hồ sơ vào %s\n", "Records were opened into %s\n"), recover->out);
  return CLI_OK;
}

/* ---- witness
 * --------------------------------------------------------------------------------------- */

/* HASH of a paper, or SOURCE:SIZE:ROOT. What is not known is left for who writes the log. */
static gboolean
ask_witness (Store *store, const Config *config, const char *what, gboolean *ret_known,
             gboolean *ret_locked, GError **error)
{
  const char *scanned = g_str_has_prefix (what, "nhipcau:1:") ? strstr (what, ":sha256:") : NULL;
  if (scanned != NULL) /* what the QR code of a paper holds */
    what = scanned + strlen (":sha256:");
  g_auto (GStrv) parts = g_strsplit (what, ":", 4);
  guint64 size = 0;
  gboolean paper = g_strv_length (parts) == 1;

  *ret_known = *ret_locked = FALSE;
  if (!paper
      && (g_strv_length (parts) != 3
          || !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXINT64, &size, NULL))) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "%s: wanted is the hash of a paper, or SOURCE:SIZE:ROOT", what);
    return FALSE;
  }
  const char *root = paper ? what : parts[2], *source = paper ? "paper" : parts[0];
  if (paper ? !witness_check_paper (store, what, ret_known, ret_locked, error)
            : !witness_check (store, source, size, root, ret_known, error))
    return FALSE;
  if (*ret_known || *ret_locked)
    return TRUE;
  return witness_leave (config->state, source, size, root, error)
         && (!opening_is_running (config) || opening_wake (config, error));
}

static int
record_witness (const CliOptions *options, const Config *config, const Recover *recover,
                const char *what)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean known, locked;
  if (!opening_read_only (&opening, options, config, &error)
      || !ask_witness (opening.store, config, what, &known, &locked, &error))
    return cli_fail (error);
  if (options->json) {
    json_auto_t *result = json_pack ("{s:b, s:b}", "known", known, "locked", locked);
    cli_print_json (result);
  } else if (known) {
    puts (SAY ("Hồ sơ của trạm có điều này.", "The station's record knows this."));
  } else if (locked) {
    puts (SAY ("Chưa thấy, nhưng có hồ sơ còn khóa: thêm --unlock TỆP.",
               "Not found, but some records are locked: add --unlock FILE."));
  } else {
    puts (SAY ("Hồ sơ của trạm KHÔNG có điều này: thư mục trạng thái đã bị đưa về bản cũ. Trạm vẫn "
               "làm việc và ghi lại việc này.",
               "The station's record does NOT know this: the state folder was put back to an older "
               "one. The station works on, and keeps a note of it."));
  }
  return known ? CLI_OK : CLI_FAILED;
}

/* ---- Command
 * ---------------------------------------------------------------------------------------- */

typedef int (*RecordCommand) (const CliOptions *options, const Config *config,
                              const Recover *recover, const char *id);

/* NULL: no such command, or not with so many words. */
static RecordCommand
find_command (int argc, char **argv)
{
  static const struct {
    const char *name;
    int least, most; /* words, the command's included */
    RecordCommand run;
  } COMMANDS[] = { { "list", 2, 2, record_list },       { "show", 3, 3, record_show },
                   { "verify", 2, 3, record_verify },   { "signatures", 3, 3, record_signatures },
                   { "recover", 2, 3, record_recover }, { "witness", 3, 3, record_witness } };
  for (guint i = 0; argc > 1 && i < G_N_ELEMENTS (COMMANDS); i++)
    if (g_str_equal (argv[1], COMMANDS[i].name))
      return argc >= COMMANDS[i].least && argc <= COMMANDS[i].most ? COMMANDS[i].run : NULL;
  return NULL;
}

int
cmd_record (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (Recover) recover = { 0 };
  int exit_code = CLI_OK;
  if (argc > 1 && g_str_equal (argv[1], "export"))
    return cmd_record_export (argc - 1, argv + 1);
  if (argc > 1 && g_str_equal (argv[1], "drill"))
    return cmd_record_drill (argc - 1, argv + 1);
  if (argc > 1 && cmd_record_keep_has (argv[1]))
    return cmd_record_keep (argc - 1, argv + 1);
  const GOptionEntry entries[] = {
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &recover.key,
      SAY ("recover: khóa khôi phục (PEM)", "recover: the recovery key (PEM)"), "FILE" },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &recover.certificate,
      SAY ("recover: chứng thư của khóa đó", "recover: its certificate"), "FILE" },
    { "key-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &recover.passphrase_file,
      SAY ("recover: mật khẩu của khóa", "recover: the key's passphrase"), "FILE" },
    { "out", 0, 0, G_OPTION_ARG_FILENAME, &recover.out,
      SAY ("recover, signatures: ghi vào thư mục này",
           "recover, signatures: the folder to write to"),
      "DIR" },
    { NULL },
  };
  if (!cli_parse (
          &argc, &argv, &options, CLI_WITH_KEYS | CLI_WITH_JSON, entries,
          "list | show ID | verify [ID] | signatures ID | recover [ID] | export ID | retention | "
          "hold ID | release ID | erase ID | witness HASH | drill",
          (Text){ "Hồ sơ đã niêm phong: liệt kê, xem, kiểm tra từng byte (mã thoát 1 khi có "
                  "lỗi), mở bằng khóa khôi phục.",
                  "The sealed records: lists, shows, checks every byte (exit status 1 when "
                  "something is bad), opens with a recovery key." },
          &exit_code))
    return exit_code;
  RecordCommand command = find_command (argc, argv);
  if (command == NULL)
    return cli_usage ("%s", SAY ("cách dùng: nhipcau record list | show ID | verify [ID] | "
                                 "signatures ID | recover [ID] | witness HASH | "
                                 "export ID; "
                                 "xem nhipcau record --help",
                                 "usage: nhipcau record list | show ID | verify [ID] | signatures "
                                 "ID | recover [ID] | witness HASH | "
                                 "export ID; see "
                                 "nhipcau record --help"));
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  return config != NULL ? command (&options, config, &recover, argc > 2 ? argv[2] : NULL)
                        : exit_code;
}
