/* What the subcommands share: options, exit codes, opening the state folder, output. */
#pragma once
#include "records/store.h"
#include "station/config.h"
#include "station/text.h"
#include <gio/gio.h>

/* Documented in --help and README. */
enum {
  CLI_OK = 0,
  CLI_FAILED = 1,  /* check or verify found something bad */
  CLI_USAGE = 2,   /* options or station.conf */
  CLI_STATE = 3,   /* the state folder cannot be opened: absent, locked, wrong key */
  CLI_RUNTIME = 4, /* anything else that went wrong */
};

/* One row of main's table. argv[0] is the subcommand's name. */
typedef struct {
  const char *name;
  int (*run) (int argc, char **argv);
  Text summary;
} CliCommand;

int cmd_run (int argc, char **argv);
int cmd_setup (int argc, char **argv);
int cmd_check (int argc, char **argv);
int cmd_record (int argc, char **argv);
int cmd_device (int argc, char **argv);
int cmd_cert (int argc, char **argv);
int cmd_ca (int argc, char **argv);
int cmd_outbox (int argc, char **argv);
int cmd_backup (int argc, char **argv);
int cmd_restore (int argc, char **argv);

/* Options of every subcommand that works on a station. */
typedef struct {
  char *state, *config_file, *language;
  char *boot_credential, *unlock_file, *unlock_user;
  gboolean json;
} CliOptions;
void cli_options_clear (CliOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliOptions, cli_options_clear)

typedef enum { CLI_WITH_KEYS = 1 << 0, CLI_WITH_JSON = 1 << 1 } CliWith;

/* Parses argv with the common options and extra (may be NULL). usage: what stands after the
 * name ("show ID"); NULL: nothing does, and anything is refused. On --help or an error it has
 * printed; returns FALSE with ret_exit set. */
gboolean cli_parse (int *argc, char ***argv, CliOptions *options, CliWith with,
                    const GOptionEntry *extra, const char *usage, Text about, int *ret_exit);

/* Reads station.conf for these options; prints and gives an exit code when it cannot. */
Config *cli_config (CliOptions *options, int *ret_exit);

/* The boot credential: option, $CREDENTIALS_DIRECTORY/nhipcau-boot, station.conf, STATE.boot.
 * NULL without error when there is none. */
GBytes *cli_boot_credential (const CliOptions *options, const Config *config, GError **error);
/* First line of a file, without its end; refuses an empty one. Wipe with cli_secret_free. */
char *cli_read_secret (const char *file, GError **error);
void cli_secret_free (char *secret);
/* A line from the terminal; secret: without showing it. NULL: there is no terminal, or its end.
 * (transfer full) */
char *cli_prompt (const char *question, gboolean secret);
/* From the file, else asked twice; NULL with error. option names the file's option. Wipe with
 * cli_secret_free. */
char *cli_obtain_secret (const char *file, const char *question, const char *option,
                         GError **error);
/* Of somebody who holds a recovery key: PEM files; passphrase_file NULL: the key has none. */
EVP_PKEY *cli_read_private_key (const char *file, const char *passphrase_file, GError **error);
X509 *cli_read_certificate (const char *file, GError **error);

/* Opens the vault and unlocks it with what the options give. */
Vault *cli_open_vault (const CliOptions *options, const Config *config, gboolean read_only,
                       GError **error);
/* The same for a vault that is open; FALSE with the first error, and whatever could be unlocked is.
 */
gboolean cli_unlock (Vault *vault, const CliOptions *options, const Config *config, GError **error);
/* Unlocks with --unlock FILE alone, whatever the boot credential is. */
gboolean cli_unlock_passphrase (Vault *vault, const CliOptions *options, GError **error);
/* Where the boot credential is, or is to be (transfer full). */
char *cli_boot_credential_place (const CliOptions *options, const Config *config);
/* The secret that opens STATE/certs' keys, derived from the station's own key. */
GBytes *cli_identity_secret (Vault *vault, GError **error);

/* Prints "nhipcau: …" to stderr; the exit code that fits the error. */
int cli_fail (const GError *error);
int cli_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);
void cli_print_json (const json_t *value);
