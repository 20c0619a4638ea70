#include "station/cli.h"
#include "records/data_key.h"
#include "records/vault.h"

#include <glib/gstdio.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
cli_options_clear (CliOptions *options)
{
  g_free (options->state);
  g_free (options->config_file);
  g_free (options->language);
  g_free (options->boot_credential);
  g_free (options->unlock_file);
  g_free (options->unlock_user);
  memset (options, 0, sizeof *options);
}

static void
add_common (GOptionContext *context, CliOptions *o, CliWith with)
{
  GOptionEntry common[] = {
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &o->state,
      SAY ("thư mục trạng thái của trạm", "the station's state folder"), "DIR" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &o->config_file,
      SAY ("tệp cấu hình (mặc định: station.conf cạnh DIR)",
           "configuration (default: station.conf beside DIR)"),
      "FILE" },
    { "lang", 0, 0, G_OPTION_ARG_STRING, &o->language, SAY ("vi hoặc en", "vi or en"), "LANG" },
    { NULL },
  };
  GOptionEntry keys[] = {
    { "boot-credential", 0, 0, G_OPTION_ARG_FILENAME, &o->boot_credential,
      SAY ("khóa khởi động, nằm ngoài DIR", "the boot credential, outside DIR"), "FILE" },
    { "unlock", 0, 0, G_OPTION_ARG_FILENAME, &o->unlock_file,
      SAY ("tệp có mật khẩu của người dùng ở dòng đầu", "file with a user's passphrase"), "FILE" },
    { "unlock-user", 0, 0, G_OPTION_ARG_STRING, &o->unlock_user,
      SAY ("mật khẩu là của ai (mặc định: thử mọi người)", "whose it is (default: tries all)"),
      "ID" },
    { NULL },
  };
  GOptionEntry json[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &o->json, SAY ("in ra JSON", "prints JSON"), NULL },
    { NULL },
  };
  g_option_context_add_main_entries (context, common, NULL);
  if (with & CLI_WITH_KEYS)
    g_option_context_add_main_entries (context, keys, NULL);
  if (with & CLI_WITH_JSON)
    g_option_context_add_main_entries (context, json, NULL);
}

/* --lang decides the language of --help, so it is looked for before the rest. */
static void
choose_language_early (int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    if (g_str_has_prefix (argv[i], "--lang="))
      text_choose (argv[i] + strlen ("--lang="));
    else if (g_str_equal (argv[i], "--lang") && i + 1 < argc)
      text_choose (argv[i + 1]);
  }
}

gboolean
cli_parse (int *argc, char ***argv, CliOptions *options, CliWith with, const GOptionEntry *extra,
           const char *usage, Text about, int *ret_exit)
{
  g_autoptr (GOptionContext) context = g_option_context_new (usage);
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_strdup_printf ("nhipcau %s", (*argv)[0]);
  choose_language_early (*argc, *argv);
  g_set_prgname (program);
  g_option_context_set_summary (context, SAY (about.vi, about.en));
  add_common (context, options, with);
  if (extra != NULL)
    g_option_context_add_main_entries (context, extra, NULL);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    *ret_exit = cli_usage (SAY ("%s; xem %s --help", "%s; see %s --help"), error->message, program);
    return FALSE;
  }
  if (usage == NULL && *argc > 1) {
    *ret_exit
        = cli_usage (SAY ("không hiểu '%s'; xem %s --help", "'%s' is too much; see %s --help"),
                     (*argv)[1], program);
    return FALSE;
  }
  if (options->language != NULL && !text_choose (options->language)) {
    *ret_exit = cli_usage (SAY ("--lang %s: chỉ có vi hoặc en", "--lang %s: vi or en"),
                           options->language);
    return FALSE;
  }
  return TRUE;
}

Config *
cli_config (CliOptions *options, int *ret_exit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Config) config = config_load (options->config_file, options->state, &error);
  if (config == NULL) {
    *ret_exit = cli_fail (error);
    return NULL;
  }
  if (config->state == NULL) {
    *ret_exit = cli_usage ("%s", SAY ("thiếu --state DIR (hoặc khóa state trong station.conf)",
                                      "--state DIR is missing (or the key state of station.conf)"));
    return NULL;
  }
  return g_steal_pointer (&config);
}

/* ---- Secrets ----------------------------------------------------------------------------- */

char *
cli_read_secret (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (file, &text, &length, error))
    return NULL;
  gsize line = strcspn (text, "\r\n");
  char *secret = line > 0 && line <= 1024 ? g_strndup (text, line) : NULL;
  OPENSSL_cleanse (text, length);
  if (secret == NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 "%s: wants a secret of at most 1024 characters in its first line", file);
  return secret;
}

void
cli_secret_free (char *secret)
{
  if (secret != NULL)
    OPENSSL_cleanse (secret, strlen (secret));
  g_free (secret);
}

static char *
boot_credential_path (const CliOptions *options, const Config *config)
{
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *from_systemd
      = folder != NULL ? g_build_filename (folder, "nhipcau-boot", NULL) : NULL;
  if (options->boot_credential != NULL)
    return g_strdup (options->boot_credential);
  if (from_systemd != NULL && g_file_test (from_systemd, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&from_systemd);
  if (config->boot_credential != NULL)
    return g_strdup (config->boot_credential);
  g_autofree char *beside = g_strconcat (config->state, ".boot", NULL);
  return g_file_test (beside, G_FILE_TEST_EXISTS) ? g_steal_pointer (&beside) : NULL;
}

char *
cli_boot_credential_place (const CliOptions *options, const Config *config)
{
  char *path = boot_credential_path (options, config);
  return path != NULL ? path : g_strconcat (config->state, ".boot", NULL);
}

GBytes *
cli_boot_credential (const CliOptions *options, const Config *config, GError **error)
{
  g_autofree char *path = boot_credential_path (options, config), *bytes = NULL;
  gsize length = 0;
  if (path == NULL)
    return NULL;
  if (!g_file_get_contents (path, &bytes, &length, error))
    return NULL;
  if (length < 32 || length > 4096) {
    OPENSSL_cleanse (bytes, length);
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "%s: is no boot credential, which has 32 bytes or more", path);
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&bytes), length);
}

/* ---- The state folder -------------------------------------------------------------------- */

gboolean
cli_unlock_passphrase (Vault *vault, const CliOptions *options, GError **error)
{
  char *passphrase
      = options->unlock_file != NULL ? cli_read_secret (options->unlock_file, error) : NULL;
  gboolean open = FALSE;
  if (passphrase == NULL && options->unlock_file != NULL)
    g_prefix_error (error, "--unlock: ");
  if (options->unlock_file == NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
                 SAY ("thiếu --unlock TỆP: tệp có mật khẩu của một người dùng ở dòng đầu",
                      "--unlock FILE is missing: a file with a user's passphrase in its first "
                      "line"));
  if (passphrase == NULL)
    return FALSE;
  if (options->unlock_user != NULL) {
    open = vault_unlock (vault, options->unlock_user, passphrase, error);
  } else {
    g_auto (GStrv) users = vault_users (vault, error);
    for (guint i = 0; users != NULL && users[i] != NULL && !open; i++) {
      g_clear_error (error);
      open = vault_unlock (vault, users[i], passphrase, error);
    }
    if (users != NULL && users[0] == NULL)
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "no user has a passphrase");
  }
  cli_secret_free (passphrase);
  return open;
}

gboolean
cli_unlock (Vault *vault, const CliOptions *options, const Config *config, GError **error)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GBytes) boot = cli_boot_credential (options, config, &first);
  if (boot != NULL)
    vault_unlock_boot (vault, boot, &first);
  if (options->unlock_file != NULL)
    cli_unlock_passphrase (vault, options, first == NULL ? &first : NULL);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

Vault *
cli_open_vault (const CliOptions *options, const Config *config, gboolean read_only, GError **error)
{
  g_autoptr (Vault) vault
      = read_only ? vault_open_read_only (config->state, error) : vault_open (config->state, error);
  if (vault == NULL || !cli_unlock (vault, options, config, error))
    return NULL;
  return g_steal_pointer (&vault);
}

GBytes *
cli_identity_secret (Vault *vault, GError **error)
{
  guint8 secret[32];
  g_autoptr (DataKey) key = vault_get_key (vault, "station", PURPOSE_STATION, error);
  if (key == NULL)
    return NULL;
  data_key_derive (key, "nhipcau/1/identity", secret);
  GString *hex = g_string_sized_new (64);
  for (guint i = 0; i < sizeof secret; i++)
    g_string_append_printf (hex, "%02x", secret[i]);
  OPENSSL_cleanse (secret, sizeof secret);
  return g_string_free_to_bytes (hex);
}

/* ---- Output ------------------------------------------------------------------------------ */

int
cli_fail (const GError *error)
{
  g_printerr ("nhipcau: %s\n", error->message);
  if (error->domain == CONFIG_ERROR)
    return CLI_USAGE;
  if (error->domain == RECORDS_ERROR || error->domain == CERTS_ERROR)
    return CLI_STATE;
  return CLI_RUNTIME;
}

int
cli_usage (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("nhipcau: %s\n", text);
  return CLI_USAGE;
}

void
cli_print_json (const json_t *value)
{
  g_autofree char *text = json_dumps (value, JSON_INDENT (2) | JSON_ENCODE_ANY);
  puts (text != NULL ? text : "null");
}
