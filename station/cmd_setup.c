/* nhipcau setup */
#include "station/opening.h"
#include "station/setup.h"
#include "station/users.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

typedef struct {
  CliOptions common;
  char *name, *user, *add_user, *pin_file, *passphrase_file;
  char **recovery, **add_recovery, **remove_recovery;
  char *confirm, *make_recovery;
  gboolean allow_single, no_boot, new_boot;
} SetupOptions;

static void
setup_options_clear (SetupOptions *options)
{
  cli_options_clear (&options->common);
  g_free (options->name);
  g_free (options->user);
  g_free (options->add_user);
  g_free (options->pin_file);
  g_free (options->passphrase_file);
  g_strfreev (options->recovery);
  g_strfreev (options->add_recovery);
  g_strfreev (options->remove_recovery);
  g_free (options->confirm);
  g_free (options->make_recovery);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SetupOptions, setup_options_clear)

static gboolean
obtain_user (const SetupOptions *options, const char *text, gboolean with_passphrase,
             SetupUser *user, GError **error)
{
  if (!setup_parse_user (text, user, error))
    return FALSE;
  user->pin = cli_obtain_secret (options->pin_file,
                                 SAY ("Mã PIN mới (6 đến 12 chữ số)", "New PIN (6 to 12 digits)"),
                                 "--pin-file", error);
  if (user->pin == NULL)
    return FALSE;
  if (with_passphrase) {
    user->passphrase
        = cli_obtain_secret (options->passphrase_file,
                             SAY ("Mật khẩu mới (10 ký tự trở lên)", "New passphrase (10 or more)"),
                             "--passphrase-file", error);
    if (user->passphrase == NULL)
      return FALSE;
  }
  return setup_check_secrets (user, with_passphrase, error);
}

/* ---- A new station
 * ------------------------------------------------------------------------------------ */

static GPtrArray *
read_recovery (const char *option, char **files, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify)X509_free);
  for (guint i = 0; files != NULL && files[i] != NULL; i++) {
    g_autoptr (BIO) bio = BIO_new_file (files[i], "r");
    X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
    ERR_clear_error ();
    if (certificate == NULL) {
      g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s %s: no certificate (PEM)", option,
                   files[i]);
      return NULL;
    }
    g_ptr_array_add (list, certificate);
  }
  return g_steal_pointer (&list);
}

static void
print_next_steps (const Config *config, guint recipients)
{
  puts (SAY ("Trạm đã lập. Việc tiếp theo, trước khi khám được:",
             "The station is set up. What comes next, before the first consultation:"));
  for (guint i = 0; i < recipients; i++) {
    g_autofree char *file = setup_challenge_file (config, i);
    printf ("  %s\n", file);
  }
  printf (
      SAY ("Người giữ khóa khôi phục mở một trong các tệp này trên máy của mình:\n"
           "  openssl cms -decrypt -inform DER -in challenge-1.cms -inkey KHÓA -recip CHỨNG_THƯ\n"
           "rồi đọc lại mã, và ở đây: nhipcau setup --state %s --confirm MÃ\n",
           "The holder of a recovery key opens one of these files on a machine of their own:\n"
           "  openssl cms -decrypt -inform DER -in challenge-1.cms -inkey KEY -recip CERTIFICATE\n"
           "and reads the code back; here then: nhipcau setup --state %s --confirm CODE\n"),
      config->state);
}

static int
create (const SetupOptions *options, Config *config)
{
  g_autoptr (GError) error = NULL;
  g_auto (SetupUser) first = { 0 };
  g_autofree char *asked = NULL, *boot_file = NULL;
  const char *text = options->user;
  g_autofree char *keys = g_build_filename (config->state, "keys.db", NULL);
  if (g_file_test (keys, G_FILE_TEST_EXISTS))
    return cli_usage (SAY ("%s: trạm đã lập rồi; thêm người dùng: --add-user, xác nhận khóa khôi "
                           "phục: --confirm; xem nhipcau setup --help",
                           "%s: this station is set up already; a user is added with --add-user, a "
                           "recovery key confirmed with --confirm; see nhipcau setup --help"),
                      config->state);
  if (text == NULL)
    text = asked = cli_prompt (
        SAY ("Người dùng đầu tiên (ID:TÊN:VAI TRÒ)", "First user (ID:NAME:ROLE)"), FALSE);
  if (text == NULL)
    return cli_usage ("%s", SAY ("thiếu --user ID:TÊN:VAI_TRÒ", "--user ID:NAME:ROLE is missing"));
  if (options->name != NULL) {
    g_free (config->station_name);
    config->station_name = g_strdup (options->name);
  }
  g_autoptr (GPtrArray) recovery = read_recovery ("--recovery-cert", options->recovery, &error);
  if (recovery == NULL)
    return cli_fail (error);
  if (recovery->len < (options->allow_single ? 1 : 2))
    return cli_usage ("%s",
                      SAY ("cần hai chứng thư khôi phục: --recovery-cert A.crt --recovery-cert "
                           "B.crt (chưa có thì: nhipcau setup --make-recovery THƯ_MỤC)",
                           "two recovery certificates are wanted: --recovery-cert A.crt "
                           "--recovery-cert B.crt (who has none: nhipcau setup "
                           "--make-recovery DIR)"));
  if (!obtain_user (options, text, TRUE, &first, &error))
    return cli_fail (error);
  boot_file = options->common.boot_credential != NULL ? g_strdup (options->common.boot_credential)
              : config->boot_credential != NULL       ? g_strdup (config->boot_credential)
                                                      : g_strconcat (config->state, ".boot", NULL);
  g_autoptr (GBytes) boot
      = options->no_boot ? NULL : setup_boot_credential (boot_file, config->state, &error);
  if (error != NULL
      || !setup_create (config, &first, recovery, options->allow_single, boot, &error))
    return cli_fail (error);
  print_next_steps (config, recovery->len);
  return CLI_OK;
}

/* ---- Later
 * ------------------------------------------------------------------------------------------------
 */

/* The challenge opens to a few words with the code among them; all of it may be given. */
static char *
code_in (const char *text)
{
  g_autoptr (GRegex) pattern = g_regex_new ("[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  return g_regex_match (pattern, text, 0, &match) ? g_match_info_fetch (match, 0) : g_strdup (text);
}

static int
confirm (const SetupOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *code = code_in (options->confirm);
  guint recipient = 0;
  g_autoptr (Vault) vault = cli_open_vault (&options->common, config, FALSE, &error);
  if (vault == NULL || !vault_confirm (vault, code, &recipient, &error))
    return cli_fail (error);
  printf (SAY ("Đã xác nhận khóa khôi phục %u. Trạm khám được rồi.\n",
               "Recovery key %u is confirmed. The station can be used.\n"),
          recipient + 1);
  return CLI_OK;
}

static int
add_user (const SetupOptions *options, const Config *config)
{
  g_auto (Opening) opening = { 0 };
  g_auto (SetupUser) user = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean passphrase = options->passphrase_file != NULL;
  if (!obtain_user (options, options->add_user, passphrase, &user, &error))
    return cli_fail (error);
  if (passphrase && options->common.unlock_file == NULL)
    return cli_usage ("%s", SAY ("mật khẩu cho người mới cần --unlock TỆP của người đang có",
                                 "a passphrase for a new user wants --unlock FILE of an old one"));
  if (!opening_read_write (&opening, &options->common, config, &error)
      || !setup_save_user (opening.store, &user, &error)
      || (passphrase && !vault_set_passphrase (opening.vault, user.id, user.passphrase, &error)))
    return cli_fail (error);
  printf (SAY ("Đã thêm người dùng %s.\n", "User %s was added.\n"), user.id);
  return CLI_OK;
}

static GArray *
read_numbers (char **texts, GError **error)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
    guint64 number;
    if (!g_ascii_string_to_unsigned (texts[i], 10, 1, 1000000, &number, NULL)) {
      g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                   SAY ("--remove-recovery %s: cần số của khóa khôi phục; xem: nhipcau cert show",
                        "--remove-recovery %s: wants the number of a recovery key; see: nhipcau "
                        "cert show"),
                   texts[i]);
      return NULL;
    }
    guint place = (guint)number - 1;
    g_array_append_val (places, place);
  }
  return g_steal_pointer (&places);
}

static void
print_unconfirmed (const Config *config, Vault *vault)
{
  for (guint i = 0; i < vault_recipients (vault); i++) {
    guint place = vault_recipient_place (vault, i);
    g_autofree char *file = setup_challenge_file (config, place);
    if (!vault_recipient_confirmed (vault, i))
      printf (
          SAY ("Chưa xác nhận khóa khôi phục %u: người giữ khóa mở %s, rồi ở đây: nhipcau setup "
               "--confirm MÃ\n",
               "Recovery key %u is not confirmed: its holder opens %s; here then: nhipcau setup "
               "--confirm CODE\n"),
          place + 1, file);
  }
}

static int
change_recovery (const SetupOptions *options, const Config *config)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) add = read_recovery ("--add-recovery", options->add_recovery, &error);
  g_autoptr (GArray) remove = add != NULL ? read_numbers (options->remove_recovery, &error) : NULL;
  if (remove == NULL)
    return cli_fail (error);
  if (options->common.unlock_file == NULL)
    return cli_usage ("%s", SAY ("đổi khóa khôi phục cần --unlock TỆP có mật khẩu của một người "
                                 "dùng: mọi khóa được niêm phong lại",
                                 "other recovery keys want --unlock FILE with a user's "
                                 "passphrase: every key is escrowed anew"));
  if (!opening_read_write (&opening, &options->common, config, &error)
      || !setup_change_recovery (config, opening.vault, opening.store, add, remove,
                                 options->allow_single, &error))
    return cli_fail (error);
  printf (SAY ("Mọi khóa đã được niêm phong lại cho %u khóa khôi phục.\n",
               "Every key is escrowed anew to %u recovery keys.\n"),
          vault_recipients (opening.vault));
  print_unconfirmed (config, opening.vault);
  return CLI_OK;
}

static int
new_boot (const SetupOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = cli_boot_credential_place (&options->common, config);
  g_autoptr (Vault) vault = vault_open (config->state, &error);
  if (vault == NULL || !cli_unlock_passphrase (vault, &options->common, &error)
      || !setup_replace_boot (config, vault, file, &error))
    return cli_fail (error);
  printf (SAY ("Khóa khởi động mới: %s. Khóa cũ không còn mở được gì.\n",
               "The new boot credential: %s. The old one opens nothing any more.\n"),
          file);
  return CLI_OK;
}

static int
make_recovery (const SetupOptions *options)
{
  g_autoptr (GError) error = NULL;
  char *passphrase
      = cli_obtain_secret (options->passphrase_file,
                           SAY ("Mật khẩu của khóa khôi phục", "The recovery key's passphrase"),
                           "--passphrase-file", &error);
  if (passphrase == NULL)
    return cli_fail (error);
  const char *weak = user_passphrase_weakness (passphrase);
  int exit_code = CLI_OK;
  if (weak != NULL)
    exit_code = cli_usage ("%s", weak);
  else if (!setup_make_recovery (options->make_recovery, options->common.state, passphrase,
                                 options->name != NULL ? options->name : "nhipcau", &error))
    exit_code = cli_fail (error);
  else
    printf (
        SAY ("Đã ghi và đọc lại %s/recovery.key và recovery.crt; in recovery.pdf ra giấy. Cất giữ "
             "bên ngoài trạm.\n",
             "%s/recovery.key and recovery.crt were written and read back; print recovery.pdf. "
             "Keep them away from the station.\n"),
        options->make_recovery);
  cli_secret_free (passphrase);
  return exit_code;
}

int
cmd_setup (int argc, char **argv)
{
  g_auto (SetupOptions) options = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &options.name, SAY ("tên trạm", "the station's name"),
      "NAME" },
    { "user", 0, 0, G_OPTION_ARG_STRING, &options.user,
      SAY ("người dùng đầu tiên", "the first user"), "ID:NAME:ROLE" },
    { "pin-file", 0, 0, G_OPTION_ARG_FILENAME, &options.pin_file,
      SAY ("tệp có mã PIN", "file with the PIN"), "FILE" },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &options.passphrase_file,
      SAY ("tệp có mật khẩu", "file with the passphrase"), "FILE" },
    { "recovery-cert", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.recovery,
      SAY ("chứng thư khôi phục, hai lần", "a recovery certificate, twice"), "FILE" },
    { "allow-single-recovery", 0, 0, G_OPTION_ARG_NONE, &options.allow_single,
      SAY ("một khóa khôi phục cũng được", "one recovery key will do"), NULL },
    { "no-boot-credential", 0, 0, G_OPTION_ARG_NONE, &options.no_boot,
      SAY ("không tự chạy lại sau khi mất điện", "no unattended start after a power cut"), NULL },
    { "confirm", 0, 0, G_OPTION_ARG_STRING, &options.confirm,
      SAY ("mã trong tệp challenge", "the code from a challenge"), "CODE" },
    { "add-recovery", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.add_recovery,
      SAY ("thêm chứng thư khôi phục, niêm phong lại mọi khóa",
           "one more recovery certificate; escrows every key anew"),
      "FILE" },
    { "remove-recovery", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.remove_recovery,
      SAY ("bỏ khóa khôi phục số N (cert show), niêm phong lại mọi khóa",
           "without recovery key N (cert show); escrows every key anew"),
      "N" },
    { "new-boot-credential", 0, 0, G_OPTION_ARG_NONE, &options.new_boot,
      SAY ("thay khóa khởi động bị mất hay bị lộ",
           "another boot credential for one that is lost or was seen"),
      NULL },
    { "make-recovery", 0, 0, G_OPTION_ARG_FILENAME, &options.make_recovery,
      SAY ("tạo một khóa khôi phục vào thẻ nhớ", "makes a recovery key on removable media"),
      "DIR" },
    { "add-user", 0, 0, G_OPTION_ARG_STRING, &options.add_user,
      SAY ("thêm người dùng, hay đổi PIN", "adds a user, or changes the PIN"), "ID:NAME:ROLE" },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &options.common, CLI_WITH_KEYS, entries, NULL,
                  (Text){ "Lập trạm. Thiếu gì thì hỏi; mã PIN và mật khẩu lấy từ tệp hoặc hỏi, "
                          "không bao giờ từ dòng lệnh.",
                          "Sets a station up. Asks for what is missing; PINs and passphrases come "
                          "from files or prompts, never from the command line." },
                  &exit_code))
    return exit_code;
  if (options.make_recovery != NULL)
    return make_recovery (&options);
  g_autoptr (Config) config = cli_config (&options.common, &exit_code);
  if (config == NULL)
    return exit_code;
  if (options.confirm != NULL)
    return confirm (&options, config);
  if (options.add_recovery != NULL || options.remove_recovery != NULL)
    return change_recovery (&options, config);
  if (options.new_boot)
    return new_boot (&options, config);
  return options.add_user != NULL ? add_user (&options, config) : create (&options, config);
}
