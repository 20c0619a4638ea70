/* nhipcau ca init | sign | revoke | crl | list */
#include "station/cmd_ca.h"
#include "certs/session_cert.h"
#include "station/users.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define CRL_DAYS 35
#define ROOT_YEARS 15

static void
ca_options_clear (CaOptions *options)
{
  cli_options_clear (&options->common);
  g_free (options->folder);
  g_free (options->passphrase_file);
  g_free (options->name);
  g_free (options->crl_url);
  g_strfreev (options->domains);
  g_free (options->out);
  g_free (options->reason);
  g_free (options->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CaOptions, ca_options_clear)

gint64
ca_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

char *
ca_day (gint64 time)
{
  g_autoptr (GDateTime) day = g_date_time_new_from_unix_utc (time);
  return day != NULL ? g_date_time_format (day, "%d/%m/%Y") : g_strdup ("?");
}

static char *
once (const char *file, GError **error)
{
  if (file != NULL)
    return cli_read_secret (file, error);
  char *secret = cli_prompt (SAY ("Mật khẩu của nơi cấp", "The authority's passphrase"), TRUE);
  if (secret == NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
                 SAY ("thiếu --passphrase-file TỆP", "--passphrase-file FILE is missing"));
  return secret;
}

Authority *
ca_open (const CaOptions *options, GError **error)
{
  char *secret = once (options->passphrase_file, error);
  if (secret == NULL)
    return NULL;
  GBytes *passphrase = g_bytes_new_static (secret, strlen (secret));
  Authority *authority = authority_open (options->folder, passphrase, error);
  g_bytes_unref (passphrase);
  cli_secret_free (secret);
  return authority;
}

/* ---- init
 * --------------------------------------------------------------------------------------- */

static void
print_made (const CaOptions *options)
{
  g_autoptr (Authority) authority = authority_open (options->folder, NULL, NULL);
  g_autofree char *print
      = authority != NULL ? fingerprint_sha256 (authority_certificate (authority)) : NULL;
  printf (
      SAY ("Đã lập nơi cấp ở %s.\nSHA-256 của root.crt, ghi vào biên bản và đọc qua điện thoại "
           "cho các trạm:\n  %s\nChép cả thư mục sang thẻ thứ hai; cất hai thẻ và mật khẩu ở ba "
           "nơi.\nTiếp theo: nhipcau ca crl, rồi nhipcau ca sign.\n",
           "The authority is made in %s.\nSHA-256 of root.crt, for the minutes and to be read to "
           "the stations by telephone:\n  %s\nCopy the folder to a second stick; keep the two "
           "sticks and the passphrase in three places.\nNext: nhipcau ca crl, then nhipcau ca "
           "sign.\n"),
      options->folder, print != NULL ? print : "?");
}

int
ca_init (const CaOptions *options, CaItems items)
{
  g_autoptr (GError) error = NULL;
  if (options->name == NULL)
    return cli_usage ("%s", SAY ("thiếu --name TÊN của nơi cấp, ví dụ \"Sở Y tế Lào Cai\"",
                                 "--name NAME of the authority is missing, such as \"Sở Y tế Lào "
                                 "Cai\""));
  if (options->years < 1 || options->years > 30)
    return cli_usage ("%s", SAY ("--years: từ 1 đến 30", "--years: 1 to 30"));
  char *secret = cli_obtain_secret (options->passphrase_file,
                                    SAY ("Mật khẩu mới của nơi cấp (10 ký tự trở lên)",
                                         "New passphrase of the authority (10 or more)"),
                                    "--passphrase-file", &error);
  if (secret == NULL)
    return cli_fail (error);
  const char *weak = user_passphrase_weakness (secret);
  if (weak != NULL) {
    cli_secret_free (secret);
    return cli_usage ("%s", weak);
  }
  g_autoptr (GBytes) passphrase = g_bytes_new_static (secret, strlen (secret));
  const AuthoritySetup setup = { .folder = options->folder,
                                 .name = options->name,
                                 .years = (guint)options->years,
                                 .domains = (const char *const *)options->domains,
                                 .crl_url = options->crl_url,
                                 .passphrase = passphrase };
  gboolean good = authority_create (&setup, ca_now (), &error);
  cli_secret_free (secret);
  if (!good)
    return cli_fail (error);
  print_made (options);
  return CLI_OK;
}

/* ---- list
 * --------------------------------------------------------------------------------------- */

static json_t *
entry_json (const AuthorityEntry *entry)
{
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "serial", entry->serial, "kind",
                    entry->kind == PEER_STATION ? "station" : "person", "id", entry->id, "name",
                    entry->name, "key", entry->key_hash, "from", (json_int_t)entry->from, "until",
                    (json_int_t)entry->until, "revoked", (json_int_t)entry->revoked);
}

static void
print_entry (const AuthorityEntry *entry)
{
  g_autofree char *until = ca_day (entry->until);
  const char *state = entry->revoked != 0         ? SAY ("đã thu hồi", "revoked")
                      : entry->until <= ca_now () ? SAY ("hết hạn", "expired")
                                                  : SAY ("còn hạn", "good");
  printf ("%s  %-20s %s  %-10s %s\n", entry->serial, entry->id, until, state, entry->name);
}

int
ca_list (const CaOptions *options, CaItems items)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Authority) authority = authority_open (options->folder, NULL, &error);
  g_autoptr (GPtrArray) list = authority != NULL ? authority_list (authority, &error) : NULL;
  if (list == NULL)
    return cli_fail (error);
  json_auto_t *all = json_array ();
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (all, entry_json (list->pdata[i]));
  if (options->common.json)
    cli_print_json (all);
  else
    for (guint i = 0; i < list->len; i++)
      print_entry (list->pdata[i]);
  return CLI_OK;
}

/* ---- The command
 * -------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  int (*run) (const CaOptions *options, CaItems items);
  guint least, most; /* items */
} CaCommand;

static const CaCommand commands[] = {
  { "init", ca_init, 0, 0 }, { "sign", ca_sign, 1, 1000 }, { "revoke", ca_revoke, 0, 1 },
  { "crl", ca_crl, 0, 0 },   { "list", ca_list, 0, 0 },
};

static int
dispatch (CaOptions *options, int argc, char **argv)
{
  CaItems items = { argv + 2, argc > 2 ? (guint)argc - 2 : 0 };
  for (guint i = 0; argc > 1 && i < G_N_ELEMENTS (commands); i++) {
    if (!g_str_equal (argv[1], commands[i].name) || items.count < commands[i].least
        || items.count > commands[i].most)
      continue;
    if (options->folder == NULL)
      return cli_usage ("%s", SAY ("thiếu --ca THƯ_MỤC của nơi cấp",
                                   "--ca DIR, the authority's folder, is missing"));
    return commands[i].run (options, items);
  }
  return cli_usage ("%s", SAY ("cách dùng: nhipcau ca init | sign CSR… | revoke SỐ | crl | list, "
                               "--ca THƯ_MỤC",
                               "usage: nhipcau ca init | sign CSR… | revoke SERIAL | crl | list, "
                               "--ca DIR"));
}

int
cmd_ca (int argc, char **argv)
{
  g_auto (CaOptions) options = { .days = -1, .years = ROOT_YEARS };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &options.folder,
      SAY ("thư mục của nơi cấp, trên thẻ nhớ", "the authority's folder, on a stick"), "DIR" },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &options.passphrase_file,
      SAY ("tệp có mật khẩu (mặc định: hỏi)", "file with the passphrase (default: asks)"), "FILE" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &options.name,
      SAY ("init: tên nơi cấp", "init: the authority's name"), "NAME" },
    { "years", 0, 0, G_OPTION_ARG_INT, &options.years,
      SAY ("init: số năm (mặc định 15)", "init: years (default 15)"), "N" },
    { "domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.domains,
      SAY ("init: tên miền được cấp, ngoài mạng riêng",
           "init: a domain it may vouch for, beside private ones"),
      "DOMAIN" },
    { "crl-url", 0, 0, G_OPTION_ARG_STRING, &options.crl_url,
      SAY ("init: nơi đăng danh sách thu hồi", "init: where the list is published"), "http://…" },
    { "out", 0, 0, G_OPTION_ARG_FILENAME, &options.out,
      SAY ("sign, crl: tệp kết quả", "sign, crl: the file to write"), "FILE" },
    { "days", 0, 0, G_OPTION_ARG_INT, &options.days,
      SAY ("sign: số ngày (trạm 90, người 1095); crl: mặc định 35",
           "sign: days (stations 90, people 1095); crl: default 35"),
      "N" },
    { "another-key", 0, 0, G_OPTION_ARG_NONE, &options.another_key,
      SAY ("sign: mã này có khóa mới là đúng", "sign: a new key of this id is meant"), NULL },
    { "reason", 0, 0, G_OPTION_ARG_STRING, &options.reason,
      "unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation", "WORD" },
    { "id", 0, 0, G_OPTION_ARG_STRING, &options.id,
      SAY ("revoke: mọi chứng thư của mã này", "revoke: every certificate of this id"), "ID" },
    { "yes", 0, 0, G_OPTION_ARG_NONE, &options.yes, SAY ("không hỏi lại", "does not ask"), NULL },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &options.common, CLI_WITH_JSON, entries,
                  "init | sign CSR… | revoke SERIAL | crl | list",
                  (Text){ "Nơi cấp chứng thư của tỉnh hay bệnh viện chưa có nơi cấp; chạy trên máy "
                          "không nối mạng (docs/certificates.md).",
                          "The authority of a province or hospital that has none; for a machine "
                          "without a network (docs/certificates.md)." },
                  &exit_code))
    return exit_code;
  if (options.days < 0)
    options.days = argc > 1 && g_str_equal (argv[1], "crl") ? CRL_DAYS : 0;
  return dispatch (&options, argc, argv);
}
