/* nhipcau cert show | request | install | renew | revoke-check */
#include "station/cmd_cert.h"

static void
cert_options_clear (CertOptions *options)
{
  cli_options_clear (&options->common);
  g_free (options->out);
  g_free (options->key);
  g_free (options->key_secret_file);
  g_free (options->new_key);
  g_free (options->passphrase_file);
  g_free (options->person);
  g_free (options->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CertOptions, cert_options_clear)

static int
usage (void)
{
  return cli_usage ("%s", SAY ("cách dùng: nhipcau cert show | request | install TỆP | renew | "
                               "revoke-check, --state DIR",
                               "usage: nhipcau cert show | request | install FILE | renew | "
                               "revoke-check, --state DIR"));
}

static int
dispatch (CertOptions *options, int argc, char **argv)
{
  static const struct {
    const char *name;
    int (*run) (const CertOptions *options, const Config *config);
  } plain[] = { { "show", cert_show },
                { "request", cert_request },
                { "renew", cert_renew },
                { "revoke-check", cert_revoke_check } };
  int exit_code = CLI_OK;
  gboolean install = argc == 3 && g_str_equal (argv[1], "install");
  if (argc != 2 && !install)
    return usage ();
  if (argc == 2 && g_str_equal (argv[1], "request") && options->person != NULL)
    return cert_request_person (options);
  for (guint i = 0; i <= G_N_ELEMENTS (plain); i++) {
    if (i == G_N_ELEMENTS (plain) ? !install : argc != 2 || !g_str_equal (argv[1], plain[i].name))
      continue;
    g_autoptr (Config) config = cli_config (&options->common, &exit_code);
    if (config == NULL)
      return exit_code;
    return install ? cert_install (options, config, argv[2]) : plain[i].run (options, config);
  }
  return usage ();
}

int
cmd_cert (int argc, char **argv)
{
  g_auto (CertOptions) options = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "out", 0, 0, G_OPTION_ARG_FILENAME, &options.out,
      SAY ("request: tệp yêu cầu", "request: the file to write"), "FILE" },
    { "key", 0, 0, G_OPTION_ARG_STRING, &options.key,
      SAY ("khóa khác khóa của trạm: tệp, PKCS#11 hay TPM (STORE URI)",
           "another key than the station's: a file, PKCS#11 or TPM (STORE URI)"),
      "URI" },
    { "key-secret-file", 0, 0, G_OPTION_ARG_FILENAME, &options.key_secret_file,
      SAY ("tệp có mật khẩu hay PIN của khóa đó", "file with that key's password or PIN"), "FILE" },
    { "person", 0, 0, G_OPTION_ARG_STRING, &options.person,
      SAY ("request: cho người này, không phải cho trạm",
           "request: for this person, not a station"),
      "ID" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &options.name,
      SAY ("request --person: họ tên", "request --person: their name"), "NAME" },
    { "new-key", 0, 0, G_OPTION_ARG_FILENAME, &options.new_key,
      SAY ("request --person: tạo khóa mới vào tệp này",
           "request --person: makes a new key in this file"),
      "FILE" },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &options.passphrase_file,
      SAY ("--new-key: tệp có mật khẩu mới", "--new-key: file with its new passphrase"), "FILE" },
    { NULL },
  };
  if (!cli_parse (
          &argc, &argv, &options.common, CLI_WITH_JSON | CLI_WITH_KEYS, entries,
          "show | request | install FILE | renew | revoke-check",
          (Text){ "Chứng thư của trạm: xem, xin nơi cấp, cài, gia hạn, kiểm tra thu hồi "
                  "(docs/certificates.md). Mã thoát 1 khi chứng thư không dùng được.",
                  "The station's certificate: shown, asked for, installed, renewed, checked "
                  "against revocation (docs/certificates.md). Exit status 1 when a "
                  "certificate does not do." },
          &exit_code))
    return exit_code;
  return dispatch (&options, argc, argv);
}
